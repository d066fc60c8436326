//! A real stream into a paced sound card: PulseAudio with a null sink that is recorded, taken away and given back.
//!
//! ALSA reads its environment once, so each test runs its body in a process of its own, with its own server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sound_bank;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moiso::audio::{self, Handle};
use moiso::board::call::{CallId, Counter, Kind, Lane, Ticket, Zone};
use moiso::board::input::{AnnouncementId, Form, Input, Message};
use moiso::health::SoundState;
use moiso::hub::{Request, Speaker};
use moiso::speech::{RATE_HZ, Utterance};
use sound_bank::{SoundBank, alike, find, longest};
use tokio::sync::mpsc;

const INSIDE: &str = "TEST_INSIDE_PULSE";

/// A PulseAudio server of this test alone; ends with it.
struct Server {
    child: Child,
    home: PathBuf,
}

impl Server {
    fn start(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("moiso-pulse-{}-{name}", std::process::id()));
        std::fs::create_dir_all(home.join("run")).unwrap();
        std::fs::write(home.join(".asoundrc"), "pcm.!default { type pulse }\nctl.!default { type pulse }\n")
            .unwrap();
        let mut command = Command::new("pulseaudio");
        environment(&mut command, &home);
        let child = command
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-level=error"])
            .args(["-L", "module-native-protocol-unix", "-L", SINK])
            .stdout(Stdio::null())
            .spawn()
            .expect("pulseaudio is installed");
        let server = Self { child, home };
        wait_until("PulseAudio answers", || {
            let mut pactl = Command::new("pactl");
            environment(&mut pactl, &server.home);
            pactl.arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
        });
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

const SINK: &str = "module-null-sink sink_name=hall rate=48000 channels=2 format=float32le";

fn environment(command: &mut Command, home: &Path) {
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home.join("run"));
    command.env_remove("PULSE_SERVER").env_remove("DBUS_SESSION_BUS_ADDRESS");
}

/// Runs the ignored test `body` of this binary against a server of its own.
fn inside(body: &str) {
    let server = Server::start(body);
    let mut command = Command::new(std::env::current_exe().unwrap());
    environment(&mut command, &server.home);
    let output = command
        .args(["--exact", body, "--ignored", "--nocapture", "--test-threads=1"])
        .env(INSIDE, &server.home)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    assert!(output.status.success() && text.contains("1 passed"), "{body} failed; see above");
}

fn wait_until(what: &str, mut fact: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fact() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pactl(args: &[&str]) -> String {
    let output = Command::new("pactl").args(args).output().unwrap();
    assert!(output.status.success(), "pactl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The order in which ALSA numbers the channels of eight.
const SURROUND: &str = "front-left,front-right,rear-left,rear-right,front-center,lfe,side-left,side-right";

fn sink(name: &str, channels: u16) -> String {
    let map = if channels == 8 { format!(" channel_map={SURROUND}") } else { String::new() };
    format!("module-null-sink sink_name={name} rate=48000 channels={channels}{map} format=float32le")
}

/// Records what the hall hears. A null sink to which nobody listens asks for two seconds at once, as no sound card
/// does; a recorder is therefore started before the card is opened.
struct Recorder {
    child: Child,
    file: PathBuf,
    channels: usize,
}

impl Recorder {
    fn start(name: &str) -> Self {
        Self::of("hall", 2, name)
    }

    /// Of another sink.
    fn of(sink: &str, channels: usize, name: &str) -> Self {
        let file = PathBuf::from(std::env::var(INSIDE).unwrap()).join(format!("{name}.raw"));
        let child = Command::new("parec")
            .args([
                "-d",
                &format!("{sink}.monitor"),
                "--format=float32le",
                "--rate=48000",
                "--latency-msec=20",
            ])
            .arg(format!("--channels={channels}"))
            .args((channels == 8).then(|| format!("--channel-map={SURROUND}")))
            .stdout(File::create(&file).unwrap())
            .spawn()
            .expect("parec is installed");
        let recorder = Self { child, file, channels };
        wait_until("the recorder runs", || std::fs::metadata(&recorder.file).unwrap().len() > 0);
        recorder
    }

    fn frames(&self) -> u64 {
        std::fs::metadata(&self.file).unwrap().len() / (4 * self.channels as u64)
    }

    /// Both channels, once `more` frames have come after this call.
    fn stop_after(self, more: u64) -> [Vec<f32>; 2] {
        self.all_after(more).try_into().expect("two channels")
    }

    /// The same of every channel.
    fn all_after(mut self, more: u64) -> Vec<Vec<f32>> {
        let enough = self.frames() + more;
        wait_until("the recorder has heard the rest", || self.frames() >= enough);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let bytes = std::fs::read(&self.file).unwrap();
        let sample = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let side = |n: usize| {
            bytes.chunks_exact(4 * self.channels).map(|frame| sample(&frame[4 * n..4 * n + 4])).collect()
        };
        (0..self.channels).map(side).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Hall {
    bank: SoundBank,
    audio: Handle,
    heard: mpsc::Receiver<Request>,
    zone: Zone,
}

impl Hall {
    fn open(more: &str) -> Self {
        // The log tells why, when a test fails; only the first call of a process counts.
        let _ = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).try_init();
        let bank = SoundBank::new();
        // A machine that tests keep busy for a tenth of a second must not tear the sentence; what sizes do is measured below.
        let patient = if more.starts_with("[audio]") { "" } else { "[audio]\nbuffer_frames = 8192\n" };
        let config = bank.config(&format!("{patient}{more}"));
        let (requests, heard) = mpsc::channel(64);
        let audio = audio::spawn(&config, bank.dir.clone(), requests).unwrap();
        let zone = config.audio.zones[0].id.clone();
        let mut hall = Self { bank, audio, heard, zone };
        assert_eq!(hall.next(), Input::SoundChanged { zone: hall.zone.clone(), works: true });
        assert_eq!(hall.audio.state(&hall.zone), SoundState::Ok);
        hall
    }

    fn next(&mut self) -> Input {
        let mut found = None;
        wait_until("the loudspeakers report something", || {
            found = match self.heard.try_recv() {
                Ok(Request::Input { input, .. }) => Some(input),
                _ => None,
            };
            found.is_some()
        });
        let input = found.unwrap();
        println!("{input:?}");
        input
    }

    /// Waits until the loudspeakers work and nothing else is reported. The new sink has two seconds to begin with, so
    /// the card may be lost once more before the recorder tames it.
    fn settle(&mut self) {
        while self.next() != (Input::SoundChanged { zone: self.zone.clone(), works: true })
            || self.audio.state(&self.zone) != SoundState::Ok
            || !self.heard.is_empty()
        {}
    }

    /// Nothing is reported, and the loudspeakers work.
    fn assert_quiet(&mut self) {
        assert!(self.heard.is_empty() && self.audio.state(&self.zone) == SoundState::Ok);
    }

    fn utterance(&self, repeats: u8) -> Utterance {
        let message = Message::Call {
            call: CallId::parse("c").unwrap(),
            ticket: Ticket::parse("A012").unwrap(),
            counter: Counter::parse("5").unwrap(),
            kind: Kind::Call,
            lane: Lane::Elderly,
            series: None,
        };
        self.bank.voice(&self.bank.config("")).plan_message(&message, repeats, Form::Full).utterance
    }

    fn say(&mut self, id: u64, utterance: &Utterance) {
        let zone = self.zone.clone();
        self.audio.say(&zone, AnnouncementId(id), Arc::new(utterance.clone()));
        assert_eq!(self.next(), Input::SpeechStarted { zone, announcement: AnnouncementId(id) });
    }

    fn ended(&self, id: u64, completed: bool) -> Input {
        Input::SpeechEnded { zone: self.zone.clone(), announcement: AnnouncementId(id), completed }
    }

    /// Every clip lies in the recording, whole, in order, with its exact gaps.
    fn assert_heard(&self, sound: &[f32], utterance: &Utterance) {
        let (_, first) = utterance.clips(RATE_HZ).next().unwrap();
        let chime = &self.bank.samples[&*first.file];
        let start = find(sound, chime, 0).unwrap_or_else(|| {
            let (frames, at) = longest(sound, chime);
            let all = (chime.len(), sound.len());
            panic!("of the chime {frames} frames were heard at {at} (it has, and the recording has: {all:?})")
        });
        for (offset, clip) in utterance.clips(RATE_HZ) {
            let (at, clip, name) = (start + offset as usize, &self.bank.samples[&*clip.file], &clip.file);
            let there = sound.get(at..).unwrap_or_default();
            assert_eq!(alike(there, clip), clip.len(), "frames of {name} at its place");
        }
    }
}

#[test]
fn a_sentence_reaches_the_card_complete_and_in_order() {
    inside("inside_a_sentence");
}

#[test]
#[ignore = "run inside a sound server by the test above it: cargo test --test sound_card"]
fn inside_a_sentence() {
    let recorder = Recorder::start("sentence");
    let mut hall = Hall::open("[speech]\nspoken_lanes = [\"elderly\"]\n");
    let utterance = hall.utterance(2);
    let asked_at = Instant::now();
    hall.say(1, &utterance);
    let latency = asked_at.elapsed();
    assert_eq!(hall.next(), hall.ended(1, true));
    let took = asked_at.elapsed();
    let [left, right] = recorder.stop_after(24_000);
    hall.assert_heard(&left, &utterance);
    assert_eq!(left, right, "all channels carry the zone");
    let length = Duration::from_millis(utterance.frames(RATE_HZ) / 48);
    assert!(took >= length, "the end is not reported before the last sample: {took:?} < {length:?}");
    let counters = hall.audio.counters(&hall.zone);
    println!("started after {latency:?}, ended after {took:?} for {length:?}; {counters:?}");
    assert_eq!((counters.starved_frames, counters.xruns), (0, 0));
    assert_eq!(counters.opened, 1);
    let stopping = Instant::now();
    hall.audio.stop();
    assert!(stopping.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_zone_is_heard_only_on_its_channels() {
    inside("inside_a_channel");
}

#[test]
#[ignore = "run inside a sound server by the test above it: cargo test --test sound_card"]
fn inside_a_channel() {
    let recorder = Recorder::start("channel");
    let mut hall = Hall::open("[[audio.zone]]\nid = \"sau\"\nchannels = [2]\n");
    let utterance = hall.utterance(1);
    hall.say(1, &utterance);
    assert_eq!(hall.next(), hall.ended(1, true));
    let [left, right] = recorder.stop_after(24_000);
    hall.assert_heard(&right, &utterance);
    assert!(left.iter().all(|s| *s == 0.0));
}

#[test]
fn two_zones_speak_at_once_on_one_device_of_eight_channels() {
    inside("inside_eight_channels");
}

#[test]
#[ignore = "run inside a sound server by the test above it: cargo test --test sound_card"]
fn inside_eight_channels() {
    let mut load = vec!["load-module"];
    let wide = sink("wide", 8);
    load.extend(wide.split(' '));
    pactl(&load);
    pactl(&["set-default-sink", "wide"]);
    let recorder = Recorder::of("wide", 8, "wide");
    let mut hall = Hall::open(
        "[[audio.zone]]\nid = \"sanh\"\nchannels = [1, 2]\n[[audio.zone]]\nid = \"lau\"\nchannels = [7]\n\
         counters = [\"1\"]\n",
    );
    let lau = Zone::parse("lau").unwrap();
    assert_eq!(hall.next(), Input::SoundChanged { zone: lau.clone(), works: true });
    let utterance = hall.utterance(1);
    hall.audio.say(&lau, AnnouncementId(7), Arc::new(utterance.clone()));
    hall.audio.say(&hall.zone.clone(), AnnouncementId(1), Arc::new(utterance.clone()));
    let told: Vec<Input> = (0..4).map(|_| hall.next()).collect();
    assert!(
        told[..2].iter().all(|input| matches!(input, Input::SpeechStarted { .. })),
        "both at once: {told:?}"
    );
    assert!(told.contains(&hall.ended(1, true)), "{told:?}");
    let sides = recorder.all_after(24_000);
    for (number, side) in (1..).zip(&sides) {
        if [1, 2, 7].contains(&number) {
            hall.assert_heard(side, &utterance);
        } else {
            assert!(side.iter().all(|s| *s == 0.0), "channel {number} is silent");
        }
    }
}

#[test]
fn another_default_device_is_heard_at_once() {
    inside("inside_another_default");
}

#[test]
#[ignore = "run inside a sound server by the test above it: cargo test --test sound_card"]
fn inside_another_default() {
    let _first = Recorder::start("first");
    let mut hall = Hall::open("");
    let utterance = hall.utterance(1);
    hall.say(1, &utterance);
    assert_eq!(hall.next(), hall.ended(1, true));
    let mut load = vec!["load-module"];
    let other = sink("other", 2);
    load.extend(other.split(' '));
    pactl(&load);
    let second = Recorder::of("other", 2, "second");
    pactl(&["set-default-sink", "other"]);
    let sinks = pactl(&["list", "short", "sinks"]);
    let number = sinks.lines().find(|l| l.contains("\tother\t")).unwrap().split('\t').next().unwrap();
    wait_until("the stream is there", || {
        let streams = pactl(&["list", "short", "sink-inputs"]);
        streams.lines().any(|l| l.split('\t').nth(1) == Some(number))
    });
    hall.assert_quiet();
    hall.say(2, &utterance);
    assert_eq!(hall.next(), hall.ended(2, true));
    let [left, _] = second.stop_after(24_000);
    hall.assert_heard(&left, &utterance);
}

#[test]
fn a_technician_hears_a_chime_on_each_channel_and_reads_which_card_it_is() {
    inside("inside_a_test");
}

#[test]
#[ignore = "run inside a sound server by the test above it: cargo test --test sound_card"]
fn inside_a_test() {
    let recorder = Recorder::start("test");
    let bank = SoundBank::new();
    let config = bank.dir.join("hall.toml");
    let zones = "[[audio.zone]]\nid = \"trai\"\nchannels = [1]\ncounters = [\"1\"]\n\
                 [[audio.zone]]\nid = \"phai\"\nchannels = [2]\ndevice = \"nowhere\"\n";
    std::fs::write(&config, format!("[paths]\nsounds = {:?}\n{zones}", bank.dir.display().to_string()))
        .unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .args(["devices", "--test", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    let text = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
    assert!(run.status.success(), "{text}");
    assert!(text.contains("(default)") && text.contains(" channels, "), "{text}");
    assert!(text.contains("because nowhere is not there, channels 2"), "{text}");
    let [left, right] = recorder.stop_after(24_000);
    let loud = |side: &[f32]| {
        let first = side.iter().position(|s| s.abs() > 0.05).expect("the chime is heard");
        first..side.iter().rposition(|s| s.abs() > 0.05).unwrap()
    };
    let (first, second) = (loud(&left), loud(&right));
    assert!(first.end < second.start, "one after the other, each on its own side: {first:?} {second:?}");
}

#[test]
fn a_card_that_vanishes_in_mid_sentence_is_told_and_found_again() {
    inside("inside_a_vanishing");
}

#[test]
#[ignore = "run inside a sound server by the test above it: cargo test --test sound_card"]
fn inside_a_vanishing() {
    let before = Recorder::start("before");
    let mut hall = Hall::open("");
    let utterance = hall.utterance(2);
    hall.say(1, &utterance);
    drop(before);
    let sink = pactl(&["list", "short", "modules"]);
    let sink = sink.lines().find(|l| l.contains("module-null-sink")).unwrap().split('\t').next().unwrap();
    pactl(&["unload-module", sink]);
    assert_eq!(hall.next(), Input::SoundChanged { zone: hall.zone.clone(), works: false });
    assert_eq!(hall.next(), hall.ended(1, false));
    assert_eq!(hall.audio.state(&hall.zone), SoundState::Lost);
    let mut load: Vec<&str> = vec!["load-module"];
    load.extend(SINK.split(' '));
    pactl(&load);
    let recorder = Recorder::start("again");
    hall.settle();
    hall.say(2, &utterance);
    assert_eq!(hall.next(), hall.ended(2, true));
    let [left, _] = recorder.stop_after(24_000);
    hall.assert_heard(&left, &utterance);
}

/// Prints how buffer sizes do on this machine; the default of `audio.buffer_frames` comes from here.
#[test]
#[ignore = "a measurement of a minute: cargo test --test sound_card -- --ignored --nocapture"]
fn buffer_sizes() {
    for frames in [256, 512, 1024, 2048, 4096, 8192] {
        let server = Server::start(&format!("size-{frames}"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        environment(&mut command, &server.home);
        let output = command
            .args(["--exact", "inside_a_measurement", "--ignored", "--nocapture"])
            .env(INSIDE, &server.home)
            .env("FRAMES", frames.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find(|l| l.contains("frames asked")).unwrap_or("lost the card");
        println!("{line}");
    }
}

#[test]
#[ignore = "run inside a sound server by the test above it: cargo test --test sound_card"]
fn inside_a_measurement() {
    let frames = std::env::var("FRAMES").unwrap();
    let _recorder = Recorder::start("measured");
    let mut hall = Hall::open(&format!("[audio]\nbuffer_frames = {frames}\n"));
    let utterance = hall.utterance(5);
    let from = Instant::now();
    hall.say(1, &utterance);
    let latency = from.elapsed().saturating_sub(Duration::from_millis(300));
    let ended = hall.next();
    let took = from.elapsed();
    let counters = hall.audio.counters(&hall.zone);
    let late = took.saturating_sub(Duration::from_millis(300 + utterance.frames(RATE_HZ) / 48));
    println!(
        "{frames} frames asked: first sample after {latency:?}, end {late:?} after its ideal, {} xruns, {} starved \
         frames, complete: {}",
        counters.xruns,
        counters.starved_frames,
        ended == hall.ended(1, true)
    );
}
