//! The program itself as a child, with a config and a state folder of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::mosquitto::{Mosquitto, free_port};
use super::pulse::Pulse;
use super::until;

pub struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
    pub config: PathBuf,
    port: u16,
    token: String,
    env: Vec<(String, String)>,
}

impl Daemon {
    /// Starts `moiso run`, headless, linked to `broker`; its sound goes to `pulse`, or is off. `extra` is more TOML.
    pub fn start(broker: &Mosquitto, pulse: Option<&Pulse>, extra: &str) -> Self {
        let mqtt = format!("brokers = [\"mqtt://127.0.0.1:{}\"]", broker.port);
        Self::with("sanh-1", &mqtt, pulse, extra, &[])
    }

    /// A silent screen of another name.
    pub fn silent(screen: &str, broker: &Mosquitto) -> Self {
        Self::with(screen, &format!("brokers = [\"mqtt://127.0.0.1:{}\"]", broker.port), None, "", &[])
    }

    /// The same with more in its environment.
    pub fn start_in(broker: &Mosquitto, pulse: Option<&Pulse>, env: &[(&str, &str)]) -> Self {
        Self::with("sanh-1", &format!("brokers = [\"mqtt://127.0.0.1:{}\"]", broker.port), pulse, "", env)
    }

    /// The same with a broker of its own on `port`.
    pub fn alone(port: u16) -> Self {
        Self::with("sanh-1", &format!("[mqtt.embedded]\nlisten = \"127.0.0.1:{port}\""), None, "", &[])
    }

    /// One of several screens; `mqtt` is the section of that name.
    pub fn named(screen: &str, mqtt: &str, pulse: Option<&Pulse>, extra: &str) -> Self {
        Self::with(screen, mqtt, pulse, extra, &[])
    }

    fn with(screen: &str, mqtt: &str, pulse: Option<&Pulse>, extra: &str, env: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = folder.path().join("moiso.toml");
        // A machine that other tests keep busy for a tenth of a second must not tear what is recorded.
        let text = format!(
            "[screen]\nid = \"{screen}\"\npresent = \"headless\"\nsize = \"1280x720\"\n[hours]\nenabled = false\n[board]\nstale_after_s = 2\nidle_ticker = []\n\
             [mqtt]\n{mqtt}\n[audio]\nenabled = {}\nbuffer_frames = 8192\n[control]\nlisten = \"127.0.0.1:{port}\"\n\
             [paths]\nstate = \"{}\"\nsounds = \"{}\"\n{extra}",
            pulse.is_some(),
            folder.path().join("state").display(),
            concat!(env!("CARGO_MANIFEST_DIR"), "/sounds"),
        );
        std::fs::write(&config, text).unwrap();
        let base = ["--config", config.to_str().unwrap()];
        let made = super::moiso(&[
            base[0],
            base[1],
            "token",
            "add",
            "--role",
            "operator",
            "--name",
            "Quầy hướng dẫn",
        ]);
        assert!(made.status.success(), "{made:?}");
        let token = String::from_utf8(made.stdout).unwrap();
        let token = token.split_whitespace().find(|w| w.starts_with("moiso_")).expect("a token").to_owned();
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let child = spawn(&folder, pulse, &env);
        let daemon = Self { child, folder, config, port, token, env };
        daemon.answers();
        daemon
    }

    fn answers(&self) {
        until(Duration::from_secs(20), "the daemon answers", || self.get("/healthz").is_some());
    }

    /// Starts it again with its config and what it has kept; it must have ended.
    pub fn start_again(&mut self, pulse: Option<&Pulse>) {
        self.child = spawn(&self.folder, pulse, &self.env);
        self.answers();
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The operators' page, or a part of its address.
    pub fn page(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What an operator signs in with.
    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn is_linked(&self) -> bool {
        self.status()["link"] != "down"
    }

    fn get(&self, path: &str) -> Option<Vec<u8>> {
        get(self.port, path)
    }

    pub fn board_png(&self) -> Vec<u8> {
        self.get("/board.png").expect("a picture")
    }

    pub fn view(&self) -> Value {
        serde_json::from_slice(&self.get("/api/view").expect("a view")).expect("a view in JSON")
    }

    /// What the daemon says of itself: the payload of its status topic.
    pub fn status(&self) -> Value {
        self.detail()["screen"].clone()
    }

    /// All that it says of its health.
    pub fn detail(&self) -> Value {
        serde_json::from_slice::<Value>(&self.get("/healthz").expect("a verdict")).expect("JSON")["detail"]
            .clone()
    }

    /// A command of the program against this daemon, as an operator.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moiso"));
        command.args(["--config", self.config.to_str().unwrap()]).args(args);
        command.env("MOISO_TOKEN", &self.token);
        command
    }

    /// Runs it and gives what it printed.
    pub fn cli(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The samples of a call's whole announcement, 48 kHz mono.
    pub fn announcement(&self, ticket: &str, counter: &str) -> Vec<f32> {
        let path = self.folder.path().join("announcement.wav");
        self.cli(&["say", ticket, "--counter", counter, "--wav", path.to_str().unwrap()]);
        super::sound::read_wav(&path)
    }

    /// The same without the chime, which all calls share.
    pub fn announcement_once(&self, ticket: &str, counter: &str) -> Vec<f32> {
        const CHIME: usize = 48_000 * 3 / 2;
        self.announcement(ticket, counter).split_off(CHIME)
    }

    /// Rows of a table of its journal.
    pub fn kept(&self, table: &str, which: &str) -> usize {
        let journal = rusqlite::Connection::open(self.state_folder().join("journal.db")).unwrap();
        let sql = format!("SELECT count(*) FROM {table} WHERE {which}");
        journal.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
    }

    /// Ends it as the system would, and tells how long it took.
    pub fn stop(&mut self) -> Duration {
        let start = Instant::now();
        signal(&self.child, "-TERM");
        assert!(self.ends(), "it ends in order");
        start.elapsed()
    }

    /// Waits for its end; whether it was in order.
    pub fn ends(&mut self) -> bool {
        let mut ended = None;
        until(Duration::from_secs(10), "the daemon ends", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.is_some_and(|status| status.success())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn spawn(folder: &tempfile::TempDir, pulse: Option<&Pulse>, env: &[(String, String)]) -> Child {
    let log = std::fs::File::options().append(true).create(true).open(folder.path().join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_moiso"));
    command.arg("--config").arg(folder.path().join("moiso.toml")).arg("run");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("NOTIFY_SOCKET");
    command.envs(env.iter().map(|(name, value)| (name, value)));
    if let Some(pulse) = pulse {
        pulse.point(&mut command);
    }
    command.spawn().unwrap()
}

pub fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Asks a page of whoever listens on `port`; none when nobody does.
pub fn get(port: u16, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    Some(answer.split_off(end + 4))
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the daemon's log\n{}---", self.log());
        }
    }
}
