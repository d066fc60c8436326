//! What the daemon of a soak needs beside it: a broker, the way to it, a sound card, a clock that can be set.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a program may take until it can be used.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that ends with this value.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a program lies; daemons are not on everybody's path.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn wait_until(fact: &str, mut holds: impl FnMut() -> bool) -> anyhow::Result<()> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            bail!("not within {} s: {fact}", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A mosquitto of the soak's own, where the program is there.
///
/// # Errors
/// When it is there and does not start.
pub fn mosquitto(folder: &Path, address: SocketAddr) -> anyhow::Result<Option<Process>> {
    let Some(program) = find("mosquitto") else { return Ok(None) };
    let config = folder.join("mosquitto.conf");
    let text = format!(
        "listener {} {}\nallow_anonymous true\npersistence false\nmax_queued_messages 0\nlog_type error\n",
        address.port(),
        address.ip()
    );
    std::fs::write(&config, text)?;
    let child = Command::new(program)
        .arg("-c")
        .arg(config)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting mosquitto")?;
    let process = Process(child);
    wait_until("mosquitto listens", || std::net::TcpStream::connect(address).is_ok())?;
    Ok(Some(process))
}

/// A card that keeps time and that nobody hears.
pub struct Card {
    _server: Process,
    home: PathBuf,
}

impl Card {
    /// A PulseAudio server with a null sink, where the program is there.
    ///
    /// # Errors
    /// When it is there and does not start.
    pub fn start(folder: &Path) -> anyhow::Result<Option<Self>> {
        let Some(program) = find("pulseaudio") else { return Ok(None) };
        let home = folder.join("sound");
        std::fs::create_dir_all(home.join("run"))?;
        std::fs::write(home.join(".asoundrc"), "pcm.!default { type pulse }\nctl.!default { type pulse }\n")?;
        let mut command = Command::new(program);
        command.args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--log-level=error",
        ]);
        command.args(["-L", "module-native-protocol-unix"]);
        command.args(["-L", "module-null-sink sink_name=hall rate=48000 channels=2"]);
        command
            .envs(Self::variables(&home))
            .env_remove("PULSE_SERVER")
            .env_remove("DBUS_SESSION_BUS_ADDRESS");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Process(child.context("starting pulseaudio")?);
        wait_until("PulseAudio listens", || home.join("run/pulse/native").exists())?;
        Ok(Some(Self { _server: server, home }))
    }

    /// What leads a program to it.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        Self::variables(&self.home).to_vec()
    }

    fn variables(home: &Path) -> [(&'static str, OsString); 2] {
        [("HOME", home.into()), ("XDG_RUNTIME_DIR", home.join("run").into())]
    }
}

/// The way to the broker, which can be cut.
pub struct Cable {
    pub address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// # Errors
    /// When nothing can be listened on.
    pub async fn to(broker: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (whole, seen) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(join(client, broker, seen.clone()));
            }
        });
        Ok(Self { address, whole })
    }

    /// Connections end, and new ones at once, until it is whole again.
    pub fn set(&self, whole: bool) {
        self.whole.send_replace(whole);
    }
}

async fn join(mut client: TcpStream, broker: SocketAddr, mut whole: watch::Receiver<bool>) {
    if !*whole.borrow() {
        return;
    }
    let Ok(mut broker) = TcpStream::connect(broker).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut broker) => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

/// The wall clock of the daemon: with libfaketime it is set to the day that is simulated, without it is the system's.
pub struct WallClock {
    library: Option<PathBuf>,
    file: PathBuf,
    zone: TimeZone,
    today: civil::Date,
    offset: SignedDuration,
}

impl WallClock {
    pub fn new(folder: &Path, zone: TimeZone) -> Self {
        let today = zone.to_datetime(Timestamp::now()).date();
        Self { library: faketime(), file: folder.join("clock"), zone, today, offset: SignedDuration::ZERO }
    }

    pub fn can_be_set(&self) -> bool {
        self.library.is_some()
    }

    /// Sets it to a time of a day, counted from today; nothing without the library.
    ///
    /// # Errors
    /// When the file that the library reads cannot be written.
    pub fn set(&mut self, day: usize, time: civil::Time) -> anyhow::Result<()> {
        if self.library.is_none() {
            return Ok(());
        }
        let date = self.today.checked_add((day as i64).days())?;
        let wanted = self.zone.to_timestamp(date.to_datetime(time))?;
        // Whole seconds are what the library reads.
        let seconds = wanted.as_second() - Timestamp::now().as_second();
        self.offset = SignedDuration::from_secs(seconds);
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n"))?;
        Ok(std::fs::rename(new, &self.file)?)
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        let real = Timestamp::now();
        real.checked_add(self.offset).unwrap_or(real)
    }

    /// What makes a program read it.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let Some(library) = &self.library else { return Vec::new() };
        vec![
            ("LD_PRELOAD", library.into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            // Seconds after which the file is read again.
            ("FAKETIME_CACHE_DURATION", "1".into()),
            // A killed process would leave its part of the shared memory behind.
            ("FAKETIME_DISABLE_SHM", "1".into()),
            // Ages and deadlines go on as they do in a hall.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}

/// Debian's library for programs with threads.
fn faketime() -> Option<PathBuf> {
    let machine = format!("/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH);
    let places =
        [machine.as_str(), "/usr/lib/faketime/libfaketimeMT.so.1", "/usr/lib64/faketime/libfaketimeMT.so.1"];
    places.iter().map(PathBuf::from).find(|path| path.exists())
}
