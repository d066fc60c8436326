//! The sentence of a hall as a template: literal words, breaks, and named slots in braces. A `?` marks a slot that may
//! be empty.

use unicode_normalization::UnicodeNormalization;

/// What a slot stands for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    Chime,
    Ticket,
    Lane,
    CounterNoun,
    Counter,
}

impl Slot {
    const ALL: [(&'static str, Self); 5] = [
        ("chime", Self::Chime),
        ("ticket", Self::Ticket),
        ("lane", Self::Lane),
        ("counter_noun", Self::CounterNoun),
        ("counter", Self::Counter),
    ];
    pub const ALLOWED: &'static str = "{chime}, {ticket}, {lane?}, {counter_noun}, {counter}";
}

/// A piece of a template, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// One word as it is written.
    Word(String),
    /// A comma, colon, full stop: a clause ends.
    Break(char),
    Slot(Slot),
}

/// A checked template: it names the ticket and the counter, and nothing unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl Template {
    /// # Errors
    /// All problems, each a sentence without its subject, such as "has no {ticket}".
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let (pieces, mut problems) = scan(text);
        for (needed, name) in [(Slot::Ticket, "{ticket}"), (Slot::Counter, "{counter}")] {
            match pieces.iter().filter(|p| **p == Piece::Slot(needed)).count() {
                0 => problems.push(format!("has no {name}")),
                1 => {}
                _ => problems.push(format!("has {name} more than once")),
            }
        }
        if problems.is_empty() { Ok(Self(pieces)) } else { Err(problems) }
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

fn scan(text: &str) -> (Vec<Piece>, Vec<String>) {
    let mut pieces = Vec::new();
    let mut problems = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        pieces.extend(words(&rest[..open]));
        let Some(close) = rest[open..].find('}').map(|at| open + at) else {
            problems.push("has a { without its }".to_owned());
            return (pieces, problems);
        };
        let name = rest[open + 1..close].trim();
        let known = Slot::ALL.iter().find(|(known, _)| *known == name.trim_end_matches('?'));
        match known {
            Some((_, slot)) => pieces.push(Piece::Slot(*slot)),
            None => problems.push(format!("has {{{name}}}; the slots are {}", Slot::ALLOWED)),
        }
        rest = &rest[close + 1..];
    }
    if rest.contains('}') {
        problems.push("has a } without its {".to_owned());
    }
    pieces.extend(words(rest));
    (pieces, problems)
}

/// What means something beside a word. No voice says it, so that a notice that has one is not said without it.
const SIGNS: &str = "%‰+/=°$€₫&@#№×÷±<>≤≥";

/// Splits running text into words and breaks; brackets and quotation marks are not spoken and fall away, other signs are
/// words.
pub fn words(text: &str) -> Vec<Piece> {
    let text: String = text.nfc().collect();
    let mut pieces = Vec::new();
    for token in text.split_whitespace() {
        if matches!(token, "-" | "–" | "—" | "·") {
            pieces.push(Piece::Break(','));
            continue;
        }
        let start = token.trim_start_matches(|c: char| !c.is_alphanumeric());
        let word = start.trim_end_matches(|c: char| !c.is_alphanumeric());
        let (head, tail) = (&token[..token.len() - start.len()], &start[word.len()..]);
        pieces.extend(signs(head));
        if !word.is_empty() {
            pieces.push(Piece::Word(word.to_owned()));
        }
        pieces.extend(signs(tail));
        let end = if word.is_empty() { head } else { tail };
        let stop = end.chars().find(|c| matches!(c, ',' | ';' | ':' | '.' | '!' | '?' | '…'));
        pieces.extend(stop.map(Piece::Break));
    }
    pieces
}

fn signs(text: &str) -> impl Iterator<Item = Piece> {
    text.chars().filter(|c| SIGNS.contains(*c)).map(|c| Piece::Word(c.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_named() {
        let problems = Template::parse("Mời {ticet} {counter} {counter} {").unwrap_err();
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems[0].starts_with("has {ticet}; the slots are {chime}"));
        assert_eq!(problems[1], "has a { without its }");
        assert_eq!(problems[2], "has no {ticket}");
        assert_eq!(problems[3], "has {counter} more than once");
    }

    #[test]
    fn text_falls_into_words_and_breaks() {
        let word = |w: &str| Piece::Word(w.into());
        assert_eq!(
            words("Hệ thống \"tạm dừng\", mời chờ!"),
            [
                word("Hệ"),
                word("thống"),
                word("tạm"),
                word("dừng"),
                Piece::Break(','),
                word("mời"),
                word("chờ"),
                Piece::Break('!')
            ]
        );
        assert_eq!(
            words("(+84 + 50%),"),
            [word("+"), word("84"), word("+"), word("50"), word("%"), Piece::Break(',')]
        );
    }
}
