//! Passes the sounds of recorded messages from screen to screen, so that a message is heard in its zones whichever screen
//! it was recorded on.
//!
//! MQTT's notice names a sound by the hash of its content. A screen that lacks it asks on `recording/{id}/wanted`; one
//! that has it answers in pieces on `recording/{id}/part/{n}/{of}`, which all who lack it take. Nothing of it is
//! retained. What comes is untrusted until it is whole, has the hash that was asked for, and is a sound as
//! [`message`](crate::audio::message) would have made it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::audio::message;
use crate::audio::shelf::{self, Shelf};
use crate::board::call::RecordingId;
use crate::board::input::Input;
use crate::board::state::Level;
use crate::config::Config;
use crate::hub::{HubHandle, Publication, Request, Stopped};
use crate::mqtt::topics::{recording_part, recording_wanted};
use crate::screens::{Screen, Screens};
use crate::wire;

mod pieces;

use pieces::{Pieces, cut};

/// News that may wait; more are dropped, and asked for again.
const INBOX: usize = 128;
/// A message that is to be spoken waits that long for its sound, then the zone goes on without it.
const SPOKEN_WITHIN: Duration = Duration::from_secs(6);
/// Who has not got it asks again.
const ASK_EVERY: Duration = Duration::from_millis(1500);
/// Sounds that live notices name and nobody has passed on are asked for again this often.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Sounds that are asked for at once, each held whole in memory until it is complete.
const SOUGHT: usize = 8;
/// Between the answers of two screens that both have a sound: the second sees the first one's and is silent.
const TURN: Duration = Duration::from_millis(250);
/// More screens than that are not waited for: most of them have not got it.
const TURNS: u32 = 8;
/// The same sound is not passed on again before that: whoever asked meanwhile has got it too.
const ANSWER_EVERY: Duration = Duration::from_secs(1);

/// What comes over the link.
#[derive(Debug)]
pub enum News {
    /// A notice names a sound that is not here.
    Missing(RecordingId),
    Asked {
        recording: RecordingId,
        screen: String,
    },
    Part {
        recording: RecordingId,
        part: u8,
        of: u8,
        bytes: Vec<u8>,
    },
}

/// The link's way in, cheap to clone; it never waits.
#[derive(Clone, Debug)]
pub struct SharingDoor {
    shelf: Shelf,
    news: mpsc::Sender<News>,
}

/// A door and what comes through it.
pub fn door(shelf: &Shelf) -> (SharingDoor, mpsc::Receiver<News>) {
    let (news, inbox) = mpsc::channel(INBOX);
    (SharingDoor { shelf: shelf.clone(), news }, inbox)
}

impl SharingDoor {
    /// Before the hub gets an input: a message whose sound is not here is not spoken until it is, and the sound is
    /// asked for.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn expect(&self, input: &Input, hub: &HubHandle) -> Result<(), Stopped> {
        let Input::NoticePut(notice) = input else { return Ok(()) };
        let Some(recording) = notice.recording.clone().filter(|recording| !self.shelf.has(recording)) else {
            return Ok(());
        };
        let waits = notice.speak && notice.level != Level::Emergency;
        // The board first: nobody may tell it that the sound has come before it knows that one is to come.
        if waits {
            tell(hub, &recording, true).await?;
        }
        let taken = self.news.try_send(News::Missing(recording.clone())).is_ok();
        if waits && !taken { tell(hub, &recording, false).await } else { Ok(()) }
    }

    /// A screen asks for a sound.
    pub fn asked(&self, id: &str, screen: String) {
        if let Ok(recording) = RecordingId::parse(id) {
            // One that is lost is asked for again.
            let _ = self.news.try_send(News::Asked { recording, screen });
        }
    }

    /// A piece of a sound came by.
    pub fn part(&self, id: &str, part: u8, of: u8, bytes: &[u8]) {
        if let Ok(recording) = RecordingId::parse(id)
            && bytes.len() <= pieces::PIECE_MAX
        {
            let _ = self.news.try_send(News::Part { recording, part, of, bytes: bytes.to_vec() });
        }
    }
}

async fn tell(hub: &HubHandle, recording: &RecordingId, awaited: bool) -> Result<(), Stopped> {
    let input = Input::RecordingAwaited { recording: recording.clone(), awaited };
    hub.requests.send(Request::Input { input, reply: None }).await.map_err(|_| Stopped)
}

/// A sound that is not here.
#[derive(Debug)]
struct Sought {
    pieces: Pieces,
    ask_at: Instant,
    /// After it the board no longer waits, and the next round asks again.
    until: Instant,
}

/// Asks for what is missing and answers who lacks what is here.
pub struct Sharing {
    screen: String,
    rank: u32,
    screens: watch::Receiver<Screens>,
    shelf: Shelf,
    hub: HubHandle,
    publications: mpsc::Sender<Publication>,
    sought: BTreeMap<RecordingId, Sought>,
    /// When each sound that was asked for is passed on, unless another screen does it first.
    answers: BTreeMap<RecordingId, Instant>,
    answered: BTreeMap<RecordingId, Instant>,
}

impl Sharing {
    pub fn new(
        config: &Config,
        shelf: Shelf,
        hub: HubHandle,
        publications: mpsc::Sender<Publication>,
        screens: watch::Receiver<Screens>,
    ) -> Self {
        Self {
            screen: config.screen.id.clone(),
            rank: config.screen.rank,
            screens,
            shelf,
            hub,
            publications,
            sought: BTreeMap::new(),
            answers: BTreeMap::new(),
            answered: BTreeMap::new(),
        }
    }

    /// Runs until the link and the hub are gone.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<News>) {
        let mut look = Instant::now() + LOOK_EVERY;
        loop {
            let due = self.sought.values().map(|sought| sought.ask_at.min(sought.until));
            let due = due.chain(self.answers.values().copied()).min().map_or(look, |due| due.min(look));
            tokio::select! {
                news = inbox.recv() => match news {
                    Some(news) => self.take(news).await,
                    None => return,
                },
                () = sleep_until(due) => {}
            }
            let now = Instant::now();
            self.give_up(now).await;
            self.ask(now);
            self.answer(now).await;
            if now >= look {
                look = now + LOOK_EVERY;
                self.look().await;
            }
        }
    }

    async fn take(&mut self, news: News) {
        let now = Instant::now();
        match news {
            News::Missing(recording) if self.shelf.has(&recording) => self.settle(&recording).await,
            News::Missing(recording) => self.seek(recording, now).await,
            News::Asked { screen, .. } if screen == self.screen => {}
            News::Asked { recording, screen } => {
                let lately = self.answered.get(&recording).is_some_and(|at| now - *at < ANSWER_EVERY);
                if !lately && self.shelf.has(&recording) {
                    let turn = TURN * self.place_beside(&screen).min(TURNS);
                    self.answers.entry(recording).or_insert(now + turn);
                }
            }
            News::Part { recording, part, of, bytes } => {
                // Another screen passes it on already; or this one does, and hears itself.
                self.answers.remove(&recording);
                let whole = self.sought.get_mut(&recording).and_then(|s| s.pieces.take(part, of, bytes));
                if let Some(file) = whole {
                    self.keep(recording, file).await;
                }
            }
        }
    }

    /// How many of the screens that are there come before this one in answering `asker`.
    fn place_beside(&self, asker: &str) -> u32 {
        let own = (Some(self.rank), self.screen.as_str());
        let before = |(name, screen): &(&str, &Screen)| {
            screen.report.online && *name != asker && (screen.report.rank, *name) < own
        };
        u32::try_from(self.screens.borrow().iter().filter(before).count()).unwrap_or(TURNS)
    }

    async fn seek(&mut self, recording: RecordingId, now: Instant) {
        if !self.sought.contains_key(&recording) && self.sought.len() >= SOUGHT {
            // The next round asks for it.
            self.settle(&recording).await;
            return;
        }
        // A notice that comes again waits no longer for that.
        let until = now + SPOKEN_WITHIN;
        self.sought.entry(recording).or_insert(Sought { pieces: Pieces::default(), ask_at: now, until });
    }

    fn ask(&mut self, now: Instant) {
        for (recording, sought) in self.sought.iter_mut().filter(|(_, sought)| now >= sought.ask_at) {
            sought.ask_at = now + ASK_EVERY;
            let (topic, payload) = (recording_wanted(recording), wire::encode_asking(&self.screen));
            // A link that takes nothing more is asked again in a moment.
            let _ = self.publications.try_send(Publication { topic, payload, retain: false });
        }
    }

    async fn give_up(&mut self, now: Instant) {
        let late = |(id, sought): (&RecordingId, &Sought)| (now >= sought.until).then(|| id.clone());
        let late: Vec<RecordingId> = self.sought.iter().filter_map(late).collect();
        for recording in late {
            self.sought.remove(&recording);
            self.settle(&recording).await;
        }
    }

    /// The board waits for it no more. A hub that is gone takes everything with it.
    async fn settle(&self, recording: &RecordingId) {
        let _ = tell(&self.hub, recording, false).await;
    }

    async fn keep(&mut self, recording: RecordingId, file: Vec<u8>) {
        if shelf::id_of(&file) != recording {
            tracing::warn!(%recording, "its pieces do not make the sound that was asked for");
            return;
        }
        let wanted = shelf::wanted(&self.hub).await.unwrap_or_default();
        let shelf = self.shelf.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let frames = message::is_fit(file.clone()).map_err(|unfit| unfit.to_string())?;
            shelf.keep(&file, frames, &wanted).map_err(|error| error.to_string())
        });
        match kept.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(_) => tracing::info!(%recording, "another screen has passed on a recorded message"),
            Err(why) => tracing::warn!(%recording, why, "a recorded message of another screen is not kept"),
        }
        self.sought.remove(&recording);
        self.settle(&recording).await;
    }

    async fn answer(&mut self, now: Instant) {
        let due = |(id, at): (&RecordingId, &Instant)| (now >= *at).then(|| id.clone());
        let due: Vec<RecordingId> = self.answers.iter().filter_map(due).collect();
        self.answered.retain(|_, at| now - *at < ANSWER_EVERY);
        for recording in due {
            self.answers.remove(&recording);
            let (shelf, id) = (self.shelf.clone(), recording.clone());
            // Reads a file.
            let file = tokio::task::spawn_blocking(move || shelf.file(&id)).await;
            let Some(file) = file.ok().flatten() else { continue };
            let pieces = cut(&file);
            let Ok(of) = u8::try_from(pieces.len()) else { continue };
            tracing::info!(%recording, pieces = of, "passed on to another screen");
            for (part, piece) in (0..of).zip(pieces) {
                let topic = recording_part(&recording, part, of);
                let publication = Publication { topic, payload: piece.to_vec(), retain: false };
                if self.publications.try_send(publication).is_err() {
                    break;
                }
            }
            self.answered.insert(recording, now);
        }
    }

    /// Asks for all that live notices name and that is not here.
    async fn look(&mut self) {
        let wanted: BTreeSet<RecordingId> = shelf::wanted(&self.hub).await.unwrap_or_default();
        let mut missing: Vec<RecordingId> = wanted.into_iter().filter(|id| !self.shelf.has(id)).collect();
        if !missing.is_empty() {
            // Others first each time: those that nobody has must not keep the rest from being asked for.
            let first = rand::random::<u32>() as usize % missing.len();
            missing.rotate_left(first);
        }
        for recording in missing.into_iter().take(SOUGHT) {
            self.seek(recording, Instant::now()).await;
        }
    }
}

#[cfg(test)]
mod tests;
