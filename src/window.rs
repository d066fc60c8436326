//! The window: full screen on the right monitor, and back there when a TV was switched off and on. The only file that
//! names winit; it draws nothing itself and holds no state of the board.
//!
//! Redraws are paced by the show's own timer and not by the window system, which may withhold its redraw events from
//! a hidden window for ever.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};
use winit::application::ApplicationHandler;
use winit::dpi::{PhysicalPosition, PhysicalSize};
use winit::event::{ElementState, KeyEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::keyboard::{Key, NamedKey};
use winit::monitor::MonitorHandle;
use winit::platform::x11::WindowAttributesExtX11;
use winit::raw_window_handle::{HasWindowHandle as _, RawWindowHandle};
use winit::window::{Fullscreen, Window, WindowAttributes, WindowId};

use crate::config::{PresentMode, ScreenConfig};
use crate::present::PresentError;
use crate::present::display::{Held, Monitor, Server};
use crate::present::show::{Show, Way};
use crate::scene::Size;

/// How often the window is compared with its monitor: X11 tells a window nothing when a monitor changes. It
/// costs three round trips.
const COVER_EVERY: Duration = Duration::from_secs(5);
/// Changes of the window are answered at most this often; a window manager that insists is not fought.
const COVER_PAUSE: Duration = Duration::from_secs(1);
/// Fractional scales round a window's size by a pixel or two.
const ROUNDING: u32 = 2;

/// Shows the board in a window until it is closed or the show is told to quit. `held` keeps the display up until the
/// loop has a connection of its own.
pub(crate) fn run(screen: &ScreenConfig, show: &mut Show, held: Option<Held>) -> Result<(), PresentError> {
    let event_loop = EventLoop::new().map_err(|e| PresentError::Display(e.to_string()))?;
    drop(held);
    let server = Server::connect();
    if screen.full_screen && server.as_ref().is_some_and(|server| server.stay_awake().is_none()) {
        warn!("the display may blank the screen: it cannot be asked not to");
    }
    let proxy = event_loop.create_proxy();
    show.waker().forward_to(move || {
        // The loop is gone only when the process ends.
        let _ = proxy.send_event(());
    });
    show.animate(true);
    let mut kiosk = Kiosk {
        screen,
        show,
        server,
        window: None,
        size: Size { w: 0, h: 0 },
        cover: Cover::default(),
        monitor_missing: false,
        failed: None,
    };
    let ended = event_loop.run_app(&mut kiosk);
    match (kiosk.failed, ended) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(PresentError::Gone(error.to_string())),
        (None, Ok(())) => Ok(()),
    }
}

struct Kiosk<'a> {
    screen: &'a ScreenConfig,
    show: &'a mut Show,
    /// Where the display is an X server.
    server: Option<Server>,
    window: Option<Arc<Window>>,
    /// Asking the display for it at every frame would cost a round trip.
    size: Size,
    cover: Cover,
    /// The configured monitor was not there when it was last looked for.
    monitor_missing: bool,
    failed: Option<PresentError>,
}

/// When the window is compared with its monitor: soon after a change of it, and now and then all the same.
#[derive(Default)]
struct Cover {
    last: Option<Instant>,
    /// A change came too soon after the last time; it must not be forgotten.
    again: Option<Instant>,
}

impl Cover {
    /// The window has changed; says whether to compare at once.
    fn change(&mut self, now: Instant) -> bool {
        match self.last.map(|last| last + COVER_PAUSE).filter(|at| now < *at) {
            Some(at) => {
                self.again = Some(at);
                false
            }
            None => true,
        }
    }

    fn done(&mut self, now: Instant) {
        *self = Self { last: Some(now), again: None };
    }

    /// Nothing is due before the first time, which comes with the window.
    fn due(&self) -> Option<Instant> {
        self.again.or(self.last.map(|last| last + COVER_EVERY))
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    fn wait(&self, now: Instant) -> Duration {
        self.due().map_or(COVER_EVERY, |due| due.saturating_duration_since(now))
    }
}

impl ApplicationHandler for Kiosk<'_> {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.window.is_some() {
            return;
        }
        match event_loop.create_window(self.attributes(event_loop)) {
            Ok(window) => {
                window.set_cursor_visible(!self.screen.full_screen);
                self.size = size_of(window.inner_size());
                self.window = Some(Arc::new(window));
                self.cover(event_loop);
            }
            Err(error) => {
                self.failed = Some(PresentError::Window(error.to_string()));
                event_loop.exit();
            }
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::CloseRequested => event_loop.exit(),
            WindowEvent::Destroyed => self.destroyed(event_loop),
            WindowEvent::Resized(size) => {
                self.size = size_of(size);
                self.show.forget();
                self.cover_soon(event_loop);
            }
            WindowEvent::ScaleFactorChanged { .. } | WindowEvent::Focused(_) | WindowEvent::Moved(_) => {
                self.cover_soon(event_loop);
            }
            WindowEvent::Occluded(false) | WindowEvent::RedrawRequested => self.show.forget(),
            WindowEvent::KeyboardInput { event, .. } if !self.screen.full_screen && closes(&event) => {
                event_loop.exit();
            }
            _ => {}
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        if self.show.waker().is_quit() {
            return event_loop.exit();
        }
        if self.cover.is_due(Instant::now()) {
            self.cover(event_loop);
        }
        let due = self.draw();
        let cover = self.screen.full_screen.then(|| self.cover.wait(Instant::now()));
        event_loop.set_control_flow(match due.into_iter().chain(cover).min() {
            Some(span) => ControlFlow::wait_duration(span),
            None => ControlFlow::Wait,
        });
    }

    fn exiting(&mut self, _: &ActiveEventLoop) {
        // The surface goes before the window, and the window before the loop.
        self.show.close();
        self.window = None;
    }
}

impl Kiosk<'_> {
    fn attributes(&mut self, event_loop: &ActiveEventLoop) -> WindowAttributes {
        let attributes = Window::default_attributes().with_title("moiso").with_name("moiso", "moiso");
        let configured = PhysicalSize::new(self.screen.width, self.screen.height);
        if !self.screen.full_screen {
            return attributes.with_inner_size(configured);
        }
        let monitor = self.monitor(event_loop, None);
        let full = Fullscreen::Borderless(monitor.as_ref().and_then(|m| handle_of(event_loop, m)));
        let attributes = attributes.with_decorations(false).with_fullscreen(Some(full));
        // Without a window manager nobody else gives the window its size and place.
        match monitor {
            Some(monitor) => {
                attributes.with_inner_size(pixels(monitor.size)).with_position(place_of(&monitor))
            }
            None => attributes.with_inner_size(configured),
        }
    }

    fn draw(&mut self) -> Option<Duration> {
        let window = self.window.as_ref()?;
        if self.size.w == 0 || self.size.h == 0 {
            return None;
        }
        let mode = self.screen.present;
        let due = self.show.step(self.size, &mut |size, way| {
            let mode = match (mode, way) {
                (PresentMode::Auto, Way::Spare) => PresentMode::Software,
                (mode, _) => mode,
            };
            crate::present::open(mode, window, size)
        });
        due.map(crate::clock::Millis::to_duration)
    }

    fn destroyed(&mut self, event_loop: &ActiveEventLoop) {
        self.failed.get_or_insert(PresentError::Gone("the window was destroyed".into()));
        event_loop.exit();
    }

    fn cover_soon(&mut self, event_loop: &ActiveEventLoop) {
        if self.cover.change(Instant::now()) {
            self.cover(event_loop);
        }
    }

    /// Brings the window back over its whole monitor.
    fn cover(&mut self, event_loop: &ActiveEventLoop) {
        self.cover.done(Instant::now());
        let Some(window) = self.window.clone() else { return };
        if let (Some(server), Some(id)) = (&self.server, x11_id(&window))
            && !server.has(id)
        {
            return self.destroyed(event_loop);
        }
        self.size = size_of(window.inner_size());
        if !self.screen.full_screen {
            return;
        }
        let Some(monitor) = self.monitor(event_loop, Some(&window)) else { return };
        let place = window.outer_position().ok();
        let covers =
            close_to(self.size, monitor.size) && place.is_none_or(|place| place == place_of(&monitor));
        if covers {
            return;
        }
        info!(window = ?self.size, ?monitor, "full screen again");
        if place.is_some() {
            // X11 ignores a state that it believes to have, and without a window manager it is only a belief.
            window.set_fullscreen(None);
        }
        window.set_fullscreen(Some(Fullscreen::Borderless(handle_of(event_loop, &monitor))));
        window.set_outer_position(place_of(&monitor));
        if let Some(size) = window.request_inner_size(pixels(monitor.size)) {
            self.size = size_of(size);
        }
    }

    /// The monitor that the window is to cover: the configured one, else the one that it is on, else the first.
    fn monitor(&mut self, event_loop: &ActiveEventLoop, window: Option<&Window>) -> Option<Monitor> {
        let all = self.monitors(event_loop);
        let configured = self.configured(&all);
        let of_window = || {
            let name = window?.current_monitor()?.name()?;
            all.iter().find(|monitor| monitor.name == name)
        };
        let first = || all.iter().find(|monitor| monitor.primary).or(all.first());
        configured.or_else(of_window).or_else(first).cloned()
    }

    /// Looked up each time: what a monitor was before it was unplugged means nothing.
    fn monitors(&self, event_loop: &ActiveEventLoop) -> Vec<Monitor> {
        if let Some(monitors) = self.server.as_ref().and_then(Server::monitors) {
            return monitors;
        }
        let primary = event_loop.primary_monitor();
        let all = event_loop.available_monitors().map(|handle| Monitor {
            name: handle.name().unwrap_or_default(),
            left: handle.position().x,
            top: handle.position().y,
            size: size_of(handle.size()),
            primary: primary.as_ref() == Some(&handle),
        });
        // An unplugged monitor may leave a handle of no size behind.
        all.filter(|monitor| monitor.size.w > 0 && monitor.size.h > 0).collect()
    }

    /// The monitor that the config names, by its name or its number from 1.
    fn configured<'m>(&mut self, all: &'m [Monitor]) -> Option<&'m Monitor> {
        let wanted = self.screen.monitor.as_deref()?;
        let number = wanted.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let named = all.iter().find(|monitor| monitor.name == wanted);
        let found = named.or_else(|| all.get(number?));
        // Told once when it goes and once when it is back: it is looked for often.
        match (std::mem::replace(&mut self.monitor_missing, found.is_none()), found.is_none()) {
            (false, true) => {
                let names: Vec<_> = all.iter().map(|monitor| &monitor.name).collect();
                warn!(wanted, ?names, "the configured monitor is not there");
            }
            (true, false) => info!(wanted, "the configured monitor is there"),
            _ => {}
        }
        found
    }
}

/// What the window system calls this monitor; none when it does not know it any more, which means the present one.
fn handle_of(event_loop: &ActiveEventLoop, monitor: &Monitor) -> Option<MonitorHandle> {
    event_loop.available_monitors().find(|handle| handle.name().as_ref() == Some(&monitor.name))
}

/// What an X server calls this window.
fn x11_id(window: &Window) -> Option<u32> {
    match window.window_handle().ok()?.as_raw() {
        RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok(),
        RawWindowHandle::Xcb(handle) => Some(handle.window.get()),
        _ => None,
    }
}

fn place_of(monitor: &Monitor) -> PhysicalPosition<i32> {
    PhysicalPosition::new(monitor.left, monitor.top)
}

fn pixels(size: Size) -> PhysicalSize<u32> {
    PhysicalSize::new(size.w, size.h)
}

fn close_to(a: Size, b: Size) -> bool {
    a.w.abs_diff(b.w) <= ROUNDING && a.h.abs_diff(b.h) <= ROUNDING
}

fn size_of(size: PhysicalSize<u32>) -> Size {
    Size { w: size.width, h: size.height }
}

/// Esc and q close a window that is not full screen.
fn closes(event: &KeyEvent) -> bool {
    event.state == ElementState::Pressed
        && match &event.logical_key {
            Key::Named(NamedKey::Escape) => true,
            Key::Character(text) => text == "q",
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_quick_changes_is_answered_a_second_later() {
        let start = Instant::now();
        let after = |ms: u64| start + Duration::from_millis(ms);
        let mut cover = Cover::default();
        assert!(cover.change(start) && !cover.is_due(start));
        cover.done(start);
        assert!(!cover.change(after(200)) && !cover.change(after(900)));
        assert_eq!(cover.wait(after(900)), Duration::from_millis(100));
        assert!(!cover.is_due(after(999)) && cover.is_due(after(1000)));
        cover.done(after(1000));
        assert_eq!(cover.wait(after(1000)), COVER_EVERY);
        assert!(cover.change(after(2500)), "a change after the pause is answered at once");
    }
}
