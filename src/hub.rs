//! The single task that owns the board and runs its effects. Everybody else talks to it through [`HubHandle`].

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::board::call::Zone;
use crate::board::input::{AnnouncementId, IgnoreReason, Input, Message};
use crate::board::state::Notice;
use crate::board::view::SharedView;
use crate::speech::Utterance;

/// What the hub can be asked.
#[derive(Debug)]
pub enum Request {
    /// Something happened. The reply comes when the board has taken it.
    Input { input: Input, reply: Option<oneshot::Sender<Taken>> },
    /// The same, and the hall is told: the topic below the hall's prefix and the payload are published once taken.
    Push { input: Input, publish: Publication, reply: oneshot::Sender<Taken> },
    /// The live notices.
    Notices { reply: oneshot::Sender<Vec<Notice>> },
    /// A payload was refused before it became an input.
    Rejected,
}

/// Whether an input changed the board.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    Applied,
    Ignored(IgnoreReason),
}

/// A message for the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Below `{root}/{hall}/`.
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
}

/// The hub is gone: the process is stopping.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hub has stopped")]
pub struct Stopped;

/// A door to the hub, cheap to clone.
#[derive(Clone, Debug)]
pub struct HubHandle {
    pub requests: mpsc::Sender<Request>,
    pub views: watch::Receiver<SharedView>,
}

impl HubHandle {
    /// Sends an input and waits until the board has taken it.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn input(&self, input: Input) -> Result<Taken, Stopped> {
        let (reply, taken) = oneshot::channel();
        self.requests.send(Request::Input { input, reply: Some(reply) }).await.map_err(|_| Stopped)?;
        taken.await.map_err(|_| Stopped)
    }

    /// Applies an input here and publishes it to the hall.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn push(&self, input: Input, publish: Publication) -> Result<Taken, Stopped> {
        let (reply, taken) = oneshot::channel();
        self.requests.send(Request::Push { input, publish, reply }).await.map_err(|_| Stopped)?;
        taken.await.map_err(|_| Stopped)
    }

    /// The live notices, in the order of the ticker.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn notices(&self) -> Result<Vec<Notice>, Stopped> {
        let (reply, notices) = oneshot::channel();
        self.requests.send(Request::Notices { reply }).await.map_err(|_| Stopped)?;
        notices.await.map_err(|_| Stopped)
    }
}

/// Where the hub sends what is to be spoken; the audio supervisor answers with `SpeechStarted` and `SpeechEnded`.
pub trait Speaker: Send {
    fn say(&mut self, zone: &Zone, id: AnnouncementId, utterance: Arc<Utterance>);
}

/// Turns what the board wants said into clips.
pub trait Planner: Send {
    fn plan(&self, message: &Message, repeats: u8, short: bool) -> Utterance;
}
