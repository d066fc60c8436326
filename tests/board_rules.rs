//! The rules of the board, each as it would be told to the hall's staff.

mod hall;

use hall::{
    DWELL, Hall, MAX_AGE, announcements, counter, id, notice, proofs, rules, said, ticket, wall, zone,
    zone_config,
};
use moiso::board::call::{Call, Holder, Kind, Series};
use moiso::board::input::{Effect, Form, IgnoreReason, Input, LinkTrouble, Outcome};
use moiso::board::state::{CounterMode, CounterState, Level, Notice, QueueState};
use moiso::board::view::{ClosedReason, Phase};
use moiso::board::{Rules, Tally};
use moiso::clock::{Millis, Now};

const SENTENCE: Millis = Millis(4_700);

fn ignored(effects: &[Effect]) -> Option<IgnoreReason> {
    effects.iter().find_map(|e| if let Effect::Ignore { reason } = e { Some(*reason) } else { None })
}

#[test]
fn a_call_is_everywhere_at_once() {
    let mut hall = Hall::new();
    let effects = hall.call("A012", "5");
    assert_eq!(effects[0], Effect::Show);
    assert_eq!(said(&effects), ["A012@5"]);
    assert_eq!(hall.cell("5").as_deref(), Some("A012"));
    assert_eq!((hall.spotlight(), hall.recent()), (vec!["A012".to_owned()], vec!["A012@5".to_owned()]));
    let view = hall.view();
    let cell = view.counters.iter().find(|c| c.called).unwrap();
    assert_eq!((cell.counter.as_str(), cell.called_at), ("5", Some(hall.now.mono)));
    let announcement = &announcements(&effects)[0];
    assert_eq!((announcement.repeats, announcement.form), (2, Form::Full));
    let effects = hall.end(announcement, true);
    assert_eq!(proofs(&effects), [("id-1".to_owned(), Outcome::Spoken)]);
    assert_eq!(hall.board.tally(), Tally { shown: 1, spoken: 1, expired: 0 });
}

#[test]
fn the_same_event_again_changes_nothing() {
    let mut hall = Hall::new();
    let call = hall.event(Kind::Call, "A012", "5");
    hall.give(Input::CallReceived(call.clone()));
    let before = hall.view();
    hall.wait_secs(3);
    assert_eq!(hall.give(Input::CallReceived(call)), [Effect::Ignore { reason: IgnoreReason::Duplicate }]);
    assert_eq!(hall.view(), before);
}

#[test]
fn five_counters_at_once_each_get_their_dwell() {
    let mut hall = Hall::new();
    for n in 1..=5 {
        hall.call(&format!("A{n}"), &n.to_string());
        assert_eq!(hall.cell(&n.to_string()), Some(format!("A{n}")), "on its cell at once");
    }
    assert_eq!(
        (hall.spotlight(), hall.view().spotlight_waiting),
        (["A3", "A2", "A1"].map(String::from).to_vec(), 2)
    );
    hall.wait(DWELL - Millis(1));
    assert_eq!(hall.spotlight(), ["A3", "A2", "A1"]);
    hall.wait(Millis(1));
    assert_eq!(hall.spotlight(), ["A5", "A4"]);
    hall.wait(DWELL - Millis(1));
    assert_eq!(hall.spotlight(), ["A5", "A4"]);
    hall.wait_secs(600);
    assert_eq!(hall.spotlight(), ["A5"], "the last call stays");
}

#[test]
fn a_burst_of_eleven_calls_is_all_shown_and_all_spoken() {
    let mut hall = Hall::new();
    let mut effects = Vec::new();
    for n in 1..=11 {
        effects.extend(hall.call(&format!("A{n:03}"), &n.to_string()));
    }
    assert_eq!(announcements(&effects).len(), 1, "one sentence at a time");
    assert_eq!(hall.recent().len(), 11);
    let start = hall.now.mono;
    let effects = hall.speak_all(effects, SENTENCE);
    let expected: Vec<String> = (1..=11).map(|n| format!("A{n:03}@{n}")).collect();
    assert_eq!(said(&effects), expected);
    assert!(proofs(&effects).iter().all(|(_, outcome)| *outcome == Outcome::Spoken));
    assert_eq!(hall.board.tally().spoken, 11);
    assert!(hall.now.mono - start < MAX_AGE);
    let load: Vec<_> = announcements(&effects).iter().map(|a| (a.repeats, a.form)).collect();
    assert_eq!(load[0], (2, Form::Full), "nobody waited when it was said");
    assert_eq!(load[1], (1, Form::Short), "nine are behind it");
    assert_eq!(load[10], (1, Form::Full), "full again, but it has waited too long to be repeated");
    assert_eq!(hall.board.worst_wait(hall.now), Millis::ZERO);
}

#[test]
fn what_came_too_late_comes_too_late_again_whatever_has_happened_since() {
    let mut hall = Hall::new();
    let absent = hall.event(Kind::Absent, "A012", "5");
    hall.wait_secs(1);
    hall.call("A012", "5");
    assert_eq!(ignored(&hall.give(Input::CallReceived(absent.clone()))), Some(IgnoreReason::Stale));
    hall.wait_secs(1);
    hall.call("A013", "5");
    assert_eq!(ignored(&hall.give(Input::CallReceived(absent))), Some(IgnoreReason::Duplicate));
    assert!(hall.missed().is_empty());
}

#[test]
fn a_recall_renews_the_spotlight_and_is_said_again() {
    let mut hall = Hall::new();
    let first = hall.call("A1", "1");
    hall.end(&announcements(&first)[0], true);
    hall.call("A2", "2");
    hall.wait_secs(2);
    hall.tell(Kind::Recall, "A1", "1");
    assert_eq!(
        (hall.spotlight(), hall.recent()),
        (vec!["A1".into(), "A2".into()], vec!["A1@1".into(), "A2@2".into()])
    );
}

#[test]
fn a_recall_replaces_what_still_waits_to_be_said() {
    let mut hall = Hall::new();
    let first = hall.call("B1", "2");
    hall.call("A1", "1");
    hall.call("A2", "1");
    let effects = hall.tell(Kind::Recall, "A1", "1");
    assert_eq!(proofs(&effects), [("id-2".to_owned(), Outcome::Superseded)]);
    let effects = hall.speak_all(first, SENTENCE);
    assert_eq!(said(&effects), ["B1@2", "A1@1", "A2@1"]);
    assert_eq!(proofs(&effects)[1], ("id-4".to_owned(), Outcome::Spoken));
}

#[test]
fn who_came_is_not_announced_any_more() {
    for kind in [Kind::Serving, Kind::Absent, Kind::Cancel] {
        let mut hall = Hall::new();
        let first = hall.call("B1", "2");
        hall.call("A1", "1");
        let effects = hall.tell(kind, "A1", "1");
        assert_eq!(proofs(&effects), [("id-2".to_owned(), Outcome::Superseded)]);
        assert_eq!(said(&hall.speak_all(first, SENTENCE)), ["B1@2"]);
    }
}

#[test]
fn who_did_not_come_is_listed_until_called_again() {
    let mut hall = Hall::new();
    hall.call("A1", "1");
    hall.tell(Kind::Absent, "A1", "1");
    assert_eq!((hall.missed(), hall.cell("1")), (vec!["A1".to_owned()], Some("A1".to_owned())));
    hall.wait(DWELL);
    assert_eq!(hall.spotlight(), [""; 0], "it is not asked for any more");
    hall.tell(Kind::Recall, "A1", "1");
    assert_eq!((hall.missed().len(), hall.spotlight()), (0, vec!["A1".to_owned()]));
}

#[test]
fn a_cancelled_call_leaves_no_trace() {
    let mut hall = Hall::new();
    hall.call("A1", "1");
    hall.call("B1", "2");
    hall.tell(Kind::Cancel, "A1", "1");
    assert_eq!((hall.spotlight(), hall.recent()), (vec!["B1".to_owned()], vec!["B1@2".to_owned()]));
    assert_eq!(hall.cell("1"), None);
}

#[test]
fn a_transfer_points_only_to_the_new_counter() {
    let mut hall = Hall::new();
    let first = hall.call("B1", "2");
    hall.call("A1", "1");
    let effects = hall.tell(Kind::Transfer, "A1", "3");
    assert_eq!(proofs(&effects), [("id-2".to_owned(), Outcome::Superseded)]);
    assert_eq!((hall.cell("1"), hall.cell("3")), (None, Some("A1".to_owned())));
    assert_eq!(hall.recent(), ["A1@3", "B1@2"]);
    let view = hall.view();
    let spots: Vec<_> = view.spotlight.iter().map(|s| (s.ticket.as_str(), s.counter.as_str())).collect();
    assert_eq!(spots, [("A1", "3"), ("B1", "2")]);
    assert_eq!(said(&hall.speak_all(first, SENTENCE)), ["B1@2", "A1@3"]);
}

#[test]
fn a_transfer_moves_only_the_ticket_of_its_series() {
    let mut hall = Hall::new();
    let first = hall.call("C1", "1");
    let of = |hall: &mut Hall, series: &str, kind, name| {
        let call = Call { series: Series::parse(series).ok(), ..hall.event(kind, "12", name) };
        hall.give(Input::CallReceived(call))
    };
    of(&mut hall, "A", Kind::Call, "3");
    of(&mut hall, "B", Kind::Call, "5");
    of(&mut hall, "B", Kind::Absent, "5");
    of(&mut hall, "B", Kind::Recall, "5");
    let effects = of(&mut hall, "A", Kind::Transfer, "9");
    assert_eq!(proofs(&effects), [("id-2".to_owned(), Outcome::Superseded)]);
    assert_eq!(["3", "5", "9"].map(|name| hall.cell(name)), [None, Some("12".into()), Some("12".into())]);
    assert_eq!(hall.recent(), ["12@9", "12@5", "C1@1"]);
    assert_eq!(said(&hall.speak_all(first, SENTENCE)), ["C1@1", "12@5", "12@9"]);
    of(&mut hall, "B", Kind::Absent, "5");
    of(&mut hall, "A", Kind::Recall, "9");
    assert_eq!(hall.missed(), ["12"], "the holder of the other number is still missed");
}

#[test]
fn what_the_old_counter_says_late_about_a_moved_ticket_counts_no_more() {
    for kind in [Kind::Absent, Kind::Serving] {
        let mut hall = Hall::new();
        hall.call("A1", "1");
        let late = hall.event(kind, "A1", "1");
        hall.wait_secs(1);
        hall.tell(Kind::Transfer, "A1", "3");
        assert_eq!(ignored(&hall.give(Input::CallReceived(late))), Some(IgnoreReason::Stale));
        assert_eq!((hall.missed().len(), hall.cell("1"), hall.cell("3")), (0, None, Some("A1".to_owned())));
    }
}

#[test]
fn an_old_call_after_an_outage_is_shown_and_neither_spoken_nor_put_forward() {
    let mut hall = Hall::new();
    let call = hall.event(Kind::Call, "A1", "1");
    hall.wait(MAX_AGE + Millis(1));
    let effects = hall.give(Input::CallReceived(call));
    assert_eq!(effects, [Effect::Show, Effect::Prove { call: id("id-1"), outcome: Outcome::Shown }]);
    assert_eq!(
        (hall.cell("1"), hall.recent(), hall.spotlight()),
        (Some("A1".into()), vec!["A1@1".into()], vec![])
    );
}

#[test]
fn a_wrong_clock_of_the_queue_system_hides_nothing() {
    let mut hall = Hall::new();
    let mut future = hall.event(Kind::Call, "A1", "1");
    future.at = wall("2099-01-01T00:00");
    assert_eq!(said(&hall.give(Input::CallReceived(future))), ["A1@1"]);
    assert!(hall.board.skew_ms() < 0, "the technician sees it");
    assert_eq!(hall.view().recent[0].at, hall.now.wall, "no citizen reads a time to come");
    let mut unset = hall.event(Kind::Call, "B1", "2");
    unset.at = jiff::Timestamp::UNIX_EPOCH;
    let effects = hall.give(Input::CallReceived(unset));
    assert_eq!(proofs(&effects), [("id-2".to_owned(), Outcome::Shown)]);
    assert_eq!(hall.cell("2").as_deref(), Some("B1"));
    hall.wait_secs(1);
    hall.call("A2", "1");
    assert_eq!(hall.cell("1").as_deref(), Some("A2"), "the future call does not freeze its counter");
}

/// A call whose `at` lies this many seconds back.
fn late(hall: &mut Hall, code: &str, secs: i64) -> Vec<Effect> {
    let mut call = hall.event(Kind::Call, code, "1");
    call.at = hall.now.after(Millis::from_secs(-secs)).wall;
    hall.give(Input::CallReceived(call))
}

#[test]
fn a_screen_whose_clock_is_fast_is_not_silent() {
    let mut hall = Hall::new();
    hall.wait_secs(60);
    let codes = ["A1", "A2", "A3", "A4", "A5"];
    let mut heard = Vec::new();
    for code in codes {
        let first = late(&mut hall, code, 130);
        heard.extend(said(&hall.speak_all(first, SENTENCE)));
        hall.wait_secs(30);
    }
    assert_eq!(heard, ["A3@1", "A4@1", "A5@1"], "within some minutes the clocks are known");
    hall.give(Input::LinkChanged { up: false });
    hall.wait_secs(600);
    hall.give(Input::LinkChanged { up: true });
    assert!(said(&late(&mut hall, "A6", 251)).is_empty(), "it has waited at the broker");
    assert_eq!(said(&late(&mut hall, "A7", 131)), ["A7@1"]);
}

#[test]
fn calls_that_their_sender_has_held_back_are_not_spoken() {
    let mut hall = Hall::new();
    for code in ["A1", "A2", "A3"] {
        hall.wait_secs(60);
        let first = hall.call(code, "1");
        assert_eq!(said(&hall.speak_all(first, SENTENCE)).len(), 1);
    }
    for n in 0..20 {
        assert!(said(&late(&mut hall, &format!("B{n}"), 600 - n)).is_empty());
    }
    assert_eq!(said(&hall.call("A4", "1")), ["A4@1"]);
}

#[test]
fn a_clock_that_was_never_set_silences_nobody_on_a_settled_link() {
    let mut hall = Hall::new();
    hall.wait_secs(60);
    let unset = Call { at: jiff::Timestamp::UNIX_EPOCH, ..hall.event(Kind::Call, "A1", "1") };
    assert_eq!(said(&hall.give(Input::CallReceived(unset))), ["A1@1"]);
}

#[test]
fn an_older_call_never_covers_a_newer_one() {
    let mut hall = Hall::new();
    let late = hall.event(Kind::Call, "A1", "1");
    hall.wait_secs(1);
    hall.call("A2", "1");
    let effects = hall.give(Input::CallReceived(late));
    assert_eq!(proofs(&effects), [("id-1".to_owned(), Outcome::Superseded)]);
    assert_eq!((hall.cell("1"), hall.spotlight()), (Some("A2".to_owned()), vec!["A2".to_owned()]));
    assert_eq!(hall.recent(), ["A2@1", "A1@1"], "listed by its time");
}

#[test]
fn two_systems_with_two_clocks_call_to_one_counter() {
    let mut hall = Hall::new();
    hall.wait_secs(60);
    let console = hall.call("A1", "1");
    hall.wait_secs(30);
    hall.speak_all(console, SENTENCE);
    assert_eq!(said(&late(&mut hall, "A2", 40)), ["A2@1"], "a queue system that is 40 s behind");
    assert_eq!((hall.cell("1"), hall.spotlight()), (Some("A2".to_owned()), vec!["A2".to_owned()]));
}

#[test]
fn the_state_at_the_start_is_adopted_in_silence() {
    let mut hall = Hall::new();
    let state = hall.state(CounterMode::Open, Some("A7"));
    let effects = hall.give(Input::CounterChanged { counter: counter("5"), state: state.clone() });
    assert_eq!(effects, [Effect::Show]);
    assert_eq!((hall.cell("5"), hall.spotlight().len()), (Some("A7".to_owned()), 0));
    hall.wait_secs(5);
    assert_eq!(
        hall.give(Input::CounterChanged { counter: counter("5"), state }),
        [Effect::Ignore { reason: IgnoreReason::Duplicate }]
    );
}

#[test]
fn what_an_earlier_run_has_said_is_not_said_again() {
    let mut hall = Hall::new();
    let call = hall.event(Kind::Call, "A1", "1");
    let effects = hall.give(Input::CallKept { call: call.clone(), proven: true, drawn: true });
    assert_eq!(effects, [Effect::Show]);
    assert_eq!(hall.cell("1"), Some("A1".to_owned()), "its counter shows it");
    assert!(hall.spotlight().is_empty());
    assert_eq!(ignored(&hall.give(Input::CallReceived(call))), Some(IgnoreReason::Duplicate));
}

#[test]
fn what_an_earlier_run_has_taken_and_not_said_is_said_while_it_is_young() {
    let mut hall = Hall::new();
    let (young, old) = (hall.event(Kind::Call, "A1", "1"), hall.event(Kind::Call, "B1", "2"));
    hall.wait_secs(60);
    assert_eq!(said(&hall.give(Input::CallKept { call: young, proven: false, drawn: false })), ["A1@1"]);
    hall.wait_secs(61);
    let effects = hall.give(Input::CallKept { call: old.clone(), proven: false, drawn: false });
    assert!(effects.contains(&Effect::Prove { call: old.id, outcome: Outcome::Shown }), "{effects:?}");
    assert_eq!(hall.cell("2"), Some("B1".to_owned()));
}

#[test]
fn what_an_earlier_run_has_said_and_not_drawn_is_drawn_while_it_is_young() {
    let mut hall = Hall::new();
    let (young, old) = (hall.event(Kind::Call, "A1", "1"), hall.event(Kind::Call, "B1", "2"));
    let passed = hall.event(Kind::Call, "A2", "1");
    for call in [young.clone(), passed.clone()] {
        let effects = hall.give(Input::CallKept { call, proven: true, drawn: false });
        assert_eq!(effects, [Effect::Show], "it is not said again");
    }
    assert_eq!(hall.spotlight(), ["A2", "A1"]);
    hall.wait_secs(121);
    hall.give(Input::CallKept { call: old, proven: true, drawn: false });
    assert_eq!(hall.spotlight(), ["A2"]);
    assert_eq!(hall.cell("2"), Some("B1".to_owned()));
}

#[test]
fn what_a_kill_cut_off_the_day_before_is_not_shown_again_and_its_record_is_closed() {
    let mut hall = Hall::with(rules(), "2026-11-24T16:59");
    let (call, serving) = (hall.event(Kind::Call, "A1", "1"), hall.event(Kind::Serving, "B1", "2"));
    let proven = hall.event(Kind::Call, "C1", "3");
    let mut next = Hall::with(rules(), "2026-11-25T07:59");
    let effects = next.give(Input::CallKept { call: call.clone(), proven: false, drawn: false });
    assert_eq!(effects, [Effect::Prove { call: call.id.clone(), outcome: Outcome::Shown }]);
    assert_eq!(
        ignored(&next.give(Input::CallKept { call, proven: false, drawn: false })),
        Some(IgnoreReason::Duplicate)
    );
    for (call, proven) in [(serving, false), (proven, true)] {
        assert_eq!(
            ignored(&next.give(Input::CallKept { call, proven, drawn: proven })),
            Some(IgnoreReason::Stale)
        );
    }
    assert_eq!(next.cell("1"), None);
}

#[test]
fn what_was_served_before_the_restart_is_not_called_after_it() {
    let mut hall = Hall::new();
    hall.give(Input::SoundChanged { zone: zone("sanh"), works: false });
    let (call, serving) = (hall.event(Kind::Call, "A1", "1"), hall.event(Kind::Serving, "A1", "1"));
    hall.give(Input::CallKept { call, proven: false, drawn: false });
    hall.give(Input::CallKept { call: serving, proven: false, drawn: false });
    assert!(said(&hall.give(Input::SoundChanged { zone: zone("sanh"), works: true })).is_empty());
}

#[test]
fn a_counter_that_no_config_names_is_shown() {
    let mut hall = Hall::new();
    assert_eq!(said(&hall.call("A1", "Phòng 2")), ["A1@Phòng 2"]);
    assert_eq!(hall.view().counters.last().unwrap().counter, counter("Phòng 2"));
}

#[test]
fn without_sound_calls_wait_and_expire() {
    let mut hall = Hall::new();
    hall.give(Input::SoundChanged { zone: zone("sanh"), works: false });
    assert!(said(&hall.call("A1", "1")).is_empty());
    hall.wait_secs(60);
    assert_eq!(hall.board.worst_wait(hall.now), Millis::from_secs(60));
    hall.call("A2", "2");
    let effects = hall.wait_secs(61);
    assert_eq!(proofs(&effects), [("id-1".to_owned(), Outcome::Expired)]);
    let effects = hall.give(Input::SoundChanged { zone: zone("sanh"), works: true });
    assert_eq!(said(&effects), ["A2@2"], "the young one is still said");
    assert_eq!(hall.board.tally().expired, 1);
}

#[test]
fn an_announcement_that_broke_off_is_said_again() {
    let mut hall = Hall::new();
    let effects = hall.call("A1", "1");
    hall.give(Input::SoundChanged { zone: zone("sanh"), works: false });
    assert!(proofs(&hall.end(&announcements(&effects)[0], false)).is_empty());
    hall.wait_secs(30);
    let effects = hall.give(Input::SoundChanged { zone: zone("sanh"), works: true });
    assert_eq!(said(&effects), ["A1@1"]);
}

#[test]
fn two_zones_speak_at_once_and_each_only_its_counters() {
    let mut rules = rules();
    rules.zones = vec![zone_config("east", &["1", "2"]), zone_config("west", &["3"])];
    let mut hall = Hall::with(rules, "2026-11-24T09:00");
    let east = hall.call("A1", "1");
    let west = hall.call("A3", "3");
    assert_eq!((said(&east), said(&west)), (vec!["A1@1".to_owned()], vec!["A3@3".to_owned()]));
    assert_eq!(announcements(&west)[0].zone, zone("west"));
    assert_eq!(proofs(&hall.call("A9", "9")), [("id-3".to_owned(), Outcome::Shown)], "heard in no zone");
    hall.give(Input::SoundChanged { zone: zone("west"), works: false });
    let effects = hall.call("A2", "2");
    assert_eq!(said(&hall.speak_all([east, effects].concat(), SENTENCE)), ["A1@1", "A2@2"]);
}

#[test]
fn in_quiet_hours_calls_are_shown_and_only_an_emergency_is_said() {
    let config =
        moiso::config::Config::read("[[audio.zone]]\nid = \"sanh\"\nquiet = [\"09:30-10:00\"]\n", [].into());
    let mut hall = Hall::with(Rules::of(&config.unwrap()), "2026-11-24T09:29:50");
    let first = hall.call("A1", "1");
    assert_eq!(said(&first), ["A1@1"]);
    hall.call("A2", "2");
    let effects = hall.wait_secs(75);
    assert_eq!(proofs(&effects), [("id-2".to_owned(), Outcome::Muted)], "what waited is not said later");
    assert_eq!(proofs(&hall.end(&announcements(&first)[0], true)), [("id-1".to_owned(), Outcome::Spoken)]);
    let effects = hall.call("A3", "3");
    assert!(said(&effects).is_empty() && hall.spotlight().contains(&"A3".to_owned()), "{effects:?}");
    assert_eq!(proofs(&effects), [("id-3".to_owned(), Outcome::Muted)]);
    let effects = hall.give(Input::NoticePut(notice("chay", Level::Emergency, hall.now.wall)));
    assert_eq!(announcements(&effects).len(), 1, "{effects:?}");
    hall.end(&announcements(&effects)[0], true);
    hall.give(Input::NoticeCleared { id: moiso::board::call::NoticeId::parse("chay").unwrap() });
    hall.wait_secs(30 * 60);
    assert_eq!(said(&hall.call("A4", "4")), ["A4@4"]);
}

#[test]
fn a_muted_zone_proves_it() {
    let mut hall = Hall::new();
    hall.give(Input::MuteChanged { zone: None, muted: true });
    assert!(hall.board.is_muted());
    assert_eq!(proofs(&hall.call("A1", "1")), [("id-1".to_owned(), Outcome::Muted)]);
    hall.give(Input::NoticePut(Notice { speak: true, ..notice("n", Level::Info, hall.now.wall) }));
    assert!(said(&hall.give(Input::MuteChanged { zone: Some(zone("sanh")), muted: false })).is_empty());
    assert_eq!(said(&hall.call("A2", "1")), ["A2@1"]);
}

#[test]
fn a_screen_that_does_not_speak_shows() {
    let mut rules = rules();
    rules.speaks = false;
    let mut hall = Hall::with(rules, "2026-11-24T09:00");
    assert_eq!(proofs(&hall.call("A1", "1")), [("id-1".to_owned(), Outcome::Shown)]);
    hall.give(Input::NoticePut(notice("fire", Level::Emergency, hall.now.wall)));
    assert!(hall.view().emergency.is_some());
}

#[test]
fn an_emergency_is_said_first_in_every_zone_and_cuts_nothing_off() {
    let mut rules = rules();
    rules.zones = vec![zone_config("east", &["1"]), zone_config("west", &["3"])];
    let mut hall = Hall::with(rules, "2026-11-24T09:00");
    let running = hall.call("A1", "1");
    hall.call("A2", "1");
    let fire = Notice {
        until: Some(hall.now.after(Millis::from_secs(300)).wall),
        ..notice("fire", Level::Emergency, hall.now.wall)
    };
    let effects = hall.give(Input::NoticePut(fire.clone()));
    assert_eq!(said(&effects), ["fire"]);
    assert_eq!(announcements(&effects)[0].zone, zone("west"));
    assert_eq!(said(&hall.end(&announcements(&running)[0], true)), ["fire"]);
    assert_eq!(ignored(&hall.give(Input::NoticePut(fire))), Some(IgnoreReason::Duplicate));
    assert_eq!(hall.view().emergency.unwrap().id.as_str(), "fire");
    hall.wait_secs(300);
    assert_eq!(hall.view().emergency, None);
    assert_eq!(hall.view().ticker[0].id.as_str(), "idle-1");
}

#[test]
fn a_notice_that_has_ended_before_its_turn_is_not_said() {
    let mut hall = Hall::new();
    let running = hall.call("A1", "1");
    let until = Some(hall.now.after(Millis(2000)).wall);
    hall.give(Input::NoticePut(Notice { until, ..notice("fire", Level::Emergency, hall.now.wall) }));
    hall.wait_secs(3);
    assert!(said(&hall.end(&announcements(&running)[0], true)).is_empty());
}

#[test]
fn the_hall_closes_and_opens_by_its_hours_and_stays_open_for_overtime() {
    let mut hall = Hall::with(rules(), "2026-11-24T16:59");
    let reason = |hall: &Hall| match hall.view().phase {
        Phase::Open => None,
        Phase::Closed { reason, .. } => Some(reason),
    };
    assert_eq!(reason(&hall), None);
    assert!(hall.wait_secs(60).contains(&Effect::Show), "the closed screen comes by itself");
    assert_eq!(reason(&hall), Some(ClosedReason::AfterHours));
    assert_eq!(said(&hall.call("A1", "1")), ["A1@1"], "overtime is shown and spoken");
    assert_eq!(reason(&hall), None);
    hall.wait_secs(14 * 60 + 59);
    assert_eq!(reason(&hall), None);
    hall.wait_secs(1);
    assert_eq!(reason(&hall), Some(ClosedReason::AfterHours));
    hall.wait_secs(14 * 3600 + 44 * 60 + 59);
    assert_eq!(reason(&hall), Some(ClosedReason::BeforeHours));
    hall.wait_secs(1);
    assert_eq!(reason(&hall), None, "08:00");
}

#[test]
fn a_new_day_starts_with_empty_lists() {
    let mut hall = Hall::with(rules(), "2026-11-24T16:30");
    hall.call("A2", "2");
    hall.tell(Kind::Absent, "A2", "2");
    hall.call("A1", "1");
    let [yesterdays, another] = ["A3", "A5"].map(|ticket| hall.event(Kind::Call, ticket, "3"));
    let state = hall.state(CounterMode::Closed, Some("A4"));
    hall.wait_secs(7 * 3600 + 30 * 60 - 1);
    assert_eq!((hall.recent().len(), hall.missed().len(), hall.cell("1")), (2, 1, Some("A1".to_owned())));
    assert_eq!(hall.spotlight(), ["A1"], "the last call of the day");
    hall.wait_secs(1);
    assert_eq!((hall.recent().len(), hall.missed().len(), hall.cell("1")), (0, 0, None));
    assert!(hall.spotlight().is_empty(), "nobody is called to a counter that has not opened yet");
    assert!(hall.view().counters.iter().all(|c| !c.known), "nor is it said to be ready");
    hall.give(Input::LinkChanged { up: false });
    hall.give(Input::LinkChanged { up: true });
    let effects = hall.give(Input::CallReceived(yesterdays.clone()));
    assert_eq!(
        proofs(&effects),
        [(yesterdays.id.to_string(), Outcome::Expired)],
        "it is told what became of it"
    );
    hall.give(Input::CounterChanged { counter: counter("4"), state });
    assert_eq!((hall.cell("3"), hall.cell("4")), (None, None));
    assert_eq!(ignored(&hall.give(Input::CallReceived(yesterdays))), Some(IgnoreReason::Duplicate));
    hall.wait_secs(60);
    assert_eq!(
        ignored(&hall.give(Input::CallReceived(another))),
        None,
        "a screen with a wrong date hides nothing"
    );
}

#[test]
fn midnight_cuts_nothing_off_in_a_hall_that_never_closes() {
    let mut hall = Hall::with(rules(), "2026-11-24T23:59:58");
    let late = hall.event(Kind::Call, "B1", "2");
    hall.call("A1", "1");
    hall.wait_secs(4);
    assert_eq!((hall.cell("1"), hall.spotlight()), (Some("A1".to_owned()), vec!["A1".to_owned()]));
    hall.give(Input::CallReceived(late));
    assert_eq!(hall.spotlight(), ["B1", "A1"]);
}

#[test]
fn the_queue_reports_what_was_missed_and_what_is_left() {
    let mut hall = Hall::new();
    let series = Series::parse("A").unwrap();
    let state = QueueState {
        waiting: 12,
        next: vec![ticket("A13")],
        wait_minutes: Some(40),
        missed: vec![ticket("A9"), ticket("A11")],
        slot: None,
        left_today: Some(0),
        at: hall.now.wall,
    };
    hall.give(Input::QueueChanged { series: series.clone(), state: state.clone() });
    hall.tell(Kind::Recall, "A9", "1");
    assert_eq!(hall.missed(), ["A11"]);
    let again = hall.give(Input::QueueChanged { series: series.clone(), state });
    assert_eq!(ignored(&again), Some(IgnoreReason::Duplicate));
    assert_eq!((hall.missed(), hall.view().queues[0].left_today), (vec!["A11".to_owned()], Some(0)));
    hall.wait_secs(15 * 3600);
    assert!(hall.view().queues.is_empty(), "yesterday's none left says nothing about today");
    hall.give(Input::QueueCleared { series });
}

#[test]
fn the_board_says_when_its_news_is_old() {
    let mut hall = Hall::new();
    hall.call("A1", "1");
    let news = hall.now.wall;
    hall.give(Input::LinkChanged { up: false });
    assert!(!hall.wait(Millis(9_999)).contains(&Effect::Show));
    assert_eq!(hall.wait(Millis(1)), [Effect::Show]);
    let link = hall.view().link;
    assert_eq!((link.stale, link.last_news), (true, Some(news)));
    hall.give(Input::LinkChanged { up: true });
    assert!(!hall.view().link.stale);
}

#[test]
fn a_step_of_the_wall_clock_expires_nothing() {
    let mut hall = Hall::new();
    hall.give(Input::SoundChanged { zone: zone("sanh"), works: false });
    hall.call("A1", "1");
    hall.now = Now { mono: hall.now.mono + Millis(1000), wall: wall("2026-11-24T10:30") };
    assert!(proofs(&hall.give(Input::Ticked)).is_empty());
    assert_eq!(said(&hall.give(Input::SoundChanged { zone: zone("sanh"), works: true })), ["A1@1"]);
    hall.now.wall = wall("2026-11-24T18:00");
    let due = hall.board.next_deadline(hall.now).unwrap();
    assert!(due <= hall.now.mono + Millis::from_secs(60), "the new time is noticed within a minute");
}

#[test]
fn a_screen_shows_its_name_for_a_while() {
    let mut hall = Hall::new();
    assert_eq!(hall.give(Input::IdentifyRequested), [Effect::Show]);
    assert!(hall.view().identify_until.is_some());
    hall.wait_secs(10);
    assert_eq!(hall.view().identify_until, None);
}

#[test]
fn a_holder_is_shown_only_where_the_hall_wants_it() {
    for wanted in [false, true] {
        let mut rules = rules();
        rules.show_holder = wanted;
        let mut hall = Hall::with(rules, "2026-11-24T09:00");
        let mut call = hall.event(Kind::Call, "A1", "1");
        call.holder = Holder::mask("Nguyễn Văn A").ok();
        hall.give(Input::CallReceived(call));
        assert_eq!(hall.view().spotlight[0].holder.is_some(), wanted);
    }
}

#[test]
fn the_view_is_shown_only_when_it_changed_and_its_revision_grows() {
    let mut hall = Hall::new();
    let before = hall.view().revision;
    assert!(hall.give(Input::Ticked).is_empty());
    assert!(hall.give(Input::MuteChanged { zone: None, muted: false }).is_empty());
    assert_eq!(hall.view().revision, before);
    assert!(hall.call("A1", "1").contains(&Effect::Show));
    assert_eq!(hall.view().revision, before + 1);
}

#[test]
fn a_call_with_whole_seconds_counts_after_a_state_with_fractions_of_the_same_second() {
    let mut hall = Hall::new();
    let second = jiff::Timestamp::from_second(hall.now.wall.as_second()).unwrap();
    let fraction = second + jiff::SignedDuration::from_millis(400);
    hall.now = Now { wall: second + jiff::SignedDuration::from_millis(900), ..hall.now };
    let state = CounterState { at: fraction, ..hall.state(CounterMode::Open, Some("A1")) };
    hall.give(Input::CounterChanged { counter: counter("4"), state });
    let call = Call { at: second, ..hall.event(Kind::Call, "A2", "4") };
    assert_eq!(said(&hall.give(Input::CallReceived(call))), ["A2@4"]);
    assert_eq!(hall.cell("4"), Some("A2".to_owned()));
}

#[test]
fn the_band_says_why_only_while_the_link_is_down() {
    let mut hall = Hall::new();
    let same = Input::LinkTroubled { trouble: LinkTrouble::SameClient };
    hall.give(Input::LinkChanged { up: true });
    hall.give(same.clone());
    assert_eq!(hall.view().link.trouble, None, "a link that is not stale needs no reason");
    hall.give(Input::LinkChanged { up: false });
    hall.give(same);
    hall.wait_secs(60);
    assert_eq!(hall.view().link.trouble, Some(LinkTrouble::SameClient));
    hall.give(Input::LinkChanged { up: true });
    assert_eq!(hall.view().link.trouble, None);
}
