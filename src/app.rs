//! The one place that knows every part: start-up order, threads, shutdown order.
//!
//! The main thread belongs to the picture, because a window must live there and presenting may block while a panel
//! is off. Everything else runs beside it: tokio's threads (link, control, hub), the audio supervisor, and the sound
//! card's callback. Stopping goes the other way round: the picture ends first, then the doors close, then the sound and
//! the broker stop; the hub ends with its runtime.

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use crate::audio::shelf::Shelf;
use crate::board::{Board, Rules};
use crate::clock::Clock;
use crate::clock::system::SystemClock;
use crate::config::Config;
use crate::config::load::state_dir;
use crate::demo::QueueSystem;
use crate::health::{PanelState, ScreenStatus};
use crate::hub::{Hub, HubHandle, Outlets, Probes, Request, Speech};
use crate::journal::Journal;
use crate::metrics::{Metrics, Standing};
use crate::orders::{Orders, Schedule};
use crate::power::Panel;
use crate::screens::Screens;
use crate::sharing::Sharing;
use crate::{audio, control, mqtt, present, sharing, trace};

mod machine;
mod memory;
mod sound;
mod supervisor;
mod verdict;

use sound::Sound;
use verdict::{Around, verdict};

/// What the demo adds to a daemon.
#[derive(Debug, Default)]
pub struct Extras {
    pub demo: Option<Demo>,
    pub stop_after: Option<Duration>,
    /// The config file, which the command `reload` reads again.
    pub config: Option<PathBuf>,
}

/// The simulated hall.
#[derive(Copy, Clone, Debug)]
pub struct Demo {
    pub speed: f64,
    pub seed: u64,
}

/// Requests that may wait for the hub; beyond, the sender waits.
const REQUESTS: usize = 1024;
/// What became of calls, for a session that is slow to listen.
const PROOFS: usize = 256;
/// A technician's commands that may wait.
const COMMANDS: usize = 16;
/// Messages that may wait for the link.
const PUBLICATIONS: usize = 1024;
/// Doors that have not closed by then are left behind. With a second for the sound and half of one for the broker, which
/// has no clients any more, a stop takes at most three seconds.
const DOORS_WITHIN: Duration = Duration::from_millis(1400);
#[cfg(feature = "embedded-broker")]
const BROKER_WITHIN: Duration = Duration::from_millis(500);

/// Sends the log to stderr; `MOISO_LOG` sets its filter, `info` by default. `MOISO_TRACE` names a file for the stages of
/// calls.
pub fn init_logging() {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    use tracing_subscriber::{EnvFilter, Layer as _};
    let filter = EnvFilter::try_from_env("MOISO_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,wgpu_core=warn,wgpu_hal=error,naga=warn,symphonia=warn"));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal()).with_filter(filter);
    let log = tracing_subscriber::registry().with(log);
    let wanted = std::env::var_os("MOISO_TRACE").filter(|path| !path.is_empty());
    // A second call, in a test, keeps the first one's settings.
    match wanted.map(|path| trace::to_file(path.as_ref())) {
        None => drop(log.try_init()),
        Some(Ok(stages)) => drop(log.with(stages).try_init()),
        Some(Err(error)) => {
            let _ = log.try_init();
            tracing::warn!(%error, "MOISO_TRACE: the file cannot be made");
        }
    }
}

/// `127.0.0.1:port` when it is free, else a port that is.
///
/// # Errors
/// When the machine has no free port at all.
pub fn free_address(port: u16) -> std::io::Result<SocketAddr> {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bound = TcpListener::bind(wanted).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    bound.local_addr()
}

/// A started daemon; [`App::run`] gives it the main thread.
pub struct App {
    config: Config,
    runtime: Runtime,
    port: present::Port,
    audio: Option<audio::Handle>,
    journal: Journal,
    stop: watch::Sender<bool>,
    /// Everything that has to end before the hub may.
    doors: Vec<JoinHandle<()>>,
    /// The part that ended although nobody had told it to.
    fallen: Arc<OnceLock<&'static str>>,
    #[cfg(feature = "embedded-broker")]
    broker: Option<mqtt::broker::Running>,
}

impl App {
    /// Starts every part but the picture, in the order in which they need each other.
    ///
    /// # Errors
    /// What cannot be had at start: an address in use, threads. A broker, a sound card or a GPU that is missing is no
    /// error: each is looked for without end.
    pub fn start(config: Config, extras: &Extras) -> anyhow::Result<Self> {
        memory::settle();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("io")
            .enable_all()
            .build()
            .context("cannot start the io threads")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let now = clock.now();
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            hall = config.hall.id,
            screen = config.screen.id,
            "start"
        );

        #[cfg(feature = "embedded-broker")]
        let broker = runtime.block_on(start_broker(&config))?;
        #[cfg(not(feature = "embedded-broker"))]
        anyhow::ensure!(config.mqtt.embedded.listen.is_none(), "this build has no embedded broker");

        let _inside = runtime.enter();
        let listener = match config.control.listen {
            Some(address) => Some(bind(address)?),
            None => None,
        };
        let tls = door_with_tls(&config)?;

        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (stop, stopped) = watch::channel(false);
        let shelf = Shelf::open(state_dir(&config).join("recordings"));
        let sound = Sound::start(&config, &shelf, &requests);
        let mut rules = Rules::of(&config);
        rules.speaks &= sound.handle.is_some();
        let board = Board::new(rules, now);
        let (view_sender, views) = watch::channel(Arc::new(board.view(now)));
        let (glass, mut port) = present::channel(views.clone(), Arc::clone(&clock));
        port.drawn = Box::new({
            let requests = requests.clone();
            // A hub that takes nothing must not hold up the picture; the call then has no frame in its proof.
            move |drawn| {
                if requests.try_send(Request::Drawn(drawn)).is_err() {
                    tracing::error!("the hub does not take that a call is on the glass");
                }
            }
        });
        let hub_handle = HubHandle { requests, views };

        let (publications, outgoing) = mpsc::channel(PUBLICATIONS);
        let passed_on = publications.clone();
        let status = ScreenStatus::first(&config, now);
        let (status_sender, statuses) = watch::channel(status.clone());
        let (link_sender, link) = watch::channel(mqtt::LinkState::new());
        let link_told = link.clone();
        let panel = Panel::of(&config).map(|panel| (panel, watch::channel(PanelState::Unknown)));
        let panel_told = panel.as_ref().map(|(_, (_, told))| told.clone());
        let (commands, orders) = mpsc::channel(COMMANDS);
        let commands_here = commands.clone();
        let (proofs, _) = broadcast::channel(PROOFS);
        let (screens_sender, screens) = watch::channel(Screens::default());
        let (speech_sender, speech) = watch::channel(Speech { zones: board.speech(), since: now });
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")));

        let (journal, kept) = Journal::open(&state_dir(&config), config.journal.keep_days, now.wall)
            .context("cannot start the journal")?;
        let mut hub = Hub::new(
            board,
            Arc::clone(&clock),
            Outlets {
                planner: sound.planner,
                speaker: sound.speaker,
                publications,
                views: view_sender,
                status: status_sender,
                wake: Box::new({
                    let waker = glass.waker();
                    move || waker.wake()
                }),
                probes: Probes {
                    frame: Box::new({
                        let glass = glass.clone();
                        move || glass.report()
                    }),
                    sound: sound.state,
                    panel: Box::new(move || panel_told.as_ref().map(|state| *state.borrow())),
                    link: Box::new(move || {
                        Some(link.borrow()).filter(|l| l.is_up()).map(|l| l.broker.clone())
                    }),
                },
                journal: journal.clone(),
                proofs: proofs.clone(),
                screens: screens_sender,
                speech: speech_sender,
                metrics: Arc::clone(&metrics),
            },
            status,
            &config.screen.id,
        );
        hub.remember(kept);
        // A file that cannot be read has been told of.
        hub.resume(journal.unsent().unwrap_or_default(), &Rules::of(&config).time_zone);
        let fallen = Arc::new(OnceLock::new());
        let start = |name, part| {
            runtime.spawn(watched(
                name,
                runtime.spawn(part),
                stopped.clone(),
                Arc::clone(&fallen),
                glass.clone(),
            ))
        };
        start("hub", Box::pin(hub.run(inbox)) as Part);
        if let Some(audio) = sound.handle.clone() {
            start("sound", Box::pin(sound::end(audio)));
        }
        #[cfg(feature = "embedded-broker")]
        if let Some(broker) = &broker {
            start("embedded broker", Box::pin(broker.ended()));
        }
        let mut doors = Vec::new();
        let (sharing, shared) = sharing::door(&shelf);
        let passing = Sharing::new(&config, shelf.clone(), hub_handle.clone(), passed_on, screens.clone());
        start("recordings of others", Box::pin(passing.run(shared)));
        let link_doors = mqtt::Doors {
            hub: hub_handle.clone(),
            outgoing,
            commands,
            sharing,
            status: statuses.clone(),
            state: link_sender,
            stop: stopped.clone(),
        };
        doors.push(start("link", Box::pin(mqtt::run(&config, link_doors))));
        let orders_of = Orders {
            schedule: Schedule {
                config: config.audio.clone(),
                clock: Arc::clone(&clock),
                zone: Rules::of(&config).time_zone,
            },
            audio: sound.handle.clone(),
            test_call: sound.test_call,
            glass: glass.clone(),
            pictures: state_dir(&config).join("pictures"),
            config: extras.config.clone(),
        };
        if let Some((panel, (told, _))) = panel {
            start("panel", Box::pin(panel.run(hub_handle.views.clone(), told)));
        }
        start("commands", Box::pin(orders_of.run(orders)));
        let keep = Duration::from_secs(u64::from(config.journal.keep_days) * 24 * 3600);
        start("recordings", Box::pin(shelf.clone().tidy(hub_handle.clone(), keep)));
        let health: control::HealthProbe = Arc::new({
            let (statuses, link) = (statuses.clone(), link_told.clone());
            let (clock, audio, shelf) = (Arc::clone(&clock), sound.handle.clone(), shelf.clone());
            let notes = sound.notes;
            let folder = state_dir(&config);
            move || {
                let around = Around {
                    volume: audio.as_ref().map(audio::Handle::volume),
                    zones: audio.as_ref().map(sound::states).unwrap_or_default(),
                    voice: sound::voice(notes.as_ref()),
                    unheard: shelf.unheard(),
                    machine: machine::look(&folder),
                };
                verdict(&statuses.borrow(), &link.borrow(), &around, clock.now().mono)
            }
        });
        if std::env::var_os("NOTIFY_SOCKET").is_some() {
            runtime.spawn(supervisor::tell(statuses.clone(), sound.handle.clone(), Arc::clone(&health)));
        }
        if let Some(listener) = listener {
            let auth = Arc::new(control::auth::Auth::of(&config));
            if extras.demo.is_some() {
                print_address(&config, &auth);
            }
            let served = control::Control {
                hub: hub_handle,
                pictures: Arc::new(glass.clone()),
                auth,
                metrics: Arc::new({
                    let (health, audio, journal) =
                        (Arc::clone(&health), sound.handle.clone(), journal.clone());
                    move |sessions| {
                        let control::Verdict { live, ready, .. } = health();
                        let standing = Standing {
                            status: &statuses.borrow(),
                            link: &link_told.borrow(),
                            journal_waiting: journal.waiting(),
                            zones: audio.as_ref().map(sound::zones).unwrap_or_default(),
                            live,
                            ready,
                            sessions,
                        };
                        metrics.text(&standing)
                    }
                }),
                health,
                clock,
                hall: control::HallFacts::of(&config),
                proofs,
                commands: commands_here,
                journal: Some(journal.clone()),
                screens,
                speech,
                rehearsal: Some(Arc::new(control::listen::Rehearsal::of(&config, shelf.clone()))),
                shelf,
                tls,
            };
            doors
                .push(start("control", Box::pin(control::serve(listener, served, told_to(stopped.clone())))));
        }
        if let Some(demo) = extras.demo
            && let Some(address) = config.mqtt.embedded.listen
        {
            let system = QueueSystem::new(&config, demo.seed);
            doors.push(start("demo", Box::pin(system.run(address, demo.speed, stopped.clone()))));
        }
        runtime.spawn(quit_on_signal(glass.clone(), extras.stop_after));
        Ok(Self {
            config,
            port,
            audio: sound.handle,
            journal,
            stop,
            doors,
            fallen,
            #[cfg(feature = "embedded-broker")]
            broker,
            runtime,
        })
    }

    /// Draws until a signal, the end of the window or the death of a part; then stops everything in order.
    ///
    /// # Errors
    /// When the display is given up, or a part has died: a process that lives and does nothing is worse than one that the
    /// supervisor starts again.
    pub fn run(self) -> anyhow::Result<()> {
        let drawn = present::run(&self.config, self.port);
        tracing::info!("stop");
        supervisor::stopping();
        self.stop.send_replace(true);
        let doors = self.doors;
        let ended = self.runtime.block_on(async {
            let all = async {
                for door in doors {
                    // A door that panicked has been logged and is closed all the same.
                    let _ = door.await;
                }
            };
            tokio::time::timeout(DOORS_WITHIN, all).await
        });
        if ended.is_err() {
            tracing::warn!("not everything ended in time");
        }
        if let Some(audio) = self.audio {
            audio.stop();
        }
        self.journal.stop();
        #[cfg(feature = "embedded-broker")]
        if let Some(broker) = self.broker {
            let stopped = async { tokio::time::timeout(BROKER_WITHIN, broker.stop()).await };
            if self.runtime.block_on(stopped).is_err() {
                tracing::warn!("the embedded broker did not stop in time");
            }
        }
        self.runtime.shutdown_timeout(Duration::from_millis(200));
        drawn?;
        match self.fallen.get() {
            Some(name) => anyhow::bail!("the {name} has ended by itself"),
            None => Ok(()),
        }
    }
}

type Part = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits for a part; when it ends untold, by a panic or otherwise, the daemon ends with it.
async fn watched(
    name: &'static str,
    part: JoinHandle<()>,
    stop: watch::Receiver<bool>,
    fallen: Arc<OnceLock<&'static str>>,
    glass: present::PortHandle,
) {
    let ended = part.await;
    if !*stop.borrow() {
        tracing::error!(part = name, panicked = ended.is_err(), "a part has ended by itself");
        let _ = fallen.set(name);
        glass.quit();
    }
}

impl control::Pictures for present::PortHandle {
    fn snapshot(&self) -> futures_util::future::BoxFuture<'static, Option<Vec<u8>>> {
        let port = self.clone();
        Box::pin(async move { Self::snapshot(&port).await.ok().map(|png| png.to_vec()) })
    }
}

/// Ends when the daemon is told to stop.
async fn told_to(mut stop: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The console's certificate; without one an address that others reach is warned of.
fn door_with_tls(config: &Config) -> anyhow::Result<Option<Arc<control::tls::Tls>>> {
    let open = config.control.listen.filter(|listen| !listen.ip().is_loopback());
    let Some(files) = &config.control.tls else {
        if let Some(listen) = open {
            tracing::warn!(%listen, "the console is open to the network without TLS: tokens can be read on the way");
        }
        return Ok(None);
    };
    let tls = control::tls::Tls::load(files).map_err(|error| {
        let advice = error.advice();
        anyhow::Error::new(error).context(format!("control.tls ({advice})"))
    })?;
    Ok(Some(Arc::new(tls)))
}

fn bind(address: SocketAddr) -> anyhow::Result<tokio::net::TcpListener> {
    let bound =
        TcpListener::bind(address).with_context(|| format!("control.listen: cannot listen on {address}"))?;
    bound.set_nonblocking(true)?;
    Ok(tokio::net::TcpListener::from_std(bound)?)
}

/// Ends the picture, and with it everything else, at SIGINT, SIGTERM or SIGHUP, or after a time.
async fn quit_on_signal(glass: present::PortHandle, after: Option<Duration>) {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(error) => {
                tracing::error!(%error, "a signal cannot be waited for");
                std::future::pending::<()>().await;
            }
        }
    };
    let time = async {
        match after {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
        () = time => {}
    }
    glass.quit();
}

/// Prints where the page is, with a token that works once.
fn print_address(config: &Config, auth: &control::auth::Auth) {
    if let Some(address) = config.control.listen {
        let token = auth.one_time(control::auth::Role::Technician, "Bản chạy thử");
        let scheme = if config.control.tls.is_some() { "https" } else { "http" };
        println!("\nTrang quản lý / operators' page: {scheme}://{address}/#token={token}\n");
    }
}

#[cfg(feature = "embedded-broker")]
async fn start_broker(config: &Config) -> anyhow::Result<Option<mqtt::broker::Running>> {
    if config.mqtt.embedded.listen.is_none() {
        return Ok(None);
    }
    let store = state_dir(config).join("broker");
    Ok(Some(
        mqtt::broker::start(&config.mqtt.embedded, Some(&store))
            .await
            .context("cannot start the embedded broker")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::view::BoardView;

    async fn end_of(part: impl Future<Output = ()> + Send + 'static, told: bool) -> Option<&'static str> {
        let (_views, views) = watch::channel(Arc::new(BoardView::empty()));
        let (glass, _port) = present::channel(views, Arc::new(SystemClock::new()));
        let (_stop, stopped) = watch::channel(told);
        let fallen = Arc::new(OnceLock::new());
        watched("link", tokio::spawn(part), stopped, Arc::clone(&fallen), glass).await;
        fallen.get().copied()
    }

    #[tokio::test]
    async fn a_part_that_ends_untold_takes_the_daemon_with_it() {
        assert_eq!(end_of(async { panic!("on purpose") }, false).await, Some("link"));
        assert_eq!(end_of(async {}, false).await, Some("link"));
        assert_eq!(end_of(async {}, true).await, None);
    }
}
