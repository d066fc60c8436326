//! The voice's parts, as the daemon starts them: its words, its loudspeakers, or silence.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::audio::narrator::Narrator;
use crate::audio::shelf::Shelf;
use crate::audio::{self, sounds};
use crate::board::call::Zone;
use crate::board::input::{AnnouncementId, Form, Message};
use crate::config::Config;
use crate::health::SoundState;
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
}

impl Sound {
    /// Loads the voice and opens the cards; a hall without a voice keeps its board.
    pub fn start(config: &Config, shelf: &Shelf, requests: &mpsc::Sender<Request>) -> Self {
        if !config.audio.enabled {
            return Self::silent();
        }
        let loaded = sounds::find(config).and_then(|folder| Ok((sounds::load(&folder, config)?, folder)));
        let (voice, folder) = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!(%error, "no voice: calls are shown and not spoken");
                return Self::silent();
            }
        };
        if let Err(error) = sounds::report(folder.clone(), voice.clone(), config.clone()) {
            tracing::warn!(%error, "the voice is not looked through");
        }
        let test_call = voice.plan_sentence(|_| voice.wording().look(), 1, Form::Full).utterance;
        match audio::spawn(config, folder, requests.clone()) {
            Ok(handle) => Self {
                test_call: Some(Arc::new(test_call)),
                planner: Box::new(Narrator { voice, shelf: shelf.clone() }),
                speaker: Box::new(handle.clone()),
                state: Box::new({
                    let handle = handle.clone();
                    move || handle.overall()
                }),
                handle: Some(handle),
            },
            Err(error) => {
                tracing::error!(%error, "no sound: calls are shown and not spoken");
                Self::silent()
            }
        }
    }

    fn silent() -> Self {
        Self {
            handle: None,
            planner: Box::new(Silence),
            speaker: Box::new(Silence),
            state: Box::new(|| SoundState::Off),
            test_call: None,
        }
    }
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
