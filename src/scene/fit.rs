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

/// As [`line`], but what is cut goes at the beginning: the end of a counter's name tells it from the next one.
pub fn line_with_its_end(text: &str, face: Face, size: f32, floor: f32, room: f32) -> Fitted {
    let fitted = line(text, face, size, floor, room);
    if *fitted.text == *text {
        return fitted;
    }
    let starts: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
    let with_mark = |start: usize| format!("{ELLIPSIS}{}", text[start..].trim_start());
    let first = starts.partition_point(|&s| font::width(&with_mark(s), face, fitted.size) > room);
    let text = starts.get(first).map_or(String::new(), |&start| with_mark(start));
    let width = font::width(&text, face, fitted.size);
    Fitted { text: text.into(), size: fitted.size, width }
}

/// At most `most` lines, at `size` or else smaller down to `floor`; what is left over then stands at the end of the
/// last line, where fitting it cuts it with an ellipsis.
pub fn block(text: &str, face: Face, size: f32, floor: f32, room: f32, most: usize) -> (Vec<String>, f32) {
    let mut size = size.floor().max(1.0);
    loop {
        let lines = lines(text, face, size, room);
        let fits = lines.len() <= most && lines.iter().all(|line| font::width(line, face, size) <= room);
        if fits || size - 1.0 < floor {
            return (first(lines, most), size);
        }
        size -= 1.0;
    }
}

/// The first lines, with the rest at the end of the last of them.
pub fn first(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most && most > 0 {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(rest);
    }
    lines
}

/// How much of what fits must be whole words, so that the beginning of another is left out: three fifths.
const WHOLE_WORDS: [usize; 2] = [3, 5];

/// The longest beginning of `text` that fits with an ellipsis, up to the end of a word where that is not far; nothing
/// when not even that fits.
fn cut(text: &str, face: Face, size: f32, room: f32) -> String {
    let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
    let with_mark = |end: usize| format!("{}{ELLIPSIS}", text[..end].trim_end_matches([' ', '·', ',']));
    let fits = ends.partition_point(|&end| font::width(&with_mark(end), face, size) <= room);
    let Some(end) = fits.checked_sub(1).map(|last| ends[last]) else { return String::new() };
    let in_a_word = !text[end..].starts_with(char::is_whitespace);
    let word = text[..end].rfind(char::is_whitespace).filter(|_| in_a_word);
    let [share, of] = WHOLE_WORDS;
    with_mark(word.filter(|word| word * of >= end * share).unwrap_or(end))
}

/// Breaks `text` into as few lines as fit into `room`: each sentence apart when that takes at most one line more, and
/// at spaces into lines of about equal length, so that no word is left alone.
pub fn lines(text: &str, face: Face, size: f32, room: f32) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let widths: Vec<f32> = words.iter().map(|w| font::width(w, face, size)).collect();
    let space = font::width("n n", face, size) - font::width("nn", face, size);
    let count = broken(&words, &widths, space, room).len();
    let sentences: Vec<&str> = text.split_inclusive(". ").collect();
    if sentences.len() > 1 {
        let apart: Vec<String> = sentences.iter().flat_map(|s| lines(s, face, size, room)).collect();
        if apart.len() <= count + 1 {
            return apart;
        }
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
    fn a_text_is_cut_after_a_word_unless_that_leaves_little() {
        let cut = |text: &str, share: f32| {
            let room = font::width(text, WORDS, 24.0) * share;
            line(text, WORDS, 24.0, 24.0, room).text.to_string()
        };
        assert_eq!(cut("Đăng ký biện pháp bảo đảm", 0.8), "Đăng ký biện pháp…");
        assert_eq!(cut("Hộ tịchquốctịchchứngthực", 0.7).chars().take(8).collect::<String>(), "Hộ tịchq");
        assert!(cut("ĐăngKýBiệnPhápBảoĐảm", 0.5).chars().count() > 6);
    }

    #[test]
    fn a_text_with_no_room_at_all_is_empty() {
        assert_eq!(&*line("A012", Face::Digits(800), 80.0, 40.0, 3.0).text, "");
    }

    #[test]
    fn a_name_that_is_cut_keeps_its_end() {
        let text = "Phòng tiếp công dân tầng 2";
        let whole = font::width(text, WORDS, 24.0);
        let cut = line_with_its_end(text, WORDS, 24.0, 20.0, whole * 0.5);
        assert!(cut.text.starts_with('…') && cut.text.ends_with("tầng 2"), "{cut:?}");
        assert!(cut.width <= whole * 0.5 && cut.width > whole * 0.4, "{cut:?}");
        assert_eq!(&*line_with_its_end(text, WORDS, 24.0, 20.0, whole).text, text);
        assert_eq!(&*line_with_its_end(text, WORDS, 24.0, 20.0, 2.0).text, "");
    }

    #[test]
    fn a_block_shrinks_to_its_lines_and_keeps_what_is_left_over_in_the_last_one() {
        let text = "Trung tâm Phục vụ hành chính công thành phố, Chi nhánh số 3, Điểm tiếp nhận Đống Đa";
        let width = font::width(text, WORDS, 30.0);
        let (two, size) = block(text, WORDS, 30.0, 20.0, width * 0.45, 2);
        assert!(two.len() == 2 && size < 30.0, "{two:?} at {size}");
        let (cut, size) = block(text, WORDS, 30.0, 28.0, width * 0.2, 2);
        assert_eq!((cut.len(), cut.join(" ")), (2, text.to_owned()), "at {size}");
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
