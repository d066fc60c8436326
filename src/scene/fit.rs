//! Making text fit: smaller to a floor, then cut with an ellipsis; or broken into lines of about equal length.

use std::sync::Arc;

use super::Face;
use super::font;

/// What stands for the text that was cut.
pub const ELLIPSIS: char = '…';

/// A line that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    pub text: Arc<str>,
    /// Font size in whole pixels, so that few sizes occur.
    pub size: f32,
    pub width: f32,
}

/// Fits one line into `room` pixels: at `size`, else smaller down to `floor`, else cut.
pub fn line(text: &str, face: Face, size: f32, floor: f32, room: f32) -> Fitted {
    let size = size.floor().max(1.0);
    let floor = floor.floor().clamp(1.0, size);
    let width = font::width(text, face, size);
    if width <= room {
        return Fitted { text: text.into(), size, width };
    }
    let shrunk = (size * room / width).floor().max(floor);
    let width = font::width(text, face, shrunk);
    if width <= room {
        return Fitted { text: text.into(), size: shrunk, width };
    }
    let text = cut(text, face, shrunk, room);
    let width = font::width(&text, face, shrunk);
    Fitted { text: text.into(), size: shrunk, width }
}

/// The longest beginning of `text` that fits with an ellipsis; nothing when not even that fits.
fn cut(text: &str, face: Face, size: f32, room: f32) -> String {
    let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
    let with_mark = |end: usize| format!("{}{ELLIPSIS}", text[..end].trim_end_matches([' ', '·', ',']));
    let fits = ends.partition_point(|&end| font::width(&with_mark(end), face, size) <= room);
    match fits {
        0 => String::new(),
        n => with_mark(ends[n - 1]),
    }
}

/// Breaks `text` into as few lines as fit into `room`: between sentences when that is enough, else at spaces into lines
/// of about equal length, so that no word is left alone.
pub fn lines(text: &str, face: Face, size: f32, room: f32) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let widths: Vec<f32> = words.iter().map(|w| font::width(w, face, size)).collect();
    let space = font::width("n n", face, size) - font::width("nn", face, size);
    let count = broken(&words, &widths, space, room).len();
    if let Some(sentences) = by_sentences(text, face, size, room).filter(|s| s.len() == count) {
        return sentences;
    }
    // The narrowest measure that still needs no more lines.
    let (mut low, mut high) = (room / 2.0, room);
    while high - low > size / 4.0 {
        let middle = f32::midpoint(low, high);
        if broken(&words, &widths, space, middle).len() <= count {
            high = middle;
        } else {
            low = middle;
        }
    }
    broken(&words, &widths, space, high)
}

/// One sentence a line, when each fits.
fn by_sentences(text: &str, face: Face, size: f32, room: f32) -> Option<Vec<String>> {
    let sentences: Vec<String> = text.split_inclusive(". ").map(|s| s.trim().to_owned()).collect();
    sentences.iter().all(|s| font::width(s, face, size) <= room).then_some(sentences)
}

fn broken(words: &[&str], widths: &[f32], space: f32, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = f32::INFINITY;
    for (word, width) in words.iter().zip(widths) {
        if let Some(line) = lines.last_mut().filter(|_| used + space + width <= room) {
            line.push(' ');
            line.push_str(word);
            used += space + width;
        } else {
            lines.push((*word).to_owned());
            used = *width;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Face = Face::Words(500);

    #[test]
    fn text_that_has_room_keeps_its_size() {
        let fitted = line("Hộ tịch", WORDS, 24.0, 18.0, 400.0);
        assert!(&*fitted.text == "Hộ tịch" && (fitted.size - 24.0).abs() < 0.1, "{fitted:?}");
    }

    #[test]
    fn text_shrinks_to_the_floor_and_is_then_cut_with_an_ellipsis() {
        let text = "Đăng ký biện pháp bảo đảm bằng quyền sử dụng đất";
        let whole = font::width(text, WORDS, 24.0);
        let shrunk = line(text, WORDS, 24.0, 18.0, whole * 0.8);
        assert_eq!(&*shrunk.text, text);
        assert!((shrunk.size - 19.0).abs() < 0.1, "{shrunk:?}");
        let cut = line(text, WORDS, 24.0, 18.0, whole * 0.4);
        assert!((cut.size - 18.0).abs() < 0.1, "{cut:?}");
        assert!(cut.text.ends_with('…') && cut.width <= whole * 0.4, "{cut:?}");
        assert!(text.starts_with(cut.text.trim_end_matches('…')));
        assert!(cut.text.chars().count() > 12, "as much as fits is kept: {cut:?}");
    }

    #[test]
    fn a_text_with_no_room_at_all_is_empty() {
        assert_eq!(&*line("A012", Face::Digits(800), 80.0, 40.0, 3.0).text, "");
    }

    #[test]
    fn lines_are_about_equally_long_and_keep_all_words() {
        let text = "Không cần xếp hàng từ sớm vì mọi công dân đã lấy số đều được giải quyết.";
        let broken = lines(text, WORDS, 46.0, 1600.0);
        assert_eq!(broken.join(" "), text);
        assert_eq!(broken.len(), 2);
        let widths: Vec<f32> = broken.iter().map(|l| font::width(l, WORDS, 46.0)).collect();
        assert!(widths.iter().all(|w| *w <= 1600.0));
        assert!(widths[1] > widths[0] * 0.6, "{widths:?}");
    }

    #[test]
    fn lines_break_between_sentences_when_that_is_enough() {
        let text = "Không cần xếp hàng từ sớm. Mọi công dân đã lấy số đều được giải quyết.";
        let first = &lines(text, WORDS, 46.0, 1600.0)[0];
        assert_eq!(first, "Không cần xếp hàng từ sớm.");
    }
}
