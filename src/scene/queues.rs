//! Who waits: of each series how many, and which numbers come next. A number to come is never as large as one that is
//! called, nor alone: it would be taken for a call.

use super::canvas::{Canvas, LINE, Type};
use super::layout::{Track, columns};
use super::recent;
use super::{Align, Board, Rect, font, motion};
use crate::board::call::Ticket;
use crate::board::view::QueueView;
use crate::clock::Millis;

/// Cards side by side at most.
const ACROSS: usize = 3;
/// Sizes at 1080 lines, those of the last calls: how many, the numbers to come, and the head.
const COUNT: f32 = 62.0;
const NEXT: f32 = 28.0;
const HEAD: f32 = 24.0;

/// The series for which somebody waits, page by page.
pub struct Queues<'a> {
    pages: Vec<Vec<&'a QueueView>>,
}

/// Which page is up.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Turn {
    /// From 0.
    pub index: usize,
    /// When it came up, and when the next one does; none where there is no other.
    since: Option<Millis>,
    pub next: Option<Millis>,
    /// Pages before the first one of the queues.
    before: usize,
}

impl<'a> Queues<'a> {
    /// Height of their own row at 1080 lines.
    pub const ROW: f32 = 112.0;

    /// None where nobody waits, or nothing is known of it.
    pub fn of(board: &Board<'a>) -> Option<Self> {
        let waits = |queue: &&QueueView| queue.waiting > 0 || !queue.next.is_empty();
        let queues: Vec<&QueueView> = board.view.queues.iter().filter(waits).collect();
        let pages = queues.len().div_ceil(ACROSS);
        let across = queues.len().div_ceil(pages.max(1)).max(1);
        let pages: Vec<_> = queues.chunks(across).map(<[_]>::to_vec).collect();
        (!pages.is_empty()).then_some(Self { pages })
    }

    /// The page that is up, when `before` other pages share its place. A function of time alone, so that calls hold up no
    /// page.
    pub fn turn(&self, board: &Board<'_>, before: usize) -> Turn {
        let (count, every) = (self.pages.len() + before, board.look.page.0.max(1));
        let turns = board.now.mono.0.div_euclid(every);
        let several = count > 1;
        Turn {
            index: turns.rem_euclid(count as i64) as usize,
            since: several.then_some(Millis(turns * every)),
            next: several.then_some(Millis((turns + 1) * every)),
            before,
        }
    }

    pub fn draw(&self, canvas: &mut Canvas, board: &Board<'_>, area: Rect, turn: Turn) {
        let Some(page) = turn.index.checked_sub(turn.before).and_then(|page| self.pages.get(page)) else {
            return;
        };
        let mark = motion::mark(canvas);
        let places = columns(area, &vec![Track::Share(1.0); page.len()], board.px.of(recent::GAP));
        for (queue, place) in page.iter().zip(places) {
            card(canvas, board, place, queue);
        }
        if let Some(since) = turn.since {
            motion::slide(canvas, board, mark, since, motion::From::Right);
        }
    }
}

/// The series at the left edge; beside it how many wait above the numbers to come, and under a head where there is room.
fn card(canvas: &mut Canvas, board: &Board<'_>, area: Rect, queue: &QueueView) {
    let (theme, px) = (&board.look.theme, board.px);
    let radius = px.of(theme.radius);
    canvas.fill(area, theme.panel_low, radius);
    let tab = Rect { w: px.of(64.0).min(area.w * 0.3), ..area };
    canvas.fill_corners(tab, theme.tab, [radius, 0.0, 0.0, radius]);
    let name = Type::digits(800, px.of(44.0), theme.ink).aligned(Align::Centre);
    canvas.text(tab.inset(px.of(5.0), 0.0), queue.series.as_str(), &name);
    let inner = area.trimmed(tab.w + px.of(16.0), px.of(14.0));
    let (head_h, count_h, next_h) = ((px.of(HEAD) * LINE).ceil(), px.of(56.0), (px.of(NEXT) * LINE).ceil());
    let has_head = inner.h >= head_h + count_h + next_h + px.of(12.0);
    let tickets = to_come(board, queue);
    let with_next = !(has_head && tickets.is_empty());
    let used = count_h + if with_next { next_h } else { 0.0 } + if has_head { head_h } else { 0.0 };
    let mut y = inner.y + ((inner.h - used) / 2.0).round();
    if has_head {
        let kind = Type::words(500, px.of(HEAD), theme.quiet);
        canvas.text(Rect { y, h: head_h, ..inner }, &first_that_fits(&heads(queue), &kind, inner.w), &kind);
        y += head_h;
    }
    count(canvas, board, Rect { y, h: count_h, ..inner }, queue, !has_head);
    if !with_next {
        return;
    }
    let kind = Type::words(600, px.of(NEXT), theme.ink);
    let rect = Rect { y: y + count_h, h: next_h, ..inner };
    canvas.text(rect, &first_that_fits(&next(queue, &tickets), &kind, rect.w), &kind);
}

/// `14 người chờ`, the words on the line of the number.
fn count(canvas: &mut Canvas, board: &Board<'_>, row: Rect, queue: &QueueView, with_minutes: bool) {
    let (theme, px) = (&board.look.theme, board.px);
    let number = Type::digits(800, px.of(COUNT), theme.ink);
    let kind = Type::words(600, px.of(NEXT), theme.quiet);
    let gap = px.of(10.0);
    let least = font::width("chờ", kind.face, kind.size).ceil() + 1.0 + gap;
    let fitted = number.fit(&queue.waiting.to_string(), row.w - least);
    let w = (fitted.width.ceil() + 1.0).min(row.w);
    canvas.fitted(Rect { w, ..row }, &fitted, &number);
    let down = (fitted.size * font::cap_em(number.face) - kind.size * font::cap_em(kind.face)) / 2.0;
    let h = (kind.size * LINE).ceil();
    let y = row.y + ((row.h - h) / 2.0 + down).round().min(row.h - h);
    let rect = Rect { y, h, ..row.trimmed(w + gap, 0.0) };
    let mut wordings = vec!["người chờ".to_owned(), "chờ".to_owned()];
    if let Some(minutes) = queue.wait_minutes.filter(|_| with_minutes) {
        wordings.insert(0, format!("người chờ · {}", about(minutes)));
    }
    canvas.text(rect, &first_that_fits(&wordings, &kind, rect.w), &kind);
}

fn about(minutes: u32) -> String {
    format!("khoảng {minutes} phút")
}

/// What the series is for and how long the wait is, from the longest wording to the shortest.
fn heads(queue: &QueueView) -> Vec<String> {
    let label = queue.label.clone().unwrap_or_default();
    let both = queue.wait_minutes.filter(|_| !label.is_empty()).map(|m| format!("{label} · {}", about(m)));
    let alone = queue.wait_minutes.map(|minutes| format!("Khoảng {minutes} phút"));
    both.into_iter().chain(alone).chain((!label.is_empty()).then_some(label)).collect()
}

/// The numbers that come next. A report may be older than the last calls: who is called already comes next no more.
fn to_come<'a>(board: &Board<'_>, queue: &'a QueueView) -> Vec<&'a str> {
    let view = board.view;
    let called = |ticket: &Ticket| {
        view.counters.iter().any(|counter| counter.ticket.as_ref() == Some(ticket))
            || view.spotlight.iter().any(|spot| spot.ticket == *ticket)
            || view.recent.iter().any(|call| call.ticket == *ticket)
    };
    queue.next.iter().filter(|ticket| !called(ticket)).map(Ticket::as_str).collect()
}

/// Which numbers come next, from as many as are known to one; where none is known, what the series is for.
fn next(queue: &QueueView, tickets: &[&str]) -> Vec<String> {
    let Some(first) = tickets.first() else {
        return queue.label.iter().cloned().collect();
    };
    let several = (2..=tickets.len().min(4)).rev().map(|n| format!("Tiếp theo {}", tickets[..n].join(", ")));
    several.chain([format!("Tiếp theo {first}"), format!("Tiếp {first}")]).collect()
}

/// The first of the wordings that has room as it is; the last one when none has.
fn first_that_fits(wordings: &[String], kind: &Type, room: f32) -> String {
    let fits = wordings.iter().find(|text| font::width(text, kind.face, kind.size) <= room);
    fits.or(wordings.last()).cloned().unwrap_or_default()
}
