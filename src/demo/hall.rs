//! A simulated hall: citizens arrive, wait, are called, come or stay away. Pure and repeatable by its seed.
//!
//! The figures are those of a district hall of eleven counters: nine of ten tickets booked with a slot, one in eight
//! from a priority lane, one in twelve holders absent at the first call.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::board::call::{Kind, Lane};
use crate::board::state::CounterMode;
use crate::clock::Millis;

/// Something that a queue system would publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Ticket { kind: Kind, ticket: String, desk: usize, lane: Lane, booked: bool },
    Desk { desk: usize, mode: CounterMode, ticket: Option<String>, pause: Option<Millis> },
    Queue { series: usize, waiting: usize, next: Vec<String>, wait_minutes: usize, missed: Vec<String> },
}

/// Letters of the series, in the order of their index.
pub const SERIES: [char; 5] = ['A', 'B', 'C', 'D', 'E'];
/// The series that each desk serves; the priority desk takes its lane from all.
const DESKS: [Option<usize>; 11] =
    [Some(0), Some(0), Some(2), Some(1), None, Some(3), Some(3), Some(3), Some(3), Some(4), Some(4)];
/// How many of a hundred visitors take a ticket of each series.
const SHARES: [u32; 5] = [30, 12, 8, 35, 15];
const STEP: Millis = Millis(1000);
/// Arrivals a minute in each hour of the day from its opening: most come early, few at noon and before the end. Then it
/// begins anew.
const ARRIVALS: [f64; 8] = [1.1, 1.2, 0.8, 0.4, 0.9, 0.9, 0.5, 0.2];
const HOUR: Millis = Millis::from_secs(3600);
/// What one citizen takes at a desk, for the expected wait.
const MINUTES_EACH: usize = 8;
/// How many of the missed are told.
const MISSED: usize = 3;
/// How long a called citizen may take to come, and the desk waits before it calls again.
const WALK: Millis = Millis::from_secs(40);
const PATIENCE: Millis = Millis::from_secs(60);

#[derive(Clone, Debug)]
struct Visitor {
    ticket: String,
    lane: Lane,
    booked: bool,
    /// At which of the calls the holder comes; more than two is never.
    comes_at: u8,
}

#[derive(Clone, Debug)]
enum DeskState {
    Free { since: Millis },
    Calling { visitor: Visitor, calls: u8, until: Millis },
    Serving { until: Millis },
    Paused { until: Millis },
}

/// The hall and its clock, which starts at zero.
#[derive(Debug)]
pub struct Hall {
    rng: StdRng,
    now: Millis,
    desks: Vec<DeskState>,
    waiting: [VecDeque<Visitor>; SERIES.len()],
    given: [u32; SERIES.len()],
    /// Last called in vain, newest first.
    missed: [VecDeque<String>; SERIES.len()],
}

impl Hall {
    /// A hall in which a dozen citizens wait already.
    pub fn new(seed: u64) -> Self {
        let mut hall = Self {
            rng: StdRng::seed_from_u64(seed),
            now: Millis::ZERO,
            desks: vec![DeskState::Free { since: Millis::ZERO }; DESKS.len()],
            waiting: Default::default(),
            given: [11, 105, 22, 41, 8],
            missed: Default::default(),
        };
        for _ in 0..12 {
            let _ = hall.arrive();
        }
        hall
    }

    /// What is known before anything happens.
    pub fn opening(&self) -> Vec<Event> {
        let desks = (0..DESKS.len()).map(|desk| Self::desk_event(desk, CounterMode::Open, None));
        desks.chain((0..SERIES.len()).map(|series| self.queue_event(series))).collect()
    }

    /// Moves the hall's clock to `to` and tells what happened until then.
    pub fn advance(&mut self, to: Millis) -> Vec<Event> {
        let mut events = Vec::new();
        while self.now + STEP <= to {
            self.now = self.now + STEP;
            let hour = (self.now.0 / HOUR.0) as usize % ARRIVALS.len();
            if self.rng.random_bool(ARRIVALS[hour] / 60.0 * STEP.as_secs_f64()) {
                events.push(self.arrive());
            }
            for desk in 0..self.desks.len() {
                self.work(desk, &mut events);
            }
        }
        events
    }

    fn arrive(&mut self) -> Event {
        let mut at = self.rng.random_range(0..SHARES.iter().sum::<u32>());
        let series = SHARES.iter().position(|share| at.checked_sub(*share).map(|rest| at = rest).is_none());
        let series = series.unwrap_or(0);
        self.given[series] += 1;
        let lane = match self.rng.random_range(0..24) {
            0 => Lane::Elderly,
            1 => Lane::Merit,
            2 => Lane::Disabled,
            3 => Lane::Pregnant,
            _ => Lane::Regular,
        };
        let comes_at = match self.rng.random_range(0..24) {
            0 => 3,
            1 => 2,
            _ => 1,
        };
        let ticket = format!("{}{:03}", SERIES[series], self.given[series]);
        let booked = self.rng.random_bool(0.9);
        self.waiting[series].push_back(Visitor { ticket, lane, booked, comes_at });
        self.queue_event(series)
    }

    fn work(&mut self, desk: usize, events: &mut Vec<Event>) {
        match self.desks[desk].clone() {
            DeskState::Free { since } => self.invite(desk, since, events),
            DeskState::Calling { visitor, calls, until } if until <= self.now => {
                self.resolve(desk, visitor, calls, events);
            }
            DeskState::Serving { until } if until <= self.now => {
                if self.rng.random_bool(0.04) {
                    let pause = Millis::from_secs(self.rng.random_range(300..900));
                    self.desks[desk] = DeskState::Paused { until: self.now + pause };
                    events.push(Event::Desk {
                        desk,
                        mode: CounterMode::Paused,
                        ticket: None,
                        pause: Some(pause),
                    });
                } else {
                    let rest = Millis::from_secs(self.rng.random_range(5..40));
                    self.desks[desk] = DeskState::Free { since: self.now + rest };
                }
            }
            DeskState::Paused { until } if until <= self.now => {
                self.desks[desk] = DeskState::Free { since: self.now };
                events.push(Self::desk_event(desk, CounterMode::Open, None));
            }
            _ => {}
        }
    }

    fn invite(&mut self, desk: usize, since: Millis, events: &mut Vec<Event>) {
        if since > self.now {
            return;
        }
        let Some((series, visitor)) = self.next_for(desk) else { return };
        events.push(Self::ticket_event(Kind::Call, desk, &visitor));
        events.push(Self::desk_event(desk, CounterMode::Open, Some(visitor.ticket.clone())));
        events.push(self.queue_event(series));
        let until = self.now + if visitor.comes_at == 1 { WALK } else { PATIENCE };
        self.desks[desk] = DeskState::Calling { visitor, calls: 1, until };
    }

    fn next_for(&mut self, desk: usize) -> Option<(usize, Visitor)> {
        if let Some(series) = DESKS[desk] {
            return self.waiting[series].pop_front().map(|visitor| (series, visitor));
        }
        (0..SERIES.len()).find_map(|series| {
            let at = self.waiting[series].iter().position(|v| v.lane.is_priority())?;
            self.waiting[series].remove(at).map(|visitor| (series, visitor))
        })
    }

    /// The citizen came, is called again, or is given up.
    fn resolve(&mut self, desk: usize, visitor: Visitor, calls: u8, events: &mut Vec<Event>) {
        if visitor.comes_at <= calls {
            events.push(Self::ticket_event(Kind::Serving, desk, &visitor));
            let until = self.now + Millis::from_secs(self.rng.random_range(180..720));
            self.desks[desk] = DeskState::Serving { until };
        } else if calls < 2 {
            events.push(Self::ticket_event(Kind::Recall, desk, &visitor));
            let until = self.now + PATIENCE;
            self.desks[desk] = DeskState::Calling { visitor, calls: calls + 1, until };
        } else {
            events.push(Self::ticket_event(Kind::Absent, desk, &visitor));
            events.push(Self::desk_event(desk, CounterMode::Open, None));
            if let Some(series) = SERIES.iter().position(|letter| visitor.ticket.starts_with(*letter)) {
                self.missed[series].push_front(visitor.ticket);
                self.missed[series].truncate(MISSED);
                events.push(self.queue_event(series));
            }
            self.desks[desk] = DeskState::Free { since: self.now + STEP };
        }
    }

    fn ticket_event(kind: Kind, desk: usize, visitor: &Visitor) -> Event {
        Event::Ticket {
            kind,
            ticket: visitor.ticket.clone(),
            desk,
            lane: visitor.lane,
            booked: visitor.booked,
        }
    }

    fn desk_event(desk: usize, mode: CounterMode, ticket: Option<String>) -> Event {
        Event::Desk { desk, mode, ticket, pause: None }
    }

    fn queue_event(&self, series: usize) -> Event {
        let line = &self.waiting[series];
        let next = line.iter().take(3).map(|v| v.ticket.clone()).collect();
        let desks = DESKS.iter().filter(|desk| **desk == Some(series)).count().max(1);
        let wait_minutes = (line.len() * MINUTES_EACH).div_ceil(desks);
        let missed = self.missed[series].iter().cloned().collect();
        Event::Queue { series, waiting: line.len(), next, wait_minutes, missed }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_day_of_the_simulated_hall_shows_everything_a_hall_does() {
        let mut hall = Hall::new(7);
        let events = hall.advance(Millis::from_secs(8 * 3600));
        let calls: Vec<&String> = events
            .iter()
            .filter_map(|e| match e {
                Event::Ticket { kind: Kind::Call, ticket, .. } => Some(ticket),
                _ => None,
            })
            .collect();
        assert!(calls.len() > 200, "{}", calls.len());
        assert_eq!(
            calls.iter().collect::<BTreeSet<_>>().len(),
            calls.len(),
            "no ticket is called first twice"
        );
        let has = |kind| events.iter().any(|e| matches!(e, Event::Ticket { kind: k, .. } if *k == kind));
        assert!(has(Kind::Recall) && has(Kind::Absent) && has(Kind::Serving));
        assert!(events.iter().any(|e| matches!(e, Event::Queue { missed, .. } if missed.len() > 1)));
        let calls_in = |hour: i64| {
            let mut hall = Hall::new(7);
            hall.advance(Millis(HOUR.0 * hour));
            let queue = |e: &&Event| matches!(e, Event::Ticket { kind: Kind::Call, .. });
            hall.advance(Millis(HOUR.0 * (hour + 1))).iter().filter(queue).count()
        };
        assert!(calls_in(1) > 2 * calls_in(7), "the second hour is busy, the last is not");
        assert!(events.iter().any(|e| matches!(e, Event::Desk { mode: CounterMode::Paused, .. })));
        assert!(events.iter().any(|e| matches!(e, Event::Ticket { lane: Lane::Elderly, desk: 4, .. })));
        assert_eq!(events, Hall::new(7).advance(Millis::from_secs(8 * 3600)), "repeatable");
    }
}
