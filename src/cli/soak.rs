//! `moiso soak`: a daemon of its own, driven through simulated days with faults, looked at all the while, and judged.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::{Timestamp, civil, tz::TimeZone};
use tokio::sync::mpsc;

use super::render::parse_size;
use crate::app::free_address;
use crate::audio::sounds;
use crate::board::call::Kind;
use crate::clock::Millis;
use crate::config::Config;
use crate::control::auth::Role;
use crate::control::auth::file::TokenFile;
use crate::demo::{Message, QueueSystem};
use crate::journal::{FILE, Query, Store};
use crate::scene::Size;
use crate::soak::book::{Book, Counts};
use crate::soak::plan::{DAY, Deed, SHORTEST_S, SPEED, Times, bad_payloads, deeds};
use crate::soak::report::Report;
use crate::soak::scrape::Scrape;
use crate::soak::stats::{Buckets, quantile, since};
use crate::soak::verdict::{Accidents, complaints, findings};
use crate::soak::{SHARES, Sample};

mod daemon;
mod guests;
mod peers;
mod queue;

use daemon::Daemon;
use guests::Door;
use peers::{Cable, Card, Process, WallClock, mosquitto};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long, in hours of real time; a simulated day takes two minutes of them.
    #[arg(long, default_value_t = 1.0, value_parser = hours)]
    hours: f64,
    /// Where soak.html and soak.json are written.
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    out: PathBuf,
    /// Where the daemon has its config, its state and its log, which then stay; left out, a folder that goes afterwards.
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// Width and height of the picture.
    #[arg(long, default_value = "1920x1080", value_name = "WxH", value_parser = parse_size)]
    size: Size,
    /// Seconds that a day takes, for a short try.
    #[arg(long, default_value_t = DAY.as_secs(), value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(SHORTEST_S..=3600))]
    day_s: u64,
    /// Uses the daemon's own broker although mosquitto is there.
    #[arg(long)]
    embedded: bool,
    /// What the page says of this run beside its figures, such as what else the machine does.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

fn hours(text: &str) -> Result<f64, String> {
    let hours: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.005..=2000.0).contains(&hours) { Ok(hours) } else { Err("must be from 0.005 to 2000".into()) }
}

const TICK: Duration = Duration::from_millis(100);
/// A restart by the service manager comes as long after the end.
const RESTART: Duration = Duration::from_secs(1);
/// Looks at the daemon in a day; one each quarter of a minute when a day takes two.
const LOOKS: u32 = 8;
/// Until the daemon answers for the first time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// After the last day, for the proofs of what waits: as long as a call may wait for the loudspeakers, and what is said then.
const LAST_PROOFS: Duration = Duration::from_secs(150);
/// Of a soak's screen.
const SCREEN: &str = "sanh-1";
/// Days that its journal keeps, so that nights prune it.
const KEEP_DAYS: u32 = 7;
/// Three calls share the spotlight, and in the fast hall one comes each second.
const DWELL_S: u32 = 2;
/// What may wait for the broker: some days.
const MESSAGES: usize = 10_000;

/// # Errors
/// What the soak itself needs and cannot have. What the daemon does is in the report and in the exit code.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let own = std::env::temp_dir().join(format!("moiso-soak-{}", std::process::id()));
    let work = args.work.clone().unwrap_or_else(|| own.clone());
    std::fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
    let work = work.canonicalize()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(async { Soak::prepare(args, config, &work).await?.run().await });
    runtime.shutdown_background();
    if args.work.is_none() {
        let _ = std::fs::remove_dir_all(&own);
    }
    let report = report?;
    std::fs::create_dir_all(&args.out)?;
    let (page, data) = (args.out.join("soak.html"), args.out.join("soak.json"));
    std::fs::write(&page, report.html()).with_context(|| format!("writing {}", page.display()))?;
    std::fs::write(&data, report.json().to_string())
        .with_context(|| format!("writing {}", data.display()))?;
    let calls = report.samples.last().map(|s| s.calls).unwrap_or_default();
    println!("{} days, {}", report.days, words(calls));
    for complaint in &report.complaints {
        println!("- {complaint}");
    }
    println!("{}: {}", if report.passed() { "passed" } else { "not passed" }, page.display());
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(calls: Counts) -> String {
    let Counts { sent, shown, unseen, spoken, again, unspoken, open, twice } = calls;
    format!(
        "calls: {sent} sent, {shown} in the spotlight, {unseen} unseen, {spoken} spoken ({again} again after a kill), \
         {unspoken} not spoken for a reason, {open} lost, {twice} twice"
    )
}

/// Everything of a running soak. The order is that in which it ends.
struct Soak {
    daemon: Daemon,
    card: Option<Card>,
    broker: Option<Process>,
    door: Door,
    cable: Cable,
    clock: WallClock,
    config: Config,
    queue: mpsc::Sender<Message>,
    book: Arc<Mutex<Book>>,
    days: usize,
    day: Duration,
    start: Instant,
    restart_at: Option<Instant>,
    mend_at: Option<Instant>,
    look_at: Instant,
    /// The histograms of the last look, while the process is the same.
    last: [Buckets; 2],
    samples: Vec<Sample>,
    done: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    ended: usize,
    setting: Vec<(&'static str, String)>,
}

impl Soak {
    async fn prepare(args: &Args, user: &Config, work: &Path) -> anyhow::Result<Self> {
        let listen = free_address(0)?;
        let broker = if args.embedded { None } else { mosquitto(work, listen)? };
        let cable = Cable::to(listen).await?;
        let card = Card::start(work)?;
        let address = free_address(0)?;
        let clock = WallClock::new(work, TimeZone::get(&user.hall.time_zone)?);
        let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
        let text = Text {
            size: args.size,
            display,
            broker: cable.address,
            embedded: broker.is_none().then_some(listen),
            sound: card.is_some(),
            opens: clock.can_be_set(),
            listen: address,
            work,
            sounds: sounds::find(user).ok(),
        };
        let path = work.join("moiso.toml");
        std::fs::write(&path, text.write())?;
        let config = crate::config::load::load(Some(&path))?;
        let tokens = TokenFile::at(crate::control::auth::tokens_path(&config));
        let (_, token) = tokens.add(Role::Operator, "Soak", Timestamp::now())?;
        let mut environment = clock.environment();
        environment.extend(card.iter().flat_map(Card::environment));
        let (queue, messages) = mpsc::channel(MESSAGES);
        let book = Arc::<Mutex<Book>>::default();
        let proofs = format!("{}/screen/{SCREEN}/proof", config.topic_prefix());
        tokio::spawn(queue::run(listen, proofs, messages, Arc::clone(&book)));
        let found =
            Found { mosquitto: broker.is_some(), card: card.is_some(), clock: clock.can_be_set(), display };
        let day = Duration::from_secs(args.day_s);
        let now = Instant::now();
        Ok(Self {
            setting: setting(args, &found),
            daemon: Daemon::new(work, path, environment, display),
            card,
            broker,
            door: Door { address, token },
            cable,
            clock,
            config,
            queue,
            book,
            days: ((args.hours * 3600.0 / day.as_secs_f64()).round() as usize).max(1),
            day,
            start: now,
            restart_at: None,
            mend_at: None,
            look_at: now,
            last: [Vec::new(), Vec::new()],
            samples: Vec::new(),
            done: Arc::default(),
            ended: 0,
        })
    }

    async fn run(mut self) -> anyhow::Result<Report> {
        self.clock.set(1, civil::time(7, 59, 50, 0))?;
        self.daemon.start()?;
        let start = Instant::now();
        let health = loop {
            match self.door.get("/healthz").await {
                Some(health) => break health,
                None if start.elapsed() > ANSWERS_WITHIN => anyhow::bail!("the daemon does not answer"),
                None => tokio::time::sleep(TICK).await,
            }
        };
        let gpu = serde_json::from_slice::<serde_json::Value>(&health).unwrap_or_default();
        let gpu = gpu["detail"]["screen"]["gpu"].as_str().unwrap_or_default().to_owned();
        self.setting.push(("drawn by", gpu));
        self.start = Instant::now();
        self.look_at = self.start;
        let mut lived = 0;
        for day in 0..self.days {
            tokio::select! {
                done = self.live(day) => done?,
                _ = tokio::signal::ctrl_c() => break,
            }
            lived = day + 1;
            eprintln!("day {lived} of {}: {}", self.days, words(self.book().counts()));
        }
        tokio::select! {
            done = self.last_proofs() => done?,
            _ = tokio::signal::ctrl_c() => {}
        }
        self.end(lived)
    }

    /// One day, numbered from 0.
    async fn live(&mut self, day: usize) -> anyhow::Result<()> {
        let (start, times) = (Instant::now(), Times::of(self.day));
        // The clock of the daemon follows within a second.
        let opens = (self.day / 40).max(Duration::from_millis(2100));
        self.clock.set(day + 1, civil::time(7, 59, 58, 0))?;
        let mut hall = QueueSystem::new(&self.config, day as u64);
        let mut due = deeds(day, self.days, self.day).into_iter().peekable();
        let (mut opened, mut evening, mut midnight) = (false, false, false);
        let mut came = 0;
        loop {
            let passed = start.elapsed();
            if passed >= times.end {
                return Ok(());
            }
            if passed >= opens && passed < times.calls_end {
                let at = self.clock.now();
                if !std::mem::replace(&mut opened, true) {
                    self.publish(hall.open(at));
                }
                let time = passed.saturating_sub(opens).as_secs_f64() * SPEED * 1000.0;
                let mut news = hall.advance(Millis(time as i64), at);
                news.retain(|message| is_told(message, &mut came));
                self.publish(news);
            }
            while let Some((_, deed)) = due.next_if(|(at, _)| *at <= passed) {
                self.perform(deed);
            }
            if passed >= times.evening && !std::mem::replace(&mut evening, true) {
                let door = self.door.clone();
                tokio::spawn(async move { door.end_notices().await });
                self.clock.set(day + 1, civil::time(16, 59, 58, 0))?;
            }
            if passed >= times.midnight && !std::mem::replace(&mut midnight, true) {
                self.clock.set(day + 1, civil::time(23, 59, 58, 0))?;
            }
            self.tend(day).await?;
            tokio::time::sleep(TICK).await;
        }
    }

    /// What goes on whatever the time of day.
    async fn tend(&mut self, day: usize) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.daemon.has_fallen() {
            self.ended += 1;
            self.restart_at = Some(now + RESTART);
        }
        if self.restart_at.take_if(|at| *at <= now).is_some() {
            self.last = [Vec::new(), Vec::new()];
            self.daemon.start()?;
        }
        if self.mend_at.take_if(|at| *at <= now).is_some() {
            self.cable.set(true);
        }
        if self.look_at <= now {
            self.look_at += self.day / LOOKS;
            self.look(day).await;
        }
        Ok(())
    }

    fn perform(&mut self, deed: Deed) {
        let (door, done, span) = (self.door.clone(), Arc::clone(&self.done), self.day / 6);
        let count = move || *lock(&done).entry(deed.words()).or_default() += 1;
        match deed {
            Deed::Kill => {
                self.daemon.kill();
                self.restart_at = Some(Instant::now() + RESTART);
                count();
            }
            Deed::Cut(span) => {
                self.cable.set(false);
                self.mend_at = Some(Instant::now() + span);
                count();
            }
            Deed::BadPayloads => {
                let prefix = self.config.topic_prefix();
                let bad = bad_payloads().into_iter().map(|(topic, payload)| Message {
                    topic: format!("{prefix}/{topic}"),
                    payload,
                    retain: false,
                    call: None,
                });
                self.publish(bad.collect());
                count();
            }
            // What finds no daemon, because it was killed just then, is not counted.
            Deed::Notices => drop(tokio::spawn(async move { door.put_notices().await.then(count) })),
            Deed::Session => drop(tokio::spawn(async move { door.session(span).await.then(count) })),
            Deed::Phone => drop(tokio::spawn(async move { door.phone().await.then(count) })),
        }
    }

    fn publish(&self, messages: Vec<Message>) {
        for message in messages {
            if self.queue.try_send(message).is_err() {
                eprintln!("a message of the soak's queue system finds no room and is not sent");
            }
        }
    }

    async fn look(&mut self, day: usize) {
        let mut sample = self.daemon.look();
        (sample.at_s, sample.day) = (self.start.elapsed().as_secs_f64(), day + 1);
        sample.calls = self.book().counts();
        if self.daemon.runs()
            && let Some(text) = self.door.get("/metrics").await
        {
            let scrape = Scrape::read(&String::from_utf8_lossy(&text));
            sample.atlas_growths = scrape.value("moiso_atlas_growths_total");
            let names = ["moiso_call_to_drawn_seconds", "moiso_call_to_first_sample_seconds"];
            let [drawn, sounded] = names.map(|name| scrape.histogram(name).to_vec());
            let (new_drawn, new_sounded) = (since(&drawn, &self.last[0]), since(&sounded, &self.last[1]));
            sample.drawn_ms = SHARES.map(|share| quantile(&new_drawn, share).map(|s| s * 1000.0));
            sample.sounded_s = SHARES.map(|share| quantile(&new_sounded, share));
            self.last = [drawn, sounded];
        }
        self.samples.push(sample);
    }

    /// Waits for the proofs of what is still to be said.
    async fn last_proofs(&mut self) -> anyhow::Result<()> {
        self.cable.set(true);
        let (start, days) = (Instant::now(), self.days);
        while start.elapsed() < LAST_PROOFS && (self.book().counts().open > 0 || !self.daemon.runs()) {
            self.tend(days.saturating_sub(1)).await?;
            tokio::time::sleep(TICK).await;
        }
        self.look(days.saturating_sub(1)).await;
        Ok(())
    }

    /// Stops everything and judges it.
    fn end(mut self, days: usize) -> anyhow::Result<Report> {
        self.daemon.stop();
        let all =
            Query { ticket: None, since: Timestamp::MIN, until: Timestamp::MAX, limit: i32::MAX as usize };
        let stories = Store::read_only(&self.daemon.state.join(FILE)).and_then(|store| store.stories(&all));
        let mut book = self.book().clone();
        for story in stories.context("reading the journal of the soak")? {
            book.learn(&story.call.id, story.drawn.is_some(), story.outcome, story.again);
        }
        let calls = book.counts();
        if let Some(last) = self.samples.last_mut() {
            last.calls = calls;
        }
        let findings = findings(&self.samples, self.day);
        let accidents = Accidents { ended: self.ended, panics: self.daemon.panics() };
        self.setting.push(("ran for", format!("{:.1} minutes", self.start.elapsed().as_secs_f64() / 60.0)));
        // These two outlived the daemon.
        drop((self.card.take(), self.broker.take()));
        Ok(Report {
            complaints: complaints(&findings, calls, accidents),
            setting: self.setting,
            days,
            day_s: self.day.as_secs_f64(),
            samples: self.samples,
            findings,
            deeds: lock(&self.done).clone(),
            accidents,
            open: book.open().take(20).map(ToString::to_string).collect(),
        })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }
}

/// So fast, citizens come before their call can be said, which ends it. Only one of four is told of, so that calls are said
/// to their end.
fn is_told(message: &Message, came: &mut usize) -> bool {
    let comes = matches!(message.call, Some((_, Kind::Serving)));
    *came += usize::from(comes);
    !comes || came.is_multiple_of(4)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was there to soak with.
struct Found {
    mosquitto: bool,
    card: bool,
    clock: bool,
    display: bool,
}

fn setting(args: &Args, found: &Found) -> Vec<(&'static str, String)> {
    let choose = |holds: bool, yes: &str, no: &str| if holds { yes } else { no }.to_owned();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut setting = vec![
        ("program", format!("moiso {}", env!("CARGO_PKG_VERSION"))),
        ("build", choose(cfg!(debug_assertions), "debug, which is slower", "release")),
        ("begun", Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string()),
        ("machine", format!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH)),
        (
            "picture",
            format!("{}x{}, {}", args.size.w, args.size.h, choose(found.display, "on a display", "headless")),
        ),
        (
            "broker",
            choose(
                found.mosquitto,
                "mosquitto, behind a proxy that is cut",
                "the daemon's own, behind a proxy that is cut",
            ),
        ),
        (
            "sound",
            choose(found.card, "PulseAudio with a null sink, six zones", "none: pulseaudio is not installed"),
        ),
        (
            "days",
            choose(
                found.clock,
                "the daemon's wall clock is set by libfaketime: it opens at 08:00, closes at 17:00, passes midnight",
                "the events alone carry the day: libfaketime is not installed, no midnight passes",
            ),
        ),
    ];
    setting.extend(args.note.iter().map(|note| ("note", note.clone())));
    setting
}

/// The config of the soak's daemon.
struct Text<'a> {
    size: Size,
    display: bool,
    broker: SocketAddr,
    embedded: Option<SocketAddr>,
    sound: bool,
    opens: bool,
    listen: SocketAddr,
    work: &'a Path,
    sounds: Option<PathBuf>,
}

impl Text<'_> {
    fn write(&self) -> String {
        let Size { w, h } = self.size;
        let present = if self.display { "auto" } else { "headless" };
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            .map(|day| format!("{day} = [\"08:00-17:00\"]\n"))
            .concat();
        let embedded =
            self.embedded.map(|at| format!("[mqtt.embedded]\nlisten = \"{at}\"\n")).unwrap_or_default();
        // A zone says eight calls a minute, so that a day's hundred are said within the day.
        let zones: String = [
            ("a", &["1", "2"][..]),
            ("b", &["3", "4"]),
            ("c", &["5", "10"]),
            ("d", &["6", "11"]),
            ("e", &["7", "8"]),
            ("f", &["9"]),
        ]
        .map(|(id, counters)| format!("[[audio.zone]]\nid = \"{id}\"\ncounters = {counters:?}\n"))
        .concat();
        let sounds = self.sounds.as_ref().map(|at| format!("sounds = {:?}\n", at.display().to_string()));
        format!(
            "[hall]\nid = \"soak\"\n[screen]\nid = \"{SCREEN}\"\npresent = \"{present}\"\nsize = \"{w}x{h}\"\nfull_screen = false\n\
             [board]\ndwell_s = {DWELL_S}\n\
             [hours]\nenabled = {}\n{days}[mqtt]\nbrokers = [\"mqtt://{}\"]\n{embedded}[speech]\nrepeats = 1\n\
             [audio]\nenabled = {}\n{zones}[control]\nlisten = \"{}\"\n[journal]\nkeep_days = {KEEP_DAYS}\n\
             [paths]\nstate = {:?}\n{}",
            self.opens,
            self.broker,
            self.sound,
            self.listen,
            self.work.join("state").display().to_string(),
            sounds.unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_of_a_soak_is_a_config() {
        let work = PathBuf::from("/tmp/soak \"here\"");
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for embedded in [None, Some(at(1))] {
            let text = Text {
                size: Size { w: 640, h: 360 },
                display: false,
                broker: embedded.unwrap_or(at(2)),
                embedded,
                sound: true,
                opens: true,
                listen: at(3),
                work: &work,
                sounds: Some(work.clone()),
            };
            let config = Config::read(&text.write(), [].into()).unwrap();
            assert_eq!(config.paths.state, Some(work.join("state")));
            assert_eq!(config.mqtt.embedded.listen, embedded);
            assert_eq!(
                config.audio.zones.iter().map(|z| z.counters.len()).collect::<Vec<_>>(),
                [2, 2, 2, 2, 2, 1]
            );
        }
    }
}
