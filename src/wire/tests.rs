//! The wire contract: what goes round comes back, and what does not fit is refused with its field.

use std::sync::LazyLock;

use jiff::{Timestamp, civil};
use serde_json::{Value, json};

use super::*;
use crate::board::call::{Call, Holder, Kind, Lane, Ticket};
use crate::board::state::{CounterMode, CounterState, Level, Notice, QueueState};
use crate::board::view::{BoardView, ClosedReason, CounterView, Opening, Phase, RecentCall, Spot};
use crate::clock::Millis;
use crate::health::{Frame, FrameReport, JournalState, ScreenStatus, SoundState};

mod laws;

const AT: &str = "2026-11-24T08:30:00+07:00";

fn call_json() -> Value {
    json!({"id": "c-1", "ticket": "A012", "counter": "5", "kind": "call", "at": AT})
}

fn with(mut base: Value, field: &str, value: Value) -> Value {
    base[field] = value;
    base
}

fn without(mut base: Value, field: &str) -> Value {
    base.as_object_mut().unwrap().remove(field);
    base
}

static ZONE: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Asia/Ho_Chi_Minh").unwrap());

fn decode(topic: &str, payload: &[u8]) -> Result<Input, Rejection> {
    super::decode(topic, payload, &ZONE).map(|decoded| decoded.input)
}

/// Over WebSocket nothing is spared.
fn strict(topic: &str, value: &Value) -> Result<Input, Rejection> {
    match value {
        Value::Object(object) => decode_object(topic, object, &ZONE),
        _ => decode(topic, value.to_string().as_bytes()),
    }
}

fn read(topic: &str, value: &Value) -> Result<Input, Rejection> {
    decode(topic, value.to_string().as_bytes())
}

fn read_call(value: &Value) -> Call {
    match read("call", value) {
        Ok(Input::CallReceived(call)) => call,
        other => panic!("not a call: {other:?}"),
    }
}

#[track_caller]
fn refused(topic: &str, value: &Value, reason: Reason, field: &str) {
    let rejection = strict(topic, value).unwrap_err();
    assert_eq!((rejection.reason, rejection.field.as_deref()), (reason, Some(field)), "{rejection}");
    assert_eq!(rejection.topic, topic);
}

#[test]
fn a_plain_call_is_read() {
    let call = read_call(&call_json());
    assert_eq!(call.id.as_str(), "c-1");
    assert_eq!(call.ticket.as_str(), "A012");
    assert_eq!(call.counter.as_str(), "5");
    assert_eq!(call.kind, Kind::Call);
    assert_eq!(call.at, AT.parse::<Timestamp>().unwrap());
    assert_eq!(call.lane, Lane::Regular);
    assert_eq!((call.seq, call.series, call.slot, call.holder), (None, None, None, None));
}

#[test]
fn every_field_of_a_call_is_read_and_unknown_ones_are_ignored() {
    let full = json!({"id": "c-1", "ticket": "A012", "counter": "5", "kind": "transfer", "at": AT, "seq": 7,
        "series": "A", "lane": "booked", "slot": "08:30", "holder": "Nguyễn Văn A", "lang": "vi", "x": {"y": []}});
    let call = read_call(&full);
    assert_eq!(call.kind, Kind::Transfer);
    assert_eq!(call.seq, Some(7));
    assert_eq!(call.series, Some(Series::parse("A").unwrap()));
    assert_eq!(call.lane, Lane::Booked);
    assert_eq!(call.slot, Some(civil::time(8, 30, 0, 0)));
    assert_eq!(call.holder.as_ref().map(Holder::as_str), Some("Ng***n V** A"));
}

#[test]
fn a_ticket_or_counter_given_as_a_number_is_its_text() {
    let call = read_call(&with(with(call_json(), "ticket", json!(1005)), "counter", json!(5)));
    assert_eq!((call.ticket.as_str(), call.counter.as_str()), ("1005", "5"));
}

#[test]
fn null_counts_as_absent() {
    let call = read_call(&with(with(call_json(), "seq", Value::Null), "lane", Value::Null));
    assert_eq!((call.seq, call.lane), (None, Lane::Regular));
    refused("call", &with(call_json(), "ticket", Value::Null), Reason::Missing, "ticket");
}

#[test]
fn a_time_of_any_offset_and_any_age_is_read() {
    for at in ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59.123456789-03:30", "2026-11-24T08:30:00+07:00"] {
        assert_eq!(read_call(&with(call_json(), "at", json!(at))).at, at.parse::<Timestamp>().unwrap());
    }
}

#[test]
fn a_call_is_not_lost_for_a_field_that_it_can_do_without() {
    let call = json!({"id": "c-1", "ticket": "A012", "counter": "5", "kind": "call", "at": AT, "lane": "vip",
        "slot": "8h30", "holder": "x".repeat(81), "seq": -1, "series": [1]});
    let decoded = super::decode("call", call.to_string().as_bytes(), &ZONE).unwrap();
    let Input::CallReceived(taken) = decoded.input else { panic!("{decoded:?}") };
    assert_eq!(taken, read_call(&call_json()));
    let fields: Vec<&str> = decoded.spared.iter().filter_map(|r| r.field.as_deref()).collect();
    assert_eq!(fields, ["seq", "series", "lane", "slot", "holder"]);
    for needed in ["id", "ticket", "counter", "kind", "at"] {
        assert!(read("call", &with(call_json(), needed, json!([]))).is_err(), "{needed}");
    }
}

#[test]
fn a_slot_is_a_local_time_of_day() {
    let slot = |text: &str| read_call(&with(call_json(), "slot", json!(text))).slot;
    assert_eq!(slot("08:30"), Some(civil::time(8, 30, 0, 0)));
    assert_eq!(slot("2026-11-24T13:45:59+07:00"), Some(civil::time(13, 45, 0, 0)));
    for instant in ["2026-11-24T01:30:00Z", "2026-11-24T01:30:00+00:00", "2026-11-24T08:30:00+07:00"] {
        assert_eq!(slot(instant), Some(civil::time(8, 30, 0, 0)), "{instant} on the hall's clock");
    }
    for text in ["2026-11-24T08:30:00", "25:00", "8h30", ""] {
        refused("call", &with(call_json(), "slot", json!(text)), Reason::BadTime, "slot");
    }
}

#[test]
fn text_is_composed_on_entry() {
    let call = read_call(&with(call_json(), "ticket", json!("D\u{323}1")));
    assert_eq!(call.ticket.as_str(), "\u{1e0c}1");
    let notice = json!({"text": {"vi": "Tie\u{302}\u{301}ng"}, "level": "info", "at": AT});
    let Ok(Input::NoticePut(notice)) = read("notice/n", &notice) else { panic!("not a notice") };
    assert_eq!(notice.text, "Ti\u{1ebf}ng");
}

#[test]
fn what_is_not_a_json_object_is_refused_whole() {
    let rejection = |payload: &[u8]| {
        let r = decode("call", payload).unwrap_err();
        assert_eq!(r.field, None, "{r}");
        r.reason
    };
    assert_eq!(rejection(b"A012"), Reason::NotJson);
    assert_eq!(rejection(b"{\"id\":\"\xff\"}"), Reason::NotJson);
    assert_eq!(rejection(b"{\"id\":1"), Reason::NotJson);
    assert_eq!(rejection(b"[]"), Reason::NotObject);
    assert_eq!(rejection(b"12"), Reason::NotObject);
    assert_eq!(rejection(b"null"), Reason::NotObject);
    assert_eq!(rejection(b""), Reason::Empty);
    assert_eq!(rejection("[".repeat(10_000).as_bytes()), Reason::NotJson);
    let large = with(call_json(), "x", json!("y".repeat(PAYLOAD_MAX))).to_string();
    assert_eq!(rejection(large.as_bytes()), Reason::TooLarge);
}

#[test]
fn a_payload_of_exactly_the_limit_is_read() {
    let filler = PAYLOAD_MAX - with(call_json(), "x", json!("")).to_string().len();
    let payload = with(call_json(), "x", json!("y".repeat(filler))).to_string();
    assert_eq!(payload.len(), PAYLOAD_MAX);
    assert!(decode("call", payload.as_bytes()).is_ok());
}

#[test]
fn every_required_field_is_missed() {
    for field in ["id", "ticket", "counter", "kind", "at"] {
        refused("call", &without(call_json(), field), Reason::Missing, field);
    }
    refused("counter/5", &json!({"at": AT}), Reason::Missing, "state");
    refused("counter/5", &json!({"state": "open"}), Reason::Missing, "at");
    refused("queue/A", &json!({"at": AT}), Reason::Missing, "waiting");
    refused("queue/A", &json!({"waiting": 1}), Reason::Missing, "at");
    refused("notice/n", &json!({"level": "info", "at": AT}), Reason::Missing, "text");
    refused("notice/n", &json!({"text": {}, "level": "info", "at": AT}), Reason::Missing, "text.vi");
    refused("notice/n", &json!({"text": {"vi": "x"}, "at": AT}), Reason::Missing, "level");
    refused("notice/n", &json!({"text": {"vi": "x"}, "level": "info"}), Reason::Missing, "at");
}

#[test]
fn fields_of_the_wrong_type_are_named() {
    for (field, value) in [
        ("id", json!({})),
        ("ticket", json!(1.5)),
        ("ticket", json!(-1)),
        ("ticket", json!(["A012"])),
        ("counter", json!(true)),
        ("kind", json!([])),
        ("at", json!(1_764_000_000)),
        ("seq", json!("7")),
        ("lane", json!(false)),
        ("slot", json!(830)),
        ("holder", json!({"name": "x"})),
    ] {
        refused("call", &with(call_json(), field, value), Reason::WrongType, field);
    }
    let counter = json!({"state": "open", "at": AT});
    refused("counter/5", &with(counter.clone(), "lanes", json!("owner")), Reason::WrongType, "lanes");
    refused("counter/5", &with(counter, "label", json!(5)), Reason::WrongType, "label");
    let queue = json!({"waiting": 3, "at": AT});
    refused("queue/A", &with(queue.clone(), "waiting", json!("3")), Reason::WrongType, "waiting");
    refused("queue/A", &with(queue, "next", json!({})), Reason::WrongType, "next");
    let notice = json!({"text": {"vi": "x"}, "level": "info", "at": AT});
    refused("notice/n", &with(notice.clone(), "text", json!("x")), Reason::WrongType, "text");
    refused("notice/n", &with(notice.clone(), "speak", json!("yes")), Reason::WrongType, "speak");
    refused("notice/n", &with(notice, "text", json!({"vi": 1})), Reason::WrongType, "text.vi");
}

#[test]
fn words_that_cannot_be_shown_are_refused() {
    let ticket = |text: &str| with(call_json(), "ticket", json!(text));
    refused("call", &ticket("A012345678901"), Reason::TooLong, "ticket");
    refused("call", &ticket("A\n12"), Reason::Control, "ticket");
    refused("call", &ticket("A\u{202e}12"), Reason::Control, "ticket");
    refused("call", &ticket("A\u{0}12"), Reason::Control, "ticket");
    refused("call", &ticket("  "), Reason::Empty, "ticket");
    refused("call", &with(call_json(), "counter", json!("x".repeat(33))), Reason::TooLong, "counter");
    refused("call", &with(call_json(), "id", json!("x".repeat(129))), Reason::TooLong, "id");
    refused("call", &with(call_json(), "holder", json!("x".repeat(81))), Reason::TooLong, "holder");
    let text = |t: String| json!({"text": {"vi": t}, "level": "info", "at": AT});
    assert!(read("notice/n", &text("ệ".repeat(500))).is_ok());
    refused("notice/n", &text("ệ".repeat(501)), Reason::TooLong, "text.vi");
    refused("notice/n", &text("một\nhai".into()), Reason::Control, "text.vi");
}

#[test]
fn words_outside_the_contract_are_refused() {
    refused("call", &with(call_json(), "kind", json!("goi")), Reason::Unknown, "kind");
    refused("call", &with(call_json(), "lane", json!("vip")), Reason::Unknown, "lane");
    refused("counter/5", &json!({"state": "busy", "at": AT}), Reason::Unknown, "state");
    let counter = json!({"state": "open", "lanes": ["owner", "vip"], "at": AT});
    refused("counter/5", &counter, Reason::Unknown, "lanes");
    refused("notice/n", &json!({"text": {"vi": "x"}, "level": "high", "at": AT}), Reason::Unknown, "level");
}

#[test]
fn times_without_an_offset_are_refused() {
    for at in ["2026-11-24T08:30:00", "2026-11-24", "08:30", "yesterday", ""] {
        refused("call", &with(call_json(), "at", json!(at)), Reason::BadTime, "at");
    }
    let notice = json!({"text": {"vi": "x"}, "level": "info", "at": AT, "until": "2026-11-24T08:30:00"});
    refused("notice/n", &notice, Reason::BadTime, "until");
    refused(
        "counter/5",
        &json!({"state": "paused", "reopens": "soon", "at": AT}),
        Reason::BadTime,
        "reopens",
    );
}

#[test]
fn counts_outside_their_range_are_refused() {
    for waiting in [json!(-1), json!(1.5), json!(5_000_000_000_u64)] {
        refused("queue/A", &json!({"waiting": waiting, "at": AT}), Reason::OutOfRange, "waiting");
    }
    refused("call", &with(call_json(), "seq", json!(-3)), Reason::OutOfRange, "seq");
}

#[test]
fn topics_outside_the_contract_are_refused() {
    for topic in ["", "calls", "call/5", "counter", "counter/5/x", "screen/a/status", "queue/A/B", "notice"] {
        refused(topic, &call_json(), Reason::UnknownTopic, "topic");
    }
    refused("counter/", &call_json(), Reason::Empty, "topic");
    refused("counter/a\u{200b}b", &call_json(), Reason::Control, "topic");
}

#[test]
fn an_empty_payload_takes_a_state_back() {
    let counter = Counter::parse("5").unwrap();
    assert_eq!(decode("counter/5", b""), Ok(Input::CounterCleared { counter }));
    let series = Series::parse("A").unwrap();
    assert_eq!(decode("queue/A", b""), Ok(Input::QueueCleared { series }));
    let id = NoticeId::parse("n-1").unwrap();
    assert_eq!(decode("notice/n-1", b""), Ok(Input::NoticeCleared { id }));
}

#[test]
fn a_rejection_never_quotes_what_it_refused() {
    let name = "Trần\u{7}Bình";
    let call = with(call_json(), "holder", json!(name)).to_string();
    let spared = super::decode("call", call.as_bytes(), &ZONE).unwrap().spared;
    assert!(spared.len() == 1 && !spared[0].to_string().contains("Bình"), "{spared:?}");
    let broken = format!("{{\"holder\": \"{name}\"");
    assert!(!decode("call", broken.as_bytes()).unwrap_err().to_string().contains("Bình"));
    assert_eq!(
        read("call", &with(call_json(), "kind", json!("x"))).unwrap_err().to_string(),
        "call: kind is not one of: call, recall, transfer, serving, absent, cancel [unknown-word]",
    );
}

#[test]
fn commands_are_read() {
    let command = |value: Value| decode_command("screen/a/command", value.to_string().as_bytes());
    let action = |value: Value| command(value).unwrap().action;
    assert_eq!(action(json!({"id": "1", "do": "mute"})), Action::Mute(None));
    let zone = Zone::parse("sanh").unwrap();
    assert_eq!(action(json!({"id": "1", "do": "unmute", "value": "sanh"})), Action::Unmute(Some(zone)));
    assert_eq!(action(json!({"id": "1", "do": "volume", "value": 70})), Action::VolumePercent(70));
    for (word, expected) in [
        ("identify", Action::Identify),
        ("test-call", Action::TestCall),
        ("reload", Action::Reload),
        ("snapshot", Action::Snapshot),
    ] {
        assert_eq!(action(json!({"id": "1", "do": word})), expected);
    }
    let why = |value: Value| {
        let r = command(value).unwrap_err();
        (r.reason, r.field.unwrap())
    };
    assert_eq!(why(json!({"id": "1", "do": "dance"})), (Reason::Unknown, "do".into()));
    assert_eq!(why(json!({"id": "1", "do": "volume", "value": 101})), (Reason::OutOfRange, "value".into()));
    assert_eq!(why(json!({"id": "1", "do": "volume"})), (Reason::Missing, "value".into()));
    assert_eq!(why(json!({"do": "mute"})), (Reason::Missing, "id".into()));
    assert_eq!(Action::Reload.input(), None);
    assert_eq!(Action::Mute(None).input(), Some(Input::MuteChanged { zone: None, muted: true }));
}

#[test]
fn only_a_screen_that_can_be_answered_may_ask() {
    let ask =
        |screen: &str| decode_asking("sync/request", json!({ "screen": screen }).to_string().as_bytes());
    assert_eq!(ask("sanh-1").unwrap(), "sanh-1");
    for wrong in ["a/b", "+", "#", ""] {
        assert_eq!(ask(wrong).unwrap_err().field.as_deref(), Some("screen"), "{wrong}");
    }
}

#[test]
fn a_sync_answer_is_taken_as_far_as_it_fits() {
    let answer = json!({
        "counters": {"5": {"state": "open", "ticket": "A012", "at": AT}, "6": {"state": "busy", "at": AT}},
        "queues": {"A": {"waiting": 3, "at": AT}},
        "notices": {"n": {"text": {"vi": "x"}, "level": "info", "at": AT}, "m": 5},
    });
    let (inputs, rejections) = decode_sync("sync/state/a", answer.to_string().as_bytes(), &ZONE);
    assert_eq!(inputs.len(), 3);
    let topics: Vec<&str> = rejections.iter().map(|r| r.topic.as_str()).collect();
    assert_eq!(topics, ["counter/6", "notice/m"]);
    assert_eq!(decode_sync("sync/state/a", b"x", &ZONE).1[0].reason, Reason::NotJson);
}

fn status() -> ScreenStatus {
    ScreenStatus {
        online: true,
        session: 1_764_000_000_000,
        at: AT.parse().unwrap(),
        renewed: Millis::ZERO,
        version: "0.1.0",
        rank: 1,
        zones: vec!["sanh".into()],
        audible: vec!["sanh".into()],
        speaks: vec!["sanh".into()],
        next: Vec::new(),
        saying: vec!["c-1".into()],
        frame: FrameReport {
            frames: 3,
            frame_at: Some(AT.parse().unwrap()),
            frame_hash: u64::MAX,
            gpu: "llvmpipe".into(),
            present: "headless",
            ..FrameReport::default()
        },
        audio: SoundState::Ok,
        journal: JournalState::Ok,
        panel: None,
        link: "127.0.0.1:1883".into(),
        skew_ms: -4,
        backlog_s: 0,
        shown: 5,
        spoken: 4,
        expired: 1,
        rejected: 2,
    }
}

#[test]
fn a_status_has_every_field_of_the_contract() {
    let value: Value = serde_json::from_slice(&encode_status(&status())).unwrap();
    for field in [
        "online",
        "session",
        "at",
        "version",
        "rank",
        "zones",
        "audible",
        "speaks",
        "next",
        "saying",
        "frame_at",
        "frame_hash",
        "gpu",
        "present",
        "audio",
        "journal",
        "link",
        "skew_ms",
        "backlog_s",
        "shown",
        "spoken",
        "expired",
        "rejected",
    ] {
        assert!(value.get(field).is_some(), "{field} is missing");
    }
    assert_eq!(value["frame_hash"], "ffffffffffffffff");
    assert_eq!(value["at"], "2026-11-24T01:30:00Z");
    assert_eq!(value["audio"], "ok");
}

#[test]
fn the_will_says_offline_with_its_session() {
    let value: Value = serde_json::from_slice(&encode_offline(&status())).unwrap();
    assert_eq!(value["online"], false);
    assert_eq!(value["session"], 1_764_000_000_000_i64);
    assert_eq!(value["rank"], 1);
    assert!(value.get("frame_at").is_none());
}

#[test]
fn a_proof_leaves_out_what_did_not_happen() {
    let proof = Proof {
        call: CallId::parse("c-1").unwrap(),
        received: AT.parse().unwrap(),
        drawn: None,
        speech_from: None,
        speech_to: None,
        outcome: Outcome::OtherScreen,
        zone: None,
        again: false,
    };
    let value: Value = serde_json::from_slice(&encode_proof(&proof)).unwrap();
    assert_eq!(value, json!({"call": "c-1", "received": "2026-11-24T01:30:00Z", "outcome": "other-screen"}));
    let frame = Frame { at: AT.parse().unwrap(), number: 7, hash: 0xab };
    let drawn = Proof { drawn: Some(frame), ..proof };
    let value: Value = serde_json::from_slice(&encode_proof(&drawn)).unwrap();
    assert_eq!((&value["frame"], &value["frame_hash"]), (&json!(7), &json!("00000000000000ab")));
}

#[test]
fn a_view_is_plain_and_never_names_a_holder() {
    let mut view = BoardView::empty();
    view.phase = Phase::Closed {
        reason: ClosedReason::Break,
        opens: Some(Opening { date: civil::date(2026, 11, 24), time: civil::time(13, 30, 0, 0), in_days: 0 }),
    };
    view.spotlight.push(Spot {
        call: CallId::parse("c-1").unwrap(),
        ticket: Ticket::parse("A012").unwrap(),
        counter: Counter::parse("5").unwrap(),
        kind: Kind::Call,
        lane: Lane::Booked,
        slot: Some(civil::time(8, 5, 0, 0)),
        holder: Some(Holder::mask("Nguyễn Văn A").unwrap()),
        since: Millis(12),
    });
    view.recent.push(RecentCall {
        ticket: Ticket::parse("A011").unwrap(),
        counter: Counter::parse("4").unwrap(),
        at: AT.parse().unwrap(),
    });
    view.counters.push(CounterView {
        counter: Counter::parse("5").unwrap(),
        noun: "Quầy".into(),
        label: Some("Ưu tiên".into()),
        label_en: None,
        lanes: vec![Lane::Elderly],
        mode: CounterMode::Open,
        ticket: None,
        lane: Lane::Regular,
        slot: None,
        reopens: None,
        called: false,
        called_at: None,
        known: true,
    });
    let text = String::from_utf8(encode_view(&view)).unwrap();
    assert!(!text.contains("V**"), "{text}");
    let value = view_value(&view);
    assert_eq!(
        value["closed"],
        json!({"reason": "break",
        "opens": {"date": "2026-11-24", "time": "13:30", "in_days": 0}})
    );
    assert_eq!(value["spotlight"][0]["slot"], "08:05");
    assert_eq!(value["recent"][0]["at"], "2026-11-24T01:30:00Z");
    assert_eq!(value["counters"][0]["lanes"], json!(["elderly"]));
    assert_eq!(value["emergency"], Value::Null);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
}
