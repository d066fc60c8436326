//! Head of the board: emblem, hall, clock; and the amber band that says when the news are old.

use std::sync::Arc;

use super::canvas::{Canvas, LINE, Type};
use super::chip::{Chip, Row};
use super::{Align, Board, Image, Rect, Shape, fit, font, words};
use crate::board::input::LinkTrouble;

/// Draws the head into `area`.
pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.header, 0.0);
    canvas.fill(area.band(area.h - px.of(4.0), px.of(4.0)), theme.line, 0.0);
    let inner = Rect { h: area.h - px.of(4.0), ..area }.inset(px.of(40.0), 0.0);
    let emblem = emblem(canvas, board, inner);
    let mut right = clock(canvas, board, inner) + px.of(30.0);
    right += skew(canvas, board, inner.trimmed(0.0, right));
    names(canvas, board, inner.trimmed(emblem + px.of(26.0), right));
}

/// Draws the hall's logo, or else the emblem, at the left and returns its width.
fn emblem(canvas: &mut Canvas, board: &Board<'_>, inner: Rect) -> f32 {
    let (theme, px) = (&board.look.theme, board.px);
    if let Some(logo) = &board.look.logo {
        let room = inner.inset(0.0, px.of(10.0));
        let place = logo.place(Rect { w: px.of(240.0), ..room });
        let rect = Rect { x: inner.x.round(), ..place };
        canvas.layer.images.push(Image { art: Arc::clone(logo), rect, radius: 0.0, opacity: 1.0 });
        return rect.w;
    }
    let side = px.of(64.0);
    let emblem = Rect { w: side, h: side, y: inner.y + ((inner.h - side) / 2.0).round(), ..inner };
    canvas.fill(emblem, theme.emblem, px.of(14.0));
    canvas.icon(Shape::Star, emblem.inset(px.of(11.0), px.of(11.0)), theme.emblem_ink);
    side
}

/// Says at the end of `room` that the clock differs from the queue system's; returns the width that this takes.
fn skew(canvas: &mut Canvas, board: &Board<'_>, room: Rect) -> f32 {
    let (theme, px) = (&board.look.theme, board.px);
    let Some((text, short)) = words::skew(board.view.link.skew_s) else { return 0.0 };
    let (icon, fill, ink) = (Some(Shape::Warning), theme.warn, theme.warn_ink);
    let chip = Chip { icon, text, short: Some(short), fill, ink };
    let row = Row::fit(vec![chip], px.of(44.0), 0.0, room.w * 0.4);
    row.draw(canvas, room, room.right() - row.width(), px.of(theme.radius_chip));
    if row.is_empty() { 0.0 } else { row.width() + px.of(26.0) }
}

fn names(canvas: &mut Canvas, board: &Board<'_>, room: Rect) {
    let (theme, px) = (&board.look.theme, board.px);
    let title = Type::words(800, px.of(36.0), theme.ink);
    let motto = Type::words(500, px.of(24.0), theme.quiet);
    let motto_h = (px.of(24.0) * LINE).ceil();
    // In portrait the title may be too long for one line at a size that can still be read; then it takes two.
    let (lines, size) = if font::width(&board.look.title, title.face, title.size * 0.8) > room.w {
        fit::block(&board.look.title, title.face, title.size * 0.85, title.size * 0.6, room.w, 2)
    } else {
        (vec![board.look.title.clone()], title.size)
    };
    let title = Type { size, ..title };
    let title_h = (title.size * LINE).ceil();
    let shown = lines.len();
    let mut y = room.y + ((room.h - title_h * shown as f32 - motto_h) / 2.0).round().max(0.0);
    for text in &lines {
        canvas.text(Rect { y, h: title_h, ..room }, text, &title);
        y += title_h;
    }
    if y + motto_h <= room.bottom() + 1.0 {
        canvas.text(Rect { y, h: motto_h, ..room }, &board.look.motto, &motto);
    }
}

/// Draws clock and date at the right and returns their width.
fn clock(canvas: &mut Canvas, board: &Board<'_>, inner: Rect) -> f32 {
    let (theme, px) = (&board.look.theme, board.px);
    let time = Type::digits(800, px.of(58.0), theme.ink).aligned(Align::End);
    let date = Type::words(500, px.of(24.0), theme.quiet).aligned(Align::End);
    let (now, today) = (words::clock(board.local.time()), words::date(board.local.date()));
    let time_w = font::width("00:00", time.face, time.size);
    let date_w = font::width(&today, date.face, date.size);
    let width = (if board.portrait { time_w } else { time_w.max(date_w) }).ceil() + px.of(4.0);
    let place = Rect { x: inner.right() - width, w: width, ..inner };
    if board.portrait {
        canvas.text(place, &now, &time);
        return width;
    }
    let (time_h, date_h) = (px.of(58.0), (px.of(24.0) * LINE).ceil());
    let y = inner.y + ((inner.h - time_h - date_h) / 2.0).round();
    canvas.text(Rect { y, h: time_h, ..place }, &now, &time);
    canvas.text(Rect { y: y + time_h, h: date_h, ..place }, &today, &date);
    width
}

/// Says that the numbers are old, and how old.
pub fn stale(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.warn, 0.0);
    let text = match board.view.link.last_news {
        Some(at) => {
            let at = words::clock(board.look.time_zone.to_datetime(at).time());
            format!("Mất kết nối máy chủ – số hiển thị cập nhật lúc {at}")
        }
        None => "Chưa kết nối được máy chủ".to_owned(),
    };
    let text = match board.view.link.trouble {
        Some(LinkTrouble::SameClient) => format!("{text} – trùng mã máy trạm (client_id)"),
        Some(LinkTrouble::Refused) => format!("{text} – máy chủ từ chối đăng nhập"),
        None => text,
    };
    let kind = Type::words(700, px.of(30.0), theme.warn_ink);
    let side = px.of(34.0);
    let gap = px.of(14.0);
    let fitted = kind.fit(&text, area.w - px.of(80.0) - side - gap);
    let x = area.x + ((area.w - side - gap - fitted.width) / 2.0).round();
    canvas.icon(Shape::Warning, Rect { x, w: side, ..area }, theme.warn_ink);
    let rest = Rect { x: x + side + gap, w: fitted.width.ceil() + 1.0, ..area };
    canvas.fitted(rest, &fitted, &kind);
}
