//! Where a called citizen goes: an arrow, the noun and the counter, in one line or as on a sign.

use super::canvas::{Canvas, LINE, Type};
use super::{Align, Board, Face, Rect, Shape, fit, font, motion, words};
use crate::board::view::Spot;

/// `→ Quầy 5`, in reversed colours; `size` is that of a counter's name.
pub fn line(canvas: &mut Canvas, board: &Board<'_>, area: Rect, spot: &Spot, size: f32) {
    let (theme, px) = (&board.look.theme, board.px);
    let mark = motion::mark(canvas);
    canvas.fill(area, theme.call_ink, px.of(theme.radius));
    let inner = area.inset(px.of(24.0), 0.0);
    let (arrow, gap) = (px.of(size * 0.7), px.of(size * 0.3));
    let place = Place::of(board, spot, inner.w - arrow - gap, area.h, size);
    let mut english = None;
    if board.look.english {
        let kind = Type::words(500, px.of(size * 0.36), theme.call).floor(px.of(size * 0.2));
        let text = format!("{} {}", words::noun_en(board.noun(&spot.counter)), spot.counter);
        let room = inner.w - arrow - gap * 2.0 - place.width();
        english = Some((kind, kind.fit(&text, room.max(0.0)))).filter(|(_, f)| !f.text.ends_with('…'));
    }
    let second = english.as_ref().map_or(0.0, |(_, f)| f.width + gap);
    let x = inner.x + ((inner.w - arrow - gap - place.width() - second) / 2.0).round();
    canvas.icon(Shape::Arrow, Rect { x, w: arrow, ..inner }, theme.call);
    motion::breathe(canvas, board, mark, (gap * 0.5).round());
    let x = place.draw(canvas, Rect { x: x + arrow + gap, ..inner });
    if let Some((kind, fitted)) = english {
        canvas.fitted(Rect { x: x + gap, w: fitted.width.ceil() + 1.0, ..inner }, &fitted, &kind);
    }
}

/// Where to go in one line. A short counter stands larger than its noun: it is what is looked for on the counters' signs, and must
/// be read from as far as a number on the grid. A long name is one line with its noun.
struct Place {
    noun: Option<(Type, fit::Fitted)>,
    counter: (Type, fit::Fitted),
    gap: f32,
}

/// Letters of a counter that stands larger than its noun, at most.
const SHORT: usize = 4;
/// Sizes of noun and counter then, beside that of a name; how small both may become for it; and how much of the height
/// the counter takes at most.
const NOUN: f32 = 0.8;
const COUNTER: f32 = 1.65;
const LEAST: f32 = 0.6;
const PLACE_SHARE: f32 = 0.72;

impl Place {
    fn of(board: &Board<'_>, spot: &Spot, room: f32, h: f32, size: f32) -> Self {
        let (ink, px) = (board.look.theme.call, board.px);
        let id = spot.counter.as_str();
        if id.chars().count() <= SHORT && !id.contains(' ') {
            let face = Face::Digits(800);
            let highest = h * PLACE_SHARE / font::cap_em(face);
            let gap = px.of(size * 0.22);
            let of_share = |share: f32| {
                let noun = Type::words(800, px.of(size * NOUN) * share, ink);
                let counter = Type::digits(800, (px.of(size * COUNTER) * share).min(highest), ink);
                let whole = |kind: Type, text| kind.floor(kind.size).fit(text, f32::INFINITY);
                let (words, number) = (whole(noun, board.noun(&spot.counter)), whole(counter, id));
                Self { noun: Some((noun, words)), counter: (counter, number), gap }
            };
            let shares = (0..=8u8).map(|step| 1.0 - (1.0 - LEAST) * f32::from(step) / 8.0);
            if let Some(place) = shares.map(of_share).find(|place| place.width() <= room) {
                return place;
            }
        }
        let kind = Type::words(800, px.of(size), ink).floor(px.of(size * 0.4));
        Self { noun: None, counter: (kind, board.place(&spot.counter, &kind, room)), gap: 0.0 }
    }

    fn width(&self) -> f32 {
        self.noun.as_ref().map_or(0.0, |(_, noun)| noun.width + 1.0 + self.gap) + self.counter.1.width
    }

    /// Draws it from the left of `row` and returns where it ends.
    fn draw(&self, canvas: &mut Canvas, row: Rect) -> f32 {
        let (kind, fitted) = &self.counter;
        let mut x = row.x;
        if let Some((noun, words)) = &self.noun {
            let w = words.width.ceil() + 1.0;
            let h = (words.size * LINE).ceil().min(row.h);
            let y = row.y + ((row.h - h) / 2.0).round();
            canvas.fitted(Rect { x, y, w, h }, words, noun);
            x += w + self.gap;
        }
        let w = fitted.width.ceil() + 1.0;
        canvas.fitted(Rect { x, w, ..row }, fitted, kind);
        x + w
    }
}

/// Where to go as on a sign: the noun on top, and below it a short counter as large as the number that is called.
pub struct Sign {
    noun: (Type, fit::Fitted),
    counter: (Type, String),
}

/// Letters of a counter on a sign at most, size of its noun at 1080 lines, and the space around.
const SIGN_LETTERS: usize = 3;
const SIGN_NOUN: f32 = 46.0;
const SIGN_EDGE: f32 = 14.0;
/// How large the counter becomes beside the number at most.
const BESIDE_NUMBER: f32 = 0.95;

impl Sign {
    /// For a sign `w` pixels wide; none where the counter is longer, or its noun would be much smaller.
    pub fn of(board: &Board<'_>, spot: &Spot, w: f32) -> Option<Self> {
        let (ink, px) = (board.look.theme.call, board.px);
        let id = spot.counter.as_str();
        if id.chars().count() > SIGN_LETTERS || id.contains(' ') {
            return None;
        }
        let noun = Type::words(800, px.of(SIGN_NOUN), ink);
        let text = board.noun(&spot.counter);
        let fitted = noun.fit(text, w - 2.0 * px.of(SIGN_EDGE) - noun.size);
        let counter = Type::digits(800, noun.size, ink).aligned(Align::Centre);
        (*fitted.text == *text).then(|| Self { noun: (noun, fitted), counter: (counter, id.to_owned()) })
    }

    /// Draws it in `area`, beside a number of size `largest`.
    pub fn draw(&self, canvas: &mut Canvas, board: &Board<'_>, area: Rect, largest: f32) {
        let (theme, px) = (&board.look.theme, board.px);
        let (kind, noun) = &self.noun;
        let mark = motion::mark(canvas);
        canvas.fill(area, theme.call_ink, px.of(theme.radius));
        let inner = area.inset(px.of(SIGN_EDGE), px.of(SIGN_EDGE * 0.6));
        let head = (noun.size * LINE).ceil();
        let (counter, id) = &self.counter;
        let room_em = font::number_em(id);
        let size = ((inner.h - head) / room_em).min(largest * BESIDE_NUMBER);
        let counter = Type { size, ..*counter }.floor(size * 0.4);
        let fitted = counter.fit(id, inner.w);
        let high = (fitted.size * room_em).ceil();
        let y = inner.y + ((inner.h - head - high) / 2.0).round();
        let (arrow, gap) = ((noun.size * 0.8).floor(), (noun.size * 0.25).floor());
        let wide = noun.width.ceil() + 1.0;
        let x = inner.x + ((inner.w - arrow - gap - wide) / 2.0).round();
        canvas.icon(Shape::Arrow, Rect { x, y, w: arrow, h: head }, theme.call);
        motion::breathe(canvas, board, mark, (gap * 0.5).round());
        canvas.fitted(Rect { x: x + arrow + gap, y, w: wide, h: head }, noun, kind);
        canvas.fitted(Rect { y: y + head, h: high, ..inner }, &fitted, &counter);
    }
}
