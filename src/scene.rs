//! The picture as data: a [`Scene`] is a pure function of a view, a look, a size and an instant.
//!
//! Everything is in physical pixels of the target, origin top left. Nothing here knows a GPU, a window or a file.

use std::sync::Arc;

use crate::board::view::BoardView;
use crate::clock::{Millis, Now};

pub mod font;

/// Pixels of the target.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    pub w: u32,
    pub h: u32,
}

/// A rectangle in pixels; `x + w` and `y + h` are exclusive.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

/// sRGB with straight alpha.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Colour(pub [u8; 4]);

/// What a [`Quad`] draws in its rectangle.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Shape {
    /// The rounded rectangle itself.
    Box = 0,
    /// The five-pointed star of the emblem.
    Star,
    /// An arrow to the right.
    Arrow,
    /// The mark between two notices.
    Diamond,
    /// A triangle with an exclamation mark.
    Warning,
    /// A clock: an appointment.
    Clock,
    /// A person.
    Person,
    /// A sheet of paper: an authorisation.
    Paper,
    /// A person with a stick.
    Elderly,
    /// A medal on its ribbon.
    Medal,
    /// A wheelchair.
    Wheelchair,
    /// A pregnant woman.
    Pregnant,
    /// A grown-up and a child.
    Child,
    /// Two upright bars.
    Pause,
}

/// A filled rectangle with rounded corners and an inner border, or an icon in that rectangle.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Quad {
    pub rect: Rect,
    pub shape: Shape,
    pub fill: Colour,
    /// Top left, top right, bottom right, bottom left.
    pub radii: [f32; 4],
    pub border: f32,
    pub border_colour: Colour,
}

/// Which embedded face a text uses.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Face {
    /// Be Vietnam Pro at weight 500, 600, 700 or 800.
    Words(u16),
    /// Inter with tabular figures at weight 700 or 800.
    Digits(u16),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Align {
    Start,
    Centre,
    End,
}

/// One line of text in its box; it is already fitted (size and ellipsis), and clipped to the box all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct TextRun {
    pub text: Arc<str>,
    pub rect: Rect,
    /// Font size in pixels.
    pub size: f32,
    pub face: Face,
    pub colour: Colour,
    pub align: Align,
}

/// The moving line: its content is drawn once, then slides left by whole pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    pub rect: Rect,
    /// Runs on one long line from x = 0, repeated after `length` pixels.
    pub content: Arc<StripContent>,
    /// How far the content has moved, 0 to `length` - 1.
    pub offset: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StripContent {
    pub background: Colour,
    pub quads: Vec<Quad>,
    pub texts: Vec<TextRun>,
    pub length: u32,
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub size: Size,
    pub background: Colour,
    /// In painting order; all quads lie under all texts, layer by layer.
    pub layers: Vec<Layer>,
    pub strip: Option<Strip>,
    /// When the picture changes by itself next (clock, page, motion), the strip left aside.
    pub next_change: Option<Millis>,
}

/// Quads, then the texts on them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    pub quads: Vec<Quad>,
    pub texts: Vec<TextRun>,
}

/// What has to be drawn again.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Damage {
    Nothing,
    Part(Rect),
    All,
}

/// Draws the view as data. (The look carries theme, names and the measures of the screen.)
pub fn compose(_view: &BoardView, _look: &(), size: Size, _now: Now) -> Scene {
    Scene { size, background: Colour([0, 0, 0, 255]), layers: Vec::new(), strip: None, next_change: None }
}
