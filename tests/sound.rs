//! What the hall hears of a plan, sample by sample, with a bank of noise.
#![allow(clippy::float_cmp, clippy::unwrap_used, reason = "a test may panic, and silence is exact")]

mod sound_bank;

use std::fmt::Write as _;
use std::process::Command;

use moiso::audio::clips::{CACHE_BYTES, Clips, decode};
use moiso::audio::{self, sounds};
use moiso::board::call::{Kind, Lane, NoticeId};
use moiso::board::input::{Form, Message};
use moiso::clock::Millis;
use moiso::speech::{Clip, RATE_HZ, Utterance};
use sound_bank::{SoundBank, call, find};

fn parts(utterance: &Utterance) -> String {
    sound_bank::parts(utterance).replace("north/", "")
}

#[test]
fn a_plan_names_clips_and_gaps_in_order() {
    let bank = SoundBank::new();
    let voice = bank.voice(&bank.config(""));
    let plan = voice.plan_message(&call("A012", "5", Kind::Call, Lane::Elderly), 2, Form::Full);
    assert_eq!(plan.missing, [""; 0]);
    assert_eq!(
        parts(&plan.utterance),
        "chimes/two-tone 150 mời_công_dân_có_số_thứ_tự_a 130 không_một_hai 200 người_cao_tuổi 150 đến_quầy_số_năm \
         600 mời_công_dân_có_số_thứ_tự_a 130 không_một_hai 200 người_cao_tuổi 150 đến_quầy_số_năm"
    );
    let millis: u64 = 500 + 150 + 600 + 2 * (700 + 130 + 450 + 200 + 350 + 150 + 640);
    assert_eq!(plan.utterance.frames(RATE_HZ), millis * 48);
    let short = voice.plan_message(&call("A012", "5", Kind::Recall, Lane::Elderly), 1, Form::Short).utterance;
    assert_eq!(parts(&short), "chimes/two-tone 150 nhắc_lại 200 số_a 130 không_một_hai 200 quầy_năm");
    assert_eq!(short.text, "Nhắc lại: Số A không một hai, quầy năm.");
}

#[test]
fn a_number_without_its_own_clip_is_split_without_a_gap() {
    let bank = SoundBank::new();
    let voice = bank.voice(&bank.config(""));
    let plan = voice.plan_message(&call("1005", "5", Kind::Call, Lane::Regular), 1, Form::Full);
    assert_eq!(
        parts(&plan.utterance),
        "chimes/two-tone 150 mời_công_dân_có_số_thứ_tự 150 một_nghìn không_trăm_linh_năm 200 đến_quầy_số_năm"
    );
}

#[test]
fn what_has_no_clip_is_never_half_said_and_never_silent() {
    let bank = SoundBank::new();
    let voice = bank.voice(&bank.config(""));
    let plan = |ticket, counter, lane, form| {
        let plan = voice.plan_message(&call(ticket, counter, Kind::Call, lane), 1, form);
        (parts(&plan.utterance), plan.utterance.text, plan.missing)
    };
    let (said, text, missing) = plan("A999", "5", Lane::Regular, Form::Full);
    assert_eq!(said, "chimes/two-tone 150 mời_công_dân_xem_bảng");
    assert_eq!((text.as_str(), missing), ("Mời công dân xem bảng.", vec!["chín".to_owned()]));
    let (said, _, missing) = plan("A012", "7", Lane::Regular, Form::Full);
    assert_eq!(
        said,
        "chimes/two-tone 150 mời_công_dân_có_số_thứ_tự_a 130 không_một_hai 200 mời_công_dân_xem_bảng"
    );
    assert_eq!(missing, ["đến", "quầy", "bảy"]);
    let (said, _, missing) = plan("A012", "5", Lane::Pregnant, Form::Full);
    assert_eq!(said, "chimes/two-tone 150 mời_công_dân_có_số_thứ_tự_a 130 không_một_hai 200 đến_quầy_số_năm");
    assert_eq!(missing, ["phụ", "nữ", "mang", "thai"]);
    let (said, text, _) = plan("A012", "1", Lane::Regular, Form::Short);
    assert!(
        said.ends_with("đến_quầy_số_một"),
        "the short form lacks a clip, so the full one is said: {said}"
    );
    assert!(text.ends_with("đến quầy số một."));
}

#[test]
fn an_emergency_has_its_own_chime_and_is_said_whole_or_not_at_all() {
    let bank = SoundBank::new();
    let voice = bank.voice(&bank.config(""));
    let notice = |text: &str| Message::Notice {
        id: NoticeId::parse("n").unwrap(),
        text: text.into(),
        emergency: true,
        recording: None,
    };
    let said =
        parts(&voice.plan_message(&notice("Nhắc lại: mời công dân xem bảng!"), 1, Form::Full).utterance);
    assert_eq!(said, "chimes/three-tone 150 nhắc_lại 200 mời_công_dân_xem_bảng");
    let said = parts(&voice.plan_message(&notice("Có cháy, mời công dân xem bảng"), 1, Form::Full).utterance);
    assert_eq!(said, "chimes/three-tone 150 mời_công_dân_xem_bảng");
}

#[test]
fn a_hall_is_told_what_its_voice_lacks() {
    let bank = SoundBank::new();
    let hall = "[[counter]]\nid = \"5\"\n[[counter]]\nid = \"9\"\n[[series]]\nid = \"A\"\n[[series]]\nid = \"B\"\n\
                [speech]\nchime = \"gong\"\nspoken_lanes = [\"elderly\", \"child\"]\n";
    let config = bank.config(hall);
    let missing = bank.voice(&config).missing(&config);
    let has = |start: &str| missing.iter().any(|line| line.starts_with(start));
    assert!(has("chime \"gong\" is not there; there are: three-tone, two-tone"), "{missing:#?}");
    assert!(has("series B: 2 phrases have no clip"), "{missing:#?}");
    assert!(has("digits: 1106 phrases have no clip"), "{missing:#?}");
    assert!(has("counter 9: 2 phrases have no clip"), "{missing:#?}");
    assert!(has("lane child: no clip says \"trẻ em\""), "{missing:#?}");
    assert!(!has("series A") && !has("counter 5") && !has("lane elderly"), "{missing:#?}");
}

#[test]
fn the_hall_hears_every_clip_whole_in_order_and_nothing_else() {
    let bank = SoundBank::new();
    let voice = bank.voice(&bank.config(""));
    let first = voice.plan_message(&call("A012", "5", Kind::Call, Lane::Elderly), 2, Form::Full).utterance;
    let second = voice.plan_message(&call("1005", "1", Kind::Recall, Lane::Regular), 1, Form::Full).utterance;
    let mut clips = Clips::new(bank.dir.clone());
    let said = [(Millis::ZERO, &first), (Millis(1000), &second)];
    let sound = audio::render(&mut clips, &said, RATE_HZ).unwrap();
    let mut at = 300 * 48;
    let mut silent = sound[..at].iter().all(|s| *s == 0.0);
    for utterance in [&first, &second] {
        let start = at;
        for (offset, clip) in utterance.clips(RATE_HZ) {
            let (from, samples) = (start + offset as usize, &bank.samples[&*clip.file]);
            silent &= sound[at..from].iter().all(|s| *s == 0.0);
            at = from + samples.len();
            let largest = sound[from..at].iter().zip(samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-4, "{} is not whole: {largest}", clip.file);
        }
    }
    assert!(silent, "between the clips there is silence");
    assert_eq!(sound.len(), at, "the sound ends with its last sample");
}

/// Onset, length and level of every stretch of sound; a clip ends where 20 ms are silent.
fn envelope(sound: &[f32]) -> String {
    let quiet = RATE_HZ as usize / 50;
    let mut text = String::from("# onset_frame length_frames rms\n");
    let mut at = 0;
    while let Some(start) = sound[at..].iter().position(|s| *s != 0.0).map(|p| at + p) {
        let mut end = start;
        for (index, sample) in sound.iter().enumerate().skip(start) {
            if *sample != 0.0 {
                end = index + 1;
            } else if index - end > quiet {
                break;
            }
        }
        let power: f32 = sound[start..end].iter().map(|s| s * s).sum();
        writeln!(text, "{start} {} {:.2}", end - start, (power / (end - start) as f32).sqrt()).unwrap();
        at = end;
    }
    text
}

#[test]
fn the_sound_of_a_call_is_the_golden_one() {
    let bank = SoundBank::new();
    let voice = bank.voice(&bank.config(""));
    let utterance =
        voice.plan_message(&call("A012", "5", Kind::Recall, Lane::Elderly), 2, Form::Full).utterance;
    let mut clips = Clips::new(bank.dir.clone());
    let sound = audio::render(&mut clips, &[(Millis(500), &utterance)], RATE_HZ).unwrap();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sound_recall.txt");
    let actual = envelope(&sound);
    let expected = std::fs::read_to_string(golden).unwrap_or_default();
    if actual != expected {
        let beside = format!("{golden}.actual");
        std::fs::write(&beside, &actual).unwrap();
        panic!("the sound differs from {golden}; what was heard is in {beside}\n{actual}");
    }
}

#[test]
fn every_rate_keeps_every_onset() {
    for rate_hz in [8_000, 11_025, 22_050, 32_000, 44_100, 96_000, 192_000] {
        let bank = SoundBank::new();
        let voice = bank.voice(&bank.config(""));
        let utterance =
            voice.plan_message(&call("A012", "5", Kind::Call, Lane::Regular), 1, Form::Full).utterance;
        let mut clips = Clips::new(bank.dir.clone());
        let sound = audio::render(&mut clips, &[(Millis::ZERO, &utterance)], rate_hz).unwrap();
        let wake_up = u64::from(rate_hz) * 300 / 1000;
        assert_eq!(sound.len() as u64, wake_up + utterance.frames(rate_hz), "{rate_hz} Hz");
        // Five milliseconds of noise; a lower rate has less of it.
        let window = rate_hz as usize / 200;
        let loud = 0.1 * (rate_hz as f32 / 44_100.0).min(1.0).sqrt();
        for (offset, clip) in utterance.clips(rate_hz) {
            let onset = (wake_up + offset) as usize;
            let level = |range: std::ops::Range<usize>| {
                let n = range.len() as f32;
                (sound[range].iter().map(|s| s * s).sum::<f32>() / n).sqrt()
            };
            let len = moiso::speech::resampled(clip.frames, rate_hz) as usize;
            assert!(level(onset..onset + window) > loud, "{} begins late at {rate_hz} Hz", clip.file);
            assert!(
                level(onset + len - window..onset + len) > loud,
                "{} ends early at {rate_hz} Hz",
                clip.file
            );
        }
    }
}

#[test]
fn opus_is_decoded_to_exactly_its_frames() {
    let bank = SoundBank::new();
    for frames in [960_usize, 5_000, 24_000, 55_199, 190_001] {
        let tone: Vec<f32> =
            (0..frames).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin() * 0.5).collect();
        let mut bytes = std::io::Cursor::new(Vec::new());
        audio::wav::write(&mut bytes, &tone, RATE_HZ).unwrap();
        bank.write("t.wav", bytes.get_ref());
        let done = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-i", "t.wav", "-c:a", "libopus", "-b:a", "32k", "t.opus"])
            .current_dir(&bank.dir)
            .status()
            .expect("ffmpeg is installed");
        assert!(done.success());
        let decoded = decode(&bank.dir.join("t.opus")).unwrap();
        assert_eq!(decoded.len(), frames);
        // The encoder's delay is cut exactly: a tone still begins at its phase.
        let middle = frames / 2;
        let same: f32 = (0..400).map(|n| decoded[middle + n] * tone[middle + n]).sum();
        let power: f32 = (0..400).map(|n| tone[middle + n] * tone[middle + n]).sum();
        assert!(same / power > 0.95, "{frames} frames: {}", same / power);
    }
}

#[test]
fn a_clip_that_is_not_as_long_as_its_manifest_says_is_refused() {
    let bank = SoundBank::new();
    let mut clips = Clips::new(bank.dir.clone());
    let clip = Clip { file: "chimes/two-tone.wav".into(), frames: 5 };
    let error = clips.get(&clip, RATE_HZ).unwrap_err().to_string();
    assert!(error.ends_with("has 24000 frames, its manifest says 5"), "{error}");
    let clip = Clip { file: "chimes/none.wav".into(), frames: 5 };
    assert!(clips.get(&clip, RATE_HZ).unwrap_err().to_string().starts_with("cannot open"));
    bank.write("north/quầy_năm.wav", b"RIFF, but no sound");
    let config = bank.config("");
    assert_eq!(sounds::verify(&bank.dir, &bank.voice(&config)).len(), 1);
}

#[test]
fn the_cache_stays_within_its_bound() {
    let bank = SoundBank::new();
    let mut clips = Clips::new(bank.dir.clone());
    let bytes = std::fs::read(bank.dir.join("chimes/two-tone.wav")).unwrap();
    for n in 0..200 {
        let file = format!("t/{n}.wav");
        bank.write(&file, &bytes);
        clips.get(&Clip { file: file.into(), frames: 24_000 }, RATE_HZ).unwrap();
    }
    assert!(clips.cached_bytes() <= CACHE_BYTES);
    assert!(clips.cached_bytes() > CACHE_BYTES / 2);
}

#[test]
fn the_sounds_folder_is_looked_for_and_named_when_missing() {
    let bank = SoundBank::new();
    assert_eq!(sounds::find(&bank.config("")).unwrap(), bank.dir);
    let error = sounds::find(&bank.config("[speech]\nvoice = \"west\"\n")).unwrap_err().to_string();
    assert!(error.starts_with("no sounds folder has the voice \"west\"; looked in /"), "{error}");
}

#[test]
fn noise_is_found_where_it_lies() {
    let clip = sound_bank::noise("x", 500);
    let mut sound = vec![0.0; 100];
    sound.extend(&clip);
    sound.extend([0.0; 50]);
    assert_eq!(find(&sound, &clip, 0), Some(100));
    assert_eq!(find(&sound, &clip, 101), None);
    assert_eq!(find(&sound, &sound_bank::noise("y", 500), 0), None);
}
