//! The moving line as pixels in memory: drawn once for each text, then copied a little further left at every step.
//!
//! Nothing of the line is shaped or blended again for a step.

use std::sync::Arc;

use crate::raster::{Area, Raster};
use crate::scene::{Layer, Rect, Scene, Size, Strip, StripContent};

/// Pixels of the longest line that is kept, 16 MiB; a longer one is drawn step by step.
const LONGEST: u64 = 4 << 20;

pub(super) struct Line {
    content: Arc<StripContent>,
    area: Area,
    /// Rows of `content.length` pixels.
    pixels: Vec<u32>,
}

impl Line {
    /// Draws the scene's line from its beginning to its end. None when it must be drawn with the rest: what lies over
    /// it, or a place between pixels, cannot be copied.
    pub fn of(scene: &Scene, raster: &mut Raster) -> Option<Self> {
        let strip = scene.strip.as_ref().filter(|strip| can_be_copied(scene, strip))?;
        let content = Arc::clone(&strip.content);
        let area = Area::within(strip.rect, scene.size);
        let pixels = raster.line(&content, area.h);
        Some(Self { content, area, pixels })
    }

    /// Whether these are the pixels of the scene's line.
    pub fn is_of(&self, scene: &Scene) -> bool {
        scene.strip.as_ref().is_some_and(|strip| {
            (Arc::ptr_eq(&self.content, &strip.content) || self.content == strip.content)
                && self.area == Area::within(strip.rect, scene.size)
                && can_be_copied(scene, strip)
        })
    }

    /// Copies the line, moved by `offset`, to its place in a frame of `size`.
    pub fn copy(&self, offset: u32, frame: &mut [u32], size: Size) -> Area {
        let length = self.content.length as usize;
        let offset = offset as usize % length;
        for (line, y) in self.pixels.chunks_exact(length).zip(self.area.y..) {
            let to = &mut frame[self.area.row(y, size)];
            let (first, rest) = to.split_at_mut((length - offset).min(to.len()));
            first.copy_from_slice(&line[offset..offset + first.len()]);
            for turn in rest.chunks_mut(length) {
                turn.copy_from_slice(&line[..turn.len()]);
            }
        }
        self.area
    }
}

fn can_be_copied(scene: &Scene, strip: &Strip) -> bool {
    let Rect { x, y, w, h } = strip.rect;
    let whole = [x, y, w, h].iter().all(|side| side.fract() == 0.0 && *side >= 0.0);
    let size = u64::from(strip.content.length) * h as u64;
    let over = scene.layers.iter().skip(1).any(|layer| covers(layer, strip.rect));
    whole && !over && size > 0 && size <= LONGEST && Area::within(strip.rect, scene.size).w > 0
}

/// Whether anything of the layer lies on the rectangle.
fn covers(layer: &Layer, rect: Rect) -> bool {
    let touches =
        |r: &Rect| r.x < rect.x + rect.w && r.x + r.w > rect.x && r.y < rect.y + rect.h && r.y + r.h > rect.y;
    let covered = layer.quads.iter().any(|quad| touches(&quad.rect))
        || layer.images.iter().any(|image| touches(&image.rect));
    covered || layer.texts.iter().any(|run| touches(&run.rect))
}
