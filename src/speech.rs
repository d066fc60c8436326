//! What is said: from a call to a sentence, and from a sentence to clips and gaps. Pure; the sound itself is read
//! elsewhere.
//!
//! [`number`] and [`ticket`] hold the Vietnamese readings, [`template`] the words of a hall, [`sentence`] puts them
//! together, [`bank`] knows what was recorded, and [`voice`] chooses the clips.

use std::sync::Arc;

use crate::clock::Millis;

pub mod bank;
mod english;
pub mod number;
pub mod script;
pub mod sentence;
pub mod template;
pub mod ticket;
pub mod voice;

/// Rate of every bank and chime, frames a second; Opus decodes to it.
pub const RATE_HZ: u32 = 48_000;

/// How a voice reads: the two accents of Vietnamese, which are never mixed, or English.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Accent {
    /// Hà Nội: tư, linh, nghìn.
    North,
    /// TP. Hồ Chí Minh: bốn, lẻ, ngàn.
    South,
    English,
}

impl Accent {
    pub const ALLOWED: &'static str = "north, south, english";

    pub fn as_str(self) -> &'static str {
        match self {
            Self::North => "north",
            Self::South => "south",
            Self::English => "english",
        }
    }

    /// The language's code, as a bank names it.
    pub fn language(self) -> &'static str {
        match self {
            Self::North | Self::South => "vi",
            Self::English => "en",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::North, Self::South, Self::English].into_iter().find(|a| a.as_str() == text)
    }
}

/// A sequence of clips and gaps, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utterance {
    pub parts: Vec<Part>,
    /// What is said when a clip turns out to be damaged: a sentence with a hole may be a wrong number.
    pub instead: Vec<Part>,
    /// The sentence in words, for logs, the page and `moiso read`.
    pub text: String,
}

impl Utterance {
    /// Length in frames at `rate_hz`.
    pub fn frames(&self, rate_hz: u32) -> u64 {
        self.parts.iter().map(|part| part.frames(rate_hz)).sum()
    }

    /// Every clip with the frame at which it begins, counted from the start of the utterance.
    pub fn clips(&self, rate_hz: u32) -> impl Iterator<Item = (u64, &Clip)> {
        let mut at = 0;
        self.parts.iter().filter_map(move |part| {
            let start = at;
            at += part.frames(rate_hz);
            match part {
                Part::Clip(clip) => Some((start, clip)),
                Part::Gap(_) => None,
            }
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Clip(Clip),
    Gap(Millis),
}

impl Part {
    /// Length in frames at `rate_hz`.
    pub fn frames(&self, rate_hz: u32) -> u64 {
        match self {
            Self::Clip(clip) => resampled(clip.frames, rate_hz),
            Self::Gap(span) => gap_frames(*span, rate_hz),
        }
    }
}

/// Frames of a silence of `span`.
pub fn gap_frames(span: Millis, rate_hz: u32) -> u64 {
    u64::try_from(span.0).unwrap_or(0) * u64::from(rate_hz) / 1000
}

/// Length at `rate_hz` of a clip that has `frames` at [`RATE_HZ`]: rounded up, so that no tail is lost.
pub fn resampled(frames: u64, rate_hz: u32) -> u64 {
    (frames * u64::from(rate_hz)).div_ceil(u64::from(RATE_HZ))
}

/// One recorded unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clip {
    /// Path below the sounds folder, for instance `north/dest/quay-5.opus`; a whole path for what an operator recorded.
    pub file: Arc<str>,
    /// Length in frames at the bank's rate.
    pub frames: u64,
}
