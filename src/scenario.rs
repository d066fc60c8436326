//! A recorded stretch of a day with its config: all that the picture of a known moment is made from. A recording
//! `NAME.jsonl` may have a config `NAME.toml` beside it, with only the keys that matter for it. Reads files; draws
//! nothing.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

use crate::board::Rules;
use crate::config::Config;
use crate::config::load::{place_pictures, theme};
use crate::config::section::{Env, Problem};
use crate::pictures::{with_logo, with_pictures};
use crate::replay::{self, BadLine, Event, Replay};
use crate::scene::{Look, Scene, Size, compose, idle_room};

/// Why there is no scenario.
#[derive(Debug, Error)]
pub enum ScenarioError {
    #[error("cannot read {path}: {why}")]
    Unreadable { path: PathBuf, why: std::io::Error },
    #[error("{path} is not a recording:\n{}", lines(bad))]
    NotARecording { path: PathBuf, bad: Vec<BadLine> },
    #[error("{path} is not a config:\n{}", lines(problems))]
    NotAConfig { path: PathBuf, problems: Vec<Problem> },
    #[error("{path} has no events of {prefix}")]
    Empty { path: PathBuf, prefix: String },
}

fn lines<T: ToString>(bad: &[T]) -> String {
    bad.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// One recording, up to one moment.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without its ending.
    pub name: String,
    pub config: Config,
    /// In the order of their times.
    pub events: Vec<Event>,
    /// The last event's time, unless somebody asks for another.
    pub until: Timestamp,
    look: Look,
}

impl Scenario {
    /// Reads a recording and the config beside it; where there is none, `config` holds.
    ///
    /// # Errors
    /// [`ScenarioError`], with every line that is wrong.
    pub fn read(path: &Path, config: &Config) -> Result<Self, ScenarioError> {
        let config = beside(path)?.unwrap_or_else(|| config.clone());
        Self::of(&text(path)?, path, config)
    }

    /// A recording that has been read; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Scenario::read`].
    pub fn of(text: &str, path: &Path, config: Config) -> Result<Self, ScenarioError> {
        let events = replay::read(text, &config.topic_prefix())
            .map_err(|bad| ScenarioError::NotARecording { path: path.to_owned(), bad })?;
        let empty = || ScenarioError::Empty { path: path.to_owned(), prefix: config.topic_prefix() };
        let until = events.last().map(|event| event.at).ok_or_else(empty)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let look = with_logo(Look::of(&config), &config);
        Ok(Self { name, config, events, until, look })
    }

    /// The same with another look, as for another theme.
    pub fn with_look(self, look: Look) -> Self {
        Self { look, ..self }
    }

    pub fn look(&self) -> &Look {
        &self.look
    }

    /// The board at `at`, with all that happened until then.
    pub fn board_at(&self, at: Timestamp) -> Replay {
        replay::play(Rules::of(&self.config), &self.events, at)
    }

    /// The picture at `at` on a screen of `size`, with all that moves where it is then.
    pub fn scene_at(&self, at: Timestamp, size: Size) -> Scene {
        let replay = self.board_at(at);
        let view = replay.board.view(replay.now);
        let room = idle_room(&self.look, size, view.counters.len());
        let look = with_pictures(self.look.clone(), &self.config, room);
        compose(&view, &look, size, replay.now).moved(replay.now.mono)
    }
}

/// The scenarios that `paths` name, a folder for all recordings in it, in the order of their names.
///
/// # Errors
/// The first that cannot be read.
pub fn read_all(paths: &[PathBuf], config: &Config) -> Result<Vec<Scenario>, ScenarioError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(recordings(path)?);
        } else {
            files.push(path.clone());
        }
    }
    files.iter().map(|file| Scenario::read(file, config)).collect()
}

fn recordings(folder: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let unreadable = |why| ScenarioError::Unreadable { path: folder.to_owned(), why };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    Ok(files)
}

/// The config beside a recording.
fn beside(path: &Path) -> Result<Option<Config>, ScenarioError> {
    let file = path.with_extension("toml");
    if !file.is_file() {
        return Ok(None);
    }
    let config = Config::read(&text(&file)?, Env::new()).and_then(|mut config| {
        let folder = file.parent().unwrap_or(Path::new(""));
        config.theme = theme(&config.screen.theme, folder)?;
        place_pictures(&mut config, folder);
        Ok(config)
    });
    config.map(Some).map_err(|problems| ScenarioError::NotAConfig { path: file, problems })
}

fn text(path: &Path) -> Result<String, ScenarioError> {
    let read = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    read.map_err(|why| ScenarioError::Unreadable { path: path.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each stands for a state of the board; a recording with a mistake in it would show another.
    #[test]
    fn every_recording_of_a_state_is_without_a_mistake() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes");
        let all = read_all(&[folder], &Config::default()).unwrap();
        assert!(all.len() > 30, "{}", all.len());
        for scenario in all {
            assert!(scenario.board_at(scenario.until).rejected.is_empty(), "{}", scenario.name);
        }
    }

    #[test]
    fn a_config_beside_a_recording_counts_and_a_wrong_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let day = folder.path().join("day.jsonl");
        std::fs::write(&day, "{\"t\":\"2026-11-24T09:40:00+07:00\",\"end\":true}\n").unwrap();
        let read = || Scenario::read(&day, &Config::default());
        assert_eq!(read().unwrap().config, Config::default());
        std::fs::write(folder.path().join("day.toml"), "[hall]\nid = \"cau-giay\"\n").unwrap();
        assert_eq!(read().unwrap().config.hall.id, "cau-giay");
        std::fs::write(folder.path().join("day.toml"), "[hall]\nnonsense = 1\n").unwrap();
        assert!(read().unwrap_err().to_string().contains("line 2: hall.nonsense"));
    }
}
