//! The panel of a hall that is closed: what the daemon tells the programs that turn panels off and on. They are played
//! by scripts here, which write down what they were told; no panel hangs on a test machine.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::daemon::get;
use support::mosquitto::{Mosquitto, free_port};
use support::{mosquitto, until};

const SOON: Duration = Duration::from_secs(15);

struct Hall {
    daemon: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Hall {
    /// A hall without opening hours, whose panel is turned by `switch`; `program` is played by a script that ends with
    /// `status`.
    fn closed(broker: &Mosquitto, switch: &str, program: &str, status: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, home) = (free_port(), folder.path());
        let days: String =
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|d| format!("{d} = []\n")).concat();
        let text = format!(
            "[screen]\npresent = \"headless\"\nsize = \"640x360\"\n[hours]\n{days}[mqtt]\nbrokers = [\"{}\"]\n[audio]\nenabled = false\n\
             [control]\nlisten = \"127.0.0.1:{port}\"\n[paths]\nstate = \"{}\"\n[power]\npanel = \"{switch}\"\n",
            broker.url(),
            home.join("state").display(),
        );
        std::fs::write(home.join("moiso.toml"), text).unwrap();
        let script = format!(
            "#!/bin/sh\necho \"$*: $(cat)\" >> {}\necho no such adapter >&2\nexit {status}\n",
            home.join("told").display()
        );
        std::fs::write(home.join(program), script).unwrap();
        std::fs::set_permissions(home.join(program), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", home.display(), std::env::var("PATH").unwrap());
        let daemon = Command::new(env!("CARGO_BIN_EXE_moiso"))
            .arg("--config")
            .arg(home.join("moiso.toml"))
            .arg("run")
            .env("PATH", path)
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(home.join("log")).unwrap())
            .spawn()
            .unwrap();
        let hall = Self { daemon, folder, port };
        until(SOON, "the daemon answers", || get(port, "/healthz").is_some());
        hall
    }

    fn told(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path().join("told")).unwrap_or_default();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn panel(&self) -> String {
        let health: Value = serde_json::from_slice(&get(self.port, "/healthz").unwrap()).unwrap();
        health["detail"]["screen"]["panel"].as_str().unwrap_or("none").to_owned()
    }

    /// Whether there is a picture whose every pixel is black, or one that shows something.
    fn shows(&self, what: Picture) -> bool {
        let png = get(self.port, "/board.png").unwrap();
        let Ok(picture) = moiso::gpu::Picture::from_png(&png) else { return false };
        let black = picture.rgba.as_chunks::<4>().0.iter().all(|pixel| pixel[..3] == [0, 0, 0]);
        black == (what == Picture::Black)
    }
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Picture {
    Black,
    Something,
}

impl Drop for Hall {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        if std::thread::panicking() {
            eprintln!("--- the daemon's log\n{}", std::fs::read_to_string(self.path().join("log")).unwrap());
        }
    }
}

const NOTICE: &str =
    r#"{"text":{"vi":"Mời công dân rời khỏi sảnh"},"level":"emergency","at":"2026-11-24T09:00:00+07:00"}"#;

#[test]
fn a_closed_hall_turns_its_panel_off_and_an_emergency_turns_it_on() {
    let broker = Mosquitto::start();
    let hall = Hall::closed(&broker, "xset", "xset", 0);
    until(SOON, "the panel is told to go off", || hall.told() == ["dpms 0 0 0 dpms force off:"]);
    until(SOON, "the status says so", || hall.panel() == "off");
    until(SOON, "the picture is black", || hall.shows(Picture::Black));

    broker.publish("moiso/dong-da/notice/n-1", NOTICE, &["-r"]);
    until(SOON, "the panel is told to go on", || {
        hall.told().get(1).is_some_and(|told| told == "dpms force on -dpms s off:")
    });
    until(SOON, "the notice is drawn", || hall.shows(Picture::Something));
    until(SOON, "the status says so", || hall.panel() == "on");

    mosquitto::clear(broker.port, "moiso/dong-da/notice/n-1");
    until(SOON, "it goes off again", || {
        hall.told().len() == 3 && hall.panel() == "off" && hall.shows(Picture::Black)
    });
}

#[test]
fn a_television_is_told_on_its_cable_and_one_that_cannot_be_told_is_unknown() {
    let broker = Mosquitto::start();
    let hall = Hall::closed(&broker, "cec", "cec-client", 0);
    until(SOON, "the television is told", || hall.told() == ["-s -d 1: standby 0"]);
    drop(hall);

    let hall = Hall::closed(&broker, "cec", "cec-client", 1);
    until(SOON, "the television is told", || !hall.told().is_empty());
    until(SOON, "the log says why", || {
        let log = std::fs::read_to_string(hall.path().join("log")).unwrap();
        log.contains("cec-client failed: no such adapter")
    });
    assert_eq!(hall.panel(), "unknown");
    until(SOON, "the picture is black all the same", || hall.shows(Picture::Black));
}

#[test]
fn a_panel_that_nobody_turns_off_shows_when_the_hall_opens() {
    let broker = Mosquitto::start();
    let hall = Hall::closed(&broker, "never", "xset", 0);
    until(SOON, "a picture", || hall.shows(Picture::Something));
    assert_eq!((hall.panel().as_str(), hall.told().len()), ("none", 0));
}
