//! What is said aloud is what is printed on the slip: every number is read back by a reader that shares no code with
//! the speaker, and different tickets sound different.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;

use moiso::board::call::{Counter, Kind, Lane, Series, Ticket};
use moiso::board::input::Form;
use moiso::config::section::Env;
use moiso::config::{Config, SeriesConfig, SeriesMode};
use moiso::speech::Accent;
use moiso::speech::number::{letter, read_number};
use moiso::speech::sentence::{Step, Wording};
use proptest::prelude::*;

const TABLE: [(u32, &str, &str); 17] = [
    (0, "không", "không"),
    (10, "mười", "mười"),
    (15, "mười lăm", "mười lăm"),
    (21, "hai mươi mốt", "hai mươi mốt"),
    (24, "hai mươi tư", "hai mươi bốn"),
    (25, "hai mươi lăm", "hai mươi lăm"),
    (101, "một trăm linh một", "một trăm lẻ một"),
    (105, "một trăm linh năm", "một trăm lẻ năm"),
    (110, "một trăm mười", "một trăm mười"),
    (115, "một trăm mười lăm", "một trăm mười lăm"),
    (1000, "một nghìn", "một ngàn"),
    (1005, "một nghìn không trăm linh năm", "một ngàn không trăm lẻ năm"),
    (1010, "một nghìn không trăm mười", "một ngàn không trăm mười"),
    (1021, "một nghìn không trăm hai mươi mốt", "một ngàn không trăm hai mươi mốt"),
    (2025, "hai nghìn không trăm hai mươi lăm", "hai ngàn không trăm hai mươi lăm"),
    (1001, "một nghìn không trăm linh một", "một ngàn không trăm lẻ một"),
    (9999, "chín nghìn chín trăm chín mươi chín", "chín ngàn chín trăm chín mươi chín"),
];

#[test]
fn the_table_is_read_as_printed() {
    for (n, north, south) in TABLE {
        assert_eq!(read_number(n, Accent::North), north, "{n}");
        assert_eq!(read_number(n, Accent::South), south, "{n}");
    }
}

/// Reads words back to a number the way a listener does: by adding up, left to right. Refuses what nobody says.
mod listener {
    use moiso::speech::Accent;

    fn plain(word: &str) -> Option<u32> {
        let names = "không một hai ba bốn năm sáu bảy tám chín";
        names.split(' ').position(|name| name == word).map(|d| d as u32)
    }

    pub fn hear(text: &str, accent: Accent) -> Option<u32> {
        let thousand = if accent == Accent::North { "nghìn" } else { "ngàn" };
        let words: Vec<&str> = text.split(' ').collect();
        match words.iter().position(|w| *w == thousand) {
            None => group(&words, accent, false),
            Some(at) => {
                let high = group(&words[..at], accent, false).filter(|n| *n > 0)?;
                let rest = &words[at + 1..];
                let low = if rest.is_empty() { 0 } else { group(rest, accent, true).filter(|n| *n > 0)? };
                Some(high * 1000 + low)
            }
        }
    }

    /// After thousands every group must name its hundreds, "không trăm" too; without them nobody says "không trăm".
    fn group(words: &[&str], accent: Accent, after_thousands: bool) -> Option<u32> {
        if words.get(1) == Some(&"trăm") {
            let hundreds = plain(words[0]).filter(|h| *h > 0 || after_thousands)?;
            let low = match &words[2..] {
                [] => 0,
                [link, digit] if *link == if accent == Accent::North { "linh" } else { "lẻ" } => {
                    plain(digit).filter(|d| *d > 0)?
                }
                tens => tail(tens, accent).filter(|n| *n >= 10)?,
            };
            return Some(hundreds * 100 + low);
        }
        if after_thousands { None } else { tail(words, accent) }
    }

    fn tail(words: &[&str], accent: Accent) -> Option<u32> {
        match words {
            [digit] if *digit != "mười" => plain(digit),
            ["mười"] => Some(10),
            ["mười", "lăm"] => Some(15),
            ["mười", unit] => plain(unit).filter(|u| *u > 0 && *u != 5).map(|u| 10 + u),
            [tens, "mươi"] => plain(tens).filter(|t| *t > 1).map(|t| t * 10),
            [tens, "mươi", unit] => {
                let unit = match (*unit, accent) {
                    ("mốt", _) => 1,
                    ("tư", Accent::North) | ("bốn", Accent::South) => 4,
                    ("lăm", _) => 5,
                    ("một" | "bốn" | "năm" | "không", _) => return None,
                    (word, _) => plain(word)?,
                };
                plain(tens).filter(|t| *t > 1).map(|t| t * 10 + unit)
            }
            _ => None,
        }
    }
}

#[test]
fn every_number_is_understood_and_no_two_sound_alike() {
    for accent in [Accent::North, Accent::South] {
        let mut heard = HashSet::new();
        for n in 0..=9999 {
            let text = read_number(n, accent);
            assert_eq!(listener::hear(&text, accent), Some(n), "{n} is read {text:?}");
            assert!(heard.insert(text), "{n} sounds like a smaller number");
        }
        assert_eq!(heard.len(), 10_000);
    }
}

/// Adds up English words the way a listener does; shares no code with the speaker.
fn hear_english(text: &str) -> Option<u32> {
    let names = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
                 sixteen seventeen eighteen nineteen";
    let tens = "twenty thirty forty fifty sixty seventy eighty ninety";
    let place = |all: &str, word: &str| all.split_whitespace().position(|w| w == word).map(|n| n as u32);
    let (mut whole, mut group) = (0, 0);
    for word in text.split([' ', '-']) {
        match word {
            "and" => {}
            "hundred" => group *= 100,
            "thousand" => (whole, group) = (group * 1000, 0),
            _ => group += place(names, word).or_else(|| Some((place(tens, word)? + 2) * 10))?,
        }
    }
    Some(whole + group)
}

#[test]
fn every_number_is_understood_in_english() {
    let mut heard = HashSet::new();
    for n in 0..=9999 {
        let text = read_number(n, Accent::English);
        assert_eq!(hear_english(&text), Some(n), "{n} is read {text:?}");
        assert!(heard.insert(text), "{n} sounds like a smaller number");
    }
}

#[test]
fn an_english_sentence_names_ticket_lane_and_place() {
    let config = Config::read("[[counter]]\nid = \"5\"\nnoun = \"Phòng\"\n", Env::new()).unwrap();
    let wording = Wording::new(&config, Accent::English).unwrap();
    let (ticket, counter) = (Ticket::parse("Đ012").unwrap(), Counter::parse("5").unwrap());
    let said = |kind, form| wording.call(&ticket, &counter, kind, &[Lane::Elderly], None, form).text;
    assert_eq!(
        said(Kind::Recall, Form::Full),
        "Once again: Ticket number Đ zero one two, senior citizen, please go to room five."
    );
    assert_eq!(said(Kind::Call, Form::Short), "Number Đ zero one two, room five.");
}

#[test]
fn the_listener_refuses_what_nobody_says() {
    for wrong in [
        "hai mươi một",
        "mười mốt",
        "mười năm",
        "hai mươi năm",
        "một trăm năm mươi năm",
        "một nghìn năm",
        "một nghìn linh năm",
        "một trăm năm",
        "không trăm linh một",
        "hai mốt",
        "một nghìn không trăm",
    ] {
        assert_eq!(listener::hear(wrong, Accent::North), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn large_numbers_are_understood_too(n in 0_u32..=999_999, south: bool) {
        let accent = if south { Accent::South } else { Accent::North };
        prop_assert_eq!(listener::hear(&read_number(n, accent), accent), Some(n));
    }
}

fn wording(modes: &[(&str, SeriesMode)]) -> Wording {
    let series = modes
        .iter()
        .map(|(id, mode)| SeriesConfig { id: Series::parse(id).unwrap(), label: None, mode: *mode })
        .collect();
    let config = Config { series, ..Config::default() };
    Wording::new(&config, Accent::North).unwrap()
}

fn said(wording: &Wording, ticket: &str) -> String {
    said_of(wording, ticket, None)
}

fn said_of(wording: &Wording, ticket: &str, series: Option<&str>) -> String {
    let (ticket, counter) = (Ticket::parse(ticket).unwrap(), Counter::parse("5").unwrap());
    let series = series.map(|id| Series::parse(id).unwrap());
    wording.call(&ticket, &counter, Kind::Call, &[], series.as_ref(), Form::Full).text
}

#[test]
fn codes_that_look_alike_sound_different() {
    let hall = wording(&[("D", SeriesMode::Number)]);
    assert!(said(&hall, "D1005").contains("số thứ tự D một nghìn không trăm linh năm,"));
    let codes = ["A-105", "A-1005", "0105", "105", "1005", "A0105", "D105", "Đ105", "A15", "A50", "B105"];
    let sentences: HashSet<String> = codes.iter().map(|code| said(&hall, code)).collect();
    assert_eq!(sentences.len(), codes.len(), "{sentences:#?}");
    assert_eq!(said(&hall, "a105"), said(&hall, "A105"));
    assert_ne!(letter('D', Accent::North), letter('Đ', Accent::North));
}

#[test]
fn every_letter_has_its_own_name() {
    let letters = "ABCDĐEGHIKLMNOPQRSTUVXYFJWZ";
    let names: HashSet<&str> = letters.chars().filter_map(|c| letter(c, Accent::North)).collect();
    assert_eq!(names.len(), letters.chars().count());
}

#[test]
fn the_bank_is_asked_only_for_words_that_it_can_have() {
    let config = Config::read("[[series]]\nid = \"L\"\n", Env::new()).unwrap();
    let wording = Wording::new(&config, Accent::South).unwrap();
    let (ticket, counter) = (Ticket::parse("l-24").unwrap(), Counter::parse("24").unwrap());
    let sentence = wording.call(&ticket, &counter, Kind::Recall, &[], None, Form::Full);
    for step in &sentence.steps {
        if let Step::Phrase(phrase) = step {
            assert!(
                phrase.words.chars().all(|c| c.is_alphabetic() && !c.is_uppercase() || c == ' ' || c == '-'),
                "{:?}",
                phrase.words
            );
        }
    }
    assert!(sentence.text.ends_with("L hai bốn, đến quầy số hai mươi bốn."), "{}", sentence.text);
}

proptest! {
    /// A series prints its numbers one way; in mode `number` leading zeros carry nothing.
    #[test]
    fn different_tickets_of_one_series_have_different_sentences(
        prefix in "[A-ZĐ]{0,2}",
        a in "[0-9]{1,6}",
        b in "[0-9]{1,6}",
        mode in prop_oneof![Just(SeriesMode::Auto), Just(SeriesMode::Digits), Just(SeriesMode::Number)],
    ) {
        let value = |digits: &str| match mode {
            SeriesMode::Number => digits.trim_start_matches('0').to_owned(),
            _ => digits.to_owned(),
        };
        prop_assume!(value(&a) != value(&b));
        let series = if prefix.is_empty() { "*" } else { &prefix };
        let hall = wording(&[(series, mode)]);
        let said = |digits: &str| said_of(&hall, &format!("{prefix}{digits}"), Some(series));
        prop_assert_ne!(said(&a), said(&b));
    }

    #[test]
    fn any_ticket_gives_a_sentence(code in "\\PC{1,12}") {
        prop_assume!(Ticket::parse(&code).is_ok());
        let text = said(&wording(&[]), &code);
        prop_assert!(text.starts_with("Mời công dân"), "{}", text);
    }
}
