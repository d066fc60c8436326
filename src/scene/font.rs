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

/// Height of capitals and figures, in em, of both families (Be Vietnam Pro 0.71, Inter 0.727).
pub const fn cap_em(face: Face) -> f32 {
    match face {
        Face::Words(_) => 0.71,
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
    data: harfrust::ShaperData,
}

static SHAPERS: LazyLock<Vec<Shaper>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|bytes| {
            let font =
                harfrust::FontRef::new(bytes).expect("the embedded fonts are valid, which a test shows");
            Shaper { data: harfrust::ShaperData::new(&font), font }
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
