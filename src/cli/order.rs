//! `moiso mute`, `unmute`, `volume`, `identify`, `test-call`: a technician's commands to the running daemon.

use serde_json::{Value, json};

use super::client::Connect;
use crate::config::Config;

/// A command to one zone, or to all.
#[derive(Debug, clap::Args)]
pub struct ZoneArgs {
    /// Only this zone; left out, all of the screen's
    pub zone: Option<String>,
    #[command(flatten)]
    pub connect: Connect,
}

#[derive(Debug, clap::Args)]
pub struct VolumeArgs {
    /// 0 to 100; holds until the next change of audio.schedule or the next start
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    pub percent: u8,
    #[command(flatten)]
    pub connect: Connect,
}

#[derive(Debug, clap::Args)]
pub struct PlainArgs {
    #[command(flatten)]
    pub connect: Connect,
}

/// # Errors
/// What the daemon refuses, or that it cannot be reached.
pub fn zone(args: &ZoneArgs, what: &str, config: &Config) -> anyhow::Result<()> {
    send(&args.connect, what, args.zone.as_deref().map(Value::from), config)
}

/// # Errors
/// As for [`zone`].
pub fn volume(args: &VolumeArgs, config: &Config) -> anyhow::Result<()> {
    send(&args.connect, "volume", Some(args.percent.into()), config)
}

/// # Errors
/// As for [`zone`].
pub fn plain(args: &PlainArgs, what: &str, config: &Config) -> anyhow::Result<()> {
    send(&args.connect, what, None, config)
}

fn send(connect: &Connect, what: &str, value: Option<Value>, config: &Config) -> anyhow::Result<()> {
    let mut request = json!({ "type": "command", "do": what });
    if let Some(value) = value {
        request["value"] = value;
    }
    connect.ask(config, request)?;
    println!("{what}: done");
    Ok(())
}
