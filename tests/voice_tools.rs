//! A voice of one's own: script, recordings, a speech program, and the check. The speaker is espeak-ng.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use moiso::audio::clips::decode;
use moiso::audio::gauge::gauge;

struct Hall {
    folder: tempfile::TempDir,
}

impl Hall {
    /// Two counters, one series that is read as digits.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = "[[counter]]\nid = \"1\"\n[[counter]]\nid = \"2\"\n[[series]]\nid = \"A\"\n";
        std::fs::write(folder.path().join("hall.toml"), config).unwrap();
        // The chimes stand beside every voice.
        let chimes = folder.path().join("sounds/chimes");
        std::fs::create_dir_all(&chimes).unwrap();
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/sounds/chimes");
        for file in std::fs::read_dir(shipped).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), chimes.join(file.file_name())).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exit code and all output.
    fn voice(&self, args: &[&str]) -> (Option<i32>, String) {
        let run = Command::new(env!("CARGO_BIN_EXE_moiso"))
            .arg("--config")
            .arg(self.path("hall.toml"))
            .arg("voice")
            .args(args)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = [run.stdout, run.stderr].concat();
        (run.status.code(), String::from_utf8(text).unwrap())
    }

    /// Numbered lines of the compact script.
    fn script(&self) -> Vec<String> {
        let (code, text) = self.voice(&["script", "--compact"]);
        assert_eq!(code, Some(0), "{text}");
        let line = |l: &str| {
            l.split_once(". ").filter(|(n, _)| n.parse::<usize>().is_ok()).map(|(_, t)| t.to_owned())
        };
        text.lines().filter_map(line).collect()
    }
}

const RATE: u32 = 22_050;

/// A line read by the speaker, samples at [`RATE`].
fn read(text: &str, folder: &Path) -> Vec<i16> {
    let out = folder.join("line.wav");
    let done = Command::new("espeak-ng").args(["-v", "vi", "-w"]).arg(&out).arg(text).status().unwrap();
    assert!(done.success(), "espeak-ng is installed");
    let mut wav = hound::WavReader::open(&out).unwrap();
    assert_eq!(wav.spec().sample_rate, RATE);
    wav.samples::<i16>().map(Result::unwrap).collect()
}

/// One long recording in a room that is never quite silent.
fn record(lines: &[Vec<i16>], path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    let mut room = (0_u32..).map(|n| (n.wrapping_mul(2_654_435_761) >> 29) as i16 - 4);
    for line in lines {
        for sample in line.iter().copied().chain(std::iter::repeat_n(0, RATE as usize * 3 / 2)) {
            wav.write_sample(sample.saturating_add(room.next().unwrap())).unwrap();
        }
    }
    wav.finalize().unwrap();
}

#[test]
fn a_voice_is_made_from_one_long_recording_and_from_the_lines_read_again() {
    let hall = Hall::new();
    let script = hall.script();
    assert!(script.contains(&"mời công dân có số thứ tự a,".to_owned()), "{script:#?}");
    let mut lines: Vec<Vec<i16>> = script.iter().map(|line| read(line, hall.folder.path())).collect();
    std::fs::create_dir(hall.path("takes")).unwrap();
    record(&lines, &hall.path("takes/session.wav"));
    let import = ["import", "takes", "--out", "sounds/lan", "--compact", "--title", "Giọng chị Lan"];
    let (code, text) = hall.voice(&import);
    assert_eq!(code, Some(0), "{text}");

    let (code, text) = hall.voice(&["check", "sounds/lan"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("digits: 1100 of 1110 phrases are joined word by word"), "{text}");
    let manifest = std::fs::read_to_string(hall.path("sounds/lan/bank.toml")).unwrap();
    assert!(manifest.contains("title = \"Giọng chị Lan\""), "{manifest}");
    let clip = gauge(&decode(&hall.path("sounds/lan/0002.opus")).unwrap());
    let (head, tail) = clip.silences_ms();
    assert!(head <= 30 && tail <= 60 && clip.peak < 0.9, "{clip:?}");

    // A line that was left out is named, and the voice that is there stays.
    let left_out = lines.remove(7);
    record(&lines, &hall.path("takes/session.wav"));
    let (code, text) = hall.voice(&import);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is probably missing"), "{text}");
    assert_eq!(std::fs::read_to_string(hall.path("sounds/lan/bank.toml")).unwrap(), manifest);

    // Silent, clipped and cut short: each is told, and nothing is overwritten.
    lines.insert(7, left_out);
    let bad = [
        vec![0; RATE as usize],
        lines[1].iter().map(|s| s.saturating_mul(20)).collect(),
        lines[4][..3000].to_vec(),
    ];
    for (number, bad) in [1, 2, 5].into_iter().zip(bad) {
        record(&[bad], &hall.path(&format!("takes/{number:04}.wav")));
    }
    record(&lines, &hall.path("takes/session.wav"));
    let (code, text) = hall.voice(&import);
    assert_eq!(code, Some(1), "{text}");
    for told in ["0001  ", "nothing is heard", "0002  ", "is clipped", "0005  ", "too short", "3 of"] {
        assert!(text.contains(told), "{told} is not in:\n{text}");
    }
    assert_eq!(std::fs::read_to_string(hall.path("sounds/lan/bank.toml")).unwrap(), manifest);

    // Read again, they replace what the long recording has.
    for number in [1, 2, 5] {
        record(&[lines[number - 1].clone()], &hall.path(&format!("takes/{number:04}.wav")));
    }
    let (code, text) = hall.voice(&import);
    assert_eq!(code, Some(0), "{text}");
    assert!(hall.path("sounds/lan.before/bank.toml").is_file(), "the voice before it stays beside it");
}

#[test]
fn a_voice_is_made_by_a_speech_program_and_its_damage_is_told_by_name() {
    let hall = Hall::new();
    let synth = ["build", "--synth", "espeak-ng -v vi -w {out} {text}", "--out", "sounds/robot", "--compact"];
    let (code, text) = hall.voice(&synth);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = hall.voice(&["check", "sounds/robot"]);
    assert_eq!(code, Some(0), "{text}");

    std::fs::remove_file(hall.path("sounds/robot/0003.opus")).unwrap();
    std::fs::write(hall.path("sounds/robot/0004.opus"), b"OggS and no more").unwrap();
    std::fs::copy(hall.path("sounds/robot/0002.opus"), hall.path("sounds/robot/0006.opus")).unwrap();
    let (code, text) = hall.voice(&["check", "sounds/robot"]);
    assert_eq!(code, Some(1), "{text}");
    for told in ["0003.opus", "0004.opus", "0006.opus", "3 problem(s)"] {
        assert!(text.contains(told), "{told} is not in:\n{text}");
    }

    let (code, text) =
        hall.voice(&["build", "--synth", "false {text} {out}", "--out", "sounds/robot", "--compact"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("line 000") && hall.path("sounds/robot/bank.toml").is_file(), "{text}");
}
