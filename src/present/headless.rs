//! No display: the same pictures, drawn off screen when something changes, for snapshots and the frame's hash.

use tracing::info;

use super::show::{Canvas, Fault, Show, Shown};
use crate::clock::Millis;
use crate::gpu::{Gpu, Offscreen, Picture};
use crate::scene::{Damage, Rect, Scene, Size, damage};

/// How often a display that is set but does not answer is tried.
const DISPLAY_EVERY: Millis = Millis(2000);

/// Draws until told to quit. With `display_is_up`, also until that says so: it is asked every two seconds.
/// Returns whether the display is up.
pub(super) fn run(show: &mut Show, size: Size, mut display_is_up: Option<&mut dyn FnMut() -> bool>) -> bool {
    show.animate(false);
    loop {
        let due = show.step(size, &mut Headless::open);
        if show.waker().is_quit() {
            return false;
        }
        if display_is_up.as_mut().is_some_and(|is_up| is_up()) {
            info!("the display answers now");
            return true;
        }
        let longest = display_is_up.as_ref().map(|_| DISPLAY_EVERY);
        let span = due.into_iter().chain(longest).min();
        show.waker().wait(span.map(Millis::to_duration));
    }
}

/// A device, a picture that keeps its content, and the scene that is on it.
pub(super) struct Drawn {
    gpu: Gpu,
    picture: Offscreen,
    scene: Option<Scene>,
    info: String,
}

impl Drawn {
    pub fn new(gpu: Gpu, size: Size) -> Result<Self, Fault> {
        let picture = Offscreen::new(&gpu, size)?;
        let info = gpu.info();
        Ok(Self { gpu, picture, scene: None, info })
    }

    /// Draws what differs from the scene before, and says which pixels that was.
    pub fn draw(&mut self, scene: &Scene) -> Result<Option<Rect>, Fault> {
        if self.gpu.is_lost() {
            return Err(Fault::Device("the driver says so".into()));
        }
        if scene.size != self.picture.size() {
            self.picture = Offscreen::new(&self.gpu, scene.size)?;
            self.scene = None;
        }
        let what = self.scene.as_ref().map_or(Damage::All, |old| damage(old, scene));
        let part = match what {
            Damage::Nothing => return Ok(None),
            Damage::Part(part) => Some(part),
            Damage::All => None,
        };
        self.picture.draw(&self.gpu, scene, part)?;
        // A copy is cheap: the texts are shared.
        self.scene = Some(scene.clone());
        Ok(Some(part.unwrap_or(whole(scene.size))))
    }

    /// The whole picture with this scene on it.
    pub fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        self.draw(scene)?;
        Ok(self.picture.picture(&self.gpu)?)
    }

    /// Reads a part of what was drawn.
    pub fn read(&mut self, part: Rect) -> Result<&crate::gpu::offscreen::Pixels, Fault> {
        Ok(self.picture.read(&self.gpu, part)?)
    }

    pub fn info(&self) -> &str {
        &self.info
    }
}

pub(super) fn whole(size: Size) -> Rect {
    Rect { x: 0.0, y: 0.0, w: size.w as f32, h: size.h as f32 }
}

/// The canvas without a display.
pub(super) struct Headless(Drawn);

impl Headless {
    pub fn open(size: Size) -> Result<Box<dyn Canvas>, Fault> {
        let gpu = Gpu::open(&Gpu::instance(), None)?;
        Ok(Box::new(Self(Drawn::new(gpu, size)?)))
    }
}

impl Canvas for Headless {
    fn show(&mut self, scene: &Scene) -> Result<Shown, Fault> {
        Ok(self.0.draw(scene)?.map_or(Shown::Same, |_| Shown::Frame))
    }

    fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        self.0.picture(scene)
    }

    fn forget(&mut self) {}

    fn gpu(&self) -> &str {
        self.0.info()
    }

    fn kind(&self) -> &'static str {
        "headless"
    }
}
