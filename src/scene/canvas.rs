//! Collecting boxes, icons and fitted text for one layer.

use super::fit::{self, Fitted};
use super::{Align, Colour, Face, Layer, Moving, Quad, Rect, Shape, TextRun};

/// Type of one text: what it looks like and how small it may become.
#[derive(Copy, Clone, Debug)]
pub struct Type {
    pub face: Face,
    pub size: f32,
    /// Smallest size before the text is cut.
    pub floor: f32,
    pub colour: Colour,
    pub align: Align,
}

impl Type {
    /// Words that may shrink to 70 %.
    pub fn words(weight: u16, size: f32, colour: Colour) -> Self {
        Self { face: Face::Words(weight), size, floor: size * 0.7, colour, align: Align::Start }
    }

    /// Figures that may shrink to 20 %: a number must stay whole, so it becomes small rather than cut.
    pub fn digits(weight: u16, size: f32, colour: Colour) -> Self {
        Self { face: Face::Digits(weight), size, floor: size * 0.2, colour, align: Align::Start }
    }

    pub fn aligned(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub fn floor(self, floor: f32) -> Self {
        Self { floor, ..self }
    }

    pub fn fit(&self, text: &str, room: f32) -> Fitted {
        fit::line(text, self.face, self.size, self.floor, room)
    }

    pub fn fit_with_its_end(&self, text: &str, room: f32) -> Fitted {
        fit::line_with_its_end(text, self.face, self.size, self.floor, room)
    }
}

/// Line height of running text, in em: the ink of `Ẳ` above and of `ạ` below takes 1.484 em in the heaviest face.
pub const LINE: f32 = 1.5;

#[derive(Debug, Default)]
pub struct Canvas {
    pub layer: Layer,
    /// Parts of the layer that move.
    pub moving: Vec<Moving>,
}

impl Canvas {
    pub fn fill(&mut self, rect: Rect, fill: Colour, radius: f32) {
        self.fill_corners(rect, fill, [radius; 4]);
    }

    /// Corners from the top left, clockwise.
    pub fn fill_corners(&mut self, rect: Rect, fill: Colour, radii: [f32; 4]) {
        let none = Colour([0; 4]);
        self.layer.quads.push(Quad {
            rect,
            shape: Shape::Box,
            fill,
            radii,
            border: 0.0,
            border_colour: none,
        });
    }

    /// A border inside the rectangle, nothing within.
    pub fn frame(&mut self, rect: Rect, border: f32, colour: Colour, radius: f32) {
        let [r, g, b, _] = colour.0;
        self.layer.quads.push(Quad {
            rect,
            shape: Shape::Box,
            // The same colour unseen, so that the soft inner edge does not darken.
            fill: Colour([r, g, b, 0]),
            radii: [radius; 4],
            border,
            border_colour: colour,
        });
    }

    /// An icon in the largest square in the middle of `rect`.
    pub fn icon(&mut self, shape: Shape, rect: Rect, colour: Colour) {
        let side = rect.w.min(rect.h);
        let rect =
            Rect { x: rect.x + (rect.w - side) / 2.0, y: rect.y + (rect.h - side) / 2.0, w: side, h: side };
        let none = Colour([0; 4]);
        self.layer.quads.push(Quad {
            rect,
            shape,
            fill: colour,
            radii: [0.0; 4],
            border: 0.0,
            border_colour: none,
        });
    }

    /// One line in `rect`, fitted; returns its width.
    pub fn text(&mut self, rect: Rect, text: &str, kind: &Type) -> f32 {
        let fitted = kind.fit(text, rect.w);
        self.fitted(rect, &fitted, kind);
        fitted.width
    }

    /// A line that has been fitted before.
    pub fn fitted(&mut self, rect: Rect, fitted: &Fitted, kind: &Type) {
        if fitted.text.is_empty() {
            return;
        }
        self.layer.texts.push(TextRun {
            text: fitted.text.clone(),
            rect,
            size: fitted.size,
            face: kind.face,
            colour: kind.colour,
            align: kind.align,
        });
    }
}
