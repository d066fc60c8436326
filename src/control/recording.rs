//! Takes what an operator has recorded: `POST /api/recording` with a sound file as its body.
//!
//! The answer is the id that a notice then names. Nothing is heard in the hall by it: the board decides that, as for any
//! notice.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::auth::Role;
use super::fault::{Code, Fault};
use super::listen::{let_in, refuse};
use super::page::fresh;
use super::socket::is_own;
use super::{Console, Peer};
use crate::audio::message::{self, FILE_MAX, SECONDS_MAX, SECONDS_MIN, Unfit};
use crate::audio::shelf::{self, ShelfError};
use crate::board::call::RecordingId;
use crate::journal::Record;
use crate::speech::RATE_HZ;

/// Files that come in at once, each held whole in memory.
const COMING_IN: usize = 3;
/// A hall's own network takes a second for the largest file.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// Whoever waits longer for those before is sent away.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Places for those who send, and whose turn it is to be decoded: two would only take each other's processor.
pub(super) struct Uploads {
    coming_in: Semaphore,
    decoding: Arc<Semaphore>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { coming_in: Semaphore::new(COMING_IN), decoding: Arc::new(Semaphore::new(1)) }
    }
}

/// A sound file in, `{"recording": ID, "seconds": LENGTH}` out. The token of a session comes as `Authorization: Bearer`.
pub(super) async fn upload(
    State(console): State<Arc<Console>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !is_own(&headers) {
        tracing::info!(peer = %peer.0, "a foreign page sent a recording");
        return refuse(StatusCode::FORBIDDEN, &Fault::forbidden());
    }
    let grant = match let_in(&console, peer, &headers).await {
        Ok(grant) if grant.role >= Role::Operator => grant,
        Ok(_) => return refuse(StatusCode::FORBIDDEN, &Fault::forbidden()),
        Err(refusal) => return refusal,
    };
    let taken = match read(&console, body).await {
        Ok(file) => keep(&console, file).await,
        Err(refusal) => Err(refusal),
    };
    match taken {
        Ok((recording, seconds)) => {
            tracing::info!(%recording, seconds, by = grant.name, "a message was recorded");
            audit(&console, grant.name, &recording, seconds);
            fresh(StatusCode::OK, &json!({ "recording": recording.as_str(), "seconds": seconds }))
        }
        Err((status, fault)) => refuse(status, &fault),
    }
}

type Refusal = (StatusCode, Fault);

fn wrong(words: impl Into<String>) -> Refusal {
    (StatusCode::UNPROCESSABLE_ENTITY, Fault::invalid("recording", words))
}

fn busy() -> Refusal {
    (StatusCode::SERVICE_UNAVAILABLE, Fault::busy())
}

async fn read(console: &Console, body: Body) -> Result<Vec<u8>, Refusal> {
    let too_large = || {
        let words = format!("Tệp lớn quá {} MB.", FILE_MAX / 1024 / 1024);
        (StatusCode::PAYLOAD_TOO_LARGE, Fault::invalid("recording", words))
    };
    let Ok(_place) = console.uploads.coming_in.try_acquire() else { return Err(busy()) };
    match timeout(BODY_WITHIN, to_bytes(body, FILE_MAX)).await {
        Ok(Ok(file)) => Ok(file.into()),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            Err((StatusCode::REQUEST_TIMEOUT, Fault::invalid("recording", "Gửi tệp quá lâu, hãy thử lại.")))
        }
    }
}

/// The id and the length in seconds, to a tenth.
async fn keep(console: &Console, file: Vec<u8>) -> Result<(RecordingId, f64), Refusal> {
    let turns = Arc::clone(&console.uploads.decoding);
    let Ok(Ok(turn)) = timeout(TURN_WITHIN, turns.acquire_owned()).await else {
        return Err(busy());
    };
    let Ok(wanted) = shelf::wanted(&console.control.hub).await else {
        return Err((StatusCode::SERVICE_UNAVAILABLE, Fault::stopping()));
    };
    let shelf = console.control.shelf.clone();
    let kept = tokio::task::spawn_blocking(move || {
        // It ends with the decoding, whether or not the client still waits.
        let _turn = turn;
        let sound = message::fit(file).map_err(|unfit| wrong(words(&unfit)))?;
        let seconds = (sound.len() as f64 / f64::from(RATE_HZ) * 10.0).round() / 10.0;
        let recording = shelf.put(&sound, &wanted).map_err(|error| not_kept(&error))?;
        Ok((recording, seconds))
    });
    kept.await.unwrap_or_else(|error| {
        tracing::error!(%error, "reading a recording has failed");
        Err(wrong(UNREADABLE))
    })
}

const UNREADABLE: &str = "Không đọc được tệp này. Dùng được tệp WAV, FLAC, Ogg (Vorbis, Opus) và MP3.";

fn words(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Unreadable(why) => {
            tracing::info!(why, "a recording cannot be read");
            UNREADABLE.to_owned()
        }
        Unfit::TooLong => format!("Lời nhắn dài quá {SECONDS_MAX} giây, hãy ghi ngắn lại."),
        Unfit::TooShort => format!("Lời nhắn quá ngắn, cần ít nhất {SECONDS_MIN} giây có tiếng."),
        Unfit::Silent => "Không nghe thấy tiếng trong bản ghi. Hãy kiểm tra micrô rồi ghi lại.".to_owned(),
        Unfit::Clipped => "Tiếng bị vỡ vì quá to. Hãy nói xa micrô hơn hoặc giảm mức ghi âm.".to_owned(),
    }
}

fn not_kept(error: &ShelfError) -> Refusal {
    match error {
        ShelfError::Full => {
            let words = "Đã lưu quá nhiều lời nhắn, hãy kết thúc bớt thông báo có ghi âm.";
            (StatusCode::INSUFFICIENT_STORAGE, Fault::new(Code::TooMany, words))
        }
        ShelfError::Encode(_) | ShelfError::Write { .. } => {
            tracing::error!(%error, "a recording is not kept");
            let words = "Máy này không lưu được bản ghi âm, hãy báo người quản trị.";
            (StatusCode::INSUFFICIENT_STORAGE, Fault::new(Code::Unsupported, words))
        }
    }
}

fn audit(console: &Console, who: String, recording: &RecordingId, seconds: f64) {
    if let Some(journal) = &console.control.journal {
        let (at, topic) = (console.control.clock.now().wall, format!("recording/{recording}"));
        journal.write(Record::Audit { at, who, topic, payload: json!({ "seconds": seconds }).to_string() });
    }
}
