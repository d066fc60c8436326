//! The clock of the machine.

use jiff::Timestamp;

use super::{Clock, Millis, Now};

/// Monotonic time since the process made this value, and the wall clock beside it.
#[derive(Debug)]
pub struct SystemClock {
    start: Millis,
}

impl SystemClock {
    pub fn new() -> Self {
        Self { start: uptime() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        Now { mono: uptime() - self.start, wall: Timestamp::now() }
    }
}

/// Time while the PC sleeps counts too: a call that waited when it fell asleep is old when it wakes.
#[cfg(target_os = "linux")]
fn uptime() -> Millis {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Millis(time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000))
}

#[cfg(not(target_os = "linux"))]
fn uptime() -> Millis {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    Millis(i64::try_from(START.elapsed().as_millis()).unwrap_or(i64::MAX))
}
