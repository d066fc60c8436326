//! A cable between a client and a broker that a test can cut, or make swallow everything in silence.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part, and a test may panic")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Cable {
    Whole,
    /// Every connection ends at once.
    Cut,
    /// Connections stay open and nothing comes through: a router that forgot them.
    Silent,
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
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = broker.into_split();
    let mut cut = cable.clone();
    tokio::select! {
        () = copy(from_client, to_broker, cable.clone()) => {}
        () = copy(from_broker, to_client, cable) => {}
        _ = cut.wait_for(|c| *c == Cable::Cut) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cable: watch::Receiver<Cable>) {
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        if *cable.borrow() == Cable::Whole && to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}
