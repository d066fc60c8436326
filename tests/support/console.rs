//! A console on a free port, with a hub that remembers what it was given, and clients for it.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use moiso::audio::shelf::Shelf;
use moiso::board::call::Counter;
use moiso::board::input::{IgnoreReason, Input};
use moiso::board::state::{CounterMode, Notice};
use moiso::board::view::{BoardView, CounterView, SharedView};
use moiso::clock::{Clock, ManualClock};
use moiso::config::{Config, TlsConfig};
use moiso::control::auth::{Auth, Role};
use moiso::control::listen::Rehearsal;
use moiso::control::tls::Tls;
use moiso::control::{Control, HallFacts, Pictures, Verdict, serve};
use moiso::hub::{HubHandle, Publication, Request, Sent, Speech, Taken};
use moiso::journal::Journal;
use moiso::screens::Screens;
use moiso::wire::{Command, Proof};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What a test may wait for a fact.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What the hub was given.
#[derive(Debug, Default)]
pub struct Given {
    pub inputs: Vec<Input>,
    pub published: Vec<Publication>,
    pub notices: Vec<Notice>,
    seen: HashSet<String>,
}

impl Given {
    fn take(&mut self, input: Input) -> Taken {
        match &input {
            Input::CallReceived(call) if !self.seen.insert(call.id.to_string()) => {
                return Taken::Ignored(IgnoreReason::Duplicate);
            }
            Input::NoticePut(notice) => {
                self.notices.retain(|n| n.id != notice.id);
                self.notices.push(notice.clone());
            }
            Input::NoticeCleared { id } => self.notices.retain(|n| n.id != *id),
            _ => {}
        }
        self.inputs.push(input);
        Taken::Applied
    }
}

struct Picture(Vec<u8>);

impl Pictures for Picture {
    fn snapshot(&self) -> BoxFuture<'static, Option<Vec<u8>>> {
        let png = self.0.clone();
        Box::pin(async move { Some(png) })
    }
}

/// What a console is made of, where a test cares.
pub struct Parts {
    pub auth: Arc<Auth>,
    pub picture: Vec<u8>,
    pub journal: Option<Journal>,
    pub tls: Option<TlsConfig>,
    pub config: Config,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            auth: Arc::new(Auth::in_memory()),
            picture: b"not really a picture".to_vec(),
            journal: None,
            tls: None,
            config: Config::default(),
        }
    }
}

/// A running console.
pub struct Console {
    pub address: SocketAddr,
    pub auth: Arc<Auth>,
    pub given: Arc<Mutex<Given>>,
    pub view: watch::Sender<SharedView>,
    pub screens: watch::Sender<Screens>,
    pub speech: watch::Sender<Speech>,
    pub proofs: broadcast::Sender<Proof>,
    pub health: Arc<Mutex<Verdict>>,
    /// The technician's commands that came through.
    pub commands: mpsc::Receiver<Command>,
    pub clock: Arc<ManualClock>,
    pub shelf: Shelf,
    pub recordings: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    pub served: JoinHandle<()>,
}

impl Console {
    pub async fn start() -> Self {
        Self::with(Auth::in_memory(), b"not really a picture".to_vec()).await
    }

    pub async fn with(auth: Auth, picture: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, Arc::new(auth), picture)
    }

    /// The same on a given socket: what a restart of the daemon is to a page.
    pub fn on(listener: TcpListener, auth: Arc<Auth>, picture: Vec<u8>) -> Self {
        Self::of(listener, Parts { auth, picture, ..Parts::default() })
    }

    pub async fn with_parts(parts: Parts) -> Self {
        Self::of(TcpListener::bind("127.0.0.1:0").await.unwrap(), parts)
    }

    fn of(listener: TcpListener, parts: Parts) -> Self {
        let config = parts.config;
        let auth = parts.auth;
        let (screens, screens_seen) = watch::channel(Screens::default());
        let since = moiso::clock::Now { mono: moiso::clock::Millis::ZERO, wall: now() };
        let (speech, speech_seen) = watch::channel(Speech { zones: Vec::new(), since });
        let proofs = broadcast::channel(16).0;
        let (to_commands, commands) = mpsc::channel(16);
        let health = Arc::new(Mutex::new(well()));
        let asked = Arc::clone(&health);
        let (requests, mut inbox) = mpsc::channel(64);
        let (view, views) = watch::channel(Arc::new(some_view(1)));
        let given = Arc::new(Mutex::new(Given::default()));
        let held = Arc::clone(&given);
        tokio::spawn(async move {
            while let Some(request) = inbox.recv().await {
                let mut given = held.lock().unwrap();
                match request {
                    Request::Push { input, publish, reply, .. } => {
                        given.published.push(publish);
                        let _ = reply.send(given.take(input));
                    }
                    Request::Input { input, reply } => {
                        let taken = given.take(input);
                        if let Some(reply) = reply {
                            let _ = reply.send(taken);
                        }
                    }
                    Request::Send { publish, reply, .. } => {
                        given.published.push(publish);
                        let _ = reply.send(Sent::OnItsWay);
                    }
                    Request::Notices { reply } => {
                        let _ = reply.send(given.notices.clone());
                    }
                    _ => {}
                }
            }
        });
        let address = listener.local_addr().unwrap();
        let recordings = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(recordings.path().join("recordings"));
        let clock = Arc::new(ManualClock::at(now()));
        let control = Control {
            hub: HubHandle { requests, views },
            pictures: Arc::new(Picture(parts.picture)),
            auth: Arc::clone(&auth),
            health: Arc::new(move || asked.lock().unwrap().clone()),
            metrics: Arc::new(|sessions| format!("moiso_sessions {sessions}\n")),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            hall: HallFacts::of(&config),
            proofs: proofs.clone(),
            commands: to_commands,
            journal: parts.journal,
            screens: screens_seen,
            speech: speech_seen,
            rehearsal: Some(Arc::new(Rehearsal::of(&config, shelf.clone()))),
            shelf: shelf.clone(),
            tls: parts.tls.map(|files| Arc::new(Tls::load(&files).unwrap())),
        };
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, control, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            auth,
            given,
            view,
            screens,
            speech,
            proofs,
            health,
            commands,
            clock,
            shelf,
            recordings,
            stop: Some(stop),
            served,
        }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// A client that has signed in.
    pub async fn signed_in(&self, role: Role) -> Client {
        let token = self.auth.one_time(role, "Quầy hướng dẫn");
        let mut client = Client::connect(&self.url()).await;
        let reply = client.ask(json!({ "type": "hello", "token": token })).await;
        assert_eq!(reply["ok"], true, "{reply}");
        client
    }

    /// One HTTP request, raw: what a browser that means harm could send too.
    pub async fn get(&self, path: &str, headers: &str) -> Answer {
        self.request("GET", path, headers, &[]).await
    }

    /// The same with a body.
    pub async fn post(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        self.request("POST", path, &format!("{headers}Content-Length: {}\r\n", body.len()), body).await
    }

    pub async fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let host = self.address;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // Who is refused before the end of the body need not take the rest of it.
        let _ = stream.write_all(body).await;
        let mut bytes = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        let cut = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..cut].to_vec()).unwrap();
        Answer {
            status: head[9..12].parse().unwrap(),
            head: head.to_lowercase(),
            body: bytes[cut + 4..].to_vec(),
        }
    }
}

pub struct Answer {
    pub status: u16,
    /// Lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A screen on which everything works.
pub fn well() -> Verdict {
    let screen = json!({
        "online": true, "session": 1_795_478_400_000_i64, "at": now().to_string(), "version": "0.1.0", "rank": 1,
        "zones": ["sanh"], "frames": 71_204, "frame_at": now().to_string(), "frame_hash": "0c7f2a9d11e05b34",
        "gpu": "Intel(R) UHD Graphics 630 (Vulkan, IntegratedGpu)", "present": "surface", "audio": "ok",
        "journal": "ok", "link": "127.0.0.1:1883", "skew_ms": 120, "backlog_s": 0, "shown": 212, "spoken": 209,
        "expired": 1, "rejected": 0,
    });
    let detail = json!({
        "screen": screen, "journal_problem": null, "link_problem": null, "stalled": false, "unanswered_s": 0,
        "rebuilds": 0, "volume_percent": 80, "unheard": [], "verdict": "ok", "parts": [],
    });
    Verdict { live: true, ready: true, parts: Vec::new(), detail }
}

/// A view of five open counters.
pub fn some_view(revision: u64) -> BoardView {
    let counter = |id: &str| CounterView {
        counter: Counter::parse(id).unwrap(),
        noun: "Quầy".to_owned(),
        label: Some("Hộ tịch".to_owned()),
        label_en: None,
        lanes: Vec::new(),
        mode: CounterMode::Open,
        ticket: moiso::board::call::Ticket::parse(&format!("A01{id}")).ok(),
        lane: moiso::board::call::Lane::Regular,
        slot: None,
        reopens: None,
        called: id == "5",
        called_at: None,
        known: true,
    };
    BoardView { revision, counters: ["1", "2", "3", "4", "5"].map(counter).to_vec(), ..BoardView::empty() }
}

/// 09:00 in the hall, and it stays so.
pub fn now() -> Timestamp {
    "2026-11-24T02:00:00Z".parse().unwrap()
}

/// One WebSocket client.
pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    req: u64,
    /// Events that came while a reply was awaited.
    events: Vec<Value>,
}

impl Client {
    pub async fn connect(url: &str) -> Self {
        let (socket, _) = connect_async(url).await.unwrap();
        Self { socket, req: 0, events: Vec::new() }
    }

    /// The HTTP status that a connection with this `Origin` is answered with; 101 when it is accepted.
    pub async fn status_with_origin(url: &str, origin: &str) -> u16 {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        match connect_async(request).await {
            Ok((_, answer)) => answer.status().as_u16(),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => answer.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Asks and returns the reply with its number.
    pub async fn ask(&mut self, mut request: Value) -> Value {
        self.req += 1;
        request["req"] = self.req.into();
        self.send(&request.to_string()).await;
        loop {
            let message = self.next().await.expect("the session is open");
            if message.get("event").is_some() {
                self.events.push(message);
            } else {
                assert_eq!(message["re"], self.req);
                return message;
            }
        }
    }

    /// The next event of a kind; others before it are passed over.
    pub async fn event(&mut self, kind: &str) -> Value {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.any_event()).await.expect("an event in time");
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// The next event of any kind. Safe to drop and ask again.
    pub async fn any_event(&mut self) -> Value {
        if !self.events.is_empty() {
            return self.events.remove(0);
        }
        loop {
            let message = self.socket.next().await.expect("the session is open").unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("an answer in time")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads to the end: the goodbye, if one was said.
    pub async fn ending(&mut self) -> Option<CloseFrame> {
        let mut goodbye = None;
        let all = async {
            while let Some(Ok(message)) = self.socket.next().await {
                if let Message::Close(frame) = message {
                    goodbye = frame;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(120), all).await.expect("the session ends");
        goodbye
    }

    /// The code of the goodbye.
    pub async fn ending_code(&mut self) -> u16 {
        self.ending().await.expect("a goodbye was said").code.into()
    }
}
