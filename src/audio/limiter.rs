//! Turns down what would be louder than the ceiling between the samples too, and nothing else. Pure.
//!
//! A wave whose samples all keep below the ceiling may pass it between them, and a card plays what lies between. So the
//! peaks are taken from four times as many samples, and the sound is turned down before they come and up again after
//! them, slowly enough not to be heard as damage. That needs some samples of what follows: they go through two
//! milliseconds later than they came. What needs no turning down goes through unchanged, bit for bit.

use std::collections::VecDeque;

/// True peaks stay below this, -1.5 dB: what is measured here is up to a third of a decibel too low.
pub const CEILING: f32 = 0.841;

/// How long before a peak the sound goes down, and how long after it goes up again, in seconds.
const ATTACK_S: f64 = 0.000_75;
const RELEASE_S: f64 = 0.05;
/// Samples on either side that a value between two of them is computed from.
const REACH: usize = 8;
/// Samples below this make no peak above the ceiling: between them the wave is at most 2.5 times as large.
const HARMLESS: f32 = CEILING / 2.5;

/// All channels of a device, each on its own.
#[derive(Debug)]
pub struct Limiter {
    channels: Vec<Channel>,
    between: [[f32; 2 * REACH]; 3],
    reach: usize,
    release: f32,
}

impl Limiter {
    pub fn new(rate_hz: u32, channels: usize) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(rate_hz)).max(1.0);
        let reach = frames(ATTACK_S) as usize;
        let channels = (0..channels).map(|_| Channel::new(reach)).collect();
        let between = [0.25, 0.5, 0.75].map(weights);
        Self { channels, between, reach, release: (1.0 / frames(RELEASE_S)) as f32 }
    }

    /// How many frames more go in than have come out.
    pub fn ahead(&self) -> usize {
        2 * self.reach + REACH
    }

    /// What has gone in and not come out is silence.
    pub fn is_silent(&self) -> bool {
        self.channels.iter().all(|channel| channel.waiting.iter().all(|sample| *sample == 0.0))
    }

    /// Forgets all that has gone in.
    pub fn clear(&mut self) {
        let reach = self.reach;
        self.channels.iter_mut().for_each(|channel| *channel = Channel::new(reach));
    }

    /// Takes whole frames, and gives as many of those that were taken [`Limiter::ahead`] frames sooner; the first of all
    /// give nothing.
    pub fn run(&mut self, given: &[f32], mut taken: impl FnMut(f32)) {
        let count = self.channels.len();
        for frame in given.chunks_exact(count) {
            for (channel, sample) in self.channels.iter_mut().zip(frame) {
                let sample = if sample.is_finite() { *sample } else { 0.0 };
                if let Some(sample) = channel.pass(sample, &self.between, self.release) {
                    taken(sample);
                }
            }
        }
    }
}

/// One channel of sound as a whole.
pub fn limited(sound: &[f32], rate_hz: u32) -> Vec<f32> {
    let mut limiter = Limiter::new(rate_hz, 1);
    let mut out = Vec::with_capacity(sound.len());
    limiter.run(sound, |sample| out.push(sample));
    limiter.run(&vec![0.0; limiter.ahead()], |sample| out.push(sample));
    out
}

/// What the samples around a place between two of them weigh, by a sinc within a cosine window.
fn weights(place: f64) -> [f32; 2 * REACH] {
    std::array::from_fn(|n| {
        let x = place - (n as f64 - (REACH as f64 - 1.0));
        let sinc = (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x);
        let window = (std::f64::consts::FRAC_PI_2 * x / REACH as f64).cos();
        (sinc * window * window) as f32
    })
}

#[derive(Debug)]
struct Channel {
    /// What has not come out yet, the oldest first, and the newest of it that peaks are sought in.
    waiting: VecDeque<f32>,
    newest: VecDeque<f32>,
    /// Samples since the last that could have made a peak.
    harmless: usize,
    /// The factors that the last peaks need; then the least of those around each, rising slowly; how many of them are 1.
    needs: VecDeque<f32>,
    held: VecDeque<f32>,
    free: usize,
    level: usize,
}

impl Channel {
    fn new(reach: usize) -> Self {
        let ones = || VecDeque::from(vec![1.0; 2 * reach + 1]);
        Self {
            waiting: VecDeque::with_capacity(2 * reach + REACH + 1),
            newest: VecDeque::from(vec![0.0; 2 * REACH]),
            harmless: usize::MAX,
            needs: ones(),
            held: ones(),
            free: usize::MAX,
            level: usize::MAX,
        }
    }

    /// Takes a sample and gives the one that has waited long enough.
    fn pass(&mut self, sample: f32, between: &[[f32; 2 * REACH]; 3], release: f32) -> Option<f32> {
        self.waiting.push_back(sample);
        shift(&mut self.newest, sample);
        self.harmless = if sample.abs() < HARMLESS { self.harmless.saturating_add(1) } else { 0 };
        let peak = if self.harmless > 2 * REACH { 0.0 } else { self.peak(between) };
        let need = if peak > CEILING { CEILING / peak } else { 1.0 };
        shift(&mut self.needs, need);
        self.free = if need < 1.0 { 0 } else { self.free.saturating_add(1) };

        let all = self.needs.len();
        let least = if self.free >= all { 1.0 } else { self.needs.iter().copied().fold(1.0, f32::min) };
        let before = self.held.back().copied().unwrap_or(1.0);
        let held = least.min(before + release).min(1.0);
        shift(&mut self.held, held);
        self.level = if held < 1.0 { 0 } else { self.level.saturating_add(1) };

        // The oldest that waits is as far behind as both windows reach.
        if self.waiting.len() <= all - 1 + REACH {
            return None;
        }
        let sample = self.waiting.pop_front()?;
        if self.level >= all {
            return Some(sample);
        }
        Some(sample * self.held.iter().sum::<f32>() / all as f32)
    }

    /// The largest value at a sample and between it and the next, [`REACH`] samples ago.
    fn peak(&self, between: &[[f32; 2 * REACH]; 3]) -> f32 {
        let at = self.newest[REACH - 1].abs();
        let value = |weights: &[f32; 2 * REACH]| {
            self.newest.iter().zip(weights).map(|(sample, weight)| sample * weight).sum::<f32>().abs()
        };
        between.iter().map(value).fold(at, f32::max)
    }
}

/// Drops the oldest for the newest.
fn shift(all: &mut VecDeque<f32>, newest: f32) {
    all.pop_front();
    all.push_back(newest);
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "samples pass unchanged, bit for bit")]
mod tests {
    use ebur128::{EbuR128, Mode};
    use proptest::prelude::*;

    use super::*;

    const RATE: u32 = 48_000;

    fn through(sound: &[f32]) -> Vec<f32> {
        let out = limited(sound, RATE);
        assert_eq!(out.len(), sound.len());
        out
    }

    fn true_peak_db(sound: &[f32]) -> f64 {
        let mut meter = EbuR128::new(1, RATE, Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(sound).unwrap();
        20.0 * meter.true_peak(0).unwrap().max(1e-9).log10()
    }

    fn noise(frames: usize, mut state: u64) -> Vec<f32> {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
        };
        (0..frames).map(|_| next()).collect()
    }

    #[test]
    fn what_is_soft_enough_goes_through_bit_for_bit() {
        let sound: Vec<f32> = noise(5000, 7).iter().map(|s| s * 0.33).collect();
        assert_eq!(through(&sound), sound);
        let tone: Vec<f32> = (0..4901).map(|n| (n as f32 * 0.05).sin() * 0.8).collect();
        assert_eq!(through(&tone), tone);
    }

    #[test]
    fn a_peak_between_the_samples_counts() {
        // A quarter of the rate, sampled an eighth of a turn off its peaks: each sample is 3 dB below them.
        let tone: Vec<f32> = (0..4800)
            .map(|n| (std::f32::consts::FRAC_PI_2 * n as f32 + std::f32::consts::FRAC_PI_4).sin() * 1.1)
            .collect();
        assert!(tone.iter().all(|s| s.abs() < CEILING) && true_peak_db(&tone) > 0.5);
        let limited = true_peak_db(&through(&tone));
        assert!(limited < -1.0, "{limited} dBTP");
    }

    #[test]
    fn a_loud_moment_leaves_what_is_a_second_away_as_it_was() {
        let mut sound: Vec<f32> = (0..96_000).map(|n| (n as f32 * 0.03).sin() * 0.3).collect();
        for (n, sample) in sound[48_000..48_500].iter_mut().enumerate() {
            *sample *= 1.0 + 8.0 * (n as f32 / 500.0 * std::f32::consts::PI).sin().powi(2);
        }
        let out = through(&sound);
        assert_eq!((&out[..47_000], &out[60_000..]), (&sound[..47_000], &sound[60_000..]));
        assert!(true_peak_db(&out) < -1.0);
        let steepest = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.1, "no click: {steepest}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
        /// Whatever comes, the true peak as another measures it stays below -1 dB, and no sample changes its sign.
        #[test]
        fn no_peak_passes_the_ceiling(seed in 1_u64.., gain in 0.1_f32..30.0, gap in 1_usize..400) {
            let mut sound: Vec<f32> = noise(4000, seed).iter().map(|s| s * gain).collect();
            for part in sound.chunks_mut(2 * gap) {
                part.iter_mut().take(gap).for_each(|s| *s = 0.0);
            }
            let out = through(&sound);
            prop_assert!(true_peak_db(&out) < -1.0, "{} dBTP", true_peak_db(&out));
            prop_assert!(out.iter().zip(&sound).all(|(a, b)| a * b >= 0.0 && a.abs() <= b.abs()));
        }
    }
}
