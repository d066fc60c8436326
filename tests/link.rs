//! The link against a real mosquitto: nothing is lost, nothing is acknowledged too early, and it always comes back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use moiso::board::input::Input;
use moiso::board::state::CounterMode;
use moiso::health::SoundState;
use moiso::hub::Publication;
use moiso::mqtt::{LinkError, LinkPhase, LinkState};
use moiso::wire::Action;

#[path = "support/mosquitto.rs"]
mod mosquitto;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/screen.rs"]
mod screen;

use mosquitto::{Folder, Mosquitto, certificates, clear, free_port};
use proxy::{Cable, Proxy};
use screen::{Screen, call, config};

const CALL: &str = "moiso/dong-da/call";
const STATUS: &str = "moiso/dong-da/screen/sanh-1/status";

fn to(url: &str) -> moiso::config::Config {
    config(&format!("brokers = \"{url}\""))
}

fn is_opened(input: &Input, name: &str) -> bool {
    matches!(input, Input::CounterChanged { counter, state }
        if counter.as_str() == name && state.mode == CounterMode::Open)
}

const OPEN: &str = r#"{"state":"open","ticket":"A011","at":"2026-11-24T08:30:00+07:00"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_arrives_exactly_once() {
    let broker = Mosquitto::start();
    let screen = Screen::up(&to(&broker.url())).await;
    broker.publish(CALL, &call("c-1"), &[]);
    broker.publish(CALL, &call("c-2"), &[]);
    screen.wait_calls(&["c-1", "c-2"]).await;
    broker.publish("moiso/dong-da/counter/9", OPEN, &[]);
    screen.wait_input("a later message arrives", |i| is_opened(i, "9")).await;
    assert_eq!(screen.calls(), ["c-1", "c-2"]);
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_calls_is_kept() {
    let broker = Mosquitto::start();
    let screen = Screen::up(&to(&broker.url())).await;
    let ids: Vec<String> = (0..60).map(|n| format!("c-{n}")).collect();
    let lines: Vec<String> = ids.iter().map(|id| call(id)).collect();
    let mut client = std::process::Command::new("mosquitto_pub")
        .args(["-p", &broker.port.to_string(), "-q", "1", "-t", CALL, "-l"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(client.stdin.as_mut().unwrap(), lines.join("\n").as_bytes()).unwrap();
    assert!(client.wait().unwrap().success());
    let expected: Vec<&str> = ids.iter().map(String::as_str).collect();
    screen.wait_calls(&expected).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retained_states_arrive_on_connect() {
    let broker = Mosquitto::start();
    broker.publish("moiso/dong-da/counter/5", OPEN, &["-r"]);
    broker.publish("moiso/dong-da/queue/A", r#"{"waiting":3,"at":"2026-11-24T08:30:00+07:00"}"#, &["-r"]);
    broker.publish(
        "moiso/dong-da/notice/n-1",
        r#"{"text":{"vi":"Tạm nghỉ"},"level":"info","at":"2026-11-24T08:30:00+07:00"}"#,
        &["-r"],
    );
    let screen = Screen::up(&to(&broker.url())).await;
    screen.wait_input("the counter's state arrives", |i| is_opened(i, "5")).await;
    screen.wait_input("the queue's state arrives", |i| matches!(i, Input::QueueChanged { .. })).await;
    screen
        .wait_input("the notice arrives", |i| matches!(i, Input::NoticePut(n) if n.text == "Tạm nghỉ"))
        .await;
    clear(broker.port, "moiso/dong-da/notice/n-1");
    screen.wait_input("it is taken back", |i| matches!(i, Input::NoticeCleared { .. })).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_broker_was_killed_the_next_call_arrives() {
    let mut broker = Mosquitto::start();
    let mut screen = Screen::up(&to(&broker.url())).await;
    broker.kill();
    screen.wait_state("notices", |s| !s.is_up()).await;
    screen.wait_input("the board is told", |i| *i == Input::LinkChanged { up: false }).await;
    broker.restart();
    let restarted = Instant::now();
    screen.wait_state("comes back", LinkState::is_up).await;
    assert!(restarted.elapsed() < Duration::from_secs(10), "{:?}", restarted.elapsed());
    broker.publish(CALL, &call("c-after"), &[]);
    screen.wait_calls(&["c-after"]).await;
    let ups = screen.inputs().iter().filter(|i| **i == Input::LinkChanged { up: true }).count();
    assert_eq!(ups, 2);
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_forgot_the_session_is_subscribed_again() {
    let mut broker = Mosquitto::start();
    let mut screen = Screen::up(&to(&broker.url())).await;
    broker.kill();
    let _ = std::fs::remove_file(broker.folder.0.join("mosquitto.db"));
    screen.wait_state("notices", |s| !s.is_up()).await;
    broker.restart();
    screen.wait_state("comes back", LinkState::is_up).await;
    broker.publish(CALL, &call("c-after"), &[]);
    screen.wait_calls(&["c-after"]).await;
    screen.end().await;
}

/// Waits until the broker has as many acknowledgements: those under way would be lost with the cable.
async fn until_acknowledged(broker: &Mosquitto, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while acknowledged(&broker.log()) < count {
        assert!(Instant::now() < deadline, "not acknowledged:\n{}", broker.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How many calls the screen has acknowledged; it acknowledges what screens say of themselves as well.
fn acknowledged(log: &str) -> usize {
    let number = |line: &str, before: &str| {
        let (_, rest) = line.split_once(before)?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u16>().ok()
    };
    let calls =
        log.lines().filter(|line| line.contains("Sending PUBLISH to moiso-") && line.contains("/call'"));
    let calls: BTreeSet<u16> = calls.filter_map(|line| number(line, ", m")).collect();
    let answers = log.lines().filter(|line| line.contains("Received PUBACK from moiso-"));
    let answers: BTreeSet<u16> = answers.filter_map(|line| number(line, "Mid: ")).collect();
    calls.intersection(&answers).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_the_hub_has_not_taken_is_delivered_again() {
    let broker = Mosquitto::start();
    let cable = Proxy::to(broker.port).await;
    let mut screen = Screen::up(&to(&cable.url())).await;
    screen.told.mute.store(true, Ordering::SeqCst);
    broker.publish(CALL, &call("c-1"), &[]);
    broker.publish(CALL, &call("c-2"), &[]);
    screen.wait_calls(&["c-1", "c-2"]).await;
    cable.set(Cable::Cut);
    screen.wait_state("notices", |s| !s.is_up()).await;
    screen.told.mute.store(false, Ordering::SeqCst);
    cable.set(Cable::Whole);
    screen.wait_calls(&["c-1", "c-2", "c-1", "c-2"]).await;
    until_acknowledged(&broker, 2).await;
    cable.set(Cable::Cut);
    screen.wait_state("notices", |s| !s.is_up()).await;
    cable.set(Cable::Whole);
    screen.wait_state("comes back", LinkState::is_up).await;
    broker.publish(CALL, &call("c-3"), &[]);
    screen.wait_calls(&["c-1", "c-2", "c-1", "c-2", "c-3"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_published_while_the_screen_was_away_wait_for_it() {
    let broker = Mosquitto::start();
    Screen::up(&to(&broker.url())).await.end().await;
    broker.publish(CALL, &call("c-away"), &[]);
    let screen = Screen::up(&to(&broker.url())).await;
    screen.wait_calls(&["c-away"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_tells_that_a_screen_died() {
    let broker = Mosquitto::start();
    let watcher = broker.subscribe(STATUS);
    let screen = Screen::up(&to(&broker.url())).await;
    let online = watcher.wait_for(|l| l.contains(r#""online":true"#));
    assert!(
        online.contains(r#""session":17"#) && online.contains(&format!(":{}\"", broker.port)),
        "{online}"
    );
    screen.abort();
    watcher.wait_for(|l| l.contains(r#""online":false"#) && l.contains(r#""session":17"#));
    let late = broker.subscribe(STATUS);
    late.wait_for(|l| l.starts_with('1') && l.contains(r#""online":false"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_says_offline_and_leaves_in_order() {
    let broker = Mosquitto::start();
    let screen = Screen::up(&to(&broker.url())).await;
    let state = screen.state.clone();
    let stopping = Instant::now();
    screen.end().await;
    assert!(stopping.elapsed() < Duration::from_secs(1), "{:?}", stopping.elapsed());
    assert_eq!(state.borrow().phase, LinkPhase::Stopped);
    let late = broker.subscribe(STATUS);
    late.wait_for(|l| l.starts_with('1') && l.contains(r#""online":false"#));
    assert!(broker.log().contains("Received DISCONNECT from moiso-dong-da-sanh-1"), "{}", broker.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_follows_what_changes() {
    let broker = Mosquitto::start();
    let watcher = broker.subscribe(STATUS);
    let screen = Screen::up(&to(&broker.url())).await;
    watcher.wait_for(|l| l.contains(r#""audio":"ok""#));
    screen.status.send_modify(|s| s.audio = SoundState::Lost);
    watcher.wait_for(|l| l.contains(r#""audio":"lost""#));
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_a_clear_state_and_no_loop() {
    let broker = Mosquitto::with_password();
    let cable = Proxy::to(broker.port).await;
    let secret = broker.folder.file("secret", "wrong\n");
    let account = format!("username = \"board\"\npassword_file = \"{}\"", secret.display());
    let mut screen = Screen::start(&config(&format!("brokers = \"{}\"\n{account}", cable.url())));
    let state = screen.wait_state("is refused", |s| s.problem == Some(LinkError::WrongPassword)).await;
    let LinkPhase::Waiting { wait } = state.phase else { panic!("{state:?}") };
    assert!(wait.0 >= 15_000, "{wait:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(cable.connections.load(Ordering::SeqCst), 1);
    screen.end().await;

    std::fs::write(&secret, "right\n").unwrap();
    let screen = Screen::up(&config(&format!("brokers = \"{}\"\n{account}", cable.url()))).await;
    broker.publish(CALL, &call("c-1"), &[]);
    screen.wait_calls(&["c-1"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_broker_serves_when_the_first_is_dead() {
    let broker = Mosquitto::start();
    let dead = free_port();
    let brokers = format!("brokers = [\"mqtt://127.0.0.1:{dead}\", \"{}\"]", broker.url());
    let screen = Screen::up(&config(&brokers)).await;
    assert_eq!(screen.state.borrow().label(), format!("127.0.0.1:{}", broker.port));
    broker.publish(CALL, &call("c-1"), &[]);
    screen.wait_calls(&["c-1"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_has_a_name() {
    let mut screen = Screen::start(&to(&format!("mqtt://127.0.0.1:{}", free_port())));
    screen.wait_state("is refused", |s| s.problem == Some(LinkError::NothingListens)).await;
    screen.end().await;
    let mut screen = Screen::start(&to("mqtt://no-such-host.invalid"));
    screen.wait_state("is not found", |s| s.problem == Some(LinkError::NameNotFound)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(screen.state.borrow().attempts <= 3, "{:?}", screen.state.borrow());
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_needs_the_right_ca() {
    let folder = Folder::new();
    certificates(&folder.0);
    let broker = Mosquitto::in_folder(
        folder,
        "allow_anonymous true\ncafile DIR/ca.pem\ncertfile DIR/server.pem\nkeyfile DIR/server.key\nrequire_certificate true",
    );
    let dir = broker.folder.0.display();
    let url = format!("brokers = \"mqtts://127.0.0.1:{}\"", broker.port);
    let client = format!("cert_file = \"{dir}/client.pem\"\nkey_file = \"{dir}/client.key\"");

    let screen = Screen::up(&config(&format!("{url}\nca_file = \"{dir}/ca.pem\"\n{client}"))).await;
    let account: Vec<String> = ["--cafile", "ca.pem", "--cert", "client.pem", "--key", "client.key"]
        .iter()
        .enumerate()
        .map(|(i, a)| if i % 2 == 0 { (*a).to_owned() } else { format!("{dir}/{a}") })
        .collect();
    broker.publish(CALL, &call("c-1"), &account.iter().map(String::as_str).collect::<Vec<_>>());
    screen.wait_calls(&["c-1"]).await;
    screen.end().await;

    let tls = |s: &LinkState| matches!(s.problem, Some(LinkError::Tls(_)));
    let mut screen = Screen::start(&config(&format!("{url}\nca_file = \"{dir}/client.pem\"\n{client}")));
    screen.wait_state("distrusts the broker", tls).await;
    screen.end().await;

    let mut screen = Screen::start(&config(&format!("{url}\nca_file = \"{dir}/missing.pem\"")));
    let missing = |s: &LinkState| matches!(&s.problem, Some(LinkError::File { path, .. }) if path.ends_with("missing.pem"));
    screen.wait_state("misses the file", missing).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_large_does_not_take_the_link_down_for_good() {
    let broker = Mosquitto::start();
    broker.publish("moiso/dong-da/counter/7", &"x".repeat(300 * 1024), &["-r"]);
    let mut screen = Screen::start(&to(&broker.url()));
    screen.wait_state("names it", |s| matches!(s.problem, Some(LinkError::TooLarge { .. }))).await;
    screen.wait_state("comes up all the same", LinkState::is_up).await;
    broker.publish(CALL, &call("c-1"), &[]);
    screen.wait_calls(&["c-1"]).await;
    assert!(screen.told.rejected.load(Ordering::SeqCst) >= 1, "it was read, refused and acknowledged");
    assert!(screen.state.borrow().is_up());
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_counted_acknowledged_and_forgotten() {
    let broker = Mosquitto::start();
    let screen = Screen::up(&to(&broker.url())).await;
    broker.publish(CALL, "not json", &[]);
    broker.publish(CALL, &call("c-1").replace("\"call\"", "\"goi\""), &[]);
    broker.publish(CALL, &call("c-2"), &[]);
    screen.wait_calls(&["c-2"]).await;
    assert_eq!(screen.told.rejected.load(Ordering::SeqCst), 2);
    screen.end().await;
    let screen = Screen::up(&to(&broker.url())).await;
    broker.publish(CALL, &call("c-3"), &[]);
    screen.wait_calls(&["c-3"]).await;
    assert_eq!(screen.told.rejected.load(Ordering::SeqCst), 0);
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_went_silent_is_made_anew() {
    let broker = Mosquitto::start();
    let cable = Proxy::to(broker.port).await;
    let mut screen = Screen::up(&to(&cable.url())).await;
    cable.set(Cable::Silent);
    let silent = Instant::now();
    screen.wait_state("notices", |s| s.problem == Some(LinkError::Silent)).await;
    assert!(silent.elapsed() < Duration::from_secs(6), "three keep-alives of 2 s: {:?}", silent.elapsed());
    cable.set(Cable::Whole);
    screen.wait_state("comes back", LinkState::is_up).await;
    broker.publish(CALL, &call("c-1"), &[]);
    screen.wait_calls(&["c-1"]).await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_screens_with_one_client_id_back_off_and_say_so() {
    let broker = Mosquitto::start();
    let cable = Proxy::to(broker.port).await;
    let one = config(&format!("brokers = \"{}\"\nclient_id = \"board\"", cable.url()));
    let (mut first, mut second) = (Screen::start(&one), Screen::start(&one));
    let thrown_out = |s: &LinkState| s.problem == Some(LinkError::ThrownOut);
    tokio::select! {
        state = first.wait_state("gives way", thrown_out) => assert_contested(&state),
        state = second.wait_state("gives way", thrown_out) => assert_contested(&state),
    }
    assert!(cable.connections.load(Ordering::SeqCst) < 12, "{:?}", cable.connections);
    first.end().await;
    second.end().await;
}

fn assert_contested(state: &LinkState) {
    let LinkPhase::Waiting { wait } = state.phase else { panic!("{state:?}") };
    assert!(wait.0 >= 60_000, "{wait:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_to_be_published_while_the_link_was_down_leaves_in_order() {
    let mut broker = Mosquitto::start();
    let mut screen = Screen::up(&to(&broker.url())).await;
    broker.kill();
    screen.wait_state("notices", |s| !s.is_up()).await;
    for (topic, payload, retain) in
        [("notice/a", "old", true), ("call", "1", false), ("notice/a", "new", true), ("call", "2", false)]
    {
        let publication = Publication { topic: topic.into(), payload: payload.into(), retain };
        screen.outgoing.send(publication).await.unwrap();
    }
    broker.restart();
    let watcher = broker.subscribe("moiso/dong-da/+/#");
    screen.wait_state("comes back", LinkState::is_up).await;
    let line = watcher.wait_for(|l| l.contains("/call ") || l.contains("/notice/a "));
    assert!(line.ends_with("/call 1"), "{line}");
    let line = watcher.wait_for(|l| l.contains("/call ") || l.contains("/notice/a "));
    assert!(line.ends_with("/notice/a new"), "{line}");
    let line = watcher.wait_for(|l| l.contains("/call ") || l.contains("/notice/a "));
    assert!(line.ends_with("/call 2"), "{line}");
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_reach_the_board_or_the_shell_and_never_when_retained() {
    let broker = Mosquitto::start();
    let topic = "moiso/dong-da/screen/sanh-1/command";
    broker.publish(topic, r#"{"id":"0","do":"reload"}"#, &["-r"]);
    let mut screen = Screen::up(&to(&broker.url())).await;
    broker.publish(topic, r#"{"id":"1","do":"mute"}"#, &[]);
    screen.wait_input("it is muted", |i| *i == Input::MuteChanged { zone: None, muted: true }).await;
    broker.publish(topic, r#"{"id":"1","do":"unmute"}"#, &[]);
    broker.publish(topic, r#"{"id":"2","do":"volume","value":70}"#, &[]);
    let command = screen.commands.recv().await.unwrap();
    assert_eq!(command.action, Action::VolumePercent(70));
    assert!(screen.commands.try_recv().is_err(), "what the board carries out is no business of the shell");
    broker.publish(topic, r#"{"id":"3","do":"identify"}"#, &[]);
    screen
        .wait_input("the same id was the same command, however often it came", |i| {
            assert!(!matches!(i, Input::MuteChanged { muted: false, .. }));
            *i == Input::IdentifyRequested
        })
        .await;
    screen.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_with_the_halls_state_is_taken() {
    let broker = Mosquitto::start();
    let requests = broker.subscribe("moiso/dong-da/sync/request");
    broker.publish("moiso/dong-da/sync/request", r#"{"screen":"probe"}"#, &[]);
    requests.wait_for(|l| l.contains("probe"));
    let screen = Screen::up(&to(&broker.url())).await;
    requests.wait_for(|l| l.ends_with(r#"{"screen":"sanh-1"}"#));
    let state = format!(r#"{{"counters":{{"5":{OPEN},"6":{OPEN}}}}}"#);
    broker.publish("moiso/dong-da/sync/state/sanh-1", &state, &[]);
    screen.wait_input("counter 5 arrives", |i| is_opened(i, "5")).await;
    screen.wait_input("counter 6 arrives", |i| is_opened(i, "6")).await;
    screen.end().await;
}
