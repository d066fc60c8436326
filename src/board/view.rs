//! What the board shows: an immutable snapshot that the picture, the page and the tests read.

use std::sync::Arc;

use jiff::{Timestamp, civil};

use super::call::{CallId, Counter, Holder, Kind, Lane, NoticeId, Series, Ticket, Zone};
use super::input::{LinkTrouble, Message};
use super::state::{CounterMode, Level};
use crate::clock::Millis;

/// One snapshot. Views may be skipped; each is complete.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardView {
    /// Grows with every change.
    pub revision: u64,
    pub phase: Phase,
    /// Nobody is expected before the panel, so it is dark.
    pub dark: bool,
    /// The calls that hold the spotlight, newest first, at most three.
    pub spotlight: Vec<Spot>,
    /// When other calls than before came to share the spotlight, or their order changed.
    pub spotlight_since: Millis,
    /// Calls that wait for the spotlight.
    pub spotlight_waiting: usize,
    /// Calls that left the spotlight or share it, newest first; the picture decides how many fit.
    pub recent: Vec<RecentCall>,
    /// Tickets whose holder did not come, newest first.
    pub missed: Vec<MissedCall>,
    /// Every counter, in the order of the config, then by name.
    pub counters: Vec<CounterView>,
    pub queues: Vec<QueueView>,
    /// What runs on the ticker, in order.
    pub ticker: Vec<TickerItem>,
    /// The notice that takes the whole screen.
    pub emergency: Option<TickerItem>,
    pub link: LinkView,
    /// The screen's name in large type until then, after an `identify` command.
    pub identify_until: Option<Millis>,
}

/// A shared snapshot.
pub type SharedView = Arc<BoardView>;

/// Whether the hall serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Open,
    /// Before hours, at lunch, after hours or on a day off.
    Closed {
        reason: ClosedReason,
        opens: Option<Opening>,
    },
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClosedReason {
    BeforeHours,
    Break,
    AfterHours,
    DayOff,
}

/// The next opening.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub date: civil::Date,
    pub time: civil::Time,
    /// 0 = today, 1 = tomorrow.
    pub in_days: i32,
}

/// A call in the spotlight.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    pub call: CallId,
    pub ticket: Ticket,
    pub counter: Counter,
    pub kind: Kind,
    pub lane: Lane,
    pub slot: Option<civil::Time>,
    pub holder: Option<Holder>,
    /// When it took the spotlight.
    pub since: Millis,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RecentCall {
    pub ticket: Ticket,
    pub counter: Counter,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MissedCall {
    pub ticket: Ticket,
    pub counter: Option<Counter>,
    pub at: Timestamp,
}

/// One cell of the counter grid.
#[derive(Clone, Debug, PartialEq)]
pub struct CounterView {
    pub counter: Counter,
    /// `Quầy`, `Phòng`, `Bàn` …
    pub noun: String,
    pub label: Option<String>,
    pub label_en: Option<String>,
    pub lanes: Vec<Lane>,
    pub mode: CounterMode,
    pub ticket: Option<Ticket>,
    /// Lane and slot of the ticket being served.
    pub lane: Lane,
    pub slot: Option<civil::Time>,
    pub reopens: Option<civil::Time>,
    /// Its current ticket holds the spotlight or waits for it.
    pub called: bool,
    /// When its ticket was last called; brings its page up.
    pub called_at: Option<Millis>,
    /// Its own state is known, or it has called or served today.
    pub known: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct QueueView {
    pub series: Series,
    pub label: Option<String>,
    pub waiting: u32,
    pub next: Vec<Ticket>,
    pub wait_minutes: Option<u32>,
    pub left_today: Option<u32>,
}

/// A notice as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickerItem {
    pub id: NoticeId,
    pub text: String,
    pub text_en: Option<String>,
    pub level: Level,
    pub qr: Option<String>,
    pub until: Option<Timestamp>,
}

/// What one zone says and will say, for operators: the board does not show it.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneSpeech {
    pub zone: Zone,
    pub running: Option<SpeechLine>,
    /// In the order in which it will be said if nothing else comes; the first of them.
    pub waiting: Vec<SpeechLine>,
    /// How many wait behind those.
    pub more: usize,
}

/// One announcement.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeechLine {
    pub message: Message,
    /// When it began to wait.
    pub queued: Millis,
}

/// The link to the broker, as citizens need to know it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// The link has been down longer than `stale_after`.
    pub stale: bool,
    /// Why, where it is known and somebody must mend it.
    pub trouble: Option<LinkTrouble>,
    /// Time of the last news; none before the first.
    pub last_news: Option<Timestamp>,
    /// How many seconds this screen's clock is ahead of the events' times, in steps of five; 0 while they agree.
    pub skew_s: i64,
}

impl BoardView {
    /// The calls that a picture of this view shows large: the spotlight, unless the panel is dark or something takes the
    /// whole screen.
    pub fn called(&self) -> &[Spot] {
        let covered = self.dark || self.emergency.is_some() || self.phase != Phase::Open;
        if covered { &[] } else { &self.spotlight }
    }

    /// An open hall of which nothing is known.
    pub fn empty() -> Self {
        Self {
            revision: 0,
            phase: Phase::Open,
            dark: false,
            spotlight: Vec::new(),
            spotlight_since: Millis::ZERO,
            spotlight_waiting: 0,
            recent: Vec::new(),
            missed: Vec::new(),
            counters: Vec::new(),
            queues: Vec::new(),
            ticker: Vec::new(),
            emergency: None,
            link: LinkView { stale: false, trouble: None, last_news: None, skew_s: 0 },
            identify_until: None,
        }
    }
}
