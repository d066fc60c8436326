//! Chips: a lane or a booked time as words with an icon, never as a colour alone. A chip says all of its words or is
//! not there: a part of them would say something else.

use super::canvas::{Canvas, Type};
use super::{Align, Colour, Rect, Shape, fit, font};

/// One chip, not yet placed.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    pub icon: Option<Shape>,
    pub text: String,
    /// Says the same where there is no room for all words.
    pub short: Option<String>,
    pub fill: Colour,
    pub ink: Colour,
}

/// Chips of one row that have been made to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    chips: Vec<Chip>,
    height: f32,
    gap: f32,
    /// Font size of all of them.
    size: f32,
}

/// Font sizes as shares of a chip's height: as designed, the least before words become short, and the least at all.
const USUAL: f32 = 0.67;
const SMALL: f32 = 0.55;
const LEAST: f32 = 0.43;
/// Height of the lowest chips as a share of the designed one.
const LOW: f32 = 0.8;

impl Row {
    /// Fits `chips` into `room`: all smaller together, then with short words and less around them, and only then the
    /// last ones go.
    pub fn fit(mut chips: Vec<Chip>, height: f32, gap: f32, room: f32) -> Self {
        while !chips.is_empty() {
            let low = || Self::sized(brief(&chips), (height * LOW).floor(), gap, room, SMALL);
            if let Some(row) = Self::whole(&chips, height, gap, room).or_else(low) {
                return row;
            }
            chips.pop();
        }
        Self { chips, height, gap, size: 1.0 }
    }

    /// All of `chips`; none when not all of them fit.
    pub fn whole(chips: &[Chip], height: f32, gap: f32, room: f32) -> Option<Self> {
        Self::sized(chips.to_vec(), height, gap, room, SMALL)
            .or_else(|| Self::sized(brief(chips), height, gap, room, LEAST))
    }

    fn sized(chips: Vec<Chip>, height: f32, gap: f32, room: f32, least: f32) -> Option<Self> {
        let (usual, least) = ((height * USUAL).floor().max(1.0), (height * least).floor().max(1.0));
        let mut row = Self { chips, height, gap, size: usual };
        while row.width() > room {
            row.size -= 1.0;
            if row.size < least {
                return None;
            }
        }
        Some(row)
    }

    pub fn is_empty(&self) -> bool {
        self.chips.is_empty()
    }

    /// Width of all chips with the gaps between them.
    pub fn width(&self) -> f32 {
        let chips: f32 = self.chips.iter().map(|chip| chip.width(self.height, self.size)).sum();
        chips + self.gap * self.chips.len().saturating_sub(1) as f32
    }

    /// Draws the chips from `x` on in the middle of `row`.
    pub fn draw(&self, canvas: &mut Canvas, row: Rect, x: f32, radius: f32) {
        let y = row.y + ((row.h - self.height) / 2.0).round();
        let mut x = x;
        for chip in &self.chips {
            let place = Rect { x, y, w: chip.width(self.height, self.size), h: self.height };
            chip.draw(canvas, place, self.size, radius);
            x += place.w + self.gap;
        }
    }
}

/// A chip for a place that is narrow and high: its icon above its words, which may take two lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Badge {
    chip: Chip,
    lines: Vec<String>,
    size: f32,
}

/// Of a badge, as shares of its font size: the height of a line (the board's rule is 1.35), of the icon, and the space
/// above and below.
const BADGE_LINE: f32 = 1.36;
const BADGE_ICON: f32 = 1.2;
const BADGE_EDGE: f32 = 0.2;

impl Badge {
    /// Fits `chip` into `w` times `h`, with words of at most `size` and at least `least`; short words only where the
    /// full ones would be smaller than that. None when not even those fit.
    pub fn fit(chip: &Chip, w: f32, h: f32, size: f32, least: f32) -> Option<Self> {
        Self::sized(chip, w, h, size, least).or_else(|| Self::sized(&chip.clone().brief(), w, h, size, least))
    }

    fn sized(chip: &Chip, w: f32, h: f32, size: f32, least: f32) -> Option<Self> {
        let room = w - 2.0 * h * 0.09;
        let mut size = size.floor();
        while size >= least.max(1.0) {
            let face = chip.kind(size).face;
            let lines = fit::lines(&chip.text, face, size, room);
            let badge = Self { chip: chip.clone(), lines, size };
            let fits = badge.lines.iter().all(|line| font::width(line, face, size) + 1.0 <= room);
            if fits && badge.lines.len() <= 2 && badge.height() <= h {
                return Some(badge);
            }
            size -= 1.0;
        }
        None
    }

    fn icon(&self) -> f32 {
        self.chip.icon.map_or(0.0, |_| (self.size * BADGE_ICON).ceil())
    }

    fn height(&self) -> f32 {
        let lines = (self.size * BADGE_LINE).ceil() * self.lines.len() as f32;
        lines + self.icon() + 2.0 * (self.size * BADGE_EDGE).ceil()
    }

    /// Fills `place`, in whose middle the words stand.
    pub fn draw(&self, canvas: &mut Canvas, place: Rect, radius: f32) {
        canvas.fill(place, self.chip.fill, radius);
        let edge = (self.size * BADGE_EDGE).ceil();
        let mut y = place.y + ((place.h - self.height()) / 2.0).round() + edge;
        if let Some(shape) = self.chip.icon {
            canvas.icon(shape, Rect { y, h: self.icon(), ..place }, self.chip.ink);
            y += self.icon();
        }
        let h = (self.size * BADGE_LINE).ceil();
        for line in &self.lines {
            canvas.text(Rect { y, h, ..place }, line, &self.chip.kind(self.size).aligned(Align::Centre));
            y += h;
        }
    }
}

fn brief(chips: &[Chip]) -> Vec<Chip> {
    chips.iter().cloned().map(Chip::brief).collect()
}

impl Chip {
    fn brief(self) -> Self {
        Self { text: self.short.unwrap_or(self.text), short: None, ..self }
    }

    fn kind(&self, size: f32) -> Type {
        Type::words(700, size, self.ink).floor(size)
    }

    fn width(&self, height: f32, size: f32) -> f32 {
        let text = font::width(&self.text, self.kind(size).face, size);
        (text + self.icon_room(height) + height * 0.64).ceil() + 1.0
    }

    fn icon_room(&self, height: f32) -> f32 {
        self.icon.map_or(0.0, |_| height * 0.9)
    }

    fn draw(&self, canvas: &mut Canvas, place: Rect, size: f32, radius: f32) {
        canvas.fill(place, self.fill, radius.min(place.h / 2.0));
        let pad = place.h * 0.32;
        if let Some(shape) = self.icon {
            let icon = Rect { x: place.x + pad * 0.8, w: place.h * 0.76, ..place }.inset(0.0, place.h * 0.12);
            canvas.icon(shape, icon, self.ink);
        }
        let text = place.trimmed(pad + self.icon_room(place.h), pad - 1.0);
        canvas.text(text, &self.text, &self.kind(size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chip(text: &str, short: Option<&str>) -> Chip {
        let grey = Colour([128; 4]);
        Chip { icon: None, text: text.to_owned(), short: short.map(str::to_owned), fill: grey, ink: grey }
    }

    fn texts(row: &Row) -> Vec<&str> {
        row.chips.iter().map(|chip| &*chip.text).collect()
    }

    #[test]
    fn a_badge_says_all_of_its_words_in_two_lines_or_is_not_there() {
        let lanes = [("Người khuyết tật", Some("Khuyết tật")), ("Hẹn 09:30", None), ("Trẻ em", None)];
        for (text, short) in lanes {
            let chip = Chip { icon: Some(Shape::Clock), ..chip(text, short) };
            for w in 20..200 {
                let Some(badge) = Badge::fit(&chip, w as f32, 80.0, 22.0, 15.0) else {
                    assert!(w < 100, "{text} has no place in {w} px");
                    continue;
                };
                assert!([Some(text), short].contains(&Some(&*badge.lines.join(" "))), "{badge:?}");
                assert!(badge.lines.len() <= 2 && badge.height() <= 80.0, "{badge:?}");
            }
            assert!(Badge::fit(&chip, 100.0, 40.0, 22.0, 15.0).is_none(), "{text} is higher than that");
        }
    }

    #[test]
    fn chips_shrink_together_then_say_less_and_then_the_last_one_goes() {
        let chips = || vec![chip("Người khuyết tật", Some("Khuyết tật")), chip("Hẹn 09:30", None)];
        let fit = |room: f32| Row::fit(chips(), 40.0, 10.0, room);
        let full = fit(1000.0);
        assert!((full.size - 26.0).abs() < 0.1, "{full:?}");
        let smaller = fit(full.width() - 20.0);
        assert!(texts(&smaller) == texts(&full) && smaller.size < full.size, "{smaller:?}");
        let brief = fit(full.width() * 0.8);
        assert_eq!(texts(&brief), ["Khuyết tật", "Hẹn 09:30"]);
        assert_eq!(texts(&fit(full.width() * 0.5)), ["Khuyết tật"]);
        assert!(fit(60.0).is_empty());
        for room in 50..500 {
            assert!(fit(room as f32).width() <= room as f32);
        }
    }
}
