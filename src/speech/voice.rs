//! A recorded voice with the words of a hall: chooses the clips of every message, and says what it lacks.
//!
//! Never silent and never wrong: a phrase without clips is replaced by a shorter sentence, or by a chime and the
//! request to look at the board.

use std::collections::BTreeSet;

use super::bank::{Bank, Chimes, Take};
use super::number::{letter, read_number};
use super::sentence::{LOOK_AT_THE_BOARD, PHRASE_PAUSE, Phrase, Role, Sentence, Step, Wording};
use super::ticket::{Unit, read_ticket};
use super::{Accent, Clip, Part, Utterance};
use crate::board::call::{Kind, Lane, Ticket};
use crate::board::input::{Form, Message};
use crate::clock::Millis;
use crate::config::{Config, SeriesMode};

/// An utterance and what could not be said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub utterance: Utterance,
    /// Words that no clip covers; empty when all was said.
    pub missing: Vec<String>,
}

/// Bank, chimes and wording together.
#[derive(Clone, Debug)]
pub struct Voice {
    bank: Bank,
    chimes: Chimes,
    wording: Wording,
}

/// The chime of an emergency.
const EMERGENCY_CHIME: &str = "three-tone";

impl Voice {
    /// # Errors
    /// The problems of the configured template.
    pub fn new(bank: Bank, chimes: Chimes, config: &Config) -> Result<Self, Vec<String>> {
        let wording = Wording::new(config, bank.accent)?;
        Ok(Self { bank, chimes, wording })
    }

    pub fn accent(&self) -> Accent {
        self.bank.accent
    }

    pub fn bank(&self) -> &Bank {
        &self.bank
    }

    pub fn chimes(&self) -> &Chimes {
        &self.chimes
    }

    pub fn wording(&self) -> &Wording {
        &self.wording
    }

    /// Plans a message, said `repeats` times; the chime comes once.
    pub fn plan_message(&self, message: &Message, repeats: u8, form: Form) -> Plan {
        let sentence = |form| self.wording.sentence(message, form);
        match message {
            Message::Call { .. } => self.plan_sentence(sentence, repeats, form),
            Message::Notice { emergency, .. } => {
                let covered = self.cover(&sentence(form), true);
                let chime = if *emergency { Some(EMERGENCY_CHIME) } else { self.chime() };
                self.finish(&covered, covered.missing.clone(), chime, repeats)
            }
        }
    }

    /// Plans a call whose sentence `sentence` gives in either form: in the wanted one, or in the other when only that
    /// has clips for the ticket and the counter.
    pub fn plan_sentence(&self, sentence: impl Fn(Form) -> Sentence, repeats: u8, form: Form) -> Plan {
        let other = match form {
            Form::Full => Form::Short,
            Form::Short => Form::Full,
        };
        let wanted = self.cover(&sentence(form), false);
        let missing = wanted.missing.clone();
        if wanted.essential_missing {
            let replacement = self.cover(&sentence(other), false);
            if !replacement.essential_missing {
                return self.finish(&replacement, missing, self.chime(), repeats);
            }
        }
        self.finish(&wanted, missing, self.chime(), repeats)
    }

    fn chime(&self) -> Option<&str> {
        self.wording.config().speech.chime.as_deref()
    }

    /// Clips for every phrase. `strict`: a notice is said whole or not at all.
    fn cover(&self, sentence: &Sentence, strict: bool) -> Covered {
        let mut out = Covered { text: sentence.text.clone(), ..Covered::default() };
        let last = sentence.steps.iter().rposition(|step| matches!(step, Step::Phrase(_)));
        let mut lost = false;
        for (index, step) in sentence.steps.iter().enumerate() {
            match step {
                Step::Chime => out.parts.push(Sound::Chime),
                Step::Pause(span) => out.pause(*span),
                Step::Phrase(phrase) => {
                    let take = if last == Some(index) { Take::End } else { Take::Mid };
                    lost |= self.phrase(phrase, take, strict, &mut out);
                }
            }
        }
        if lost {
            out.only_look(&self.look(), self.wording.look().text);
        }
        out
    }

    /// Appends a phrase; true when the sentence makes no sense without it.
    fn phrase(&self, phrase: &Phrase, take: Take, strict: bool, out: &mut Covered) -> bool {
        match self.bank.resolve(&phrase.words, take) {
            Ok(clips) => out.parts.extend(clips.into_iter().map(Sound::Clip)),
            Err(words) => {
                out.missing.extend(words);
                match phrase.role {
                    Role::Ticket => {
                        out.essential_missing = true;
                        return true;
                    }
                    Role::Counter => {
                        out.essential_missing = true;
                        out.parts.extend(self.look().into_iter().map(Sound::Clip));
                    }
                    Role::Words | Role::Lane if strict => {
                        out.essential_missing = true;
                        return true;
                    }
                    Role::Words | Role::Lane => {}
                }
            }
        }
        false
    }

    fn look(&self) -> Vec<Clip> {
        self.bank.resolve(LOOK_AT_THE_BOARD, Take::End).unwrap_or_default()
    }

    fn finish(&self, covered: &Covered, missing: Vec<String>, chime: Option<&str>, repeats: u8) -> Plan {
        let mut missing: Vec<String> = dedup(missing);
        let body = covered.body();
        // Without a word to say, a chime makes the hall look up even where none is configured.
        let chime = if body.is_empty() { chime.or(Some(EMERGENCY_CHIME)) } else { chime };
        let mut parts = Vec::new();
        if let Some(name) = chime.filter(|_| covered.has_chime() || body.is_empty()) {
            match self.chimes.get_or_any(name) {
                Some(clip) => parts.push(Part::Clip(clip.clone())),
                None => missing.push(format!("chime {name}")),
            }
        }
        for turn in 0..repeats.max(1) {
            if body.is_empty() {
                break;
            }
            let pause = if turn == 0 { PHRASE_PAUSE } else { self.wording.config().speech.repeat_pause };
            if !parts.is_empty() && pause > Millis::ZERO {
                parts.push(Part::Gap(pause));
            }
            parts.extend(body.iter().cloned());
        }
        Plan { utterance: Utterance { parts, text: covered.text.clone() }, missing }
    }

    /// What this voice lacks for a configured hall, a line each: `moiso check` prints them.
    pub fn missing(&self, config: &Config) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(chime) = &config.speech.chime
            && self.chimes.get(chime).is_none()
        {
            let known: Vec<&str> = self.chimes.names().collect();
            out.push(format!("chime {chime:?} is not there; there are: {}", known.join(", ")));
        }
        self.check("the request to look at the board", [(LOOK_AT_THE_BOARD.to_owned(), Take::End)], &mut out);
        for series in &config.series {
            let name = series.id.as_str();
            let tickets = tickets_of(name, series.mode);
            self.check_tickets(&format!("series {name}"), &tickets, &mut out);
        }
        self.check("digits", self.digit_groups(), &mut out);
        self.check_numbers(config, &mut out);
        for counter in &config.counters {
            self.check_counter(counter.id.as_str(), &mut out);
        }
        for (name, lane) in Lane::ALL {
            if let Some(words) = lane.spoken().filter(|_| config.speech.spoken_lanes.contains(&lane)) {
                self.check(&format!("lane {name}"), [(words.to_owned(), Take::Mid)], &mut out);
            }
        }
        out
    }

    fn check(&self, what: &str, phrases: impl IntoIterator<Item = (String, Take)>, out: &mut Vec<String>) {
        let mut lost = Vec::new();
        let mut words = BTreeSet::new();
        for (phrase, take) in phrases {
            if let Err(uncovered) = self.bank.resolve(&phrase, take) {
                words.extend(uncovered);
                lost.push(phrase);
            }
        }
        let words = words.into_iter().collect::<Vec<_>>().join(", ");
        match lost.as_slice() {
            [] => {}
            [only] => out.push(format!("{what}: no clip says {only:?} (words: {words})")),
            [first, ..] => {
                out.push(format!(
                    "{what}: {} phrases have no clip, first {first:?} (words: {words})",
                    lost.len()
                ));
            }
        }
    }

    /// The words around a ticket and the phrase with its letters; digits are checked once for all series.
    fn check_tickets(&self, what: &str, tickets: &[String], out: &mut Vec<String>) {
        let mut phrases = Vec::new();
        for code in tickets {
            let Ok(ticket) = Ticket::parse(code) else { continue };
            for (kind, form) in [(Kind::Recall, Form::Full), (Kind::Call, Form::Short)] {
                let counter = self.wording.config().counters.first().map(|c| c.id.clone());
                let Some(counter) = counter else { continue };
                let said = self.wording.call(&ticket, &counter, kind, &[], None, form);
                let mut lettered = code.starts_with(|c| letter(c).is_some());
                phrases.extend(said.steps.into_iter().filter_map(|step| match step {
                    Step::Phrase(p) if p.role == Role::Words => Some((p.words, Take::Mid)),
                    Step::Phrase(p) if p.role == Role::Ticket && std::mem::take(&mut lettered) => {
                        Some((p.words, Take::Mid))
                    }
                    _ => None,
                }));
            }
        }
        phrases.sort_by(|a, b| a.0.cmp(&b.0));
        phrases.dedup();
        self.check(what, phrases, out);
    }

    fn digit_groups(&self) -> Vec<(String, Take)> {
        let codes = [1usize, 2, 3]
            .into_iter()
            .flat_map(|width| (0..10_u32.pow(width as u32)).map(move |n| format!("{n:0width$}")));
        let units = codes.filter_map(|code| read_ticket(&code, SeriesMode::Digits, self.accent()));
        let words = units.flatten().filter_map(|unit| match unit {
            Unit::Digits(words) => Some((words, Take::Mid)),
            Unit::Letters { .. } => None,
        });
        words.collect()
    }

    /// Numbers are needed where a series reads them, and for tickets that are all digits.
    fn check_numbers(&self, config: &Config, out: &mut Vec<String>) {
        let as_number = |s: &crate::config::SeriesConfig| match s.mode {
            SeriesMode::Number => true,
            SeriesMode::Digits => false,
            SeriesMode::Auto => s.id.as_str().chars().all(|c| letter(c).is_none()),
        };
        if config.series.iter().any(as_number) || config.series.is_empty() {
            let numbers = (1..10_000).map(|n| (read_number(n, self.accent()), Take::Mid));
            self.check("numbers to 9999", numbers, out);
        }
    }

    fn check_counter(&self, id: &str, out: &mut Vec<String>) {
        let (Ok(ticket), Ok(counter)) = (Ticket::parse("1"), crate::board::call::Counter::parse(id)) else {
            return;
        };
        let mut phrases = Vec::new();
        for form in [Form::Full, Form::Short] {
            let said = self.wording.call(&ticket, &counter, Kind::Call, &[], None, form);
            phrases.extend(said.steps.into_iter().filter_map(|step| match step {
                Step::Phrase(p) if p.role == Role::Counter => Some((p.words, Take::End)),
                _ => None,
            }));
        }
        if phrases.iter().any(|(words, _)| words == LOOK_AT_THE_BOARD) {
            out.push(format!("counter {id}: its name cannot be read aloud"));
        }
        self.check(&format!("counter {id}"), phrases, out);
    }
}

/// Tickets that show how a series is read; a series whose name has no letters stands for bare numbers.
fn tickets_of(series: &str, mode: SeriesMode) -> Vec<String> {
    let prefix: String = series.chars().filter(|c| letter(*c).is_some()).collect();
    let digits = if mode == SeriesMode::Number { "1" } else { "001" };
    vec![format!("{prefix}{digits}")]
}

fn dedup(words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        if !out.contains(&word) {
            out.push(word);
        }
    }
    out
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sound {
    Chime,
    Clip(Clip),
    Gap(Millis),
}

/// A sentence as far as the bank covers it.
#[derive(Clone, Debug, Default)]
struct Covered {
    parts: Vec<Sound>,
    text: String,
    missing: Vec<String>,
    /// The ticket or the counter could not be said.
    essential_missing: bool,
}

impl Covered {
    /// Two pauses around a phrase that was left out become the longer one.
    fn pause(&mut self, span: Millis) {
        match self.parts.last_mut() {
            Some(Sound::Gap(last)) => *last = (*last).max(span),
            _ => self.parts.push(Sound::Gap(span)),
        }
    }

    fn only_look(&mut self, look: &[Clip], text: String) {
        self.parts = vec![Sound::Chime];
        self.parts.extend(look.iter().cloned().map(Sound::Clip));
        self.text = text;
    }

    fn has_chime(&self) -> bool {
        self.parts.contains(&Sound::Chime)
    }

    /// All but the chime, without silence at either end.
    fn body(&self) -> Vec<Part> {
        let mut body: Vec<Part> = Vec::new();
        for sound in &self.parts {
            match sound {
                Sound::Clip(clip) => body.push(Part::Clip(clip.clone())),
                Sound::Gap(span) if !body.is_empty() => body.push(Part::Gap(*span)),
                Sound::Gap(_) | Sound::Chime => {}
            }
        }
        while matches!(body.last(), Some(Part::Gap(_))) {
            body.pop();
        }
        body
    }
}
