//! Who stands in the spotlight and who waits for it. It decides on time and order alone, never on how it looks.
//!
//! - Every call holds the spotlight for the whole dwell, counted from when it got in; up to three share it, newest first.
//! - More wait their turn, oldest first. Whom an earlier life of the process has drawn comes after all who were never drawn,
//!   and gives way to them.
//! - While the picture reaches no glass nobody's dwell passes: those who are young when it does again hold the spotlight then.
//! - The last call stays until the next one or the next day: a citizen who looked away must still find it. A stack shrinks
//!   to its newest.
//! - The same ticket at the same counter is there once: called again, it is renewed and moves to the top.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use super::call::{Call, CallId, Counter, Series, Ticket};
use super::cell::is_ticket_of;
use super::day::told;
use super::view::Spot;
use crate::clock::{Millis, Now};

/// How many share the spotlight.
pub const STACK: usize = 3;
/// How many can wait; the oldest gives way, it has been on its counter's cell all the while.
pub const WAITING: usize = 512;

#[derive(Clone, Debug)]
pub struct Spotlight {
    dwell: Millis,
    /// Who came longer ago is not worth the spotlight when there is a glass again.
    fresh: Millis,
    /// Whether the picture reaches the glass.
    lit: bool,
    /// Newest first.
    stack: Vec<Entry>,
    /// Oldest first.
    waiting: VecDeque<Entry>,
    /// Some that wait may have been served.
    served: bool,
    held: Held,
    /// Who shared it when it was settled last, and since when.
    settled: Vec<CallId>,
    since: Millis,
}

#[derive(Clone, Debug)]
struct Entry {
    spot: Spot,
    series: Option<Series>,
    /// When it was called, as it can be true.
    said: Timestamp,
    came: Millis,
    /// An earlier life of the process has drawn it.
    drawn: bool,
    /// The citizen came; such an entry need not wait on when its counter calls the next one.
    served: bool,
    /// Nobody came; such an entry leaves after its dwell even when it is the last.
    absent: bool,
}

impl Entry {
    /// Whether it calls the ticket of `call`, to whichever counter.
    fn is_ticket_of(&self, call: &Call) -> bool {
        is_ticket_of(&self.spot.ticket, self.series.as_ref(), call)
    }

    /// Whether it calls the ticket of `call` to the same counter.
    fn is_of(&self, call: &Call) -> bool {
        self.spot.counter == call.counter && self.is_ticket_of(call)
    }
}

/// Which calls have or await the spotlight, so that a counter finds its own without a look at all others.
#[derive(Clone, Debug, Default)]
struct Held {
    /// How many; two series may both have a number 12.
    calls: HashMap<(Counter, Ticket), usize>,
    /// Counters whose calls came or went.
    touched: Vec<Counter>,
}

impl Held {
    fn has(&self, counter: &Counter, ticket: &Ticket) -> bool {
        self.calls.contains_key(&(counter.clone(), ticket.clone()))
    }

    fn add(&mut self, Spot { counter, ticket, .. }: &Spot) {
        *self.calls.entry((counter.clone(), ticket.clone())).or_default() += 1;
        self.touched.push(counter.clone());
    }

    fn drop(&mut self, Spot { counter, ticket, .. }: &Spot) {
        let call = (counter.clone(), ticket.clone());
        if let Some(count) = self.calls.get_mut(&call) {
            *count -= 1;
            if *count == 0 {
                self.calls.remove(&call);
            }
        }
        self.touched.push(counter.clone());
    }

    /// Lets only those stay.
    fn keep(&mut self, stays: impl Fn(&Entry) -> bool) -> impl FnMut(&Entry) -> bool {
        move |entry| {
            let stays = stays(entry);
            if !stays {
                self.drop(&entry.spot);
            }
            stays
        }
    }
}

impl Spotlight {
    pub fn new(dwell: Millis, fresh: Millis) -> Self {
        Self {
            dwell,
            fresh,
            lit: true,
            stack: Vec::new(),
            waiting: VecDeque::new(),
            served: false,
            held: Held::default(),
            settled: Vec::new(),
            since: Millis::ZERO,
        }
    }

    /// The picture reaches the glass from now on, or does no more.
    pub fn glass_changed(&mut self, lit: bool, now: Millis) {
        if std::mem::replace(&mut self.lit, lit) || !lit {
            return;
        }
        let fresh = self.fresh;
        self.stack.retain(self.held.keep(|e| !e.absent));
        self.waiting = self.stack.drain(..).rev().chain(self.waiting.drain(..)).collect();
        self.waiting.make_contiguous().sort_by_key(|e| e.drawn);
        let last = self.waiting.iter().max_by_key(|e| e.came).cloned();
        self.waiting.retain(self.held.keep(|e| now - e.came <= fresh));
        if self.waiting.is_empty()
            && let Some(last) = last
        {
            self.held.add(&last.spot);
            self.stack.push(last);
        }
        self.served = self.waiting.iter().any(|e| e.served);
        self.settle(now);
    }

    /// A call asks for the spotlight; `drawn` says that an earlier life of the process has drawn it there.
    pub fn enter(&mut self, call: &Call, drawn: bool, now: Now) {
        self.drop_served(call);
        let (series, said) = (call.series.clone(), told(call.at, now));
        let came = now.mono;
        let entry = Entry { spot: spot(call), series, said, came, drawn, served: false, absent: false };
        let known = self.holds(&call.counter, &call.ticket);
        if let Some(index) = self.stack.iter().position(|e| e.is_of(call)) {
            self.stack.remove(index);
            self.admit(entry, now.mono);
        } else if known && let Some(waiting) = self.waiting.iter_mut().find(|e| e.is_of(call)) {
            *waiting = entry;
            self.waiting.make_contiguous().sort_by_key(|e| e.drawn);
        } else {
            self.held.add(&entry.spot);
            let place = if drawn { self.waiting.len() } else { self.never_drawn() };
            self.waiting.insert(place, entry);
            if self.waiting.len() > WAITING {
                let drawn = Some(self.never_drawn()).filter(|place| *place < self.waiting.len());
                if let Some(gone) = self.waiting.remove(drawn.unwrap_or_default()) {
                    self.held.drop(&gone.spot);
                }
            }
        }
        self.settle(now.mono);
    }

    /// The counter of `call` goes on: its tickets that were served wait no longer.
    fn drop_served(&mut self, call: &Call) {
        if self.served {
            let gone = |e: &Entry| e.served && e.spot.counter == call.counter && !e.is_ticket_of(call);
            self.waiting.retain(self.held.keep(|e| !gone(e)));
            self.served = self.waiting.iter().any(|e| e.served);
        }
    }

    /// A new day: yesterday's numbers call nobody any more. What has just come is none of them, whatever the clock says.
    pub fn turn(&mut self, counts: impl Fn(Timestamp) -> bool, now: Millis) {
        let fresh = self.fresh;
        let stays = |e: &Entry| counts(e.said) || now - e.came <= fresh;
        self.stack.retain(self.held.keep(stays));
        self.waiting.retain(self.held.keep(stays));
    }

    /// The ticket moved to the counter of `call`: where it stood for another one, it now points there.
    pub fn redirect(&mut self, call: &Call) {
        let mut placed = self.stack.iter().chain(&self.waiting).any(|e| e.is_of(call));
        let mut keep = |e: &mut Entry| {
            if !e.is_ticket_of(call) || e.is_of(call) {
                return true;
            }
            self.held.drop(&e.spot);
            e.spot.counter = call.counter.clone();
            let stays = !std::mem::replace(&mut placed, true);
            if stays {
                self.held.add(&e.spot);
            }
            stays
        };
        self.stack.retain_mut(&mut keep);
        self.waiting.retain_mut(keep);
    }

    /// The citizen came. The entry keeps its dwell, and waits on unless its counter calls the next one.
    pub fn served(&mut self, call: &Call) {
        for entry in self.waiting.iter_mut().filter(|e| e.is_of(call)) {
            (entry.served, self.served) = (true, true);
        }
    }

    /// Nobody came: it waits no longer, and leaves when its dwell ends.
    pub fn absent(&mut self, call: &Call) {
        self.waiting.retain(self.held.keep(|e| !e.is_of(call)));
        self.stack.iter_mut().filter(|e| e.is_of(call)).for_each(|e| e.absent = true);
    }

    /// The call was a mistake.
    pub fn cancel(&mut self, call: &Call) {
        self.stack.retain(self.held.keep(|e| !e.is_of(call)));
        self.waiting.retain(self.held.keep(|e| !e.is_of(call)));
    }

    /// Lets those go whose dwell has ended, and the next ones in.
    pub fn settle(&mut self, now: Millis) {
        let (lit, dwell) = (self.lit, self.dwell);
        let lasts = |e: &Entry| !lit || now < e.spot.since + dwell;
        if self.waiting.is_empty() && !self.stack.iter().any(lasts) {
            let stays = self.stack.first().is_some_and(|e| !e.absent);
            self.stack.drain(usize::from(stays)..).for_each(|e| self.held.drop(&e.spot));
        } else {
            self.stack.retain(self.held.keep(lasts));
        }
        while self.stack.len() < STACK
            && let Some(entry) = self.waiting.pop_front()
        {
            self.admit(entry, now);
        }
        self.give_way(now);
        if !self.stack.iter().map(|e| &e.spot.call).eq(&self.settled) {
            self.settled = self.stack.iter().map(|e| e.spot.call.clone()).collect();
            self.since = now;
        }
    }

    /// How many wait who were never drawn; the others wait behind them.
    fn never_drawn(&self) -> usize {
        self.waiting.partition_point(|e| !e.drawn)
    }

    /// Who was never drawn takes the place of who was, who comes back for a dwell of its own.
    fn give_way(&mut self, now: Millis) {
        while self.never_drawn() > 0
            && let Some(index) = self.stack.iter().position(|e| e.drawn)
            && let Some(next) = self.waiting.pop_front()
        {
            let back = self.stack.remove(index);
            self.waiting.insert(self.never_drawn(), back);
            self.admit(next, now);
        }
    }

    /// When other calls than before came to share it, or their order changed.
    pub fn since(&self) -> Millis {
        self.since
    }

    fn admit(&mut self, mut entry: Entry, now: Millis) {
        entry.spot.since = now;
        self.stack.insert(0, entry);
    }

    /// When the stack changes next, if nobody calls.
    pub fn next_change(&self) -> Option<Millis> {
        let alone = self.stack.len() == 1 && self.waiting.is_empty() && !self.stack[0].absent;
        if alone || !self.lit {
            return None;
        }
        self.stack.iter().map(|e| e.spot.since + self.dwell).min()
    }

    pub fn holds(&self, counter: &Counter, ticket: &Ticket) -> bool {
        self.held.has(counter, ticket)
    }

    /// The counters for which [`Spotlight::holds`] may say something else than when this was asked last.
    pub fn take_touched(&mut self) -> Vec<Counter> {
        std::mem::take(&mut self.held.touched)
    }

    /// Newest first.
    pub fn spots(&self) -> Vec<Spot> {
        self.stack.iter().map(|e| e.spot.clone()).collect()
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// The spot of a call that has not got in yet.
fn spot(call: &Call) -> Spot {
    Spot {
        call: call.id.clone(),
        ticket: call.ticket.clone(),
        counter: call.counter.clone(),
        kind: call.kind,
        lane: call.lane,
        slot: call.slot,
        holder: call.holder.clone(),
        since: Millis::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::Kind;

    const DWELL: Millis = Millis::from_secs(8);
    const FRESH: Millis = Millis::from_secs(120);

    fn spotlight() -> Spotlight {
        Spotlight::new(DWELL, FRESH)
    }

    fn call(ticket: &str, counter: &str) -> Call {
        Call::plain(ticket, counter)
    }

    fn at(ms: i64) -> Now {
        Now { mono: Millis(ms), wall: Timestamp::UNIX_EPOCH }
    }

    fn shown(light: &Spotlight) -> String {
        light.spots().iter().map(|s| s.ticket.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    }

    fn counter(text: &str) -> Counter {
        Counter::parse(text).unwrap()
    }

    #[test]
    fn the_last_call_stays_until_the_next_one() {
        let mut light = spotlight();
        light.enter(&call("A1", "1"), false, at(0));
        assert_eq!(light.next_change(), None);
        light.settle(Millis::from_secs(3600));
        assert_eq!(shown(&light), "A1");
        light.enter(&call("A2", "2"), false, at(3_600_000));
        assert_eq!(shown(&light), "A2");
    }

    #[test]
    fn calls_within_the_dwell_share_and_the_stack_shrinks_to_its_newest() {
        let mut light = spotlight();
        light.enter(&call("A1", "1"), false, at(0));
        light.enter(&call("A2", "2"), false, at(3000));
        light.enter(&call("A3", "3"), false, at(5000));
        assert_eq!(shown(&light), "A3 A2 A1");
        light.settle(Millis(7999));
        assert_eq!(shown(&light), "A3 A2 A1");
        assert_eq!(light.next_change(), Some(Millis(8000)));
        light.settle(Millis(8000));
        assert_eq!((shown(&light).as_str(), light.since()), ("A3 A2", Millis(8000)));
        light.settle(Millis(9000));
        assert_eq!(light.since(), Millis(8000), "nothing changed since");
        light.settle(Millis(50_000));
        assert_eq!(shown(&light), "A3");
    }

    #[test]
    fn five_counters_at_once_each_get_their_dwell() {
        let mut light = spotlight();
        for n in 1..=5 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(0));
        }
        assert_eq!((shown(&light).as_str(), light.waiting()), ("A3 A2 A1", 2));
        light.settle(Millis(8000));
        assert_eq!((shown(&light).as_str(), light.waiting()), ("A5 A4", 0));
        light.settle(Millis(15_999));
        assert_eq!(shown(&light), "A5 A4");
        light.settle(Millis(16_000));
        assert_eq!(shown(&light), "A5");
    }

    #[test]
    fn the_dwell_counts_from_when_a_call_got_in_even_if_that_was_late() {
        let mut light = spotlight();
        for n in 1..=4 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(0));
        }
        light.settle(Millis(30_000));
        assert_eq!(shown(&light), "A4");
        light.enter(&call("A5", "5"), false, at(30_001));
        assert_eq!(shown(&light), "A5 A4");
        light.settle(Millis(37_999));
        assert_eq!(shown(&light), "A5 A4");
        light.settle(Millis(38_000));
        assert_eq!(shown(&light), "A5");
    }

    #[test]
    fn a_ticket_called_again_is_renewed_and_moves_to_the_top() {
        let mut light = spotlight();
        light.enter(&call("A1", "1"), false, at(0));
        light.enter(&call("A2", "2"), false, at(1000));
        light.enter(&call("A1", "1"), false, at(7000));
        assert_eq!(shown(&light), "A1 A2");
        light.settle(Millis(9000));
        assert_eq!(shown(&light), "A1");
        light.settle(Millis(14_999));
        assert_eq!(light.spots()[0].since, Millis(7000));
    }

    #[test]
    fn a_waiting_ticket_called_again_keeps_its_place() {
        let mut light = spotlight();
        for n in 1..=5 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(0));
        }
        light.enter(&Call { kind: Kind::Recall, ..call("A4", "4") }, false, at(1));
        assert_eq!(light.waiting(), 2);
        light.settle(Millis(8000));
        assert_eq!(shown(&light), "A5 A4");
        assert_eq!(light.spots()[1].kind, Kind::Recall);
    }

    #[test]
    fn only_a_served_ticket_gives_way_to_the_next_of_its_counter() {
        let mut light = spotlight();
        for n in 1..=5 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(0));
        }
        light.enter(&call("B4", "4"), false, at(0));
        assert_eq!(light.waiting(), 3, "A4 is still waited for");
        light.served(&call("A5", "5"));
        light.enter(&call("B5", "5"), false, at(0));
        assert_eq!(light.waiting(), 3, "B5 has replaced A5");
        light.settle(Millis(8000));
        assert_eq!(shown(&light), "B5 B4 A4");
    }

    #[test]
    fn an_absent_ticket_stops_waiting_and_leaves_after_its_dwell() {
        let mut light = spotlight();
        light.enter(&call("A1", "1"), false, at(0));
        light.absent(&call("A1", "1"));
        light.settle(Millis(7999));
        assert_eq!(shown(&light), "A1");
        assert_eq!(light.next_change(), Some(Millis(8000)));
        light.settle(Millis(8000));
        assert_eq!((shown(&light).as_str(), light.next_change()), ("", None));
        for n in 1..=4 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(9000));
        }
        light.absent(&call("A4", "4"));
        assert_eq!(light.waiting(), 0);
    }

    #[test]
    fn a_cancelled_call_goes_at_once_and_the_next_comes_in() {
        let mut light = spotlight();
        for n in 1..=4 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(0));
        }
        light.cancel(&call("A2", "2"));
        light.settle(Millis(10));
        assert_eq!(shown(&light), "A4 A3 A1");
        assert_eq!(light.next_change(), Some(Millis(8000)));
    }

    #[test]
    fn the_same_number_at_two_counters_is_two_calls() {
        let mut light = spotlight();
        light.enter(&call("12", "3"), false, at(0));
        light.enter(&call("12", "5"), false, at(0));
        assert_eq!(shown(&light), "12 12");
    }

    #[test]
    fn a_number_of_another_series_is_another_ticket() {
        let of =
            |series: &str, counter: &str| Call { series: Series::parse(series).ok(), ..call("12", counter) };
        let mut light = spotlight();
        light.enter(&of("A", "3"), false, at(0));
        light.enter(&of("B", "5"), false, at(0));
        light.redirect(&of("A", "9"));
        let spots: Vec<_> = light.spots().iter().map(|s| s.counter.as_str().to_owned()).collect();
        assert_eq!(spots, ["5", "9"]);
        light.cancel(&of("A", "5"));
        light.enter(&of("C", "5"), false, at(0));
        assert_eq!(light.spots().len(), 3);
    }

    #[test]
    fn a_ticket_that_moves_points_to_its_new_counter_once() {
        let mut light = spotlight();
        for n in 1..=5 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(0));
        }
        light.redirect(&call("A2", "9"));
        light.redirect(&call("A4", "9"));
        assert_eq!(light.spots()[1].counter, counter("9"));
        light.enter(&call("A4", "9"), false, at(1));
        assert_eq!(light.waiting(), 2, "it has kept its place");
        light.redirect(&call("A4", "8"));
        light.settle(Millis(8000));
        assert_eq!(shown(&light), "A5 A4");
        assert_eq!(light.spots()[1].counter, counter("8"));
    }

    #[test]
    fn while_there_is_no_glass_nobodys_dwell_passes() {
        let mut light = spotlight();
        light.enter(&call("A1", "1"), false, at(0));
        light.glass_changed(false, Millis(1000));
        for n in 2..=4 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(2000));
        }
        light.settle(Millis(60_000));
        assert_eq!((shown(&light).as_str(), light.next_change()), ("A3 A2 A1", None));
        light.absent(&call("A3", "3"));
        light.glass_changed(true, Millis(60_000));
        assert_eq!(shown(&light), "A4 A2 A1");
        light.settle(Millis(67_999));
        assert_eq!(shown(&light), "A4 A2 A1");
        light.settle(Millis(68_000));
        assert_eq!(shown(&light), "A4");
    }

    #[test]
    fn what_was_called_long_before_the_glass_came_back_holds_no_spotlight_but_for_the_last() {
        let mut light = spotlight();
        light.glass_changed(false, Millis(0));
        for n in 1..=9 {
            light.enter(&call(&format!("A{n}"), &n.to_string()), false, at(0));
        }
        light.enter(&call("B1", "1"), false, at(100_000));
        light.glass_changed(true, Millis(121_000));
        assert_eq!((shown(&light).as_str(), light.waiting()), ("B1", 0));
        light.glass_changed(false, Millis(122_000));
        for n in 1..=4 {
            light.enter(&call(&format!("C{n}"), &n.to_string()), false, at(122_000));
        }
        light.glass_changed(true, Millis(500_000));
        assert_eq!(shown(&light), "C4", "it is the last call");
    }

    #[test]
    fn a_clock_that_is_set_a_day_ahead_hides_no_call_that_has_just_come() {
        let mut light = spotlight();
        light.enter(&call("A1", "1"), false, at(0));
        light.turn(|_| false, FRESH);
        assert_eq!(shown(&light), "A1");
        light.turn(|_| false, FRESH + Millis(1));
        assert_eq!(shown(&light), "");
    }

    #[test]
    fn who_was_never_drawn_comes_before_those_whom_an_earlier_life_has_drawn() {
        let mut light = spotlight();
        for (n, drawn) in [(1, true), (2, true), (3, true), (4, true), (5, false), (6, true), (7, false)] {
            light.enter(&call(&format!("A{n}"), &n.to_string()), drawn, at(n));
        }
        assert_eq!((shown(&light).as_str(), light.waiting()), ("A7 A5 A1", 4));
        light.settle(Millis(8001));
        assert_eq!(shown(&light), "A2 A7 A5");
        light.enter(&call("B1", "9"), false, at(8002));
        assert_eq!(shown(&light), "B1 A7 A5", "one that has just come waits for none of them");
        light.settle(Millis(17_000));
        assert_eq!((shown(&light).as_str(), light.waiting()), ("A4 A3 A2", 1));
    }

    #[test]
    fn the_waiting_list_is_bounded() {
        let mut light = spotlight();
        for n in 0..2000 {
            light.enter(&call(&format!("A{n}"), "1"), false, at(0));
        }
        assert_eq!((light.waiting(), light.spots().len()), (WAITING, STACK));
    }
}
