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

/// Late events that come as far apart as they were made show a sender that holds nothing back: so far at least,
const PACE: Millis = Millis::from_secs(3);
/// to within this,
const PACE_WITHIN: i64 = 1000;
/// and so often in a row.
const PACES: u8 = 2;

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
    /// By how much events seem late because a clock was set, until a stretch of them has shown it.
    set_by: Millis,
    /// The last late event: when it came and when it says it was made, and how many before it kept pace.
    pace: Option<(Millis, Timestamp, u8)>,
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
        let (since, set_by, pace) = (now.mono, Millis::ZERO, None);
        let (last_news, trouble) = (None, None);
        Self { stale_after, up: false, since, last_news, trouble, skews, set_by, pace, before, current }
    }

    pub fn changed(&mut self, up: bool, now: Now) {
        if up != self.up {
            self.up = up;
            self.since = now.mono;
            self.pace = None;
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

    /// Looks whether the calls that seem too old to be said are live, and only the sender's clock is behind: what was held
    /// back comes faster than it was made.
    pub fn keep_pace(&mut self, at: Timestamp, fresh: Millis, now: Now) {
        let late = now.age_of(at);
        if !self.up || !is_plausible(at) || late - self.lateness(now) <= fresh {
            return;
        }
        let mut paces = 0;
        if let Some((came, made, before)) = self.pace {
            let (came, made) = (now.mono - came, Millis(at.as_millisecond() - made.as_millisecond()));
            if came < PACE && made < PACE {
                return;
            }
            if came >= PACE && (came - made).0.abs() <= PACE_WITHIN {
                paces = before + 1;
            }
        }
        self.pace = Some((now.mono, at, paces.min(PACES)));
        if paces >= PACES {
            // Nothing is held back: whatever waited at the broker has come.
            self.since = self.since.min(now.mono - SETTLED);
            self.set_by = late;
            self.skews.clear();
            (self.before, self.current) = (None, None);
        }
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
        self.set_by = self.set_by.min(skew);
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

    /// This screen's clock was set forward by so much, or back: all events seem later by that from now on. Whoever sets
    /// it right, or wrong, while calls come silences none of them.
    pub fn clock_set(&mut self, by: Millis) {
        self.skews.iter_mut().for_each(|skew| *skew = skew.saturating_add(by.0));
        for stretch in [&mut self.before, &mut self.current].into_iter().flatten() {
            stretch.least = stretch.least + by;
        }
        self.set_by = if self.skews.is_empty() { self.set_by + by } else { Millis(self.skew_ms()) };
    }

    /// By how much every event seems late. Only a lateness is made up for: a time to come silences nobody.
    pub fn lateness(&self, now: Now) -> Millis {
        let late = match (self.before, self.current) {
            (Some(a), Some(b)) => a.least.min(b.least),
            // A clock that was set before any event told of it may have been wrong until then, and what comes before the
            // link is settled may have waited at the broker.
            _ if self.skews.is_empty() && !self.is_settled(now) => Millis::ZERO,
            _ => self.set_by,
        };
        late.max(Millis::ZERO)
    }

    /// The time of an event as this screen's clock would have told it.
    pub fn by_this_clock(&self, at: Timestamp, now: Now) -> Timestamp {
        at.checked_add(self.lateness(now).to_duration()).unwrap_or(at)
    }

    /// How old a call is that says it was made at `at`. One of a clock that was never set is taken as new, where nothing
    /// old can come.
    pub fn age_of(&self, at: Timestamp, now: Now) -> Millis {
        if is_plausible(at) || !self.is_settled(now) {
            now.age_of(at) - self.lateness(now)
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
            (link.lateness(secs(at)).0 / 1000, link.age_of(secs(at - late).wall, secs(at)).0 / 1000)
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
        assert_eq!(link.lateness(secs(100)), Millis::ZERO);
        link.compare_clocks(secs(170).wall, FRESH, secs(170));
        assert_eq!(link.lateness(secs(170)), Millis::ZERO);
    }

    #[test]
    fn a_clock_that_is_set_while_calls_come_makes_none_of_them_old() {
        const HOUR: Millis = Millis::from_secs(3600);
        let later = |at: i64, by: Millis| Now { mono: secs(at).mono, wall: secs(at).after(by).wall };
        let mut link = link();
        link.changed(true, START);
        link.compare_clocks(secs(90).wall, FRESH, secs(91));
        link.clock_set(HOUR);
        assert_eq!(link.age_of(secs(92).wall, later(93, HOUR)), Millis(0), "less what the way took before");
        assert_eq!(link.age_of(secs(92).wall, later(300, HOUR)).0, 207_000, "it still grows old");
        assert_eq!(link.skew_ms(), 3_601_000);
        link.clock_set(Millis(-HOUR.0));
        assert_eq!(link.age_of(secs(94).wall, secs(95)), Millis(0));
        assert_eq!(
            link.age_of(secs(94).wall, later(95, Millis(-HOUR.0))).0,
            -HOUR.0,
            "nor does one set back"
        );

        // Set right: what was said from ahead is said from now.
        link.clock_set(Millis(-HOUR.0));
        link.clock_set(HOUR);
        assert_eq!(link.lateness(secs(96)), Millis(1000));
    }

    #[test]
    fn calls_that_come_as_they_are_made_are_live_though_their_clock_is_behind() {
        let mut link = link();
        link.changed(true, START);
        let mut hear = |came: i64, late: i64| {
            link.keep_pace(secs(came - late).wall, FRESH, secs(came));
            link.compare_clocks(secs(came - late).wall, FRESH, secs(came));
            link.age_of(secs(came - late).wall, secs(came)).0 / 1000
        };
        assert_eq!(
            [hear(5, 3600), hear(9, 3600), hear(10, 3600)],
            [3600, 3600, 3600],
            "the same moment is no step"
        );
        assert_eq!([hear(14, 3600), hear(19, 3601)], [0, 1]);
        assert_eq!(hear(30, 3900), 300, "its sender has held it back");
        assert_eq!([hear(40, 0), hear(44, 1)], [0, 1], "set right");
        assert_eq!(
            [hear(50, 200), hear(51, 190), hear(55, 180)],
            [200, 190, 180],
            "held back and sent in one go"
        );
        link.changed(false, secs(60));
        link.changed(true, secs(61));
        assert!(!link.is_settled(secs(62)));
    }

    #[test]
    fn nor_does_one_that_is_set_while_the_link_is_down_where_it_was_known_before() {
        const HOUR: Millis = Millis::from_secs(3600);
        let mut link = link();
        link.changed(true, START);
        link.compare_clocks(secs(9).wall, FRESH, secs(9));
        link.changed(false, secs(10));
        link.clock_set(HOUR);
        link.changed(true, secs(20));
        let now = Now { mono: secs(20).mono, wall: secs(20).after(HOUR).wall };
        link.compare_clocks(secs(19).wall, FRESH, now);
        assert_eq!(link.age_of(secs(19).wall, now), Millis(1000));
        assert_eq!(link.by_this_clock(secs(19).wall, now), secs(3619).wall);
        let waited = START.wall.checked_sub(HOUR.to_duration()).unwrap();
        assert_eq!(link.age_of(waited, now).0, 3_620_000, "it waited at the broker");
    }

    #[test]
    fn what_waited_at_the_broker_while_the_clock_was_set_is_old() {
        let mut link = link();
        link.clock_set(Millis::from_secs(3600));
        link.changed(true, START);
        let now = Now { mono: START.mono, wall: secs(3600).wall };
        assert_eq!(link.age_of(START.wall, now), Millis::from_secs(3600));
    }
}
