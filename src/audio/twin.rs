//! A recorded stretch of a day as the hall hears it: the same board, the same plan and the same mixer as the daemon's,
//! without a card, faster than real time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clips::{ClipError, Clips};
use super::mixer::{self, Line, Mark, Mixer, Moment};
use crate::board::Rules;
use crate::board::call::Zone;
use crate::board::input::{Announcement, Effect, Form, Input};
use crate::clock::Millis;
use crate::config::{AudioConfig, ZoneConfig};
use crate::hub::Planner;
use crate::replay::{Event, Replay};

/// How finely the mixer tells the board when a sentence began and ended; a card tells it about as finely.
const STEP: Millis = Millis(10);

/// One announcement on the time line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub zone: Zone,
    pub text: String,
    pub repeats: u8,
    /// Frames from the start of the recording; `to` is the one after the last.
    pub from: u64,
    pub to: u64,
}

/// The twin of a hall's loudspeakers.
pub struct Twin<'a> {
    pub planner: &'a dyn Planner,
    pub clips: &'a mut Clips,
    /// The zones, and how loud they are when.
    pub audio: &'a AudioConfig,
    /// Only this zone is heard; none hears all as one loudspeaker would.
    pub heard: Option<&'a Zone>,
    pub rate_hz: u32,
}

/// Where the sound goes, in order; an error ends the day.
pub type Sink<'a, E> = &'a mut dyn FnMut(&[f32]) -> Result<(), E>;

impl Twin<'_> {
    /// Plays `events` from the first until `until` and until the last sentence has ended, and tells what was said.
    ///
    /// # Errors
    /// The first clip that cannot be read, and those of the sink.
    pub fn mix<E: From<ClipError>>(
        &mut self,
        rules: Rules,
        events: &[Event],
        until: Timestamp,
        sink: Sink<'_, E>,
    ) -> Result<Vec<Said>, E> {
        let time_zone = rules.time_zone.clone();
        let start = events.first().map_or(until, |event| event.at.min(until));
        let mut day = Replay::begin(rules, start);
        for zone in &self.audio.zones {
            day.apply(Input::SoundChanged { zone: zone.id.clone(), works: true });
        }
        let mut desk = Desk::new(self, time_zone);
        for event in events.iter().take_while(|event| event.at <= until) {
            desk.run(&mut day, event.at, sink)?;
            day.happen(event);
        }
        desk.run(&mut day, until, sink)?;
        while desk.is_busy(&day) {
            let next = day.now.after(STEP).wall;
            desk.run(&mut day, next, sink)?;
        }
        Ok(desk.said)
    }
}

struct Desk<'d, 'a> {
    twin: &'d mut Twin<'a>,
    time_zone: TimeZone,
    mixer: Mixer,
    marks: Vec<Mark>,
    buffer: Vec<f32>,
    /// Frames filled so far.
    frame: u64,
    said: Vec<Said>,
}

impl<'d, 'a> Desk<'d, 'a> {
    fn new(twin: &'d mut Twin<'a>, time_zone: TimeZone) -> Self {
        let line = Line { gain: 0.0, channels: Vec::new(), music: false };
        let mixer = Mixer::new(twin.rate_hz, 1, &vec![line; twin.audio.zones.len()]);
        Self { twin, time_zone, mixer, marks: Vec::new(), buffer: Vec::new(), frame: 0, said: Vec::new() }
    }

    /// As loud as the hall is at that time; who is not listened to is silent.
    fn set_gains(&mut self, wall: Timestamp) {
        let audio = self.twin.audio;
        let volume = audio.volume_at(self.time_zone.to_datetime(wall).time());
        let gain = |zone: &ZoneConfig| match self.twin.heard {
            Some(heard) if *heard != zone.id => 0.0,
            _ => mixer::gain(volume, zone.gain_db),
        };
        let gains: Vec<f32> = audio.zones.iter().map(gain).collect();
        self.mixer.set_gains(&gains);
    }

    fn is_busy(&self, day: &Replay) -> bool {
        !self.mixer.is_idle() || day.effects.iter().any(|(_, e)| matches!(e, Effect::Announce(_)))
    }

    /// Lets time pass up to `wall`: in small steps while something is said, else from deadline to deadline.
    fn run<E: From<ClipError>>(
        &mut self,
        day: &mut Replay,
        wall: Timestamp,
        sink: Sink<'_, E>,
    ) -> Result<(), E> {
        loop {
            self.take(day)?;
            let left = Millis(-day.now.age_of(wall).0);
            if left <= Millis::ZERO {
                return Ok(());
            }
            let due =
                day.board.next_deadline(day.now).map_or(left, |due| (due - day.now.mono).max(Millis(1)));
            let quiet = if self.mixer.is_idle() { left } else { STEP };
            let to = day.now.after(left.min(due).min(quiet));
            day.advance(to.wall);
            self.fill(day, sink)?;
        }
    }

    /// Gives the board's announcements to the mixer.
    fn take(&mut self, day: &mut Replay) -> Result<(), ClipError> {
        for (_, effect) in std::mem::take(&mut day.effects) {
            if let Effect::Announce(announcement) = effect {
                self.announce(&announcement)?;
            }
        }
        Ok(())
    }

    fn announce(&mut self, a: &Announcement) -> Result<(), ClipError> {
        let Some(line) = self.twin.audio.zones.iter().position(|zone| zone.id == a.zone) else {
            return Ok(());
        };
        let utterance = self.twin.planner.plan(&a.message, a.repeats, a.form == Form::Short);
        self.mixer.push(line, self.twin.clips.track(a.id, &utterance, self.twin.rate_hz)?);
        self.said.push(Said {
            zone: a.zone.clone(),
            text: utterance.text,
            repeats: a.repeats,
            from: 0,
            to: 0,
        });
        Ok(())
    }

    /// Mixes up to the day's now and tells the board what began and ended.
    fn fill<E>(&mut self, day: &mut Replay, sink: Sink<'_, E>) -> Result<(), E> {
        /// A second at a time, so that a quiet night needs no memory.
        const AT_ONCE: u64 = 48_000;
        self.set_gains(day.now.wall);
        let end = u64::try_from(day.now.mono.0).unwrap_or(0) * u64::from(self.twin.rate_hz) / 1000;
        while self.frame < end {
            let frames = (end - self.frame).min(AT_ONCE);
            self.buffer.resize(frames as usize, 0.0);
            self.mixer.fill(&mut self.buffer, &mut self.marks);
            self.frame += frames;
            sink(&self.buffer)?;
        }
        for mark in std::mem::take(&mut self.marks) {
            let zone = self.twin.audio.zones[mark.line].id.clone();
            let said = self.said.iter_mut().rfind(|said| said.zone == zone);
            let announcement = mark.id;
            match mark.moment {
                Moment::Started => {
                    if let Some(said) = said {
                        said.from = mark.frame;
                    }
                    day.apply(Input::SpeechStarted { zone, announcement });
                }
                Moment::Ended => {
                    if let Some(said) = said {
                        said.to = mark.frame;
                    }
                    day.apply(Input::SpeechEnded { zone, announcement, completed: true });
                }
            }
        }
        Ok(())
    }
}
