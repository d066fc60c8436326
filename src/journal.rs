//! What this screen did: every call with what became of it, who pushed what, and what was refused. A thread owns the
//! file; nobody waits for it but the acknowledgement of a message.
//!
//! A file that cannot be written, is damaged or locked stops nothing: records wait in memory, a damaged file is set
//! aside, and the state says so. A holder's name is never in it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::clock::Millis;
use crate::health::JournalState;

pub mod record;
mod schema;
mod store;

pub use record::{Deed, Kept, Query, Record, Refusal, Story};
pub use store::{Store, StoreError};

/// Name of the file in the state folder.
pub const FILE: &str = "journal.db";
/// Messages that may wait for the thread.
const MESSAGES: usize = 4096;
/// Records that wait in memory, for the thread and while the file cannot be written: some days of a big hall.
const BACKLOG: usize = 20_000;
/// Records written in one go, when so many wait: the more, the fewer pages are written twice.
const BATCH: usize = 4096;
/// After the last record, before a power cut can take it no more.
const SETTLE: Duration = Duration::from_millis(500);
/// Before a file that failed is tried again.
const RETRY: Duration = Duration::from_secs(10);
const PRUNE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// Calls that a new life of the process is told of: as far back, and as many, as the board remembers ids.
const REMEMBERED: Millis = crate::board::ledger::MEMORY;
const REMEMBERED_MOST: usize = crate::board::ledger::CAPACITY;

enum Message {
    Records(Vec<Record>),
    /// To be called when all before it is written, or cannot be.
    Then(Box<dyn FnOnce() + Send>),
    Stop(SyncSender<()>),
}

/// A door to the journal's thread, cheap to clone.
#[derive(Clone)]
pub struct Journal {
    path: Arc<Path>,
    messages: SyncSender<Message>,
    /// Records in the messages.
    sent: Arc<AtomicUsize>,
    state: Arc<Mutex<JournalState>>,
    waiting: Arc<AtomicUsize>,
}

impl Journal {
    /// Opens `journal.db` in `folder`, and tells what an earlier life of the process knew. A file that cannot be used is
    /// no error: see [`Journal::state`].
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn open(folder: &Path, keep_days: u32, now: Timestamp) -> std::io::Result<(Self, Vec<Kept>)> {
        let (messages, inbox) = sync_channel(MESSAGES);
        let path = folder.join(FILE);
        let (state, sent, waiting) = (Arc::default(), Arc::default(), Arc::default());
        let journal = Self { path: path.as_path().into(), messages, sent, state, waiting };
        // A folder that cannot be made is a file that cannot be opened.
        let _ = std::fs::create_dir_all(folder);
        let mut writer = Writer::new(path, keep_days, &journal);
        writer.open();
        let kept = writer.kept(now);
        std::thread::Builder::new().name("journal".into()).spawn(move || writer.run(&inbox))?;
        Ok((journal, kept))
    }

    /// Takes a fact; never waits. Facts that come faster than they can be written are lost, and the state says so.
    pub fn write(&self, record: Record) {
        self.write_all(vec![record]);
    }

    /// The same of facts that come together: the thread wakes once for all of them.
    pub fn write_all(&self, records: Vec<Record>) {
        let count = records.len();
        if count == 0 {
            return;
        }
        let has_room = self.sent.fetch_add(count, Ordering::Relaxed) < BACKLOG;
        let sent = has_room.then(|| self.messages.try_send(Message::Records(records)));
        let why = match sent {
            Some(Ok(())) => return,
            Some(Err(TrySendError::Disconnected(_))) => "the journal's thread has ended",
            Some(Err(TrySendError::Full(_))) | None => {
                "facts come faster than the disk takes them; some are lost"
            }
        };
        self.sent.fetch_sub(count, Ordering::Relaxed);
        set(&self.state, JournalState::Degraded(why.into()));
    }

    /// Calls `then` when every fact before it is written; at once when that cannot be had.
    pub fn then(&self, then: Box<dyn FnOnce() + Send>) {
        if let Err(
            TrySendError::Full(Message::Then(then)) | TrySendError::Disconnected(Message::Then(then)),
        ) = self.messages.try_send(Message::Then(then))
        {
            then();
        }
    }

    /// What became of calls, newest first; reads the file, so not for a task that must not wait.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read.
    pub fn stories(&self, query: &Query) -> Result<Vec<Story>, StoreError> {
        Store::read_only(&self.path)?.stories(query)
    }

    /// What was pushed or commanded from here, newest first: on topics that begin with `about`, at most `limit`. Reads the
    /// file.
    ///
    /// # Errors
    /// As for [`Journal::stories`].
    pub fn deeds(&self, about: &str, since: Timestamp, limit: usize) -> Result<Vec<Deed>, StoreError> {
        Store::read_only(&self.path)?.deeds(about, since, limit)
    }

    /// The last messages that were refused, newest first. Reads the file.
    ///
    /// # Errors
    /// As for [`Journal::stories`].
    pub fn refusals(&self, since: Timestamp, limit: usize) -> Result<Vec<Refusal>, StoreError> {
        Store::read_only(&self.path)?.refusals(since, limit)
    }

    /// What operators of an earlier life of the process pushed and the broker may not have: topics below the hall's prefix
    /// and payloads. Reads the file.
    ///
    /// # Errors
    /// As for [`Journal::stories`].
    pub fn unsent(&self) -> Result<Vec<(String, String)>, StoreError> {
        Store::read_only(&self.path)?.unsent()
    }

    pub fn state(&self) -> JournalState {
        self.state.lock().map(|state| state.clone()).unwrap_or_default()
    }

    /// Records that are in memory alone, as while the file cannot be written.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Writes what waits and closes the file, within two seconds.
    pub fn stop(&self) {
        const WITHIN: Duration = Duration::from_secs(2);
        let (done, over) = sync_channel(1);
        if self.messages.try_send(Message::Stop(done)).is_ok() {
            let _ = over.recv_timeout(WITHIN);
        }
    }
}

fn set(state: &Mutex<JournalState>, to: JournalState) {
    if let Ok(mut state) = state.lock() {
        if let JournalState::Degraded(why) = &to
            && *state != to
        {
            tracing::error!(why, "the journal is kept in memory");
        }
        *state = to;
    }
}

struct Writer {
    path: PathBuf,
    keep_days: u32,
    state: Arc<Mutex<JournalState>>,
    /// None while the file cannot be used.
    store: Option<Store>,
    backlog: VecDeque<Record>,
    /// How many those are.
    waiting: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    retry_at: Instant,
    prune_at: Instant,
    /// Something was written since the last checkpoint.
    dirty: bool,
}

impl Writer {
    fn new(path: PathBuf, keep_days: u32, journal: &Journal) -> Self {
        let now = Instant::now();
        Self {
            path,
            keep_days,
            state: Arc::clone(&journal.state),
            store: None,
            backlog: VecDeque::new(),
            waiting: Arc::clone(&journal.waiting),
            sent: Arc::clone(&journal.sent),
            retry_at: now,
            prune_at: now,
            dirty: false,
        }
    }

    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            let first = match inbox.recv_timeout(self.patience()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let idle = first.is_none();
            let (mut then, mut stop, mut taken) = (Vec::new(), None, 0);
            for message in first.into_iter().chain(inbox.try_iter().take(BATCH)) {
                match message {
                    Message::Records(records) => {
                        taken += records.len();
                        self.wait(records);
                    }
                    Message::Then(call) => then.push(call),
                    Message::Stop(done) => stop = Some(done),
                }
                if taken >= BATCH {
                    break;
                }
            }
            self.flush();
            self.waiting.store(self.backlog.len(), Ordering::Relaxed);
            for call in then {
                call();
            }
            if let Some(done) = stop {
                self.settle();
                drop(self.store.take());
                let _ = done.send(());
                return;
            }
            if idle {
                self.settle();
            }
        }
        self.flush();
    }

    /// An idle hall wakes nobody twice a second.
    fn patience(&self) -> Duration {
        let due = self.prune_at <= Instant::now() && self.store.is_some();
        if self.dirty || due { SETTLE } else { RETRY }
    }

    fn wait(&mut self, records: Vec<Record>) {
        self.sent.fetch_sub(records.len(), Ordering::Relaxed);
        self.backlog.extend(records);
        let surplus = self.backlog.len().saturating_sub(BACKLOG);
        self.backlog.drain(..surplus);
    }

    fn flush(&mut self) {
        if self.store.is_none() && self.retry_at <= Instant::now() {
            self.open();
        }
        if self.backlog.is_empty() {
            return;
        }
        let Some(store) = &mut self.store else { return };
        match store.write(&self.backlog) {
            Ok(()) => {
                self.backlog.clear();
                self.dirty = true;
                set(&self.state, JournalState::Ok);
            }
            Err(error) => self.fail(&error),
        }
    }

    /// When nothing happens: what can wait.
    fn settle(&mut self) {
        let now = Instant::now();
        let prune = self.prune_at <= now;
        let before = store::oldest_kept(Timestamp::now(), self.keep_days);
        let Some(store) = &mut self.store else { return };
        let mut done = Ok(());
        if prune {
            done = store.prune(before);
            self.prune_at = now + PRUNE_EVERY;
            self.dirty = true;
        }
        if self.dirty {
            done = done.and_then(|()| store.checkpoint());
            self.dirty = false;
        }
        if let Err(error) = done {
            self.fail(&error);
        }
    }

    fn kept(&mut self, now: Timestamp) -> Vec<Kept> {
        let since = now.checked_sub(REMEMBERED.to_duration()).unwrap_or(Timestamp::UNIX_EPOCH);
        let Some(store) = &self.store else {
            // A disk that takes nothing can still tell.
            let told = Store::read_only(&self.path).and_then(|store| store.kept(since, REMEMBERED_MOST));
            return told.unwrap_or_default();
        };
        match store.kept(since, REMEMBERED_MOST) {
            Ok(kept) => kept,
            Err(error) => {
                self.fail(&error);
                Vec::new()
            }
        }
    }

    fn open(&mut self) {
        self.retry_at = Instant::now() + RETRY;
        let opened = Store::open(&self.path).or_else(|error| {
            if !error.is_damage() {
                return Err(error);
            }
            self.set_aside(&error);
            Store::open(&self.path)
        });
        match opened {
            Ok(store) => {
                self.store = Some(store);
                // A file that opens may still take nothing: what waits will show it.
                if self.backlog.is_empty() {
                    set(&self.state, JournalState::Ok);
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &StoreError) {
        self.store = None;
        self.retry_at = Instant::now() + RETRY;
        if error.is_damage() {
            self.set_aside(error);
            self.retry_at = Instant::now();
        }
        set(&self.state, JournalState::Degraded(format!("{}: {error}", self.path.display())));
    }

    /// A damaged file is kept for whoever wants to look, with what belongs to it.
    fn set_aside(&self, error: &StoreError) {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        tracing::error!(%error, path = %self.path.display(), "the journal is set aside and begun anew");
        for part in ["", "-wal", "-shm"] {
            let file = PathBuf::from(format!("{}{part}", self.path.display()));
            let aside = PathBuf::from(format!("{}.damaged-{stamp}{part}", self.path.display()));
            match std::fs::rename(&file, &aside) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => tracing::error!(%error, path = %file.display(), "cannot be set aside"),
            }
        }
    }
}
