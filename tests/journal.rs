//! What the journal keeps, through restarts, damage and disks that do not take it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use moiso::board::call::{Call, CallId, Counter, Holder, Kind, Lane, Series, Ticket};
use moiso::board::input::Outcome;
use moiso::health::{Drawn, Frame, JournalState};
use moiso::journal::{FILE, Journal, Query, Record, Store};
use moiso::wire::Proof;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn call(id: &str, ticket: &str) -> Call {
    Call {
        id: CallId::parse(id).unwrap(),
        ticket: Ticket::parse(ticket).unwrap(),
        counter: Counter::parse("Phòng 2").unwrap(),
        kind: Kind::Call,
        at: at(0),
        seq: Some(7),
        series: Some(Series::parse("Đ").unwrap()),
        lane: Lane::Elderly,
        slot: Some(jiff::civil::time(9, 30, 0, 0)),
        holder: Some(Holder::mask("Nguyễn Văn Ất").unwrap()),
    }
}

fn proof(id: &str, outcome: Outcome) -> Record {
    let proof = Proof {
        call: CallId::parse(id).unwrap(),
        received: at(1),
        drawn: None,
        speech_from: Some(at(2)),
        speech_to: Some(at(12)),
        outcome,
        zone: None,
        again: false,
    };
    Record::Proof { proof, at: at(12) }
}

fn frame(number: u64) -> Frame {
    Frame { at: at(1), number, hash: u64::MAX - number }
}

fn open(folder: &Path) -> (Journal, Vec<moiso::journal::Kept>) {
    Journal::open(folder, 90, at(60)).unwrap()
}

/// Waits until all that was written so far is on the disk, or in memory where it has to stay.
fn settle(journal: &Journal) {
    let (done, over) = channel();
    journal.then(Box::new(move || done.send(()).unwrap()));
    over.recv_timeout(Duration::from_secs(10)).unwrap();
}

fn stories(folder: &Path, ticket: Option<&str>) -> Vec<moiso::journal::Story> {
    let query = Query {
        ticket: ticket.map(|t| Ticket::parse(t).unwrap()),
        since: at(-100),
        until: at(1000),
        limit: 100,
    };
    Store::read_only(&folder.join(FILE)).unwrap().stories(&query).unwrap()
}

#[test]
fn a_call_and_what_became_of_it_are_kept_and_its_holder_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, kept) = open(folder.path());
    assert!(kept.is_empty());
    journal.write(Record::Call { call: call("c-1", "Đ012"), received: at(1) });
    journal.write(Record::Call { call: call("c-2", "Đ013"), received: at(3) });
    journal.write(Record::Began { call: CallId::parse("c-1").unwrap(), at: at(2) });
    for number in 1..=2 {
        let call = CallId::parse("c-1").unwrap();
        journal.write(Record::Drawn(Drawn { call, frame: frame(number) }));
    }
    journal.write(proof("c-1", Outcome::Spoken));
    settle(&journal);
    let all = stories(folder.path(), None);
    assert_eq!(all.len(), 2, "newest first");
    let story = &stories(folder.path(), Some("Đ012"))[0];
    assert_eq!(story.call, Call { holder: None, ..call("c-1", "Đ012") });
    assert_eq!((story.received, story.began, story.speech_to), (at(1), Some(at(2)), Some(at(12))));
    assert_eq!((story.outcome, story.again), (Some(Outcome::Spoken), false));
    assert_eq!(story.drawn, Some(frame(1)), "the first time counts");
    assert_eq!(stories(folder.path(), Some("Đ013"))[0].drawn, None);
    journal.stop();
    let bytes = std::fs::read(folder.path().join(FILE)).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(has("Đ012") && !has("Ng***n"), "no name, not even a masked one");
}

#[test]
fn a_burst_that_comes_together_is_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    for batch in 0..16 {
        let records = (0..512).map(|n| {
            let id = format!("c-{}", batch * 512 + n);
            Record::Call { call: call(&id, "A1"), received: at(1) }
        });
        journal.write_all(records.collect());
    }
    settle(&journal);
    assert_eq!((journal.state(), journal.waiting()), (JournalState::Ok, 0));
    journal.stop();
    assert_eq!(open(folder.path()).1.len(), 16 * 512);
}

/// In a burst a call and its end are written in one go, whatever lies between and however often they come.
#[test]
fn what_comes_in_one_go_is_kept_as_if_it_had_come_one_by_one() {
    let id = |id: &str| CallId::parse(id).unwrap();
    let records = || {
        let Record::Proof { proof: again, .. } = proof("c-1", Outcome::Spoken) else { unreachable!() };
        let again = Proof { again: true, ..again };
        vec![
            Record::Call { call: call("c-1", "A1"), received: at(1) },
            Record::Call { call: call("c-2", "A2"), received: at(2) },
            Record::Began { call: id("c-1"), at: at(3) },
            proof("c-1", Outcome::Shown),
            Record::Drawn(Drawn { call: id("c-1"), frame: frame(1) }),
            Record::Proof { proof: again, at: at(13) },
            // The broker brings it once more.
            Record::Call { call: call("c-1", "A1"), received: at(14) },
            proof("c-3", Outcome::Expired),
            Record::Call { call: call("c-3", "A3"), received: at(15) },
            proof("nobody", Outcome::Expired),
        ]
    };
    let [together, apart] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (journal, _) = open(together.path());
    journal.write_all(records());
    settle(&journal);
    let all = stories(together.path(), None);
    let ends: Vec<_> = all.iter().map(|s| (s.call.id.as_str(), s.received, s.outcome, s.again)).collect();
    let [spoken, expired] = [Outcome::Spoken, Outcome::Expired].map(Some);
    let wanted = [("c-3", at(15), expired, false), ("c-2", at(2), None, false), ("c-1", at(1), spoken, true)];
    assert_eq!(ends, wanted);
    assert_eq!((all[2].began, all[2].drawn), (Some(at(3)), Some(frame(1))));
    // One by one a call comes before its end.
    let (journal, _) = open(apart.path());
    let mut records = records();
    records.swap(7, 8);
    for record in records {
        journal.write(record);
        settle(&journal);
    }
    assert_eq!(stories(apart.path(), None), all);
}

#[test]
fn a_call_that_is_kept_already_gets_the_end_that_comes_when_the_broker_brings_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    journal.write(Record::Call { call: call("c-1", "A1"), received: at(1) });
    settle(&journal);
    let again = Record::Call { call: call("c-1", "A1"), received: at(9) };
    journal.write_all(vec![again, proof("c-1", Outcome::Spoken)]);
    settle(&journal);
    let all = stories(folder.path(), None);
    assert_eq!((all.len(), all[0].received, all[0].outcome), (1, at(1), Some(Outcome::Spoken)));
}

#[test]
fn the_next_life_is_told_in_order_what_was_proven_and_what_had_begun() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    for (n, id) in ["c-1", "c-2", "c-3"].into_iter().enumerate() {
        journal.write(Record::Call { call: call(id, "A1"), received: at(n as i64) });
    }
    journal.write(proof("c-1", Outcome::Spoken));
    journal.write(Record::Began { call: CallId::parse("c-2").unwrap(), at: at(5) });
    settle(&journal);
    // As after a kill: the file was not closed.
    let (_second, kept) = open(folder.path());
    let told: Vec<_> = kept.iter().map(|k| (k.call.id.as_str(), k.began, k.proof.is_some())).collect();
    assert_eq!(told, [("c-1", false, true), ("c-2", true, false), ("c-3", false, false)]);
}

#[test]
fn what_came_while_the_clock_was_ahead_is_told_in_the_order_of_its_coming() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    for (n, id) in [(0, "c-1"), (3600, "c-2"), (20, "c-3")] {
        journal.write(Record::Call { call: call(id, "A1"), received: at(n) });
    }
    settle(&journal);
    let (_second, kept) = open(folder.path());
    assert_eq!(kept.iter().map(|k| k.call.id.as_str()).collect::<Vec<_>>(), ["c-1", "c-2", "c-3"]);
}

#[test]
fn what_is_too_old_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(folder.path(), 1, at(0)).unwrap();
    let now = Timestamp::now();
    let old = now - jiff::SignedDuration::from_hours(25);
    journal.write(Record::Call { call: call("old", "A1"), received: old });
    journal.write(Record::Call { call: call("new", "A2"), received: now });
    settle(&journal);
    let query = Query { ticket: None, since: Timestamp::UNIX_EPOCH, until: Timestamp::MAX, limit: 9 };
    let kept = || Store::read_only(&folder.path().join(FILE)).unwrap().stories(&query).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while kept().len() != 1 {
        assert!(Instant::now() < deadline, "{:?}", kept());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(kept()[0].call.id.as_str(), "new");
}

#[test]
fn a_damaged_file_is_set_aside_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), vec![7; 8192]).unwrap();
    let (journal, kept) = open(folder.path());
    assert!(kept.is_empty());
    assert_eq!(journal.state(), JournalState::Ok);
    journal.write(Record::Call { call: call("c-1", "A1"), received: at(1) });
    settle(&journal);
    assert_eq!(stories(folder.path(), None).len(), 1);
    let aside = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
    let aside = aside.filter(|name| name.to_string_lossy().starts_with("journal.db.damaged-")).count();
    assert_eq!(aside, 1, "whoever wants to look finds it");
}

#[test]
fn a_file_that_is_damaged_while_it_is_written_loses_nothing_that_comes_after() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    for n in 0..50 {
        journal.write(Record::Call { call: call(&format!("c-{n}"), "A1"), received: at(n) });
    }
    settle(&journal);
    journal.stop();
    let (journal, _) = open(folder.path());
    let file = std::fs::OpenOptions::new().write(true).open(folder.path().join(FILE)).unwrap();
    let size = file.metadata().unwrap().len();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0xEE; size as usize - 100], 100).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut n = 100;
    let found = || {
        let query = Query { ticket: None, since: at(100), until: Timestamp::MAX, limit: 1000 };
        let store = Store::read_only(&folder.path().join(FILE)).ok()?;
        store.stories(&query).ok().map(|stories| stories.len() as i64)
    };
    while found() != Some(n - 100) || n < 110 {
        assert!(Instant::now() < deadline, "{:?} of {}, {:?}", found(), n - 100, journal.state());
        if n < 110 {
            journal.write(Record::Call { call: call(&format!("c-{n}"), "A1"), received: at(n) });
            n += 1;
        }
        settle(&journal);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_disk_that_does_not_take_it_stops_nothing_and_gets_all_of_it_later() {
    let folder = tempfile::tempdir().unwrap();
    // A folder in the place of the file cannot be written, not even by root.
    std::fs::create_dir(folder.path().join(FILE)).unwrap();
    let (journal, _) = open(folder.path());
    journal.write(Record::Call { call: call("c-1", "A1"), received: at(1) });
    settle(&journal);
    assert!(matches!(journal.state(), JournalState::Degraded(why) if why.contains(FILE)));
    std::fs::remove_dir(folder.path().join(FILE)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while journal.state() != JournalState::Ok {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(100));
    }
    settle(&journal);
    assert_eq!(stories(folder.path(), None).len(), 1, "what came meanwhile is there");
}

#[test]
fn a_file_that_cannot_be_written_at_the_start_tells_what_it_knows_and_gets_the_rest_later() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    journal.write(Record::Call { call: call("c-1", "A1"), received: at(1) });
    journal.write(proof("c-1", Outcome::Spoken));
    settle(&journal);
    // As a full or a read-only disk: reading works and writing does not.
    let other = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (second, kept) = open(folder.path());
    let told: Vec<_> = kept.iter().map(|k| (k.call.id.as_str(), k.proof.is_some())).collect();
    assert_eq!(told, [("c-1", true)]);
    second.write(Record::Call { call: call("c-2", "A2"), received: at(2) });
    settle(&second);
    assert!(matches!(second.state(), JournalState::Degraded(_)), "{:?}", second.state());
    other.execute_batch("ROLLBACK").unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while second.state() != JournalState::Ok {
        assert!(Instant::now() < deadline, "{:?}", second.state());
        settle(&second);
        std::thread::sleep(Duration::from_millis(100));
    }
    settle(&second);
    assert_eq!(stories(folder.path(), None).len(), 2);
}

#[test]
fn what_other_screens_made_of_a_call_stands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    journal.write(Record::Call { call: call("c-1", "A012"), received: at(1) });
    journal.write(Record::Call { call: call("c-2", "A013"), received: at(2) });
    journal.write(proof("c-1", Outcome::Shown));
    let Record::Proof { proof: there, at: when } = proof("c-1", Outcome::Spoken) else { unreachable!() };
    let there = Proof { drawn: Some(frame(1)), ..there };
    for _ in 0..2 {
        // QoS 1 brings it twice.
        let (screen, proof) = ("tang-2".to_owned(), there.clone());
        journal.write(Record::ProofElsewhere { screen, proof, at: when });
    }
    settle(&journal);
    let [story] = &stories(folder.path(), Some("A012"))[..] else { panic!("one story") };
    assert_eq!(story.outcome, Some(Outcome::Shown), "what happened here is not overwritten");
    assert_eq!(story.elsewhere, [("tang-2".to_owned(), there)]);
    assert!(stories(folder.path(), Some("A013"))[0].elsewhere.is_empty());
}

#[test]
fn who_pushed_what_and_what_was_refused_is_told_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    for (n, topic) in ["notice/a", "call", "notice/b", "counter/5"].into_iter().enumerate() {
        let (at, topic) = (at(n as i64), topic.to_owned());
        journal.write(Record::Audit { at, who: format!("Quầy {n}"), topic, payload: "{}".to_owned() });
    }
    for n in 0..3 {
        let (topic, detail) = ("call".to_owned(), format!("detail {n}"));
        journal.write(Record::Rejected { at: at(n), topic, reason: "missing", field: None, detail });
    }
    settle(&journal);
    let topics = |about: &str, since: i64, limit: usize| -> Vec<String> {
        let deeds = journal.deeds(about, at(since), limit).unwrap();
        deeds.into_iter().map(|deed| deed.topic).collect()
    };
    assert_eq!(topics("", 0, 9), ["counter/5", "notice/b", "call", "notice/a"]);
    assert_eq!(topics("notice/", 0, 9), ["notice/b", "notice/a"]);
    assert_eq!(topics("notice/", 1, 9), ["notice/b"]);
    assert_eq!(topics("", 0, 1), ["counter/5"]);
    let refused = journal.refusals(at(1), 9).unwrap();
    let details: Vec<&str> = refused.iter().map(|refusal| refusal.detail.as_str()).collect();
    assert_eq!(details, ["detail 2", "detail 1"]);
    journal.stop();
}
