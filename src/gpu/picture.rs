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

impl Picture {
    /// A picture of one colour.
    pub fn plain(w: u32, h: u32, rgba: [u8; 4]) -> Self {
        Self { w, h, rgba: rgba.repeat(w as usize * h as usize) }
    }

    /// The same in another size, each pixel the mean of the area that it stands for.
    pub fn scaled(&self, w: u32, h: u32) -> Self {
        let (w, h) = (w.max(1), h.max(1));
        // One way after the other: the mean over a rectangle is the mean of the means of its rows.
        let across = resampled(&self.rgba, self.w, w, self.h as usize, 4, self.w as usize * 4);
        let row = w as usize * 4;
        let mut rgba = vec![0; row * h as usize];
        let spans = spans(self.h, h);
        for (out, span) in rgba.chunks_exact_mut(row).zip(&spans) {
            let mut sums = vec![0.0_f32; row];
            for (y, weight) in span {
                let line = &across[*y as usize * row..][..row];
                sums.iter_mut().zip(line).for_each(|(sum, value)| *sum += value * weight);
            }
            out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = sum.round() as u8);
        }
        Self { w, h, rgba }
    }

    /// Copies `other` to a place inside this picture; what sticks out is left out.
    pub fn paste(&mut self, other: &Self, x: u32, y: u32) {
        let w = other.w.min(self.w.saturating_sub(x)) as usize * 4;
        for row in 0..other.h.min(self.h.saturating_sub(y)) {
            let from = row as usize * other.w as usize * 4;
            let to = ((y + row) as usize * self.w as usize + x as usize) * 4;
            self.rgba[to..to + w].copy_from_slice(&other.rgba[from..from + w]);
        }
    }
}

/// For each of `to` cells the cells of `from` that it covers, with their share.
fn spans(from: u32, to: u32) -> Vec<Vec<(u32, f32)>> {
    let step = from as f32 / to as f32;
    let span = |index: u32| {
        let (start, end) = (index as f32 * step, (index + 1) as f32 * step);
        let cells = start.floor() as u32..(end.ceil() as u32).clamp(start.floor() as u32 + 1, from.max(1));
        let share = |cell: u32| (end.min(cell as f32 + 1.0) - start.max(cell as f32)).max(0.0) / step;
        cells.map(|cell| (cell, share(cell))).collect()
    };
    (0..to).map(span).collect()
}

/// Each of `rows` rows in another width.
fn resampled(rgba: &[u8], from: u32, to: u32, rows: usize, step: usize, stride: usize) -> Vec<f32> {
    let spans = spans(from, to);
    let mut out = vec![0.0; rows * to as usize * step];
    for (line, out) in rgba.chunks_exact(stride).zip(out.chunks_exact_mut(to as usize * step)) {
        for (pixel, span) in out.chunks_exact_mut(step).zip(&spans) {
            for (cell, weight) in span {
                let at = *cell as usize * step;
                pixel
                    .iter_mut()
                    .zip(&line[at..at + step])
                    .for_each(|(sum, v)| *sum += f32::from(*v) * weight);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_picture_has_the_means_of_the_larger_one() {
        let mut wide = Picture::plain(4, 2, [0, 0, 0, 255]);
        wide.paste(&Picture::plain(1, 2, [200, 100, 40, 255]), 0, 0);
        let small = wide.scaled(2, 1);
        assert_eq!(small.rgba, [100, 50, 20, 255, 0, 0, 0, 255]);
        assert_eq!(wide.scaled(4, 2), wide);
        let odd = Picture::plain(7, 5, [9, 8, 7, 255]).scaled(3, 2);
        assert_eq!(odd, Picture::plain(3, 2, [9, 8, 7, 255]));
        assert_eq!(wide.scaled(8, 4).rgba[..4], [200, 100, 40, 255], "a larger one has the same colours");
    }

    #[test]
    fn what_is_pasted_beyond_the_edge_is_left_out() {
        let mut picture = Picture::plain(2, 2, [0; 4]);
        picture.paste(&Picture::plain(3, 3, [1; 4]), 1, 1);
        assert_eq!(picture.rgba.iter().map(|v| usize::from(*v == 1)).sum::<usize>(), 4);
        picture.paste(&Picture::plain(1, 1, [1; 4]), 5, 5);
    }
}
