//! Hands arriving messages to the hub, in their order, and acknowledges each, in that order too, only when the hub has
//! taken it and the journal has it. Many may be underway, so that a burst is written in one go.
//!
//! A message whose turn never ended is delivered again by the broker after the next connect; the board knows its id.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use jiff::tz::TimeZone;
use rumqttc::{AsyncClient, Publish};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, trace_span, warn};

use super::tally::Tally;
use super::topics::{Subject, Topics};
use crate::board::call::CallId;
use crate::clock::Millis;
use crate::hub::{HubHandle, Request, Stopped, Taken};
use crate::sharing::SharingDoor;
use crate::trace::STAGE;
use crate::wire::{self, Command, Reason, Rejection};

/// Topic, reason and field of a rejection, and whether the message was taken without that field.
type Kind = (String, Reason, Option<String>, bool);

/// Rejections by their kind, over all connections.
#[derive(Clone)]
pub(super) struct Rejections {
    tally: Arc<Mutex<Tally<Kind>>>,
    start: Instant,
}

impl Rejections {
    pub fn new() -> Self {
        Self { tally: Arc::default(), start: Instant::now() }
    }

    fn log(&self, rejection: &Rejection, spared: bool) {
        let now = Millis(i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX));
        let kind = (rejection.topic.clone(), rejection.reason, rejection.field.clone(), spared);
        let mut tally = self.tally.lock().expect("nothing panics while it holds the tally");
        if let Some(times) = tally.note(kind, now) {
            let what = if spared { "message taken without a field" } else { "message refused" };
            warn!(times, "{what}: {rejection}");
        }
    }
}

/// Ids of the last commands, over all connections: the broker may deliver one again.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<VecDeque<CallId>>>);

impl Heard {
    /// More than a technician gives within the life of a session.
    const KEPT: usize = 64;

    fn is_new(&self, id: &CallId) -> bool {
        let mut ids = self.0.lock().expect("nothing panics while it holds the ids");
        if ids.contains(id) {
            return false;
        }
        if ids.len() == Self::KEPT {
            ids.pop_front();
        }
        ids.push_back(id.clone());
        true
    }
}

/// What the hub has still to say about a message.
type Answers = Vec<oneshot::Receiver<Taken>>;

/// Messages that the hub has and has not answered.
const UNDERWAY: usize = 64;

/// Waits until all of a message is taken.
async fn taken(answers: Answers) -> Result<(), Stopped> {
    for answer in answers {
        answer.await.map_err(|_| Stopped)?;
    }
    Ok(())
}

/// The way from one connection to the hub.
pub(super) struct Delivery {
    /// Of the hall.
    pub zone: TimeZone,
    pub heard: Heard,
    pub hub: HubHandle,
    pub commands: mpsc::Sender<Command>,
    pub topics: Topics,
    pub rejections: Rejections,
    pub sharing: SharingDoor,
    pub client: AsyncClient,
}

impl Delivery {
    /// Runs until the connection or the hub is gone.
    pub async fn run(self, mut messages: mpsc::Receiver<Publish>) {
        let mut underway = FuturesOrdered::new();
        loop {
            tokio::select! {
                message = messages.recv(), if underway.len() < UNDERWAY => {
                    let Some(message) = message else { return };
                    let Ok(answers) = self.take(&message).await else { return };
                    underway.push_back(async move { taken(answers).await.map(|()| message) });
                }
                Some(message) = underway.next(), if !underway.is_empty() => {
                    let Ok(message) = message else { return };
                    if self.client.ack(&message).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Hands a message to the hub; its answers are still to come.
    async fn take(&self, message: &Publish) -> Result<Answers, Stopped> {
        match self.topics.subject(&message.topic) {
            Subject::Input(below) => match self.decode(below, message) {
                Ok(decoded) => {
                    for spared in &decoded.spared {
                        self.reject(spared, true).await?;
                    }
                    self.sharing.expect(&decoded.input, &self.hub).await?;
                    Ok(vec![self.hub.hand_over(decoded.input).await?])
                }
                Err(rejection) => self.refuse(&rejection).await,
            },
            Subject::Command(below) => self.command(below, message).await,
            Subject::Sync(below) => {
                let (inputs, rejections) = wire::decode_sync(below, &message.payload, &self.zone);
                let mut answers = Vec::new();
                for input in inputs {
                    self.sharing.expect(&input, &self.hub).await?;
                    answers.push(self.hub.hand_over(input).await?);
                }
                for rejection in &rejections {
                    self.reject(rejection, false).await?;
                }
                Ok(answers)
            }
            Subject::Asked(below) => match wire::decode_asking(below, &message.payload) {
                Ok(screen) => self.tell(Request::SyncAsked { screen }).await,
                Err(rejection) => self.refuse(&rejection).await,
            },
            Subject::Status(screen, below) => self.status(screen, below, message).await,
            Subject::Proof(screen, below) => match wire::decode_proof(below, &message.payload) {
                Ok(proof) => self.tell(Request::ProofHeard { screen: screen.to_owned(), proof }).await,
                Err(rejection) => self.refuse(&rejection).await,
            },
            Subject::RecordingWanted(id, below) => match wire::decode_asking(below, &message.payload) {
                Ok(screen) => {
                    self.sharing.asked(id, screen);
                    Ok(Vec::new())
                }
                Err(rejection) => self.refuse(&rejection).await,
            },
            Subject::RecordingPart(id, part, of) => {
                self.sharing.part(id, part, of, &message.payload);
                Ok(Vec::new())
            }
            Subject::Foreign => {
                debug!(topic = message.topic, "message on a topic that was not asked for");
                Ok(Vec::new())
            }
        }
    }

    fn decode(&self, below: &str, message: &Publish) -> Result<wire::Decoded, Rejection> {
        let _stage = trace_span!(target: STAGE, "decode", topic = message.topic).entered();
        wire::decode(below, &message.payload, &self.zone)
    }

    /// A screen's word of itself; an empty one takes the screen out of the list.
    async fn status(&self, screen: &str, below: &str, message: &Publish) -> Result<Answers, Stopped> {
        let report = match wire::decode_status(below, &message.payload) {
            _ if message.payload.is_empty() => None,
            Ok(report) => Some(report),
            Err(rejection) => return self.refuse(&rejection).await,
        };
        self.tell(Request::ScreenHeard { screen: screen.to_owned(), report: report.map(Box::new) }).await
    }

    /// What needs no answer.
    async fn tell(&self, request: Request) -> Result<Answers, Stopped> {
        self.hub.requests.send(request).await.map(|()| Vec::new()).map_err(|_| Stopped)
    }

    async fn refuse(&self, rejection: &Rejection) -> Result<Answers, Stopped> {
        self.reject(rejection, false).await.map(|()| Vec::new())
    }

    /// A retained command would be carried out again at each connect, so it is not a command.
    async fn command(&self, below: &str, message: &Publish) -> Result<Answers, Stopped> {
        if message.retain {
            debug!(topic = message.topic, "retained command ignored");
            return Ok(Vec::new());
        }
        let command = match wire::decode_command(below, &message.payload) {
            Ok(command) => command,
            Err(rejection) => return self.refuse(&rejection).await,
        };
        if !self.heard.is_new(&command.id) {
            debug!(id = %command.id, "command heard before");
            return Ok(Vec::new());
        }
        self.hub.requests.send(Request::Commanded(command.clone())).await.map_err(|_| Stopped)?;
        if let Some(input) = command.action.input() {
            return Ok(vec![self.hub.hand_over(input).await?]);
        }
        if self.commands.try_send(command).is_err() {
            warn!("command dropped: too many wait");
        }
        Ok(Vec::new())
    }

    async fn reject(&self, rejection: &Rejection, spared: bool) -> Result<(), Stopped> {
        self.rejections.log(rejection, spared);
        self.hub.requests.send(Request::Rejected(rejection.clone())).await.map_err(|_| Stopped)
    }
}
