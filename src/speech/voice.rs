//! A recorded voice with the words of a hall: chooses the clips of every message, and says what it lacks.
//!
//! Never silent and never wrong: a phrase without clips is replaced by a shorter sentence, or by a chime and the
//! request to look at the board.

use std::collections::BTreeSet;

use super::bank::{Bank, Chimes, Take};
use super::sentence::{PHRASE_PAUSE, Phrase, Role, Sentence, Step, Wording, look_at_the_board};
use super::{Accent, Clip, Part, Utterance, script};
use crate::board::input::{Form, Message};
use crate::clock::Millis;
use crate::config::Config;

/// An utterance and what could not be said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub utterance: Utterance,
    /// Words that no clip covers, and what no rule reads aloud; empty when all was said.
    pub missing: Vec<String>,
}

/// Bank, chimes and wording together.
#[derive(Clone, Debug)]
pub struct Voice {
    bank: Bank,
    chimes: Chimes,
    wording: Wording,
    /// Speaks after this one.
    english: Option<Box<Voice>>,
}

/// The chime of an emergency.
const EMERGENCY_CHIME: &str = "three-tone";

impl Plan {
    /// With another sentence after it, if that can be said as a whole.
    fn then(mut self, more: Covered, pause: Millis) -> Self {
        if !more.essential_missing && !self.utterance.parts.is_empty() {
            self.utterance.parts.push(Part::Gap(pause));
            self.utterance.parts.extend(more.body());
            self.utterance.text = format!("{} {}", self.utterance.text, more.text);
        }
        self.missing.extend(more.missing);
        self.missing = dedup(self.missing);
        self
    }
}

impl Voice {
    /// # Errors
    /// The problems of the configured template.
    pub fn new(bank: Bank, chimes: Chimes, config: &Config) -> Result<Self, Vec<String>> {
        let wording = Wording::new(config, bank.accent)?;
        Ok(Self { bank, chimes, wording, english: None })
    }

    /// With the same call said in English, once, after the Vietnamese, while the hall is calm.
    pub fn then_english(self, english: Self) -> Self {
        Self { english: Some(Box::new(english)), ..self }
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

    /// Every clip of the voice, of the English one after it, and of the chimes, in no order.
    pub fn clips(&self) -> impl Iterator<Item = &Clip> {
        let english = self.english.iter().flat_map(|english| english.bank.clips());
        self.bank.clips().chain(english).chain(self.chimes.clips())
    }

    pub fn wording(&self) -> &Wording {
        &self.wording
    }

    /// Plans a message, said `repeats` times; the chime comes once.
    pub fn plan_message(&self, message: &Message, repeats: u8, form: Form) -> Plan {
        let sentence = |form| self.wording.sentence(message, form);
        match message {
            Message::Call { .. } => {
                let plan = self.plan_sentence(sentence, repeats, form);
                let calm = form == Form::Full && repeats >= self.wording.config().speech.repeats;
                match self.english.as_ref().filter(|_| calm) {
                    Some(english) => plan.then(english.covered(message), self.repeat_pause()),
                    None => plan,
                }
            }
            Message::Notice { emergency, .. } => {
                let covered = self.cover(&sentence(form), true);
                let chime = if *emergency { Some(EMERGENCY_CHIME) } else { self.chime() };
                self.finish(&covered, covered.missing.clone(), chime, repeats)
            }
        }
    }

    /// A recorded message behind its chime, once; `text` is what it is about, in words.
    pub fn around(&self, recorded: Clip, text: &str, emergency: bool) -> Utterance {
        let chime = if emergency { Some(EMERGENCY_CHIME) } else { self.chime() };
        let chime = chime.and_then(|name| self.chimes.get_or_any(name));
        let mut parts: Vec<Part> = chime.cloned().map(Part::Clip).into_iter().collect();
        let instead = self.instead(parts.clone());
        if !parts.is_empty() {
            parts.push(Part::Gap(PHRASE_PAUSE));
        }
        parts.push(Part::Clip(recorded));
        Utterance { parts, instead, text: text.to_owned() }
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

    fn covered(&self, message: &Message) -> Covered {
        self.cover(&self.wording.sentence(message, Form::Full), false)
    }

    fn repeat_pause(&self) -> Millis {
        self.wording.config().speech.repeat_pause
    }

    fn chime(&self) -> Option<&str> {
        self.wording.config().speech.chime.as_deref()
    }

    /// Clips for every phrase. `strict`: a notice is said whole or not at all.
    fn cover(&self, sentence: &Sentence, strict: bool) -> Covered {
        let missing = sentence.unread.iter().cloned().collect();
        let mut out = Covered { text: sentence.text.clone(), missing, ..Covered::default() };
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
        self.bank.resolve(look_at_the_board(self.accent()), Take::End).unwrap_or_default()
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
        let instead = self.instead(parts.clone());
        for turn in 0..repeats.max(1) {
            if body.is_empty() {
                break;
            }
            let pause = if turn == 0 { PHRASE_PAUSE } else { self.repeat_pause() };
            if !parts.is_empty() && pause > Millis::ZERO {
                parts.push(Part::Gap(pause));
            }
            parts.extend(body.iter().cloned());
        }
        Plan { utterance: Utterance { parts, instead, text: covered.text.clone() }, missing }
    }

    /// The chime, if any, and the request to look.
    fn instead(&self, mut parts: Vec<Part>) -> Vec<Part> {
        if !parts.is_empty() {
            parts.push(Part::Gap(PHRASE_PAUSE));
        }
        parts.extend(self.look().into_iter().map(Part::Clip));
        parts
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
        out.extend(self.lacks_words());
        let english = self.english.as_ref().map(|english| english.lacks_words()).unwrap_or_default();
        out.extend(english.into_iter().map(|line| format!("in English: {line}")));
        out
    }

    fn lacks_words(&self) -> Vec<String> {
        let mut out = Vec::new();
        let look = look_at_the_board(self.accent());
        for group in script::needed(&self.wording) {
            if group.name.starts_with("counter ") && group.units.iter().any(|u| u.words == look) {
                out.push(format!("{}: its name cannot be read aloud", group.name));
            }
            self.check(&group, &mut out);
        }
        out
    }

    /// What is joined from more clips than it has phrases, a line each: it is said, and harder to understand.
    pub fn joined(&self) -> Vec<String> {
        let mut out = Vec::new();
        for group in script::needed(&self.wording) {
            // Numbers above 999 are joined in every voice.
            let units = group
                .units
                .iter()
                .filter(|unit| !unit.words.contains(" nghìn ") && !unit.words.contains(" ngàn "));
            let clips = units.filter_map(|unit| self.bank.resolve(&unit.words, unit.take).ok());
            let (all, joined) =
                clips.fold((0, 0), |(all, joined), clips| (all + 1, joined + usize::from(clips.len() > 1)));
            if joined > 0 {
                out.push(format!("{}: {joined} of {all} phrases are joined word by word", group.name));
            }
        }
        out
    }

    fn check(&self, group: &script::Group, out: &mut Vec<String>) {
        let mut lost = Vec::new();
        let mut words = BTreeSet::new();
        for unit in &group.units {
            if let Err(uncovered) = self.bank.resolve(&unit.words, unit.take) {
                words.extend(uncovered);
                lost.push(&unit.words);
            }
        }
        let what = &group.name;
        let words = words.into_iter().collect::<Vec<_>>().join(", ");
        match lost.as_slice() {
            [] => {}
            [only] => out.push(format!("{what}: no clip says {only:?} (words: {words})")),
            [first, ..] => {
                let count = lost.len();
                out.push(format!("{what}: {count} phrases have no clip, first {first:?} (words: {words})"));
            }
        }
    }
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
