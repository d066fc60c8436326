//! The lists beside the grid: who was called lately, and whose holder did not come. Bounded, and of today only.

use jiff::Timestamp;

use super::call::{Call, Series};
use super::cell::is_ticket_of;
use super::view::{MissedCall, RecentCall};

/// Longest list; no picture has room for more.
pub const LENGTH: usize = 24;

/// Calls of today, newest first; a ticket at a counter is there once, with the time of its last call.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    entries: Vec<Told<RecentCall>>,
}

/// Tickets that were called in vain, newest first.
#[derive(Clone, Debug, Default)]
pub struct Missed {
    entries: Vec<Told<MissedCall>>,
}

/// An entry and the time that its event carried, which says to which day it belongs. The time shown can differ: it is
/// never in the future.
#[derive(Clone, Debug)]
struct Told<T> {
    said: Timestamp,
    series: Option<Series>,
    entry: T,
}

impl<T> Told<T> {
    fn of(call: &Call, entry: T) -> Self {
        Self { said: call.at, series: call.series.clone(), entry }
    }
}

impl Told<RecentCall> {
    fn is_ticket_of(&self, call: &Call) -> bool {
        is_ticket_of(&self.entry.ticket, self.series.as_ref(), call)
    }
}

impl Told<MissedCall> {
    fn is_ticket_of(&self, call: &Call) -> bool {
        is_ticket_of(&self.entry.ticket, self.series.as_ref(), call)
    }
}

impl Recent {
    /// Lists a call at the time `shown`. A live one goes to the top; a late delivery finds its place by time, and does not
    /// take that of a later call of the same ticket.
    pub fn add(&mut self, call: &Call, shown: Timestamp, live: bool) {
        let is_later = |e: &Told<RecentCall>| {
            e.is_ticket_of(call) && e.entry.counter == call.counter && e.entry.at > shown
        };
        if !live && self.entries.iter().any(is_later) {
            return;
        }
        self.remove(call);
        let by_time = || self.entries.iter().position(|e| e.entry.at <= shown).unwrap_or(self.entries.len());
        let index = if live { 0 } else { by_time() };
        let entry = RecentCall { ticket: call.ticket.clone(), counter: call.counter.clone(), at: shown };
        self.entries.insert(index, Told::of(call, entry));
        self.entries.truncate(LENGTH);
    }

    pub fn remove(&mut self, call: &Call) {
        self.entries.retain(|e| !e.is_ticket_of(call) || e.entry.counter != call.counter);
    }

    /// The ticket moved to the counter of `call`: no other counter waits for it.
    pub fn redirect(&mut self, call: &Call) {
        self.entries.retain(|e| !e.is_ticket_of(call) || e.entry.counter == call.counter);
    }

    /// Keeps what still counts.
    pub fn retain(&mut self, counts: impl Fn(Timestamp) -> bool) {
        self.entries.retain(|e| counts(e.said));
    }

    pub fn list(&self) -> Vec<RecentCall> {
        self.entries.iter().map(|e| e.entry.clone()).collect()
    }
}

impl Missed {
    pub fn add(&mut self, call: &Call, shown: Timestamp) {
        self.remove(call);
        let (ticket, counter) = (call.ticket.clone(), Some(call.counter.clone()));
        self.entries.insert(0, Told::of(call, MissedCall { ticket, counter, at: shown }));
        self.entries.truncate(LENGTH);
    }

    /// The holder is called again, or came, or the call was a mistake.
    pub fn remove(&mut self, call: &Call) {
        self.entries.retain(|e| !e.is_ticket_of(call));
    }

    /// Keeps what still counts.
    pub fn retain(&mut self, counts: impl Fn(Timestamp) -> bool) {
        self.entries.retain(|e| counts(e.said));
    }

    /// The list together with what the queue systems report of each series, newest first, each ticket once.
    pub fn list<'a>(&self, reported: impl Iterator<Item = (&'a Series, MissedCall)>) -> Vec<MissedCall> {
        let own = |series: &Series, call: &MissedCall| {
            let same = |e: &&Told<MissedCall>| e.entry.ticket == call.ticket;
            self.entries.iter().filter(same).any(|e| e.series.as_ref().is_none_or(|s| s == series))
        };
        let reported = reported.filter(|(series, call)| !own(series, call)).map(|(_, call)| call);
        let mut list: Vec<MissedCall> =
            self.entries.iter().map(|e| e.entry.clone()).chain(reported).collect();
        list.sort_by_key(|call| std::cmp::Reverse(call.at));
        list.truncate(LENGTH);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::Ticket;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    fn call(ticket: &str, counter: &str, secs: i64) -> Call {
        Call { at: at(secs), ..Call::plain(ticket, counter) }
    }

    fn recent(list: &Recent) -> String {
        list.list().iter().map(|c| format!("{}@{}", c.ticket, c.counter)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn live_calls_come_on_top_and_late_ones_find_their_place() {
        let mut list = Recent::default();
        list.add(&call("A1", "1", 10), at(10), true);
        list.add(&call("A2", "2", 8), at(8), true);
        assert_eq!(recent(&list), "A2@2 A1@1", "another clock may be behind");
        list.add(&call("A0", "1", 9), at(9), false);
        list.add(&call("A9", "1", 1), at(1), false);
        assert_eq!(recent(&list), "A0@1 A2@2 A1@1 A9@1");
        list.add(&call("A1", "1", 12), at(12), true);
        assert_eq!(recent(&list), "A1@1 A0@1 A2@2 A9@1");
    }

    #[test]
    fn both_lists_are_bounded_and_keep_the_newest() {
        let (mut list, mut missed) = (Recent::default(), Missed::default());
        for n in 0..100 {
            list.add(&call(&format!("A{n}"), "1", n), at(n), true);
            missed.add(&call(&format!("A{n}"), "1", n), at(n));
        }
        assert_eq!((list.list().len(), missed.list(std::iter::empty()).len()), (LENGTH, LENGTH));
        assert_eq!(list.list()[0].ticket.as_str(), "A99");
        assert_eq!(missed.list(std::iter::empty())[0].ticket.as_str(), "A99");
    }

    #[test]
    fn what_the_queue_reports_is_merged_once() {
        let mut missed = Missed::default();
        missed.add(&call("A1", "1", 10), at(10));
        let (a, b) = (Series::parse("A").unwrap(), Series::parse("B").unwrap());
        let reported = |ticket: &str, secs| MissedCall {
            ticket: Ticket::parse(ticket).unwrap(),
            counter: None,
            at: at(secs),
        };
        let list = missed.list([(&a, reported("A1", 20)), (&a, reported("A2", 20))].into_iter());
        let list: Vec<_> = list.iter().map(|c| (c.ticket.as_str(), c.counter.is_some())).collect();
        assert_eq!(list, [("A2", false), ("A1", true)]);
        missed.add(&Call { series: Some(a.clone()), ..call("12", "1", 30) }, at(30));
        let list = missed.list([(&a, reported("12", 20)), (&b, reported("12", 20))].into_iter());
        assert_eq!(list.len(), 3, "12 of the other series is another ticket");
    }

    #[test]
    fn a_number_of_another_series_is_another_ticket() {
        let of =
            |series: &str, counter| Call { series: Series::parse(series).ok(), ..call("12", counter, 1) };
        let (mut list, mut missed) = (Recent::default(), Missed::default());
        for call in [of("A", "3"), of("B", "5")] {
            list.add(&call, at(1), true);
            missed.add(&call, at(1));
        }
        list.redirect(&of("A", "9"));
        missed.remove(&of("A", "9"));
        assert_eq!((recent(&list).as_str(), missed.list(std::iter::empty()).len()), ("12@5", 1));
    }
}
