//! What the hall hears when the voice fails: a bank that cannot be read, clips that are damaged or gone, tickets that
//! nobody can read aloud. The call is shown each time, something is heard, and log and health say why.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moiso::audio::clips::decode;
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::pulse::Pulse;
use support::sound::find;
use support::{call, until};

const SOON: Duration = Duration::from_secs(10);
const SPOKEN: Duration = Duration::from_secs(60);
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sounds");

/// The shipped sounds, with one folder of the northern voice that may be spoilt.
struct Sounds {
    folder: tempfile::TempDir,
}

impl Sounds {
    fn new(spoilt: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let north = Path::new(SHIPPED).join("north");
        symlink(Path::new(SHIPPED).join("chimes"), folder.path().join("chimes")).unwrap();
        let own = folder.path().join("north");
        std::fs::create_dir_all(own.join(spoilt)).unwrap();
        for (from, to) in [(north.clone(), own.clone()), (north.join(spoilt), own.join(spoilt))] {
            for file in std::fs::read_dir(from).unwrap() {
                let file = file.unwrap();
                if file.file_name() != spoilt {
                    symlink(file.path(), to.join(file.file_name())).unwrap();
                }
            }
        }
        Self { folder }
    }

    /// A file of the northern voice, which may be replaced.
    fn north(&self, file: &str) -> PathBuf {
        let path = self.folder.path().join("north").join(file);
        std::fs::remove_file(&path).unwrap();
        path
    }

    fn hall(&self, broker: &Mosquitto, pulse: &Pulse) -> Daemon {
        let daemon = Daemon::start_in(
            broker,
            Some(pulse),
            &[("MOISO_PATHS_SOUNDS", self.folder.path().to_str().unwrap())],
        );
        until(SOON, "the link comes up", || daemon.is_linked());
        daemon
    }
}

fn clip(file: &str) -> Vec<f32> {
    decode(&Path::new(SHIPPED).join(file)).unwrap()
}

/// State and reason of the voice, as health has them.
fn voice(daemon: &Daemon) -> (String, String) {
    let detail = daemon.detail();
    let part = detail["parts"].as_array().unwrap().iter().find(|p| p["part"] == "voice").expect("the voice");
    let text = |key: &str| part[key].as_str().unwrap().to_owned();
    (text("state"), text("why"))
}

fn shows(daemon: &Daemon, ticket: &str) -> bool {
    daemon.view()["spotlight"].as_array().is_some_and(|all| all.iter().any(|s| s["ticket"] == ticket))
}

fn publish(broker: &Mosquitto, id: &str, ticket: &str, counter: &str) {
    broker.publish("moiso/dong-da/call", &call(id, ticket, counter, "call"), &[]);
}

#[test]
fn a_bank_of_another_format_leaves_the_chime_and_the_reason() {
    let (broker, pulse, sounds) = (Mosquitto::start(), Pulse::start(), Sounds::new("phrase"));
    let manifest = sounds.north("bank.toml");
    let shipped = std::fs::read_to_string(format!("{SHIPPED}/north/bank.toml")).unwrap();
    std::fs::write(manifest, shipped.replacen("format = 1", "format = 2", 1)).unwrap();
    let daemon = sounds.hall(&broker, &pulse);
    publish(&broker, "c-1", "A012", "5");
    until(SOON, "the call is shown", || shows(&daemon, "A012"));
    let chime = clip("chimes/two-tone.opus");
    until(SPOKEN, "the chime is heard", || find(&chime, &pulse.recording(), 0).is_ok());
    let (state, why) = voice(&daemon);
    assert_eq!(state, "failed");
    assert!(why.contains("format: must be 1") && why.ends_with("only chimes are heard"), "{why}");
    assert!(daemon.log().contains("format: must be 1"), "{}", daemon.log());
}

#[test]
fn what_nobody_can_read_aloud_sends_people_to_the_board_and_is_told() {
    let (broker, pulse) = (Mosquitto::start(), Pulse::start());
    let daemon = Daemon::start(&broker, Some(&pulse), "");
    until(SOON, "the link comes up", || daemon.is_linked());
    assert_eq!(voice(&daemon).0, "ok");
    let (chime, look) = (clip("chimes/two-tone.opus"), clip("north/phrase/xem-bang.opus"));
    let mut from = 0;
    for (n, (ticket, counter, told)) in [
        ("🎫12", "5", "ticket 🎫12"),
        ("票07", "5", "ticket 票07"),
        ("A012", "Phòng họp 7-B№", "counter Phòng họp 7-B№"),
        ("A013", "Kho lưu trữ", "lưu"),
    ]
    .into_iter()
    .enumerate()
    {
        publish(&broker, &format!("c-{n}"), ticket, counter);
        until(SOON, "the call is shown", || shows(&daemon, ticket));
        until(SPOKEN, "it is said to its end", || daemon.status()["spoken"] == n as u64 + 1);
        let chimed = pulse.find(&chime, from);
        from = pulse.find(&look, chimed.end).end;
        let (state, why) = voice(&daemon);
        assert!(state == "degraded" && why.contains(told), "{ticket} at {counter}: {state}, {why}");
        let log = daemon.log();
        assert!(log.contains("not all of it can be said") && log.contains(told), "{log}");
    }
}

#[test]
fn a_clip_that_is_damaged_or_gone_is_told_and_the_next_call_is_whole() {
    let (broker, pulse, sounds) = (Mosquitto::start(), Pulse::start(), Sounds::new("digits"));
    std::fs::write(sounds.north("digits/012.opus"), b"OggS and no more").unwrap();
    sounds.north("digits/013.opus");
    let daemon = sounds.hall(&broker, &pulse);
    until(SOON, "what is gone is told", || voice(&daemon).1.contains("digits/013.opus is missing"));
    assert_eq!(voice(&daemon).0, "degraded");
    assert!(daemon.log().contains("digits/013.opus is missing"), "{}", daemon.log());

    publish(&broker, "c-1", "A012", "5");
    until(SOON, "the call is shown", || shows(&daemon, "A012"));
    publish(&broker, "c-2", "A014", "4");
    until(SPOKEN, "the next call is spoken", || daemon.status()["spoken"] == 1);
    until(SPOKEN, "the damage is told", || voice(&daemon).1.contains("digits/012.opus"));
    let look = pulse.find(&clip("north/phrase/xem-bang.opus"), 0);
    let before = look.start.saturating_sub(2 * 48_000);
    find(&clip("chimes/two-tone.opus"), &pulse.recording()[..look.start], before).expect("a chime before it");
    pulse.find(&daemon.announcement_once("A014", "4"), look.end);
    assert!(daemon.log().contains("a clip cannot be played; the hall is told to look"), "{}", daemon.log());
}
