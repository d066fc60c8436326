//! One cell of the grid: what a counter serves, by its calls and its own states. The later report wins, and a cell never
//! goes back to an older ticket.

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

/// How many tickets that were served, missed or cancelled a cell remembers, against calls that come after their end.
const ENDED: usize = 8;

/// Where a call stands against what is known of its counter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its ticket is, or was already, on the counter's cell; or the counter is not serving another one, or not by a call.
    Current,
    /// The counter has called a later ticket: this call must not come before it.
    Passed,
    /// A later event has already ended it.
    Ended,
}

/// One counter.
#[derive(Clone, Debug)]
pub struct Cell {
    pub counter: Counter,
    /// Index in the config.
    pub home: Option<usize>,
    /// The last state that was taken, as it came.
    state: Option<CounterState>,
    mode: CounterMode,
    reopens: Option<civil::Time>,
    serving: Option<Serving>,
    /// The newest report of what the counter serves.
    mark: Option<Mark>,
    /// Calls that are over, oldest first.
    ended: VecDeque<End>,
    known: bool,
}

/// The end of a ticket's call.
#[derive(Clone, Debug)]
struct End {
    ticket: Ticket,
    series: Option<Series>,
    mark: Mark,
    cancelled: bool,
}

impl End {
    /// Whether it ended a call of this ticket that was made at `mark`.
    fn ends(&self, call: &Call, mark: Mark) -> bool {
        is_ticket_of(&self.ticket, self.series.as_ref(), call) && mark.precedes(self.mark)
    }
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

    /// Whether it is the ticket of `call`.
    fn is_of(&self, call: &Call) -> bool {
        is_ticket_of(&self.ticket, self.series.as_ref(), call)
    }

    /// The call that put the ticket here is later than the report `mark`.
    fn was_called_after(&self, mark: Mark) -> bool {
        self.called.is_some_and(|called| mark.precedes(called))
    }
}

impl Cell {
    pub fn new(counter: Counter, home: Option<usize>) -> Self {
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

    /// The counter's own state, as it came last.
    pub fn told(&self) -> Option<&CounterState> {
        self.state.as_ref()
    }

    /// A call: its ticket comes onto the cell unless something later is known. One that is over already still says that
    /// the counter went on from what it served before.
    ///
    /// A `live` one has just been made. When its time alone speaks against it, two systems with two clocks call to this
    /// counter, and the order of arrival is the better witness; only the counter's own later state keeps its place.
    pub fn call(&mut self, call: &Call, mark: Mark, live: bool, now: Millis) -> Standing {
        self.known = true;
        let mut later = self.take_mark(mark);
        if self.was_ended_after(call, mark) {
            if later {
                let cancelled = self.ended.iter().any(|end| end.cancelled && end.ends(call, mark));
                self.serving = (!cancelled).then(|| Serving::of(call));
                self.open();
            }
            return Standing::Ended;
        }
        let known = self.serving.as_ref().filter(|s| s.is_of(call));
        let newest = live && self.mark.is_none_or(|newest| !mark.is_numbered_like(newest));
        if newest && known.is_none() && !self.shows_own_state_after(mark) {
            self.mark = Some(mark);
            later = true;
        }
        if later || known.is_some() {
            let called = known.and_then(|s| s.called).filter(|called| mark.precedes(*called)).or(Some(mark));
            self.serving = Some(Serving { called, called_at: Some(now), ..Serving::of(call) });
        } else if self.serving.is_some() && !newest {
            return Standing::Passed;
        }
        if later {
            self.open();
        }
        Standing::Current
    }

    /// The citizen came: the counter serves this ticket now.
    pub fn serve(&mut self, call: &Call, mark: Mark) -> Result<(), IgnoreReason> {
        self.end(call, mark)?;
        if self.take_mark(mark) {
            match &mut self.serving {
                Some(serving) if serving.is_of(call) => {
                    serving.series = serving.series.take().or_else(|| call.series.clone());
                }
                serving => *serving = Some(Serving::of(call)),
            }
            self.open();
        }
        Ok(())
    }

    /// The call was a mistake: its number goes.
    pub fn cancel(&mut self, call: &Call, mark: Mark) -> Result<(), IgnoreReason> {
        self.end(call, mark)?;
        self.serving.take_if(|s| s.is_of(call));
        Ok(())
    }

    /// The ticket of `call` moved to another counter: it is shown here only if it was called here since. True when it goes.
    pub fn leave(&mut self, call: &Call, mark: Mark) -> bool {
        self.serving.take_if(|s| s.is_of(call) && !s.was_called_after(mark)).is_some()
    }

    /// A new day: what was reported before goes. A counter that only its calls have told of is not known to be open.
    pub fn turn(&mut self, counts: impl Fn(Timestamp) -> bool) {
        self.serving.take_if(|s| !counts(s.at));
        self.ended.retain(|end| counts(end.mark.at));
        self.known &= self.state.is_some() || self.serving.is_some();
    }

    /// Whether only an event of another day has ever named this counter.
    pub fn is_forgotten(&self) -> bool {
        self.home.is_none() && self.state.is_none() && self.serving.is_none()
    }

    /// Remembers that the ticket's call is over; refuses when the ticket has been called again, or ended again, since.
    pub fn end(&mut self, call: &Call, mark: Mark) -> Result<(), IgnoreReason> {
        let serving = self.serving.as_ref().filter(|s| s.is_of(call));
        if serving.is_some_and(|s| s.was_called_after(mark)) || self.was_ended_after(call, mark) {
            return Err(IgnoreReason::Stale);
        }
        self.known = true;
        let (ticket, series) = (call.ticket.clone(), call.series.clone());
        self.ended.retain(|end| !is_ticket_of(&end.ticket, end.series.as_ref(), call));
        self.ended.push_back(End { ticket, series, mark, cancelled: call.kind == Kind::Cancel });
        if self.ended.len() > ENDED {
            self.ended.pop_front();
        }
        Ok(())
    }

    fn was_ended_after(&self, call: &Call, mark: Mark) -> bool {
        self.ended.iter().any(|end| end.ends(call, mark))
    }

    fn was_cancelled_after(&self, ticket: &Ticket, mark: Mark) -> bool {
        self.ended.iter().any(|end| end.cancelled && end.ticket == *ticket && mark.precedes(end.mark))
    }

    /// Whether the cell shows what the counter itself has said after `mark`.
    fn shows_own_state_after(&self, mark: Mark) -> bool {
        let shown = self.serving.as_ref().map(|s| &s.ticket);
        let own = self.state.as_ref().filter(|state| state.ticket.as_ref() == shown);
        own.is_some_and(|state| mark.precedes(Mark { at: state.at, seq: state.seq }))
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

    pub fn changed(&mut self, state: CounterState, counts: bool, now: Now) -> Result<(), IgnoreReason> {
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
        let ticket = state.ticket.as_ref().filter(|ticket| counts && !self.was_cancelled_after(ticket, mark));
        if self.serving.as_ref().map(|s| &s.ticket) != ticket {
            self.serving = ticket.map(|ticket| Serving::told(ticket, state.at));
        }
        self.state = Some(state);
        Ok(())
    }

    pub fn view(
        &self,
        config: Option<&CounterConfig>,
        holds: impl Fn(&Counter, &Ticket) -> bool,
    ) -> CounterView {
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

/// When an event was, as it can be true.
pub fn mark(at: Timestamp, seq: Option<u64>, now: Now) -> Mark {
    Mark { at: told(at, now), seq }
}

/// Whether this is the ticket of `call`: two series may both have a number 12.
pub fn is_ticket_of(ticket: &Ticket, series: Option<&Series>, call: &Call) -> bool {
    let other = call.series.as_ref();
    *ticket == call.ticket && (series.is_none() || other.is_none() || series == other)
}
