//! The hub and the hall's other screens: whose turn it is to speak, and what they have said already.

use super::{Hub, Publication};
use crate::board::input::{Input, Outcome};
use crate::clock::{Millis, Now};
use crate::journal::Record;
use crate::screens::ScreenReport;
use crate::voices::Turn;
use crate::wire::{self, Proof};

/// How long the first and the second screen wait before they answer one that asks; the others do not. The second is for
/// a first that has just died, or knows little.
const ANSWERS_AFTER: [Millis; 2] = [Millis(200), Millis(2_500)];
/// At random on top: two screens may each take themselves for the first.
const JITTER_MS: i64 = 300;
/// Screens that may wait for an answer at once.
const ASKED_MAX: usize = 16;

impl Hub {
    /// A screen asks for the hall's state. It has just come: when nobody has told this one anything since its own link came up, it
    /// asks once more.
    pub(super) fn be_asked(&mut self, screen: String) {
        if screen != self.screen && std::mem::take(&mut self.asks_again) {
            let payload = wire::encode_asking(&self.screen);
            self.publish(Publication { topic: "sync/request".into(), payload, retain: false });
        }
        let waits = self.asked.len() >= ASKED_MAX || self.asked.iter().any(|(_, other)| *other == screen);
        let after = ANSWERS_AFTER.get(self.voices.place_beside(&screen));
        let Some(after) = after.filter(|_| screen != self.screen && !waits) else { return };
        let jitter = Millis(rand::random_range(0..JITTER_MS));
        self.asked.push((self.clock.now().mono + *after + jitter, screen));
    }

    /// Tells the screens whose time has come what this one knows.
    pub(super) fn answer(&mut self) {
        let now = self.clock.now();
        let (due, later) = std::mem::take(&mut self.asked).into_iter().partition(|(due, _)| *due <= now.mono);
        self.asked = later;
        let due: Vec<(Millis, String)> = due;
        if due.is_empty() {
            return;
        }
        let messages = wire::encode_sync(&self.board.knowledge(now));
        for (_, screen) in due {
            let topic = format!("sync/state/{screen}");
            for payload in &messages {
                self.publish(Publication { topic: topic.clone(), payload: payload.clone(), retain: false });
            }
        }
    }

    /// Lets this screen begin to speak, or no more, as it is its turn in each zone now. It comes before every input: a
    /// process that stood still must know that before it says anything.
    pub(super) fn take_turns(&mut self, now: Now) {
        let turns = self.voices.turn(self.board.sounds(), now.mono);
        for Turn { zone, speaks, shared } in turns {
            tracing::info!(%zone, speaks, shared, "the turn to speak");
            let effects = self.board.apply(now, Input::VoiceChanged { zone, speaks, shared });
            if self.carry_out(effects, now).shown {
                self.show();
            }
        }
    }

    pub(super) fn link_changed(&mut self, up: bool) {
        let now = self.clock.now();
        self.asks_again = up;
        self.voices.link_changed(up, now.mono);
        self.take_turns(now);
    }

    /// A screen's word of itself; none: its word was taken back.
    pub(super) fn hear_of(&mut self, screen: &str, report: Option<Box<ScreenReport>>) {
        let now = self.clock.now();
        let Some(report) = report else {
            self.voices.cleared(screen);
            self.outlets.screens.send_if_modified(|screens| screens.clear(screen));
            return;
        };
        let taken =
            self.outlets.screens.send_if_modified(|screens| screens.take(screen, (*report).clone(), now));
        if !taken {
            return;
        }
        self.voices.heard(screen, &report, now.mono);
        if screen == self.screen {
            return;
        }
        for call in &report.saying {
            let story = self.stories.iter_mut().find(|(id, _)| id.as_str() == call);
            if let Some((_, story)) = story {
                story.begun_elsewhere = true;
            }
        }
    }

    /// What became of a call on another screen. This screen's own proofs come back from the broker too, and are kept
    /// already. Returns whether the picture has changed.
    pub(super) fn keep_proof_of(&mut self, screen: String, proof: Proof) -> bool {
        if screen == self.screen {
            return false;
        }
        let spoken = (proof.outcome == Outcome::Spoken).then(|| (proof.call.clone(), proof.zone.clone()));
        let at = self.clock.now().wall;
        self.facts.push(Record::ProofElsewhere { screen, proof, at });
        if let Some((call, zone)) = &spoken {
            self.keep_said_elsewhere(call, zone.as_ref(), at);
        }
        spoken.is_some_and(|(call, zone)| self.apply(Input::SpokenElsewhere { call, zone }).shown)
    }
}
