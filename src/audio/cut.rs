//! Cuts a long recording into its sentences, and says which of them are missing. Pure.

use std::ops::Range;

use crate::clock::Millis;
use crate::speech::{RATE_HZ, gap_frames};

/// Windows that the silence is looked for in, frames: 10 ms.
const WINDOW: usize = RATE_HZ as usize / 100;
/// Louder than the room by this much is speech, dB.
const ABOVE_FLOOR_DB: f32 = 15.0;
/// A shorter sound is a click or a cough.
const SHORTEST: Millis = Millis(120);
/// What a sentence that was left out, or read twice, costs against one of another length.
const SKIP_COST: f32 = 0.7;

/// Stretches of sound that silences of at least `pause` separate, with 200 ms of silence on either side.
pub fn by_silence(samples: &[f32], pause: Millis) -> Vec<Range<usize>> {
    let levels: Vec<f32> = samples.chunks(WINDOW).map(level).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f32::total_cmp);
    let at = |share: usize| sorted.get(sorted.len() * share / 100).copied().unwrap_or(-120.0).max(-120.0);
    // Half of a recording is pauses, so its quiet tenth is the room; no speech is softer than 35 dB below the loudest.
    let threshold = (at(10) + ABOVE_FLOOR_DB).max(at(99) - 35.0);
    let pause_windows = (gap_frames(pause, RATE_HZ) as usize / WINDOW).max(1);
    let mut sounds: Vec<Range<usize>> = Vec::new();
    for (window, _) in levels.iter().enumerate().filter(|(_, level)| **level > threshold) {
        match sounds.last_mut() {
            Some(last) if window - last.end < pause_windows => last.end = window + 1,
            _ => sounds.push(window..window + 1),
        }
    }
    let shortest = gap_frames(SHORTEST, RATE_HZ) as usize / WINDOW;
    sounds.retain(|sound| sound.len() >= shortest);
    let margin = RATE_HZ as usize / 5;
    let frames = |sound: Range<usize>| {
        (sound.start * WINDOW).saturating_sub(margin)..(sound.end * WINDOW + margin).min(samples.len())
    };
    sounds.into_iter().map(frames).collect()
}

fn level(window: &[f32]) -> f32 {
    let power = window.iter().map(|s| s * s).sum::<f32>() / window.len().max(1) as f32;
    10.0 * power.max(1e-12).log10()
}

/// From each cue mark to the next, the last to the end.
pub fn by_cues(cues: &[u64], frames: usize) -> Vec<Range<usize>> {
    let mut starts: Vec<usize> =
        cues.iter().filter_map(|cue| usize::try_from(*cue).ok()).filter(|cue| *cue < frames).collect();
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().copied().skip(1).chain([frames]);
    starts.iter().copied().zip(ends).map(|(from, to)| from..to).collect()
}

/// The cue marks of a WAV file, frames at its own rate; empty when it has none or is no WAV file.
pub fn cues_of(wav: &[u8]) -> Vec<u64> {
    let word = |at: usize| {
        let bytes = wav.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    if wav.get(..4) != Some(b"RIFF") || wav.get(8..12) != Some(b"WAVE") {
        return Vec::new();
    }
    let mut at = 12;
    while let Some(size) = word(at + 4) {
        if wav.get(at..at + 4) == Some(b"cue ") {
            // A count, then points of 24 bytes; the sample offset is the last word of each.
            let count = word(at + 8).unwrap_or(0).min(100_000) as usize;
            return (0..count).filter_map(|n| word(at + 12 + n * 24 + 20)).map(u64::from).collect();
        }
        at += 8 + size as usize + size as usize % 2;
    }
    Vec::new()
}

/// What a sentence of the script and a stretch of the recording have to do with each other, by index.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pairing {
    Match { unit: usize, sound: usize },
    Missing { unit: usize },
    Extra { sound: usize },
}

/// Lays the lengths of the sounds beside those that the texts lead one to expect, in order and as well as they fit.
/// Both in any unit: the speaker's pace is taken from the middle of the ratios.
pub fn align(expected: &[f32], found: &[f32]) -> Vec<Pairing> {
    let total = |lengths: &[f32]| lengths.iter().sum::<f32>() / lengths.len().max(1) as f32;
    let pace = (total(found) / total(expected)).max(f32::MIN_POSITIVE);
    let differ = |unit: usize, sound: usize| (found[sound] / (expected[unit] * pace)).ln().abs();
    let width = found.len() + 1;
    let mut cost = vec![0.0_f32; (expected.len() + 1) * width];
    for unit in 0..=expected.len() {
        for sound in 0..width {
            let at = |u: usize, s: usize| cost[u * width + s];
            let mut best = if unit + sound == 0 { 0.0 } else { f32::INFINITY };
            if unit > 0 {
                best = best.min(at(unit - 1, sound) + SKIP_COST);
            }
            if sound > 0 {
                best = best.min(at(unit, sound - 1) + SKIP_COST);
            }
            if unit > 0 && sound > 0 {
                best = best.min(at(unit - 1, sound - 1) + differ(unit - 1, sound - 1));
            }
            cost[unit * width + sound] = best;
        }
    }
    let (mut unit, mut sound, mut pairs) = (expected.len(), found.len(), Vec::new());
    while unit > 0 || sound > 0 {
        let here = cost[unit * width + sound];
        let same = |before: f32, step: f32| (before + step - here).abs() <= 1e-3 * here.max(1.0);
        if unit > 0 && sound > 0 && same(cost[(unit - 1) * width + sound - 1], differ(unit - 1, sound - 1)) {
            (unit, sound) = (unit - 1, sound - 1);
            pairs.push(Pairing::Match { unit, sound });
        } else if unit > 0 && same(cost[(unit - 1) * width + sound], SKIP_COST) {
            unit -= 1;
            pairs.push(Pairing::Missing { unit });
        } else {
            sound = sound.saturating_sub(1);
            pairs.push(Pairing::Extra { sound });
        }
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: usize) -> usize {
        ms * RATE_HZ as usize / 1000
    }

    fn take(sounds: &[(usize, usize)]) -> Vec<f32> {
        let mut out = Vec::new();
        for (length, pause) in sounds {
            out.extend((0..ms(*length)).map(|n| (n as f32 * 0.06).sin() * 0.3));
            // A room is never quite silent.
            out.extend((0..ms(*pause)).map(|n| if n % 2 == 0 { 1e-4 } else { -1e-4 }));
        }
        out
    }

    #[test]
    fn sentences_are_cut_at_the_pauses_between_them_and_clicks_are_none() {
        let recording = take(&[(800, 300), (500, 1500), (40, 1500), (900, 1500)]);
        let cut = by_silence(&recording, Millis(700));
        let starts: Vec<usize> = cut.iter().map(|range| range.start / ms(1)).collect();
        let ends: Vec<usize> = cut.iter().map(|range| range.end / ms(1)).collect();
        assert_eq!(cut.len(), 2, "{cut:?}");
        assert_eq!((starts[0], ends[0]), (0, 1800), "a short pause is inside a sentence");
        assert_eq!((starts[1], ends[1]), (4440, 5740));
    }

    #[test]
    fn cue_marks_cut_where_they_stand() {
        assert_eq!(by_cues(&[100, 50, 900, 2000], 1000), [50..100, 100..900, 900..1000]);
        let mut wav = b"RIFF\0\0\0\0WAVEdata\x02\0\0\0ab".to_vec();
        wav.extend(b"cue \x34\0\0\0\x02\0\0\0");
        for cue in [10_u32, 77] {
            wav.extend([0; 20]);
            wav.extend(cue.to_le_bytes());
        }
        assert_eq!(cues_of(&wav), [10, 77]);
        assert!(cues_of(b"RIFF").is_empty() && cues_of(b"OggS").is_empty());
    }

    #[test]
    fn a_sentence_that_was_left_out_and_one_that_was_read_twice_are_found() {
        let expected = [3.0, 5.0, 2.0, 8.0, 2.0, 4.0];
        let spoken = [0.6, 1.0, 1.7, 0.4, 0.85];
        let missing: Vec<Pairing> =
            align(&expected, &spoken).into_iter().filter(|p| !matches!(p, Pairing::Match { .. })).collect();
        assert_eq!(missing, [Pairing::Missing { unit: 2 }]);
        let twice = [0.6, 1.0, 0.4, 1.7, 1.65, 0.4, 0.85];
        let extra: Vec<Pairing> =
            align(&expected, &twice).into_iter().filter(|p| !matches!(p, Pairing::Match { .. })).collect();
        assert!(matches!(extra[..], [Pairing::Extra { sound: 3 | 4 }]), "{extra:?}");
        let all = align(&expected, &[0.6, 1.0, 0.4, 1.7, 0.4, 0.85]);
        assert!(all.iter().all(|p| matches!(p, Pairing::Match { unit, sound } if unit == sound)), "{all:?}");
    }
}
