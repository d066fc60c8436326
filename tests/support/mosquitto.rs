//! A real mosquitto of one test, on its own port, with persistence; killed and removed with it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part, and a test may panic")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// An empty folder that goes away with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("moiso-link-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that nothing listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub struct Mosquitto {
    pub port: u16,
    pub folder: Folder,
    extra: String,
    /// Arguments of the clients, such as user and password.
    pub client_args: Vec<String>,
    /// Of its process from the next start on.
    pub env: Vec<(String, String)>,
    process: Option<Child>,
}

impl Mosquitto {
    pub fn start() -> Self {
        Self::with("allow_anonymous true")
    }

    /// Further lines of its config; `DIR` stands for its folder.
    pub fn with(extra: &str) -> Self {
        Self::in_folder(Folder::new(), extra)
    }

    pub fn in_folder(folder: Folder, extra: &str) -> Self {
        let extra = extra.replace("DIR", folder.0.to_str().unwrap());
        let (client_args, env) = (Vec::new(), Vec::new());
        let mut broker = Self { port: free_port(), folder, extra, client_args, env, process: None };
        broker.restart();
        broker
    }

    /// Only the user `board` with the password `right` may connect.
    pub fn with_password() -> Self {
        let folder = Folder::new();
        let file = folder.file("users", "");
        let made = Command::new("mosquitto_passwd").arg("-b").arg(&file).args(["board", "right"]).status();
        assert!(made.unwrap().success(), "mosquitto_passwd makes the users file");
        let extra = format!("allow_anonymous false\npassword_file {}", file.display());
        let mut broker = Self::in_folder(folder, &extra);
        broker.client_args = ["-u", "board", "-P", "right"].map(String::from).to_vec();
        broker
    }

    /// Starts it on the same port with the same store.
    pub fn restart(&mut self) {
        let dir = self.folder.0.display();
        let config = format!(
            "listener {} 127.0.0.1\nuser root\npersistence true\npersistence_location {dir}/\nautosave_interval 1\nautosave_on_changes true\nlog_timestamp_format %Y-%m-%dT%H:%M:%S\n{}\n",
            self.port, self.extra
        );
        let file = self.folder.file("mosquitto.conf", &config);
        let log = std::fs::File::options().append(true).create(true).open(self.folder.0.join("log")).unwrap();
        let process = Command::new("mosquitto")
            .args(["-v", "-c"])
            .arg(file)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("mosquitto is installed");
        self.process = Some(process);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "mosquitto does not listen:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL: no goodbye to anybody.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Sends it `-STOP`, `-CONT` or `-HUP`.
    pub fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Publishes with QoS 1 and waits until the broker has it.
    pub fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        publish(
            self.port,
            topic,
            payload,
            &[&self.client_args.iter().map(String::as_str).collect::<Vec<_>>(), more].concat(),
        );
    }

    /// Returns when the broker has taken the subscription.
    pub fn subscribe(&self, topic: &str) -> Subscriber {
        let id = format!("watcher-{}", FOLDERS.fetch_add(1, Ordering::Relaxed));
        let mut args: Vec<&str> = self.client_args.iter().map(String::as_str).collect();
        args.extend(["-i", &id]);
        let subscriber = Subscriber::start(self.port, topic, &args);
        let (taken, deadline) =
            (format!("Sending SUBACK to {id}\n"), Instant::now() + Duration::from_secs(15));
        while !self.log().contains(&taken) {
            assert!(Instant::now() < deadline, "{topic} is not subscribed:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        subscriber
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn publish(port: u16, topic: &str, payload: &str, more: &[&str]) {
    let mut client = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-t", topic, "-s"])
        .args(more)
        .stdin(Stdio::piped())
        .spawn()
        .expect("mosquitto-clients is installed");
    client.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
    assert!(client.wait().unwrap().success(), "publishing on {topic} works");
}

/// Clears a retained topic.
pub fn clear(port: u16, topic: &str) {
    let done = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-t", topic, "-r", "-n"])
        .status();
    assert!(done.unwrap().success());
}

/// `mosquitto_sub` in the background.
pub struct Subscriber {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Subscriber {
    pub fn start(port: u16, topic: &str, more: &[&str]) -> Self {
        let mut process = Command::new("mosquitto_sub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-q",
                "1",
                "-t",
                topic,
                "-d",
                "-F",
                "%r %t %p",
            ])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("mosquitto-clients is installed");
        let out = BufReader::new(process.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { process, lines }
    }

    /// The lines that have come since this was asked last, the client's own words among them.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.lines.try_iter()
    }

    /// The next line `RETAINED TOPIC PAYLOAD` that `fits`.
    #[track_caller]
    pub fn wait_for(&self, fits: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if fits(&line) => return line,
                Ok(_) => {}
                Err(error) => panic!("no such message came: {error}"),
            }
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A CA and a certificate for 127.0.0.1, made by openssl.
pub fn certificates(folder: &Path) {
    let run = |args: &[&str]| {
        let done = Command::new("openssl").current_dir(folder).args(args).stderr(Stdio::null()).status();
        assert!(done.unwrap().success(), "openssl {args:?}");
    };
    std::fs::write(
        folder.join("san"),
        "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n",
    )
    .unwrap();
    run(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=test ca",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ]);
    for name in ["server", "client"] {
        let (key, csr, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        run(&[
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
            &key,
            "-out",
            &csr,
        ]);
        run(&[
            "x509",
            "-req",
            "-in",
            &csr,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "san",
            "-out",
            &pem,
        ]);
    }
}
