//! Writes 16-bit mono WAV.

use std::io::{self, Write};

/// Writes a whole file; samples outside -1 to 1 are clamped.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut impl Write, samples: &[f32], rate_hz: u32) -> io::Result<()> {
    let bytes = u32::try_from(samples.len() * 2)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "more than 4 GiB of sound"))?;
    out.write_all(b"RIFF")?;
    out.write_all(&bytes.saturating_add(36).to_le_bytes())?;
    out.write_all(b"WAVEfmt ")?;
    out.write_all(&16_u32.to_le_bytes())?;
    // PCM, one channel.
    out.write_all(&[1, 0, 1, 0])?;
    out.write_all(&rate_hz.to_le_bytes())?;
    out.write_all(&(rate_hz * 2).to_le_bytes())?;
    // Two bytes a frame, sixteen bits a sample.
    out.write_all(&[2, 0, 16, 0])?;
    out.write_all(b"data")?;
    out.write_all(&bytes.to_le_bytes())?;
    let pcm: Vec<u8> = samples.iter().flat_map(|s| to_i16(*s).to_le_bytes()).collect();
    out.write_all(&pcm)
}

fn to_i16(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}
