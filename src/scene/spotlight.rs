//! The spotlight: who is called and where to, larger than all else; two or three calls share it, newest on top.

use super::canvas::{Canvas, LINE, Type};
use super::chip::Chip;
use super::layout::{Track, columns, rows};
use super::{Align, Board, Colour, Face, Rect, Shape, font, words};
use crate::board::view::Spot;

pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    match &board.view.spotlight[..] {
        [] => welcome(canvas, board, area),
        [one] => hero(canvas, board, area, one),
        spots => stack(canvas, board, area, spots),
    }
}

/// Nobody is called: a calm word instead of an empty field.
fn welcome(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.panel, px.of(theme.radius_large));
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
    let mut y = inner.y + ((inner.h - total) / 2.0).round().max(0.0);
    let emblem = Rect { x: inner.x + ((inner.w - star) / 2.0).round(), y, w: star, h: star };
    canvas.fill(emblem, theme.emblem, px.of(26.0));
    canvas.icon(Shape::Star, emblem.inset(px.of(20.0), px.of(20.0)), theme.emblem_ink);
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
    canvas.text(
        middle,
        spot.ticket.as_str(),
        &number(middle, 290.0, board, theme.call_ink).aligned(Align::Centre),
    );
    destination(canvas, board, parts[2], spot, 96.0);
}

/// A ticket number as large as its box allows, up to `size` at 1080 lines.
fn number(room: Rect, size: f32, board: &Board<'_>, ink: Colour) -> Type {
    let face = Face::Digits(800);
    let fits = room.h / font::cap_em(face) * 0.92;
    Type { floor: board.px.of(40.0), ..Type::digits(800, board.px.of(size).min(fits), ink) }
}

fn hero_head(canvas: &mut Canvas, board: &Board<'_>, row: Rect, spot: &Spot) {
    let (theme, px) = (&board.look.theme, board.px);
    let mut right = row.right();
    let height = px.of(48.0);
    let y = row.y + ((row.h - height) / 2.0).round();
    // The head keeps at least a third of the row; a chip for which no words are left is not shown.
    let left = row.x + row.w / 3.0;
    for chip in chips(board, spot).into_iter().chain(more(board)) {
        let width = chip.width(height).min(right - left);
        if width < height * 2.5 {
            break;
        }
        right -= width;
        chip.draw(canvas, Rect { x: right, y, w: width, h: height }, px.of(theme.radius_chip));
        right -= px.of(12.0);
    }
    let room = Rect { w: right - row.x, ..row };
    let kind = Type::words(700, px.of(44.0), theme.call_ink);
    let fitted = kind.fit(words::invitation(spot.kind), room.w);
    let width = fitted.width.ceil() + 1.0;
    canvas.fitted(Rect { w: width.min(room.w), ..room }, &fitted, &kind);
    let rest = room.trimmed(width + px.of(18.0), 0.0);
    if board.look.english && rest.w > 0.0 {
        let kind = Type::words(500, px.of(30.0), theme.call_ink);
        canvas.text(rest, words::invitation_en(spot.kind), &kind);
    }
}

/// Lane and booked time, dark on the call's ground.
fn chips(board: &Board<'_>, spot: &Spot) -> Vec<Chip> {
    let theme = &board.look.theme;
    let chip = |text: String, icon| Chip { icon: Some(icon), text, fill: theme.call_ink, ink: theme.call };
    let mut chips = Vec::new();
    // The lane comes first: where only one has room, a citizen needs to know it more than the time.
    if let Some((text, icon)) =
        words::lane(spot.lane).filter(|(_, icon)| spot.slot.is_none() || *icon != Shape::Clock)
    {
        chips.push(chip(text.to_owned(), icon));
    }
    if let Some(slot) = spot.slot {
        chips.push(chip(format!("Hẹn {}", words::clock(slot)), Shape::Clock));
    }
    chips
}

/// How many calls wait for the spotlight.
fn more(board: &Board<'_>) -> Option<Chip> {
    let theme = &board.look.theme;
    let waiting = board.view.spotlight_waiting;
    (waiting > 0).then(|| Chip {
        icon: None,
        text: format!("+{waiting} lượt gọi"),
        fill: theme.call_ink,
        ink: theme.call,
    })
}

/// `→ Quầy 5`, in reversed colours.
fn destination(canvas: &mut Canvas, board: &Board<'_>, area: Rect, spot: &Spot, size: f32) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.call_ink, px.of(theme.radius));
    let inner = area.inset(px.of(24.0), 0.0);
    let noun = board.noun(&spot.counter);
    let kind = Type::words(800, px.of(size), theme.call).floor(px.of(size * 0.4));
    let arrow = (kind.size * 0.7).round();
    let gap = (kind.size * 0.3).round();
    let fitted = kind.fit(&format!("{noun} {}", spot.counter), inner.w - arrow - gap);
    let mut english = None;
    if board.look.english {
        let kind = Type::words(500, px.of(size * 0.36), theme.call).floor(px.of(size * 0.2));
        let text = format!("{} {}", words::noun_en(noun), spot.counter);
        let room = inner.w - arrow - gap * 2.0 - fitted.width;
        english = Some((kind, kind.fit(&text, room.max(0.0)))).filter(|(_, f)| !f.text.ends_with('…'));
    }
    let second = english.as_ref().map_or(0.0, |(_, f)| f.width + gap);
    let x = inner.x + ((inner.w - arrow - gap - fitted.width - second) / 2.0).round();
    canvas.icon(Shape::Arrow, Rect { x, w: arrow, ..inner }, theme.call);
    let text = Rect { x: x + arrow + gap, w: fitted.width.ceil() + 1.0, ..inner };
    canvas.fitted(text, &fitted, &kind);
    if let Some((kind, fitted)) = english {
        let rect = Rect { x: text.right() + gap, w: fitted.width.ceil() + 1.0, ..inner };
        canvas.fitted(rect, &fitted, &kind);
    }
}

/// Two or three calls at once.
fn stack(canvas: &mut Canvas, board: &Board<'_>, area: Rect, spots: &[Spot]) {
    let px = board.px;
    let mut area = area;
    if let Some(chip) = more(board) {
        let h = px.of(52.0);
        let row = area.band(area.h - h, h);
        area.h -= h + px.of(14.0);
        let theme = &board.look.theme;
        let text = format!("{} khác, xem bảng quầy", chip.text);
        Chip { icon: Some(Shape::Arrow), text, fill: theme.tab, ink: theme.ink }.draw(
            canvas,
            row,
            px.of(theme.radius_chip),
        );
    }
    let tracks = vec![Track::Share(1.0); spots.len()];
    for (index, (place, spot)) in rows(area, &tracks, px.of(18.0)).into_iter().zip(spots).enumerate() {
        stacked(canvas, board, place, spot, index == 0);
    }
}

fn stacked(canvas: &mut Canvas, board: &Board<'_>, area: Rect, spot: &Spot, newest: bool) {
    let (theme, px) = (&board.look.theme, board.px);
    let ground = if newest { theme.call } else { theme.call_older };
    canvas.fill(area, ground, px.of(22.0));
    let inner = area.inset(px.of(34.0), px.of(16.0));
    let halves = columns(inner, &[Track::Share(1.15), Track::Share(1.0)], px.of(20.0));
    canvas.text(halves[0], spot.ticket.as_str(), &number(halves[0], 150.0, board, theme.call_ink));
    let chip_h = px.of(42.0);
    let gap = px.of(8.0);
    let head = stacked_head(board, spot);
    // Chips take their row from the destination, as long as that stays large.
    let left = halves[1].h - chip_h - gap;
    let with_head = !head.is_empty() && left >= px.of(64.0);
    let box_h = px.of(104.0).min(if with_head { left } else { halves[1].h });
    let total = if with_head { box_h + chip_h + gap } else { box_h };
    let mut y = halves[1].y + ((halves[1].h - total) / 2.0).round();
    if with_head {
        let mut x = halves[1].x;
        for (index, chip) in head.iter().enumerate() {
            let rect = Rect { x, y, w: halves[1].right() - x, h: chip_h };
            // The first is cut if it must be; a further one is shown whole or not at all.
            if index == 0 || chip.width(chip_h) <= rect.w {
                x += chip.draw(canvas, rect, px.of(theme.radius_chip)) + px.of(10.0);
            }
        }
        y += chip_h + gap;
    }
    let size = 60.0_f32.min(60.0 * box_h / px.of(88.0));
    destination(canvas, board, Rect { y, h: box_h, ..halves[1] }, spot, size);
}

/// What is special about a stacked call: that it is repeated or moved, its lane, its time.
fn stacked_head(board: &Board<'_>, spot: &Spot) -> Vec<Chip> {
    let theme = &board.look.theme;
    let mut head = Vec::new();
    let word = words::invitation(spot.kind);
    if word != words::invitation(crate::board::call::Kind::Call) {
        head.push(Chip { icon: None, text: word.to_owned(), fill: theme.call_ink, ink: theme.call });
    }
    head.extend(chips(board, spot));
    if let Some(holder) = spot.holder.as_ref().filter(|_| board.look.show_holder) {
        let text = holder.as_str().to_owned();
        head.push(Chip { icon: Some(Shape::Person), text, fill: theme.call_ink, ink: theme.call });
    }
    head
}
