//! Laws of the board: whatever a hall does, in whatever order, these hold after every step.

mod hall;

use hall::oracle::{Grid, Light, Running, Voices};
use hall::{Hall, MAX_AGE, counter, id, notice, rules, ticket, zone, zone_config};
use jiff::Timestamp;
use moiso::board::call::{Call, Counter, Kind, Lane, NoticeId, RecordingId, Series, Zone};
use moiso::board::input::{Effect, IgnoreReason, Input, Outcome};
use moiso::board::state::{CounterMode, CounterState, Level, Notice, QueueState};
use moiso::board::view::BoardView;
use moiso::clock::{Millis, Now};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Two counters that no config names are among them; the last is heard in the west like all that no zone names.
const COUNTERS: [&str; 6] = ["1", "2", "3", "4", "30", "Phòng 7"];
const TICKETS: [&str; 7] = ["A1", "A2", "A3", "A4", "1005", "B1", "B2"];

/// What comes over a link that has been up this long is live.
const SETTLED: Millis = Millis::from_secs(60);

/// One thing that can happen in a hall.
#[derive(Clone, Debug)]
enum Op {
    Event {
        kind: Kind,
        ticket: usize,
        counter: usize,
        series: bool,
    },
    /// A call that was made some events ago and comes only now.
    LateCall {
        recall: bool,
        ticket: usize,
        counter: usize,
        back: usize,
        series: bool,
    },
    State {
        mode: CounterMode,
        ticket: Option<usize>,
        counter: usize,
    },
    ClearCounter(usize),
    Queue {
        missed: Vec<usize>,
    },
    Put {
        name: u8,
        level: Level,
        speak: bool,
        starts_in: i64,
        lasts: Option<i64>,
        zone: Option<bool>,
    },
    ClearNotice(u8),
    /// The broker delivers an earlier message again.
    Again(Index),
    Wait(i64),
    /// The hall closes, and the PC sleeps until the next morning.
    Night,
    Started(bool),
    Ended {
        west: bool,
        completed: bool,
    },
    Sound {
        west: bool,
        works: bool,
    },
    Mute {
        west: Option<bool>,
        muted: bool,
    },
    Link(bool),
    Glass(bool),
    Identify,
}

fn op() -> impl Strategy<Value = Op> {
    let (tickets, counters) = (0..TICKETS.len(), 0..COUNTERS.len());
    let kinds = select(Kind::ALL.map(|(_, kind)| kind).to_vec());
    let modes = select(vec![CounterMode::Open, CounterMode::Paused, CounterMode::Closed]);
    let levels = select(vec![Level::Info, Level::Important, Level::Emergency]);
    prop_oneof![
        8 => (tickets.clone(), counters.clone(), any::<bool>())
            .prop_map(|(ticket, counter, series)| Op::Event { kind: Kind::Call, ticket, counter, series }),
        6 => (kinds, tickets.clone(), counters.clone(), any::<bool>())
            .prop_map(|(kind, ticket, counter, series)| Op::Event { kind, ticket, counter, series }),
        2 => (any::<bool>(), tickets.clone(), counters.clone(), 1..20_usize, any::<bool>())
            .prop_map(|(recall, ticket, counter, back, series)| Op::LateCall { recall, ticket, counter, back, series }),
        3 => (modes, prop::option::of(tickets.clone()), counters.clone())
            .prop_map(|(mode, ticket, counter)| Op::State { mode, ticket, counter }),
        1 => counters.prop_map(Op::ClearCounter),
        1 => prop::collection::vec(tickets, 0..4).prop_map(|missed| Op::Queue { missed }),
        2 => (0..4_u8, levels, any::<bool>(), -60..60_i64, prop::option::of(1..120_i64), prop::option::of(any::<bool>()))
            .prop_map(|(name, level, speak, starts_in, lasts, zone)| Op::Put { name, level, speak, starts_in, lasts, zone }),
        1 => (0..4_u8).prop_map(Op::ClearNotice),
        4 => any::<Index>().prop_map(Op::Again),
        5 => prop_oneof![1..2_000_i64, 1_000..60_000_i64].prop_map(Op::Wait),
        1 => Just(Op::Night),
        2 => any::<bool>().prop_map(Op::Started),
        8 => (any::<bool>(), prop::bool::weighted(0.8)).prop_map(|(west, completed)| Op::Ended { west, completed }),
        2 => (any::<bool>(), prop::bool::weighted(0.7)).prop_map(|(west, works)| Op::Sound { west, works }),
        1 => (prop::option::of(any::<bool>()), prop::bool::weighted(0.3)).prop_map(|(west, muted)| Op::Mute { west, muted }),
        1 => any::<bool>().prop_map(Op::Link),
        2 => prop::bool::weighted(0.6).prop_map(Op::Glass),
        1 => Just(Op::Identify),
    ]
}

/// What tells one queue system from another.
#[derive(Copy, Clone, Debug)]
struct Ways {
    /// It counts its events.
    numbered: bool,
    /// It names the series of each ticket.
    named: bool,
    /// Its clock is ahead of the screen's by this much, or behind.
    clock: i64,
}

fn ways() -> impl Strategy<Value = Ways> {
    let clock = prop_oneof![2 => Just(0), 1 => -600..600_i64];
    (any::<bool>(), any::<bool>(), clock).prop_map(|(numbered, named, clock)| Ways { numbered, named, clock })
}

/// A board and the second book-keeping beside it.
struct World {
    hall: Hall,
    grid: Grid,
    light: Light,
    voices: Voices,
    ways: Ways,
    /// When each event was made, by the clock of the queue system.
    slots: Vec<Timestamp>,
    /// The first slot of today.
    morning: usize,
    /// How many events came over a settled link, and when the first did.
    heard: u32,
    heard_since: Option<Millis>,
    clocks_known: bool,
    /// How many late calls were made.
    late: u64,
    up_since: Option<Millis>,
    /// What the broker may deliver again.
    delivered: Vec<Input>,
    shown: BoardView,
}

fn zone_named(west: bool) -> Zone {
    zone(if west { "west" } else { "east" })
}

fn zone_of(counter: &Counter) -> Zone {
    zone_named(!matches!(counter.as_str(), "1" | "2"))
}

impl World {
    fn new(ways: Ways) -> Self {
        let mut rules = rules();
        rules.zones = vec![zone_config("west", &[]), zone_config("east", &["1", "2"])];
        let hall = Hall::with(rules, "2026-11-24T08:30");
        Self {
            grid: Grid::default(),
            light: Light::default(),
            voices: Voices::new([zone("east"), zone("west")]),
            ways,
            slots: vec![hall.now.after(Millis::from_secs(ways.clock)).wall],
            morning: 0,
            heard: 0,
            heard_since: None,
            clocks_known: false,
            late: 0,
            up_since: Some(hall.now.mono),
            delivered: Vec::new(),
            shown: hall.view(),
            hall,
        }
    }

    /// The place of a new event in the true order, and its time.
    fn next_order(&mut self) -> (u64, Timestamp) {
        let at = self.hall.now.after(Millis::from_secs(self.ways.clock)).wall;
        self.slots.push(at);
        (self.slots.len() as u64 * 1000, at)
    }

    fn is_settled(&self) -> bool {
        self.up_since.is_some_and(|since| self.hall.now.mono - since >= SETTLED)
    }

    /// Something came from the queue system that tells about its clock. True when the clocks are known then.
    fn hear(&mut self) -> bool {
        let now = self.hall.now.mono;
        if self.is_settled() {
            self.heard += 1;
            let since = *self.heard_since.get_or_insert(now);
            self.clocks_known |= self.heard > 2 && now - since >= SETTLED;
        }
        self.clocks_known
    }

    /// Gives an input and checks everything that does not need to know which it was.
    fn give(&mut self, input: Input, ended: Option<(&Zone, Running, bool)>) -> Vec<Effect> {
        let call = if let Input::CallReceived(call) = &input { Some(call.clone()) } else { None };
        let effects = self.hall.give(input);
        let accepted = !effects.iter().any(|e| matches!(e, Effect::Ignore { .. }));
        if let Some(call) = call.filter(|_| accepted) {
            self.taken(&call, &effects);
        }
        self.voices.follow(&effects, ended, self.hall.now);
        self.check(&effects);
        effects
    }

    fn taken(&mut self, call: &Call, effects: &[Effect]) {
        if !call.kind.summons() {
            self.light.end(call);
            return;
        }
        let live = self.voices.summoned(call, &zone_of(&call.counter), effects, self.hall.now);
        if call.kind == Kind::Transfer {
            self.light.redirect(call);
        }
        if live {
            self.light.enter(call, self.hall.now);
            let view = self.hall.view();
            assert_eq!((&view.recent[0].ticket, &view.recent[0].counter), (&call.ticket, &call.counter));
            let missed = !self.ways.named && view.missed.iter().any(|m| m.ticket == call.ticket);
            assert!(!missed, "who is called is not missed");
        }
    }

    fn check(&mut self, effects: &[Effect]) {
        let (now, view) = (self.hall.now, self.hall.view());
        self.light.check(&view, now);
        let changed = BoardView { revision: self.shown.revision, ..view.clone() } != self.shown;
        assert_eq!(effects.first() == Some(&Effect::Show), changed, "shown exactly when changed");
        assert_eq!(view.revision, self.shown.revision + u64::from(changed));
        let due = self.hall.board.next_deadline(now).expect("the wall clock is looked at again");
        assert!(due > now.mono, "no deadline is left behind");
        assert!(view.recent.len() <= 24 && view.missed.len() <= 24);
        assert!(view.ticker.windows(2).all(|pair| pair[0].level >= pair[1].level));
        assert!(!view.ticker.is_empty());
        self.shown = view;
    }

    fn wait(&mut self, span: Millis) {
        let end = self.hall.now.after(span);
        while let Some(due) = self.hall.board.next_deadline(self.hall.now).filter(|due| *due < end.mono) {
            self.hall.now = self.hall.now.after(due - self.hall.now.mono);
            self.give(Input::Ticked, None);
        }
        self.hall.now = end;
        self.give(Input::Ticked, None);
        self.grid.check(&self.shown);
    }

    fn deliver(&mut self, input: Input) -> Vec<Effect> {
        self.delivered.push(input.clone());
        self.give(input, None)
    }

    fn event(&mut self, kind: Kind, (code, series): (usize, bool), name: usize, order: u64, at: Timestamp) {
        let seq = self.ways.numbered.then_some(order);
        let (ticket, counter) = (ticket(TICKETS[code]), counter(COUNTERS[name]));
        let series = self.ways.named.then(|| Series::parse(if series { "A" } else { "B" }).expect("valid"));
        let (slot, holder) = (None, None);
        let id = id(&format!("e{order}"));
        let call = Call { id, ticket, counter, kind, at, seq, series, lane: Lane::Regular, slot, holder };
        let effects = self.deliver(Input::CallReceived(call.clone()));
        assert!(!effects.iter().any(|e| matches!(e, Effect::Ignore { .. })), "a new event is taken");
        let proof = |e: &Effect| match e {
            Effect::Prove { call: id, outcome } if *id == call.id => Some(*outcome),
            _ => None,
        };
        let proof = effects.iter().find_map(proof);
        let (known, young) = (self.hear(), self.hall.now.age_of(at) <= MAX_AGE);
        let by_arrival = self.is_settled() && !self.ways.numbered;
        let is_last = self.slots.last() == Some(&at);
        let live = kind.summons() && ((young && by_arrival) || (is_last && (young || known)));
        assert!(!live || proof != Some(Outcome::Shown), "what is called live is not hidden");
        let too_old = kind.summons() && !self.hall.board.is_young(&call, self.hall.now);
        assert!(
            proof != Some(Outcome::Shown) || too_old,
            "what is young and not said was passed, and its record says so"
        );
        let taken_live = !matches!(proof, Some(Outcome::Shown | Outcome::Superseded));
        self.grid.event(&call, order, kind.summons() && by_arrival && taken_live);
    }

    fn state(&mut self, mode: CounterMode, code: Option<usize>, name: usize) {
        let (order, at) = self.next_order();
        let ticket = code.map(|code| ticket(TICKETS[code]));
        let seq = self.ways.numbered.then_some(order);
        let (label, lanes, reopens) = (None, None, None);
        let state = CounterState { mode, ticket: ticket.clone(), label, lanes, reopens, at, seq };
        let counter = counter(COUNTERS[name]);
        let effects = self.deliver(Input::CounterChanged { counter: counter.clone(), state });
        assert!(!effects.iter().any(|e| matches!(e, Effect::Announce(_))), "a state is silent");
        self.grid.state(&counter, order, ticket);
    }

    fn clear_counter(&mut self, name: usize) {
        let counter = counter(COUNTERS[name]);
        self.delivered.retain(|i| !matches!(i, Input::CounterChanged { counter: c, .. } if *c == counter));
        self.grid.clear(&counter);
        self.give(Input::CounterCleared { counter }, None);
    }

    fn put(&mut self, name: u8, notice: Notice) {
        let notice = Notice { text: format!("{name} at {}", notice.at), ..notice };
        let effects = self.deliver(Input::NoticePut(notice));
        assert!(!effects.iter().any(|e| matches!(e, Effect::Ignore { .. })));
    }

    fn clear_notice(&mut self, name: u8) {
        let id = NoticeId::parse(&format!("n{name}")).expect("a valid id");
        self.delivered.retain(|i| !matches!(i, Input::NoticePut(n) if n.id == id));
        self.give(Input::NoticeCleared { id }, None);
    }

    /// A message that was delivered before changes nothing at all.
    fn again(&mut self, index: Index) {
        if self.delivered.is_empty() {
            return;
        }
        let effects = self.give(index.get(&self.delivered).clone(), None);
        assert!(
            matches!(effects[..], [Effect::Ignore { reason: IgnoreReason::Duplicate | IgnoreReason::Stale }]),
            "{effects:?}"
        );
    }

    fn end(&mut self, west: bool, completed: bool) {
        let zone = zone_named(west);
        let Some(running) = self.voices.zones[&zone].running.clone() else { return };
        let input = Input::SpeechEnded { zone: zone.clone(), announcement: running.id, completed };
        self.give(input, Some((&zone, running, completed)));
    }

    fn start(&mut self, west: bool) {
        let zone = zone_named(west);
        let Some(running) = self.voices.zones[&zone].running.clone() else { return };
        self.voices.zone(&zone).started(self.hall.now);
        self.give(Input::SpeechStarted { zone, announcement: running.id }, None);
    }

    fn sound(&mut self, west: bool, works: bool) {
        let zone = zone_named(west);
        self.voices.zone(&zone).works = works;
        self.give(Input::SoundChanged { zone, works }, None);
    }

    fn mute(&mut self, west: Option<bool>, muted: bool) {
        let zone = west.map(zone_named);
        let muted_zones =
            self.voices.zones.iter_mut().filter(|(id, _)| zone.as_ref().is_none_or(|z| z == *id));
        muted_zones.for_each(|(_, voice)| voice.mute(muted));
        self.give(Input::MuteChanged { zone, muted }, None);
    }

    fn glass(&mut self, lit: bool) {
        self.light.glass_changed(lit, self.hall.now);
        self.give(Input::GlassChanged { lit }, None);
    }

    /// The evening passes, and then the PC sleeps until the next morning: of yesterday nothing is left but the notices.
    fn sleep(&mut self) {
        /// 07:30 in the hall is 00:30 in UTC.
        const DAY: i64 = 24 * 3600;
        self.glass(true);
        self.wait(Millis::from_secs(26 * 60));
        let now = self.hall.now;
        let morning = (now.wall.as_second() / DAY + 1) * DAY + 1800;
        let morning = Timestamp::from_second(morning).expect("a time of this century");
        self.light.turn();
        self.grid = Grid::default();
        self.delivered.clear();
        self.morning = self.slots.len();
        self.hall.now = now.after(Millis(-now.age_of(morning).0));
        self.give(Input::Ticked, None);
        let view = &self.shown;
        assert!(view.spotlight.is_empty() && view.recent.is_empty() && view.missed.is_empty());
        assert!(view.counters.iter().all(|c| c.ticket.is_none()));
    }

    fn run(&mut self, op: Op) {
        self.wait(Millis(3));
        match op {
            Op::Event { kind, ticket, counter, series } => {
                let (order, at) = self.next_order();
                self.event(kind, (ticket, series), counter, order, at);
            }
            // A time to come is taken as now, so that a clock that is ahead tells no late delivery.
            Op::LateCall { .. } if self.ways.clock > 0 || self.slots.len() == self.morning => {}
            Op::LateCall { recall, ticket, counter, back, series } => {
                let slot = self.slots.len() - back.min(self.slots.len() - self.morning);
                self.late += 1;
                let order = (slot as u64 + 1) * 1000 + self.late;
                let at = self.slots[slot]
                    .checked_add(jiff::SignedDuration::from_millis(1))
                    .expect("a time of this century");
                let kind = if recall { Kind::Recall } else { Kind::Call };
                // Old ones that come as far apart as they were made tell a young link that the sender's clock is behind.
                if self.is_settled() || self.hall.now.age_of(at) <= MAX_AGE {
                    self.event(kind, (ticket, series), counter, order, at);
                }
            }
            Op::State { mode, ticket, counter } => self.state(mode, ticket, counter),
            Op::ClearCounter(name) => self.clear_counter(name),
            Op::Queue { missed } => {
                let missed = missed.into_iter().map(|code| ticket(TICKETS[code])).collect();
                let (next, at) = (Vec::new(), self.hall.now.after(Millis::from_secs(self.ways.clock)).wall);
                let (wait_minutes, slot, left_today) = (None, None, None);
                let state = QueueState { waiting: 1, next, wait_minutes, missed, slot, left_today, at };
                self.deliver(Input::QueueChanged {
                    series: Series::parse("A").expect("a valid series"),
                    state,
                });
            }
            Op::Put { name, level, speak, starts_in, lasts, zone } => {
                let from = self.hall.now.after(Millis::from_secs(starts_in));
                let until = lasts.map(|secs| from.after(Millis::from_secs(secs)).wall);
                let zones = zone.map(zone_named).into_iter().collect();
                let plain = notice(&format!("n{name}"), level, self.hall.now.wall);
                let recording = RecordingId::parse(&"5e".repeat(16)).ok().filter(|_| name % 2 == 1);
                self.put(name, Notice { from: Some(from.wall), until, zones, speak, recording, ..plain });
            }
            Op::ClearNotice(name) => self.clear_notice(name),
            Op::Again(index) => self.again(index),
            Op::Wait(ms) => self.wait(Millis(ms)),
            Op::Night => self.sleep(),
            Op::Started(west) => self.start(west),
            Op::Ended { west, completed } => self.end(west, completed),
            Op::Sound { west, works } => self.sound(west, works),
            Op::Mute { west, muted } => self.mute(west, muted),
            Op::Link(up) => {
                self.up_since = up.then(|| self.up_since.unwrap_or(self.hall.now.mono));
                self.give(Input::LinkChanged { up }, None);
            }
            Op::Glass(lit) => self.glass(lit),
            Op::Identify => drop(self.give(Input::IdentifyRequested, None)),
        }
        self.grid.check(&self.shown);
    }

    /// The sound works, everything is said to its end, and time passes.
    fn drain(&mut self) {
        for west in [false, true] {
            self.sound(west, true);
        }
        self.mute(None, false);
        self.glass(true);
        for _ in 0..120 {
            self.end(false, true);
            self.end(true, true);
            self.wait(Millis::from_secs(5));
        }
        self.voices.check_drained();
        assert_eq!(self.shown.spotlight_waiting, 0, "everybody had the spotlight");
        assert!(self.shown.spotlight.len() <= 1, "the stack has shrunk");
        assert_eq!(self.hall.board.worst_wait(self.hall.now), Millis::ZERO);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_no_call_is_hidden_lost_or_said_twice(
        ways in ways(),
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let mut world = World::new(ways);
        for op in ops {
            world.run(op);
        }
        world.drain();
    }

    #[test]
    fn the_order_of_delivery_does_not_decide_what_a_counter_shows(
        events in prop::collection::vec((0..4_usize, 0..TICKETS.len(), 0..3_usize), 1..30),
        order in prop::collection::vec(any::<Index>(), 60),
    ) {
        let hall = Hall::new();
        let inputs: Vec<Input> =
            events.iter().enumerate().map(|(n, event)| numbered_event(n as u64, *event, hall.now)).collect();
        let mut in_order = hall;
        for input in &inputs {
            in_order.give(input.clone());
        }
        let mut shuffled = Hall::new();
        for index in order {
            shuffled.give(index.get(&inputs).clone());
        }
        for input in inputs.iter().rev() {
            shuffled.give(input.clone());
        }
        let tickets = |hall: &Hall| -> Vec<_> {
            hall.view().counters.into_iter().map(|c| (c.counter, c.ticket, c.mode)).collect()
        };
        prop_assert_eq!(tickets(&shuffled), tickets(&in_order));
    }
}

/// The `n`th event of a queue system that counts; all in the same second.
fn numbered_event(n: u64, (kind, code, name): (usize, usize, usize), now: Now) -> Input {
    let (ticket, counter, seq, at) = (ticket(TICKETS[code]), counter(COUNTERS[name]), Some(n), now.wall);
    let kind = [Kind::Call, Kind::Recall, Kind::Serving][..].get(kind).copied();
    let Some(kind) = kind else {
        let (label, lanes, reopens) = (None, None, None);
        let mode = CounterMode::Open;
        let ticket = Some(ticket).filter(|_| code > 1);
        return Input::CounterChanged {
            counter,
            state: CounterState { mode, ticket, label, lanes, reopens, at, seq },
        };
    };
    let (series, slot, holder) = (None, None, None);
    let id = id(&format!("e{n}"));
    Input::CallReceived(Call {
        id,
        ticket,
        counter,
        kind,
        at,
        seq,
        series,
        lane: Lane::Regular,
        slot,
        holder,
    })
}

#[test]
fn a_flood_of_inputs_does_not_grow_the_board() {
    let mut hall = Hall::new();
    hall.give(Input::SoundChanged { zone: zone("sanh"), works: false });
    let mut endings = 0;
    for n in 0..3_000 {
        let effects = hall.call(&format!("A{n}"), &(n % 400).to_string());
        endings +=
            effects.iter().filter(|e| matches!(e, Effect::Prove { outcome: Outcome::Expired, .. })).count();
        hall.give(Input::NoticePut(notice(&format!("n{n}"), Level::Info, hall.now.wall)));
    }
    let view = hall.view();
    assert_eq!((view.counters.len(), view.recent.len()), (200, 24));
    assert_eq!((view.spotlight.len(), view.spotlight_waiting), (3, 512));
    assert_eq!(hall.board.notices(hall.now).len(), 50);
    let taken = hall.board.tally().shown as usize;
    assert_eq!(taken - endings, 512, "no more wait to be said, and the rest has its ending");
}
