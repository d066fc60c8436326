//! The embedded faces, and how wide and high a text in them is. Pure: the same shaping rules as the painter's, no state.

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

/// Width of one line in em.
fn width_em(text: &str, face: Face) -> f32 {
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
    let outlines = &SHAPERS[face_index(face)].outlines;
    let em = f32::from(outlines.units_per_em());
    let boxes = text.chars().filter_map(|c| outlines.glyph_bounding_box(outlines.glyph_index(c)?));
    boxes.fold(Ink { above: cap_em(face), below: 0.0 }, |ink, b| Ink {
        above: ink.above.max(f32::from(b.y_max) / em),
        below: ink.below.max(f32::from(-b.y_min) / em),
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
