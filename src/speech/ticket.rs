//! How a ticket code is read: letters, then digits in groups that a listener can hold, or a whole number.
//!
//! A code that has a character without a name is not read at all; a part of a code would be a wrong code.

use super::Accent;
use super::number::{MAX_NUMBER, digit, letter, read_number, upper};
use crate::config::SeriesMode;

/// A run of a code that is one unit of speech.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Letters: shown as `AB`, spoken as `a bê`.
    Letters { shown: String, spoken: String },
    /// A group of digits, or a number, in words.
    Digits(String),
}

/// Reads a code; none when any of its characters has no name, or when there is nothing to read.
///
/// Hyphens, dots and blanks separate runs and are not spoken.
pub fn read_ticket(code: &str, mode: SeriesMode, accent: Accent) -> Option<Vec<Unit>> {
    let runs = runs(code, accent)?;
    let as_number = match mode {
        SeriesMode::Number => true,
        SeriesMode::Digits => false,
        SeriesMode::Auto => {
            let has_letter = runs.iter().any(|run| !is_digits(run));
            !has_letter && runs.len() == 1 && (!runs[0].starts_with('0') || runs[0] == "0")
        }
    };
    let mut units = Vec::new();
    for run in runs {
        if !is_digits(&run) {
            units.push(letters(&run, accent)?);
            continue;
        }
        match run.parse::<u32>() {
            Ok(n) if as_number && n <= MAX_NUMBER => units.push(Unit::Digits(read_number(n, accent))),
            _ => units.extend(groups(&run, accent)),
        }
    }
    (!units.is_empty()).then_some(units)
}

fn is_digits(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

/// Splits a code where letters and digits meet and at separators.
fn runs(code: &str, accent: Accent) -> Option<Vec<String>> {
    let mut runs: Vec<String> = Vec::new();
    let mut joins = false;
    for c in code.chars() {
        if matches!(c, '-' | '.' | ' ' | '\u{2010}'..='\u{2013}') {
            joins = false;
            continue;
        }
        if letter(c, accent).is_none() && digit(c, accent).is_none() {
            return None;
        }
        match runs.last_mut().filter(|run| joins && is_digits(run) == c.is_ascii_digit()) {
            Some(run) => run.push(c),
            None => runs.push(c.to_string()),
        }
        joins = true;
    }
    Some(runs)
}

fn letters(run: &str, accent: Accent) -> Option<Unit> {
    let names: Option<Vec<&str>> = run.chars().map(|c| letter(c, accent)).collect();
    Some(Unit::Letters { shown: run.chars().map(upper).collect(), spoken: names?.join(" ") })
}

/// Three digits are one group, four are two and two, five two and three, more begin with three.
fn groups(run: &str, accent: Accent) -> Vec<Unit> {
    let digits: Vec<&str> = run.chars().filter_map(|c| digit(c, accent)).collect();
    let mut rest = digits.as_slice();
    let mut out = Vec::new();
    while !rest.is_empty() {
        let take = match rest.len() {
            4 | 5 => 2,
            n => n.min(3),
        };
        let (head, tail) = rest.split_at(take);
        out.push(Unit::Digits(head.join(" ")));
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: &str, mode: SeriesMode) -> Option<String> {
        let units = read_ticket(code, mode, Accent::North)?;
        let words = units.into_iter().map(|unit| match unit {
            Unit::Letters { spoken, .. } => format!("[{spoken}]"),
            Unit::Digits(words) => words,
        });
        Some(words.collect::<Vec<_>>().join(" · "))
    }

    #[test]
    fn digits_are_grouped_as_people_say_them() {
        let auto = |code| read(code, SeriesMode::Auto).unwrap();
        assert_eq!(auto("A012"), "[a] · không một hai");
        assert_eq!(auto("A1005"), "[a] · một không · không năm");
        assert_eq!(auto("B12345"), "[bê] · một hai · ba bốn năm");
        assert_eq!(auto("C123456"), "[xê] · một hai ba · bốn năm sáu");
        assert_eq!(auto("C1234567"), "[xê] · một hai ba · bốn năm · sáu bảy");
        assert_eq!(auto("ab1"), "[a bê] · một");
        assert_eq!(auto("A-105"), auto("A105"));
        assert_eq!(auto("12B"), "một hai · [bê]");
    }

    #[test]
    fn a_code_of_digits_is_a_number_unless_it_begins_with_zero() {
        assert_eq!(read("105", SeriesMode::Auto).unwrap(), "một trăm linh năm");
        assert_eq!(read("0105", SeriesMode::Auto).unwrap(), "không một · không năm");
        assert_eq!(read("105", SeriesMode::Digits).unwrap(), "một không năm");
        assert_eq!(read("D01005", SeriesMode::Number).unwrap(), "[dê] · một nghìn không trăm linh năm");
        assert_eq!(read("0", SeriesMode::Auto).unwrap(), "không");
    }

    #[test]
    fn what_cannot_be_named_is_not_read() {
        for code in ["A#12", "Â12", "A１２", "-", "12/3"] {
            assert_eq!(read(code, SeriesMode::Auto), None, "{code}");
        }
    }
}
