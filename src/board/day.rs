//! The hall's day: which date it is there, whether the hall is open, and which reports still count today.
//!
//! Ticket numbers begin anew every morning, so a report of yesterday must never meet a citizen of today. All of this
//! runs on the wall clock in the hall's time zone; only the overtime after a call runs on the monotonic one.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::view::{ClosedReason, Phase};
use crate::clock::{Millis, Now};
use crate::config::PowerConfig;
use crate::config::hours::Hours;

/// After a call the board stays open this long, whatever the hours say: staff finish their queue after closing time.
/// A report of yesterday that is younger than this still counts, so that midnight cuts nothing off.
pub const OVERTIME: Millis = Millis::from_secs(15 * 60);

/// More than a day ahead is no skew but a wrong date.
const ABSURD: Millis = Millis::from_secs(-24 * 3600);

/// 2020-01-01: an earlier time is a clock that was never set.
const FIRST_PLAUSIBLE: i64 = 1_577_836_800;

/// Date, hours and overtime of the hall.
#[derive(Clone, Debug)]
pub struct Day {
    zone: TimeZone,
    hours: Hours,
    /// None: the panel is never dark.
    power: Option<PowerConfig>,
    date: Date,
    last_call: Option<Millis>,
}

impl Day {
    pub fn new(hours: Hours, power: Option<PowerConfig>, zone: TimeZone, now: Now) -> Self {
        let date = zone.to_datetime(now.wall).date();
        Self { zone, hours, power, date, last_call: None }
    }

    /// Goes on to the date of `now`; true when a new day has begun. A clock that was set back begins no day.
    pub fn turn(&mut self, now: Now) -> bool {
        let date = self.date_of(now.wall);
        let begun = date > self.date;
        self.date = date;
        begun
    }

    /// A fresh call was received: the hall works.
    pub fn called(&mut self, now: Now) {
        self.last_call = Some(now.mono);
    }

    /// Whether a report of `at` that arrives now is about today: of today's date, or so young that midnight has just
    /// passed. A time that cannot be true says nothing, and counts.
    pub fn counts(&self, at: Timestamp, now: Now) -> bool {
        !is_believable(at, now) || now.age_of(at) <= OVERTIME || self.is_today(at, now)
    }

    /// Whether what was reported at `at` stays when midnight passes: the work of the last minutes goes on.
    pub fn outlives_midnight(&self, at: Timestamp, now: Now) -> bool {
        is_believable(at, now) && (now.age_of(at) <= OVERTIME || self.is_today(at, now))
    }

    /// Whether `at` lies on today's date.
    pub fn is_today(&self, at: Timestamp, now: Now) -> bool {
        is_believable(at, now) && self.date_of(at) >= self.date_of(now.wall)
    }

    /// Open by the hours, or because a call came within [`OVERTIME`].
    pub fn phase(&self, now: Now) -> Phase {
        let overtime = self.last_call.is_some_and(|at| now.mono - at < OVERTIME);
        if overtime { Phase::Open } else { self.hours.phase(self.local(now.wall)) }
    }

    /// Whether nobody is expected before the panel: the hall is closed, and neither for a break nor since a short time
    /// nor until soon.
    pub fn is_dark(&self, now: Now) -> bool {
        let Some(power) = self.power else { return false };
        let Phase::Closed { reason, opens } = self.phase(now) else { return false };
        let local = self.local(now.wall);
        let opens_soon = opens.is_some_and(|o| span(local, o.date.to_datetime(o.time)) <= power.on_before);
        let closed_just_now =
            self.hours.last_closing(local).is_some_and(|at| span(at, local) < power.off_after);
        let called_just_now = self.last_call.is_some_and(|at| now.mono - at < OVERTIME + power.off_after);
        !(reason == ClosedReason::Break || opens_soon || closed_just_now || called_just_now)
    }

    /// When the overtime ends, if that closes the hall.
    pub fn overtime_end(&self, now: Now) -> Option<Millis> {
        self.last_call.map(|at| at + OVERTIME).filter(|end| *end > now.mono)
    }

    /// The next edge of the hours or midnight, later than `wall`.
    pub fn next_change(&self, wall: Timestamp) -> Option<Timestamp> {
        let change = self.hours.next_change(self.local(wall));
        self.zone.to_timestamp(change).ok().filter(|at| *at > wall)
    }

    /// The hall's date and time.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    fn date_of(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }
}

/// From one local time to a later one.
fn span(from: DateTime, to: DateTime) -> Millis {
    Millis(to.duration_since(from).as_millis().try_into().unwrap_or(i64::MAX))
}

/// A time as it can be true: later than now, or of a clock that was never set, it is taken as now.
pub fn told(at: Timestamp, now: Now) -> Timestamp {
    if is_plausible(at) { at.min(now.wall) } else { now.wall }
}

/// Whether a report of `at` may replace one of `known`: it is not older, or the known one lies so far ahead that its
/// clock was wrong, and would hide the truth for years.
pub fn may_replace(at: Timestamp, known: Timestamp, now: Now) -> bool {
    at >= known || now.age_of(known) < ABSURD
}

/// Whether `at` can be true, give or take a clock that is some minutes off.
fn is_believable(at: Timestamp, now: Now) -> bool {
    is_plausible(at) && now.age_of(at) >= ABSURD
}

/// Whether the clock that gave `at` can have been set.
pub fn is_plausible(at: Timestamp) -> bool {
    at.as_second() >= FIRST_PLAUSIBLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::view::ClosedReason;
    use crate::config::Config;

    fn at(text: &str) -> Timestamp {
        format!("{text}+07:00").parse().unwrap()
    }

    fn now(text: &str) -> Now {
        let wall = at(text);
        Now { mono: Millis(wall.as_millisecond()), wall }
    }

    fn day(text: &str) -> Day {
        Day::new(Config::default().hours, None, TimeZone::get("Asia/Ho_Chi_Minh").unwrap(), now(text))
    }

    #[test]
    fn a_day_begins_at_local_midnight_and_only_forward() {
        let mut day = day("2026-11-24T23:59");
        assert!(!day.turn(now("2026-11-24T23:59:59.9")));
        assert!(day.turn(now("2026-11-25T00:00")));
        assert!(!day.turn(now("2026-11-25T07:00")), "midnight in UTC is nothing here");
        assert!(!day.turn(now("2026-11-24T10:00")));
    }

    #[test]
    fn reports_of_yesterday_do_not_count_unless_midnight_has_just_passed() {
        let day = day("2026-11-25T00:10");
        assert!(day.counts(at("2026-11-24T23:55"), now("2026-11-25T00:10")));
        assert!(!day.counts(at("2026-11-24T23:54"), now("2026-11-25T00:10")));
        assert!(day.counts(at("2026-11-25T00:01"), now("2026-11-25T20:00")));
        assert!(day.counts(Timestamp::UNIX_EPOCH, now("2026-11-25T20:00")));
        assert!(day.counts(at("2099-01-01T00:00"), now("2026-11-25T20:00")));
    }

    #[test]
    fn only_the_work_of_the_last_minutes_outlives_midnight() {
        let day = day("2026-11-25T00:00");
        let stays = |text| day.outlives_midnight(at(text), now("2026-11-25T00:00"));
        assert!(stays("2026-11-24T23:45") && stays("2026-11-25T00:00"));
        assert!(!stays("2026-11-24T23:44") && !stays("2099-01-01T00:00"));
        assert!(!day.outlives_midnight(Timestamp::UNIX_EPOCH, now("2026-11-25T00:00")));
    }

    #[test]
    fn a_call_keeps_the_hall_open_for_a_quarter_of_an_hour() {
        let mut day = day("2026-11-24T17:05");
        let closed = |day: &Day, text| match day.phase(now(text)) {
            Phase::Open => None,
            Phase::Closed { reason, .. } => Some(reason),
        };
        assert_eq!(closed(&day, "2026-11-24T17:05"), Some(ClosedReason::AfterHours));
        day.called(now("2026-11-24T17:05"));
        assert_eq!(closed(&day, "2026-11-24T17:19:59"), None);
        assert_eq!(day.overtime_end(now("2026-11-24T17:19")), Some(now("2026-11-24T17:20").mono));
        assert_eq!(closed(&day, "2026-11-24T17:20"), Some(ClosedReason::AfterHours));
        assert_eq!(day.overtime_end(now("2026-11-24T17:20")), None);
    }

    #[test]
    fn the_panel_is_dark_only_while_nobody_is_expected_before_it() {
        use crate::config::PanelSwitch;
        let power = PowerConfig {
            panel: PanelSwitch::Black,
            on_before: Millis::from_secs(3600),
            off_after: Millis::from_secs(1800),
        };
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let mut night = Day::new(Config::default().hours, Some(power), zone, now("2026-11-24T00:30"));
        let times = ["00:30", "06:59", "07:00", "09:00", "12:15", "17:29", "17:30", "23:59"];
        let dark = times.map(|time| night.is_dark(now(&format!("2026-11-24T{time}"))));
        assert_eq!(dark, [true, true, false, false, false, false, true, true]);
        night.called(now("2026-11-24T17:20"));
        assert!(
            !night.is_dark(now("2026-11-24T18:04")),
            "the last call was {OVERTIME:?} and half an hour ago"
        );
        assert!(night.is_dark(now("2026-11-24T18:05")));
        assert!(night.is_dark(now("2026-11-29T10:00")), "Sunday");
        assert!(!day("2026-11-24T00:30").is_dark(now("2026-11-24T00:30")), "nobody asked for it");
    }

    #[test]
    fn the_next_change_is_always_later() {
        let day = day("2026-11-24T09:00");
        assert_eq!(day.next_change(at("2026-11-24T11:29:59.999999")), Some(at("2026-11-24T11:30")));
        assert_eq!(day.next_change(at("2026-11-24T11:30")), Some(at("2026-11-24T13:30")));
        assert_eq!(day.next_change(at("2026-11-24T18:00")), Some(at("2026-11-25T00:00")));
    }

    #[test]
    fn a_time_that_cannot_be_true_is_now() {
        let now = now("2026-11-24T09:00");
        assert_eq!(told(at("2026-11-24T08:59"), now), at("2026-11-24T08:59"));
        assert_eq!(told(at("2026-11-24T09:01"), now), now.wall);
        assert_eq!(told(Timestamp::UNIX_EPOCH, now), now.wall);
        assert!(!may_replace(at("2026-11-24T08:58"), at("2026-11-24T08:59"), now));
        assert!(may_replace(at("2026-11-24T08:59"), at("2026-11-24T08:59"), now));
        assert!(may_replace(at("2026-11-24T08:58"), at("2099-01-01T00:00"), now));
    }
}
