//! The whole program against real peers: mosquitto, a PulseAudio card, HTTP and WebSocket clients, and its own command line.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::pulse::Pulse;
use support::sound::find;
use support::{call, rows, until};

const SOON: Duration = Duration::from_secs(10);

fn spotlight(view: &Value) -> Vec<String> {
    let spots = view["spotlight"].as_array().cloned().unwrap_or_default();
    spots.iter().filter_map(|s| s["ticket"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_call_is_shown_and_spoken_a_notice_runs_and_a_broker_may_die() {
    let mut broker = Mosquitto::start();
    let pulse = Pulse::start();
    let mut daemon = Daemon::start(&broker, Some(&pulse), "");

    until(SOON, "the link comes up", || daemon.is_linked());
    let before = daemon.board_png();
    let proofs = broker.subscribe("moiso/dong-da/screen/sanh-1/proof");

    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);
    until(SOON, "the call is in the spotlight", || spotlight(&daemon.view()) == ["A012"]);
    // Below the head, where the clock is, and above the ticker.
    let middle = |png: &[u8]| rows(png, 0.15, 0.9);
    until(SOON, "the picture has changed", || middle(&daemon.board_png()) != middle(&before));

    // What the sound card got is the very announcement that the command line writes, whole, with nothing over it.
    until(Duration::from_secs(40), "the call is spoken", || daemon.status()["spoken"] == 1);
    let proof = proofs.wait_for(|m| m.contains(r#""call":"c-1""#));
    for part in [r#""outcome":"spoken""#, "speech_from", "drawn", "frame_hash"] {
        assert!(proof.contains(part), "{proof}");
    }
    let announcement = daemon.announcement("A012", "5");
    let there = pulse.find(&announcement, 0);
    assert!(
        find(&announcement, &pulse.recording(), there.end).is_err(),
        "it is said in one announcement, not in two"
    );

    // The same event again is neither shown nor spoken again.
    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);

    // Nothing but the notice can change the foot of a board at rest.
    let foot = |png: &[u8]| rows(png, 0.9, 1.0);
    let mut still = Vec::new();
    until(SOON, "the picture is at rest", || {
        let now = foot(&daemon.board_png());
        let rests = now == still;
        still = now;
        rests
    });
    daemon.cli(&["notice", "put", "Quầy 8 tạm nghỉ đến 10 giờ", "--level", "important", "--for", "30m"]);
    until(SOON, "the notice is on the ticker", || {
        daemon.view()["ticker"]
            .as_array()
            .is_some_and(|t| t.iter().any(|n| n["text"] == "Quầy 8 tạm nghỉ đến 10 giờ"))
    });
    until(SOON, "who put it is kept", || {
        daemon.kept("audit", "who = 'Quầy hướng dẫn' AND topic LIKE 'notice/%'") == 1
    });
    until(SOON, "the ticker is drawn", || foot(&daemon.board_png()) != still);
    assert!(
        broker.subscribe("moiso/dong-da/notice/#").wait_for(|m| m.contains("Quầy 8 tạm nghỉ")).len() > 1,
        "the notice is published for the hall's other screens"
    );

    broker.kill();
    until(Duration::from_secs(40), "the board says that its news is old", || {
        daemon.view()["link"]["stale"] == true
    });
    broker.restart();
    until(Duration::from_secs(40), "the link comes back", || daemon.view()["link"]["stale"] == false);
    broker.publish("moiso/dong-da/call", &call("c-2", "B107", "2", "call"), &[]);
    until(SOON, "the next call arrives", || spotlight(&daemon.view()).contains(&"B107".to_owned()));
    until(Duration::from_secs(40), "and is spoken", || daemon.status()["spoken"] == 2);
    assert_eq!(daemon.status()["shown"], 2, "the duplicate was not taken for a call");

    let took = daemon.stop();
    assert!(took < Duration::from_secs(3), "stopped after {took:?}");
    let last = broker.subscribe("moiso/dong-da/screen/sanh-1/status").wait_for(|m| m.contains("online"));
    assert!(last.contains(r#""online":false"#), "the last word is that the screen is gone: {last}");
}

#[test]
fn a_technician_commands_the_screen() {
    let broker = Mosquitto::start();
    let pulse = Pulse::start();
    let mut daemon = Daemon::start(&broker, Some(&pulse), "");
    until(SOON, "the link comes up", || daemon.is_linked());
    until(SOON, "the sound works", || daemon.status()["audio"] == "ok");
    let command = |what: &str| {
        let id = format!("{what}-{}", jiff::Timestamp::now());
        let payload = json!({"id": id, "do": what.split(' ').next(), "value": what.split(' ').nth(1).map(|v| v.parse::<u8>().unwrap())});
        broker.publish("moiso/dong-da/screen/sanh-1/command", &payload.to_string(), &[]);
    };

    let peak = |sound: &[f32]| sound.iter().fold(0.0_f32, |peak, s| s.abs().max(peak));
    let heard = |within: usize| peak(&pulse.recording()[within..]);
    command("test-call");
    until(SOON, "the test call is heard", || heard(0) > 0.1);
    let falls_silent = || {
        until(Duration::from_secs(30), "a second of silence follows", || {
            let sound = pulse.recording();
            peak(&sound[sound.len().saturating_sub(48_000)..]) < 1e-3
        });
    };
    falls_silent();
    let (loud, from) = (heard(0), pulse.recording().len());
    command("volume 50");
    // One is refused while the last may still be heard.
    let mut asked: Option<Instant> = None;
    until(Duration::from_secs(40), "it is heard again, softer", || {
        if asked.is_none_or(|at| at.elapsed() > Duration::from_secs(3)) {
            command("test-call");
            asked = Some(Instant::now());
        }
        heard(from) > loud * 0.2
    });
    falls_silent();
    let soft = heard(from);
    assert!(soft < loud * 0.35, "half the volume is a quarter of the wave: {soft} of {loud}");
    assert_eq!(daemon.status()["spoken"], 0, "a test call is no call");

    command("snapshot");
    let pictures = daemon.state_folder().join("pictures");
    let kept = || std::fs::read_dir(&pictures).map_or(0, Iterator::count);
    until(SOON, "a picture is kept", || kept() == 1);

    let config = std::fs::read_to_string(&daemon.config).unwrap();
    std::fs::write(&daemon.config, format!("{config}\n[nonsense]\n")).unwrap();
    command("reload");
    until(SOON, "a config with problems is refused", || daemon.log().contains("no reload"));
    std::fs::write(&daemon.config, config.replace("[paths]", "[speech]\nvoice = \"nobody\"\n[paths]"))
        .unwrap();
    command("reload");
    until(SOON, "and so is one whose voice is not there", || daemon.log().matches("no reload").count() == 2);
    assert!(daemon.is_linked(), "the screen goes on");
    std::fs::write(&daemon.config, config).unwrap();
    command("reload");
    assert!(daemon.ends(), "it ends in order, to be started again");
}

#[test]
fn music_plays_while_the_hall_is_open_at_the_hours_volume_and_stops_for_a_mute() {
    let broker = Mosquitto::start();
    let pulse = Pulse::start();
    let music = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(music.path().join("a.wav")).unwrap();
    moiso::audio::wav::write(file, &vec![0.4; 48_000], 48_000).unwrap();
    let config = format!(
        "[audio.background]\nfolder = \"{}\"\nvolume_percent = 100\n[[audio.schedule]]\nspan = \"00:00-12:00\"\n\
         volume_percent = 50\n[[audio.schedule]]\nspan = \"12:00-00:00\"\nvolume_percent = 50\n",
        music.path().display()
    );
    let daemon = Daemon::start(&broker, Some(&pulse), &config);
    until(SOON, "the link comes up", || daemon.is_linked());
    let level = || {
        let sound = pulse.recording();
        let last = &sound[sound.len().saturating_sub(4_800)..];
        last.iter().sum::<f32>() / last.len().max(1) as f32
    };
    until(SOON, "the music is heard, at half the volume", || (level() - 0.1).abs() < 0.01);
    let mute = json!({"id": "m-1", "do": "mute"}).to_string();
    broker.publish("moiso/dong-da/screen/sanh-1/command", &mute, &[]);
    until(SOON, "a muted zone has no music", || level() == 0.0);
}

#[test]
fn a_technician_asks_and_commands_from_the_command_line() {
    let mut broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let made = daemon.cli(&["token", "add", "--role", "technician", "--name", "Kỹ thuật"]);
    let token = made.split_whitespace().find(|w| w.starts_with("moiso_")).unwrap();
    let as_technician = |args: &[&str]| {
        let output = daemon.command(args).env("MOISO_TOKEN", token).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let refused = daemon.command(&["volume", "40"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(4), "an operator may not");
    assert_eq!(as_technician(&["volume", "40"]), (Some(0), "volume: done\n".to_owned()));
    assert_eq!(as_technician(&["identify"]).0, Some(0));
    assert_eq!(as_technician(&["mute", "nowhere"]).0, Some(2));

    until(SOON, "the board is drawn", || !daemon.status()["frame_at"].is_null());
    let (code, page) = as_technician(&["status"]);
    assert_eq!(code, Some(0), "{page}");
    assert!(page.starts_with("verdict   ok\n") && page.contains("journal   ok\n"), "{page}");

    let mut watch = daemon.command(&["watch", "--topic", "proofs"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map_while(Result::ok);
    // A call that came before the subscription is not told; one that comes after it is.
    let heard = std::thread::spawn(move || lines.next());
    let mut n = 0;
    until(SOON, "a proof is told", || {
        n += 1;
        broker.publish("moiso/dong-da/call", &call(&format!("w-{n}"), &format!("A{n:03}"), "5", "call"), &[]);
        heard.is_finished()
    });
    let proof: Value = serde_json::from_str(&heard.join().unwrap().unwrap()).unwrap();
    assert_eq!((&proof["event"], &proof["proof"]["outcome"]), (&json!("proof"), &json!("shown")));
    let _ = watch.kill();
    let _ = watch.wait();

    broker.kill();
    until(SOON, "the link is down", || !daemon.is_linked());
    until(SOON, "and why", || {
        let (code, page) = as_technician(&["status"]);
        code == Some(1)
            && page.contains("link: nothing listens at the broker's address; check that the broker runs")
    });
}

#[test]
fn bad_payloads_are_counted_and_change_nothing() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let at = jiff::Timestamp::now().to_string();
    let big = format!("{{\"pad\":\"{}\"}}", "x".repeat(64 * 1024));
    let bad = [
        "not json".to_owned(),
        "[]".to_owned(),
        json!({"id": "b-1", "ticket": "A012", "kind": "call", "at": at}).to_string(),
        json!({"id": "b-2", "ticket": "A012345678901", "counter": "5", "kind": "call", "at": at}).to_string(),
        json!({"id": "b-3", "ticket": "A\u{7}12", "counter": "5", "kind": "call", "at": at}).to_string(),
        json!({"id": "b-4", "ticket": "A012", "counter": "5", "kind": "shout", "at": at}).to_string(),
        json!({"id": "b-5", "ticket": "A012", "counter": "5", "kind": "call", "at": "yesterday"}).to_string(),
        big,
    ];
    for payload in &bad {
        broker.publish("moiso/dong-da/call", payload, &[]);
    }
    until(SOON, "all are counted", || daemon.status()["rejected"] == bad.len());
    until(SOON, "and kept", || daemon.kept("rejected", "topic = 'call'") == bad.len());
    assert!(spotlight(&daemon.view()).is_empty());

    // An event from 1970 is shown on its counter and not announced; one from the future counts as now.
    let odd = |id: &str, at: &str| {
        json!({"id": id, "ticket": "C001", "counter": "3", "kind": "call", "at": at}).to_string()
    };
    broker.publish("moiso/dong-da/call", &odd("o-1", "1970-01-01T00:00:00Z"), &[]);
    let counter_3 =
        || daemon.view()["counters"].as_array().and_then(|c| c.get(2).cloned()).unwrap_or_default();
    until(SOON, "the old call is on its counter", || counter_3()["ticket"] == "C001");
    assert!(spotlight(&daemon.view()).is_empty());
    broker.publish("moiso/dong-da/call", &odd("o-2", "2099-01-01T00:00:00Z").replace("C001", "C002"), &[]);
    until(SOON, "the call from the future is shown", || spotlight(&daemon.view()) == ["C002"]);

    // A counter that the config does not know is shown all the same.
    broker.publish("moiso/dong-da/call", &call("u-1", "Z999", "77", "call"), &[]);
    until(SOON, "an unknown counter is shown", || spotlight(&daemon.view()).contains(&"Z999".to_owned()));
}

#[test]
fn a_bad_config_stops_the_start_with_every_problem() {
    let output = support::moiso(&["run", "--config", "tests/data/wrong.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    for expected in ["wrong.toml:2: board.dwell_s", "wrong.toml:3: board.sped", "wrong.toml:6: mqtt.brokers"]
    {
        assert!(words.contains(expected), "{words}");
    }
    let check = support::moiso(&["check", "--config", "tests/data/wrong.toml"]);
    assert_eq!(check.status.code(), Some(1));
}
