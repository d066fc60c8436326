//! The picture drawn by the processor, for PCs without a GPU and for screens that nobody sees: a [`Scene`] to pixels in
//! memory, without a driver, a shader or a device that may be lost.
//!
//! It draws what [`crate::gpu::Painter`] draws, from the same lines of text and by the same distances; a test holds the
//! two beside each other for every recorded state of a board.

use glyphon::FontSystem;

use crate::gpu::Picture;
use crate::scene::{Art, Face, Image, Scene, Size, StripContent, TextRun};
use crate::typeset::{Lines, font_system};

mod area;
mod bands;
mod glyphs;
mod ready;
mod shape;
mod target;

pub use area::Area;
use glyphs::Glyphs;
use ready::{Ready, touches, turns};
use target::Target;

/// Pictures in their own size that are kept: a logo in two sizes and a picture that gives way to another, with room for as
/// many again.
const KEPT: usize = 8;

/// Everything that is worth keeping between two pictures.
pub struct Raster {
    fonts: FontSystem,
    lines: Lines,
    glyphs: Glyphs,
    /// The one that was used last is the last one.
    scaled: Vec<Scaled>,
    /// That draw a large part together.
    threads: usize,
}

/// A picture of the hall's own as small as it is shown, with premultiplied alpha.
struct Scaled {
    art: u64,
    picture: Picture,
}

impl Default for Raster {
    fn default() -> Self {
        let (lines, glyphs) = (Lines::default(), Glyphs::new());
        let threads = bands::threads();
        Self { fonts: font_system(), lines, glyphs, scaled: Vec::new(), threads }
    }
}

impl Raster {
    /// Draws parts of a scene into `pixels`, 0x00RRGGBB, row by row of the scene's size; the other pixels stay.
    pub fn draw(&mut self, scene: &Scene, parts: &[Area], pixels: &mut [u32]) {
        for part in parts {
            self.make_ready(scene, *part);
            let ready = self.ready();
            bands::draw(pixels, scene.size, *part, self.threads, |band| ready.scene(band, scene));
        }
        self.lines.trim(scene.lines());
        self.glyphs.trim(pixels.len());
        self.scaled.drain(..self.scaled.len().saturating_sub(KEPT));
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
        self.letters(&content.texts, (0.0, 0.0), Area::all(size));
        self.ready().content(&mut Target::new(&mut pixels, size, Area::all(size)), content, (0.0, 0.0));
        pixels
    }

    /// Shapes, rasterises and scales what a part of the scene needs.
    fn make_ready(&mut self, scene: &Scene, part: Area) {
        for layer in &scene.layers {
            self.letters(&layer.texts, (0.0, 0.0), part);
            for image in layer.images.iter().filter(|image| touches(image.rect, part)) {
                self.scale(image);
            }
        }
        if let Some(strip) = &scene.strip {
            for turn in turns(strip) {
                self.letters(&strip.content.texts, (turn.x, turn.y), part);
            }
        }
    }

    fn letters(&mut self, texts: &[TextRun], moved: (f32, f32), part: Area) {
        for run in texts.iter().filter(|run| touches(run.rect.moved(moved), part)) {
            self.lines.shape(&mut self.fonts, run);
            if let Some(text) = self.lines.area(run, moved) {
                self.glyphs.prepare(&mut self.fonts, &text);
            }
        }
    }

    /// A picture in the size that it is shown in.
    fn scale(&mut self, image: &Image) {
        let (art, size) = (&image.art, size_of(image));
        if size.w == 0 || size.h == 0 || image.opacity <= 0.0 {
            return;
        }
        let found = if let Some(index) = self.scaled.iter().position(|scaled| scaled.is_of(art, size)) {
            self.scaled.remove(index)
        } else {
            let own = Picture { w: art.size().w, h: art.size().h, rgba: art.rgba().to_vec() };
            let picture = if art.size() == size { own } else { own.scaled(size.w, size.h) };
            Scaled { art: art.id(), picture }
        };
        self.scaled.push(found);
    }

    fn ready(&self) -> Ready<'_> {
        Ready { lines: &self.lines, glyphs: &self.glyphs, scaled: &self.scaled }
    }
}

impl Scaled {
    fn is_of(&self, art: &Art, size: Size) -> bool {
        self.art == art.id() && (self.picture.w, self.picture.h) == (size.w, size.h)
    }
}

/// The whole pixels of a picture where it is shown.
fn size_of(image: &Image) -> Size {
    Size { w: image.rect.w as u32, h: image.rect.h as u32 }
}

/// The pixels that [`Raster::draw`] has drawn, as a picture.
pub fn picture(pixels: &[u32], size: Size) -> Picture {
    let rgba = pixels.iter().flat_map(|pixel| {
        let [_, r, g, b] = pixel.to_be_bytes();
        [r, g, b, 255]
    });
    Picture { w: size.w, h: size.h, rgba: rgba.collect() }
}
