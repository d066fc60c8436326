//! Operations on the board: each three bytes are one, with its two arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::Timestamp;
use moiso::board::call::{Call, CallId, Counter, Kind, Lane, NoticeId, Series, Ticket, Zone};
use moiso::board::input::{AnnouncementId, Effect, Input, LinkTrouble};
use moiso::board::state::{CounterMode, CounterState, Level, Notice, QueueState};
use moiso::board::{Board, Rules};
use moiso::clock::{Millis, Now};
use moiso::config::Config;

/// After so long the board takes a zone that says nothing of its end for free (`SPEECH_LIMIT`).
const LONGEST_SPEECH: Millis = Millis::from_secs(180);
/// Operations that one input may become.
const MOST: usize = 400;
const KINDS: [Kind; 6] =
    [Kind::Call, Kind::Recall, Kind::Transfer, Kind::Serving, Kind::Absent, Kind::Cancel];

const ZONES: &str =
    "[[audio.zone]]\nid = \"a\"\ncounters = [\"1\", \"2\"]\n[[audio.zone]]\nid = \"b\"\ncounters = []\n";

static CONFIG: LazyLock<Config> = LazyLock::new(|| Config::read(ZONES, [].into()).expect("a valid config"));

struct World {
    board: Board,
    now: Now,
    zones: Vec<Zone>,
    /// What each zone says, and since when.
    says: BTreeMap<Zone, (AnnouncementId, Millis)>,
    proven: BTreeSet<CallId>,
    calls: u64,
}

/// Whatever happens in whatever order: no zone talks over itself, no call is proved twice, deadlines lie ahead, and nothing
/// grows past its bound.
pub fn check(data: &[u8]) {
    let wall: Timestamp = "2026-11-24T02:00:00Z".parse().expect("a valid time");
    let now = Now { mono: Millis(5_000_000), wall };
    let zones = CONFIG.audio.zones.iter().map(|zone| zone.id.clone()).collect();
    let board = Board::new(Rules::of(&CONFIG), now);
    let mut world = World { board, now, zones, says: BTreeMap::new(), proven: BTreeSet::new(), calls: 0 };
    for bytes in data.chunks_exact(3).take(MOST) {
        world.step(bytes[0], bytes[1], bytes[2]);
    }
}

impl World {
    fn step(&mut self, op: u8, a: u8, b: u8) {
        let zone = self.zones[usize::from(a) % self.zones.len()].clone();
        let works = !b.is_multiple_of(4);
        match op % 20 {
            0..5 => {
                let call = self.call(a, b, false);
                self.give(Input::CallReceived(call));
            }
            5 => {
                let call = self.call(a, b, true);
                self.give(Input::CallReceived(call));
            }
            6 => {
                let call = self.call(a, b, false);
                self.give(Input::CallKept { call, proven: b.is_multiple_of(2), drawn: b.is_multiple_of(3) });
            }
            7 => {
                let call = self.call(a, b, false);
                self.give(Input::CallTold(call));
            }
            8 => self.give(Input::CounterChanged { counter: counter(a), state: self.state(b) }),
            9 => self.give(Input::CounterCleared { counter: counter(a) }),
            10 => {
                let state = QueueState {
                    waiting: u32::from(b),
                    next: vec![ticket(a)],
                    wait_minutes: None,
                    missed: vec![ticket(b)],
                    slot: None,
                    left_today: None,
                    at: self.now.wall,
                };
                self.give(Input::QueueChanged { series: series(a), state });
            }
            11 => self.give(Input::NoticePut(self.notice(a, b))),
            12 => self.give(Input::NoticeCleared { id: notice_id(a) }),
            13 => self.give(Input::LinkChanged { up: works }),
            14 => self.give(Input::SoundChanged { zone, works }),
            15 => self.give(Input::VoiceChanged { zone, speaks: works, shared: b.is_multiple_of(3) }),
            16 => {
                let call = CallId::parse(&format!("c{}", u64::from(a))).expect("a valid id");
                self.give(Input::SpokenElsewhere { call, zone: works.then_some(zone) });
            }
            17 => {
                if let Some((announcement, _)) = self.says.remove(&zone) {
                    self.give(Input::SpeechEnded { zone, announcement, completed: works });
                }
            }
            18 => match b % 5 {
                0 => self.give(Input::MuteChanged { zone: Some(zone), muted: a.is_multiple_of(2) }),
                1 => self.give(Input::IdentifyRequested),
                2 => self.give(Input::LinkTroubled { trouble: LinkTrouble::Refused }),
                3 => self.give(Input::GlassChanged { lit: a.is_multiple_of(2) }),
                _ => {
                    // The wall clock is set, also back.
                    let by = jiff::SignedDuration::from_mins((i64::from(a) - 128) * 30);
                    self.now.wall = self.now.wall.checked_add(by).unwrap_or(self.now.wall);
                    self.give(Input::Ticked);
                }
            },
            _ => self.wait(Millis(i64::from(a) * i64::from(b) * 10)),
        }
    }

    fn call(&mut self, a: u8, b: u8, again: bool) -> Call {
        self.calls += u64::from(!again);
        let kind = KINDS[usize::from(b) % KINDS.len()];
        let at = self.now.wall.checked_sub(jiff::SignedDuration::from_secs(i64::from(b / 64) * 70));
        Call {
            id: CallId::parse(&format!("c{}", self.calls)).expect("a valid id"),
            ticket: ticket(a),
            counter: counter(b),
            kind,
            at: at.unwrap_or(self.now.wall),
            seq: (b.is_multiple_of(5)).then_some(self.calls),
            series: (b.is_multiple_of(7)).then(|| series(a)),
            lane: if a.is_multiple_of(9) { Lane::Elderly } else { Lane::Regular },
            slot: None,
            holder: None,
        }
    }

    fn state(&self, b: u8) -> CounterState {
        let modes = [CounterMode::Open, CounterMode::Paused, CounterMode::Closed];
        CounterState {
            mode: modes[usize::from(b) % 3],
            ticket: (b.is_multiple_of(2)).then(|| ticket(b)),
            label: None,
            lanes: None,
            reopens: None,
            at: self.now.wall,
            seq: (b.is_multiple_of(5)).then_some(self.calls),
        }
    }

    fn notice(&self, a: u8, b: u8) -> Notice {
        let levels = [Level::Info, Level::Important, Level::Emergency];
        let after =
            |secs: u8| self.now.wall.checked_add(jiff::SignedDuration::from_secs(i64::from(secs))).ok();
        Notice {
            id: notice_id(a),
            text: "Hết số".to_owned(),
            text_en: None,
            level: levels[usize::from(b) % 3],
            from: (b.is_multiple_of(4)).then(|| after(a)).flatten(),
            until: (b % 4 < 2).then(|| after(b)).flatten(),
            zones: Vec::new(),
            speak: b % 2 == 1,
            recording: None,
            qr: None,
            author: None,
            at: self.now.wall,
        }
    }

    /// Goes on with a tick at each deadline, as the hub does.
    fn wait(&mut self, span: Millis) {
        let end = self.now.after(span);
        while let Some(due) = self.board.next_deadline(self.now).filter(|due| *due <= end.mono) {
            self.now = self.now.after(Millis((due - self.now.mono).0.max(0)));
            self.give(Input::Ticked);
            let next = self.board.next_deadline(self.now);
            assert!(next.is_none_or(|next| next > self.now.mono), "after a tick the next deadline is later");
        }
        self.now = end;
    }

    fn give(&mut self, input: Input) {
        for effect in self.board.apply(self.now, input) {
            match effect {
                Effect::Announce(announcement) => {
                    let id = announcement.id;
                    self.board.apply(
                        self.now,
                        Input::SpeechStarted { zone: announcement.zone.clone(), announcement: id },
                    );
                    let before = self.says.insert(announcement.zone, (id, self.now.mono));
                    let over = before.is_none_or(|(_, since)| self.now.mono - since >= LONGEST_SPEECH);
                    assert!(over, "a zone talks over itself");
                }
                Effect::Prove { call, .. } => {
                    assert!(self.proven.insert(call.clone()), "{call} is proved twice");
                }
                Effect::Show | Effect::Ignore { .. } => {}
            }
        }
        let view = self.board.view(self.now);
        assert!(view.spotlight.len() <= 3 && view.recent.len() <= 24);
        assert!(self.board.notices(self.now).len() <= 50);
    }
}

fn ticket(n: u8) -> Ticket {
    Ticket::parse(&format!("{}{:03}", ['A', 'B', 'C', 'D'][usize::from(n) % 4], n / 4))
        .expect("a valid ticket")
}

fn counter(n: u8) -> Counter {
    Counter::parse(&(n % 14 + 1).to_string()).expect("a valid counter")
}

fn series(n: u8) -> Series {
    Series::parse(["A", "B", "C", "D"][usize::from(n) % 4]).expect("a valid series")
}

fn notice_id(n: u8) -> NoticeId {
    NoticeId::parse(&format!("n{}", n % 60)).expect("a valid id")
}
