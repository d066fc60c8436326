//! `moiso call`: calls a ticket to a counter through the running daemon.

use serde_json::json;

use super::client::Connect;
use super::output::Output;
use crate::board::call::{Kind, Lane};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ticket as printed, such as A012
    pub ticket: String,
    /// The counter that it is called to
    #[arg(long, short)]
    pub counter: String,
    /// Why its holder is served the way they are: elderly, merit, disabled, pregnant, child, booked …
    #[arg(long, value_parser = lane)]
    pub lane: Option<Lane>,
    /// The series, where the ticket's letter does not name it
    #[arg(long)]
    pub series: Option<String>,
    #[command(flatten)]
    pub what: What,
    #[command(flatten)]
    pub connect: Connect,
    #[command(flatten)]
    pub output: Output,
}

/// Instead of a first call.
#[derive(Copy, Clone, Debug, Default, clap::Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "one switch each, of which the parser allows one")]
pub struct What {
    /// Call the same ticket again
    #[arg(long)]
    pub recall: bool,
    /// Move the ticket to this counter
    #[arg(long)]
    pub transfer: bool,
    /// The citizen came: stop announcing
    #[arg(long)]
    pub serving: bool,
    /// Nobody came
    #[arg(long)]
    pub absent: bool,
    /// The call was a mistake
    #[arg(long)]
    pub cancel: bool,
}

impl What {
    fn kind(self) -> Kind {
        let chosen = [
            (self.recall, Kind::Recall),
            (self.transfer, Kind::Transfer),
            (self.serving, Kind::Serving),
            (self.absent, Kind::Absent),
            (self.cancel, Kind::Cancel),
        ];
        chosen.into_iter().find(|(given, _)| *given).map_or(Kind::Call, |(_, kind)| kind)
    }
}

fn lane(text: &str) -> Result<Lane, String> {
    Lane::parse(text).map_err(|error| error.to_string())
}

/// # Errors
/// What the daemon refuses, or that it cannot be reached.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let kind = args.what.kind();
    let mut request = json!({
        "type": "call", "ticket": args.ticket, "counter": args.counter, "kind": kind.as_str(),
    });
    if let Some(lane) = args.lane {
        request["lane"] = lane.as_str().into();
    }
    if let Some(series) = &args.series {
        request["series"] = series.as_str().into();
    }
    let reply = args.connect.ask(config, request)?;
    let (kind, id) = (kind.as_str(), reply["id"].as_str().unwrap_or("?"));
    args.output.tell(
        format!("{kind} {} counter {} ({id})", args.ticket, args.counter),
        &json!({ "id": id, "kind": kind, "ticket": args.ticket, "counter": args.counter }),
    );
    Ok(())
}
