//! Measures what the operators' door can bear: notices, sessions, and the memory after ten thousand connections that came
//! and went. Run by hand; docs/performance.md has the figures:
//!
//!     cargo test --release --test load -- --ignored --nocapture

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use support::mosquitto::{Mosquitto, free_port};
use support::{call, moiso, self_signed, until};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

const SOON: Duration = Duration::from_secs(20);
/// As many as may be signed in.
const SESSIONS: usize = 64;
const CONNECTIONS: usize = 10_000;

/// The program with a config, a token and a certificate of its own.
struct Door {
    child: Child,
    _folder: tempfile::TempDir,
    port: u16,
    token: String,
    tls: Option<TlsConnector>,
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

type Socket = WebSocketStream<Box<dyn Wire>>;

impl Door {
    fn open(broker: &Mosquitto, with_tls: bool) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let tls = with_tls.then(|| certificate(folder.path()));
        let at = |name: &str| folder.path().join(name).display().to_string();
        let files =
            format!("[control.tls]\ncert = \"{}\"\nkey = \"{}\"\n", at("console.pem"), at("console.key"));
        let config = format!(
            "[screen]\npresent = \"headless\"\nsize = \"1280x720\"\n[hours]\nenabled = false\n[audio]\nenabled = false\n\
             [mqtt]\nbrokers = [\"mqtt://127.0.0.1:{}\"]\n[control]\nlisten = \"127.0.0.1:{port}\"\n{}[paths]\nstate = \"{}\"\n",
            broker.port,
            if with_tls { &files } else { "" },
            at("state"),
        );
        let file = at("moiso.toml");
        std::fs::write(&file, config).unwrap();
        let made = moiso(&["--config", &file, "token", "add", "--role", "operator", "--name", "Tải"]);
        let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let child = Command::new(env!("CARGO_BIN_EXE_moiso"))
            .args(["--config", &file, "run"])
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let log = folder.path().join("log");
        until(SOON, "the link is up", || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains("link is up"))
        });
        until(SOON, "the door is open", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, _folder: folder, port, token, tls }
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Wire>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => {
                let name = ServerName::try_from("127.0.0.1").unwrap();
                Ok(Box::new(tls.connect(name, stream).await?))
            }
        }
    }

    async fn socket(&self) -> Option<Socket> {
        let stream = self.connect().await.ok()?;
        let url = format!("ws://127.0.0.1:{}/ws", self.port);
        client_async(url, stream).await.ok().map(|(socket, _)| socket)
    }

    async fn session(&self) -> Socket {
        let mut socket = self.socket().await.expect("there is room");
        let reply = ask(&mut socket, json!({ "req": 1, "type": "hello", "token": self.token })).await;
        assert_eq!(reply["ok"], true, "{reply}");
        socket
    }

    /// Resident memory in KiB, and open descriptors.
    fn held(&self) -> (u64, usize) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count();
        (rss.split_whitespace().next().unwrap().parse().unwrap(), files)
    }

    /// Processor seconds so far.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (after[11].parse::<f64>().unwrap() + after[12].parse::<f64>().unwrap()) / 100.0
    }
}

/// A certificate that nobody has signed but itself, and a client that trusts it.
fn certificate(folder: &Path) -> TlsConnector {
    // A client takes no authority for a server.
    self_signed(folder, "load", &["-addext", "basicConstraints=critical,CA:FALSE"]);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("console.pem")).unwrap()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn ask(socket: &mut Socket, request: Value) -> Value {
    let req = request["req"].clone();
    socket.send(Message::text(request.to_string())).await.unwrap();
    loop {
        let message = tokio::time::timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
        let Ok(text) = message.into_text() else { continue };
        let Ok(said) = serde_json::from_str::<Value>(&text) else { continue };
        if said["re"] == req {
            return said;
        }
    }
}

/// The middle and the slow end of some times, in milliseconds.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
    format!("p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms", at(50), at(99), at(100))
}

/// Each session puts notices as fast as it may, over and over the same one: all live notices stay within their number.
async fn notices(door: &Arc<Door>, sessions: usize) {
    const EACH: u64 = 60;
    // One after the other: an address holds eight places of those who have not signed in.
    let mut sockets = Vec::new();
    for _ in 0..sessions {
        sockets.push(door.session().await);
    }
    let (start, cpu) = (Instant::now(), door.cpu());
    let all: Vec<_> = sockets
        .into_iter()
        .enumerate()
        .map(|(n, mut socket)| {
            tokio::spawn(async move {
                let (mut times, mut refused) = (Vec::new(), 0);
                for req in 2..2 + EACH {
                    let put = json!({ "req": req, "type": "notice.put", "id": format!("n{}", n % 40), "text": format!("Thông báo {req}") });
                    let asked = Instant::now();
                    let reply = ask(&mut socket, put).await;
                    times.push(asked.elapsed());
                    if reply["ok"] != true {
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
                (times, refused)
            })
        })
        .collect();
    let (mut times, mut refused) = (Vec::new(), 0);
    for one in all {
        let (some, more) = one.await.unwrap();
        times.extend(some);
        refused += more;
    }
    let (took, put) = (start.elapsed().as_secs_f64(), times.len() - refused);
    println!(
        "notices: {sessions} sessions, {put} put in {took:.1} s ({:.0} a second), {refused} told to slow down, answered {}; processor {:.2} s",
        put as f64 / took,
        spread(times),
        door.cpu() - cpu
    );
}

/// How long a call on the broker takes to every session that looks on.
async fn lookers(door: &Arc<Door>, broker: &Mosquitto) {
    let (before, _) = door.held();
    let mut sockets = Vec::new();
    for _ in 0..SESSIONS {
        let mut socket = door.session().await;
        ask(&mut socket, json!({ "req": 2, "type": "subscribe", "topics": ["view", "notices", "health", "proofs", "screens", "speech"] })).await;
        sockets.push(socket);
    }
    let (with, _) = door.held();
    let mut times = Vec::new();
    for n in 0..20 {
        let ticket = format!("L{n:03}");
        let start = Instant::now();
        broker.publish(
            "moiso/dong-da/call",
            &call(&format!("l-{n}-{}", door.port), &ticket, "5", "call"),
            &[],
        );
        let waiting = sockets.iter_mut().map(|socket| async {
            while let Some(Ok(message)) = socket.next().await {
                if message
                    .to_text()
                    .is_ok_and(|text| text.contains(r#""event":"view""#) && text.contains(&ticket))
                {
                    break;
                }
            }
            start.elapsed()
        });
        times.extend(tokio::time::timeout(SOON, futures_util::future::join_all(waiting)).await.unwrap());
    }
    println!(
        "sessions: {SESSIONS} that see all, {} KiB each; a call is with each after {} (the publishing program included)",
        (with.saturating_sub(before)) / SESSIONS as u64,
        spread(times)
    );
}

/// One that comes and goes: asks for a page, opens a WebSocket and says nothing, is refused, or leaves in the middle.
async fn visit(door: &Door, n: usize) {
    match n % 4 {
        0 => {
            let Ok(mut stream) = door.connect().await else { return };
            let _ = stream.write_all(b"GET /api/now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        1 => {
            let Some(mut socket) = door.socket().await else { return };
            let _ = socket.send(Message::text(r#"{"req":1,"type":"notice.list"}"#)).await;
            while let Some(Ok(_)) = socket.next().await {}
        }
        2 => {
            let Some(socket) = door.socket().await else { return };
            drop(socket);
        }
        _ => {
            let Ok(mut stream) = door.connect().await else { return };
            let _ = stream.write_all(b"GET /ws HTTP/1.1\r\nHost: ").await;
        }
    }
}

async fn visitors(door: &Arc<Door>) {
    const AT_ONCE: usize = 16;
    let start = Instant::now();
    let mut told = vec![door.held()];
    for round in 0..5 {
        let each = CONNECTIONS / 5 / AT_ONCE;
        let all: Vec<_> = (0..AT_ONCE)
            .map(|who| {
                let door = Arc::clone(door);
                tokio::spawn(async move {
                    for n in 0..each {
                        visit(&door, who + n + round).await;
                    }
                })
            })
            .collect();
        for one in all {
            one.await.unwrap();
        }
        told.push(door.held());
    }
    let took = start.elapsed();
    // What a visitor left half open is closed by then.
    tokio::time::sleep(Duration::from_secs(8)).await;
    told.push(door.held());
    let kib: Vec<u64> = told.iter().map(|(kib, _)| *kib).collect();
    let files: Vec<usize> = told.iter().map(|(_, files)| *files).collect();
    println!(
        "visitors: {CONNECTIONS} in {:.1} s; resident KiB {kib:?}; descriptors {files:?} (before, after each fifth, 8 s later)",
        took.as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures, and takes two minutes: cargo test --test load -- --ignored --nocapture"]
async fn what_the_door_can_bear() {
    for with_tls in [false, true] {
        let broker = Mosquitto::start();
        let door = Arc::new(Door::open(&broker, with_tls));
        println!("== {}", if with_tls { "over TLS" } else { "plain" });
        notices(&door, 1).await;
        notices(&door, 40).await;
        lookers(&door, &broker).await;
        visitors(&door).await;
        visitors(&door).await;
    }
}
