//! What must be true of a board after every step, told by a second, simpler book-keeping of the same events.

#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use moiso::board::call::{Call, CallId, Counter, Kind, Series, Ticket, Zone};
use moiso::board::input::{Announcement, AnnouncementId, Effect, Message, Outcome};
use moiso::board::view::{BoardView, Spot};
use moiso::clock::{Millis, Now};

use super::{DWELL, MAX_AGE};

/// A silence this long after its start means that the end of an announcement was lost.
const SPEECH_LIMIT: Millis = Millis::from_secs(180);
/// What breaks off this often while the sound works is given up.
const ATTEMPTS: u32 = 3;

/// A ticket and its series, where that is known: two series may both have a number 12.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    ticket: Ticket,
    series: Option<Series>,
}

impl Name {
    fn of(call: &Call) -> Self {
        Self { ticket: call.ticket.clone(), series: call.series.clone() }
    }

    fn is(&self, other: &Self) -> bool {
        let differ = self.series.as_ref().zip(other.series.as_ref()).is_some_and(|(a, b)| a != b);
        self.ticket == other.ticket && !differ
    }
}

/// An event that moved, or may have moved, what a counter shows.
#[derive(Clone, Debug)]
pub enum Fact {
    Shows(Option<Name>),
    Cancels(Name),
}

/// The grid: for each counter the facts in their true order.
#[derive(Default)]
pub struct Grid {
    facts: BTreeMap<Counter, BTreeMap<u64, Fact>>,
    /// What each counter has said of itself last.
    states: BTreeMap<Counter, (u64, Option<Ticket>)>,
    moves: Vec<(Counter, Name, u64)>,
}

impl Grid {
    fn add(&mut self, counter: &Counter, order: u64, fact: Fact) {
        self.facts.entry(counter.clone()).or_default().insert(order, fact);
    }

    /// A counter's own state; a ticket that it shows already keeps its series.
    pub fn state(&mut self, counter: &Counter, order: u64, ticket: Option<Ticket>) {
        let shown = self.expected(counter);
        let name = ticket.clone().map(|ticket| {
            let series = shown.filter(|shown| shown.ticket == ticket).and_then(|shown| shown.series);
            Name { ticket, series }
        });
        self.states.insert(counter.clone(), (order, ticket));
        self.add(counter, order, Fact::Shows(name));
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
        let stands = own.is_some_and(|(said, ticket)| {
            *said > order && ticket.as_ref() == shown.as_ref().map(|shown| &shown.ticket)
        });
        if !stands && shown.is_none_or(|shown| !shown.is(&Name::of(call))) {
            let facts = self.facts.entry(call.counter.clone()).or_default();
            facts.retain(|at, fact| *at < order || matches!(fact, Fact::Cancels(_)));
        }
    }

    /// A call that comes late tells the series of what its counter shows.
    fn name(&mut self, call: &Call) {
        let name = Name::of(call);
        if self.expected(&call.counter).is_some_and(|shown| shown.is(&name)) {
            let facts = self.facts.get_mut(&call.counter).into_iter().flat_map(BTreeMap::values_mut);
            if let Some(Fact::Shows(Some(shown))) = facts.filter(|f| matches!(f, Fact::Shows(_))).last() {
                *shown = name;
            }
        }
    }

    /// An accepted call event whose place in the true order is `order`; `live` says that it came as one that has just
    /// been made.
    pub fn event(&mut self, call: &Call, order: u64, live: bool) {
        let (counter, name) = (&call.counter, Name::of(call));
        if live {
            self.arrive(call, order);
        }
        match call.kind {
            Kind::Call | Kind::Recall | Kind::Transfer => {
                let moved = self.moves.iter().any(|(c, n, at)| c != counter && n.is(&name) && *at > order);
                if !moved {
                    self.name(call);
                    self.add(counter, order, Fact::Shows(Some(name)));
                }
            }
            Kind::Serving => self.add(counter, order, Fact::Shows(Some(name))),
            Kind::Cancel => self.add(counter, order, Fact::Cancels(name)),
            Kind::Absent => {}
        }
        if call.kind == Kind::Transfer {
            self.moved(call, order);
        }
    }

    fn moved(&mut self, call: &Call, order: u64) {
        self.moves.push((call.counter.clone(), Name::of(call), order));
        let others: Vec<Counter> = self.facts.keys().filter(|c| **c != call.counter).cloned().collect();
        for counter in others {
            self.add(&counter, order, Fact::Cancels(Name::of(call)));
        }
    }

    /// The ticket that the counter has to show.
    fn expected(&self, counter: &Counter) -> Option<Name> {
        let mut shown = None;
        for fact in self.facts.get(counter).into_iter().flat_map(BTreeMap::values) {
            match fact {
                Fact::Shows(name) => shown.clone_from(name),
                Fact::Cancels(name) => {
                    shown.take_if(|s| s.is(name));
                }
            }
        }
        shown
    }

    pub fn check(&self, view: &BoardView) {
        for cell in &view.counters {
            let expected = self.expected(&cell.counter).map(|name| name.ticket);
            assert_eq!(cell.ticket, expected, "counter {}", cell.counter);
        }
        let shown = |facts: &BTreeMap<u64, Fact>| facts.values().any(|fact| matches!(fact, Fact::Shows(_)));
        for (counter, _) in self.facts.iter().filter(|(_, facts)| shown(facts)) {
            assert!(view.counters.iter().any(|c| c.counter == *counter), "counter {counter} has no cell");
        }
    }
}

/// The spotlight: who waits, and whether everybody got the whole dwell while the picture reached the glass.
#[derive(Default)]
pub struct Light {
    stack: Vec<Spot>,
    waiting: Vec<(Counter, Name, CallId)>,
    series: BTreeMap<CallId, Option<Series>>,
    came: BTreeMap<CallId, Millis>,
    served: BTreeSet<CallId>,
    absent: BTreeSet<CallId>,
    dark: bool,
}

impl Light {
    fn name(&self, spot: &Spot) -> Name {
        let series = self.series.get(&spot.call).expect("what stands there was called").clone();
        Name { ticket: spot.ticket.clone(), series }
    }

    fn stands(&self, stack: &[Spot], counter: &Counter, name: &Name) -> bool {
        stack.iter().any(|s| s.counter == *counter && self.name(s).is(name))
    }

    /// A live call asked for the spotlight.
    pub fn enter(&mut self, call: &Call, now: Now) {
        let (counter, name) = (&call.counter, Name::of(call));
        self.series.insert(call.id.clone(), call.series.clone());
        self.came.insert(call.id.clone(), now.mono);
        let served = &self.served;
        self.waiting.retain(|(c, n, id)| !(served.contains(id) && c == counter && !n.is(&name)));
        let mut waits = false;
        for entry in self.waiting.iter_mut().filter(|(c, n, _)| c == counter && n.is(&name)) {
            (entry.2, waits) = (call.id.clone(), true);
        }
        if !waits && !self.stands(&self.stack, counter, &name) {
            self.waiting.push((counter.clone(), name, call.id.clone()));
        }
    }

    /// When there is a glass again, who came lately gets a whole dwell, also those whom it went dark on.
    pub fn glass_changed(&mut self, lit: bool, now: Now) {
        if !std::mem::replace(&mut self.dark, !lit) || !lit {
            return;
        }
        let stack = std::mem::take(&mut self.stack);
        let stood = stack.iter().rev().map(|s| (s.counter.clone(), self.name(s), s.call.clone()));
        let stood: Vec<_> = stood.filter(|(.., id)| !self.absent.contains(id)).collect();
        let all = stood.into_iter().chain(self.waiting.drain(..));
        self.waiting = all.filter(|(.., id)| now.mono - self.came[id] <= MAX_AGE).collect();
    }

    /// The ticket moved: its entries point to the new counter, once.
    pub fn redirect(&mut self, call: &Call) {
        let (counter, name) = (&call.counter, Name::of(call));
        let waits = self.waiting.iter().any(|(c, n, _)| c == counter && n.is(&name));
        let mut placed = waits || self.stands(&self.stack, counter, &name);
        let mut keep = |c: &mut Counter, n: &Name| {
            if !n.is(&name) || c == counter {
                return true;
            }
            c.clone_from(counter);
            !std::mem::replace(&mut placed, true)
        };
        let names: Vec<Name> = self.stack.iter().map(|s| self.name(s)).collect();
        let mut names = names.iter();
        self.stack.retain_mut(|s| keep(&mut s.counter, names.next().expect("a name for each")));
        self.waiting.retain_mut(|(c, n, _)| keep(c, n));
    }

    /// What happened to a called ticket.
    pub fn end(&mut self, call: &Call) {
        let name = Name::of(call);
        let is = |c: &Counter, n: &Name| *c == call.counter && n.is(&name);
        match call.kind {
            Kind::Serving => {
                let waiting = self.waiting.iter().filter(|(c, n, _)| is(c, n));
                self.served.extend(waiting.map(|(.., id)| id.clone()));
            }
            Kind::Absent => {
                self.waiting.retain(|(c, n, _)| !is(c, n));
                let stands = self.stack.iter().filter(|s| is(&s.counter, &self.name(s)));
                let stands: Vec<CallId> = stands.map(|s| s.call.clone()).collect();
                self.absent.extend(stands);
            }
            Kind::Cancel => {
                self.waiting.retain(|(c, n, _)| !is(c, n));
                let stack = std::mem::take(&mut self.stack);
                self.stack = stack.into_iter().filter(|s| !is(&s.counter, &self.name(s))).collect();
            }
            Kind::Call | Kind::Recall | Kind::Transfer => {}
        }
    }

    /// A new day.
    pub fn turn(&mut self) {
        assert!(self.waiting.is_empty(), "everybody had the spotlight in the evening");
        self.stack.clear();
    }

    pub fn check(&mut self, view: &BoardView, now: Now) {
        let stack = &view.spotlight;
        assert!(stack.len() <= 3);
        assert!(stack.windows(2).all(|pair| pair[0].since >= pair[1].since), "newest on top");
        for before in &self.stack {
            let stays = stack.iter().any(|s| s.ticket == before.ticket && s.counter == before.counter);
            let had_dwell = !self.dark && now.mono - before.since >= DWELL;
            assert!(stays || had_dwell, "{} left before its time", before.ticket);
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = waiting.into_iter().filter(|(c, n, _)| !self.stands(stack, c, n)).collect();
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
    queues: BTreeMap<Counter, VecDeque<(Name, CallId)>>,
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
        match queue.iter_mut().find(|(name, _)| name.is(&Name::of(call))) {
            Some(waiting) => waiting.1 = call.id.clone(),
            None => queue.push_back((Name::of(call), call.id.clone())),
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
            let next = queue.pop_front().map(|(name, call)| (name.ticket, call));
            assert_eq!(next, Some((ticket.clone(), call.clone())), "order within a counter");
            self.passed_over.remove(counter);
            self.tidy();
            for waiting in self.queues.keys().filter(|waiting| *waiting != counter) {
                let times =
                    self.passed_over.entry(waiting.clone()).or_default().entry(counter.clone()).or_default();
                *times += 1;
                assert!(*times <= 1, "counter {counter} spoke again before {waiting}");
            }
        }
        if let Message::Notice { recording: Some(_), emergency: false, .. } = &announcement.message {
            assert!(self.queues.is_empty(), "a recorded message before a call that waits");
        }
        let (id, message) = (announcement.id, announcement.message.clone());
        self.running = Some(Running { id, message, limit: now.mono + SPEECH_LIMIT, muted: false });
    }
}

/// All announcements, and what became of every call.
pub struct Voices {
    pub zones: BTreeMap<Zone, Voice>,
    /// Each call that was taken, and when it came.
    arrived: BTreeMap<CallId, Millis>,
    calls: BTreeMap<CallId, Call>,
    outcomes: BTreeMap<CallId, Outcome>,
    said: BTreeMap<(Zone, String), u32>,
    broken_off: BTreeMap<(Zone, String), u32>,
}

impl Voices {
    pub fn new(zones: impl IntoIterator<Item = Zone>) -> Self {
        Self {
            zones: zones.into_iter().map(|zone| (zone, Voice::new())).collect(),
            arrived: BTreeMap::new(),
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
    pub fn summoned(&mut self, call: &Call, zone: &Zone, effects: &[Effect], now: Now) -> bool {
        self.arrived.insert(call.id.clone(), now.mono);
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
        let Message::Call { call, counter, .. } = &running.message else {
            // What was said while silence was asked for nobody has heard.
            if !completed || running.muted {
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
                voice
                    .queues
                    .entry(counter.clone())
                    .or_default()
                    .push_front((Name::of(&self.calls[call]), call.clone()));
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
            let waited = now.mono - self.arrived[id];
            assert!(waited.max(now.age_of(call.at)) > MAX_AGE, "{id} expired too early");
        }
        self.zones.values_mut().for_each(|voice| voice.remove(id));
    }

    fn announced(&mut self, announcement: &Announcement, now: Now) {
        if let Message::Call { call, .. } = &announcement.message {
            let arrived = self.arrived.get(call).expect("only what was taken is said");
            assert!(now.mono - *arrived <= MAX_AGE, "{call} is too old to be said");
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
