//! The names of numbers, digits and letters. Never guesses: what has no name returns none.

use super::{Accent, english};

const DIGITS: [&str; 10] = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"];

/// Largest number that is read as a number.
pub const MAX_NUMBER: u32 = 999_999;

/// The plain name of a decimal digit, as in a code: never mốt, tư or lăm.
pub fn digit(digit: char, accent: Accent) -> Option<&'static str> {
    let digit = digit.to_digit(10)?;
    Some(match accent {
        Accent::North | Accent::South => DIGITS[digit as usize],
        Accent::English => english::digit(digit),
    })
}

/// Reads 0 to [`MAX_NUMBER`]; a larger number is read digit by digit, so that it is never wrong.
pub fn read_number(n: u32, accent: Accent) -> String {
    if n > MAX_NUMBER {
        let digits: Vec<_> = n.to_string().chars().filter_map(|c| digit(c, accent)).collect();
        return digits.join(" ");
    }
    if accent == Accent::English {
        return english::read_number(n);
    }
    let mut words = Vec::new();
    let (thousands, rest) = (n / 1000, n % 1000);
    if thousands > 0 {
        group(thousands, accent, &mut words);
        words.push(by(accent, "nghìn", "ngàn"));
    }
    if thousands > 0 && (1..100).contains(&rest) {
        words.extend([DIGITS[0], "trăm"]);
        below_hundred(rest, accent, true, &mut words);
    } else if rest > 0 || thousands == 0 {
        group(rest, accent, &mut words);
    }
    words.join(" ")
}

fn by(accent: Accent, north: &'static str, south: &'static str) -> &'static str {
    match accent {
        Accent::South => south,
        Accent::North | Accent::English => north,
    }
}

/// 0 to 999.
fn group(n: u32, accent: Accent, words: &mut Vec<&'static str>) {
    let (hundreds, rest) = (n / 100, n % 100);
    if hundreds > 0 {
        words.extend([DIGITS[hundreds as usize], "trăm"]);
    }
    if rest > 0 || hundreds == 0 {
        below_hundred(rest, accent, hundreds > 0, words);
    }
}

/// 0 to 99; `after_hundreds` puts linh or lẻ before a single digit.
fn below_hundred(n: u32, accent: Accent, after_hundreds: bool, words: &mut Vec<&'static str>) {
    let (tens, unit) = (n / 10, (n % 10) as usize);
    match tens {
        0 => {
            if after_hundreds {
                words.push(by(accent, "linh", "lẻ"));
            }
            words.push(DIGITS[unit]);
            return;
        }
        1 => words.push("mười"),
        _ => words.extend([DIGITS[tens as usize], "mươi"]),
    }
    match unit {
        0 => {}
        1 if tens > 1 => words.push("mốt"),
        4 if tens > 1 => words.push(by(accent, "tư", "bốn")),
        5 => words.push("lăm"),
        _ => words.push(DIGITS[unit]),
    }
}

/// The name of a letter of a code; lower case is read as upper. D and Đ have different names.
pub fn letter(letter: char, accent: Accent) -> Option<&'static str> {
    if accent == Accent::English {
        return english::letter(upper(letter));
    }
    Some(match upper(letter) {
        'A' => "a",
        'B' => "bê",
        'C' => "xê",
        'D' => "dê",
        'Đ' => "đê",
        'E' => "e",
        'F' => "ép",
        'G' => "giê",
        'H' => "hát",
        'I' => "i",
        'J' => "gi",
        'K' => "ca",
        'L' => "e-lờ",
        'M' => "em-mờ",
        'N' => "en-nờ",
        'O' => "o",
        'P' => "pê",
        'Q' => "quy",
        'R' => "e-rờ",
        'S' => "ét-sì",
        'T' => "tê",
        'U' => "u",
        'V' => "vê",
        'W' => "vê-kép",
        'X' => "ích-xì",
        'Y' => "i-dài",
        'Z' => "dét",
        _ => return None,
    })
}

/// The upper case of a letter that has one of a single character.
pub fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Letters whose names differ in one soft consonant.
const ALIKE: [&str; 2] = ["BPTVDĐ", "MN"];

/// Whether two series are easily taken for each other when they are read aloud: of one length, and different only in
/// letters that sound alike.
pub fn sound_alike(one: &str, other: &str) -> bool {
    let alike = |(a, b): (char, char)| a == b || ALIKE.iter().any(|set| set.contains(a) && set.contains(b));
    let (one, other): (Vec<char>, Vec<char>) =
        (one.chars().map(upper).collect(), other.chars().map(upper).collect());
    one != other && one.len() == other.len() && one.into_iter().zip(other).all(alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_keep_their_own_rules() {
        assert_eq!(read_number(21_004, Accent::North), "hai mươi mốt nghìn không trăm linh bốn");
        assert_eq!(read_number(100_100, Accent::South), "một trăm ngàn một trăm");
        assert_eq!(read_number(105_024, Accent::North), "một trăm linh năm nghìn không trăm hai mươi tư");
    }

    #[test]
    fn a_number_past_the_end_is_read_digit_by_digit() {
        assert_eq!(read_number(1_000_005, Accent::North), "một không không không không không năm");
    }

    #[test]
    fn letters_are_read_as_upper_case_and_keep_their_stroke() {
        assert_eq!(letter('đ', Accent::North), Some("đê"));
        assert_eq!(letter('d', Accent::North), Some("dê"));
        assert_eq!(letter('Ă', Accent::North), None);
        assert_eq!(letter('ß', Accent::North), None);
    }

    #[test]
    fn letters_that_sound_alike_are_told() {
        for (one, other) in [("B", "D"), ("Đ", "d"), ("M", "N"), ("AB", "AP")] {
            assert!(sound_alike(one, other), "{one} {other}");
        }
        for (one, other) in [("A", "C"), ("B", "B"), ("B", "M"), ("A", "AB"), ("1", "2")] {
            assert!(!sound_alike(one, other), "{one} {other}");
        }
    }
}
