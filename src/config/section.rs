//! Reads a TOML table key by key, with defaults, and collects every problem with its line instead of stopping.
//!
//! A key is named once, where it is read; what is never read is reported as unknown. An environment variable
//! `MOISO_<SECTION>_<KEY>` replaces a single key of a plain section.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unicode_normalization::UnicodeNormalization;

/// One thing that is wrong with a config, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Another file than the config, such as a theme's.
    pub file: Option<PathBuf>,
    /// Line in the file, from 1; none when the value came from the environment or concerns the whole file.
    pub line: Option<usize>,
    /// Path of the key, for instance `board.dwell_s`, or the name of the environment variable.
    pub key: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if self.key.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.key, self.message)
        }
    }
}

/// Variables of the environment, without the prefix `MOISO_`.
pub type Env = BTreeMap<String, String>;

/// What all sections of one reading share.
#[derive(Debug)]
pub struct Reading<'t> {
    text: &'t str,
    env: Env,
    /// Names of the variables that have replaced a key.
    replaced: BTreeSet<String>,
    /// Line of every accepted item of a list, by the list's path and the item's index.
    items: BTreeMap<(String, usize), usize>,
    /// Path of every key that was asked for, without the numbers of list items.
    pub keys: BTreeSet<String>,
    pub problems: Vec<Problem>,
}

impl<'t> Reading<'t> {
    /// Parses a whole file; what is no TOML is the first of its problems, and the rest is read all the same.
    pub fn parse(text: &'t str, env: Env) -> (Self, DeTable<'t>) {
        let mut reading = Self::new(text, env);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = error.span().map(|span| reading.line_at(span.start));
            reading.problem(line, "", format!("is not valid TOML: {}", error.message()));
        }
        (reading, root.into_inner())
    }

    /// Reports what stands at the top of the file and is not one of `sections`.
    pub fn only(&mut self, root: &DeTable<'_>, sections: &[&str]) {
        for (key, _) in root {
            if !sections.contains(&key.get_ref().as_ref()) {
                let line = self.line_at(key.span().start);
                let message = format!("is not a section; the sections are {}", sections.join(", "));
                self.problem(Some(line), key.get_ref().to_string(), message);
            }
        }
    }

    pub fn new(text: &'t str, env: Env) -> Self {
        Self {
            text,
            env,
            replaced: BTreeSet::new(),
            items: BTreeMap::new(),
            keys: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Line of the item `index`, from 0, of the list `path`.
    pub fn line_of_item(&self, path: &str, index: usize) -> Option<usize> {
        self.items.get(&(path.to_owned(), index)).copied()
    }

    /// Line of a byte offset, from 1.
    pub fn line_at(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count() + 1
    }

    pub fn problem(&mut self, line: Option<usize>, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { file: None, line, key: key.into(), message: message.into() });
    }

    /// Reports the variables that no key has claimed.
    pub fn finish(mut self) -> Vec<Problem> {
        let left: Vec<String> = self.env.keys().cloned().collect();
        for name in left {
            self.problem(None, format!("MOISO_{name}"), "no key of the config has this name");
        }
        self.problems.sort_by_key(|p| (p.line.unwrap_or(usize::MAX), p.key.clone()));
        self.problems
    }
}

/// A value as it was found.
enum Found {
    Text(String),
    Integer(String),
    Bool(bool),
    List(Vec<(Found, Option<usize>)>),
    Other(&'static str),
}

impl Found {
    fn of(value: &DeValue<'_>, reading: &Reading<'_>) -> Self {
        match value {
            DeValue::String(s) => Self::Text(s.to_string()),
            DeValue::Integer(i) => Self::Integer(i.as_str().replace('_', "")),
            DeValue::Float(f) => Self::Integer(f.as_str().replace('_', "")),
            DeValue::Boolean(b) => Self::Bool(*b),
            DeValue::Array(items) => Self::List(
                items
                    .iter()
                    .map(|v| (Self::of(v.get_ref(), reading), Some(reading.line_at(v.span().start))))
                    .collect(),
            ),
            DeValue::Table(_) => Self::Other("a table"),
            DeValue::Datetime(d) => Self::Text(d.to_string()),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other(name) => name,
        }
    }
}

/// One table of the config, or its absence.
pub struct Section<'r, 'a, 't> {
    reading: &'r mut Reading<'t>,
    path: String,
    table: Option<&'a DeTable<'a>>,
    /// Line of the table's first key, for problems of the whole section.
    line: Option<usize>,
    from_env: bool,
    known: Vec<&'static str>,
}

impl<'r, 'a, 't> Section<'r, 'a, 't> {
    /// The section `name` of `root`; a missing one reads as all defaults.
    pub fn of(reading: &'r mut Reading<'t>, root: &'a DeTable<'a>, name: &'static str) -> Self {
        let (table, line) = Self::sub_table(reading, root, name, name);
        Self { reading, path: name.to_owned(), table, line, from_env: true, known: Vec::new() }
    }

    fn sub_table(
        reading: &mut Reading<'t>,
        root: &'a DeTable<'a>,
        name: &str,
        path: &str,
    ) -> (Option<&'a DeTable<'a>>, Option<usize>) {
        let Some(value) = root.get(name) else { return (None, None) };
        let line = reading.line_at(value.span().start);
        match value.get_ref() {
            DeValue::Table(table) => (Some(table), Some(line)),
            other => {
                let message = format!("must be a table, written [{path}], not {}", other.type_str());
                reading.problem(Some(line), path, message);
                (None, Some(line))
            }
        }
    }

    /// A table inside this one.
    pub fn child(&mut self, name: &'static str) -> Section<'_, 'a, 't> {
        self.known.push(name);
        let path = format!("{}.{name}", self.path);
        let (table, line) = match self.table {
            Some(table) => Self::sub_table(self.reading, table, name, &path),
            None => (None, None),
        };
        Section { reading: self.reading, path, table, line, from_env: self.from_env, known: Vec::new() }
    }

    /// Every table of the list `[[name]]` in `root`, read by `read`; `None` when there is no such list.
    pub fn list<T>(
        reading: &mut Reading<'t>,
        root: &'a DeTable<'a>,
        path: &str,
        name: &str,
        read: impl Fn(&mut Section<'_, 'a, 't>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = root.get(name)?;
        let line = reading.line_at(value.span().start);
        let DeValue::Array(items) = value.get_ref() else {
            reading.problem(Some(line), path, format!("must be a list of tables, written [[{path}]]"));
            return None;
        };
        let mut out = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let line = reading.line_at(item.span().start);
            let item_path = format!("{path}[{}]", index + 1);
            let DeValue::Table(table) = item.get_ref() else {
                reading.problem(Some(line), item_path, "must be a table");
                continue;
            };
            reading.items.insert((path.to_owned(), out.len()), line);
            let mut section = Section {
                reading,
                path: item_path,
                table: Some(table),
                line: Some(line),
                from_env: false,
                known: Vec::new(),
            };
            out.extend(read(&mut section));
            section.finish();
        }
        Some(out)
    }

    /// The same for a list inside this section.
    pub fn children<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Section<'_, 'a, 't>) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.known.push(name);
        let path = format!("{}.{name}", self.path);
        Self::list(self.reading, self.table?, &path, name, read)
    }

    /// Reports a problem of `key`, at its line when it is in the file, or with the variable that replaced it.
    pub fn problem(&mut self, key: &str, message: impl Into<String>) {
        let variable = self.variable(key);
        if self.reading.replaced.contains(&variable) {
            self.reading.problem(None, format!("MOISO_{variable}"), message);
            return;
        }
        let line = self.line_of(key).or(self.line);
        let path = format!("{}.{key}", self.path);
        self.reading.problem(line, path, message);
    }

    fn line_of(&self, key: &str) -> Option<usize> {
        let (key, _) = self.table?.iter().find(|(k, _)| k.get_ref() == key)?;
        Some(self.reading.line_at(key.span().start))
    }

    /// The variable that may replace a key, without its prefix.
    fn variable(&self, key: &str) -> String {
        format!("{}_{key}", self.path).replace(['.', '-'], "_").to_uppercase()
    }

    /// What the environment has in place of a key.
    fn replaced(&mut self, key: &'static str) -> Option<String> {
        let name = self.variable(key);
        let value = self.reading.env.remove(&name).filter(|_| self.from_env)?;
        self.reading.replaced.insert(name);
        Some(value)
    }

    fn ask(&mut self, key: &'static str) {
        self.known.push(key);
        let numbered = |c: char| matches!(c, '[' | ']') || c.is_ascii_digit();
        let levels = self.path.split('.').map(|level| level.trim_end_matches(numbered));
        let path: Vec<&str> = levels.chain([key]).collect();
        self.reading.keys.insert(path.join("."));
    }

    fn find(&mut self, key: &'static str) -> Option<Found> {
        self.ask(key);
        if let Some(value) = self.replaced(key) {
            return Some(Found::Text(value));
        }
        self.find_in_file(key)
    }

    fn find_in_file(&self, key: &str) -> Option<Found> {
        let value: &Spanned<DeValue<'_>> = self.table?.get(key)?;
        Some(Found::of(value.get_ref(), self.reading))
    }

    fn refuse(&mut self, key: &str, wanted: &str, found: &Found) {
        let message = format!("must be {wanted}, not {}", found.type_name());
        self.problem(key, message);
    }

    pub fn text(&mut self, key: &'static str, default: &str) -> String {
        match self.find(key) {
            None => default.to_owned(),
            Some(Found::Text(text)) => text,
            Some(other) => {
                self.refuse(key, "a text", &other);
                default.to_owned()
            }
        }
    }

    /// A text that is shown: letters and their marks are one code point each (NFC), however they were typed.
    pub fn words(&mut self, key: &'static str, default: &str) -> String {
        self.text(key, default).nfc().collect()
    }

    /// Such a text that is there and is not empty.
    pub fn optional_words(&mut self, key: &'static str) -> Option<String> {
        Some(self.words(key, "")).filter(|text| !text.is_empty())
    }

    /// A text that is there and is not empty.
    pub fn optional(&mut self, key: &'static str) -> Option<String> {
        Some(self.text(key, "")).filter(|text| !text.is_empty())
    }

    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.find(key) {
            None => default,
            Some(Found::Bool(value)) => value,
            Some(Found::Text(text)) if matches!(text.as_str(), "true" | "false") => text == "true",
            Some(other) => {
                self.refuse(key, "true or false", &other);
                default
            }
        }
    }

    /// A number within `range`, both ends allowed.
    pub fn number<T>(&mut self, key: &'static str, default: T, range: std::ops::RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let given = match self.find(key) {
            None => return default,
            Some(Found::Integer(text) | Found::Text(text)) => text,
            Some(other) => {
                self.refuse(key, "a number", &other);
                return default;
            }
        };
        match given.parse() {
            Ok(value) if range.contains(&value) => value,
            _ => {
                let (from, to) = (range.start(), range.end());
                self.problem(key, format!("must be a number from {from} to {to}, not {given:?}"));
                default
            }
        }
    }

    /// A text that `parse` accepts; `allowed` completes the sentence "must be …".
    pub fn parsed<T>(
        &mut self,
        key: &'static str,
        default: T,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        match self.find(key) {
            None => default,
            Some(Found::Text(text) | Found::Integer(text)) => parse(&text).unwrap_or_else(|| {
                self.problem(key, format!("must be {allowed}, not {text:?}"));
                default
            }),
            Some(other) => {
                self.refuse(key, allowed, &other);
                default
            }
        }
    }

    /// A text that must be given and that `parse` accepts.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.find(key) {
            None => {
                self.problem(key, format!("is missing; it must be {allowed}"));
                None
            }
            Some(Found::Text(text) | Found::Integer(text)) => {
                parse(&text).map_err(|why| self.problem(key, format!("{why}; it must be {allowed}"))).ok()
            }
            Some(other) => {
                self.refuse(key, allowed, &other);
                None
            }
        }
    }

    /// A list of texts, each accepted by `parse`; a single text is a list of one. Bad items are reported and left out.
    pub fn texts<T>(
        &mut self,
        key: &'static str,
        default: Vec<T>,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        self.ask(key);
        let found = match self.replaced(key) {
            // A variable has no types: a list is separated by `;`.
            Some(text) => {
                let items = text.split(';').map(|item| Found::Text(item.trim().to_owned()));
                Some(Found::List(items.map(|item| (item, None)).collect()))
            }
            None => self.find_in_file(key),
        };
        let items = match found {
            None => return default,
            Some(Found::List(items)) => items,
            Some(one @ (Found::Text(_) | Found::Integer(_))) => {
                vec![(one, self.line_of(key).or(self.line))]
            }
            Some(other) => {
                self.refuse(key, "a list", &other);
                return default;
            }
        };
        let mut out = Vec::new();
        let given_none = items.is_empty();
        for (item, line) in items {
            let parsed = match &item {
                Found::Text(text) | Found::Integer(text) => parse(text),
                _ => None,
            };
            if let Some(value) = parsed {
                out.push(value);
            } else {
                let given = match item {
                    Found::Text(text) | Found::Integer(text) => format!("{:?}", without_password(&text)),
                    other => other.type_name().to_owned(),
                };
                let how = if self.reading.replaced.contains(&self.variable(key)) {
                    "; separate several by `;`"
                } else {
                    ""
                };
                let message = format!("each must be {allowed}, not {given}{how}");
                match line {
                    Some(line) => self.reading.problem(Some(line), format!("{}.{key}", self.path), message),
                    None => self.problem(key, message),
                }
            }
        }
        if out.is_empty() && !given_none { default } else { out }
    }

    /// Reports the keys that nothing has read.
    pub fn finish(self) {
        let Some(table) = self.table else { return };
        for (key, _) in table {
            if !self.known.contains(&key.get_ref().as_ref()) {
                let line = self.reading.line_at(key.span().start);
                let message =
                    format!("is not a key of [{}]; its keys are {}", self.path, self.known.join(", "));
                self.reading.problem(Some(line), format!("{}.{}", self.path, key.get_ref()), message);
            }
        }
    }
}

/// An address without the user and password before its host: problems end in logs.
fn without_password(text: &str) -> Cow<'_, str> {
    let parts = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1)));
    parts.map_or(Cow::Borrowed(text), |(scheme, host)| Cow::Owned(format!("{scheme}://…@{host}")))
}
