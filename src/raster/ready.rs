//! Drawing from what is ready: it changes nothing but pixels, so several threads may draw at once.

use super::glyphs::Glyphs;
use super::target::{Target, alpha_of, over};
use super::{Area, Scaled, shape, size_of};
use crate::gpu::Picture;
use crate::scene::{Art, Image, Layer, Quad, Rect, Scene, Shape, Size, Strip, StripContent, TextRun};
use crate::typeset::Lines;

/// Shaped lines, rasterised letters and pictures in the size that they are shown in: all that a scene needs.
#[derive(Copy, Clone)]
pub(super) struct Ready<'r> {
    pub lines: &'r Lines,
    pub glyphs: &'r Glyphs,
    pub scaled: &'r [Scaled],
}

impl<'r> Ready<'r> {
    /// Draws the part of a scene that the target may change.
    pub fn scene(self, target: &mut Target<'_>, scene: &Scene) {
        target.fill(scene.background);
        for (index, layer) in scene.layers.iter().enumerate() {
            self.layer(target, layer);
            if let Some(strip) = scene.strip.as_ref().filter(|_| index == 0) {
                self.strip(target, strip);
            }
        }
    }

    fn layer(self, target: &mut Target<'_>, layer: &Layer) {
        let clip = target.clip();
        quads(target, &layer.quads, (0.0, 0.0));
        for image in layer.images.iter().filter(|image| touches(image.rect, clip)) {
            self.image(target, image);
        }
        self.texts(target, &layer.texts, (0.0, 0.0));
    }

    fn texts(self, target: &mut Target<'_>, texts: &[TextRun], moved: (f32, f32)) {
        let clip = target.clip();
        for run in texts.iter().filter(|run| touches(run.rect.moved(moved), clip)) {
            if let Some(text) = self.lines.area(run, moved) {
                self.glyphs.draw(target, &text);
            }
        }
    }

    fn strip(self, target: &mut Target<'_>, strip: &Strip) {
        let mut target = target.part(strip.rect);
        if target.clip().w == 0 {
            return;
        }
        for turn in turns(strip) {
            let mut target = target.part(turn);
            if target.clip().w > 0 {
                self.content(&mut target, &strip.content, (turn.x, turn.y));
            }
        }
    }

    /// The moving line once, from `at` on.
    pub fn content(self, target: &mut Target<'_>, content: &StripContent, at: (f32, f32)) {
        target.fill(content.background);
        quads(target, &content.quads, at);
        self.texts(target, &content.texts, at);
    }

    fn image(self, target: &mut Target<'_>, image: &Image) {
        let Rect { x, y, .. } = image.rect;
        let size = size_of(image);
        let Some(picture) = self.picture(&image.art, size) else { return };
        let area = target.within(Rect { w: size.w as f32, h: size.h as f32, ..image.rect });
        for row in area.y..area.y + area.h {
            let line = (f64::from(row) - f64::from(y)).max(0.0) as usize * size.w as usize;
            for (pixel, column) in target.row(area.x, area.x + area.w, row).iter_mut().zip(area.x..) {
                let at = line + (f64::from(column) - f64::from(x)).max(0.0) as usize;
                let Some(&[r, g, b, a]) = picture.rgba.as_chunks().0.get(at) else { continue };
                let shown = image.opacity * shape::corner_coverage(column, row, image.rect, image.radius);
                let alpha = alpha_of(f32::from(a) / 255.0 * shown);
                // Straight again: the share of the picture in the pixel is its alpha, and not its colours'.
                let straight = |c: u8| (f32::from(c) * 255.0 / f32::from(a.max(1))).min(255.0).round() as u8;
                let colour = u32::from_be_bytes([0, straight(r), straight(g), straight(b)]);
                *pixel = over(*pixel, colour, alpha);
            }
        }
    }

    fn picture(self, art: &Art, size: Size) -> Option<&'r Picture> {
        self.scaled.iter().find(|scaled| scaled.is_of(art, size)).map(|scaled| &scaled.picture)
    }
}

/// Where the moving line begins anew, as often as it fits into its place.
pub(super) fn turns(strip: &Strip) -> impl Iterator<Item = Rect> {
    let Rect { x, y, w, h } = strip.rect;
    let length = strip.content.length.max(1);
    let first = -f64::from(strip.offset % length);
    let starts = (0..).map(move |turn| first + f64::from(turn) * f64::from(length));
    starts.take_while(move |start| *start < f64::from(w)).map(move |start| Rect {
        x: x.round() + start as f32,
        y: y.round(),
        w: length as f32,
        h,
    })
}

/// The boxes, and the icons that stand on them.
fn quads(target: &mut Target<'_>, quads: &[Quad], moved: (f32, f32)) {
    let clip = target.clip();
    for boxes in [true, false] {
        for quad in quads.iter().filter(|quad| (quad.shape == Shape::Box) == boxes) {
            let rect = quad.rect.moved(moved);
            if touches(rect, clip) {
                shape::draw(target, &Quad { rect, ..*quad });
            }
        }
    }
}

/// A soft edge reaches one pixel beyond its rectangle.
pub(super) fn touches(rect: Rect, clip: Area) -> bool {
    let (left, top) = (clip.x as f32, clip.y as f32);
    let (right, bottom) = (left + clip.w as f32, top + clip.h as f32);
    rect.x - 1.0 < right
        && rect.x + rect.w + 1.0 > left
        && rect.y - 1.0 < bottom
        && rect.y + rect.h + 1.0 > top
}
