//! `moiso demo`: a hall at work in one command.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::app;
use crate::config::hours::Hours;
use crate::config::{Config, EmbeddedConfig, MqttConfig};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many times faster than a real hall the simulated one works.
    #[arg(long, default_value_t = 10.0, value_parser = speed)]
    speed: f64,
    /// Stops after so many minutes; without it, at Ctrl-C.
    #[arg(long, value_parser = minutes)]
    minutes: Option<f64>,
    /// Repeats the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.1..=1000.0).contains(&speed) { Ok(speed) } else { Err("must be from 0.1 to 1000".into()) }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.01..=10_000.0).contains(&minutes) { Ok(minutes) } else { Err("must be from 0.01 to 10000".into()) }
}

pub fn run(args: &Args, mut config: Config) -> anyhow::Result<()> {
    app::init_logging();
    // The demo is on at any time of day, and keeps nothing.
    config.hours = Hours { enabled: false, ..config.hours };
    let state = StateFolder::new()?;
    config.paths.state = Some(state.0.clone());
    config.mqtt = alone(app::free_address(1883)?, config.mqtt);
    config.control.listen = Some(app::free_address(8088)?);
    let extras = app::Extras {
        demo: Some(app::Demo { speed: args.speed, seed: args.seed }),
        config: None,
        stop_after: args.minutes.map(|m| Duration::from_secs_f64(m * 60.0)),
    };
    app::App::start(config, &extras)?.run()
}

/// The link to the demo's own broker and to no other: a hall's broker must not hear of a hall that does not exist.
fn alone(listen: SocketAddr, mqtt: MqttConfig) -> MqttConfig {
    let embedded =
        EmbeddedConfig { listen: Some(listen), websocket: None, users_file: None, insecure: false };
    MqttConfig {
        brokers: embedded.address().into_iter().collect(),
        client_id: String::new(),
        username: None,
        password: None,
        password_file: None,
        ca_file: None,
        cert_file: None,
        key_file: None,
        embedded,
        ..mqtt
    }
}

/// A folder that goes when the demo ends.
struct StateFolder(PathBuf);

impl StateFolder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("moiso-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        // Left behind, it is a few bytes in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
