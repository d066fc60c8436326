//! How a simulated day goes: how long each part of it takes, and what goes wrong when.

use std::time::Duration;

/// How many times faster than a real hall the simulated one works: a hundred minutes of a hall, in which about a hundred
/// citizens are called, take 84 s.
pub const SPEED: f64 = 71.0;
pub const DAY: Duration = Duration::from_secs(120);
/// In which what waits at the end of a day is said.
const REST: Duration = Duration::from_secs(26);
/// Evening and midnight; the daemon's clock follows within a second.
const NIGHT: Duration = Duration::from_secs(10);
/// The shortest day: some seconds of it are left for calls.
pub const SHORTEST_S: u64 = 50;

/// Something that is done to the daemon or to what it needs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// SIGKILL; another is started a second later, as the service manager would.
    Kill,
    /// The way to the broker is cut for a while.
    Cut(Duration),
    /// Payloads that do not fit the wire contract, one of each kind.
    BadPayloads,
    /// An operator signs in, puts a notice that is also spoken, and another; both end before the evening.
    Notices,
    /// A session signs in, listens for a while, and goes without a word.
    Session,
    /// A phone asks for its page, the board's picture and the view.
    Phone,
}

impl Deed {
    /// Its line in the report.
    pub fn words(self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::Cut(_) => "way to the broker cut",
            Self::BadPayloads => "payloads that do not fit",
            Self::Notices => "notices pushed and ended",
            Self::Session => "sessions that came and went without a word",
            Self::Phone => "visits of a phone",
        }
    }
}

/// The parts of a day, from its start.
#[derive(Copy, Clone, Debug)]
pub struct Times {
    /// No citizen is called after it.
    pub calls_end: Duration,
    /// Then it is evening.
    pub evening: Duration,
    pub midnight: Duration,
    pub end: Duration,
}

impl Times {
    pub fn of(day: Duration) -> Self {
        let evening = day.saturating_sub(NIGHT);
        Self { calls_end: evening.saturating_sub(REST), evening, midnight: evening + NIGHT / 2, end: day }
    }
}

/// Most seconds that the way to the broker is cut.
const LONGEST_CUT_S: u64 = 10;

/// What happens on a day of so many, numbered from 0, each with its time from the start of the day, in their order. Every
/// second day of the first third has a kill; who is started after the last of them lives to the end, since growth needs
/// time to be seen, and bounded caches to fill.
pub fn deeds(day: usize, days: usize, length: Duration) -> Vec<(Duration, Deed)> {
    let calls = Times::of(length).calls_end;
    let at = |share: f64| calls.mul_f64(share);
    let mut deeds = vec![(at(0.15), Deed::BadPayloads), (at(0.25), Deed::Notices), (at(0.40), Deed::Phone)];
    deeds.extend((0..5).map(|n| (at(0.05 + 0.18 * f64::from(n)), Deed::Session)));
    let even = day.is_multiple_of(2);
    // A short try has a kill as well.
    if !even && day < (days / 3).max(2) {
        deeds.push((at(0.5), Deed::Kill));
    }
    if even {
        let span = Duration::from_secs(3 + day as u64 % (LONGEST_CUT_S - 2));
        deeds.push((at(0.6), Deed::Cut(span.min(length / 10))));
    }
    deeds.sort_by_key(|(at, _)| *at);
    deeds
}

/// Payloads on topics below the hall's prefix that must change nothing.
pub fn bad_payloads() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    let long = format!(
        r#"{{"id":"x","ticket":"A001","counter":"1","kind":"call","at":"2026-11-24T02:00:00Z","more":"{}"}}"#,
        "x".repeat(70_000)
    );
    vec![
        ("call", b"not json".to_vec()),
        ("call", vec![0xff, 0xfe, 0x00]),
        ("call", b"{}".to_vec()),
        ("call", br#"{"id":[],"ticket":"A001","counter":"1","kind":"call","at":"2026-11-24T02:00:00Z"}"#.to_vec()),
        (
            "call",
            br#"{"id":"x","ticket":"A0000000000000000001","counter":"1","kind":"call","at":"2026-11-24T02:00:00Z"}"#
                .to_vec(),
        ),
        ("call", br#"{"id":"x","ticket":"A001","counter":"1","kind":"shout","at":"soon"}"#.to_vec()),
        ("call", deep.into_bytes()),
        ("call", long.into_bytes()),
        ("counter/1", br#"{"state":"asleep","at":"2026-11-24T02:00:00Z"}"#.to_vec()),
        ("queue/A", br#"{"waiting":-1,"at":"2026-11-24T02:00:00Z"}"#.to_vec()),
        ("notice/soak-bad", br#"{"text":{},"level":"info","at":"2026-11-24T02:00:00Z"}"#.to_vec()),
        ("screen/sanh-1/command", br#"{"id":"x","do":"explode"}"#.to_vec()),
    ]
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::wire;

    #[test]
    fn an_hour_has_kills_in_its_first_third_and_cuts_to_the_end_and_all_of_it_before_the_calls_end() {
        let kills = |days: usize| {
            let has = |day: &usize| deeds(*day, days, DAY).iter().any(|(_, deed)| *deed == Deed::Kill);
            (0..days).filter(has).collect::<Vec<_>>()
        };
        assert_eq!(kills(30), [1, 3, 5, 7, 9]);
        assert_eq!((kills(2), kills(7)), (vec![1], vec![1]));
        let days: Vec<_> = (0..30).map(|day| deeds(day, 30, DAY)).collect();
        let cuts: Vec<Duration> = days
            .iter()
            .flatten()
            .filter_map(|(_, deed)| if let Deed::Cut(span) = deed { Some(*span) } else { None })
            .collect();
        assert_eq!(cuts.len(), 15);
        assert!(cuts.iter().all(|span| (3..=LONGEST_CUT_S).contains(&span.as_secs())), "{cuts:?}");
        let times = Times::of(DAY);
        for day in &days {
            assert!(day.is_sorted_by_key(|(at, _)| *at) && day.iter().all(|(at, _)| *at < times.calls_end));
        }
        assert!(
            times.calls_end < times.evening && times.evening < times.midnight && times.midnight < times.end
        );
    }

    #[test]
    fn none_of_the_bad_payloads_fits() {
        for (topic, payload) in bad_payloads() {
            let fits = match topic.strip_prefix("screen/") {
                Some(_) => wire::decode_command(topic, &payload).is_ok(),
                None => wire::decode(topic, &payload, &TimeZone::UTC).is_ok(),
            };
            assert!(!fits, "{topic} {}", String::from_utf8_lossy(&payload[..payload.len().min(80)]));
        }
    }
}
