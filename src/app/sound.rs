//! The voice's parts, as the daemon starts them: its words, its loudspeakers, or silence.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::audio;
use crate::audio::narrator::Narrator;
use crate::audio::notes::Notes;
use crate::audio::shelf::Shelf;
use crate::audio::sounds::{self, Heard};
use crate::board::call::Zone;
use crate::board::input::{AnnouncementId, Form, Message};
use crate::config::Config;
use crate::health::{SoundState, VoiceState};
use crate::hub::{Planner, Request, Speaker};
use crate::speech::Utterance;

/// Ends when a thread of the sound has ended.
pub async fn end(audio: audio::Handle) {
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    while !audio.has_ended() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Every zone with a card, whether it works, and the counts of its card.
pub fn zones(audio: &audio::Handle) -> Vec<(Zone, SoundState, audio::Counters)> {
    let one = |zone: Zone| (zone.clone(), audio.state(&zone), audio.counters(&zone));
    audio.zones().into_iter().map(one).collect()
}

/// Every zone with a card, and whether it works.
pub fn states(audio: &audio::Handle) -> Vec<(Zone, SoundState)> {
    audio.zones().into_iter().map(|zone| (zone.clone(), audio.state(&zone))).collect()
}

/// The parts of the voice; without sounds the board runs silent.
pub struct Sound {
    pub handle: Option<audio::Handle>,
    pub planner: Box<dyn Planner>,
    pub speaker: Box<dyn Speaker>,
    pub state: Box<dyn Fn() -> SoundState + Send>,
    pub test_call: Option<Arc<Utterance>>,
    /// None: this screen is not to speak.
    pub notes: Option<Notes>,
}

impl Sound {
    /// Loads the voice and opens the cards; a hall without a voice keeps its board, and its chimes if it has any.
    pub fn start(config: &Config, shelf: &Shelf, requests: &mpsc::Sender<Request>) -> Self {
        if !config.audio.enabled {
            return Self::silent(None);
        }
        let Heard { voice, folder, broken } = match sounds::load_or_less(config) {
            Ok(heard) => heard,
            Err(error) => return Self::silent(Some(&error)),
        };
        let handle = match audio::spawn(config, folder.clone(), requests.clone()) {
            Ok(handle) => handle,
            Err(error) => return Self::silent(Some(&error)),
        };
        let notes = handle.notes().clone();
        if let Some(why) = broken {
            tracing::error!("{why}");
            notes.broken(why);
        } else if let Err(error) = sounds::report(folder, voice.clone(), config.clone(), notes.clone()) {
            tracing::warn!(%error, "the voice is not looked through");
        }
        let test_call = voice.plan_sentence(|_| voice.wording().look(), 1, Form::Full).utterance;
        Self {
            test_call: Some(Arc::new(test_call)),
            planner: Box::new(Narrator::new(voice, shelf.clone()).noting(notes.clone())),
            speaker: Box::new(handle.clone()),
            state: Box::new({
                let handle = handle.clone();
                move || handle.overall()
            }),
            handle: Some(handle),
            notes: Some(notes),
        }
    }

    /// `why` is told where the screen should speak.
    fn silent(why: Option<&dyn std::error::Error>) -> Self {
        let notes = why.map(|error| {
            tracing::error!(%error, "no voice: calls are shown and not spoken");
            let notes = Notes::default();
            notes.broken(format!("{error}; calls are shown and not spoken"));
            notes
        });
        Self {
            handle: None,
            planner: Box::new(Silence),
            speaker: Box::new(Silence),
            state: Box::new(|| SoundState::Off),
            test_call: None,
            notes,
        }
    }
}

/// How the voice is; notes are kept where this screen should speak.
pub fn voice(notes: Option<&Notes>) -> VoiceState {
    notes.map(Notes::state).unwrap_or_default()
}

/// Stands where a voice would; the board announces nothing then.
struct Silence;

impl Planner for Silence {
    fn plan(&self, _message: &Message, _repeats: u8, _short: bool) -> Utterance {
        Utterance::default()
    }
}

impl Speaker for Silence {
    fn say(&mut self, _zone: &Zone, _id: AnnouncementId, _utterance: Arc<Utterance>) {}

    fn music(&mut self, _zone: &Zone, _plays: bool) -> bool {
        true
    }
}
