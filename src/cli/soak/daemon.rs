//! The daemon of a soak as a child: started, killed, looked at.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::soak::Sample;

/// After SIGTERM, before it is killed.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

pub struct Daemon {
    config: PathBuf,
    pub state: PathBuf,
    log: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    /// Whether a display may be used.
    display: bool,
    child: Option<Child>,
    /// How many processes there have been.
    pub lives: usize,
    born: Instant,
}

impl Daemon {
    pub fn new(
        folder: &Path,
        config: PathBuf,
        environment: Vec<(&'static str, OsString)>,
        display: bool,
    ) -> Self {
        let (state, log) = (folder.join("state"), folder.join("log"));
        Self { config, state, log, environment, display, child: None, lives: 0, born: Instant::now() }
    }

    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = fs::File::options().append(true).create(true).open(&self.log)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--config").arg(&self.config).arg("run");
        // Ctrl-C ends the soak, not what it judges.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.env_remove("NOTIFY_SOCKET").env_remove("MOISO_CONFIG").envs(self.environment.iter().cloned());
        if !self.display {
            command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        }
        self.child = Some(command.spawn().context("starting the daemon")?);
        (self.lives, self.born) = (self.lives + 1, Instant::now());
        Ok(())
    }

    pub fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Whether it has ended although nobody told it to.
    pub fn has_fallen(&mut self) -> bool {
        let ended = self.child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
        if ended {
            self.kill();
        }
        ended
    }

    /// Ends it as the system would.
    pub fn stop(&mut self) {
        if let Some(child) = &mut self.child {
            let told = Command::new("kill").arg(child.id().to_string()).status();
            let start = Instant::now();
            while told.is_ok() && start.elapsed() < STOPS_WITHIN && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.kill();
    }

    /// What the system says of the process and of its files.
    pub fn look(&self) -> Sample {
        let mut sample =
            Sample { life: self.lives, age_s: self.born.elapsed().as_secs_f64(), ..Sample::default() };
        let kib = |name: &str| fs::metadata(self.state.join(name)).ok().map(|m| m.len() as f64 / 1024.0);
        sample.journal_kib = kib("journal.db");
        sample.wal_kib = Some(kib("journal.db-wal").unwrap_or(0.0));
        let Some(pid) = self.child.as_ref().map(Child::id) else { return sample };
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        sample.pss_kib = field(&read("smaps_rollup"), "Pss:");
        let status = read("status");
        sample.rss_kib = field(&status, "VmRSS:");
        sample.threads = field(&status, "Threads:");
        sample.descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|dir| dir.count() as f64);
        sample
    }

    /// Lines of the log that tell of a panic.
    pub fn panics(&self) -> usize {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().filter(|line| line.contains("panicked at")).count()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The number of a line `NAME  VALUE kB`.
fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "Rss:  10 kB\nPss_Dirty:   3 kB\nPss:     7 kB\n";
        assert_eq!((field(text, "Pss:"), field(text, "Swap:")), (Some(7.0), None));
    }
}
