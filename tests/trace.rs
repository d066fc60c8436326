//! Where the time of a call goes, told by the program itself: with `MOISO_TRACE` every stage of a real call is in the file.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "glass/xvfb.rs"]
#[allow(dead_code, reason = "each test program uses a part")]
mod xvfb;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use support::daemon::{Daemon, signal};
use support::mosquitto::Mosquitto;
use support::pulse::Pulse;
use support::{call, until};
use xvfb::Xvfb;

const SOON: Duration = Duration::from_secs(20);

/// The events so far; the program does not close the array, so that a kill leaves a whole file.
fn events(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let whole = text.rfind(",\n").map_or("[".to_owned(), |end| text[..end].to_owned());
    serde_json::from_str(&format!("{whole}]")).unwrap()
}

#[test]
fn every_stage_of_a_call_is_in_the_trace_in_its_order() {
    let (broker, pulse, screen) = (Mosquitto::start(), Pulse::start(), Xvfb::start(1280, 720));
    let mut daemon = Daemon::start(&broker, Some(&pulse), "");
    daemon.stop();
    let file = daemon.state_folder().join("trace.json");
    let mut command = daemon.command(&["run"]);
    pulse.point(&mut command);
    command.env("DISPLAY", &screen.display).env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    command.env("MOISO_SCREEN_PRESENT", "software").env("MOISO_TRACE", &file);
    let mut traced = command.spawn().unwrap();
    until(SOON, "the daemon answers", || support::daemon::get(daemon.port(), "/healthz").is_some());
    until(SOON, "the link and the sound work", || daemon.is_linked() && daemon.status()["audio"] == "ok");

    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);
    let is = |event: &Value, name: &str| event["name"] == name;
    until(SOON, "the call sounds", || events(&file).iter().any(|event| is(event, "first sample")));
    signal(&traced, "-TERM");
    traced.wait().unwrap();

    let events = events(&file);
    let at = |event: &Value| event["ts"].as_u64().unwrap();
    let hub =
        events.iter().find(|e| is(e, "hub") && e["args"]["about"] == "c-1").map(at).expect("the hub took it");
    let before = |name: &str, end: u64| {
        let found = events.iter().filter(|e| is(e, name)).map(at).filter(|ts| *ts <= end).max();
        found.unwrap_or_else(|| panic!("no {name} before {end} µs"))
    };
    let after = |name: &str, start: u64| {
        let found = events.iter().filter(|e| is(e, name)).map(at).filter(|ts| *ts >= start).min();
        found.unwrap_or_else(|| panic!("no {name} after {start} µs"))
    };
    let decode = before("decode", hub);
    before("read", decode);
    let glass = ["view", "scene", "draw", "present"];
    glass.iter().fold(hub, |start, name| after(name, start));
    let sound = ["plan", "clips", "mix", "first sample"];
    sound.iter().fold(hub, |start, name| after(name, start));

    let threads: Vec<&str> =
        events.iter().filter(|e| e["ph"] == "M").filter_map(|e| e["args"]["name"].as_str()).collect();
    assert!(["main", "io", "audio", "decoder"].iter().all(|name| threads.contains(name)), "{threads:?}");
}
