//! A hall for the tests of the board: inputs at a manual time, with a tick at every deadline as the hub does.

#![allow(dead_code, reason = "each test program uses a part")]

pub mod oracle;

use jiff::Timestamp;
use moiso::board::call::{Call, CallId, Counter, Kind, Lane, NoticeId, Ticket, Zone};
use moiso::board::input::{Announcement, Effect, Input, Message, Outcome};
use moiso::board::state::{CounterMode, CounterState, Level, Notice};
use moiso::board::view::BoardView;
use moiso::board::{Board, Rules};
use moiso::clock::{Millis, Now};
use moiso::config::{Config, ZoneConfig};

pub const DWELL: Millis = Millis::from_secs(8);
pub const MAX_AGE: Millis = Millis::from_secs(120);

pub struct Hall {
    pub board: Board,
    pub now: Now,
    ids: u64,
}

pub fn wall(text: &str) -> Timestamp {
    format!("{text}+07:00").parse().expect("a valid time")
}

pub fn counter(name: &str) -> Counter {
    Counter::parse(name).expect("a valid counter")
}

pub fn ticket(code: &str) -> Ticket {
    Ticket::parse(code).expect("a valid ticket")
}

pub fn zone(name: &str) -> Zone {
    Zone::parse(name).expect("a valid zone")
}

pub fn id(text: &str) -> CallId {
    CallId::parse(text).expect("a valid id")
}

pub fn zone_config(name: &str, counters: &[&str]) -> ZoneConfig {
    let counters = counters.iter().map(|name| counter(name)).collect();
    ZoneConfig {
        id: zone(name),
        counters,
        device: None,
        channels: Vec::new(),
        gain_db: 0.0,
        quiet: Vec::new(),
    }
}

pub fn rules() -> Rules {
    Rules::of(&Config::default())
}

impl Hall {
    /// A Tuesday morning with the link up.
    pub fn new() -> Self {
        Self::with(rules(), "2026-11-24T09:00")
    }

    pub fn with(rules: Rules, time: &str) -> Self {
        let now = Now { mono: Millis(5_000_000), wall: wall(time) };
        let mut hall = Self { board: Board::new(rules, now), now, ids: 0 };
        hall.give(Input::LinkChanged { up: true });
        hall
    }

    /// A call event of this moment with a new id.
    pub fn event(&mut self, kind: Kind, code: &str, name: &str) -> Call {
        self.ids += 1;
        Call {
            id: id(&format!("id-{}", self.ids)),
            ticket: ticket(code),
            counter: counter(name),
            kind,
            at: self.now.wall,
            seq: None,
            series: None,
            lane: Lane::Regular,
            slot: None,
            holder: None,
        }
    }

    pub fn give(&mut self, input: Input) -> Vec<Effect> {
        self.board.apply(self.now, input)
    }

    pub fn tell(&mut self, kind: Kind, code: &str, name: &str) -> Vec<Effect> {
        let call = self.event(kind, code, name);
        self.give(Input::CallReceived(call))
    }

    pub fn call(&mut self, code: &str, name: &str) -> Vec<Effect> {
        self.tell(Kind::Call, code, name)
    }

    pub fn state(&self, mode: CounterMode, code: Option<&str>) -> CounterState {
        let at = self.now.wall;
        CounterState {
            mode,
            ticket: code.map(ticket),
            label: None,
            lanes: None,
            reopens: None,
            at,
            seq: None,
        }
    }

    /// Goes on to the end of `span`, with a tick at each deadline on the way.
    pub fn wait(&mut self, span: Millis) -> Vec<Effect> {
        let mut effects = Vec::new();
        let end = self.now.after(span);
        while let Some(due) = self.board.next_deadline(self.now).filter(|due| *due <= end.mono) {
            self.now = self.now.after(due - self.now.mono);
            effects.extend(self.board.apply(self.now, Input::Ticked));
            let next = self.board.next_deadline(self.now).expect("the wall clock is looked at again");
            assert!(next > self.now.mono, "after a tick the next deadline is later");
        }
        self.now = end;
        effects
    }

    pub fn wait_secs(&mut self, secs: i64) -> Vec<Effect> {
        self.wait(Millis::from_secs(secs))
    }

    /// The loudspeakers have said it, or were lost.
    pub fn end(&mut self, announcement: &Announcement, completed: bool) -> Vec<Effect> {
        let (zone, announcement) = (announcement.zone.clone(), announcement.id);
        self.give(Input::SpeechEnded { zone, announcement, completed })
    }

    /// Ends every announcement in its time until nothing is left to say; all effects in order.
    pub fn speak_all(&mut self, first: Vec<Effect>, each: Millis) -> Vec<Effect> {
        let mut effects = first;
        let mut next = 0;
        while next < effects.len() {
            if let Effect::Announce(announcement) = effects[next].clone() {
                effects.extend(self.wait(each));
                effects.extend(self.end(&announcement, true));
            }
            next += 1;
        }
        effects
    }

    pub fn view(&self) -> BoardView {
        self.board.view(self.now)
    }

    /// Tickets in the spotlight, newest first.
    pub fn spotlight(&self) -> Vec<String> {
        self.view().spotlight.iter().map(|s| s.ticket.to_string()).collect()
    }

    pub fn recent(&self) -> Vec<String> {
        self.view().recent.iter().map(|c| format!("{}@{}", c.ticket, c.counter)).collect()
    }

    pub fn missed(&self) -> Vec<String> {
        self.view().missed.iter().map(|c| c.ticket.to_string()).collect()
    }

    /// The ticket on a counter's cell.
    pub fn cell(&self, name: &str) -> Option<String> {
        let view = self.view();
        let cell = view.counters.iter().find(|c| c.counter.as_str() == name).expect("the counter has a cell");
        cell.ticket.as_ref().map(ToString::to_string)
    }
}

pub fn notice(name: &str, level: Level, at: Timestamp) -> Notice {
    Notice {
        id: NoticeId::parse(name).expect("a valid id"),
        text: format!("Thông báo {name}"),
        text_en: None,
        level,
        from: None,
        until: None,
        zones: Vec::new(),
        speak: false,
        recording: None,
        qr: None,
        author: None,
        at,
    }
}

pub fn announcements(effects: &[Effect]) -> Vec<Announcement> {
    effects.iter().filter_map(|e| if let Effect::Announce(a) = e { Some(a.clone()) } else { None }).collect()
}

/// What is said, in order: tickets with their counters, and notices by id.
pub fn said(effects: &[Effect]) -> Vec<String> {
    let words = |a: &Announcement| match &a.message {
        Message::Call { ticket, counter, .. } => format!("{ticket}@{counter}"),
        Message::Notice { id, .. } => id.to_string(),
    };
    announcements(effects).iter().map(words).collect()
}

/// Proofs in order.
pub fn proofs(effects: &[Effect]) -> Vec<(String, Outcome)> {
    let proof = |e: &Effect| match e {
        Effect::Prove { call, outcome } => Some((call.to_string(), *outcome)),
        _ => None,
    };
    effects.iter().filter_map(proof).collect()
}
