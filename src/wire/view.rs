//! The board's view as JSON, for `/api/view` and the WebSocket's `view` events.
//!
//! Complete but for two things: a holder's name never leaves the glass, and instants of the monotonic clock are given
//! as `…_ms` of that clock, good only to be compared with each other.

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::Value;

use super::encode::{clock, json, lane_words, texts, value};
use crate::board::call::{Counter, Ticket};
use crate::board::input::Message;
use crate::board::view::{
    BoardView, ClosedReason, CounterView, MissedCall, Opening, Phase, QueueView, RecentCall, SpeechLine,
    Spot, TickerItem, ZoneSpeech,
};
use crate::clock::Now;

#[derive(Serialize)]
struct ViewJson<'a> {
    revision: u64,
    open: bool,
    dark: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<ClosedJson>,
    spotlight: Vec<SpotJson<'a>>,
    spotlight_waiting: usize,
    recent: Vec<RecentJson<'a>>,
    missed: Vec<MissedJson<'a>>,
    counters: Vec<CounterJson<'a>>,
    queues: Vec<QueueJson<'a>>,
    ticker: Vec<TickerJson<'a>>,
    emergency: Option<TickerJson<'a>>,
    link: LinkJson,
    identify_until_ms: Option<i64>,
}

#[derive(Serialize)]
struct ClosedJson {
    reason: &'static str,
    opens: Option<OpeningJson>,
}

#[derive(Serialize)]
struct OpeningJson {
    date: String,
    time: String,
    in_days: i32,
}

#[derive(Serialize)]
struct SpotJson<'a> {
    call: &'a str,
    ticket: &'a str,
    counter: &'a str,
    kind: &'static str,
    lane: &'static str,
    slot: Option<String>,
    since_ms: i64,
}

#[derive(Serialize)]
struct RecentJson<'a> {
    ticket: &'a str,
    counter: &'a str,
    at: String,
}

#[derive(Serialize)]
struct MissedJson<'a> {
    ticket: &'a str,
    counter: Option<&'a str>,
    at: String,
}

#[derive(Serialize)]
struct CounterJson<'a> {
    counter: &'a str,
    noun: &'a str,
    label: Option<&'a str>,
    label_en: Option<&'a str>,
    lanes: Vec<&'static str>,
    state: &'static str,
    ticket: Option<&'a str>,
    lane: &'static str,
    slot: Option<String>,
    reopens: Option<String>,
    called: bool,
    called_at_ms: Option<i64>,
    known: bool,
}

#[derive(Serialize)]
struct QueueJson<'a> {
    series: &'a str,
    label: Option<&'a str>,
    waiting: u32,
    next: Vec<&'a str>,
    wait_minutes: Option<u32>,
    left_today: Option<u32>,
}

#[derive(Serialize)]
struct TickerJson<'a> {
    id: &'a str,
    text: &'a str,
    text_en: Option<&'a str>,
    level: &'static str,
    qr: Option<&'a str>,
    until: Option<String>,
}

#[derive(Serialize)]
struct LinkJson {
    stale: bool,
    last_news: Option<String>,
}

/// The view as JSON text.
pub fn encode_view(view: &BoardView) -> Vec<u8> {
    json(&view_json(view))
}

/// The view as a value, to be put into an event.
pub fn view_value(view: &BoardView) -> Value {
    value(&view_json(view))
}

fn view_json(view: &BoardView) -> ViewJson<'_> {
    ViewJson {
        revision: view.revision,
        open: view.phase == Phase::Open,
        dark: view.dark,
        closed: closed(&view.phase),
        spotlight: view.spotlight.iter().map(spot).collect(),
        spotlight_waiting: view.spotlight_waiting,
        recent: view.recent.iter().map(recent).collect(),
        missed: view.missed.iter().map(missed).collect(),
        counters: view.counters.iter().map(counter).collect(),
        queues: view.queues.iter().map(queue).collect(),
        ticker: view.ticker.iter().map(ticker).collect(),
        emergency: view.emergency.as_ref().map(ticker),
        link: LinkJson { stale: view.link.stale, last_news: view.link.last_news.map(|at| at.to_string()) },
        identify_until_ms: view.identify_until.map(|at| at.0),
    }
}

fn closed(phase: &Phase) -> Option<ClosedJson> {
    let Phase::Closed { reason, opens } = phase else { return None };
    let reason = match reason {
        ClosedReason::BeforeHours => "before-hours",
        ClosedReason::Break => "break",
        ClosedReason::AfterHours => "after-hours",
        ClosedReason::DayOff => "day-off",
    };
    Some(ClosedJson { reason, opens: opens.map(opening) })
}

fn opening(opening: Opening) -> OpeningJson {
    OpeningJson { date: opening.date.to_string(), time: clock(opening.time), in_days: opening.in_days }
}

fn spot(spot: &Spot) -> SpotJson<'_> {
    SpotJson {
        call: spot.call.as_str(),
        ticket: spot.ticket.as_str(),
        counter: spot.counter.as_str(),
        kind: spot.kind.as_str(),
        lane: spot.lane.as_str(),
        slot: spot.slot.map(clock),
        since_ms: spot.since.0,
    }
}

fn recent(call: &RecentCall) -> RecentJson<'_> {
    RecentJson { ticket: call.ticket.as_str(), counter: call.counter.as_str(), at: call.at.to_string() }
}

fn missed(call: &MissedCall) -> MissedJson<'_> {
    MissedJson {
        ticket: call.ticket.as_str(),
        counter: call.counter.as_ref().map(Counter::as_str),
        at: call.at.to_string(),
    }
}

fn counter(view: &CounterView) -> CounterJson<'_> {
    CounterJson {
        counter: view.counter.as_str(),
        noun: &view.noun,
        label: view.label.as_deref(),
        label_en: view.label_en.as_deref(),
        lanes: lane_words(&view.lanes),
        state: view.mode.as_str(),
        ticket: view.ticket.as_ref().map(Ticket::as_str),
        lane: view.lane.as_str(),
        slot: view.slot.map(clock),
        reopens: view.reopens.map(clock),
        called: view.called,
        called_at_ms: view.called_at.map(|at| at.0),
        known: view.known,
    }
}

fn queue(view: &QueueView) -> QueueJson<'_> {
    QueueJson {
        series: view.series.as_str(),
        label: view.label.as_deref(),
        waiting: view.waiting,
        next: texts(&view.next),
        wait_minutes: view.wait_minutes,
        left_today: view.left_today,
    }
}

fn ticker(item: &TickerItem) -> TickerJson<'_> {
    TickerJson {
        id: item.id.as_str(),
        text: &item.text,
        text_en: item.text_en.as_deref(),
        level: item.level.as_str(),
        qr: item.qr.as_deref(),
        until: item.until.map(|at| at.to_string()),
    }
}

/// What a phone in the hall needs: the numbers that everybody there can see, and no more. It has no revision and no
/// clock, so that it stays the same while the board does.
#[derive(Serialize)]
struct PublicJson<'a> {
    title: &'a str,
    time_zone: &'a str,
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<ClosedJson>,
    stale: bool,
    last_news: Option<String>,
    called: Vec<CalledJson<'a>>,
    recent: Vec<RecentJson<'a>>,
    missed: Vec<&'a str>,
    counters: Vec<PlaceJson<'a>>,
    queues: Vec<QueueJson<'a>>,
    notices: Vec<SaidJson<'a>>,
}

#[derive(Serialize)]
struct CalledJson<'a> {
    ticket: &'a str,
    counter: &'a str,
    /// Words; none for the regular lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<String>,
}

#[derive(Serialize)]
struct PlaceJson<'a> {
    counter: &'a str,
    noun: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reopens: Option<String>,
}

#[derive(Serialize)]
struct SaidJson<'a> {
    text: &'a str,
    level: &'static str,
}

/// The view as phones get it; `title` and `time_zone` are the hall's.
pub fn encode_public(view: &BoardView, title: &str, time_zone: &str) -> Vec<u8> {
    let notices =
        view.emergency.iter().chain(view.ticker.iter().filter(|item| Some(*item) != view.emergency.as_ref()));
    json(&PublicJson {
        title,
        time_zone,
        open: view.phase == Phase::Open,
        closed: closed(&view.phase),
        stale: view.link.stale,
        last_news: view.link.last_news.filter(|_| view.link.stale).map(|at| at.to_string()),
        called: view.spotlight.iter().map(called).collect(),
        recent: view.recent.iter().map(recent).collect(),
        missed: view.missed.iter().map(|call| call.ticket.as_str()).collect(),
        counters: view.counters.iter().filter(|counter| counter.known).map(place).collect(),
        queues: view.queues.iter().map(queue).collect(),
        notices: notices.map(|item| SaidJson { text: &item.text, level: item.level.as_str() }).collect(),
    })
}

fn called(spot: &Spot) -> CalledJson<'_> {
    CalledJson {
        ticket: spot.ticket.as_str(),
        counter: spot.counter.as_str(),
        lane: spot.lane.spoken(),
        slot: spot.slot.map(clock),
    }
}

/// What every zone says and will say, as it was at `now`: `[{"zone","running","waiting","more"}]`. A call has ticket, counter,
/// kind and lane; a notice its id, its text and whether it is recorded; each when it began to wait.
pub fn speech_value(zones: &[ZoneSpeech], now: Now) -> Value {
    let zone = |speech: &ZoneSpeech| {
        serde_json::json!({
            "zone": speech.zone.as_str(),
            "running": speech.running.as_ref().map(|line| speech_line(line, now)),
            "waiting": speech.waiting.iter().map(|line| speech_line(line, now)).collect::<Vec<_>>(),
            "more": speech.more,
        })
    };
    zones.iter().map(zone).collect()
}

fn speech_line(line: &SpeechLine, now: Now) -> Value {
    let age = SignedDuration::from_millis((now.mono - line.queued).0);
    let since = now.wall.checked_sub(age).unwrap_or(now.wall).to_string();
    match &line.message {
        Message::Call { ticket, counter, kind, lane, .. } => serde_json::json!({
            "ticket": ticket.as_str(),
            "counter": counter.as_str(),
            "kind": kind.as_str(),
            "lane": lane.as_str(),
            "since": since,
        }),
        Message::Notice { id, text, recording, .. } => serde_json::json!({
            "notice": id.as_str(),
            "text": text,
            "recorded": recording.is_some(),
            "since": since,
        }),
    }
}

fn place(view: &CounterView) -> PlaceJson<'_> {
    PlaceJson {
        counter: view.counter.as_str(),
        noun: &view.noun,
        label: view.label.as_deref(),
        state: view.mode.as_str(),
        ticket: view.ticket.as_ref().map(Ticket::as_str),
        reopens: view.reopens.map(clock),
    }
}
