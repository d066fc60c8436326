//! Sends a sound file to the daemon: the one request of the command line that is plain HTTP, as the page's own is.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::client::{ClientError, verdict, wire};
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
    let exchange = exchange(url, &place, token, sound, config);
    let unreachable =
        |why: std::io::Error| ClientError::Unreachable { url: url.to_owned(), why: why.to_string() };
    let answer = tokio::time::timeout(WITHIN, exchange).await.map_err(|_| ClientError::Late(WITHIN))?;
    read(&answer.map_err(unreachable)?)
}

async fn exchange(
    url: &str,
    place: &Place,
    token: &str,
    sound: &[u8],
    config: &Config,
) -> std::io::Result<Vec<u8>> {
    let mut wire = wire(place, config).await?;
    let (host, path) = whereto(url);
    let length = sound.len();
    // 1.0: its answer comes whole and ends with the connection, also through a proxy.
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
    );
    wire.write_all(head.as_bytes()).await?;
    // A daemon that refuses need not take all of it; its answer says why.
    let _ = wire.write_all(sound).await;
    let _ = wire.flush().await;
    let mut answer = Vec::new();
    let read = wire.take(ANSWER_MAX).read_to_end(&mut answer).await;
    // One that closes without a goodbye has answered all the same.
    if answer.is_empty() { read.map(|_| answer) } else { Ok(answer) }
}

/// The `Host` of a WebSocket's address, and where its recordings go: beside the WebSocket, also behind a proxy's prefix.
fn whereto(url: &str) -> (&str, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, "ws"));
    let prefix = path.rsplit_once('/').map_or(String::new(), |(prefix, _)| format!("/{prefix}"));
    (host, format!("{prefix}/api/recording"))
}

/// The daemon's answer as a reply of the WebSocket would be.
fn read(answer: &[u8]) -> Result<Value, ClientError> {
    let broken = || ClientError::Broken("the daemon's answer is no HTTP".to_owned());
    let cut = answer.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(broken)?;
    let status: u16 =
        answer.get(9..12).and_then(|s| std::str::from_utf8(s).ok()?.parse().ok()).ok_or_else(broken)?;
    let said = serde_json::from_slice::<Value>(&answer[cut + 4..]);
    let mut said = said.map_err(|_| ClientError::Broken(format!("HTTP {status}")))?;
    if !said.is_object() {
        said = json!({});
    }
    said["ok"] = (status == 200).into();
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
        let kept = b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"recording\":\"ab\",\"seconds\":3}";
        assert_eq!(read(kept).unwrap()["recording"], "ab");
        let refused =
            b"HTTP/1.1 422 Unprocessable\r\n\r\n{\"error\":{\"code\":\"invalid\",\"message\":\"x\"}}";
        assert!(matches!(read(refused), Err(ClientError::Refused(refusal)) if refusal.code == "invalid"));
        assert!(matches!(read(b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>"), Err(ClientError::Broken(_))));
        for none in [&b""[..], b"HTTP", b"\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n{}"] {
            assert!(matches!(read(none), Err(ClientError::Broken(_))));
        }
    }
}
