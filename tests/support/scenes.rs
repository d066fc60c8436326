//! A hall on a busy morning, for pages to be looked at.

#![allow(dead_code, clippy::unwrap_used)]

use jiff::Timestamp;
use moiso::board::call::{Call, CallId, Counter, Kind, Lane, Series, Ticket};
use moiso::board::input::Outcome;
use moiso::board::state::CounterMode;
use moiso::board::view::{BoardView, CounterView, MissedCall, QueueView, RecentCall, Spot, TickerItem};
use moiso::clock::{Millis, Now};
use moiso::config::Config;
use moiso::control::Verdict;
use moiso::health::{Drawn, Frame};
use moiso::journal::{Journal, Record};
use moiso::screens::{ScreenReport, Screens};
use moiso::wire::Proof;

use super::console::now;

pub fn ticket(text: &str) -> Ticket {
    Ticket::parse(text).unwrap()
}

pub fn counter(text: &str) -> Counter {
    Counter::parse(text).unwrap()
}

/// Eleven counters, one of which has called, one pauses.
pub fn busy_view(revision: u64) -> BoardView {
    let config = Config::default();
    let tickets = ["A011", "B107", "C023", "B106", "A012", "D044", "D043", "", "D045", "E009", "E010"];
    let cell = |(index, c): (usize, &moiso::config::CounterConfig)| CounterView {
        counter: c.id.clone(),
        noun: c.noun.clone(),
        label: c.label.clone(),
        label_en: None,
        lanes: c.lanes.clone(),
        mode: if index == 7 { CounterMode::Paused } else { CounterMode::Open },
        ticket: Ticket::parse(tickets[index]).ok(),
        lane: if index == 4 { Lane::Elderly } else { Lane::Regular },
        slot: None,
        reopens: (index == 7).then(|| jiff::civil::time(10, 0, 0, 0)),
        called: index == 4,
        called_at: None,
        known: true,
    };
    let spot = Spot {
        call: CallId::parse("c-1").unwrap(),
        ticket: ticket("A012"),
        counter: counter("5"),
        kind: Kind::Call,
        lane: Lane::Elderly,
        slot: None,
        holder: None,
        since: Millis::ZERO,
    };
    let recent = [("B107", "2"), ("D045", "9"), ("A011", "1")];
    let queue = |series: &str, label: &str, next: &[&str], waiting| QueueView {
        series: Series::parse(series).unwrap(),
        label: Some(label.to_owned()),
        waiting,
        next: next.iter().map(|t| ticket(t)).collect(),
        wait_minutes: Some(12),
        left_today: None,
    };
    let item = |id: &str, text: &str, level| TickerItem {
        id: moiso::board::call::NoticeId::parse(id).unwrap(),
        text: text.to_owned(),
        text_en: None,
        level,
        qr: None,
        until: None,
    };
    BoardView {
        revision,
        counters: config.counters.iter().enumerate().map(cell).collect(),
        spotlight: vec![spot],
        recent: recent
            .map(|(t, c)| RecentCall { ticket: ticket(t), counter: counter(c), at: now() })
            .to_vec(),
        missed: vec![MissedCall { ticket: ticket("A009"), counter: Some(counter("1")), at: now() }],
        queues: vec![
            queue("A", "Đất đai", &["A013", "A014", "A015", "A016"], 9),
            queue("D", "Hộ tịch", &[], 4),
        ],
        ticker: vec![item(
            "het-so",
            "Hôm nay hết số lĩnh vực đất đai lúc 10 giờ 30.",
            moiso::board::state::Level::Important,
        )],
        ..BoardView::empty()
    }
}

/// A screen on which much is wrong at once.
pub fn unwell() -> Verdict {
    let mut verdict = super::console::well();
    let part = |part: &str, state: &str| serde_json::json!({ "part": part, "state": state, "why": "" });
    for (field, value) in [
        (
            "link_problem",
            serde_json::json!({ "code": "wrong-password", "what": "refused", "advice": "check it" }),
        ),
        ("journal_problem", "database or disk is full (/var/lib/moiso/journal.db)".into()),
        ("stalled", true.into()),
        ("unanswered_s", 95.into()),
        ("rebuilds", 3.into()),
        ("unheard", serde_json::json!(["5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"])),
        ("free_bytes", 41_000_000.into()),
        ("hottest_c", 91.into()),
        ("parts", serde_json::json!([part("disk", "degraded"), part("temperature", "degraded")])),
    ] {
        verdict.detail[field] = value;
    }
    for (field, value) in [
        ("link", serde_json::json!("down")),
        ("audio", "lost".into()),
        ("panel", "unknown".into()),
        ("skew_ms", 95_000.into()),
        ("backlog_s", 48.into()),
        ("rejected", 1_204.into()),
    ] {
        verdict.detail["screen"][field] = value;
    }
    verdict.ready = false;
    verdict
}

/// Three screens: one works, one has lost its loudspeakers, one is off.
pub fn three_screens() -> Screens {
    let mut screens = Screens::default();
    let heard = Now { mono: Millis::ZERO, wall: now() };
    let report = ScreenReport {
        online: true,
        session: 1,
        at: now(),
        version: Some("0.1.0".into()),
        rank: Some(1),
        zones: vec!["sanh".into()],
        audible: Some(vec!["sanh".into()]),
        speaks: Some(vec!["sanh".into()]),
        next: Vec::new(),
        saying: Vec::new(),
        frame_at: Some(now()),
        gpu: Some("Intel(R) UHD Graphics 630 (Vulkan, IntegratedGpu)".into()),
        present: Some("surface".into()),
        audio: Some("ok".into()),
        journal: Some("ok".into()),
        link: Some("10.0.0.5:1883".into()),
        skew_ms: Some(120),
        backlog_s: Some(0),
        shown: Some(212),
        spoken: Some(209),
        expired: Some(1),
        rejected: Some(0),
    };
    let lost = ScreenReport { audio: Some("lost".into()), rank: Some(2), speaks: None, ..report.clone() };
    screens.take("sanh-1", report, heard);
    screens.take("sanh-2", lost, heard);
    screens.take("cua-vao", ScreenReport { session: 1, at: now(), ..ScreenReport::default() }, heard);
    screens
}

/// Calls, notices and refusals of the quarter of an hour before `end`.
pub fn kept(journal: &Journal, end: Timestamp) {
    let at = |second: i64| end.checked_sub(jiff::SignedDuration::from_secs(second)).unwrap();
    let calls = [("c-1", "A012", "5", Kind::Call, 30), ("c-2", "B107", "2", Kind::Recall, 80)];
    for (id, t, c, kind, ago) in calls {
        let call = Call {
            id: CallId::parse(id).unwrap(),
            ticket: ticket(t),
            counter: counter(c),
            kind,
            at: at(ago),
            seq: None,
            series: None,
            lane: Lane::Regular,
            slot: None,
            holder: None,
        };
        journal.write(Record::Call { call, received: at(ago) });
        let (call, frame) = (CallId::parse(id).unwrap(), Frame { at: at(ago), number: 71_204, hash: 7 });
        journal.write(Record::Drawn(Drawn { call, frame }));
        let proof = Proof {
            call: CallId::parse(id).unwrap(),
            received: at(ago),
            drawn: Some(frame),
            speech_from: Some(at(ago - 1)),
            speech_to: Some(at(ago - 11)),
            outcome: Outcome::Spoken,
            zone: None,
            again: false,
        };
        let there = Proof { outcome: Outcome::OtherScreen, ..proof.clone() };
        journal.write(Record::Proof { proof, at: at(ago - 11) });
        journal.write(Record::ProofElsewhere { screen: "sanh-2".into(), proof: there, at: at(ago - 11) });
    }
    let audit = |ago, topic: &str, payload: String| Record::Audit {
        at: at(ago),
        who: "Quầy hướng dẫn".into(),
        topic: topic.into(),
        payload,
    };
    let put =
        serde_json::json!({ "text": { "vi": "Hôm nay hết số lĩnh vực đất đai." }, "level": "important" });
    journal.write(audit(900, "notice/het-so", put.to_string()));
    journal.write(audit(600, "notice/het-so", String::new()));
    let command = serde_json::json!({ "id": "x", "do": "volume", "value": 60 });
    journal.write(audit(300, "command", command.to_string()));
    journal.write(Record::Rejected {
        at: at(200),
        topic: "call".into(),
        reason: "missing",
        field: Some("counter".into()),
        detail: "is missing".into(),
    });
}

/// One zone that says a call while another and a recorded message wait, and one with nothing to say; as it is at `wall`.
pub fn speech(wall: Timestamp) -> moiso::hub::Speech {
    use moiso::board::call::{CallId, Counter, Kind, Lane, NoticeId, RecordingId, Zone};
    use moiso::board::input::Message;
    use moiso::board::view::{SpeechLine, ZoneSpeech};
    use moiso::clock::{Millis, Now};
    let call = |code: &str, counter: &str, lane: Lane, queued: i64| SpeechLine {
        message: Message::Call {
            call: CallId::parse(code).unwrap(),
            ticket: ticket(code),
            counter: Counter::parse(counter).unwrap(),
            kind: Kind::Call,
            lane,
            series: None,
        },
        queued: Millis(queued),
    };
    let recorded = Message::Notice {
        id: NoticeId::parse("n").unwrap(),
        text: "Mời <b>công dân</b> có hồ sơ đất đai đến quầy 3".into(),
        emergency: false,
        recording: RecordingId::parse(&"5e".repeat(16)).ok(),
    };
    let busy = ZoneSpeech {
        zone: Zone::parse("sanh").unwrap(),
        running: Some(call("A012", "5", Lane::Elderly, 60_000)),
        waiting: vec![
            call("B107", "2", Lane::Regular, 51_000),
            SpeechLine { message: recorded, queued: Millis(0) },
        ],
        more: 3,
    };
    let quiet =
        ZoneSpeech { zone: Zone::parse("lau-2").unwrap(), running: None, waiting: Vec::new(), more: 0 };
    moiso::hub::Speech { zones: vec![busy, quiet], since: Now { mono: Millis(60_000), wall } }
}
