//! Lines of text, shaped from the embedded faces only and kept in one bounded cache. Both painters, the GPU's and the
//! processor's, draw them from here, so that a letter stands on the same pixel whoever draws it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use glyphon::cosmic_text::{FeatureTag, FontFeatures, Hinting};
use glyphon::{
    Attrs, Buffer, Color, Family, FontSystem, Metrics, Shaping, TextArea, TextBounds, Weight, Wrap, fontdb,
};

use crate::scene::font::{self, DIGITS_SPACING_EM};
use crate::scene::{Align, Face, Rect, TextRun};

/// Shaped lines that are kept beside twice as many as a picture shows: those of the next calls and of pages that come again.
/// One takes about 6 KiB, and each call and each minute of the clock brings new ones.
const SPARE: usize = 256;

/// Letters without a glyph that are told to the log; more say nothing new.
const TOLD_MAX: usize = 256;

/// Rows beyond a box that a smoothed outline may still tint.
const SOFT_EDGE: i32 = 1;

/// The embedded faces and nothing else; scanning the system's would take seconds and make pictures differ.
pub fn font_system() -> FontSystem {
    let mut db = fontdb::Database::new();
    for file in font::FILES {
        db.load_font_source(fontdb::Source::Binary(Arc::new(file)));
    }
    FontSystem::new_with_locale_and_db("vi-VN".to_owned(), db)
}

/// The lines that have been shaped. Everything is shaped at its true pixel size and placed on whole pixels, so that
/// each glyph is rasterised few times.
#[derive(Default)]
pub struct Lines {
    shaped: HashMap<Key, Shaped>,
    frame: u64,
    /// Letters without a glyph that the log has been told about.
    told: BTreeSet<char>,
}

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

impl Lines {
    /// Shapes a line that is not known yet; returns whether it was not.
    pub fn shape(&mut self, fonts: &mut FontSystem, run: &TextRun) -> bool {
        let key = Key::of(run);
        let frame = self.frame;
        if let Some(found) = self.shaped.get_mut(&key) {
            found.used = frame;
            return false;
        }
        self.tell_missing(&run.text);
        let buffer = shape(fonts, run);
        let (width, baseline) =
            buffer.layout_runs().next().map_or((0.0, 0.0), |line| (line.line_w, line.line_y));
        let ink = font::ink(&run.text, run.face);
        self.shaped.insert(key, Shaped { buffer, width, baseline, ink, used: frame });
        true
    }

    /// Forgets a line that will hardly come again.
    pub fn forget(&mut self, run: &TextRun) {
        self.shaped.remove(&Key::of(run));
    }

    /// Where a line that has been shaped stands, moved by whole pixels to the right and down.
    pub fn area(&self, run: &TextRun, (right, down): (f32, f32)) -> Option<TextArea<'_>> {
        let shaped = self.shaped.get(&Key::of(run))?;
        let Rect { x, y, w, h } = run.rect;
        let free = w - shaped.width;
        let left = match run.align {
            Align::Start => x,
            Align::Centre => x + free / 2.0,
            Align::End => x + free,
        };
        // The scene says where the baseline stands; what sticks out of the box is cut at its edges.
        let baseline = (y + font::baseline(shaped.ink, run.face, run.size, h)).round() + down;
        let [r, g, b, a] = run.colour.0;
        Some(TextArea {
            buffer: &shaped.buffer,
            left: (left + right).round(),
            top: baseline - shaped.baseline.round(),
            scale: 1.0,
            bounds: TextBounds {
                left: (x + right).floor() as i32,
                top: (y + down).floor() as i32 - SOFT_EDGE,
                right: (x + right + w).ceil() as i32,
                bottom: (y + down + h).ceil() as i32 + SOFT_EDGE,
            },
            default_color: Color::rgba(r, g, b, a),
            custom_glyphs: &[],
        })
    }

    /// A frame of a picture with so many lines is done: forgets those that have not been used for longest, if there are too many.
    pub fn trim(&mut self, shown: usize) {
        self.frame += 1;
        if self.shaped.len() > 2 * shown + SPARE {
            let mut ages: Vec<u64> = self.shaped.values().map(|s| s.used).collect();
            let middle = ages.len() / 2;
            let (_, &mut median, _) = ages.select_nth_unstable(middle);
            self.shaped.retain(|_, s| s.used > median);
        }
    }

    /// Says once of each letter that no face has it; the text may name a citizen and is not for the log.
    fn tell_missing(&mut self, text: &str) {
        for letter in font::missing(text) {
            if self.told.len() < TOLD_MAX && self.told.insert(letter) {
                tracing::warn!(%letter, code = u32::from(letter), "no font has this letter; {} is shown", font::REPLACEMENT);
            }
        }
    }
}

impl Key {
    fn of(run: &TextRun) -> Self {
        Self { text: Arc::clone(&run.text), face: run.face, size: run.size.to_bits() }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, face: Face) -> TextRun {
        TextRun {
            text: Arc::from(text),
            rect: Rect::default(),
            size: 40.0,
            face,
            colour: crate::scene::Colour([0; 4]),
            align: Align::Start,
        }
    }

    #[test]
    fn what_a_day_brings_anew_is_forgotten_and_what_is_shown_stays() {
        let (mut lines, mut fonts) = (Lines::default(), font_system());
        let (shown, title) = (3, run("Quầy số 4", Face::Words(700)));
        for n in 0..2000 {
            lines.shape(&mut fonts, &title);
            lines.shape(&mut fonts, &run(&format!("A{n:04}"), Face::Digits(800)));
            lines.trim(shown);
            assert!(lines.shaped.len() <= 2 * shown + SPARE && lines.shaped.contains_key(&Key::of(&title)));
        }
    }

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
                let drawn = shape(&mut fonts, &run(text, face)).layout_runs().next().unwrap().line_w;
                let measured = font::width(text, face, 40.0);
                assert!(
                    (drawn - measured).abs() < 0.5,
                    "{text} in {face:?}: {drawn} px, measured {measured} px"
                );
            }
        }
    }
}
