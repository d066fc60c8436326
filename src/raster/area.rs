//! A rectangle of whole pixels inside a picture.

use std::ops::Range;

use crate::scene::{Rect, Size};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Area {
    pub x: u32,
    pub y: u32,
    pub w: u32,
    pub h: u32,
}

impl Area {
    pub fn all(size: Size) -> Self {
        Self { x: 0, y: 0, w: size.w, h: size.h }
    }

    /// The pixels that `rect` touches, cut at the edges of the picture.
    pub fn within(rect: Rect, size: Size) -> Self {
        let cut = |from: f32, length: f32, end: u32| {
            let first = (from.floor().max(0.0) as u32).min(end);
            let last = ((from + length).ceil().max(0.0) as u32).min(end);
            (first, last.saturating_sub(first))
        };
        let ((x, w), (y, h)) = (cut(rect.x, rect.w, size.w), cut(rect.y, rect.h, size.h));
        Self { x, y, w, h }
    }

    pub fn rect(self) -> Rect {
        Rect { x: self.x as f32, y: self.y as f32, w: self.w as f32, h: self.h as f32 }
    }

    /// Where the area's pixels of row `y` lie in a picture of `size`.
    pub fn row(self, y: u32, size: Size) -> Range<usize> {
        let from = y as usize * size.w as usize + self.x as usize;
        from..from + self.w as usize
    }

    /// Bands from the top down that hold at most so many pixels, or are a single row.
    pub fn bands(self, pixels: u32) -> impl Iterator<Item = Self> {
        let rows = (pixels / self.w.max(1)).max(1);
        let end = self.y + self.h;
        (self.y..end).step_by(rows as usize).map(move |y| Self { y, h: rows.min(end - y), ..self })
    }

    /// Parts from left to right that are at most so many pixels wide.
    pub fn columns(self, width: u32) -> impl Iterator<Item = Self> {
        let end = self.x + self.w;
        (self.x..end).step_by(width.max(1) as usize).map(move |x| Self { x, w: width.min(end - x), ..self })
    }

    /// The pixels that are in both.
    pub fn overlap(self, other: Self) -> Self {
        let both = |a: u32, al: u32, b: u32, bl: u32| {
            let from = a.max(b);
            (from, (a + al).min(b + bl).saturating_sub(from))
        };
        let ((x, w), (y, h)) =
            (both(self.x, self.w, other.x, other.w), both(self.y, self.h, other.y, other.h));
        if w == 0 || h == 0 { Self { x, y, w: 0, h: 0 } } else { Self { x, y, w, h } }
    }

    /// Whether the two share a pixel.
    pub fn meets(self, other: Self) -> bool {
        self.overlap(other).w > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_all_pixels_that_a_rectangle_touches_inside_the_picture() {
        let size = Size { w: 100, h: 50 };
        let area = Area::within(Rect { x: 10.5, y: -3.0, w: 20.0, h: 10.0 }, size);
        assert_eq!(area, Area { x: 10, y: 0, w: 21, h: 7 });
        assert_eq!(area.row(2, size), 210..231);
        let outside = Area::within(Rect { x: 200.0, y: 10.0, w: 5.0, h: 5.0 }, size);
        assert_eq!((outside.x, outside.w), (100, 0));
    }

    #[test]
    fn bands_hold_every_row_once() {
        let area = Area { x: 3, y: 5, w: 10, h: 8 };
        let rows =
            |pixels| area.bands(pixels).map(|band| (band.x, band.w, band.y, band.h)).collect::<Vec<_>>();
        assert_eq!(rows(39), [(3, 10, 5, 3), (3, 10, 8, 3), (3, 10, 11, 2)]);
        assert_eq!(rows(1).len(), 8, "a row at least");
        assert_eq!(rows(u32::MAX), [(3, 10, 5, 8)]);
        assert_eq!(Area { h: 0, ..area }.bands(39).count(), 0);
    }

    #[test]
    fn areas_that_only_touch_do_not_meet() {
        let left = Area { x: 0, y: 0, w: 10, h: 10 };
        assert!(left.meets(Area { x: 9, y: 9, w: 5, h: 5 }));
        assert!(!left.meets(Area { x: 10, y: 0, w: 5, h: 5 }));
    }
}
