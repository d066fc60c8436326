//! Decodes clips and keeps the last used ones, at most [`CACHE_BYTES`]. Never decodes a voice as a whole.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{Fft, FixedSync, Resampler};

pub use super::media::ClipError;
use super::media::Media;
use super::mixer::{Piece, Samples, Track};
use crate::board::input::AnnouncementId;
use crate::speech::{Clip, Part, RATE_HZ, Utterance, gap_frames, resampled};

/// What the cache holds at most: some 85 seconds of sound, several busy sentences.
pub const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The clips of a sounds folder.
#[derive(Debug)]
pub struct Clips {
    root: PathBuf,
    cache: HashMap<(Arc<str>, u32), Cached>,
    bytes: usize,
    /// Counts look-ups; the entry with the oldest count goes first.
    turn: u64,
}

#[derive(Debug)]
struct Cached {
    samples: Samples,
    turn: u64,
}

impl Clips {
    pub fn new(root: PathBuf) -> Self {
        Self { root, cache: HashMap::new(), bytes: 0, turn: 0 }
    }

    /// Bytes of decoded sound that are kept.
    pub fn cached_bytes(&self) -> usize {
        self.bytes
    }

    /// Decodes all clips of an utterance; an announcement is played whole or not at all.
    ///
    /// # Errors
    /// [`ClipError`] of the first clip that cannot be read.
    pub fn track(
        &mut self,
        id: AnnouncementId,
        utterance: &Utterance,
        rate_hz: u32,
    ) -> Result<Track, ClipError> {
        let piece = |part: &Part| match part {
            Part::Clip(clip) => self.get(clip, rate_hz).map(Piece::Sound),
            Part::Gap(span) => Ok(Piece::Silence(gap_frames(*span, rate_hz))),
        };
        let pieces = utterance.parts.iter().map(piece).collect::<Result<_, _>>()?;
        Ok(Track { id, pieces })
    }

    /// The samples of a clip at `rate_hz`.
    ///
    /// # Errors
    /// [`ClipError`] when the file cannot be read, or is not as long as its manifest says: then it may be another
    /// clip, and a wrong number is worse than none.
    pub fn get(&mut self, clip: &Clip, rate_hz: u32) -> Result<Samples, ClipError> {
        self.turn += 1;
        let key = (Arc::clone(&clip.file), rate_hz);
        if let Some(cached) = self.cache.get_mut(&key) {
            cached.turn = self.turn;
            return Ok(Arc::clone(&cached.samples));
        }
        let path = self.root.join(&*clip.file);
        let decoded = decode(&path)?;
        if decoded.len() as u64 != clip.frames {
            return Err(ClipError::Length { path, expected: clip.frames, found: decoded.len() as u64 });
        }
        let samples: Samples =
            resample(&decoded, RATE_HZ, rate_hz, resampled(decoded.len() as u64, rate_hz) as usize)
                .map_err(|why| ClipError::Decode { path, why })?
                .into();
        self.keep(key, Arc::clone(&samples));
        Ok(samples)
    }

    fn keep(&mut self, key: (Arc<str>, u32), samples: Samples) {
        self.bytes += size_of_val(&*samples);
        self.cache.insert(key, Cached { samples, turn: self.turn });
        while self.bytes > CACHE_BYTES {
            let oldest = self.cache.iter().min_by_key(|(_, cached)| cached.turn);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            if let Some(gone) = self.cache.remove(&key) {
                self.bytes -= size_of_val(&*gone.samples);
            }
        }
    }
}

/// Decodes a whole file to one channel at [`RATE_HZ`]; encoder delay and padding are cut away.
///
/// # Errors
/// [`ClipError`] when the file cannot be opened or is not sound at that rate.
pub fn decode(path: &Path) -> Result<Vec<f32>, ClipError> {
    match decode_any(path)? {
        (samples, RATE_HZ) => Ok(samples),
        _ => Err(ClipError::Decode { path: path.to_owned(), why: format!("is not at {RATE_HZ} Hz") }),
    }
}

/// The same at whatever rate the file has, brought to [`RATE_HZ`].
///
/// # Errors
/// [`ClipError`] when the file cannot be opened or is no sound.
pub fn recording(path: &Path) -> Result<Vec<f32>, ClipError> {
    let (samples, rate_hz) = decode_any(path)?;
    let fail = |why| ClipError::Decode { path: path.to_owned(), why };
    let frames = samples.len() as u64 * u64::from(RATE_HZ) / u64::from(rate_hz);
    resample(&samples, rate_hz, RATE_HZ, frames as usize).map_err(fail)
}

/// The samples of one channel and their rate.
fn decode_any(path: &Path) -> Result<(Vec<f32>, u32), ClipError> {
    let mut media = Media::open(path)?;
    let mut samples = Vec::new();
    while media.read(&mut samples)? {}
    Ok((samples, media.rate_hz()))
}

/// From one rate to another, `frames` long.
pub(super) fn resample(samples: &[f32], from_hz: u32, to_hz: u32, frames: usize) -> Result<Vec<f32>, String> {
    if from_hz == to_hz {
        return Ok(samples.to_vec());
    }
    let (from, to) = (from_hz as usize, to_hz as usize);
    let mut resampler = Fft::<f32>::new(from, to, 1024, 1, FixedSync::Both).map_err(|e| e.to_string())?;
    let input = InterleavedOwned::new_from(samples.to_vec(), 1, samples.len()).map_err(|e| e.to_string())?;
    let output = resampler.process_all(&input, samples.len(), None).map_err(|e| e.to_string())?;
    let mut out = output.take_data();
    out.resize(frames, 0.0);
    Ok(out)
}
