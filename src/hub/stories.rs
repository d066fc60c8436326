//! The hub and the story of each call, from its coming to its proof.

use jiff::Timestamp;

use super::{Hub, Publication};
use crate::board::call::{Call, CallId, Kind, Zone};
use crate::board::input::{Input, Outcome};
use crate::clock::{Millis, Now};
use crate::health::{Drawn, Frame};
use crate::journal::Record;
use crate::wire::{self, Proof};

/// What is known of a call until its proof goes out.
pub(super) struct Story {
    pub kind: Kind,
    pub received: Timestamp,
    /// None: an earlier life of the process received it.
    pub came: Option<Millis>,
    pub drawn: Option<Frame>,
    pub speech_from: Option<Timestamp>,
    /// Its announcement was cut by a restart.
    pub again: bool,
    /// Another screen had begun to say it.
    pub begun_elsewhere: bool,
    /// Where it is said.
    pub zone: Option<Zone>,
}

impl Story {
    pub fn begun(kind: Kind, now: Now) -> Self {
        Self { came: Some(now.mono), ..Self::kept(kind, now.wall) }
    }

    pub fn kept(kind: Kind, received: Timestamp) -> Self {
        Self {
            kind,
            received,
            came: None,
            drawn: None,
            speech_from: None,
            again: false,
            begun_elsewhere: false,
            zone: None,
        }
    }

    fn proof(&self, call: CallId, outcome: Outcome, now: Timestamp) -> Proof {
        let spoken = outcome == Outcome::Spoken;
        Proof {
            call,
            received: self.received,
            drawn: self.drawn,
            speech_from: self.speech_from,
            speech_to: spoken.then_some(now),
            outcome,
            zone: self.zone.clone().filter(|_| spoken),
            // Of one that is not said in the end it says that it may have been heard all the same.
            again: self.again || (self.begun_elsewhere && outcome != Outcome::OtherScreen),
        }
    }
}

impl Hub {
    /// Tells the hall what became of a call, as soon as that is known: the other screens go by it.
    pub(super) fn prove(&mut self, call: CallId, outcome: Outcome, now: Now) {
        tracing::debug!(%call, outcome = outcome.as_str(), "proof");
        let story = self.stories.remove(&call).unwrap_or_else(|| Story::kept(Kind::Call, now.wall));
        self.outlets.metrics.proven(story.kind, outcome);
        let proof = story.proof(call, outcome, now.wall);
        self.tell(&proof);
        if proof.drawn.is_none() {
            self.undrawn.keep(proof.clone(), story.came);
        }
        self.facts.push(Record::Proof { proof, at: now.wall });
    }

    /// What this screen is just saying another has said: a kill before its end is no reason to say it a third time.
    pub(super) fn keep_said_elsewhere(&mut self, call: &CallId, zone: Option<&Zone>, at: Timestamp) {
        let is_being_said = self.said.values().any(|said| said == call);
        let Some(story) = self.stories.get(call).filter(|_| is_being_said) else { return };
        if zone.is_none_or(|zone| story.zone.as_ref() == Some(zone)) {
            let proof = story.proof(call.clone(), Outcome::OtherScreen, at);
            self.facts.push(Record::Proof { proof, at });
        }
    }

    /// A proof that is out already is told once more, with the frame.
    pub(super) fn drawn(&mut self, drawn: Drawn) {
        let Drawn { call, frame } = &drawn;
        let mut came = None;
        if let Some(story) = self.stories.get_mut(call).filter(|story| story.drawn.is_none()) {
            (story.drawn, came) = (Some(*frame), story.came);
        } else if let Some((proof, since)) = self.undrawn.take(call) {
            came = since;
            self.tell(&Proof { drawn: Some(*frame), ..proof });
        }
        if let Some(came) = came {
            self.outlets.metrics.drawn(self.clock.now().mono - came);
        }
        self.facts.push(Record::Drawn(drawn));
    }

    fn tell(&self, proof: &Proof) {
        let (topic, payload) = (format!("screen/{}/proof", self.screen), wire::encode_proof(proof));
        self.publish(Publication { topic, payload, retain: false });
        // Nobody need listen, and who begins to listen meanwhile is told of the next one.
        if self.outlets.proofs.receiver_count() > 0 {
            let _ = self.outlets.proofs.send(proof.clone());
        }
    }

    /// A call that has just come, or that another screen tells of while it is young.
    pub(super) fn new_call<'i>(&self, input: &'i Input, now: Now) -> Option<&'i Call> {
        match input {
            Input::CallReceived(call) => Some(call),
            Input::CallTold(call) => Some(call).filter(|call| self.board.is_young(call, now)),
            _ => None,
        }
    }

    /// Begins the story of a call that has none, and tells which.
    pub(super) fn begin(&mut self, call: &Call, now: Now) -> Option<CallId> {
        if !call.kind.summons() || self.stories.contains_key(&call.id) {
            return None;
        }
        self.stories.insert(call.id.clone(), Story::begun(call.kind, now));
        Some(call.id.clone())
    }

    /// Notes when a call was spoken.
    pub(super) fn note(&mut self, input: &Input) {
        match input {
            Input::LinkChanged { up } => self.link_changed(*up),
            Input::CallTold(_) => self.asks_again = false,
            Input::SpeechStarted { announcement, .. } => {
                let Some(call) = self.said.get(announcement) else { return };
                let now = self.clock.now();
                let at = now.wall;
                if let Some(story) = self.stories.get_mut(call).filter(|story| story.speech_from.is_none()) {
                    story.speech_from = Some(at);
                    if let Some(came) = story.came {
                        self.outlets.metrics.sounded(now.mono - came);
                    }
                }
                self.facts.push(Record::Began { call: call.clone(), at });
            }
            Input::SpeechEnded { announcement, .. } => {
                self.said.remove(announcement);
            }
            _ => {}
        }
    }
}
