//! Whether there is a display, asked without opening it: a window system's loop can be made once in a process only.

use std::env;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use x11rb::connection::Connection as _;
use x11rb::cookie::Cookie;
use x11rb::errors::ReplyError;
use x11rb::protocol::randr::{ConnectionExt as _, MonitorInfo};
use x11rb::protocol::screensaver::ConnectionExt as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ScreenSaver};
use x11rb::rust_connection::RustConnection;

use crate::scene::Size;

/// Where a display is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Where `DISPLAY` says.
    X11,
    Wayland(PathBuf),
    /// A Wayland connection that was opened for this process.
    Given,
}

/// Whether the environment names a display.
pub(super) fn is_set() -> bool {
    place(&variable).is_some()
}

/// A connection that the display took. Held until the window has its own: an X server may start anew when its last
/// client goes, and refuse whoever comes just then.
pub(crate) enum Held {
    X11(#[expect(dead_code, reason = "it is held, not used")] Box<RustConnection>),
    Wayland(#[expect(dead_code, reason = "it is held, not used")] UnixStream),
    Given,
}

/// Connects to the display that the environment names; none when it does not take us.
pub(super) fn connect() -> Option<Held> {
    match place(&variable)? {
        Place::Given => Some(Held::Given),
        Place::Wayland(path) => UnixStream::connect(path).ok().map(Held::Wayland),
        Place::X11 => x11rb::connect(None).ok().map(|(connection, _)| Held::X11(Box::new(connection))),
    }
}

/// An X server, asked for what the window's toolkit does not tell.
pub(crate) struct Server {
    connection: RustConnection,
    root: u32,
}

/// A monitor and what it shows of the desktop, in pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Monitor {
    pub name: String,
    pub left: i32,
    pub top: i32,
    pub size: Size,
    pub primary: bool,
}

impl Server {
    /// None without an X server, or where the window is not on one.
    pub(crate) fn connect() -> Option<Self> {
        let Some(Place::X11) = place(&variable) else { return None };
        let (connection, number) = x11rb::connect(None).ok()?;
        let root = connection.setup().roots.get(number)?.root;
        Some(Self { connection, root })
    }

    /// From now on, and for as long as this lives, the screen is not blanked and the panel is not sent to sleep. Wayland
    /// has no such request without the toolkit's help: there the compositor must be set so.
    pub(crate) fn stay_awake(&self) -> Option<()> {
        self.connection.screensaver_query_version(1, 1).ok()?.reply().ok()?;
        self.connection.screensaver_suspend(1).ok()?.check().ok()?;
        // A screen that is blank already stays so until something happens.
        self.connection.force_screen_saver(ScreenSaver::RESET).ok()?.check().ok()
    }

    /// Whether nobody has destroyed this window: the toolkit panics when it is asked about one that is gone.
    pub(crate) fn has(&self, window: u32) -> bool {
        let told = self.connection.get_geometry(window).map_err(ReplyError::from).and_then(Cookie::reply);
        !matches!(told, Err(ReplyError::X11Error(_)))
    }

    /// The monitors as they are now; winit's own list may miss the last of several changes. None when it cannot say.
    pub(crate) fn monitors(&self) -> Option<Vec<Monitor>> {
        let told = self.connection.randr_get_monitors(self.root, true).ok()?.reply().ok()?;
        let monitor = |info: MonitorInfo| {
            let name = self.connection.get_atom_name(info.name).ok()?.reply().ok()?.name;
            let size = Size { w: info.width.into(), h: info.height.into() };
            (size.w > 0 && size.h > 0).then(|| Monitor {
                name: String::from_utf8_lossy(&name).into_owned(),
                left: info.x.into(),
                top: info.y.into(),
                size,
                primary: info.primary,
            })
        };
        Some(told.monitors.into_iter().filter_map(monitor).collect())
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Wayland comes first, as it does in winit.
fn place(variable: &dyn Fn(&str) -> Option<String>) -> Option<Place> {
    if variable("WAYLAND_SOCKET").is_some() {
        return Some(Place::Given);
    }
    if let Some(name) = variable("WAYLAND_DISPLAY") {
        let folder = variable("XDG_RUNTIME_DIR").unwrap_or_default();
        return Some(Place::Wayland(PathBuf::from(folder).join(name)));
    }
    variable("DISPLAY").map(|_| Place::X11)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Option<Place> {
        place(&|name| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn a_display_is_looked_for_where_the_window_system_looks() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("DISPLAY", ":7.0")]), Some(Place::X11));
        let both = [("DISPLAY", ":7"), ("WAYLAND_DISPLAY", "wayland-1"), ("XDG_RUNTIME_DIR", "/run/user/1")];
        assert_eq!(of(&both), Some(Place::Wayland("/run/user/1/wayland-1".into())));
        assert_eq!(of(&[("WAYLAND_DISPLAY", "/run/w")]), Some(Place::Wayland("/run/w".into())));
        assert_eq!(of(&[("WAYLAND_SOCKET", "3"), ("DISPLAY", ":7")]), Some(Place::Given));
    }
}
