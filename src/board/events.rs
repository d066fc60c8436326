//! The last call events of today and where they were spoken, for another screen that asks. Bounded, in the order of their
//! coming.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::call::{Call, CallId, Zone};
use super::state::Told;

/// Most events that are told on: those of a quarter of an hour in the biggest hall, and all that a small one needs.
pub const LENGTH: usize = 150;

#[derive(Clone, Debug, Default)]
pub struct Events {
    entries: VecDeque<Told>,
}

impl Events {
    /// Remembers an event that was taken, without its holder, and where its call was said before it came here.
    pub fn add(&mut self, call: &Call, spoken: impl Iterator<Item = Zone>) {
        if self.entries.len() == LENGTH {
            self.entries.pop_front();
        }
        let call = Call { holder: None, ..call.clone() };
        self.entries.push_back(Told { call, spoken: spoken.collect() });
    }

    /// A call was said to its end in a zone, by whichever screen.
    pub fn spoken(&mut self, call: &CallId, zone: &Zone) {
        let Some(told) = self.entries.iter_mut().rev().find(|told| told.call.id == *call) else { return };
        if !told.spoken.contains(zone) {
            told.spoken.push(zone.clone());
        }
    }

    /// Keeps what still counts.
    pub fn retain(&mut self, counts: impl Fn(Timestamp) -> bool) {
        self.entries.retain(|told| counts(told.call.at));
    }

    pub fn list(&self) -> Vec<Told> {
        self.entries.iter().cloned().collect()
    }
}
