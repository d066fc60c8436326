//! A card that is open, and the mixer that runs ahead of it.
//!
//! A card is lost when it says so, when it reports more than [`ERRORS_A_SECOND`] errors in a second and nothing else, or
//! when it asks for nothing for [`STUCK_AFTER`].

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tracing::trace_span;

use super::card::{Card, PIECES};
use super::mixer::{Mark, Mixer, Moment};
use super::music::Music;
use super::player::Parts;
use crate::board::input::AnnouncementId;
use crate::trace::STAGE;

const STUCK_AFTER: Duration = Duration::from_secs(2);
const ERRORS_A_SECOND: u32 = 5;
/// How long a card that only reports errors is given. ALSA's PulseAudio plug-in reports hundreds of errors within some
/// 10 ms after it was opened or after a gap, and then plays.
const STORM_FOR: Duration = Duration::from_millis(500);
/// Gaps are normal under load; a storm of them is a dead device that the system reports as gaps.
const XRUNS_A_SECOND: u32 = 50;
/// How far the mixer runs ahead of the card: longer than a busy PC keeps a thread waiting.
const AHEAD_MS: u64 = 250;
/// The same behind music alone: a call waits for no more than this.
const MUSIC_AHEAD_MS: u64 = 60;
/// But never less than the card asks for at once and, until the next look at it, this.
const LOOK_MS: u64 = 20;
/// Frames mixed at once.
const CHUNK: usize = 480;

/// What goes on with a card.
pub(super) struct Live {
    pub(super) card: Card,
    pub(super) mixer: Mixer,
    pub(super) music: Option<Music>,
    marks: VecDeque<Mark>,
    /// Ends that the card has taken and that sound until it has asked for this many frames.
    fading: VecDeque<(u64, usize, AnnouncementId)>,
    scratch: Vec<f32>,
    /// Frames of `asked` that the mixer knows of as rest or sound.
    asked: u64,
    played: u64,
    moved_at: Instant,
    pub(super) proved: bool,
    /// Errors up to the last look.
    errors: u32,
    second: Second,
    looked_at: Instant,
}

/// Errors within the current second.
struct Second {
    since: Instant,
    errors: u32,
    xruns: u32,
}

pub(super) enum Watch {
    Fine,
    Lost(&'static str),
}

impl Live {
    pub(super) fn new(card: Card, parts: &Parts) -> Self {
        let now = Instant::now();
        let mut mixer = Mixer::new(card.rate_hz, card.channels, &parts.lines);
        let music = parts.music.as_ref().and_then(|(folder, bed)| {
            mixer.lay(*bed);
            let music = Music::begin(folder.clone(), card.rate_hz);
            music.map_err(|error| tracing::error!(%error, "no thread for the music")).ok()
        });
        Self {
            mixer,
            music,
            marks: VecDeque::new(),
            fading: VecDeque::new(),
            scratch: vec![0.0; CHUNK * card.channels],
            asked: 0,
            played: 0,
            moved_at: now,
            proved: false,
            errors: 0,
            second: Second { since: now, errors: 0, xruns: 0 },
            looked_at: now,
            card,
        }
    }

    pub(super) fn watch(&mut self, now: Instant) -> Watch {
        let gauges = &self.card.gauges;
        if gauges.gone.load(Ordering::Relaxed) {
            return Watch::Lost("the system says that it is gone");
        }
        let asked = gauges.asked.load(Ordering::Acquire);
        let played = gauges.played.load(Ordering::Acquire);
        if asked != self.asked {
            self.moved_at = now;
            self.proved = true;
            let silent = (asked - self.asked).saturating_sub(played - self.played);
            self.mixer.rest(silent);
            (self.asked, self.played) = (asked, played);
        } else if now.duration_since(self.moved_at) > STUCK_AFTER {
            return Watch::Lost("it asks for nothing");
        }
        let (errors, xruns) = (gauges.errors.load(Ordering::Relaxed), gauges.xruns.load(Ordering::Relaxed));
        let goes_on = std::mem::replace(&mut self.errors, errors) != errors;
        let storm = errors.saturating_sub(self.second.errors) > ERRORS_A_SECOND;
        if goes_on && storm && now.duration_since(self.moved_at) > STORM_FOR {
            return Watch::Lost("it reports one error after the other");
        }
        if xruns.saturating_sub(self.second.xruns) > XRUNS_A_SECOND {
            return Watch::Lost("it reports one gap after the other");
        }
        if now.duration_since(self.second.since) >= Duration::from_secs(1) {
            self.second = Second { since: now, errors, xruns };
        }
        Watch::Fine
    }

    /// Fills the ring up to [`AHEAD_MS`]. An idle mixer leaves it empty, or nearly so behind music, so that the next call
    /// sounds at once.
    pub(super) fn feed(&mut self) {
        let mut marks = Vec::new();
        self.take_music();
        while self.has_more() {
            let ahead = if self.mixer.is_idle() { MUSIC_AHEAD_MS } else { AHEAD_MS };
            let frames = |ms: u64| self.card.rate_hz as usize * ms as usize / 1000;
            let ahead = frames(ahead).max(self.period() + frames(LOOK_MS)) * self.card.channels;
            let queued = self.card.ring.buffer().capacity() - self.card.ring.slots();
            if queued >= ahead || self.card.ring.slots() < self.scratch.len() {
                break;
            }
            let stage = trace_span!(target: STAGE, "mix").entered();
            self.mixer.fill(&mut self.scratch, &mut marks);
            drop(stage);
            if !self.has_more() {
                // The last chunk: an empty ring behind it is no fault.
                self.card.gauges.expecting.store(false, Ordering::Release);
            }
            self.write();
            if self.has_more() {
                self.card.gauges.expecting.store(true, Ordering::Release);
            }
        }
        self.marks.extend(marks);
    }

    /// Frames that the card asks for at once.
    fn period(&self) -> usize {
        (self.card.latency_frames / PIECES) as usize
    }

    fn has_more(&self) -> bool {
        !self.mixer.is_idle() || self.mixer.plays_music()
    }

    /// Half a second is enough for one look at a time.
    fn take_music(&mut self) {
        let Some(music) = self.music.as_ref().filter(|_| self.mixer.plays_music()) else { return };
        while self.mixer.music_ahead() < self.card.rate_hz as usize / 2 {
            let Some(samples) = music.take() else { break };
            self.mixer.add_music(&samples);
        }
    }

    fn write(&mut self) {
        if let Ok(chunk) = self.card.ring.write_chunk_uninit(self.scratch.len()) {
            chunk.fill_from_iter(self.scratch.iter().copied());
        }
    }

    /// What the card has reached since the last look.
    pub(super) fn moments(&mut self) -> Vec<(usize, AnnouncementId, Moment)> {
        let mut out = Vec::new();
        let gauges = &self.card.gauges;
        let (asked, played) = (gauges.asked.load(Ordering::Acquire), gauges.played.load(Ordering::Acquire));
        while let Some(mark) = self.marks.front().copied() {
            let reached = match mark.moment {
                Moment::Started => played > mark.frame,
                Moment::Ended => played >= mark.frame,
            };
            if !reached {
                break;
            }
            self.marks.pop_front();
            match mark.moment {
                Moment::Started => out.push((mark.line, mark.id, Moment::Started)),
                // What the card has taken still lies in its own buffer.
                Moment::Ended => {
                    self.fading.push_back((asked + self.card.latency_frames, mark.line, mark.id));
                }
            }
        }
        while let Some((until, line, id)) = self.fading.front().copied().filter(|(until, ..)| *until <= asked)
        {
            debug_assert!(until <= asked);
            self.fading.pop_front();
            out.push((line, id, Moment::Ended));
        }
        out
    }

    pub(super) fn wants_look(&mut self, now: Instant, every: Duration) -> bool {
        let due = !self.card.preferred && now.duration_since(self.looked_at) >= every;
        if due {
            self.looked_at = now;
        }
        due
    }
}
