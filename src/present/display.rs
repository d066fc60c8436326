//! Whether there is a display, asked without opening it: a window system's loop can be made once in a process only.

use std::env;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long a display on another machine may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);
const X11_PORT: u16 = 6000;

/// Where a display listens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Socket(PathBuf),
    Tcp(String, u16),
    /// A connection that was opened for this process.
    Given,
    Unreadable,
}

/// Whether the environment names a display.
pub(super) fn is_set() -> bool {
    address(&variable).is_some()
}

/// Whether the display that the environment names takes connections.
pub(super) fn answers() -> bool {
    match address(&variable) {
        None | Some(Address::Unreadable) => false,
        Some(Address::Given) => true,
        Some(Address::Socket(path)) => UnixStream::connect(path).is_ok(),
        Some(Address::Tcp(host, port)) => (host.as_str(), port)
            .to_socket_addrs()
            .is_ok_and(|mut at| at.any(|at| TcpStream::connect_timeout(&at, PATIENCE).is_ok())),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Wayland comes first, as it does in winit.
fn address(variable: &dyn Fn(&str) -> Option<String>) -> Option<Address> {
    if variable("WAYLAND_SOCKET").is_some() {
        return Some(Address::Given);
    }
    if let Some(name) = variable("WAYLAND_DISPLAY") {
        let folder = variable("XDG_RUNTIME_DIR").unwrap_or_default();
        return Some(Address::Socket(PathBuf::from(folder).join(name)));
    }
    variable("DISPLAY").map(|display| x11(&display).unwrap_or(Address::Unreadable))
}

/// `[host]:number[.screen]`.
fn x11(display: &str) -> Option<Address> {
    let (host, rest) = display.rsplit_once(':')?;
    let number: u16 = rest.split('.').next()?.parse().ok()?;
    match host {
        "" | "unix" => Some(Address::Socket(PathBuf::from(format!("/tmp/.X11-unix/X{number}")))),
        host => Some(Address::Tcp(host.to_owned(), X11_PORT.checked_add(number)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Option<Address> {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        address(&|name| pairs.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
    }

    #[test]
    fn a_display_is_read_as_the_window_system_reads_it() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("DISPLAY", ":7.0")]), Some(Address::Socket("/tmp/.X11-unix/X7".into())));
        assert_eq!(of(&[("DISPLAY", "hall:1")]), Some(Address::Tcp("hall".into(), 6001)));
        assert_eq!(of(&[("DISPLAY", "nonsense")]), Some(Address::Unreadable));
        let both = [("DISPLAY", ":7"), ("WAYLAND_DISPLAY", "wayland-1"), ("XDG_RUNTIME_DIR", "/run/user/1")];
        assert_eq!(of(&both), Some(Address::Socket("/run/user/1/wayland-1".into())));
    }
}
