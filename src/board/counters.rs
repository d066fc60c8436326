//! The grid: what every counter serves. Calls and the counters' own states meet here, and the later report wins.
//!
//! A cell never goes back to an older ticket. Counters that no config names are shown all the same, after the others:
//! a mistake in the config must not hide a call.

use std::cmp::Reverse;
use std::collections::VecDeque;

use jiff::{Timestamp, civil};

use super::call::{Call, Counter, Kind, Lane, Series, Ticket};
use super::day::{may_replace, told};
use super::input::IgnoreReason;
use super::ledger::Mark;
use super::state::{CounterMode, CounterState};
use super::view::CounterView;
use crate::clock::{Millis, Now};
use crate::config::CounterConfig;

/// Most counters of a hall (wire contract).
pub const LIMIT: usize = 200;
/// How many tickets that were served, missed or cancelled a cell remembers, against calls that come after their end.
const ENDED: usize = 8;

/// Where a call stands against what is known of its counter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its ticket is, or was already, on the counter's cell; or the counter is not serving another one.
    Current,
    /// The counter shows a later ticket: this call must not come before it.
    Passed,
    /// A later event has already ended it.
    Ended,
}

#[derive(Clone, Debug)]
pub struct Counters {
    config: Vec<CounterConfig>,
    cells: Vec<Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    counter: Counter,
    /// Index in the config.
    home: Option<usize>,
    /// The last state that was taken, as it came.
    state: Option<CounterState>,
    mode: CounterMode,
    reopens: Option<civil::Time>,
    serving: Option<Serving>,
    /// The newest report of what the counter serves.
    mark: Option<Mark>,
    ended: VecDeque<(Ticket, Mark)>,
    known: bool,
}

/// The ticket on a cell.
#[derive(Clone, Debug)]
struct Serving {
    ticket: Ticket,
    series: Option<Series>,
    lane: Lane,
    slot: Option<civil::Time>,
    /// Time of the report that it came with.
    at: Timestamp,
    /// The newest call of it.
    called: Option<Mark>,
    called_at: Option<Millis>,
}

impl Serving {
    fn of(call: &Call) -> Self {
        let (ticket, series) = (call.ticket.clone(), call.series.clone());
        Self { ticket, series, lane: call.lane, slot: call.slot, at: call.at, called: None, called_at: None }
    }

    fn told(ticket: &Ticket, at: Timestamp) -> Self {
        let ticket = ticket.clone();
        Self { ticket, series: None, lane: Lane::Regular, slot: None, at, called: None, called_at: None }
    }

    /// Whether it is the ticket of `call`: two series may both have a number 12.
    fn is_same(&self, call: &Call) -> bool {
        let series = self.series.is_none() || call.series.is_none() || self.series == call.series;
        series && self.ticket == call.ticket
    }

    /// The call that put the ticket here is later than the report `mark`.
    fn was_called_after(&self, mark: Mark) -> bool {
        self.called.is_some_and(|called| mark.precedes(called))
    }
}

impl Counters {
    pub fn new(config: Vec<CounterConfig>) -> Self {
        let cells = config.iter().enumerate().map(|(home, c)| Cell::new(c.id.clone(), Some(home))).collect();
        Self { config, cells }
    }

    /// A call: its ticket comes onto the cell unless something later is known there.
    pub fn call(&mut self, call: &Call, now: Now) -> Result<Standing, IgnoreReason> {
        let moved_on = call.kind == Kind::Transfer && self.was_moved_on(call, now);
        let cell = self.cell_or_new(&call.counter)?;
        if moved_on {
            return Ok(Standing::Ended);
        }
        Ok(cell.call(call, mark(call.at, call.seq, now), now.mono))
    }

    /// A later call has brought the ticket to another counter already. Sequence numbers are a counter's own.
    fn was_moved_on(&self, call: &Call, now: Now) -> bool {
        let mark = mark(call.at, None, now);
        let mut others =
            self.cells.iter().filter(|c| c.counter != call.counter).filter_map(|c| c.serving.as_ref());
        others.any(|s| s.is_same(call) && s.was_called_after(mark))
    }

    /// The ticket moved to `call.counter`: no other cell shows it, unless that one has later news of it.
    pub fn redirect(&mut self, call: &Call, now: Now) {
        let mark = mark(call.at, None, now);
        for cell in self.cells.iter_mut().filter(|c| c.counter != call.counter) {
            cell.serving.take_if(|s| s.is_same(call) && !s.was_called_after(mark));
        }
    }

    /// The citizen came: the counter serves this ticket now.
    pub fn serve(&mut self, call: &Call, now: Now) -> Result<(), IgnoreReason> {
        let mark = mark(call.at, call.seq, now);
        let cell = self.cell_or_new(&call.counter)?;
        cell.end(call, mark)?;
        if cell.take_mark(mark) {
            if cell.serving.as_ref().is_none_or(|s| s.ticket != call.ticket) {
                cell.serving = Some(Serving::of(call));
            }
            cell.open();
        }
        Ok(())
    }

    /// Nobody came. The number stays until the next one, so that a latecomer still finds the counter.
    pub fn miss(&mut self, call: &Call, now: Now) -> Result<(), IgnoreReason> {
        match self.cell(&call.counter) {
            Some(cell) => cell.end(call, mark(call.at, call.seq, now)),
            None => Ok(()),
        }
    }

    /// The call was a mistake: its number goes.
    pub fn cancel(&mut self, call: &Call, now: Now) -> Result<(), IgnoreReason> {
        let Some(cell) = self.cell(&call.counter) else { return Ok(()) };
        cell.end(call, mark(call.at, call.seq, now))?;
        cell.serving.take_if(|s| s.ticket == call.ticket);
        Ok(())
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
        let Some(index) = self.cells.iter().position(|c| c.counter == *counter) else { return };
        match self.cells[index].home {
            None => drop(self.cells.remove(index)),
            home => self.cells[index] = Cell::new(counter.clone(), home),
        }
    }

    /// A new day: tickets of yesterday go, and so do counters that were only heard of by them.
    pub fn turn(&mut self, counts: impl Fn(Timestamp) -> bool) {
        for cell in &mut self.cells {
            cell.serving.take_if(|s| !counts(s.at));
            cell.ended.retain(|(_, mark)| counts(mark.at));
        }
        self.cells.retain(|c| c.home.is_some() || c.state.is_some() || c.serving.is_some());
    }

    fn cell(&mut self, counter: &Counter) -> Option<&mut Cell> {
        self.cells.iter_mut().find(|c| c.counter == *counter)
    }

    /// The counter's cell; an unknown counter gets one in the order of names, after those of the config.
    fn cell_or_new(&mut self, counter: &Counter) -> Result<&mut Cell, IgnoreReason> {
        let index = match self.cells.iter().position(|c| c.counter == *counter) {
            Some(index) => index,
            None if self.cells.len() >= LIMIT => return Err(IgnoreReason::TooMany),
            None => {
                let order = |c: &Cell| c.home.is_some() || by_name(&c.counter) < by_name(counter);
                let index = self.cells.partition_point(order);
                self.cells.insert(index, Cell::new(counter.clone(), None));
                index
            }
        };
        Ok(&mut self.cells[index])
    }

    /// The cells in order; `holds` says whether a ticket has or awaits the spotlight.
    pub fn views(&self, holds: impl Fn(&Counter, &Ticket) -> bool) -> Vec<CounterView> {
        self.cells.iter().map(|cell| cell.view(cell.home.map(|home| &self.config[home]), &holds)).collect()
    }
}

/// Counter 9 comes before counter 10, and numbers before words.
fn by_name(counter: &Counter) -> (Reverse<bool>, u64, &str) {
    let number: Option<u64> = counter.as_str().parse().ok();
    (Reverse(number.is_some()), number.unwrap_or(0), counter.as_str())
}

fn mark(at: Timestamp, seq: Option<u64>, now: Now) -> Mark {
    Mark { at: told(at, now), seq }
}

impl Cell {
    fn new(counter: Counter, home: Option<usize>) -> Self {
        Self {
            counter,
            home,
            state: None,
            mode: CounterMode::Open,
            reopens: None,
            serving: None,
            mark: None,
            ended: VecDeque::new(),
            known: false,
        }
    }

    fn call(&mut self, call: &Call, mark: Mark, now: Millis) -> Standing {
        self.known = true;
        if self.ended.iter().any(|(ticket, end)| *ticket == call.ticket && mark.precedes(*end)) {
            return Standing::Ended;
        }
        let later = self.take_mark(mark);
        let same = self.serving.as_ref().filter(|s| s.ticket == call.ticket);
        let called = same.and_then(|s| s.called).filter(|called| mark.precedes(*called)).or(Some(mark));
        let same = same.is_some();
        if later || same {
            self.serving = Some(Serving { called, called_at: Some(now), ..Serving::of(call) });
        }
        if later {
            self.open();
        }
        if later || same || self.serving.is_none() { Standing::Current } else { Standing::Passed }
    }

    /// Remembers that the ticket's call is over; refuses when the ticket has been called again since.
    fn end(&mut self, call: &Call, mark: Mark) -> Result<(), IgnoreReason> {
        let serving = self.serving.as_ref().filter(|s| s.ticket == call.ticket);
        if serving.is_some_and(|s| s.was_called_after(mark)) {
            return Err(IgnoreReason::Stale);
        }
        self.ended.retain(|(ticket, _)| *ticket != call.ticket);
        self.ended.push_back((call.ticket.clone(), mark));
        if self.ended.len() > ENDED {
            self.ended.pop_front();
        }
        Ok(())
    }

    /// Takes the mark when it follows the newest one.
    fn take_mark(&mut self, mark: Mark) -> bool {
        let later = self.mark.is_none_or(|newest| mark.follows(newest));
        if later {
            self.mark = Some(mark);
        }
        later
    }

    /// A counter that calls or serves is open, whatever it said before.
    fn open(&mut self) {
        self.known = true;
        self.mode = CounterMode::Open;
        self.reopens = None;
    }

    fn changed(&mut self, state: CounterState, counts: bool, now: Now) -> Result<(), IgnoreReason> {
        if self.state.as_ref() == Some(&state) {
            return Err(IgnoreReason::Duplicate);
        }
        let mark = mark(state.at, state.seq, now);
        let older = self.state.as_ref().is_some_and(|known| is_older(&state, known, now));
        if older || self.mark.is_some_and(|newest| mark.precedes(newest)) {
            return Err(IgnoreReason::Stale);
        }
        self.mark = Some(mark);
        self.known = true;
        self.mode = state.mode;
        self.reopens = state.reopens;
        let ticket = state.ticket.as_ref().filter(|_| counts);
        if self.serving.as_ref().map(|s| &s.ticket) != ticket {
            self.serving = ticket.map(|ticket| Serving::told(ticket, state.at));
        }
        self.state = Some(state);
        Ok(())
    }

    fn view(&self, config: Option<&CounterConfig>, holds: impl Fn(&Counter, &Ticket) -> bool) -> CounterView {
        let state = self.state.as_ref();
        let label = state.and_then(|s| s.label.clone());
        let lanes = state.and_then(|s| s.lanes.clone());
        let serving = self.serving.as_ref();
        CounterView {
            counter: self.counter.clone(),
            noun: config.map_or_else(|| "Quầy".to_owned(), |c| c.noun.clone()),
            // A label that replaces the configured one has no translation.
            label_en: config.filter(|_| label.is_none()).and_then(|c| c.label_en.clone()),
            label: label.or_else(|| config.and_then(|c| c.label.clone())),
            lanes: lanes.or_else(|| config.map(|c| c.lanes.clone())).unwrap_or_default(),
            mode: self.mode,
            ticket: serving.map(|s| s.ticket.clone()),
            lane: serving.map_or(Lane::Regular, |s| s.lane),
            slot: serving.and_then(|s| s.slot),
            reopens: self.reopens,
            called: serving.is_some_and(|s| holds(&self.counter, &s.ticket)),
            called_at: serving.and_then(|s| s.called_at),
            known: self.known,
        }
    }
}

/// Whether `state` is older than the `known` state of the same counter, by what both say themselves.
fn is_older(state: &CounterState, known: &CounterState, now: Now) -> bool {
    let own = Mark { at: state.at, seq: state.seq };
    let other = Mark { at: known.at, seq: known.seq };
    let counted = own.seq.is_some() && other.seq.is_some();
    own.precedes(other) && (counted || !may_replace(own.at, other.at, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::CallId;
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
        Call {
            id: CallId::parse(ticket).unwrap(),
            ticket: Ticket::parse(ticket).unwrap(),
            counter: counter(name),
            kind: Kind::Call,
            at: at(secs),
            seq,
            series: None,
            lane: Lane::Elderly,
            slot: None,
            holder: None,
        }
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
        assert_eq!(cells.call(&call("A1", "5", 10, None), NOW), Ok(Standing::Current));
        assert_eq!(
            change(&mut cells, "5", state(CounterMode::Open, Some("A0"), 9, None)),
            Err(IgnoreReason::Stale)
        );
        assert_eq!(shown(&cells, "5").as_deref(), Some("A1"));
        change(&mut cells, "5", state(CounterMode::Open, Some("A2"), 11, None)).unwrap();
        assert_eq!(shown(&cells, "5").as_deref(), Some("A2"));
        assert_eq!(cells.call(&call("A1", "5", 10, None), NOW), Ok(Standing::Passed));
        assert_eq!(shown(&cells, "5").as_deref(), Some("A2"));
    }

    #[test]
    fn a_state_that_outruns_its_call_does_not_hide_it() {
        let mut cells = counters();
        change(&mut cells, "5", state(CounterMode::Open, Some("A1"), 10, Some(4))).unwrap();
        assert_eq!(cells.call(&call("A1", "5", 10, Some(4)), NOW), Ok(Standing::Current));
        assert_eq!(cell(&cells, "5").lane, Lane::Elderly);
        change(&mut cells, "6", state(CounterMode::Open, None, 11, None)).unwrap();
        assert_eq!(cells.call(&call("B1", "6", 10, None), NOW), Ok(Standing::Current));
        assert_eq!(shown(&cells, "6"), None, "the counter's own later state stands");
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
        cells.call(&call("A1", "5", 11, None), NOW).unwrap();
        assert_eq!((cell(&cells, "5").mode, cell(&cells, "5").known), (CounterMode::Open, true));
        assert!(!cell(&cells, "6").known);
    }

    #[test]
    fn unknown_counters_come_after_the_others_by_number_and_name() {
        let mut cells = counters();
        for name in ["B", "30", "A", "12", "7"] {
            cells.call(&call("X1", name, 10, None), NOW).unwrap();
        }
        let order: Vec<_> = cells.views(|_, _| false).iter().map(|c| c.counter.as_str().to_owned()).collect();
        assert_eq!(order[9..], ["10", "11", "12", "30", "A", "B"]);
        assert_eq!(cell(&cells, "30").noun, "Quầy");
    }

    #[test]
    fn a_hall_has_at_most_two_hundred_counters() {
        let mut cells = counters();
        for n in 12..=LIMIT {
            cells.call(&call("X1", &n.to_string(), 10, None), NOW).unwrap();
        }
        assert_eq!(cells.call(&call("X1", "Z", 10, None), NOW), Err(IgnoreReason::TooMany));
        assert_eq!(
            change(&mut cells, "Z", state(CounterMode::Open, None, 1, None)),
            Err(IgnoreReason::TooMany)
        );
        assert!(cells.call(&call("X2", "100", 11, None), NOW).is_ok());
    }

    #[test]
    fn a_transfer_leaves_no_number_behind() {
        let mut cells = counters();
        cells.call(&call("A1", "3", 10, None), NOW).unwrap();
        cells.call(&call("A2", "4", 10, None), NOW).unwrap();
        let transfer = Call { kind: Kind::Transfer, ..call("A1", "5", 20, None) };
        cells.call(&transfer, NOW).unwrap();
        cells.redirect(&transfer, NOW);
        assert_eq!([shown(&cells, "3"), shown(&cells, "4")], [None, Some("A2".to_owned())]);
        let late = Call { kind: Kind::Transfer, ..call("A1", "7", 15, None) };
        assert_eq!(cells.call(&late, NOW), Ok(Standing::Ended), "it has moved on since");
        assert_eq!(shown(&cells, "7"), None);
    }

    #[test]
    fn a_call_that_comes_after_its_end_is_over() {
        let mut cells = counters();
        cells.cancel(&call("A1", "5", 12, None), NOW).unwrap();
        assert_eq!(cells.call(&call("A1", "5", 10, None), NOW), Ok(Standing::Ended));
        assert_eq!(cells.call(&call("A1", "5", 13, None), NOW), Ok(Standing::Current));
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
