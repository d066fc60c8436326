//! The link to the queue system as citizens and technicians need to know it: is its news fresh, and does its clock
//! agree with this screen's. It never opens or closes anything.
//!
//! A hall without the internet has clocks that nobody sets. Whether a call is young is therefore not a matter of this
//! screen's clock alone: what all events of more than a minute seem to be late by is no delay but the clocks' difference.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::day::is_plausible;
use super::input::LinkTrouble;
use super::view::LinkView;
use crate::clock::{Millis, Now};

/// A link that has been up this long has delivered its backlog: what comes now is live.
const SETTLED: Millis = Millis::from_secs(60);
/// Odd, so that the median is a sample; nine calls are a few minutes of a hall.
const SAMPLES: usize = 9;
/// Events must agree about the clocks for this long: what a sender has held back comes within seconds.
const STRETCH: Millis = Millis::from_secs(60);
/// Fewer events in a stretch, and one after it, show no rule.
const EVENTS: u32 = 2;

/// Clocks that differ by more are told on the glass, in steps of as much (BOARD rule of truth).
const SKEW_MAX: Millis = Millis::from_secs(5);
/// Calls that must have said how late they were until that is told: one wrong time is no wrong clock.
const TELLING: usize = 3;

/// Freshness and skew.
#[derive(Clone, Debug)]
pub struct Link {
    stale_after: Millis,
    up: bool,
    since: Millis,
    last_news: Option<Timestamp>,
    /// Of the link that is down.
    trouble: Option<LinkTrouble>,
    skews: VecDeque<i64>,
    /// The last stretch that is over.
    before: Option<Stretch>,
    current: Option<Stretch>,
}

/// At least [`STRETCH`] of time with at least [`EVENTS`], and the least that these were late by.
#[derive(Copy, Clone, Debug)]
struct Stretch {
    since: Millis,
    events: u32,
    least: Millis,
}

impl Link {
    /// A link that has been down since the start.
    pub fn new(stale_after: Millis, now: Now) -> Self {
        let (skews, before, current) = (VecDeque::new(), None, None);
        let since = now.mono;
        Self { stale_after, up: false, since, last_news: None, trouble: None, skews, before, current }
    }

    pub fn changed(&mut self, up: bool, now: Now) {
        if up != self.up {
            self.up = up;
            self.since = now.mono;
        }
        if up {
            self.trouble = None;
        }
    }

    /// The link is down, and this is why.
    pub fn troubled(&mut self, trouble: LinkTrouble) {
        self.trouble = Some(trouble);
    }

    /// Something new came over the link.
    pub fn news(&mut self, now: Now) {
        self.last_news = Some(now.wall);
    }

    /// Whether what comes now is live: a link that has just come up delivers its backlog first.
    pub fn is_settled(&self, now: Now) -> bool {
        self.up && now.mono - self.since >= SETTLED
    }

    /// Compares the clocks by an event. An old event says nothing, because it may have waited at the broker; a future
    /// one always does, and so does any once the link has been up for a minute.
    pub fn compare_clocks(&mut self, at: Timestamp, fresh: Millis, now: Now) {
        let skew = now.age_of(at);
        if !is_plausible(at) || (skew > fresh && !self.is_settled(now)) {
            return;
        }
        if self.skews.len() == SAMPLES {
            self.skews.pop_front();
        }
        self.skews.push_back(skew.0);
        if self.is_settled(now) {
            self.learn(skew, now.mono);
        }
    }

    fn learn(&mut self, skew: Millis, now: Millis) {
        let mut stretch = Stretch { since: now, events: 0, least: skew };
        match self.current {
            Some(current) if now - current.since < STRETCH || current.events < EVENTS => stretch = current,
            over => self.before = over,
        }
        self.current =
            Some(Stretch { events: stretch.events + 1, least: stretch.least.min(skew), ..stretch });
    }

    /// One of the clocks was set: what was learnt about them is void.
    pub fn forget_clocks(&mut self) {
        self.skews.clear();
        (self.before, self.current) = (None, None);
    }

    /// By how much every event seems late. Only a lateness is made up for: a time to come silences nobody.
    pub fn lateness(&self) -> Millis {
        match (self.before, self.current) {
            (Some(a), Some(b)) => a.least.min(b.least).max(Millis::ZERO),
            _ => Millis::ZERO,
        }
    }

    /// How old a call is that says it was made at `at`. One of a clock that was never set is taken as new, where nothing
    /// old can come.
    pub fn age_of(&self, at: Timestamp, now: Now) -> Millis {
        if is_plausible(at) || !self.is_settled(now) {
            now.age_of(at) - self.lateness()
        } else {
            Millis::ZERO
        }
    }

    /// How far this screen's clock is ahead of the events' times, in milliseconds: the median of the last calls, which
    /// a single wrong time does not move. It includes the way from the queue system to here. 0 before the first call.
    pub fn skew_ms(&self) -> i64 {
        let mut sorted: Vec<i64> = self.skews.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    }

    pub fn view(&self, now: Now) -> LinkView {
        let stale = self.stale_at().is_some_and(|at| at <= now.mono);
        let trouble = self.trouble.filter(|_| stale);
        LinkView { stale, trouble, last_news: self.last_news, skew_s: self.shown_skew_s() }
    }

    /// The skew as citizens need it: told once several calls agree, and in steps, so that it stays as it is while the
    /// clocks do.
    fn shown_skew_s(&self) -> i64 {
        let skew = self.skew_ms();
        if self.skews.len() < TELLING || skew.abs() <= SKEW_MAX.0 {
            return 0;
        }
        let step = SKEW_MAX.0;
        (skew + step / 2).div_euclid(step) * step / 1000
    }

    /// When the link becomes stale, if nothing happens.
    pub fn next_change(&self, now: Now) -> Option<Millis> {
        self.stale_at().filter(|at| *at > now.mono)
    }

    fn stale_at(&self) -> Option<Millis> {
        (!self.up).then_some(self.since + self.stale_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Now = Now { mono: Millis::ZERO, wall: Timestamp::constant(1_800_000_000, 0) };
    const FRESH: Millis = Millis::from_secs(120);

    fn link() -> Link {
        Link::new(Millis::from_secs(10), START)
    }

    fn secs(secs: i64) -> Now {
        START.after(Millis::from_secs(secs))
    }

    #[test]
    fn a_link_is_stale_when_it_was_down_too_long_also_from_the_start() {
        let mut link = link();
        assert!(!link.view(secs(9)).stale);
        assert_eq!(link.next_change(secs(9)), Some(secs(10).mono));
        assert!(link.view(secs(10)).stale);
        assert_eq!(link.next_change(secs(10)), None);
        link.changed(true, secs(11));
        assert!(!link.view(secs(500)).stale);
        link.changed(false, secs(500));
        link.changed(false, secs(505));
        assert!(!link.view(secs(509)).stale);
        assert!(link.view(secs(510)).stale, "a second report of the same loss is no new start");
    }

    #[test]
    fn the_skew_is_the_median_of_fresh_calls() {
        let mut link = link();
        assert_eq!(link.skew_ms(), 0);
        for wrong in [7, 7, 100_000_000, 7, 8] {
            link.compare_clocks(secs(100 + wrong).wall, FRESH, secs(100));
        }
        assert_eq!(link.skew_ms(), -7000);
        for _ in 0..20 {
            link.compare_clocks(secs(97).wall, FRESH, secs(100));
        }
        assert_eq!(link.skew_ms(), 3000);
        assert_eq!(link.skews.len(), SAMPLES);
    }

    #[test]
    fn a_clock_that_differs_by_more_than_five_seconds_is_told_after_three_calls() {
        let mut link = link();
        let mut hear = |late: i64| {
            link.compare_clocks(secs(100 - late).wall, FRESH, secs(100));
            link.view(secs(100)).skew_s
        };
        assert_eq!([hear(33), hear(33), hear(34)], [0, 0, 35]);
        assert_eq!([hear(32), hear(36)], [35, 35], "it stays while the clocks do");
        for _ in 0..9 {
            hear(5);
        }
        assert_eq!(hear(5), 0);
        for _ in 0..9 {
            hear(-61);
        }
        assert_eq!(hear(-61), -60);
    }

    #[test]
    fn an_old_call_tells_about_clocks_only_on_a_settled_link() {
        let mut link = link();
        link.changed(true, secs(0));
        link.compare_clocks(START.wall, FRESH, START.after(Millis::from_secs(59)));
        link.changed(true, secs(59));
        let old = START.wall.checked_sub(jiff::SignedDuration::from_secs(1000)).unwrap();
        link.compare_clocks(old, FRESH, secs(59));
        assert_eq!(link.skew_ms(), 59_000, "it may have waited at the broker");
        link.compare_clocks(old, FRESH, secs(60));
        link.compare_clocks(old, FRESH, secs(60));
        assert_eq!(link.skew_ms(), 1_060_000);
        link.compare_clocks(Timestamp::UNIX_EPOCH, FRESH, secs(60));
        assert_eq!(link.skews.len(), 3, "a clock that was never set is not compared");
    }

    #[test]
    fn what_all_events_are_late_by_is_the_difference_of_the_clocks() {
        let mut link = link();
        link.changed(true, START);
        let mut hear = |at: i64, late: i64| {
            link.compare_clocks(secs(at - late).wall, FRESH, secs(at));
            (link.lateness().0 / 1000, link.age_of(secs(at - late).wall, secs(at)).0 / 1000)
        };
        assert_eq!(hear(59, 130), (0, 130), "it may have waited at the broker");
        assert_eq!([hear(60, 130), hear(90, 131)], [(0, 130), (0, 131)], "nor is half a minute enough");
        assert_eq!([hear(121, 130), hear(600, 132)], [(130, 0), (130, 2)]);
        assert_eq!(hear(601, 700), (130, 570), "held back by its sender");
        assert_eq!(hear(602, -50), (0, -50), "a time to come makes nothing old");
    }

    #[test]
    fn a_burst_of_old_calls_tells_nothing_about_the_clocks() {
        let mut link = link();
        link.changed(true, START);
        for late in (200..260).rev() {
            link.compare_clocks(secs(100 - late).wall, FRESH, secs(100));
        }
        assert_eq!(link.lateness(), Millis::ZERO);
        link.compare_clocks(secs(170).wall, FRESH, secs(170));
        assert_eq!(link.lateness(), Millis::ZERO);
    }
}
