//! The JSON of the wire contract, to and from the hall's words. Serde lives here and never on domain types.
//!
//! Decoding is total: any bytes give an [`Input`] or a [`Rejection`], never a panic, and a rejection never quotes what
//! it refused (a payload may carry a person's name). Nothing here talks to a broker, reads a clock or judges age.

use std::cell::RefCell;
use std::fmt;

use serde_json::{Map, Value};

use crate::board::call::{CallId, Counter, NoticeId, Series, WordError};
use crate::board::input::{Input, Outcome};
use crate::board::{call::Zone, input::IgnoreReason};
use crate::health::Frame;
use jiff::Timestamp;
use jiff::tz::TimeZone;

mod decode;
mod encode;
mod object;
mod screen;
mod sync;
mod view;

#[cfg(test)]
mod tests;

pub use encode::{
    command_value, deed_value, encode_call, encode_command, encode_counter, encode_notice, encode_offline,
    encode_proof, encode_queue, encode_status, hash_word, notice_value, proof_value, refusal_value,
    status_value, story_value,
};
use object::{Object, Reader};
pub use screen::{decode_proof, decode_status, screens_value};
pub use sync::{decode_asking, decode_sync, encode_asking, encode_sync};
pub use view::{encode_public, encode_view, speech_value, view_value};

/// Largest payload that is read at all, in bytes (wire contract).
pub const PAYLOAD_MAX: usize = 64 * 1024;
/// Longest label of a counter, in characters.
pub const LABEL_MAX: usize = 80;
/// Longest content of a QR code, in characters: what a code of readable size holds.
pub const QR_MAX: usize = 300;

/// Why a payload changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Below the hall's prefix.
    pub topic: String,
    pub reason: Reason,
    /// The JSON field, `topic` for the topic itself; none for the whole payload.
    pub field: Option<String>,
    pub detail: String,
}

/// The kinds of rejection, for counters and rate limits.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    UnknownTopic,
    TooLarge,
    NotJson,
    NotObject,
    Missing,
    WrongType,
    Empty,
    TooLong,
    Control,
    Unknown,
    BadTime,
    OutOfRange,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownTopic => "unknown-topic",
            Self::TooLarge => "too-large",
            Self::NotJson => "not-json",
            Self::NotObject => "not-an-object",
            Self::Missing => "missing",
            Self::WrongType => "wrong-type",
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::Control => "control-character",
            Self::Unknown => "unknown-word",
            Self::BadTime => "bad-time",
            Self::OutOfRange => "out-of-range",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}: {field} {} [{}]", self.topic, self.detail, self.reason.as_str()),
            None => write!(f, "{}: {} [{}]", self.topic, self.detail, self.reason.as_str()),
        }
    }
}

impl std::error::Error for Rejection {}

/// What is wrong, before the topic is known.
#[derive(Debug)]
struct Fault {
    reason: Reason,
    field: Option<String>,
    detail: String,
}

impl Fault {
    fn of(reason: Reason, field: &str, detail: impl Into<String>) -> Self {
        Self { reason, field: Some(field.to_owned()), detail: detail.into() }
    }

    fn whole(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, field: None, detail: detail.into() }
    }

    fn word(field: &str, error: &WordError) -> Self {
        let reason = match error {
            WordError::Empty => Reason::Empty,
            WordError::TooLong { .. } => Reason::TooLong,
            WordError::Control { .. } => Reason::Control,
            WordError::Unknown { .. } => Reason::Unknown,
        };
        Self::of(reason, field, error.to_string())
    }

    fn at(self, topic: &str) -> Rejection {
        Rejection { topic: topic.to_owned(), reason: self.reason, field: self.field, detail: self.detail }
    }
}

/// The topics that carry inputs.
enum Subject {
    Call,
    Counter(Counter),
    Queue(Series),
    Notice(NoticeId),
}

impl Subject {
    fn of(topic: &str) -> Result<Self, Fault> {
        let (head, tail) = match topic.split_once('/') {
            None => (topic, None),
            Some((head, tail)) => (head, Some(tail)),
        };
        let wrong = |e: WordError| Fault::word("topic", &e);
        match (head, tail) {
            ("call", None) => Ok(Self::Call),
            ("counter", Some(name)) if !name.contains('/') => {
                Counter::parse(name).map(Self::Counter).map_err(wrong)
            }
            ("queue", Some(name)) if !name.contains('/') => {
                Series::parse(name).map(Self::Queue).map_err(wrong)
            }
            ("notice", Some(name)) if !name.contains('/') => {
                NoticeId::parse(name).map(Self::Notice).map_err(wrong)
            }
            _ => Err(Fault::of(Reason::UnknownTopic, "topic", "is not a topic of the contract")),
        }
    }

    /// What an empty payload means: the state is taken back; a call cannot be.
    fn cleared(self) -> Option<Input> {
        match self {
            Self::Call => None,
            Self::Counter(counter) => Some(Input::CounterCleared { counter }),
            Self::Queue(series) => Some(Input::QueueCleared { series }),
            Self::Notice(id) => Some(Input::NoticeCleared { id }),
        }
    }

    fn read(self, object: &Object<'_>) -> Result<Input, Fault> {
        match self {
            Self::Call => decode::call(object).map(Input::CallReceived),
            Self::Counter(counter) => {
                decode::counter(object).map(|state| Input::CounterChanged { counter, state })
            }
            Self::Queue(series) => decode::queue(object).map(|state| Input::QueueChanged { series, state }),
            Self::Notice(id) => decode::notice(id, object).map(Input::NoticePut),
        }
    }
}

/// What a message says, and what was left out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub input: Input,
    /// Fields that were wrong and that the message can do without; each counts as a rejection.
    pub spared: Vec<Rejection>,
}

/// Reads one message; `topic` is the part below `{root}/{hall}/`, `zone` that of the hall.
///
/// Tolerated: unknown fields; `null` for an absent field; a ticket, counter or series given as a whole JSON number;
/// `at` with any offset and any age; `slot` and `reopens` as `HH:MM` or as an RFC 3339 time with any offset. A wrong
/// `seq`, `series`, `lane`, `slot` or `holder` of a call counts as absent and is told beside it, so that the number is
/// called all the same; so do the optional fields of counters and queues.
///
/// # Errors
/// The first thing that does not fit the wire contract.
pub fn decode(topic: &str, payload: &[u8], zone: &TimeZone) -> Result<Decoded, Rejection> {
    let cleared = |subject: Subject| {
        let nothing = Fault::whole(Reason::Empty, "a call cannot be empty");
        subject.cleared().ok_or(nothing).map(|input| Decoded { input, spared: Vec::new() })
    };
    if payload.is_empty() {
        return Subject::of(topic).and_then(cleared).map_err(|fault| fault.at(topic));
    }
    Subject::of(topic)
        .and_then(|_| object_of(payload))
        .map_err(|fault| fault.at(topic))
        .and_then(|object| decode_spared(topic, &object, zone))
}

fn decode_spared(topic: &str, object: &Map<String, Value>, zone: &TimeZone) -> Result<Decoded, Rejection> {
    let reader = Reader { zone, spared: Some(RefCell::default()) };
    let read = |subject: Subject| subject.read(&Object { fields: object, reader: &reader });
    let input = Subject::of(topic).and_then(read).map_err(|fault| fault.at(topic))?;
    let spared = reader.spared.map(RefCell::into_inner).unwrap_or_default();
    Ok(Decoded { input, spared: spared.into_iter().map(|fault| fault.at(topic)).collect() })
}

/// The same for JSON that is already parsed, as it comes over WebSocket: nothing is left out, for whoever sent it is
/// there to mend it.
///
/// # Errors
/// As [`decode`], and the first wrong field of any kind.
pub fn decode_object(topic: &str, object: &Map<String, Value>, zone: &TimeZone) -> Result<Input, Rejection> {
    let reader = Reader { zone, spared: None };
    let read = |subject: Subject| subject.read(&Object { fields: object, reader: &reader });
    Subject::of(topic).and_then(read).map_err(|fault| fault.at(topic))
}

fn object_of(payload: &[u8]) -> Result<Map<String, Value>, Fault> {
    if payload.len() > PAYLOAD_MAX {
        let detail = format!("{} bytes are more than {PAYLOAD_MAX}", payload.len());
        return Err(Fault::whole(Reason::TooLarge, detail));
    }
    match serde_json::from_slice(payload) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            let detail = format!("must be a JSON object, not {}", object::type_name(&other));
            Err(Fault::whole(Reason::NotObject, detail))
        }
        Err(error) => {
            let detail = format!("is not JSON (line {}, column {})", error.line(), error.column());
            Err(Fault::whole(Reason::NotJson, detail))
        }
    }
}

/// What a technician asks of one screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Same id, same command, however often it arrives.
    pub id: CallId,
    pub action: Action,
    /// Who asks, for the audit.
    pub by: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// One zone, or all of the screen's.
    Mute(Option<Zone>),
    Unmute(Option<Zone>),
    /// 0 to 100.
    VolumePercent(u8),
    Identify,
    TestCall,
    Reload,
    Snapshot,
}

impl Action {
    pub const ALLOWED: &'static str = "mute, unmute, volume, identify, test-call, reload, snapshot";

    /// The word of the wire contract.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Mute(_) => "mute",
            Self::Unmute(_) => "unmute",
            Self::VolumePercent(_) => "volume",
            Self::Identify => "identify",
            Self::TestCall => "test-call",
            Self::Reload => "reload",
            Self::Snapshot => "snapshot",
        }
    }

    /// The input that the action is, when the board itself carries it out.
    pub fn input(&self) -> Option<Input> {
        match self {
            Self::Mute(zone) => Some(Input::MuteChanged { zone: zone.clone(), muted: true }),
            Self::Unmute(zone) => Some(Input::MuteChanged { zone: zone.clone(), muted: false }),
            Self::Identify => Some(Input::IdentifyRequested),
            Self::VolumePercent(_) | Self::TestCall | Self::Reload | Self::Snapshot => None,
        }
    }
}

/// Reads a message of `screen/{screen}/command`.
///
/// # Errors
/// The first thing that does not fit the wire contract.
pub fn decode_command(topic: &str, payload: &[u8]) -> Result<Command, Rejection> {
    let object = object_of(payload).map_err(|fault| fault.at(topic))?;
    decode_command_object(topic, &object)
}

/// The same for JSON that is already parsed.
///
/// # Errors
/// As [`decode_command`].
pub fn decode_command_object(topic: &str, object: &Map<String, Value>) -> Result<Command, Rejection> {
    let reader = Reader { zone: &TimeZone::UTC, spared: None };
    decode::command(&Object { fields: object, reader: &reader }).map_err(|fault| fault.at(topic))
}

/// What became of one call on this screen, for `screen/{screen}/proof`.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub call: CallId,
    pub received: Timestamp,
    /// The first frame in which it held the spotlight. None: not yet, or it never did.
    pub drawn: Option<Frame>,
    pub speech_from: Option<Timestamp>,
    pub speech_to: Option<Timestamp>,
    pub outcome: Outcome,
    /// Where it was said.
    pub zone: Option<Zone>,
    /// Said again, because the first time was cut: by a restart, or by the end of the screen that spoke.
    pub again: bool,
}

/// The word for an input that the board did not take, as error code on the WebSocket.
pub fn ignored_code(reason: IgnoreReason) -> &'static str {
    reason.as_str()
}
