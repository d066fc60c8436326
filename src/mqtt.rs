//! The link to the broker: one task that connects, subscribes, hands messages to the hub, publishes, and never gives up.
//!
//! It never decides what a message means for the board, never acknowledges one that the hub has not taken, and never
//! stops trying. MQTT 3.1.1 with a fixed client id and a persistent session, QoS 1 throughout.

use std::fmt;
use std::future::Future;
use std::mem::Discriminant;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, error, warn};

use crate::board::input::Input;
use crate::clock::Millis;
use crate::config::{BrokerAddress, Config};
use crate::health::ScreenStatus;
use crate::hub::{HubHandle, Publication, Request};
use crate::sharing::SharingDoor;
use crate::wire::Command;

pub mod backoff;
#[cfg(feature = "embedded-broker")]
pub mod broker;
mod delivery;
mod options;
pub mod outbox;
mod problem;
mod session;
pub mod tally;
pub mod topics;

use backoff::Backoff;
use delivery::{Heard, Rejections};
use options::Settings;
use outbox::Outbox;
pub use problem::LinkError;
use session::End;
use tally::Tally;
use topics::Topics;

/// Largest packet in either direction; a payload of the contract is at most 64 KiB.
const PACKET_MAX: usize = 256 * 1024;
/// Once a larger one has come: the broker would send it after each connect for ever, so it is read, refused and
/// acknowledged instead.
const PACKET_MAX_RAISED: usize = 16 * 1024 * 1024;
/// Between two brokers of the list.
const NEXT_BROKER: Millis = Millis(100);
const HUB_WITHIN: Duration = Duration::from_secs(5);

/// What the link is connected to inside the process.
#[derive(Debug)]
pub struct Doors {
    pub hub: HubHandle,
    /// What the hub wants published, topics below the hall's prefix.
    pub outgoing: mpsc::Receiver<Publication>,
    /// Commands to this screen that are no inputs of the hub.
    pub commands: mpsc::Sender<Command>,
    /// Where the sounds of recorded messages are passed from screen to screen.
    pub sharing: SharingDoor,
    /// What the retained status says; `online`, `at` and `link` are filled in here.
    pub status: watch::Receiver<ScreenStatus>,
    pub state: watch::Sender<LinkState>,
    /// True, or its sender dropped: say offline, disconnect and return, within a second.
    pub stop: watch::Receiver<bool>,
}

/// The link as others may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    pub phase: LinkPhase,
    /// `host:port` of the broker that is used or was tried last.
    pub broker: String,
    /// Why the link is down; while it is up, what the broker does not allow.
    pub problem: Option<LinkError>,
    /// Connects since the start.
    pub attempts: u64,
    /// Publications that the broker does not have yet.
    pub waiting: usize,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LinkPhase {
    Connecting,
    /// Connected and subscribed.
    Up,
    /// Before the next attempt.
    Waiting {
        wait: Millis,
    },
    Stopped,
}

impl LinkState {
    /// Before the first attempt.
    pub fn new() -> Self {
        Self { phase: LinkPhase::Connecting, broker: String::new(), problem: None, attempts: 0, waiting: 0 }
    }

    pub fn is_up(&self) -> bool {
        self.phase == LinkPhase::Up
    }

    /// For the screen's status: the address of the broker, or `down`.
    pub fn label(&self) -> &str {
        if self.is_up() { &self.broker } else { "down" }
    }
}

impl Default for LinkState {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Keeps the link until told to stop. Dropping the future ends all its tasks without a disconnect, so that the broker
/// publishes the will.
pub fn run(config: &Config, doors: Doors) -> impl Future<Output = ()> + Send + use<> {
    Link::new(config, doors).run()
}

/// What this machine lacks for the link that the config describes: files that are missing or are no certificates. Reads
/// them; connects to nothing.
pub fn unusable(config: &Config) -> Vec<String> {
    let tls = config.mqtt.brokers.iter().any(|broker| broker.tls);
    let problems = Settings::of(config).problems(tls).into_iter();
    problems.map(|problem| format!("mqtt: {problem}; {}", problem.advice())).collect()
}

struct Link {
    settings: Settings,
    brokers: Vec<BrokerAddress>,
    topics: Topics,
    doors: Doors,
    outgoing_open: bool,
    outbox: Outbox,
    backoff: Backoff,
    rejections: Rejections,
    heard: Heard,
    zone: TimeZone,
    problems: Tally<(String, Discriminant<LinkError>)>,
    packet_max: usize,
    attempts: u64,
    start: Instant,
}

impl Link {
    fn new(config: &Config, doors: Doors) -> Self {
        Self {
            settings: Settings::of(config),
            brokers: config.mqtt.brokers.clone(),
            topics: Topics::of(config),
            doors,
            outgoing_open: true,
            outbox: Outbox::default(),
            backoff: Backoff::default(),
            rejections: Rejections::new(),
            heard: Heard::default(),
            zone: TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC),
            problems: Tally::default(),
            packet_max: PACKET_MAX,
            attempts: 0,
            start: Instant::now(),
        }
    }

    async fn run(mut self) {
        let mut turn = 0;
        while let Some(broker) = self.brokers.get(turn).cloned() {
            self.attempts += 1;
            let problem = self.doors.state.borrow().problem.clone();
            self.report(LinkState { problem, ..self.state_of(&broker) });
            let End::Broken { problem, lived } = self.attempt(&broker).await else { break };
            let (next, wait) = self.after(turn, &broker, problem, lived);
            turn = next;
            if self.rest(wait).await == Rest::Stopped {
                break;
            }
        }
        let state = self.doors.state.borrow().clone();
        self.report(LinkState { phase: LinkPhase::Stopped, ..state });
    }

    /// Which broker is next, and when: the others of the list at once, the whole list again after the back-off. A link
    /// that was stable is sought at the first of the list again.
    fn after(
        &mut self,
        turn: usize,
        broker: &BrokerAddress,
        problem: LinkError,
        lived: Option<Millis>,
    ) -> (usize, Millis) {
        if let LinkError::TooLarge { .. } = problem {
            self.packet_max = PACKET_MAX_RAISED;
        }
        let stable = lived.is_some_and(|lived| lived >= backoff::STABLE);
        let next = if stable { 0 } else { (turn + 1) % self.brokers.len() };
        let wait = if next > turn && lived.is_none() {
            NEXT_BROKER
        } else {
            self.backoff.wait_after(problem.ended(lived), rand::random())
        };
        let problem = if self.backoff.contested() { LinkError::ThrownOut } else { problem };
        self.log(broker, &problem, wait);
        if let Some(trouble) = problem.trouble() {
            // A hub that is busy hears it at the next attempt.
            let request = Request::Input { input: Input::LinkTroubled { trouble }, reply: None };
            let _ = self.doors.hub.requests.try_send(request);
        }
        let phase = LinkPhase::Waiting { wait };
        self.report(LinkState { phase, problem: Some(problem), ..self.state_of(broker) });
        (next, wait)
    }

    fn log(&mut self, broker: &BrokerAddress, problem: &LinkError, wait: Millis) {
        let now = Millis(i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX));
        let wait_ms = wait.0;
        if let Some(times) = self.problems.note((broker.to_string(), problem.kind()), now) {
            warn!(%broker, times, wait_ms, "link is down: {problem}; {}", problem.advice());
        } else {
            debug!(%broker, wait_ms, "link is down: {problem}");
        }
    }

    /// Waits for the next attempt; what is to be published meanwhile is kept.
    async fn rest(&mut self, wait: Millis) -> Rest {
        let over = sleep(wait.to_duration());
        let stop = self.stop_asked();
        tokio::pin!(over, stop);
        loop {
            tokio::select! {
                () = &mut over => return Rest::Over,
                () = &mut stop => return Rest::Stopped,
                publication = self.doors.outgoing.recv(), if self.outgoing_open => self.queue(publication),
            }
        }
    }

    fn queue(&mut self, publication: Option<Publication>) {
        let Some(publication) = publication else {
            self.outgoing_open = false;
            return;
        };
        if let Some(dropped) = self.outbox.push(publication) {
            warn!(
                topic = dropped.topic,
                bytes = dropped.payload.len(),
                "publication dropped: too large, or too many wait"
            );
        }
    }

    /// Ends when the process is stopping. Safe to drop and ask again.
    fn stop_asked(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.doors.stop.clone();
        async move {
            // An error means that nobody can ask any more: the process is going down.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    async fn tell_hub(&self, input: Input) {
        let request = Request::Input { input, reply: None };
        if timeout(HUB_WITHIN, self.doors.hub.requests.send(request)).await.is_err() {
            error!("the hub does not take the state of the link");
        }
    }

    fn state_of(&self, broker: &BrokerAddress) -> LinkState {
        LinkState {
            phase: LinkPhase::Connecting,
            broker: broker.to_string(),
            problem: None,
            attempts: self.attempts,
            waiting: self.outbox.len(),
        }
    }

    fn report(&self, state: LinkState) {
        self.doors.state.send_replace(state);
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Rest {
    Over,
    Stopped,
}
