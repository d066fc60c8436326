//! Ears and a voice for them: a sounds folder whose every ticket is a chord of its own, sound cards that are recorded, and
//! what was heard on each, when.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use moiso::audio::wav;
use moiso::speech::Accent;
use moiso::speech::number::read_number;

use crate::support::until;

/// Tones of which two make a ticket; the recorder takes 8000 samples a second.
const TONES: usize = 24;
/// Most tickets that can be told apart.
pub const TICKETS: usize = TONES * (TONES - 1) / 2;
/// How long a ticket's chord sounds.
pub const CHORD: Duration = Duration::from_millis(1_200);
const RECORDED_HZ: usize = 8_000;
/// Samples that are looked at together: 40 ms, in which all tones make whole waves.
const WINDOW: usize = 320;

fn tone_hz(tone: usize) -> f32 {
    500.0 + 125.0 * tone as f32
}

/// The two tones of a ticket from 1 on.
fn chord(ticket: usize) -> (usize, usize) {
    let all = (0..TONES).flat_map(|low| (low + 1..TONES).map(move |high| (low, high)));
    // Neighbours in number are far apart in tone.
    let all: Vec<(usize, usize)> = all.collect();
    all[ticket * 59 % TICKETS]
}

fn ticket_of(tones: (usize, usize)) -> Option<usize> {
    (1..TICKETS).find(|ticket| chord(*ticket) == tones)
}

fn wave(hz: &[f32], frames: usize) -> Vec<f32> {
    let sample = |n: usize| {
        let second = n as f32 / 48_000.0;
        hz.iter().map(|hz| (second * hz * std::f32::consts::TAU).sin() * 0.3).sum()
    };
    (0..frames).map(sample).collect()
}

/// Writes a voice that reads tickets 1 to `most` at counters 1 to 9, and its chime.
pub fn write_voice(folder: &Path, most: usize) {
    let number = |n: usize| read_number(n as u32, Accent::North);
    let clip = |lines: &mut String, voice: &str, name: &str, words: &str, samples: &[f32]| {
        let file = format!("{name}.wav");
        let mut bytes = std::io::Cursor::new(Vec::new());
        wav::write(&mut bytes, samples, 48_000).unwrap();
        std::fs::create_dir_all(folder.join(voice)).unwrap();
        std::fs::write(folder.join(voice).join(&file), bytes.get_ref()).unwrap();
        writeln!(lines, "\"{words}\" = {{ file = \"{file}\", frames = {} }}", samples.len()).unwrap();
    };
    // What is no ticket lies below all tones.
    let low = wave(&[150.0], 48_000 / 5);
    let (mut mid, mut end, mut chimes) = (String::new(), String::new(), String::new());
    for (name, words) in [("open", "mời công dân có số thứ tự"), ("so", "số"), ("again", "nhắc lại")]
    {
        clip(&mut mid, "north", name, words, &low);
    }
    for ticket in 1..=most {
        let (a, b) = chord(ticket);
        let samples = wave(&[tone_hz(a), tone_hz(b)], 48 * CHORD.as_millis() as usize);
        clip(&mut mid, "north", &format!("n{ticket}"), &number(ticket), &samples);
    }
    for counter in 1..=9 {
        clip(&mut end, "north", &format!("c{counter}"), &format!("đến quầy số {}", number(counter)), &low);
        clip(&mut end, "north", &format!("s{counter}"), &format!("quầy {}", number(counter)), &low);
    }
    clip(&mut end, "north", "look", "mời công dân xem bảng", &low);
    for chime in ["two-tone", "three-tone"] {
        clip(&mut chimes, "chimes", chime, chime, &low);
    }
    let bank = format!(
        "format = 1\nname = \"chords\"\ntitle = \"Chords\"\nrate_hz = 48000\nversion = \"1\"\nprovenance = \"made by a test\"\n\
         licence = \"CC0-1.0\"\nlanguage = \"vi\"\naccent = \"north\"\n[clips.mid]\n{mid}[clips.end]\n{end}"
    );
    std::fs::write(folder.join("north/bank.toml"), bank).unwrap();
    std::fs::write(folder.join("chimes/chimes.toml"), format!("[chimes]\n{chimes}")).unwrap();
}

/// The sound cards of the screens. Each has a PulseAudio server of its own: one that had another card would let whoever
/// loses his play on there.
pub struct Cards(Vec<Card>);

struct Card {
    home: tempfile::TempDir,
    server: Child,
}

const SINK: [&str; 4] = ["module-null-sink", "sink_name=hall", "rate=48000", "channels=2"];

impl Cards {
    pub fn start(cards: usize) -> Self {
        Self((0..cards).map(|_| Card::start()).collect())
    }

    /// Lets a program play on a card.
    pub fn point(&self, command: &mut Command, card: usize) {
        environment(command, self.0[card].home.path());
    }

    /// A card that is suspended takes no sound and reports nothing.
    pub fn suspend(&self, card: usize, suspended: bool) {
        assert!(self.0[card].pactl(&["suspend-sink", "hall", if suspended { "1" } else { "0" }]));
    }

    /// The card is pulled out: whoever plays on it is thrown out, and nobody finds it.
    pub fn pull_out(&self, card: usize) {
        assert!(self.0[card].pactl(&["unload-module", SINK[0]]));
    }

    pub fn put_in(&self, card: usize) {
        assert!(self.0[card].pactl(&[&["load-module"], &SINK[..]].concat()));
    }

    pub fn listen(&self, card: usize) -> Ear {
        let mut ear = Ear { recorder: None, heard: Arc::default() };
        self.listen_again(card, &mut ear);
        ear
    }

    /// An ear goes on hearing after its card was out.
    pub fn listen_again(&self, card: usize, ear: &mut Ear) {
        ear.end();
        let mut recorder = program(self.0[card].home.path(), "parec")
            .args(["-d", "hall.monitor", "--format=s16le", "--rate=8000", "--channels=1"])
            .arg("--latency-msec=40")
            .stdout(Stdio::piped())
            .spawn()
            .expect("parec is installed");
        let mut sound = recorder.stdout.take().unwrap();
        ear.recorder = Some(recorder);
        let (kept, windows) = (Arc::clone(&ear.heard), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&windows);
        std::thread::spawn(move || {
            let mut window = [0_u8; WINDOW * 2];
            while sound.read_exact(&mut window).is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
                if let Some(ticket) = recognise(&crate::support::sound::pcm16(&window)) {
                    note(&mut kept.lock().unwrap(), ticket);
                }
            }
        });
        until(Duration::from_secs(20), "the recorder runs", || windows.load(Ordering::Relaxed) > 0);
    }
}

impl Card {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("run")).unwrap();
        let rc = "pcm.!default { type pulse }\nctl.!default { type pulse }\n";
        std::fs::write(home.path().join(".asoundrc"), rc).unwrap();
        let mut command = program(home.path(), "pulseaudio");
        command.args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--log-level=error",
        ]);
        command.args(["-L", "module-native-protocol-unix", "-L", &SINK.join(" ")]);
        let server = command.stdout(Stdio::null()).spawn().expect("pulseaudio is installed");
        let card = Self { home, server };
        until(Duration::from_secs(20), "PulseAudio answers", || card.pactl(&["info"]));
        card
    }

    fn pactl(&self, args: &[&str]) -> bool {
        program(self.home.path(), "pactl").args(args).stdout(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn environment(command: &mut Command, home: &Path) {
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home.join("run"));
    command.env_remove("PULSE_SERVER").env_remove("DBUS_SESSION_BUS_ADDRESS");
}

fn program(home: &Path, name: &str) -> Command {
    let mut command = Command::new(name);
    environment(&mut command, home);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// A ticket that was heard, or a part of it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub ticket: usize,
    pub from: Instant,
    pub to: Instant,
    windows: usize,
}

impl Heard {
    /// Whether the whole chord was heard, but for its edges.
    pub fn is_whole(&self) -> bool {
        self.windows * WINDOW * 1000 / RECORDED_HZ + 120 >= CHORD.as_millis() as usize
    }
}

/// What one card has played so far.
pub struct Ear {
    recorder: Option<Child>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Ear {
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn end(&mut self) {
        if let Some(mut recorder) = self.recorder.take() {
            let _ = recorder.kill();
            let _ = recorder.wait();
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.end();
    }
}

fn note(heard: &mut Vec<Heard>, ticket: usize) {
    const PAUSE: Duration = Duration::from_millis(400);
    let now = Instant::now();
    match heard.last_mut().filter(|last| last.ticket == ticket && now - last.to < PAUSE) {
        Some(last) => (last.to, last.windows) = (now, last.windows + 1),
        None => heard.push(Heard { ticket, from: now, to: now, windows: 1 }),
    }
}

/// The share of a tone in some samples (Goertzel), 1 for a full wave.
fn share(samples: &[f32], hz: f32) -> f32 {
    let step = 2.0 * (std::f32::consts::TAU * hz / RECORDED_HZ as f32).cos();
    let (a, b) = samples.iter().fold((0.0, 0.0), |(a, b), sample| (sample + step * a - b, a));
    (a * a + b * b - step * a * b).max(0.0).sqrt() * 2.0 / samples.len() as f32
}

/// The ticket whose two tones stand out.
fn recognise(samples: &[f32]) -> Option<usize> {
    let mut shares: Vec<(f32, usize)> =
        (0..TONES).map(|tone| (share(samples, tone_hz(tone)), tone)).collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    let [(_, one), (second, two), (third, _), ..] = shares[..] else { return None };
    (second > 0.05 && third < second / 3.0).then(|| ticket_of((one.min(two), one.max(two))))?
}

/// Where a voice for the tests lies.
pub fn voice_in(folder: &Path, most: usize) -> PathBuf {
    let sounds = folder.join("sounds");
    write_voice(&sounds, most);
    sounds
}

#[test]
fn every_ticket_has_a_chord_of_its_own_that_is_recognised() {
    for ticket in 1..TICKETS {
        let (a, b) = chord(ticket);
        let samples: Vec<f32> = wave(&[tone_hz(a), tone_hz(b)], WINDOW * 6).into_iter().step_by(6).collect();
        assert_eq!(recognise(&samples), Some(ticket), "{ticket}");
    }
    assert_eq!(recognise(&[0.0; WINDOW]), None);
    assert_eq!(recognise(&wave(&[150.0], WINDOW * 6).into_iter().step_by(6).collect::<Vec<_>>()), None);
}
