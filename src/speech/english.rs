//! English, said after the Vietnamese where a hall wants it: names of numbers, digits, letters, lanes and places.

use crate::board::call::Lane;

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// The names of A to Z, in order: the letters themselves.
const LETTERS: &str = "a b c d e f g h i j k l m n o p q r s t u v w x y z";

pub(super) const SHORT: &str = "{chime} Number {ticket}, {counter_noun} {counter}.";
pub(super) const LOOK_AT_THE_BOARD: &str = "please look at the board";

pub(super) fn digit(digit: u32) -> &'static str {
    DIGITS[digit as usize]
}

/// The name of an upper-case letter; Đ is not D.
pub(super) fn letter(letter: char) -> Option<&'static str> {
    if letter == 'Đ' {
        return Some("d bar");
    }
    let place = u32::from(letter).checked_sub(u32::from('A'))?;
    LETTERS.split(' ').nth(place as usize)
}

/// Reads 0 to 999 999 with "and" before the last two digits: one thousand and five, one hundred and twenty-one.
pub(super) fn read_number(n: u32) -> String {
    let (thousands, rest) = (n / 1000, n % 1000);
    let mut words = Vec::new();
    if thousands > 0 {
        words.push(format!("{} thousand", below_thousand(thousands)));
    }
    if rest > 0 && rest < 100 && thousands > 0 {
        words.push(format!("and {}", below_hundred(rest)));
    } else if rest > 0 || thousands == 0 {
        words.push(below_thousand(rest));
    }
    words.join(" ")
}

fn below_thousand(n: u32) -> String {
    match (n / 100, n % 100) {
        (0, rest) => below_hundred(rest),
        (hundreds, 0) => format!("{} hundred", digit(hundreds)),
        (hundreds, rest) => format!("{} hundred and {}", digit(hundreds), below_hundred(rest)),
    }
}

fn below_hundred(n: u32) -> String {
    match (n / 10, n % 10) {
        (0, unit) => digit(unit).to_owned(),
        (1, unit) => TEENS[unit as usize].to_owned(),
        (tens, 0) => TENS[tens as usize - 2].to_owned(),
        (tens, unit) => format!("{}-{}", TENS[tens as usize - 2], digit(unit)),
    }
}

/// The lane, lower case, as spoken; none for [`Lane::Regular`].
pub(super) fn lane(lane: Lane) -> Option<&'static str> {
    match lane {
        Lane::Regular => None,
        Lane::Booked => Some("booked appointment"),
        Lane::Owner => Some("owner"),
        Lane::Authorised => Some("authorised person"),
        Lane::Elderly => Some("senior citizen"),
        Lane::Merit => Some("person of merit"),
        Lane::Disabled => Some("person with a disability"),
        Lane::Pregnant => Some("expectant mother"),
        Lane::Child => Some("child"),
    }
}

/// What a place is called, from its Vietnamese noun; any other is a counter.
pub(super) fn noun(vietnamese: &str) -> &'static str {
    let lower = super::sentence::spoken(vietnamese);
    match lower.split(' ').next() {
        Some("phòng") => "room",
        Some("bàn") => "desk",
        Some("cửa") => "window",
        _ => "counter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_and() {
        for (n, text) in [
            (0, "zero"),
            (5, "five"),
            (15, "fifteen"),
            (21, "twenty-one"),
            (100, "one hundred"),
            (105, "one hundred and five"),
            (1000, "one thousand"),
            (1005, "one thousand and five"),
            (1105, "one thousand one hundred and five"),
            (21_030, "twenty-one thousand and thirty"),
        ] {
            assert_eq!(read_number(n), text);
        }
    }

    #[test]
    fn letters_keep_their_stroke() {
        assert_eq!(
            (letter('A'), letter('Z'), letter('Đ'), letter('Ă')),
            (Some("a"), Some("z"), Some("d bar"), None)
        );
    }

    #[test]
    fn places_have_their_noun() {
        assert_eq!(
            (noun("Phòng"), noun("Cửa số"), noun("Quầy"), noun("Chỗ")),
            ("room", "window", "counter", "counter")
        );
    }
}
