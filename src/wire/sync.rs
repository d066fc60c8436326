//! What one screen tells another that asks for the hall's state: `sync/request` and `sync/state/{screen}`.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::object::{Object, Reader};
use super::{Fault, Reason, Rejection, decode_spared, encode, object_of};
use crate::board::call::{WordError, Zone};
use crate::board::input::Input;
use crate::board::state::{Knowledge, Told};
use crate::config::topic_level;

/// Largest message of an answer, in bytes; a longer answer comes in several. Below [`super::PAYLOAD_MAX`] by more than
/// the largest entry, a notice.
const MESSAGE_MAX: usize = 48 * 1024;

/// The payload of `sync/request` and of `recording/{id}/wanted`: who asks.
pub fn encode_asking(screen: &str) -> Vec<u8> {
    encode::json(&json!({ "screen": screen }))
}

/// Which screen asks, for the hall's state or for a recording.
///
/// # Errors
/// When it is none that an answer can be sent to.
pub fn decode_asking(topic: &str, payload: &[u8]) -> Result<String, Rejection> {
    let wrong = WordError::Unknown { allowed: "a name of letters, digits, - _ and ." };
    let name = |text: &str| topic_level(text).ok_or(wrong.clone());
    let fields = object_of(payload).map_err(|fault| fault.at(topic))?;
    let reader = Reader { zone: &TimeZone::UTC, spared: None };
    Object { fields: &fields, reader: &reader }.word("screen", name).map_err(|fault| fault.at(topic))
}

/// The payloads of an answer on `sync/state/{screen}`, in their order; none when there is nothing to tell.
pub fn encode_sync(knowledge: &Knowledge) -> Vec<Vec<u8>> {
    let Knowledge { counters, queues, notices, calls } = knowledge;
    let mut messages = Messages::default();
    for (counter, state) in counters {
        messages.add("counters", Some(counter.as_str()), &encode::encode_counter(state));
    }
    // Before the queues: who is called is missed no more, unless the report says so again.
    for told in calls {
        messages.add("calls", None, &encode_told(told));
    }
    for (series, state) in queues {
        messages.add("queues", Some(series.as_str()), &encode::encode_queue(state));
    }
    for notice in notices {
        messages.add("notices", Some(notice.id.as_str()), &encode::encode_notice(notice));
    }
    messages.finish()
}

fn encode_told(told: &Told) -> Vec<u8> {
    let spoken: Vec<&str> = told.spoken.iter().map(Zone::as_str).collect();
    let mut out = encode::value(&encode::call_json(&told.call));
    if !spoken.is_empty() {
        out["spoken"] = spoken.into();
    }
    encode::json(&out)
}

/// Fills one message after the other.
#[derive(Default)]
struct Messages {
    full: Vec<Vec<u8>>,
    current: Map<String, Value>,
    bytes: usize,
}

impl Messages {
    fn add(&mut self, group: &str, name: Option<&str>, entry: &[u8]) {
        let bytes = entry.len() + name.map_or(0, str::len) + 8;
        if self.bytes + bytes > MESSAGE_MAX {
            self.close();
        }
        self.bytes += bytes;
        let entry: Value = serde_json::from_slice(entry).unwrap_or_default();
        let empty = if name.is_some() { json!({}) } else { json!([]) };
        match (self.current.entry(group).or_insert(empty), name) {
            (Value::Object(named), Some(name)) => drop(named.insert(name.to_owned(), entry)),
            (Value::Array(list), _) => list.push(entry),
            _ => {}
        }
    }

    fn close(&mut self) {
        if !self.current.is_empty() {
            self.full.push(encode::json(&std::mem::take(&mut self.current)));
        }
        self.bytes = 0;
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        self.close();
        self.full
    }
}

/// Reads an answer on `sync/state/{screen}`: `{"counters":{ID:STATE},"queues":{ID:STATE},"notices":{ID:NOTICE},
/// "calls":[CALL]}`, each value as on its own topic; a call may say in which zones it was `spoken`. What fits is taken,
/// what does not is told beside it.
pub fn decode_sync(topic: &str, payload: &[u8], zone: &TimeZone) -> (Vec<Input>, Vec<Rejection>) {
    let object = match object_of(payload) {
        Ok(object) => object,
        Err(fault) => return (Vec::new(), vec![fault.at(topic)]),
    };
    let (mut inputs, mut rejections) = (Vec::new(), Vec::new());
    let mut take = |topic: String, state: &Value| {
        let Value::Object(state) = state else {
            rejections.push(Fault::whole(Reason::NotObject, "must be a JSON object").at(&topic));
            return;
        };
        match decode_spared(&topic, state, zone) {
            Ok(decoded) => {
                inputs.extend(spoken(&decoded.input, state));
                inputs.push(match decoded.input {
                    Input::CallReceived(call) => Input::CallTold(call),
                    input => input,
                });
                rejections.extend(decoded.spared);
            }
            Err(rejection) => rejections.push(rejection),
        }
    };
    // In the order in which they are told.
    for (group, head) in
        [("counters", "counter"), ("calls", "call"), ("queues", "queue"), ("notices", "notice")]
    {
        match object.get(group) {
            Some(Value::Object(states)) => {
                for (name, state) in states {
                    take(format!("{head}/{name}"), state);
                }
            }
            Some(Value::Array(events)) => {
                for event in events {
                    take(head.to_owned(), event);
                }
            }
            _ => {}
        }
    }
    (inputs, rejections)
}

/// Where a call was spoken already; it is told before the call, so that this is not spoken again.
fn spoken(input: &Input, fields: &Map<String, Value>) -> Vec<Input> {
    let Input::CallReceived(call) = input else { return Vec::new() };
    let zones = fields.get("spoken").and_then(Value::as_array).into_iter().flatten();
    let zones = zones.filter_map(|zone| Zone::parse(zone.as_str()?).ok());
    zones.map(|zone| Input::SpokenElsewhere { call: call.id.clone(), zone: Some(zone) }).collect()
}
