//! Text: shaped from the embedded faces only, kept in one bounded cache, drawn through one glyph atlas.
//!
//! Everything is shaped at its true pixel size and placed on whole pixels, so that the atlas holds each glyph few times.
//! The atlas is trimmed once a frame, after all that is drawn in it has been prepared.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use glyphon::cosmic_text::{FeatureTag, FontFeatures, Hinting};
use glyphon::{
    Attrs, Buffer, Cache, Color, ColorMode, ContentType, CustomGlyph, Family, FontSystem, Metrics,
    PrepareError, RasterizedCustomGlyph, Resolution, Shaping, SwashCache, TextArea, TextAtlas, TextBounds,
    TextRenderer, Viewport, Weight, Wrap, fontdb,
};

use super::{Gpu, GpuError};
use crate::scene::font::{self, DIGITS_SPACING_EM};
use crate::scene::{Align, Face, Rect, Size, TextRun};

/// Shaped lines that are kept; a board of 200 counters has about 900.
const SHAPED_MAX: usize = 2048;

/// Letters without a glyph that are told to the log; more say nothing new.
const TOLD_MAX: usize = 256;

/// Rows beyond a box that a smoothed outline may still tint.
const SOFT_EDGE: i32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    text: Arc<str>,
    face: Face,
    /// Bits of the size in pixels.
    size: u32,
}

struct Shaped {
    buffer: Buffer,
    width: f32,
    /// From the buffer's top to its baseline.
    baseline: f32,
    ink: font::Ink,
    used: u64,
}

/// All text state of one device.
pub(super) struct Text {
    fonts: FontSystem,
    swash: SwashCache,
    cache: Cache,
    atlas: TextAtlas,
    format: wgpu::TextureFormat,
    shaped: HashMap<Key, Shaped>,
    frame: u64,
    /// Letters without a glyph that the log has been told about.
    told: BTreeSet<char>,
    /// Holds nothing but the sentinel.
    empty: Buffer,
    sentinel: Sentinel,
}

/// Tells when the atlas grows, which it does not say itself: it then asks anew for every glyph that is not of a font.
/// One such glyph, a see-through pixel, is in use in every frame.
#[derive(Debug, Default)]
struct Sentinel {
    /// The present atlas has it.
    is_in: bool,
    growths: u64,
}

impl Sentinel {
    const GLYPH: CustomGlyph = CustomGlyph {
        id: 0,
        left: 0.0,
        top: 0.0,
        width: 1.0,
        height: 1.0,
        color: Some(Color(0)),
        snap_to_physical_pixel: true,
        metadata: 0,
    };

    fn drawn(&mut self) -> RasterizedCustomGlyph {
        self.growths += u64::from(std::mem::replace(&mut self.is_in, true));
        RasterizedCustomGlyph { data: vec![0], content_type: ContentType::Mask }
    }

    fn area(empty: &Buffer) -> TextArea<'_> {
        TextArea {
            buffer: empty,
            left: 0.0,
            top: 0.0,
            scale: 1.0,
            bounds: TextBounds { left: 0, top: 0, right: 1, bottom: 1 },
            default_color: Color(0),
            custom_glyphs: &[Self::GLYPH],
        }
    }
}

/// A target of a size, with renderers that keep what they have prepared until it is drawn.
pub(super) struct Page {
    viewport: Viewport,
    renderers: Vec<TextRenderer>,
}

/// The embedded faces and nothing else; scanning the system's would take seconds and make pictures differ.
fn font_system() -> FontSystem {
    let mut db = fontdb::Database::new();
    for file in font::FILES {
        db.load_font_source(fontdb::Source::Binary(Arc::new(file)));
    }
    FontSystem::new_with_locale_and_db("vi-VN".to_owned(), db)
}

impl Text {
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat) -> Self {
        let cache = Cache::new(&gpu.device);
        let atlas = atlas(gpu, &cache, format);
        let mut fonts = font_system();
        Self {
            empty: Buffer::new(&mut fonts, Metrics::new(1.0, 1.0)),
            fonts,
            swash: SwashCache::new(),
            cache,
            atlas,
            format,
            shaped: HashMap::new(),
            frame: 0,
            told: BTreeSet::new(),
            sentinel: Sentinel::default(),
        }
    }

    /// How often the atlas has grown.
    pub fn growths(&self) -> u64 {
        self.sentinel.growths
    }

    pub fn page(&self, gpu: &Gpu) -> Page {
        Page { viewport: Viewport::new(&gpu.device, &self.cache), renderers: Vec::new() }
    }

    /// Throws the atlas away; all renderers of all pages must be made again.
    pub fn rebuild(&mut self, gpu: &Gpu) {
        self.atlas = atlas(gpu, &self.cache, self.format);
        self.sentinel.is_in = false;
    }

    /// Shapes and rasterises `runs` for renderer `index` of `page`; `moved` is added to their x.
    pub fn prepare<'a>(
        &mut self,
        gpu: &Gpu,
        page: &mut Page,
        index: usize,
        runs: impl Iterator<Item = &'a TextRun> + Clone,
        moved: f32,
    ) -> Result<(), PrepareError> {
        for run in runs.clone() {
            self.shape(run);
        }
        while page.renderers.len() <= index {
            let state = wgpu::MultisampleState::default();
            page.renderers.push(TextRenderer::new(&mut self.atlas, &gpu.device, state, None));
        }
        let shaped = &self.shaped;
        let areas = runs.filter_map(|run| Some(area(run, shaped.get(&Key::of(run))?, moved)));
        let sentinel = &mut self.sentinel;
        page.renderers[index].prepare_with_custom(
            &gpu.device,
            &gpu.queue,
            &mut self.fonts,
            &mut self.atlas,
            &page.viewport,
            // The first of all, so that it is in the atlas before anything can make that grow.
            std::iter::once(Sentinel::area(&self.empty)).chain(areas),
            &mut self.swash,
            |_| Some(sentinel.drawn()),
        )
    }

    fn shape(&mut self, run: &TextRun) {
        let key = Key::of(run);
        let frame = self.frame;
        if let Some(found) = self.shaped.get_mut(&key) {
            found.used = frame;
            return;
        }
        self.tell_missing(&run.text);
        let buffer = shape(&mut self.fonts, run);
        let (width, baseline) =
            buffer.layout_runs().next().map_or((0.0, 0.0), |line| (line.line_w, line.line_y));
        let ink = font::ink(&run.text, run.face);
        self.shaped.insert(key, Shaped { buffer, width, baseline, ink, used: frame });
    }

    /// Says once of each letter that no face has it; the text may name a citizen and is not for the log.
    fn tell_missing(&mut self, text: &str) {
        for letter in font::missing(text) {
            if self.told.len() < TOLD_MAX && self.told.insert(letter) {
                tracing::warn!(%letter, code = u32::from(letter), "no font has this letter; {} is shown", font::REPLACEMENT);
            }
        }
    }

    pub fn draw(&self, page: &Page, index: usize, pass: &mut wgpu::RenderPass<'_>) -> Result<(), GpuError> {
        if let Some(renderer) = page.renderers.get(index) {
            renderer.render(&self.atlas, &page.viewport, pass)?;
        }
        Ok(())
    }

    /// Marks all glyphs as free to go, and forgets the lines that have not been used for longest.
    pub fn trim(&mut self) {
        self.atlas.trim();
        self.frame += 1;
        if self.shaped.len() > SHAPED_MAX {
            let mut ages: Vec<u64> = self.shaped.values().map(|s| s.used).collect();
            let middle = ages.len() / 2;
            let (_, &mut median, _) = ages.select_nth_unstable(middle);
            self.shaped.retain(|_, s| s.used > median);
        }
    }
}

impl Page {
    pub fn set_size(&mut self, gpu: &Gpu, size: Size) {
        let wanted = Resolution { width: size.w, height: size.h };
        self.viewport.update(&gpu.queue, wanted);
    }

    pub fn forget(&mut self) {
        self.renderers.clear();
    }
}

impl Key {
    fn of(run: &TextRun) -> Self {
        Self { text: Arc::clone(&run.text), face: run.face, size: run.size.to_bits() }
    }
}

fn atlas(gpu: &Gpu, cache: &Cache, format: wgpu::TextureFormat) -> TextAtlas {
    let mode = if format.is_srgb() { ColorMode::Accurate } else { ColorMode::Web };
    TextAtlas::with_color_mode(&gpu.device, &gpu.queue, cache, format, mode)
}

fn shape(fonts: &mut FontSystem, run: &TextRun) -> Buffer {
    // The line height only centres the baseline here; boxes come from the scene.
    let mut buffer = Buffer::new(fonts, Metrics::new(run.size, (run.size * 1.5).ceil()));
    buffer.set_wrap(Wrap::None);
    buffer.set_hinting(Hinting::Disabled);
    let parts = font::parts(&run.text, run.face);
    let spans = parts.iter().map(|part| (&*part.text, attributes(part.face)));
    buffer.set_rich_text(spans, &attributes(run.face), Shaping::Advanced, None);
    buffer.shape_until_scroll(fonts, false);
    buffer
}

fn attributes(face: Face) -> Attrs<'static> {
    match face {
        Face::Words(weight) => Attrs::new().family(Family::Name("Be Vietnam Pro")).weight(Weight(weight)),
        Face::Digits(weight) => {
            let mut features = FontFeatures::new();
            features.enable(FeatureTag::new(b"tnum"));
            Attrs::new()
                .family(Family::Name("Inter"))
                .weight(Weight(weight))
                .letter_spacing(DIGITS_SPACING_EM)
                .font_features(features)
        }
    }
}

/// The scene says where the baseline stands; what sticks out of the box is cut at its edges.
fn area<'a>(run: &TextRun, shaped: &'a Shaped, moved: f32) -> TextArea<'a> {
    let Rect { x, y, w, h } = run.rect;
    let free = w - shaped.width;
    let left = match run.align {
        Align::Start => x,
        Align::Centre => x + free / 2.0,
        Align::End => x + free,
    };
    let baseline = (y + font::baseline(shaped.ink, run.face, run.size, h)).round();
    let [r, g, b, a] = run.colour.0;
    TextArea {
        buffer: &shaped.buffer,
        left: (left + moved).round(),
        top: baseline - shaped.baseline.round(),
        scale: 1.0,
        bounds: TextBounds {
            left: (x + moved).floor() as i32,
            top: y.floor() as i32 - SOFT_EDGE,
            right: (x + moved + w).ceil() as i32,
            bottom: (y + h).ceil() as i32 + SOFT_EDGE,
        },
        default_color: Color::rgba(r, g, b, a),
        custom_glyphs: &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each text is drawn as wide as the layout has measured it, whichever letters are in it.
    #[test]
    fn a_text_is_drawn_as_wide_as_the_layout_measures_it() {
        let texts = [
            "Tầng 2 → phòng 201",
            "quầy ①②③ mở thêm ✓ ★ №",
            "窗口 😀 Thuế",
            "Đăng ký kinh doanh",
            "A012 → 5",
            "⚠\u{fe0f} Quầy Ⅲ",
        ];
        let faces = [500, 600, 700, 800].map(Face::Words).into_iter().chain([700, 800].map(Face::Digits));
        let mut fonts = font_system();
        for face in faces {
            for text in texts {
                let run = TextRun {
                    text: Arc::from(text),
                    rect: Rect::default(),
                    size: 40.0,
                    face,
                    colour: crate::scene::Colour([0; 4]),
                    align: Align::Start,
                };
                let drawn = shape(&mut fonts, &run).layout_runs().next().unwrap().line_w;
                let measured = font::width(text, face, 40.0);
                assert!(
                    (drawn - measured).abs() < 0.5,
                    "{text} in {face:?}: {drawn} px, measured {measured} px"
                );
            }
        }
    }
}
