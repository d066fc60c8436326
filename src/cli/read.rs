//! `moiso read`: how a ticket, or every number of a range, is read aloud. Needs neither a voice nor a sound card.

use std::io::Write;

use anyhow::{Context, bail};
use serde_json::json;

use super::output::Output;
use super::say::CallArgs;
use crate::board::input::Form;
use crate::config::{Config, SeriesConfig, SeriesMode};
use crate::speech::Accent;
use crate::speech::number::{MAX_NUMBER, read_number};
use crate::speech::sentence::Wording;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A ticket such as A012, or a range of numbers such as 0..9999
    pub what: String,
    #[command(flatten)]
    pub call: CallArgs,
    /// north (tư, linh, nghìn), south (bốn, lẻ, ngàn) or english
    #[arg(long, default_value = "north", value_parser = accent)]
    pub accent: Accent,
    /// How the ticket's series is read: auto, digits or number
    #[arg(long, value_parser = mode)]
    pub series_mode: Option<SeriesMode>,
    /// The short sentence of a busy hall
    #[arg(long)]
    pub short: bool,
    #[command(flatten)]
    pub output: Output,
}

fn accent(text: &str) -> Result<Accent, String> {
    Accent::parse(text).ok_or_else(|| format!("must be one of: {}", Accent::ALLOWED))
}

fn mode(text: &str) -> Result<SeriesMode, String> {
    match text {
        "auto" => Ok(SeriesMode::Auto),
        "digits" => Ok(SeriesMode::Digits),
        "number" => Ok(SeriesMode::Number),
        _ => Err("must be one of: auto, digits, number".to_owned()),
    }
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some((from, to)) = args.what.split_once("..") {
        return range(from, to, args, &mut out);
    }
    let text = sentence(args, config)?;
    let text = if args.output.json { json!({ "text": text }).to_string() } else { text };
    writeln!(out, "{text}").context("cannot write the sentence")
}

fn range(from: &str, to: &str, args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let bound = |text: &str| text.trim().parse::<u32>().ok().filter(|n| *n <= MAX_NUMBER);
    let (Some(from), Some(to)) = (bound(from), bound(to)) else {
        bail!("a range is written FROM..TO, with numbers from 0 to {MAX_NUMBER}");
    };
    for n in from..=to {
        let text = read_number(n, args.accent);
        let line = if args.output.json {
            json!({ "number": n, "text": text }).to_string()
        } else {
            format!("{n}\t{text}")
        };
        writeln!(out, "{line}").context("cannot write the readings")?;
    }
    Ok(())
}

fn sentence(args: &Args, config: &Config) -> anyhow::Result<String> {
    let call = args.call.parse(&args.what)?;
    let mut config = config.clone();
    if let Some(mode) = args.series_mode {
        let letters: String = args.what.chars().take_while(|c| c.is_alphabetic()).collect();
        let name = if letters.is_empty() { "*".to_owned() } else { letters.to_uppercase() };
        let id = crate::board::call::Series::parse(&name)?;
        config.series = vec![SeriesConfig { id: id.clone(), label: None, mode }];
        let wording = wording(&config, args.accent)?;
        return Ok(said(&wording, &call, Some(&id), args.short));
    }
    Ok(said(&wording(&config, args.accent)?, &call, None, args.short))
}

fn wording(config: &Config, accent: Accent) -> anyhow::Result<Wording> {
    Wording::new(config, accent)
        .map_err(|problems| anyhow::anyhow!("speech.template {}", problems.join("; it ")))
}

fn said(
    wording: &Wording,
    call: &super::say::Called,
    series: Option<&crate::board::call::Series>,
    short: bool,
) -> String {
    let form = if short { Form::Short } else { Form::Full };
    wording.call(&call.ticket, &call.counter, call.kind, &call.lanes, series, form).text
}
