//! Chips: a lane or a booked time as words with an icon, never as a colour alone.

use super::canvas::{Canvas, Type};
use super::{Align, Colour, Rect, Shape};

/// One chip, not yet placed.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    pub icon: Option<Shape>,
    pub text: String,
    pub fill: Colour,
    pub ink: Colour,
}

impl Chip {
    fn kind(&self, height: f32) -> Type {
        Type::words(700, (height * 0.67).floor(), self.ink).floor(height * 0.4)
    }

    /// Width at `height`.
    pub fn width(&self, height: f32) -> f32 {
        let kind = self.kind(height);
        let text = super::font::width(&self.text, kind.face, kind.size);
        (text + self.icon_room(height) + height * 0.64).ceil() + 1.0
    }

    fn icon_room(&self, height: f32) -> f32 {
        self.icon.map_or(0.0, |_| height * 0.9)
    }

    /// Draws the chip at the left of `rect`, at most as wide as that; returns its width.
    pub fn draw(&self, canvas: &mut Canvas, rect: Rect, radius: f32) -> f32 {
        let width = self.width(rect.h).min(rect.w);
        let place = Rect { w: width, ..rect };
        canvas.fill(place, self.fill, radius.min(rect.h / 2.0));
        let pad = rect.h * 0.32;
        if let Some(shape) = self.icon {
            let icon = Rect { x: place.x + pad * 0.8, w: rect.h * 0.76, ..place }.inset(0.0, rect.h * 0.12);
            canvas.icon(shape, icon, self.ink);
        }
        let text = place.trimmed(pad + self.icon_room(rect.h), pad - 1.0);
        canvas.text(text, &self.text, &self.kind(rect.h).aligned(Align::Start));
        width
    }
}
