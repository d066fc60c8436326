//! The embedded faces, and how wide and high a text in them is. Pure: the same shaping rules as the painter's, and no
//! state but widths that are remembered.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::Face;

/// The font files, in the order of [`face_index`].
pub const FILES: [&[u8]; 6] = [
    include_bytes!("../../fonts/BeVietnamPro_500Medium.ttf"),
    include_bytes!("../../fonts/BeVietnamPro_600SemiBold.ttf"),
    include_bytes!("../../fonts/BeVietnamPro_700Bold.ttf"),
    include_bytes!("../../fonts/BeVietnamPro_800ExtraBold.ttf"),
    include_bytes!("../../fonts/Inter_700Bold.ttf"),
    include_bytes!("../../fonts/Inter_800ExtraBold.ttf"),
];

/// Letter spacing of numbers, in em: large figures look loose without it.
pub const DIGITS_SPACING_EM: f32 = -0.015;

/// Height of capitals and figures, in em, of both families.
pub const fn cap_em(face: Face) -> f32 {
    match face {
        Face::Words(_) => 0.74,
        Face::Digits(_) => 0.727,
    }
}

const fn face_index(face: Face) -> usize {
    match face {
        Face::Words(..550) => 0,
        Face::Words(550..650) => 1,
        Face::Words(650..750) => 2,
        Face::Words(_) => 3,
        Face::Digits(..750) => 4,
        Face::Digits(_) => 5,
    }
}

struct Shaper {
    font: harfrust::FontRef<'static>,
    outlines: ttf_parser::Face<'static>,
    data: harfrust::ShaperData,
}

static SHAPERS: LazyLock<Vec<Shaper>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|bytes| {
            let font =
                harfrust::FontRef::new(bytes).expect("the embedded fonts are valid, which a test shows");
            let outlines = ttf_parser::Face::parse(bytes, 0).expect("the embedded fonts are valid");
            Shaper { data: harfrust::ShaperData::new(&font), font, outlines }
        })
        .collect()
});

/// Stands for a letter that no face has, so that a citizen sees that something is missing.
pub const REPLACEMENT: char = '□';

/// A stretch of a text that one face draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    pub text: Cow<'a, str>,
    pub face: Face,
}

/// Splits a text by the face that has its letters: its own, else the other family, which has arrows and circled
/// figures. The layout measures by this split and the painter draws by it, so that both see the same width.
pub fn parts(text: &str, face: Face) -> Vec<Part<'_>> {
    if text.chars().all(|letter| has_glyph(letter, face)) {
        return vec![Part { text: text.into(), face }];
    }
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (letter, face) in text.chars().filter(|c| !is_variation_selector(*c)).map(|c| drawn(c, face)) {
        match parts.last_mut().filter(|part| part.face == face) {
            Some(part) => part.text.to_mut().push(letter),
            None => parts.push(Part { text: Cow::Owned(letter.into()), face }),
        }
    }
    parts
}

/// Letters that neither family has, and for which [`REPLACEMENT`] is drawn.
pub fn missing(text: &str) -> impl Iterator<Item = char> {
    let has = |letter| [Face::Words(500), Face::Digits(700)].iter().any(|face| has_glyph(letter, *face));
    text.chars().filter(move |letter| !is_variation_selector(*letter) && !has(*letter))
}

/// What is drawn for a letter, and by which face.
fn drawn(letter: char, face: Face) -> (char, Face) {
    let (Face::Words(weight) | Face::Digits(weight)) = face;
    // Inter comes in bold weights only; the lighter of them is nearest to a lighter text.
    let inter = Face::Digits(if weight < 750 { 700 } else { 800 });
    let other = match face {
        Face::Words(_) => inter,
        Face::Digits(weight) => Face::Words(weight),
    };
    match [face, other].into_iter().find(|face| has_glyph(letter, *face)) {
        Some(face) => (letter, face),
        None => (REPLACEMENT, inter),
    }
}

/// Says how the letter before it looks and has no ink of its own.
fn is_variation_selector(letter: char) -> bool {
    matches!(letter, '\u{fe00}'..='\u{fe0f}')
}

/// Texts of a face whose widths are remembered; a board of 200 counters with its notices has some 1500.
const REMEMBERED: usize = 4096;

thread_local! {
    /// A board measures the same hundred texts at every call, and shaping them is most of what a scene costs.
    static WIDTHS: RefCell<HashMap<Face, HashMap<Box<str>, f32>>> = RefCell::default();
}

/// Width of one line in em.
fn width_em(text: &str, face: Face) -> f32 {
    WIDTHS.with_borrow_mut(|widths| {
        let widths = widths.entry(face).or_default();
        if let Some(width) = widths.get(text) {
            return *width;
        }
        let width = parts(text, face).iter().map(|part| part_width_em(&part.text, part.face)).sum();
        if widths.len() >= REMEMBERED {
            widths.clear();
        }
        widths.insert(text.into(), width);
        width
    })
}

fn part_width_em(text: &str, face: Face) -> f32 {
    let entry = &SHAPERS[face_index(face)];
    let shaper = entry.data.shaper(&entry.font).build();
    let mut buffer = harfrust::UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    let tabular = [harfrust::Feature::new(harfrust::Tag::new(b"tnum"), 1, ..)];
    let (features, spacing) = match face {
        Face::Words(_) => (&tabular[..0], 0.0),
        Face::Digits(_) => (&tabular[..], DIGITS_SPACING_EM),
    };
    let glyphs = shaper.shape(buffer, features);
    let advance: i32 = glyphs.glyph_positions().iter().map(|p| p.x_advance).sum();
    advance as f32 / shaper.units_per_em() as f32 + spacing * glyphs.len() as f32
}

/// Width in pixels of one line of `text` at `size`.
pub fn width(text: &str, face: Face, size: f32) -> f32 {
    width_em(text, face) * size
}

/// How far the ink of a text reaches above and below its baseline, in em.
///
/// `Ẳ` reaches 1.23 em up and `ạ` 0.25 em down: together more than the 1.2 em that most programs give a line.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Ink {
    pub above: f32,
    pub below: f32,
}

pub fn ink(text: &str, face: Face) -> Ink {
    let parts = parts(text, face);
    let letters = parts.iter().flat_map(|part| part.text.chars().map(|letter| (letter, part.face)));
    letters.fold(Ink { above: cap_em(face), below: 0.0 }, |ink, (letter, face)| {
        let outlines = &SHAPERS[face_index(face)].outlines;
        let em = f32::from(outlines.units_per_em());
        let glyph = outlines.glyph_index(letter).and_then(|glyph| outlines.glyph_bounding_box(glyph));
        glyph.map_or(ink, |b| Ink {
            above: ink.above.max(f32::from(b.y_max) / em),
            below: ink.below.max(f32::from(-b.y_min) / em),
        })
    })
}

/// Where the baseline of a text stands in a box `height` high: capitals in the middle, unless marks need the room.
pub fn baseline(ink: Ink, face: Face, size: f32, height: f32) -> f32 {
    let middle = f32::midpoint(height, cap_em(face) * size).round();
    let lowest = (height - ink.below * size).floor();
    let highest = (ink.above * size).ceil();
    middle.min(lowest).max(highest)
}

/// Whether the face itself has a glyph for `letter`.
pub fn has_glyph(letter: char, face: Face) -> bool {
    SHAPERS[face_index(face)].outlines.glyph_index(letter).is_some()
}

/// What the capitals of a large number take of their room at most.
const CAP_SHARE: f32 = 0.92;

/// The height that a large number takes, in em: its capitals with some air, and in any case all of its ink, as with the
/// tail of a Q.
pub fn number_em(number: &str) -> f32 {
    let face = Face::Digits(800);
    let ink = ink(number, face);
    (cap_em(face) / CAP_SHARE).max(ink.above + ink.below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, face: Face) -> Vec<(String, Face)> {
        parts(text, face).into_iter().map(|part| (part.text.into_owned(), part.face)).collect()
    }

    #[test]
    fn letters_that_the_face_lacks_are_taken_from_the_other_family() {
        let own = |text: &str| (text.to_owned(), Face::Words(500));
        let inter = |text: &str| (text.to_owned(), Face::Digits(700));
        assert_eq!(split("Tầng 2", Face::Words(500)), [own("Tầng 2")]);
        assert_eq!(split("Tầng 2 → 201", Face::Words(500)), [own("Tầng 2 "), inter("→"), own(" 201")]);
        assert_eq!(missing("Tầng 2 → phòng ①②③ ✓ № ⚠\u{fe0f}").count(), 0);
    }

    #[test]
    fn a_letter_that_no_face_has_is_replaced_by_a_sign_that_is_seen() {
        let shown: String =
            split("窗口 😀 Thuế", Face::Words(500)).into_iter().map(|(text, _)| text).collect();
        assert_eq!(shown, "□□ □ Thuế");
        assert_eq!(missing("窗口 😀 Thuế").collect::<String>(), "窗口😀");
        for face in [Face::Digits(700), Face::Digits(800)] {
            assert!(has_glyph(REPLACEMENT, face));
        }
    }
}
