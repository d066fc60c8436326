//! The bodies of the fuzz targets with random data, in every run of the tests: what stands in the committed corpora, and what
//! comes of it when bytes of it are changed, left out, doubled or put in. `cargo fuzz` goes deeper; see docs/fuzzing.md.
//!
//! `MOISO_TWINS=100 cargo test --test fuzz_twins` tries a hundred times as many.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../fuzz/bodies/bank.rs"]
mod bank;
#[path = "../fuzz/bodies/board.rs"]
mod board;
#[path = "../fuzz/bodies/config.rs"]
mod config;
#[path = "../fuzz/bodies/journal.rs"]
mod journal;
#[path = "../fuzz/bodies/mqtt.rs"]
mod mqtt;
#[path = "../fuzz/bodies/websocket.rs"]
mod websocket;

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// The committed corpus of a target; a target without one is a mistake.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Double(Index, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let some = || prop::collection::vec(any::<u8>(), 1..8);
    let edit = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), some()).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (any::<Index>(), 1..16_usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        (any::<Index>(), 1..64_usize).prop_map(|(at, count)| Edit::Double(at, count)),
    ];
    prop::collection::vec(edit, 0..12)
}

fn edit(data: &mut Vec<u8>, edit: Edit) {
    let (Edit::Set(at, _) | Edit::Insert(at, _) | Edit::Remove(at, _) | Edit::Double(at, _)) = &edit;
    let at = at.index(data.len() + 1);
    let end = |count: usize| (at + count).min(data.len());
    match edit {
        Edit::Set(_, byte) => {
            if let Some(place) = data.get_mut(at) {
                *place = byte;
            }
        }
        Edit::Insert(_, bytes) => drop(data.splice(at..at, bytes)),
        Edit::Remove(_, count) => drop(data.drain(at..end(count))),
        Edit::Double(_, count) => {
            let part = data[at..end(count)].to_vec();
            drop(data.splice(at..at, part));
        }
    }
}

fn twin(target: &str, cases: u32, check: impl Fn(&[u8])) {
    let corpus = corpus(target);
    for seed in &corpus {
        check(seed);
    }
    let times = std::env::var("MOISO_TWINS").ok().and_then(|times| times.parse::<u32>().ok()).unwrap_or(1);
    let cases = cases * times;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let inputs = (any::<Index>(), edits());
    let done = runner.run(&inputs, |(seed, edits)| {
        let mut data = seed.get(&corpus).clone();
        for change in edits {
            edit(&mut data, change);
        }
        check(&data);
        Ok(())
    });
    if let Err(error) = done {
        panic!("{target}: {error}");
    }
}

#[test]
fn payloads_from_the_broker() {
    twin("mqtt", 3_000, mqtt::check);
}

#[test]
fn messages_of_a_browser() {
    twin("websocket", 1_000, websocket::check);
}

#[test]
fn config_files() {
    twin("config", 300, config::check);
}

#[test]
fn manifests_of_voices() {
    twin("bank", 1_000, bank::check);
}

#[test]
fn rows_of_a_journal() {
    twin("journal", 300, journal::check);
}

#[test]
fn operations_on_the_board() {
    twin("board", 200, board::check);
}
