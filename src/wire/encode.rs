//! From the hall's words to JSON.
//!
//! A holder's name, even masked, is never encoded: it is for one screen's glass alone.

use jiff::{Timestamp, civil};
use serde::Serialize;
use serde_json::Value;

use super::{Action, Command, Proof};
use crate::board::call::{Call, Lane, RecordingId, Ticket};
use crate::board::state::{CounterState, Notice, QueueState};
use crate::health::{PanelState, ScreenStatus};
use crate::journal::record::{Deed, Refusal, Story};

pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("wire structs have text keys and plain values")
}

pub(super) fn value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("wire structs have text keys and plain values")
}

/// `HH:MM`.
pub(super) fn clock(time: civil::Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

pub(super) fn texts(tickets: &[Ticket]) -> Vec<&str> {
    tickets.iter().map(Ticket::as_str).collect()
}

pub(super) fn lane_words(lanes: &[Lane]) -> Vec<&'static str> {
    lanes.iter().map(|lane| lane.as_str()).collect()
}

fn time(at: Timestamp) -> String {
    at.to_string()
}

#[derive(Serialize)]
pub(super) struct CallJson<'a> {
    id: &'a str,
    ticket: &'a str,
    counter: &'a str,
    kind: &'static str,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<&'a str>,
    lane: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<String>,
}

/// The payload of `call`, without the holder.
pub fn encode_call(call: &Call) -> Vec<u8> {
    json(&call_json(call))
}

pub(super) fn call_json(call: &Call) -> CallJson<'_> {
    CallJson {
        id: call.id.as_str(),
        ticket: call.ticket.as_str(),
        counter: call.counter.as_str(),
        kind: call.kind.as_str(),
        at: time(call.at),
        seq: call.seq,
        series: call.series.as_ref().map(super::super::board::call::Series::as_str),
        lane: call.lane.as_str(),
        slot: call.slot.map(clock),
    }
}

#[derive(Serialize)]
struct CounterJson<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lanes: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reopens: Option<String>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

/// The payload of `counter/{counter}`.
pub fn encode_counter(state: &CounterState) -> Vec<u8> {
    json(&CounterJson {
        state: state.mode.as_str(),
        ticket: state.ticket.as_ref().map(Ticket::as_str),
        label: state.label.as_deref(),
        lanes: state.lanes.as_deref().map(lane_words),
        reopens: state.reopens.map(clock),
        at: time(state.at),
        seq: state.seq,
    })
}

#[derive(Serialize)]
struct QueueJson<'a> {
    waiting: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missed: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_today: Option<u32>,
    at: String,
}

/// The payload of `queue/{series}`.
pub fn encode_queue(state: &QueueState) -> Vec<u8> {
    json(&QueueJson {
        waiting: state.waiting,
        next: texts(&state.next),
        wait_minutes: state.wait_minutes,
        missed: texts(&state.missed),
        slot: state.slot.map(clock),
        left_today: state.left_today,
        at: time(state.at),
    })
}

#[derive(Serialize)]
struct TextJson<'a> {
    vi: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    en: Option<&'a str>,
}

#[derive(Serialize)]
struct NoticeJson<'a> {
    text: TextJson<'a>,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    zones: Vec<&'a str>,
    speak: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    at: String,
}

fn notice_json(notice: &Notice) -> NoticeJson<'_> {
    NoticeJson {
        text: TextJson { vi: &notice.text, en: notice.text_en.as_deref() },
        level: notice.level.as_str(),
        from: notice.from.map(time),
        until: notice.until.map(time),
        zones: notice.zones.iter().map(super::super::board::call::Zone::as_str).collect(),
        speak: notice.speak,
        recording: notice.recording.as_ref().map(RecordingId::as_str),
        qr: notice.qr.as_deref(),
        author: notice.author.as_deref(),
        at: time(notice.at),
    }
}

/// The payload of `notice/{id}`; the id is in the topic.
pub fn encode_notice(notice: &Notice) -> Vec<u8> {
    json(&notice_json(notice))
}

/// The same as a value with its `id`, for lists and events on the WebSocket.
pub fn notice_value(notice: &Notice) -> Value {
    let mut out = value(&notice_json(notice));
    out["id"] = Value::from(notice.id.as_str());
    out
}

#[derive(Serialize)]
struct StatusJson<'a> {
    online: bool,
    session: i64,
    at: String,
    version: &'static str,
    rank: u32,
    zones: &'a [String],
    audible: &'a [String],
    speaks: &'a [String],
    next: &'a [String],
    saying: &'a [String],
    frames: u64,
    frame_at: Option<String>,
    /// Hexadecimal: a JSON number cannot carry 64 bits everywhere.
    frame_hash: String,
    gpu: &'a str,
    present: &'static str,
    audio: &'static str,
    journal: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    panel: Option<&'static str>,
    link: &'a str,
    skew_ms: i64,
    backlog_s: u32,
    shown: u64,
    spoken: u64,
    expired: u64,
    rejected: u64,
}

fn status_json(status: &ScreenStatus) -> StatusJson<'_> {
    StatusJson {
        online: status.online,
        session: status.session,
        at: time(status.at),
        version: status.version,
        rank: status.rank,
        zones: &status.zones,
        audible: &status.audible,
        speaks: &status.speaks,
        next: &status.next,
        saying: &status.saying,
        frames: status.frame.frames,
        frame_at: status.frame.frame_at.map(time),
        frame_hash: hash_word(status.frame.frame_hash),
        gpu: &status.frame.gpu,
        present: status.frame.present,
        audio: status.audio.as_str(),
        journal: status.journal.as_str(),
        panel: status.panel.map(PanelState::as_str),
        link: &status.link,
        skew_ms: status.skew_ms,
        backlog_s: status.backlog_s,
        shown: status.shown,
        spoken: status.spoken,
        expired: status.expired,
        rejected: status.rejected,
    }
}

/// The payload of `screen/{screen}/status`.
pub fn encode_status(status: &ScreenStatus) -> Vec<u8> {
    json(&status_json(status))
}

/// The same as a value, for health events on the WebSocket.
pub fn status_value(status: &ScreenStatus) -> Value {
    value(&status_json(status))
}

#[derive(Serialize)]
struct OfflineJson<'a> {
    online: bool,
    session: i64,
    at: String,
    version: &'static str,
    rank: u32,
    zones: &'a [String],
}

/// The will, and what a graceful stop says: only what stays true of a screen that is gone.
pub fn encode_offline(status: &ScreenStatus) -> Vec<u8> {
    json(&OfflineJson {
        online: false,
        session: status.session,
        at: time(status.at),
        version: status.version,
        rank: status.rank,
        zones: &status.zones,
    })
}

#[derive(Serialize)]
struct ProofJson<'a> {
    call: &'a str,
    received: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speech_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speech_to: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    again: bool,
}

fn proof_json(proof: &Proof) -> ProofJson<'_> {
    ProofJson {
        call: proof.call.as_str(),
        received: time(proof.received),
        drawn: proof.drawn.map(|frame| time(frame.at)),
        frame: proof.drawn.map(|frame| frame.number),
        frame_hash: proof.drawn.map(|frame| hash_word(frame.hash)),
        speech_from: proof.speech_from.map(time),
        speech_to: proof.speech_to.map(time),
        outcome: proof.outcome.as_str(),
        zone: proof.zone.as_ref().map(crate::board::call::Zone::as_str),
        again: proof.again,
    }
}

/// A picture's hash as the wire has it.
pub fn hash_word(hash: u64) -> String {
    format!("{hash:016x}")
}

/// The payload of `screen/{screen}/proof`.
pub fn encode_proof(proof: &Proof) -> Vec<u8> {
    json(&proof_json(proof))
}

/// The same as a value, for proof events on the WebSocket.
pub fn proof_value(proof: &Proof) -> Value {
    value(&proof_json(proof))
}

/// A call and what became of it, for the history on the WebSocket.
pub fn story_value(story: &Story) -> Value {
    let call = &story.call;
    let drawn = story.drawn.map(|frame| frame.at);
    let times = [("drawn", drawn), ("speech_from", story.speech_from), ("speech_to", story.speech_to)];
    let mut out = serde_json::json!({
        "id": call.id.as_str(),
        "ticket": call.ticket.as_str(),
        "counter": call.counter.as_str(),
        "kind": call.kind.as_str(),
        "lane": call.lane.as_str(),
        "at": time(call.at),
        "received": time(story.received),
        "again": story.again,
    });
    for (name, at) in times {
        if let Some(at) = at {
            out[name] = time(at).into();
        }
    }
    if let Some(frame) = story.drawn {
        out["frame"] = frame.number.into();
        out["frame_hash"] = hash_word(frame.hash).into();
    }
    if let Some(outcome) = story.outcome {
        out["outcome"] = outcome.as_str().into();
    }
    let elsewhere = story.elsewhere.iter().map(|(screen, proof)| {
        let mut told = proof_value(proof);
        told["screen"] = screen.as_str().into();
        told
    });
    out["elsewhere"] = elsewhere.collect();
    out
}

/// What somebody pushed or commanded, for the history on the WebSocket; the payload as JSON where it is some.
pub fn deed_value(deed: &Deed) -> Value {
    let said = serde_json::from_str(&deed.payload).unwrap_or_else(|_| Value::from(deed.payload.as_str()));
    serde_json::json!({ "at": time(deed.at), "who": deed.who, "topic": deed.topic, "said": said })
}

/// A message that was refused, for technicians.
pub fn refusal_value(refusal: &Refusal) -> Value {
    let Refusal { at, topic, reason, field, detail } = refusal;
    serde_json::json!({ "at": time(*at), "topic": topic, "reason": reason, "field": field, "detail": detail })
}

/// What a technician asked for, for the audit.
pub fn command_value(command: &Command) -> Value {
    let mut out = serde_json::json!({ "id": command.id.as_str(), "do": command.action.word() });
    match &command.action {
        Action::Mute(Some(zone)) | Action::Unmute(Some(zone)) => out["value"] = zone.as_str().into(),
        Action::VolumePercent(percent) => out["value"] = (*percent).into(),
        _ => {}
    }
    out
}

/// The payload of `screen/{screen}/command`.
pub fn encode_command(command: &Command) -> Vec<u8> {
    let mut out = command_value(command);
    if let Some(by) = &command.by {
        out["by"] = by.as_str().into();
    }
    json(&out)
}
