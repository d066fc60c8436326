//! What other systems say about counters, queues and notices: the payloads of the retained topics as domain values.

use jiff::{Timestamp, civil};

use super::call::{Call, Counter, Lane, NoticeId, RecordingId, Series, Ticket, Zone};

/// Whether a counter serves.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum CounterMode {
    Open,
    Paused,
    Closed,
}

impl CounterMode {
    pub const ALLOWED: &'static str = "open, paused, closed";

    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Paused, Self::Closed].into_iter().find(|m| m.as_str() == text)
    }
}

/// The retained state of one counter.
#[derive(Clone, Debug, PartialEq)]
pub struct CounterState {
    pub mode: CounterMode,
    pub ticket: Option<Ticket>,
    /// Replaces the configured label when given.
    pub label: Option<String>,
    /// Replaces the configured lanes when given.
    pub lanes: Option<Vec<Lane>>,
    /// When a paused counter serves again, local time of day.
    pub reopens: Option<civil::Time>,
    pub at: Timestamp,
    pub seq: Option<u64>,
}

/// The retained state of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueState {
    pub waiting: u32,
    pub next: Vec<Ticket>,
    pub wait_minutes: Option<u32>,
    pub missed: Vec<Ticket>,
    pub slot: Option<civil::Time>,
    /// Tickets that can still be taken today; 0 is shown as "none left".
    pub left_today: Option<u32>,
    pub at: Timestamp,
}

/// How much a notice matters; later variants come first on the ticker.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Info,
    Important,
    /// Takes the whole screen until it ends.
    Emergency,
}

impl Level {
    pub const ALLOWED: &'static str = "info, important, emergency";

    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Important => "important",
            Self::Emergency => "emergency",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Info, Self::Important, Self::Emergency].into_iter().find(|l| l.as_str() == text)
    }
}

/// A call event and the zones where it was said to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub call: Call,
    pub spoken: Vec<Zone>,
}

/// What a screen can tell another of the hall's state. Taken twice it adds nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Knowledge {
    pub counters: Vec<(Counter, CounterState)>,
    pub queues: Vec<(Series, QueueState)>,
    pub notices: Vec<Notice>,
    /// In the order of their coming.
    pub calls: Vec<Told>,
}

/// Longest text of a notice, in characters (wire contract).
pub const TEXT_MAX: usize = 500;

/// One operator notice.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub id: NoticeId,
    pub text: String,
    pub text_en: Option<String>,
    pub level: Level,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Zones that show it; empty means all.
    pub zones: Vec<Zone>,
    pub speak: bool,
    /// What is heard instead of the text read aloud; only an id, the sound lies with the screen that recorded it.
    pub recording: Option<RecordingId>,
    pub qr: Option<String>,
    pub author: Option<String>,
    pub at: Timestamp,
}

impl Notice {
    pub fn has_ended(&self, wall: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= wall)
    }

    /// Whether the notice is on at `wall`; `until` is exclusive.
    pub fn is_on(&self, wall: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= wall) && !self.has_ended(wall)
    }
}
