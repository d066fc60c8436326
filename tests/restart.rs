//! A daemon that is killed, and what its successor says: all that was not said, and nothing twice.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use support::daemon::Daemon;
use support::mosquitto::{Mosquitto, clear};
use support::pulse::Pulse;
use support::sound::find;
use support::{call, until};

const SOON: Duration = Duration::from_secs(10);
const A_SENTENCE: Duration = Duration::from_secs(40);

fn on_counter(daemon: &Daemon, index: usize) -> Value {
    daemon.view()["counters"][index]["ticket"].clone()
}

fn is_silent(pulse: &Pulse) -> bool {
    let sound = pulse.recording();
    sound[sound.len().saturating_sub(48_000)..].iter().all(|s| s.abs() < 1e-3)
}

#[test]
fn after_a_kill_the_successor_says_what_was_not_said_whole_and_nothing_twice() {
    let broker = Mosquitto::start();
    let pulse = Pulse::start();
    let mut daemon = Daemon::start(&broker, Some(&pulse), "[speech]\nrepeats = 1\n");
    until(SOON, "the link comes up", || daemon.is_linked());
    let proofs = broker.subscribe("moiso/dong-da/screen/sanh-1/proof");

    let said = call("r-1", "A012", "5", "call");
    broker.publish("moiso/dong-da/call", &said, &[]);
    proofs.wait_for(|m| m.contains(r#""call":"r-1""#) && m.contains(r#""outcome":"spoken""#));
    until(A_SENTENCE, "it falls silent", || is_silent(&pulse));

    broker.publish("moiso/dong-da/call", &call("r-2", "B107", "2", "call"), &[]);
    until(SOON, "the second sentence is under way", || !is_silent(&pulse));
    std::thread::sleep(Duration::from_millis(1500));
    daemon.kill();
    let cut = pulse.recording().len();
    // What comes while nobody is there waits at the broker.
    broker.publish("moiso/dong-da/call", &call("r-3", "C045", "3", "call"), &[]);
    daemon.start_again(Some(&pulse));
    until(SOON, "the link comes up again", || daemon.is_linked());
    broker.publish("moiso/dong-da/call", &said, &[]);

    assert_eq!(
        on_counter(&daemon, 4),
        "A012",
        "the counters are as they were, though nobody told them again"
    );
    let told = broker.subscribe("moiso/dong-da/sync/state/sanh-9");
    broker.publish("moiso/dong-da/sync/request", r#"{"screen":"sanh-9"}"#, &[]);
    let told = told.wait_for(|m| m.contains(r#""id":"r-1""#));
    let state: Value = serde_json::from_str(&told[told.find('{').unwrap()..]).unwrap();
    let spoken = |id: &str| {
        state["calls"].as_array().unwrap().iter().find(|call| call["id"] == id).unwrap()["spoken"].clone()
    };
    assert_eq!(
        (spoken("r-1"), spoken("r-2")),
        (json!(["sanh"]), Value::Null),
        "others are told what was said"
    );
    let again = proofs.wait_for(|m| m.contains(r#""call":"r-2""#));
    assert!(again.contains(r#""outcome":"spoken""#) && again.contains(r#""again":true"#), "{again}");
    let late = proofs.wait_for(|m| m.contains(r#""call":"r-3""#));
    assert!(late.contains(r#""outcome":"spoken""#) && !late.contains("again"), "{late}");
    until(A_SENTENCE, "it falls silent", || is_silent(&pulse));

    let heard = pulse.recording();
    let times = |ticket: &str, counter: &str, from: usize| {
        let sentence = daemon.announcement_once(ticket, counter);
        let (mut found, mut at) = (0, from);
        while let Ok(there) = find(&sentence, &heard, at) {
            (found, at) = (found + 1, there.end);
        }
        found
    };
    assert_eq!(times("A012", "5", 0), 1, "what was said is not said again");
    assert_eq!(times("B107", "2", cut), 1, "what was cut is said again, whole");
    assert_eq!(times("C045", "3", cut), 1, "what waited at the broker is said once");
    assert_eq!(on_counter(&daemon, 2), "C045");

    let history = daemon.cli(&["history", "b107"]);
    assert!(
        history.contains("B107") && history.contains("spoken") && history.contains("again after a restart"),
        "{history}"
    );
    let table = daemon.cli(&["history", "--csv"]);
    assert_eq!(table.lines().count(), 4, "{table}");
    let nothing = daemon.cli(&["history", "Z999"]);
    assert!(nothing.starts_with("Z999 was not called on this screen on "), "{nothing}");
}

#[test]
fn of_a_call_that_another_screen_had_begun_and_nobody_ended_the_record_says_so() {
    let broker = Mosquitto::start();
    let pulse = Pulse::start();
    // Of a better rank; it dies before it has ended the call, and is waited for until the call is too old.
    let says = |saying: &[&str]| {
        let status = json!({
            "online": true, "session": 1, "at": Timestamp::now().to_string(), "rank": 0, "audible": ["sanh"], "speaks": ["sanh"],
            "saying": saying,
        });
        broker.publish("moiso/dong-da/screen/sanh-0/status", &status.to_string(), &["-r"]);
    };
    says(&[]);
    let daemon = Daemon::start(&broker, Some(&pulse), "[speech]\nannounce_max_age_s = 10\n");
    until(SOON, "the link comes up", || daemon.is_linked());
    let proofs = broker.subscribe("moiso/dong-da/screen/sanh-1/proof");
    for (id, ticket, counter) in [("b-1", "A012", "5"), ("b-2", "B107", "2")] {
        broker.publish("moiso/dong-da/call", &call(id, ticket, counter, "call"), &[]);
    }
    until(SOON, "the calls have come", || on_counter(&daemon, 1) == "B107");
    says(&["b-1"]);
    let begun = proofs.wait_for(|m| m.contains(r#""call":"b-1""#) && m.contains(r#""outcome":"expired""#));
    assert!(begun.contains(r#""again":true"#), "{begun}");
    let waited = proofs.wait_for(|m| m.contains(r#""call":"b-2""#) && m.contains(r#""outcome":"expired""#));
    assert!(!waited.contains("again"), "{waited}");
    let told = |ticket: &str| daemon.cli(&["history", ticket]).contains("begun and perhaps heard");
    until(SOON, "the journal says it", || told("A012"));
    assert!(!told("B107"));
}

#[test]
fn what_a_kill_cut_off_while_another_screen_had_said_it_is_not_said_again() {
    let broker = Mosquitto::start();
    let pulse = Pulse::start();
    let mut daemon = Daemon::start(&broker, Some(&pulse), "[speech]\nrepeats = 1\n");
    until(SOON, "the link comes up", || daemon.is_linked());
    let proofs = broker.subscribe("moiso/dong-da/screen/sanh-1/proof");
    broker.publish("moiso/dong-da/call", &call("e-1", "A012", "5", "call"), &[]);
    until(SOON, "it is being said", || !is_silent(&pulse));
    let said = json!({ "call": "e-1", "received": Timestamp::now().to_string(), "outcome": "spoken", "zone": "sanh" });
    broker.publish("moiso/dong-da/screen/sanh-0/proof", &said.to_string(), &[]);
    let other_screen = "id = 'e-1' AND outcome = 'other-screen'";
    until(SOON, "the journal has it", || daemon.kept("calls", other_screen) == 1);
    daemon.kill();
    daemon.start_again(Some(&pulse));
    broker.publish("moiso/dong-da/call", &call("e-2", "B107", "2", "call"), &[]);
    proofs.wait_for(|m| m.contains(r#""call":"e-2""#) && m.contains(r#""outcome":"spoken""#));
    assert_eq!(daemon.kept("calls", other_screen), 1);
}

#[test]
fn what_was_pushed_while_the_broker_was_away_waits_in_the_journal_also_over_a_kill() {
    const AGAIN: Duration = Duration::from_secs(40);
    let mut broker = Mosquitto::start();
    let mut daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    broker.kill();
    until(AGAIN, "the broker is missed", || !daemon.is_linked());
    daemon.cli(&["notice", "put", "Hết số hôm nay", "--id", "het-so"]);
    daemon.cli(&["notice", "put", "Sắp hết hạn", "--id", "cu", "--for", "1s"]);
    until(SOON, "both wait in the journal", || daemon.kept("unsent", "1") == 2);
    daemon.kill();
    std::thread::sleep(Duration::from_secs(2));
    daemon.start_again(None);
    until(SOON, "it runs here again", || daemon.view()["ticker"][0]["text"] == "Hết số hôm nay");
    broker.restart();
    let notices = broker.subscribe("moiso/dong-da/notice/+");
    until(AGAIN, "the link comes up again", || daemon.is_linked());
    notices.wait_for(|message| message.contains("Hết số hôm nay"));
    until(SOON, "nothing waits any more", || daemon.kept("unsent", "1") == 0);

    // Ended by somebody else while this screen is off, it does not come back.
    daemon.kill();
    clear(broker.port, "moiso/dong-da/notice/het-so");
    daemon.start_again(None);
    until(AGAIN, "the link comes up a third time", || daemon.is_linked());
    until(SOON, "the ticker is empty", || daemon.view()["ticker"] == serde_json::json!([]));
    assert_eq!(
        daemon.log().matches("told to the hall again").count(),
        1,
        "only what was neither sent nor over"
    );
}
