//! A window without a GPU behind it: only the damaged part is drawn off screen, read back, and handed to the display;
//! the moving line is not drawn at all, but copied from memory.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use softbuffer::{Context, SoftBufferError, Surface};

use super::area::Area;
use super::headless::Drawn;
use super::line::{Line, copy_row};
use super::show::{Canvas, Fault, Shown};
use crate::gpu::{Gpu, Picture};
use crate::scene::{Rect, Scene, Size, TextRun};

/// Frames whose damage is remembered; displays hand out two or three buffers in turn.
const REMEMBERED: usize = 4;

/// What softbuffer needs of a window; `Arc<Window>` has it.
pub(crate) trait Window: wgpu::rwh::HasWindowHandle + wgpu::rwh::HasDisplayHandle + Clone {}
impl<W: wgpu::rwh::HasWindowHandle + wgpu::rwh::HasDisplayHandle + Clone> Window for W {}

pub(super) struct Software<W> {
    drawn: Drawn,
    line: Option<Line>,
    /// How far the line on the glass has moved.
    offset: Option<u32>,
    surface: Surface<W, W>,
    size: Size,
    /// All pixels as the display wants them, for buffers that missed frames.
    frame: Vec<u32>,
    /// Damage of the newest frames, newest first.
    damages: VecDeque<Vec<Area>>,
    /// The glass lost what it showed.
    forgotten: bool,
}

impl<W: Window> Software<W> {
    pub fn open(gpu: Gpu, window: &W, size: Size) -> Result<Self, Fault> {
        let context = Context::new(window.clone()).map_err(|e| lost(&e))?;
        let surface = Surface::new(&context, window.clone()).map_err(|e| lost(&e))?;
        let mut new = Self {
            drawn: Drawn::new(gpu, size)?,
            line: None,
            offset: None,
            surface,
            size,
            frame: Vec::new(),
            damages: VecDeque::new(),
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
        self.frame = vec![0; size.w as usize * size.h as usize];
        self.damages.clear();
        (self.size, self.forgotten) = (size, true);
        Ok(())
    }

    /// Brings the kept frame up to date and returns where it changed.
    fn update(&mut self, scene: &Scene) -> Result<Vec<Area>, Fault> {
        if !self.line.as_ref().is_some_and(|line| line.is_of(scene)) {
            self.line = Line::of(scene, &mut self.drawn)?;
            self.offset = None;
            // Whatever else changed was drawn with the line, and nobody has read it yet.
            self.forgotten |= self.line.is_some();
        }
        let changed = match &self.line {
            // The line is not damage, wherever it is in the picture that it was copied from.
            Some(_) => self.drawn.draw_but_line(scene)?,
            None => self.drawn.draw(scene)?,
        };
        let part = if self.forgotten { Some(scene.size.rect()) } else { changed };
        let read = part.map(|part| self.read(part)).transpose()?;
        let line = self.copy_line(scene, read);
        Ok(read.into_iter().chain(line).filter(|area| area.w > 0 && area.h > 0).collect())
    }

    /// Reads a part of the drawn picture into the frame.
    fn read(&mut self, part: Rect) -> Result<Area, Fault> {
        let pixels = self.drawn.read(part)?;
        let area = Area { x: pixels.x, y: pixels.y, w: pixels.w, h: pixels.h };
        let rows = pixels.rgba.chunks_exact(area.w.max(1) as usize * 4);
        for (row, y) in rows.zip(area.y..) {
            copy_row(&mut self.frame[area.row(y, self.size)], row);
        }
        Ok(area)
    }

    /// Copies the line to where it is now, if it moved or was read over.
    fn copy_line(&mut self, scene: &Scene, read: Option<Area>) -> Option<Area> {
        let (line, strip) = (self.line.as_ref()?, scene.strip.as_ref()?);
        let place = Area::within(strip.rect, scene.size);
        let moved = self.offset != Some(strip.offset);
        if !moved && !read.is_some_and(|read| read.meets(place)) {
            return None;
        }
        self.offset = Some(strip.offset);
        Some(line.copy(strip.offset, &mut self.frame, self.size))
    }

    /// Copies to the display's buffer what it lacks, and presents what changed.
    fn present(&mut self, changed: Vec<Area>) -> Result<(), Fault> {
        let damage: Vec<_> = changed.iter().filter_map(|area| damage_of(*area)).collect();
        self.damages.push_front(changed);
        self.damages.truncate(REMEMBERED);
        let mut buffer = self.surface.buffer_mut().map_err(|e| lost(&e))?;
        let age = usize::from(buffer.age());
        let known = (1..=self.damages.len()).contains(&age);
        let missing = if known { age } else { 0 };
        let all = [Area::all(self.size)];
        let everything = all.iter().filter(|_| !known);
        for area in self.damages.iter().take(missing).flatten().chain(everything) {
            for y in area.y..area.y + area.h {
                let row = area.row(y, self.size);
                buffer[row.clone()].copy_from_slice(&self.frame[row]);
            }
        }
        buffer.present_with_damage(&damage).map_err(|e| lost(&e))
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
        let changed = self.update(scene)?;
        if changed.is_empty() {
            return Ok(Shown::Same);
        }
        self.present(changed)?;
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

    fn warm(&mut self, runs: &[TextRun]) {
        self.drawn.warm(runs);
    }

    fn growths(&self) -> u64 {
        self.drawn.growths()
    }

    fn gpu(&self) -> &str {
        self.drawn.info()
    }

    fn kind(&self) -> &'static str {
        "software"
    }
}
