//! The door under attack, with the whole program behind it: whoever is inside is answered, every call comes onto the glass,
//! and nothing of the attack is left afterwards.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::{call, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const SOON: Duration = Duration::from_secs(20);
const ATTACKERS: usize = 16;
/// Each with as many calls as this while it lasts.
const ROUNDS: usize = 5;
const CALLS: usize = 5;
/// The first round fills what is kept from then on: atlases, threads, what the allocator holds back. After it the memory
/// goes up and down by as much as this and grows no more; eight KiB that each visitor left behind would be seen.
const FILLED: usize = 1;
const GROWTH_KIB: u64 = 24 * 1024;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn ask(socket: &mut Socket, request: Value) -> Value {
    socket.send(Message::text(request.to_string())).await.unwrap();
    loop {
        let message = timeout(SOON, socket.next()).await.expect("an answer").unwrap().unwrap();
        let Ok(said) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else { continue };
        if said["re"] == request["req"] {
            return said;
        }
    }
}

async fn connect(port: u16) -> Option<Socket> {
    connect_async(format!("ws://127.0.0.1:{port}/ws")).await.ok().map(|(socket, _)| socket)
}

/// Says something and waits for the end, a while at most.
async fn say(port: u16, message: Message) {
    let Some(mut socket) = connect(port).await else { return };
    let _ = socket.send(message).await;
    let _ =
        timeout(Duration::from_millis(500), async { while let Some(Ok(_)) = socket.next().await {} }).await;
}

async fn raw(port: u16, request: &[u8]) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let _ = stream.write_all(request).await;
    let _ = timeout(Duration::from_millis(500), stream.read_to_end(&mut Vec::new())).await;
}

/// One way to mean harm.
async fn harm(port: u16, kind: usize) {
    match kind % 9 {
        0 => say(port, Message::text("a".repeat(70_000))).await,
        1 => say(port, Message::binary(vec![0; 60_000])).await,
        2 => say(port, Message::text("[".repeat(60_000))).await,
        3 => say(port, Message::text(r#"{"req":1,"type":"hello","token":"moiso_abc_def"}"#)).await,
        // Half a head, and gone.
        4 => raw(port, b"GET /ws HTTP/1.1\r\nHost: ").await,
        5 => {
            let filler = "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(3000);
            raw(port, format!("GET / HTTP/1.1\r\nHost: x\r\n{filler}\r\n").as_bytes()).await;
        }
        6 => {
            let mut request = format!("ws://127.0.0.1:{port}/ws").into_client_request().unwrap();
            request.headers_mut().insert("Origin", "http://evil.example".parse().unwrap());
            assert!(connect_async(request).await.is_err(), "a foreign page came in");
        }
        7 => {
            raw(port, b"POST /api/recording HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\nRIFF")
                .await;
        }
        // Takes the picture and reads nothing of it.
        _ => {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4096).unwrap();
            let Ok(mut stream) = socket.connect(([127, 0, 0, 1], port).into()).await else { return };
            let _ = stream.write_all(b"GET /board.png HTTP/1.1\r\nHost: x\r\n\r\n").await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Resident memory in KiB, and open descriptors.
fn held(daemon: &Daemon) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let files = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    (rss.split_whitespace().next().unwrap().parse().unwrap(), files)
}

/// Calls that were on the glass.
fn drawn(daemon: &Daemon) -> usize {
    daemon.kept("calls", "drawn IS NOT NULL")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attack_on_the_door_costs_no_call_no_answer_and_no_memory() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let port = daemon.port();
    let mut inside = connect(port).await.unwrap();
    assert_eq!(
        ask(&mut inside, json!({ "req": 1, "type": "hello", "token": daemon.token() })).await["ok"],
        true
    );
    let (_, files_before) = held(&daemon);
    let (over, tried) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let attack: Vec<_> = (0..ATTACKERS)
        .map(|who| {
            let (over, tried) = (Arc::clone(&over), Arc::clone(&tried));
            tokio::spawn(async move {
                let mut kind = who;
                while !over.load(Ordering::Relaxed) {
                    harm(port, kind).await;
                    kind += 1;
                    tried.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut kib = Vec::new();
    for round in 0..ROUNDS {
        for n in 0..CALLS {
            let (id, ticket) = (format!("c-{round}-{n}"), format!("A{:03}", round * CALLS + n));
            let counter = (1 + n).to_string();
            let wanted = round * CALLS + n + 1;
            tokio::task::block_in_place(|| {
                broker.publish("moiso/dong-da/call", &call(&id, &ticket, &counter, "call"), &[]);
                until(SOON, "the call is on the glass", || drawn(&daemon) == wanted);
            });
            let asked = json!({ "req": 10 + wanted, "type": "notice.list" });
            assert_eq!(ask(&mut inside, asked).await["ok"], true);
        }
        let before = tried.load(Ordering::Relaxed);
        tokio::task::block_in_place(|| {
            until(Duration::from_secs(60), "the attack goes on", || {
                tried.load(Ordering::Relaxed) > before + 1000
            });
        });
        kib.push(held(&daemon).0);
    }
    over.store(true, Ordering::Relaxed);
    for one in attack {
        one.await.unwrap();
    }
    println!("{} tries; resident KiB after each round {kib:?}", tried.load(Ordering::Relaxed));
    assert!(kib[ROUNDS - 1] < kib[FILLED] + GROWTH_KIB, "memory stays flat: {kib:?}");
    // What was left half open is closed by its time limit.
    tokio::task::block_in_place(|| {
        until(Duration::from_secs(30), "every place is given back", || held(&daemon).1 <= files_before + 2);
    });
    assert_eq!(ask(&mut inside, json!({ "req": 99, "type": "notice.list" })).await["ok"], true);
    assert!(daemon.detail()["verdict"] != "failed");
}
