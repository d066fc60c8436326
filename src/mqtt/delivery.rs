//! Hands arriving messages to the hub, one after the other, and acknowledges each only when the hub has taken it.
//!
//! A message whose turn never ended is delivered again by the broker after the next connect; the board knows its id.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use rumqttc::{AsyncClient, Publish};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::tally::Tally;
use super::topics::{Subject, Topics};
use crate::board::input::Input;
use crate::clock::Millis;
use crate::hub::{HubHandle, Request, Stopped};
use crate::wire::{self, Command, Reason, Rejection};

/// Rejections by topic and reason, over all connections.
#[derive(Clone)]
pub(super) struct Rejections {
    tally: Arc<Mutex<Tally<(String, Reason)>>>,
    start: Instant,
}

impl Rejections {
    pub fn new() -> Self {
        Self { tally: Arc::default(), start: Instant::now() }
    }

    fn log(&self, rejection: &Rejection) {
        let now = Millis(i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX));
        let kind = (rejection.topic.clone(), rejection.reason);
        let mut tally = self.tally.lock().expect("nothing panics while it holds the tally");
        if let Some(times) = tally.note(kind, now) {
            warn!(times, "message refused: {rejection}");
        }
    }
}

/// The way from one connection to the hub.
pub(super) struct Delivery {
    pub hub: HubHandle,
    pub commands: mpsc::Sender<Command>,
    pub topics: Topics,
    pub rejections: Rejections,
    pub client: AsyncClient,
}

impl Delivery {
    /// Runs until the connection or the hub is gone.
    pub async fn run(self, mut messages: mpsc::Receiver<Publish>) {
        while let Some(message) = messages.recv().await {
            if self.take(&message).await.is_err() || self.client.ack(&message).await.is_err() {
                return;
            }
        }
    }

    async fn take(&self, message: &Publish) -> Result<(), Stopped> {
        match self.topics.subject(&message.topic) {
            Subject::Input(below) => match wire::decode(below, &message.payload) {
                Ok(input) => self.input(input).await,
                Err(rejection) => self.reject(&rejection).await,
            },
            Subject::Command(below) => self.command(below, message).await,
            Subject::Sync(below) => {
                let (inputs, rejections) = wire::decode_sync(below, &message.payload);
                for input in inputs {
                    self.input(input).await?;
                }
                for rejection in &rejections {
                    self.reject(rejection).await?;
                }
                Ok(())
            }
            Subject::Foreign => {
                debug!(topic = message.topic, "message on a topic that was not asked for");
                Ok(())
            }
        }
    }

    async fn input(&self, input: Input) -> Result<(), Stopped> {
        self.hub.input(input).await.map(drop)
    }

    /// A retained command would be carried out again at each connect, so it is not a command.
    async fn command(&self, below: &str, message: &Publish) -> Result<(), Stopped> {
        if message.retain {
            debug!(topic = message.topic, "retained command ignored");
            return Ok(());
        }
        let command = match wire::decode_command(below, &message.payload) {
            Ok(command) => command,
            Err(rejection) => return self.reject(&rejection).await,
        };
        if let Some(input) = command.action.input() {
            self.input(input).await?;
        }
        if self.commands.try_send(command).is_err() {
            warn!("command dropped: nobody takes commands, or too many wait");
        }
        Ok(())
    }

    async fn reject(&self, rejection: &Rejection) -> Result<(), Stopped> {
        self.rejections.log(rejection);
        self.hub.requests.send(Request::Rejected).await.map_err(|_| Stopped)
    }
}
