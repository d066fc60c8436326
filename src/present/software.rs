//! A window without a GPU behind it: the frame is kept in memory, and what changed of it is handed to the display.

use std::num::NonZeroU32;

use softbuffer::{Context, SoftBufferError, Surface};
use tracing::trace_span;

use super::frame::{Frame, INFO};
use super::show::{Canvas, Fault, Shown};
use crate::gpu::Picture;
use crate::raster::{Area, Raster};
use crate::scene::{Scene, Size};
use crate::trace::STAGE;

/// Frames whose damage is remembered; displays hand out two or three buffers in turn.
const REMEMBERED: usize = 4;

/// What softbuffer needs of a window; `Arc<Window>` has it.
pub(crate) trait Window: wgpu::rwh::HasWindowHandle + wgpu::rwh::HasDisplayHandle + Clone {}
impl<W: wgpu::rwh::HasWindowHandle + wgpu::rwh::HasDisplayHandle + Clone> Window for W {}

pub(super) struct Software<W> {
    frame: Frame,
    surface: Surface<W, W>,
    /// Of the surface.
    size: Size,
    /// Where the newest frames had changed, newest first; the first is yet to be presented.
    damages: [Vec<Area>; REMEMBERED],
    /// How many frames the surface has had in this size.
    presented: usize,
    /// What the display is told of a frame.
    told: Vec<softbuffer::Rect>,
    /// The glass lost what it showed.
    forgotten: bool,
}

impl<W: Window> Software<W> {
    pub fn open(window: &W, size: Size) -> Result<Self, Fault> {
        let context = Context::new(window.clone()).map_err(|e| lost(&e))?;
        let surface = Surface::new(&context, window.clone()).map_err(|e| lost(&e))?;
        let mut new = Self {
            frame: Frame::default(),
            surface,
            size,
            damages: Default::default(),
            presented: 0,
            told: Vec::new(),
            forgotten: true,
        };
        new.resize(size)?;
        Ok(new)
    }

    fn resize(&mut self, size: Size) -> Result<(), Fault> {
        let (Some(w), Some(h)) = (NonZeroU32::new(size.w), NonZeroU32::new(size.h)) else {
            return Err(Fault::Surface("the window has no size".into()));
        };
        self.surface.resize(w, h).map_err(|e| lost(&e))?;
        (self.size, self.presented, self.forgotten) = (size, 0, true);
        Ok(())
    }

    /// Copies to the display's buffer what it lacks, and presents what changed.
    fn present(&mut self) -> Result<(), Fault> {
        let _stage = trace_span!(target: STAGE, "present").entered();
        self.told.clear();
        self.told.extend(self.damages[0].iter().filter_map(|area| damage_of(*area)));
        self.presented = (self.presented + 1).min(REMEMBERED);
        let mut buffer = self.surface.buffer_mut().map_err(|e| lost(&e))?;
        let age = usize::from(buffer.age());
        let known = (1..=self.presented).contains(&age);
        let missing = if known { age } else { 0 };
        let all = [Area::all(self.size)];
        let everything = all.iter().filter(|_| !known);
        for area in self.damages.iter().take(missing).flatten().chain(everything) {
            for y in area.y..area.y + area.h {
                let row = area.row(y, self.size);
                buffer[row.clone()].copy_from_slice(&self.frame.pixels()[row]);
            }
        }
        buffer.present_with_damage(&self.told).map_err(|e| lost(&e))
    }
}

fn damage_of(area: Area) -> Option<softbuffer::Rect> {
    let (width, height) = (NonZeroU32::new(area.w)?, NonZeroU32::new(area.h)?);
    Some(softbuffer::Rect { x: area.x, y: area.y, width, height })
}

fn lost(error: &SoftBufferError) -> Fault {
    Fault::Surface(error.to_string())
}

impl<W: Window> Canvas for Software<W> {
    fn show(&mut self, scene: &Scene) -> Result<Shown, Fault> {
        if scene.size != self.size {
            self.resize(scene.size)?;
        }
        self.frame.update(scene);
        if !self.forgotten && !self.frame.has_changed() {
            return Ok(Shown::Same);
        }
        self.damages.rotate_right(1);
        self.frame.take_changed(&mut self.damages[0]);
        if std::mem::take(&mut self.forgotten) {
            self.damages[0].clear();
            self.damages[0].push(Area::all(self.size));
        }
        self.present()?;
        Ok(Shown::Frame)
    }

    fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        Ok(self.frame.picture(scene))
    }

    fn forget(&mut self) {
        self.forgotten = true;
    }

    fn raster(&mut self) -> Option<&mut Raster> {
        Some(self.frame.raster())
    }

    fn gpu(&self) -> &str {
        INFO
    }

    fn kind(&self) -> &'static str {
        "software"
    }
}
