//! The very samples that the hall hears, for an operator's own ears: `GET /api/announcement`.
//!
//! It never touches the loudspeakers: sentences are planned and mixed here, one at a time, on a thread where waiting
//! harms nobody, with a voice that is loaded when somebody first asks.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::auth::Grant;
use super::fault::Fault;
use super::order::{self, Around};
use super::page::fresh;
use super::{Console, Peer};
use crate::audio::clips::Clips;
use crate::audio::narrator::Narrator;
use crate::audio::shelf::Shelf;
use crate::audio::sounds::{self, Heard};
use crate::audio::{self, wav};
use crate::board::input::{Form, Message};
use crate::board::state::TEXT_MAX;
use crate::clock::Millis;
use crate::config::Config;
use crate::speech::RATE_HZ;

/// Whoever waits longer for those before is sent away.
const TURN_WITHIN: Duration = Duration::from_secs(5);
/// Most repeats of one sentence, as for `moiso say`.
const REPEATS_MAX: u8 = 5;
/// Longer sound is not mixed: the longest notice that can be spoken is shorter.
const SECONDS_MAX: u64 = 120;
/// Says what is spoken, percent-encoded UTF-8.
const TEXT_HEADER: &str = "x-announcement-text";
/// Says which words the voice lacks, percent-encoded and separated by commas.
const MISSING_HEADER: &str = "x-announcement-missing";

/// A sentence that somebody wants to hear.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub message: Message,
    pub form: Form,
    /// None: as often as a calm hall hears it.
    pub repeats: Option<u8>,
}

/// Sound and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub text: String,
    /// Words that the voice lacks.
    pub missing: Vec<String>,
    /// 16 bits, 48 kHz, one channel.
    pub wav: Vec<u8>,
}

/// Why nothing can be heard.
#[derive(Debug, thiserror::Error)]
pub enum Mute {
    #[error("the voice cannot be loaded: {0}")]
    Voice(String),
    #[error("a clip cannot be read: {0}")]
    Clip(#[from] audio::clips::ClipError),
    #[error("the sentence is longer than {SECONDS_MAX} s")]
    TooLong,
    #[error("the sound cannot be written: {0}")]
    Wav(String),
}

/// Plans and mixes as the hall's own sound does.
pub struct Rehearsal {
    config: Config,
    shelf: Shelf,
    voice: Mutex<Option<(Narrator, Clips)>>,
}

impl Rehearsal {
    /// Loads nothing yet.
    pub fn of(config: &Config, shelf: Shelf) -> Self {
        Self { config: config.clone(), shelf, voice: Mutex::new(None) }
    }

    /// Reads files and mixes; blocks for some tenths of a second.
    ///
    /// # Errors
    /// [`Mute`].
    pub fn record(&self, wanted: &Wanted) -> Result<Recording, Mute> {
        let mut held = self.voice.lock().unwrap_or_else(|poisoned| {
            // An earlier mix has failed; this one loads the voice anew.
            self.voice.clear_poison();
            let mut held = poisoned.into_inner();
            *held = None;
            held
        });
        let (voice, clips) = match &mut *held {
            Some(loaded) => loaded,
            empty @ None => empty.insert(self.load()?),
        };
        let repeats = wanted.repeats.unwrap_or(self.config.speech.repeats).clamp(1, REPEATS_MAX);
        let plan = voice.plan_message(&wanted.message, repeats, wanted.form);
        if plan.utterance.frames(RATE_HZ) > SECONDS_MAX * u64::from(RATE_HZ) {
            return Err(Mute::TooLong);
        }
        let samples = audio::render(clips, &[(Millis::ZERO, &plan.utterance)], RATE_HZ)?;
        let mut out = Cursor::new(Vec::new());
        wav::write(&mut out, &samples, RATE_HZ).map_err(|error| Mute::Wav(error.to_string()))?;
        Ok(Recording { text: plan.utterance.text, missing: plan.missing, wav: out.into_inner() })
    }

    fn load(&self) -> Result<(Narrator, Clips), Mute> {
        let failed = |error: sounds::SoundsError| Mute::Voice(error.to_string());
        let Heard { voice, folder, .. } = sounds::load_or_less(&self.config).map_err(failed)?;
        Ok((Narrator::new(voice, self.shelf.clone()), Clips::new(folder)))
    }
}

/// `?ticket=A012&counter=5[&lane=][&kind=][&series=]`, or `?notice=TEXT[&level=][&recording=ID]`; `short=1` and `repeats=N` for both.
/// The token of a session comes as `Authorization: Bearer`.
pub(super) async fn announcement(
    State(console): State<Arc<Console>>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = let_in(&console, peer, &headers).await {
        return refusal;
    }
    let wanted = match wanted(&query, &console) {
        Ok(wanted) => wanted,
        Err(fault) => return refuse(StatusCode::BAD_REQUEST, &fault),
    };
    let Some(rehearsal) = console.control.rehearsal.clone() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, &Fault::no_voice());
    };
    let Ok(Ok(turn)) = timeout(TURN_WITHIN, Arc::clone(&console.rehearsals).acquire_owned()).await else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, &Fault::busy());
    };
    // The turn ends with the mixing, not with a client that has gone: it would begin another one beside it.
    let mix = move || {
        let _turn = turn;
        rehearsal.record(&wanted)
    };
    let mixed = tokio::task::spawn_blocking(mix).await;
    match mixed {
        Ok(Ok(recording)) => sound(recording),
        Ok(Err(error)) => {
            tracing::warn!(%error, "nothing to listen to");
            refuse(StatusCode::SERVICE_UNAVAILABLE, &Fault::no_voice())
        }
        Err(error) => {
            tracing::error!(%error, "mixing for an operator has failed");
            refuse(StatusCode::SERVICE_UNAVAILABLE, &Fault::no_voice())
        }
    }
}

/// One mix at a time: two would only take each other's processor.
pub(super) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1))
}

/// Whoever shows the token of a session, or a kept one.
pub(super) async fn let_in(console: &Console, peer: Peer, headers: &HeaderMap) -> Result<Grant, Response> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = token.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Err(refuse(StatusCode::UNAUTHORIZED, &Fault::not_signed_in()));
    };
    let attempts = || console.attempts.lock().expect("nothing panics while it counts");
    let mono = console.control.clock.now().mono;
    if !attempts().allowed(peer.0, mono) {
        return Err(refuse(StatusCode::TOO_MANY_REQUESTS, &Fault::too_many_attempts()));
    }
    let Ok(grant) = console.control.auth.recognise(token.trim()).await else {
        attempts().failed(peer.0, mono);
        return Err(refuse(StatusCode::UNAUTHORIZED, &Fault::unauthorised()));
    };
    Ok(grant)
}

fn wanted(query: &HashMap<String, String>, console: &Console) -> Result<Wanted, Fault> {
    let given = |name: &str| query.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let repeats = given("repeats").map(|text| {
        let repeats = text.parse().ok().filter(|n| (1..=REPEATS_MAX).contains(n));
        repeats.ok_or_else(|| Fault::invalid("repeats", format!("Số lần đọc phải từ 1 đến {REPEATS_MAX}.")))
    });
    let form = if given("short") == Some("1") { Form::Short } else { Form::Full };
    let fields: Map<String, Value> = ["ticket", "counter", "lane", "kind", "series"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), given(name)?.into())))
        .collect();
    let control = &console.control;
    let view = Arc::clone(&control.hub.views.borrow());
    let screens = control.screens.borrow();
    let around = control.around(&view, &screens, "rehearsal");
    let message = match given("notice") {
        Some(text) => notice(text, given("level"), given("recording"), &around)?,
        None => call(&fields, &around)?,
    };
    Ok(Wanted { message, form, repeats: repeats.transpose()? })
}

fn notice(
    text: &str,
    level: Option<&str>,
    recording: Option<&str>,
    around: &Around<'_>,
) -> Result<Message, Fault> {
    if text.chars().count() > TEXT_MAX {
        return Err(Fault::invalid("text", "Nội dung dài quá mức cho phép."));
    }
    let mut fields = Map::from_iter([("text".to_owned(), Value::from(text))]);
    for (name, given) in [("level", level), ("recording", recording)] {
        fields.extend(given.map(|given| (name.to_owned(), Value::from(given))));
    }
    let notice = order::notice(&fields, "", around)?;
    let emergency = notice.level == crate::board::state::Level::Emergency;
    Ok(Message::Notice { id: notice.id, text: notice.text, emergency, recording: notice.recording })
}

fn call(fields: &Map<String, Value>, around: &Around<'_>) -> Result<Message, Fault> {
    let call = order::call(fields, around)?;
    Ok(Message::Call {
        call: call.id,
        ticket: call.ticket,
        counter: call.counter,
        kind: call.kind,
        lane: call.lane,
        series: call.series,
    })
}

pub(super) fn refuse(status: StatusCode, fault: &Fault) -> Response {
    fresh(status, &serde_json::json!({ "error": fault.to_value() }))
}

fn sound(recording: Recording) -> Response {
    let mut response = Body::from(recording.wav).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let missing = recording.missing.join(", ");
    for (name, text) in [(TEXT_HEADER, &recording.text), (MISSING_HEADER, &missing)] {
        if let Ok(value) = HeaderValue::from_str(&percent_encoded(text)) {
            headers.insert(name, value);
        }
    }
    response
}

/// A header carries ASCII only.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b" ,.-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // A text takes everything.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
