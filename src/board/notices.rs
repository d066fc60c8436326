//! Operator notices: which are on, in which order, which one takes the whole screen, and which are still to be spoken.
//!
//! Notices are retained by id. A later `at` replaces; the window `from`..`until` runs on the wall clock, because
//! operators wrote it. Lists are bounded: a new notice pushes out the least important one or is refused.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;

use super::call::{NoticeId, RecordingId, Zone};
use super::day::may_replace;
use super::input::IgnoreReason;
use super::state::{Level, Notice};
use super::view::TickerItem;
use crate::clock::{Millis, Now};

/// Most notices that are on or to come (wire contract).
pub const LIVE: usize = 50;
/// Notices that have ended are kept for a while, so that a late delivery of an older text does not bring them back.
const ENDED: usize = 50;
/// Most remembered announcements of notices.
const SAID: usize = 256;
/// Most recordings that are waited for at once; each live notice has one at most.
const AWAITED: usize = LIVE;

#[derive(Clone, Debug)]
pub struct Notices {
    /// Zones of this screen.
    zones: Vec<Zone>,
    idle: Vec<TickerItem>,
    /// In the order of the ticker.
    entries: Vec<Notice>,
    /// What was handed to the loudspeakers: once for each id and time.
    said: VecDeque<(NoticeId, Timestamp)>,
    /// Recordings that are on their way here.
    awaited: BTreeSet<RecordingId>,
}

impl Notices {
    pub fn new(zones: Vec<Zone>, idle: &[String]) -> Self {
        let idle = idle.iter().enumerate().filter_map(|(index, text)| idle_item(index, text)).collect();
        Self { zones, idle, entries: Vec::new(), said: VecDeque::new(), awaited: BTreeSet::new() }
    }

    /// Takes a notice. Of [`LIVE`] and one more, the oldest of the lowest level has to go; when that is the new one it
    /// is refused.
    pub fn put(&mut self, notice: Notice, now: Now) -> Result<(), IgnoreReason> {
        let known = self.entries.iter().find(|n| n.id == notice.id);
        if known == Some(&notice) {
            return Err(IgnoreReason::Duplicate);
        }
        if known.is_some_and(|known| !may_replace(notice.at, known.at, now)) {
            return Err(IgnoreReason::Stale);
        }
        let has_room = known.is_some_and(|known| !known.has_ended(now.wall));
        if !has_room && !notice.has_ended(now.wall) {
            self.make_room(&notice, now.wall)?;
        }
        self.entries.retain(|n| n.id != notice.id);
        self.entries.push(notice);
        self.entries.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| (a.at, &a.id).cmp(&(b.at, &b.id))));
        self.drop_ended(now.wall);
        Ok(())
    }

    fn make_room(&mut self, new: &Notice, wall: Timestamp) -> Result<(), IgnoreReason> {
        let live = self.entries.iter().filter(|n| !n.has_ended(wall));
        if live.clone().count() < LIVE {
            return Ok(());
        }
        let least = live.min_by_key(|n| (n.level, n.at)).map(|n| (n.level, n.at, n.id.clone()));
        match least {
            Some((level, at, id)) if (level, at) <= (new.level, new.at) => {
                self.entries.retain(|n| n.id != id);
                Ok(())
            }
            _ => Err(IgnoreReason::TooMany),
        }
    }

    fn drop_ended(&mut self, wall: Timestamp) {
        while self.entries.iter().filter(|n| n.has_ended(wall)).count() > ENDED {
            let oldest = self.entries.iter().filter(|n| n.has_ended(wall)).min_by_key(|n| n.at);
            let Some(id) = oldest.map(|n| n.id.clone()) else { return };
            self.entries.retain(|n| n.id != id);
        }
    }

    pub fn clear(&mut self, id: &NoticeId) {
        self.entries.retain(|n| n.id != *id);
    }

    /// A message whose sound is still on its way is said once that is here, or nobody has it.
    pub fn awaited(&mut self, recording: RecordingId, awaited: bool) {
        if !awaited {
            self.awaited.remove(&recording);
        } else if self.awaited.len() < AWAITED {
            self.awaited.insert(recording);
        }
    }

    /// Notices that are on or to come, in the order of the ticker.
    pub fn live(&self, now: Now) -> Vec<Notice> {
        self.entries.iter().filter(|n| !n.has_ended(now.wall)).cloned().collect()
    }

    pub fn is_on(&self, id: &NoticeId, at: Timestamp, now: Now) -> bool {
        self.entries.iter().any(|n| n.id == *id && n.at == at && n.is_on(now.wall))
    }

    /// What runs on the ticker; the configured lines when no notice is on.
    pub fn ticker(&self, now: Now) -> Vec<TickerItem> {
        let on: Vec<TickerItem> = self.shown(now).map(item).collect();
        if on.is_empty() { self.idle.clone() } else { on }
    }

    /// The newest emergency takes the whole screen.
    pub fn emergency(&self, now: Now) -> Option<TickerItem> {
        let emergencies = self.shown(now).filter(|n| n.level == Level::Emergency);
        emergencies.max_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id))).map(item)
    }

    fn shown(&self, now: Now) -> impl Iterator<Item = &Notice> {
        self.entries.iter().filter(move |n| n.is_on(now.wall) && self.concerns(n))
    }

    /// A notice for zones is for the screens that have one of them; a screen without zones shows all.
    fn concerns(&self, notice: &Notice) -> bool {
        notice.zones.is_empty()
            || self.zones.is_empty()
            || notice.zones.iter().any(|z| self.zones.contains(z))
    }

    /// The notices that have come on since the last time and are to be spoken, once for each id and time. A plain one
    /// must be younger than `fresh`: after a restart it was heard long ago. It may seem late by `lateness` because of
    /// its author's clock. An emergency is said in any case.
    pub fn speak(&mut self, fresh: Millis, lateness: Millis, now: Now) -> Vec<Notice> {
        let due = |n: &&Notice| {
            let age = now.age_of(n.at) - lateness;
            let age = n.from.map_or(age, |from| age.min(now.age_of(from)));
            let urgent = n.level == Level::Emergency;
            let awaited = n.recording.as_ref().is_some_and(|recording| self.awaited.contains(recording));
            // An emergency waits for no sound: without it its text is read aloud.
            let wanted = urgent || (n.speak && age <= fresh && !awaited);
            wanted && n.is_on(now.wall) && !self.said.iter().any(|(id, at)| *id == n.id && *at == n.at)
        };
        let due: Vec<Notice> = self.entries.iter().filter(due).cloned().collect();
        for notice in &due {
            self.said.push_back((notice.id.clone(), notice.at));
            if self.said.len() > SAID {
                self.said.pop_front();
            }
        }
        due
    }

    /// The next edge of a window, later than `wall`.
    pub fn next_change(&self, wall: Timestamp) -> Option<Timestamp> {
        self.entries.iter().flat_map(|n| [n.from, n.until]).flatten().filter(|at| *at > wall).min()
    }
}

fn item(notice: &Notice) -> TickerItem {
    TickerItem {
        id: notice.id.clone(),
        text: notice.text.clone(),
        text_en: notice.text_en.clone(),
        level: notice.level,
        qr: notice.qr.clone(),
        until: notice.until,
    }
}

fn idle_item(index: usize, text: &str) -> Option<TickerItem> {
    let id = NoticeId::parse(&format!("idle-{}", index + 1)).ok()?;
    Some(TickerItem { id, text: text.to_owned(), text_en: None, level: Level::Info, qr: None, until: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { mono: Millis::ZERO, wall: Timestamp::constant(1_800_000_000, 0) };
    const FRESH: Millis = Millis::from_secs(120);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    fn later(secs: i64) -> Now {
        NOW.after(Millis::from_secs(secs))
    }

    fn id(text: &str) -> NoticeId {
        NoticeId::parse(text).unwrap()
    }

    fn notice(name: &str, level: Level, secs: i64) -> Notice {
        Notice {
            id: id(name),
            text: format!("text of {name}"),
            text_en: None,
            level,
            from: None,
            until: None,
            zones: Vec::new(),
            speak: false,
            recording: None,
            qr: None,
            author: None,
            at: at(secs),
        }
    }

    fn notices() -> Notices {
        Notices::new(vec![Zone::parse("sanh").unwrap()], &["một".to_owned(), "hai".to_owned()])
    }

    fn ticker(notices: &Notices, now: Now) -> Vec<String> {
        notices.ticker(now).iter().map(|i| i.id.as_str().to_owned()).collect()
    }

    #[test]
    fn the_ticker_runs_by_level_then_age_and_else_the_idle_lines() {
        let mut list = notices();
        assert_eq!(ticker(&list, NOW), ["idle-1", "idle-2"]);
        for (name, level, secs) in [
            ("c", Level::Info, -5),
            ("a", Level::Info, -9),
            ("b", Level::Important, -1),
            ("d", Level::Emergency, 0),
        ] {
            list.put(notice(name, level, secs), NOW).unwrap();
        }
        assert_eq!(ticker(&list, NOW), ["d", "b", "a", "c"]);
        assert_eq!(list.live(NOW).len(), 4);
    }

    #[test]
    fn the_newest_emergency_takes_the_screen_until_it_ends() {
        let mut list = notices();
        list.put(notice("old", Level::Emergency, -50), NOW).unwrap();
        list.put(Notice { until: Some(at(10)), ..notice("new", Level::Emergency, -5) }, NOW).unwrap();
        assert_eq!(list.emergency(NOW).unwrap().id, id("new"));
        assert_eq!(list.next_change(NOW.wall), Some(at(10)));
        assert_eq!(list.emergency(later(10)).unwrap().id, id("old"));
        list.clear(&id("old"));
        assert_eq!(list.emergency(later(10)), None);
    }

    #[test]
    fn a_later_text_replaces_and_an_older_one_does_not_come_back() {
        let mut list = notices();
        list.put(notice("n", Level::Info, 0), NOW).unwrap();
        assert_eq!(list.put(notice("n", Level::Info, 0), NOW), Err(IgnoreReason::Duplicate));
        assert_eq!(list.put(notice("n", Level::Info, -1), NOW), Err(IgnoreReason::Stale));
        list.put(Notice { until: Some(at(2)), ..notice("n", Level::Info, 1) }, later(1)).unwrap();
        assert_eq!(ticker(&list, later(2)), ["idle-1", "idle-2"]);
        assert_eq!(list.put(notice("n", Level::Info, 0), later(3)), Err(IgnoreReason::Stale));
        assert!(list.live(later(3)).is_empty());
    }

    #[test]
    fn a_window_opens_and_closes_by_the_wall_clock() {
        let mut list = notices();
        list.put(Notice { from: Some(at(60)), until: Some(at(90)), ..notice("n", Level::Info, 0) }, NOW)
            .unwrap();
        assert_eq!(list.live(NOW).len(), 1, "the operators see what is to come");
        assert_eq!(list.next_change(NOW.wall), Some(at(60)));
        assert_eq!(ticker(&list, later(60)), ["n"]);
        assert_eq!(list.next_change(at(60)), Some(at(90)));
        assert_eq!(ticker(&list, later(90)), ["idle-1", "idle-2"]);
        assert_eq!(list.next_change(at(90)), None);
    }

    #[test]
    fn the_oldest_of_the_lowest_level_gives_way_or_is_refused() {
        let mut list = notices();
        for n in 0..LIVE as i64 {
            list.put(notice(&format!("n{n}"), Level::Important, n - 100), NOW).unwrap();
        }
        assert_eq!(list.put(notice("low", Level::Info, 0), NOW), Err(IgnoreReason::TooMany));
        list.put(notice("high", Level::Emergency, 0), NOW).unwrap();
        list.put(notice("n7", Level::Info, 0), NOW).unwrap();
        assert_eq!(list.live(NOW).len(), LIVE);
        assert!(!ticker(&list, NOW).contains(&"n0".to_owned()));
    }

    #[test]
    fn ended_notices_do_not_pile_up() {
        let mut list = notices();
        for n in 0..500 {
            let ended = Notice { until: Some(at(-1)), ..notice(&format!("n{n}"), Level::Info, n - 1000) };
            list.put(ended, NOW).unwrap();
        }
        assert_eq!(list.entries.len(), ENDED);
    }

    #[test]
    fn a_notice_for_other_zones_is_not_shown_here() {
        let mut list = notices();
        let zoned = |name: &str, zone: &str| Notice {
            zones: vec![Zone::parse(zone).unwrap()],
            ..notice(name, Level::Emergency, 0)
        };
        list.put(zoned("there", "lau-2"), NOW).unwrap();
        assert_eq!(list.emergency(NOW), None);
        list.put(zoned("here", "sanh"), NOW).unwrap();
        assert_eq!(list.emergency(NOW).unwrap().id, id("here"));
    }

    #[test]
    fn a_notice_is_spoken_once_when_it_comes_on() {
        let mut list = notices();
        let spoken = |list: &mut Notices, now| list.speak(FRESH, Millis::ZERO, now).len();
        list.put(Notice { speak: true, from: Some(at(500)), ..notice("n", Level::Info, 0) }, NOW).unwrap();
        assert_eq!(spoken(&mut list, NOW), 0);
        assert_eq!(spoken(&mut list, later(500)), 1);
        assert_eq!(spoken(&mut list, later(501)), 0);
        list.put(Notice { speak: true, ..notice("n", Level::Info, 501) }, later(501)).unwrap();
        assert_eq!(spoken(&mut list, later(501)), 1, "a new text is a new announcement");
    }

    #[test]
    fn a_message_waits_for_its_sound_and_an_emergency_does_not() {
        let mut list = notices();
        let sound = RecordingId::parse(&"5e".repeat(16)).unwrap();
        let with = |notice: Notice| Notice { speak: true, recording: Some(sound.clone()), ..notice };
        list.awaited(sound.clone(), true);
        list.put(with(notice("n", Level::Info, 0)), NOW).unwrap();
        list.put(with(notice("fire", Level::Emergency, 0)), NOW).unwrap();
        let spoken = |list: &mut Notices, now| -> Vec<NoticeId> {
            list.speak(FRESH, Millis::ZERO, now).into_iter().map(|n| n.id).collect()
        };
        assert_eq!(spoken(&mut list, NOW), [id("fire")]);
        assert_eq!(ticker(&list, NOW), ["fire", "n"], "it is read meanwhile");
        list.awaited(sound.clone(), false);
        assert_eq!(spoken(&mut list, later(2)), [id("n")]);
        assert!(spoken(&mut list, later(3)).is_empty());
        for n in 0..1000_u32 {
            list.awaited(RecordingId::parse(&format!("{n:032x}")).unwrap(), true);
        }
        assert_eq!(list.awaited.len(), AWAITED);
    }

    #[test]
    fn an_old_notice_is_not_spoken_after_a_restart_but_an_emergency_is() {
        let mut list = notices();
        list.put(Notice { speak: true, ..notice("n", Level::Important, -500) }, NOW).unwrap();
        list.put(notice("fire", Level::Emergency, -500), NOW).unwrap();
        let said: Vec<_> = list.speak(FRESH, Millis::ZERO, NOW).into_iter().map(|n| n.id).collect();
        assert_eq!(said, [id("fire")]);
    }

    #[test]
    fn notices_that_begin_again_after_their_end_need_room_too() {
        let mut list = notices();
        for n in 0..2 * LIVE as i64 {
            let name = format!("n{n}");
            list.put(Notice { until: Some(at(0)), ..notice(&name, Level::Info, -1) }, NOW).unwrap();
            list.put(notice(&name, Level::Info, n), later(n)).unwrap();
        }
        assert_eq!(list.live(later(100)).len(), LIVE);
    }
}
