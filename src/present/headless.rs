//! No display: the same pictures, drawn in memory when something changes, for snapshots and the frame's hash.

use super::frame::{Frame, INFO};
use super::show::{Canvas, Fault, HEADLESS, Show, Shown};
use crate::clock::Millis;
use crate::gpu::Picture;
use crate::raster::Area;
use crate::scene::{Scene, Size};

/// How often it is asked at least whether there is something better to do.
const ASKED_EVERY: Millis = Millis(2000);

/// Draws until told to quit. With `is_over`, also until that says so: it is asked at every ring, and every two seconds.
/// Returns whether it said so.
pub(super) fn run(show: &mut Show, size: Size, mut is_over: Option<&mut dyn FnMut() -> bool>) -> bool {
    show.animate(false);
    loop {
        let due = show.step(size, &mut |_, _| Ok(Box::new(Headless::default())));
        if show.waker().is_quit() {
            return false;
        }
        if is_over.as_mut().is_some_and(|is_over| is_over()) {
            return true;
        }
        let longest = is_over.as_ref().map(|_| ASKED_EVERY);
        let span = due.into_iter().chain(longest).min();
        show.waker().wait(span.map(Millis::to_duration));
    }
}

/// The canvas without a display.
#[derive(Default)]
pub(super) struct Headless {
    frame: Frame,
    /// Nobody is told of them.
    changed: Vec<Area>,
}

impl Canvas for Headless {
    fn show(&mut self, scene: &Scene) -> Result<Shown, Fault> {
        self.frame.update(scene);
        let shown = if self.frame.has_changed() { Shown::Frame } else { Shown::Same };
        self.frame.take_changed(&mut self.changed);
        Ok(shown)
    }

    fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        Ok(self.frame.picture(scene))
    }

    fn forget(&mut self) {}

    fn gpu(&self) -> &str {
        INFO
    }

    fn kind(&self) -> &'static str {
        HEADLESS
    }
}
