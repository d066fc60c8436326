//! The moving line at the foot. Its place is a function of time; a change of the list keeps what is being read in place.

use std::sync::Arc;

use super::canvas::{Canvas, Type};
use super::{Align, Board, Rect, Scale, Scene, Shape, Strip, StripContent, font};
use crate::board::state::Level;
use crate::clock::Millis;

/// Draws the head of the line and returns the line itself; nothing where there is nothing to say.
pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect) -> Option<Strip> {
    if board.view.ticker.is_empty() {
        return None;
    }
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.ticker, 0.0);
    let head = Type::words(800, px.of(32.0), theme.alarm_ink).aligned(Align::Centre);
    let width =
        (font::width(&board.look.ticker_title, head.face, head.size) + px.of(68.0)).ceil().min(area.w * 0.4);
    let label = Rect { w: width, ..area };
    canvas.fill(label, theme.alarm, 0.0);
    canvas.text(label.inset(px.of(20.0), 0.0), &board.look.ticker_title, &head);
    let rect = area.trimmed(width, 0.0);
    let content = content(board, rect);
    // At 1080 lines the config's speed; a larger picture moves faster, so that reading takes as long.
    let px_per_s = if content.moves {
        (board.look.ticker_px_s as f32 * Scale::of_size(board.size).0).round() as u32
    } else {
        0
    };
    let mut strip = Strip { rect, content: Arc::new(content), offset: 0, shift: 0, px_per_s };
    strip.slide(board.now.mono);
    Some(strip)
}

/// Lays the items out on one long line.
fn content(board: &Board<'_>, rect: Rect) -> StripContent {
    let (theme, px) = (&board.look.theme, board.px);
    let (gap, mark) = (px.of(30.0), px.of(26.0));
    let line = Rect { x: 0.0, y: 0.0, w: 0.0, h: rect.h };
    let mut canvas = Canvas::default();
    let mut x = px.of(40.0);
    for item in &board.view.ticker {
        let important = item.level >= Level::Important;
        let (weight, ink) = if important { (700, theme.ticker_mark) } else { (600, theme.ticker_ink) };
        if important {
            let side = px.of(42.0);
            canvas.icon(Shape::Warning, Rect { x, w: side, ..line }, theme.ticker_mark);
            x += side + px.of(14.0);
        }
        let texts = [Some(item.text.as_str()), item.text_en.as_deref().filter(|_| board.look.english)];
        for text in texts.into_iter().flatten() {
            let kind = Type::words(weight, px.of(38.0), ink);
            let width = font::width(text, kind.face, kind.size).ceil() + 2.0;
            canvas.text(Rect { x, w: width, ..line }, text, &kind);
            x += width + gap;
        }
        canvas.icon(Shape::Diamond, Rect { x, w: mark, ..line }, theme.ticker_mark);
        x += mark + gap;
    }
    // All of it fits: it stands still, without the last mark.
    let moves = x - mark - gap * 2.0 > rect.w;
    if !moves {
        canvas.layer.quads.pop();
    }
    let length = if moves { x - px.of(40.0) + px.of(10.0) } else { rect.w };
    let shifted = if moves { px.of(40.0) - px.of(10.0) } else { 0.0 };
    let mut quads = canvas.layer.quads;
    let mut texts = canvas.layer.texts;
    for rect in quads.iter_mut().map(|q| &mut q.rect).chain(texts.iter_mut().map(|t| &mut t.rect)) {
        rect.x -= shifted;
    }
    StripContent { background: theme.ticker, quads, texts, length: length.round() as u32, moves }
}

impl Strip {
    /// Moves the line to where it is at `mono`; says whether that is another place.
    pub fn slide(&mut self, mono: Millis) -> bool {
        let length = i64::from(self.content.length.max(1));
        let gone = mono.0.saturating_mul(i64::from(self.px_per_s)).div_euclid(1000);
        let offset = (gone + i64::from(self.shift)).rem_euclid(length) as u32;
        let moved = offset != self.offset;
        self.offset = offset;
        moved
    }

    /// Takes over the place of `old`: the first text that both lines have stays where it is on the glass.
    fn follow(&mut self, old: &Self, mono: Millis) {
        if self.px_per_s == 0 || old.px_per_s == 0 {
            return;
        }
        self.shift = old.shift;
        self.slide(mono);
        if self.content == old.content {
            return;
        }
        if let Some(target) = self.offset_with_text_of(old) {
            let length = i64::from(self.content.length.max(1));
            let by = target - i64::from(self.offset);
            self.shift = (i64::from(self.shift) + by).rem_euclid(length) as u32;
            self.slide(mono);
        }
    }

    /// The offset at which a text now on the glass keeps its place.
    fn offset_with_text_of(&self, old: &Self) -> Option<i64> {
        let length = old.content.length.max(1) as f32;
        let place = |x: f32, w: f32| {
            let x = (x - old.offset as f32).rem_euclid(length);
            if x + w > length { x - length } else { x }
        };
        let mut seen: Vec<(f32, &super::TextRun)> = old
            .content
            .texts
            .iter()
            .map(|run| (place(run.rect.x, run.rect.w), run))
            .filter(|(x, run)| *x < old.rect.w && *x + run.rect.w > 0.0)
            .collect();
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        seen.into_iter().find_map(|(x, run)| {
            let same = self
                .content
                .texts
                .iter()
                .find(|new| new.text == run.text && new.size.to_bits() == run.size.to_bits())?;
            Some((same.rect.x - x).round() as i64)
        })
    }
}

impl Scene {
    /// Lets the moving line go on from where `old` shows it.
    pub fn follow(&mut self, old: &Self, mono: Millis) {
        if let (Some(new), Some(old)) = (&mut self.strip, &old.strip) {
            new.follow(old, mono);
        }
    }

    /// Moves the line only; says whether the picture changed. For the frames between two views.
    pub fn slide(&mut self, mono: Millis) -> bool {
        self.strip.as_mut().is_some_and(|strip| strip.slide(mono))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::NoticeId;
    use crate::board::view::{BoardView, TickerItem};
    use crate::clock::Now;
    use crate::config::Config;
    use crate::scene::{Look, Size, compose};

    const FULL_HD: Size = Size { w: 1920, h: 1080 };

    fn item(text: &str) -> TickerItem {
        let id = NoticeId::parse(&text.chars().take(8).collect::<String>()).unwrap();
        TickerItem { id, text: text.into(), text_en: None, level: Level::Info, qr: None, until: None }
    }

    fn scene(items: &[&str], mono: i64) -> Scene {
        let view = BoardView { ticker: items.iter().map(|t| item(t)).collect(), ..BoardView::empty() };
        let now = Now { mono: Millis(mono), wall: jiff::Timestamp::UNIX_EPOCH };
        compose(&view, &Look::of(&Config::default()), FULL_HD, now)
    }

    const PARKING: &str = "Công dân được gửi xe miễn phí, nước uống miễn phí, hướng dẫn kê khai miễn phí";
    const ONLINE: &str = "Lấy số trực tuyến qua ứng dụng iHanoi để biết trước khung giờ phục vụ";
    const LIFT: &str = "Thang máy số 2 ngừng hoạt động, mời công dân đi thang bộ bên trái sảnh";

    /// Where `text` stands on the glass.
    fn place(scene: &Scene, text: &str) -> f32 {
        let strip = scene.strip.as_ref().unwrap();
        let run = strip.content.texts.iter().find(|run| &*run.text == text).unwrap();
        let length = strip.content.length as f32;
        let x = (run.rect.x - strip.offset as f32).rem_euclid(length);
        if x + run.rect.w > length { x - length } else { x }
    }

    #[test]
    fn the_line_moves_by_whole_pixels_at_the_speed_of_the_config() {
        let (start, later) = (scene(&[PARKING, ONLINE], 0), scene(&[PARKING, ONLINE], 2_000));
        assert!((place(&start, PARKING) - place(&later, PARKING) - 240.0).abs() < 0.01);
    }

    #[test]
    fn a_new_notice_does_not_make_the_text_being_read_jump() {
        let old = scene(&[PARKING, ONLINE], 7_300);
        let mut new = scene(&[LIFT, PARKING, ONLINE], 7_300);
        let jumped = (place(&new, PARKING) - place(&old, PARKING)).abs();
        assert!(jumped > 100.0, "without following it would jump: {jumped}");
        new.follow(&old, Millis(7_300));
        assert!((place(&new, PARKING) - place(&old, PARKING)).abs() < 1.0);
        let mut next = scene(&[LIFT, PARKING, ONLINE], 7_400);
        next.follow(&new, Millis(7_400));
        assert!((place(&next, PARKING) - place(&new, PARKING) + 12.0).abs() < 1.01, "it goes on from there");
    }

    #[test]
    fn a_line_that_fits_stands_still() {
        let strip = scene(&["Xin chào"], 5_000).strip.unwrap();
        assert_eq!((strip.px_per_s, strip.offset), (0, 0));
        assert!(strip.content.quads.is_empty(), "a single notice needs no mark after it");
    }
}
