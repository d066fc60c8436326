//! Pictures of the hall's own, such as its logo, as pixels that a scene can name.

use std::fmt;

use super::{Rect, Size};

/// A picture that has been read, known by what it shows: equal pixels are the same picture, whatever file they are from.
pub struct Art {
    id: u64,
    size: Size,
    rgba: Vec<u8>,
}

impl Art {
    /// `rgba` has rows without padding, with premultiplied alpha; bytes that are lacking are see-through.
    pub fn new(size: Size, mut rgba: Vec<u8>) -> Self {
        rgba.resize(size.w as usize * size.h as usize * 4, 0);
        let sides = [size.w, size.h].into_iter().flat_map(u32::to_le_bytes);
        let id = sides.chain(rgba.iter().copied()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            // FNV-1a, 64 bits.
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { id, size, rgba }
    }

    /// FNV-1a of its size and pixels.
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// Rows without padding, with premultiplied alpha.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// Where it stands in `room`: whole, in its own shape, in the middle, and not larger than it is. Whole pixels.
    pub fn place(&self, room: Rect) -> Rect {
        let (w, h) = (self.size.w.max(1) as f32, self.size.h.max(1) as f32);
        let share = (room.w / w).min(room.h / h).min(1.0);
        let (w, h) = ((w * share).floor().max(1.0), (h * share).floor().max(1.0));
        let middle = |from: f32, room: f32, side: f32| (from + (room - side) / 2.0).round();
        Rect { x: middle(room.x, room.w, w), y: middle(room.y, room.h, h), w, h }
    }
}

impl PartialEq for Art {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.size) == (other.id, other.size)
    }
}

/// Without the pixels, for which the id stands.
impl fmt::Debug for Art {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Art({}x{} {:016x})", self.size.w, self.size.h, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn art(w: u32, h: u32) -> Art {
        Art::new(Size { w, h }, Vec::new())
    }

    #[test]
    fn a_picture_keeps_its_shape_and_is_never_enlarged() {
        let room = Rect { x: 40.0, y: 100.0, w: 800.0, h: 600.0 };
        assert_eq!(art(1600, 900).place(room), Rect { x: 40.0, y: 175.0, w: 800.0, h: 450.0 });
        assert_eq!(art(600, 1200).place(room), Rect { x: 290.0, y: 100.0, w: 300.0, h: 600.0 });
        assert_eq!(art(100, 50).place(room), Rect { x: 390.0, y: 375.0, w: 100.0, h: 50.0 });
        assert_eq!(art(4000, 1).place(room), Rect { x: 40.0, y: 400.0, w: 800.0, h: 1.0 });
    }

    #[test]
    fn equal_pixels_are_the_same_picture_and_others_are_not() {
        let of = |w, h, value: u8| Art::new(Size { w, h }, vec![value; 8]);
        assert_eq!(of(2, 1, 9), of(2, 1, 9));
        assert_ne!(of(2, 1, 9), of(1, 2, 9));
        assert_ne!(of(2, 1, 9), of(2, 1, 8));
    }
}
