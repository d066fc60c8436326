//! Pictures that take the place of the board: closed, emergency, and the screen's own name.

use super::canvas::{Canvas, LINE, Type};
use super::{Align, Board, Rect, Shape, fit, words};
use crate::board::view::{ClosedReason, Opening, TickerItem};

/// A paragraph: lines of one type, with room above.
struct Paragraph {
    lines: Vec<String>,
    kind: Type,
    above: f32,
}

impl Paragraph {
    fn height(&self) -> f32 {
        self.above + self.lines.len() as f32 * (self.kind.size * LINE).ceil()
    }
}

fn paragraph(text: &str, kind: Type, above: f32, room: f32) -> Paragraph {
    let kind = kind.aligned(Align::Centre);
    Paragraph { lines: fit::lines(text, kind.face, kind.size, room), kind, above }
}

/// Draws the paragraphs in the middle of `area`; what does not fit at the end is left out.
fn centred(canvas: &mut Canvas, area: Rect, paragraphs: &[Paragraph]) {
    let total: f32 = paragraphs.iter().map(Paragraph::height).sum();
    let mut y = area.y + ((area.h - total) / 2.0).round().max(0.0);
    for paragraph in paragraphs {
        y += paragraph.above;
        let h = (paragraph.kind.size * LINE).ceil();
        for text in &paragraph.lines {
            if y + h <= area.bottom() + 1.0 {
                canvas.text(Rect { y, h, ..area }, text, &paragraph.kind);
            }
            y += h;
        }
    }
}

/// Before hours, at lunch, after hours, on a day off.
pub fn closed(
    canvas: &mut Canvas,
    board: &Board<'_>,
    area: Rect,
    reason: ClosedReason,
    opens: Option<Opening>,
) {
    let (theme, px) = (&board.look.theme, board.px);
    let room = area.inset(px.of(if board.portrait { 60.0 } else { 160.0 }), px.of(40.0));
    let (vi, en) = words::opening(reason, opens);
    let mut paragraphs = Vec::new();
    if let Some(why) = words::reason(reason) {
        paragraphs.push(paragraph(why, Type::words(600, px.of(50.0), theme.quiet), 0.0, room.w));
    }
    paragraphs.push(paragraph(&vi, Type::words(800, px.of(110.0), theme.ink), px.of(10.0), room.w));
    if board.look.english {
        paragraphs.push(paragraph(&en, Type::words(500, px.of(50.0), theme.quiet), 0.0, room.w));
    }
    for (index, advice) in board.look.advice.iter().enumerate() {
        let above = if index == 0 { px.of(26.0) } else { px.of(6.0) };
        paragraphs.push(paragraph(advice, Type::words(500, px.of(46.0), theme.quiet), above, room.w));
    }
    centred(canvas, room, &paragraphs);
}

/// A notice that everybody must see now.
pub fn emergency(canvas: &mut Canvas, board: &Board<'_>, area: Rect, notice: &TickerItem) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.alarm, 0.0);
    let inset = area.inset(px.of(if board.portrait { 60.0 } else { 140.0 }), px.of(40.0));
    let icon = px.of(150.0);
    let place = Rect { y: inset.y, h: icon, ..inset };
    let room = Rect { y: inset.y + icon + px.of(10.0), h: inset.h - icon - px.of(10.0), ..inset };
    let mut size = px.of(72.0);
    let paragraphs = loop {
        let kind = Type::words(600, size, theme.alarm_ink);
        let mut all = vec![
            paragraph("Thông báo khẩn", Type::words(800, px.of(110.0), theme.alarm_ink), 0.0, room.w),
            paragraph(&notice.text, kind, px.of(20.0), room.w),
        ];
        if let Some(text) = &notice.text_en {
            let kind = Type::words(500, (size * 0.7).round(), theme.alarm_ink);
            all.push(paragraph(text, kind, px.of(24.0), room.w));
        }
        let height: f32 = all.iter().map(Paragraph::height).sum();
        if height <= room.h || size <= px.of(24.0) {
            break all;
        }
        size = (size * 0.92).floor();
    };
    let height: f32 = paragraphs.iter().map(Paragraph::height).sum();
    let up = ((room.h - height) / 2.0).max(0.0).round();
    canvas.icon(Shape::Warning, Rect { y: place.y + up, ..place }, theme.alarm_ink);
    centred(canvas, room, &paragraphs);
}

/// The screen's name, so that a technician sees which one answers.
pub fn identify(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    let (theme, px) = (&board.look.theme, board.px);
    let h = px.of(420.0).min(area.h);
    let panel = area.inset(px.of(100.0), ((area.h - h) / 2.0).round());
    canvas.fill(panel, theme.slot, px.of(theme.radius_large));
    let inner = panel.inset(px.of(50.0), px.of(30.0));
    let head = (px.of(46.0) * LINE).ceil();
    let kind = Type::words(600, px.of(46.0), theme.slot_ink).aligned(Align::Centre);
    canvas.text(inner.band(0.0, head), "Màn hình", &kind);
    let name = Type::words(800, px.of(190.0), theme.slot_ink).floor(px.of(40.0)).aligned(Align::Centre);
    canvas.text(inner.band(head, inner.h - head), &board.look.screen, &name);
}
