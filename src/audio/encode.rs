//! Writes a clip as Opus in Ogg (RFC 7845), of exactly its length.

use std::io::Write;

use ogg::{PacketWriteEndInfo, PacketWriter};
use opus::{Application, Bitrate, Channels, Encoder};
use thiserror::Error;

use crate::speech::RATE_HZ;

/// 20 ms.
const FRAME: usize = RATE_HZ as usize / 50;
/// Speech of one voice; decoded it is as clear as the recording to a hall.
const BITRATE: i32 = 32_000;
/// Any number: there is one stream in the file.
const SERIAL: u32 = 1;
/// Largest packet that Opus can make, bytes.
const PACKET_MAX: usize = 1275;

#[derive(Debug, Error)]
pub enum EncodeError {
    #[error("Opus: {0}")]
    Opus(#[from] opus::Error),
    #[error("{0}")]
    Write(#[from] std::io::Error),
}

/// Encodes one channel at [`RATE_HZ`].
///
/// # Errors
/// Those of the encoder and of `out`.
pub fn opus(out: impl Write, samples: &[f32]) -> Result<(), EncodeError> {
    let mut encoder = Encoder::new(RATE_HZ, Channels::Mono, Application::Audio)?;
    encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
    let delay = u16::try_from(encoder.get_lookahead()?).unwrap_or(0);
    let mut ogg = PacketWriter::new(out);
    ogg.write_packet(head(delay), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    ogg.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    // The decoder drops `delay` frames at the start, so as many follow the last sample.
    let total = samples.len() + usize::from(delay);
    let packets = total.div_ceil(FRAME).max(1);
    let mut padded = samples.to_vec();
    padded.resize(packets * FRAME, 0.0);
    for (index, frame) in padded.chunks_exact(FRAME).enumerate() {
        let packet = encoder.encode_vec_float(frame, PACKET_MAX)?;
        let last = index + 1 == packets;
        // A last position before the end of its packet cuts what is too much.
        let position = if last { total } else { (index + 1) * FRAME };
        let end = if last { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket };
        ogg.write_packet(packet, SERIAL, end, position as u64)?;
    }
    Ok(())
}

fn head(delay: u16) -> Vec<u8> {
    // Version 1, one channel; no gain, one stream.
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(delay.to_le_bytes());
    head.extend(RATE_HZ.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}

fn tags() -> Vec<u8> {
    let vendor = concat!("moiso ", env!("CARGO_PKG_VERSION"));
    let mut tags = b"OpusTags".to_vec();
    tags.extend((vendor.len() as u32).to_le_bytes());
    tags.extend(vendor.bytes());
    tags.extend(0_u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::clips::decode;

    #[test]
    fn what_is_encoded_is_decoded_to_exactly_its_frames_and_phase() {
        let folder = tempfile::tempdir().unwrap();
        for frames in [1_usize, 479, 960, 24_000, 55_199] {
            let tone: Vec<f32> = (0..frames).map(|n| (n as f32 * 0.0576).sin() * 0.5).collect();
            let path = folder.path().join("t.opus");
            opus(std::fs::File::create(&path).unwrap(), &tone).unwrap();
            let decoded = decode(&path).unwrap();
            assert_eq!(decoded.len(), frames);
            if frames > 2000 {
                let part = frames / 2..frames / 2 + 400;
                let same: f32 = part.clone().map(|n| decoded[n] * tone[n]).sum();
                let power: f32 = part.map(|n| tone[n] * tone[n]).sum();
                assert!(same / power > 0.95, "{frames} frames: {}", same / power);
            }
        }
    }
}
