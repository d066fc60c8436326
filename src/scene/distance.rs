//! How far away each kind of text can be read: measured on boards that are composed for the hall's screen, so that what
//! is told is what is drawn. Pure. It judges and advises, and changes no picture.

use std::fmt;

use super::plan::{self, CAP_MM_PER_M, Plan};
use super::{Face, Look, Scene, Size, TextRun, compose, font, words};
use crate::board::call::{CallId, Counter, Kind, Lane, NoticeId, Ticket};
use crate::board::state::Level;
use crate::board::view::{BoardView, CounterView, RecentCall, Spot, TickerItem};
use crate::board::{Board, Rules};
use crate::clock::{Millis, Now};
use crate::config::Config;

/// Panels that are sold, in inches: what is advised is one of them.
const PANELS: [u8; 11] = [24, 27, 32, 40, 43, 50, 55, 65, 75, 86, 98];
/// What the notices of the model boards say; their sizes do not depend on it while it is of usual length.
const NOTICE: &str = "Mời công dân di chuyển theo lối thoát hiểm gần nhất, theo hướng dẫn của cán bộ.";
/// A chip that any counter may have.
const SLOT: jiff::civil::Time = jiff::civil::Time::constant(9, 30, 0, 0);

/// What a text must reach.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Rule {
    /// None of the board's rules names it.
    None,
    /// Nothing on the board is larger.
    Largest,
    /// So many millimetres, 5 for each metre to the farthest seat.
    CapMm(f32),
}

/// One kind of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub element: String,
    /// Height of its capitals and figures; of the smallest where there are several.
    pub cap_mm: f32,
    pub rule: Rule,
    pub met: bool,
}

impl Row {
    /// Up to how many metres it can be read, by the 5 mm a metre that hold for numbers.
    pub fn readable_m(&self) -> f32 {
        self.cap_mm / CAP_MM_PER_M
    }
}

/// All kinds of text of one screen, and what would help where a rule is not met.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub size: Size,
    pub inches: f32,
    pub seat_m: f32,
    pub counters: usize,
    pub plan: Plan,
    pub rows: Vec<Row>,
    /// Rules that are not met, each with what would help.
    pub unmet: Vec<String>,
    /// Counters whose label is cut with an ellipsis.
    pub cut: Vec<String>,
}

/// Measures every kind of text of a hall on a screen of `size`.
pub fn table(config: &Config, size: Size) -> Table {
    let look = Look::of(config);
    let model = Model::of(config, look);
    let reading = plan::reading(&model.look, size, model.view.counters.len());
    let rows = model.rows(size, reading.plan);
    let grid = rows.iter().find(|row| matches!(row.rule, Rule::CapMm(_)));
    let mut unmet = Vec::new();
    if let Some(row) = grid.filter(|row| !row.met) {
        unmet.push(model.advice(size, row, row.cap_mm / reading.cap_mm));
    }
    if let Some(row) = rows.iter().find(|row| row.rule == Rule::Largest && !row.met) {
        unmet.push(format!("the {} is not the largest text of the board", row.element));
    }
    Table {
        size,
        inches: model.look.diagonal_inches,
        seat_m: model.look.farthest_seat_m,
        counters: model.view.counters.len(),
        plan: reading.plan,
        rows,
        unmet,
        cut: model.cut_labels(size, reading.plan),
    }
}

/// A hall in full swing: every counter serves, one is called.
struct Model {
    look: Look,
    view: BoardView,
}

impl Model {
    fn of(config: &Config, look: Look) -> Self {
        let series: Vec<&str> = config.series.iter().map(|s| s.id.as_str()).collect();
        let series = if series.is_empty() { vec!["A"] } else { series };
        let ticket = |n: usize| Ticket::parse(&format!("{}{n:03}", series[n % series.len()])).ok();
        let now = Now { mono: Millis::ZERO, wall: jiff::Timestamp::UNIX_EPOCH };
        let counters = Board::new(Rules::of(config), now).view(now).counters.into_iter().enumerate();
        let counters: Vec<CounterView> = counters
            .map(|(index, counter)| CounterView { ticket: ticket(100 + index), known: true, ..counter })
            .collect();
        let place = |n: usize| counters.get(n % counters.len().max(1)).map(|c| c.counter.clone());
        let recent = (900..903).filter_map(|n| {
            Some(RecentCall { ticket: ticket(n)?, counter: place(n)?, at: jiff::Timestamp::UNIX_EPOCH })
        });
        let recent: Vec<RecentCall> = recent.collect();
        let spots = (0..3).filter_map(|n| spot(ticket(910 + n)?, place(n)?));
        let spotlight: Vec<Spot> = spots.collect();
        let ticker = NoticeId::parse("notice").ok().map(notice).into_iter().collect();
        Self { look, view: BoardView { spotlight, recent, counters, ticker, ..BoardView::empty() } }
    }

    fn calling(&self, calls: usize) -> BoardView {
        let calls = calls.min(self.view.spotlight.len());
        BoardView { spotlight: self.view.spotlight[..calls].to_vec(), ..self.view.clone() }
    }

    fn scene(&self, view: &BoardView, size: Size, page: usize) -> Scene {
        compose(view, &self.look, size, self.at(page))
    }

    /// An instant at which this page of counters is up.
    fn at(&self, page: usize) -> Now {
        let mono = Millis(self.look.page.0 * page as i64);
        Now { mono, wall: jiff::Timestamp::UNIX_EPOCH }
    }

    /// The quiet board and the one with a chip at every counter, page after page.
    fn pages(&self, size: Size, plan: Plan, slot: Option<jiff::civil::Time>) -> Vec<Scene> {
        let mut view = self.calling(0);
        view.counters.iter_mut().for_each(|counter| counter.slot = slot);
        (0..plan.pages).map(|page| self.scene(&view, size, page)).collect()
    }

    fn rows(&self, size: Size, plan: Plan) -> Vec<Row> {
        let mm = plan::pixel_mm(&self.look, size);
        let needed = self.look.farthest_seat_m * CAP_MM_PER_M;
        let pages = self.pages(size, plan, None);
        let chips = self.pages(size, plan, Some(SLOT));
        let (one, three) = (self.scene(&self.calling(1), size, 0), self.scene(&self.calling(3), size, 0));
        let emergency = BoardView { emergency: self.view.ticker.first().cloned(), ..self.calling(0) };
        let emergency = self.scene(&emergency, size, 0);
        let tickets = |run: &TextRun| self.grid_ticket(&run.text).is_some();
        // In one line, or as a badge in two.
        let said = [format!("Hẹn {}", words::clock(SLOT)), words::clock(SLOT)];
        let mut rows = Vec::new();
        let mut row = |element: &str, rule: Rule, cap: Option<f32>| {
            let Some(cap_mm) = cap.map(|px| px * mm) else { return };
            let met = !matches!(rule, Rule::CapMm(needed) if cap_mm < needed);
            rows.push(Row { element: element.to_owned(), cap_mm, rule, met });
        };
        for (scene, calls) in [(&one, "one call"), (&three, "three calls")] {
            let rule = if calls == "one call" { Rule::Largest } else { Rule::None };
            row(&format!("called number, {calls}"), rule, smallest([scene], |run| self.is_called(run)));
            row(&format!("its counter, {calls}"), Rule::None, smallest([scene], |run| self.is_place(run)));
        }
        row("grid numbers", Rule::CapMm(needed), smallest(&pages, tickets));
        row("counter numbers", Rule::None, smallest(&pages, |run| self.is_tab(run)));
        row("labels", Rule::None, smallest(&pages, |run| self.label_of(run).is_some()));
        row("chips", Rule::None, smallest(&chips, |run| said.iter().any(|said| *run.text == **said)));
        let recent = |run: &TextRun| self.view.recent.iter().any(|call| *run.text == *call.ticket.as_str());
        row("recent numbers", Rule::None, smallest(&pages, recent));
        let strip = pages.iter().flat_map(|scene| &scene.strip).flat_map(|strip| &strip.content.texts);
        row("ticker", Rule::None, strip.map(cap_px).min_by(f32::total_cmp));
        row("clock", Rule::None, smallest(&pages, |run| self.is_clock(run)));
        let body = |run: &TextRun| run.face == Face::Words(600) && run.colour == self.look.theme.alarm_ink;
        row("emergency notice", Rule::None, smallest([&emergency], body));
        let runs = one.layers.iter().flat_map(|layer| &layer.texts);
        let largest = runs.map(cap_px).max_by(f32::total_cmp).unwrap_or_default() * mm;
        for row in rows.iter_mut().filter(|row| row.rule == Rule::Largest) {
            row.met = row.cap_mm >= largest - 0.01;
        }
        rows
    }

    fn grid_ticket(&self, text: &str) -> Option<&CounterView> {
        self.view.counters.iter().find(|c| c.ticket.as_ref().is_some_and(|t| t.as_str() == text))
    }

    fn is_called(&self, run: &TextRun) -> bool {
        self.view.spotlight.iter().any(|spot| *run.text == *spot.ticket.as_str())
    }

    /// Where to go: the counter, with or without its noun, in the call's colour.
    fn is_place(&self, run: &TextRun) -> bool {
        let ends = |spot: &Spot| run.text.ends_with(spot.counter.as_str());
        run.colour == self.look.theme.call && self.view.spotlight.iter().any(ends)
    }

    fn is_tab(&self, run: &TextRun) -> bool {
        let is_of = |c: &CounterView| match run.face {
            Face::Digits(_) => *run.text == *c.counter.as_str(),
            Face::Words(weight) => weight == 700 && c.counter.as_str().contains(&*run.text),
        };
        self.view.counters.iter().any(is_of)
    }

    /// The counter whose label this is, and whether all of it is there.
    fn label_of(&self, run: &TextRun) -> Option<(&CounterView, bool)> {
        if run.face != Face::Words(500) {
            return None;
        }
        let stem = run.text.strip_suffix(super::fit::ELLIPSIS);
        self.view.counters.iter().find_map(|counter| {
            let label = counter.label.as_deref()?;
            let whole = *run.text == *label;
            let part = stem.is_some_and(|stem| !stem.is_empty() && label.starts_with(stem));
            (whole || part).then_some((counter, whole))
        })
    }

    fn is_clock(&self, run: &TextRun) -> bool {
        let now = words::clock(self.look.time_zone.to_datetime(self.at(0).wall).time());
        matches!(run.face, Face::Digits(_)) && *run.text == *now
    }

    fn cut_labels(&self, size: Size, plan: Plan) -> Vec<String> {
        let mut cut = Vec::new();
        for scene in self.pages(size, plan, None) {
            for run in scene.layers.iter().flat_map(|layer| &layer.texts) {
                if let Some((counter, false)) = self.label_of(run) {
                    cut.push(counter.counter.to_string());
                }
            }
        }
        cut
    }

    /// What cannot be read, and what would help. `share`: how large the hall's tickets are beside usual ones.
    fn advice(&self, size: Size, row: &Row, share: f32) -> String {
        let count = self.view.counters.len();
        let (inches, seat) = (self.look.diagonal_inches, self.look.farthest_seat_m);
        let helps = |look: Look| {
            let reading = plan::reading(&look, size, count);
            (reading.cap_px * share >= reading.needed_px).then_some(reading.plan)
        };
        let mut help = Vec::new();
        let page = |most| Some((most, helps(Look { page_counters: most, ..self.look.clone() })?));
        if let Some((most, Plan { pages, .. })) = (1..count).rev().find_map(page) {
            help.push(format!("use pages of {most} (board.page_counters = {most}, {pages} pages)"));
        }
        if self.look.english && helps(Look { english: false, ..self.look.clone() }).is_some() {
            help.push("leave out the English labels (board.english = false)".to_owned());
        }
        let panel = |inches: &f32| helps(Look { diagonal_inches: *inches, ..self.look.clone() }).is_some();
        let larger = PANELS.map(f32::from).into_iter().filter(|panel| *panel > inches).find(panel);
        help.extend(larger.map(|panel| format!("use a panel of {panel} inches or more")));
        help.push(format!("seat nobody farther away than {}", metres(row.readable_m())));
        let readable = metres(row.readable_m());
        format!(
            "{count} counters on {inches} inches are readable to {readable}; farthest seat {seat} m: {}",
            help.join(", or ")
        )
    }
}

fn spot(ticket: Ticket, counter: Counter) -> Option<Spot> {
    let call = CallId::parse(ticket.as_str()).ok()?;
    let (kind, lane, since) = (Kind::Call, Lane::Regular, Millis::ZERO);
    Some(Spot { call, ticket, counter, kind, lane, slot: None, holder: None, since })
}

fn notice(id: NoticeId) -> TickerItem {
    TickerItem { id, text: NOTICE.to_owned(), text_en: None, level: Level::Info, qr: None, until: None }
}

fn cap_px(run: &TextRun) -> f32 {
    run.size * font::cap_em(run.face)
}

/// Cap height of the smallest run that `is` it; none when none is.
fn smallest<'a>(scenes: impl IntoIterator<Item = &'a Scene>, is: impl Fn(&TextRun) -> bool) -> Option<f32> {
    let runs = scenes.into_iter().flat_map(|scene| &scene.layers).flat_map(|layer| &layer.texts);
    runs.filter(|run| is(run)).map(cap_px).min_by(f32::total_cmp)
}

/// Rounded down: a distance is a promise.
fn metres(m: f32) -> String {
    format!("{:.1} m", (m * 10.0).floor() / 10.0)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Size { w, h }, Plan { columns, rows, pages, .. }) = (self.size, self.plan);
        let s = if pages == 1 { "" } else { "s" };
        writeln!(
            f,
            "{} counters on {} inches, {w}x{h}, farthest seat {} m: {pages} page{s} of {columns} x {rows}",
            self.counters, self.inches, self.seat_m
        )?;
        writeln!(f, "{:<28}{:>10}{:>14}   rule", "element", "cap height", "readable to")?;
        for row in &self.rows {
            let cap = format!("{:.1} mm", (row.cap_mm * 10.0).floor() / 10.0);
            let verdict = if row.met { "met" } else { "NOT MET" };
            let rule = match row.rule {
                Rule::None => "no rule".to_owned(),
                Rule::Largest => format!("largest of the board: {verdict}"),
                Rule::CapMm(needed) => format!("5 mm for each metre, {needed:.1} mm: {verdict}"),
            };
            writeln!(f, "{:<28}{cap:>10}{:>14}   {rule}", row.element, metres(row.readable_m()))?;
        }
        if !self.cut.is_empty() {
            writeln!(f, "labels cut with an ellipsis: {}", self.cut.join(", "))?;
        }
        self.unmet.iter().try_for_each(|unmet| writeln!(f, "NOT MET: {unmet}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Env;

    const FULL_HD: Size = Size { w: 1920, h: 1080 };

    fn hall(counters: usize, inches: f32, seat: f32) -> Config {
        let counter = |n| format!("[[counter]]\nid = \"{n}\"\nlabel = \"Hộ tịch\"\n");
        let counters: String = (1..=counters).map(counter).collect();
        let screen = format!("[screen]\ndiagonal_inches = {inches:?}\nfarthest_seat_m = {seat:?}\n");
        Config::read(&format!("{screen}{counters}"), Env::new()).unwrap()
    }

    fn row<'t>(table: &'t Table, element: &str) -> &'t Row {
        table.rows.iter().find(|row| row.element == element).unwrap()
    }

    #[test]
    fn every_kind_of_text_is_measured_on_every_screen() {
        let sizes = [FULL_HD, Size { w: 1080, h: 1920 }, Size { w: 3840, h: 2160 }, Size { w: 1280, h: 720 }];
        for size in sizes {
            for config in [Config::default(), hall(60, 43.0, 12.0), hall(1, 55.0, 9.0)] {
                let table = table(&config, size);
                assert_eq!(table.rows.len(), 12, "{size:?}: {table}");
                assert!(table.rows.iter().all(|row| row.cap_mm > 1.0), "{size:?}: {table}");
                assert!(row(&table, "called number, one call").met, "{size:?}: {table}");
            }
        }
    }

    #[test]
    fn what_is_told_of_the_grid_is_what_the_plan_has_chosen() {
        for (config, met) in [(Config::default(), true), (hall(12, 32.0, 20.0), false)] {
            let table = table(&config, FULL_HD);
            let reading = plan::reading(&Look::of(&config), FULL_HD, config.counters.len());
            let grid = row(&table, "grid numbers");
            assert!((grid.cap_mm - reading.cap_mm).abs() < 0.5, "{reading:?}\n{table}");
            assert_eq!((grid.met, reading.is_met(), table.unmet.is_empty()), (met, met, met), "{table}");
        }
    }

    #[test]
    fn millimetres_do_not_depend_on_the_pixels_of_a_panel() {
        let config = hall(11, 55.0, 8.0);
        let (hd, uhd) = (table(&config, FULL_HD), table(&config, Size { w: 3840, h: 2160 }));
        for (a, b) in hd.rows.iter().zip(&uhd.rows) {
            // Sizes are whole pixels: of the smallest text, a chip's, one is 6 %.
            assert!((a.cap_mm / b.cap_mm - 1.0).abs() < 0.07, "{}\n{hd}{uhd}", a.element);
        }
    }

    /// Whatever is advised is tried.
    #[test]
    fn what_is_advised_helps() {
        let config = hall(12, 32.0, 8.0);
        let told = table(&config, FULL_HD);
        let advice = &told.unmet[0];
        assert!(advice.starts_with("12 counters on 32 inches are readable to "), "{advice}");
        let after = |mark: &str| {
            let rest = advice.split(mark).nth(1)?;
            let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            number.parse::<f32>().ok()
        };
        let pages = after("board.page_counters = ").expect(advice);
        let paged = Config {
            board: crate::config::BoardConfig { page_counters: pages as usize, ..config.board.clone() },
            ..config.clone()
        };
        let paged = table(&paged, FULL_HD);
        assert!(paged.unmet.is_empty(), "{advice}\n{paged}");
        assert!(paged.plan.cells() as f32 <= pages, "{advice}\n{paged}");
        let panel = after("a panel of ").expect(advice);
        assert!(table(&hall(12, panel, 8.0), FULL_HD).unmet.is_empty(), "{advice}");
        let smaller = PANELS.map(f32::from).into_iter().rfind(|inches| *inches < panel).unwrap();
        assert!(!table(&hall(12, smaller, 8.0), FULL_HD).unmet.is_empty(), "{advice}");
        let seat = after("farther away than ").expect(advice);
        assert!(table(&hall(12, 32.0, seat), FULL_HD).unmet.is_empty(), "{advice}");
    }

    #[test]
    fn a_label_that_is_cut_is_told() {
        let mut config = Config::default();
        config.counters[3].label = Some("Đăng ký biện pháp bảo đảm bằng quyền sử dụng đất ".repeat(2));
        assert_eq!(table(&config, FULL_HD).cut, ["4"]);
        assert!(table(&Config::default(), FULL_HD).cut.is_empty());
    }
}
