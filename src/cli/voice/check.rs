//! What is wrong with a voice: what the hall cannot say with it, and which clips are damaged.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::audio::clips::{ClipError, decode};
use crate::audio::gauge::{Gauge, gauge, median};
use crate::audio::sounds;
use crate::cli::output::Output;
use crate::config::Config;
use crate::speech::Clip;

/// Levels of units that are joined may differ by this much, dB.
const OFF_DB: f32 = 6.0;
/// More silence at an end would be heard as a pause inside a sentence, ms.
const HEAD_MS: usize = 80;
const TAIL_MS: usize = 200;
/// Samples at full scale in a row.
const CLIPPED: usize = 4;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the voice, with its bank.toml
    folder: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let folder = std::fs::canonicalize(&args.folder)
        .with_context(|| format!("cannot read {}", args.folder.display()))?;
    let name = folder.file_name().context("the folder has no name")?.to_string_lossy().into_owned();
    let sounds = folder.parent().context("the folder has no parent")?;
    let voice = sounds::load_one(sounds, &name, config)?;
    let mut problems = voice.missing(config);
    let clips: Vec<&Clip> = voice.bank().clips().collect();
    let (gauges, damaged) = measure(sounds, &clips);
    problems.extend(damaged);
    let middle = median(gauges.iter().filter(|(_, g)| !g.is_silent()).map(|(_, g)| g.level_dbfs).collect());
    problems.extend(
        gauges.iter().filter_map(|(clip, gauge)| Some(format!("{}: {}", clip.file, wrong(gauge, middle?)?))),
    );
    problems.sort();
    let joined = voice.joined();
    let seconds = clips.iter().map(|clip| clip.frames).sum::<u64>() / u64::from(crate::speech::RATE_HZ);
    let notes = joined
        .iter()
        .map(|note| format!("note: {note}: harder to understand than phrases that were recorded whole"));
    let sum = format!("voice {name}: {} clips, {}:{:02} minutes", clips.len(), seconds / 60, seconds % 60);
    let lines: Vec<String> = problems.iter().cloned().chain(notes).chain([sum]).collect();
    let told = json!({
        "voice": name, "problems": problems, "joined": joined, "clips": clips.len(), "seconds": seconds,
    });
    args.output.tell(lines.join("\n"), &told);
    if problems.is_empty() { Ok(()) } else { bail!("{} problem(s)", problems.len()) }
}

fn measure<'c>(sounds: &Path, clips: &[&'c Clip]) -> (Vec<(&'c Clip, Gauge)>, Vec<String>) {
    let (mut gauges, mut damaged) = (Vec::new(), Vec::new());
    for clip in clips {
        let path = sounds.join(&*clip.file);
        match decode(&path) {
            Ok(samples) if samples.len() as u64 == clip.frames => gauges.push((*clip, gauge(&samples))),
            Ok(samples) => {
                let found = samples.len() as u64;
                damaged.push(ClipError::Length { path, expected: clip.frames, found }.to_string());
            }
            Err(error) => damaged.push(error.to_string()),
        }
    }
    (gauges, damaged)
}

fn wrong(gauge: &Gauge, middle: f32) -> Option<String> {
    let (head, tail) = gauge.silences_ms();
    let off = gauge.level_dbfs - middle;
    if gauge.is_silent() {
        Some("is silent".to_owned())
    } else if gauge.clipped >= CLIPPED {
        Some(format!("is clipped ({} samples in a row)", gauge.clipped))
    } else if off.abs() > OFF_DB {
        Some(format!(
            "is {:.1} dB {} than the middle of the voice",
            off.abs(),
            if off > 0.0 { "louder" } else { "softer" }
        ))
    } else if head > HEAD_MS {
        Some(format!("begins with {head} ms of silence"))
    } else if tail > TAIL_MS {
        Some(format!("ends with {tail} ms of silence"))
    } else {
        None
    }
}
