//! What a service manager hears from the program, over a socket as systemd's, and what Prometheus reads of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::daemon::{Daemon, get};
use support::mosquitto::Mosquitto;
use support::pulse::Pulse;
use support::{call, until};

const SOON: Duration = Duration::from_secs(20);

/// The manager's end: every message in the order of its coming.
struct Manager {
    heard: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Manager {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut message = [0; 4096];
            while let Ok(length) = socket.recv(&mut message) {
                let text = String::from_utf8_lossy(&message[..length]).trim_end().to_owned();
                kept.lock().unwrap().extend(text.lines().map(str::to_owned));
            }
        });
        Self { heard, folder }
    }

    fn socket(&self) -> String {
        self.folder.path().join("notify").to_str().unwrap().to_owned()
    }

    fn count(&self, fits: impl Fn(&str) -> bool) -> usize {
        self.heard.lock().unwrap().iter().filter(|line| fits(line)).count()
    }
}

#[test]
fn the_manager_hears_that_it_is_ready_how_it_is_that_it_lives_and_that_it_stops() {
    let manager = Manager::start();
    let mut broker = Mosquitto::start();
    let pulse = Pulse::start();
    let socket = manager.socket();
    let env = [("NOTIFY_SOCKET", socket.as_str()), ("WATCHDOG_USEC", "30000000")];
    let mut daemon = Daemon::start_in(&broker, Some(&pulse), &env);
    until(SOON, "it is ready", || manager.count(|line| line == "READY=1") == 1);
    until(SOON, "all is well", || manager.count(|line| line == "STATUS=ok") > 0);
    until(Duration::from_secs(40), "it lives", || manager.count(|line| line == "WATCHDOG=1") > 1);
    broker.kill();
    until(SOON, "what is wrong is told", || {
        manager.count(|line| line.starts_with("STATUS=failed: link: nothing listens")) > 0
    });
    daemon.stop();
    assert_eq!(manager.count(|line| line == "STOPPING=1"), 1);
    assert_eq!(manager.count(|line| line == "READY=1"), 1);
}

/// A sound card that never opens: ALSA writes what it plays to a pipe that nobody reads.
#[test]
fn no_sign_of_life_comes_while_the_sound_hangs_and_the_board_goes_on() {
    let manager = Manager::start();
    let broker = Mosquitto::start();
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("card");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let card = format!(
        "pcm.!default {{ type file slave.pcm null file \"{}\" format raw }}\nctl.!default {{ type null }}\n",
        pipe.display()
    );
    std::fs::write(home.path().join(".asoundrc"), card).unwrap();
    let socket = manager.socket();
    let env = [
        ("HOME", home.path().to_str().unwrap()),
        ("MOISO_AUDIO_ENABLED", "true"),
        ("NOTIFY_SOCKET", socket.as_str()),
        ("WATCHDOG_USEC", "30000000"),
    ];
    let daemon = Daemon::start_in(&broker, None, &env);
    until(SOON, "it is ready", || manager.count(|line| line == "READY=1") == 1);
    until(SOON, "the link comes up", || daemon.is_linked());
    let beats = || manager.count(|line| line == "WATCHDOG=1");
    let before = beats();
    // The hub alone gives three signs in that time.
    std::thread::sleep(Duration::from_secs(16));
    assert_eq!(beats(), before, "the sound hangs");
    broker.publish("moiso/dong-da/call", &call("h-1", "A012", "5", "call"), &[]);
    until(SOON, "the call is shown", || daemon.view()["spotlight"][0]["ticket"] == "A012");
    // Somebody reads the pipe: the card opens.
    let reader = std::thread::spawn(move || std::fs::read(pipe));
    until(Duration::from_secs(40), "it lives again", || beats() > before);
    drop(daemon);
    let _ = reader.join();
}

/// The samples of an exposition, which must keep to the rules of OpenMetrics' text: each family has a type and a help
/// before its samples, samples of a family stand together, labels are quoted, values are numbers, and the end is marked.
fn samples(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut families: Vec<(String, String)> = Vec::new();
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.pop(), Some("# EOF"));
    for line in lines {
        if let Some(rest) = line.strip_prefix("# ") {
            let [word, name, value] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            match word {
                "HELP" => assert!(value.len() > 5, "{line}"),
                "UNIT" => assert!(name.ends_with(value), "{line}"),
                "TYPE" => {
                    assert!(families.iter().all(|(family, _)| family != name), "told twice: {line}");
                    families.push((name.to_owned(), value.to_owned()));
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{line}");
        let (family, kind) = families.last().expect("a family comes before its samples");
        let suffix =
            name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line} is not of {family}"));
        let allowed: &[&str] = match kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            other => panic!("{other}"),
        };
        assert!(allowed.contains(&suffix), "{line}");
        if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
            let labels = labels.strip_prefix('{').and_then(|l| l.strip_suffix('}')).unwrap();
            for label in labels.split(',') {
                let (_, quoted) = label.split_once('=').unwrap();
                assert!(quoted.len() > 2 && quoted.starts_with('"') && quoted.ends_with('"'), "{line}");
            }
        }
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(found.insert(series.to_owned(), value.to_owned()).is_none(), "told twice: {line}");
    }
    found
}

#[test]
fn what_happened_is_counted_for_prometheus_and_nobody_is_named() {
    let mut broker = Mosquitto::start();
    let pulse = Pulse::start();
    let daemon = Daemon::start(&broker, Some(&pulse), "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let scrape = || String::from_utf8(get(daemon.port(), "/metrics").expect("an answer")).unwrap();
    let value = |series: &str| samples(&scrape()).remove(series).unwrap_or_default();
    let person =
        r#"{"id":"m-1","ticket":"A012","counter":"5","kind":"call","holder":"Nguyễn Văn Ất","at":"NOW"}"#;
    let person = person.replace("NOW", &jiff::Timestamp::now().to_string());
    for payload in [&person, &person, "not json"] {
        broker.publish("moiso/dong-da/call", payload, &[]);
    }
    until(Duration::from_secs(40), "the call is counted", || {
        value(r#"moiso_calls_total{kind="call",outcome="spoken"}"#) == "1"
    });
    for (series, expected) in [
        (r#"moiso_ignored_total{reason="duplicate"}"#, "1"),
        (r#"moiso_rejected_total{reason="not-json"}"#, "1"),
        ("moiso_call_to_drawn_seconds_count", "1"),
        ("moiso_call_to_first_sample_seconds_count", "1"),
        ("moiso_link_up", "1"),
        ("moiso_ready", "1"),
        ("moiso_journal_ok", "1"),
        ("moiso_journal_waiting", "0"),
        ("moiso_sessions", "0"),
        (r#"moiso_audio_up{zone="sanh"}"#, "1"),
        (r#"moiso_audio_state{state="ok"}"#, "1"),
        (r#"moiso_audio_state{state="lost"}"#, "0"),
    ] {
        assert_eq!(value(series), expected, "{series}\n{}", scrape());
    }
    let least = [
        ("moiso_frames_total", 1.0),
        ("process_resident_memory_bytes", 1e6),
        ("process_open_fds", 3.0),
        ("process_threads", 4.0),
        ("process_start_time_seconds", 1.7e9),
    ];
    for (series, least) in least {
        assert!(value(series).parse::<f64>().unwrap() >= least, "{series}\n{}", scrape());
    }
    let text = scrape();
    for secret in ["A012", "m-1", "Nguy", "Ng***n", daemon.token()] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    let ready =
        |path: &str| serde_json::from_slice::<serde_json::Value>(&get(daemon.port(), path).unwrap()).unwrap();
    assert_eq!(ready("/readyz")["ready"], true);
    broker.kill();
    until(SOON, "the link is down", || value("moiso_link_up") == "0");
    until(SOON, "and the screen not ready", || ready("/readyz")["ready"] == false);
    assert_eq!(ready("/healthz")["live"], true, "a broker that is away is no reason to restart");
}
