//! Draws a logo that is an SVG, as large as its room. The only file that names resvg.
//!
//! What it cannot draw it refuses: a logo that silently lacks its words would be somebody else's. Nothing but the text
//! of the file itself is read, so an SVG leads to no other file.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::{self, Document, ParsingOptions};
use resvg::usvg::{self, Group, ImageHrefResolver, Node, Options, Tree};
use thiserror::Error;

use crate::gpu::Picture;
use crate::scene::Size;

/// Elements of a file, and of the picture that it describes with all that it repeats; a coat of arms has some thousands.
const ELEMENTS_MAX: u32 = 20_000;
/// Groups in groups. Each may take a picture of its own, 2 MiB for a logo, while it is drawn.
const DEPTH_MAX: usize = 64;

/// Why an SVG cannot be shown.
#[derive(Debug, Error)]
pub enum SvgError {
    #[error("is damaged: {0}")]
    Xml(#[from] roxmltree::Error),
    #[error("is damaged: {0}")]
    Svg(#[from] usvg::Error),
    #[error("has letters as <text>, whose font is not in it: turn them into paths")]
    Text,
    #[error("has a picture in it (<{0}>), which is not drawn: save the logo as PNG")]
    Picture(String),
    #[error("has more than {ELEMENTS_MAX} elements, or more than {DEPTH_MAX} groups in each other")]
    Large,
    #[error("shows nothing")]
    Empty,
}

/// Whether a file may be an SVG, of which XML says little at its beginning.
pub(super) fn is_svg(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        text.starts_with('<') && text.contains("<svg")
    })
}

/// The picture, as large as fits into `room`, with premultiplied alpha.
///
/// # Errors
/// [`SvgError`].
pub(super) fn drawn(bytes: &[u8], room: Size) -> Result<Picture, SvgError> {
    let text = std::str::from_utf8(bytes).map_err(|_| usvg::Error::NotAnUtf8Str)?;
    let bounded =
        ParsingOptions { allow_dtd: true, nodes_limit: 4 * ELEMENTS_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), bounded)?;
    allowed(&document)?;
    let nowhere =
        ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
    let tree =
        Tree::from_xmltree(&document, &Options { image_href_resolver: nowhere, ..Options::default() })?;
    let mut left = ELEMENTS_MAX;
    if !is_small(tree.root(), DEPTH_MAX, &mut left) {
        return Err(SvgError::Large);
    }
    let size = tree.size();
    let share = (room.w as f32 / size.width()).min(room.h as f32 / size.height());
    let side = |side: f32, most: u32| ((side * share).round() as u32).clamp(1, most.max(1));
    let (w, h) = (side(size.width(), room.w), side(size.height(), room.h));
    let mut pixels = Pixmap::new(w, h).ok_or(SvgError::Empty)?;
    resvg::render(&tree, Transform::from_scale(share, share), &mut pixels.as_mut());
    let rgba = pixels.take();
    if rgba.chunks_exact(4).all(|pixel| pixel[3] == 0) {
        Err(SvgError::Empty)
    } else {
        Ok(Picture { w, h, rgba })
    }
}

fn allowed(document: &Document<'_>) -> Result<(), SvgError> {
    let named = document.descendants().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name());
    for name in named {
        match name {
            "text" => return Err(SvgError::Text),
            "image" | "feImage" | "foreignObject" => return Err(SvgError::Picture(name.to_owned())),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a group is no deeper than `depth`, and all in it no more than is `left`.
fn is_small(group: &Group, depth: usize, left: &mut u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    group.children().iter().all(|node| {
        let Some(fewer) = left.checked_sub(1) else { return false };
        *left = fewer;
        match node {
            Node::Group(group) => is_small(group, depth, left),
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Size = Size { w: 200, h: 100 };

    fn svg(inside: &str) -> String {
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10">{inside}</svg>"#)
    }

    fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 4] {
        let at = ((y * picture.w + x) * 4) as usize;
        std::array::from_fn(|channel| picture.rgba[at + channel])
    }

    #[test]
    fn a_logo_is_drawn_as_large_as_its_room_and_not_enlarged_from_its_own_size() {
        let half = svg(
            r##"<rect width="10" height="10" fill="#d92b2b"/><circle cx="15" cy="5" r="5" opacity=".5"/>"##,
        );
        let picture = drawn(half.as_bytes(), ROOM).unwrap();
        assert_eq!((picture.w, picture.h), (200, 100));
        assert_eq!(pixel(&picture, 98, 50), [0xd9, 0x2b, 0x2b, 255]);
        assert_eq!(pixel(&picture, 150, 50), [0, 0, 0, 128], "premultiplied");
        assert_eq!(pixel(&picture, 103, 3), [0; 4], "its edge is a circle of 200 pixels, not of twenty");
        let high = drawn(half.replace("20 10", "10 40").as_bytes(), ROOM).unwrap();
        assert_eq!((high.w, high.h), (25, 100));
    }

    #[test]
    fn a_file_is_an_svg_by_what_is_in_it() {
        let whole =
            format!("\u{feff}<?xml version=\"1.0\"?>\n<!-- phường -->\n{}", svg("<path d='M0 0h9v9z'/>"));
        assert!(is_svg(whole.as_bytes()) && drawn(whole.as_bytes(), ROOM).is_ok());
        for other in [&b"<html></html>"[..], b"svg", b"", &[0xff, 0xfe, b'<', 0], b"say <svg"] {
            assert!(!is_svg(other), "{other:?}");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_with_its_reason() {
        let told = |inside: &str| drawn(svg(inside).as_bytes(), ROOM).unwrap_err().to_string();
        let rect = "<rect width='9' height='9'/>";
        assert!(told(&format!("{rect}<g><text>Phường</text></g>")).contains("turn them into paths"));
        assert!(told(&format!("{rect}<image href='/etc/passwd'/>")).contains("(<image>)"));
        assert_eq!(told(""), "shows nothing");
        assert_eq!(told("<defs><rect width='9' height='9'/></defs>"), "shows nothing");
        let deep = format!("{}{rect}{}", "<g opacity='.9'>".repeat(100), "</g>".repeat(100));
        assert!(told(&deep).contains("groups in each other"), "{}", told(&deep));
        assert!(told(&rect.repeat(20_001)).contains("more than 20000 elements"));
        let broken = drawn(b"<svg><rect</svg>", ROOM).unwrap_err().to_string();
        assert!(broken.starts_with("is damaged: "), "{broken}");
        let sizeless = svg(rect).replace("<svg ", "<svg width='0' height='9' ");
        assert!(matches!(drawn(sizeless.as_bytes(), ROOM), Err(SvgError::Svg(usvg::Error::InvalidSize))));
    }

    /// Ten times ten times ten … rectangles in a few hundred bytes.
    #[test]
    fn what_repeats_itself_without_end_is_refused() {
        let level = |n: u32| format!("<g id='g{}'>{}</g>", n + 1, format!("<use href='#g{n}'/>").repeat(10));
        let levels: String = (0..9).map(level).collect();
        let bomb =
            svg(&format!("<defs><rect id='g0' width='9' height='9'/>{levels}</defs><use href='#g9'/>"));
        let told = drawn(bomb.as_bytes(), ROOM).unwrap_err();
        assert!(matches!(told, SvgError::Large | SvgError::Svg(_)), "{told}");
    }
}
