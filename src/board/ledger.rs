//! What has been heard before: the ids of call events, and which of two reports about a counter is the later one.
//!
//! Brokers deliver at least once, and redeliver after every lost connection. The ledger lets an event in exactly once
//! and never grows without bound: it forgets by count and by age. An id that it has forgotten is at least
//! [`MEMORY`] old, so a redelivery of it is far too old to be announced.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;

use super::call::CallId;
use crate::clock::Millis;

/// Most ids kept: a big hall has about 2000 citizens a day, and each has about three events.
pub const CAPACITY: usize = 8192;
/// How long an id is kept.
pub const MEMORY: Millis = Millis::from_secs(24 * 3600);
/// A lower sequence number with a time this much later is no late delivery: the queue system began to count anew, which
/// takes it some seconds. The margin is for events of the same moment.
const RESTART: Millis = Millis::from_secs(5);

/// The ids of the events that were taken.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    ids: HashSet<CallId>,
    order: VecDeque<(CallId, Millis)>,
}

impl Ledger {
    pub fn knows(&self, id: &CallId) -> bool {
        self.ids.contains(id)
    }

    /// Remembers an id; a known one stays as old as it is.
    pub fn remember(&mut self, id: CallId, now: Millis) {
        if !self.ids.insert(id.clone()) {
            return;
        }
        self.order.push_back((id, now));
        if self.order.len() > CAPACITY {
            self.forget_oldest();
        }
    }

    /// Forgets what is older than [`MEMORY`].
    pub fn forget(&mut self, now: Millis) {
        while self.order.front().is_some_and(|(_, at)| now - *at > MEMORY) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((id, _)) = self.order.pop_front() {
            self.ids.remove(&id);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        debug_assert_eq!(self.ids.len(), self.order.len());
        self.order.len()
    }
}

/// When something was said about a counter, in the words of the system that said it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: Timestamp,
    pub seq: Option<u64>,
}

impl Mark {
    /// Whether this report is later than `other`. Sequence numbers decide where both have one, and then an equal one
    /// is not later; times decide otherwise, and then equal times follow each other as they arrive, because many
    /// systems count whole seconds.
    pub fn follows(self, other: Self) -> bool {
        match (self.seq, other.seq) {
            (Some(a), Some(b)) => a > b || self.restarts(other),
            _ => self.compare(other) != Ordering::Less,
        }
    }

    /// Whether the numbers tell which of the two came first. Times alone may be those of two clocks.
    pub fn is_numbered_like(self, other: Self) -> bool {
        self.seq.is_some() && other.seq.is_some()
    }

    /// Whether this report is strictly earlier than `other`.
    pub fn precedes(self, other: Self) -> bool {
        match (self.seq, other.seq) {
            (Some(a), Some(b)) => a < b && !self.restarts(other),
            _ => self.compare(other) == Ordering::Less,
        }
    }

    /// By the times. One system may write whole seconds and another fractions, and what came within a second of a time
    /// without fractions may have come after it.
    fn compare(self, other: Self) -> Ordering {
        let whole = |at: Timestamp| at.subsec_nanosecond() == 0;
        if whole(self.at) || whole(other.at) {
            self.at.as_second().cmp(&other.at.as_second())
        } else {
            self.at.cmp(&other.at)
        }
    }

    fn restarts(self, other: Self) -> bool {
        self.at.as_millisecond().saturating_sub(other.at.as_millisecond()) > RESTART.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> CallId {
        CallId::parse(&format!("call-{n}")).unwrap()
    }

    fn mark(secs: i64, seq: Option<u64>) -> Mark {
        Mark { at: Timestamp::from_second(1_800_000_000 + secs).unwrap(), seq }
    }

    #[test]
    fn an_id_is_known_until_it_is_old() {
        let mut ledger = Ledger::default();
        ledger.remember(id(1), Millis(0));
        ledger.remember(id(1), MEMORY);
        ledger.forget(MEMORY);
        assert!(ledger.knows(&id(1)));
        ledger.forget(MEMORY + Millis(1));
        assert!(!ledger.knows(&id(1)));
        assert_eq!(ledger.len(), 0);
    }

    #[test]
    fn the_ledger_is_bounded_by_count_and_forgets_the_oldest() {
        let mut ledger = Ledger::default();
        for n in 0..=CAPACITY {
            ledger.remember(id(n), Millis(n as i64));
        }
        assert_eq!(ledger.len(), CAPACITY);
        assert!(!ledger.knows(&id(0)));
        assert!(ledger.knows(&id(1)) && ledger.knows(&id(CAPACITY)));
    }

    #[test]
    fn the_sequence_decides_before_the_time() {
        assert!(mark(0, Some(2)).follows(mark(5, Some(1))));
        assert!(!mark(5, Some(1)).follows(mark(0, Some(1))));
        assert!(mark(5, Some(1)).precedes(mark(0, Some(2))));
        assert!(!mark(5, Some(1)).precedes(mark(0, Some(1))), "an equal number is neither later nor earlier");
    }

    #[test]
    fn without_both_numbers_the_time_decides_and_equal_times_follow() {
        assert!(mark(1, None).follows(mark(0, Some(9))));
        assert!(mark(0, None).follows(mark(0, None)));
        assert!(mark(0, Some(9)).precedes(mark(1, None)));
    }

    #[test]
    fn a_time_in_whole_seconds_is_not_before_a_fraction_of_the_same_second() {
        let part = |at: &str| Mark { at: at.parse().unwrap(), seq: None };
        let (whole, fraction) = (part("2026-11-24T02:00:25Z"), part("2026-11-24T02:00:25.4Z"));
        assert!(whole.follows(fraction) && !whole.precedes(fraction));
        assert!(fraction.follows(whole) && !fraction.precedes(whole));
        assert!(part("2026-11-24T02:00:24Z").precedes(fraction));
        assert!(part("2026-11-24T02:00:25.3Z").precedes(fraction), "two with fractions are told apart");
    }

    #[test]
    fn a_queue_system_that_counts_anew_does_not_freeze_its_counter() {
        assert!(mark(6, Some(1)).follows(mark(0, Some(900))));
        assert!(!mark(6, Some(1)).precedes(mark(0, Some(900))));
        assert!(!mark(5, Some(1)).follows(mark(0, Some(900))));
        assert!(!mark(-60, Some(1)).follows(mark(0, Some(900))), "a late delivery tells an earlier time");
    }
}
