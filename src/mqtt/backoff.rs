//! How long to wait before the next attempt to reach a broker. Pure: chance and durations come in as values.
//!
//! Every screen of a hall loses the broker in the same instant, so every wait is jittered; and only a link that has
//! proved stable makes the next wait short again, so that being thrown out after each connect slows down too.

use crate::clock::Millis;

/// A link that lived this long was stable.
pub const STABLE: Millis = Millis::from_secs(30);
/// Ended by the broker within this time of being accepted: another client with our id, or a broker that wants us gone.
const THROWN_OUT: Millis = Millis::from_secs(5);
/// Thrown out this often in a row is no accident.
const THROWN_OUT_TIMES: u32 = 3;
const FIRST: Millis = Millis(1000);
/// A hall's broker has some screens to serve, and a call waits for each second: no longer than this.
pub const LONGEST: Millis = Millis::from_secs(8);
/// After being refused: somebody has to mend it.
const REFUSED: Millis = Millis::from_secs(30);
/// After being thrown out, long enough for the other client to count as stable.
const CONTESTED: Millis = Millis::from_secs(120);

/// How an attempt ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// No broker answered.
    NotReached,
    /// The broker answered and refused: wrong password, not allowed. Asking more often does not help.
    Refused,
    /// The link stood for `lived`, then broke.
    Dropped { lived: Millis, by_broker: bool },
}

/// The memory of past attempts.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
    thrown_out: u32,
}

impl Backoff {
    /// Takes the end of an attempt and says how long to wait; `chance` is uniform in 0..1.
    pub fn wait_after(&mut self, ended: Ended, chance: f64) -> Millis {
        self.note(ended);
        let longest = match ended {
            _ if self.contested() => CONTESTED,
            Ended::Refused => REFUSED,
            _ => doubled(FIRST, self.failures.saturating_sub(1)).min(LONGEST),
        };
        jittered(longest, chance)
    }

    /// Whether the broker has thrown us out right after accepting us, several times in a row.
    pub fn contested(&self) -> bool {
        self.thrown_out >= THROWN_OUT_TIMES
    }

    fn note(&mut self, ended: Ended) {
        let Ended::Dropped { lived, by_broker } = ended else {
            self.failures = self.failures.saturating_add(1);
            self.thrown_out = 0;
            return;
        };
        self.failures = if lived >= STABLE { 1 } else { self.failures.saturating_add(1) };
        self.thrown_out = if by_broker && lived < THROWN_OUT { self.thrown_out.saturating_add(1) } else { 0 };
    }
}

fn doubled(first: Millis, times: u32) -> Millis {
    Millis(first.0.saturating_mul(1_i64.checked_shl(times.min(20)).unwrap_or(i64::MAX)))
}

/// From half of `longest` to all of it.
fn jittered(longest: Millis, chance: f64) -> Millis {
    let half = longest.0 / 2;
    Millis(half + (half as f64 * chance.clamp(0.0, 1.0)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROPPED: Ended = Ended::Dropped { lived: Millis::from_secs(10), by_broker: true };

    #[test]
    fn waits_double_up_to_eight_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<i64> = (0..8).map(|_| backoff.wait_after(Ended::NotReached, 1.0).0).collect();
        assert_eq!(waits, [1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000]);
    }

    #[test]
    fn every_wait_lies_between_half_and_all() {
        for chance in [0.0, 0.25, 0.999] {
            let mut backoff = Backoff::default();
            for _ in 0..40 {
                let wait = backoff.wait_after(Ended::NotReached, chance);
                assert!((Millis(500)..=LONGEST).contains(&wait), "{wait:?}");
            }
        }
    }

    #[test]
    fn only_a_stable_link_makes_the_wait_short_again() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.wait_after(Ended::NotReached, 1.0);
        }
        assert_eq!(backoff.wait_after(DROPPED, 1.0), LONGEST);
        let stable = Ended::Dropped { lived: STABLE, by_broker: true };
        assert_eq!(backoff.wait_after(stable, 1.0), Millis(1000));
    }

    #[test]
    fn a_refused_password_is_not_tried_again_soon() {
        assert_eq!(Backoff::default().wait_after(Ended::Refused, 0.0), Millis::from_secs(15));
    }

    #[test]
    fn being_thrown_out_three_times_waits_long() {
        let thrown_out = Ended::Dropped { lived: Millis(300), by_broker: true };
        let mut backoff = Backoff::default();
        backoff.wait_after(thrown_out, 0.0);
        backoff.wait_after(thrown_out, 0.0);
        assert!(!backoff.contested());
        assert_eq!(backoff.wait_after(thrown_out, 0.0), Millis::from_secs(60));
        assert!(backoff.contested());
        backoff.wait_after(DROPPED, 0.0);
        assert!(!backoff.contested());
    }

    #[test]
    fn a_link_that_we_ended_ourselves_is_no_fight() {
        let ours = Ended::Dropped { lived: Millis(300), by_broker: false };
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.wait_after(ours, 0.0);
        }
        assert!(!backoff.contested());
    }
}
