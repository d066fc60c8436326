//! A hall with several daemons that can be killed, stopped, deafened and muted.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::ear::{Cards, Ear, voice_in};
use crate::support::daemon::{get, signal};
use crate::support::mosquitto::{Mosquitto, free_port};
use crate::support::until;

/// The daemons of a hall, a broker and the cards they play on.
pub struct Hall {
    pub broker: Mosquitto,
    pub cards: Cards,
    pub ears: Vec<Ear>,
    pub screens: Vec<Screen>,
    folder: tempfile::TempDir,
    sounds: PathBuf,
}

/// One daemon.
pub struct Screen {
    pub name: String,
    number: usize,
    port: u16,
    config: PathBuf,
    log: PathBuf,
    process: Option<Child>,
    /// Stopped by a signal.
    pub paused: bool,
    pub deaf: bool,
    pub muted: bool,
}

impl Hall {
    /// Starts `screens` daemons; the first has the lowest rank. They can say tickets 1 to `tickets`.
    pub fn start(screens: usize, tickets: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sounds = voice_in(folder.path(), tickets);
        let cards = Cards::start(screens);
        let ears = (0..screens).map(|card| cards.listen(card)).collect();
        let mut hall = Self { broker: Mosquitto::start(), cards, ears, screens: Vec::new(), folder, sounds };
        for number in 0..screens {
            let screen = hall.new_screen(number);
            hall.screens.push(screen);
            hall.launch(number);
        }
        hall
    }

    fn new_screen(&self, number: usize) -> Screen {
        let name = format!("sanh-{}", number + 1);
        let folder = self.folder.path().join(&name);
        std::fs::create_dir(&folder).unwrap();
        let port = free_port();
        let text = format!(
            "[screen]\nid = \"{name}\"\nrank = {}\npresent = \"headless\"\nsize = \"640x360\"\n[hours]\nenabled = false\n\
             [mqtt]\nbrokers = [\"{}\"]\n[speech]\nrepeats = 1\n[control]\nlisten = \"127.0.0.1:{port}\"\n\
             [paths]\nstate = \"{}\"\nsounds = \"{}\"\n",
            number + 1,
            self.broker.url(),
            folder.join("state").display(),
            self.sounds.display(),
        );
        let config = folder.join("moiso.toml");
        std::fs::write(&config, text).unwrap();
        let log = folder.join("log");
        Screen { name, number, port, config, log, process: None, paused: false, deaf: false, muted: false }
    }

    /// Starts a daemon that does not run.
    pub fn launch(&mut self, screen: usize) {
        let Self { screens, cards, .. } = self;
        let screen = &mut screens[screen];
        let log = std::fs::File::options().append(true).create(true).open(&screen.log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_moiso"));
        command.arg("--config").arg(&screen.config).arg("run");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        cards.point(&mut command, screen.number);
        screen.process = Some(command.spawn().unwrap());
        // A technician's silence does not outlive the process.
        screen.muted = false;
    }

    pub fn lose_sound(&mut self, screen: usize, lost: bool) {
        self.cards.lose(screen, lost);
        self.screens[screen].deaf = lost;
    }

    pub fn mute(&mut self, screen: usize, muted: bool, id: usize) {
        let what = if muted { "mute" } else { "unmute" };
        let topic = format!("moiso/dong-da/screen/{}/command", self.screens[screen].name);
        self.broker.publish(&topic, &format!(r#"{{"id":"{what}-{id}","do":"{what}"}}"#), &[]);
        self.screens[screen].muted = muted;
    }

    /// The screen that says it speaks, if exactly one does.
    pub fn voice(&self) -> Option<usize> {
        let speaks = |screen: &Screen| {
            screen.runs() && screen.status()["speaks"].as_array().is_some_and(|zones| !zones.is_empty())
        };
        let voices: Vec<usize> = self.screens.iter().filter(|s| speaks(s)).map(|s| s.number).collect();
        if let [one] = voices[..] { Some(one) } else { None }
    }

    pub fn until_one_speaks(&self, within: Duration) {
        until(within, "one screen speaks", || self.voice().is_some());
    }

    pub fn logs(&self) -> String {
        let log = |s: &Screen| std::fs::read_to_string(&s.log).unwrap_or_default();
        self.screens.iter().flat_map(|s| ["--- ".to_owned(), s.name.clone(), "\n".into(), log(s)]).collect()
    }
}

impl Screen {
    pub fn is_alive(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it is there and does not stand still.
    pub fn runs(&self) -> bool {
        self.is_alive() && !self.paused
    }

    /// Whether it could speak.
    pub fn is_well(&self) -> bool {
        self.runs() && !self.deaf && !self.muted
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        self.paused = false;
    }

    pub fn pause(&mut self, paused: bool) {
        if let Some(process) = &self.process {
            signal(process, if paused { "-STOP" } else { "-CONT" });
            self.paused = paused;
        }
    }

    /// What it says of itself; null while it does not answer.
    pub fn status(&self) -> Value {
        let answer =
            get(self.port, "/healthz").and_then(|answer| serde_json::from_slice::<Value>(&answer).ok());
        answer.map_or(Value::Null, |answer| answer["detail"]["screen"].clone())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
    }
}
