//! Makes a bank from raw recordings of the units of a script: trims, levels, encodes, and tells what to record again.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use ebur128::{EbuR128, Mode};
use thiserror::Error;

use super::clips::{ClipError, decode};
use super::encode::{self, EncodeError};
use super::gauge::{self, Gauge};
use crate::speech::bank::{Bank, Take};
use crate::speech::script::Unit;
use crate::speech::{Accent, RATE_HZ};

/// Loudness of whole sentences; clips are measured one behind the other, without their pauses.
pub(super) const LOUDNESS_LUFS: f64 = -16.0;
/// With what the codec adds a clip stays below -1 dBTP.
const PEAK_DBTP: f64 = -2.0;
/// A speaker moves about the microphone: each clip is brought so far towards the middle level at most, dB.
const EVEN_DB: f32 = 4.0;
/// A clip that is further from the middle level is read again, dB.
const OFF_DB: f32 = 8.0;
/// Samples at full scale in a row: the microphone's level was too high.
const CLIPPED: usize = 4;
/// How far the speech must be above the room, dB.
const ROOM_DB: f32 = 20.0;
/// Shortest and longest syllable on average, against the middle of the voice.
const PACE: std::ops::RangeInclusive<f32> = 0.45..=2.2;

/// What is said of the voice in its `bank.toml`.
#[derive(Clone, Debug)]
pub struct About {
    pub name: String,
    pub title: String,
    pub accent: Accent,
    pub version: String,
    pub provenance: String,
    pub licence: String,
}

/// One unit as it was recorded, at [`RATE_HZ`]; `number` is its place in the script, from 1.
#[derive(Clone, Debug)]
pub struct Raw {
    pub number: usize,
    pub unit: Unit,
    pub sound: Vec<f32>,
}

/// A unit that has to be recorded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub number: usize,
    pub words: String,
    pub why: String,
}

#[derive(Debug, Error)]
pub enum StudioError {
    #[error("cannot write {path}: {why}", path = path.display())]
    Write { path: PathBuf, why: io::Error },
    #[error("cannot encode {path}: {why}", path = path.display())]
    Encode { path: PathBuf, why: EncodeError },
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error("the recordings have no speech that could be measured")]
    NoSpeech,
    #[error("{path} is there and is no voice: it has no bank.toml; name a folder for the voice, such as sounds/lan", path = path.display())]
    NotAVoice { path: PathBuf },
    #[error("the bank that was written cannot be read: {0}")]
    Bank(String),
}

/// What is wrong with the recordings, in the order of the script.
pub fn faults(raws: &[Raw]) -> Vec<Fault> {
    let gauges: Vec<Gauge> = raws.iter().map(|raw| gauge::gauge(&raw.sound)).collect();
    let heard = || gauges.iter().filter(|g| !g.is_silent());
    let middle = gauge::median(heard().map(|g| g.level_dbfs).collect()).unwrap_or(0.0);
    let pace = |raw: &Raw, gauge: &Gauge| gauge.seconds() / syllables(&raw.unit.words);
    let both = || raws.iter().zip(&gauges).filter(|(_, g)| !g.is_silent());
    let tempo = gauge::median(both().map(|(raw, g)| pace(raw, g)).collect()).unwrap_or(0.2);
    let found = raws.iter().zip(&gauges).filter_map(|(raw, gauge)| {
        let off = gauge.level_dbfs - middle;
        let ratio = pace(raw, gauge) / tempo;
        let why = if gauge.is_silent() {
            "nothing is heard".to_owned()
        } else if gauge.clipped >= CLIPPED {
            "is clipped; lower the microphone's level".to_owned()
        } else if gauge.level_dbfs - gauge.floor_dbfs < ROOM_DB {
            format!("is only {:.0} dB above the noise of the room", gauge.level_dbfs - gauge.floor_dbfs)
        } else if off.abs() > OFF_DB {
            format!("is {:.0} dB {} than the others", off.abs(), if off > 0.0 { "louder" } else { "softer" })
        } else if !PACE.contains(&ratio) {
            let longer = if ratio > 1.0 { "long" } else { "short" };
            format!("is too {longer} for its words ({:.1} s)", gauge.seconds())
        } else {
            return None;
        };
        Some(Fault { number: raw.number, words: raw.unit.words.clone(), why })
    });
    found.collect()
}

/// Number of syllables; a hyphenated name of a letter has several.
pub fn syllables(words: &str) -> f32 {
    words.split([' ', '-']).count() as f32
}

/// Whether a voice may be written to `out`: it is a new folder or a voice already, never a folder of other things.
///
/// # Errors
/// [`StudioError::NotAVoice`].
pub fn may_replace(out: &Path) -> Result<(), StudioError> {
    let is_voice = !out.exists() || out.join("bank.toml").is_file();
    if is_voice && out.file_name().is_some() {
        return Ok(());
    }
    Err(StudioError::NotAVoice { path: out.to_owned() })
}

/// Writes the bank to `out`, whose last part is the voice's name, and reads it back. A bank that is there already is
/// replaced only when all is written; it stays beside as `NAME.before`.
///
/// # Errors
/// [`StudioError`]; `out` is then as it was.
pub fn make(raws: &[Raw], about: &About, out: &Path) -> Result<(), StudioError> {
    may_replace(out)?;
    let part = beside(out, "part");
    let cannot = |path: &Path| {
        let path = path.to_owned();
        move |why| StudioError::Write { path, why }
    };
    if part.exists() {
        fs::remove_dir_all(&part).map_err(cannot(&part))?;
    }
    fs::create_dir_all(&part).map_err(cannot(&part))?;
    write(raws, about, &part)?;
    read_back(&part)?;
    let before = beside(out, "before");
    if out.exists() {
        if before.exists() {
            fs::remove_dir_all(&before).map_err(cannot(&before))?;
        }
        fs::rename(out, &before).map_err(cannot(&before))?;
    }
    fs::rename(&part, out).map_err(|why| {
        // A hall without a voice would be worse than one with the old.
        let _ = fs::rename(&before, out);
        StudioError::Write { path: out.to_owned(), why }
    })
}

fn beside(out: &Path, what: &str) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{name}.{what}"))
}

fn write(raws: &[Raw], about: &About, folder: &Path) -> Result<(), StudioError> {
    let clips = levelled(raws)?;
    let mut lines = manifest_head(about);
    for (take, name) in [(Take::Mid, "mid"), (Take::End, "end")] {
        lines.extend([String::new(), format!("[clips.{name}]")]);
        for (raw, clip) in raws.iter().zip(&clips).filter(|(raw, _)| raw.unit.take == take) {
            let file = format!("{:04}.opus", raw.number);
            let path = folder.join(&file);
            let opened = File::create(&path).map_err(|why| StudioError::Write { path: path.clone(), why })?;
            encode::opus(BufWriter::new(opened), clip)
                .map_err(|why| StudioError::Encode { path: path.clone(), why })?;
            let (words, frames) = (&raw.unit.words, clip.len());
            lines.push(format!("{} = {{ file = {}, frames = {frames} }}", quoted(words), quoted(&file)));
        }
    }
    let path = folder.join("bank.toml");
    fs::write(&path, lines.join("\n") + "\n").map_err(|why| StudioError::Write { path, why })
}

fn manifest_head(about: &About) -> Vec<String> {
    let text = |key: &str, value: &str| format!("{key} = {}", quoted(value));
    let accent = match about.accent {
        Accent::English => None,
        accent => Some(text("accent", accent.as_str())),
    };
    let head = [
        "format = 1".to_owned(),
        text("name", &about.name),
        text("title", &about.title),
        text("language", about.accent.language()),
        format!("rate_hz = {RATE_HZ}"),
        text("version", &about.version),
        text("provenance", &about.provenance),
        text("licence", &about.licence),
    ];
    head.into_iter().chain(accent).collect()
}

/// As TOML writes a text.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Trimmed, brought towards one level, and with one gain for the whole voice to the loudness of announcements.
fn levelled(raws: &[Raw]) -> Result<Vec<Vec<f32>>, StudioError> {
    let gauges: Vec<Gauge> = raws.iter().map(|raw| gauge::gauge(&raw.sound)).collect();
    let levels = gauges.iter().filter(|g| !g.is_silent()).map(|g| g.level_dbfs);
    let middle = gauge::median(levels.collect()).ok_or(StudioError::NoSpeech)?;
    let mut clips: Vec<Vec<f32>> = Vec::with_capacity(raws.len());
    for (raw, gauge) in raws.iter().zip(&gauges) {
        let mut clip = gauge::trimmed(&raw.sound, gauge);
        let even = if gauge.is_silent() { 0.0 } else { (middle - gauge.level_dbfs).clamp(-EVEN_DB, EVEN_DB) };
        amplify(&mut clip, f64::from(even));
        clips.push(clip);
    }
    let mut meter = meter(Mode::I)?;
    for clip in &clips {
        meter.add_frames_f32(clip).map_err(|_| StudioError::NoSpeech)?;
    }
    let loudness = meter.loudness_global().ok().filter(|l| l.is_finite()).ok_or(StudioError::NoSpeech)?;
    for clip in &mut clips {
        amplify(clip, LOUDNESS_LUFS - loudness);
        let mut meter = self::meter(Mode::TRUE_PEAK)?;
        meter.add_frames_f32(clip).map_err(|_| StudioError::NoSpeech)?;
        let peak = 20.0 * meter.true_peak(0).unwrap_or(0.0).max(1e-9).log10();
        if peak > PEAK_DBTP {
            amplify(clip, PEAK_DBTP - peak);
        }
    }
    Ok(clips)
}

fn meter(mode: Mode) -> Result<EbuR128, StudioError> {
    EbuR128::new(1, RATE_HZ, mode).map_err(|_| StudioError::NoSpeech)
}

pub(super) fn amplify(clip: &mut [f32], db: f64) {
    let gain = 10_f64.powf(db / 20.0) as f32;
    for sample in clip {
        *sample *= gain;
    }
}

fn read_back(folder: &Path) -> Result<(), StudioError> {
    let path = folder.join("bank.toml");
    let text = fs::read_to_string(&path).map_err(|why| StudioError::Write { path, why })?;
    let bank = Bank::parse(&text, ".").map_err(|problems| {
        StudioError::Bank(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    for clip in bank.clips() {
        let path = folder.join(&*clip.file);
        let found = decode(&path)?.len() as u64;
        if found != clip.frames {
            return Err(ClipError::Length { path, expected: clip.frames, found }.into());
        }
    }
    Ok(())
}
