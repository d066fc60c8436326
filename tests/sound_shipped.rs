//! The shipped voices have every unit that a hall may need, whole.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use moiso::audio::sounds;
use moiso::config::Config;
use moiso::config::section::Env;
use moiso::speech::bank::Take;
use moiso::speech::voice::Voice;

const LETTERS: &str = "ABCDĐEFGHIJKLMNOPQRSTUVWXYZ";
const LANES: &str =
    "\"elderly\", \"merit\", \"disabled\", \"pregnant\", \"child\", \"authorised\", \"owner\", \"booked\"";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds")
}

/// A hall of `most` places of this noun with every letter, all lanes, and codes as well as numbers; `opener` begins its
/// sentence.
fn hall(noun: &str, most: u32, opener: &str) -> Config {
    let mut text = format!(
        "[speech]\nspoken_lanes = [{LANES}]\n\
         template = \"{{chime}} {opener} có số thứ tự {{ticket}}, {{lane?}} đến {{counter_noun}} số {{counter}}.\"\n\
         [[series]]\nid = \"*\"\nmode = \"number\"\n"
    );
    for letter in LETTERS.chars() {
        let _ = writeln!(text, "[[series]]\nid = \"{letter}\"");
    }
    let names = (1..=most).map(|n| n.to_string()).chain("ABCDEFGH".chars().map(String::from));
    for name in names {
        let _ = writeln!(text, "[[counter]]\nid = \"{name}\"\nnoun = \"{noun}\"");
    }
    Config::read(&text, Env::new()).unwrap()
}

fn voice(name: &str, config: &Config) -> Voice {
    sounds::load_one(&folder(), name, config).unwrap()
}

const PLACES: [(&str, u32); 4] = [("Quầy", 60), ("Phòng", 30), ("Bàn", 30), ("Cửa", 30)];

#[test]
fn the_vietnamese_voices_lack_nothing_and_join_nothing() {
    for name in ["north", "south"] {
        for (noun, most) in PLACES {
            let config = hall(noun, most, "Mời công dân");
            let voice = voice(name, &config);
            assert_eq!((voice.missing(&config), voice.joined()), (vec![], vec![]), "{name}, {noun}");
        }
        for opener in ["Mời", "Kính mời", "Xin mời"] {
            for people in ["công dân", "khách hàng", "người bệnh"] {
                let config = hall("Quầy", 1, &format!("{opener} {people}"));
                let voice = voice(name, &config);
                assert_eq!(
                    (voice.missing(&config), voice.joined()),
                    (vec![], vec![]),
                    "{name}, {opener} {people}"
                );
            }
        }
    }
}

#[test]
fn the_english_voice_lacks_nothing() {
    for (noun, most) in PLACES {
        let config = hall(noun, most, "Mời công dân");
        let english = voice("english", &config);
        assert_eq!(english.missing(&config), Vec::<String>::new(), "{noun}");
    }
}

#[test]
fn every_phrase_around_the_calls_is_one_clip() {
    let voice = voice("north", &Config::default());
    for (take, phrases) in [
        (Take::Mid, &["nhắc lại", "xin nhắc lại", "thông báo", "thông báo khẩn", "mời công dân"][..]),
        (
            Take::End,
            &[
                "vắng mặt",
                "đã hết giờ làm việc",
                "hôm nay đã hết số",
                "quầy tạm dừng phục vụ",
                "mời công dân xem bảng",
                "mời công dân di chuyển theo lối thoát hiểm gần nhất theo hướng dẫn của cán bộ",
            ],
        ),
    ] {
        for phrase in phrases {
            assert!(voice.bank().clip(phrase, take).is_some(), "{phrase}");
        }
    }
    let chimes: Vec<&str> = voice.chimes().names().collect();
    assert_eq!(chimes, ["single", "three-tone", "two-tone"]);
}

/// A manifest names each of its files, and each file that lies there is named.
#[test]
fn no_clip_is_missing_and_none_is_left_over() {
    for name in ["north", "south", "english", "chimes"] {
        let home = folder().join(name);
        let manifest = home.join(if name == "chimes" { "chimes.toml" } else { "bank.toml" });
        let text = std::fs::read_to_string(manifest).unwrap();
        let named: BTreeSet<PathBuf> = text
            .lines()
            .filter_map(|line| Some(home.join(line.split_once("file = \"")?.1.split_once('"')?.0)))
            .collect();
        let mut there = BTreeSet::new();
        let mut folders = vec![home];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "opus") {
                    there.insert(path);
                }
            }
        }
        assert!(!named.is_empty());
        assert_eq!(named, there, "{name}");
    }
}
