//! The screens of a hall as their own statuses tell of them. Keeps the newest session of each, never more than
//! [`LIMIT`], and never asks anybody.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::clock::{Millis, Now};

/// Most screens that are remembered; a hall has a few.
pub const LIMIT: usize = 64;
/// A screen that runs renews its status each 5 s: three of them missed.
pub const SILENT_AFTER: Millis = Millis::from_secs(15);

/// What one status says; what an older version or a will leaves out is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScreenReport {
    pub online: bool,
    /// Grows with every start of the screen's process.
    pub session: i64,
    pub at: Timestamp,
    pub version: Option<String>,
    pub rank: Option<u32>,
    pub zones: Vec<String>,
    /// Zones where it could be heard now, were it its turn to speak.
    pub audible: Option<Vec<String>>,
    /// Zones that it speaks for.
    pub speaks: Option<Vec<String>>,
    /// Zones that it is about to speak for, unless another says that it does.
    pub next: Vec<String>,
    /// Calls that it is saying.
    pub saying: Vec<String>,
    pub frame_at: Option<Timestamp>,
    pub gpu: Option<String>,
    pub present: Option<String>,
    pub audio: Option<String>,
    pub journal: Option<String>,
    pub link: Option<String>,
    pub skew_ms: Option<i64>,
    pub backlog_s: Option<u32>,
    pub shown: Option<u64>,
    pub spoken: Option<u64>,
    pub expired: Option<u64>,
    pub rejected: Option<u64>,
}

/// One screen and when it was last heard of.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    pub report: ScreenReport,
    pub heard: Now,
}

impl Screen {
    /// It says that it runs, and yet nothing has come from it for too long.
    pub fn is_silent(&self, now: Now) -> bool {
        self.report.online && now.mono - self.heard.mono > SILENT_AFTER
    }
}

/// All screens that have been heard of, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Screens(BTreeMap<String, Screen>);

impl Screens {
    /// Takes a status; false when a newer session of that screen is known, or too many screens are. A screen whose clock
    /// was set back at its restart has a lower session, and counts once the newer one is gone.
    pub fn take(&mut self, name: &str, report: ScreenReport, now: Now) -> bool {
        let is_newer = |known: &Screen| known.report.session > report.session;
        let is_gone = |known: &Screen| !known.report.online || known.is_silent(now);
        if self.0.get(name).is_some_and(|known| is_newer(known) && !(report.online && is_gone(known))) {
            return false;
        }
        if !self.0.contains_key(name) && self.0.len() >= LIMIT && !self.forget_one() {
            return false;
        }
        self.0.insert(name.to_owned(), Screen { report, heard: now });
        true
    }

    /// Somebody has taken a screen out of service: its retained status is gone.
    pub fn clear(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Screen)> {
        self.0.iter().map(|(name, screen)| (name.as_str(), screen))
    }

    /// Makes room at the cost of the screen that has been off for longest.
    fn forget_one(&mut self) -> bool {
        let off = self.0.iter().filter(|(_, screen)| !screen.report.online);
        let oldest = off.min_by_key(|(_, screen)| screen.heard.mono).map(|(name, _)| name.clone());
        oldest.is_some_and(|name| self.0.remove(&name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { mono: Millis::ZERO, wall: Timestamp::UNIX_EPOCH };

    fn report(session: i64, online: bool) -> ScreenReport {
        ScreenReport { online, session, ..ScreenReport::default() }
    }

    fn is_online(screens: &Screens, name: &str) -> Option<bool> {
        screens.iter().find(|(n, _)| *n == name).map(|(_, screen)| screen.report.online)
    }

    #[test]
    fn the_will_of_an_older_session_does_not_put_out_a_screen_that_runs_again() {
        let mut screens = Screens::default();
        assert!(screens.take("sanh-1", report(7, true), NOW));
        assert!(screens.take("sanh-1", report(9, true), NOW));
        assert!(!screens.take("sanh-1", report(7, false), NOW), "the will of before");
        assert_eq!(is_online(&screens, "sanh-1"), Some(true));
        assert!(screens.take("sanh-1", report(9, false), NOW), "its own will counts");
        assert_eq!(is_online(&screens, "sanh-1"), Some(false));
        assert!(screens.clear("sanh-1") && !screens.clear("sanh-1"));
    }

    #[test]
    fn a_screen_that_says_nothing_any_more_is_silent() {
        let mut screens = Screens::default();
        screens.take("sanh-1", report(1, true), NOW);
        screens.take("sanh-2", report(1, false), NOW);
        let silent = |at: Now| -> Vec<bool> { screens.iter().map(|(_, s)| s.is_silent(at)).collect() };
        assert_eq!(silent(NOW.after(SILENT_AFTER)), [false, false]);
        assert_eq!(silent(NOW.after(SILENT_AFTER + Millis(1))), [true, false], "who is off is not silent");
    }

    #[test]
    fn a_screen_that_started_with_a_wrong_date_is_heard_once_its_earlier_self_is_gone() {
        let mut screens = Screens::default();
        screens.take("sanh-1", report(9, true), NOW);
        assert!(!screens.take("sanh-1", report(2, true), NOW.after(SILENT_AFTER)));
        assert!(screens.take("sanh-1", report(2, true), NOW.after(SILENT_AFTER + Millis(1))));
        screens.take("sanh-1", report(9, false), NOW);
        assert!(!screens.take("sanh-1", report(2, false), NOW), "an old will says nothing");
        assert!(screens.take("sanh-1", report(2, true), NOW));
    }

    #[test]
    fn strangers_do_not_grow_the_memory_and_do_not_push_out_who_runs() {
        let mut screens = Screens::default();
        for n in 0..LIMIT {
            assert!(screens.take(&format!("s{n}"), report(1, n > 0), NOW));
        }
        assert!(screens.take("new", report(1, true), NOW), "the place of the one that is off");
        assert_eq!(is_online(&screens, "s0"), None);
        assert!(!screens.take("one more", report(1, true), NOW));
        assert_eq!(screens.iter().count(), LIMIT);
    }
}
