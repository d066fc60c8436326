//! What must be true of a board after every step, told by a second, simpler book-keeping of the same events.

#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use moiso::board::call::{Call, CallId, Counter, Kind, Ticket, Zone};
use moiso::board::input::{Announcement, AnnouncementId, Effect, Message, Outcome};
use moiso::board::view::{BoardView, Spot};
use moiso::clock::{Millis, Now};

use super::{DWELL, MAX_AGE};

/// A silence this long after its start means that the end of an announcement was lost.
const SPEECH_LIMIT: Millis = Millis::from_secs(180);
/// What breaks off this often while the sound works is given up.
const ATTEMPTS: u32 = 3;

/// An event that moved, or may have moved, what a counter shows.
#[derive(Clone, Debug)]
pub enum Fact {
    Shows(Option<Ticket>),
    Cancels(Ticket),
}

/// The grid: for each counter the facts in their true order.
#[derive(Default)]
pub struct Grid {
    facts: BTreeMap<Counter, BTreeMap<u64, Fact>>,
    /// What each counter has said of itself last.
    states: BTreeMap<Counter, (u64, Option<Ticket>)>,
    moves: Vec<(Counter, Ticket, u64)>,
}

impl Grid {
    fn add(&mut self, counter: &Counter, order: u64, fact: Fact) {
        self.facts.entry(counter.clone()).or_default().insert(order, fact);
    }

    pub fn state(&mut self, counter: &Counter, order: u64, ticket: Option<Ticket>) {
        self.states.insert(counter.clone(), (order, ticket.clone()));
        self.add(counter, order, Fact::Shows(ticket));
    }

    pub fn clear(&mut self, counter: &Counter) {
        self.facts.remove(counter);
        self.states.remove(counter);
    }

    /// A call that comes live although others are known to be later, by another clock: it is the last of its counter,
    /// unless the counter itself shows what it said later.
    fn arrive(&mut self, call: &Call, order: u64) {
        let shown = self.expected(&call.counter);
        let own = self.states.get(&call.counter);
        let stands = own.is_some_and(|(said, ticket)| *said > order && *ticket == shown);
        if !stands && shown.as_ref() != Some(&call.ticket) {
            let facts = self.facts.entry(call.counter.clone()).or_default();
            facts.retain(|at, fact| *at < order || matches!(fact, Fact::Cancels(_)));
        }
    }

    /// An accepted call event whose place in the true order is `order`; `live` says that it came as one that has just
    /// been made.
    pub fn event(&mut self, call: &Call, order: u64, live: bool) {
        let (counter, ticket) = (&call.counter, &call.ticket);
        if live {
            self.arrive(call, order);
        }
        match call.kind {
            Kind::Call | Kind::Recall | Kind::Transfer => {
                let moved = self.moves.iter().any(|(c, t, at)| c != counter && t == ticket && *at > order);
                if !moved {
                    self.add(counter, order, Fact::Shows(Some(ticket.clone())));
                }
            }
            Kind::Serving => self.add(counter, order, Fact::Shows(Some(ticket.clone()))),
            Kind::Cancel => self.add(counter, order, Fact::Cancels(ticket.clone())),
            Kind::Absent => {}
        }
        match call.kind {
            Kind::Transfer => self.moved(call, order),
            Kind::Call | Kind::Recall | Kind::Serving | Kind::Absent | Kind::Cancel => {}
        }
    }

    fn moved(&mut self, call: &Call, order: u64) {
        self.moves.push((call.counter.clone(), call.ticket.clone(), order));
        let others: Vec<Counter> = self.facts.keys().filter(|c| **c != call.counter).cloned().collect();
        for counter in others {
            self.add(&counter, order, Fact::Cancels(call.ticket.clone()));
        }
    }

    /// The ticket that the counter has to show.
    fn expected(&self, counter: &Counter) -> Option<Ticket> {
        let mut shown = None;
        for fact in self.facts.get(counter).into_iter().flat_map(BTreeMap::values) {
            match fact {
                Fact::Shows(ticket) => shown.clone_from(ticket),
                Fact::Cancels(ticket) => {
                    shown.take_if(|s| s == ticket);
                }
            }
        }
        shown
    }

    pub fn check(&self, view: &BoardView) {
        for cell in &view.counters {
            assert_eq!(cell.ticket, self.expected(&cell.counter), "counter {}", cell.counter);
        }
        let shown = |facts: &BTreeMap<u64, Fact>| facts.values().any(|fact| matches!(fact, Fact::Shows(_)));
        for (counter, _) in self.facts.iter().filter(|(_, facts)| shown(facts)) {
            assert!(view.counters.iter().any(|c| c.counter == *counter), "counter {counter} has no cell");
        }
    }
}

/// The spotlight: who waits, and whether everybody got the whole dwell.
#[derive(Default)]
pub struct Light {
    stack: Vec<Spot>,
    waiting: Vec<(Counter, Ticket, bool)>,
}

impl Light {
    /// A live call asked for the spotlight.
    pub fn enter(&mut self, call: &Call) {
        self.waiting.retain(|(c, t, served)| !(*served && *c == call.counter && *t != call.ticket));
        let same = |(c, t): (&Counter, &Ticket)| *c == call.counter && *t == call.ticket;
        self.waiting.iter_mut().filter(|(c, t, _)| same((c, t))).for_each(|entry| entry.2 = false);
        let known = self.waiting.iter().any(|(c, t, _)| same((c, t)))
            || self.stack.iter().any(|s| same((&s.counter, &s.ticket)));
        if !known {
            self.waiting.push((call.counter.clone(), call.ticket.clone(), false));
        }
    }

    /// The ticket moved: its entries point to the new counter, once.
    pub fn redirect(&mut self, call: &Call) {
        let mut placed = self.stack.iter().any(|s| s.counter == call.counter && s.ticket == call.ticket)
            || self.waiting.iter().any(|(c, t, _)| *c == call.counter && *t == call.ticket);
        self.stack.retain_mut(|s| {
            if s.ticket != call.ticket || s.counter == call.counter {
                return true;
            }
            s.counter = call.counter.clone();
            !std::mem::replace(&mut placed, true)
        });
        self.waiting.retain_mut(|(c, t, _)| {
            if *t != call.ticket || *c == call.counter {
                return true;
            }
            *c = call.counter.clone();
            !std::mem::replace(&mut placed, true)
        });
    }

    /// What happened to a called ticket.
    pub fn end(&mut self, call: &Call) {
        let is = |c: &Counter, t: &Ticket| *c == call.counter && *t == call.ticket;
        match call.kind {
            Kind::Serving => {
                self.waiting.iter_mut().filter(|(c, t, _)| is(c, t)).for_each(|entry| entry.2 = true);
            }
            Kind::Absent => self.waiting.retain(|(c, t, _)| !is(c, t)),
            Kind::Cancel => {
                self.waiting.retain(|(c, t, _)| !is(c, t));
                self.stack.retain(|s| !is(&s.counter, &s.ticket));
            }
            Kind::Call | Kind::Recall | Kind::Transfer => {}
        }
    }

    pub fn check(&mut self, view: &BoardView, now: Now) {
        let stack = &view.spotlight;
        assert!(stack.len() <= 3);
        assert!(stack.windows(2).all(|pair| pair[0].since >= pair[1].since), "newest on top");
        for before in &self.stack {
            let stays = stack.iter().any(|s| s.ticket == before.ticket && s.counter == before.counter);
            assert!(stays || now.mono - before.since >= DWELL, "{} left before its time", before.ticket);
        }
        self.waiting.retain(|(c, t, _)| !stack.iter().any(|s| s.counter == *c && s.ticket == *t));
        assert_eq!(view.spotlight_waiting, self.waiting.len(), "{:?}", self.waiting);
        assert!(self.waiting.is_empty() || stack.len() == 3, "nobody waits while there is room");
        self.stack.clone_from(stack);
    }
}

/// The announcements of one zone.
pub struct Voice {
    pub works: bool,
    pub muted: bool,
    pub running: Option<Running>,
    /// What each counter has to say, in order.
    queues: BTreeMap<Counter, VecDeque<(Ticket, CallId)>>,
    /// How often others have spoken since a waiting counter last did.
    passed_over: BTreeMap<Counter, BTreeMap<Counter, u32>>,
}

#[derive(Clone)]
pub struct Running {
    pub id: AnnouncementId,
    message: Message,
    limit: Millis,
    muted: bool,
}

impl Voice {
    fn new() -> Self {
        Self {
            works: true,
            muted: false,
            running: None,
            queues: BTreeMap::new(),
            passed_over: BTreeMap::new(),
        }
    }

    pub fn mute(&mut self, muted: bool) {
        self.muted = muted;
        if let Some(running) = &mut self.running {
            running.muted |= muted;
        }
    }

    pub fn started(&mut self, now: Now) {
        if let Some(running) = &mut self.running {
            running.limit = now.mono + SPEECH_LIMIT;
        }
    }

    fn push(&mut self, call: &Call) {
        let queue = self.queues.entry(call.counter.clone()).or_default();
        match queue.iter_mut().find(|(ticket, _)| *ticket == call.ticket) {
            Some(waiting) => waiting.1 = call.id.clone(),
            None => queue.push_back((call.ticket.clone(), call.id.clone())),
        }
    }

    fn remove(&mut self, id: &CallId) {
        self.queues.values_mut().for_each(|queue| queue.retain(|(_, waiting)| waiting != id));
        self.tidy();
    }

    fn tidy(&mut self) {
        self.queues.retain(|_, queue| !queue.is_empty());
        let queues = &self.queues;
        self.passed_over.retain(|counter, _| queues.contains_key(counter));
    }

    fn starts(&mut self, announcement: &Announcement, now: Now) {
        assert!(self.running.is_none(), "two announcements at once in a zone");
        assert!(self.works && !self.muted, "said into the void");
        assert!(announcement.repeats >= 1);
        if let Message::Call { call, ticket, counter, .. } = &announcement.message {
            let queue = self.queues.get_mut(counter).expect("the counter has something to say");
            assert_eq!(
                queue.pop_front().as_ref(),
                Some(&(ticket.clone(), call.clone())),
                "order within a counter"
            );
            self.passed_over.remove(counter);
            self.tidy();
            for waiting in self.queues.keys().filter(|waiting| *waiting != counter) {
                let times =
                    self.passed_over.entry(waiting.clone()).or_default().entry(counter.clone()).or_default();
                *times += 1;
                assert!(*times <= 1, "counter {counter} spoke again before {waiting}");
            }
        }
        let (id, message) = (announcement.id, announcement.message.clone());
        self.running = Some(Running { id, message, limit: now.mono + SPEECH_LIMIT, muted: false });
    }
}

/// All announcements, and what became of every call.
pub struct Voices {
    pub zones: BTreeMap<Zone, Voice>,
    calls: BTreeMap<CallId, Call>,
    outcomes: BTreeMap<CallId, Outcome>,
    said: BTreeMap<(Zone, String), u32>,
    broken_off: BTreeMap<(Zone, String), u32>,
}

impl Voices {
    pub fn new(zones: impl IntoIterator<Item = Zone>) -> Self {
        Self {
            zones: zones.into_iter().map(|zone| (zone, Voice::new())).collect(),
            calls: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            said: BTreeMap::new(),
            broken_off: BTreeMap::new(),
        }
    }

    pub fn zone(&mut self, zone: &Zone) -> &mut Voice {
        self.zones.get_mut(zone).expect("a known zone")
    }

    /// A summons that was taken. True when it was live: it is in the spotlight, and said unless its zone is muted.
    pub fn summoned(&mut self, call: &Call, zone: &Zone, effects: &[Effect]) -> bool {
        self.calls.insert(call.id.clone(), call.clone());
        let own = effects.iter().find_map(|e| match e {
            Effect::Prove { call: id, outcome } if *id == call.id => Some(*outcome),
            _ => None,
        });
        if own.is_none() {
            self.zone(zone).push(call);
        }
        own.is_none_or(|outcome| outcome == Outcome::Muted)
    }

    /// Follows the effects of one input; `ended` is the announcement that it ended, and whether completely.
    pub fn follow(&mut self, effects: &[Effect], ended: Option<(&Zone, Running, bool)>, now: Now) {
        if let Some((zone, running, completed)) = ended {
            self.end(zone, &running, completed, effects);
        }
        self.lose_ends(effects, now);
        for effect in effects {
            match effect {
                Effect::Prove { call, outcome } => self.proven(call, *outcome, now),
                Effect::Announce(announcement) => self.announced(announcement, now),
                Effect::Show | Effect::Ignore { .. } => {}
            }
        }
    }

    fn end(&mut self, zone: &Zone, running: &Running, completed: bool, effects: &[Effect]) {
        let voice = self.zones.get_mut(zone).expect("a known zone");
        voice.running = None;
        let Message::Call { call, ticket, counter, .. } = &running.message else {
            if !completed {
                *self.broken_off.entry((zone.clone(), name(&running.message))).or_default() += 1;
            }
            return;
        };
        let own = |e: &Effect| matches!(e, Effect::Prove { call: id, .. } if id == call);
        match effects.iter().find(|e| own(e)) {
            Some(Effect::Prove { outcome, .. }) if completed => {
                let expected = if running.muted { Outcome::Muted } else { Outcome::Spoken };
                assert_eq!(*outcome, expected);
            }
            Some(effect) => assert!(!matches!(effect, Effect::Prove { outcome: Outcome::Spoken, .. })),
            None => {
                assert!(!completed, "a completed announcement is proven");
                *self.broken_off.entry((zone.clone(), name(&running.message))).or_default() += 1;
                voice.passed_over.clear();
                voice.queues.entry(counter.clone()).or_default().push_front((ticket.clone(), call.clone()));
            }
        }
    }

    /// Announcements whose end never came.
    fn lose_ends(&mut self, effects: &[Effect], now: Now) {
        let lost: Vec<(Zone, Running)> = self
            .zones
            .iter()
            .filter_map(|(zone, voice)| Some((zone.clone(), voice.running.clone()?)))
            .filter(|(_, running)| now.mono >= running.limit)
            .collect();
        for (zone, running) in lost {
            self.end(&zone, &running, false, effects);
        }
    }

    fn proven(&mut self, id: &CallId, outcome: Outcome, now: Now) {
        let call = self.calls.get(id).expect("only what was taken is proven");
        assert_eq!(self.outcomes.insert(id.clone(), outcome), None, "{id} has two endings");
        let broken_off =
            self.broken_off.iter().filter(|((_, name), _)| name == id.as_str()).map(|(_, times)| times);
        if outcome == Outcome::Expired && broken_off.max() < Some(&(ATTEMPTS - 1)) {
            assert!(now.age_of(call.at) > MAX_AGE, "{id} expired too early");
        }
        self.zones.values_mut().for_each(|voice| voice.remove(id));
    }

    fn announced(&mut self, announcement: &Announcement, now: Now) {
        if let Message::Call { call, .. } = &announcement.message {
            let known = self.calls.get(call).expect("only what was taken is said");
            assert!(now.age_of(known.at) <= MAX_AGE, "{call} is too old to be said");
            assert!(!self.outcomes.contains_key(call), "{call} was over");
        }
        let key = (announcement.zone.clone(), name(&announcement.message));
        let times = self.said.entry(key.clone()).or_default();
        *times += 1;
        assert!(*times <= 1 + self.broken_off.get(&key).copied().unwrap_or(0), "{key:?} was said twice");
        self.zone(&announcement.zone).starts(announcement, now);
    }

    /// When all has been said and time has passed, every call has its ending and nothing waits.
    pub fn check_drained(&self) {
        let open: BTreeSet<&CallId> =
            self.calls.keys().filter(|id| !self.outcomes.contains_key(*id)).collect();
        assert!(open.is_empty(), "without an ending: {open:?}");
        assert!(self.zones.values().all(|voice| voice.queues.is_empty() && voice.running.is_none()));
    }
}

/// What tells announcements apart: the id of a call, the text of a notice.
fn name(message: &Message) -> String {
    match message {
        Message::Call { call, .. } => call.to_string(),
        Message::Notice { text, .. } => text.clone(),
    }
}
