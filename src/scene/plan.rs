//! How many columns, rows and pages the counters take, so that the farthest seat can read the ticket numbers.

use std::sync::LazyLock;

use super::layout::{Track, grid};
use super::{Board, Rect, Size, font};
use crate::board::view::{CounterView, Spot};
use crate::clock::{Millis, Now};
use crate::scene::{Face, Look, Scale};

/// Cap height that can be read, in millimetres for each metre of distance (BOARD rules of the hall: 5 mm).
pub(super) const CAP_MM_PER_M: f32 = 5.0;
/// A usual ticket, for which the numbers are made as large as the cells allow; longer ones shrink.
const USUAL_TICKET: &str = "A000";
/// Its width in em; asked for each of a hundred plans of every picture.
static USUAL_WIDTH_EM: LazyLock<f32> = LazyLock::new(|| font::width(USUAL_TICKET, Face::Digits(800), 1.0));
/// Cells of one page when no size can be read from the farthest seat.
const FALLBACK_CELLS: usize = 12;
/// How long a page with calls that wait for the spotlight stays: long enough to read a number, and all of them
/// within one dwell where that is possible.
const WAITING_PAGE: [Millis; 2] = [Millis::from_secs(2), Millis::from_secs(4)];
/// Space between cells at 1080 lines.
pub const GAP: f32 = 14.0;
/// Height of the row of page dots at 1080 lines.
pub const DOTS: f32 = 26.0;
/// Largest number on the grid at 1080 lines: whoever is called stands clearly larger in the spotlight, also where there is
/// much room for few counters.
const TICKET_MAX: f32 = 160.0;
/// Smallest width over height of a cell, so that counter and ticket stand side by side, both large; where there are few
/// cells they fill the room instead of leaving it empty.
const SQUATTEST: f32 = 1.9;
const SQUATTEST_OF_FEW: f32 = 0.6;
/// Counters that are few.
pub const FEW: usize = 4;

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

/// What all cells of a screen have in common.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Cells {
    px: Scale,
    english: bool,
    /// How large labels are beside the designed size.
    labels: f32,
    /// Font size of tickets that the farthest seat can read.
    least: f32,
}

impl Cells {
    pub fn of(look: &Look, size: Size) -> Self {
        let least = needed_px(look, size) / font::cap_em(Face::Digits(800));
        Self { px: Scale::of_size(size), english: look.english, labels: look.theme.sizes.labels, least }
    }

    /// What stands in a cell of this size: a ticket as large as the room allows.
    pub fn sizes(&self, w: f32, h: f32) -> CellSizes {
        let px = self.px;
        let share = self.labels * if self.english { 0.155 } else { 0.175 };
        // Whole pixels of a screen of 1080 lines on larger ones too: the same panel then shows the same millimetres.
        let grain = px.0.max(1.0);
        let label = (h * share).clamp(px.of(18.0).min(h * 0.24), px.of(36.0 * self.labels));
        let label = ((label / grain).floor() * grain).floor();
        let second = if self.english { (label * 0.86).floor() } else { 0.0 };
        // A cell as high as it is wide has room for a larger counter.
        let tab = if w < h * 1.8 { w * 0.3 } else { (w * 0.22).min(h * 0.84) }.floor();
        let pad = (w * 0.044).min(px.of(22.0)).floor();
        let face = Face::Digits(800);
        let line = |size: f32| (size * super::canvas::LINE).ceil();
        let room_h = h - line(label) - line(second) - h * 0.175;
        let room_w = w - tab - 2.0 * pad;
        let by_width = room_w / *USUAL_WIDTH_EM;
        let ticket = (room_h / font::cap_em(face)).min(by_width).min(px.of(TICKET_MAX));
        let ticket = ((ticket / grain).round() * grain).floor();
        CellSizes { tab, ticket, label, second, pad }
    }

    /// Font size of the tickets in a grid of so many cells. Real cells have whole pixels, the smallest of them fewer.
    fn ticket(&self, area: Rect, columns: usize, rows: usize) -> f32 {
        let (w, h) = cell(area, self.px, columns, rows);
        self.sizes(w.floor(), h.floor()).ticket
    }
}

/// Millimetres of one pixel.
pub(super) fn pixel_mm(look: &Look, size: Size) -> f32 {
    let diagonal_px = (size.w as f32).hypot(size.h as f32);
    look.diagonal_inches * 25.4 / diagonal_px
}

fn needed_px(look: &Look, size: Size) -> f32 {
    look.farthest_seat_m * CAP_MM_PER_M / pixel_mm(look, size)
}

/// Chooses columns and rows for `count` counters in `area`.
///
/// All on one page when that can be read from the farthest seat; else as many on a page as can be read; and when no
/// size can be read, up to twelve on one page, more on pages of about twelve. Pages are filled evenly. A hall may set
/// the most counters of a page itself.
fn choose(look: &Look, size: Size, area: Rect, count: usize) -> Plan {
    let cells = Cells::of(look, size);
    let count = count.max(1);
    // The row of dots takes its part of every page.
    let paged = Rect { h: area.h - cells.px.of(DOTS), ..area };
    if let Some(plan) = limited(&cells, paged, look.page_counters, count) {
        return plan;
    }
    let plans = candidates(&cells, area, count);
    let best = |least: f32| {
        let worth = |plan: &Plan| plan.worth(&cells, area, count);
        let whole = plans.iter().filter(|p| p.cells() >= count && p.ticket >= least);
        whole.max_by(|a, b| worth(a).total_cmp(&worth(b))).copied()
    };
    if let Some(readable) = best(cells.least) {
        return readable;
    }
    let plans = candidates(&cells, paged, count);
    let readable = plans.iter().filter(|p| p.ticket >= cells.least && p.cells() * 2 >= FALLBACK_CELLS);
    let most = readable.max_by(|a, b| a.cells().cmp(&b.cells()).then(a.ticket.total_cmp(&b.ticket)));
    if let Some(most) = most {
        return evened(*most, &cells, paged, count, cells.least);
    }
    let whole = best(0.0);
    if let Some(whole) = whole.filter(|_| count <= FALLBACK_CELLS) {
        return whole;
    }
    let about = plans.iter().filter(|p| (FALLBACK_CELLS - 2..=FALLBACK_CELLS + 3).contains(&p.cells()));
    let about = about.max_by(|a, b| a.ticket.total_cmp(&b.ticket)).copied();
    let chosen = about.or(whole).unwrap_or(Plan { columns: 1, rows: 1, pages: 1, ticket: 1.0 });
    evened(chosen, &cells, paged, count, 0.0)
}

/// Pages of nearly as many counters as the hall allows on one, with the largest numbers; none where all fit on one page.
fn limited(cells: &Cells, paged: Rect, most: usize, count: usize) -> Option<Plan> {
    if most == 0 || count <= most {
        return None;
    }
    let plans = candidates(cells, paged, count);
    let near = plans.iter().filter(|p| p.cells() <= most && p.cells() * 4 >= most * 3);
    let chosen = near.max_by(|a, b| a.ticket.total_cmp(&b.ticket)).copied()?;
    Some(evened(chosen, cells, paged, count, 0.0))
}

/// The same number of pages with as few rows as that needs, unless that makes the tickets smaller than `needed`:
/// in a higher cell the counter takes more of the width.
fn evened(plan: Plan, cells: &Cells, area: Rect, count: usize, needed: f32) -> Plan {
    let pages = count.div_ceil(plan.cells());
    let rows = count.div_ceil(pages).div_ceil(plan.columns);
    let ticket = cells.ticket(area, plan.columns, rows);
    if ticket < needed { Plan { pages, ..plan } } else { Plan { rows, pages, ticket, ..plan } }
}

/// Width and height of one cell.
fn cell(area: Rect, px: Scale, columns: usize, rows: usize) -> (f32, f32) {
    let gap = px.of(GAP);
    let w = (area.w - gap * (columns - 1) as f32) / columns as f32;
    let h = (area.h - gap * (rows - 1) as f32) / rows as f32;
    let squattest = if columns * rows <= FEW { SQUATTEST_OF_FEW } else { SQUATTEST };
    (w, h.min(w / squattest))
}

impl Plan {
    /// Counters of one page.
    pub fn cells(&self) -> usize {
        self.columns * self.rows
    }

    /// How well `count` counters of cells of this size can be read: large tickets and large counters; room that stays
    /// empty costs a little.
    fn worth(&self, cells: &Cells, area: Rect, count: usize) -> f32 {
        let (w, h) = cell(area, cells.px, self.columns, self.rows);
        let sizes = cells.sizes(w, h);
        let used = (h + cells.px.of(GAP)) * self.rows as f32 / area.h;
        let empty = self.cells().saturating_sub(count) as f32 / self.cells() as f32;
        (sizes.ticket + 0.45 * sizes.tab.min(h)) * (0.7 + 0.3 * used.min(1.0)) * (1.0 - 0.3 * empty)
    }
}

fn candidates(cells: &Cells, area: Rect, count: usize) -> Vec<Plan> {
    let mut plans = Vec::new();
    for columns in 1..=8usize.min(count) {
        for rows in 1..=count.div_ceil(columns).min(40) {
            let ticket = cells.ticket(area, columns, rows);
            if ticket >= cells.px.of(20.0) {
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

/// The page that is up.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Page {
    /// From 0.
    pub index: usize,
    /// When it turned up by itself; none where a call brought it up, or there is no other.
    pub turned: Option<Millis>,
    /// When the next one comes by itself.
    pub turns: Option<Millis>,
}

/// The page to show, and when it turns by itself.
///
/// While calls wait for the spotlight, only their pages turn, quickly and the newest first: the grid is the only place
/// where such a call is seen. Otherwise the page of the counter that was called last, or whose call got into the
/// spotlight last, comes up at once; from there all pages turn on.
pub fn page(counters: &[CounterView], spotlight: &[Spot], plan: Plan, look: &Look, now: Now) -> Page {
    let every = look.page;
    if plan.pages < 2 || every.0 <= 0 {
        return Page { index: 0, turned: None, turns: None };
    }
    let lit = |counter: &CounterView| {
        let of_it =
            |spot: &&Spot| spot.counter == counter.counter && counter.ticket.as_ref() == Some(&spot.ticket);
        spotlight.iter().filter(of_it).map(|spot| spot.since).max()
    };
    let on_pages = || counters.iter().enumerate().map(|(index, counter)| (index / plan.cells(), counter));
    let waits = |counter: &CounterView| counter.called && lit(counter).is_none();
    let mut waiting: Vec<(Millis, usize)> = on_pages()
        .filter(|(_, counter)| waits(counter))
        .map(|(page, counter)| (counter.called_at.unwrap_or(Millis::ZERO), page))
        .collect();
    waiting.sort_by_key(|(called, _)| std::cmp::Reverse(*called));
    if let Some((newest, _)) = waiting.first().copied() {
        let mut pages: Vec<usize> = Vec::new();
        for (_, page) in waiting {
            if !pages.contains(&page) {
                pages.push(page);
            }
        }
        let span = Millis(look.dwell.0 / pages.len() as i64).clamp(WAITING_PAGE[0], WAITING_PAGE[1]);
        return turned(&pages, newest, span, now);
    }
    let called = on_pages().filter_map(|(page, counter)| Some((counter.called_at.max(lit(counter))?, page)));
    let (since, first) = called.max_by_key(|(at, _)| *at).unwrap_or((Millis::ZERO, 0));
    let pages: Vec<usize> = (first..plan.pages).chain(0..first).collect();
    turned(&pages, since, every, now)
}

/// Which of `pages` is up when the first came at `since` and each stays for `every`, and when it turns.
fn turned(pages: &[usize], since: Millis, every: Millis, now: Now) -> Page {
    let turns = (now.mono - since).0.div_euclid(every.0).max(0);
    let at = |turns: i64| since + Millis(turns * every.0);
    let several = pages.len() > 1;
    Page {
        index: pages[turns as usize % pages.len()],
        turned: (several && turns > 0).then(|| at(turns)),
        turns: several.then(|| at(turns + 1)),
    }
}

/// What the farthest seat can read of `count` counters on a screen of this size.
pub fn reading(look: &Look, size: Size, count: usize) -> Reading {
    let area = super::counters_area(look, size, count);
    let plan = choose(look, size, area, count);
    let mm = pixel_mm(look, size);
    let cap_px = plan.ticket * font::cap_em(Face::Digits(800));
    let needed_px = needed_px(look, size);
    Reading { needed_px, needed_mm: needed_px * mm, cap_px, cap_mm: cap_px * mm, plan }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::{Counter, Lane, Ticket};
    use crate::board::state::CounterMode;
    use crate::config::Config;

    const FULL_HD: Size = Size { w: 1920, h: 1080 };

    fn page(
        counters: &[CounterView],
        spots: &[Spot],
        plan: Plan,
        look: &Look,
        at: Now,
    ) -> (usize, Option<Millis>) {
        let Page { index, turned, turns } = super::page(counters, spots, plan, look, at);
        assert!(turned.is_none_or(|turned| turned <= at.mono) && turns.is_none_or(|turns| turns > at.mono));
        (index, turns)
    }

    fn look() -> Look {
        Look::of(&Config::default())
    }

    fn counters(count: usize) -> Vec<CounterView> {
        let one = |n: usize| CounterView {
            counter: Counter::parse(&n.to_string()).unwrap(),
            noun: "Quầy".into(),
            label: None,
            label_en: None,
            lanes: Vec::new(),
            mode: CounterMode::Open,
            ticket: None,
            lane: Lane::Regular,
            slot: None,
            reopens: None,
            called: false,
            called_at: None,
            known: true,
        };
        (1..=count).map(one).collect()
    }

    fn at(seconds: i64) -> Now {
        Now { mono: Millis::from_secs(seconds), wall: jiff::Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn the_default_hall_is_read_from_its_farthest_seat_on_one_page() {
        let reading = reading(&look(), FULL_HD, Config::default().counters.len());
        assert!(reading.is_met(), "{reading:?}");
        assert_eq!(reading.plan.pages, 1);
        assert!((reading.needed_mm - 45.0).abs() < 0.1, "9 m need 45 mm: {reading:?}");
    }

    #[test]
    fn two_hundred_counters_turn_pages_that_can_still_be_read() {
        let reading = reading(&look(), FULL_HD, 200);
        assert!(reading.is_met(), "{reading:?}");
        let plan = reading.plan;
        assert!(plan.pages * plan.columns * plan.rows >= 200, "{plan:?}");
        assert!((plan.pages - 1) * plan.columns * plan.rows < 200, "no page is empty: {plan:?}");
    }

    #[test]
    fn a_distance_that_no_size_can_serve_is_told_and_still_shows_about_twelve() {
        let far = Look { farthest_seat_m: 60.0, ..look() };
        let reading = reading(&far, FULL_HD, 100);
        assert!(!reading.is_met());
        assert!((10..=15).contains(&(reading.plan.columns * reading.plan.rows)), "{reading:?}");
    }

    fn spot(n: usize, since: i64) -> Spot {
        Spot {
            call: crate::board::call::CallId::parse(&format!("c{n}")).unwrap(),
            ticket: Ticket::parse(&format!("A{n}")).unwrap(),
            counter: Counter::parse(&n.to_string()).unwrap(),
            kind: crate::board::call::Kind::Call,
            lane: Lane::Regular,
            slot: None,
            holder: None,
            since: Millis::from_secs(since),
        }
    }

    fn call(counters: &mut [CounterView], n: usize, seconds: i64) {
        let counter = &mut counters[n - 1];
        counter.ticket = Some(Ticket::parse(&format!("A{n}")).unwrap());
        (counter.called, counter.called_at) = (true, Some(Millis::from_secs(seconds)));
    }

    const PLAN: Plan = Plan { columns: 2, rows: 5, pages: 3, ticket: 90.0 };

    #[test]
    fn pages_turn_in_time_and_the_page_of_a_call_comes_up_at_once() {
        let page = |counters: &[CounterView], spots: &[Spot], at| page(counters, spots, PLAN, &look(), at);
        let mut counters = counters(25);
        assert_eq!(page(&counters, &[], at(0)), (0, Some(Millis::from_secs(10))));
        assert_eq!(page(&counters, &[], at(25)), (2, Some(Millis::from_secs(30))));
        assert_eq!(page(&counters, &[], at(31)).0, 0);
        call(&mut counters, 15, 33);
        let spots = [spot(15, 33)];
        assert_eq!(page(&counters, &spots, at(33)), (1, Some(Millis::from_secs(43))));
        assert_eq!(page(&counters, &spots, at(44)).0, 2, "from there the pages turn on");
    }

    #[test]
    fn while_calls_wait_only_their_pages_turn_and_the_newest_comes_first() {
        let mut counters = counters(25);
        (1..=3).for_each(|n| call(&mut counters, n, 20));
        call(&mut counters, 14, 21);
        call(&mut counters, 22, 22);
        let spots = [spot(3, 20), spot(2, 20), spot(1, 20)];
        let shown: Vec<usize> = (22..30).map(|s| page(&counters, &spots, PLAN, &look(), at(s)).0).collect();
        assert_eq!(shown, [2, 2, 2, 2, 1, 1, 1, 1], "within a dwell of eight seconds");
        assert_eq!(page(&counters, &spots, PLAN, &look(), at(23)).1, Some(Millis::from_secs(26)));
    }

    #[test]
    fn a_call_that_gets_into_the_spotlight_brings_its_page_up() {
        let mut counters = counters(25);
        call(&mut counters, 14, 20);
        call(&mut counters, 3, 21);
        let spots = [spot(14, 29), spot(3, 21)];
        assert_eq!(page(&counters, &spots, PLAN, &look(), at(30)), (1, Some(Millis::from_secs(39))));
    }
}
