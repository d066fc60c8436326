//! Background music: the files of a folder in the order of their names, for ever, decoded a little ahead by a thread of
//! its own. Nothing waits for it; when it is late, there is silence behind the voice.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::time::Duration;

use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{Fft, FixedSync, Resampler};

use super::media::{ClipError, Media};

/// Chunks decoded ahead, [`CHUNK`] each.
const AHEAD: usize = 8;
/// Frames of a file in one chunk: about an eighth of a second.
const CHUNK: usize = 6144;
/// Before an empty folder, or one without sound, is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Names of files that may be music.
const KINDS: [&str; 6] = ["flac", "mp3", "ogg", "oga", "opus", "wav"];

/// Music as it comes, one channel; its thread ends when this is dropped.
#[derive(Debug)]
pub struct Music(Receiver<Vec<f32>>);

impl Music {
    /// # Errors
    /// When the system gives no thread.
    pub fn begin(folder: PathBuf, rate_hz: u32) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(AHEAD);
        std::thread::Builder::new().name("music".into()).spawn(move || run(&folder, rate_hz, &sender))?;
        Ok(Self(chunks))
    }

    /// The next samples, if they are there already.
    pub fn take(&self) -> Option<Vec<f32>> {
        self.0.try_recv().ok()
    }
}

/// Files that may be music, in the order of their names.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let is_music = |path: &PathBuf| {
        let kind = path.extension().map(|kind| kind.to_string_lossy().to_lowercase());
        path.is_file() && kind.is_some_and(|kind| KINDS.contains(&kind.as_str()))
    };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(is_music);
    files.sort();
    Ok(files)
}

/// Until nobody listens.
fn run(folder: &Path, rate_hz: u32, to: &SyncSender<Vec<f32>>) {
    let mut told = false;
    loop {
        let files = files(folder).unwrap_or_default();
        let mut heard = false;
        for file in &files {
            match play(file, rate_hz, to) {
                Ok(()) => heard = true,
                Err(Stop::Listener) => return,
                Err(Stop::File(error)) if !told => {
                    tracing::warn!(%error, "a piece of music cannot be played");
                }
                Err(Stop::File(_)) => {}
            }
        }
        if !heard && !told {
            tracing::warn!(folder = %folder.display(), "no music in the folder");
        }
        told = true;
        if !heard {
            std::thread::sleep(LOOK_AGAIN);
            if to.send(Vec::new()).is_err() {
                return;
            }
        }
    }
}

enum Stop {
    /// Nobody wants more.
    Listener,
    File(ClipError),
}

impl From<SendError<Vec<f32>>> for Stop {
    fn from(_: SendError<Vec<f32>>) -> Self {
        Self::Listener
    }
}

fn play(file: &Path, rate_hz: u32, to: &SyncSender<Vec<f32>>) -> Result<(), Stop> {
    let mut media = Media::open(file).map_err(Stop::File)?;
    let fail = |why: String| Stop::File(ClipError::Decode { path: file.to_owned(), why });
    let mut rate = Rate::new(media.rate_hz(), rate_hz).map_err(fail)?;
    let mut samples = Vec::new();
    while media.read(&mut samples).map_err(Stop::File)? {
        while let Some(chunk) = rate.chunk(&mut samples).map_err(fail)? {
            to.send(chunk)?;
        }
    }
    Ok(())
}

/// Brings chunks to another rate.
enum Rate {
    Same,
    Other(Box<Fft<f32>>),
}

impl Rate {
    fn new(from_hz: u32, to_hz: u32) -> Result<Self, String> {
        if from_hz == to_hz {
            return Ok(Self::Same);
        }
        let (from, to) = (from_hz as usize, to_hz as usize);
        let resampler = Fft::new(from, to, CHUNK, 1, FixedSync::Input).map_err(|e| e.to_string())?;
        Ok(Self::Other(Box::new(resampler)))
    }

    /// Takes a chunk from the front of `samples` when they are enough.
    fn chunk(&mut self, samples: &mut Vec<f32>) -> Result<Option<Vec<f32>>, String> {
        let needed = match self {
            Self::Same => CHUNK,
            Self::Other(resampler) => resampler.input_frames_next(),
        };
        if samples.len() < needed {
            return Ok(None);
        }
        let chunk: Vec<f32> = samples.drain(..needed).collect();
        match self {
            Self::Same => Ok(Some(chunk)),
            Self::Other(resampler) => {
                let input = InterleavedOwned::new_from(chunk, 1, needed).map_err(|e| e.to_string())?;
                let output = resampler.process(&input, None).map_err(|e| e.to_string())?;
                Ok(Some(output.take_data()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Instant;

    use super::*;
    use crate::audio::wav;

    fn folder(files: &[(&str, f32, u32)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, value, rate_hz) in files {
            let file = File::create(dir.path().join(name)).unwrap();
            wav::write(file, &vec![*value; *rate_hz as usize], *rate_hz).unwrap();
        }
        dir
    }

    fn collect(music: &Music, frames: usize) -> Vec<f32> {
        let (mut all, until) = (Vec::new(), Instant::now() + Duration::from_secs(10));
        while all.len() < frames {
            assert!(Instant::now() < until, "only {} frames came", all.len());
            all.extend(music.take().unwrap_or_default());
        }
        all
    }

    #[test]
    fn the_files_follow_each_other_for_ever_and_what_is_no_sound_is_passed_over() {
        let dir = folder(&[("b.wav", 0.2, 48_000), ("a.wav", 0.1, 48_000)]);
        std::fs::write(dir.path().join("aa.mp3"), "no sound").unwrap();
        std::fs::write(dir.path().join("notes.txt"), "no music").unwrap();
        let music = Music::begin(dir.path().to_owned(), 48_000).unwrap();
        let all = collect(&music, 120_000);
        let whole = 48_000 / CHUNK * CHUNK;
        let near = |at: usize, value: f32| (all[at] - value).abs() < 0.001;
        assert!(near(0, 0.1) && near(whole - 1, 0.1), "the first file");
        assert!(near(whole, 0.2) && near(2 * whole - 1, 0.2), "the second");
        assert!(near(2 * whole, 0.1), "and again");
    }

    #[test]
    fn another_rate_is_brought_to_the_cards() {
        let dir = folder(&[("a.wav", 0.3, 44_100)]);
        let music = Music::begin(dir.path().to_owned(), 48_000).unwrap();
        let all = collect(&music, 40_000);
        assert!((all[20_000] - 0.3).abs() < 0.01, "{}", all[20_000]);
    }
}
