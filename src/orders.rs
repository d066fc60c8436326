//! The technician's commands that are no inputs of the board: volume, a test call, a picture on disk, a fresh start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use crate::audio;
use crate::board::input::AnnouncementId;
use crate::clock::Clock;
use crate::config::AudioConfig;
use crate::config::load::load;
use crate::hub::Speaker;
use crate::present::PortHandle;
use crate::ready::missing;
use crate::speech::{RATE_HZ, Utterance};
use crate::wire::{Action, Command};

/// Pictures that are kept; the oldest goes first.
const PICTURES: usize = 20;
/// An id that the board, which counts from the start, never gives: for it the end of a test call is an echo.
const TEST_CALL: AnnouncementId = AnnouncementId(u64::MAX);

/// Between two test calls, for what was being said before.
const TEST_CALL_PAUSE: Duration = Duration::from_secs(5);

/// How late a scheduled volume may come.
const SCHEDULE_EVERY: Duration = Duration::from_secs(10);

/// The volume by the time of day.
pub struct Schedule {
    pub config: AudioConfig,
    pub clock: Arc<dyn Clock>,
    pub zone: TimeZone,
}

impl Schedule {
    fn volume(&self) -> u32 {
        self.config.volume_at(self.zone.to_datetime(self.clock.now().wall).time())
    }
}

/// What the commands act on.
pub struct Orders {
    pub schedule: Schedule,
    pub audio: Option<audio::Handle>,
    /// What a test call says.
    pub test_call: Option<Arc<Utterance>>,
    pub glass: PortHandle,
    /// The folder of the pictures.
    pub pictures: PathBuf,
    /// The config file that the daemon was started with, if any.
    pub config: Option<PathBuf>,
}

impl Orders {
    /// Carries out one command after the other, for ever.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
        // When the last test call is over.
        let mut busy_until = None;
        // With this the sound began.
        let mut scheduled = self.schedule.config.volume_percent;
        let has_schedule = self.audio.is_some() && !self.schedule.config.schedule.is_empty();
        let mut tick = tokio::time::interval(SCHEDULE_EVERY);
        loop {
            tokio::select! {
                command = orders.recv() => match command {
                    Some(command) => self.carry_out(command, &mut busy_until).await,
                    None => return,
                },
                _ = tick.tick(), if has_schedule => {
                    let volume = self.schedule.volume();
                    if std::mem::replace(&mut scheduled, volume) != volume {
                        self.set_volume("schedule", volume);
                    }
                }
            }
        }
    }

    async fn carry_out(&mut self, command: Command, busy_until: &mut Option<Instant>) {
        let by = command.by.as_deref().unwrap_or("unknown");
        match command.action {
            Action::VolumePercent(percent) => self.set_volume(by, percent.into()),
            Action::TestCall => {
                tracing::info!(by, "test call");
                self.test_call(busy_until);
            }
            Action::Reload => self.reload(by).await,
            Action::Snapshot => self.snapshot(by).await,
            Action::Mute(_) | Action::Unmute(_) | Action::Identify => {
                tracing::error!("the board's own command came to the shell");
            }
        }
    }

    fn set_volume(&self, by: &str, percent: u32) {
        tracing::info!(by, percent, "volume");
        if let Some(audio) = &self.audio {
            audio.set_volume(percent);
        }
    }

    /// In every zone, behind whatever is being said there.
    fn test_call(&mut self, busy_until: &mut Option<Instant>) {
        let (Some(audio), Some(utterance)) = (&mut self.audio, &self.test_call) else {
            tracing::warn!("this screen has no voice");
            return;
        };
        // The board does not know of it: more than one at a time would hold up real calls.
        let now = Instant::now();
        if busy_until.is_some_and(|until| now < until) {
            tracing::warn!("the last test call is not over");
            return;
        }
        let length = utterance.frames(RATE_HZ) as f64 / f64::from(RATE_HZ);
        *busy_until = Some(now + Duration::from_secs_f64(length) + TEST_CALL_PAUSE);
        for zone in audio.zones() {
            audio.say(&zone, TEST_CALL, Arc::clone(utterance));
        }
    }

    /// Ends the daemon in order, so that the supervisor starts it with the new config; a config with problems is refused.
    async fn reload(&self, by: &str) {
        let path = self.config.clone();
        // Reads files.
        let looked = tokio::task::spawn_blocking(move || match load(path.as_deref()) {
            Ok(config) => missing(&config),
            Err(error) => vec![error.to_string()],
        });
        let problems = looked.await.unwrap_or_else(|error| vec![error.to_string()]);
        if !problems.is_empty() {
            tracing::error!(by, problems = problems.join("; "), "no reload");
            return;
        }
        tracing::info!(by, "ends to start with the new config");
        self.glass.quit();
    }

    async fn snapshot(&self, by: &str) {
        let picture = match self.glass.snapshot().await {
            Ok(picture) => picture,
            Err(error) => return tracing::error!(by, %error, "no picture"),
        };
        let folder = self.pictures.clone();
        let kept = tokio::task::spawn_blocking(move || keep(&folder, &picture)).await;
        match kept {
            Ok(Ok(path)) => tracing::info!(by, path = %path.display(), "picture kept"),
            Ok(Err(error)) => tracing::error!(by, %error, folder = %self.pictures.display(), "no picture"),
            Err(error) => tracing::error!(by, %error, "no picture"),
        }
    }
}

fn keep(folder: &Path, picture: &[u8]) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    // Names in the order of time.
    let path = folder.join(format!("{}.png", Timestamp::now().strftime("%Y%m%dT%H%M%S%.3fZ")));
    std::fs::write(&path, picture)?;
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    all.retain(|file| file.extension().is_some_and(|extension| extension == "png"));
    all.sort();
    // A clock that was set back makes the newest the first by name; it stays all the same.
    for old in all.iter().rev().skip(PICTURES).filter(|old| **old != path) {
        std::fs::remove_file(old)?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_pictures_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..25 {
            std::fs::write(folder.path().join(format!("20260101T0000{n:02}.000Z.png")), b"").unwrap();
        }
        let last = keep(folder.path(), b"png").unwrap();
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
        left.sort();
        assert_eq!((left.len(), left.last()), (PICTURES, Some(&last)));
    }
}
