//! The systemd units: systemd itself reads them, and says how much the process of the system's unit may do.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

const UNITS: [&str; 3] = ["moiso.service", "moiso@.service", "moiso-screen.service"];

fn unit(name: &str) -> String {
    std::fs::read_to_string(format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Runs `systemd-analyze` on a copy of a unit that names a program which is there.
fn analyze(name: &str, text: &str, args: &[&str]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text.replace("/usr/local/bin/moiso", env!("CARGO_BIN_EXE_moiso"))).unwrap();
    let output =
        Command::new("systemd-analyze").args(args).arg(&file).output().expect("systemd is installed");
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), told)
}

#[test]
fn systemd_reads_every_unit_without_a_word() {
    for name in UNITS {
        let (well, told) = analyze(name, &unit(name), &["verify", "--man=no", "--recursive-errors=no"]);
        assert!(well && told.is_empty(), "{name}: {told}");
    }
    let broken = unit("moiso.service").replace("WatchdogSec=60", "WatchdogSec=soon");
    let (_, told) = analyze("moiso.service", &broken, &["verify", "--man=no", "--recursive-errors=no"]);
    assert!(told.contains("Failed to parse sec value"), "it sees a mistake: {told}");
}

#[test]
fn the_process_of_the_systems_unit_may_do_little() {
    // A tenth of a point is 1 here.
    let args = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    let (well, told) = analyze("moiso-screen.service", &unit("moiso-screen.service"), &args);
    assert!(well, "{told}");
    let open = unit("moiso-screen.service").replace("CapabilityBoundingSet=\n", "");
    assert!(!analyze("moiso-screen.service", &open, &args).0, "an open unit is seen");
}

#[test]
fn what_the_drivers_need_stays_allowed() {
    for name in UNITS {
        let unit = unit(name);
        let lines: Vec<&str> = unit.lines().filter(|line| !line.starts_with('#')).collect();
        for forbidden in
            ["MemoryDenyWriteExecute=yes", "PrivateDevices=yes", "PrivateNetwork=yes", "ProcSubset=pid"]
        {
            assert!(!lines.contains(&forbidden), "{name}: {forbidden}");
        }
        assert!(lines.contains(&"SystemCallErrorNumber=EPERM"), "{name}: a refused call must not kill");
    }
}
