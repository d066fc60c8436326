//! Who visits the daemon of a soak over HTTP and WebSocket.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;

use super::super::client::Client;
use super::super::http::{self, Request};
use crate::config::Config;

/// For an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer that is read: a picture.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;
/// Ids of the notices that come and go.
const NOTICES: [&str; 2] = ["soak-1", "soak-2"];

/// How the daemon is reached.
#[derive(Clone)]
pub struct Door {
    pub address: SocketAddr,
    pub token: String,
}

impl Door {
    /// What it answers on a path; none when it does not answer in time.
    pub async fn get(&self, path: &str) -> Option<Vec<u8>> {
        tokio::time::timeout(PATIENCE, self.ask(path)).await.ok()?
    }

    async fn ask(&self, path: &str) -> Option<Vec<u8>> {
        let stream = TcpStream::connect(self.address).await.ok()?;
        let host = self.address.to_string();
        let request = Request { method: "GET", path, host: &host, token: None, body: &[] };
        let answer = http::ask(stream, request, ANSWER_MAX).await.ok()??;
        (answer.status == 200).then_some(answer.body)
    }

    async fn enter(&self) -> Option<Client> {
        // There is no TLS whose certificates a config would name.
        let mut client =
            Client::connect(&format!("ws://{}/ws", self.address), &Config::default()).await.ok()?;
        client.ask(json!({ "type": "hello", "token": self.token })).await.ok()?;
        Some(client)
    }

    /// Signs in, listens for `span`, and goes without a word; whether it came in.
    pub async fn session(&self, span: Duration) -> bool {
        let Some(mut client) = self.enter().await else { return false };
        let topics = ["view", "notices", "health", "proofs", "screens"];
        let subscribed = client.ask(json!({ "type": "subscribe", "topics": topics })).await.is_ok();
        let listens = async { while client.event().await.is_ok() {} };
        let _ = tokio::time::timeout(span, listens).await;
        subscribed
    }

    /// What a phone asks for; whether it got all of it.
    pub async fn phone(&self) -> bool {
        let mut all = true;
        for path in ["/now", "/board.png", "/api/view"] {
            all &= self.get(path).await.is_some();
        }
        all
    }

    /// Puts two notices, one of which is spoken; whether both were taken.
    pub async fn put_notices(&self) -> bool {
        let Some(mut client) = self.enter().await else { return false };
        let mut all = true;
        for (id, text, speak) in [
            (NOTICES[0], "Quầy số 4 tạm nghỉ đến 10 giờ", true),
            (NOTICES[1], "Công dân được gửi xe miễn phí", false),
        ] {
            let put = json!({
                "type": "notice.put", "id": id, "text": { "vi": text }, "level": "info", "for_s": 36_000,
                "speak": speak,
            });
            all &= client.ask(put).await.is_ok();
        }
        client.leave().await;
        all
    }

    /// Ends them.
    pub async fn end_notices(&self) {
        let Some(mut client) = self.enter().await else { return };
        for id in NOTICES {
            let _ = client.ask(json!({ "type": "notice.delete", "id": id })).await;
        }
        client.leave().await;
    }
}
