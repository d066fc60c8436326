//! A voice from a person's recordings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::NewVoice;
use crate::audio::clips::recording;
use crate::audio::cut::{self, Pairing};
use crate::audio::gauge::gauge;
use crate::audio::studio::{self, Raw, syllables};
use crate::clock::Millis;
use crate::config::Config;
use crate::speech::RATE_HZ;
use crate::speech::script::Unit;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A long recording, or a folder of files: 0001.wav, 0002.wav … by the numbers of the script. One file without a
    /// number in the folder is the long recording, and the numbered ones replace its sentences
    recordings: PathBuf,
    #[command(flatten)]
    new: NewVoice,
    /// The least silence between two sentences of a long recording, in milliseconds
    #[arg(long, default_value_t = 700, value_parser = clap::value_parser!(u32).range(200..=10_000))]
    pause_ms: u32,
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    studio::may_replace(&args.new.out)?;
    let units = args.new.script.units(config)?;
    let files = files(&args.recordings)?;
    let mut sounds = BTreeMap::new();
    if let Some(long) = &files.long {
        sounds = cut_apart(long, &units, Millis(i64::from(args.pause_ms)))?;
    }
    for (number, path) in &files.numbered {
        ensure!(
            (1..=units.len()).contains(number),
            "{}: the script has no line {number}; it has {}",
            path.display(),
            units.len()
        );
        sounds.insert(*number, recording(path)?);
    }
    let missing: Vec<&(usize, Unit)> =
        units.iter().filter(|(number, _)| !sounds.contains_key(number)).collect();
    if !missing.is_empty() {
        let lines: Vec<String> =
            missing.iter().map(|(number, unit)| format!("{number:04}  {}", unit.words)).collect();
        bail!("{} of {} lines are not recorded:\n{}", missing.len(), units.len(), lines.join("\n"));
    }
    let raws = units.into_iter().filter_map(|(number, unit)| {
        let sound = sounds.remove(&number)?;
        Some(Raw { number, unit, sound })
    });
    let raws: Vec<Raw> = raws.collect();
    args.new.write(&raws, "recorded by a person")
}

struct Files {
    long: Option<PathBuf>,
    numbered: BTreeMap<usize, PathBuf>,
}

fn files(path: &Path) -> anyhow::Result<Files> {
    let mut files = Files { long: None, numbered: BTreeMap::new() };
    if path.is_file() {
        files.long = Some(path.to_owned());
        return Ok(files);
    }
    let cannot = || format!("cannot read {}", path.display());
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .with_context(cannot)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .with_context(cannot)?;
    found.retain(|file| file.is_file());
    found.sort();
    for file in found {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let digits: String = stem.chars().take_while(char::is_ascii_digit).collect();
        let is_sound = |e: &std::ffi::OsStr| {
            let e = e.to_string_lossy().to_lowercase();
            ["wav", "flac", "ogg", "opus"].contains(&e.as_str())
        };
        if !file.extension().is_some_and(is_sound) {
            continue;
        }
        match (digits.parse(), &files.long) {
            (Ok(number), _) => {
                if let Some(other) = files.numbered.insert(number, file.clone()) {
                    bail!("{} and {} have the same number", other.display(), file.display());
                }
            }
            (Err(_), None) => files.long = Some(file),
            (Err(_), Some(long)) => {
                bail!(
                    "{} and {} have no number; only one long recording can be",
                    long.display(),
                    file.display()
                );
            }
        }
    }
    ensure!(files.long.is_some() || !files.numbered.is_empty(), "{} has no recordings", path.display());
    Ok(files)
}

/// Cuts by the cue marks when there are as many as lines, else by silence; tells where the order breaks.
fn cut_apart(
    path: &Path,
    units: &[(usize, Unit)],
    pause: Millis,
) -> anyhow::Result<BTreeMap<usize, Vec<f32>>> {
    let samples = recording(path)?;
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut cues = at_our_rate(cut::cues_of(&bytes), &bytes);
    if cues.len() != units.len() {
        cues.clear();
    }
    let ranges =
        if cues.is_empty() { cut::by_silence(&samples, pause) } else { cut::by_cues(&cues, samples.len()) };
    let how = if cues.is_empty() { "silences" } else { "cue marks" };
    let expected: Vec<f32> = units.iter().map(|(_, unit)| syllables(&unit.words)).collect();
    let found: Vec<f32> =
        ranges.iter().map(|range| gauge(&samples[range.clone()]).seconds().max(0.05)).collect();
    let pairings = cut::align(&expected, &found);
    let in_order = pairings.iter().all(|p| matches!(p, Pairing::Match { unit, sound } if unit == sound));
    if ranges.len() != units.len() || !in_order {
        let mut lines = Vec::new();
        for pairing in pairings {
            match pairing {
                Pairing::Missing { unit } => {
                    let (number, unit) = &units[unit];
                    lines.push(format!("line {number:04} is probably missing: {}", unit.words));
                }
                Pairing::Extra { sound } => {
                    let at = ranges[sound].start / RATE_HZ as usize;
                    lines.push(format!("at {}:{:02} there is probably a sound too many", at / 60, at % 60));
                }
                Pairing::Match { .. } => {}
            }
        }
        bail!(
            "{}: the {how} give {} sentences, the script has {}:\n{}",
            path.display(),
            ranges.len(),
            units.len(),
            lines.join("\n")
        );
    }
    Ok(units.iter().zip(ranges).map(|((number, _), range)| (*number, samples[range].to_vec())).collect())
}

/// Cue marks count frames of the file's own rate, which stands in its format chunk.
fn at_our_rate(cues: Vec<u64>, wav: &[u8]) -> Vec<u64> {
    let rate = hound::WavReader::new(wav).map_or(RATE_HZ, |reader| reader.spec().sample_rate);
    cues.into_iter().map(|cue| cue * u64::from(RATE_HZ) / u64::from(rate.max(1))).collect()
}
