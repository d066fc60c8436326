//! The process under test: `present::run` on the main thread, told what to show line by line.
//!
//! Lines in: `view N`, `call N` (the same, called just now), `advance MS`, `snapshot FILE`, `report`, `quit`. Each is answered by one line.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moiso::board::call::{CallId, Counter, Kind, Lane, NoticeId, Ticket};
use moiso::board::state::{CounterMode, Level};
use moiso::board::view::{BoardView, CounterView, LinkView, SharedView, Spot, TickerItem};
use moiso::clock::system::SystemClock;
use moiso::clock::{Clock, ManualClock, Millis};
use moiso::config::Config;
use moiso::config::section::Env;
use moiso::present::{self, PortHandle};
use tokio::sync::watch;

/// Says that this process is the child, and whether its clock runs or is moved by hand.
const CHILD: &str = "MOISO_GLASS_CHILD";

/// When the hand-moved clock starts: a Tuesday morning in the hall.
const MORNING: &str = "2026-11-24T02:15:20Z";

/// In a child this never returns.
pub fn be_the_child_if_asked() {
    let Ok(clock) = std::env::var(CHILD) else { return };
    let config = std::env::var("MOISO_GLASS_CONFIG").unwrap_or_default();
    let config = Config::read(&config, Env::new()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let manual = Arc::new(ManualClock::at(MORNING.parse().expect("a time")));
    let clock: Arc<dyn Clock> = if clock == "manual" { manual.clone() } else { Arc::new(SystemClock::new()) };
    let (views, seen) = watch::channel(Arc::new(view(1)));
    let (handle, port) = present::channel(seen, clock);
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    std::thread::spawn(move || obey(&handle, &views, &manual));
    match present::run(&config, port) {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(3);
        }
    }
}

fn obey(handle: &PortHandle, views: &watch::Sender<SharedView>, clock: &ManualClock) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for line in std::io::stdin().lines() {
        let line = line.expect("the test writes lines");
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match verb {
            "view" => {
                views.send_replace(Arc::new(view(rest.parse().expect("a number"))));
                handle.wake();
                "ok".to_owned()
            }
            "call" => {
                let mut view = view(rest.parse().expect("a number"));
                view.spotlight[0].since = clock.now().mono;
                view.spotlight_since = clock.now().mono;
                views.send_replace(Arc::new(view));
                handle.wake();
                "ok".to_owned()
            }
            "advance" => {
                clock.advance(Millis(rest.parse().expect("a number")));
                handle.wake();
                "ok".to_owned()
            }
            "snapshot" => match runtime.block_on(handle.snapshot()) {
                Ok(png) => std::fs::write(rest, png).map_or_else(|e| e.to_string(), |()| "ok".to_owned()),
                Err(error) => error.to_string(),
            },
            "report" => {
                let r = handle.report();
                format!("{} {:x} {} {} {}", r.frames, r.frame_hash, r.present, r.rebuilds, r.gpu)
            }
            _ => {
                handle.quit();
                "bye".to_owned()
            }
        };
        println!("{answer}");
    }
    handle.quit();
}

/// A hall whose picture depends on `n`, and on nothing else.
fn view(n: u64) -> BoardView {
    let counter = |text: &str| Counter::parse(text).expect("a counter");
    let called = Ticket::parse(&format!("A{n:03}")).expect("a ticket");
    let spot = Spot {
        call: CallId::parse(&format!("call-{n}")).expect("an id"),
        ticket: called.clone(),
        counter: counter("3"),
        kind: Kind::Call,
        lane: Lane::Regular,
        slot: None,
        holder: None,
        since: Millis(-60_000),
    };
    let cell = |id: u64| CounterView {
        counter: counter(&id.to_string()),
        noun: "Quầy".into(),
        label: Some("Đất đai · chính chủ".into()),
        label_en: None,
        lanes: Vec::new(),
        mode: CounterMode::Open,
        ticket: Some(if id == 3 {
            called.clone()
        } else {
            Ticket::parse(&format!("B{id:03}")).expect("a ticket")
        }),
        lane: Lane::Regular,
        slot: None,
        reopens: None,
        called: id == 3,
        called_at: None,
        known: true,
    };
    // Longer than the screen is wide, so that it moves.
    let text = "Công dân được gửi xe miễn phí, nước uống miễn phí, hướng dẫn kê khai miễn phí. ";
    let notice = TickerItem {
        id: NoticeId::parse("n1").expect("an id"),
        text: text.repeat(3),
        text_en: None,
        level: Level::Info,
        qr: None,
        until: None,
    };
    BoardView {
        revision: n,
        spotlight: vec![spot],
        spotlight_since: Millis(-60_000),
        counters: (1..=11).map(cell).collect(),
        ticker: vec![notice],
        link: LinkView { last_news: Some(MORNING.parse().expect("a time")), ..BoardView::empty().link },
        ..BoardView::empty()
    }
}

/// A child and the lines to and from it.
pub struct Board {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    errors: Option<ChildStderr>,
}

/// What the child says of its last frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub frames: u64,
    pub hash: String,
    pub present: String,
    pub rebuilds: u64,
    pub gpu: String,
}

/// How a child is started.
pub struct Start<'a> {
    pub display: Option<&'a str>,
    pub present: &'a str,
    pub size: (u32, u32),
    /// False: the clock stands still until `advance`.
    pub running: bool,
    /// By its name or its number.
    pub monitor: Option<&'a str>,
    /// What a desktop says of its pixels.
    pub scale: Option<&'a str>,
}

/// How long a child may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

impl Board {
    pub fn start(how: &Start<'_>) -> Self {
        let (w, h) = how.size;
        let monitor = how.monitor.map_or(String::new(), |name| format!("monitor = \"{name}\"\n"));
        let config = format!("[screen]\npresent = \"{}\"\nsize = \"{w}x{h}\"\n{monitor}", how.present);
        let mut command = Command::new(std::env::current_exe().expect("the test is a file"));
        command
            .env(CHILD, if how.running { "running" } else { "manual" })
            .env("MOISO_GLASS_CONFIG", config)
            .env("RUST_LOG", "info")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET")
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.envs(how.scale.map(|scale| ("WINIT_X11_SCALE_FACTOR", scale)));
        if let Some(display) = how.display {
            // A path is a Wayland socket.
            let name = if display.starts_with('/') { "WAYLAND_DISPLAY" } else { "DISPLAY" };
            command.env(name, display);
        }
        let mut process = command.spawn().expect("the test can start itself");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped")).lines();
        let errors = process.stderr.take();
        Self { process, input, output, errors }
    }

    pub fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("the child reads lines");
        let answer = self.output.next().expect("the child answers").expect("a line");
        assert!(!answer.is_empty());
        answer
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn report(&mut self) -> Report {
        let answer = self.ask("report");
        let mut words = answer.splitn(5, ' ');
        let mut word = || words.next().expect("five words").to_owned();
        Report {
            frames: word().parse().expect("a number"),
            hash: word(),
            present: word(),
            rebuilds: word().parse().expect("a number"),
            gpu: word(),
        }
    }

    /// Asks until the report is as wanted.
    pub fn report_when(&mut self, what: &str, wanted: impl Fn(&Report) -> bool) -> Report {
        let start = Instant::now();
        loop {
            let report = self.report();
            if wanted(&report) {
                return report;
            }
            if start.elapsed() > PATIENCE {
                let _ = self.process.kill();
                let said = self.errors.take().map(std::io::read_to_string).expect("taken once");
                panic!("{what} did not come in {PATIENCE:?}: {report:?}\n{}", said.expect("text"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The picture that the child draws off screen now, in the byte order of an X server's rows.
    pub fn snapshot(&mut self) -> Vec<u8> {
        let file = std::env::temp_dir().join(format!("moiso-glass-{}.png", self.id()));
        let answer = self.ask(&format!("snapshot {}", file.display()));
        assert_eq!(answer, "ok");
        let png = std::fs::read(&file).expect("the child wrote it");
        let _ = std::fs::remove_file(&file);
        let picture = moiso::gpu::Picture::from_png(&png).expect("a PNG");
        picture.rgba.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*b, *g, *r, 0]).collect()
    }

    /// How the process ended, and what it said. One that does not end is killed, and fails the test.
    pub fn end(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            match self.process.try_wait().expect("a child") {
                Some(status) => break Some(status),
                None if start.elapsed() > PATIENCE => break None,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        // It may have ended by itself.
        let _ = self.process.kill();
        let said = self.errors.take().map(std::io::read_to_string).expect("taken once").expect("text");
        (status.unwrap_or_else(|| panic!("the child did not end in {PATIENCE:?}:\n{said}")), said)
    }

    /// Ends it as the daemon is ended.
    pub fn quit(mut self) -> (ExitStatus, String) {
        self.ask("quit");
        self.end()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Polls a fact, and fails when it does not come true.
pub fn until(what: &str, mut fact: impl FnMut() -> bool) {
    let start = Instant::now();
    while !fact() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come true in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
