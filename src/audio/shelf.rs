//! Keeps what operators have recorded, each sound under the hash of its content, and forgets it with its notice.
//!
//! Bounded in number and bytes; what a live notice names is never thrown out. A folder that cannot be read is an empty
//! one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use blake2::{Blake2s256, Digest as _};
use thiserror::Error;

use super::encode::{self, EncodeError};
use crate::board::call::RecordingId;
use crate::hub::HubHandle;
use crate::speech::Clip;

/// Most recordings, and bytes of them: a minute takes a quarter of a megabyte.
pub const MOST: usize = 100;
pub const BYTES_MOST: u64 = 32 * 1024 * 1024;
/// How often the folder is looked through, the first time when the hall's retained notices have long come.
const TIDY_EVERY: Duration = Duration::from_secs(3600);
/// Recordings that were to be heard here and are not on the shelf; more are not told of.
const UNHEARD: usize = 20;

#[derive(Debug, Error)]
pub enum ShelfError {
    #[error("every recording is part of a live notice, and there is no room for another")]
    Full,
    #[error("cannot encode: {0}")]
    Encode(#[from] EncodeError),
    #[error("cannot write {path}: {why}", path = path.display())]
    Write { path: PathBuf, why: io::Error },
}

/// The recordings of this screen, cheap to clone.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: Arc<Path>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    recordings: BTreeMap<RecordingId, Kept>,
    unheard: BTreeSet<RecordingId>,
}

#[derive(Clone, Debug)]
struct Kept {
    path: PathBuf,
    /// At the rate of the banks.
    frames: u64,
    bytes: u64,
    /// When a live notice last named it.
    used: SystemTime,
}

impl Shelf {
    /// Reads the names in `folder`, which need not exist; sounds are read when they are played.
    pub fn open(folder: PathBuf) -> Self {
        let mut recordings = BTreeMap::new();
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let named = name.strip_suffix(".opus").and_then(|stem| stem.split_once('-'));
            let named =
                named.and_then(|(id, frames)| Some((RecordingId::parse(id).ok()?, frames.parse().ok()?)));
            if let (Some((id, frames)), Ok(meta)) = (named, entry.metadata()) {
                let used = meta.modified().unwrap_or_else(|_| SystemTime::now());
                recordings.insert(id, Kept { path, frames, bytes: meta.len(), used });
            } else if path.extension().is_some_and(|extension| extension == "part") {
                // A kill in the middle of writing left it.
                let _ = fs::remove_file(path);
            }
        }
        let held = Held { recordings, unheard: BTreeSet::new() };
        Self { folder: folder.into(), held: Arc::new(Mutex::new(held)) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("nothing panics while it looks")
    }

    pub fn has(&self, id: &RecordingId) -> bool {
        self.held().recordings.contains_key(id)
    }

    /// The clip of a recording; one that is not here is remembered as such.
    pub fn clip(&self, id: &RecordingId) -> Option<Clip> {
        let mut held = self.held();
        if let Some(kept) = held.recordings.get(id) {
            return Some(Clip { file: kept.path.to_string_lossy().into(), frames: kept.frames });
        }
        if held.unheard.len() < UNHEARD {
            held.unheard.insert(id.clone());
        }
        None
    }

    /// Recordings of live notices that were to be heard here and could not.
    pub fn unheard(&self) -> Vec<RecordingId> {
        self.held().unheard.iter().cloned().collect()
    }

    /// Keeps a sound of one channel at the rate of the banks; the same sound is kept once. `wanted` is what live notices
    /// name. Writes a file.
    ///
    /// # Errors
    /// [`ShelfError`]; nothing has changed then.
    pub fn put(&self, sound: &[f32], wanted: &BTreeSet<RecordingId>) -> Result<RecordingId, ShelfError> {
        let mut bytes = Vec::new();
        encode::opus(&mut bytes, sound)?;
        self.keep(&bytes, sound.len(), wanted)
    }

    /// The same of a file that is encoded already, as another screen has it; `frames` is what it decodes to.
    ///
    /// # Errors
    /// [`ShelfError`]; nothing has changed then.
    pub fn keep(
        &self,
        bytes: &[u8],
        frames: usize,
        wanted: &BTreeSet<RecordingId>,
    ) -> Result<RecordingId, ShelfError> {
        let id = id_of(bytes);
        {
            let mut held = self.held();
            if let Some(kept) = held.recordings.get_mut(&id) {
                kept.use_now();
                return Ok(id);
            }
            held.make_room(bytes.len() as u64, wanted)?;
        }
        // Nobody who asks for a clip waits for the disk.
        let path = self.folder.join(format!("{id}-{frames}.opus"));
        write(&self.folder, &path, bytes).map_err(|why| ShelfError::Write { path: path.clone(), why })?;
        let (frames, bytes) = (frames as u64, bytes.len() as u64);
        let mut held = self.held();
        held.recordings.insert(id.clone(), Kept { path, frames, bytes, used: SystemTime::now() });
        held.unheard.remove(&id);
        Ok(id)
    }

    /// The file of a recording, as it is passed on to another screen. Reads it.
    pub fn file(&self, id: &RecordingId) -> Option<Vec<u8>> {
        let path = self.held().recordings.get(id)?.path.clone();
        fs::read(path).ok().filter(|bytes| id_of(bytes) == *id)
    }

    /// Removes what no live notice has named for `keep`.
    pub fn sweep(&self, wanted: &BTreeSet<RecordingId>, keep: Duration, now: SystemTime) {
        let mut held = self.held();
        held.unheard.retain(|id| wanted.contains(id));
        held.recordings
            .iter_mut()
            .filter(|(id, _)| wanted.contains(*id))
            .for_each(|(_, kept)| kept.use_now());
        let old = |kept: &Kept| now.duration_since(kept.used).is_ok_and(|age| age > keep);
        let gone = held.recordings.iter().filter(|(id, kept)| !wanted.contains(*id) && old(kept));
        let gone: Vec<RecordingId> = gone.map(|(id, _)| id.clone()).collect();
        for id in &gone {
            held.remove(id);
        }
    }

    /// Looks through the folder from time to time, for ever.
    pub async fn tidy(self, hub: HubHandle, keep: Duration) {
        loop {
            tokio::time::sleep(TIDY_EVERY).await;
            let Ok(wanted) = wanted(&hub).await else { continue };
            let shelf = self.clone();
            // Touches files.
            let _ = tokio::task::spawn_blocking(move || shelf.sweep(&wanted, keep, SystemTime::now())).await;
        }
    }
}

/// What the live notices name.
///
/// # Errors
/// [`Stopped`](crate::hub::Stopped) when the hub is gone.
pub async fn wanted(hub: &HubHandle) -> Result<BTreeSet<RecordingId>, crate::hub::Stopped> {
    Ok(hub.notices().await?.into_iter().filter_map(|notice| notice.recording).collect())
}

impl Held {
    /// Makes room for one more at the cost of those that have not been named for longest.
    fn make_room(&mut self, bytes: u64, wanted: &BTreeSet<RecordingId>) -> Result<(), ShelfError> {
        let total = |held: &Self| held.recordings.values().map(|kept| kept.bytes).sum::<u64>();
        while self.recordings.len() >= MOST || total(self) + bytes > BYTES_MOST {
            let idle = self.recordings.iter().filter(|(id, _)| !wanted.contains(*id));
            let oldest = idle.min_by_key(|(_, kept)| kept.used).map(|(id, _)| id.clone());
            self.remove(&oldest.ok_or(ShelfError::Full)?);
        }
        Ok(())
    }

    fn remove(&mut self, id: &RecordingId) {
        let Some(kept) = self.recordings.remove(id) else { return };
        match fs::remove_file(&kept.path) {
            Ok(()) => tracing::info!(recording = %id, "no notice has it any more; it is removed"),
            Err(error) => tracing::warn!(%error, path = %kept.path.display(), "a recording is left behind"),
        }
    }
}

impl Kept {
    /// Also for the next life of the process.
    fn use_now(&mut self) {
        self.used = SystemTime::now();
        let touched =
            File::options().append(true).open(&self.path).and_then(|file| file.set_modified(self.used));
        if let Err(error) = touched {
            tracing::warn!(%error, path = %self.path.display(), "a recording cannot be marked as used");
        }
    }
}

/// The name of an encoded sound: a hash of its content.
pub fn id_of(bytes: &[u8]) -> RecordingId {
    let digest: [u8; 32] = Blake2s256::digest(bytes).into();
    let half = digest.first_chunk().copied().map_or(0, u128::from_be_bytes);
    RecordingId::parse(&format!("{half:032x}")).expect("a number in 32 hexadecimal digits")
}

/// Whole or not at all, whatever happens in between.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let part = path.with_extension("part");
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::clips::decode;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn tone(pitch: f32) -> Vec<f32> {
        (0..4800).map(|n| (n as f32 * pitch).sin() * 0.3).collect()
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    #[test]
    fn the_same_sound_is_kept_once_and_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recordings");
        let shelf = Shelf::open(path.clone());
        let id = shelf.put(&tone(0.05), &BTreeSet::new()).unwrap();
        assert_eq!(shelf.put(&tone(0.05), &BTreeSet::new()).unwrap(), id);
        assert_eq!(files(&path), 1);
        fs::write(path.join(format!("{id}.part")), b"half").unwrap();
        fs::write(path.join("README"), b"not ours").unwrap();
        let again = Shelf::open(path.clone());
        let clip = again.clip(&id).unwrap();
        assert_eq!(decode(Path::new(&*clip.file)).unwrap().len() as u64, clip.frames);
        assert_eq!(files(&path), 2, "what a kill left is gone, and what is not ours stays");
    }

    #[test]
    fn a_recording_goes_when_no_notice_has_named_it_for_long_enough() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().to_owned());
        let [live, gone] = [0.05, 0.06].map(|pitch| shelf.put(&tone(pitch), &BTreeSet::new()).unwrap());
        let wanted = BTreeSet::from([live.clone()]);
        shelf.sweep(&wanted, 90 * DAY, SystemTime::now() + 89 * DAY);
        assert!(shelf.has(&live) && shelf.has(&gone));
        shelf.sweep(&wanted, 90 * DAY, SystemTime::now() + 91 * DAY);
        assert!(shelf.has(&live) && !shelf.has(&gone));
        assert_eq!(files(folder.path()), 1);
        let again = Shelf::open(folder.path().to_owned());
        again.sweep(&BTreeSet::new(), 90 * DAY, SystemTime::now() + 89 * DAY);
        assert!(again.has(&live), "the file remembers when it was last named");
    }

    #[test]
    fn the_oldest_that_nobody_needs_makes_room_and_a_live_one_never_does() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().to_owned());
        let pitch = |n: usize| 0.02 + n as f32 * 0.001;
        let ids: Vec<RecordingId> =
            (0..MOST).map(|n| shelf.put(&tone(pitch(n)), &BTreeSet::new()).unwrap()).collect();
        let all: BTreeSet<RecordingId> = ids.iter().cloned().collect();
        assert_eq!(all.len(), MOST, "different sounds have different ids");
        assert!(matches!(shelf.put(&tone(0.3), &all), Err(ShelfError::Full)));
        let but_one: BTreeSet<RecordingId> = all.iter().filter(|id| **id != ids[7]).cloned().collect();
        shelf.put(&tone(0.3), &but_one).unwrap();
        assert!(!shelf.has(&ids[7]) && files(folder.path()) == MOST);
    }

    #[test]
    fn what_is_missed_is_told_until_it_is_here_or_wanted_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().to_owned());
        let elsewhere = RecordingId::parse(&"5e".repeat(16)).unwrap();
        assert_eq!(shelf.clip(&elsewhere), None);
        assert_eq!(shelf.unheard(), [elsewhere]);
        shelf.sweep(&BTreeSet::new(), DAY, SystemTime::now());
        assert!(shelf.unheard().is_empty());
    }
}
