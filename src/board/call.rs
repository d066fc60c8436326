//! The words of a hall: tickets, counters, calls, and how they are parsed.
//!
//! Every constructor normalises to NFC and refuses what cannot be shown or spoken; a value of these types is always
//! safe to draw, log and read aloud. A holder's name enters only masked.

use std::fmt;

use jiff::{Timestamp, civil};
use smol_str::SmolStr;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Longest ticket code, in characters (wire contract).
pub const TICKET_MAX: usize = 12;
/// Longest identifier of a counter, series, zone or screen, in characters.
pub const NAME_MAX: usize = 32;
/// Longest id of a call or notice, in characters.
pub const ID_MAX: usize = 128;

/// Why a text cannot be one of the hall's words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WordError {
    #[error("is empty")]
    Empty,
    #[error("is longer than {max} characters")]
    TooLong { max: usize },
    #[error("has a control or invisible character (U+{code:04X})")]
    Control { code: u32 },
    #[error("is not one of: {allowed}")]
    Unknown { allowed: &'static str },
}

/// Normalises to NFC, trims, and checks length and characters.
///
/// Control characters, line breaks, bidirectional overrides and zero-width characters are refused: they would make
/// the number that is shown differ from the number that was sent.
pub fn clean(text: &str, max: usize) -> Result<String, WordError> {
    let text: String = text.trim().nfc().collect();
    if text.is_empty() {
        return Err(WordError::Empty);
    }
    if text.chars().count() > max {
        return Err(WordError::TooLong { max });
    }
    match text.chars().find(|c| is_unseen(*c)) {
        Some(c) => Err(WordError::Control { code: c as u32 }),
        None => Ok(text),
    }
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

// Words are copied with every view, so a copy asks for no memory.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// # Errors
            /// [`WordError`] when the text is empty, too long or has unseen characters.
            pub fn parse(text: &str) -> Result<Self, WordError> {
                clean(text, $max).map(|text| Self(text.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

word!(
    /// What is printed on the citizen's slip, for instance `A012` or `1005`; shown whole, never padded or cut.
    Ticket,
    TICKET_MAX
);
word!(
    /// A counter's identifier in topics and config, for instance `5` or `A`.
    Counter,
    NAME_MAX
);
word!(
    /// A series of tickets, usually a letter.
    Series,
    NAME_MAX
);
word!(
    /// Identity of one call event; the same id is the same event, however often it arrives.
    CallId,
    ID_MAX
);
word!(
    /// Identity of a notice, the last level of its topic.
    NoticeId,
    ID_MAX
);
word!(
    /// A set of counters that share loudspeakers.
    Zone,
    NAME_MAX
);

/// Identity of a recorded message: 32 hexadecimal digits, lower case, from the hash of its sound.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(String);

impl RecordingId {
    /// # Errors
    /// [`WordError`] when the text is anything else; an id can so always be part of a file's name.
    pub fn parse(text: &str) -> Result<Self, WordError> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 32 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(WordError::Unknown { allowed: "32 hexadecimal digits" })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happened to a ticket.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Its holder is asked to a counter.
    Call,
    /// The same ticket again; replaces its own pending announcement.
    Recall,
    /// The ticket moves to another counter.
    Transfer,
    /// The citizen came: stop announcing.
    Serving,
    /// Nobody came; the ticket goes to the missed list.
    Absent,
    /// The call was a mistake.
    Cancel,
}

impl Kind {
    pub const ALL: [(&'static str, Self); 6] = [
        ("call", Self::Call),
        ("recall", Self::Recall),
        ("transfer", Self::Transfer),
        ("serving", Self::Serving),
        ("absent", Self::Absent),
        ("cancel", Self::Cancel),
    ];
    pub const ALLOWED: &'static str = "call, recall, transfer, serving, absent, cancel";

    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::ALL, self)
    }

    /// # Errors
    /// [`WordError::Unknown`] for any other word.
    pub fn parse(text: &str) -> Result<Self, WordError> {
        named(&Self::ALL, text, Self::ALLOWED)
    }

    /// Whether the hall is asked to look up and listen.
    pub fn summons(self) -> bool {
        matches!(self, Self::Call | Self::Recall | Self::Transfer)
    }
}

/// Why somebody is served the way they are; priority lanes are shown with words and an icon.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    Regular,
    Booked,
    Owner,
    Authorised,
    Elderly,
    Merit,
    Disabled,
    Pregnant,
    Child,
}

impl Lane {
    pub const ALL: [(&'static str, Self); 9] = [
        ("regular", Self::Regular),
        ("booked", Self::Booked),
        ("owner", Self::Owner),
        ("authorised", Self::Authorised),
        ("elderly", Self::Elderly),
        ("merit", Self::Merit),
        ("disabled", Self::Disabled),
        ("pregnant", Self::Pregnant),
        ("child", Self::Child),
    ];
    pub const ALLOWED: &'static str =
        "regular, booked, owner, authorised, elderly, merit, disabled, pregnant, child";

    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        name_of(&Self::ALL, self)
    }

    /// # Errors
    /// [`WordError::Unknown`] for any other word.
    pub fn parse(text: &str) -> Result<Self, WordError> {
        named(&Self::ALL, text, Self::ALLOWED)
    }

    /// Lanes that come before the others by law or custom.
    pub fn is_priority(self) -> bool {
        matches!(self, Self::Elderly | Self::Merit | Self::Disabled | Self::Pregnant | Self::Child)
    }

    /// The lane in Vietnamese, lower case, as spoken; none for [`Lane::Regular`].
    pub fn spoken(self) -> Option<&'static str> {
        match self {
            Self::Regular => None,
            Self::Booked => Some("đã đặt lịch"),
            Self::Owner => Some("chính chủ"),
            Self::Authorised => Some("người được ủy quyền"),
            Self::Elderly => Some("người cao tuổi"),
            Self::Merit => Some("người có công"),
            Self::Disabled => Some("người khuyết tật"),
            Self::Pregnant => Some("phụ nữ mang thai"),
            Self::Child => Some("trẻ em"),
        }
    }
}

fn name_of<T: PartialEq + Copy>(all: &'static [(&'static str, T)], value: T) -> &'static str {
    all.iter().find(|(_, v)| *v == value).map_or("", |(name, _)| name)
}

fn named<T: Copy>(all: &[(&'static str, T)], text: &str, allowed: &'static str) -> Result<T, WordError> {
    all.iter().find(|(name, _)| *name == text).map(|(_, v)| *v).ok_or(WordError::Unknown { allowed })
}

/// A person's name, masked on entry (`Ng***n V** A`); the full name is never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(String);

impl Holder {
    /// Masks `name`: the first and last word keep their ends, every other letter becomes a star.
    ///
    /// # Errors
    /// [`WordError`] as for the other words, with at most 80 characters.
    pub fn mask(name: &str) -> Result<Self, WordError> {
        let name = clean(name, 80)?;
        let words: Vec<&str> = name.split_whitespace().collect();
        let last = words.len() - 1;
        let masked: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(i, word)| match (i, word.chars().count()) {
                (_, 0) => String::new(),
                (i, 1) if i == last && i > 0 => (*word).to_owned(),
                (0, n) if n > 3 => mask_middle(word, 2, 1),
                (_, _) => mask_middle(word, 1, 0),
            })
            .collect();
        Ok(Self(masked.join(" ")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn mask_middle(word: &str, head: usize, tail: usize) -> String {
    let n = word.chars().count();
    word.chars().enumerate().map(|(i, c)| if i < head || i + tail >= n { c } else { '*' }).collect()
}

/// One event about one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub id: CallId,
    pub ticket: Ticket,
    pub counter: Counter,
    pub kind: Kind,
    /// When the queue system says that it happened.
    pub at: Timestamp,
    /// Sequence number of the queue system, where it has one.
    pub seq: Option<u64>,
    pub series: Option<Series>,
    pub lane: Lane,
    /// Start of the booked window, local time of day.
    pub slot: Option<civil::Time>,
    pub holder: Option<Holder>,
}

#[cfg(test)]
impl Call {
    /// A plain call of the epoch, for tests.
    pub(crate) fn plain(ticket: &str, counter: &str) -> Self {
        Self {
            id: CallId::parse(&format!("{ticket}-{counter}")).expect("a valid id"),
            ticket: Ticket::parse(ticket).expect("a valid ticket"),
            counter: Counter::parse(counter).expect("a valid counter"),
            kind: Kind::Call,
            at: Timestamp::UNIX_EPOCH,
            seq: None,
            series: None,
            lane: Lane::Regular,
            slot: None,
            holder: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_normalised_and_never_cut() {
        assert_eq!(Ticket::parse(" 1005 ").unwrap().as_str(), "1005");
        assert_eq!(Ticket::parse("D\u{323}1").unwrap().as_str(), "\u{1e0c}1");
        assert_eq!(Ticket::parse("A012345678901"), Err(WordError::TooLong { max: 12 }));
        assert_eq!(Ticket::parse(" "), Err(WordError::Empty));
        assert_eq!(Ticket::parse("A\u{202e}012"), Err(WordError::Control { code: 0x202e }));
        assert_eq!(Ticket::parse("A\n1"), Err(WordError::Control { code: 10 }));
    }

    #[test]
    fn a_holder_is_masked() {
        assert_eq!(Holder::mask("Nguyễn Văn A").unwrap().as_str(), "Ng***n V** A");
        assert_eq!(Holder::mask("Lê Bình").unwrap().as_str(), "L* B***");
        assert_eq!(Holder::mask("An").unwrap().as_str(), "A*");
    }

    #[test]
    fn every_kind_and_lane_has_its_word() {
        for (name, kind) in Kind::ALL {
            assert_eq!(Kind::parse(name), Ok(kind));
            assert_eq!(kind.as_str(), name);
            assert!(Kind::ALLOWED.contains(name));
        }
        for (name, lane) in Lane::ALL {
            assert_eq!(Lane::parse(name), Ok(lane));
            assert_eq!(lane.as_str(), name);
            assert!(Lane::ALLOWED.contains(name));
        }
    }
}
