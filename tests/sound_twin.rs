//! A recorded day as the hall hears it, with the shipped voice.
#![allow(clippy::float_cmp, clippy::unwrap_used, reason = "a test may panic, and silence is exact")]

use std::path::PathBuf;

use moiso::audio::clips::{ClipError, Clips};
use moiso::audio::narrator::Narrator;
use moiso::audio::shelf::Shelf;
use moiso::audio::sounds;
use moiso::audio::twin::{Said, Twin};
use moiso::board::Rules;
use moiso::board::call::Zone;
use moiso::config::Config;
use moiso::config::section::Env;
use moiso::replay;
use moiso::speech::RATE_HZ;

const MINUTE: u64 = 60 * RATE_HZ as u64;

fn config(more: &str) -> Config {
    let sounds = concat!(env!("CARGO_MANIFEST_DIR"), "/sounds");
    Config::read(&format!("[paths]\nsounds = {sounds:?}\n{more}"), Env::new()).unwrap()
}

fn heard(config: &Config, day: &str, zone: Option<&str>) -> (Vec<f32>, Vec<Said>) {
    heard_with(&Shelf::open("no such folder".into()), config, day, zone)
}

fn heard_with(shelf: &Shelf, config: &Config, day: &str, zone: Option<&str>) -> (Vec<f32>, Vec<Said>) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/sounds"));
    let voice = Narrator::new(sounds::load(&folder, config).unwrap(), shelf.clone());
    let events = replay::read(day, &config.topic_prefix()).unwrap();
    let only = zone.map(|name| Zone::parse(name).unwrap());
    let mut clips = Clips::new(folder);
    let mut twin = Twin {
        planner: &voice,
        clips: &mut clips,
        audio: &config.audio,
        heard: only.as_ref(),
        rate_hz: RATE_HZ,
    };
    let mut sound = Vec::new();
    let mut sink = |samples: &[f32]| -> Result<(), ClipError> {
        sound.extend_from_slice(samples);
        Ok(())
    };
    let until = events.last().unwrap().at;
    let said = twin.mix(Rules::of(config), &events, until, &mut sink).unwrap();
    (sound, said)
}

fn loudest(sound: &[f32], from: u64, to: u64) -> f32 {
    sound[from as usize..to as usize].iter().fold(0.0, |max, s| s.abs().max(max))
}

#[test]
fn eleven_calls_at_once_are_all_said_within_a_minute_and_none_over_another() {
    let (sound, said) = heard(&config(""), include_str!("scenes/eleven.jsonl"), None);
    assert_eq!(said.len(), 11);
    for pair in said.windows(2) {
        assert!(pair[0].to <= pair[1].from, "{pair:?}");
        assert!(loudest(&sound, pair[0].to, pair[1].from) <= 0.0, "silence between two sentences");
    }
    for s in &said {
        assert!(loudest(&sound, s.from, s.to) > 0.1, "{s:?} is heard");
    }
    assert!(said[10].to <= MINUTE, "{said:#?}");
    for number in ["không một hai", "một không bảy", "không không năm", "không ba hai"] {
        assert_eq!(said.iter().filter(|s| s.text.contains(number)).count(), 1, "{number}: {said:#?}");
    }
}

#[test]
fn two_zones_speak_at_once_and_each_is_heard_alone() {
    let zones = "[[audio.zone]]\nid = \"east\"\ngain_db = -12\ncounters = [\"1\"]\n[[audio.zone]]\nid = \"west\"\ngain_db = -12\n";
    let config = config(zones);
    let day = include_str!("scenes/eleven.jsonl").lines().take(2).collect::<Vec<_>>().join("\n");
    let (east, said) = heard(&config, &day, Some("east"));
    let (west, again) = heard(&config, &day, Some("west"));
    let (both, _) = heard(&config, &day, None);
    assert_eq!(said, again, "who listens changes nothing");
    assert_eq!(said.len(), 2);
    assert!(said[0].from.abs_diff(said[1].from) < u64::from(RATE_HZ) / 50, "{said:?}");
    assert!(loudest(&east, said[0].from, said[0].to) > 0.1 && loudest(&west, said[1].from, said[1].to) > 0.1);
    assert_ne!(east, west);
    // So soft, nothing has to be turned down: both together are the sum of each alone.
    assert!((0..both.len()).all(|n| (both[n] - (east[n] + west[n])).abs() < 1e-3));
}

#[test]
fn two_zones_that_are_far_too_loud_on_one_loudspeaker_stay_below_a_true_peak_of_minus_one_decibel() {
    for gain_db in [0, 12] {
        let zone = |rest: &str| format!("[[audio.zone]]\ngain_db = {gain_db}\n{rest}\n");
        let zones = zone("id = \"east\"\ncounters = [\"1\"]") + &zone("id = \"west\"");
        let day = include_str!("scenes/eleven.jsonl").lines().take(2).collect::<Vec<_>>().join("\n");
        let (sound, said) = heard(&config(&zones), &day, None);
        assert_eq!(said.len(), 2);
        let mut meter = ebur128::EbuR128::new(1, RATE_HZ, ebur128::Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(&sound).unwrap();
        let peak = 20.0 * meter.true_peak(0).unwrap().log10();
        assert!((-3.0..-1.0).contains(&peak), "{peak} dBTP at {gain_db} dB");
    }
}

#[test]
fn a_day_is_heard_at_the_halls_volume_and_the_zones_gain() {
    let day = include_str!("scenes/eleven.jsonl").lines().next().unwrap();
    let peak = |more: &str| {
        let (sound, said) = heard(&config(more), day, None);
        loudest(&sound, said[0].from, said[0].to)
    };
    let whole = peak("");
    let noon =
        "[audio]\nvolume_percent = 80\n[[audio.schedule]]\nspan = \"09:00-10:00\"\nvolume_percent = 50\n";
    let softer = format!("{noon}[[audio.zone]]\nid = \"sanh\"\ngain_db = -6.0206\n");
    assert!((peak(noon) / whole - 0.25).abs() < 0.01, "half the volume is a quarter of the wave");
    assert!((peak(&softer) / whole - 0.125).abs() < 0.01);
}

#[test]
fn a_call_served_before_its_turn_is_not_said() {
    let served = r#"{"t":"2026-11-24T09:40:01+07:00","topic":"moiso/dong-da/call","payload":{"id":"s","ticket":"B107","counter":"2","kind":"serving","at":"2026-11-24T09:40:01+07:00"}}"#;
    let day =
        include_str!("scenes/eleven.jsonl").lines().take(3).chain([served]).collect::<Vec<_>>().join("\n");
    let (_, said) = heard(&config(""), &day, None);
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(!said.iter().any(|s| s.text.contains("B một không bảy")), "{said:#?}");
}

#[test]
fn a_recorded_message_is_heard_when_the_calls_have_been_and_only_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path().to_owned());
    let tone: Vec<f32> = (0..3 * RATE_HZ).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
    let id = shelf.put(&tone, &std::collections::BTreeSet::new()).unwrap();
    let notice = |level: &str| {
        let at = "2026-11-24T09:40:00+07:00";
        let payload = serde_json::json!({
            "text": { "vi": "Mời công dân xem bảng" }, "level": level, "speak": true, "recording": id.as_str(), "at": at,
        });
        serde_json::json!({ "t": at, "topic": "moiso/dong-da/notice/n", "payload": payload }).to_string()
    };
    let calls = include_str!("scenes/eleven.jsonl").lines().take(4);
    let day =
        |level: &str| calls.clone().map(str::to_owned).chain([notice(level)]).collect::<Vec<_>>().join("\n");
    let (sound, said) = heard_with(&shelf, &config(""), &day("info"), None);
    assert_eq!((said.len(), said[4].text.as_str()), (5, "Mời công dân xem bảng"), "{said:#?}");
    assert!(said[4].from >= said[3].to, "after the last call");
    let length = said[4].to - said[4].from;
    assert!(
        length > u64::from(3 * RATE_HZ) + u64::from(RATE_HZ) / 2,
        "once, behind its chime: {length} frames"
    );
    // The tone has as many zero crossings as it was recorded with.
    let end = &sound[(said[4].to - u64::from(2 * RATE_HZ)) as usize..said[4].to as usize];
    let crossings = end.windows(2).filter(|w| w[0] <= 0.0 && w[1] > 0.0).count();
    let wanted = 2.0 * RATE_HZ as f32 * 0.05 / std::f32::consts::TAU;
    assert!((crossings as f32 - wanted).abs() < 0.01 * wanted, "{crossings} {wanted}");

    let (sound, said) = heard(&config(""), &day("info"), None);
    let silent = said.iter().find(|s| s.text.is_empty()).expect("the board has let it be said");
    assert!(loudest(&sound, silent.from, silent.to) <= 0.0, "and nothing was heard");
    let (sound, said) = heard(&config(""), &day("emergency"), None);
    let read = said
        .iter()
        .find(|s| s.text.to_lowercase().contains("mời công dân xem bảng"))
        .expect("an emergency is read aloud instead");
    assert!(loudest(&sound, read.from, read.to) > 0.1);
}
