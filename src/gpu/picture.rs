//! A finished picture in memory, and its PNG.

use std::cmp::Reverse;
use std::collections::HashMap;

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

    /// The picture as a PNG of at most 256 colours, which makes a small file of a board, and how far a channel is from
    /// its own at most. Frequent colours stay, rare ones become the nearest of them; colours less than `apart` from a more
    /// frequent one are not kept.
    ///
    /// # Errors
    /// [`GpuError::Encode`] when the encoder refuses the size.
    pub fn png_of_few_colours(&self, apart: u8) -> Result<(Vec<u8>, u8), GpuError> {
        let pixels = || self.rgba.chunks_exact(4).map(|p| [p[0], p[1], p[2]]);
        let mut counts: HashMap<[u8; 3], u32> = HashMap::new();
        pixels().for_each(|colour| *counts.entry(colour).or_default() += 1);
        let mut colours: Vec<_> = counts.into_iter().collect();
        colours.sort_by_key(|(colour, count)| (Reverse(*count), *colour));
        let (mut palette, mut known, mut worst) = (Vec::<[u8; 3]>::new(), HashMap::new(), 0);
        for (colour, _) in colours {
            let distances = palette.iter().map(|other| distance(*other, colour)).zip(0..=u8::MAX);
            match distances.min() {
                Some((far, index)) if far <= apart || palette.len() == 256 => {
                    known.insert(colour, index);
                    worst = worst.max(far);
                }
                _ => {
                    known.insert(colour, palette.len() as u8);
                    palette.push(colour);
                }
            }
        }
        let indices: Vec<u8> = pixels().filter_map(|colour| known.get(&colour).copied()).collect();
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.w, self.h);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.concat());
        encoder.set_compression(png::Compression::High);
        encoder.set_filter(png::Filter::NoFilter);
        encoder.write_header()?.write_image_data(&indices)?;
        Ok((out, worst))
    }

    /// Reads a PNG of any kind, as eight bits a channel; of one that moves, the first picture.
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
        if info.color_type == png::ColorType::GrayscaleAlpha {
            rgba = rgba.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect();
        }
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
        let (across, down) = (spans(self.w, w), spans(self.h, h));
        let row = self.w as usize * 4;
        let mut sums = vec![0.0_f32; row];
        let mut rgba = Vec::with_capacity(w as usize * h as usize * 4);
        for rows in &down {
            // The mean over a rectangle is the mean of the means of its columns.
            sums.fill(0.0);
            for (y, weight) in rows {
                let line = &self.rgba[*y as usize * row..][..row];
                sums.iter_mut().zip(line).for_each(|(sum, value)| *sum += f32::from(*value) * weight);
            }
            for columns in &across {
                let mut pixel = [0.0_f32; 4];
                for (x, weight) in columns {
                    let column = &sums[*x as usize * 4..][..4];
                    pixel.iter_mut().zip(column).for_each(|(sum, value)| *sum += value * weight);
                }
                rgba.extend(pixel.map(|value| value.round() as u8));
            }
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

/// How far two colours are apart in the channel in which they are farthest.
fn distance(a: [u8; 3], b: [u8; 3]) -> u8 {
    a.iter().zip(&b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default()
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
    fn a_picture_of_few_colours_keeps_the_frequent_ones_and_says_how_far_the_others_are() {
        let mut picture = Picture::plain(40, 40, [10, 20, 30, 255]);
        picture.paste(&Picture::plain(3, 1, [10, 24, 30, 255]), 0, 0);
        let read = |png: &[u8]| Picture::from_png(png).unwrap();
        let (png, far) = picture.png_of_few_colours(3).unwrap();
        assert!(far == 0 && read(&png) == picture, "{far}");
        let (png, far) = picture.png_of_few_colours(4).unwrap();
        assert!(far == 4 && read(&png) == Picture::plain(40, 40, [10, 20, 30, 255]), "{far}");
        for n in 0..1600_u32 {
            let [r, g, ..] = (n * 41).to_le_bytes();
            picture.paste(&Picture::plain(1, 1, [r, g, 7, 255]), n % 40, n / 40);
        }
        let (png, far) = picture.png_of_few_colours(0).unwrap();
        let away = read(&png).rgba.iter().zip(&picture.rgba).map(|(a, b)| a.abs_diff(*b)).max();
        assert_eq!((far > 0, Some(far)), (true, away), "more than 256 colours");
    }

    #[test]
    fn what_is_pasted_beyond_the_edge_is_left_out() {
        let mut picture = Picture::plain(2, 2, [0; 4]);
        picture.paste(&Picture::plain(3, 3, [1; 4]), 1, 1);
        assert_eq!(picture.rgba.iter().map(|v| usize::from(*v == 1)).sum::<usize>(), 4);
        picture.paste(&Picture::plain(1, 1, [1; 4]), 5, 5);
    }
}
