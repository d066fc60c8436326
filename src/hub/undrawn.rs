//! Proofs that went out before their call was on the glass. It may still come there: another call held the spotlight,
//! or a panel was asleep. Bounded, and never asks anybody.

use std::collections::VecDeque;

use crate::board::call::CallId;
use crate::clock::Millis;
use crate::wire::Proof;

/// All that can still come into the spotlight: those who wait for it and those who hold it.
const MOST: usize = 512 + 3;

#[derive(Debug, Default)]
pub struct Undrawn(VecDeque<(Proof, Option<Millis>)>);

impl Undrawn {
    /// Keeps a proof without `drawn`, and when its call came in this life of the process; the oldest gives way.
    pub fn keep(&mut self, proof: Proof, came: Option<Millis>) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((proof, came));
    }

    pub fn take(&mut self, call: &CallId) -> Option<(Proof, Option<Millis>)> {
        let index = self.0.iter().position(|(proof, _)| proof.call == *call)?;
        self.0.remove(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::input::Outcome;
    use jiff::Timestamp;

    fn proof(id: usize) -> Proof {
        Proof {
            call: CallId::parse(&format!("c-{id}")).unwrap(),
            received: Timestamp::UNIX_EPOCH,
            drawn: None,
            speech_from: None,
            speech_to: None,
            outcome: Outcome::Shown,
            zone: None,
            again: false,
        }
    }

    #[test]
    fn a_panel_that_sleeps_for_days_lets_only_the_oldest_go() {
        let mut undrawn = Undrawn::default();
        (0..=MOST).for_each(|id| undrawn.keep(proof(id), None));
        assert_eq!(undrawn.take(&proof(0).call), None);
        assert_eq!(undrawn.take(&proof(MOST).call), Some((proof(MOST), None)));
        assert_eq!(undrawn.take(&proof(MOST).call), None, "told once");
    }
}
