//! The picture drawn by the processor, for PCs without a GPU and for screens that nobody sees: a [`Scene`] to pixels in
//! memory, without a driver, a shader or a device that may be lost.
//!
//! It draws what [`crate::gpu::Painter`] draws, from the same lines of text and by the same distances; a test holds the
//! two beside each other for every recorded state of a board.

use std::sync::Arc;

use glyphon::FontSystem;

use crate::gpu::Picture;
use crate::scene::{Art, Face, Image, Layer, Quad, Rect, Scene, Shape, Size, Strip, StripContent, TextRun};
use crate::typeset::{Lines, font_system};

mod area;
mod glyphs;
mod shape;
mod target;

pub use area::Area;
use glyphs::Glyphs;
use target::{Target, alpha_of, over};

/// Pictures in their own size that are kept: a logo in two sizes and a picture that gives way to another, with room for as
/// many again.
const KEPT: usize = 8;

/// Pixels that pass through all layers before others do, 128 KiB: they stay in the processor's own cache meanwhile, and a large
/// number on its ground costs the memory one way there and back, not one for each layer.
const BAND: u32 = 32 << 10;

/// Everything that is worth keeping between two pictures.
pub struct Raster {
    fonts: FontSystem,
    lines: Lines,
    glyphs: Glyphs,
    /// The one that was used last is the last one.
    scaled: Vec<Scaled>,
}

/// A picture of the hall's own as small as it is shown, with premultiplied alpha.
struct Scaled {
    art: u64,
    picture: Arc<Picture>,
}

impl Default for Raster {
    fn default() -> Self {
        let (lines, glyphs) = (Lines::default(), Glyphs::new());
        Self { fonts: font_system(), lines, glyphs, scaled: Vec::new() }
    }
}

impl Raster {
    /// Draws parts of a scene into `pixels`, 0x00RRGGBB, row by row of the scene's size; the other pixels stay.
    pub fn draw(&mut self, scene: &Scene, parts: &[Area], pixels: &mut [u32]) {
        for band in parts.iter().flat_map(|part| part.bands(BAND)) {
            let mut target = Target::new(pixels, scene.size, band);
            target.fill(scene.background);
            for (index, layer) in scene.layers.iter().enumerate() {
                self.layer(&mut target, layer);
                if let Some(strip) = scene.strip.as_ref().filter(|_| index == 0) {
                    self.strip(&mut target, strip);
                }
            }
        }
        self.lines.trim(scene.lines());
        self.glyphs.trim(pixels.len());
    }

    /// The whole picture.
    pub fn picture(&mut self, scene: &Scene) -> Picture {
        let mut pixels = vec![0; scene.size.w as usize * scene.size.h as usize];
        self.draw(scene, &[Area::all(scene.size)], &mut pixels);
        picture(&pixels, scene.size)
    }

    /// Draws the letters of a text that a picture of `size` may show later, where nobody sees them. False when there is no room
    /// for more.
    pub fn prepare(&mut self, run: &TextRun, size: Size) -> bool {
        if !self.glyphs.has_room(size.w as usize * size.h as usize) {
            return false;
        }
        let new = self.lines.shape(&mut self.fonts, run);
        if let Some(text) = self.lines.area(run, (0.0, 0.0)) {
            self.glyphs.prepare(&mut self.fonts, &text);
        }
        // The next number will be another one of the same digits.
        if new && matches!(run.face, Face::Digits(_)) {
            self.lines.forget(run);
        }
        true
    }

    /// How many letters have been rasterised until now, each in a size and at a place between two pixels.
    pub fn letters_made(&self) -> u64 {
        self.glyphs.made()
    }

    /// Bytes of letters that are kept for the next picture.
    pub fn kept_bytes(&self) -> usize {
        self.glyphs.bytes()
    }

    /// The moving line from its beginning to its end, `content.length` pixels wide.
    pub fn line(&mut self, content: &StripContent, height: u32) -> Vec<u32> {
        let size = Size { w: content.length, h: height };
        let mut pixels = vec![0; size.w as usize * size.h as usize];
        self.content(&mut Target::new(&mut pixels, size, Area::all(size)), content, (0.0, 0.0));
        pixels
    }

    fn layer(&mut self, target: &mut Target<'_>, layer: &Layer) {
        let clip = target.clip();
        quads(target, &layer.quads, (0.0, 0.0));
        for image in layer.images.iter().filter(|image| touches(image.rect, clip)) {
            self.image(target, image);
        }
        self.texts(target, &layer.texts, (0.0, 0.0));
    }

    fn texts(&mut self, target: &mut Target<'_>, texts: &[TextRun], (right, down): (f32, f32)) {
        let clip = target.clip();
        for run in texts {
            let rect = Rect { x: run.rect.x + right, y: run.rect.y + down, ..run.rect };
            if !touches(rect, clip) {
                continue;
            }
            self.lines.shape(&mut self.fonts, run);
            if let Some(text) = self.lines.area(run, (right, down)) {
                self.glyphs.draw(&mut self.fonts, target, &text);
            }
        }
    }

    /// The moving line where it has slid to, as often as it fits.
    fn strip(&mut self, target: &mut Target<'_>, strip: &Strip) {
        let mut target = target.part(strip.rect);
        if target.clip().w == 0 {
            return;
        }
        let length = strip.content.length.max(1);
        let first = -f64::from(strip.offset % length);
        let mut x = first;
        while x < f64::from(strip.rect.w) {
            let at = (strip.rect.x.round() + x as f32, strip.rect.y.round());
            let turn = Rect { x: at.0, y: at.1, w: length as f32, h: strip.rect.h };
            let mut turn = target.part(turn);
            if turn.clip().w > 0 {
                self.content(&mut turn, &strip.content, at);
            }
            x += f64::from(length);
        }
    }

    fn content(&mut self, target: &mut Target<'_>, content: &StripContent, at: (f32, f32)) {
        target.fill(content.background);
        quads(target, &content.quads, at);
        self.texts(target, &content.texts, at);
    }

    fn image(&mut self, target: &mut Target<'_>, image: &Image) {
        let Rect { x, y, w, h } = image.rect;
        let size = Size { w: w as u32, h: h as u32 };
        if size.w == 0 || size.h == 0 || image.opacity <= 0.0 {
            return;
        }
        let picture = self.scaled(&image.art, size);
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

    /// The picture in the size that it is shown in.
    fn scaled(&mut self, art: &Art, size: Size) -> Arc<Picture> {
        let is_it = |s: &Scaled| s.art == art.id() && (s.picture.w, s.picture.h) == (size.w, size.h);
        let found = if let Some(index) = self.scaled.iter().position(is_it) {
            self.scaled.remove(index)
        } else {
            let own = Picture { w: art.size().w, h: art.size().h, rgba: art.rgba().to_vec() };
            let picture = if art.size() == size { own } else { own.scaled(size.w, size.h) };
            Scaled { art: art.id(), picture: Arc::new(picture) }
        };
        let picture = Arc::clone(&found.picture);
        self.scaled.push(found);
        if self.scaled.len() > KEPT {
            self.scaled.remove(0);
        }
        picture
    }
}

/// The boxes, and the icons that stand on them.
fn quads(target: &mut Target<'_>, quads: &[Quad], (right, down): (f32, f32)) {
    let clip = target.clip();
    let moved = |quad: &Quad| Rect { x: quad.rect.x + right, y: quad.rect.y + down, ..quad.rect };
    for boxes in [true, false] {
        for quad in quads.iter().filter(|quad| (quad.shape == Shape::Box) == boxes) {
            let rect = moved(quad);
            if touches(rect, clip) {
                shape::draw(target, &Quad { rect, ..*quad });
            }
        }
    }
}

/// The pixels that [`Raster::draw`] has drawn, as a picture.
pub fn picture(pixels: &[u32], size: Size) -> Picture {
    let rgba = pixels.iter().flat_map(|pixel| {
        let [_, r, g, b] = pixel.to_be_bytes();
        [r, g, b, 255]
    });
    Picture { w: size.w, h: size.h, rgba: rgba.collect() }
}

/// A soft edge reaches one pixel beyond its rectangle.
fn touches(rect: Rect, clip: Area) -> bool {
    let (left, top) = (clip.x as f32, clip.y as f32);
    let (right, bottom) = (left + clip.w as f32, top + clip.h as f32);
    rect.x - 1.0 < right
        && rect.x + rect.w + 1.0 > left
        && rect.y - 1.0 < bottom
        && rect.y + rect.h + 1.0 > top
}
