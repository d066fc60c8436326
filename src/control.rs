//! The operators' door: HTTP pages and pictures, and the WebSocket on which notices and calls come in.
//!
//! It turns requests into inputs for the hub and never touches the board, the broker or the glass itself. Whoever
//! looks costs little (everything shown is made once for all), and whoever is slow or silent is dropped.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Extension, Router};
use futures_util::future::BoxFuture;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::audio::shelf::Shelf;
use crate::board::view::BoardView;
use crate::clock::Clock;
use crate::config::{Config, CounterConfig, SeriesConfig, ZoneConfig};
use crate::health::parts::{Part, PartState, worst};
use crate::hub::{HubHandle, Speech};
use crate::journal::Journal;
use crate::screens::Screens;
use crate::wire::{Command, Proof};

pub mod auth;
pub mod counter;
pub mod fault;
mod feed;
pub mod limits;
pub mod listen;
pub mod look;
pub mod order;
mod page;
mod picture;
mod recording;
pub mod session;
mod socket;
pub mod tls;

use auth::Auth;
use feed::Feed;
use limits::{Attempts, Crowd};
use listen::Rehearsal;
use order::Around;
use picture::PictureCache;
use recording::Uploads;
use tls::Tls;

/// Connections of one address at once: the phones of a hall may share one behind its router.
const CONNECTIONS_EACH: usize = 128;
/// Sockets of one address that have not signed in yet.
const GREETINGS_EACH: usize = 8;
/// Connections at once; a hall's phones and a few operators need far fewer.
const CONNECTIONS: usize = 512;
/// Sessions that have signed in (wire contract).
const SESSIONS: usize = 64;
/// Sockets that have not signed in yet; each has 5 s for it.
const GREETINGS: usize = 32;
/// A request's head must be complete by then; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that serves pages is closed between two requests after that long, and `LAST_TIMEOUT` later in any
/// case: whoever reads an answer too slowly must not hold a place for ever. A WebSocket has its own rules.
const LIFETIME: Duration = Duration::from_secs(60);
const LAST_TIMEOUT: Duration = Duration::from_secs(10);
/// After that long a stop no longer waits for open connections; the daemon leaves a door that takes longer behind.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Draws what the board shows now.
pub trait Pictures: Send + Sync {
    /// A PNG of the whole board; none when nothing can be drawn at this moment.
    fn snapshot(&self) -> BoxFuture<'static, Option<Vec<u8>>>;
}

/// What `/healthz`, `/readyz` and `health` events say.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The process does its work and need not be restarted.
    pub live: bool,
    /// Calls reach the hall.
    pub ready: bool,
    /// Every part, and the word for all of them.
    pub parts: Vec<Part>,
    /// Details, an object.
    pub detail: Value,
}

impl Verdict {
    /// One line: `ok`, or what is wrong with each part that somebody should look at.
    pub fn words(&self) -> String {
        let unwell = self.parts.iter().filter(|part| part.state >= PartState::Degraded);
        let unwell: Vec<_> = unwell.map(|part| format!("{}: {}", part.name, part.why)).collect();
        let state = worst(&self.parts).as_str();
        if unwell.is_empty() { state.to_owned() } else { format!("{state}: {}", unwell.join(" | ")) }
    }
}

/// Asked often; answers at once.
pub type HealthProbe = Arc<dyn Fn() -> Verdict + Send + Sync>;

/// The text for Prometheus, told how many sessions there are; answers at once.
pub type MetricsProbe = Arc<dyn Fn(usize) -> String + Send + Sync>;

/// What the page shows about the hall, and what requests are checked against.
#[derive(Clone, Debug)]
pub struct HallFacts {
    pub title: String,
    pub motto: String,
    pub time_zone_name: String,
    pub time_zone: TimeZone,
    pub counters: Vec<CounterConfig>,
    pub series: Vec<SeriesConfig>,
    pub zones: Vec<ZoneConfig>,
    pub ticker_title: String,
    /// Pixels a second on a screen of 1080 lines.
    pub ticker_px_s: u32,
    /// Name of this screen.
    pub screen_id: String,
    /// Width and height of the picture, so that a page can keep its place.
    pub screen: (u32, u32),
}

impl HallFacts {
    pub fn of(config: &Config) -> Self {
        Self {
            title: config.hall.title.clone(),
            motto: config.hall.motto.clone(),
            time_zone_name: config.hall.time_zone.clone(),
            time_zone: TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC),
            counters: config.counters.clone(),
            series: config.series.clone(),
            zones: config.audio.zones.clone(),
            ticker_title: config.board.ticker_title.clone(),
            ticker_px_s: config.board.ticker_px_s,
            screen_id: config.screen.id.clone(),
            screen: (config.screen.width, config.screen.height),
        }
    }
}

/// The parts that the server needs.
pub struct Control {
    pub hub: HubHandle,
    pub pictures: Arc<dyn Pictures>,
    pub auth: Arc<Auth>,
    pub health: HealthProbe,
    pub metrics: MetricsProbe,
    pub clock: Arc<dyn Clock>,
    pub hall: HallFacts,
    /// What became of each call, as it becomes known.
    pub proofs: broadcast::Sender<Proof>,
    /// The technician's commands that are no inputs of the board.
    pub commands: mpsc::Sender<Command>,
    /// None: nothing is kept.
    pub journal: Option<Journal>,
    /// The hall's screens as they tell of themselves.
    pub screens: watch::Receiver<Screens>,
    /// What every zone says and will say.
    pub speech: watch::Receiver<Speech>,
    /// None: nothing can be listened to here.
    pub rehearsal: Option<Arc<Rehearsal>>,
    /// What operators have recorded.
    pub shelf: Shelf,
    /// None: plain HTTP.
    pub tls: Option<Arc<Tls>>,
}

impl Control {
    /// What a request is judged by now.
    fn around<'a>(&'a self, view: &'a BoardView, screens: &'a Screens, fresh_id: &'a str) -> Around<'a> {
        let HallFacts { time_zone, counters, zones, screen_id: screen, .. } = &self.hall;
        let shelf = &self.shelf;
        Around { now: self.clock.now(), view, time_zone, counters, zones, screens, shelf, screen, fresh_id }
    }
}

/// What all handlers share.
struct Console {
    control: Control,
    feed: Feed,
    picture: PictureCache,
    attempts: Mutex<Attempts>,
    greeting_crowd: SharedCrowd,
    greetings: Arc<Semaphore>,
    /// Whose turn it is to have something mixed.
    rehearsals: Arc<Semaphore>,
    uploads: Uploads,
    sessions: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

/// A crowd that connections and sockets enter and leave from their own tasks.
#[derive(Clone)]
struct SharedCrowd(Arc<Mutex<Crowd>>);

/// A place in a crowd, given back when it is dropped.
struct Place {
    crowd: SharedCrowd,
    address: IpAddr,
}

impl SharedCrowd {
    fn new(max: usize) -> Self {
        Self(Arc::new(Mutex::new(Crowd::new(max))))
    }

    fn enter(&self, address: IpAddr) -> Option<Place> {
        let room = self.0.lock().expect("nothing panics while it counts").enter(address);
        room.then(|| Place { crowd: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.0.lock().expect("nothing panics while it counts").leave(self.address);
    }
}

/// The address that a request came from.
#[derive(Copy, Clone, Debug)]
struct Peer(IpAddr);

/// Serves until `stop` is ready, then says goodbye to every session and returns within some seconds.
///
/// Errors of single connections end those alone; when no more can be accepted, it waits and tries again for ever.
pub async fn serve(listener: TcpListener, control: Control, stop: impl Future<Output = ()> + Send) {
    let (stopping, stopped) = watch::channel(false);
    let console = Arc::new(Console {
        feed: Feed::new(&control),
        control,
        picture: PictureCache::default(),
        attempts: Mutex::default(),
        greeting_crowd: SharedCrowd::new(GREETINGS_EACH),
        greetings: Arc::new(Semaphore::new(GREETINGS)),
        rehearsals: listen::turns(),
        uploads: Uploads::default(),
        sessions: Arc::new(Semaphore::new(SESSIONS)),
        stop: stopped.clone(),
    });
    let router = page::router(Arc::clone(&console));
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let door = Door { router, acceptor: console.control.tls.as_ref().map(|tls| tls.acceptor()), stopped };
    tokio::select! {
        () = accept(&listener, &door, &connections) => {}
        () = console.feed.run(&console.control) => {}
        () = stop => {}
    }
    drop(listener);
    stopping.send_replace(true);
    // Every connection and session holds a permit of one of the three until it has ended.
    let all_gone = async {
        let _ = connections.acquire_many(CONNECTIONS as u32).await;
        let _ = console.greetings.acquire_many(GREETINGS as u32).await;
        let _ = console.sessions.acquire_many(SESSIONS as u32).await;
    };
    if tokio::time::timeout(STOP_TIMEOUT, all_gone).await.is_err() {
        tracing::warn!("some connections had to be cut off");
    }
}

/// What every connection enters by.
#[derive(Clone)]
struct Door {
    router: Router,
    /// None: plain HTTP.
    acceptor: Option<TlsAcceptor>,
    stopped: watch::Receiver<bool>,
}

async fn accept(listener: &TcpListener, door: &Door, connections: &Arc<Semaphore>) {
    let mut pause = Pause::default();
    let crowd = SharedCrowd::new(CONNECTIONS_EACH);
    loop {
        let Ok(permit) = Arc::clone(connections).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, address)) => {
                pause = Pause::default();
                let peer = Peer(address.ip().to_canonical());
                let Some(place) = crowd.enter(peer.0) else {
                    tracing::debug!(peer = %peer.0, "too many connections of one address");
                    continue;
                };
                tokio::spawn(enter(stream, peer, door.clone(), (permit, place)));
            }
            Err(error) => {
                drop(permit);
                let wait = pause.next();
                tracing::warn!(%error, ?wait, "cannot accept a connection");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// How long to wait after each further failure to accept: out of descriptors, it would otherwise spin.
#[derive(Default)]
struct Pause(u32);

impl Pause {
    fn next(&mut self) -> Duration {
        self.0 = (self.0 + 1).min(6);
        Duration::from_millis(25 << self.0)
    }
}

type Held = (OwnedSemaphorePermit, Place);

async fn enter(stream: TcpStream, peer: Peer, door: Door, held: Held) {
    // Events are small and should not wait for each other.
    let _ = stream.set_nodelay(true);
    let Door { router, acceptor, stopped } = door;
    let Some(acceptor) = acceptor else {
        return connection(stream, peer, router, stopped, held).await;
    };
    match tokio::time::timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => connection(stream, peer, router, stopped, held).await,
        Ok(Err(error)) => tracing::debug!(%error, peer = %peer.0, "no TLS with this client"),
        Err(_) => tracing::debug!(peer = %peer.0, "the TLS handshake took too long"),
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    mut stopped: watch::Receiver<bool>,
    _held: Held,
) {
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut served = std::pin::pin!(served);
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop => {
            served.as_mut().graceful_shutdown();
            served.await
        }
        () = tokio::time::sleep(LIFETIME) => {
            served.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_TIMEOUT, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %peer.0, "connection ended early");
    }
}
