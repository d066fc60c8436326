//! deploy/asyncapi.yaml is true: its examples are read by the program, and what the program and its peers really say
//! fits its schemas.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::pulse::Pulse;
use support::{call, until};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const SOON: Duration = Duration::from_secs(20);
/// Several calls are said one after the other.
const LONG: Duration = Duration::from_secs(90);

fn document() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/asyncapi.yaml")).unwrap();
    serde_norway::from_str(&text).unwrap()
}

/// A schema of the document by its name.
fn schema(document: &Value, name: &str) -> jsonschema::Validator {
    let whole =
        json!({ "$ref": format!("#/components/schemas/{name}"), "components": document["components"] });
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

#[track_caller]
fn fits(schema: &jsonschema::Validator, value: &Value, what: &str) {
    let wrong: Vec<String> =
        schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what}: {value}\n{wrong:#?}");
}

/// The messages that are JSON; a piece of a sound is none.
fn messages(document: &Value) -> Vec<&str> {
    let all = document["components"]["messages"].as_object().unwrap();
    let json = all.iter().filter(|(_, message)| message.get("contentType").is_none());
    json.map(|(name, _)| name.as_str()).collect()
}

/// Every `$ref` below a value.
fn refs(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| refs(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| refs(value, found)),
        _ => {}
    }
}

fn examples(document: &Value, message: &str) -> Vec<Value> {
    let examples = document["components"]["messages"][message]["examples"].as_array().unwrap();
    examples.iter().map(|example| example["payload"].clone()).collect()
}

#[test]
fn every_reference_leads_somewhere_and_every_message_is_used_and_shown() {
    let document = document();
    assert_eq!(document["asyncapi"], "3.0.0");
    let mut found = Vec::new();
    refs(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for name in document["components"]["messages"].as_object().unwrap().keys() {
        let own = format!("#/components/messages/{name}");
        assert!(found.contains(&own), "no channel has {name}");
    }
    for name in messages(&document) {
        assert!(!examples(&document, name).is_empty(), "{name}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "{name} is used nowhere");
    }
}

#[test]
fn every_example_fits_its_schema_and_without_a_required_field_it_does_not() {
    let document = document();
    for name in messages(&document) {
        let schema = schema(&document, name);
        for example in examples(&document, name) {
            fits(&schema, &example, name);
        }
        assert!(!schema.is_valid(&json!([])), "{name} is an object");
        let required = document["components"]["schemas"][name]["required"].as_array();
        for field in required.into_iter().flatten().filter_map(Value::as_str) {
            let mut less = examples(&document, name).remove(0);
            less.as_object_mut().unwrap().remove(field);
            assert!(!schema.is_valid(&less), "{name} without {field}");
        }
    }
}

#[test]
fn the_program_reads_every_example_whole() {
    let document = document();
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    for (message, topic) in
        [("Call", "call"), ("Counter", "counter/5"), ("Queue", "queue/A"), ("Notice", "notice/gui-xe")]
    {
        for example in examples(&document, message) {
            let decoded = moiso::wire::decode(topic, example.to_string().as_bytes(), &zone).unwrap();
            assert!(decoded.spared.is_empty(), "{example}: {:?}", decoded.spared);
        }
    }
    for example in examples(&document, "Command") {
        moiso::wire::decode_command("screen/sanh-1/command", example.to_string().as_bytes()).unwrap();
    }
    for example in examples(&document, "Proof") {
        moiso::wire::decode_proof("screen/sanh-1/proof", example.to_string().as_bytes()).unwrap();
    }
    for example in examples(&document, "Status").into_iter().chain(examples(&document, "Offline")) {
        moiso::wire::decode_status("screen/sanh-1/status", example.to_string().as_bytes()).unwrap();
    }
    for example in examples(&document, "Asking") {
        for topic in ["sync/request", "recording/x/wanted"] {
            moiso::wire::decode_asking(topic, example.to_string().as_bytes()).unwrap();
        }
    }
    for example in examples(&document, "SyncState") {
        let (inputs, wrong) =
            moiso::wire::decode_sync("sync/state/sanh-1", example.to_string().as_bytes(), &zone);
        // One call, and the zone where it was spoken.
        assert_eq!((inputs.len(), wrong), (5, Vec::new()));
    }
}

/// The schema of a topic below the hall's prefix, by the addresses of the document's channels.
fn schema_of(document: &Value, topic: &str, payload: &Value) -> String {
    let fits = |address: &str| {
        let parts: Vec<&str> = address.split('/').skip(2).collect();
        let given: Vec<&str> = topic.split('/').collect();
        parts.len() == given.len()
            && parts.iter().zip(&given).all(|(part, given)| part.starts_with('{') || part == given)
    };
    let channels = document["channels"].as_object().unwrap();
    let channel = channels.values().find(|c| c["address"].as_str().is_some_and(fits));
    let channel = channel.unwrap_or_else(|| panic!("no channel has the topic {topic}"));
    let messages: Vec<&str> =
        channel["messages"].as_object().unwrap().values().filter_map(|m| m["$ref"].as_str()).collect();
    let name = |reference: &str| reference.rsplit('/').next().unwrap().to_owned();
    // Only the status has two.
    let offline = payload["online"] == false;
    name(if offline && messages.len() > 1 {
        messages.iter().find(|m| m.ends_with("Offline")).unwrap()
    } else {
        messages.iter().find(|m| !m.ends_with("Offline")).unwrap()
    })
}

/// Everything on the broker: topics below the hall's prefix and payloads.
type Traffic = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

fn traffic(port: u16) -> (std::process::Child, Traffic) {
    let mut process = Command::new("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-t", "moiso/dong-da/#", "-F", "%t %x"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mosquitto-clients is installed");
    let messages = Traffic::default();
    let (out, kept) = (BufReader::new(process.stdout.take().unwrap()), Arc::clone(&messages));
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let (topic, payload) = line.split_once(' ').unwrap();
            let topic = topic.strip_prefix("moiso/dong-da/").unwrap().to_owned();
            let digits = payload.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
            let payload = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
            kept.lock().unwrap().push((topic, payload));
        }
    });
    (process, messages)
}

/// A session on the page of a daemon.
struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    replies: Vec<Value>,
    events: Vec<Value>,
}

impl Session {
    async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(LONG, self.socket.next()).await.unwrap().unwrap().unwrap();
            let Ok(text) = message.into_text() else { continue };
            let Ok(said) = serde_json::from_str::<Value>(&text) else { continue };
            return said;
        }
    }

    /// Asks, and keeps the reply and the events before it.
    async fn ask(&mut self, request: &Value) -> Value {
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        loop {
            let said = self.next().await;
            if said.get("event").is_some() {
                self.events.push(said);
                continue;
            }
            assert_eq!(said["re"], request["req"]);
            self.replies.push(said.clone());
            return said;
        }
    }

    /// Listens until an event of a kind has come.
    async fn hear(&mut self, kind: &str) {
        while !self.events.iter().any(|said| said["event"] == kind) {
            let said = self.next().await;
            self.events.push(said);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_really_said_fits_the_document() {
    let document = document();
    let (request, reply, event) =
        (schema(&document, "Request"), schema(&document, "Reply"), schema(&document, "Event"));
    let (broker, pulse) = (Mosquitto::start(), Pulse::start());
    let (mut listening, messages) = traffic(broker.port);
    let mut daemon = Daemon::start(&broker, Some(&pulse), "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let neighbour = Daemon::silent("tang-2", &broker);
    until(SOON, "the neighbour's link too", || neighbour.is_linked());
    let made = daemon.cli(&["token", "add", "--role", "technician", "--name", "Kỹ thuật"]);
    let token = made.split_whitespace().find(|word| word.starts_with("moiso_")).unwrap();

    // What others say.
    broker.publish("moiso/dong-da/call", &call("x-1", "A012", "5", "call"), &[]);
    for (message, topic) in [("Counter", "counter/5"), ("Queue", "queue/A"), ("Notice", "notice/gui-xe")] {
        let example = examples(&document, message).remove(0).to_string();
        broker.publish(&format!("moiso/dong-da/{topic}"), &example, &["-r"]);
    }
    broker.publish("moiso/dong-da/sync/request", r#"{"screen":"tang-3"}"#, &[]);
    let went_over = |start: &str| messages.lock().unwrap().iter().any(|(topic, _)| topic.starts_with(start));
    until(SOON, "a neighbour is answered", || went_over("sync/state/tang-3"));
    broker.publish("moiso/dong-da/call", "{}", &[]);
    until(SOON, "the refusal is kept", || daemon.kept("rejected", "topic = 'call'") == 1);

    // What a session says and hears, each kind of request once, and one of each that is refused.
    let (socket, _) = connect_async(format!("ws://127.0.0.1:{}/ws", daemon.port())).await.unwrap();
    let mut session = Session { socket, replies: Vec::new(), events: Vec::new() };
    let mut asked: Vec<Value> = examples(&document, "Request");
    asked[0]["token"] = token.into();
    asked.push(json!({ "req": 20, "type": "command", "do": "identify", "screen": "tang-2" }));
    asked.push(json!({ "req": 90, "type": "call", "ticket": "A012", "counter": "99" }));
    asked.push(json!({ "req": 91, "type": "notice.delete", "id": "gone" }));
    for mut one in asked {
        fits(&request, &one, "a request");
        if one["type"] == "notice.put" {
            // The examples' dates go by.
            one.as_object_mut().unwrap().remove("until");
            one.as_object_mut().unwrap().remove("from");
        }
        if one["type"] == "command" {
            one["do"] = "identify".into();
            one.as_object_mut().unwrap().remove("value");
        }
        let said = session.ask(&one).await;
        assert_eq!(said["ok"], one["req"].as_u64().unwrap() < 90, "{one} {said}");
    }
    // A message recorded here, which the neighbour asks for.
    let sound = daemon.state_folder().join("loi-nhan.wav");
    daemon.cli(&["say", "C023", "--counter", "3", "--wav", sound.to_str().unwrap()]);
    let sound = sound.to_str().unwrap();
    daemon.cli(&["notice", "put", "Mời công dân đến quầy 3", "--speak", "--sound", sound, "--id", "ghi-am"]);
    until(SOON, "the neighbour has the sound", || {
        neighbour.log().contains("another screen has passed on a recorded message")
    });
    for kind in ["view", "notice", "health", "screens", "speech", "proof"] {
        session.hear(kind).await;
    }
    let told = session.ask(&json!({ "req": 21, "type": "history", "ticket": "A012" })).await;
    assert_eq!(told["ok"], true, "{told}");
    for said in &session.replies {
        fits(&reply, said, "a reply");
    }
    for said in &session.events {
        fits(&event, said, "an event");
    }
    let lists = |field: &str| session.replies.iter().filter_map(|r| r[field].as_array()).map(Vec::len).max();
    for field in ["calls", "deeds", "rejected", "notices"] {
        assert!(lists(field) > Some(0), "{field} were told, so that their schema was tried");
    }

    // What went over the broker, to the goodbye.
    daemon.stop();
    let offline = |payload: &[u8]| String::from_utf8_lossy(payload).contains(r#""online":false"#);
    until(SOON, "the screen says that it is gone", || {
        messages.lock().unwrap().iter().any(|(_, payload)| offline(payload))
    });
    let _ = listening.kill();
    let _ = listening.wait();
    let mut seen = std::collections::BTreeSet::new();
    for (topic, payload) in messages.lock().unwrap().iter() {
        if payload.is_empty() || payload == b"{}" {
            continue;
        }
        let name = schema_of(&document, topic, &serde_json::from_slice(payload).unwrap_or_default());
        if document["components"]["messages"][&name].get("contentType").is_none() {
            let payload: Value = serde_json::from_slice(payload).unwrap();
            fits(&schema(&document, &name), &payload, topic);
        }
        seen.insert(name);
    }
    let session = ["Request", "Reply", "Event"];
    for name in document["components"]["messages"].as_object().unwrap().keys() {
        let name = name.as_str();
        assert!(session.contains(&name) || seen.contains(name), "{name} went over the broker: {seen:?}");
    }
}
