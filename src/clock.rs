//! Time as a value. Core modules receive a [`Now`] with every input and never ask for the time themselves.
//!
//! Two clocks, never mixed: ages, dwell and deadlines run on the monotonic one, because a PC in a hall boots with a
//! wrong date and NTP corrects it under load; what people read and what payloads carry runs on the wall clock.

use std::sync::Mutex;

use jiff::Timestamp;

pub mod system;

/// Milliseconds on the monotonic clock, counted from an arbitrary start; also a span of such time.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    pub const ZERO: Self = Self(0);

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1000)
    }

    pub const fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The span as a [`std::time::Duration`]; a negative span is zero.
    pub fn to_duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

impl std::ops::Add for Millis {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Millis {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// One instant, read from both clocks at once.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Now {
    pub mono: Millis,
    pub wall: Timestamp,
}

impl Now {
    /// How long ago the wall-clock time `at` was; negative when it lies in the future.
    pub fn age_of(self, at: Timestamp) -> Millis {
        Millis(self.wall.as_millisecond().saturating_sub(at.as_millisecond()))
    }

    /// The same instant, `span` later on both clocks.
    pub fn after(self, span: Millis) -> Self {
        let wall = Timestamp::from_millisecond(self.wall.as_millisecond().saturating_add(span.0));
        Self { mono: self.mono + span, wall: wall.unwrap_or(self.wall) }
    }
}

/// Where the shell reads the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Now;
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Now>);

impl ManualClock {
    pub fn at(wall: Timestamp) -> Self {
        Self(Mutex::new(Now { mono: Millis::ZERO, wall }))
    }

    /// Moves both clocks forward.
    pub fn advance(&self, span: Millis) {
        let mut now = self.0.lock().expect("no test panics while it holds the clock");
        *now = now.after(span);
    }

    /// Somebody sets the wall clock; the other runs on.
    pub fn set_wall(&self, wall: Timestamp) {
        self.0.lock().expect("no test panics while it holds the clock").wall = wall;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        *self.0.lock().expect("no test panics while it holds the clock")
    }
}
