//! Whether this machine has what a config names: files, folders, a voice. Reads them; connects to nothing.

use std::path::{Path, PathBuf};

use crate::audio::music;
use crate::audio::sounds::{self, SoundsError};
use crate::config::Config;
use crate::config::load::state_dir;
use crate::control::auth::file::TokenFile;
use crate::control::auth::tokens_path;
use crate::control::tls;
use crate::mqtt;
use crate::pictures;
use crate::speech::voice::Voice;

/// What the config names and this machine lacks or cannot use.
pub fn missing(config: &Config) -> Vec<String> {
    let mut problems = mqtt::unusable(config);
    problems.extend(broker_users(config));
    if config.control.listen.is_some() {
        let tokens = TokenFile::at(tokens_path(config)).load();
        problems.extend(tokens.err().map(|error| format!("control.tokens_file: {error}")));
        let tls = config.control.tls.as_ref().and_then(tls::problem);
        problems.extend(tls.map(|error| format!("control.tls: {error}; {}", error.advice())));
    }
    problems.extend(music(config));
    problems.extend(pictures(config));
    problems.extend(not_writable(&state_dir(config)));
    match voice_of(config) {
        None => {}
        Some(Ok((voice, folder))) => {
            problems.extend(sounds::lacking(&folder, &voice, config));
        }
        Some(Err(error)) => problems.push(format!("speech.voice: {error}")),
    }
    problems
}

/// The configured voice and its sounds folder; none where the screen is silent.
pub fn voice_of(config: &Config) -> Option<Result<(Voice, PathBuf), SoundsError>> {
    let load = |folder: PathBuf| Ok((sounds::load(&folder, config)?, folder));
    config.audio.enabled.then(|| sounds::find(config).and_then(load))
}

#[cfg(feature = "embedded-broker")]
fn broker_users(config: &Config) -> Option<String> {
    let embedded = &config.mqtt.embedded;
    let path = embedded.users_file.as_deref().filter(|_| embedded.listen.is_some())?;
    mqtt::broker::users(path).err().map(|error| format!("mqtt.embedded: {error}"))
}

#[cfg(not(feature = "embedded-broker"))]
fn broker_users(config: &Config) -> Option<String> {
    let wanted = config.mqtt.embedded.listen.is_some();
    wanted.then(|| "mqtt.embedded.listen: this build has no embedded broker".to_owned())
}

fn music(config: &Config) -> Option<String> {
    let folder = config.audio.background.folder.as_deref().filter(|_| config.audio.enabled)?;
    let why = match music::files(folder) {
        Err(error) => format!("cannot be read: {error}"),
        Ok(files) if files.is_empty() => "has no FLAC, MP3, Ogg or WAV file".to_owned(),
        Ok(_) => return None,
    };
    Some(format!("audio.background.folder: {} {why}", folder.display()))
}

fn pictures(config: &Config) -> Vec<String> {
    let board = &config.board;
    let logo = board.logo.as_deref().and_then(|path| {
        let why = pictures::logo(path).err()?;
        Some(format!("board.logo: {} {why}", path.display()))
    });
    let folder = board.idle_pictures.as_deref().and_then(|path| {
        let why = std::fs::read_dir(path).err()?;
        Some(format!("board.idle_pictures: {} cannot be read: {why}", path.display()))
    });
    logo.into_iter().chain(folder).collect()
}

/// What lasts needs a folder that takes files, or one above it that does.
fn not_writable(folder: &Path) -> Option<String> {
    let there = folder.ancestors().find(|above| above.is_dir())?;
    let probe = there.join(format!(".moiso-check-{}", std::process::id()));
    let tried = std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe));
    tried.err().map(|why| format!("paths.state: cannot write in {}: {why}", folder.display()))
}
