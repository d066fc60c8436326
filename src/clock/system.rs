//! The clock of the machine.

use std::time::Instant;

use jiff::Timestamp;

use super::{Clock, Millis, Now};

/// Monotonic time since the process made this value, and the wall clock beside it.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let mono = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        Now { mono: Millis(mono), wall: Timestamp::now() }
    }
}
