//! What the service manager is told: that the start is complete, how the screen is, that it lives, and that it stops.
//!
//! A sign of life takes one of the hub and one of every thread of the sound since the last, and never a frame: a
//! television that sleeps must not restart the voice.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::audio;
use crate::control::HealthProbe;
use crate::health::ScreenStatus;
use crate::health::parts::PartState;

/// Signs are sought this often. The hub gives one every five seconds at least, so `WatchdogSec` must be well above that.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Other words for the same states are told this often at most: they may count seconds.
const RETELL_EVERY: Duration = Duration::from_secs(5);

/// Tells it all until dropped. Nobody need listen.
pub async fn tell(
    statuses: watch::Receiver<ScreenStatus>,
    audio: Option<audio::Handle>,
    health: HealthProbe,
) {
    let watched = sd_notify::watchdog_enabled().is_some();
    let mut beats = Beats::default();
    let (mut ready, mut told) = (false, Told::default());
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What stands there is from before the hub.
    let start = statuses.borrow().renewed;
    loop {
        tick.tick().await;
        let renewed = statuses.borrow().renewed;
        let verdict = health();
        let states = verdict.parts.iter().map(|part| part.state).collect();
        if told.is_news(states, verdict.words(), Instant::now()) {
            send(NotifyState::Status(&told.words));
        }
        if !ready && renewed > start {
            send(NotifyState::Ready);
            ready = true;
        }
        let signs = std::iter::once(renewed.0.unsigned_abs());
        let signs = signs.chain(audio.iter().flat_map(audio::Handle::beats)).collect();
        if beats.all_new(signs) && watched {
            send(NotifyState::Watchdog);
        }
    }
}

/// Says that the end is asked for.
pub fn stopping() {
    send(NotifyState::Stopping);
}

fn send(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager does not listen");
    }
}

/// What was told last of how the screen is.
#[derive(Debug, Default)]
struct Told {
    states: Vec<PartState>,
    words: String,
    at: Option<Instant>,
}

impl Told {
    fn is_news(&mut self, states: Vec<PartState>, words: String, now: Instant) -> bool {
        let long_ago = self.at.is_none_or(|at| now - at >= RETELL_EVERY);
        let news = states != self.states || (words != self.words && long_ago);
        if news {
            *self = Self { states, words, at: Some(now) };
        }
        news
    }
}

/// The last sign of each part.
#[derive(Debug, Default)]
struct Beats(Vec<u64>);

impl Beats {
    /// Whether every part has given a sign since this last was so.
    fn all_new(&mut self, signs: Vec<u64>) -> bool {
        let same = self.0.len() == signs.len();
        let new = same && self.0.iter().zip(&signs).all(|(old, new)| old != new);
        if new || !same {
            self.0 = signs;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_state_is_told_at_once_and_another_reason_after_a_while() {
        let (mut told, start) = (Told::default(), Instant::now());
        let mut tell =
            |state, words: &str, s| told.is_news(vec![state], words.into(), start + Duration::from_secs(s));
        assert!(tell(PartState::Ok, "ok", 0) && !tell(PartState::Ok, "ok", 60));
        assert!(tell(PartState::Failed, "closed", 61), "a state");
        assert!(!tell(PartState::Failed, "nothing listens", 62));
        assert!(tell(PartState::Failed, "nothing listens", 66), "why, by now");
    }

    #[test]
    fn one_part_that_hangs_is_enough_for_silence() {
        let mut beats = Beats::default();
        assert!(!beats.all_new(vec![1, 1]), "nothing is known of before");
        assert!(!beats.all_new(vec![2, 1]));
        assert!(beats.all_new(vec![2, 5]));
        assert!(!beats.all_new(vec![9, 5]) && !beats.all_new(vec![99, 5]));
        assert!(beats.all_new(vec![99, 6]));
    }
}
