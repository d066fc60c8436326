//! What is kept: one fact a record, and what is read back. Pure; how it is stored is no matter here.

use jiff::Timestamp;

use crate::board::call::{Call, CallId, Ticket};
use crate::board::input::Outcome;
use crate::health::{Drawn, Frame};
use crate::wire::Proof;

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Call {
        call: Call,
        received: Timestamp,
    },
    /// The first sample of its announcement was played.
    Began {
        call: CallId,
        at: Timestamp,
    },
    /// It came onto the glass; only the first time counts.
    Drawn(Drawn),
    /// Its `drawn` is a fact of its own.
    Proof {
        proof: Proof,
        at: Timestamp,
    },
    /// What another screen of the hall made of a call.
    ProofElsewhere {
        screen: String,
        proof: Proof,
        at: Timestamp,
    },
    /// Somebody pushed this to the hall from here.
    Audit {
        at: Timestamp,
        who: String,
        topic: String,
        payload: String,
    },
    /// The broker is to retain this, and may not have it yet.
    Unsent {
        at: Timestamp,
        topic: String,
        payload: String,
    },
    /// The broker has it, or something newer of that topic.
    Sent {
        topic: String,
    },
    Rejected {
        at: Timestamp,
        topic: String,
        reason: &'static str,
        field: Option<String>,
        detail: String,
    },
}

/// A call of an earlier life of the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub call: Call,
    pub received: Timestamp,
    /// Its announcement had begun.
    pub began: bool,
    pub drawn: Option<Frame>,
    /// What became of it, where that is known.
    pub proof: Option<Proof>,
}

/// A call and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    pub call: Call,
    pub received: Timestamp,
    pub began: Option<Timestamp>,
    pub drawn: Option<Frame>,
    pub speech_from: Option<Timestamp>,
    pub speech_to: Option<Timestamp>,
    /// None: not known yet, or the process ended before.
    pub outcome: Option<Outcome>,
    /// Said again, because the first time was cut by a restart.
    pub again: bool,
    /// What other screens made of it, by their names.
    pub elsewhere: Vec<(String, Proof)>,
}

/// What somebody pushed to the hall, or commanded, from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub at: Timestamp,
    pub who: String,
    /// Below the hall's prefix, or `command`.
    pub topic: String,
    pub payload: String,
}

/// A message that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub at: Timestamp,
    pub topic: String,
    pub reason: String,
    pub field: Option<String>,
    pub detail: String,
}

/// Which stories are wanted; newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub ticket: Option<Ticket>,
    pub since: Timestamp,
    pub until: Timestamp,
    pub limit: usize,
}
