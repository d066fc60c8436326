//! The manifest of a recorded voice and of the chimes, and how a phrase is covered by clips. Pure: takes text, knows
//! no files.
//!
//! A phrase is spoken whole when it was recorded whole; else it is split into the fewest clips, because words joined
//! one by one are hard to understand.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unicode_normalization::UnicodeNormalization;

use super::{Accent, Clip, RATE_HZ};
use crate::config::section::Problem;
use crate::config::topic_level;

/// How a phrase ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Take {
    /// The sentence goes on.
    Mid,
    /// The sentence closes.
    End,
}

impl Take {
    fn other(self) -> Self {
        match self {
            Self::Mid => Self::End,
            Self::End => Self::Mid,
        }
    }
}

/// Longest clip, frames: a minute. More is a broken manifest.
const CLIP_MAX: i64 = 60 * RATE_HZ as i64;
/// What a clip more costs, and what the wrong take costs: two wrong takes are still better than one more seam.
const SEAM_COST: u32 = 10;
const TAKE_COST: u32 = 3;

/// What was recorded of one voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bank {
    pub name: String,
    pub title: String,
    pub accent: Accent,
    pub version: String,
    pub licence: String,
    /// The voice beside it that says what this one lacks.
    pub base: Option<String>,
    mid: HashMap<String, Clip>,
    end: HashMap<String, Clip>,
}

impl Bank {
    /// Reads a `bank.toml`; `folder` is put before each file.
    ///
    /// # Errors
    /// All problems with their lines.
    pub fn parse(text: &str, folder: &str) -> Result<Self, Vec<Problem>> {
        let mut manifest = Manifest::new(text, folder);
        let (root, errors) = DeTable::parse_recoverable(text);
        manifest.syntax(&errors);
        let root = root.get_ref();
        manifest.head(root);
        let accent = manifest.accent(root);
        let base = root.contains_key("base").then(|| manifest.text(root, "base"));
        if base.as_deref().is_some_and(|base| topic_level(base).is_none()) {
            manifest.problem(root, "base", "must be the name of a folder beside this one");
        }
        let clips = manifest.table(root, "clips");
        let takes = ["mid", "end"].map(|take| {
            let clips = clips.and_then(|clips| manifest.table(clips, take));
            clips.map(|clips| manifest.clips(clips)).unwrap_or_default()
        });
        let [mid, end] = takes;
        let [name, title, version, licence] =
            ["name", "title", "version", "licence"].map(|key| manifest.text(root, key));
        manifest.finish(Self { name, title, accent, version, licence, base, mid, end })
    }

    /// A voice that says nothing: with it a hall still hears its chimes.
    pub fn empty(accent: Accent) -> Self {
        let text = String::new;
        let (mid, end) = (HashMap::new(), HashMap::new());
        Self { name: text(), title: text(), accent, version: text(), licence: text(), base: None, mid, end }
    }

    /// Takes what this bank lacks from another, such as the words that two accents share.
    pub fn fill_from(&mut self, base: Self) {
        for (own, other) in [(&mut self.mid, base.mid), (&mut self.end, base.end)] {
            for (words, clip) in other {
                own.entry(words).or_insert(clip);
            }
        }
    }

    /// The clip of exactly these words in exactly this take.
    pub fn clip(&self, words: &str, take: Take) -> Option<&Clip> {
        let clips = match take {
            Take::Mid => &self.mid,
            Take::End => &self.end,
        };
        clips.get(words)
    }

    /// Every clip, in no order.
    pub fn clips(&self) -> impl Iterator<Item = &Clip> {
        self.mid.values().chain(self.end.values())
    }

    /// Covers a phrase by the fewest clips.
    ///
    /// # Errors
    /// The words that no clip covers, each once.
    pub fn resolve(&self, phrase: &str, take: Take) -> Result<Vec<Clip>, Vec<String>> {
        let ends = word_ends(phrase);
        let best = self.cheapest(phrase, &ends, take);
        let Some(Some(_)) = best.last() else {
            return Err(self.uncovered(phrase));
        };
        let mut clips = Vec::new();
        let mut at = ends.len();
        while let Some(Some(step)) = best.get(at).filter(|_| at > 0) {
            clips.push(step.clip.clone());
            at = step.from;
        }
        clips.reverse();
        Ok(clips)
    }

    /// For every number of leading words the cheapest way to say them; entry 0 says nothing.
    fn cheapest(&self, phrase: &str, ends: &[usize], take: Take) -> Vec<Option<Covered<'_>>> {
        let mut best: Vec<Option<Covered<'_>>> = vec![None; ends.len() + 1];
        for to in 1..=ends.len() {
            let wanted = if to == ends.len() { take } else { Take::Mid };
            for from in 0..to {
                let before = match (from, &best[from]) {
                    (0, _) => 0,
                    (_, Some(covered)) => covered.cost,
                    (_, None) => continue,
                };
                let start = if from == 0 { 0 } else { ends[from - 1] + 1 };
                let Some((clip, take_cost)) = self.any_take(&phrase[start..ends[to - 1]], wanted) else {
                    continue;
                };
                let cost = before + SEAM_COST + take_cost;
                if best[to].as_ref().is_none_or(|known| cost < known.cost) {
                    best[to] = Some(Covered { cost, from, clip });
                }
            }
        }
        best
    }

    fn any_take(&self, words: &str, take: Take) -> Option<(&Clip, u32)> {
        let wanted = self.clip(words, take).map(|clip| (clip, 0));
        wanted.or_else(|| self.clip(words, take.other()).map(|clip| (clip, TAKE_COST)))
    }

    fn uncovered(&self, phrase: &str) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for word in phrase.split(' ') {
            if self.any_take(word, Take::Mid).is_none() && !out.iter().any(|known| known == word) {
                out.push(word.to_owned());
            }
        }
        out
    }
}

#[derive(Clone)]
struct Covered<'b> {
    cost: u32,
    /// How many words the clips before this one cover.
    from: usize,
    clip: &'b Clip,
}

/// Byte offset of the end of every word.
fn word_ends(phrase: &str) -> Vec<usize> {
    let spaces = phrase.match_indices(' ').map(|(at, _)| at);
    spaces.chain((!phrase.is_empty()).then_some(phrase.len())).collect()
}

/// The sounds before a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chimes(BTreeMap<String, Clip>);

impl Chimes {
    /// Reads a `chimes.toml`; `folder` is put before each file.
    ///
    /// # Errors
    /// All problems with their lines.
    pub fn parse(text: &str, folder: &str) -> Result<Self, Vec<Problem>> {
        let mut manifest = Manifest::new(text, folder);
        let (root, errors) = DeTable::parse_recoverable(text);
        manifest.syntax(&errors);
        let chimes = manifest.table(root.get_ref(), "chimes");
        let chimes = chimes.map(|chimes| manifest.clips(chimes)).unwrap_or_default();
        manifest.finish(Self(chimes.into_iter().collect()))
    }

    pub fn get(&self, name: &str) -> Option<&Clip> {
        self.0.get(name)
    }

    /// The chime `name`, else any: a hall must hear that something is said.
    pub fn get_or_any(&self, name: &str) -> Option<&Clip> {
        self.get(name).or_else(|| self.0.values().next())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn clips(&self) -> impl Iterator<Item = &Clip> {
        self.0.values()
    }
}

/// A manifest while it is read: collects every problem.
struct Manifest<'t> {
    text: &'t str,
    folder: &'t str,
    problems: Vec<Problem>,
}

impl<'t> Manifest<'t> {
    fn new(text: &'t str, folder: &'t str) -> Self {
        Self { text, folder, problems: Vec::new() }
    }

    fn line_at(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1
    }

    fn report(&mut self, offset: Option<usize>, key: &str, message: impl Into<String>) {
        let line = offset.map(|offset| self.line_at(offset));
        self.problems.push(Problem { file: None, line, key: key.to_owned(), message: message.into() });
    }

    fn problem(&mut self, table: &DeTable<'_>, key: &str, message: impl Into<String>) {
        let offset = table.iter().find(|(k, _)| k.get_ref() == key).map(|(k, _)| k.span().start);
        self.report(offset, key, message);
    }

    fn syntax(&mut self, errors: &[toml::de::Error]) {
        for error in errors {
            let message = format!("is not valid TOML: {}", error.message());
            self.report(error.span().map(|span| span.start), "", message);
        }
    }

    fn head(&mut self, root: &DeTable<'_>) {
        for (key, wanted) in [("format", 1), ("rate_hz", i64::from(RATE_HZ))] {
            let found = root.get(key).and_then(|v| integer(v.get_ref()));
            if found != Some(wanted) {
                self.problem(root, key, format!("must be {wanted}"));
            }
        }
    }

    /// English has no accent.
    fn accent(&mut self, root: &DeTable<'_>) -> Accent {
        match self.text(root, "language").as_str() {
            "en" => return Accent::English,
            "vi" => {}
            _ => self.problem(root, "language", "must be vi or en"),
        }
        match self.text(root, "accent").as_str() {
            "north" => Accent::North,
            "south" => Accent::South,
            _ => {
                self.problem(root, "accent", "must be north or south");
                Accent::North
            }
        }
    }

    fn text(&mut self, table: &DeTable<'_>, key: &str) -> String {
        if let Some(DeValue::String(text)) = table.get(key).map(Spanned::get_ref) {
            return text.to_string();
        }
        self.problem(table, key, "must be a text");
        String::new()
    }

    fn table<'a>(&mut self, root: &'a DeTable<'a>, key: &str) -> Option<&'a DeTable<'a>> {
        match root.get(key).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => Some(table),
            Some(_) => {
                self.problem(root, key, "must be a table");
                None
            }
            None => None,
        }
    }

    fn clips(&mut self, table: &DeTable<'_>) -> HashMap<String, Clip> {
        let mut clips = HashMap::new();
        for (key, value) in table {
            let words: &str = key.get_ref();
            if let Some(why) = bad_key(words) {
                self.report(Some(key.span().start), words, why);
            }
            let read = match value.get_ref() {
                DeValue::Table(clip) => self.clip(clip),
                _ => Err("must be { file = \"…\", frames = N }".to_owned()),
            };
            match read {
                Ok(clip) => drop(clips.insert(words.to_owned(), clip)),
                Err(why) => self.report(Some(key.span().start), words, why),
            }
        }
        clips
    }

    fn clip(&self, table: &DeTable<'_>) -> Result<Clip, String> {
        let file = match table.get("file").map(Spanned::get_ref) {
            Some(DeValue::String(file)) => file.to_string(),
            _ => return Err("has no file".to_owned()),
        };
        let inside = !file.starts_with('/') && !file.split(['/', '\\']).any(|part| part == "..");
        if !inside || file.is_empty() {
            return Err(format!("file must lie in the folder of its manifest, not {file:?}"));
        }
        let frames = table.get("frames").and_then(|v| integer(v.get_ref()));
        match frames {
            Some(frames @ 1..=CLIP_MAX) => {
                let file = Arc::from(format!("{}/{file}", self.folder));
                Ok(Clip { file, frames: u64::try_from(frames).unwrap_or(0) })
            }
            _ => Err(format!("frames must be a number from 1 to {CLIP_MAX}")),
        }
    }

    fn finish<T>(mut self, value: T) -> Result<T, Vec<Problem>> {
        self.problems.sort_by_key(|p| p.line);
        if self.problems.is_empty() { Ok(value) } else { Err(self.problems) }
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok(),
        _ => None,
    }
}

/// A key that no sentence would ever look up is a mistake of the manifest.
fn bad_key(words: &str) -> Option<&'static str> {
    let normal: String = words.nfc().flat_map(char::to_lowercase).collect();
    if normal != words {
        return Some("the words must be lower case and NFC");
    }
    if words.is_empty() || words.split(' ').any(str::is_empty) {
        return Some("the words must be separated by single spaces");
    }
    let plain = words.chars().all(|c| c.is_alphabetic() || c == ' ' || c == '-');
    (!plain).then_some("the words must have neither punctuation nor digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "format = 1\nname = \"t\"\ntitle = \"T\"\nlanguage = \"vi\"\naccent = \"south\"\nrate_hz = 48000\n\
                        version = \"1\"\nprovenance = \"\"\nlicence = \"CC0-1.0\"\n";

    fn bank(mid: &[&str], end: &[&str]) -> Bank {
        let table = |words: &[&str]| {
            let line =
                |w: &&str| format!("\"{w}\" = {{ file = \"{}.opus\", frames = 9 }}\n", w.replace(' ', "-"));
            words.iter().map(line).collect::<String>()
        };
        let text = format!("{HEAD}[clips.mid]\n{}[clips.end]\n{}", table(mid), table(end));
        Bank::parse(&text, "t").unwrap()
    }

    fn files(found: &Result<Vec<Clip>, Vec<String>>) -> Vec<&str> {
        found.as_ref().unwrap().iter().map(|c| &*c.file).collect()
    }

    #[test]
    fn a_phrase_is_spoken_whole_where_it_was_recorded_whole() {
        let bank = bank(&["một", "hai", "một hai"], &["một hai"]);
        assert_eq!(files(&bank.resolve("một hai", Take::Mid)), ["t/một-hai.opus"]);
        assert_eq!(bank.accent, Accent::South);
    }

    #[test]
    fn else_it_is_split_into_the_fewest_clips() {
        let bank = bank(&["một", "hai", "một hai", "ba", "hai ba bốn"], &["bốn"]);
        assert_eq!(files(&bank.resolve("một hai ba bốn", Take::End)), ["t/một.opus", "t/hai-ba-bốn.opus"]);
        assert_eq!(files(&bank.resolve("hai ba bốn", Take::End)), ["t/hai-ba-bốn.opus"]);
        assert_eq!(files(&bank.resolve("một bốn", Take::Mid)), ["t/một.opus", "t/bốn.opus"]);
    }

    #[test]
    fn an_accent_has_its_own_words_and_shares_the_rest() {
        let mut south = bank(&["lẻ", "ngàn"], &[]);
        let shared = HEAD.replace("south", "north");
        let text = format!(
            "{shared}[clips.mid]\n\"lẻ\" = {{ file = \"a.opus\", frames = 9 }}\n\"một\" = {{ file = \"b.opus\", frames = 9 }}\n"
        );
        south.fill_from(Bank::parse(&text, "north").unwrap());
        assert_eq!(south.accent, Accent::South);
        assert_eq!(files(&south.resolve("một lẻ", Take::Mid)), ["north/b.opus", "t/lẻ.opus"]);
    }

    #[test]
    fn an_english_bank_has_no_accent_and_a_base_is_a_name() {
        let english = HEAD.replace("\"vi\"", "\"en\"").replace("accent = \"south\"\n", "");
        assert_eq!(Bank::parse(&english, "t").unwrap().accent, Accent::English);
        let problem = Bank::parse(&format!("{HEAD}base = \"../north\"\n"), "t").unwrap_err();
        assert!(problem[0].to_string().starts_with("line 10: base: must be the name"), "{problem:?}");
    }

    #[test]
    fn words_without_a_clip_are_named() {
        let bank = bank(&["một"], &[]);
        assert_eq!(bank.resolve("một hai ba hai", Take::Mid), Err(vec!["hai".to_owned(), "ba".to_owned()]));
    }

    #[test]
    fn a_manifest_tells_all_its_problems() {
        let text = "format = 2\nname = \"t\"\nlanguage = \"vi\"\naccent = \"east\"\nrate_hz = 48000\ntitle = \"T\"\nversion = \"1\"\n\
                    [clips.mid]\n\"Một\" = { file = \"a.opus\", frames = 5 }\n\"hai\" = { file = \"../a\", frames = 5 }\n\
                    \"ba\" = { file = \"a.opus\", frames = 0 }\n\"bốn.\" = { file = \"a.opus\", frames = 1 }\n";
        let problems: Vec<String> =
            Bank::parse(text, "t").unwrap_err().iter().map(ToString::to_string).collect();
        let starts = [
            "licence: must be a text",
            "line 1: format: must be 1",
            "line 4: accent: must be north or south",
            "line 9: Một: the words must be lower case",
            "line 10: hai: file must lie",
            "line 11: ba: frames must be",
            "line 12: bốn.: the words must have neither",
        ];
        assert_eq!(problems.len(), starts.len(), "{problems:#?}");
        for (problem, start) in problems.iter().zip(starts) {
            assert!(problem.starts_with(start), "{problem} should start with {start}");
        }
    }
}
