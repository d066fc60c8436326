//! A finished picture in memory, and its PNG.

use super::GpuError;

/// Straight RGBA rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub w: u32,
    pub h: u32,
    pub rgba: Vec<u8>,
}

impl Picture {
    /// The picture as a PNG without alpha, since a board has no see-through part.
    ///
    /// # Errors
    /// [`GpuError::Encode`] when the encoder refuses the size.
    pub fn png(&self) -> Result<Vec<u8>, GpuError> {
        let rgb: Vec<u8> = self.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.w, self.h);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Balanced);
        encoder.write_header()?.write_image_data(&rgb)?;
        Ok(out)
    }

    /// Reads a PNG with eight bits a channel, with or without alpha.
    ///
    /// # Errors
    /// [`GpuError::Decode`].
    pub fn from_png(bytes: &[u8]) -> Result<Self, GpuError> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder
            .set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let mut reader = decoder.read_info()?;
        let mut rgba = vec![0; reader.output_buffer_size().unwrap_or(0)];
        let info = reader.next_frame(&mut rgba)?;
        rgba.truncate(info.buffer_size());
        Ok(Self { w: info.width, h: info.height, rgba })
    }
}
