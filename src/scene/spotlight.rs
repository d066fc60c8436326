//! The spotlight: who is called and where to, larger than all else; two or three calls share it, newest on top.

use std::sync::Arc;

use super::canvas::{Canvas, LINE, Type};
use super::chip::{Chip, Row};
use super::destination::{self, Sign};
use super::layout::{Track, columns, rows};
use super::{Align, Board, Image, Rect, Scale, Shape, font, motion, words};
use crate::board::view::Spot;

pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    match &board.view.spotlight[..] {
        [] => welcome(canvas, board, area),
        [one] => arriving(canvas, board, one, |canvas| hero(canvas, board, area, one)),
        spots => stack(canvas, board, area, spots),
    }
}

/// Lets what `draw` draws of a call slide in when it is new, and ease to its place when others came or went.
fn arriving(canvas: &mut Canvas, board: &Board<'_>, spot: &Spot, draw: impl FnOnce(&mut Canvas)) {
    let mark = motion::mark(canvas);
    draw(canvas);
    let changed = board.view.spotlight_since;
    if spot.since >= changed {
        motion::slide(canvas, board, mark, spot.since, motion::From::Left);
    } else {
        motion::slide(canvas, board, mark, changed, motion::From::Above);
    }
}

/// The least height of the spotlight at which its numbers are as large as they ever become in this width.
pub fn least_height(board: &Board<'_>, w: f32) -> f32 {
    let px = board.px;
    let of_size = |spot: &Spot, size: f32, w: f32| {
        let kind = Type { floor: px.of(40.0), ..Type::digits(800, px.of(size), board.look.theme.call_ink) };
        (kind.fit(spot.ticket.as_str(), w).size * font::number_em(spot.ticket.as_str())).ceil()
    };
    match &board.view.spotlight[..] {
        [] => px.of(WELCOME) + if board.look.english { px.of(58.0) } else { 0.0 },
        [one] => {
            let holder = one.holder.as_ref().filter(|_| board.look.show_holder);
            let number = of_size(one, HERO, w - 2.0 * px.of(40.0));
            number + px.of(62.0 + 140.0 + 84.0) + if holder.is_some() { px.of(60.0) } else { 0.0 }
        }
        spots => {
            let inner = stacked_inner(px, Rect { w, ..Rect::default() });
            let (ticket, place) = match signs(board, spots, inner) {
                Some([ticket, _]) => (ticket, SIGN),
                None => (halves(px, inner)[0], PLACE),
            };
            let number = |spot: &Spot| of_size(spot, STACKED, ticket.w).max(px.of(place));
            let one = |spot: &Spot| px.of(36.0) + head_height(board, spot) + number(spot);
            // All of them are as high as the highest.
            let highest = spots.iter().map(one).fold(0.0, f32::max);
            let more = if board.view.spotlight_waiting > 0 { px.of(66.0) } else { 0.0 };
            (highest + px.of(18.0)) * spots.len() as f32 + more
        }
    }
}

/// Largest sizes of a called number at 1080 lines, alone and in the stack. A usual number on a usual screen is as wide as
/// its room before it is as large.
const HERO: f32 = 400.0;
const STACKED: f32 = 220.0;
/// Height of the welcome in one language at 1080 lines.
const WELCOME: f32 = 510.0;

/// Nobody is called: a calm word instead of an empty field.
fn welcome(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    let (theme, px) = (&board.look.theme, board.px);
    let inner = area.inset(px.of(56.0), px.of(40.0));
    let head = Type::words(800, px.of(64.0), theme.ink).aligned(Align::Centre);
    let body = Type::words(500, px.of(38.0), theme.quiet).aligned(Align::Centre);
    let mut lines = vec![("Xin mời quý công dân", head), ("lấy số và chờ gọi", head)];
    lines.push(("Số được gọi sẽ hiện tại đây và được đọc trên loa.", body));
    if board.look.english {
        lines.push(("Please take a ticket and wait for your number.", body));
    }
    let heights: Vec<f32> = lines.iter().map(|(_, kind)| (kind.size * LINE).ceil()).collect();
    let star = px.of(120.0);
    let total = star + px.of(30.0) + heights.iter().sum::<f32>() + px.of(24.0);
    if total > inner.h && px.0 > 0.1 {
        // Remarks and a code leave less room.
        return welcome(canvas, &board.sized(0.9), area);
    }
    canvas.fill(area, theme.panel, px.of(theme.radius_large));
    let mut y = inner.y + ((inner.h - total) / 2.0).round().max(0.0);
    if let Some(logo) = &board.look.logo {
        let rect = logo.place(Rect { y, h: star, ..inner });
        canvas.layer.images.push(Image { art: Arc::clone(logo), rect, radius: 0.0, opacity: 1.0 });
    } else {
        let emblem = Rect { x: inner.x + ((inner.w - star) / 2.0).round(), y, w: star, h: star };
        canvas.fill(emblem, theme.emblem, px.of(26.0));
        canvas.icon(Shape::Star, emblem.inset(px.of(20.0), px.of(20.0)), theme.emblem_ink);
    }
    y += star + px.of(30.0);
    for (index, ((text, kind), h)) in lines.iter().zip(heights).enumerate() {
        if index == 2 {
            y += px.of(24.0);
        }
        canvas.text(Rect { y, h, ..inner }, text, kind);
        y += h;
    }
}

/// One call alone.
fn hero(canvas: &mut Canvas, board: &Board<'_>, area: Rect, spot: &Spot) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.call, px.of(theme.radius_large));
    let inner = area.inset(px.of(40.0), px.of(30.0));
    let parts =
        rows(inner, &[Track::Px(px.of(62.0)), Track::Share(1.0), Track::Px(px.of(140.0))], px.of(10.0));
    hero_head(canvas, board, parts[0], spot);
    let mut middle = parts[1];
    if let Some(holder) = spot.holder.as_ref().filter(|_| board.look.show_holder) {
        let h = (px.of(40.0) * LINE).ceil();
        let kind = Type::words(700, px.of(40.0), theme.call_ink).aligned(Align::Centre);
        canvas.text(middle.band(middle.h - h, h), holder.as_str(), &kind);
        middle.h -= h;
    }
    canvas.text(middle, spot.ticket.as_str(), &number(middle, HERO, board, spot).aligned(Align::Centre));
    destination::line(canvas, board, parts[2], spot, 96.0);
}

/// A ticket number as large as its box allows, up to `size` at 1080 lines.
fn number(room: Rect, size: f32, board: &Board<'_>, spot: &Spot) -> Type {
    let size = board.px.of(size).min(room.h / font::number_em(spot.ticket.as_str()));
    Type { floor: board.px.of(40.0), ..Type::digits(800, size, board.look.theme.call_ink) }
}

fn hero_head(canvas: &mut Canvas, board: &Board<'_>, row: Rect, spot: &Spot) {
    let (theme, px) = (&board.look.theme, board.px);
    let kind = Type::words(700, px.of(44.0), theme.call_ink);
    let word = words::invitation(spot.kind);
    let (gap, between) = (px.of(18.0), px.of(12.0));
    // What the call is comes before the chips.
    let least = font::width(word, kind.face, kind.floor).ceil() + 1.0 + gap;
    let chips = Row::fit(chips(board, spot), px.of(48.0), between, row.w - least);
    let right = row.right() - chips.width();
    chips.draw(canvas, row, right, px.of(theme.radius_chip));
    let room = row.trimmed(0.0, if chips.is_empty() { 0.0 } else { chips.width() + gap });
    let fitted = kind.fit(word, room.w - 1.0);
    let width = (fitted.width.ceil() + 1.0).min(room.w);
    canvas.fitted(Rect { w: width, ..room }, &fitted, &kind);
    if board.look.english {
        let rest = room.trimmed(width + gap, 0.0);
        let kind = Type::words(500, px.of(30.0), theme.call_ink);
        let fitted = kind.fit(words::invitation_en(spot.kind), rest.w);
        if *fitted.text == *words::invitation_en(spot.kind) {
            canvas.fitted(rest, &fitted, &kind);
        }
    }
}

/// Lane and booked time, dark on the call's ground.
fn chips(board: &Board<'_>, spot: &Spot) -> Vec<Chip> {
    let mut chips = Vec::new();
    // The lane comes first: where only one has room, a citizen needs to know it more than the time.
    if let Some((text, icon)) =
        words::lane(spot.lane).filter(|(_, icon)| spot.slot.is_none() || *icon != Shape::Clock)
    {
        let short = words::lane_in_short(spot.lane).map(str::to_owned);
        chips.push(Chip { short, ..chip(board, text.to_owned(), Some(icon)) });
    }
    if let Some(slot) = spot.slot {
        chips.push(chip(board, format!("Hẹn {}", words::clock(slot)), Some(Shape::Clock)));
    }
    chips
}

fn chip(board: &Board<'_>, text: String, icon: Option<Shape>) -> Chip {
    let theme = &board.look.theme;
    Chip { icon, text, short: None, fill: theme.call_ink, ink: theme.call }
}

/// How many calls wait for the spotlight, and where they are meanwhile.
fn more(board: &Board<'_>) -> Option<Chip> {
    let theme = &board.look.theme;
    let waiting = board.view.spotlight_waiting;
    (waiting > 0).then(|| Chip {
        icon: Some(Shape::Arrow),
        text: format!("+{waiting} lượt gọi khác, xem bảng quầy"),
        short: Some(format!("+{waiting} lượt gọi")),
        fill: theme.tab,
        ink: theme.ink,
    })
}

/// Two or three calls at once.
fn stack(canvas: &mut Canvas, board: &Board<'_>, area: Rect, spots: &[Spot]) {
    let px = board.px;
    let mut area = area;
    if let Some(chip) = more(board) {
        let h = px.of(52.0);
        let row = area.band(area.h - h, h);
        area.h -= h + px.of(14.0);
        let row_of_one = Row::fit(vec![chip], h, 0.0, row.w);
        row_of_one.draw(canvas, row, row.x, px.of(board.look.theme.radius_chip));
    }
    let tracks = vec![Track::Share(1.0); spots.len()];
    let places = rows(area, &tracks, px.of(18.0));
    let high = places
        .iter()
        .zip(spots)
        .all(|(place, spot)| stacked_inner(px, *place).h - head_height(board, spot) >= px.of(SIGN));
    for (index, (place, spot)) in places.into_iter().zip(spots).enumerate() {
        arriving(canvas, board, spot, |canvas| {
            let ground = if index == 0 { board.look.theme.call } else { board.look.theme.call_older };
            canvas.fill(place, ground, px.of(22.0));
            let inner = stacked_inner(px, place);
            match signs(board, spots, inner).filter(|_| high) {
                Some(parts) => with_sign(canvas, board, parts, spot),
                None => stacked(canvas, board, inner, spot),
            }
        });
    }
}

fn stacked_inner(px: Scale, place: Rect) -> Rect {
    place.inset(px.of(34.0), px.of(16.0))
}

/// Height of a stacked call's chips with the gap below them, and what must be left of a call's height for it to have a sign,
/// at 1080 lines.
const HEAD: f32 = 50.0;
const SIGN: f32 = 180.0;

fn head_height(board: &Board<'_>, spot: &Spot) -> f32 {
    if stacked_head(board, spot).is_empty() { 0.0 } else { board.px.of(HEAD) }
}

/// Number and sign of each of two calls, whose counters stand below their nouns: number and counter are a third larger
/// then, to be read from the back. None for three, and where a counter has a long name.
fn signs(board: &Board<'_>, spots: &[Spot], inner: Rect) -> Option<[Rect; 2]> {
    let parts = columns(inner, &[Track::Share(2.1), Track::Share(1.0)], board.px.of(20.0));
    let &[ticket, place] = &parts[..] else { return None };
    let has_sign = |spot: &Spot| Sign::of(board, spot, place.w).is_some();
    (spots.len() == 2 && spots.iter().all(has_sign)).then_some([ticket, place])
}

/// One of two calls: its chips above its number, and the sign of its counter.
fn with_sign(canvas: &mut Canvas, board: &Board<'_>, [ticket, place]: [Rect; 2], spot: &Spot) {
    let px = board.px;
    let (head, chip_h) = (head_height(board, spot), px.of(HEAD - 8.0).floor());
    let chips = Row::fit(stacked_head(board, spot), chip_h, px.of(10.0), ticket.w);
    chips.draw(canvas, ticket.band(0.0, chip_h), ticket.x, px.of(board.look.theme.radius_chip));
    let below = ticket.band(head, ticket.h - head);
    let kind = number(below, STACKED, board, spot);
    let fitted = kind.fit(spot.ticket.as_str(), below.w);
    canvas.fitted(below, &fitted, &kind);
    if let Some(sign) = Sign::of(board, spot, place.w) {
        sign.draw(canvas, board, place, fitted.size);
    }
}

fn stacked(canvas: &mut Canvas, board: &Board<'_>, inner: Rect, spot: &Spot) {
    let (theme, px) = (&board.look.theme, board.px);
    let halves = |place| halves(px, place);
    let (gap, between, radius) = (px.of(8.0), px.of(10.0), px.of(theme.radius_chip));
    let head = stacked_head(board, spot);
    // Chips take their row from the destination; many of them take it from the whole call, as long as that stays large.
    let chip_h = px.of(42.0).min(inner.h - gap - px.of(60.0)).floor();
    if head.is_empty() || chip_h < px.of(24.0) {
        let halves = halves(inner);
        return ticket_and_place(canvas, board, spot, halves[0], halves[1]);
    }
    let left = inner.h - chip_h - gap;
    let beside = halves(inner);
    let across = Row::whole(&head, chip_h, between, beside[1].w).is_none() && left >= px.of(ACROSS);
    if across {
        let chips = Row::fit(head, chip_h, between, inner.w);
        chips.draw(canvas, inner.band(0.0, chip_h), inner.x, radius);
        let below = halves(inner.band(chip_h + gap, left));
        ticket_and_place(canvas, board, spot, below[0], below[1]);
    } else {
        let chips = Row::fit(head, chip_h, between, beside[1].w);
        let box_h = px.of(PLACE).min(left);
        let y = inner.y + ((left - box_h) / 2.0).round();
        chips.draw(canvas, Rect { y, h: chip_h, ..inner }, beside[1].x, radius);
        let place = Rect { y: y + chip_h + gap, h: box_h, ..beside[1] };
        ticket_and_place(canvas, board, spot, beside[0], place);
    }
}

/// A stacked call's number, and where to go.
fn halves(px: Scale, place: Rect) -> Vec<Rect> {
    columns(place, &[Track::Share(1.15), Track::Share(1.0)], px.of(20.0))
}

/// What must be left below chips across the whole call at 1080 lines: its number is to be as large as the others.
const ACROSS: f32 = 96.0;
/// Height of the box of a stacked call's counter at 1080 lines.
const PLACE: f32 = 104.0;

fn ticket_and_place(canvas: &mut Canvas, board: &Board<'_>, spot: &Spot, ticket: Rect, place: Rect) {
    let kind = number(ticket, STACKED, board, spot);
    canvas.text(ticket, spot.ticket.as_str(), &kind);
    let h = board.px.of(PLACE).min(place.h);
    let y = place.y + ((place.h - h) / 2.0).round();
    let size = 60.0_f32.min(60.0 * h / board.px.of(88.0));
    destination::line(canvas, board, Rect { y, h, ..place }, spot, size);
}

/// What is special about a stacked call: its lane, that it is repeated or moved, its time; the first is the last to go.
fn stacked_head(board: &Board<'_>, spot: &Spot) -> Vec<Chip> {
    let mut head = chips(board, spot);
    let word = words::invitation(spot.kind);
    if word != words::invitation(crate::board::call::Kind::Call) {
        let has_lane = words::lane(spot.lane).is_some() && !head.is_empty();
        head.insert(usize::from(has_lane), chip(board, word.to_owned(), None));
    }
    if let Some(holder) = spot.holder.as_ref().filter(|_| board.look.show_holder) {
        head.push(chip(board, holder.as_str().to_owned(), Some(Shape::Person)));
    }
    head
}
