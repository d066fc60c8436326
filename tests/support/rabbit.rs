//! A real RabbitMQ with its MQTT plug-in, on free ports with files of its own. It keeps retained messages and does not
//! deliver them to a subscription with a wildcard.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::support::mosquitto::free_port;
use super::support::until;

pub struct Rabbit {
    pub port: u16,
    folder: tempfile::TempDir,
    process: Child,
    /// Erlang's register of names, which would otherwise be started as a daemon and stay.
    names: Child,
}

/// Debian's own start script wants another user; the program itself does not.
fn program() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/rabbitmq/lib").expect("rabbitmq-server is installed");
    let found = versions.filter_map(|entry| Some(entry.ok()?.path().join("sbin/rabbitmq-server")));
    found.into_iter().find(|path| path.exists()).expect("rabbitmq-server is installed")
}

impl Rabbit {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, distribution, amqp) = (free_port(), free_port(), free_port());
        let file = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let config = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\nmqtt.allow_anonymous = true\n"
        );
        let config = file("rabbitmq.conf", &config);
        let plugins = file("enabled_plugins", "[rabbitmq_mqtt].\n");
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let register = free_port().to_string();
        let names =
            Command::new("epmd").env("ERL_EPMD_PORT", &register).env("ERL_EPMD_ADDRESS", "127.0.0.1").spawn();
        let process = Command::new(program())
            .env("ERL_EPMD_PORT", &register)
            .env("HOME", folder.path())
            .env("RABBITMQ_NODENAME", format!("moiso-{port}@localhost"))
            .env("RABBITMQ_DIST_PORT", distribution.to_string())
            .env("RABBITMQ_CONFIG_FILE", config)
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", plugins)
            .env("RABBITMQ_MNESIA_BASE", folder.path().join("mnesia"))
            .env("RABBITMQ_LOG_BASE", folder.path().join("logs"))
            .env("RABBITMQ_PID_FILE", folder.path().join("pid"))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let rabbit = Self { port, folder, process, names: names.expect("erlang is installed") };
        until(Duration::from_secs(90), "RabbitMQ listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        rabbit
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        // The script has children: the virtual machine and its helpers.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
        let _ = self.names.kill();
        let _ = self.names.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default());
        }
    }
}
