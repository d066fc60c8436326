//! The protocol of a session, without sockets.

use std::sync::LazyLock;

use jiff::tz::TimeZone;

use super::*;
use crate::audio::shelf::Shelf;
use crate::board::call::{Kind, Lane, Ticket};
use crate::board::input::IgnoreReason;
use crate::board::state::Level;
use crate::board::view::BoardView;
use crate::clock::Millis;
use crate::config::Config;
use crate::screens::{ScreenReport, Screens};
use crate::wire::Action;

static VIEW: LazyLock<BoardView> = LazyLock::new(BoardView::empty);
static CONFIG: LazyLock<Config> = LazyLock::new(Config::default);
/// One upstairs, with a zone of its own.
static SCREENS: LazyLock<Screens> = LazyLock::new(|| {
    let mut screens = Screens::default();
    let report = ScreenReport { zones: vec!["tang-2".into()], ..ScreenReport::default() };
    screens.take("tang-2", report, start());
    screens
});
static SHELF: LazyLock<Shelf> = LazyLock::new(|| Shelf::open("no such folder".into()));
static ZONE: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Asia/Ho_Chi_Minh").unwrap());

/// 09:00 in the hall, a Tuesday.
fn start() -> Now {
    Now { mono: Millis::ZERO, wall: "2026-11-24T02:00:00Z".parse().unwrap() }
}

fn around(now: Now) -> Around<'static> {
    Around {
        now,
        view: &VIEW,
        time_zone: &ZONE,
        counters: &CONFIG.counters,
        zones: &CONFIG.audio.zones,
        screens: &SCREENS,
        shelf: &SHELF,
        screen: &CONFIG.screen.id,
        fresh_id: "fresh-1",
    }
}

fn signed_in(role: Role) -> Session {
    let mut session = Session::new(start());
    session.admit(1, Ok(Welcome { grant: Grant::for_test(role), session: None }));
    session
}

fn ask_of(session: &mut Session, request: &Value) -> Vec<Step> {
    session.receive(&request.to_string(), &around(start()))
}

fn reply(step: &Step) -> Value {
    let Step::Send(text) = step else { panic!("not a reply: {step:?}") };
    serde_json::from_str(text).unwrap()
}

/// The code and the field of the one refusal.
fn refusal(steps: &[Step]) -> (String, Option<String>) {
    let [step] = steps else { panic!("not one reply: {steps:?}") };
    let reply = reply(step);
    assert_eq!(reply["ok"], false);
    assert!(!reply["error"]["message"].as_str().unwrap().is_empty());
    let text = |name: &str| reply["error"][name].as_str().map(str::to_owned);
    (text("code").unwrap(), text("field"))
}

fn pushed(steps: Vec<Step>) -> Push {
    match <[Step; 1]>::try_from(steps) {
        Ok([Step::Push(push)]) => *push,
        other => panic!("not one push: {other:?}"),
    }
}

fn refused(code: &str) -> (String, Option<String>) {
    (code.to_owned(), None)
}

fn field(name: &str) -> (String, Option<String>) {
    ("invalid".to_owned(), Some(name.to_owned()))
}

#[test]
fn a_hello_is_checked_and_answered_with_the_role_and_the_session() {
    let mut session = Session::new(start());
    let steps = ask_of(&mut session, &json!({ "req": 7, "type": "hello", "token": " moiso_once_x " }));
    assert_eq!(steps, [Step::Verify { req: 7, token: "moiso_once_x".into() }]);
    let welcome = Welcome { grant: Grant::for_test(Role::Operator), session: Some("moiso_session_y".into()) };
    let answer = reply(&session.admit(7, Ok(welcome))[0]);
    assert_eq!(
        (&answer["re"], &answer["ok"], &answer["role"]),
        (&json!(7), &json!(true), &json!("operator"))
    );
    assert_eq!((&answer["session"], &answer["name"]), (&json!("moiso_session_y"), &json!("Quầy hướng dẫn")));
    assert!(session.grant().is_some());
}

#[test]
fn a_refused_token_ends_the_session() {
    let mut session = Session::new(start());
    let steps = session.admit(1, Err(Fault::unauthorised()));
    assert_eq!(reply(&steps[0])["error"]["code"], "unauthorised");
    assert_eq!(steps[1], Step::Close(Ending::Refused));
}

#[test]
fn before_the_hello_everything_else_ends_the_session() {
    for text in [
        r#"{"req":1,"type":"notice.list"}"#,
        r#"{"req":1,"type":"hello"}"#,
        r#"{"req":1}"#,
        r#"{"type":"hello","token":"x"}"#,
        "[]",
        "hello",
        "",
    ] {
        let steps = Session::new(start()).receive(text, &around(start()));
        assert_eq!(reply(&steps[0])["ok"], false, "{text}");
        assert_eq!(steps[1..], [Step::Close(Ending::Refused)], "{text}");
    }
}

#[test]
fn after_the_hello_a_mistake_is_only_answered_with_its_number() {
    let mut session = signed_in(Role::Technician);
    assert_eq!(refusal(&session.receive("{", &around(start()))), refused("malformed"));
    assert_eq!(refusal(&ask_of(&mut session, &json!({ "req": 2 }))), refused("malformed"));
    let steps = ask_of(&mut session, &json!({ "req": 3, "type": "dance" }));
    assert_eq!(reply(&steps[0])["re"], 3);
    assert_eq!(refusal(&steps), refused("unknown-type"));
    assert_eq!(
        refusal(&ask_of(&mut session, &json!({ "req": 4, "type": "hello", "token": "x" }))),
        refused("malformed")
    );
}

#[test]
fn each_role_may_do_what_the_contract_says_and_no_more() {
    let requests = [
        (json!({ "type": "subscribe", "topics": ["view"] }), Role::Viewer),
        (json!({ "type": "notice.list" }), Role::Viewer),
        (json!({ "type": "notice.put", "text": "Hết số" }), Role::Operator),
        (json!({ "type": "notice.delete", "id": "a" }), Role::Operator),
        (json!({ "type": "call", "ticket": "A012", "counter": "5" }), Role::Operator),
        (json!({ "type": "notice.order", "ids": ["a", "b"] }), Role::Operator),
        (json!({ "type": "counter", "counter": "5", "state": "paused" }), Role::Operator),
        (json!({ "type": "history" }), Role::Operator),
        (json!({ "type": "audit", "about": "notice" }), Role::Operator),
        (json!({ "type": "rejected" }), Role::Operator),
        (json!({ "type": "command", "do": "mute" }), Role::Technician),
    ];
    for (mut request, needed) in requests {
        request["req"] = 1.into();
        for role in [Role::Viewer, Role::Operator, Role::Technician] {
            let steps = ask_of(&mut signed_in(role), &request);
            let forbidden =
                matches!(&steps[..], [step @ Step::Send(_)] if reply(step)["error"]["code"] == "forbidden");
            assert_eq!(forbidden, role < needed, "{request} as {role:?}");
        }
    }
}

#[test]
fn a_call_is_applied_here_and_published_unretained_under_one_id() {
    let mut session = signed_in(Role::Operator);
    let request = json!({ "req": 5, "type": "call", "ticket": "A012", "counter": "5", "lane": "elderly" });
    let push = pushed(ask_of(&mut session, &request));
    let Input::CallReceived(call) = &push.input else { panic!("{push:?}") };
    assert_eq!((call.ticket.as_str(), call.counter.as_str()), ("A012", "5"));
    assert_eq!((call.kind, call.lane, call.at), (Kind::Call, Lane::Elderly, start().wall));
    assert_eq!((push.publication.topic.as_str(), push.publication.retain), ("call", false));
    let published = crate::wire::decode("call", &push.publication.payload, &ZONE).unwrap().input;
    assert_eq!(published, push.input, "the hall hears what the board has taken");
    let answer: Value = serde_json::from_str(&push.answer(Ok(Taken::Applied))).unwrap();
    assert_eq!(answer, json!({ "re": 5, "ok": true, "id": "fresh-1" }));
}

#[test]
fn a_repeated_call_of_the_same_id_is_no_error() {
    let mut session = signed_in(Role::Operator);
    let request =
        json!({ "req": 5, "type": "call", "id": "mine", "ticket": "A012", "counter": "5", "kind": "recall" });
    let push = pushed(ask_of(&mut session, &request));
    let answer: Value =
        serde_json::from_str(&push.answer(Ok(Taken::Ignored(IgnoreReason::Duplicate)))).unwrap();
    assert_eq!(answer, json!({ "re": 5, "ok": true, "id": "mine", "duplicate": true }));
}

#[test]
fn what_the_board_does_not_take_is_an_error_with_its_code() {
    for (taken, code) in [
        (Ok(Taken::Ignored(IgnoreReason::Stale)), "stale"),
        (Ok(Taken::Ignored(IgnoreReason::TooMany)), "too-many"),
        (Err(Stopped), "stopping"),
    ] {
        let mut session = signed_in(Role::Operator);
        let push = pushed(ask_of(&mut session, &json!({ "req": 5, "type": "notice.put", "text": "Hết số" })));
        let answer: Value = serde_json::from_str(&push.answer(taken)).unwrap();
        assert_eq!(answer["error"]["code"], code);
    }
}

#[test]
fn a_call_that_does_not_fit_names_the_field() {
    let cases = [
        (json!({ "counter": "5" }), "ticket"),
        (json!({ "ticket": "", "counter": "5" }), "ticket"),
        (json!({ "ticket": "A012345678901", "counter": "5" }), "ticket"),
        (json!({ "ticket": "A\u{202e}12", "counter": "5" }), "ticket"),
        (json!({ "ticket": "A012" }), "counter"),
        (json!({ "ticket": "A012", "counter": "55" }), "counter"),
        (json!({ "ticket": "A012", "counter": "5", "lane": "friend" }), "lane"),
        (json!({ "ticket": "A012", "counter": "5", "kind": "shout" }), "kind"),
        (json!({ "ticket": "A012", "counter": "5", "slot": "25:00" }), "slot"),
    ];
    for (mut request, wanted) in cases {
        request["req"] = 1.into();
        request["type"] = "call".into();
        let mut session = signed_in(Role::Operator);
        assert_eq!(refusal(&ask_of(&mut session, &request)), field(wanted), "{request}");
    }
}

#[test]
fn a_call_takes_neither_time_nor_number_from_the_client() {
    let mut session = signed_in(Role::Operator);
    let request = json!({
        "req": 1, "type": "call", "ticket": "A012", "counter": "5", "at": "2001-01-01T00:00:00Z", "seq": 99,
    });
    let Input::CallReceived(call) = pushed(ask_of(&mut session, &request)).input else { panic!() };
    assert_eq!((call.at, call.seq), (start().wall, None));
}

fn notice_of(mut request: Value) -> Result<Notice, (String, Option<String>)> {
    request["req"] = 1.into();
    request["type"] = "notice.put".into();
    let steps = ask_of(&mut signed_in(Role::Operator), &request);
    if matches!(steps[..], [Step::Send(_)]) {
        return Err(refusal(&steps));
    }
    match pushed(steps).input {
        Input::NoticePut(notice) => Ok(notice),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_notice_gets_its_author_time_id_and_level() {
    let notice = notice_of(json!({ "text": "Hết số <b>hôm nay</b>", "author": "Somebody else" })).unwrap();
    assert_eq!(notice.text, "Hết số <b>hôm nay</b>");
    assert_eq!((notice.id.as_str(), notice.author.as_deref()), ("fresh-1", Some("Quầy hướng dẫn")));
    assert_eq!(
        (notice.level, notice.at, notice.until, notice.speak),
        (Level::Info, start().wall, None, false)
    );
}

#[test]
fn a_notice_ends_after_a_span_at_a_time_of_day_or_at_an_instant() {
    let until = |fields: Value| notice_of(fields).unwrap().until.unwrap().to_string();
    assert_eq!(until(json!({ "text": "a", "for_s": 1800 })), "2026-11-24T02:30:00Z");
    assert_eq!(until(json!({ "text": "a", "until": "16:30" })), "2026-11-24T09:30:00Z");
    assert_eq!(until(json!({ "text": "a", "until": "2026-11-25T08:00:00+07:00" })), "2026-11-25T01:00:00Z");
}

#[test]
fn a_notice_that_does_not_fit_names_the_field() {
    let cases = [
        (json!({}), "text"),
        (json!({ "text": " " }), "text"),
        (json!({ "text": "a".repeat(501) }), "text"),
        (json!({ "text": { "vi": "a\nb" } }), "text"),
        (json!({ "text": "a", "level": "loud" }), "level"),
        (json!({ "text": "a", "until": "08:59" }), "until"),
        (json!({ "text": "a", "until": "soon" }), "until"),
        (json!({ "text": "a", "until": 5 }), "until"),
        (json!({ "text": "a", "for_s": 0 }), "for_s"),
        (json!({ "text": "a", "for_s": -5 }), "for_s"),
        (json!({ "text": "a", "for_s": 60 * 60 * 24 * 32 }), "for_s"),
        (json!({ "text": "a", "from": "2026-11-24T10:00:00Z", "until": "2026-11-24T09:00:00Z" }), "until"),
        (json!({ "text": "a", "zones": ["attic"] }), "zones"),
        (json!({ "text": "a", "id": "a/b" }), "id"),
        (json!({ "text": "a", "id": "#" }), "id"),
    ];
    for (request, wanted) in cases {
        assert_eq!(notice_of(request.clone()).unwrap_err(), field(wanted), "{request}");
    }
}

#[test]
fn a_notice_is_published_retained_on_its_own_topic_and_its_end_is_empty() {
    let mut session = signed_in(Role::Operator);
    let push = pushed(ask_of(
        &mut session,
        &json!({ "req": 1, "type": "notice.put", "id": "het-so", "text": "Hết số" }),
    ));
    assert_eq!((push.publication.topic.as_str(), push.publication.retain), ("notice/het-so", true));
    let published = crate::wire::decode("notice/het-so", &push.publication.payload, &ZONE).unwrap().input;
    assert_eq!(published, push.input);
    let id = NoticeId::parse("het-so").unwrap();
    let steps = ask_of(&mut session, &json!({ "req": 2, "type": "notice.delete", "id": "het-so" }));
    assert_eq!(steps, [Step::Delete { req: 2, id: id.clone() }]);
    let ending = ending_of(&id);
    assert_eq!((ending.topic.as_str(), ending.payload.len(), ending.retain), ("notice/het-so", 0, true));
}

#[test]
fn the_end_of_a_notice_that_is_not_there_is_told() {
    let id = NoticeId::parse("gone").unwrap();
    let answer = |live, taken| serde_json::from_str::<Value>(&deleted(3, &id, live, taken)).unwrap();
    assert_eq!(answer(true, Ok(Taken::Applied)), json!({ "re": 3, "ok": true, "id": "gone" }));
    assert_eq!(answer(false, Ok(Taken::Applied))["error"]["code"], "not-found");
    assert_eq!(answer(true, Err(Stopped))["error"]["code"], "stopping");
}

#[test]
fn a_subscription_is_answered_before_it_begins() {
    let mut session = signed_in(Role::Viewer);
    let steps = ask_of(&mut session, &json!({ "req": 4, "type": "subscribe", "topics": ["view", "health"] }));
    assert_eq!(reply(&steps[0]), json!({ "re": 4, "ok": true }));
    assert_eq!(steps[1..], [Step::Subscribe(Topics { view: true, health: true, ..Topics::default() })]);
    for topics in [json!([]), json!("view"), json!(["weather"]), json!([1]), Value::Null] {
        let steps = ask_of(&mut session, &json!({ "req": 5, "type": "subscribe", "topics": topics }));
        assert_eq!(refusal(&steps), field("topics"));
    }
}

#[test]
fn a_technician_commands_the_screen_and_an_operator_does_not() {
    let mut session = signed_in(Role::Technician);
    let ask = json!({ "req": 1, "type": "command", "do": "volume", "value": 40 });
    let [Step::Command { req: 1, command }] = &ask_of(&mut session, &ask)[..] else { panic!("a command") };
    assert_eq!(command.action, Action::VolumePercent(40));
    assert!(command.by.as_deref().is_some_and(|by| !by.is_empty()), "who it was is known");
    for (request, marked) in [
        (json!({ "req": 1, "type": "command", "do": "dance" }), "do"),
        (json!({ "req": 1, "type": "command", "do": "volume", "value": 400 }), "value"),
        (json!({ "req": 1, "type": "command", "do": "mute", "value": "nowhere" }), "value"),
    ] {
        assert_eq!(refusal(&ask_of(&mut session, &request)), field(marked));
    }
    let refused = refusal(&ask_of(&mut signed_in(Role::Operator), &ask));
    assert_eq!(refused, ("forbidden".to_owned(), None));
}

#[test]
fn a_command_for_another_screen_is_sent_there_and_only_when_it_is_on() {
    use crate::screens::{ScreenReport, Screens};
    let mut session = signed_in(Role::Technician);
    let ask = json!({ "req": 1, "type": "command", "do": "mute", "value": "lau-2", "screen": "sanh-2" });
    let steps = ask_of(&mut session, &ask);
    let [Step::CommandElsewhere { req: 1, screen, command }] = &steps[..] else { panic!("{steps:?}") };
    let publication = publication_for(screen, command);
    assert_eq!((publication.topic.as_str(), publication.retain), ("screen/sanh-2/command", false));
    let payload: Value = serde_json::from_slice(&publication.payload).unwrap();
    assert_eq!(
        (&payload["do"], &payload["value"], &payload["by"]),
        (&json!("mute"), &json!("lau-2"), &json!("Quầy hướng dẫn"))
    );

    let report =
        |online, zone: &str| ScreenReport { online, zones: vec![zone.to_owned()], ..ScreenReport::default() };
    let field_of = |report: Option<ScreenReport>, later: i64| {
        let mut screens = Screens::default();
        report.map(|report| screens.take("sanh-2", report, start()));
        let now = start().after(Millis::from_secs(later));
        order::reachable(screen, command, &screens, now).map_err(|fault| fault.field.unwrap())
    };
    assert_eq!(field_of(Some(report(true, "lau-2")), 15), Ok(()));
    assert_eq!(field_of(Some(report(true, "lau-2")), 16), Err("screen".into()), "it has fallen silent");
    assert_eq!(field_of(Some(report(false, "lau-2")), 0), Err("screen".into()));
    assert_eq!(field_of(None, 0), Err("screen".into()));
    assert_eq!(field_of(Some(report(true, "sanh")), 0), Err("value".into()), "it has no such zone");

    let own = json!({ "req": 2, "type": "command", "do": "identify", "screen": "sanh-1" });
    assert!(matches!(&ask_of(&mut session, &own)[..], [Step::Command { req: 2, .. }]));
    for wrong in [json!("a/b"), json!("+"), json!("#"), json!(""), json!(7)] {
        let ask = json!({ "req": 3, "type": "command", "do": "identify", "screen": wrong });
        assert_eq!(refusal(&ask_of(&mut session, &ask)), field("screen"), "{wrong}");
    }
    let lost = sent(4, Ok(Sent::NoLink));
    assert_eq!(serde_json::from_str::<Value>(&lost).unwrap()["error"]["code"], "busy");
}

#[test]
fn a_history_is_of_today_unless_asked_otherwise() {
    let mut session = signed_in(Role::Operator);
    let steps = ask_of(&mut session, &json!({ "req": 1, "type": "history", "ticket": "a012" }));
    let [Step::History { req: 1, query }] = &steps[..] else { panic!("a history") };
    assert_eq!(query.ticket.as_ref().map(Ticket::as_str), Some("A012"));
    assert_eq!(ZONE.to_datetime(query.since).time(), jiff::civil::Time::midnight());
    for (request, marked) in [
        (json!({ "req": 1, "type": "history", "limit": 0 }), "limit"),
        (json!({ "req": 1, "type": "history", "since": "yesterday" }), "since"),
        (json!({ "req": 1, "type": "history", "ticket": 7 }), "ticket"),
    ] {
        assert_eq!(refusal(&ask_of(&mut session, &request)), field(marked));
    }
    let unread = serde_json::from_str::<Value>(&told(1, None)).unwrap();
    assert_eq!(unread["error"]["code"], "unsupported");
}

#[test]
fn a_session_that_asks_too_fast_is_slowed_and_then_cut_off() {
    let mut session = signed_in(Role::Viewer);
    let text = json!({ "req": 1, "type": "notice.list" }).to_string();
    let mut busy = 0;
    for _ in 0..1000 {
        let steps = session.receive(&text, &around(start()));
        if matches!(steps[..], [Step::List { .. }]) {
            continue;
        }
        assert_eq!(reply(&steps[0])["error"]["code"], "busy");
        busy += 1;
        if steps.len() > 1 {
            assert_eq!(steps[1], Step::Close(Ending::TooFast));
            assert_eq!(busy, STRIKES_MAX + 1);
            return;
        }
    }
    panic!("never cut off");
}

#[test]
fn a_start_and_an_end_may_be_written_as_the_clock_on_the_wall_says() {
    let mut session = signed_in(Role::Operator);
    let mut put = |extra: Value| {
        let mut request = json!({ "req": 1, "type": "notice.put", "text": "Nghỉ trưa" });
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ask_of(&mut session, &request)
    };
    let window = |steps: Vec<Step>| match pushed(steps).input {
        Input::NoticePut(notice) => (notice.from, notice.until),
        other => panic!("{other:?}"),
    };
    let at = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        window(put(json!({ "from": "11:30", "until": "13:30" }))),
        (at("2026-11-24T04:30:00Z"), at("2026-11-24T06:30:00Z"))
    );
    assert_eq!(
        window(put(json!({ "from": "2026-11-25T08:00", "for_s": 3600 }))),
        (at("2026-11-25T01:00:00Z"), at("2026-11-25T02:00:00Z")),
        "a span counts from the start"
    );
    assert_eq!(refusal(&put(json!({ "from": "mai" }))), field("from"));
    assert_eq!(refusal(&put(json!({ "from": "13:30", "until": "11:30" }))), field("until"));
}

#[test]
fn a_pause_goes_to_the_board_and_as_a_retained_state_to_the_hall() {
    let mut session = signed_in(Role::Operator);
    let ask = json!({ "req": 1, "type": "counter", "counter": "8", "state": "paused", "reopens": "10:00" });
    let push = pushed(ask_of(&mut session, &ask));
    let Input::CounterChanged { counter, state } = &push.input else { panic!("{:?}", push.input) };
    assert_eq!((counter.as_str(), state.mode.as_str()), ("8", "paused"));
    assert_eq!((push.publication.topic.as_str(), push.publication.retain), ("counter/8", true));
    let told: Value = serde_json::from_slice(&push.publication.payload).unwrap();
    assert_eq!((&told["state"], &told["reopens"]), (&json!("paused"), &json!("10:00")));
    assert_eq!(serde_json::from_str::<Value>(&push.answer(Ok(Taken::Applied))).unwrap()["state"], "paused");
    let nowhere = json!({ "req": 1, "type": "counter", "counter": "99", "state": "open" });
    assert_eq!(refusal(&ask_of(&mut session, &nowhere)), field("counter"));
}

#[test]
fn what_was_done_and_refused_is_looked_up_since_midnight_unless_asked_otherwise() {
    let mut session = signed_in(Role::Operator);
    let midnight = "2026-11-23T17:00:00Z".parse().unwrap();
    let steps = ask_of(&mut session, &json!({ "req": 1, "type": "audit", "about": "notice" }));
    let look = Look::Deeds { about: "notice/", since: midnight, limit: 50 };
    assert_eq!(steps, [Step::Look { req: 1, look }]);
    let asked = json!({ "req": 1, "type": "rejected", "since": "2026-11-20T00:00:00Z", "limit": 5 });
    let look = Look::Refusals { since: "2026-11-20T00:00:00Z".parse().unwrap(), limit: 5 };
    assert_eq!(ask_of(&mut session, &asked), [Step::Look { req: 1, look }]);
    for (name, value) in
        [("about", json!("x")), ("about", json!(5)), ("since", json!("x")), ("limit", json!(501))]
    {
        let mut request = json!({ "req": 1, "type": "audit" });
        request[name] = value;
        assert_eq!(refusal(&ask_of(&mut session, &request)), field(name));
    }
    let deed = crate::journal::Deed {
        at: midnight,
        who: "Quầy 1".into(),
        topic: "notice/a".into(),
        payload: "{\"level\":\"info\"}".into(),
    };
    let told: Value = serde_json::from_str(&looked(7, Some(Found::Deeds(vec![deed])))).unwrap();
    assert_eq!(
        (&told["deeds"][0]["who"], &told["deeds"][0]["said"]["level"]),
        (&json!("Quầy 1"), &json!("info"))
    );
    let unread: Value = serde_json::from_str(&looked(7, None)).unwrap();
    assert_eq!(unread["error"]["code"], "unsupported");
}

#[test]
fn a_long_look_back_is_told_as_far_as_one_message_goes() {
    let deed = |n: usize| crate::journal::Deed {
        at: start().wall,
        who: "Quầy 1".into(),
        topic: format!("notice/n{n}"),
        payload: json!({ "text": { "vi": "ử".repeat(500), "en": "🧾".repeat(500) } }).to_string(),
    };
    let text = looked(7, Some(Found::Deeds((0..500).map(deed).collect())));
    assert!(text.len() < 600 * 1024, "{}", text.len());
    let told: Value = serde_json::from_str(&text).unwrap();
    let deeds = told["deeds"].as_array().unwrap();
    assert!(deeds.len() > 100 && told["more"] == true, "{}", deeds.len());
    assert_eq!(deeds[0]["topic"], "notice/n0", "the newest is told in any case");
    let few: Value = serde_json::from_str(&looked(7, Some(Found::Deeds(vec![deed(1)])))).unwrap();
    assert_eq!((few["deeds"].as_array().unwrap().len(), few.get("more")), (1, None));
}

#[test]
fn what_cannot_be_read_counts_as_a_request_too() {
    let mut session = signed_in(Role::Viewer);
    let ended = (0..200).find(|_| {
        let steps = session.receive("[", &around(start()));
        steps.last() == Some(&Step::Close(Ending::TooFast))
    });
    assert_eq!(ended, Some(80), "a burst of 30, then 50 warnings");
}

#[test]
fn a_notice_may_be_for_the_zones_of_another_screen_and_for_none_that_the_hall_lacks() {
    let mut session = signed_in(Role::Operator);
    let mut put = |zones: Value| {
        ask_of(&mut session, &json!({ "req": 1, "type": "notice.put", "text": "Hết số", "zones": zones }))
    };
    let push = pushed(put(json!(["tang-2"])));
    let Input::NoticePut(notice) = &push.input else { panic!("{:?}", push.input) };
    assert_eq!(notice.zones[0].as_str(), "tang-2");
    assert_eq!(refusal(&put(json!(["tang-2", "tang-3"]))), field("zones"));
}
