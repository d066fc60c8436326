//! The embedded broker: the same link, the same tests, and what a hall with a single PC needs beyond them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(feature = "embedded-broker")]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use moiso::board::input::Input;
use moiso::board::state::CounterMode;
use moiso::config::EmbeddedConfig;
use moiso::mqtt::broker::{self, BrokerError, Running};
use moiso::mqtt::{LinkError, LinkState};

#[path = "support/mosquitto.rs"]
mod mosquitto;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/screen.rs"]
mod screen;

use mosquitto::{Folder, Subscriber, publish};
use proxy::{Cable, Proxy};
use screen::{Screen, call, config};

const CALL: &str = "moiso/dong-da/call";
const STATUS: &str = "moiso/dong-da/screen/sanh-1/status";
const OPEN: &str = r#"{"state":"open","ticket":"A011","at":"2026-11-24T08:30:00+07:00"}"#;

fn anywhere() -> EmbeddedConfig {
    EmbeddedConfig { listen: "127.0.0.1:0".parse().ok(), websocket: None, users_file: None, insecure: false }
}

async fn start(store: Option<&Path>) -> Running {
    broker::start(&anywhere(), store).await.unwrap()
}

fn to(broker: &Running) -> moiso::config::Config {
    config(&format!("brokers = \"mqtt://{}\"", broker.local_addr()))
}

fn is_opened(input: &Input, name: &str) -> bool {
    matches!(input, Input::CounterChanged { counter, state }
        if counter.as_str() == name && state.mode == CounterMode::Open)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_arrives_exactly_once_and_in_order() {
    let broker = start(None).await;
    let port = broker.local_addr().port();
    let screen = Screen::up(&to(&broker)).await;
    for id in ["c-1", "c-2", "c-3"] {
        publish(port, CALL, &call(id), &[]);
    }
    publish(port, "moiso/dong-da/counter/9", OPEN, &["-V", "5"]);
    screen.wait_input("a message of an MQTT 5 client arrives", |i| is_opened(i, "9")).await;
    assert_eq!(screen.calls(), ["c-1", "c-2", "c-3"]);
    screen.end().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retained_states_arrive_on_connect() {
    let broker = start(None).await;
    publish(broker.local_addr().port(), "moiso/dong-da/counter/5", OPEN, &["-r"]);
    let screen = Screen::up(&to(&broker)).await;
    screen.wait_input("the counter's state arrives", |i| is_opened(i, "5")).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_the_hub_has_not_taken_is_delivered_again() {
    let broker = start(None).await;
    let port = broker.local_addr().port();
    let cable = Proxy::to(port).await;
    let mut screen = Screen::up(&config(&format!("brokers = \"{}\"", cable.url()))).await;
    screen.told.mute.store(true, Ordering::SeqCst);
    publish(port, CALL, &call("c-1"), &[]);
    publish(port, CALL, &call("c-2"), &[]);
    screen.wait_calls(&["c-1", "c-2"]).await;
    cable.set(Cable::Cut);
    screen.wait_state("notices", |s| !s.is_up()).await;
    screen.told.mute.store(false, Ordering::SeqCst);
    cable.set(Cable::Whole);
    screen.wait_calls(&["c-1", "c-2", "c-1", "c-2"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_published_while_the_screen_was_away_wait_for_it() {
    let broker = start(None).await;
    Screen::up(&to(&broker)).await.end().await;
    publish(broker.local_addr().port(), CALL, &call("c-away"), &[]);
    let screen = Screen::up(&to(&broker)).await;
    screen.wait_calls(&["c-away"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_tells_that_a_screen_died_or_left() {
    let broker = start(None).await;
    let port = broker.local_addr().port();
    let watcher = Subscriber::start(port, STATUS, &[]);
    let screen = Screen::up(&to(&broker)).await;
    watcher.wait_for(|l| l.contains(r#""online":true"#));
    screen.abort();
    watcher.wait_for(|l| l.contains(r#""online":false"#));
    let screen = Screen::up(&to(&broker)).await;
    watcher.wait_for(|l| l.contains(r#""online":true"#));
    screen.end().await;
    watcher.wait_for(|l| l.contains(r#""online":false"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_keeps_outlives_a_restart() {
    let folder = Folder::new();
    let broker = start(Some(&folder.0)).await;
    publish(broker.local_addr().port(), "moiso/dong-da/counter/5", OPEN, &["-r"]);
    Screen::up(&to(&broker)).await.end().await;
    publish(broker.local_addr().port(), CALL, &call("c-away"), &[]);
    broker.stop().await;
    let broker = start(Some(&folder.0)).await;
    let screen = Screen::up(&to(&broker)).await;
    screen.wait_input("the counter's state arrives", |i| is_opened(i, "5")).await;
    screen.wait_calls(&["c-away"]).await;
    screen.end().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_quick_and_the_link_notices() {
    let broker = start(None).await;
    let mut screen = Screen::up(&to(&broker)).await;
    let stopping = Instant::now();
    broker.stop().await;
    assert!(stopping.elapsed() < Duration::from_secs(3), "{:?}", stopping.elapsed());
    screen.wait_state("notices", |s| !s.is_up()).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_its_users_may_connect() {
    let folder = Folder::new();
    let users = folder.file("users", "# the hall\n\nboard:right\nconsole:other:word\n");
    let broker =
        broker::start(&EmbeddedConfig { users_file: Some(users), ..anywhere() }, None).await.unwrap();
    let account = |password: &str| {
        let url = format!("brokers = \"mqtt://{}\"", broker.local_addr());
        config(&format!("{url}\nusername = \"board\"\npassword = \"{password}\""))
    };
    let refused = |s: &LinkState| s.problem == Some(LinkError::WrongPassword);
    let mut screen = Screen::start(&account("wrong"));
    screen.wait_state("is refused", refused).await;
    screen.end().await;
    let mut screen = Screen::start(&to(&broker));
    screen.wait_state("is refused without a name", refused).await;
    screen.end().await;
    let screen = Screen::up(&account("right")).await;
    publish(broker.local_addr().port(), CALL, &call("c-1"), &["-u", "console", "-P", "other:word"]);
    screen.wait_calls(&["c-1"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_its_config_is_said() {
    let folder = Folder::new();
    let failure = async |config: EmbeddedConfig| broker::start(&config, None).await.unwrap_err();
    let nowhere = EmbeddedConfig { listen: None, ..anywhere() };
    assert!(matches!(failure(nowhere).await, BrokerError::NoAddress));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let first = broker::start(&EmbeddedConfig { listen: Some(taken), ..anywhere() }, None).await.unwrap();
    let second = failure(EmbeddedConfig { listen: Some(taken), ..anywhere() }).await;
    assert!(matches!(second, BrokerError::Listen { address, .. } if address == taken), "{second}");
    first.stop().await;

    for (text, why) in [
        ("board\n", "line 1: must be name:password"),
        (":x\n", "line 1: the name is empty"),
        ("", "it names nobody"),
    ] {
        let users = folder.file("users", text);
        let error = failure(EmbeddedConfig { users_file: Some(users), ..anywhere() }).await;
        assert!(error.to_string().ends_with(why), "{error}");
    }
    let missing = EmbeddedConfig { users_file: Some(folder.0.join("missing")), ..anywhere() };
    assert!(matches!(failure(missing).await, BrokerError::Users { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browsers_websocket_is_answered_with_the_mqtt_protocol() {
    let config = EmbeddedConfig { websocket: "127.0.0.1:0".parse().ok(), ..anywhere() };
    let broker = broker::start(&config, None).await.unwrap();
    let url = format!("http://{}/mqtt", broker.websocket_addr().unwrap());
    let answer = Command::new("curl")
        .args(["-s", "-i", "--max-time", "2", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket"])
        .args(["-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
        .args(["-H", "Sec-WebSocket-Protocol: mqtt", &url])
        .output()
        .expect("curl is installed");
    let answer = String::from_utf8_lossy(&answer.stdout).to_lowercase();
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(answer.contains("sec-websocket-protocol: mqtt"), "{answer}");
}
