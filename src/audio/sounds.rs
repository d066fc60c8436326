//! Finds the sounds folder and reads its manifests.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::clips::{ClipError, decode};
use super::notes::Notes;
use crate::config::Config;
use crate::config::section::Problem;
use crate::speech::bank::{Bank, Chimes};
use crate::speech::voice::Voice;
use crate::speech::{Accent, Clip};

/// Where packages put the sounds.
const SYSTEM: &str = "/usr/share/moiso/sounds";
const MANIFEST: &str = "bank.toml";
const CHIMES: &str = "chimes/chimes.toml";
/// The voice that comes with the program.
const SHIPPED: &str = "north";

#[derive(Debug, Error)]
pub enum SoundsError {
    #[error("no sounds folder has the voice {voice:?}; looked in {}", list(looked))]
    NotFound { voice: String, looked: Vec<PathBuf> },
    #[error("cannot read {path}: {why}")]
    Unreadable { path: PathBuf, why: std::io::Error },
    #[error("{path} has {} problem(s)\n{}", problems.len(), lines(problems))]
    Wrong { path: PathBuf, problems: Vec<Problem> },
    #[error("speech.template {}", .0.join("; it "))]
    Template(Vec<String>),
    #[error("{path} speaks {found:?}, and {key} must speak {wanted:?}")]
    Language { path: PathBuf, key: &'static str, found: &'static str, wanted: &'static str },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// A manifest that is wrong altogether fills neither the log nor the page.
const PROBLEMS: usize = 20;

fn lines(problems: &[Problem]) -> String {
    let more = problems.len().saturating_sub(PROBLEMS);
    let more = (more > 0).then(|| format!("and {more} more"));
    problems.iter().take(PROBLEMS).map(ToString::to_string).chain(more).collect::<Vec<_>>().join("\n")
}

/// The first folder that has the configured voice: the configured one; else beside the program, the system's, the
/// working folder's, and those of the program's ancestors (a checkout).
///
/// # Errors
/// [`SoundsError::NotFound`] with all places that were looked at.
pub fn find(config: &Config) -> Result<PathBuf, SoundsError> {
    let voice = &config.speech.voice;
    let looked = places(config);
    let found = looked.iter().find(|dir| dir.join(voice).join(MANIFEST).is_file()).cloned();
    found.ok_or_else(|| SoundsError::NotFound { voice: voice.clone(), looked })
}

fn places(config: &Config) -> Vec<PathBuf> {
    if let Some(configured) = &config.paths.sounds {
        return vec![configured.clone()];
    }
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new("/"));
    let mut places = vec![folder.join("../share/moiso/sounds"), SYSTEM.into(), "sounds".into()];
    places.extend(folder.ancestors().map(|dir| dir.join("sounds")));
    places
}

/// Reads the configured voices and the chimes of a sounds folder. A folder without chimes has none.
///
/// # Errors
/// [`SoundsError`] with every problem of a manifest.
pub fn load(dir: &Path, config: &Config) -> Result<Voice, SoundsError> {
    load_with(chimes(dir)?, dir, config)
}

fn load_with(chimes: Chimes, dir: &Path, config: &Config) -> Result<Voice, SoundsError> {
    let speech = &config.speech;
    let bank = speaking(dir, &speech.voice, "speech.voice", "vi")?;
    let voice = Voice::new(bank, chimes, config).map_err(SoundsError::Template)?;
    let Some(name) = &speech.english else { return Ok(voice) };
    let english = speaking(dir, name, "speech.english_voice", "en")?;
    let english = Voice::new(english, Chimes::default(), config).map_err(SoundsError::Template)?;
    Ok(voice.then_english(english))
}

/// The voice of a hall that must not be silent: as configured, else without what cannot be read of it, else the shipped
/// one, else chimes alone, which make people look up.
#[derive(Debug)]
pub struct Heard {
    pub voice: Voice,
    pub folder: PathBuf,
    /// Why it is not the configured one, and what is heard instead.
    pub broken: Option<String>,
}

/// # Errors
/// [`SoundsError`] of the configured voice when not even a chime can be had.
pub fn load_or_less(config: &Config) -> Result<Heard, SoundsError> {
    let configured = find(config).and_then(|folder| Ok((load(&folder, config)?, folder)));
    let error = match configured {
        Ok((voice, folder)) => return Ok(Heard { voice, folder, broken: None }),
        Err(error) => error,
    };
    let mut without_english = config.clone();
    without_english.speech.english = None;
    let mut shipped = without_english.clone();
    SHIPPED.clone_into(&mut shipped.speech.voice);
    let less = [
        (config, "no chime is heard"),
        (&without_english, "Vietnamese alone is spoken"),
        (&shipped, "the voice north speaks instead"),
    ];
    for (config, what) in less {
        if let Ok(folder) = find(config)
            && let Ok(voice) = load_with(chimes(&folder).unwrap_or_default(), &folder, config)
        {
            return Ok(Heard { voice, folder, broken: Some(format!("{error}; {what}")) });
        }
    }
    let mut folders = places(config).into_iter().filter(|dir| dir.join(CHIMES).is_file());
    let found = folders.find_map(|dir| Some((chimes(&dir).ok()?, dir)));
    let Some((chimes, folder)) = found else { return Err(error) };
    let voice = Voice::new(Bank::empty(Accent::North), chimes, &without_english);
    let broken = Some(format!("{error}; only chimes are heard"));
    Ok(Heard { voice: voice.map_err(SoundsError::Template)?, folder, broken })
}

/// The same for one voice of any language, without another after it.
///
/// # Errors
/// As for [`load`].
pub fn load_one(dir: &Path, name: &str, config: &Config) -> Result<Voice, SoundsError> {
    Voice::new(bank(dir, name)?, chimes(dir)?, config).map_err(SoundsError::Template)
}

fn speaking(dir: &Path, name: &str, key: &'static str, wanted: &'static str) -> Result<Bank, SoundsError> {
    let bank = bank(dir, name)?;
    let found = bank.accent.language();
    if found == wanted {
        return Ok(bank);
    }
    Err(SoundsError::Language { path: dir.join(name).join(MANIFEST), key, found, wanted })
}

/// A voice, with what it takes from its base.
fn bank(dir: &Path, name: &str) -> Result<Bank, SoundsError> {
    let mut bank = manifest(dir, name)?;
    if let Some(base) = &bank.base {
        let base = manifest(dir, base)?;
        bank.fill_from(base);
    }
    Ok(bank)
}

fn manifest(dir: &Path, name: &str) -> Result<Bank, SoundsError> {
    let path = dir.join(name).join(MANIFEST);
    Bank::parse(&read(&path)?, name).map_err(|problems| SoundsError::Wrong { path, problems })
}

fn chimes(dir: &Path) -> Result<Chimes, SoundsError> {
    let path = dir.join(CHIMES);
    if !path.is_file() {
        return Ok(Chimes::default());
    }
    Chimes::parse(&read(&path)?, "chimes").map_err(|problems| SoundsError::Wrong { path, problems })
}

fn read(path: &Path) -> Result<String, SoundsError> {
    std::fs::read_to_string(path).map_err(|why| SoundsError::Unreadable { path: path.to_owned(), why })
}

/// Decodes every clip of a voice and tells which cannot be played; takes some seconds for a whole voice.
pub fn verify(dir: &Path, voice: &Voice) -> Vec<ClipError> {
    let check = |clip: &Clip| {
        let path = dir.join(&*clip.file);
        let found = decode(&path)?.len() as u64;
        let same = found == clip.frames;
        if same { Ok(()) } else { Err(ClipError::Length { path, expected: clip.frames, found }) }
    };
    voice.clips().filter_map(|clip| check(clip).err()).collect()
}

/// What a voice lacks for the hall, and which of its files are not there; decodes nothing.
pub fn lacking(dir: &Path, voice: &Voice, config: &Config) -> Vec<String> {
    let gone = voice.clips().map(|clip| dir.join(&*clip.file)).filter(|path| !path.is_file());
    let gone = gone.map(|path| format!("{} is missing", path.display()));
    voice.missing(config).into_iter().chain(gone).collect()
}

/// Logs and notes what a voice lacks for the hall and which of its files are missing, on a thread of its own: the first picture
/// does not wait for it.
///
/// # Errors
/// When the system gives no thread.
pub fn report(dir: PathBuf, voice: Voice, config: Config, notes: Notes) -> std::io::Result<()> {
    /// A voice that is wrong altogether fills no log.
    const LINES: usize = 20;
    let look = move || {
        let problems = lacking(&dir, &voice, &config);
        for problem in problems.iter().take(LINES) {
            tracing::error!(voice = voice.bank().name, "{problem}");
        }
        if problems.len() > LINES {
            tracing::error!(more = problems.len() - LINES, "run moiso voice check for the rest");
        }
        notes.lacks(problems);
    };
    std::thread::Builder::new().name("voice".into()).spawn(look).map(drop)
}
