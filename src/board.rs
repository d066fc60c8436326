//! The board: what every counter serves, who is called, what is said next. Pure: `apply` takes an input with its time
//! and returns effects; it never reads a clock, does IO or knows how things are drawn, spoken or sent.

use jiff::tz::TimeZone;

use crate::clock::{Millis, Now};
use crate::config::hours::Hours;
use crate::config::{Config, CounterConfig, SeriesConfig, ZoneConfig};

pub mod call;
pub mod input;
pub mod state;
pub mod view;

use input::{Effect, Input};
use view::BoardView;

/// The part of the config that decides what the board does.
#[derive(Clone, Debug)]
pub struct Rules {
    pub dwell: Millis,
    pub stale_after: Millis,
    pub announce_max_age: Millis,
    pub repeats: u8,
    pub show_holder: bool,
    pub hours: Hours,
    pub time_zone: TimeZone,
    pub counters: Vec<CounterConfig>,
    pub series: Vec<SeriesConfig>,
    pub zones: Vec<ZoneConfig>,
    /// False: nothing is ever announced.
    pub speaks: bool,
    pub idle_ticker: Vec<String>,
}

impl Rules {
    pub fn of(config: &Config) -> Self {
        Self {
            dwell: config.board.dwell,
            stale_after: config.board.stale_after,
            announce_max_age: config.speech.announce_max_age,
            repeats: config.speech.repeats,
            show_holder: config.board.show_holder,
            hours: config.hours.clone(),
            time_zone: TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC),
            counters: config.counters.clone(),
            series: config.series.clone(),
            zones: config.audio.zones.clone(),
            speaks: config.audio.enabled,
            idle_ticker: config.board.idle_ticker.clone(),
        }
    }
}

/// The state of one screen.
#[derive(Clone, Debug)]
pub struct Board {
    rules: Rules,
}

impl Board {
    pub fn new(rules: Rules, _now: Now) -> Self {
        Self { rules }
    }

    /// Takes one input; inputs must come in the order of their time.
    pub fn apply(&mut self, _now: Now, _input: Input) -> Vec<Effect> {
        Vec::new()
    }

    /// When [`Input::Ticked`] is due next: a dwell ends, a call expires, a notice starts or ends, the hall opens.
    pub fn next_deadline(&self, _now: Now) -> Option<Millis> {
        None
    }

    /// The snapshot at `now`.
    pub fn view(&self, _now: Now) -> BoardView {
        let _ = &self.rules;
        BoardView::empty()
    }
}
