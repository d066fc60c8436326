//! Letters as masks, rasterised once and kept while they are in use.

use std::collections::HashMap;

use glyphon::cosmic_text::{CacheKey, SwashContent, SwashImage};
use glyphon::{FontSystem, SwashCache, TextArea};

use super::target::{Target, over, share_of};
use crate::scene::Rect;

/// The part of the room for masks that may be filled ahead.
const AHEAD: usize = 2;

pub(super) struct Glyphs {
    swash: SwashCache,
    masks: HashMap<CacheKey, Mask>,
    bytes: usize,
    frame: u64,
    made: u64,
}

struct Mask {
    /// None for what has no ink, as a space.
    image: Option<SwashImage>,
    used: u64,
}

impl Mask {
    /// With its place in the table, which is most of a small letter.
    fn bytes(&self) -> usize {
        self.image.as_ref().map_or(0, |image| image.data.len()) + size_of::<(CacheKey, Self)>()
    }
}

impl Glyphs {
    pub fn new() -> Self {
        Self { swash: SwashCache::new(), masks: HashMap::new(), bytes: 0, frame: 0, made: 0 }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many have been rasterised.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Whether more may be drawn ahead for a picture of so many pixels.
    pub fn has_room(&self, pixels: usize) -> bool {
        self.bytes < pixels / AHEAD
    }

    /// Rasterises the letters of a shaped text, which has to be done before it is drawn.
    pub fn prepare(&mut self, fonts: &mut FontSystem, text: &TextArea<'_>) {
        for line in text.buffer.layout_runs() {
            for glyph in line.glyphs {
                self.rasterise(fonts, glyph.physical((text.left, text.top), text.scale).cache_key);
            }
        }
    }

    /// Draws a shaped text where it stands.
    pub fn draw(&self, target: &mut Target<'_>, text: &TextArea<'_>) {
        let bounds = text.bounds;
        let (left, top) = (bounds.left as f32, bounds.top as f32);
        let (w, h) = ((bounds.right - bounds.left) as f32, (bounds.bottom - bounds.top) as f32);
        let mut target = target.part(Rect { x: left, y: top, w, h });
        for line in text.buffer.layout_runs() {
            for glyph in line.glyphs {
                let at = glyph.physical((text.left, text.top), text.scale);
                let mask = self.masks.get(&at.cache_key);
                debug_assert!(mask.is_some(), "a letter is drawn before it is rasterised");
                let Some(image) = mask.and_then(|mask| mask.image.as_ref()) else { continue };
                let x = at.x + image.placement.left;
                let y = line.line_y.round() as i32 + at.y - image.placement.top;
                blend(&mut target, image, (x, y), text.default_color.0);
            }
        }
    }

    fn rasterise(&mut self, fonts: &mut FontSystem, key: CacheKey) {
        let Self { swash, masks, bytes, frame, made } = self;
        let mask = masks.entry(key).or_insert_with(|| {
            // The embedded fonts have no coloured letters.
            let image = swash.get_image_uncached(fonts, key).filter(|i| i.content == SwashContent::Mask);
            let mask = Mask { image, used: 0 };
            *bytes += mask.bytes();
            *made += 1;
            mask
        });
        mask.used = *frame;
    }

    /// A frame of a picture of so many pixels is done: if the masks have more than a byte for each, those that have not been used
    /// for longest are forgotten, half of them and more. A mask covers pixels of its own where it is drawn, so there is room
    /// for whatever one picture shows.
    pub fn trim(&mut self, pixels: usize) {
        if self.bytes > pixels {
            let mut ages: Vec<u64> = self.masks.values().map(|mask| mask.used).collect();
            let middle = ages.len() / 2;
            let (_, &mut median, _) = ages.select_nth_unstable(middle);
            self.masks.retain(|_, mask| mask.used == self.frame || mask.used > median);
            self.bytes = self.masks.values().map(Mask::bytes).sum();
        }
        self.frame += 1;
    }
}

/// Lays a colour over the pixels that a mask covers. `colour` is 0xAARRGGBB.
fn blend(target: &mut Target<'_>, mask: &SwashImage, (x, y): (i32, i32), colour: u32) {
    let (w, h) = (mask.placement.width, mask.placement.height);
    let area = target.within(Rect { x: x as f32, y: y as f32, w: w as f32, h: h as f32 });
    if area.w == 0 {
        return;
    }
    let (alpha, colour) = (colour >> 24, colour & 0x00FF_FFFF);
    let skipped = (area.x as i32 - x) as usize;
    for row in area.y..area.y + area.h {
        let start = (row as i32 - y) as usize * w as usize + skipped;
        let covered = &mask.data[start..start + area.w as usize];
        for (pixel, covered) in target.row(area.x, area.x + area.w, row).iter_mut().zip(covered) {
            match share_of(u32::from(*covered), alpha) {
                0 => {}
                255 => *pixel = colour,
                alpha => *pixel = over(*pixel, colour, alpha),
            }
        }
    }
}
