//! Writes 16-bit mono WAV.

use std::io::{Seek, Write};

use hound::{Result, SampleFormat, WavSpec, WavWriter};

/// An empty file of one channel.
///
/// # Errors
/// Those of `out`.
pub fn begin<W: Write + Seek>(out: W, rate_hz: u32) -> Result<WavWriter<W>> {
    let spec =
        WavSpec { channels: 1, sample_rate: rate_hz, bits_per_sample: 16, sample_format: SampleFormat::Int };
    WavWriter::new(out, spec)
}

/// Appends samples; those outside -1 to 1 are clamped.
///
/// # Errors
/// Those of the file, and more than 4 GiB.
pub fn append<W: Write + Seek>(file: &mut WavWriter<W>, samples: &[f32]) -> Result<()> {
    samples.iter().try_for_each(|s| file.write_sample(to_i16(*s)))
}

/// Writes a whole file.
///
/// # Errors
/// As for [`append`].
pub fn write(out: impl Write + Seek, samples: &[f32], rate_hz: u32) -> Result<()> {
    let mut file = begin(out, rate_hz)?;
    append(&mut file, samples)?;
    file.finalize()
}

fn to_i16(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}
