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

/// A WAV file with a cue mark at each of these frames.
fn with_cues(wav: &Path, cues: &[u32]) {
    let mut bytes = std::fs::read(wav).unwrap();
    bytes.extend(b"cue ");
    bytes.extend((4 + 24 * cues.len() as u32).to_le_bytes());
    bytes.extend((cues.len() as u32).to_le_bytes());
    for (id, cue) in (1_u32..).zip(cues) {
        for word in [id, *cue, u32::from_le_bytes(*b"data"), 0, 0, *cue] {
            bytes.extend(word.to_le_bytes());
        }
    }
    let size = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    std::fs::write(wav, bytes).unwrap();
}

#[test]
fn a_recording_with_cue_marks_is_cut_at_them_and_one_that_is_no_sound_is_named() {
    let hall = Hall::new();
    let lines: Vec<Vec<i16>> = hall.script().iter().map(|line| read(line, hall.folder.path())).collect();
    std::fs::create_dir(hall.path("takes")).unwrap();
    let long = hall.path("takes/session.wav");
    // Read in one go: between two lines there is less silence than within some.
    let pause = vec![0; RATE as usize / 10];
    let cues: Vec<u32> = lines
        .iter()
        .scan(0, |next, line| {
            let at = *next;
            *next += (line.len() + pause.len()) as u32;
            Some(at)
        })
        .collect();
    record(&[lines.join(&pause[..])], &long);
    let import = ["import", "takes", "--out", "sounds/lan", "--compact"];
    let (code, text) = hall.voice(&import);
    assert!(code == Some(1) && text.contains("the silences give"), "{text}");
    with_cues(&long, &cues);
    let (code, text) = hall.voice(&import);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = hall.voice(&["check", "sounds/lan"]);
    assert_eq!(code, Some(0), "{text}");
    let manifest = std::fs::read_to_string(hall.path("sounds/lan/bank.toml")).unwrap();

    std::fs::write(hall.path("takes/0003.wav"), b"RIFF, and no sound").unwrap();
    let (code, text) = hall.voice(&import);
    assert!(code == Some(1) && text.contains("0003.wav"), "{text}");
    assert_eq!(std::fs::read_to_string(hall.path("sounds/lan/bank.toml")).unwrap(), manifest);
    std::fs::remove_file(hall.path("takes/0003.wav")).unwrap();
    std::fs::write(hall.path("takes/9999.wav"), std::fs::read(&long).unwrap()).unwrap();
    let (code, text) = hall.voice(&import);
    assert!(code == Some(1) && text.contains("the script has no line 9999"), "{text}");
}

/// A voice of tones for the whole compact script; `spoil` changes samples and rate of the clip of some words.
fn tones(hall: &Hall, name: &str, spoil: impl Fn(&str, &mut Vec<f32>, &mut u32)) {
    let folder = hall.path("sounds").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let mut takes = [String::from("[clips.mid]\n"), String::from("[clips.end]\n")];
    for (number, line) in (1..).zip(hall.script()) {
        let words = line.trim_end_matches([',', '.']);
        let mut samples: Vec<f32> = (0..24_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        let mut rate = 48_000;
        spoil(words, &mut samples, &mut rate);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(folder.join(format!("{number:04}.wav")), spec).unwrap();
        for sample in &samples {
            wav.write_sample((sample.clamp(-1.0, 1.0) * 32767.0) as i16).unwrap();
        }
        wav.finalize().unwrap();
        let take = usize::from(line.ends_with('.'));
        let frames = samples.len();
        let clip = format!("\"{words}\" = {{ file = \"{number:04}.wav\", frames = {frames} }}\n");
        takes[take].push_str(&clip);
    }
    let head = "format = 1\nname = \"tones\"\ntitle = \"Tones\"\nlanguage = \"vi\"\naccent = \"north\"\nrate_hz = 48000\n\
                version = \"1\"\nprovenance = \"made by a test\"\nlicence = \"CC0-1.0\"\n";
    std::fs::write(folder.join("bank.toml"), format!("{head}{}", takes.concat())).unwrap();
}

#[test]
fn every_kind_of_damage_is_told_by_name_and_nothing_else() {
    let hall = Hall::new();
    tones(&hall, "good", |_, _, _| {});
    let (code, text) = hall.voice(&["check", "sounds/good"]);
    assert_eq!(code, Some(0), "{text}");

    let silence = |ms: usize| vec![0.0; ms * 48];
    tones(&hall, "bad", |words, samples, rate| match words {
        "không" => *samples = silence(500),
        "một" => samples.iter_mut().for_each(|s| *s *= 10.0),
        "hai" => samples.iter_mut().for_each(|s| *s *= 0.1),
        "ba" => *samples = [silence(150), samples.clone()].concat(),
        "bốn" => *samples = [samples.clone(), silence(400)].concat(),
        "năm" => *rate = 44_100,
        _ => {}
    });
    let manifest = hall.path("sounds/bad/bank.toml");
    let without = |text: String, words: &str| -> String {
        text.split_inclusive('\n').filter(|line| !line.starts_with(&format!("\"{words}\""))).collect()
    };
    let text = std::fs::read_to_string(&manifest).unwrap();
    let number = |words: &str| {
        let line = text.lines().find(|l| l.starts_with(&format!("\"{words}\" ="))).unwrap();
        line.split('"').nth(3).unwrap().to_owned()
    };
    std::fs::remove_file(hall.path("sounds/bad").join(number("sáu"))).unwrap();
    std::fs::write(&manifest, without(without(text.clone(), "đến quầy số hai"), "quầy hai")).unwrap();
    let (code, told) = hall.voice(&["check", "sounds/bad"]);
    assert_eq!(code, Some(1), "{told}");
    for (words, fault) in [
        ("không", "is silent"),
        ("một", "is clipped"),
        ("hai", "20.0 dB softer than the middle of the voice"),
        ("ba", "begins with 150 ms of silence"),
        ("bốn", "ends with 400 ms of silence"),
        ("năm", "is not at 48000 Hz"),
        ("sáu", "cannot open"),
    ] {
        let line =
            told.lines().find(|l| l.contains(fault)).unwrap_or_else(|| panic!("{fault} is not in:\n{told}"));
        assert!(line.contains(&number(words)), "{words}: {line}");
    }
    assert!(told.contains("counter 2: 2 phrases have no clip, first \"đến quầy số hai\""), "{told}");
    assert!(told.contains("8 problem(s)"), "{told}");

    // What is not a bank of this program is not measured at all.
    std::fs::write(&manifest, text.replacen("format = 1", "format = 2", 1)).unwrap();
    let (code, told) = hall.voice(&["check", "sounds/bad"]);
    assert!(code == Some(1) && told.contains("line 1: format: must be 1"), "{told}");
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
