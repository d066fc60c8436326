//! Makes what an operator has recorded, or any sound file that they have, fit for the loudspeakers: one channel, without
//! the silence at its ends, as loud as the voice that calls.
//!
//! The file comes from outside: whatever is in it, the answer is samples or an [`Unfit`].

use std::ops::RangeInclusive;
use std::panic::catch_unwind;
use std::path::Path;

use ebur128::{EbuR128, Mode};
use thiserror::Error;

use super::clips::{ClipError, resample};
use super::gauge;
use super::limiter::limited;
use super::media::Media;
use super::studio::{LOUDNESS_LUFS, amplify};
use crate::speech::RATE_HZ;

/// Largest file, bytes: a minute of stereo at 16 bits and 48 kHz is 11.5 MB, of one channel half of it.
pub const FILE_MAX: usize = 10 * 1024 * 1024;
/// Length between the silences at the ends, seconds. A longer one would keep calls waiting.
pub const SECONDS_MIN: usize = 1;
pub const SECONDS_MAX: usize = 60;
/// From a telephone to a studio.
const RATES_HZ: RangeInclusive<u32> = 8_000..=192_000;
/// More than that with its silences is not even read, seconds.
const READ_MAX: usize = 90;
/// Softer than this is the noise of a microphone in which nobody speaks.
const SPEECH_DBFS: f32 = -50.0;
/// A sample at least this large cannot be told from one that was cut off.
const FULL: f32 = 0.995;
/// One sample of so many at full scale: an overdriven microphone has far more, a file with one loud word far fewer.
const CLIPPED: usize = 200;
/// A whisper is not raised more than this, with all its noise.
const GAIN_MAX_DB: f64 = 36.0;
/// The limiter takes some loudness away, so it is measured again that often.
const PASSES: usize = 3;
/// Near enough, LU.
const NEAR: f64 = 0.3;
/// What the encoder may add, and no more, LU.
const LOUDER_LU: f64 = 1.5;

/// Why a file is no message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    #[error("it cannot be read as sound: {0}")]
    Unreadable(String),
    #[error("it is longer than {SECONDS_MAX} s")]
    TooLong,
    #[error("it is shorter than {SECONDS_MIN} s")]
    TooShort,
    #[error("nothing is heard in it")]
    Silent,
    #[error("it is overdriven")]
    Clipped,
}

impl From<ClipError> for Unfit {
    fn from(error: ClipError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Reads a file of any format that [`Media`] knows; one channel at [`RATE_HZ`].
///
/// # Errors
/// [`Unfit`].
pub fn fit(file: Vec<u8>) -> Result<Vec<f32>, Unfit> {
    let (raw, rate_hz) = decoded(file)?;
    if raw.iter().filter(|s| s.abs() >= FULL).count() * CLIPPED > raw.len() {
        return Err(Unfit::Clipped);
    }
    let frames = raw.len() as u64 * u64::from(RATE_HZ) / u64::from(rate_hz);
    let sound = resample(&raw, rate_hz, RATE_HZ, frames as usize).map_err(Unfit::Unreadable)?;
    let measured = gauge::gauge(&sound);
    if measured.is_silent() || measured.level_dbfs < SPEECH_DBFS {
        return Err(Unfit::Silent);
    }
    let trimmed = gauge::trimmed(&sound, &measured);
    let frames = |seconds: usize| seconds * RATE_HZ as usize;
    if trimmed.len() < frames(SECONDS_MIN) {
        return Err(Unfit::TooShort);
    }
    if trimmed.len() > frames(SECONDS_MAX) {
        return Err(Unfit::TooLong);
    }
    levelled(&trimmed)
}

/// Looks whether a file is as [`fit`] and the encoder leave one, and tells its frames at [`RATE_HZ`]: what another screen
/// of the hall passes on is played as it came.
///
/// # Errors
/// [`Unfit`].
pub fn is_fit(file: Vec<u8>) -> Result<usize, Unfit> {
    let (sound, rate_hz) = decoded(file)?;
    if rate_hz != RATE_HZ {
        return Err(Unfit::Unreadable(format!("{rate_hz} Hz is not the rate of the voice")));
    }
    if sound.len() < SECONDS_MIN * RATE_HZ as usize {
        return Err(Unfit::TooShort);
    }
    if sound.len() > SECONDS_MAX * RATE_HZ as usize {
        return Err(Unfit::TooLong);
    }
    if loudness(&sound)? > LOUDNESS_LUFS + LOUDER_LU {
        return Err(Unfit::Clipped);
    }
    Ok(sound.len())
}

/// A decoder that a damaged file makes panic has found the file to be damaged.
fn decoded(file: Vec<u8>) -> Result<(Vec<f32>, u32), Unfit> {
    let decoded = catch_unwind(move || read(file));
    decoded.unwrap_or_else(|_| Err(Unfit::Unreadable("its decoder gave up".into())))
}

/// The samples of one channel and their rate; what is no number is silence.
fn read(file: Vec<u8>) -> Result<(Vec<f32>, u32), Unfit> {
    let mut media = Media::of(file, Path::new("the file"))?;
    if !RATES_HZ.contains(&media.rate_hz()) {
        return Err(Unfit::Unreadable(format!("{} Hz is no rate of sound", media.rate_hz())));
    }
    let most = READ_MAX * media.rate_hz() as usize;
    let mut samples = Vec::new();
    while media.read(&mut samples)? {
        if samples.len() > most {
            return Err(Unfit::TooLong);
        }
    }
    for sample in samples.iter_mut().filter(|s| !s.is_finite()) {
        *sample = 0.0;
    }
    Ok((samples, media.rate_hz()))
}

/// As loud as a bank's clips; what stands out is turned down by the mixer's own limiter.
fn levelled(sound: &[f32]) -> Result<Vec<f32>, Unfit> {
    let mut gain_db = 0.0;
    let mut out = sound.to_vec();
    for _ in 0..PASSES {
        let off = LOUDNESS_LUFS - loudness(&out)?;
        gain_db = (gain_db + off).min(GAIN_MAX_DB);
        if off.abs() < NEAR {
            break;
        }
        out.copy_from_slice(sound);
        amplify(&mut out, gain_db);
        out = limited(&out, RATE_HZ);
    }
    Ok(out)
}

fn loudness(sound: &[f32]) -> Result<f64, Unfit> {
    let measure = || {
        let mut meter = EbuR128::new(1, RATE_HZ, Mode::I)?;
        meter.add_frames_f32(sound)?;
        meter.loudness_global()
    };
    measure().ok().filter(|lufs| lufs.is_finite()).ok_or(Unfit::Silent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav;
    use std::io::Cursor;

    const RATE: usize = RATE_HZ as usize;

    /// Something like speech: half-second syllables of a hoarse voice with pauses between them.
    fn speech(seconds: usize, level: f32) -> Vec<f32> {
        let voice = |n: usize| {
            let t = n as f32 / RATE as f32;
            let syllable = (t * std::f32::consts::TAU).sin().max(0.0);
            let tone: f32 =
                (1..6).map(|k| (t * 170.0 * k as f32 * std::f32::consts::TAU).sin() / k as f32).sum();
            level * syllable * tone / 2.0
        };
        (0..seconds * RATE).map(voice).collect()
    }

    fn file(samples: &[f32]) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        wav::write(&mut out, samples, RATE_HZ).unwrap();
        out.into_inner()
    }

    #[test]
    fn a_soft_and_a_loud_speaker_are_heard_as_loud_as_the_voice_and_without_their_silences() {
        for level in [0.02, 0.9] {
            let mut recorded = vec![0.0; 2 * RATE];
            recorded.extend(speech(5, level));
            recorded.extend(vec![0.0; 3 * RATE]);
            let heard = fit(file(&recorded)).unwrap();
            let loud = loudness(&heard).unwrap();
            assert!((loud - LOUDNESS_LUFS).abs() < 1.0, "{level}: {loud} LUFS");
            assert!(heard.iter().all(|s| s.abs() < 0.85));
            let seconds = heard.len() as f32 / RATE as f32;
            assert!((4.3..5.2).contains(&seconds), "{seconds} s");
        }
    }

    #[test]
    fn what_nobody_could_listen_to_is_refused_with_its_reason() {
        let clipped: Vec<f32> = speech(5, 30.0).iter().map(|s| s.clamp(-1.0, 1.0)).collect();
        let noise: Vec<f32> = (0..5 * RATE).map(|n| if n % 2 == 0 { 1e-3 } else { -1e-3 }).collect();
        let shortest = speech(1, 0.3)[..RATE / 3].to_vec();
        for (samples, why) in [
            (speech(61, 0.3), Unfit::TooLong),
            (speech(95, 0.3), Unfit::TooLong),
            (shortest, Unfit::TooShort),
            (vec![0.0; 5 * RATE], Unfit::Silent),
            (noise, Unfit::Silent),
            (clipped, Unfit::Clipped),
        ] {
            assert_eq!(fit(file(&samples)).unwrap_err(), why);
        }
        for junk in [&b""[..], b"RIFF", b"MZ this is no sound", &[0xff; 4096], &[0; 4096]] {
            assert!(matches!(fit(junk.to_vec()), Err(Unfit::Unreadable(_))), "{junk:?}");
        }
    }

    #[test]
    fn what_another_screen_passes_on_must_be_as_this_one_would_have_made_it() {
        let made = |sound: &[f32]| {
            let mut file = Vec::new();
            crate::audio::encode::opus(&mut file, sound).unwrap();
            file
        };
        let heard = fit(file(&speech(5, 0.3))).unwrap();
        assert_eq!(is_fit(made(&heard)), Ok(heard.len()));
        let shout: Vec<f32> = heard.iter().map(|s| (s * 3.0).clamp(-1.0, 1.0)).collect();
        assert_eq!(is_fit(made(&shout)), Err(Unfit::Clipped));
        assert_eq!(is_fit(made(&speech(61, 0.1))), Err(Unfit::TooLong));
        assert_eq!(is_fit(made(&heard[..RATE / 2])), Err(Unfit::TooShort));
        assert!(matches!(is_fit(b"OggS and then nothing".to_vec()), Err(Unfit::Unreadable(_))));
    }

    #[test]
    fn a_damaged_file_is_a_fault_and_never_a_panic() {
        let whole = file(&speech(2, 0.3));
        let mut seed = 1_u64;
        for _ in 0..300 {
            let mut damaged = whole.clone();
            for _ in 0..4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (seed >> 33) as usize;
                // Mostly the head, where lengths and formats stand.
                let at = if at.is_multiple_of(4) { at % damaged.len() } else { at % 64 };
                damaged[at] = (seed >> 24) as u8;
            }
            damaged.truncate((seed >> 40) as usize % whole.len() + 1);
            let _ = fit(damaged);
        }
    }
}
