//! What is wrong with the voice, as health is told: that it cannot be read, what it lacks for the hall, and what could not
//! be said of late.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::health::VoiceState;

/// For how long health tells of something that could not be said: a technician who comes within the hour still reads it.
const TOLD_FOR: Duration = Duration::from_secs(3600);

/// Shared by whoever loads the voice, looks through it, plans with it and decodes it; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    broken: Option<String>,
    lacks: Vec<String>,
    unsaid: Option<(Instant, String)>,
}

impl Notes {
    /// The configured voice is not heard, and what is instead.
    pub fn broken(&self, why: String) {
        self.told().broken = Some(why);
    }

    /// What the voice lacks for the hall, a line each.
    pub fn lacks(&self, lines: Vec<String>) {
        self.told().lacks = lines;
    }

    /// Something could not be said, or a clip could not be played.
    pub fn unsaid(&self, what: String) {
        self.told().unsaid = Some((Instant::now(), what));
    }

    /// The worst of it.
    pub fn state(&self) -> VoiceState {
        self.told().state(Instant::now())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn state(&self, now: Instant) -> VoiceState {
        if let Some(why) = &self.broken {
            return VoiceState::Broken(why.clone());
        }
        if let Some((_, what)) = self.unsaid.as_ref().filter(|(at, _)| now.duration_since(*at) < TOLD_FOR) {
            return VoiceState::Lacking(what.clone());
        }
        match self.lacks.as_slice() {
            [] => VoiceState::Ok,
            [only] => VoiceState::Lacking(only.clone()),
            [first, rest @ ..] => VoiceState::Lacking(format!("{first}; and {} more", rest.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_told_and_what_could_not_be_said_only_for_an_hour() {
        let notes = Notes::default();
        assert_eq!(notes.state(), VoiceState::Ok);
        notes.lacks(vec!["series B: no clip".into(), "counter 9: no clip".into()]);
        assert_eq!(notes.state(), VoiceState::Lacking("series B: no clip; and 1 more".into()));
        notes.unsaid("ticket A#1".into());
        assert_eq!(notes.state(), VoiceState::Lacking("ticket A#1".into()));
        let later = Instant::now() + TOLD_FOR;
        assert_eq!(notes.told().state(later), VoiceState::Lacking("series B: no clip; and 1 more".into()));
        notes.broken("format must be 1".into());
        assert_eq!(notes.state(), VoiceState::Broken("format must be 1".into()));
    }
}
