//! What one screen tells another: a hall's state from a neighbour, behind a broker that keeps it to itself, and the laws of
//! such answers.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod hall;
#[path = "support/rabbit.rs"]
mod rabbit;
mod support;

use std::time::Duration;

use hall::{Hall, announcements, id, notice, proofs, zone};
use moiso::board::call::{Call, Kind, Series};
use moiso::board::input::{Input, Outcome};
use moiso::board::state::{CounterMode, Knowledge, Level, QueueState, Told};
use moiso::clock::Millis;
use moiso::wire;
use proptest::prelude::*;
use proptest::sample::select;
use rabbit::Rabbit;
use support::daemon::Daemon;
use support::mosquitto::{Mosquitto, Subscriber, publish};
use support::{call, until};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_screen_behind_a_broker_without_retained_wildcards_gets_the_state_from_its_neighbour() {
    let broker = Rabbit::start();
    let mqtt = format!("brokers = [\"mqtt://127.0.0.1:{}\"]", broker.port);
    let first = Daemon::named("sanh-1", &mqtt, None, "");
    until(SOON, "the first is linked", || first.is_linked());
    let at = jiff::Timestamp::now();
    let tell = |below: &str, payload: &str, more: &[&str]| {
        publish(broker.port, &format!("moiso/dong-da/{below}"), payload, more);
    };
    tell("counter/6", &format!(r#"{{"state":"paused","at":"{at}"}}"#), &["-r"]);
    tell("queue/B", &format!(r#"{{"waiting":7,"at":"{at}"}}"#), &["-r"]);
    tell(
        "notice/gui-xe",
        &format!(r#"{{"text":{{"vi":"Gửi xe miễn phí"}},"level":"info","at":"{at}"}}"#),
        &["-r"],
    );
    tell("call", &call("s-1", "A012", "5", "call"), &[]);
    tell("call", &call("s-2", "B107", "2", "call"), &[]);
    tell("call", &call("s-3", "B107", "2", "absent"), &[]);
    let knows = |screen: &Daemon| {
        let view = screen.view();
        view["counters"][4]["ticket"] == "A012"
            && view["counters"][5]["state"] == "paused"
            && view["missed"][0]["ticket"] == "B107"
            && view["queues"].as_array().is_some_and(|queues| queues.iter().any(|q| q["waiting"] == 7))
            && view["ticker"].as_array().is_some_and(|t| t.iter().any(|n| n["text"] == "Gửi xe miễn phí"))
    };
    until(SOON, "the first knows the hall", || knows(&first));

    let strange = Subscriber::start(broker.port, "moiso/dong-da/counter/+", &[]);
    let second = Daemon::named("sanh-2", &mqtt, None, "");
    until(SOON, "the second knows the hall", || knows(&second));
    tell("counter/9", &format!(r#"{{"state":"closed","at":"{at}"}}"#), &[]);
    // `RETAINED TOPIC PAYLOAD`, and not what the client says of itself.
    let heard =
        strange.wait_for(|line| line.contains(" moiso/dong-da/counter/") && !line.starts_with("Client"));
    assert!(heard.contains("counter/9"), "this broker delivers retained messages by wildcard: {heard}");
    // The board shows it before the journal has it.
    until(SOON, "what is young is kept as its own", || second.kept("calls", "id = 's-1'") == 1);
}

#[test]
fn a_screen_that_nobody_could_answer_is_told_by_the_one_that_comes_later() {
    let broker = Mosquitto::start();
    let mqtt = format!("brokers = [\"mqtt://127.0.0.1:{}\"]", broker.port);
    let mut first = Daemon::named("sanh-1", &mqtt, None, "");
    until(SOON, "the first is linked", || first.is_linked());
    broker.publish("moiso/dong-da/call", &call("s-1", "A012", "5", "call"), &[]);
    until(SOON, "the first keeps the call", || first.kept("calls", "id = 's-1'") == 1);
    first.kill();
    let second = Daemon::named("sanh-2", &mqtt, None, "");
    until(SOON, "the second is linked", || second.is_linked());
    first.start_again(None);
    until(SOON, "the second knows the call", || second.view()["counters"][4]["ticket"] == "A012");
}

/// What a screen takes from an answer, after its way over the wire.
fn take(hall: &mut Hall, knowledge: &Knowledge) -> Vec<moiso::board::input::Effect> {
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let mut effects = Vec::new();
    for message in wire::encode_sync(knowledge) {
        assert!(message.len() <= wire::PAYLOAD_MAX, "{} bytes", message.len());
        let (inputs, wrong) = wire::decode_sync("sync/state/sanh-1", &message, &zone);
        assert!(wrong.is_empty(), "{wrong:?}");
        for input in inputs {
            effects.extend(hall.give(input));
        }
    }
    effects
}

fn told(call: Call, spoken: &[&str]) -> Knowledge {
    let spoken = spoken.iter().map(|name| zone(name)).collect();
    Knowledge { calls: vec![Told { call, spoken }], ..Knowledge::default() }
}

#[test]
fn a_young_call_is_announced_unless_it_was_said_in_its_zone() {
    for (spoken, announced, proof) in [
        (&[][..], 1, None),
        (&["tang-2"][..], 1, None),
        (&["tang-2", "sanh"][..], 0, Some(("id-1".to_owned(), Outcome::OtherScreen))),
    ] {
        let mut hall = Hall::new();
        let call = hall.event(Kind::Call, "A012", "5");
        let effects = take(&mut hall, &told(call.clone(), spoken));
        assert_eq!(announcements(&effects).len(), announced, "{spoken:?}");
        assert_eq!(proofs(&effects), Vec::from_iter(proof), "{spoken:?}");
        assert_eq!(hall.cell("5").as_deref(), Some("A012"));
        assert!(announcements(&hall.give(Input::CallReceived(call))).is_empty(), "it is the same call");
    }
}

#[test]
fn an_old_call_is_listed_and_nothing_is_said_or_proved_of_it() {
    let mut hall = Hall::new();
    let call = hall.event(Kind::Call, "A012", "5");
    hall.wait_secs(121);
    let effects = take(&mut hall, &told(call, &[]));
    assert!(announcements(&effects).is_empty() && proofs(&effects).is_empty(), "{effects:?}");
    assert_eq!((hall.cell("5").as_deref(), hall.recent()), (Some("A012"), vec!["A012@5".to_owned()]));
}

#[test]
fn what_is_known_of_a_call_goes_on_to_the_next_screen() {
    let mut first = Hall::new();
    let effects = first.call("A012", "5");
    first.end(&announcements(&effects)[0], true);
    first.give(Input::SpokenElsewhere { call: id("id-1"), zone: Some(zone("tang-2")) });
    let knowledge = first.board.knowledge(first.now);
    assert_eq!(knowledge.calls[0].spoken, [zone("sanh"), zone("tang-2")]);
    let mut second = Hall::new();
    take(&mut second, &knowledge);
    assert_eq!(second.board.knowledge(second.now), knowledge);
}

#[test]
fn the_largest_hall_is_told_in_messages_that_are_not_too_large() {
    let mut hall = Hall::new();
    for n in 0..50 {
        let long = moiso::board::state::Notice {
            text: "Ễ".repeat(500),
            text_en: Some("Ễ".repeat(500)),
            ..notice(&format!("n-{n}"), Level::Info, hall.now.wall)
        };
        hall.give(Input::NoticePut(long));
    }
    for n in 1..=200 {
        let state = hall.state(CounterMode::Open, Some("A1"));
        hall.give(Input::CounterChanged { counter: hall::counter(&n.to_string()), state });
        hall.call(&format!("B{n}"), &n.to_string());
    }
    let knowledge = hall.board.knowledge(hall.now);
    assert_eq!((knowledge.notices.len(), knowledge.counters.len(), knowledge.calls.len()), (50, 200, 150));
    let mut other = Hall::new();
    take(&mut other, &knowledge);
    let again = other.board.knowledge(other.now);
    assert_eq!((again.notices.len(), again.counters.len(), again.calls.len()), (50, 200, 150));
}

#[derive(Clone, Debug)]
enum Op {
    Event(Kind, &'static str, &'static str),
    State(CounterMode, Option<&'static str>, &'static str),
    Queue(u32),
    Notice(&'static str),
}

fn op() -> impl Strategy<Value = Op> {
    let tickets = || select(vec!["A1", "A2", "A3", "1005"]);
    let counters = || select(vec!["1", "2", "30"]);
    let kinds = select(Kind::ALL.map(|(_, kind)| kind).to_vec());
    prop_oneof![
        6 => (kinds, tickets(), counters()).prop_map(|(kind, ticket, counter)| Op::Event(kind, ticket, counter)),
        2 => (prop::option::of(tickets()), counters())
            .prop_map(|(ticket, counter)| Op::State(CounterMode::Open, ticket, counter)),
        1 => (0..9_u32).prop_map(Op::Queue),
        1 => select(vec!["a", "b"]).prop_map(Op::Notice),
    ]
}

/// What citizens see of it, apart from the moment.
fn seen(hall: &Hall) -> impl PartialEq + std::fmt::Debug + use<> {
    let view = hall.view();
    let serving = view.counters.iter().filter(|c| c.ticket.is_some());
    let counters: Vec<_> = serving.map(|c| (c.counter.clone(), c.ticket.clone(), c.mode)).collect();
    let mut missed: Vec<_> = view.missed.iter().map(|c| c.ticket.clone()).collect();
    missed.sort();
    let ticker: Vec<_> = view.ticker.iter().map(|n| (n.id.clone(), n.text.clone())).collect();
    let queues: Vec<_> = view.queues.iter().map(|q| (q.series.clone(), q.waiting)).collect();
    (counters, missed, ticker, queues)
}

proptest! {
    #[test]
    fn an_answer_that_comes_again_adds_nothing(
        day in prop::collection::vec((op(), any::<bool>(), any::<bool>(), 1..90_i64), 1..24),
    ) {
        let (mut a, mut b) = (Hall::new(), Hall::new());
        for (op, to_a, to_b, secs) in day {
            let input = match op {
                Op::Event(kind, code, name) => Input::CallReceived(a.event(kind, code, name)),
                Op::State(mode, code, name) => {
                    Input::CounterChanged { counter: hall::counter(name), state: a.state(mode, code) }
                }
                Op::Queue(waiting) => {
                    let at = a.now.wall;
                    let state = QueueState {
                        waiting, next: Vec::new(), wait_minutes: None, missed: Vec::new(), slot: None, left_today: None, at,
                    };
                    Input::QueueChanged { series: Series::parse("A").unwrap(), state }
                }
                Op::Notice(name) => Input::NoticePut(notice(name, Level::Info, a.now.wall)),
            };
            for (hall, hears) in [(&mut a, to_a), (&mut b, to_b)] {
                if hears {
                    hall.give(input.clone());
                }
                hall.wait_secs(secs);
            }
        }
        let (of_a, of_b) = (a.board.knowledge(a.now), b.board.knowledge(b.now));
        let asker = |answers: &[&Knowledge]| {
            let mut hall = Hall::new();
            hall.now = a.now;
            for answer in answers {
                take(&mut hall, answer);
            }
            hall.wait(Millis(1));
            seen(&hall)
        };
        let once = asker(&[&of_a, &of_b]);
        prop_assert_eq!(&once, &asker(&[&of_a, &of_b, &of_b]));
        prop_assert_eq!(&once, &asker(&[&of_a, &of_b, &of_a, &of_b]));
    }
}
