//! The thread of one sound card: opens it, mixes ahead of it, watches that it lives, and opens it again without end. What
//! was being said when it was lost is reported as not completed.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tracing::trace;

use super::card::{Card, CardError, Cards, Wish};
use super::decoder::Job;
use super::live::{Live, Watch};
use super::mixer::{Bed, Line, Moment, Track};
use super::{Counters, Ended, Report};
use crate::board::call::Zone;
use crate::board::input::{AnnouncementId, Input};
use crate::clock::system::SystemClock;
use crate::clock::{Clock as _, Millis};
use crate::hub::Request;
use crate::speech::Utterance;
use crate::trace::STAGE;

const BACK_OFF_FROM: Duration = Duration::from_millis(250);
/// A card that comes back after whatever time is heard again within three seconds.
const BACK_OFF_TO: Duration = Duration::from_secs(2);
/// A thread that was stopped for so long, with its process or its PC, does not say the rest of a sentence: nobody understands
/// the halves of a number, and another screen may speak by now.
const STOOD_STILL: Millis = Millis(700);
/// While on another card, how often the wished one is looked for; ever more rarely while it is there and cannot be opened,
/// because each attempt takes the other card away for a moment.
const LOOK_EVERY: Duration = Duration::from_millis(2500);
const LOOK_EVERY_AT_MOST: Duration = Duration::from_secs(600);
/// How long a dying stream may take before it is left to its own thread.
const DROP_WITHIN: Duration = Duration::from_millis(500);
const BUSY_TICK: Duration = Duration::from_millis(10);
/// A card is looked at this often to see whether it still lives; a call wakes the thread at once.
const IDLE_TICK: Duration = Duration::from_millis(250);

pub(super) enum Command {
    Say {
        line: usize,
        id: AnnouncementId,
        utterance: Arc<Utterance>,
    },
    Decoded(Decoded),
    /// One factor for each line.
    Gains(Vec<f32>),
    Music {
        line: usize,
        plays: bool,
    },
    Stop,
}

pub(super) struct Decoded {
    pub opening: u64,
    pub line: usize,
    pub id: AnnouncementId,
    /// None: nothing of it can be played.
    pub track: Option<Track>,
    /// False: only a part could be decoded.
    pub whole: bool,
}

pub(super) struct Parts {
    pub cards: Box<dyn Cards>,
    pub wish: Wish,
    pub zones: Vec<Zone>,
    pub lines: Vec<Line>,
    /// A folder, and how loud.
    pub music: Option<(PathBuf, Bed)>,
    pub inbox: Receiver<Command>,
    pub outbox: mpsc::Sender<Request>,
    pub decoder: SyncSender<Job>,
    /// For the decoder's answers.
    pub commands: SyncSender<Command>,
    pub report: Arc<Report>,
}

/// An announcement between `say` and its end.
#[derive(Debug)]
struct Underway {
    line: usize,
    id: AnnouncementId,
    whole: bool,
}

enum State {
    Down { retry_at: Instant },
    Up(Box<Live>),
}

pub(super) struct Player {
    parts: Parts,
    state: State,
    back_off: Duration,
    look_every: Duration,
    opening: u64,
    /// What the hub believes; none before the first word.
    told: Option<bool>,
    underway: Vec<Underway>,
    waiting: VecDeque<Input>,
    totals: Counters,
    /// It goes on while the PC sleeps.
    clock: SystemClock,
    /// The time of the last step.
    stepped: Millis,
}

impl Player {
    pub(super) fn new(parts: Parts) -> Self {
        let clock = SystemClock::new();
        Self {
            parts,
            state: State::Down { retry_at: Instant::now() },
            back_off: BACK_OFF_FROM,
            look_every: LOOK_EVERY,
            opening: 0,
            told: None,
            underway: Vec::new(),
            waiting: VecDeque::new(),
            totals: Counters::default(),
            stepped: clock.now().mono,
            clock,
        }
    }

    pub(super) fn spawn(mut self, ended: Ended) -> io::Result<()> {
        thread::Builder::new().name("audio".into()).spawn(move || {
            let _ended = ended;
            self.run();
        })?;
        Ok(())
    }

    fn run(&mut self) {
        loop {
            let command = self.parts.inbox.recv_timeout(self.tick());
            self.parts.report.beats.fetch_add(1, Ordering::Relaxed);
            if self.stood_still() {
                self.lost("this process stood still", Instant::now());
            }
            match command {
                Ok(Command::Say { line, id, utterance }) => self.say(line, id, utterance),
                Ok(Command::Decoded(decoded)) => self.decoded(decoded),
                Ok(Command::Gains(gains)) => self.set_gains(&gains),
                Ok(Command::Music { line, plays }) => self.set_music(line, plays),
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.step(Instant::now());
            self.publish();
        }
        self.abandon();
        self.flush();
        if let State::Up(live) = std::mem::replace(&mut self.state, State::Down { retry_at: Instant::now() })
        {
            drop_aside(live.card.stream);
        }
    }

    /// Whether an announcement was interrupted by a pause of the whole thread.
    fn stood_still(&mut self) -> bool {
        let now = self.clock.now().mono;
        let pause = now - std::mem::replace(&mut self.stepped, now);
        pause > STOOD_STILL && !self.underway.is_empty()
    }

    /// Kept for the next card, too.
    fn set_gains(&mut self, gains: &[f32]) {
        for (line, gain) in self.parts.lines.iter_mut().zip(gains) {
            line.gain = *gain;
        }
        if let State::Up(live) = &mut self.state {
            live.mixer.set_gains(gains);
        }
    }

    /// Kept for the next card, too.
    fn set_music(&mut self, line: usize, plays: bool) {
        if let Some(line) = self.parts.lines.get_mut(line) {
            line.music = plays;
        }
        if let State::Up(live) = &mut self.state {
            live.mixer.set_music(line, plays);
        }
    }

    fn tick(&self) -> Duration {
        let busy = !self.underway.is_empty() || !self.waiting.is_empty();
        match &self.state {
            State::Down { retry_at } => retry_at.saturating_duration_since(Instant::now()),
            State::Up(live) if busy || !live.proved || live.mixer.plays_music() => BUSY_TICK,
            State::Up(_) => IDLE_TICK,
        }
    }

    fn say(&mut self, line: usize, id: AnnouncementId, utterance: Arc<Utterance>) {
        self.underway.push(Underway { line, id, whole: false });
        let State::Up(live) = &self.state else {
            return self.end(line, id, false);
        };
        let rate_hz = live.card.rate_hz;
        let reply = self.parts.commands.clone();
        let job = Job { opening: self.opening, line, id, utterance, rate_hz, reply };
        if self.parts.decoder.try_send(job).is_err() {
            tracing::error!("the decoder takes no more announcements");
            self.end(line, id, false);
        }
    }

    fn decoded(&mut self, decoded: Decoded) {
        let Decoded { opening, line, id, track, whole } = decoded;
        let State::Up(live) = &mut self.state else { return };
        if opening != self.opening {
            return;
        }
        let Some(track) = track.filter(|track| track.frames() > 0) else {
            return self.end(line, id, false);
        };
        if let Some(underway) = self.underway.iter_mut().find(|u| u.id == id && u.line == line) {
            underway.whole = whole;
            live.mixer.push(line, track);
        }
    }

    fn step(&mut self, now: Instant) {
        match &mut self.state {
            State::Down { retry_at } if *retry_at <= now => self.open(now),
            State::Down { .. } => {}
            State::Up(live) => match live.watch(now) {
                Watch::Lost(why) => self.lost(why, now),
                Watch::Fine => self.play(now),
            },
        }
        self.flush();
    }

    fn open(&mut self, now: Instant) {
        match self.wished_or_default() {
            Ok(card) => {
                tracing::info!(
                    card = card.name,
                    rate_hz = card.rate_hz,
                    channels = card.channels,
                    "sound card open"
                );
                self.opening += 1;
                self.totals.opened += 1;
                self.totals.card.clone_from(&card.name);
                self.state = State::Up(Box::new(Live::new(card, &self.parts)));
            }
            Err(error) => {
                if self.told != Some(false) {
                    tracing::warn!(%error, "no sound; looking for a card without end");
                }
                self.tell(false);
                self.retry(now);
            }
        }
    }

    /// A wished card that is there but refuses, as one that another program holds, must not silence the hall.
    fn wished_or_default(&mut self) -> Result<Card, CardError> {
        let Parts { cards, wish, .. } = &mut self.parts;
        match cards.open(wish) {
            Err(error) if wish.device.is_some() => {
                let any = Wish { device: None, ..wish.clone() };
                let card = Card { preferred: false, ..cards.open(&any)? };
                tracing::warn!(%error, instead = card.name, "the wished sound card cannot be opened");
                Ok(card)
            }
            opened => opened,
        }
    }

    fn retry(&mut self, now: Instant) {
        self.state = State::Down { retry_at: now + self.back_off };
        self.back_off = (self.back_off * 2).min(BACK_OFF_TO);
    }

    fn lost(&mut self, why: &str, now: Instant) {
        tracing::warn!(why, card = self.totals.card, "the sound card is lost");
        self.totals.card.clear();
        // First the state, so that the board does not send the next announcement into the dead zone.
        self.tell(false);
        self.abandon();
        if let State::Up(live) = std::mem::replace(&mut self.state, State::Down { retry_at: now }) {
            self.count(&live);
            drop_aside(live.card.stream);
        }
        self.retry(Instant::now());
    }

    /// Whatever is underway will not be heard to its end.
    fn abandon(&mut self) {
        for Underway { line, id, .. } in std::mem::take(&mut self.underway) {
            self.push_ended(line, id, false);
        }
    }

    fn play(&mut self, now: Instant) {
        let State::Up(live) = &mut self.state else { return };
        live.feed();
        let happened = live.moments();
        let proved = live.proved;
        let look = self.underway.is_empty() && live.wants_look(now, self.look_every);
        for (line, id, moment) in happened {
            match moment {
                Moment::Started => {
                    trace!(target: STAGE, "first sample");
                    let zone = self.parts.zones[line].clone();
                    self.waiting.push_back(Input::SpeechStarted { zone, announcement: id });
                }
                Moment::Ended => self.end(line, id, true),
            }
        }
        if proved && self.told != Some(true) {
            self.back_off = BACK_OFF_FROM;
            self.tell(true);
        }
        if look && self.parts.cards.is_there(&self.parts.wish) {
            self.change_card(now);
        } else if look {
            self.look_every = LOOK_EVERY;
        }
    }

    /// Leaves the replacement for the wished card, between two announcements.
    fn change_card(&mut self, now: Instant) {
        tracing::info!("the wished sound card is there");
        if let State::Up(live) = std::mem::replace(&mut self.state, State::Down { retry_at: now }) {
            self.count(&live);
            drop_aside(live.card.stream);
        }
        self.open(now);
        self.look_every = match &self.state {
            State::Up(live) if live.card.preferred => LOOK_EVERY,
            _ => (self.look_every * 2).min(LOOK_EVERY_AT_MOST),
        };
    }

    fn end(&mut self, line: usize, id: AnnouncementId, played: bool) {
        let Some(at) = self.underway.iter().position(|u| u.id == id && u.line == line) else { return };
        let underway = self.underway.remove(at);
        self.push_ended(line, id, played && underway.whole);
    }

    fn push_ended(&mut self, line: usize, id: AnnouncementId, completed: bool) {
        let zone = self.parts.zones[line].clone();
        self.waiting.push_back(Input::SpeechEnded { zone, announcement: id, completed });
    }

    fn tell(&mut self, works: bool) {
        self.parts.report.up.store(works, Ordering::Relaxed);
        if self.told == Some(works) {
            return;
        }
        self.told = Some(works);
        for zone in self.parts.zones.clone() {
            self.waiting.push_back(Input::SoundChanged { zone, works });
        }
    }

    /// Hands over what the hub takes now; the rest waits, in order.
    fn flush(&mut self) {
        while let Some(input) = self.waiting.pop_front() {
            match self.parts.outbox.try_send(Request::Input { input, reply: None }) {
                Ok(()) => {}
                Err(TrySendError::Full(Request::Input { input, .. })) => {
                    self.waiting.push_front(input);
                    return;
                }
                Err(_) => self.waiting.clear(),
            }
        }
    }

    fn count(&mut self, live: &Live) {
        let gauges = &live.card.gauges;
        self.totals.played_frames += gauges.played.load(Ordering::Relaxed);
        self.totals.starved_frames += gauges.starved.load(Ordering::Relaxed);
        self.totals.xruns += u64::from(gauges.xruns.load(Ordering::Relaxed));
    }

    fn publish(&mut self) {
        let mut counters = self.totals.clone();
        if let State::Up(live) = &self.state {
            let gauges = &live.card.gauges;
            counters.played_frames += gauges.played.load(Ordering::Relaxed);
            counters.starved_frames += gauges.starved.load(Ordering::Relaxed);
            counters.xruns += u64::from(gauges.xruns.load(Ordering::Relaxed));
        }
        if let Ok(mut published) = self.parts.report.counters.lock() {
            *published = counters;
        }
    }
}

/// Drops a stream on a thread of its own, because that may hang when the device is gone.
fn drop_aside(stream: Box<dyn Send>) {
    let (done, dropped) = std::sync::mpsc::sync_channel::<()>(1);
    let thread = thread::Builder::new().name("audio-drop".into()).spawn(move || {
        drop(stream);
        let _ = done.send(());
    });
    if thread.is_err() || dropped.recv_timeout(DROP_WITHIN).is_err() {
        tracing::warn!("a sound stream does not close; it is left behind");
    }
}
