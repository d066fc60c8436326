//! Puts announcements into a device's channels, frame by frame. Pure: no device, no clock, no files.
//!
//! Upholds: in a zone one announcement follows the other and none is cut; every gap has exactly its frames; no peak
//! is louder than the limiter's ceiling; before the first sound after a long silence the loudspeakers get time to wake;
//! music makes room for whatever is said.

use std::collections::VecDeque;
use std::sync::Arc;

use super::limiter::Limiter;
use crate::board::input::AnnouncementId;
use crate::clock::Millis;
use crate::speech::gap_frames;

/// One channel of sound, decoded.
pub type Samples = Arc<[f32]>;

/// Silence before the first sound, so that a sleeping amplifier does not eat the chime.
pub const WAKE_UP: Millis = Millis(300);
/// How long a zone must have been silent for its amplifier to be taken for asleep.
pub const ASLEEP_AFTER: Millis = Millis(10_000);

#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Sound(Samples),
    /// Frames.
    Silence(u64),
}

impl Piece {
    fn frames(&self) -> u64 {
        match self {
            Self::Sound(samples) => samples.len() as u64,
            Self::Silence(frames) => *frames,
        }
    }
}

/// A decoded announcement.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    pub id: AnnouncementId,
    pub pieces: Vec<Piece>,
}

impl Track {
    /// Length in frames.
    pub fn frames(&self) -> u64 {
        self.pieces.iter().map(Piece::frames).sum()
    }
}

/// How one zone reaches its loudspeakers.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Factor on every sample.
    pub gain: f32,
    /// Channels of the device, from 1; empty means all. Channels that the device lacks fall back to all.
    pub channels: Vec<u16>,
    /// Whether music may be heard there.
    pub music: bool,
}

/// How music lies behind the announcements.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Bed {
    /// Factor on top of the zone's.
    pub gain: f32,
    /// Factor on top of that while something is said.
    pub ducked: f32,
}

/// From full music to none, and back: before a word the music is out of its way, after it nobody is startled.
const FADE_OUT: Millis = Millis(300);
const FADE_IN: Millis = Millis(1500);

/// Factor of a volume in per cent and a gain in decibels. The volume is squared, which ears take for even steps.
pub fn gain(volume_percent: u32, gain_db: f32) -> f32 {
    let volume = volume_percent.min(100) as f32 / 100.0;
    volume * volume * 10_f32.powf(gain_db / 20.0)
}

/// When the first or the last sample of an announcement is played.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Frame counted from the first that the mixer ever filled; for [`Moment::Ended`] the one after the last.
    pub frame: u64,
    /// Index of the zone's [`Line`].
    pub line: usize,
    pub id: AnnouncementId,
    pub moment: Moment,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    Started,
    Ended,
}

/// All zones of one device.
#[derive(Debug)]
pub struct Mixer {
    channels: usize,
    zones: Vec<Zone>,
    limiter: Limiter,
    /// Frames mixed so far, and filled; the limiter has what lies between.
    frame: u64,
    filled: u64,
    /// The frame behind the last announcement.
    said: u64,
    mixed: Vec<f32>,
    mono: Vec<f32>,
    bed: Option<Bed>,
    /// Music that waits to be mixed.
    music: VecDeque<f32>,
}

impl Mixer {
    /// `channels` of the device, at least 1.
    pub fn new(rate_hz: u32, channels: usize, lines: &[Line]) -> Self {
        let channels = channels.max(1);
        let zones = lines.iter().map(|line| Zone::new(rate_hz, channels, line)).collect();
        Self {
            channels,
            zones,
            limiter: Limiter::new(rate_hz, channels),
            frame: 0,
            filled: 0,
            said: 0,
            mixed: Vec::new(),
            mono: Vec::new(),
            bed: None,
            music: VecDeque::new(),
        }
    }

    /// Queues an announcement behind those of the same zone.
    pub fn push(&mut self, line: usize, track: Track) {
        self.settle();
        if let Some(zone) = self.zones.get_mut(line) {
            zone.queue.push_back(track);
        }
    }

    /// New factors for the lines, in their order.
    pub fn set_gains(&mut self, gains: &[f32]) {
        for (zone, gain) in self.zones.iter_mut().zip(gains) {
            zone.gain = *gain;
        }
    }

    /// Puts music behind the announcements.
    pub fn lay(&mut self, bed: Bed) {
        self.bed = Some(bed);
    }

    /// Whether music may be heard in a zone; it fades.
    pub fn set_music(&mut self, line: usize, plays: bool) {
        if let Some(zone) = self.zones.get_mut(line) {
            zone.music = plays;
        }
    }

    /// More music, one channel.
    pub fn add_music(&mut self, samples: &[f32]) {
        self.music.extend(samples);
    }

    /// Frames of music that wait.
    pub fn music_ahead(&self) -> usize {
        self.music.len()
    }

    /// Music is heard somewhere, or fades.
    pub fn plays_music(&self) -> bool {
        self.bed.is_some() && self.zones.iter().any(|zone| zone.music || zone.level > 0.0)
    }

    /// Nothing is left to be said, and all that was is out of the limiter.
    pub fn is_idle(&self) -> bool {
        self.is_silent() && self.filled >= self.said
    }

    fn is_silent(&self) -> bool {
        self.zones.iter().all(|zone| zone.queue.is_empty())
    }

    /// Frames that the device played as silence without asking the mixer.
    pub fn rest(&mut self, frames: u64) {
        for zone in &mut self.zones {
            zone.silent = zone.silent.saturating_add(frames);
        }
    }

    /// Fills whole interleaved frames and appends the marks that lie in them or up to two milliseconds behind them: so far
    /// the limiter looks ahead.
    pub fn fill(&mut self, out: &mut [f32], marks: &mut Vec<Mark>) {
        self.settle();
        let frames = out.len() / self.channels;
        self.filled += frames as u64;
        let more = (self.filled + self.limiter.ahead() as u64 - self.frame) as usize;
        self.mix(more, marks);
        let mut slots = out.iter_mut();
        self.limiter.run(&self.mixed, |sample| {
            if let Some(slot) = slots.next() {
                *slot = sample;
            }
        });
    }

    /// While nothing is heard nothing is mixed ahead, so that what comes next begins with the next frame.
    fn settle(&mut self) {
        if self.frame > self.filled && self.is_idle() && !self.plays_music() && self.limiter.is_silent() {
            let ahead = self.frame - self.filled;
            self.limiter.clear();
            self.frame = self.filled;
            for zone in self.zones.iter_mut().filter(|zone| zone.silent != u64::MAX) {
                zone.silent = zone.silent.saturating_sub(ahead);
            }
        }
    }

    fn mix(&mut self, frames: usize, marks: &mut Vec<Mark>) {
        let mut mixed = std::mem::take(&mut self.mixed);
        mixed.clear();
        mixed.resize(frames * self.channels, 0.0);
        self.mono.resize(frames, 0.0);
        for (line, zone) in self.zones.iter_mut().enumerate() {
            zone.fill(&mut self.mono, |offset, id, moment| {
                let frame = self.frame + offset;
                if moment == Moment::Ended {
                    self.said = self.said.max(frame);
                }
                marks.push(Mark { frame, line, id, moment });
            });
            zone.spread(&self.mono, &mut mixed, self.channels);
        }
        self.fill_music(&mut mixed);
        marks.sort_by_key(|mark| mark.frame);
        self.frame += frames as u64;
        self.mixed = mixed;
    }

    /// A channel that several zones share is as quiet as the quietest of them.
    fn fill_music(&mut self, out: &mut [f32]) {
        let Some(bed) = self.bed.filter(|_| self.plays_music()) else { return };
        for frame in out.chunks_exact_mut(self.channels) {
            let sample = self.music.pop_front().unwrap_or(0.0) * bed.gain;
            for zone in &mut self.zones {
                zone.fade(bed.ducked);
            }
            for (channel, slot) in frame.iter_mut().enumerate() {
                let levels =
                    self.zones.iter().filter(|zone| zone.on[channel]).map(|zone| zone.level * zone.gain);
                *slot += sample * levels.reduce(f32::min).unwrap_or(0.0);
            }
        }
    }
}

#[derive(Debug)]
struct Zone {
    gain: f32,
    /// Which channels of the device this zone is heard on.
    on: Vec<bool>,
    queue: VecDeque<Track>,
    /// Index of the piece in the first track, and frames of it that are done.
    piece: usize,
    done: u64,
    started: bool,
    /// Frames since the last sound; at first nobody has heard anything.
    silent: u64,
    asleep_after: u64,
    wake_up: u64,
    /// Frames of wake-up silence still to be given.
    waking: u64,
    music: bool,
    /// Of the music now, and how much it may change in a frame, down and up.
    level: f32,
    fades: (f32, f32),
}

impl Zone {
    fn new(rate_hz: u32, channels: usize, line: &Line) -> Self {
        let wanted = |channel: usize| line.channels.contains(&(channel as u16 + 1));
        let mut on: Vec<bool> = (0..channels).map(wanted).collect();
        if !on.contains(&true) {
            on.fill(true);
        }
        Self {
            gain: line.gain,
            on,
            queue: VecDeque::new(),
            piece: 0,
            done: 0,
            started: false,
            silent: u64::MAX,
            asleep_after: gap_frames(ASLEEP_AFTER, rate_hz),
            wake_up: gap_frames(WAKE_UP, rate_hz),
            waking: 0,
            music: line.music,
            level: 0.0,
            fades: (step(FADE_OUT, rate_hz), step(FADE_IN, rate_hz)),
        }
    }

    /// Takes the music one frame nearer to where it should be.
    fn fade(&mut self, ducked: f32) {
        let wanted = match (self.music, self.queue.is_empty()) {
            (false, _) => 0.0,
            (true, false) => ducked,
            (true, true) => 1.0,
        };
        self.level += (wanted - self.level).clamp(-self.fades.0, self.fades.1);
    }

    /// Fills `mono` from the queue; the rest is silence. Reports moments with their offset in `mono`.
    fn fill(&mut self, mono: &mut [f32], mut report: impl FnMut(u64, AnnouncementId, Moment)) {
        let mut at = 0;
        while at < mono.len() {
            let Some(id) = self.queue.front().map(|track| track.id) else { break };
            if !self.started {
                if self.silent > self.asleep_after {
                    self.waking = self.wake_up;
                    self.silent = 0;
                }
                let wake = self.waking.min((mono.len() - at) as u64);
                mono[at..at + wake as usize].fill(0.0);
                self.waking -= wake;
                at += wake as usize;
                if self.waking > 0 || at == mono.len() {
                    break;
                }
                self.started = true;
                report(at as u64, id, Moment::Started);
            }
            at += self.piece(&mut mono[at..]);
            if self.queue.front().is_some_and(|track| self.piece >= track.pieces.len()) {
                report(at as u64, id, Moment::Ended);
                self.queue.pop_front();
                (self.piece, self.done, self.started) = (0, 0, false);
            }
        }
        mono[at..].fill(0.0);
        self.silent = self.silent.saturating_add((mono.len() - at) as u64);
    }

    /// Copies from the current piece, at most to its end; returns the frames.
    fn piece(&mut self, out: &mut [f32]) -> usize {
        let Some(piece) = self.queue.front().and_then(|track| track.pieces.get(self.piece)) else { return 0 };
        let left = piece.frames() - self.done;
        let frames = left.min(out.len() as u64);
        let (from, count) = (self.done as usize, frames as usize);
        match piece {
            Piece::Sound(samples) => {
                out[..count].copy_from_slice(&samples[from..from + count]);
                self.silent = 0;
            }
            Piece::Silence(_) => {
                out[..count].fill(0.0);
                self.silent = self.silent.saturating_add(frames);
            }
        }
        self.done += frames;
        if frames == left {
            self.piece += 1;
            self.done = 0;
        }
        count
    }

    fn spread(&self, mono: &[f32], out: &mut [f32], channels: usize) {
        for (sample, frame) in mono.iter().zip(out.chunks_exact_mut(channels)) {
            for (slot, on) in frame.iter_mut().zip(&self.on) {
                if *on {
                    *slot += sample * self.gain;
                }
            }
        }
    }
}

fn step(fade: Millis, rate_hz: u32) -> f32 {
    1.0 / gap_frames(fade, rate_hz).max(1) as f32
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "samples pass unchanged, bit for bit")]
mod tests {
    use super::*;
    use crate::audio::limiter::CEILING;

    const RATE: u32 = 1000;

    fn line(channels: &[u16]) -> Line {
        Line { gain: 1.0, channels: channels.to_vec(), music: false }
    }

    /// A mixer of one channel for each line, with music of full scale in all of them.
    fn with_music(lines: &[Line]) -> Mixer {
        let mut mixer = Mixer::new(RATE, lines.len(), lines);
        mixer.lay(Bed { gain: 0.4, ducked: 0.1 });
        mixer.add_music(&vec![1.0; 20_000]);
        mixer
    }

    #[test]
    fn music_makes_room_for_what_is_said_and_comes_back() {
        let mut mixer = with_music(&[Line { music: true, ..line(&[]) }]);
        assert!(mixer.plays_music() && mixer.is_idle());
        let (before, _) = play(&mut mixer, 2000, 10);
        mixer.push(0, track(1, vec![Piece::Silence(100), sound(0.2, 500)]));
        let (during, _) = play(&mut mixer, 900, 10);
        let (after, _) = play(&mut mixer, 2000, 10);
        let near = |found: f32, wanted: f32| assert!((found - wanted).abs() < 0.001, "{found}, not {wanted}");
        near(before[0], 0.4 / 1500.0);
        near(before[1999], 0.4);
        near(during[880], 0.2 + 0.04);
        near(during[350], 0.04);
        near(after[1999], 0.4);
        let steepest = during.windows(2).take(350).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.002, "no click: {steepest}");
    }

    #[test]
    fn music_leaves_the_zones_that_are_quiet() {
        let mut mixer = with_music(&[Line { music: true, ..line(&[1]) }, line(&[2])]);
        let (all, _) = play(&mut mixer, 2000, 100);
        assert_eq!(all[3999], 0.0);
        assert!((all[3998] - 0.4).abs() < 0.001);
        mixer.set_music(0, false);
        play(&mut mixer, 400, 100);
        assert!(!mixer.plays_music());
    }

    #[test]
    fn music_that_is_late_is_silence() {
        let mut mixer = with_music(&[Line { music: true, ..line(&[]) }]);
        let (all, _) = play(&mut mixer, 20_010, 100);
        assert!(all[19_999] > 0.3);
        assert_eq!(all[20_005], 0.0);
        assert_eq!(mixer.music_ahead(), 0);
    }

    fn sound(value: f32, frames: usize) -> Piece {
        Piece::Sound(vec![value; frames].into())
    }

    fn track(id: u64, pieces: Vec<Piece>) -> Track {
        Track { id: AnnouncementId(id), pieces }
    }

    /// All that the mixer gives in `frames`, asked in chunks of `chunk`.
    fn play(mixer: &mut Mixer, frames: usize, chunk: usize) -> (Vec<f32>, Vec<Mark>) {
        let (mut all, mut marks) = (Vec::new(), Vec::new());
        while all.len() < frames * mixer.channels {
            let left = frames - all.len() / mixer.channels;
            let mut out = vec![9.0; left.min(chunk) * mixer.channels];
            mixer.fill(&mut out, &mut marks);
            all.extend(out);
        }
        (all, marks)
    }

    #[test]
    fn gaps_have_exactly_their_frames_however_the_card_asks() {
        let pieces = || vec![sound(0.5, 7), Piece::Silence(13), sound(0.25, 5)];
        let mut wanted = vec![0.0; 300];
        wanted.extend([0.5; 7]);
        wanted.extend([0.0; 13]);
        wanted.extend([0.25; 5]);
        wanted.extend([0.0; 75]);
        for chunk in [1, 3, 7, 64, 400] {
            let mut mixer = Mixer::new(RATE, 1, &[line(&[])]);
            mixer.push(0, track(1, pieces()));
            let (all, marks) = play(&mut mixer, 400, chunk);
            assert_eq!(all, wanted, "chunks of {chunk}");
            let moments: Vec<(u64, Moment)> = marks.iter().map(|m| (m.frame, m.moment)).collect();
            assert_eq!(moments, [(300, Moment::Started), (325, Moment::Ended)], "chunks of {chunk}");
            assert!(mixer.is_idle());
        }
    }

    #[test]
    fn a_zone_never_talks_over_itself() {
        let mut mixer = Mixer::new(RATE, 1, &[line(&[])]);
        mixer.push(0, track(1, vec![sound(0.1, 10)]));
        mixer.push(0, track(2, vec![sound(0.2, 10)]));
        let (all, marks) = play(&mut mixer, 330, 8);
        assert_eq!(all[300..310], [0.1; 10]);
        assert_eq!(all[310..320], [0.2; 10]);
        let ids: Vec<(u64, u64)> = marks.iter().map(|m| (m.id.0, m.frame)).collect();
        assert_eq!(ids, [(1, 300), (1, 310), (2, 310), (2, 320)]);
    }

    #[test]
    fn two_zones_talk_at_once_on_their_own_channels() {
        let mut mixer = Mixer::new(RATE, 2, &[line(&[1]), line(&[2])]);
        mixer.push(0, track(1, vec![sound(0.1, 10)]));
        mixer.push(1, track(2, vec![sound(0.2, 4)]));
        let (all, _) = play(&mut mixer, 310, 310);
        assert_eq!(all[600..608], [0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2]);
        assert_eq!(all[608..612], [0.1, 0.0, 0.1, 0.0]);
    }

    #[test]
    fn a_channel_that_is_not_there_does_not_silence_the_zone() {
        let mut mixer = Mixer::new(RATE, 2, &[line(&[7])]);
        mixer.push(0, track(1, vec![sound(0.1, 1)]));
        assert_eq!(play(&mut mixer, 301, 301).0[600..], [0.1, 0.1]);
    }

    #[test]
    fn the_amplifier_is_woken_only_after_a_long_silence() {
        let mut mixer = Mixer::new(RATE, 1, &[line(&[])]);
        mixer.push(0, track(1, vec![sound(0.1, 1)]));
        play(&mut mixer, 301, 50);
        mixer.rest(10_000);
        mixer.push(0, track(2, vec![sound(0.2, 1)]));
        let awake = play(&mut mixer, 1, 1).0;
        mixer.rest(10_001);
        mixer.push(0, track(3, vec![sound(0.3, 1)]));
        let asleep = play(&mut mixer, 301, 301).0;
        assert_eq!(awake, [0.2]);
        assert_eq!((asleep[299], asleep[300]), (0.0, 0.3));
    }

    #[test]
    fn loud_sums_are_turned_down_and_never_clip() {
        let mut mixer = Mixer::new(RATE, 1, &[line(&[]), line(&[])]);
        mixer.push(0, track(1, vec![sound(0.9, 10)]));
        mixer.push(1, track(2, vec![sound(0.9, 10)]));
        let (all, _) = play(&mut mixer, 310, 310);
        assert!(all[300..].iter().all(|s| (0.6..=CEILING).contains(s)), "{:?}", &all[300..]);
    }

    #[test]
    fn volume_and_gain_multiply() {
        assert_eq!(gain(100, 0.0), 1.0);
        assert_eq!(gain(50, 0.0), 0.25);
        assert_eq!(gain(0, 12.0), 0.0);
        assert!((gain(100, -6.02) - 0.5).abs() < 0.001);
    }
}
