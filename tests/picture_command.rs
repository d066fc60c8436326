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

#[test]
fn any_instant_of_a_motion_and_any_theme_can_be_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let day =
            ["render", "tests/scenes/arriving.jsonl", "--size", "640x360", "--out", out.to_str().unwrap()];
        let done = moiso(&[&day[..], more].concat());
        assert!(done.status.success(), "{done:?}");
        std::fs::read(out).unwrap()
    };
    let at = |ms: u32| format!("2026-11-24T09:41:10.{ms:03}+07:00");
    let [first, sliding, again] = [0, 100, 100].map(|ms| drawn("at.png", &["--at", &at(ms)]));
    assert!(first != sliding, "a tenth of a second after the call it is on its way");
    assert!(sliding == again, "an instant is one picture");

    let theme = folder.path().join("hall.toml");
    std::fs::write(&theme, "base = \"paper\"\n[colours]\nheader = \"#ffffff\"\nground = \"#fffff0\"\n")
        .unwrap();
    let [navy, paper, own] =
        ["navy", "paper", theme.to_str().unwrap()].map(|theme| drawn("themed.png", &["--theme", theme]));
    assert!(navy != paper && paper != own);
    std::fs::write(&theme, "[colours]\nink = \"white\"\n").unwrap();
    let refused = moiso(&["render", "tests/scenes/idle.jsonl", "--theme", theme.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("hall.toml:2: colours.ink: must be a colour"),
        "{said}"
    );
}
