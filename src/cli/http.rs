//! Plain HTTP to the daemon: one request a connection.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::client::Wire;

/// What is asked.
#[derive(Copy, Clone, Debug)]
pub(super) struct Request<'t> {
    pub method: &'t str,
    pub path: &'t str,
    pub host: &'t str,
    pub token: Option<&'t str>,
    pub body: &'t [u8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Asks and reads the answer to its end, at most `most` bytes; none when it is cut or no HTTP.
pub(super) async fn ask(
    mut wire: impl Wire,
    request: Request<'_>,
    most: u64,
) -> std::io::Result<Option<Answer>> {
    let Request { method, path, host, token, body } = request;
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let length = body.len();
    // 1.0: its answer comes whole and ends with the connection, also through a proxy.
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\n{token}Content-Length: {length}\r\n\r\n");
    wire.write_all(head.as_bytes()).await?;
    // A daemon that refuses need not take all of it; its answer says why.
    let _ = wire.write_all(body).await;
    let _ = wire.flush().await;
    let mut answer = Vec::new();
    let read = wire.take(most).read_to_end(&mut answer).await;
    // One that closes without a goodbye has answered all the same.
    if answer.is_empty() {
        read?;
    }
    Ok(read_answer(answer))
}

fn read_answer(mut answer: Vec<u8>) -> Option<Answer> {
    let cut = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let body = answer.split_off(cut + 4);
    let head = String::from_utf8(answer).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse::<usize>().ok() } else { None }
    });
    length.is_none_or(|length| length == body.len()).then_some(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_all_of_a_body_or_none() {
        let read = |text: &str| read_answer(text.as_bytes().to_vec());
        let whole = Answer { status: 200, body: b"{}".to_vec() };
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Some(whole.clone()));
        assert_eq!(read("HTTP/1.0 200 OK\r\n\r\n{}"), Some(whole), "its end is that of the connection");
        assert_eq!(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}"), None, "cut");
        for none in ["", "HTTP", "\r\n\r\n", "HTTP/1.1 abc\r\n\r\n{}"] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}
