//! What the PC says of itself: room on the disk, heat.

use std::path::Path;

use crate::health::parts::Machine;

/// Some system calls; a file system that hangs makes it wait.
pub fn look(folder: &Path) -> Machine {
    Machine { free_bytes: free(folder), hottest_c: hottest() }
}

#[cfg(target_os = "linux")]
fn free(folder: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(folder).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
}

#[cfg(not(target_os = "linux"))]
fn free(_: &Path) -> Option<u64> {
    None
}

/// Of the kernel's thermal zones, which tell thousandths of a degree.
fn hottest() -> Option<i64> {
    let zones = std::fs::read_dir("/sys/class/thermal").ok()?.flatten();
    let told = zones.filter_map(|zone| std::fs::read_to_string(zone.path().join("temp")).ok());
    told.filter_map(|text| text.trim().parse::<i64>().ok()).max().map(|thousandths| thousandths / 1000)
}
