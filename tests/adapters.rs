//! What is shown and said where no driver can draw, with the whole program.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

#[path = "glass/xvfb.rs"]
#[allow(dead_code, reason = "the tests of the window use the rest")]
mod xvfb;

use std::time::Duration;

use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::pulse::Pulse;
use support::{call, until};
use xvfb::Xvfb;

const SOON: Duration = Duration::from_secs(20);
/// No driver of Vulkan is found.
const NO_VULKAN: [(&str, &str); 2] = [("VK_DRIVER_FILES", "/dev/null"), ("VK_ICD_FILENAMES", "/dev/null")];
/// Nor one of GL.
const NO_GL: (&str, &str) = ("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null");

/// A daemon that finds no driver, and presents in a way.
fn without_driver(broker: &Mosquitto, pulse: &Pulse, screen: &Xvfb, present: &str) -> Daemon {
    let [vulkan, older] = NO_VULKAN;
    let env = [vulkan, older, NO_GL, ("DISPLAY", screen.display.as_str()), ("MOISO_SCREEN_PRESENT", present)];
    Daemon::start_in(broker, Some(pulse), &env)
}

#[test]
fn without_any_driver_the_processor_draws_and_calls_are_shown_and_spoken() {
    let (broker, pulse, screen) = (Mosquitto::start(), Pulse::start(), Xvfb::start(1280, 720));
    let daemon = without_driver(&broker, &pulse, &screen, "auto");
    until(SOON, "the window is up", || daemon.status()["present"] == "software");
    until(SOON, "it is ready", || support::daemon::get(daemon.port(), "/readyz").is_some());
    let proofs = broker.subscribe("moiso/dong-da/screen/sanh-1/proof");
    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);
    until(Duration::from_secs(60), "it is spoken", || daemon.status()["spoken"] == 1);
    let proof = proofs.wait_for(|m| m.contains(r#""call":"c-1""#) && m.contains("drawn"));
    assert!(proof.contains(r#""outcome":"spoken""#), "{proof}");
}

#[test]
fn without_vulkan_gl_presents_where_a_surface_is_wanted() {
    let (broker, screen) = (Mosquitto::start(), Xvfb::start(1280, 720));
    let [vulkan, older] = NO_VULKAN;
    let env = [vulkan, older, ("DISPLAY", screen.display.as_str()), ("MOISO_SCREEN_PRESENT", "surface")];
    let daemon = Daemon::start_in(&broker, None, &env);
    until(SOON, "GL draws", || daemon.status()["gpu"].as_str().is_some_and(|gpu| gpu.contains(", gl, ")));
    until(SOON, "it is ready", || support::daemon::get(daemon.port(), "/readyz").is_some());
    assert_eq!(daemon.status()["present"], "surface");
}

#[test]
fn where_a_surface_is_wanted_and_no_driver_gives_one_calls_are_spoken_all_the_same_and_the_reason_is_told() {
    let (broker, pulse, screen) = (Mosquitto::start(), Pulse::start(), Xvfb::start(1280, 720));
    let daemon = without_driver(&broker, &pulse, &screen, "surface");
    until(SOON, "the link comes up", || daemon.is_linked());
    until(SOON, "the reason is told", || {
        daemon.status()["gpu"].as_str().is_some_and(|gpu| gpu.starts_with("rebuilding: "))
    });
    let proofs = broker.subscribe("moiso/dong-da/screen/sanh-1/proof");
    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);
    until(Duration::from_secs(60), "it is spoken", || daemon.status()["spoken"] == 1);
    let proof = proofs.wait_for(|m| m.contains(r#""call":"c-1""#));
    assert!(proof.contains(r#""outcome":"spoken""#) && !proof.contains("drawn"), "{proof}");
}

/// What a process holds in memory that is in no file, MB.
fn memory_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1000.0
}

/// A driver that draws on the processor has been seen to keep two thirds of a megabyte of each of these calls.
#[test]
fn calls_that_a_window_has_shown_leave_no_memory_behind() {
    let (broker, screen) = (Mosquitto::start(), Xvfb::start(1280, 720));
    let env = [("DISPLAY", screen.display.as_str()), ("MOISO_SCREEN_PRESENT", "software")];
    let daemon = Daemon::start_in(&broker, None, &env);
    until(SOON, "the window is up", || daemon.status()["present"] == "software");
    until(SOON, "the link comes up", || daemon.is_linked());
    let frames = || daemon.status()["frames"].as_u64().unwrap();
    let calls = |range: std::ops::Range<u32>| {
        let (drawn, few) = (frames(), u64::from(range.end - range.start) * 3 / 4);
        for n in range {
            let (ticket, counter) = (format!("A{:03}", 100 + n * 37 % 900), (n % 11 + 1).to_string());
            broker.publish("moiso/dong-da/call", &call(&format!("c-{n}"), &ticket, &counter, "call"), &[]);
            std::thread::sleep(Duration::from_millis(60));
        }
        until(SOON, "most had a frame of their own", || frames() >= drawn + few);
        memory_mb(daemon.pid())
    };
    let before = calls(0..40);
    let after = calls(40..160);
    assert!(after - before < 12.0, "{before} MB after 40 calls, {after} MB after 160");
}
