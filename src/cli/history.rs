//! `moiso history`: what this screen did with a ticket, from its journal; also while the daemon runs.

use std::io::Write;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, civil};
use serde_json::json;

use super::output::Output;
use crate::board::Rules;
use crate::board::call::Ticket;
use crate::board::input::Outcome;
use crate::config::Config;
use crate::config::load::state_dir;
use crate::journal::{FILE, Query, Store, Story};
use crate::wire::hash_word;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ticket, such as A012; left out, all
    pub ticket: Option<String>,
    /// The day; left out, today
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub day: Option<civil::Date>,
    /// At most so many, the newest
    #[arg(long, default_value_t = 1000)]
    pub limit: usize,
    /// Comma-separated values, with a head line
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    #[command(flatten)]
    pub output: Output,
}

/// # Errors
/// When there is no journal, or it cannot be read.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let zone = Rules::of(config).time_zone;
    let query = query(args, &zone)?;
    let path = state_dir(config).join(FILE);
    if !path.is_file() {
        bail!("there is no journal at {}; paths.state names the folder of the daemon", path.display());
    }
    let cannot = || format!("cannot read {}", path.display());
    let store = Store::read_only(&path).with_context(cannot)?;
    let mut stories = store.stories(&query).with_context(cannot)?;
    stories.reverse();
    let mut out = std::io::stdout().lock();
    if args.csv {
        writeln!(
            out,
            "received,at,ticket,kind,counter,outcome,drawn,frame,frame_hash,speech_from,speech_to,again,id"
        )?;
    }
    for story in &stories {
        let line = match (args.csv, args.output.json) {
            (true, _) => csv(story, &zone),
            (_, true) => object(story, &zone),
            _ => words(story, &zone),
        };
        writeln!(out, "{line}")?;
    }
    if stories.is_empty() && !args.csv && !args.output.json {
        let what = args.ticket.as_deref().unwrap_or("nothing");
        writeln!(out, "{what} was not called on this screen on {}", zone.to_datetime(query.since).date())?;
    }
    Ok(())
}

fn query(args: &Args, zone: &TimeZone) -> anyhow::Result<Query> {
    let ticket = args.ticket.as_deref().map(|text| Ticket::parse(&text.to_uppercase())).transpose();
    let day = args.day.unwrap_or_else(|| zone.to_datetime(Timestamp::now()).date());
    let start = |day: civil::Date| zone.to_timestamp(day.to_datetime(civil::Time::midnight()));
    Ok(Query {
        ticket: ticket.with_context(|| format!("ticket {:?}", args.ticket.as_deref().unwrap_or_default()))?,
        since: start(day)?,
        until: start(day.checked_add(1.day())?)?,
        limit: args.limit,
    })
}

fn clock(at: Option<Timestamp>, zone: &TimeZone) -> String {
    at.map(|at| zone.to_datetime(at).strftime("%H:%M:%S").to_string()).unwrap_or_default()
}

/// `09:40:01  A012  call      counter 5   spoken, 09:40:02 to 09:40:14, drawn 09:40:01`.
fn words(story: &Story, zone: &TimeZone) -> String {
    let call = &story.call;
    let outcome = match story.outcome {
        Some(outcome) => outcome.as_str(),
        None if story.began.is_some() => "cut off by a restart",
        None if call.kind.summons() => "not known yet",
        None => "",
    };
    let span = match (story.speech_from, story.speech_to) {
        (Some(_), Some(_)) => {
            format!(", {} to {}", clock(story.speech_from, zone), clock(story.speech_to, zone))
        }
        _ => String::new(),
    };
    let drawn = story.drawn.map(|frame| format!(", drawn {}", clock(Some(frame.at), zone)));
    let again = match story.outcome {
        Some(Outcome::Spoken) if story.again => ", again after a restart",
        Some(Outcome::Expired | Outcome::Muted | Outcome::Superseded)
            if story.again || story.speech_from.is_some() =>
        {
            ", begun and perhaps heard"
        }
        _ => "",
    };
    let head = format!(
        "{}  {:<12}  {:<8}  counter {:<4}",
        clock(Some(story.received), zone),
        call.ticket.as_str(),
        call.kind.as_str(),
        call.counter.as_str()
    );
    format!("{head}  {outcome}{span}{}{again}", drawn.unwrap_or_default()).trim_end().to_owned()
}

fn fields(story: &Story, zone: &TimeZone) -> [(&'static str, Option<String>); 13] {
    let call = &story.call;
    let time = |at: Timestamp| at.display_with_offset(zone.to_offset(at)).to_string();
    [
        ("received", Some(time(story.received))),
        ("at", Some(time(call.at))),
        ("ticket", Some(call.ticket.as_str().to_owned())),
        ("kind", Some(call.kind.as_str().to_owned())),
        ("counter", Some(call.counter.as_str().to_owned())),
        ("outcome", story.outcome.map(|outcome| outcome.as_str().to_owned())),
        ("drawn", story.drawn.map(|frame| time(frame.at))),
        ("frame", story.drawn.map(|frame| frame.number.to_string())),
        ("frame_hash", story.drawn.map(|frame| hash_word(frame.hash))),
        ("speech_from", story.speech_from.map(time)),
        ("speech_to", story.speech_to.map(time)),
        ("again", Some(story.again.to_string())),
        ("id", Some(call.id.as_str().to_owned())),
    ]
}

fn csv(story: &Story, zone: &TimeZone) -> String {
    let cell = |(_, value): (&str, Option<String>)| {
        let value = value.unwrap_or_default();
        // A spreadsheet takes a cell that begins so for a formula.
        let formula = value.starts_with(['=', '+', '-', '@']);
        let value = if formula { format!("'{value}") } else { value };
        if value.contains([',', '"']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
    };
    fields(story, zone).map(cell).join(",")
}

fn object(story: &Story, zone: &TimeZone) -> String {
    let mut out = serde_json::Map::new();
    for (name, value) in fields(story, zone) {
        if let Some(value) = value {
            out.insert(name.to_owned(), json!(value));
        }
    }
    out.insert("again".to_owned(), json!(story.again));
    if let Some(frame) = story.drawn {
        out.insert("frame".to_owned(), json!(frame.number));
    }
    serde_json::Value::Object(out).to_string()
}
