//! The counter grid: one cell a counter, in every state.

use super::canvas::{Canvas, LINE, Type};
use super::chip::Chip;
use super::plan::{self, CellSizes, DOTS, Plan};
use super::{Align, Board, Colour, Rect, Shape, words};
use crate::board::call::Lane;
use crate::board::state::CounterMode;
use crate::board::view::CounterView;
use crate::clock::Millis;

/// Draws the page that is up; returns when it turns.
pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect) -> Option<Millis> {
    let counters = &board.view.counters;
    if counters.is_empty() {
        return None;
    }
    let mut area = area;
    let plan = plan::choose(board.look, board.size, area, counters.len());
    if plan.pages > 1 {
        area.h -= board.px.of(DOTS);
    }
    let (page, turns) = plan::page(counters, &board.view.spotlight, plan, board.look, board.now);
    let cells = plan.columns * plan.rows;
    let shown = counters.iter().skip(page * cells);
    for (counter, place) in shown.zip(plan::places(board, area, plan)) {
        cell(canvas, board, place, counter);
    }
    if plan.pages > 1 {
        dots(canvas, board, area, plan, page);
    }
    turns
}

fn dots(canvas: &mut Canvas, board: &Board<'_>, area: Rect, plan: Plan, page: usize) {
    let (theme, px) = (&board.look.theme, board.px);
    let (side, gap) = (px.of(12.0), px.of(12.0));
    let wide = px.of(36.0);
    let total = wide + (plan.pages - 1) as f32 * (side + gap);
    let mut x = area.x + ((area.w - total) / 2.0).round();
    let y = area.bottom() + px.of(DOTS) - side;
    for index in 0..plan.pages {
        let (w, colour) = if index == page { (wide, theme.ink) } else { (side, theme.quiet) };
        canvas.fill(Rect { x, y, w, h: side }, colour, side / 2.0);
        x += w + gap;
    }
}

/// How a counter stands.
enum State<'a> {
    Ticket(&'a str),
    /// Open, and nobody is served.
    Free,
    Paused,
    Closed,
    Unknown,
}

fn state(counter: &CounterView) -> State<'_> {
    match (counter.known, counter.mode, &counter.ticket) {
        (false, _, _) => State::Unknown,
        (_, CounterMode::Paused, _) => State::Paused,
        (_, CounterMode::Closed, _) => State::Closed,
        (_, CounterMode::Open, Some(ticket)) => State::Ticket(ticket.as_str()),
        (_, CounterMode::Open, None) => State::Free,
    }
}

fn cell(canvas: &mut Canvas, board: &Board<'_>, area: Rect, counter: &CounterView) {
    let (theme, px) = (&board.look.theme, board.px);
    let sizes = plan::cell_sizes(area.w, area.h, px, board.look.english);
    let radius = px.of(theme.radius).min(area.h * 0.2);
    let state = state(counter);
    let off = !matches!(state, State::Ticket(_) | State::Free);
    canvas.fill(area, if off { theme.off } else { theme.panel }, radius);
    tab(canvas, board, Rect { w: sizes.tab, ..area }, counter, off, radius);
    let body = area.trimmed(sizes.tab + sizes.pad, sizes.pad);
    match state {
        State::Ticket(ticket) => serving(canvas, board, body, counter, ticket, sizes),
        State::Free => words_of(canvas, board, body, sizes, theme.ink, "Sẵn sàng", second(counter)),
        State::Paused => {
            let back = counter.reopens.map(|at| format!("Quay lại lúc {}", words::clock(at)));
            words_of(
                canvas,
                board,
                body,
                sizes,
                theme.off_ink,
                "Tạm nghỉ",
                back.as_deref().or(second(counter)),
            );
        }
        State::Closed => words_of(canvas, board, body, sizes, theme.off_ink, "Đã đóng", second(counter)),
        State::Unknown => words_of(canvas, board, body, sizes, theme.off_ink, "Chưa mở", second(counter)),
    }
    if counter.called && !off {
        canvas.frame(area, px.of(5.0).max(2.0), theme.call, radius);
    }
}

fn second(counter: &CounterView) -> Option<&str> {
    counter.label.as_deref()
}

/// Noun and counter at the left edge.
fn tab(canvas: &mut Canvas, board: &Board<'_>, area: Rect, counter: &CounterView, off: bool, radius: f32) {
    let theme = &board.look.theme;
    let called = counter.called && !off;
    let (fill, ink, quiet) = match (called, off) {
        (true, _) => (theme.call, theme.call_ink, theme.call_quiet),
        (_, true) => (theme.off_tab, theme.off_ink, theme.off_ink),
        _ => (theme.tab, theme.ink, theme.tab_quiet),
    };
    canvas.fill_corners(area, fill, [radius, 0.0, 0.0, radius]);
    let inner = area.inset(area.w * 0.06, 0.0);
    let noun_size = (area.h * 0.175).min(area.w * 0.22).floor();
    let number_size = (area.h * 0.46).min(area.w * 0.56).floor();
    let noun_h = (noun_size * LINE).ceil();
    let number_h = (number_size * 0.86).ceil();
    let y = area.y + ((area.h - noun_h - number_h) / 2.0).round();
    let noun = Type::words(600, noun_size, quiet).floor(noun_size * 0.55).aligned(Align::Centre);
    canvas.text(Rect { y, h: noun_h, ..inner }, &counter.noun, &noun);
    let number = Type::digits(800, number_size, ink).aligned(Align::Centre);
    canvas.text(Rect { y: y + noun_h, h: number_h, ..inner }, counter.counter.as_str(), &number);
}

/// A ticket above its label and chips.
fn serving(
    canvas: &mut Canvas,
    board: &Board<'_>,
    body: Rect,
    counter: &CounterView,
    ticket: &str,
    sizes: CellSizes,
) {
    let theme = &board.look.theme;
    let label_h = (sizes.label * LINE).ceil();
    let second_h = (sizes.second * LINE).ceil();
    let cap = (sizes.ticket * super::font::cap_em(super::Face::Digits(800))).ceil();
    let free = (body.h - cap - label_h - second_h).max(0.0);
    let between = (free * 0.26).min(sizes.label).round();
    let above = ((free - between) * 0.46).round();
    let kind = Type::digits(800, sizes.ticket, theme.ink);
    // Figures have no marks; a hair above and below the capitals is enough.
    let hair = (sizes.ticket * 0.06).ceil().min(between);
    let mut y = body.y + above;
    canvas.text(Rect { y: y - hair, h: cap + 2.0 * hair, ..body }, ticket, &kind);
    y += cap + between;
    label_row(canvas, board, Rect { y, h: label_h, ..body }, counter, sizes);
    if let Some(text) = counter.label_en.as_deref().filter(|_| sizes.second > 0.0) {
        let kind = Type::words(500, sizes.second, theme.quiet);
        canvas.text(Rect { y: y + label_h, h: second_h, ..body }, text, &kind);
    }
}

/// The label, and chips right after it; chips keep their words, the label is cut first.
fn label_row(canvas: &mut Canvas, board: &Board<'_>, row: Rect, counter: &CounterView, sizes: CellSizes) {
    let theme = &board.look.theme;
    let chips = chips(board, counter);
    let chip_h = (sizes.label * 1.3).floor().min(row.h);
    let gap = (sizes.label * 0.5).floor();
    let chips_w: f32 = chips.iter().map(|chip| chip.width(chip_h) + gap).sum();
    let kind = Type::words(500, sizes.label, theme.quiet).floor(sizes.label * 0.84);
    let room = (row.w - chips_w).max(0.0);
    let mut x = row.x;
    if let Some(label) = counter.label.as_deref() {
        let fitted = kind.fit(label, room);
        // A label of a few letters says nothing; the chip alone says more.
        if chips.is_empty() || fitted.text.chars().count() >= 5 {
            let w = fitted.width.ceil() + 1.0;
            canvas.fitted(Rect { w, ..row }, &fitted, &kind);
            x += w + gap;
        }
    }
    for chip in chips {
        let y = row.y + ((row.h - chip_h) / 2.0).round();
        let rect = Rect { x, y, w: row.right() - x, h: chip_h };
        if rect.w > chip_h * 2.0 {
            x += chip.draw(canvas, rect, chip_h * 0.28) + gap;
        }
    }
}

fn chips(board: &Board<'_>, counter: &CounterView) -> Vec<Chip> {
    let theme = &board.look.theme;
    let mut chips = Vec::new();
    let label = counter.label.as_deref().unwrap_or_default().to_lowercase();
    let said = counter.lane.spoken().is_some_and(|words| label.contains(words));
    if let Some((text, icon)) = words::lane(counter.lane).filter(|_| !said) {
        let (fill, ink) = lane_colours(board, counter.lane);
        if !(counter.lane == Lane::Booked && counter.slot.is_some()) {
            chips.push(Chip { icon: Some(icon), text: text.to_owned(), fill, ink });
        }
    }
    if let Some(slot) = counter.slot {
        let text = format!("Hẹn {}", words::clock(slot));
        chips.push(Chip { icon: Some(Shape::Clock), text, fill: theme.slot, ink: theme.slot_ink });
    }
    chips
}

fn lane_colours(board: &Board<'_>, lane: Lane) -> (Colour, Colour) {
    let theme = &board.look.theme;
    match lane {
        lane if lane.is_priority() => (theme.priority, theme.priority_ink),
        Lane::Booked => (theme.slot, theme.slot_ink),
        _ => (theme.plain_chip, theme.plain_chip_ink),
    }
}

/// A cell that shows words in place of a ticket.
fn words_of(
    canvas: &mut Canvas,
    board: &Board<'_>,
    body: Rect,
    sizes: CellSizes,
    ink: Colour,
    head: &str,
    second: Option<&str>,
) {
    let theme = &board.look.theme;
    let quiet = if ink == theme.ink { theme.quiet } else { ink };
    let head_size = (sizes.ticket * 0.5).max(sizes.label).floor();
    let head_h = (head_size * LINE).ceil();
    let second_h = if second.is_some() { (sizes.label * LINE).ceil() } else { 0.0 };
    let mut y = body.y + ((body.h - head_h - second_h) / 2.0).round().max(0.0);
    canvas.text(Rect { y, h: head_h.min(body.h), ..body }, head, &Type::words(700, head_size, ink));
    y += head_h;
    if let Some(text) = second {
        canvas.text(Rect { y, h: second_h, ..body }, text, &Type::words(500, sizes.label, quiet));
    }
}
