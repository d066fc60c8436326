//! The lists beside the grid: who was called lately, and whose holder did not come. Bounded, and of today only.

use jiff::Timestamp;

use super::call::{Call, Counter, Ticket};
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
    entry: T,
}

impl Recent {
    /// Lists a call at the time `shown`. A live one goes to the top; a late delivery finds its place by time.
    pub fn add(&mut self, call: &Call, shown: Timestamp, live: bool) {
        self.remove(&call.counter, &call.ticket);
        let by_time = || self.entries.iter().position(|e| e.entry.at <= shown).unwrap_or(self.entries.len());
        let index = if live { 0 } else { by_time() };
        let entry = RecentCall { ticket: call.ticket.clone(), counter: call.counter.clone(), at: shown };
        self.entries.insert(index, Told { said: call.at, entry });
        self.entries.truncate(LENGTH);
    }

    pub fn remove(&mut self, counter: &Counter, ticket: &Ticket) {
        self.entries.retain(|e| e.entry.ticket != *ticket || e.entry.counter != *counter);
    }

    /// The ticket moved to `counter`: no other counter waits for it.
    pub fn redirect(&mut self, counter: &Counter, ticket: &Ticket) {
        self.entries.retain(|e| e.entry.ticket != *ticket || e.entry.counter == *counter);
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
        self.remove(&call.ticket);
        let (ticket, counter) = (call.ticket.clone(), Some(call.counter.clone()));
        self.entries.insert(0, Told { said: call.at, entry: MissedCall { ticket, counter, at: shown } });
        self.entries.truncate(LENGTH);
    }

    /// The holder is called again, or came, or the call was a mistake.
    pub fn remove(&mut self, ticket: &Ticket) {
        self.entries.retain(|e| e.entry.ticket != *ticket);
    }

    /// Keeps what still counts.
    pub fn retain(&mut self, counts: impl Fn(Timestamp) -> bool) {
        self.entries.retain(|e| counts(e.said));
    }

    /// The list together with what the queue systems report, newest first, each ticket once.
    pub fn list(&self, reported: impl Iterator<Item = MissedCall>) -> Vec<MissedCall> {
        let mut list: Vec<MissedCall> = self.entries.iter().map(|e| e.entry.clone()).collect();
        for call in reported {
            if !list.iter().any(|own| own.ticket == call.ticket) {
                list.push(call);
            }
        }
        list.sort_by_key(|call| std::cmp::Reverse(call.at));
        list.truncate(LENGTH);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::{CallId, Kind, Lane};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    fn call(ticket: &str, counter: &str, secs: i64) -> Call {
        Call {
            id: CallId::parse(ticket).unwrap(),
            ticket: Ticket::parse(ticket).unwrap(),
            counter: Counter::parse(counter).unwrap(),
            kind: Kind::Call,
            at: at(secs),
            seq: None,
            series: None,
            lane: Lane::Regular,
            slot: None,
            holder: None,
        }
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
        let reported = |ticket: &str, secs| MissedCall {
            ticket: Ticket::parse(ticket).unwrap(),
            counter: None,
            at: at(secs),
        };
        let list = missed.list([reported("A1", 20), reported("A2", 20)].into_iter());
        let list: Vec<_> = list.iter().map(|c| (c.ticket.as_str(), c.counter.is_some())).collect();
        assert_eq!(list, [("A2", false), ("A1", true)]);
    }
}
