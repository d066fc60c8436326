//! A hall with one PC: the daemon with a broker of its own, and the demo.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::daemon::{Daemon, get, signal};
use support::mosquitto::{Mosquitto, free_port};
use support::{mosquitto, until};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn what_the_embedded_broker_was_told_outlasts_a_restart_of_the_daemon() {
    let port = free_port();
    let mut daemon = Daemon::alone(port);
    until(SOON, "the daemon listens to its own broker", || daemon.is_linked());
    let at = jiff::Timestamp::now().to_string();
    let paused = json!({"state": "paused", "ticket": "B107", "reopens": "10:30", "at": at}).to_string();
    mosquitto::publish(port, "moiso/dong-da/counter/4", &paused, &["-r"]);
    let counter_4 = |daemon: &Daemon| daemon.view()["counters"][3].clone();
    until(SOON, "the counter pauses", || counter_4(&daemon)["state"] == "paused");

    let mode = std::fs::metadata(daemon.state_folder().join("broker")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "what waits for a client may carry a name");

    let took = daemon.stop();
    assert!(took < Duration::from_secs(3), "stopped after {took:?}");
    daemon.start_again(None);
    until(SOON, "the counter still pauses", || counter_4(&daemon)["state"] == "paused");
    assert_eq!(counter_4(&daemon)["reopens"], "10:30");
}

#[test]
fn a_pc_without_a_sound_card_fills_no_log_with_it() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".asoundrc"), "pcm.!default { type hw card 99 }\n").unwrap();
    let said = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .args(["say", "A012", "--counter", "5"])
        .env("HOME", home.path())
        .env_remove("PULSE_SERVER")
        .env("XDG_RUNTIME_DIR", home.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(words.contains("no sound card answered"), "{words}");
    assert!(!words.contains("ALSA lib"), "{words}");
}

/// A hall's PC on which a technician tries the demo: neither the port of its broker nor its config may matter.
#[test]
fn the_demo_keeps_to_itself_and_ends_when_told() {
    let hall = Mosquitto::start();
    let _taken = TcpListener::bind("127.0.0.1:1883");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hall.toml");
    let text = format!(
        "[mqtt]\nbrokers = [\"{}\"]\nusername = \"board\"\npassword = \"x\"\n[audio]\nenabled = false\n",
        hall.url()
    );
    std::fs::write(&config, text).unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .arg("--config")
        .arg(&config)
        .args(["demo", "--speed", "60", "--minutes", "2"])
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let page = lines.find(|line| line.contains("http://")).expect("the page's address");
    assert!(page.contains("#token="), "{page}");
    let port = page.split("127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let port: u16 = port.parse().unwrap();
    let view = || serde_json::from_slice::<Value>(&get(port, "/api/view").unwrap_or_default()).ok();
    let calls = || view().and_then(|view| Some(view["spotlight"].as_array()?.len())).unwrap_or(0);
    until(Duration::from_secs(40), "a simulated call is shown", || calls() > 0);
    assert!(!hall.log().contains(" as moiso-"), "the hall's broker hears nothing of it: {}", hall.log());

    let start = Instant::now();
    signal(&demo, "-INT");
    let ended = demo.wait().unwrap();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    assert!(ended.success(), "{ended}: {log}");
    assert!(start.elapsed() < Duration::from_secs(3), "ended after {:?}", start.elapsed());
}
