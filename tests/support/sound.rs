//! Finding one sound in another.

use std::ops::Range;
use std::path::Path;

/// Samples of a 16-bit mono WAV file.
pub fn read_wav(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"data").expect("a data chunk") + 8;
    pcm16(&bytes[at..])
}

/// Little-endian 16-bit samples.
pub fn pcm16(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect()
}

/// Speech lies below 3 kHz for this purpose, and an eighth of the samples makes the search quick.
const DECIMATE: usize = 8;
const RATE: usize = 48_000 / DECIMATE;
const ANCHOR: usize = RATE / 2;
const BLOCK: usize = RATE / 4;

fn thin(samples: &[f32]) -> Vec<f32> {
    samples.chunks_exact(DECIMATE).map(|c| c.iter().sum::<f32>() / DECIMATE as f32).collect()
}

fn energy(a: &[f32]) -> f32 {
    a.iter().map(|x| x * x).sum()
}

fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let dot: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
    dot / (energy(a) * energy(b)).sqrt().max(1e-9)
}

/// Samples of one step of the loudness curve: 10 ms.
const STEP: usize = RATE / 100;
/// Places whose loudness goes most like the needle's; sound is compared only there.
const CANDIDATES: usize = 32;

/// Places in `heard` where `anchor` may begin, to within a step, by their loudness alone.
fn candidates(anchor: &[f32], heard: &[f32]) -> Vec<usize> {
    let curve = |sound: &[f32]| sound.chunks_exact(STEP).map(|c| energy(c).sqrt()).collect::<Vec<f32>>();
    let (wanted, there) = (curve(anchor), curve(heard));
    let mut steps: Vec<(usize, f32)> =
        there.windows(wanted.len()).map(|window| likeness(&wanted, window)).enumerate().collect();
    steps.sort_by(|a, b| b.1.total_cmp(&a.1));
    steps.truncate(CANDIDATES);
    steps.into_iter().map(|(step, _)| step * STEP).collect()
}

/// Where `needle` lies in `heard` at or after `from`, whole: every quarter second of it must be alike, so that a
/// sound that was cut, overlaid or interrupted is not found. Both at 48 kHz mono, at any gain.
///
/// # Errors
/// What was found instead.
pub fn find(needle: &[f32], heard: &[f32], from: usize) -> Result<Range<usize>, String> {
    let loud = |x: &f32| x.abs() > 0.01;
    let start = needle.iter().position(loud).ok_or("the needle is silent")?;
    let end = needle.iter().rposition(loud).unwrap_or(start) + 1;
    let wanted = thin(&needle[start..end]);
    let anchor = &wanted[..ANCHOR.min(wanted.len())];
    let places = candidates(anchor, &thin(heard.get(from..).unwrap_or_default()));
    let best = (0..DECIMATE)
        .step_by(2)
        .filter_map(|phase| {
            let there = thin(heard.get(from + phase..)?);
            let last = there.len().checked_sub(wanted.len())?;
            let near = places.iter().flat_map(|place| place.saturating_sub(STEP)..=place + STEP);
            let scores =
                near.filter(|at| *at <= last).map(|at| (at, likeness(anchor, &there[at..][..anchor.len()])));
            let (at, _) = scores.max_by(|a, b| a.1.total_cmp(&b.1))?;
            let overall = likeness(&wanted, &there[at..at + wanted.len()]);
            Some((overall, phase, at, there))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let (overall, phase, at, there) =
        best.ok_or_else(|| format!("only {} samples were heard", heard.len()))?;
    for (index, block) in wanted.chunks_exact(BLOCK).enumerate() {
        let alike = likeness(block, &there[at + index * BLOCK..][..BLOCK]);
        if energy(block) > 0.02 && alike < 0.8 {
            let second = index as f32 / 4.0;
            return Err(format!(
                "{second} s into the sound it differs: {alike:.2} alike, {overall:.2} over all"
            ));
        }
    }
    if overall < 0.8 {
        return Err(format!("nothing like it: {overall:.2}"));
    }
    let begin = from + phase + at * DECIMATE;
    Ok(begin..begin + (end - start))
}
