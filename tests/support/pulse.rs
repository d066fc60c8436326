//! A sound card that keeps time: PulseAudio with a null sink whose monitor is recorded.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::until;

const SINK: &str = "module-null-sink sink_name=hall rate=48000 channels=2";

/// The server and its recorder, of one test alone.
pub struct Pulse {
    home: tempfile::TempDir,
    server: Child,
    recorder: Child,
    recording: PathBuf,
}

impl Pulse {
    pub fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("run")).unwrap();
        std::fs::write(
            home.path().join(".asoundrc"),
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n",
        )
        .unwrap();
        let program = |name: &str| {
            let mut command = Command::new(name);
            command.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path().join("run"));
            command.env_remove("PULSE_SERVER").env_remove("DBUS_SESSION_BUS_ADDRESS");
            command.stdin(Stdio::null()).stderr(Stdio::null());
            command
        };
        let server = program("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-level=error"])
            .args(["-L", "module-native-protocol-unix", "-L", SINK])
            .stdout(Stdio::null())
            .spawn()
            .expect("pulseaudio is installed");
        until(Duration::from_secs(20), "PulseAudio answers", || {
            program("pactl").arg("info").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
        });
        let recording = home.path().join("heard.raw");
        let recorder = program("parec")
            .args([
                "-d",
                "hall.monitor",
                "--format=s16le",
                "--rate=48000",
                "--channels=1",
                "--latency-msec=20",
            ])
            .stdout(File::create(&recording).unwrap())
            .spawn()
            .expect("parec is installed");
        until(Duration::from_secs(20), "the recorder runs", || {
            recording.metadata().is_ok_and(|m| m.len() > 0)
        });
        Self { home, server, recorder, recording }
    }

    /// Lets a program play to this card.
    pub fn point(&self, command: &mut Command) {
        command.env("HOME", self.home.path()).env("XDG_RUNTIME_DIR", self.home.path().join("run"));
        command.env_remove("PULSE_SERVER").env_remove("DBUS_SESSION_BUS_ADDRESS");
    }

    /// Where `needle` lies in what was heard, at sample `from` or later; the recorder may be a little behind the card.
    pub fn find(&self, needle: &[f32], from: usize) -> Range<usize> {
        let mut found = Err(String::new());
        let by = Instant::now() + Duration::from_secs(5);
        while found.is_err() && Instant::now() < by {
            found = super::sound::find(needle, &self.recording(), from);
            std::thread::sleep(Duration::from_millis(20));
        }
        found.unwrap_or_else(|why| panic!("it is not in what was heard: {why}"))
    }

    /// All that was heard up to now, 48 kHz mono.
    pub fn recording(&self) -> Vec<f32> {
        super::sound::pcm16(&std::fs::read(&self.recording).unwrap())
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        for child in [&mut self.recorder, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
