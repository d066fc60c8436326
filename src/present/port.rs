//! The door between the main thread, which draws, and everybody else.
//!
//! Others only ring, ask and read; none of them can be made to wait by a screen that does not answer, snapshots
//! aside, and those wait for [`SNAPSHOT_PATIENCE`] at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::{oneshot, watch};

use crate::board::view::SharedView;
use crate::clock::Clock;
use crate::health::{Drawn, FrameReport};

/// How long a snapshot may take: a GPU that is rebuilt meanwhile needs a second or two.
pub const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(5);
/// Snapshots that may wait at once; all of them get one picture.
const SNAPSHOTS_WAITING: usize = 16;

/// A PNG file.
pub type Png = Arc<[u8]>;

/// Why there is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    #[error("too many snapshots are waiting")]
    Busy,
    #[error("the screen did not answer in {} s", SNAPSHOT_PATIENCE.as_secs())]
    Timeout,
    #[error("nothing draws any more")]
    Stopped,
    #[error("no picture: {0}")]
    Failed(String),
}

/// What the main thread can be asked.
#[derive(Debug)]
pub enum Command {
    /// Draw the view as it is now, and reply with it.
    Snapshot(oneshot::Sender<Result<Png, SnapshotError>>),
}

/// The main thread's end, given to [`super::run`].
pub struct Port {
    pub views: watch::Receiver<SharedView>,
    pub clock: Arc<dyn Clock>,
    pub commands: Receiver<Command>,
    pub report: Arc<Mutex<FrameReport>>,
    pub waker: Waker,
    /// Told once of each call that comes onto the glass; must not block.
    pub drawn: Box<dyn Fn(Drawn) + Send>,
}

/// Everybody else's end, cheap to clone.
#[derive(Clone)]
pub struct PortHandle {
    commands: SyncSender<Command>,
    report: Arc<Mutex<FrameReport>>,
    waker: Waker,
}

/// Makes the two ends. `views` is what the hub publishes, `clock` what its views are dated by.
pub fn channel(views: watch::Receiver<SharedView>, clock: Arc<dyn Clock>) -> (PortHandle, Port) {
    let (sender, commands) = mpsc::sync_channel(SNAPSHOTS_WAITING);
    let report = Arc::new(Mutex::new(FrameReport::default()));
    let waker = Waker::default();
    let handle = PortHandle { commands: sender, report: Arc::clone(&report), waker: waker.clone() };
    (handle, Port { views, clock, commands, report, waker, drawn: Box::new(|_| {}) })
}

impl PortHandle {
    /// Says that there is a new view. Never blocks.
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// The bell alone, for those who only publish views.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Draws the present view off screen, at the size of the screen.
    ///
    /// # Errors
    /// [`SnapshotError`]; a screen that is off may block the main thread, hence the timeout.
    pub async fn snapshot(&self) -> Result<Png, SnapshotError> {
        self.snapshot_within(SNAPSHOT_PATIENCE).await
    }

    async fn snapshot_within(&self, patience: Duration) -> Result<Png, SnapshotError> {
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(Command::Snapshot(reply)).map_err(|refused| match refused {
            TrySendError::Full(_) => SnapshotError::Busy,
            TrySendError::Disconnected(_) => SnapshotError::Stopped,
        })?;
        self.waker.wake();
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(SnapshotError::Stopped),
            Err(_) => Err(SnapshotError::Timeout),
        }
    }

    /// Makes [`super::run`] return.
    pub fn quit(&self) {
        self.waker.quit();
    }

    /// The last frame, and how long the main thread has not answered.
    pub fn report(&self) -> FrameReport {
        let unanswered_s = self.waker.unanswered().as_secs();
        FrameReport { unanswered_s, ..lock(&self.report).clone() }
    }
}

/// Rings the main thread, from any thread, without a payload: what it means lies in the views and the commands.
#[derive(Clone, Default)]
pub struct Waker(Arc<Bell>);

#[derive(Default)]
struct Bell {
    state: Mutex<Rung>,
    rang: Condvar,
    quit: AtomicBool,
}

#[derive(Default)]
struct Rung {
    /// When the first ring came that nobody has answered yet.
    since: Option<Instant>,
    /// Carries a ring into an event loop that cannot wait on the condition.
    forward: Option<Box<dyn Fn() + Send>>,
}

impl Waker {
    /// Rings. Never blocks, never fails.
    pub fn wake(&self) {
        let mut state = lock(&self.0.state);
        if state.since.is_some() {
            // Not answered yet: one ring is enough, and a sleeping screen must not gather a million.
            return;
        }
        state.since = Some(Instant::now());
        self.0.rang.notify_one();
        if let Some(forward) = &state.forward {
            forward();
        }
    }

    /// Asks the main thread to stop drawing and return.
    pub fn quit(&self) {
        self.0.quit.store(true, Ordering::Release);
        self.wake();
    }

    /// How long the oldest ring has waited for an answer.
    pub fn unanswered(&self) -> Duration {
        lock(&self.0.state).since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(crate) fn is_quit(&self) -> bool {
        self.0.quit.load(Ordering::Acquire)
    }

    /// From now on every ring also calls `forward`.
    pub(crate) fn forward_to(&self, forward: impl Fn() + Send + 'static) {
        lock(&self.0.state).forward = Some(Box::new(forward));
    }

    /// Takes the ring, if there was one; to be called before looking at views and commands.
    pub(super) fn answer(&self) {
        lock(&self.0.state).since = None;
    }

    /// Sleeps until a ring or the end of `span`; none sleeps until a ring. Takes the ring.
    pub(super) fn wait(&self, span: Option<Duration>) {
        let state = lock(&self.0.state);
        let silent = |rung: &mut Rung| rung.since.is_none();
        let mut state = match span {
            None => self.0.rang.wait_while(state, silent).unwrap_or_else(PoisonError::into_inner),
            Some(span) => {
                let waited = self.0.rang.wait_timeout_while(state, span, silent);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.since = None;
    }
}

/// A poisoned lock is taken all the same: each of these values is valid after every single write.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::view::BoardView;
    use crate::clock::system::SystemClock;

    fn ends() -> (PortHandle, Port) {
        let (_, views) = watch::channel(Arc::new(BoardView::empty()));
        channel(views, Arc::new(SystemClock::new()))
    }

    #[test]
    fn a_ring_before_the_wait_is_not_lost() {
        let (handle, port) = ends();
        handle.wake();
        port.waker.wait(None);
        assert_eq!(port.waker.unanswered(), Duration::ZERO);
    }

    #[test]
    fn a_ring_ends_a_wait_on_another_thread() {
        let (handle, port) = ends();
        let waiting = std::thread::spawn(move || port.waker.wait(None));
        handle.wake();
        waiting.join().unwrap();
    }

    #[test]
    fn rings_are_forwarded() {
        let (handle, port) = ends();
        let (sender, forwarded) = mpsc::channel();
        port.waker.forward_to(move || sender.send(()).unwrap());
        handle.quit();
        forwarded.recv().unwrap();
        assert!(port.waker.is_quit());
    }

    #[test]
    fn a_ring_that_nobody_answers_shows_in_the_report() {
        let (handle, port) = ends();
        handle.wake();
        lock(&port.waker.0.state).since = Instant::now().checked_sub(Duration::from_secs(7));
        assert_eq!(handle.report().unanswered_s, 7);
        port.waker.answer();
        assert_eq!(handle.report().unanswered_s, 0);
    }

    #[tokio::test]
    async fn the_seventeenth_waiting_snapshot_is_refused() {
        let (handle, port) = ends();
        for _ in 0..SNAPSHOTS_WAITING {
            let handle = handle.clone();
            tokio::spawn(async move { handle.snapshot().await });
        }
        while port.waker.unanswered() == Duration::ZERO {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        assert_eq!(handle.snapshot().await, Err(SnapshotError::Busy));
        drop(port);
        assert_eq!(handle.snapshot().await, Err(SnapshotError::Stopped));
    }

    #[tokio::test]
    async fn a_snapshot_does_not_wait_for_ever() {
        let (handle, _port) = ends();
        assert_eq!(handle.snapshot_within(Duration::from_millis(5)).await, Err(SnapshotError::Timeout));
    }
}
