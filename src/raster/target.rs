//! Pixels in memory and how a colour is laid over them.

use super::area::Area;
use crate::scene::{Colour, Rect, Size};

/// A picture of words as displays want them, 0x00RRGGBB, and the part of it that may change.
pub(super) struct Target<'p> {
    pixels: &'p mut [u32],
    /// The row that they begin with.
    top: u32,
    size: Size,
    clip: Area,
}

impl<'p> Target<'p> {
    /// `pixels` are whole rows of a picture of `size`, from the first one of `clip` on to its last or further.
    pub fn new(pixels: &'p mut [u32], size: Size, clip: Area) -> Self {
        Self { pixels, top: clip.y, size, clip }
    }

    /// The same where it lies in `rect` as well.
    pub fn part(&mut self, rect: Rect) -> Target<'_> {
        let clip = self.within(rect);
        Target { pixels: self.pixels, top: self.top, size: self.size, clip }
    }

    /// The pixels that `rect` touches and that may change.
    pub fn within(&self, rect: Rect) -> Area {
        self.clip.overlap(Area::within(rect, self.size))
    }

    pub fn clip(&self) -> Area {
        self.clip
    }

    /// The pixels from `left` to before `right` of row `y`, which may change.
    pub fn row(&mut self, left: u32, right: u32, y: u32) -> &mut [u32] {
        let start = (y - self.top) as usize * self.size.w as usize;
        &mut self.pixels[start + left as usize..start + right as usize]
    }

    pub fn fill(&mut self, colour: Colour) {
        let Area { x, y, w, h } = self.clip;
        for y in y..y + h {
            self.row(x, x + w, y).fill(word(colour));
        }
    }
}

/// Every other byte of a word.
const LANES: u32 = 0x00FF_00FF;

pub(super) fn word(colour: Colour) -> u32 {
    let [r, g, b, _] = colour.0;
    u32::from_be_bytes([0, r, g, b])
}

/// A share as one of 255.
pub(super) fn alpha_of(share: f32) -> u32 {
    (share * 255.0 + 0.5) as u32
}

/// The product of two shares of 255, rounded.
pub(super) fn share_of(a: u32, b: u32) -> u32 {
    let product = a * b + 128;
    (product + (product >> 8)) >> 8
}

/// A colour between two, and the alpha there, from 0 to 1.
pub(super) fn mix(from: Colour, to: Colour, share: f32) -> (u32, f32) {
    let at = |n: usize| f32::from(from.0[n]) * (1.0 - share) + f32::from(to.0[n]) * share;
    let [r, g, b] = [0, 1, 2].map(|n| (at(n) + 0.5) as u8);
    (u32::from_be_bytes([0, r, g, b]), at(3) / 255.0)
}

/// A colour over another; `alpha` is at most 255, each channel is rounded to the nearest.
pub(super) fn over(under: u32, colour: u32, alpha: u32) -> u32 {
    let lanes = |shift: u32| {
        let (above, below) = ((colour >> shift) & LANES, (under >> shift) & LANES);
        // Two channels at once: a product of two bytes, and what rounds it, fit into the room of two.
        let sum = above * alpha + below * (255 - alpha) + 0x0080_0080;
        ((sum + ((sum >> 8) & LANES)) >> 8) & LANES
    };
    lanes(0) | (lanes(8) << 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_channel_is_the_nearest_to_the_weighted_mean(under: [u8; 3], colour: [u8; 3], alpha in 0u8..=255) {
            let of = |[r, g, b]: [u8; 3]| u32::from_be_bytes([0, r, g, b]);
            let [zero, channels @ ..] = over(of(under), of(colour), u32::from(alpha)).to_be_bytes();
            prop_assert_eq!(zero, 0);
            for n in 0..3 {
                let share = f64::from(alpha) / 255.0;
                let mean = f64::from(colour[n]) * share + f64::from(under[n]) * (1.0 - share);
                prop_assert!((f64::from(channels[n]) - mean).abs() <= 0.501, "{} for {mean}", channels[n]);
            }
        }

        #[test]
        fn the_product_of_shares_is_rounded(a in 0u32..=255, b in 0u32..=255) {
            let exact = f64::from(a) * f64::from(b) / 255.0;
            prop_assert!((f64::from(share_of(a, b)) - exact).abs() <= 0.501);
        }
    }
}
