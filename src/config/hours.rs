//! Opening hours: which phase of the day it is, when the next one begins, and when the hall opens again.

use jiff::civil::{Date, DateTime, Time};
use unicode_normalization::UnicodeNormalization;

use super::section::Section;
use super::time_of_day;
use crate::board::view::{ClosedReason, Opening, Phase};

/// Opening hours of a week, with breaks between the spans of a day, and days off.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    /// False: the board is always open.
    pub enabled: bool,
    /// Spans from Monday to Sunday, each sorted and without overlap; the end is exclusive.
    pub week: [Vec<Span>; 7],
    pub days_off: Vec<Date>,
    /// What the closed screen says under the time of opening, a line each.
    pub advice: Vec<String>,
}

/// One span of opening, local time.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Time,
    pub to: Time,
}

/// How far ahead the next opening is looked for: a long holiday with the weekends around it.
const LOOK_AHEAD_DAYS: i32 = 30;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ADVICE: [&str; 2] = [
    "Không cần xếp hàng từ sớm. Mọi công dân đã lấy số đều được giải quyết.",
    "Lấy số trực tuyến qua ứng dụng iHanoi.",
];

impl Hours {
    /// A hall that never closes.
    pub fn always_open() -> Self {
        Self { enabled: false, week: Default::default(), days_off: Vec::new(), advice: Vec::new() }
    }

    pub(super) fn read(mut s: Section<'_, '_, '_>) -> Self {
        let workday = ["08:00-11:30", "13:30-17:00"].map(|t| span(t).expect("a valid constant"));
        let enabled = s.flag("enabled", true);
        let mut week: [Vec<Span>; 7] = Default::default();
        for (index, day) in DAYS.into_iter().enumerate() {
            let default = match index {
                0..5 => workday.to_vec(),
                5 => workday[..1].to_vec(),
                _ => Vec::new(),
            };
            let mut spans =
                s.texts(day, default, "a span such as 08:00-11:30, its end after its start", span);
            spans.sort_by_key(|span| span.from);
            if spans.windows(2).any(|pair| pair[1].from < pair[0].to) {
                s.problem(day, "the spans of a day must not overlap");
            }
            week[index] = spans;
        }
        let date = |t: &str| Date::strptime("%Y-%m-%d", t).ok();
        let days_off = s.texts("days_off", Vec::new(), "a date such as 2027-01-01", date);
        let advice =
            s.texts("advice", ADVICE.map(str::to_owned).to_vec(), "a text", |t| Some(t.nfc().collect()));
        s.finish();
        Self { enabled, week, days_off, advice }
    }

    fn spans_of(&self, date: Date) -> &[Span] {
        if self.days_off.contains(&date) {
            return &[];
        }
        &self.week[date.weekday().to_monday_zero_offset() as usize]
    }

    /// The phase at a local date and time.
    pub fn phase(&self, at: DateTime) -> Phase {
        if !self.enabled {
            return Phase::Open;
        }
        let (date, time) = (at.date(), at.time());
        let spans = self.spans_of(date);
        if spans.iter().any(|s| s.contains(time)) {
            return Phase::Open;
        }
        let reason = match (spans.first(), spans.last()) {
            (Some(first), _) if time < first.from => ClosedReason::BeforeHours,
            (Some(_), Some(last)) if time < last.from => ClosedReason::Break,
            (None, _) => ClosedReason::DayOff,
            _ => ClosedReason::AfterHours,
        };
        Phase::Closed { reason, opens: self.next_opening(at) }
    }

    fn next_opening(&self, at: DateTime) -> Option<Opening> {
        let mut date = at.date();
        for in_days in 0..=LOOK_AHEAD_DAYS {
            let later = |s: &&Span| in_days > 0 || s.from > at.time();
            if let Some(span) = self.spans_of(date).iter().find(later) {
                return Some(Opening { date, time: span.from, in_days });
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// When the hall closed last, today or the day before.
    pub fn last_closing(&self, at: DateTime) -> Option<DateTime> {
        let days = [Some(at.date()), at.date().yesterday().ok()];
        days.into_iter().flatten().find_map(|date| {
            let ends = self.spans_of(date).iter().map(|span| date.to_datetime(span.to));
            ends.filter(|end| *end <= at).max()
        })
    }

    /// The next local moment at which the phase or the date changes.
    pub fn next_change(&self, at: DateTime) -> DateTime {
        let spans = self.spans_of(at.date());
        let edges = spans.iter().flat_map(|s| [s.from, s.to]);
        let next = edges.filter(|edge| self.enabled && *edge > at.time()).min();
        match (next, at.date().tomorrow()) {
            (Some(time), _) => at.date().to_datetime(time),
            (None, Ok(tomorrow)) => tomorrow.to_datetime(Time::midnight()),
            (None, Err(_)) => at,
        }
    }
}

impl Span {
    /// A span whose end lies before its start goes over midnight.
    pub fn contains(&self, time: Time) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// `08:00-11:30`.
pub(super) fn span(text: &str) -> Option<Span> {
    span_of_any_day(text).filter(|span| span.from < span.to)
}

/// `11:30-13:30`, or `22:00-06:00` over midnight.
pub(super) fn span_of_any_day(text: &str) -> Option<Span> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (time_of_day(from.trim())?, time_of_day(to.trim())?);
    (from != to).then_some(Span { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn at(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_goes_through_its_phases() {
        let mut hours = Config::default().hours;
        hours.days_off.push("2026-11-25".parse().unwrap());
        let reason = |text: &str| match hours.phase(at(text)) {
            Phase::Open => None,
            Phase::Closed { reason, opens } => Some((reason, opens.map(|o| (o.time.to_string(), o.in_days)))),
        };
        let closed = |reason, time: &str, days| Some((reason, Some((time.to_owned(), days))));
        assert_eq!(reason("2026-11-24T04:00"), closed(ClosedReason::BeforeHours, "08:00:00", 0));
        assert_eq!(reason("2026-11-24T08:00"), None);
        assert_eq!(reason("2026-11-24T11:30"), closed(ClosedReason::Break, "13:30:00", 0));
        assert_eq!(reason("2026-11-24T17:00"), closed(ClosedReason::AfterHours, "08:00:00", 2));
        assert_eq!(reason("2026-11-25T09:00"), closed(ClosedReason::DayOff, "08:00:00", 1));
        assert_eq!(reason("2026-11-28T12:00"), closed(ClosedReason::AfterHours, "08:00:00", 2));
    }

    #[test]
    fn a_span_may_go_over_midnight_where_it_belongs_to_no_day() {
        let night = span_of_any_day("22:00-06:00").unwrap();
        let inside =
            ["21:59", "22:00", "00:00", "05:59", "06:00"].map(|t| night.contains(time_of_day(t).unwrap()));
        assert_eq!(inside, [false, true, true, true, false]);
        assert_eq!((span("22:00-06:00"), span_of_any_day("08:00-08:00")), (None, None));
    }

    #[test]
    fn the_next_change_is_an_edge_or_midnight() {
        let hours = Config::default().hours;
        assert_eq!(hours.next_change(at("2026-11-24T09:00")), at("2026-11-24T11:30"));
        assert_eq!(hours.next_change(at("2026-11-24T17:00")), at("2026-11-25T00:00"));
        assert_eq!(Hours::always_open().next_change(at("2026-11-24T09:00")), at("2026-11-25T00:00"));
    }
}
