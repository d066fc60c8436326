//! Who speaks in a hall of several screens: the rules, and the laws of a hall whose screens die, sleep and lose their
//! sound, with real boards and a simulated broker that delays, remembers and is stopped.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod hall;

use std::collections::{BTreeMap, VecDeque};

use hall::{MAX_AGE, rules, wall, zone};
use jiff::Timestamp;
use moiso::board::Board;
use moiso::board::call::{Call, CallId, Counter, Kind, Lane, Ticket};
use moiso::board::input::{AnnouncementId, Effect, Input, Message, Outcome};
use moiso::clock::{Millis, Now};
use moiso::screens::ScreenReport;
use moiso::voices::{Sound, Turn, Voices};
use proptest::prelude::*;

const SANH: &str = "sanh";
const WORKS: Sound = Sound { works: true, busy: false };
const BUSY: Sound = Sound { works: true, busy: true };
const LOST: Sound = Sound { works: false, busy: false };

fn voices(own: &str, rank: u32) -> Voices {
    let mut voices = Voices::new(own, rank, [zone(SANH)], Millis::ZERO);
    voices.link_changed(true, Millis::ZERO);
    voices
}

fn report(rank: u32, audible: bool, speaks: bool) -> ScreenReport {
    let zones = |has: bool| Some(if has { vec![SANH.to_owned()] } else { Vec::new() });
    let (audible, speaks) = (zones(audible), zones(speaks));
    ScreenReport { online: true, rank: Some(rank), audible, speaks, ..ScreenReport::default() }
}

fn offline() -> ScreenReport {
    ScreenReport::default()
}

/// Looks around at each of these times, in milliseconds, and tells whether it may begin to speak after each. What it says of
/// itself comes back at once.
fn at<const N: usize>(voices: &mut Voices, sound: Sound, times: [i64; N]) -> [bool; N] {
    times.map(|ms| {
        let [begins] = unheard_at(voices, sound, [ms]);
        let (own, next) = (voices.own().to_owned(), voices.next());
        voices.heard(&own, &ScreenReport { online: true, next, ..ScreenReport::default() }, Millis(ms));
        begins
    })
}

/// The same, where nothing comes back.
fn unheard_at<const N: usize>(voices: &mut Voices, sound: Sound, times: [i64; N]) -> [bool; N] {
    times.map(|ms| {
        voices.turn([sound], Millis(ms));
        voices.speaks() == [SANH] && !sound.busy
    })
}

#[test]
fn a_screen_alone_speaks_after_three_seconds_of_its_link_or_ten_without_one() {
    assert_eq!(at(&mut voices("a", 1), WORKS, [0, 2_999, 3_000]), [false, false, true]);
    let mut cut_off = Voices::new("a", 1, [zone(SANH)], Millis::ZERO);
    assert_eq!(
        at(&mut cut_off, WORKS, [0, 7_000, 10_000, 12_999, 13_000]),
        [false, false, false, false, true]
    );
    assert_eq!(at(&mut voices("a", 1), LOST, [0, 5_000]), [false, false], "without loudspeakers never");
}

#[test]
fn the_lowest_rank_speaks_and_of_equal_ranks_the_first_name() {
    for (rank, own, speaks) in [(2, "b", false), (1, "b", false), (0, "b", true), (1, "A", true)] {
        let mut screen = voices(own, rank);
        screen.heard("a", &report(1, true, false), Millis(2_000));
        assert_eq!(
            at(&mut screen, WORKS, [2_000, 5_000])[1],
            speaks,
            "{own} of rank {rank} beside a of rank 1"
        );
    }
    let mut beside_the_deaf = voices("b", 2);
    beside_the_deaf.heard("a", &report(1, false, false), Millis(2_000));
    assert_eq!(at(&mut beside_the_deaf, WORKS, [2_000, 5_000]), [false, true]);
}

#[test]
fn a_better_screen_waits_until_the_other_has_ended_its_sentence() {
    let (mut better, mut other) = (voices("a", 1), voices("b", 2));
    at(&mut other, WORKS, [0, 3_000]);
    better.heard("b", &report(2, true, true), Millis(3_000));
    assert_eq!(at(&mut better, WORKS, [3_000, 9_000]), [false, false]);
    other.heard("a", &report(1, true, false), Millis(9_000));
    let turn = Turn { zone: zone(SANH), speaks: false, shared: true };
    assert_eq!(other.turn([BUSY], Millis(9_000)), [turn], "it begins nothing more");
    assert_eq!(other.speaks(), [SANH], "and says that it still speaks");
    other.turn([WORKS], Millis(12_000));
    assert!(other.speaks().is_empty());
    better.heard("b", &report(2, true, false), Millis(12_000));
    assert_eq!(at(&mut better, WORKS, [12_000, 14_999, 15_000]), [false, false, true]);
}

#[test]
fn a_screen_that_died_is_replaced_within_twenty_seconds() {
    let silent = |last: fn(&mut Voices)| {
        let mut next = voices("b", 2);
        next.heard("a", &report(1, true, true), Millis::ZERO);
        last(&mut next);
        (0..200)
            .map(|tenth| Millis(tenth * 100))
            .find(|now| next.turn([WORKS], *now).iter().any(|turn| turn.speaks))
    };
    assert_eq!(silent(|_| {}), Some(Millis(18_000)), "it says nothing any more");
    let settled = |next: &mut Voices| next.heard("a", &report(1, true, true), Millis(-1));
    assert!(silent(settled) < Some(Millis(20_000)));
    let mut next = voices("b", 2);
    for now in [5_000, 10_000, 15_000, 20_000] {
        next.heard("a", &report(1, true, true), Millis(now));
        next.turn([WORKS], Millis(now));
    }
    next.heard("a", &offline(), Millis(20_000));
    assert_eq!(at(&mut next, WORKS, [24_999, 25_000, 28_000]), [false, false, true], "its will");
    next.heard("a", &report(1, true, false), Millis(30_000));
    assert_eq!(at(&mut next, WORKS, [30_000]), [false], "it is back");
}

#[test]
fn a_screen_that_is_cut_off_goes_on_as_it_was() {
    let (mut first, mut second) = (voices("a", 1), voices("b", 2));
    at(&mut first, WORKS, [0, 3_000]);
    second.heard("a", &report(1, true, true), Millis(3_000));
    at(&mut second, WORKS, [3_000]);
    for screen in [&mut first, &mut second] {
        screen.link_changed(false, Millis(4_000));
    }
    let minute: [i64; 12] = std::array::from_fn(|n| 5_000 * (n as i64 + 1));
    assert!(at(&mut first, WORKS, minute).iter().all(|speaks| *speaks));
    assert!(at(&mut second, WORKS, minute).iter().all(|speaks| !speaks), "it has not seen the first die");
    second.link_changed(true, Millis(61_000));
    second.heard("a", &offline(), Millis(61_000));
    assert_eq!(
        at(&mut second, WORKS, [61_000, 68_000, 75_999, 76_000, 79_000]),
        [false, false, false, false, true]
    );
}

#[test]
fn who_fell_silent_together_with_the_link_is_not_taken_for_gone() {
    let second = |hangs: bool| {
        let mut second = voices("b", 2);
        second.heard("a", &report(1, true, true), Millis(1_000));
        unheard_at(&mut second, WORKS, [1_000, 8_000, 16_000]);
        if !hangs {
            second.heard("b", &report(2, true, false), Millis(16_500));
        }
        second.link_changed(false, Millis(17_000));
        unheard_at(&mut second, WORKS, [17_000, 19_000, 24_000])
    };
    assert_eq!(second(true), [false; 3], "the broker hung");
    assert_eq!(second(false), [false, true, true], "it passed on what this one said of itself");
    let mut left = voices("b", 2);
    for now in [1_000, 8_000, 15_000] {
        left.heard("a", &report(1, true, true), Millis(now));
        unheard_at(&mut left, WORKS, [now]);
    }
    left.heard("a", &offline(), Millis(16_000));
    unheard_at(&mut left, WORKS, [16_000, 21_000]);
    left.link_changed(false, Millis(22_000));
    assert_eq!(unheard_at(&mut left, WORKS, [24_000]), [true], "its will is a word");
}

#[test]
fn a_turn_that_was_being_given_back_when_the_broker_went_is_taken_after_fifteen_seconds() {
    let mut better = voices("a", 1);
    at(&mut better, WORKS, [0]);
    better.heard("b", &report(2, true, true), Millis(1_000));
    better.link_changed(false, Millis(4_000));
    let times = [4_000, 11_000, 18_999, 19_000, 21_999, 22_000];
    assert_eq!(at(&mut better, WORKS, times), [false, false, false, false, false, true]);
}

#[test]
fn a_process_that_stood_still_says_nothing_before_it_has_heard_the_others() {
    let mut screen = voices("a", 1);
    assert_eq!(at(&mut screen, WORKS, [0, 3_000, 11_000]), [false, true, true], "eight seconds are a pause");
    assert_eq!(at(&mut screen, WORKS, [19_100]), [false]);
    assert!(screen.audible().is_empty(), "whoever took its place need not make way yet");
    screen.link_changed(false, Millis(19_200));
    screen.link_changed(true, Millis(20_000));
    screen.heard("b", &report(2, true, true), Millis(20_000));
    assert_eq!(at(&mut screen, WORKS, [20_000, 26_000]), [false, false]);
    assert_eq!(screen.audible(), [SANH]);
    screen.heard("b", &report(2, true, false), Millis(26_500));
    assert_eq!(at(&mut screen, WORKS, [26_500, 29_500]), [false, true]);
}

/// How often a screen tells its status when nothing changes.
const STATUS_EVERY: Millis = Millis(5_000);
/// When the broker takes a client that says nothing for dead.
const KEEP_ALIVE: Millis = Millis(15_000);
/// When a screen knows that its broker stands still: ten seconds without a word, and a ping that is not answered.
const NOTICED: Millis = Millis(12_600);
const STEP: Millis = Millis(100);
/// The most that a message takes, and a screen until it tries again to reach its broker, in milliseconds.
const DELAY_MAX: i64 = 400;
const RELINKS: i64 = 8_500;
/// When a screen that has no link since its start decides without one.
const ALONE: Millis = Millis(10_000);
/// How long each announcement takes.
const SENTENCE: Millis = Millis(4_000);

#[derive(Clone, Debug)]
enum Event {
    Call,
    /// The process ends at once and its supervisor starts it again after this long.
    Kill(usize, i64),
    /// It stands still for so long.
    Pause(usize, i64),
    Sound(usize, bool),
    Mute(usize, bool),
    /// The broker is away for so long.
    Broker(i64),
    /// It stands still for so long.
    Hang(i64),
}

fn event() -> impl Strategy<Value = Event> {
    // The last screen is never disturbed: somebody can always speak.
    let one = 0..SCREENS - 1;
    prop_oneof![
        4 => Just(Event::Call),
        2 => (one.clone(), 500..30_000_i64).prop_map(|(screen, ms)| Event::Kill(screen, ms)),
        2 => (one.clone(), 500..30_000_i64).prop_map(|(screen, ms)| Event::Pause(screen, ms)),
        1 => (one.clone(), any::<bool>()).prop_map(|(screen, works)| Event::Sound(screen, works)),
        1 => (one, any::<bool>()).prop_map(|(screen, muted)| Event::Mute(screen, muted)),
        1 => (500..20_000_i64).prop_map(Event::Broker),
        1 => (500..25_000_i64).prop_map(Event::Hang),
    ]
}

#[derive(Clone, Debug)]
enum Word {
    Call(Call),
    Status(usize, Box<ScreenReport>),
    Spoken(usize, CallId),
}

/// What is left of a screen that was killed: its journal.
type Kept = Vec<(Call, bool)>;

struct Screen {
    number: usize,
    /// Its own monotonic clock is ahead by this much.
    ahead: Millis,
    board: Board,
    voices: Voices,
    linked: bool,
    /// When it connects again.
    links_at: Option<Millis>,
    /// When it decides alone, if it has had no link yet.
    alone_at: Option<Millis>,
    running: Option<(AnnouncementId, CallId, Millis)>,
    told: Option<(Millis, ScreenReport)>,
    outbox: VecDeque<Word>,
    kept: Kept,
    /// Killed or standing still until then.
    away: Option<(Millis, bool)>,
    spoken: Vec<CallId>,
}

const SCREENS: usize = 3;

struct World {
    now: Now,
    screens: Vec<Screen>,
    /// What each screen has still to be delivered, with the earliest time.
    queues: Vec<VecDeque<(Millis, Word)>>,
    retained: BTreeMap<usize, ScreenReport>,
    broker_back: Option<Millis>,
    /// It takes what comes and passes nothing on until then.
    hangs_until: Option<Millis>,
    /// When the screens notice that.
    noticed_at: Option<Millis>,
    calls: Vec<CallId>,
    delays: Vec<i64>,
    dice: usize,
}

fn name(screen: usize) -> String {
    format!("sanh-{screen}")
}

impl Screen {
    fn start(number: usize, now: Now, kept: Kept) -> Self {
        let ahead = Millis(number as i64 * 1_000_000);
        let here = Now { mono: now.mono + ahead, ..now };
        let mut board = Board::new(rules(), here);
        board.apply(here, Input::VoiceChanged { zone: zone(SANH), speaks: false, shared: false });
        for (call, proven) in &kept {
            board.apply(here, Input::CallKept { call: call.clone(), proven: *proven, drawn: *proven });
        }
        Self {
            number,
            ahead,
            board,
            // Two of equal rank.
            voices: Voices::new(&name(number), number.min(1) as u32, [zone(SANH)], here.mono),
            linked: false,
            links_at: Some(now.mono + Millis(300 + 700 * number as i64)),
            alone_at: Some(now.mono + ALONE),
            running: None,
            told: None,
            outbox: VecDeque::new(),
            kept,
            away: None,
            spoken: Vec::new(),
        }
    }

    fn here(&self, now: Now) -> Now {
        Now { mono: now.mono + self.ahead, ..now }
    }

    /// As the hub does: first whose turn it is, then what happened.
    fn give(&mut self, now: Now, input: Input) {
        self.take_turns(now);
        let effects = self.board.apply(self.here(now), input);
        self.carry_out(now, effects);
    }

    fn take_turns(&mut self, now: Now) {
        let here = self.here(now);
        for Turn { zone, speaks, shared } in self.voices.turn(self.board.sounds(), here.mono) {
            let effects = self.board.apply(here, Input::VoiceChanged { zone, speaks, shared });
            self.carry_out(now, effects);
        }
    }

    fn carry_out(&mut self, now: Now, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Announce(announcement) => {
                    let Message::Call { call, .. } = announcement.message else { continue };
                    self.running = Some((announcement.id, call, now.mono + SENTENCE));
                }
                Effect::Prove { call, outcome } => {
                    self.kept.iter_mut().filter(|(kept, _)| kept.id == call).for_each(|kept| kept.1 = true);
                    if outcome == Outcome::Spoken {
                        self.spoken.push(call.clone());
                        self.outbox.push_back(Word::Spoken(self.number, call));
                    }
                }
                _ => {}
            }
        }
    }

    fn link(&mut self, now: Now, up: bool) {
        self.linked = up;
        self.alone_at = self.alone_at.filter(|_| !up);
        self.voices.link_changed(up, self.here(now).mono);
        self.give(now, Input::LinkChanged { up });
    }

    fn ended(&mut self, now: Now, completed: bool) {
        if let Some((announcement, ..)) = self.running.take() {
            self.give(now, Input::SpeechEnded { zone: zone(SANH), announcement, completed });
        }
    }

    fn hear(&mut self, now: Now, word: Word) {
        match word {
            Word::Call(call) => {
                self.kept.push((call.clone(), false));
                self.give(now, Input::CallReceived(call));
            }
            Word::Status(screen, report) => {
                self.voices.heard(&name(screen), &report, self.here(now).mono);
            }
            Word::Spoken(screen, call) if screen != self.number => {
                self.give(now, Input::SpokenElsewhere { call, zone: Some(zone(SANH)) });
            }
            Word::Spoken(..) => {}
        }
    }

    fn report(&self) -> ScreenReport {
        let rank = Some(self.number.min(1) as u32);
        let (audible, speaks) = (Some(self.voices.audible()), Some(self.voices.speaks()));
        ScreenReport {
            online: true,
            rank,
            audible,
            speaks,
            next: self.voices.next(),
            ..ScreenReport::default()
        }
    }
}

impl World {
    fn new(delays: Vec<i64>) -> Self {
        let now = Now { mono: Millis::ZERO, wall: wall("2026-11-24T09:00") };
        Self {
            now,
            screens: (0..SCREENS).map(|number| Screen::start(number, now, Vec::new())).collect(),
            queues: vec![VecDeque::new(); SCREENS],
            retained: BTreeMap::new(),
            broker_back: None,
            hangs_until: None,
            noticed_at: None,
            calls: Vec::new(),
            delays,
            dice: 0,
        }
    }

    fn delay(&mut self) -> Millis {
        self.dice += 1;
        Millis(self.delays[self.dice % self.delays.len()])
    }

    /// To every session, whether its screen is there or not.
    fn publish(&mut self, word: &Word) {
        if let Word::Status(screen, report) = word {
            self.retained.insert(*screen, (**report).clone());
        }
        for screen in 0..SCREENS {
            let due = self.now.mono + self.delay();
            // In the order of their publication.
            let due = self.queues[screen].back().map_or(due, |(last, _)| due.max(*last));
            self.queues[screen].push_back((due, word.clone()));
        }
    }

    fn happen(&mut self, event: &Event) {
        let now = self.now;
        match *event {
            Event::Call if self.broker_back.is_none() && self.hangs_until.is_none() => {
                let number = self.calls.len();
                let call = Call {
                    id: CallId::parse(&format!("call-{number}")).unwrap(),
                    ticket: Ticket::parse(&format!("A{number:03}")).unwrap(),
                    counter: Counter::parse(&(number % 5 + 1).to_string()).unwrap(),
                    kind: Kind::Call,
                    at: now.wall,
                    seq: None,
                    series: None,
                    lane: Lane::Regular,
                    slot: None,
                    holder: None,
                };
                self.calls.push(call.id.clone());
                self.publish(&Word::Call(call));
            }
            // What only the dead knew is lost with it: that a call was said while nobody could be told.
            Event::Kill(screen, ms) if self.is_well(screen) => {
                self.screens[screen].away = Some((now.mono + Millis(ms), true));
                self.screens[screen].running = None;
                self.screens[screen].linked = false;
                self.publish(&Word::Status(screen, Box::new(offline())));
            }
            Event::Pause(screen, ms) if self.is_well(screen) || self.may_pause_unlinked(screen, ms) => {
                self.screens[screen].away = Some((now.mono + Millis(ms), false));
            }
            Event::Sound(screen, works) if self.is_well(screen) => {
                if !works {
                    self.screens[screen].give(now, Input::SoundChanged { zone: zone(SANH), works });
                    self.screens[screen].ended(now, false);
                }
                self.screens[screen].give(now, Input::SoundChanged { zone: zone(SANH), works });
            }
            Event::Mute(screen, muted) if self.is_well(screen) => {
                self.screens[screen].give(now, Input::MuteChanged { zone: None, muted });
            }
            Event::Hang(ms) if (0..SCREENS).all(|screen| self.is_well(screen)) => {
                self.hangs_until = Some(now.mono + Millis(ms));
                self.noticed_at = Some(now.mono + NOTICED);
            }
            Event::Broker(ms) if self.hangs_until.is_none() && self.all_link_in_time(ms) => {
                self.broker_back = Some(now.mono + Millis(ms));
                for screen in &mut self.screens {
                    screen.links_at = None;
                    // One that stands still finds out when it goes on.
                    if screen.away.is_some() {
                        screen.linked = false;
                    } else {
                        screen.link(now, false);
                    }
                }
            }
            _ => {}
        }
    }

    /// Without a broker a screen says what nobody can be told; whoever stands still longer than that is taken for gone, and what
    /// it has said is said again.
    fn may_pause_unlinked(&self, screen: usize, ms: i64) -> bool {
        ms < 8_000 && self.broker_back.is_some() && self.screens[screen].away.is_none()
    }

    /// A process that is started while the broker is away for long decides alone.
    fn all_link_in_time(&self, ms: i64) -> bool {
        let linked = self.now.mono + Millis(ms + RELINKS);
        self.screens.iter().all(|screen| match screen.away {
            Some((until, true)) => linked < until + ALONE,
            _ => screen.alone_at.is_none_or(|at| linked < at),
        })
    }

    fn is_well(&self, screen: usize) -> bool {
        let is_up = self.broker_back.is_none() && self.hangs_until.is_none();
        self.screens[screen].away.is_none() && self.screens[screen].linked && is_up
    }

    fn step(&mut self) {
        self.now = self.now.after(STEP);
        let now = self.now;
        if self.hangs_until.take_if(|until| *until <= now.mono).is_some() {
            self.noticed_at = None;
        }
        if self.noticed_at.take_if(|at| *at <= now.mono).is_some() {
            self.broker_back = self.hangs_until;
            for screen in &mut self.screens {
                screen.link(now, false);
                screen.links_at = None;
            }
        }
        if self.broker_back.take_if(|back| *back <= now.mono).is_some() {
            for screen in 0..SCREENS {
                let later = self.delay();
                self.screens[screen].links_at = Some(now.mono + Millis(later.0 * RELINKS / DELAY_MAX));
            }
        }
        for screen in 0..SCREENS {
            match self.screens[screen].away {
                Some((until, killed)) if until <= now.mono => self.come_back(screen, killed),
                Some((until, false)) => {
                    // Of a process that stands still the broker believes that it is there for a while.
                    let since = self.screens[screen].told.as_ref().map_or(Millis::ZERO, |(at, _)| *at);
                    let alive = now.mono - since < KEEP_ALIVE;
                    if self.screens[screen].linked && !alive && until > now.mono {
                        self.screens[screen].linked = false;
                        self.publish(&Word::Status(screen, Box::new(offline())));
                    }
                }
                Some(_) => {}
                None => self.live(screen),
            }
        }
        let speaking: Vec<usize> = self
            .screens
            .iter()
            .filter(|s| s.away.is_none() && s.running.is_some())
            .map(|s| s.number)
            .collect();
        assert!(speaking.len() <= 1, "{speaking:?} speak at once at {:?}", now.mono);
    }

    fn come_back(&mut self, screen: usize, killed: bool) {
        let now = self.now;
        if killed {
            let kept = std::mem::take(&mut self.screens[screen].kept);
            self.screens[screen] = Screen::start(screen, now, kept);
            return;
        }
        let linked = self.screens[screen].linked;
        let here = &mut self.screens[screen];
        here.away = None;
        // The sound reports first that it broke off.
        here.ended(now, false);
        if !linked {
            here.link(now, false);
            here.links_at = Some(now.mono + Millis(700));
        }
    }

    fn live(&mut self, screen: usize) {
        let now = self.now;
        if self.broker_back.is_none() && self.screens[screen].links_at.take_if(|at| *at <= now.mono).is_some()
        {
            self.screens[screen].link(now, true);
            let retained: Vec<Word> = self
                .retained
                .iter()
                .map(|(other, report)| Word::Status(*other, Box::new(report.clone())))
                .collect();
            self.queues[screen].extend(retained.into_iter().map(|word| (now.mono, word)));
        }
        if self.screens[screen].linked && self.hangs_until.is_none() {
            while self.queues[screen].front().is_some_and(|(due, _)| *due <= now.mono) {
                let (_, word) = self.queues[screen].pop_front().unwrap();
                self.screens[screen].hear(now, word);
            }
        }
        let here = &mut self.screens[screen];
        if here.running.as_ref().is_some_and(|(.., until)| *until <= now.mono) {
            here.ended(now, true);
        }
        here.give(now, Input::Ticked);
        here.take_turns(now);
        if !here.linked {
            return;
        }
        let report = here.report();
        let due =
            here.told.as_ref().is_none_or(|(at, told)| now.mono - *at >= STATUS_EVERY || *told != report);
        if due {
            here.told = Some((now.mono, report.clone()));
            here.outbox.push_back(Word::Status(screen, Box::new(report)));
        }
        for word in std::mem::take(&mut self.screens[screen].outbox) {
            self.publish(&word);
        }
    }

    fn go_on(&mut self, span: Millis) {
        for _ in 0..span.0 / STEP.0 {
            self.step();
        }
    }
}

fn laws(delays: Vec<i64>, day: &[(i64, Event)]) {
    let mut world = World::new(delays);
    world.go_on(Millis(12_000));
    // A killed screen forgets what it has spoken; the world does not.
    let mut spoken: Vec<(usize, CallId)> = Vec::new();
    let mut note = |world: &mut World| {
        for screen in &mut world.screens {
            spoken.extend(screen.spoken.drain(..).map(|call| (screen.number, call)));
        }
        spoken.clone()
    };
    for (gap, event) in day {
        world.go_on(Millis(*gap));
        note(&mut world);
        world.happen(event);
    }
    // Killed and paused screens are back and linked after 35 s, and everybody has spoken and settled after as much again.
    world.go_on(Millis(35_000));
    for screen in 0..SCREENS {
        world.happen(&Event::Mute(screen, false));
        world.happen(&Event::Sound(screen, true));
    }
    world.go_on(Millis(60_000));
    let all = note(&mut world);
    for call in &world.calls {
        let times = all.iter().filter(|(_, spoken)| spoken == call).count();
        assert_eq!(times, 1, "{call} was said {times} times: {all:?}");
    }
    let speak: Vec<Vec<String>> = world.screens.iter().map(|screen| screen.voices.speaks()).collect();
    assert_eq!(speak, [vec![SANH.to_owned()], Vec::new(), Vec::new()], "the first of all speaks in the end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_becomes_of_the_screens_each_call_is_said_once_and_by_one_at_a_time(
        delays in prop::collection::vec(0..DELAY_MAX, 3..12),
        day in prop::collection::vec((100..9_000_i64, event()), 1..14),
    ) {
        laws(delays, &day);
    }
}

#[test]
fn a_screen_whose_sound_returns_while_nobody_can_be_told_leaves_the_turn_to_those_who_had_it() {
    let mut better = voices("a", 1);
    better.heard("b", &report(2, true, true), Millis(1_000));
    at(&mut better, LOST, [1_000, 4_000]);
    better.link_changed(false, Millis(4_000));
    assert_eq!(at(&mut better, WORKS, [5_000, 8_000, 19_000, 60_000]), [false; 4]);
    better.link_changed(true, Millis(61_000));
    better.heard("b", &report(2, true, false), Millis(63_000));
    assert_eq!(at(&mut better, WORKS, [63_000, 65_999, 66_000]), [false, false, true]);
}

#[test]
fn two_screens_that_slept_while_the_broker_went_do_not_speak_at_once() {
    let delays = vec![0, 0, 0, 0, 0, 117, 209];
    let day = [
        (5_300, Event::Broker(500)),
        (5_900, Event::Pause(0, 2_701)),
        (7_800, Event::Pause(1, 5_601)),
        (100, Event::Call),
        (5_400, Event::Kill(1, 500)),
        (1_300, Event::Sound(0, true)),
        (4_000, Event::Pause(1, 11_101)),
        (5_400, Event::Pause(0, 11_201)),
        (4_200, Event::Call),
        (8_000, Event::Sound(0, true)),
        (1_900, Event::Call),
        (6_000, Event::Broker(1_701)),
    ];
    laws(delays, &day);
}

#[test]
fn no_time_of_a_call_is_forgotten() {
    // The simulated hall must be able to lose a call, or the laws say nothing: one that is too old is not said.
    let mut world = World::new(vec![0]);
    world.go_on(Millis(12_000));
    let late: Timestamp = world.now.wall.checked_sub((MAX_AGE + Millis(1_000)).to_duration()).unwrap();
    world.happen(&Event::Call);
    for queue in &mut world.queues {
        for (_, word) in queue.iter_mut() {
            if let Word::Call(call) = word {
                call.at = late;
            }
        }
    }
    world.go_on(Millis(30_000));
    assert!(world.screens.iter().all(|screen| screen.spoken.is_empty()));
}

#[test]
fn a_screen_does_not_begin_while_nobody_can_hear_that_it_has() {
    let third = |others: bool| {
        let mut third = voices("c", 1);
        third.heard("a", &report(0, true, true), Millis(1_000));
        at(&mut third, WORKS, [1_000, 4_000]);
        if others {
            // It has stood still, and may be heard again only later.
            third.heard("a", &report(0, false, false), Millis(8_000));
        } else {
            third.cleared("a");
        }
        at(&mut third, WORKS, [8_000]);
        third.link_changed(false, Millis(10_000));
        at(&mut third, WORKS, [10_000, 11_000, 18_000, 24_999, 25_000])
    };
    assert_eq!(third(true), [false, false, false, false, true]);
    assert_eq!(third(false), [false, true, true, true, true], "there is nobody else");
}

/// Two screens had stood still and were about to be heard again when the broker went. The third could begin unheard, and has its
/// link again after the first has its turn.
#[test]
fn three_screens_of_which_two_stood_still_when_the_broker_went_say_each_call_once() {
    let day = [
        (4_100, Event::Call),
        (100, Event::Call),
        (3_000, Event::Kill(1, 8_601)),
        (3_600, Event::Kill(1, 500)),
        (7_500, Event::Call),
        (7_100, Event::Pause(1, 10_001)),
        (5_900, Event::Pause(0, 11_101)),
        (1_400, Event::Call),
        (400, Event::Call),
        (5_000, Event::Pause(0, 500)),
        (6_600, Event::Broker(3_601)),
        (3_700, Event::Call),
    ];
    laws(vec![0, 0, 0, 217, 0, 0, 0, 0, 0, 0], &day);
}

#[test]
fn a_screen_waits_for_those_that_were_there_to_say_a_word_before_it_begins() {
    let first = |word_at: Option<i64>| {
        let mut first = Voices::new("a", 1, [zone(SANH)], Millis::ZERO);
        first.link_changed(true, Millis(1_000));
        first.heard("b", &report(2, true, false), Millis(1_000));
        let times = [1_000, 3_999, 4_000, 6_000, 10_999, 11_000];
        times.map(|now| {
            if word_at.is_some_and(|at| at <= now) {
                first.heard("b", &report(2, true, false), Millis(now));
            }
            at(&mut first, WORKS, [now])[0]
        })
    };
    assert_eq!(first(Some(1_000)), [false, false, true, true, true, true]);
    assert_eq!(first(Some(6_000)), [false, false, false, true, true, true]);
    assert_eq!(first(None), [false, false, false, false, false, true], "it may be dead");
}

#[test]
fn a_screen_does_not_begin_on_a_link_that_brings_nothing() {
    let first = |echo_at: i64| {
        let mut first = voices("a", 1);
        first.heard("b", &report(2, true, false), Millis(5_000));
        let times = [5_000, 7_999, 8_000, 12_999, 13_000, 19_999, 20_000];
        times.map(|ms| if ms == echo_at { at(&mut first, WORKS, [ms]) } else { unheard_at(&mut first, WORKS, [ms]) }[0])
    };
    assert_eq!(first(5_000), [false, false, true, true, true, true, true]);
    assert_eq!(
        first(8_000),
        [false, false, false, true, true, true, true],
        "a second after its word has come back"
    );
    assert_eq!(first(12_999), [false, false, false, false, false, true, true]);
    assert_eq!(first(0), [false, false, false, false, false, false, true], "all are gone");
}

/// The first stood still and could not be heard when the broker went. The second began unheard, its link came back last.
#[test]
fn a_screen_whose_link_is_back_early_leaves_the_turn_to_one_that_began_without_a_link() {
    let day = [
        (100, Event::Broker(2_401)),
        (2_200, Event::Call),
        (900, Event::Call),
        (4_900, Event::Pause(0, 10_301)),
        (5_900, Event::Pause(0, 500)),
        (4_200, Event::Call),
        (800, Event::Broker(9_501)),
    ];
    laws(vec![0, 0, 255], &day);
}

#[test]
fn a_screen_that_stood_still_does_not_begin_while_the_broker_hangs() {
    let day = [
        (6_500, Event::Call),
        (3_800, Event::Call),
        (1_000, Event::Pause(0, 10_901)),
        (600, Event::Call),
        (5_500, Event::Call),
        (5_400, Event::Hang(12_501)),
    ];
    laws(vec![0, 0, 0], &day);
}
