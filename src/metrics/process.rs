//! What the system says of this process, read from `/proc`. What cannot be read is 0.

/// One look.
#[derive(Copy, Clone, Debug, Default)]
pub struct Process {
    pub resident_bytes: i64,
    pub descriptors: i64,
    pub threads: i64,
}

pub fn look() -> Process {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    Process {
        resident_bytes: number(&status, "VmRSS:") * 1024,
        // Listing them takes one more.
        descriptors: i64::try_from(descriptors.saturating_sub(1)).unwrap_or(i64::MAX),
        threads: number(&status, "Threads:"),
    }
}

fn number(status: &str, name: &str) -> i64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_threads_and_files() {
        let Process { resident_bytes, descriptors, threads } = look();
        assert!(resident_bytes > 1 << 20 && descriptors > 2 && threads > 0);
        assert_eq!(number("VmRSS:\t   12 kB\nThreads:\t3\n", "Threads:"), 3);
    }
}
