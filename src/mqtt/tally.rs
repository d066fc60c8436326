//! Counts what keeps going wrong, and says when it is worth a line in the log. Pure.

use std::collections::HashMap;
use std::hash::Hash;

use crate::clock::Millis;

/// The same thing is logged again after this long, with how often it happened.
const AGAIN: Millis = Millis::from_secs(600);
/// Different things that are told apart; the rest is counted together, as topics are made by strangers.
const KINDS_MAX: usize = 256;

/// How often each thing happened.
#[derive(Debug)]
pub struct Tally<K> {
    seen: HashMap<K, Entry>,
    rest: Option<Entry>,
}

#[derive(Copy, Clone, Debug)]
struct Entry {
    logged: Millis,
    since: u64,
}

impl<K: Eq + Hash> Default for Tally<K> {
    fn default() -> Self {
        Self { seen: HashMap::new(), rest: None }
    }
}

impl<K: Eq + Hash> Tally<K> {
    /// Counts one; returns how often it happened since the last line when a line is due.
    pub fn note(&mut self, kind: K, now: Millis) -> Option<u64> {
        if self.seen.len() >= KINDS_MAX && !self.seen.contains_key(&kind) {
            let (entry, first) = match &mut self.rest {
                Some(entry) => (entry, false),
                rest => (rest.insert(Entry { logged: now, since: 0 }), true),
            };
            return entry.count(now, first);
        }
        let first = !self.seen.contains_key(&kind);
        self.seen.entry(kind).or_insert(Entry { logged: now, since: 0 }).count(now, first)
    }
}

impl Entry {
    fn count(&mut self, now: Millis, first: bool) -> Option<u64> {
        self.since += 1;
        let due = first || now - self.logged >= AGAIN;
        due.then(|| {
            self.logged = now;
            std::mem::take(&mut self.since)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_once_and_then_counted() {
        let mut tally = Tally::default();
        assert_eq!(tally.note("a", Millis(0)), Some(1));
        assert_eq!(tally.note("a", Millis(10)), None);
        assert_eq!(tally.note("b", Millis(10)), Some(1));
        assert_eq!(tally.note("a", Millis(599_999)), None);
        assert_eq!(tally.note("a", Millis(600_000)), Some(3));
        assert_eq!(tally.note("a", Millis(600_001)), None);
    }

    #[test]
    fn kinds_without_end_are_counted_together() {
        let mut tally = Tally::default();
        let told = (0..1000).filter(|n| tally.note(*n, Millis(0)).is_some()).count();
        assert_eq!(told, KINDS_MAX + 1);
        assert_eq!(tally.note(5000, AGAIN), Some(1000 - KINDS_MAX as u64));
    }
}
