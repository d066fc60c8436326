//! One zone, each rule on its own.

use proptest::prelude::*;

use super::*;
use crate::board::call::{Kind, Lane, RecordingId, Ticket};

const AGE: Millis = Millis::from_secs(120);

fn zone() -> ZoneQueue {
    ZoneQueue::new(Zone::parse("sanh").unwrap(), 2)
}

fn call(ticket: &str, counter: &str, now: i64) -> Pending {
    let message = Message::Call {
        call: CallId::parse(&format!("{ticket}@{counter}")).unwrap(),
        ticket: Ticket::parse(ticket).unwrap(),
        counter: Counter::parse(counter).unwrap(),
        kind: Kind::Call,
        lane: Lane::Regular,
        series: None,
    };
    pending(message, Some(Millis(now) + AGE), now)
}

fn notice(name: &str, emergency: bool) -> Pending {
    let id = NoticeId::parse(name).unwrap();
    pending(Message::Notice { id, text: name.to_owned(), emergency, recording: None }, None, 0)
}

fn pending(message: Message, expires: Option<Millis>, now: i64) -> Pending {
    Pending { message, version: Timestamp::UNIX_EPOCH, queued: Millis(now), expires, broken_off: 0 }
}

fn name(message: &Message) -> &str {
    match message {
        Message::Call { ticket, .. } => ticket.as_str(),
        Message::Notice { id, .. } => id.as_str(),
    }
}

/// Says everything that waits, to its end; the names in order.
fn say_all(zone: &mut ZoneQueue, now: i64) -> Vec<String> {
    let mut said = Vec::new();
    for n in 0.. {
        let Some(announcement) = zone.start(AnnouncementId(1000 + n), Millis(now)) else { break };
        said.push(name(&announcement.message).to_owned());
        zone.ended(announcement.id, true, Millis(now));
    }
    said
}

fn outcomes(proofs: impl IntoIterator<Item = Proof>) -> Vec<(String, Outcome)> {
    proofs.into_iter().map(|(id, outcome)| (id.as_str().to_owned(), outcome)).collect()
}

#[test]
fn counters_take_turns_and_each_keeps_its_order() {
    let mut zone = zone();
    for (ticket, counter) in
        [("A1", "1"), ("A2", "1"), ("A3", "1"), ("B1", "2"), ("C1", "3"), ("C2", "3"), ("B2", "2")]
    {
        zone.push(call(ticket, counter, 0));
    }
    assert_eq!(say_all(&mut zone, 0), ["A1", "B1", "C1", "A2", "B2", "C2", "A3"]);
}

#[test]
fn one_thing_is_said_at_a_time() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.push(call("B1", "2", 0));
    assert!(zone.start(AnnouncementId(1), Millis(0)).is_some());
    assert!(zone.start(AnnouncementId(2), Millis(0)).is_none());
    assert_eq!(zone.ended(AnnouncementId(9), true, Millis(1)), None, "an echo changes nothing");
    assert!(zone.start(AnnouncementId(2), Millis(1)).is_none());
    let proof = zone.ended(AnnouncementId(1), true, Millis(2));
    assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Spoken)]);
    assert!(zone.start(AnnouncementId(2), Millis(2)).is_some());
}

#[test]
fn an_emergency_goes_first_and_a_plain_notice_takes_its_turn() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.push(call("A2", "1", 0));
    zone.push(notice("plain", false));
    zone.push(notice("fire", true));
    assert_eq!(say_all(&mut zone, 0), ["fire", "A1", "plain", "A2"]);
}

#[test]
fn a_recorded_message_waits_for_everybody_and_makes_nobodys_sentence_shorter() {
    let mut zone = zone();
    let recorded = |name: &str| {
        let (id, recording) = (NoticeId::parse(name).unwrap(), RecordingId::parse(&"0a".repeat(16)).ok());
        let message = Message::Notice { id, text: name.to_owned(), emergency: false, recording };
        pending(message, Some(Millis(600_000)), 0)
    };
    zone.push(recorded("first"));
    zone.push(recorded("second"));
    zone.push(notice("plain", false));
    zone.push(call("A1", "1", 50_000));
    assert_eq!((zone.waiting(), zone.oldest()), (2, Some(Millis(0))));
    let a = zone.start(AnnouncementId(1), Millis(50_000)).unwrap();
    zone.ended(a.id, true, Millis(50_000));
    let a = zone.start(AnnouncementId(2), Millis(50_000)).unwrap();
    assert_eq!((name(&a.message), a.repeats), ("A1", 2), "nothing but messages waits");
    zone.ended(a.id, true, Millis(55_000));
    let first = zone.start(AnnouncementId(3), Millis(55_000)).unwrap();
    zone.push(call("A2", "1", 56_000));
    assert!(zone.start(AnnouncementId(4), Millis(56_000)).is_none(), "what is heard is heard to its end");
    zone.ended(first.id, false, Millis(57_000));
    assert_eq!(
        say_all(&mut zone, 60_000),
        ["A2", "first", "second"],
        "what broke off is heard again, in its place"
    );
    zone.push(recorded("late"));
    assert_eq!(zone.next_change(), Some(Millis(600_001)));
    zone.expire(Millis(600_001));
    assert_eq!(zone.next_change(), None);
}

#[test]
fn sentences_get_shorter_under_load_so_that_eleven_calls_are_said_within_a_minute() {
    let mut zone = zone();
    let (mut now, mut said) = (0, Vec::new());
    zone.push(call("A0", "0", now));
    while let Some(a) = zone.start(AnnouncementId(1), Millis(now)) {
        if now == 0 {
            (1..11).for_each(|n| drop(zone.push(call(&format!("A{n}"), &n.to_string(), 0))));
        }
        said.push((a.repeats, a.form));
        now += if a.form == Form::Short { 4_000 } else { 5_800 * i64::from(a.repeats) };
        zone.ended(a.id, true, Millis(now));
    }
    let (calm, once, short) = ((2, Form::Full), (1, Form::Full), (1, Form::Short));
    assert_eq!(said, [vec![calm], vec![short; 9], vec![once; 1]].concat());
    assert!(now <= 60_000, "{now} ms");
}

#[test]
fn a_few_calls_are_repeated_as_long_as_none_waits_for_it() {
    let mut zone = zone();
    for n in 0..3 {
        zone.push(call(&format!("A{n}"), &n.to_string(), 0));
    }
    let mut repeats = Vec::new();
    for now in [0, 6_000, 12_000] {
        repeats.push(zone.start(AnnouncementId(1), Millis(now)).unwrap().repeats);
        zone.ended(AnnouncementId(1), true, Millis(now));
    }
    assert_eq!(repeats, [1, 2, 2]);
}

#[test]
fn a_recall_takes_the_place_of_the_waiting_call() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.push(call("A2", "1", 0));
    zone.push(call("B1", "2", 0));
    let again = zone.call(&Call::plain("A1", "1"), call("A1", "1", 5));
    assert_eq!(outcomes(again), [("A1@1".to_owned(), Outcome::Superseded)]);
    assert_eq!(say_all(&mut zone, 5), ["A1", "B1", "A2"]);
}

#[test]
fn what_waits_too_long_expires() {
    let mut zone = zone();
    zone.sound_changed(false);
    zone.push(call("A1", "1", 0));
    assert_eq!(zone.next_change(), Some(AGE + Millis(1)));
    assert!(zone.expire(AGE).is_empty());
    assert_eq!(outcomes(zone.expire(AGE + Millis(1))), [("A1@1".to_owned(), Outcome::Expired)]);
    assert_eq!((zone.waiting(), zone.next_change()), (0, None));
}

#[test]
fn an_announcement_that_broke_off_is_said_again_when_the_sound_returns() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.push(call("A2", "1", 0));
    zone.push(call("B1", "2", 0));
    zone.start(AnnouncementId(1), Millis(0));
    zone.sound_changed(false);
    assert_eq!(zone.ended(AnnouncementId(1), false, Millis(10)), None);
    assert!(zone.start(AnnouncementId(2), Millis(60_000)).is_none());
    zone.sound_changed(true);
    assert_eq!(say_all(&mut zone, 60_000), ["A1", "B1", "A2"]);
}

#[test]
fn a_sentence_that_keeps_breaking_off_does_not_hold_up_the_others() {
    let mut zone = zone();
    zone.push(call("bad", "1", 0));
    zone.push(call("B1", "2", 0));
    let mut now = 0;
    for _ in 0..2 {
        assert_eq!(name(&zone.start(AnnouncementId(1), Millis(now)).unwrap().message), "bad");
        zone.ended(AnnouncementId(1), false, Millis(now));
        assert!(zone.start(AnnouncementId(1), Millis(now)).is_none(), "not in a busy loop");
        assert_eq!(zone.next_change(), Some(Millis(now) + RETRY));
        now += RETRY.0;
    }
    assert_eq!(say_all(&mut zone, now), ["B1", "bad"]);
}

#[test]
fn what_cannot_be_said_is_given_up_while_the_sound_works() {
    let mut zone = zone();
    zone.push(notice("fire", true));
    zone.push(call("A1", "1", 0));
    let mut now = 0;
    for _ in 0..ATTEMPTS {
        assert_eq!(name(&zone.start(AnnouncementId(1), Millis(now)).unwrap().message), "fire");
        zone.ended(AnnouncementId(1), false, Millis(now));
        now += RETRY.0;
    }
    let mut proof = None;
    for _ in 0..ATTEMPTS {
        assert_eq!(name(&zone.start(AnnouncementId(1), Millis(now)).unwrap().message), "A1");
        proof = zone.ended(AnnouncementId(1), false, Millis(now));
        now += RETRY.0;
    }
    assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Expired)]);
    assert_eq!(zone.waiting(), 0);
}

#[test]
fn a_card_that_comes_and_goes_gives_up_nothing() {
    let mut zone = zone();
    zone.push(notice("fire", true));
    for _ in 0..3 * ATTEMPTS {
        zone.start(AnnouncementId(1), Millis(0)).unwrap();
        zone.sound_changed(false);
        zone.ended(AnnouncementId(1), false, Millis(0));
        zone.sound_changed(true);
    }
    assert_eq!(say_all(&mut zone, 0), ["fire"]);
}

#[test]
fn an_old_announcement_that_broke_off_expires() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.start(AnnouncementId(1), AGE);
    let proof = zone.ended(AnnouncementId(1), false, AGE + Millis(1));
    assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Expired)]);
}

#[test]
fn a_lost_end_does_not_mute_the_zone_for_ever() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.start(AnnouncementId(1), Millis(0));
    zone.started(AnnouncementId(1), Millis(500));
    assert_eq!(zone.next_change(), Some(Millis(500) + SPEECH_LIMIT));
    let proofs = zone.expire(Millis(500) + SPEECH_LIMIT);
    assert_eq!(outcomes(proofs), [("A1@1".to_owned(), Outcome::Expired)]);
    zone.push(call("A2", "1", 200_000));
    assert_eq!(say_all(&mut zone, 200_000), ["A2"]);
}

#[test]
fn a_withdrawn_call_is_not_said_nor_taken_back() {
    let mut zone = zone();
    let a1 = Call::plain("A1", "1");
    zone.push(call("A1", "1", 0));
    zone.start(AnnouncementId(1), Millis(0));
    zone.push(call("A1", "2", 0));
    let proofs = zone.withdraw(&a1, |counter| counter.as_str() == "2");
    assert_eq!(outcomes(proofs), [("A1@2".to_owned(), Outcome::Superseded)]);
    assert!(zone.withdraw(&a1, |_| true).is_empty(), "it is being said");
    let proof = zone.ended(AnnouncementId(1), false, Millis(5));
    assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Superseded)]);
    assert_eq!(zone.waiting(), 0);
}

#[test]
fn a_muted_zone_says_nothing_and_does_not_catch_up() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.start(AnnouncementId(1), Millis(0));
    zone.push(call("A2", "1", 0));
    zone.push(notice("plain", false));
    zone.push(notice("fire", true));
    assert_eq!(outcomes(zone.mute(true)), [("A2@1".to_owned(), Outcome::Muted)]);
    let proof = zone.ended(AnnouncementId(1), true, Millis(5));
    assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Muted)]);
    assert!(zone.start(AnnouncementId(2), Millis(5)).is_none());
    zone.mute(false);
    assert_eq!(say_all(&mut zone, 6), ["fire"], "an emergency that is still on is said");
}

#[test]
fn the_queue_is_bounded_and_the_oldest_call_gives_way() {
    let mut zone = zone();
    zone.sound_changed(false);
    for n in 0..WAITING as i64 {
        assert_eq!(zone.push(call(&format!("A{n}"), &(n % 7).to_string(), n)), None);
    }
    let dropped = zone.push(call("new", "3", 9999));
    assert_eq!(outcomes(dropped), [("A0@0".to_owned(), Outcome::Expired)]);
    assert_eq!((zone.waiting(), zone.oldest()), (WAITING, Some(Millis(1))));
}

#[test]
fn a_sentence_that_breaks_off_in_quiet_hours_is_not_kept() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.start(AnnouncementId(1), Millis(0)).unwrap();
    assert!(zone.set_quiet(true).is_empty(), "it is said to its end");
    let proof = zone.ended(AnnouncementId(1), false, Millis(5));
    assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Muted)]);
    assert_eq!((zone.waiting(), zone.next_change()), (0, None), "and nothing is due");
}

proptest! {
    /// Counters take turns: the n-th call of a counter is said within n rounds, however many calls others have.
    #[test]
    fn no_counter_starves_and_each_keeps_its_order(counters in prop::collection::vec(0..12_u8, 1..60)) {
        let mut zone = zone();
        for (n, counter) in counters.iter().enumerate() {
            zone.push(call(&format!("A{n:03}"), &counter.to_string(), 0));
        }
        let said: Vec<usize> = say_all(&mut zone, 0).iter().map(|t| t[1..].parse().unwrap()).collect();
        prop_assert_eq!(said.len(), counters.len(), "all are said, each once");
        let lanes = counters.iter().collect::<std::collections::BTreeSet<_>>().len();
        for counter in 0..12 {
            let own: Vec<usize> = said.iter().copied().filter(|n| counters[*n] == counter).collect();
            prop_assert!(own.is_sorted(), "counter {}: {:?}", counter, own);
            for (round, call) in own.iter().enumerate() {
                let place = said.iter().position(|n| n == call).unwrap();
                prop_assert!(place < (round + 1) * lanes, "call {} of counter {} at {}", round, counter, place);
            }
        }
    }

    /// n calls within the first sentence are said within the greater of 61 s and 12 s + 4 s for each of them, when a
    /// sentence takes 5.8 s and its short form 4 s.
    #[test]
    fn the_longest_wait_is_bounded(calls in 1..25_usize) {
        let (mut zone, mut now) = (zone(), 0);
        zone.push(call("A000", "0", 0));
        while let Some(a) = zone.start(AnnouncementId(1), Millis(now)) {
            if now == 0 {
                for n in 1..calls {
                    zone.push(call(&format!("A{n:03}"), &(n % 11).to_string(), 0));
                }
            }
            now += if a.form == Form::Short { 4_000 } else { 5_800 * i64::from(a.repeats) };
            zone.ended(a.id, true, Millis(now));
        }
        prop_assert!(now <= 61_000.max(12_000 + 4_000 * calls as i64), "{} calls take {} ms", calls, now);
    }
}

#[test]
fn a_screen_whose_turn_it_is_not_waits_and_says_what_is_running_to_its_end() {
    let mut zone = zone();
    zone.push(call("A1", "1", 0));
    zone.push(call("B1", "2", 0));
    zone.start(AnnouncementId(1), Millis(0)).unwrap();
    zone.voice_changed(false, true);
    assert!(zone.sound().busy);
    assert_eq!(
        outcomes(zone.ended(AnnouncementId(1), true, Millis(1))),
        [("A1@1".to_owned(), Outcome::Spoken)]
    );
    assert_eq!(zone.start(AnnouncementId(2), Millis(1)), None);
    zone.voice_changed(true, true);
    assert!(zone.start(AnnouncementId(2), Millis(2)).is_some());
    zone.voice_changed(false, true);
    assert_eq!(zone.ended(AnnouncementId(2), false, Millis(3)), None, "it waits for its turn again");
    assert_eq!(zone.next_change(), Some(AGE + Millis(1)), "there is no attempt to come");
}

#[test]
fn a_muted_zone_that_others_share_keeps_its_calls_until_one_has_said_them() {
    let id = |text: &str| CallId::parse(text).unwrap();
    let mut zone = zone();
    zone.voice_changed(true, true);
    zone.push(call("A1", "1", 0));
    zone.push(call("B1", "2", 0));
    zone.push(call("C1", "3", 0));
    zone.push(notice("plain", false));
    zone.start(AnnouncementId(1), Millis(0)).unwrap();
    assert_eq!(zone.mute(true), [], "the others may say them");
    assert!(!zone.is_silent(), "nor is the next call given up");
    assert_eq!(zone.ended(AnnouncementId(1), true, Millis(1)), None, "nobody has heard it");
    assert_eq!(zone.start(AnnouncementId(2), Millis(1)), None);
    let said = zone.spoken_elsewhere(&id("B1@2"));
    assert_eq!(outcomes(said), [("B1@2".to_owned(), Outcome::OtherScreen)]);
    zone.mute(false);
    assert_eq!(say_all(&mut zone, 10_000), ["A1", "C1"], "and no notice a second time");
    zone.push(call("D1", "1", 20_000));
    zone.mute(true);
    assert_eq!(outcomes(zone.expire(Millis(20_001) + AGE)), [("D1@1".to_owned(), Outcome::Muted)]);
    zone.voice_changed(false, false);
    assert!(zone.is_silent(), "nobody else is there");
}

#[test]
fn what_a_technician_stopped_is_not_given_up_for_that() {
    let mut zone = zone();
    zone.voice_changed(true, true);
    zone.push(call("A1", "1", 0));
    zone.push(call("B1", "2", 0));
    for n in 0..2 * u64::from(ATTEMPTS) {
        assert_eq!(
            name(&zone.start(AnnouncementId(n), Millis(0)).unwrap().message),
            "A1",
            "it is next again"
        );
        zone.mute(true);
        assert_eq!(zone.ended(AnnouncementId(n), false, Millis(0)), None);
        zone.mute(false);
    }
    assert_eq!(say_all(&mut zone, 0), ["A1", "B1"]);
}

#[test]
fn what_a_technician_stopped_does_not_wait_through_the_quiet_hours() {
    let mut zone = zone();
    zone.voice_changed(true, true);
    zone.push(call("A1", "1", 0));
    zone.start(AnnouncementId(1), Millis(0)).unwrap();
    zone.set_quiet(true);
    zone.mute(true);
    let proof = zone.ended(AnnouncementId(1), false, Millis(1));
    assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Muted)]);
    assert_eq!(zone.waiting(), 0);
}

#[test]
fn an_emergency_that_a_technician_stopped_is_said_again_while_it_is_on() {
    let mut zone = zone();
    for withdrawn in [false, true] {
        zone.push(notice("fire", true));
        zone.start(AnnouncementId(1), Millis(0)).unwrap();
        zone.mute(true);
        zone.keep_notices(|_, _| !withdrawn);
        assert_eq!(zone.ended(AnnouncementId(1), false, Millis(1)), None);
        zone.mute(false);
        assert_eq!(say_all(&mut zone, 2), if withdrawn { vec![] } else { vec!["fire"] });
    }
}

#[test]
fn what_another_screen_has_said_is_not_said_again() {
    let id = |text: &str| CallId::parse(text).unwrap();
    let mut zone = zone();
    for (ticket, counter) in [("A1", "1"), ("B1", "2"), ("C1", "3")] {
        zone.push(call(ticket, counter, 0));
    }
    zone.start(AnnouncementId(1), Millis(0)).unwrap();
    assert_eq!(outcomes(zone.spoken_elsewhere(&id("B1@2"))), [("B1@2".to_owned(), Outcome::OtherScreen)]);
    assert!(zone.spoken_elsewhere(&id("A1@1")).is_empty(), "it is being said");
    let broken = zone.ended(AnnouncementId(1), false, Millis(1));
    assert_eq!(outcomes(broken), [("A1@1".to_owned(), Outcome::OtherScreen)]);
    assert_eq!(say_all(&mut zone, 5_000), ["C1"]);
}
