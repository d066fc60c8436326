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
/// Height of the row of page dots at 1080 lines.
pub const DOTS: f32 = 26.0;
/// Smallest width over height of a cell, so that counter and ticket stand side by side, both large.
const SQUATTEST: f32 = 2.2;

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
    /// The English label; 0 when there is none.
    pub second: f32,
    pub pad: f32,
}

/// What stands in a cell of this size.
pub fn cell_sizes(w: f32, h: f32, px: Scale, english: bool) -> CellSizes {
    let share = if english { 0.155 } else { 0.175 };
    let label = (h * share).clamp(px.of(18.0).min(h * 0.24), px.of(36.0)).floor();
    let second = if english { (label * 0.86).floor() } else { 0.0 };
    let tab = (w * 0.22).min(h * 0.84).floor();
    let pad = (w * 0.044).min(px.of(22.0)).floor();
    let face = Face::Digits(800);
    let room_h = h - (label * super::canvas::LINE).ceil() - (second * super::canvas::LINE).ceil() - h * 0.175;
    let room_w = w - tab - 2.0 * pad;
    let by_width = room_w / font::width(USUAL_TICKET, face, 1.0);
    let ticket = (room_h / font::cap_em(face)).min(by_width).min(px.of(230.0)).round();
    CellSizes { tab, ticket, label, second, pad }
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
/// size can be read, pages of about twelve. Pages are filled evenly.
pub fn choose(look: &Look, size: Size, area: Rect, count: usize) -> Plan {
    let px = Scale::of_size(size);
    let count = count.max(1);
    let needed = needed_px(look, size) / font::cap_em(Face::Digits(800));
    let plans = candidates(area, px, look.english, count);
    let worth = |plan: &Plan| plan.worth(area, px, look.english, count);
    let whole = plans.iter().filter(|p| p.cells() >= count).max_by(|a, b| worth(a).total_cmp(&worth(b)));
    if let Some(whole) = whole.filter(|p| p.ticket >= needed || count <= FALLBACK_CELLS) {
        return *whole;
    }
    // The row of dots takes its part of every page.
    let area = Rect { h: area.h - px.of(DOTS), ..area };
    let plans = candidates(area, px, look.english, count);
    let readable = plans.iter().filter(|p| p.ticket >= needed && p.cells() * 2 >= FALLBACK_CELLS);
    let most = readable.max_by(|a, b| a.cells().cmp(&b.cells()).then(a.ticket.total_cmp(&b.ticket)));
    let chosen = most.or_else(|| {
        let about = plans.iter().filter(|p| (FALLBACK_CELLS - 2..=FALLBACK_CELLS + 3).contains(&p.cells()));
        about.max_by(|a, b| a.ticket.total_cmp(&b.ticket))
    });
    let chosen = chosen.or(whole).copied().unwrap_or(Plan { columns: 1, rows: 1, pages: 1, ticket: 1.0 });
    evened(chosen, area, px, look.english, count)
}

/// The same number of pages with as few rows as that needs.
fn evened(plan: Plan, area: Rect, px: Scale, english: bool, count: usize) -> Plan {
    let pages = count.div_ceil(plan.cells());
    let rows = count.div_ceil(pages).div_ceil(plan.columns);
    let (w, h) = cell(area, px, plan.columns, rows);
    Plan { rows, pages, ticket: cell_sizes(w, h, px, english).ticket, ..plan }
}

/// Width and height of one cell.
fn cell(area: Rect, px: Scale, columns: usize, rows: usize) -> (f32, f32) {
    let gap = px.of(GAP);
    let w = (area.w - gap * (columns - 1) as f32) / columns as f32;
    let h = (area.h - gap * (rows - 1) as f32) / rows as f32;
    (w, h.min(w / SQUATTEST))
}

impl Plan {
    fn cells(&self) -> usize {
        self.columns * self.rows
    }

    /// How well `count` counters of cells of this size can be read: large tickets and large counters; room that stays
    /// empty costs a little.
    fn worth(&self, area: Rect, px: Scale, english: bool, count: usize) -> f32 {
        let (w, h) = cell(area, px, self.columns, self.rows);
        let sizes = cell_sizes(w, h, px, english);
        let used = (h + px.of(GAP)) * self.rows as f32 / area.h;
        let empty = self.cells().saturating_sub(count) as f32 / self.cells() as f32;
        (sizes.ticket + 0.45 * sizes.tab.min(h)) * (0.7 + 0.3 * used.min(1.0)) * (1.0 - 0.3 * empty)
    }
}

fn candidates(area: Rect, px: Scale, english: bool, count: usize) -> Vec<Plan> {
    let mut plans = Vec::new();
    for columns in 1..=8usize.min(count) {
        for rows in 1..=count.div_ceil(columns).min(40) {
            let (w, h) = cell(area, px, columns, rows);
            let ticket = cell_sizes(w, h, px, english).ticket;
            if ticket >= px.of(20.0) {
                plans.push(Plan { columns, rows, pages: 1, ticket });
            }
        }
    }
    plans
}

/// Places of the cells on one page, from the top.
pub(super) fn places(board: &Board<'_>, area: Rect, plan: Plan) -> Vec<Rect> {
    let gap = board.px.of(GAP);
    let (_, h) = cell(area, board.px, plan.columns, plan.rows);
    let used = (h + gap) * plan.rows as f32 - gap;
    let area = Rect { h: used.min(area.h).round(), ..area };
    let columns = vec![Track::Share(1.0); plan.columns];
    let rows = vec![Track::Share(1.0); plan.rows];
    grid(area, &columns, &rows, gap)
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
