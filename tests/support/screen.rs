//! A link under test with a hub that only writes down what it is told.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part, and a test may panic")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use moiso::audio::shelf::Shelf;
use moiso::board::input::Input;
use moiso::board::view::BoardView;
use moiso::clock::system::SystemClock;
use moiso::clock::{Clock as _, Millis};
use moiso::config::Config;
use moiso::health::{ScreenStatus, SoundState};
use moiso::hub::{HubHandle, Publication, Request, Taken};
use moiso::mqtt::{Doors, LinkState};
use moiso::wire::Command;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What the hub was told, and whether it answers.
#[derive(Default)]
pub struct Told {
    inputs: Mutex<Vec<Input>>,
    pub rejected: AtomicU64,
    pub mute: AtomicBool,
}

pub struct Screen {
    pub told: Arc<Told>,
    pub state: watch::Receiver<LinkState>,
    pub stop: watch::Sender<bool>,
    pub status: watch::Sender<ScreenStatus>,
    pub outgoing: mpsc::Sender<Publication>,
    pub commands: mpsc::Receiver<Command>,
    pub task: JoinHandle<()>,
    hub: JoinHandle<()>,
}

/// The config of the screen `sanh-1` in the hall `dong-da`, with the given lines under `[mqtt]`.
pub fn config(mqtt: &str) -> Config {
    let mut config = Config::read(&format!("[mqtt]\n{mqtt}\n"), [].into()).unwrap();
    config.mqtt.keep_alive = Millis::from_secs(2);
    config
}

pub fn status() -> ScreenStatus {
    let now = SystemClock::new().now();
    ScreenStatus { session: 17, audio: SoundState::Ok, ..ScreenStatus::first(&Config::default(), now) }
}

impl Screen {
    pub fn start(config: &Config) -> Self {
        let told = Arc::new(Told::default());
        let (requests, receiver) = mpsc::channel(64);
        let (_, views) = watch::channel(Arc::new(BoardView::empty()));
        let (send_state, state) = watch::channel(LinkState::new());
        let (stop, stopped) = watch::channel(false);
        let (status, status_receiver) = watch::channel(status());
        let (outgoing, to_publish) = mpsc::channel(64);
        let (to_commands, commands) = mpsc::channel(64);
        let doors = Doors {
            hub: HubHandle { requests, views },
            outgoing: to_publish,
            commands: to_commands,
            sharing: moiso::sharing::door(&Shelf::open("no such folder".into())).0,
            status: status_receiver,
            state: send_state,
            stop: stopped,
        };
        let task = tokio::spawn(moiso::mqtt::run(config, doors));
        let hub = tokio::spawn(serve(receiver, told.clone()));
        Self { told, state, stop, status, outgoing, commands, task, hub }
    }

    /// Started, connected and subscribed.
    pub async fn up(config: &Config) -> Self {
        let mut screen = Self::start(config);
        screen.wait_state("is up", LinkState::is_up).await;
        screen
    }

    pub async fn wait_state(&mut self, what: &str, fits: impl Fn(&LinkState) -> bool) -> LinkState {
        let found = self.state.wait_for(|s| fits(s));
        if let Ok(Ok(state)) = tokio::time::timeout(Duration::from_secs(25), found).await {
            return state.clone();
        }
        panic!("the link never {what}: {:?}", *self.state.borrow());
    }

    pub fn inputs(&self) -> Vec<Input> {
        self.told.inputs.lock().unwrap().clone()
    }

    /// The ids of the calls that the hub was given, in order.
    pub fn calls(&self) -> Vec<String> {
        let id = |input| match input {
            Input::CallReceived(call) => Some(call.id.to_string()),
            _ => None,
        };
        self.inputs().into_iter().filter_map(id).collect()
    }

    pub async fn wait_calls(&self, ids: &[&str]) {
        eventually(
            &format!("calls {ids:?} arrive"),
            || self.calls() == ids,
            || format!("{:?}", self.calls()),
        )
        .await;
    }

    pub async fn wait_input(&self, what: &str, fits: impl Fn(&Input) -> bool) {
        eventually(what, || self.inputs().iter().any(&fits), || format!("{:?}", self.inputs())).await;
    }

    pub async fn end(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(2), self.task).await.expect("the link stops").unwrap();
        self.hub.abort();
    }

    /// As if the process died.
    pub fn abort(&self) {
        self.task.abort();
    }
}

async fn serve(mut requests: mpsc::Receiver<Request>, told: Arc<Told>) {
    let mut unanswered = Vec::new();
    while let Some(request) = requests.recv().await {
        match request {
            Request::Input { input, reply } => {
                told.inputs.lock().unwrap().push(input);
                match reply {
                    Some(reply) if told.mute.load(Ordering::SeqCst) => unanswered.push(reply),
                    Some(reply) => drop(reply.send(Taken::Applied)),
                    None => {}
                }
            }
            Request::Rejected(_) => {
                told.rejected.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }
}

/// Polls until `holds`, or fails after 15 s with what `shows`.
pub async fn eventually(what: &str, holds: impl Fn() -> bool, shows: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}; {}", shows());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn call(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","ticket":"A012","counter":"5","kind":"call","at":"{}"}}"#,
        jiff::Timestamp::now()
    )
}
