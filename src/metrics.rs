//! What `/metrics` tells Prometheus: counts of what happened, and how things stand when it asks. The values of every label
//! are words of this program or zones of the config; no ticket, holder or token is ever in it.

use std::sync::atomic::Ordering;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::audio::Counters;
use crate::board::call::{Kind, Zone};
use crate::board::input::{IgnoreReason, Outcome};
use crate::clock::Millis;
use crate::health::{JournalState, ScreenStatus, SoundState};
use crate::mqtt::LinkState;
use crate::wire::Reason;

mod process;

/// The media type of [`Metrics::text`].
pub const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A frame is due within a tenth of a second, a panel that sleeps takes longer than any of these.
const TO_DRAWN_S: [f64; 9] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 8.0, 30.0];
/// A call waits for those before it, at most `speech.announce_max_age_s`.
const TO_SAMPLE_S: [f64; 9] = [0.1, 0.2, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0];

type Word = [(&'static str, &'static str); 1];
type Words = [(&'static str, &'static str); 2];
type OfZone = [(&'static str, String); 1];
type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// How things stand at the moment of a scrape.
pub struct Standing<'a> {
    pub status: &'a ScreenStatus,
    pub link: &'a LinkState,
    /// Records that are not on the disk.
    pub journal_waiting: usize,
    /// Each zone with a card, whether it works, and the counts of its card.
    pub zones: Vec<(Zone, SoundState, Counters)>,
    pub live: bool,
    pub ready: bool,
    /// Who has signed in.
    pub sessions: usize,
}

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<Words, Counter>,
    rejected: Family<Word, Counter>,
    ignored: Family<Word, Counter>,
    to_drawn: Histogram,
    to_sample: Histogram,
    standing: Gauges,
}

/// What is read anew at every scrape.
#[derive(Debug, Default)]
struct Gauges {
    live: Gauge,
    ready: Gauge,
    link_up: Gauge,
    link_attempts: Counter,
    journal_ok: Gauge,
    journal_waiting: Gauge,
    frames: Counter,
    rebuilds: Counter,
    atlas_growths: Counter,
    unanswered: Seconds,
    skew: Seconds,
    backlog: Seconds,
    sessions: Gauge,
    audio: Family<Word, Gauge>,
    zone_up: Family<OfZone, Gauge>,
    zone_played: Family<OfZone, Counter>,
    zone_starved: Family<OfZone, Counter>,
    zone_xruns: Family<OfZone, Counter>,
    zone_opened: Family<OfZone, Counter>,
    memory: Gauge,
    descriptors: Gauge,
    threads: Gauge,
    started: Seconds,
}

impl Metrics {
    pub fn new(version: &'static str) -> Self {
        let mut registry = Registry::default();
        let standing = Gauges::default();
        standing.register(&mut registry);
        let build = Family::<Word, Gauge>::default();
        build.get_or_create(&[("version", version)]).set(1);
        registry.register("moiso_build_info", "The program's version", build);
        let own = registry.sub_registry_with_prefix("moiso");
        let (calls, rejected, ignored) =
            <(Family<Words, Counter>, Family<Word, Counter>, Family<Word, Counter>)>::default();
        own.register("calls", "Calls, recalls and transfers by what became of them", calls.clone());
        own.register("rejected", "Payloads that did not fit the wire contract", rejected.clone());
        own.register("ignored", "Inputs that the board did not take; duplicates are normal", ignored.clone());
        let to_drawn = Histogram::new(TO_DRAWN_S);
        let help = "From the coming of a call to the frame in which it holds the spotlight";
        own.register_with_unit("call_to_drawn", help, Unit::Seconds, to_drawn.clone());
        let to_sample = Histogram::new(TO_SAMPLE_S);
        let help = "From the coming of a call to the first sample of its announcement";
        own.register_with_unit("call_to_first_sample", help, Unit::Seconds, to_sample.clone());
        Self { registry, calls, rejected, ignored, to_drawn, to_sample, standing }
    }

    /// A call's story is over.
    pub fn proven(&self, kind: Kind, outcome: Outcome) {
        self.calls.get_or_create(&[("kind", kind.as_str()), ("outcome", outcome.as_str())]).inc();
    }

    pub fn rejected(&self, reason: Reason) {
        self.rejected.get_or_create(&[("reason", reason.as_str())]).inc();
    }

    pub fn ignored(&self, reason: IgnoreReason) {
        self.ignored.get_or_create(&[("reason", reason.as_str())]).inc();
    }

    /// A call came onto the glass so long after it had come.
    pub fn drawn(&self, after: Millis) {
        self.to_drawn.observe(seconds(after.0));
    }

    /// The first sample of a call was played so long after it had come.
    pub fn sounded(&self, after: Millis) {
        self.to_sample.observe(seconds(after.0));
    }

    /// Everything, as [`TYPE`] says.
    pub fn text(&self, standing: &Standing<'_>) -> String {
        self.standing.set(standing);
        let mut text = String::new();
        // Writing to a text never fails.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Gauges {
    fn register(&self, all: &mut Registry) {
        let own = all.sub_registry_with_prefix("moiso");
        own.register("live", "1 while the process does its work", self.live.clone());
        own.register("ready", "1 while calls reach the hall", self.ready.clone());
        own.register("link_up", "1 while the broker is reached", self.link_up.clone());
        own.register("link_attempts", "Connects to a broker since the start", self.link_attempts.clone());
        own.register("journal_ok", "1 while the journal is written to the disk", self.journal_ok.clone());
        own.register("journal_waiting", "Records that are not on the disk", self.journal_waiting.clone());
        own.register("frames", "Frames handed over", self.frames.clone());
        own.register("rebuilds", "Devices and surfaces that were lost and built anew", self.rebuilds.clone());
        let help = "Frames that had to make the glyph atlas larger, although text is drawn ahead";
        own.register("atlas_growths", help, self.atlas_growths.clone());
        own.register_with_unit(
            "present_unanswered",
            "How long the picture has not answered",
            Unit::Seconds,
            self.unanswered.clone(),
        );
        let help = "How far this clock is ahead of the queue system's, the way here included";
        own.register_with_unit("clock_skew", help, Unit::Seconds, self.skew.clone());
        let help = "How long the oldest announcement has been waiting for its loudspeakers";
        own.register_with_unit("backlog", help, Unit::Seconds, self.backlog.clone());
        own.register("sessions", "Sessions that have signed in", self.sessions.clone());
        own.register("audio_state", "1 for the state of the sound over all zones", self.audio.clone());
        own.register("audio_up", "1 while a zone's loudspeakers work", self.zone_up.clone());
        own.register(
            "audio_played_frames",
            "Frames of announcements that the card took",
            self.zone_played.clone(),
        );
        own.register(
            "audio_starved_frames",
            "Frames of silence inside announcements",
            self.zone_starved.clone(),
        );
        own.register("audio_xruns", "Gaps that the system reported", self.zone_xruns.clone());
        own.register("audio_opened", "How often the card was opened", self.zone_opened.clone());
        let process = all.sub_registry_with_prefix("process");
        let help = "Resident memory size in bytes";
        process.register_with_unit("resident_memory", help, Unit::Bytes, self.memory.clone());
        process.register("open_fds", "Number of open file descriptors", self.descriptors.clone());
        process.register("threads", "Number of OS threads in the process", self.threads.clone());
        let help = "Start time of the process since unix epoch in seconds";
        process.register_with_unit("start_time", help, Unit::Seconds, self.started.clone());
    }

    fn set(&self, now: &Standing<'_>) {
        let Standing { status, link, journal_waiting, zones, live, ready, sessions } = now;
        self.live.set(i64::from(*live));
        self.ready.set(i64::from(*ready));
        self.link_up.set(i64::from(link.is_up()));
        raise(&self.link_attempts, link.attempts);
        self.journal_ok.set(i64::from(status.journal == JournalState::Ok));
        self.journal_waiting.set(count(*journal_waiting));
        raise(&self.frames, status.frame.frames);
        raise(&self.rebuilds, status.frame.rebuilds);
        raise(&self.atlas_growths, status.frame.atlas_growths);
        self.unanswered.set(status.frame.unanswered_s as f64);
        self.skew.set(seconds(status.skew_ms));
        self.backlog.set(f64::from(status.backlog_s));
        self.sessions.set(count(*sessions));
        for state in [SoundState::Ok, SoundState::Lost, SoundState::Muted, SoundState::Off] {
            self.audio.get_or_create(&[("state", state.as_str())]).set(i64::from(status.audio == state));
        }
        for (zone, state, card) in zones {
            let zone = [("zone", zone.as_str().to_owned())];
            self.zone_up.get_or_create(&zone).set(i64::from(*state == SoundState::Ok));
            raise(&self.zone_played.get_or_create(&zone), card.played_frames);
            raise(&self.zone_starved.get_or_create(&zone), card.starved_frames);
            raise(&self.zone_xruns.get_or_create(&zone), card.xruns);
            raise(&self.zone_opened.get_or_create(&zone), card.opened);
        }
        let process = process::look();
        self.memory.set(process.resident_bytes);
        self.descriptors.set(process.descriptors);
        self.threads.set(process.threads);
        self.started.set(seconds(status.session));
    }
}

/// Counts that are kept elsewhere.
fn raise(counter: &Counter, to: u64) {
    counter.inner().store(to, Ordering::Relaxed);
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
