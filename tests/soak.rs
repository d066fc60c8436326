//! A short soak: a real daemon through two days of fifty seconds, with a kill, a cut and all the rest.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

#[test]
fn two_short_days_with_a_kill_lose_nothing_and_are_told_on_a_page() {
    let out = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .args(["soak", "--hours", "0.0278", "--day-s", "50", "--size", "640x360", "--out"])
        .arg(out.path())
        .env("MOISO_PATHS_SOUNDS", concat!(env!("CARGO_MANIFEST_DIR"), "/sounds"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let data = std::fs::read(out.path().join("soak.json")).unwrap_or_else(|_| panic!("{told}"));
    let data: serde_json::Value = serde_json::from_slice(&data).unwrap();
    let number = |value: &serde_json::Value| value.as_u64().unwrap();
    let calls = &data["calls"];
    assert!(number(&calls["sent"]) > 10, "{told}");
    assert_eq!((number(&calls["lost"]), number(&calls["twice"])), (0, 0), "{told}");
    assert!(number(&calls["spoken"]) > 0 && number(&calls["shown"]) > 0, "{told}");
    let done = &data["done"];
    for what in ["kill -9", "way to the broker cut", "payloads that do not fit", "notices pushed and ended"] {
        assert!(number(&done[what]) > 0, "{what}: {done}");
    }
    assert_eq!((number(&data["ended"]), number(&data["panics"])), (0, 0), "{told}");
    let samples = data["samples"].as_array().unwrap();
    assert!(samples.len() > 8 && samples.iter().any(|s| s["life"] == 2), "{told}");
    let told_of = |key: &str| samples.iter().filter(|s| s[key].is_number()).count();
    for key in ["pss_kib", "descriptors", "threads", "atlas_growths", "journal_kib"] {
        assert!(told_of(key) * 2 > samples.len(), "{key} is seen");
    }
    let page = std::fs::read_to_string(out.path().join("soak.html")).unwrap();
    assert!(page.matches("<svg").count() == 7 && page.len() < 300_000);
    // A machine that is busy may draw too late for the spotlight; nothing else may be wrong.
    let complaints = data["complaints"].as_array().unwrap();
    assert!(complaints.iter().all(|c| c.as_str().unwrap().contains("spotlight")), "{complaints:?}");
    assert_eq!(run.status.success(), complaints.is_empty(), "{told}");
}
