//! What became of every call that was sent, by the proofs of the daemon.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::board::call::CallId;
use crate::board::input::Outcome;
use crate::wire::Proof;

/// Two proofs of one announcement tell its start in the same words; another announcement begins later than this.
const SAME_SPEECH_MS: i64 = 500;

/// How many calls, recalls and transfers were sent, and what became of them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The broker has them.
    pub sent: usize,
    /// They held the spotlight of a frame.
    pub shown: usize,
    /// They never did, and no later event about the same ticket or counter took their place.
    pub unseen: usize,
    pub spoken: usize,
    /// Spoken once more because a kill had cut the first time off, and told so.
    pub again: usize,
    /// Not spoken, and the proof says why: superseded, expired, muted, shown only.
    pub unspoken: usize,
    /// No proof has come (yet).
    pub open: usize,
    /// Spoken to the end more than once without being told as again.
    pub twice: usize,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    drawn: bool,
    outcome: Option<Outcome>,
    /// When each announcement that was said to its end began.
    said: Vec<Timestamp>,
    again: bool,
}

/// All calls of a soak.
#[derive(Clone, Debug, Default)]
pub struct Book {
    entries: BTreeMap<CallId, Entry>,
}

impl Book {
    /// The broker has taken a call, a recall or a transfer.
    pub fn sent(&mut self, id: CallId) {
        self.entries.entry(id).or_default();
    }

    /// Takes a proof from the broker; one of a call that this soak did not send is none of its business.
    pub fn proved(&mut self, proof: &Proof) {
        self.learn(&proof.call, proof.drawn.is_some(), Some(proof.outcome), proof.again);
        let Some(entry) = self.entries.get_mut(&proof.call) else { return };
        let (Outcome::Spoken, Some(from)) = (proof.outcome, proof.speech_from) else { return };
        let same = |said: &Timestamp| (said.as_millisecond() - from.as_millisecond()).abs() < SAME_SPEECH_MS;
        if !entry.said.iter().any(same) {
            entry.said.push(from);
        }
    }

    /// What the journal knows of a call.
    pub fn learn(&mut self, call: &CallId, drawn: bool, outcome: Option<Outcome>, again: bool) {
        if let Some(entry) = self.entries.get_mut(call) {
            entry.drawn |= drawn;
            entry.again |= again;
            if entry.outcome != Some(Outcome::Spoken) {
                entry.outcome = outcome.or(entry.outcome);
            }
        }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts { sent: self.entries.len(), ..Counts::default() };
        for entry in self.entries.values() {
            counts.shown += usize::from(entry.drawn);
            let replaced = entry.outcome == Some(Outcome::Superseded);
            counts.unseen += usize::from(!entry.drawn && !replaced);
            match entry.outcome {
                None => counts.open += 1,
                Some(Outcome::Spoken) => counts.spoken += 1,
                Some(_) => counts.unspoken += 1,
            }
            counts.again += usize::from(entry.again && entry.outcome == Some(Outcome::Spoken));
            counts.twice += usize::from(entry.said.len() > 1 + usize::from(entry.again));
        }
        counts
    }

    /// Calls without a proof, the first of them.
    pub fn open(&self) -> impl Iterator<Item = &CallId> {
        self.entries.iter().filter(|(_, entry)| entry.outcome.is_none()).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> CallId {
        CallId::parse(&format!("c-{n}")).unwrap()
    }

    fn proof(n: usize, outcome: Outcome, from_s: i64, again: bool) -> Proof {
        let at = Timestamp::from_second(1_800_000_000 + from_s).unwrap();
        Proof {
            call: id(n),
            received: at,
            drawn: None,
            speech_from: Some(at),
            speech_to: None,
            outcome,
            zone: None,
            again,
        }
    }

    #[test]
    fn a_proof_that_comes_again_is_no_second_announcement_and_a_later_one_is() {
        let mut book = Book::default();
        for n in 0..5 {
            book.sent(id(n));
        }
        // The same announcement, told twice.
        book.proved(&proof(0, Outcome::Spoken, 10, false));
        book.proved(&proof(0, Outcome::Spoken, 10, false));
        // Two announcements, the second of which says so.
        book.proved(&proof(1, Outcome::Spoken, 10, false));
        book.proved(&proof(1, Outcome::Spoken, 40, true));
        // Two announcements without a reason.
        book.proved(&proof(2, Outcome::Spoken, 10, false));
        book.proved(&proof(2, Outcome::Spoken, 40, false));
        book.proved(&proof(3, Outcome::Superseded, 10, false));
        book.proved(&proof(99, Outcome::Spoken, 10, false));
        let counts = book.counts();
        let expected =
            Counts { sent: 5, shown: 0, unseen: 4, spoken: 3, again: 1, unspoken: 1, open: 1, twice: 1 };
        assert_eq!(counts, expected);
        assert_eq!(book.open().collect::<Vec<_>>(), [&id(4)]);
    }

    #[test]
    fn what_the_journal_knows_closes_a_call_and_takes_no_speech_back() {
        let mut book = Book::default();
        book.sent(id(1));
        book.learn(&id(1), true, Some(Outcome::Spoken), false);
        book.learn(&id(1), false, Some(Outcome::Shown), false);
        assert_eq!(book.counts(), Counts { sent: 1, shown: 1, spoken: 1, ..Counts::default() });
    }
}
