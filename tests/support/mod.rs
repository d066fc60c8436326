//! Real peers for the tests, each started on free ports with files of its own, and ended with the test.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

pub mod daemon;
pub mod mosquitto;
pub mod pulse;
pub mod sound;

/// Runs the program to its end.
pub fn moiso(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_moiso")).args(args).output().unwrap()
}

/// Makes `console.pem` and `console.key` for 127.0.0.1 in `folder`, signed by nobody but itself; `more` is for openssl.
pub fn self_signed(folder: &Path, name: &str, more: &[&str]) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(more)
        .args(["-keyout", "console.key", "-out", "console.pem"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
}

/// The payload of a call event that happens now.
pub fn call(id: &str, ticket: &str, counter: &str, kind: &str) -> String {
    let at = jiff::Timestamp::now().to_string();
    serde_json::json!({"id": id, "ticket": ticket, "counter": counter, "kind": kind, "at": at}).to_string()
}

/// The pixels of a picture's rows, RGBA; `from` and `to` are shares of its height.
pub fn rows(png: &[u8], from: f32, to: f32) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let row = |share: f32| (share * info.height as f32) as usize * info.line_size;
    pixels[row(from)..row(to)].to_vec()
}

/// Waits for a fact; fails with its name when it has not come by then.
pub fn until(within: Duration, fact: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < within, "not within {within:?}: {fact}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
