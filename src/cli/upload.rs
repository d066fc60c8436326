//! Sends a sound file to the daemon: the one request of the command line that is plain HTTP, as the page's own is.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{ClientError, verdict, wire};
use super::http::{self, Answer, Request};
use super::trust::Place;
use crate::config::Config;

/// For the whole exchange: ten megabytes over a slow network, and the daemon makes a minute of sound even.
const WITHIN: Duration = Duration::from_secs(60);
/// Largest answer that is read.
const ANSWER_MAX: u64 = 64 * 1024;

/// Posts `sound` to the daemon whose WebSocket is at `url`.
///
/// # Errors
/// [`ClientError`].
pub async fn recording(url: &str, token: &str, sound: &[u8], config: &Config) -> Result<Value, ClientError> {
    let place = Place::of(url).ok_or_else(|| ClientError::Address(url.to_owned()))?;
    let (host, path) = whereto(url);
    let request = Request { method: "POST", path: &path, host, token: Some(token), body: sound };
    let exchange = async { http::ask(wire(&place, config).await?, request, ANSWER_MAX).await };
    let unreachable =
        |why: std::io::Error| ClientError::Unreachable { url: url.to_owned(), why: why.to_string() };
    let answer = tokio::time::timeout(WITHIN, exchange).await.map_err(|_| ClientError::Late(WITHIN))?;
    let no_http = || ClientError::Broken("the daemon's answer is cut or no HTTP".to_owned());
    read(&answer.map_err(unreachable)?.ok_or_else(no_http)?)
}

/// The `Host` of a WebSocket's address, and where its recordings go: beside the WebSocket, also behind a proxy's prefix.
fn whereto(url: &str) -> (&str, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, "ws"));
    let prefix = path.rsplit_once('/').map_or(String::new(), |(prefix, _)| format!("/{prefix}"));
    (host, format!("{prefix}/api/recording"))
}

/// The daemon's answer as a reply of the WebSocket would be.
fn read(answer: &Answer) -> Result<Value, ClientError> {
    let said = serde_json::from_slice::<Value>(&answer.body);
    let mut said = said.map_err(|_| ClientError::Broken(format!("HTTP {}", answer.status)))?;
    if !said.is_object() {
        said = json!({});
    }
    said["ok"] = (answer.status == 200).into();
    verdict(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_goes_beside_the_websocket() {
        for (url, host, path) in [
            ("ws://127.0.0.1:8088/ws", "127.0.0.1:8088", "/api/recording"),
            ("wss://[::1]:8088/ws", "[::1]:8088", "/api/recording"),
            ("wss://sanh.example/mot-cua/ws", "sanh.example", "/mot-cua/api/recording"),
        ] {
            assert_eq!(whereto(url), (host, path.to_owned()));
        }
    }

    #[test]
    fn an_answer_is_a_recording_or_the_daemons_own_words() {
        let answer = |status: u16, body: &str| read(&Answer { status, body: body.into() });
        assert_eq!(answer(200, r#"{"recording":"ab","seconds":3}"#).unwrap()["recording"], "ab");
        let refused = answer(422, r#"{"error":{"code":"invalid","message":"x"}}"#);
        assert!(matches!(refused, Err(ClientError::Refused(refusal)) if refusal.code == "invalid"));
        assert!(matches!(answer(502, "<html>"), Err(ClientError::Broken(_))));
    }
}
