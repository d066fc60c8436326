//! Measures one recorded unit: its level, its silences, its damage. Pure: samples in, figures out.

use std::ops::Range;

use crate::clock::Millis;
use crate::speech::{RATE_HZ, gap_frames};

/// Windows that levels are taken over, frames: 5 ms.
const WINDOW: usize = RATE_HZ as usize / 200;
/// A clip begins and ends where it is this far below its loudest window, dB.
const EDGE_DB: f32 = 46.0;
/// Softer than this is silence, whatever the loudest window.
const SILENCE_DBFS: f32 = -60.0;
/// A sample at least this large cannot be told from one that was cut off.
const FULL: f32 = 0.995;
/// Kept before the first and after the last sound.
const HEAD: Millis = Millis(12);
const TAIL: Millis = Millis(40);
const FADE_IN: Millis = Millis(6);
const FADE_OUT: Millis = Millis(10);

/// What was measured; levels in dB below full scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    pub frames: usize,
    /// From the first to the last sound; empty: there is none.
    pub sound: Range<usize>,
    /// Mean level of the sounding windows.
    pub level_dbfs: f32,
    /// Level of the softest tenth of the windows: the noise of the room.
    pub floor_dbfs: f32,
    pub peak: f32,
    /// Samples at full scale in a row, at most.
    pub clipped: usize,
}

/// Measures samples at [`RATE_HZ`].
pub fn gauge(samples: &[f32]) -> Gauge {
    let levels: Vec<f32> = samples.chunks(WINDOW).map(level).collect();
    let loudest = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let threshold = (loudest - EDGE_DB).max(SILENCE_DBFS);
    let first = levels.iter().position(|l| *l > threshold);
    let last = levels.iter().rposition(|l| *l > threshold);
    let sound = match (first, last) {
        (Some(first), Some(last)) => first * WINDOW..((last + 1) * WINDOW).min(samples.len()),
        _ => 0..0,
    };
    // Speech has pauses: only what is within 20 dB of the loudest counts for its level.
    let loud: Vec<f32> = levels.iter().copied().filter(|l| *l > loudest - 20.0 && *l > threshold).collect();
    let power = loud.iter().map(|l| 10_f32.powf(l / 10.0)).sum::<f32>() / loud.len().max(1) as f32;
    let mut sorted = levels;
    sorted.sort_by(f32::total_cmp);
    Gauge {
        frames: samples.len(),
        sound,
        level_dbfs: if loud.is_empty() { f32::NEG_INFINITY } else { 10.0 * power.log10() },
        floor_dbfs: sorted.get(sorted.len() / 10).copied().unwrap_or(f32::NEG_INFINITY),
        peak: samples.iter().fold(0.0, |peak, s| s.abs().max(peak)),
        clipped: longest_run(samples),
    }
}

fn level(window: &[f32]) -> f32 {
    let power = window.iter().map(|s| s * s).sum::<f32>() / window.len().max(1) as f32;
    if power > 0.0 { 10.0 * power.log10() } else { f32::NEG_INFINITY }
}

fn longest_run(samples: &[f32]) -> usize {
    let (mut run, mut longest) = (0, 0);
    for sample in samples {
        run = if sample.abs() >= FULL { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

impl Gauge {
    pub fn is_silent(&self) -> bool {
        self.sound.is_empty()
    }

    /// Silence before the first sound and after the last, in milliseconds.
    pub fn silences_ms(&self) -> (usize, usize) {
        let ms = |frames: usize| frames * 1000 / RATE_HZ as usize;
        (ms(self.sound.start), ms(self.frames.saturating_sub(self.sound.end)))
    }

    /// Length of the sound in seconds.
    pub fn seconds(&self) -> f32 {
        self.sound.len() as f32 / RATE_HZ as f32
    }
}

/// Cuts the silence at both ends and fades the edges, so that units can be joined without a click.
pub fn trimmed(samples: &[f32], gauge: &Gauge) -> Vec<f32> {
    let frames = |span| gap_frames(span, RATE_HZ) as usize;
    let from = gauge.sound.start.saturating_sub(frames(HEAD));
    let to = (gauge.sound.end + frames(TAIL)).min(samples.len());
    let mut out = samples.get(from..to).unwrap_or_default().to_vec();
    let ramp = |n: usize, over: usize| (n as f32 + 0.5) / over as f32;
    let (fade_in, fade_out) = (frames(FADE_IN), frames(FADE_OUT));
    for (n, sample) in out.iter_mut().take(fade_in).enumerate() {
        *sample *= ramp(n, fade_in);
    }
    for (n, sample) in out.iter_mut().rev().take(fade_out).enumerate() {
        *sample *= ramp(n, fade_out);
    }
    out
}

/// The middle of some levels; none of none.
pub fn median(mut values: Vec<f32>) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(ms: usize, amplitude: f32) -> Vec<f32> {
        let frames = ms * RATE_HZ as usize / 1000;
        (0..frames).map(|n| (n as f32 * 0.05).sin() * amplitude).collect()
    }

    fn silence(ms: usize) -> Vec<f32> {
        vec![0.0; ms * RATE_HZ as usize / 1000]
    }

    #[test]
    fn silences_level_and_length_are_measured() {
        let sound = [silence(100), tone(500, 0.5), silence(300)].concat();
        let gauge = gauge(&sound);
        assert_eq!(gauge.silences_ms(), (100, 300));
        assert!((gauge.level_dbfs - -9.03).abs() < 0.1, "{gauge:?}");
        assert!((gauge.seconds() - 0.5).abs() < 0.01);
        assert_eq!(gauge.clipped, 0);
        let cut = trimmed(&sound, &gauge);
        assert_eq!(cut.len(), (12 + 500 + 40) * 48);
        assert!(cut[0].abs() < 0.01 && cut[cut.len() - 1].abs() < 0.01);
    }

    #[test]
    fn nothing_is_silent_and_a_wave_that_was_cut_off_is_clipped() {
        assert!(gauge(&silence(200)).is_silent());
        assert!(gauge(&[]).is_silent());
        assert!(gauge(&tone(200, 0.0005)).is_silent(), "below the noise of any room");
        let clipped: Vec<f32> = tone(200, 3.0).iter().map(|s| s.clamp(-1.0, 1.0)).collect();
        assert!(gauge(&clipped).clipped > 10);
    }
}
