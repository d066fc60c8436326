//! How many columns, rows and pages the counters take, so that the farthest seat can read the ticket numbers.

use super::layout::{Track, grid};
use super::{Board, Rect, Size, font};
use crate::board::view::CounterView;
use crate::clock::{Millis, Now};
use crate::scene::{Face, Look, Scale};

/// Cap height that can be read, in millimetres for each metre of distance (BOARD rules of the hall: 5 mm).
const CAP_MM_PER_M: f32 = 5.0;
/// A usual ticket, for which the numbers are made as large as the cells allow; longer ones shrink.
const USUAL_TICKET: &str = "A000";
/// Cells of one page when no size can be read from the farthest seat.
const FALLBACK_CELLS: usize = 12;
/// Space between cells at 1080 lines.
pub const GAP: f32 = 14.0;
/// Smallest width over height of a cell, so that number and counter stand side by side.
const SQUATTEST: f32 = 2.1;

/// Columns and rows of one page, and how large its ticket numbers are.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Plan {
    pub columns: usize,
    pub rows: usize,
    pub pages: usize,
    /// Font size of the tickets in pixels.
    pub ticket: f32,
}

/// What the farthest seat can read.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Reading {
    /// Cap height that the distance needs, in pixels and in millimetres.
    pub needed_px: f32,
    pub needed_mm: f32,
    /// Cap height of the tickets on the grid.
    pub cap_px: f32,
    pub cap_mm: f32,
    pub plan: Plan,
}

impl Reading {
    /// Whether the tickets on the grid can be read from the farthest seat.
    pub fn is_met(&self) -> bool {
        self.cap_px >= self.needed_px
    }
}

/// Sizes inside a cell, in pixels.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct CellSizes {
    pub tab: f32,
    pub ticket: f32,
    pub label: f32,
    pub pad: f32,
}

/// What stands in a cell of this size.
pub fn cell_sizes(w: f32, h: f32, px: Scale, english: bool) -> CellSizes {
    let label = (h * 0.185).clamp(px.of(18.0).min(h * 0.24), px.of(30.0)).floor();
    let lines = if english { 1.9 } else { 1.0 };
    let tab = (w * 0.22).min(h * 0.84).floor();
    let pad = (w * 0.044).min(px.of(22.0)).floor();
    let face = Face::Digits(800);
    let room_h = h - label * super::canvas::LINE * lines - h * 0.17;
    let room_w = w - tab - 2.0 * pad;
    let by_width = room_w / font::width(USUAL_TICKET, face, 1.0);
    let ticket = (room_h / font::cap_em(face)).min(by_width).min(px.of(170.0)).floor();
    CellSizes { tab, ticket, label, pad }
}

/// Millimetres of one pixel.
fn pixel_mm(look: &Look, size: Size) -> f32 {
    let diagonal_px = (size.w as f32).hypot(size.h as f32);
    look.diagonal_inches * 25.4 / diagonal_px
}

fn needed_px(look: &Look, size: Size) -> f32 {
    look.farthest_seat_m * CAP_MM_PER_M / pixel_mm(look, size)
}

/// Chooses columns and rows for `count` counters in `area`.
///
/// All on one page when that can be read from the farthest seat; else as many on a page as can be read; and when no
/// size can be read, pages of twelve.
pub fn choose(look: &Look, size: Size, area: Rect, count: usize) -> Plan {
    let px = Scale::of_size(size);
    let needed = needed_px(look, size) / font::cap_em(Face::Digits(800));
    let plans = candidates(area, px, look.english, count.max(1));
    let whole = plans.iter().filter(|p| p.columns * p.rows >= count);
    let best = whole
        .max_by(|a, b| a.ticket.total_cmp(&b.ticket).then((b.columns * b.rows).cmp(&(a.columns * a.rows))));
    if let Some(best) = best.filter(|p| p.ticket >= needed || count <= FALLBACK_CELLS) {
        return *best;
    }
    let readable = plans.iter().filter(|p| p.ticket >= needed);
    let chosen = readable
        .max_by(|a, b| (a.columns * a.rows).cmp(&(b.columns * b.rows)).then(a.ticket.total_cmp(&b.ticket)))
        .filter(|p| p.columns * p.rows >= FALLBACK_CELLS / 2)
        .or_else(|| {
            let twelve = plans.iter().filter(|p| (FALLBACK_CELLS..=16).contains(&(p.columns * p.rows)));
            twelve.max_by(|a, b| a.ticket.total_cmp(&b.ticket))
        })
        .or(best)
        .copied()
        .unwrap_or(Plan { columns: 1, rows: 1, pages: 1, ticket: 1.0 });
    Plan { pages: count.div_ceil(chosen.columns * chosen.rows), ..chosen }
}

fn candidates(area: Rect, px: Scale, english: bool, count: usize) -> Vec<Plan> {
    let mut plans = Vec::new();
    for columns in 1..=8usize {
        for rows in 1..=30usize {
            let w = (area.w - px.of(GAP) * (columns - 1) as f32) / columns as f32;
            let h = (area.h - px.of(GAP) * (rows - 1) as f32) / rows as f32;
            let empty = (columns * rows).saturating_sub(count);
            if h < px.of(40.0) || w < px.of(150.0) || w < h * SQUATTEST && rows < 24 && empty > 0 && w < h {
                continue;
            }
            if empty >= columns && rows > 1 && columns * (rows - 1) >= count {
                continue;
            }
            let ticket = cell_sizes(w, h, px, english).ticket;
            if ticket >= px.of(24.0) {
                plans.push(Plan { columns, rows, pages: 1, ticket });
            }
        }
    }
    plans
}

/// Places of the cells on one page.
pub(super) fn places(board: &Board<'_>, area: Rect, plan: Plan) -> Vec<Rect> {
    let columns = vec![Track::Share(1.0); plan.columns];
    let rows = vec![Track::Share(1.0); plan.rows];
    grid(area, &columns, &rows, board.px.of(GAP))
}

/// The page to show, and when it turns by itself.
///
/// The page of the counter that was called last comes up at once; from there the pages turn on.
pub fn page(counters: &[CounterView], plan: Plan, every: Millis, now: Now) -> (usize, Option<Millis>) {
    if plan.pages < 2 || every.0 <= 0 {
        return (0, None);
    }
    let cells = plan.columns * plan.rows;
    let called = counters.iter().enumerate().filter_map(|(i, c)| Some((c.called_at?, i / cells)));
    let (since, first) = called.max_by_key(|(at, _)| *at).unwrap_or((Millis::ZERO, 0));
    let turns = (now.mono - since).0.div_euclid(every.0).max(0);
    let page = (first as i64 + turns).rem_euclid(plan.pages as i64) as usize;
    (page, Some(since + Millis((turns + 1) * every.0)))
}

/// What the farthest seat can read of `count` counters on a screen of this size.
pub fn reading(look: &Look, size: Size, count: usize) -> Reading {
    let area = super::counters_area(size);
    let plan = choose(look, size, area, count);
    let mm = pixel_mm(look, size);
    let cap_px = plan.ticket * font::cap_em(Face::Digits(800));
    let needed_px = needed_px(look, size);
    Reading { needed_px, needed_mm: needed_px * mm, cap_px, cap_mm: cap_px * mm, plan }
}
