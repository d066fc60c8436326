//! The grid: every counter in its place, and tickets that move between them. Counters that no config names are shown all the same, after the others:
//! a mistake in the config must not hide a call.

use std::cmp::Reverse;
use std::collections::VecDeque;

use jiff::Timestamp;

use super::call::{Call, Counter, Series, Ticket};
use super::cell::{Cell, Standing, is_ticket_of, mark};
use super::input::IgnoreReason;
use super::ledger::Mark;
use super::state::CounterState;
use super::view::CounterView;
use crate::clock::Now;
use crate::config::CounterConfig;

/// Most counters of a hall (wire contract).
pub const LIMIT: usize = 200;
/// How many transfers are remembered; a late delivery is late by seconds.
const MOVES: usize = 64;

#[derive(Clone, Debug)]
pub struct Counters {
    config: Vec<CounterConfig>,
    /// In the order of the board.
    cells: Vec<Cell>,
    /// Cells that may look different since the views were renewed.
    touched: Vec<usize>,
    /// The same of all of them, and they stand in other places.
    moved: bool,
    /// The last transfers, oldest first.
    moves: VecDeque<Move>,
}

/// A ticket that went to another counter; a call to its old one that comes late must not send its holder back.
#[derive(Clone, Debug)]
struct Move {
    ticket: Ticket,
    series: Option<Series>,
    to: Counter,
    mark: Mark,
}

impl Move {
    fn of(call: &Call, mark: Mark) -> Self {
        Self { ticket: call.ticket.clone(), series: call.series.clone(), to: call.counter.clone(), mark }
    }
}

impl Counters {
    pub fn new(config: Vec<CounterConfig>) -> Self {
        let cells = config.iter().enumerate().map(|(home, c)| Cell::new(c.id.clone(), Some(home))).collect();
        Self { config, cells, touched: Vec::new(), moved: true, moves: VecDeque::new() }
    }

    /// A call: its ticket comes onto the cell unless something later is known there. `live` says that it has just been
    /// made, whatever its time says.
    pub fn call(&mut self, call: &Call, live: bool, now: Now) -> Result<Standing, IgnoreReason> {
        if self.has_moved_on(call, now) {
            return Ok(Standing::Ended);
        }
        let mark = mark(call.at, call.seq, now);
        Ok(self.cell_or_new(&call.counter)?.call(call, mark, live, now.mono))
    }

    /// A later transfer has brought the ticket to another counter already.
    fn has_moved_on(&self, call: &Call, now: Now) -> bool {
        let mark = mark(call.at, None, now);
        let away = |m: &Move| {
            is_ticket_of(&m.ticket, m.series.as_ref(), call) && m.to != call.counter && mark.precedes(m.mark)
        };
        self.moves.iter().any(away)
    }

    /// Refuses what the old counter of a moved ticket says too late.
    fn is_still_there(&self, call: &Call, now: Now) -> Result<(), IgnoreReason> {
        if self.has_moved_on(call, now) { Err(IgnoreReason::Stale) } else { Ok(()) }
    }

    /// The ticket moved to `call.counter`: no other cell shows it, unless that one has later news of it.
    pub fn redirect(&mut self, call: &Call, now: Now) {
        let mark = mark(call.at, None, now);
        for (index, cell) in self.cells.iter_mut().enumerate().filter(|(_, c)| c.counter != call.counter) {
            if cell.leave(call, mark) {
                self.touched.push(index);
            }
        }
        self.moves.push_back(Move::of(call, mark));
        if self.moves.len() > MOVES {
            self.moves.pop_front();
        }
    }

    /// The citizen came: the counter serves this ticket now.
    pub fn serve(&mut self, call: &Call, now: Now) -> Result<(), IgnoreReason> {
        self.is_still_there(call, now)?;
        self.cell_or_new(&call.counter)?.serve(call, mark(call.at, call.seq, now))
    }

    /// Nobody came. The number stays until the next one, so that a latecomer still finds the counter.
    pub fn miss(&mut self, call: &Call, now: Now) -> Result<(), IgnoreReason> {
        self.is_still_there(call, now)?;
        self.cell_or_new(&call.counter)?.end(call, mark(call.at, call.seq, now))
    }

    /// The call was a mistake: its number goes.
    pub fn cancel(&mut self, call: &Call, now: Now) -> Result<(), IgnoreReason> {
        self.cell_or_new(&call.counter)?.cancel(call, mark(call.at, call.seq, now))
    }

    /// The counters' own states, as they came.
    pub fn states(&self) -> Vec<(Counter, CounterState)> {
        let told = |cell: &Cell| Some((cell.counter.clone(), cell.told()?.clone()));
        self.cells.iter().filter_map(told).collect()
    }

    /// A counter's own state; `counts` says whether its time is of today, else its ticket is yesterday's.
    pub fn changed(
        &mut self,
        counter: &Counter,
        state: CounterState,
        counts: bool,
        now: Now,
    ) -> Result<(), IgnoreReason> {
        self.cell_or_new(counter)?.changed(state, counts, now)
    }

    /// Nobody knows this counter's state any more.
    pub fn cleared(&mut self, counter: &Counter) {
        let Some(index) = self.place_of(counter) else { return };
        self.moved = true;
        match self.cells[index].home {
            None => drop(self.cells.remove(index)),
            home => self.cells[index] = Cell::new(counter.clone(), home),
        }
    }

    /// A new day: tickets of yesterday go, and so do counters that were only heard of by them.
    pub fn turn(&mut self, counts: impl Fn(Timestamp) -> bool) {
        self.moved = true;
        for cell in &mut self.cells {
            cell.turn(&counts);
        }
        self.cells.retain(|c| !c.is_forgotten());
        self.moves.retain(|m| counts(m.mark.at));
    }

    /// The counter's cell; an unknown counter gets one in the order of names, after those of the config.
    fn cell_or_new(&mut self, counter: &Counter) -> Result<&mut Cell, IgnoreReason> {
        let index = match self.place_of(counter) {
            Some(index) => index,
            None if self.cells.len() >= LIMIT => return Err(IgnoreReason::TooMany),
            None => {
                let order = |c: &Cell| c.home.is_some() || by_name(&c.counter) < by_name(counter);
                let index = self.cells.partition_point(order);
                self.cells.insert(index, Cell::new(counter.clone(), None));
                self.moved = true;
                index
            }
        };
        self.touched.push(index);
        Ok(&mut self.cells[index])
    }

    fn place_of(&self, counter: &Counter) -> Option<usize> {
        self.cells.iter().position(|c| c.counter == *counter)
    }

    /// Something outside has changed how the counter's cell looks.
    pub fn touch(&mut self, counter: &Counter) {
        let place = self.place_of(counter);
        self.touched.extend(place);
    }

    /// Brings views of before up to date; true when that has changed one.
    pub fn renew(&mut self, views: &mut Vec<CounterView>, holds: impl Fn(&Counter, &Ticket) -> bool) -> bool {
        if std::mem::take(&mut self.moved) {
            self.touched.clear();
            let before = std::mem::replace(views, self.views(holds));
            return before != *views;
        }
        let mut changed = false;
        for index in self.touched.drain(..) {
            let cell = &self.cells[index];
            let view = cell.view(cell.home.map(|home| &self.config[home]), &holds);
            if views[index] != view {
                views[index] = view;
                changed = true;
            }
        }
        changed
    }

    /// The cells in order; `holds` says whether a ticket has or awaits the spotlight.
    pub fn views(&self, holds: impl Fn(&Counter, &Ticket) -> bool) -> Vec<CounterView> {
        self.cells.iter().map(|cell| cell.view(cell.home.map(|home| &self.config[home]), &holds)).collect()
    }
}

/// Counter 9 comes before counter 10, and numbers before words.
fn by_name(counter: &Counter) -> (Reverse<bool>, u64, &str) {
    let digits = Some(counter.as_str()).filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    (Reverse(number.is_some()), number.unwrap_or(0), counter.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil;

    use crate::board::call::{Kind, Lane};
    use crate::board::state::CounterMode;
    use crate::clock::Millis;
    use crate::config::Config;

    const NOW: Now = Now { mono: Millis::ZERO, wall: Timestamp::constant(1_800_001_000, 0) };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    fn counters() -> Counters {
        Counters::new(Config::default().counters)
    }

    fn counter(text: &str) -> Counter {
        Counter::parse(text).unwrap()
    }

    fn call(ticket: &str, name: &str, secs: i64, seq: Option<u64>) -> Call {
        Call { at: at(secs), seq, lane: Lane::Elderly, ..Call::plain(ticket, name) }
    }

    fn state(mode: CounterMode, ticket: Option<&str>, secs: i64, seq: Option<u64>) -> CounterState {
        CounterState {
            mode,
            ticket: ticket.map(|t| Ticket::parse(t).unwrap()),
            label: None,
            lanes: None,
            reopens: None,
            at: at(secs),
            seq,
        }
    }

    fn cell(counters: &Counters, name: &str) -> CounterView {
        counters.views(|_, _| false).into_iter().find(|c| c.counter.as_str() == name).unwrap()
    }

    fn shown(counters: &Counters, name: &str) -> Option<String> {
        cell(counters, name).ticket.map(|t| t.as_str().to_owned())
    }

    fn change(counters: &mut Counters, name: &str, state: CounterState) -> Result<(), IgnoreReason> {
        counters.changed(&counter(name), state, true, NOW)
    }

    #[test]
    fn the_later_of_call_and_state_wins() {
        let mut cells = counters();
        assert_eq!(cells.call(&call("A1", "5", 10, None), false, NOW), Ok(Standing::Current));
        assert_eq!(
            change(&mut cells, "5", state(CounterMode::Open, Some("A0"), 9, None)),
            Err(IgnoreReason::Stale)
        );
        assert_eq!(shown(&cells, "5").as_deref(), Some("A1"));
        change(&mut cells, "5", state(CounterMode::Open, Some("A2"), 11, None)).unwrap();
        assert_eq!(shown(&cells, "5").as_deref(), Some("A2"));
        assert_eq!(cells.call(&call("A1", "5", 10, None), false, NOW), Ok(Standing::Passed));
        assert_eq!(shown(&cells, "5").as_deref(), Some("A2"));
    }

    #[test]
    fn a_state_that_outruns_its_call_does_not_hide_it() {
        let mut cells = counters();
        change(&mut cells, "5", state(CounterMode::Open, Some("A1"), 10, Some(4))).unwrap();
        assert_eq!(cells.call(&call("A1", "5", 10, Some(4)), false, NOW), Ok(Standing::Current));
        assert_eq!(cell(&cells, "5").lane, Lane::Elderly);
        change(&mut cells, "6", state(CounterMode::Open, None, 11, None)).unwrap();
        assert_eq!(cells.call(&call("B1", "6", 10, None), false, NOW), Ok(Standing::Current));
        assert_eq!(shown(&cells, "6"), None, "the counter's own later state stands");
    }

    #[test]
    fn what_is_called_live_is_shown_though_another_clock_is_ahead() {
        let mut cells = counters();
        cells.call(&call("A1", "5", 40, None), true, NOW).unwrap();
        assert_eq!(cells.call(&call("A2", "5", 10, Some(7)), true, NOW), Ok(Standing::Current));
        assert_eq!(shown(&cells, "5").as_deref(), Some("A2"));
        change(&mut cells, "5", state(CounterMode::Paused, None, 11, Some(8))).unwrap();
        assert_eq!(cells.call(&call("A3", "5", 9, None), true, NOW), Ok(Standing::Current));
        assert_eq!((shown(&cells, "5"), cell(&cells, "5").mode), (None, CounterMode::Paused));
        assert_eq!(cells.call(&call("A4", "5", 12, Some(10)), true, NOW), Ok(Standing::Current));
        assert_eq!(cells.call(&call("A5", "5", 13, Some(9)), true, NOW), Ok(Standing::Passed));
    }

    #[test]
    fn a_repeated_state_is_a_duplicate_and_an_older_one_stale() {
        let mut cells = counters();
        let first = state(CounterMode::Paused, None, 10, Some(1));
        let second = state(CounterMode::Open, Some("A1"), 10, Some(2));
        change(&mut cells, "5", first.clone()).unwrap();
        assert_eq!(cell(&cells, "5").mode, CounterMode::Paused);
        change(&mut cells, "5", second.clone()).unwrap();
        assert_eq!(change(&mut cells, "5", second), Err(IgnoreReason::Duplicate));
        assert_eq!(change(&mut cells, "5", first), Err(IgnoreReason::Stale));
        assert_eq!(shown(&cells, "5").as_deref(), Some("A1"));
    }

    #[test]
    fn a_counter_that_calls_is_open() {
        let mut cells = counters();
        change(&mut cells, "5", state(CounterMode::Closed, None, 10, None)).unwrap();
        cells.call(&call("A1", "5", 11, None), false, NOW).unwrap();
        assert_eq!((cell(&cells, "5").mode, cell(&cells, "5").known), (CounterMode::Open, true));
        assert!(!cell(&cells, "6").known);
    }

    #[test]
    fn unknown_counters_come_after_the_others_by_number_and_name() {
        let mut cells = counters();
        for name in ["B", "30", "A", "+13", "12", "7"] {
            cells.call(&call("X1", name, 10, None), false, NOW).unwrap();
        }
        let order: Vec<_> = cells.views(|_, _| false).iter().map(|c| c.counter.as_str().to_owned()).collect();
        assert_eq!(order[9..], ["10", "11", "12", "30", "+13", "A", "B"]);
        assert_eq!(cell(&cells, "30").noun, "Quầy");
    }

    #[test]
    fn a_hall_has_at_most_two_hundred_counters() {
        let mut cells = counters();
        for n in 12..=LIMIT {
            cells.call(&call("X1", &n.to_string(), 10, None), false, NOW).unwrap();
        }
        assert_eq!(cells.call(&call("X1", "Z", 10, None), false, NOW), Err(IgnoreReason::TooMany));
        assert_eq!(
            change(&mut cells, "Z", state(CounterMode::Open, None, 1, None)),
            Err(IgnoreReason::TooMany)
        );
        assert!(cells.call(&call("X2", "100", 11, None), false, NOW).is_ok());
    }

    #[test]
    fn a_transfer_leaves_no_number_behind() {
        let mut cells = counters();
        cells.call(&call("A1", "3", 10, None), false, NOW).unwrap();
        cells.call(&call("A2", "4", 10, None), false, NOW).unwrap();
        let transfer = Call { kind: Kind::Transfer, ..call("A1", "5", 20, None) };
        cells.call(&transfer, false, NOW).unwrap();
        cells.redirect(&transfer, NOW);
        assert_eq!(
            cells.call(&call("A1", "3", 19, None), false, NOW),
            Ok(Standing::Ended),
            "it was before the transfer"
        );
        assert_eq!([shown(&cells, "3"), shown(&cells, "4")], [None, Some("A2".to_owned())]);
        let late = Call { kind: Kind::Transfer, ..call("A1", "7", 15, None) };
        assert_eq!(cells.call(&late, false, NOW), Ok(Standing::Ended), "it has moved on since");
        assert_eq!(shown(&cells, "7"), None);
    }

    #[test]
    fn a_call_that_comes_after_its_end_is_over() {
        let mut cells = counters();
        cells.cancel(&call("A1", "5", 12, None), NOW).unwrap();
        assert_eq!(cells.call(&call("A1", "5", 10, None), false, NOW), Ok(Standing::Ended));
        assert_eq!(cells.call(&call("A1", "5", 13, None), false, NOW), Ok(Standing::Current));
        assert_eq!(
            cells.miss(&call("A1", "5", 12, None), NOW),
            Err(IgnoreReason::Stale),
            "it was called again"
        );
    }

    #[test]
    fn serving_shows_its_ticket_and_missing_leaves_it() {
        let mut cells = counters();
        cells.serve(&call("A1", "5", 10, None), NOW).unwrap();
        assert_eq!(shown(&cells, "5").as_deref(), Some("A1"));
        cells.miss(&call("A1", "5", 11, None), NOW).unwrap();
        assert_eq!(shown(&cells, "5").as_deref(), Some("A1"));
        cells.cancel(&call("A1", "5", 12, None), NOW).unwrap();
        assert_eq!(shown(&cells, "5"), None);
    }

    #[test]
    fn a_cleared_counter_is_unknown_again() {
        let mut cells = counters();
        let open = state(CounterMode::Open, Some("A1"), 10, None);
        change(&mut cells, "5", open.clone()).unwrap();
        change(&mut cells, "99", open.clone()).unwrap();
        cells.cleared(&counter("5"));
        cells.cleared(&counter("99"));
        assert_eq!((shown(&cells, "5"), cell(&cells, "5").known), (None, false));
        assert_eq!(cells.views(|_, _| false).len(), 11);
        change(&mut cells, "5", open).unwrap();
        assert_eq!(shown(&cells, "5").as_deref(), Some("A1"), "the same state may be published anew");
    }

    #[test]
    fn a_state_replaces_label_and_lanes_of_the_config() {
        let mut cells = counters();
        let named = CounterState {
            label: Some("Trả kết quả".to_owned()),
            lanes: Some(vec![Lane::Child]),
            reopens: Some(civil::time(13, 30, 0, 0)),
            ..state(CounterMode::Paused, None, 10, None)
        };
        assert_eq!(cell(&cells, "5").label.as_deref(), Some("Ưu tiên"));
        change(&mut cells, "5", named).unwrap();
        let view = cell(&cells, "5");
        assert_eq!((view.label.as_deref(), view.lanes), (Some("Trả kết quả"), vec![Lane::Child]));
        assert_eq!(view.reopens, Some(civil::time(13, 30, 0, 0)));
    }

    #[test]
    fn a_state_from_the_far_future_does_not_freeze_its_counter() {
        let mut cells = counters();
        change(&mut cells, "5", state(CounterMode::Open, Some("A1"), 9_000_000, None)).unwrap();
        change(&mut cells, "5", state(CounterMode::Open, Some("A2"), 1001, None)).unwrap();
        assert_eq!(shown(&cells, "5").as_deref(), Some("A2"));
    }
}
