//! A notice's QR code as boxes: dark modules on white, with the quiet zone that readers need.

use qrcode::{Color, EcLevel, QrCode};

use super::canvas::Canvas;
use super::{Board, Colour, Rect};

/// Modules of white around the code (ISO/IEC 18004).
const QUIET: usize = 4;
const WHITE: Colour = Colour([255, 255, 255, 255]);
const BLACK: Colour = Colour([0, 0, 0, 255]);

/// The least side of a module at 1080 lines, and in pixels at all: smaller ones blur in a telephone's camera.
const MODULE: f32 = 3.0;

/// The code of the first notice that has one, for a card of this width; none when no code holds the text, or only one
/// that could not be scanned. Low error correction has the largest modules, and nothing soils a screen.
pub fn wanted(board: &Board<'_>, card: f32) -> Option<QrCode> {
    let text = board.view.ticker.iter().find_map(|item| item.qr.as_deref())?;
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    (least_side(board, &code) <= card).then_some(code)
}

/// The side of the smallest card on which the code can be scanned.
pub fn least_side(board: &Board<'_>, code: &QrCode) -> f32 {
    board.px.of(MODULE).max(MODULE) * (code.width() + 2 * QUIET) as f32
}

/// Draws the code into the middle of a white card; modules are whole pixels, so that edges stay sharp.
pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect, code: &QrCode) {
    canvas.fill(area, WHITE, board.px.of(board.look.theme.radius));
    let side = code.width();
    let module = (area.w.min(area.h) / (side + 2 * QUIET) as f32).floor();
    let left = area.x + ((area.w - module * side as f32) / 2.0).round();
    let top = area.y + ((area.h - module * side as f32) / 2.0).round();
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
