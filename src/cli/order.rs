//! `moiso mute`, `unmute`, `volume`, `identify`, `test-call`: a technician's commands to the running daemon.

use serde_json::{Value, json};

use super::client::Connect;
use super::output::Output;
use crate::config::Config;

/// Which screen, and how it is reached.
#[derive(Debug, clap::Args)]
pub struct To {
    /// Another screen of the hall, by its screen.id; left out, that of the daemon
    #[arg(long, value_name = "NAME")]
    pub screen: Option<String>,
    #[command(flatten)]
    pub connect: Connect,
    #[command(flatten)]
    pub output: Output,
}

/// A command to one zone, or to all.
#[derive(Debug, clap::Args)]
pub struct ZoneArgs {
    /// Only this zone; left out, all of the screen's
    pub zone: Option<String>,
    #[command(flatten)]
    pub to: To,
}

#[derive(Debug, clap::Args)]
pub struct VolumeArgs {
    /// 0 to 100; holds until the next change of audio.schedule or the next start
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    pub percent: u8,
    #[command(flatten)]
    pub to: To,
}

#[derive(Debug, clap::Args)]
pub struct PlainArgs {
    #[command(flatten)]
    pub to: To,
}

/// # Errors
/// What the daemon refuses, or that it cannot be reached.
pub fn zone(args: &ZoneArgs, what: &str, config: &Config) -> anyhow::Result<()> {
    send(&args.to, what, args.zone.as_deref().map(Value::from), config)
}

/// # Errors
/// As for [`zone`].
pub fn volume(args: &VolumeArgs, config: &Config) -> anyhow::Result<()> {
    send(&args.to, "volume", Some(args.percent.into()), config)
}

/// # Errors
/// As for [`zone`].
pub fn plain(args: &PlainArgs, what: &str, config: &Config) -> anyhow::Result<()> {
    send(&args.to, what, None, config)
}

fn send(to: &To, what: &str, value: Option<Value>, config: &Config) -> anyhow::Result<()> {
    let mut request = json!({ "type": "command", "do": what });
    if let Some(value) = value {
        request["value"] = value;
    }
    if let Some(screen) = &to.screen {
        request["screen"] = screen.as_str().into();
    }
    to.connect.ask(config, request.clone())?;
    if let Some(request) = request.as_object_mut() {
        request.remove("type");
    }
    // What another screen makes of it is in its own journal.
    let done = if to.screen.is_some() { "sent" } else { "done" };
    to.output.tell(format!("{what}: {done}"), &request);
    Ok(())
}
