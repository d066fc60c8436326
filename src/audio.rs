//! The loudspeakers: a thread for every sound card, which owns its stream, mixes ahead of it and tells the hub what was
//! really played.
//!
//! Never gives up on a card, never reports a sentence as spoken whose last sample the card has not taken, and never
//! waits for the hub.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::mpsc;

use crate::board::call::Zone;
use crate::board::input::{AnnouncementId, Input};
use crate::clock::Millis;
use crate::config::{BackgroundConfig, Config, ZoneConfig};
use crate::health::SoundState;
use crate::hub::{Request, Speaker};
use crate::speech::Utterance;

pub mod card;
pub mod clips;
pub mod cut;
mod decoder;
pub mod encode;
pub mod feed;
pub mod gauge;
pub mod limiter;
mod live;
pub mod media;
pub mod message;
pub mod mixer;
pub mod music;
pub mod narrator;
pub mod notes;
pub mod output;
mod player;
pub mod shelf;
pub mod sounds;
pub mod studio;
pub mod twin;
pub mod wav;

use card::{Cards, Wish};
use clips::{ClipError, Clips};
use mixer::{Bed, Line, Mixer};
use notes::Notes;
use player::{Command, Player};

/// How long [`Handle::stop`] waits for the threads.
const STOP_WITHIN: Duration = Duration::from_millis(900);
/// Announcements that may wait for one card; the board sends one a zone at a time.
const COMMANDS: usize = 64;

#[derive(Debug, Error)]
pub enum AudioError {
    #[error("cannot start the audio thread: {0}")]
    Thread(std::io::Error),
}

/// What one zone has done since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Name of the card in use; empty without one.
    pub card: String,
    /// Frames of announcements that the card has taken.
    pub played_frames: u64,
    /// Frames of silence inside announcements because the mixer was late.
    pub starved_frames: u64,
    /// Gaps that the system reported.
    pub xruns: u64,
    /// How often the card was opened.
    pub opened: u64,
}

/// What the player publishes about its zones.
#[derive(Debug, Default)]
struct Report {
    up: AtomicBool,
    counters: Mutex<Counters>,
    /// Turns of the thread: it goes on as long as they do.
    beats: AtomicU64,
}

/// Held by a thread: says that it has ended, also by a panic.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

struct Desk {
    zones: Vec<Zone>,
    /// Of each zone, on top of the volume.
    gains_db: Vec<f32>,
    commands: SyncSender<Command>,
    report: Arc<Report>,
    finished: Arc<AtomicBool>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.commands.try_send(Command::Stop);
    }
}

/// A door to the loudspeakers, cheap to clone.
#[derive(Clone)]
pub struct Handle {
    desks: Arc<Vec<Desk>>,
    decoder_ended: Arc<AtomicBool>,
    requests: mpsc::Sender<Request>,
    /// The volume that was set last, in percent.
    volume: Arc<AtomicU32>,
    notes: Notes,
}

/// Starts a thread for every card that the zones name. With `audio.enabled = false` nothing is opened, and every
/// announcement ends at once as not completed.
///
/// # Errors
/// [`AudioError`] when the system gives no thread. A missing card is no error: it is looked for without end.
pub fn spawn(
    config: &Config,
    sounds: PathBuf,
    requests: mpsc::Sender<Request>,
) -> Result<Handle, AudioError> {
    spawn_with(config, sounds, requests, || Box::new(output::SystemCards))
}

/// The same with other cards, for tests.
///
/// # Errors
/// As for [`spawn`].
pub fn spawn_with(
    config: &Config,
    sounds: PathBuf,
    requests: mpsc::Sender<Request>,
    cards: impl Fn() -> Box<dyn Cards>,
) -> Result<Handle, AudioError> {
    let mut desks = Vec::new();
    let decoder_ended = Arc::<AtomicBool>::default();
    let notes = Notes::default();
    if config.audio.enabled {
        let ended = Ended(Arc::clone(&decoder_ended));
        let decoder = decoder::spawn(Clips::new(sounds), notes.clone(), ended).map_err(AudioError::Thread)?;
        for (device, zones) in by_device(&config.audio.zones) {
            let channels = zones.iter().flat_map(|zone| &zone.channels).copied().max().unwrap_or(0);
            let wish = Wish { device, buffer_frames: config.audio.buffer_frames, channels };
            let lines = zones.iter().map(|zone| line(zone, config.audio.volume_percent)).collect();
            let names: Vec<Zone> = zones.iter().map(|zone| zone.id.clone()).collect();
            let (commands, inbox) = std::sync::mpsc::sync_channel(COMMANDS);
            let desk = Desk {
                zones: names.clone(),
                gains_db: zones.iter().map(|zone| zone.gain_db).collect(),
                commands: commands.clone(),
                report: Arc::default(),
                finished: Arc::default(),
            };
            let player = Player::new(player::Parts {
                cards: cards(),
                wish,
                zones: names,
                lines,
                music: background(&config.audio.background),
                inbox,
                outbox: requests.clone(),
                decoder: decoder.clone(),
                commands,
                report: Arc::clone(&desk.report),
            });
            player.spawn(Ended(Arc::clone(&desk.finished))).map_err(AudioError::Thread)?;
            desks.push(desk);
        }
    }
    let volume = Arc::new(AtomicU32::new(config.audio.volume_percent));
    Ok(Handle { desks: Arc::new(desks), decoder_ended, requests, volume, notes })
}

/// Zones that share a device, in the order of the config.
fn by_device(zones: &[ZoneConfig]) -> Vec<(Option<String>, Vec<&ZoneConfig>)> {
    let mut out: Vec<(Option<String>, Vec<&ZoneConfig>)> = Vec::new();
    for zone in zones {
        match out.iter_mut().find(|(device, _)| *device == zone.device) {
            Some((_, same)) => same.push(zone),
            None => out.push((zone.device.clone(), vec![zone])),
        }
    }
    out
}

fn background(config: &BackgroundConfig) -> Option<(PathBuf, Bed)> {
    let bed =
        Bed { gain: mixer::gain(config.volume_percent, 0.0), ducked: 10_f32.powf(-config.duck_db / 20.0) };
    config.folder.clone().map(|folder| (folder, bed))
}

fn line(zone: &ZoneConfig, volume_percent: u32) -> Line {
    Line { gain: mixer::gain(volume_percent, zone.gain_db), channels: zone.channels.clone(), music: false }
}

impl Handle {
    /// Whether a zone's loudspeakers work. [`SoundState::Muted`] is the board's own knowledge and never comes from here.
    pub fn state(&self, zone: &Zone) -> SoundState {
        match self.desk(zone) {
            None => SoundState::Off,
            Some((desk, _)) if desk.report.up.load(Ordering::Relaxed) && !self.has_ended() => SoundState::Ok,
            Some(_) => SoundState::Lost,
        }
    }

    /// The worst state of all zones, for the screen's status.
    pub fn overall(&self) -> SoundState {
        let zones = self.desks.iter().flat_map(|desk| &desk.zones);
        let states: Vec<SoundState> = zones.map(|zone| self.state(zone)).collect();
        match states.as_slice() {
            [] => SoundState::Off,
            all if all.contains(&SoundState::Lost) => SoundState::Lost,
            _ => SoundState::Ok,
        }
    }

    /// Whether a thread of the sound has ended. Nobody but [`Handle::stop`] asks for that; otherwise the hall is silent
    /// until the process starts again.
    pub fn has_ended(&self) -> bool {
        let ended = |flag: &AtomicBool| flag.load(Ordering::Acquire);
        ended(&self.decoder_ended) || self.desks.iter().any(|desk| ended(&desk.finished))
    }

    /// What is wrong with the voice; clips that could not be played are told there already.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// For every thread that owns a card a number that changes while it goes on: at least each two seconds, the longest
    /// pause between two looks for a card.
    pub fn beats(&self) -> Vec<u64> {
        self.desks.iter().map(|desk| desk.report.beats.load(Ordering::Relaxed)).collect()
    }

    /// Counts of the card that a zone uses.
    pub fn counters(&self, zone: &Zone) -> Counters {
        let Some((desk, _)) = self.desk(zone) else { return Counters::default() };
        desk.report.counters.lock().map(|counters| counters.clone()).unwrap_or_default()
    }

    /// All zones, in the order of their cards.
    pub fn zones(&self) -> Vec<Zone> {
        self.desks.iter().flat_map(|desk| desk.zones.clone()).collect()
    }

    /// The volume of all zones, in percent.
    pub fn volume(&self) -> u32 {
        self.volume.load(Ordering::Relaxed)
    }

    /// Changes the volume of all zones from the next samples on.
    pub fn set_volume(&self, percent: u32) {
        self.volume.store(percent, Ordering::Relaxed);
        for desk in self.desks.iter() {
            let gains = desk.gains_db.iter().map(|db| mixer::gain(percent, *db)).collect();
            if desk.commands.try_send(Command::Gains(gains)).is_err() {
                tracing::warn!("the volume stays: the audio thread takes no more commands");
            }
        }
    }

    /// Lets the background music of a zone be heard or not; false when the sound does not take the message now.
    pub fn set_music(&self, zone: &Zone, plays: bool) -> bool {
        let Some((desk, line)) = self.desk(zone) else { return true };
        desk.commands.try_send(Command::Music { line, plays }).is_ok()
    }

    /// Ends all sound and closes the cards, within a second; a card that hangs is left behind.
    pub fn stop(&self) {
        let deadline = Instant::now() + STOP_WITHIN;
        for desk in self.desks.iter() {
            let _ = desk.commands.try_send(Command::Stop);
        }
        while Instant::now() < deadline
            && !self.desks.iter().all(|desk| desk.finished.load(Ordering::Acquire))
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn desk(&self, zone: &Zone) -> Option<(&Desk, usize)> {
        self.desks.iter().find_map(|desk| Some((desk, desk.zones.iter().position(|z| z == zone)?)))
    }

    fn refuse(&self, zone: &Zone, announcement: AnnouncementId, why: &str) {
        tracing::warn!(%zone, announcement = announcement.0, why, "an announcement was not played");
        let input = Input::SpeechEnded { zone: zone.clone(), announcement, completed: false };
        if self.requests.try_send(Request::Input { input, reply: None }).is_err() {
            tracing::error!(%zone, "the hub takes no message that an announcement ended");
        }
    }
}

impl Speaker for Handle {
    fn music(&mut self, zone: &Zone, plays: bool) -> bool {
        self.set_music(zone, plays)
    }

    fn say(&mut self, zone: &Zone, id: AnnouncementId, utterance: Arc<Utterance>) {
        let Some((desk, line)) = self.desk(zone) else {
            return self.refuse(zone, id, "no loudspeakers");
        };
        match desk.commands.try_send(Command::Say { line, id, utterance }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.refuse(zone, id, "too many announcements wait"),
            Err(TrySendError::Disconnected(_)) => self.refuse(zone, id, "the audio thread has ended"),
        }
    }
}

/// Mixes announcements to one channel exactly as a hall with a single loudspeaker would hear them, until the last has
/// ended: the wake-up silence, volume 100 and the limiter included. Start times count from the first frame.
///
/// # Errors
/// [`ClipError`] of the first clip that cannot be read.
pub fn render(clips: &mut Clips, said: &[(Millis, &Utterance)], rate_hz: u32) -> Result<Vec<f32>, ClipError> {
    let mut mixer = Mixer::new(rate_hz, 1, &[Line { gain: 1.0, channels: Vec::new(), music: false }]);
    let mut out = Vec::new();
    let mut marks = Vec::new();
    let mut fill = |mixer: &mut Mixer, out: &mut Vec<f32>, frames: usize| {
        let from = out.len();
        out.resize(from + frames, 0.0);
        mixer.fill(&mut out[from..], &mut marks);
    };
    for (index, (start, utterance)) in said.iter().enumerate() {
        let until = crate::speech::gap_frames(*start, rate_hz) as usize;
        let frames = until.saturating_sub(out.len());
        fill(&mut mixer, &mut out, frames);
        mixer.push(0, clips.track(AnnouncementId(index as u64), utterance, rate_hz)?);
    }
    while !mixer.is_idle() {
        fill(&mut mixer, &mut out, rate_hz as usize / 100);
    }
    let end = marks.iter().map(|mark| mark.frame).max().unwrap_or(0);
    out.truncate(end as usize);
    Ok(out)
}
