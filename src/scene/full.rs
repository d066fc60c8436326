//! Pictures that take the place of the board: closed, emergency, and the screen's own name.

use super::canvas::{Canvas, LINE, Type};
use super::{Align, Board, Rect, Shape, fit, words};
use crate::board::view::{ClosedReason, Opening, TickerItem};

/// How small and how large the closed screen and an emergency may become, as shares of their designed sizes. The words of
/// an emergency take all the room they can: they must be read from the back of the hall.
const CLOSED: [f32; 2] = [0.5, 1.0];
const EMERGENCY: [f32; 2] = [0.34, 1.5];
/// Font sizes of when the hall opens at 1080 lines: as large as one line holds.
const OPENING: [f32; 2] = [110.0, 140.0];

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

/// The paragraphs that `of` makes for a share of their designed size: the largest that `area` holds.
fn fitted(area: Rect, [least, most]: [f32; 2], of: impl Fn(f32) -> Vec<Paragraph>) -> Vec<Paragraph> {
    let mut share = most;
    loop {
        let paragraphs = of(share);
        if height(&paragraphs) <= area.h || share <= least {
            return paragraphs;
        }
        share *= 0.95;
    }
}

fn height(paragraphs: &[Paragraph]) -> f32 {
    paragraphs.iter().map(Paragraph::height).sum()
}

/// Draws the paragraphs in the middle of `area`; what does not fit is the end of the last line that does, and cut there.
fn centred(canvas: &mut Canvas, area: Rect, paragraphs: Vec<Paragraph>) {
    let mut y = area.y + ((area.h - height(&paragraphs)) / 2.0).round().max(0.0);
    let mut lines: Vec<(String, Type, Rect)> = Vec::new();
    let mut left_over: Vec<String> = Vec::new();
    for Paragraph { lines: texts, kind, above } in paragraphs {
        y += above;
        let h = (kind.size * LINE).ceil();
        for text in texts {
            if left_over.is_empty() && y + h <= area.bottom() + 1.0 {
                lines.push((text, kind, Rect { y, h, ..area }));
            } else {
                left_over.push(text);
            }
            y += h;
        }
    }
    if let Some((text, ..)) = lines.last_mut().filter(|_| !left_over.is_empty()) {
        *text = format!("{text} {}", left_over.join(" "));
    }
    for (text, kind, rect) in &lines {
        canvas.text(*rect, text, kind);
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
    let (vi, en) = words::opening(reason, opens, is_over_noon(board));
    let opening =
        Type::words(800, px.of(OPENING[1]), theme.ink).floor(px.of(OPENING[0])).fit(&vi, room.w).size;
    let paragraphs = fitted(room, CLOSED, |share| {
        let of_size = |weight, size: f32, colour| Type::words(weight, (size * share).floor(), colour);
        let kind = |weight, size: f32, colour| of_size(weight, px.of(size), colour);
        let part = |text: &str, kind, above: f32| paragraph(text, kind, (above * share).floor(), room.w);
        let mut all = Vec::new();
        if let Some(why) = words::reason(reason) {
            all.push(part(why, kind(600, 50.0, theme.quiet), 0.0));
        }
        all.push(part(&vi, of_size(800, opening, theme.ink), px.of(10.0)));
        if board.look.english {
            all.push(part(&en, kind(500, 50.0, theme.quiet), 0.0));
        }
        for (index, advice) in board.look.advice.iter().enumerate() {
            let above = if index == 0 { px.of(26.0) } else { 0.0 };
            all.push(part(advice, kind(500, 46.0, theme.quiet), above));
        }
        all
    });
    centred(canvas, room, paragraphs);
}

/// Whether the break that the hall is in now is the same that it is in at noon.
fn is_over_noon(board: &Board<'_>) -> bool {
    let noon = board.local.date().at(12, 0, 0, 0);
    board.look.hours.phase(noon) == board.view.phase
}

/// A notice that everybody must see now.
pub fn emergency(canvas: &mut Canvas, board: &Board<'_>, area: Rect, notice: &TickerItem) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.alarm, 0.0);
    let inset = area.inset(px.of(if board.portrait { 60.0 } else { 100.0 }), px.of(40.0));
    let icon = px.of(100.0);
    let place = Rect { y: inset.y, h: icon, ..inset };
    let room = Rect { y: inset.y + icon + px.of(10.0), h: inset.h - icon - px.of(10.0), ..inset };
    let paragraphs = fitted(room, EMERGENCY, |share| {
        let kind = |weight, size: f32| Type::words(weight, size.floor(), theme.alarm_ink);
        let text = (px.of(72.0) * share).floor();
        let head = px.of(110.0) * share.clamp(0.6, 1.0);
        let mut all = vec![
            paragraph("Thông báo khẩn", kind(800, head), 0.0, room.w),
            paragraph(&notice.text, kind(600, text), px.of(20.0), room.w),
        ];
        if let Some(english) = &notice.text_en {
            all.push(paragraph(english, kind(500, (text * 0.6).round()), px.of(24.0), room.w));
        }
        all
    });
    let up = ((room.h - height(&paragraphs)) / 2.0).max(0.0).round();
    canvas.icon(Shape::Warning, Rect { y: place.y + up, ..place }, theme.alarm_ink);
    centred(canvas, room, paragraphs);
}

/// The screen's name in the middle of `area`, so that a technician sees which one answers.
pub fn identify(canvas: &mut Canvas, board: &Board<'_>, area: Rect) {
    let (theme, px) = (&board.look.theme, board.px);
    let h = px.of(420.0).min(area.h);
    let panel = area.inset(px.of(100.0).min(area.w * 0.06).round(), ((area.h - h) / 2.0).round());
    canvas.fill(panel, theme.slot, px.of(theme.radius_large));
    let inner = panel.inset(px.of(50.0), px.of(30.0));
    let head = (px.of(46.0) * LINE).ceil();
    let kind = Type::words(600, px.of(46.0), theme.slot_ink).aligned(Align::Centre);
    canvas.text(inner.band(0.0, head), "Màn hình", &kind);
    let name = Type::words(800, px.of(190.0), theme.slot_ink).floor(px.of(40.0)).aligned(Align::Centre);
    canvas.text(inner.band(head, inner.h - head), &board.look.screen, &name);
}
