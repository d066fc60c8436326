//! The counter grid: one cell a counter, in every state.

use super::canvas::{Canvas, LINE, Type};
use super::chip::{Badge, Chip, Row};
use super::plan::{self, CellSizes, DOTS, Plan};
use super::{Align, Board, Colour, Face, Rect, Shape, fit, motion, words};
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
    // Chosen for a calm day, so that no counter changes its place when the amber band or a remark takes some room.
    let plan = plan::reading(board.look, board.size, counters.len()).plan;
    if plan.pages > 1 {
        area.h -= board.px.of(DOTS);
    }
    let page = plan::page(counters, &board.view.spotlight, plan, board.look, board.now);
    let cells = plan.columns * plan.rows;
    let shown = counters.iter().skip(page.index * cells);
    let mark = motion::mark(canvas);
    for (counter, place) in shown.zip(plan::places(board, area, plan)) {
        cell(canvas, board, place, counter);
    }
    if let Some(turned) = page.turned {
        motion::slide(canvas, board, mark, turned, motion::From::Right);
    }
    if plan.pages > 1 {
        dots(canvas, board, area, plan, page.index);
    }
    page.turns
}

fn dots(canvas: &mut Canvas, board: &Board<'_>, area: Rect, plan: Plan, page: usize) {
    let (theme, px) = (&board.look.theme, board.px);
    let wide = px.of(36.0);
    // Many pages have smaller dots, so that none leaves the screen.
    let step = px.of(24.0).min((area.w - wide) / (plan.pages - 1) as f32);
    let side = px.of(12.0).min(step / 2.0);
    let gap = step - side;
    let total = wide + (plan.pages - 1) as f32 * step;
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
    let sizes = plan::Cells::of(board.look, board.size).sizes(area.w, area.h);
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
        // Mostly outside the cell, whose number and chip fill it.
        let out = px.of(3.0);
        canvas.frame(area.inset(-out, -out), px.of(5.0).max(2.0), theme.call, radius + out);
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
    let id = counter.counter.as_str();
    let number = Type::digits(800, number_size, ink).floor(number_size * 0.55).aligned(Align::Centre);
    let is_number = *number.fit(id, inner.w).text == *id;
    let (lines, kind, line_h) = if is_number {
        (vec![id.to_owned()], number, (number_size * 0.86).ceil())
    } else {
        let (lines, size) = name_lines(id, inner.w, area.h * 0.94 - noun_h, number_size);
        (lines, Type::words(700, size, ink).floor(size).aligned(Align::Centre), (size * LINE).ceil())
    };
    let y = area.y + ((area.h - noun_h - line_h * lines.len() as f32) / 2.0).round();
    let noun = Type::words(600, noun_size, quiet).floor(noun_size * 0.55).aligned(Align::Centre);
    canvas.text(Rect { y, h: noun_h, ..inner }, &counter.noun, &noun);
    for (index, line) in (0u8..).zip(&lines) {
        let rect = Rect { y: y + noun_h + line_h * f32::from(index), h: line_h, ..inner };
        canvas.fitted(rect, &kind.fit_with_its_end(line, inner.w), &kind);
    }
}

/// A counter's name in up to three lines, as large as the room allows.
fn name_lines(name: &str, w: f32, h: f32, size: f32) -> (Vec<String>, f32) {
    let least = (h / 3.0 / LINE).floor().max(1.0);
    let by_lines = (1u8..=3).map(|count| {
        let high = (h / f32::from(count) / LINE).floor().min(size).max(1.0);
        fit::block(name, Face::Words(700), high, least.min(high) * 0.6, w, usize::from(count))
    });
    let whole = |(lines, size): &(Vec<String>, f32)| {
        lines.iter().all(|line| super::font::width(line, Face::Words(700), *size) <= w)
    };
    let best = by_lines.max_by(|a, b| whole(a).cmp(&whole(b)).then(a.1.total_cmp(&b.1)));
    best.unwrap_or_default()
}

/// Room below the letters in the line of a label, in em: a line is 1.5 em high, and few letters have marks below.
const LABEL_UNSEEN: f32 = 0.3;

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
    let chips = chips(board, counter);
    let second = counter.label_en.as_deref().filter(|_| sizes.second > 0.0);
    let is_bare = counter.label.is_none() && second.is_none() && chips.is_empty();
    let line = |size: f32| if is_bare { 0.0 } else { (size * LINE).ceil() };
    let (label_h, second_h) = (line(sizes.label), line(sizes.second));
    let cap = (sizes.ticket * super::font::cap_em(Face::Digits(800))).ceil();
    let free = (body.h - cap - label_h - second_h).max(0.0);
    let kind = Type::digits(800, sizes.ticket, theme.ink);
    let taken = kind.fit(ticket, body.w).width.ceil() + 1.0;
    let beside = Rect { x: body.x + taken, w: body.w - taken, ..body };
    let place = Place::of(board, counter, &chips, body.w, free, (beside.w, cap), sizes);
    let chips_h = if matches!(place, Place::Below) { chip_height(sizes) } else { 0.0 };
    let free = free - chips_h;
    let between = (free * 0.26).min(sizes.label).round();
    let above = if is_bare {
        (free * 0.5).round()
    } else {
        ((free - between + sizes.label * LABEL_UNSEEN) * 0.48).round().min(free - between)
    };
    // Figures have no marks; a hair above and below the capitals is enough.
    let hair = (sizes.ticket * 0.06).ceil().min(between);
    let mut y = body.y + above;
    canvas.text(Rect { y: y - hair, h: cap + 2.0 * hair, w: taken.min(body.w), ..body }, ticket, &kind);
    if let Place::Beside(badge) = &place {
        let gap = badge_gap(sizes);
        let place = Rect { x: beside.x + gap, w: beside.w - gap, y, h: cap };
        badge.draw(canvas, place, board.px.of(theme.radius_chip).min(cap * 0.12));
    }
    y += cap + between;
    if is_bare {
        return;
    }
    let (in_row, below) = match place {
        Place::InRow => (chips, Vec::new()),
        Place::Below => (Vec::new(), chips),
        Place::Beside(_) => (Vec::new(), Vec::new()),
    };
    label_row(canvas, board, Rect { y, h: label_h, ..body }, counter.label.as_deref(), in_row, sizes);
    y += label_h;
    if let Some(text) = second {
        let kind = Type::words(500, sizes.second, theme.quiet);
        canvas.text(Rect { y, h: second_h, ..body }, text, &kind);
        y += second_h;
    }
    label_row(canvas, board, Rect { y, h: chips_h, ..body }, None, below, sizes);
}

/// Where the chips of a cell stand. The label comes first: who waits at a counter looks for its words, and a part of them
/// in small letters helps nobody.
enum Place {
    /// After the label, in its row.
    InRow,
    /// In a row of their own, where the cell is high.
    Below,
    /// The only one, right of the number.
    Beside(Badge),
}

impl Place {
    /// `free` is the height that number and label leave, `beside` the room right of the number.
    fn of(
        board: &Board<'_>,
        counter: &CounterView,
        chips: &[Chip],
        w: f32,
        free: f32,
        beside: (f32, f32),
        sizes: CellSizes,
    ) -> Self {
        let Some(label) = counter.label.as_deref().filter(|_| !chips.is_empty()) else { return Self::InRow };
        let row = Row::fit(chips.to_vec(), chip_height(sizes), chip_gap(sizes), w);
        let room = w - row.width() - chip_gap(sizes) - 1.0;
        if *label_type(board, sizes).fit(label, room.max(0.0)).text == *label {
            return Self::InRow;
        }
        if free >= chip_height(sizes) + sizes.label * 0.6 {
            return Self::Below;
        }
        let (beside_w, h) = beside;
        let badge = match chips {
            [chip] => {
                let w = beside_w - badge_gap(sizes);
                Badge::fit(chip, w, h, sizes.label, sizes.label * 0.68)
            }
            _ => None,
        };
        badge.map_or(Self::InRow, Self::Beside)
    }
}

fn chip_height(sizes: CellSizes) -> f32 {
    (sizes.label * 1.3).floor()
}

fn chip_gap(sizes: CellSizes) -> f32 {
    (sizes.label * 0.5).floor()
}

fn badge_gap(sizes: CellSizes) -> f32 {
    (sizes.label * 0.4).floor()
}

fn label_type(board: &Board<'_>, sizes: CellSizes) -> Type {
    Type::words(500, sizes.label, board.look.theme.quiet).floor(sizes.label * 0.84)
}

/// The label, and chips right after it; chips keep their words, the label is cut first.
fn label_row(
    canvas: &mut Canvas,
    board: &Board<'_>,
    row: Rect,
    label: Option<&str>,
    chips: Vec<Chip>,
    sizes: CellSizes,
) {
    let chip_h = chip_height(sizes).min(row.h);
    let gap = chip_gap(sizes);
    let chips = Row::fit(chips, chip_h, gap, row.w);
    let kind = label_type(board, sizes);
    let taken = if chips.is_empty() { 0.0 } else { chips.width() + gap };
    let mut x = row.x;
    if let Some(label) = label {
        let fitted = kind.fit(label, (row.w - taken - 1.0).max(0.0));
        // A few letters of a longer label say nothing; the chip alone says more.
        if chips.is_empty() || *fitted.text == *label || fitted.text.chars().count() >= 8 {
            let w = (fitted.width.ceil() + 1.0).min(row.w);
            canvas.fitted(Rect { w, ..row }, &fitted, &kind);
            x += w + gap;
        }
    }
    chips.draw(canvas, row, x, chip_h * 0.28);
}

fn chips(board: &Board<'_>, counter: &CounterView) -> Vec<Chip> {
    let theme = &board.look.theme;
    let mut chips = Vec::new();
    let label = counter.label.as_deref().unwrap_or_default().to_lowercase();
    let said = counter.lane.spoken().is_some_and(|words| label.contains(words));
    if let Some((text, icon)) = words::lane(counter.lane).filter(|_| !said) {
        let (fill, ink) = lane_colours(board, counter.lane);
        if !(counter.lane == Lane::Booked && counter.slot.is_some()) {
            let short = words::lane_in_short(counter.lane).map(str::to_owned);
            chips.push(Chip { icon: Some(icon), text: text.to_owned(), short, fill, ink });
        }
    }
    if let Some(slot) = counter.slot {
        let text = format!("Hẹn {}", words::clock(slot));
        let (fill, ink) = (theme.slot, theme.slot_ink);
        chips.push(Chip { icon: Some(Shape::Clock), text, short: None, fill, ink });
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
