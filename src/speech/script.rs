//! What a hall's voice must be able to say, unit by unit: what `moiso check` asks of a bank, what a speaker is given to
//! read, and what a speech program is given to make.
//!
//! Joined only at phrase pauses a voice is understood; a compact one, of single digits and number words, is made in ten
//! minutes and is harder to follow.

use std::collections::BTreeSet;

use super::Accent;
use super::bank::Take;
use super::number::{letter, read_number};
use super::sentence::{Role, Step, Wording, look_at_the_board};
use super::ticket::{Unit as Read, read_ticket};
use crate::board::call::{Counter, Kind, Lane, Ticket};
use crate::board::input::Form;
use crate::config::{Config, SeriesConfig, SeriesMode};

/// Words that are spoken without a pause, at the end of a sentence or before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// A key of the bank.
    pub words: String,
    pub take: Take,
}

/// Units that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Such as `series A`.
    pub name: String,
    pub units: Vec<Unit>,
}

/// How much is recorded.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every group of digits whole.
    Whole,
    /// Single digits and number words.
    Compact,
}

fn group(name: impl Into<String>, take: Take, phrases: impl IntoIterator<Item = String>) -> Group {
    let units = phrases.into_iter().map(|words| Unit { words, take }).collect();
    Group { name: name.into(), units }
}

/// Everything that the sentences of the hall are made of; numbers to 9999 where a series reads them.
pub fn needed(wording: &Wording) -> Vec<Group> {
    let mut groups = around_the_number(wording);
    groups.push(group("digits", Take::Mid, digit_groups(wording.accent())));
    if has_numbers(wording.config()) {
        let numbers = (1..10_000).map(|n| read_number(n, wording.accent()));
        groups.push(group("numbers to 9999", Take::Mid, numbers));
    }
    groups
}

/// What is recorded so that [`needed`] can be said, each unit once.
pub fn to_record(wording: &Wording, extent: Extent) -> Vec<Group> {
    let mut groups = around_the_number(wording);
    let accent = wording.accent();
    match extent {
        Extent::Whole => {
            groups.push(group("digits", Take::Mid, digit_groups(accent)));
            if has_numbers(wording.config()) {
                groups.push(group("numbers", Take::Mid, number_parts(accent)));
            }
        }
        Extent::Compact => {
            let single = (0..10).map(|digit| read_number(digit, accent));
            groups.push(group("digits", Take::Mid, single));
            if has_numbers(wording.config()) {
                groups.push(group("number words", Take::Mid, number_words(accent)));
            }
        }
    }
    let mut known = BTreeSet::new();
    for group in &mut groups {
        group.units.retain(|unit| known.insert(unit.clone()));
    }
    groups.retain(|group| !group.units.is_empty());
    groups
}

/// All but digits and numbers.
fn around_the_number(wording: &Wording) -> Vec<Group> {
    let config = wording.config();
    let look = group(
        "the request to look at the board",
        Take::End,
        [look_at_the_board(wording.accent()).to_owned()],
    );
    let mut groups = vec![look];
    groups.extend(config.series.iter().map(|series| openings(wording, series)));
    groups.extend(config.counters.iter().map(|counter| counter_names(wording, &counter.id)));
    for (name, lane) in Lane::ALL {
        if let Some(words) = wording.lane(lane).filter(|_| config.speech.spoken_lanes.contains(&lane)) {
            groups.push(group(format!("lane {name}"), Take::Mid, [words.to_owned()]));
        }
    }
    groups
}

/// The words around a ticket and the phrase with its letters.
fn openings(wording: &Wording, series: &SeriesConfig) -> Group {
    let name = series.id.as_str();
    let code = ticket_of(name, series.mode, wording.accent());
    let mut phrases = Vec::new();
    let counter = wording.config().counters.first().map(|c| &c.id);
    if let (Ok(ticket), Some(counter)) = (Ticket::parse(&code), counter) {
        for form in forms(wording) {
            let said = wording.call(&ticket, counter, Kind::Recall, &[], None, *form);
            let mut lettered = code.starts_with(|c| letter(c, wording.accent()).is_some());
            phrases.extend(said.steps.into_iter().filter_map(|step| match step {
                Step::Phrase(p) if p.role == Role::Words => Some(p.words),
                Step::Phrase(p) if p.role == Role::Ticket && std::mem::take(&mut lettered) => Some(p.words),
                _ => None,
            }));
        }
    }
    phrases.sort();
    phrases.dedup();
    group(format!("series {name}"), Take::Mid, phrases)
}

/// English is said in full or not at all.
fn forms(wording: &Wording) -> &'static [Form] {
    match wording.accent() {
        Accent::North | Accent::South => &[Form::Full, Form::Short],
        Accent::English => &[Form::Full],
    }
}

/// A ticket that shows how a series is read; a series whose name has no letters stands for bare numbers.
fn ticket_of(series: &str, mode: SeriesMode, accent: Accent) -> String {
    let prefix: String = series.chars().filter(|c| letter(*c, accent).is_some()).collect();
    let digits = if mode == SeriesMode::Number { "1" } else { "001" };
    format!("{prefix}{digits}")
}

fn counter_names(wording: &Wording, counter: &Counter) -> Group {
    let mut phrases = Vec::new();
    if let Ok(ticket) = Ticket::parse("1") {
        for form in forms(wording) {
            let said = wording.call(&ticket, counter, Kind::Call, &[], None, *form);
            phrases.extend(said.steps.into_iter().filter_map(|step| match step {
                Step::Phrase(p) if p.role == Role::Counter => Some(p.words),
                _ => None,
            }));
        }
    }
    group(format!("counter {}", counter.as_str()), Take::End, phrases)
}

/// Codes of one to three digits, as they are grouped in longer ones.
fn digit_groups(accent: Accent) -> Vec<String> {
    let codes = [1_usize, 2, 3]
        .into_iter()
        .flat_map(|width| (0..10_u32.pow(width as u32)).map(move |n| format!("{n:0width$}")));
    let units = codes.filter_map(|code| read_ticket(&code, SeriesMode::Digits, accent));
    let words = units.flatten().filter_map(|unit| match unit {
        Read::Digits(words) => Some(words),
        Read::Letters { .. } => None,
    });
    words.collect()
}

/// Numbers are read where a series asks for it, and for tickets that are all digits.
fn has_numbers(config: &Config) -> bool {
    let as_number = |s: &SeriesConfig| match s.mode {
        SeriesMode::Number => true,
        SeriesMode::Digits => false,
        SeriesMode::Auto => s.id.as_str().chars().all(|c| letter(c, Accent::North).is_none()),
    };
    config.series.is_empty() || config.series.iter().any(as_number)
}

/// The parts of numbers to 9999 that a pause may separate: hundreds, thousands, and what follows a thousand.
fn number_parts(accent: Accent) -> Vec<String> {
    let whole = (1..1000).map(|n| read_number(n, accent));
    let thousands = (1..10).map(|n| read_number(n * 1000, accent));
    let thousand = read_number(1000, accent);
    let after = (1..100).filter_map(|n| {
        let words = read_number(1000 + n, accent);
        Some(words.strip_prefix(&thousand)?.trim_start().to_owned())
    });
    whole.chain(thousands).chain(after).collect()
}

fn number_words(accent: Accent) -> Vec<String> {
    let words: BTreeSet<String> = (1..10_000)
        .flat_map(|n| read_number(n, accent).split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Env;

    fn wording(text: &str) -> Wording {
        Wording::new(&Config::read(text, Env::new()).unwrap(), Accent::North).unwrap()
    }

    fn count(groups: &[Group]) -> usize {
        groups.iter().map(|group| group.units.len()).sum()
    }

    #[test]
    fn the_default_hall_is_recorded_in_an_hour_or_compact_in_ten_minutes() {
        let wording = wording("");
        let whole = to_record(&wording, Extent::Whole);
        assert!((1110..1200).contains(&count(&whole)), "{}", count(&whole));
        let compact = to_record(&wording, Extent::Compact);
        assert!((40..120).contains(&count(&compact)), "{}", count(&compact));
        let texts: Vec<&str> = compact.iter().flat_map(|g| &g.units).map(|u| u.words.as_str()).collect();
        for text in
            ["mời công dân có số thứ tự a", "số bê", "nhắc lại", "đến quầy số mười một", "quầy năm", "chín"]
        {
            assert!(texts.contains(&text), "{text} is not in {texts:?}");
        }
    }

    #[test]
    fn a_hall_that_reads_numbers_records_their_parts() {
        let wording = wording("[[series]]\nid = \"A\"\nmode = \"number\"\n");
        let has =
            |groups: &[Group], text: &str| groups.iter().flat_map(|g| &g.units).any(|u| u.words == text);
        let whole = to_record(&wording, Extent::Whole);
        for text in ["chín trăm linh năm", "chín nghìn", "không trăm linh năm", "không trăm hai mươi mốt"]
        {
            assert!(has(&whole, text), "{text}");
        }
        let compact = to_record(&wording, Extent::Compact);
        for text in ["mươi", "mốt", "lăm", "tư", "linh", "nghìn", "trăm"] {
            assert!(has(&compact, text), "{text}");
        }
    }

    #[test]
    fn nothing_is_recorded_twice() {
        for extent in [Extent::Whole, Extent::Compact] {
            let groups = to_record(&wording("[[series]]\nid = \"A\"\nmode = \"number\"\n"), extent);
            let units: Vec<&Unit> = groups.iter().flat_map(|g| &g.units).collect();
            assert_eq!(units.iter().collect::<BTreeSet<_>>().len(), units.len());
        }
    }
}
