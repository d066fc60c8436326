//! The picture as data: a [`Scene`] is a pure function of a view, a look, a size and an instant.
//!
//! Everything is in physical pixels of the target, origin top left. Nothing here knows a GPU, a window or a file.

use std::sync::Arc;

use crate::board::call::Counter;
use crate::board::view::{BoardView, Phase};
use crate::clock::{Millis, Now};

pub mod art;
mod below;
mod canvas;
mod chip;
mod counters;
mod damage;
mod destination;
pub mod distance;
pub mod fit;
pub mod font;
mod full;
mod header;
mod idle;
pub mod layout;
mod look;
mod motion;
pub mod plan;
mod qr;
mod queues;
mod recent;
mod rehearsal;
mod spotlight;
pub mod theme;
mod ticker;
mod words;

pub use art::Art;
use canvas::Canvas;
pub use canvas::LINE as LINE_HEIGHT_EM;
pub use damage::{damage, damage_but_line};
pub use idle::Idle;
use layout::Track;
pub use look::Look;
pub use motion::Moving;
pub use rehearsal::{coming, rehearsal, texts_of};
pub use theme::Theme;

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

/// A picture of the hall's own in its rectangle of whole pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub art: Arc<Art>,
    pub rect: Rect,
    /// Of its corners.
    pub radius: f32,
    /// From 0, unseen, to 1.
    pub opacity: f32,
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
    /// Added to where time alone would put it, so that a new list goes on from the old one's place.
    pub shift: u32,
    /// Speed; 0 stands still.
    pub px_per_s: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StripContent {
    pub background: Colour,
    pub quads: Vec<Quad>,
    pub texts: Vec<TextRun>,
    pub length: u32,
    /// False when all of it is seen at once.
    pub moves: bool,
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub size: Size,
    pub background: Colour,
    /// In painting order; within a layer all quads lie under all images, and those under all texts.
    pub layers: Vec<Layer>,
    pub strip: Option<Strip>,
    /// When the picture changes by itself next (clock, page), the strip and what is moving left aside.
    pub next_change: Option<Millis>,
    /// What is on its way to its place, or breathes. The layers are the picture at rest: [`Scene::moved`] is the one at
    /// an instant.
    pub moving: Vec<Moving>,
}

/// Quads, then the images and the texts on them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    pub quads: Vec<Quad>,
    pub images: Vec<Image>,
    pub texts: Vec<TextRun>,
}

/// What has to be drawn again.
#[derive(Clone, Debug, PartialEq)]
pub enum Damage {
    Nothing,
    /// Rectangles of whole pixels inside the picture; some may overlap.
    Parts(Vec<Rect>),
    All,
}

/// Pixels at 1920x1080 (or 1080x1920) to pixels of the target.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Scale(f32);

impl Scale {
    /// The scale at which the designed board fits into `size` both ways.
    pub fn of_size(size: Size) -> Self {
        let (w, h) = if size.is_portrait() { (1080.0, 1920.0) } else { (1920.0, 1080.0) };
        Self((size.w as f32 / w).min(size.h as f32 / h))
    }

    fn times(self, factor: f32) -> Self {
        Self(self.0 * factor)
    }

    /// Whole pixels of the target, at least one for anything that is not zero.
    pub fn of(self, px: f32) -> f32 {
        let scaled = (px * self.0).round();
        if px > 0.0 { scaled.max(1.0) } else { scaled }
    }
}

impl Size {
    pub fn is_portrait(self) -> bool {
        self.h > self.w
    }

    pub fn rect(self) -> Rect {
        Rect { x: 0.0, y: 0.0, w: self.w as f32, h: self.h as f32 }
    }
}

/// All that the parts of the picture look at.
struct Board<'a> {
    view: &'a BoardView,
    look: &'a Look,
    size: Size,
    now: Now,
    local: jiff::civil::DateTime,
    px: Scale,
    portrait: bool,
}

impl Board<'_> {
    /// The same for a part that the theme makes larger or smaller.
    fn sized(&self, factor: f32) -> Self {
        Self { px: self.px.times(factor), ..*self }
    }

    /// Noun and counter in one line; where there is no room for both, the counter alone, to its last word.
    fn place(&self, counter: &Counter, kind: &canvas::Type, room: f32) -> fit::Fitted {
        let noun = self.noun(counter);
        let both = format!("{noun} {counter}");
        let fitted = kind.fit(&both, room);
        if *fitted.text == *both { fitted } else { kind.fit_with_its_end(counter.as_str(), room) }
    }

    /// What this counter is called, `Quầy` for one that nobody has described.
    fn noun(&self, counter: &Counter) -> &str {
        self.view.counters.iter().find(|c| c.counter == *counter).map_or("Quầy", |c| &c.noun)
    }
}

/// Draws the view as data, at rest: the same arguments give the same picture.
pub fn compose(view: &BoardView, look: &Look, size: Size, now: Now) -> Scene {
    if view.dark {
        return Scene::dark(size);
    }
    let local = look.time_zone.to_datetime(now.wall);
    let board =
        Board { view, look, size, now, local, px: Scale::of_size(size), portrait: size.is_portrait() };
    let mut canvas = Canvas::default();
    let mut over = Canvas::default();
    let areas = Areas::of(&board);
    let sizes = look.theme.sizes;
    header::draw(&mut canvas, &board.sized(sizes.header), areas.header);
    let mut strip = None;
    let mut turns = None;
    if let Some(notice) = &view.emergency {
        full::emergency(&mut canvas, &board.sized(sizes.full), areas.main.union(areas.footer), notice);
    } else {
        turns = body(&mut canvas, &board, areas.main);
        strip = ticker::draw(&mut canvas, &board.sized(sizes.ticker), areas.footer);
    }
    let identify = view.identify_until.filter(|until| *until > now.mono);
    // An emergency outranks a technician's question, and a call must not be covered either.
    if identify.is_some() && view.emergency.is_none() {
        let open = view.phase == Phase::Open;
        let count = view.counters.len();
        let area = if open { BodyAreas::of(size, areas.main, count, 0).counters } else { size.rect() };
        full::identify(&mut over, &board, area);
    }
    let changes = [Some(next_minute(now)), turns, identify];
    Scene {
        size,
        background: look.theme.ground,
        layers: vec![canvas.layer, over.layer],
        strip,
        next_change: changes.into_iter().flatten().min(),
        moving: canvas.moving,
    }
}

impl Scene {
    /// A black picture, in which nothing moves until another view comes.
    fn dark(size: Size) -> Self {
        let background = Colour([0, 0, 0, 255]);
        Self { size, background, layers: Vec::new(), strip: None, next_change: None, moving: Vec::new() }
    }

    /// How many lines of text it has.
    pub fn lines(&self) -> usize {
        let of_strip = self.strip.as_ref().map_or(0, |strip| strip.content.texts.len());
        self.layers.iter().map(|layer| layer.texts.len()).sum::<usize>() + of_strip
    }
}

/// When the clock on the board shows another minute; every time zone's minutes begin together.
fn next_minute(now: Now) -> Millis {
    now.mono + Millis(60_000 - now.wall.as_millisecond().rem_euclid(60_000))
}

/// Everything between head and foot; returns when a page turns.
fn body(canvas: &mut Canvas, board: &Board<'_>, area: Rect) -> Option<Millis> {
    let mut area = area;
    if board.view.link.stale {
        let h = board.px.of(58.0);
        header::stale(canvas, board, area.band(0.0, h));
        // The band takes part of the margin below it.
        let used = h - board.px.of(12.0);
        area = area.band(used, area.h - used);
    }
    if let Phase::Closed { reason, opens } = &board.view.phase {
        full::closed(canvas, &board.sized(board.look.theme.sizes.full), area, *reason, *opens);
        return None;
    }
    let remarks = recent::remarks(board);
    let areas = BodyAreas::of(board.size, area, board.view.counters.len(), remarks.len());
    let rows = below::draw(canvas, board, areas.left, &remarks);
    let counters = counters::draw(canvas, board, areas.counters);
    [rows, counters].into_iter().flatten().min()
}

/// Head, middle and foot.
struct Areas {
    header: Rect,
    main: Rect,
    footer: Rect,
}

impl Areas {
    fn of(board: &Board<'_>) -> Self {
        let footer = if board.view.ticker.is_empty() { 0.0 } else { 1.0 };
        Self::with_footer(board.look, board.size, footer)
    }

    fn with_footer(look: &Look, size: Size, footer: f32) -> Self {
        let (px, sizes) = (Scale::of_size(size), look.theme.sizes);
        let (head, foot) = if size.is_portrait() { (128.0, 104.0) } else { (104.0, 92.0) };
        let (head, foot) = (px.of(head * sizes.header), px.of(foot * sizes.ticker) * footer);
        let tracks = [Track::Px(head), Track::Share(1.0), Track::Px(foot)];
        let parts = layout::rows(size.rect(), &tracks, 0.0);
        Self { header: parts[0], main: parts[1], footer: parts[2] }
    }
}

/// Spotlight with recent calls, and the counters.
struct BodyAreas {
    left: Rect,
    counters: Rect,
}

impl BodyAreas {
    /// Few counters leave more of the board to the call.
    fn of(size: Size, area: Rect, counters: usize, remarks: usize) -> Self {
        let px = Scale::of_size(size);
        let inner = area.inset(px.of(40.0), px.of(28.0));
        let parts = if size.is_portrait() {
            let left = px.of(720.0) + px.of(below::REMARK + 14.0) * remarks as f32;
            layout::rows(inner, &[Track::Px(left), Track::Share(1.0)], px.of(28.0))
        } else {
            let left = if counters <= plan::FEW { 1100.0 } else { 800.0 };
            layout::columns(inner, &[Track::Share(left), Track::Share(1812.0 - left)], px.of(28.0))
        };
        Self { left: parts[0], counters: parts[1] }
    }
}

/// The most that a picture of the hall's own can take of the spotlight, beside so many counters.
pub fn idle_room(look: &Look, size: Size, counters: usize) -> Size {
    let room = BodyAreas::of(size, Areas::with_footer(look, size, 0.0).main, counters, 0).left;
    Size { w: room.w.ceil() as u32, h: room.h.ceil() as u32 }
}

/// Where so many counters stand on a calm day, for judging whether they can be read.
fn counters_area(look: &Look, size: Size, counters: usize) -> Rect {
    BodyAreas::of(size, Areas::with_footer(look, size, 1.0).main, counters, 0).counters
}
