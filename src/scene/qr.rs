//! A notice's QR code as boxes: dark modules on white, with the quiet zone that readers need.

use qrcode::{Color, EcLevel, QrCode};

use super::canvas::{Canvas, LINE, Type};
use super::{Align, Board, Colour, Rect, font};

/// Modules of white around the code (ISO/IEC 18004).
const QUIET: usize = 4;
const WHITE: Colour = Colour([255, 255, 255, 255]);
const BLACK: Colour = Colour([0, 0, 0, 255]);

/// The least side of a module at 1080 lines, and in pixels at all: smaller ones blur in a telephone's camera.
const MODULE: f32 = 3.0;

/// Beside the code that leads to the phones' page.
const CAPTION: [&str; 2] = ["Xem trên", "điện thoại"];

fn of_notice<'a>(board: &Board<'a>) -> Option<&'a str> {
    board.view.ticker.iter().find_map(|item| item.qr.as_deref())
}

/// The code of the first notice that has one, or else the one for phones, for a card of this width; none when no code
/// holds the text, or only one that could not be scanned. Low error correction has the largest modules, and nothing
/// soils a screen.
pub fn wanted(board: &Board<'_>, card: f32) -> Option<QrCode> {
    let text = of_notice(board).or(board.look.phone_qr.as_deref())?;
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    (least_side(board, &code) <= card).then_some(code)
}

/// The side of the smallest card on which the code can be scanned.
pub fn least_side(board: &Board<'_>, code: &QrCode) -> f32 {
    board.px.of(MODULE).max(MODULE) * (code.width() + 2 * QUIET) as f32
}

/// The caption of the phones' code: its lines with their places, how it is written, and the room that it leaves.
struct Caption {
    lines: Vec<(Rect, String)>,
    kind: Type,
    room: Rect,
}

/// Below the code or beside it, where the code becomes larger; none for a notice's code, or where the code would have to
/// become too small for it.
fn caption(board: &Board<'_>, area: Rect, modules: f32) -> Option<Caption> {
    if of_notice(board).is_some() {
        return None;
    }
    let kind = Type::words(600, board.px.of(22.0), BLACK);
    let width = |text: &str| font::width(text, kind.face, kind.size).ceil() + 1.0;
    let line = (kind.size * LINE).ceil();
    let one = CAPTION.join(" ");
    let below = (width(&one) <= area.w).then(|| {
        let room = Rect { h: area.h - line, ..area };
        let lines = vec![(area.band(area.h - line, line), one)];
        Caption { lines, kind: kind.aligned(Align::Centre), room }
    });
    let w = CAPTION.map(width).into_iter().fold(0.0, f32::max) + board.px.of(10.0);
    let side = Rect { x: area.x + area.w - w, w, ..area };
    let top = (side.h / 2.0 - line).round();
    let lines = CAPTION.iter().zip([top, top + line]);
    let lines = lines.map(|(text, y)| (side.band(y, line), (*text).to_owned())).collect();
    let beside = Caption { lines, kind, room: Rect { w: area.w - w, ..area } };
    let module = |caption: &Caption| (caption.room.w.min(caption.room.h) / modules).floor();
    let best = below.into_iter().chain([beside]).max_by(|a, b| module(a).total_cmp(&module(b)))?;
    (module(&best) >= board.px.of(MODULE).max(MODULE)).then_some(best)
}

/// Draws the code onto a white card, in its middle or beside the caption; modules are whole pixels, so that edges stay
/// sharp.
pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect, code: &QrCode) {
    canvas.fill(area, WHITE, board.px.of(board.look.theme.radius));
    let side = code.width();
    let modules = (side + 2 * QUIET) as f32;
    let caption = caption(board, area, modules);
    let room = caption.as_ref().map_or(area, |caption| caption.room);
    let module = (room.w.min(room.h) / modules).floor();
    for (caption, (rect, text)) in
        caption.iter().flat_map(|all| all.lines.iter().map(move |line| (all, line)))
    {
        canvas.text(*rect, text, &caption.kind);
    }
    let left = room.x + ((room.w - module * side as f32) / 2.0).round();
    let top = room.y + ((room.h - module * side as f32) / 2.0).round();
    for (row, colours) in code.to_colors().chunks(side).enumerate() {
        let y = top + module * row as f32;
        let mut column = 0;
        while column < side {
            let run = colours[column..].iter().take_while(|c| **c == Color::Dark).count();
            if run > 0 {
                let x = left + module * column as f32;
                canvas.fill(Rect { x, y, w: module * run as f32, h: module }, BLACK, 0.0);
            }
            column += run.max(1);
        }
    }
}
