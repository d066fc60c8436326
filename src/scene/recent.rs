//! Below the spotlight: the last calls, who did not come, and which series have no tickets left.

use super::canvas::{Canvas, LINE, Type};
use super::layout::{Track, columns};
use super::{Board, Rect, Shape, idle, words};
use crate::board::view::RecentCall;

/// Calls that are shown at most.
const SHOWN: usize = 3;

/// Space between cards at 1080 lines.
pub const GAP: f32 = 18.0;

/// Width of one card in a row of this width.
pub fn card_width(board: &Board<'_>, w: f32) -> f32 {
    (w - board.px.of(GAP) * (SHOWN - 1) as f32) / SHOWN as f32
}

/// The last calls that the spotlight does not show.
pub fn calls<'a>(board: &Board<'a>) -> Vec<&'a RecentCall> {
    let view = board.view;
    let shown = if idle::turn(board).0.is_some() { &[] } else { &view.spotlight[..] };
    let lit = |call: &RecentCall| shown.iter().any(|s| s.ticket == call.ticket && s.counter == call.counter);
    view.recent.iter().filter(|call| !lit(call)).take(SHOWN).collect()
}

/// Draws the last calls; a notice's QR code takes the place of the oldest.
pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect, code: Option<&qrcode::QrCode>) {
    let px = board.px;
    let places = columns(area, &[Track::Share(1.0); SHOWN], px.of(GAP));
    let calls = calls(board);
    for (index, place) in places.into_iter().enumerate() {
        match code.filter(|_| index == SHOWN - 1) {
            Some(code) => super::qr::draw(canvas, board, place, code),
            None => card(canvas, board, place, index, calls.get(index).copied()),
        }
    }
}

fn card(canvas: &mut Canvas, board: &Board<'_>, area: Rect, index: usize, call: Option<&RecentCall>) {
    let (theme, px) = (&board.look.theme, board.px);
    let Some(call) = call else { return };
    canvas.fill(area, theme.panel_low, px.of(theme.radius));
    let inner = area.inset(px.of(26.0), px.of(10.0));
    let time = words::clock(board.look.time_zone.to_datetime(call.at).time());
    let head = if index == 0 { format!("Vừa gọi · {time}") } else { time };
    let (head_h, ticket_h, counter_h) =
        ((px.of(24.0) * LINE).ceil(), px.of(62.0), (px.of(28.0) * LINE).ceil());
    let mut y = inner.y + ((inner.h - head_h - ticket_h - counter_h) / 2.0).round();
    let mut row = |h: f32| {
        let rect = Rect { y, h, ..inner };
        y += h;
        rect
    };
    canvas.text(row(head_h), &head, &Type::words(500, px.of(24.0), theme.quiet));
    canvas.text(row(ticket_h), call.ticket.as_str(), &Type::digits(800, px.of(62.0), theme.ink));
    let kind = Type::words(600, px.of(28.0), theme.ink);
    let rect = row(counter_h);
    canvas.fitted(rect, &board.place(&call.counter, &kind, rect.w), &kind);
}

/// The lines under the recent calls; empty most of the day.
pub fn remarks(board: &Board<'_>) -> Vec<(Shape, String)> {
    let mut remarks = Vec::new();
    if !board.view.missed.is_empty() {
        let tickets: Vec<&str> = board.view.missed.iter().map(|m| m.ticket.as_str()).collect();
        remarks.push((Shape::Person, format!("Vắng mặt: {}", tickets.join(", "))));
    }
    let ended: Vec<String> = board
        .view
        .queues
        .iter()
        .filter(|queue| queue.left_today == Some(0))
        .map(|queue| match &queue.label {
            Some(label) => format!("{} ({label})", queue.series),
            None => queue.series.to_string(),
        })
        .collect();
    if !ended.is_empty() {
        remarks.push((Shape::Warning, format!("Hết số hôm nay: {}", ended.join(", "))));
    }
    remarks
}

pub fn remark(canvas: &mut Canvas, board: &Board<'_>, area: Rect, (shape, text): &(Shape, String)) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.panel_low, px.of(14.0));
    let icon = Rect { x: area.x + px.of(20.0), w: px.of(32.0), ..area };
    canvas.icon(*shape, icon.inset(0.0, px.of(4.0)), theme.remark);
    let room = area.trimmed(px.of(66.0), px.of(20.0));
    canvas.text(room, text, &Type::words(600, px.of(28.0), theme.ink));
}
