//! The shape of the code: the core stays pure, files stay readable, and each says what it is for.

use std::fs;
use std::path::{Path, PathBuf};

/// Files and folders of the core.
const CORE: [&str; 31] = [
    "board.rs",
    "board",
    "speech.rs",
    "speech",
    "scene.rs",
    "scene",
    "wire.rs",
    "wire",
    "config.rs",
    "config",
    "health.rs",
    "health",
    "screens.rs",
    "raster.rs",
    "raster",
    "typeset.rs",
    "voices.rs",
    "clock.rs",
    "replay.rs",
    "demo/hall.rs",
    "soak.rs",
    "soak",
    "audio/cut.rs",
    "audio/gauge.rs",
    "audio/limiter.rs",
    "audio/mixer.rs",
    "mqtt/backoff.rs",
    "mqtt/outbox.rs",
    "mqtt/tally.rs",
    "mqtt/topics.rs",
    "sharing/pieces.rs",
];

/// The parts of core folders that do IO for them, or share their work out to threads that end before they return.
const SHELL: [&str; 2] = ["config/load.rs", "raster/bands.rs"];

/// What the core must not name: the shell's libraries, IO, threads and clocks.
const FORBIDDEN: [&str; 13] = [
    "tokio",
    "wgpu",
    "winit",
    "cpal",
    "rumqttc",
    "tungstenite",
    "std::fs",
    "std::net",
    "std::thread",
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
];

/// A socket address is a value: it opens nothing.
const ALLOWED: &str = "std::net::SocketAddr";

const LONGEST_FILE: usize = 600;

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below `dir`, relative to `src/`.
fn rust_files(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("the folder can be listed") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let relative = path.strip_prefix(src()).expect("the file lies below src");
            files.push(relative.to_str().expect("file names are UTF-8").replace('\\', "/"));
        }
    }
    files.sort();
    files
}

fn read(file: &str) -> String {
    fs::read_to_string(src().join(file)).expect("the file can be read")
}

fn is_core(file: &str) -> bool {
    let within =
        |path: &str| file == path || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    CORE.iter().any(|path| within(path)) && !SHELL.contains(&file)
}

/// The code that ships: without comments and without what is only compiled for tests.
fn shipped(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut skipping = Skipping::No;
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        match skipping {
            Skipping::No if code.trim_start().starts_with("#[cfg(test)]") => {
                skipping = Skipping::Item { depth: 0 }
            }
            Skipping::No => lines.push((index + 1, code.to_owned())),
            Skipping::Item { depth } => skipping = after(code, depth),
        }
    }
    lines
}

/// Whether the item under `#[cfg(test)]` goes on.
#[derive(Copy, Clone)]
enum Skipping {
    No,
    Item { depth: i32 },
}

fn after(code: &str, depth: i32) -> Skipping {
    let opened = code.matches(['{', '(', '[']).count() as i32;
    let closed = code.matches(['}', ')', ']']).count() as i32;
    let depth = depth + opened - closed;
    let ends = depth <= 0 && (code.contains('}') || code.trim_end().ends_with([';', ',']));
    if ends { Skipping::No } else { Skipping::Item { depth } }
}

/// `word` as a whole word: `Instantly` is none.
fn names(code: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back().is_none_or(|c| !is_word(c));
        let behind = code[start + word.len()..].chars().next().is_none_or(|c| !is_word(c));
        before && behind
    })
}

fn offences(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, code) in shipped(text) {
        let code = code.replace(ALLOWED, "");
        for word in FORBIDDEN.iter().filter(|word| names(&code, word)) {
            found.push(format!("src/{file}:{number} names {word}"));
        }
    }
    found
}

#[test]
fn the_core_knows_neither_io_nor_threads_nor_clocks() {
    let files = rust_files(&src());
    let core: Vec<_> = files.iter().filter(|file| is_core(file)).collect();
    for path in CORE {
        let exists = core.iter().any(|file| *file == path || file.starts_with(&format!("{path}/")));
        assert!(exists, "src/{path} belongs to the core and is missing");
    }
    let found: Vec<String> = core.iter().flat_map(|file| offences(file, &read(file))).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_file_is_too_long() {
    let length = |file: &String| read(file).lines().count();
    let long: Vec<_> = rust_files(&src()).into_iter().filter(|file| length(file) > LONGEST_FILE).collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines: {long:?}");
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let silent: Vec<_> =
        rust_files(&src()).into_iter().filter(|file| !read(file).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "do not open with //!: {silent:?}");
}

#[test]
fn the_rule_sees_an_offence_and_only_in_shipped_code() {
    let text = "use tokio::sync;\n// tokio is named in words\n#[cfg(test)]\nuse std::fs;\nlet a: std::net::SocketAddr;\n\
                let b: std::net::TcpStream;\n#[cfg(test)]\nmod tests {\n    use std::thread;\n}\nlet t = Instant::now();\nInstantly\n";
    let found = offences("x.rs", text);
    assert_eq!(found, ["src/x.rs:1 names tokio", "src/x.rs:6 names std::net", "src/x.rs:11 names Instant"]);
    assert!(is_core("board/zone.rs") && is_core("board.rs") && !is_core("config/load.rs"));
    assert!(!is_core("boarding.rs") && !is_core("clock/system.rs") && is_core("audio/mixer.rs"));
}
