//! A small sounds folder for tests: every clip is its own noise, so that it can be found again in a recording.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use moiso::audio::{sounds, wav};
use moiso::board::call::{CallId, Counter, Kind, Lane, Ticket};
use moiso::board::input::Message;
use moiso::config::Config;
use moiso::config::section::Env;
use moiso::speech::voice::Voice;
use moiso::speech::{Part, RATE_HZ, Utterance};

/// A call, as the board asks for its announcement.
pub fn call(ticket: &str, counter: &str, kind: Kind, lane: Lane) -> Message {
    Message::Call {
        call: CallId::parse("c").unwrap(),
        ticket: Ticket::parse(ticket).unwrap(),
        counter: Counter::parse(counter).unwrap(),
        kind,
        lane,
        series: None,
    }
}

/// Files and gaps of a plan, in order.
pub fn parts(utterance: &Utterance) -> String {
    let part = |part: &Part| match part {
        Part::Clip(clip) => clip.file.replace(".wav", ""),
        Part::Gap(span) => span.0.to_string(),
    };
    utterance.parts.iter().map(part).collect::<Vec<_>>().join(" ")
}

/// A temporary sounds folder, removed when dropped.
pub struct SoundBank {
    pub dir: PathBuf,
    /// Samples by file below the folder.
    pub samples: BTreeMap<String, Vec<f32>>,
}

pub const MID: [(&str, u32); 10] = [
    ("mời công dân có số thứ tự a", 700),
    ("mời công dân có số thứ tự", 600),
    ("nhắc lại", 300),
    ("không một hai", 450),
    ("một nghìn", 250),
    ("không trăm linh năm", 400),
    ("người cao tuổi", 350),
    ("số a", 260),
    ("số", 120),
    ("một", 160),
];
pub const END: [(&str, u32); 4] =
    [("đến quầy số năm", 640), ("quầy năm", 400), ("mời công dân xem bảng", 800), ("đến quầy số một", 610)];

impl SoundBank {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("moiso-sounds-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        let mut bank = Self { dir, samples: BTreeMap::new() };
        bank.add_voice("north", "language = \"vi\"\naccent = \"north\"\n", &MID, &END);
        let chimes = bank.clips("chimes", &[("two-tone", 500), ("three-tone", 550)]);
        bank.write("chimes/chimes.toml", format!("[chimes]\n{chimes}").as_bytes());
        bank
    }

    /// Adds a voice; `speaks` are the lines of its language.
    pub fn add_voice(&mut self, name: &str, speaks: &str, mid: &[(&str, u32)], end: &[(&str, u32)]) {
        let mid = self.clips(name, mid);
        let end = self.clips(name, end);
        let head = "format = 1\nname = \"noise\"\ntitle = \"Noise\"\nrate_hz = 48000\nversion = \"1\"\n\
                    provenance = \"made by a test\"\nlicence = \"CC0-1.0\"\n";
        let text = format!("{head}{speaks}[clips.mid]\n{mid}[clips.end]\n{end}");
        self.write(&format!("{name}/bank.toml"), text.as_bytes());
    }

    /// Writes the clips and returns their lines of the manifest.
    fn clips(&mut self, folder: &str, clips: &[(&str, u32)]) -> String {
        let mut lines = String::new();
        for (words, ms) in clips {
            let file = format!("{}.wav", words.replace(' ', "_"));
            let samples = noise(words, (ms * RATE_HZ / 1000) as usize);
            let mut bytes = std::io::Cursor::new(Vec::new());
            wav::write(&mut bytes, &samples, RATE_HZ).unwrap();
            let path = format!("{folder}/{file}");
            self.write(&path, bytes.get_ref());
            writeln!(lines, "\"{words}\" = {{ file = \"{file}\", frames = {} }}", samples.len()).unwrap();
            self.samples.insert(path, samples);
        }
        lines
    }

    pub fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.dir.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The config of a hall that uses this folder, with `more` at its end.
    pub fn config(&self, more: &str) -> Config {
        let text = format!("[paths]\nsounds = {:?}\n{more}", self.dir.display().to_string());
        Config::read(&text, Env::new()).unwrap()
    }

    pub fn voice(&self, config: &Config) -> Voice {
        sounds::load(&self.dir, config).unwrap()
    }
}

impl Drop for SoundBank {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// White noise that depends on its name only, at a third of full scale, in steps of 16 bits.
pub fn noise(name: &str, frames: usize) -> Vec<f32> {
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 24) as f32 * 2.0 - 1.0
    };
    (0..frames).map(|_| (next() / 3.0 * 32767.0).round() / 32767.0).collect()
}

/// Frames from the beginning of `clip` that `sound` begins with.
pub fn alike(sound: &[f32], clip: &[f32]) -> usize {
    sound.iter().zip(clip).take_while(|(a, b)| (*a - *b).abs() < 0.002).count()
}

/// Where `clip` lies in `sound`, at `from` or later: the first place where all of it fits.
pub fn find(sound: &[f32], clip: &[f32], from: usize) -> Option<usize> {
    let end = sound.len().checked_sub(clip.len())?;
    (from..=end).find(|at| alike(&sound[*at..], clip) == clip.len())
}

/// How many frames of the beginning of `clip` lie somewhere in `sound`, and where.
pub fn longest(sound: &[f32], clip: &[f32]) -> (usize, usize) {
    (0..sound.len()).map(|at| (alike(&sound[at..], clip), at)).max().unwrap_or_default()
}
