//! How frames reach the glass: which way is taken, when a frame is due, and what happens when the GPU goes away.
//!
//! [`run`] keeps the main thread for itself until it is told to quit. Presenting may block there for hours, as when a
//! panel is off; so nothing but pixels happens on it, and nobody waits for it. It reads views and never writes state.
//!
//! | `screen.present` | a display | what happens |
//! |---|---|---|
//! | `headless` | | off screen |
//! | `auto` | none is set | off screen |
//! | `auto` | set, does not answer | off screen until it answers, then as below |
//! | `auto` | answers | a window; `surface` on a GPU, `software` without one or while the GPU fails again and again |
//! | `auto` | answers, but takes no window | off screen for a minute, then an error: the supervisor starts it again |
//! | `surface`, `software` | answers | a window, presented in that way |
//! | `surface`, `software` | does not | an error: the supervisor starts the process again |
//!
//! A display that dies ends the process, for a window system's loop can be made once in a process only; started again,
//! `auto` serves headless, with sound, until the display is back.

use thiserror::Error;
use tracing::{info, warn};

use crate::clock::Millis;
use crate::config::{Config, PresentMode, ScreenConfig};
use crate::gpu::Gpu;
use crate::scene::Size;
use crate::window;

mod ahead;
mod album;
pub(crate) mod display;
mod drawn;
mod frame;
mod headless;
mod line;
mod pace;
pub mod port;
pub(crate) mod show;
pub(crate) mod software;
mod stage;
mod surface;
pub mod trial;

pub use port::{Command, Png, Port, PortHandle, SnapshotError, Waker, channel};
use show::{Canvas, Fault, Show};
use software::{Software, Window};

/// Why the main thread stopped drawing.
#[derive(Debug, Error)]
pub enum PresentError {
    #[error("screen.present needs a display, and DISPLAY and WAYLAND_DISPLAY are not set")]
    NoDisplay,
    #[error("the display cannot be opened: {0}")]
    Display(String),
    #[error("the display refused the window: {0}")]
    Window(String),
    #[error("the display is gone: {0}")]
    Gone(String),
}

/// Draws until [`PortHandle::quit`], or until the window is closed. To be called on the main thread.
///
/// # Errors
/// [`PresentError`]; only displays are ever given up, GPUs never.
pub fn run(config: &Config, port: Port) -> Result<(), PresentError> {
    let screen = &config.screen;
    let size = Size { w: screen.width, h: screen.height };
    let mut show = Show::new(config, port);
    match screen.present {
        PresentMode::Headless => headless::run(&mut show, size, None),
        PresentMode::Auto => return automatic(screen, &mut show, size),
        PresentMode::Surface | PresentMode::Software if !display::is_set() => {
            return Err(PresentError::NoDisplay);
        }
        PresentMode::Surface | PresentMode::Software => return window::run(screen, &mut show, None),
    };
    Ok(())
}

fn automatic(screen: &ScreenConfig, show: &mut Show, size: Size) -> Result<(), PresentError> {
    if !display::is_set() {
        headless::run(show, size, None);
        return Ok(());
    }
    let mut held = display::connect();
    if held.is_none() {
        warn!("the display does not answer; the board is drawn off screen until it does");
        let mut is_up = || {
            held = display::connect();
            held.is_some()
        };
        if !headless::run(show, size, Some(&mut is_up)) {
            return Ok(());
        }
        info!("the display answers now");
        show.close();
    }
    match window::run(screen, show, held) {
        Err(PresentError::Display(error)) => without_window(show, size, error),
        other => other,
    }
}

/// How long a hall that gets no window is served off screen, with sound, before the process gives up.
const WINDOWLESS: Millis = Millis::from_secs(60);

/// A window system's loop can be made once in a process only, so the next attempt is another process's.
fn without_window(show: &mut Show, size: Size, error: String) -> Result<(), PresentError> {
    warn!(error, "the display cannot be opened; the board is drawn off screen for a minute");
    let clock = show.clock();
    let end = clock.now().mono + WINDOWLESS;
    let mut is_over = || clock.now().mono >= end;
    if headless::run(show, size, Some(&mut is_over)) { Err(PresentError::Display(error)) } else { Ok(()) }
}

/// Opens what presents to `window`.
pub(crate) fn open<W>(mode: PresentMode, window: &W, size: Size) -> Result<Box<dyn Canvas>, Fault>
where
    W: Window + std::fmt::Debug + Send + Sync + 'static,
{
    let forced = mode == PresentMode::Surface;
    if asks_gpu(mode) {
        match open_screen(forced, window, size) {
            Err(fault) if !forced => info!(%fault, "no GPU draws here; the processor does"),
            opened => return opened,
        }
    }
    Ok(Box::new(Software::open(window, size)?))
}

/// Whether a GPU is to draw, if there is one.
fn asks_gpu(mode: PresentMode) -> bool {
    mode == PresentMode::Surface || mode == PresentMode::Auto && Gpu::may_be_here()
}

/// A surface of a GPU, or of whatever adapter there is when it is `forced`.
fn open_screen<W>(forced: bool, window: &W, size: Size) -> Result<Box<dyn Canvas>, Fault>
where
    W: Window + std::fmt::Debug + Send + Sync + 'static,
{
    let mut fault = Fault::NoAdapter("no backend".into());
    // Vulkan first; a GPU too old for it may still have GL, which beats drawing by the processor.
    for backends in [wgpu::Backends::VULKAN, wgpu::Backends::GL] {
        match open_surface(backends, window) {
            Ok((gpu, surface)) if forced || !gpu.is_software() => {
                // A GPU that opens and cannot draw is as good as none; another way may still work.
                match surface::Screen::open(gpu, surface, size) {
                    Ok(screen) => return Ok(Box::new(screen)),
                    Err(error) => fault = error,
                }
            }
            Ok((gpu, _)) => fault = Fault::NoAdapter(format!("only {}", gpu.info())),
            Err(error) => fault = error,
        }
    }
    Err(fault)
}

fn open_surface<W>(backends: wgpu::Backends, window: &W) -> Result<(Gpu, wgpu::Surface<'static>), Fault>
where
    W: Window + std::fmt::Debug + Send + Sync + 'static,
{
    let display = Box::new(window.clone());
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_with_display_handle(display).with_env()
    });
    let surface = instance.create_surface(window.clone()).map_err(|e| Fault::Surface(e.to_string()))?;
    let gpu = Gpu::open(&instance, Some(&surface))?;
    Ok((gpu, surface))
}
