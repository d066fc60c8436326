//! Reads sound files packet by packet, as one channel. The only file that names the decoders.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as MediaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::Duration;
use symphonia_adapter_libopus::OpusDecoder;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum ClipError {
    #[error("cannot open {path}: {why}")]
    Open { path: PathBuf, why: std::io::Error },
    #[error("cannot decode {path}: {why}")]
    Decode { path: PathBuf, why: String },
    #[error("{path} has {found} frames, its manifest says {expected}")]
    Length { path: PathBuf, expected: u64, found: u64 },
}

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
});

/// An opened sound file.
pub struct Media {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate_hz: u32,
    frames: Vec<f32>,
}

impl Media {
    /// # Errors
    /// [`ClipError`] when the file cannot be opened or is no sound.
    pub fn open(path: &Path) -> Result<Self, ClipError> {
        let file = File::open(path).map_err(|why| ClipError::Open { path: path.to_owned(), why })?;
        Self::read_from(Box::new(file), path)
    }

    /// The same of a file that is in memory; `name` is for messages, and its ending for a guess at the format.
    ///
    /// # Errors
    /// [`ClipError`] when it is no sound.
    pub fn of(bytes: Vec<u8>, name: &Path) -> Result<Self, ClipError> {
        Self::read_from(Box::new(Cursor::new(bytes)), name)
    }

    fn read_from(source: Box<dyn MediaSource>, path: &Path) -> Result<Self, ClipError> {
        let fail = |why: String| ClipError::Decode { path: path.to_owned(), why };
        let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|e| fail(e.to_string()))?;
        let track = format.default_track(TrackType::Audio).ok_or_else(|| fail("has no sound".into()))?;
        let params = track.codec_params.as_ref().and_then(|p| p.audio());
        let params = params.ok_or_else(|| fail("has no sound".into()))?;
        let rate_hz =
            params.sample_rate.filter(|rate| *rate > 0).ok_or_else(|| fail("has no rate".into()))?;
        let decoder = CODECS
            .make_audio_decoder(params, &AudioDecoderOptions::default())
            .map_err(|e| fail(e.to_string()))?;
        let track = track.id;
        Ok(Self { path: path.to_owned(), format, decoder, track, rate_hz, frames: Vec::new() })
    }

    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Appends the next packet's samples, the mean of its channels; false at the end. Encoder delay and padding are cut
    /// away.
    ///
    /// # Errors
    /// [`ClipError`] of a damaged file.
    pub fn read(&mut self, mono: &mut Vec<f32>) -> Result<bool, ClipError> {
        self.packet(mono).map_err(|e| ClipError::Decode { path: self.path.clone(), why: e.to_string() })
    }

    fn packet(&mut self, mono: &mut Vec<f32>) -> Result<bool, MediaError> {
        while let Some(mut packet) = self.format.next_packet()? {
            if packet.track_id != self.track {
                continue;
            }
            // Both the reader and the Opus decoder would cut the encoder delay; it must go once.
            packet.trim_start = Duration::ZERO;
            let sound = self.decoder.decode(&packet)?;
            let channels = sound.num_planes().max(1);
            self.frames.clear();
            sound.copy_to_vec_interleaved::<f32>(&mut self.frames);
            let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
            mono.extend(self.frames.chunks_exact(channels).map(mean));
            return Ok(true);
        }
        Ok(false)
    }
}
