//! `moiso render` as a technician calls it: one picture, one for each recording, all on a sheet.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;

use support::moiso;

const DAYS: [&str; 2] = ["tests/scenes/one-call.jsonl", "tests/scenes/lunch.jsonl"];

fn render(more: &[&str]) -> std::process::Output {
    moiso(&[&["render", "--size", "640x360"], &DAYS[..], more].concat())
}

fn size(path: &Path) -> (u32, u32) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let reader = png::Decoder::new(file).read_info().unwrap();
    (reader.info().width, reader.info().height)
}

#[test]
fn recordings_are_drawn_one_by_one_or_on_a_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("states");
    let done = render(&["--into", into.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    let [call, lunch] = ["one-call.png", "lunch.png"].map(|name| into.join(name));
    assert_eq!((size(&call), size(&lunch)), ((640, 360), (640, 360)));
    assert!(std::fs::read(&call).unwrap() != std::fs::read(&lunch).unwrap(), "two states, two pictures");

    let sheet = folder.path().join("sheet.png");
    let done = render(&["--sheet", "--out", sheet.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    // Two columns of a third of the size, with 24 pixels around each and 40 for its name.
    assert_eq!(size(&sheet), (24 + 2 * (213 + 24), 24 + 120 + 40 + 24));

    let refused = render(&["--out", sheet.to_str().unwrap()]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("2 recordings: --into FOLDER"), "{refused:?}");
}
