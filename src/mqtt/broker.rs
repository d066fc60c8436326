//! The broker inside the daemon, for a hall with a single PC: queue system, console and board on one machine.
//!
//! It speaks MQTT 3.1.1 and 5 over TCP and WebSocket (path `/mqtt`), keeps retained messages and sessions on disk, and
//! knows nothing of boards: the link connects to it as to any other broker.

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mqtt5::MqttError;
use mqtt5::broker::auth::PasswordAuthProvider;
use mqtt5::broker::config::{StorageBackend, StorageConfig, WebSocketConfig};
use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::config::EmbeddedConfig;

/// Screens, counters and consoles of the largest hall, several times over.
const CLIENTS_MAX: usize = 500;
/// As the link's own limit: nothing larger is of use in a hall.
const PACKET_MAX: usize = 256 * 1024;
const RETAINED_MAX: usize = 4096;
/// What waits for a client that is away.
const QUEUED_MAX: usize = 1000;
const QUEUED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A client that has not come back for a day starts anew.
const SESSION_EXPIRY: Duration = Duration::from_secs(24 * 3600);
const CLEANUP_EVERY: Duration = Duration::from_secs(3600);
/// The broker gives its clients five seconds of its own; a daemon that stops cannot wait that long.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// Why there is no broker.
#[derive(Debug, Error)]
pub enum BrokerError {
    #[error("no address is given")]
    NoAddress,
    #[error("users file {path}: {why}", path = path.display())]
    Users { path: PathBuf, why: String },
    #[error("the broker cannot listen on {address}: {why}")]
    Listen { address: SocketAddr, why: String },
    #[error("the broker cannot keep its state in {path}: {why}", path = path.display())]
    Store { path: PathBuf, why: String },
    #[error("the broker does not start: {0}")]
    Start(String),
}

impl BrokerError {
    /// What a technician can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoAddress => "set mqtt.embedded.listen",
            Self::Users { .. } => "write lines name:password, and let the daemon read the file",
            Self::Listen { .. } => "stop the other program on that port, or choose another in mqtt.embedded",
            Self::Store { .. } => "let the daemon write to paths.state",
            Self::Start(_) => "look into the log",
        }
    }
}

/// A broker that serves until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    websocket: Option<SocketAddr>,
    stop: Stop,
    task: JoinHandle<()>,
    over: watch::Receiver<()>,
}

struct Stop(BrokerShutdownHandle);

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stop")
    }
}

/// Starts the broker inside the running tokio runtime; it accepts connections when this returns.
///
/// Port 0 takes a free one, see [`Running::local_addr`]. With `store` retained messages and sessions outlive the
/// process; without they live in memory.
///
/// # Errors
/// [`BrokerError`] when an address is taken, or the users or the store cannot be used.
pub async fn start(config: &EmbeddedConfig, store: Option<&Path>) -> Result<Running, BrokerError> {
    let address = config.listen.ok_or(BrokerError::NoAddress)?;
    let users = config.users_file.as_deref().map(users).transpose()?;
    for taken in [Some(address), config.websocket].into_iter().flatten() {
        can_listen(taken).map_err(|e| BrokerError::Listen { address: taken, why: e.to_string() })?;
    }
    let mut broker = MqttBroker::with_config(broker_config(address, config.websocket, store)?)
        .await
        .map_err(|e| BrokerError::Start(e.to_string()))?;
    if let Some(users) = users {
        broker = broker.with_auth_provider(Arc::new(users));
    }
    let started = || BrokerError::Start("it has no listener".into());
    let running_at = broker.local_addr().ok_or_else(started)?;
    let websocket = broker.ws_local_addr();
    let mut ready = broker.ready_receiver();
    let stop = Stop(broker.shutdown_handle());
    let (life, over) = watch::channel(());
    let task = tokio::spawn(async move {
        let _life = life;
        if let Err(e) = broker.run().await {
            error!("the embedded broker has ended: {e}");
        }
    });
    if ready.wait_for(|ready| *ready).await.is_err() {
        return Err(BrokerError::Start("it ended at once, see the log".into()));
    }
    info!(address = %running_at, ?websocket, "embedded broker serves");
    Ok(Running { address: running_at, websocket, stop, task, over })
}

impl Running {
    /// Where it listens for MQTT over TCP.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for MQTT over WebSocket, path `/mqtt`.
    pub fn websocket_addr(&self) -> Option<SocketAddr> {
        self.websocket
    }

    /// Comes back when the broker has ended, told or not.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut over = self.over.clone();
        async move {
            // The sender goes with the task, also when it panics.
            let _ = over.changed().await;
        }
    }

    /// Says goodbye to the clients and writes the store; cut short after two seconds.
    pub async fn stop(mut self) {
        self.stop.0.shutdown();
        if timeout(STOP_WITHIN, &mut self.task).await.is_err() {
            warn!("the embedded broker did not stop in time");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn broker_config(
    address: SocketAddr,
    websocket: Option<SocketAddr>,
    store: Option<&Path>,
) -> Result<BrokerConfig, BrokerError> {
    let mut config = BrokerConfig::default()
        .with_bind_address(address)
        .with_max_clients(CLIENTS_MAX)
        .with_max_packet_size(PACKET_MAX)
        .with_max_retained_messages(RETAINED_MAX)
        .with_session_expiry(SESSION_EXPIRY)
        .with_storage(storage(store)?);
    // Nobody in a hall reads `$SYS`, and it would wake an idle machine every ten seconds.
    config.sys_topics_enabled = false;
    if let Some(address) = websocket {
        config = config.with_websocket(WebSocketConfig::default().with_bind_address(address));
    }
    Ok(config)
}

fn storage(store: Option<&Path>) -> Result<StorageConfig, BrokerError> {
    let config = StorageConfig {
        backend: StorageBackend::Memory,
        cleanup_interval: CLEANUP_EVERY,
        max_queued_messages_per_client: QUEUED_MAX,
        max_queued_bytes_per_client: QUEUED_BYTES_MAX,
        ..StorageConfig::default()
    };
    let Some(path) = store else { return Ok(config) };
    private_folder(path).map_err(|e| BrokerError::Store { path: path.to_owned(), why: e.to_string() })?;
    Ok(StorageConfig { backend: StorageBackend::File, base_dir: path.to_owned(), ..config })
}

/// What waits for a client that is away may carry a person's name: nobody else reads it.
fn private_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Asks the system first, for an error with the address in it.
fn can_listen(address: SocketAddr) -> io::Result<()> {
    std::net::TcpListener::bind(address).map(drop)
}

/// Lines `name:password`, or `name:$argon2id$…`; empty lines and `#` lines are skipped.
pub(crate) fn users(path: &Path) -> Result<PasswordAuthProvider, BrokerError> {
    let wrong = |why: String| BrokerError::Users { path: path.to_owned(), why };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let provider = PasswordAuthProvider::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let refused = |why: &str| wrong(format!("line {}: {why}", number + 1));
        match line.split_once(':') {
            Some((name, _)) if name.trim().is_empty() => return Err(refused("the name is empty")),
            Some((_, "")) => return Err(refused("the password is empty")),
            Some((name, hash)) if hash.starts_with("$argon2") => provider.add_user_with_hash(name, hash),
            Some((name, password)) => {
                provider.add_user(name, password).map_err(|e: MqttError| refused(&e.to_string()))?;
            }
            None => return Err(refused("must be name:password")),
        }
    }
    if provider.user_count() == 0 {
        return Err(wrong("it names nobody".into()));
    }
    Ok(provider)
}
