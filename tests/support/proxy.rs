//! A cable between a client and a broker that a test can cut, delay, narrow, or make swallow everything in silence.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part, and a test may panic")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Cable {
    Whole,
    /// Every connection ends at once.
    Cut,
    /// Connections stay open and nothing comes through: a router that forgot them. Nor does it ever know again one that
    /// has said something meanwhile.
    Silent,
    /// Every byte comes this much later.
    Late(Duration),
    /// So many bytes a second in each direction.
    Narrow(u64),
    /// The clients of the connections that were there are gone and the broker does not learn it: their next connections
    /// come to it while it holds the old ones for alive.
    Orphaned,
}

pub struct Proxy {
    pub address: SocketAddr,
    pub connections: Arc<AtomicU64>,
    cable: watch::Sender<Cable>,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cable, seen) = watch::channel(Cable::Whole);
        let connections = Arc::new(AtomicU64::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(join(client, port, seen.clone()));
            }
        });
        Self { address, connections, cable }
    }

    pub fn set(&self, cable: Cable) {
        self.cable.send_replace(cable);
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }
}

async fn join(client: TcpStream, port: u16, cable: watch::Receiver<Cable>) {
    if *cable.borrow() == Cable::Cut {
        return;
    }
    let Ok(broker) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    for end in [&client, &broker] {
        let _ = end.set_nodelay(true);
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = broker.into_split();
    // One that comes while others are orphans is a new one.
    let is_new = *cable.borrow() == Cable::Orphaned;
    let mut state = cable.clone();
    tokio::select! {
        () = pass(&mut from_client, &mut to_broker, cable.clone()) => return,
        () = pass(&mut from_broker, &mut to_client, cable.clone()) => return,
        _ = state.wait_for(|c| *c == Cable::Cut || (*c == Cable::Orphaned && !is_new)) => {}
    }
    drop((from_client, to_client));
    let mut forgotten = cable;
    let _ = forgotten.wait_for(|c| *c != Cable::Orphaned).await;
}

/// What is on its way in one direction.
const UNDERWAY: usize = 256;

async fn pass(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, cable: watch::Receiver<Cable>) {
    let (entrance, mut exit) = mpsc::channel::<(Instant, Vec<u8>)>(UNDERWAY);
    let swallowed = AtomicBool::new(false);
    let enter = async {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer).await {
            let state = *cable.borrow();
            let late = if let Cable::Late(late) = state { late } else { Duration::ZERO };
            let sent = (Instant::now() + late, buffer[..n].to_vec());
            if state == Cable::Silent {
                swallowed.store(true, Ordering::Relaxed);
            } else if swallowed.load(Ordering::Relaxed) || entrance.send(sent).await.is_err() {
                return;
            }
        }
        drop(entrance);
    };
    let leave = async {
        while let Some((due, bytes)) = exit.recv().await {
            sleep_until(due).await;
            let state = *cable.borrow();
            if state == Cable::Silent {
                swallowed.store(true, Ordering::Relaxed);
            } else if to.write_all(&bytes).await.is_err() {
                return;
            }
            if let Cable::Narrow(a_second) = state {
                sleep(Duration::from_millis(bytes.len() as u64 * 1000 / a_second.max(1))).await;
            }
        }
    };
    tokio::pin!(leave);
    tokio::select! {
        // What has entered leaves, though nothing follows it.
        () = enter => leave.await,
        () = &mut leave => {}
    }
}
