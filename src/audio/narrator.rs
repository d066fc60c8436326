//! What the loudspeakers say of each message: a voice's clips, or the sound that an operator has recorded for it.

use super::notes::Notes;
use super::shelf::Shelf;
use crate::board::input::{Form, Message};
use crate::clock::Millis;
use crate::hub::Planner;
use crate::speech::voice::{Plan, Voice};
use crate::speech::{Part, Utterance};

/// A voice and the recordings of this screen.
#[derive(Clone, Debug)]
pub struct Narrator {
    voice: Voice,
    shelf: Shelf,
    notes: Notes,
}

impl Narrator {
    pub fn new(voice: Voice, shelf: Shelf) -> Self {
        Self { voice, shelf, notes: Notes::default() }
    }

    /// Tells there what could not be said.
    pub fn noting(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// Plans a message. A recording that is not here is a moment of silence, so that the zone goes on; but an emergency is
    /// then read aloud, for somebody must hear of it.
    pub fn plan_message(&self, message: &Message, repeats: u8, form: Form) -> Plan {
        let Message::Notice { recording: Some(id), text, emergency, .. } = message else {
            return self.voice.plan_message(message, repeats, form);
        };
        match self.shelf.clip(id) {
            Some(clip) => Plan { utterance: self.voice.around(clip, text, *emergency), missing: Vec::new() },
            None if *emergency => self.voice.plan_message(message, repeats, form),
            None => {
                let parts = vec![Part::Gap(Millis(1))];
                let utterance = Utterance { parts, ..Utterance::default() };
                Plan { utterance, missing: vec![format!("recording {id}")] }
            }
        }
    }
}

impl Planner for Narrator {
    fn plan(&self, message: &Message, repeats: u8, short: bool) -> Utterance {
        let form = if short { Form::Short } else { Form::Full };
        let plan = self.plan_message(message, repeats, form);
        if let Message::Notice { id, recording: Some(recording), emergency: false, .. } = message
            && !self.shelf.has(recording)
        {
            tracing::warn!(notice = %id, %recording, "not heard: its sound is on no screen that answers");
        } else if !plan.missing.is_empty() {
            let what = plan.missing.join(", ");
            tracing::warn!(what, said = plan.utterance.text, "not all of it can be said");
            self.notes.unsaid(format!("cannot be said: {what}"));
        }
        plan.utterance
    }
}
