//! A window without a GPU behind it: only the damaged part is drawn off screen, read back, and handed to the display.
//!
//! Presenting whole surfaces from a software renderer costs most of a core at 60 frames a second; this costs a tenth.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use softbuffer::{Context, SoftBufferError, Surface};

use super::headless::{Drawn, whole};
use super::show::{Canvas, Fault, Shown};
use crate::gpu::{Gpu, Picture};
use crate::scene::{Rect, Scene, Size};

/// Frames whose damage is remembered; displays hand out two or three buffers in turn.
const REMEMBERED: usize = 4;

/// What softbuffer needs of a window; `Arc<Window>` has it.
pub(crate) trait Window: wgpu::rwh::HasWindowHandle + wgpu::rwh::HasDisplayHandle + Clone {}
impl<W: wgpu::rwh::HasWindowHandle + wgpu::rwh::HasDisplayHandle + Clone> Window for W {}

pub(super) struct Software<W> {
    drawn: Drawn,
    surface: Surface<W, W>,
    size: Size,
    /// All pixels as the display wants them, for buffers that missed frames.
    frame: Vec<u32>,
    /// Damage of the newest frames, newest first.
    damages: VecDeque<Area>,
    /// The glass lost what it showed.
    forgotten: bool,
}

/// Whole pixels inside the picture.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Area {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

impl<W: Window> Software<W> {
    pub fn open(gpu: Gpu, window: &W, size: Size) -> Result<Self, Fault> {
        let context = Context::new(window.clone()).map_err(|e| lost(&e))?;
        let surface = Surface::new(&context, window.clone()).map_err(|e| lost(&e))?;
        let drawn = Drawn::new(gpu, size)?;
        let none = Size { w: 0, h: 0 };
        let mut new =
            Self { drawn, surface, size: none, frame: Vec::new(), damages: VecDeque::new(), forgotten: true };
        new.resize(size)?;
        Ok(new)
    }

    fn resize(&mut self, size: Size) -> Result<(), Fault> {
        let (Some(w), Some(h)) = (NonZeroU32::new(size.w), NonZeroU32::new(size.h)) else {
            return Err(Fault::Surface("the window has no size".into()));
        };
        self.surface.resize(w, h).map_err(|e| lost(&e))?;
        self.frame = vec![0; size.w as usize * size.h as usize];
        self.damages.clear();
        (self.size, self.forgotten) = (size, true);
        Ok(())
    }

    /// Brings the kept frame up to date and returns where it changed.
    fn read(&mut self, part: Rect) -> Result<Area, Fault> {
        let pixels = self.drawn.read(part)?;
        let area = Area { x: pixels.x, y: pixels.y, w: pixels.w, h: pixels.h };
        let rows = pixels.rgba.chunks_exact(area.w.max(1) as usize * 4);
        for (row, y) in rows.zip(area.y..) {
            let line = &mut self.frame[row_of(area, y, self.size)];
            for (to, from) in line.iter_mut().zip(row.as_chunks::<4>().0) {
                let [r, g, b, _] = *from;
                *to = u32::from_be_bytes([0, r, g, b]);
            }
        }
        Ok(area)
    }

    /// Copies to the display's buffer what it lacks, and presents what changed.
    fn present(&mut self, area: Area) -> Result<(), Fault> {
        self.damages.push_front(area);
        self.damages.truncate(REMEMBERED);
        let mut buffer = self.surface.buffer_mut().map_err(|e| lost(&e))?;
        let all = Area { x: 0, y: 0, w: self.size.w, h: self.size.h };
        let age = usize::from(buffer.age());
        let missing = match age {
            1..=REMEMBERED if age <= self.damages.len() => self.damages.iter().take(age).copied().collect(),
            _ => vec![all],
        };
        for area in missing {
            for y in area.y..area.y + area.h {
                let row = row_of(area, y, self.size);
                buffer[row.clone()].copy_from_slice(&self.frame[row]);
            }
        }
        let (Some(width), Some(height)) = (NonZeroU32::new(area.w), NonZeroU32::new(area.h)) else {
            return Ok(());
        };
        let damage = softbuffer::Rect { x: area.x, y: area.y, width, height };
        buffer.present_with_damage(&[damage]).map_err(|e| lost(&e))
    }
}

/// Where the area's pixels of row `y` lie in a picture of `size`.
fn row_of(area: Area, y: u32, size: Size) -> std::ops::Range<usize> {
    let from = y as usize * size.w as usize + area.x as usize;
    from..from + area.w as usize
}

fn lost(error: &SoftBufferError) -> Fault {
    Fault::Surface(error.to_string())
}

impl<W: Window> Canvas for Software<W> {
    fn show(&mut self, scene: &Scene) -> Result<Shown, Fault> {
        if scene.size != self.size {
            self.resize(scene.size)?;
        }
        let changed = self.drawn.draw(scene)?;
        let part = if self.forgotten { Some(whole(scene.size)) } else { changed };
        let Some(part) = part else { return Ok(Shown::Same) };
        let area = self.read(part)?;
        self.present(area)?;
        self.forgotten = false;
        Ok(Shown::Frame)
    }

    fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        // Drawing it for the picture alone would leave the glass behind what is thought to be on it.
        self.show(scene)?;
        self.drawn.picture(scene)
    }

    fn forget(&mut self) {
        self.forgotten = true;
    }

    fn gpu(&self) -> &str {
        self.drawn.info()
    }

    fn kind(&self) -> &'static str {
        "software"
    }
}
