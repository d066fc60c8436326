//! What is said of a call on the glass: that it was drawn, when and in which frame, and nothing before it is true.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "glass/xvfb.rs"]
#[allow(dead_code, reason = "the tests of the window use the rest")]
mod xvfb;

use std::time::Duration;

use serde_json::{Value, json};
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::{call, until};
use xvfb::Xvfb;

const SOON: Duration = Duration::from_secs(15);
const PROOF: &str = "moiso/dong-da/screen/sanh-1/proof";

#[test]
fn a_silent_screen_tells_that_a_call_was_shown_and_then_in_which_frame() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let proofs = broker.subscribe(PROOF);
    broker.publish("moiso/dong-da/call", &call("d-1", "A012", "5", "call"), &[]);
    let proof = proofs.wait_for(|m| m.contains(r#""call":"d-1""#) && m.contains("drawn"));
    // Before the payload stands whether it was retained.
    let proof: Value = serde_json::from_str(&proof[proof.find('{').unwrap()..]).unwrap();
    assert_eq!(proof["outcome"], "shown");
    let status = daemon.status();
    assert!(proof["frame"].as_u64().unwrap() <= status["frames"].as_u64().unwrap(), "{proof} {status}");
    assert!(proof["received"].as_str() <= proof["drawn"].as_str(), "{proof}");

    until(SOON, "the journal has it", || daemon.kept("calls", "id = 'd-1' AND frame IS NOT NULL") == 1);
    let told: Value = serde_json::from_str(&daemon.cli(&["history", "A012", "--json"])).unwrap();
    assert_eq!((&told["frame"], &told["frame_hash"]), (&proof["frame"], &proof["frame_hash"]));
    assert!(daemon.cli(&["history", "A012"]).contains(", drawn "));
}

/// Its sender's date may be wrong: nobody was called by it, and whoever asks is told so.
#[test]
fn a_call_that_is_taken_for_yesterdays_has_a_record_that_says_so() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let proofs = broker.subscribe(PROOF);
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    let call = json!({"id": "d-1", "ticket": "A012", "counter": "5", "kind": "call", "at": at.to_string()});
    broker.publish("moiso/dong-da/call", &call.to_string(), &[]);
    let proof = proofs.wait_for(|m| m.contains(r#""call":"d-1""#));
    assert!(proof.contains(r#""outcome":"expired""#) && !proof.contains("drawn"), "{proof}");
    until(SOON, "the journal has it", || daemon.kept("calls", "id = 'd-1' AND outcome = 'expired'") == 1);
    assert!(daemon.cli(&["history", "A012"]).contains("expired"));
    assert_eq!(daemon.view()["spotlight"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_call_on_a_display_that_stands_still_is_drawn_when_it_goes_on() {
    let broker = Mosquitto::start();
    let screen = Xvfb::start(640, 360);
    let env = [("DISPLAY", screen.display.as_str()), ("MOISO_SCREEN_PRESENT", "software")];
    let daemon = Daemon::start_in(&broker, None, &env);
    until(SOON, "the link comes up", || daemon.is_linked());
    until(SOON, "the board is on the display", || daemon.status()["present"] == "software");
    let proofs = broker.subscribe(PROOF);
    broker.publish("moiso/dong-da/call", &call("d-1", "A012", "5", "call"), &[]);
    proofs.wait_for(|m| m.contains(r#""call":"d-1""#) && m.contains("drawn"));

    screen.freeze(true);
    let stalled = || daemon.detail()["stalled"] == true;
    // The main thread stands still once a frame, or a question to the display, waits; what changes then rings in vain.
    let mut open = false;
    until(Duration::from_secs(60), "the picture stands still", || {
        open = !open;
        let state = if open { "open" } else { "paused" };
        let at = jiff::Timestamp::now();
        broker.publish("moiso/dong-da/counter/3", &format!(r#"{{"state":"{state}","at":"{at}"}}"#), &[]);
        std::thread::sleep(Duration::from_millis(500));
        stalled()
    });
    broker.publish("moiso/dong-da/call", &call("late", "B107", "2", "call"), &[]);
    let shown = proofs.wait_for(|m| m.contains(r#""call":"late""#));
    assert!(!shown.contains("drawn"), "nobody has seen it: {shown}");
    until(SOON, "it is kept", || daemon.kept("calls", "id = 'late' AND outcome IS NOT NULL") == 1);
    assert_eq!(daemon.kept("calls", "id = 'late' AND drawn IS NOT NULL"), 0);
    screen.freeze(false);
    proofs.wait_for(|m| m.contains(r#""call":"late""#) && m.contains("drawn"));
}
