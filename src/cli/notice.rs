//! `moiso notice`: puts, lists and ends notices through the running daemon.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::client::Connect;
use super::output::Output;
use crate::board::state::Level;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub what: What,
    #[command(flatten)]
    pub connect: Connect,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Shows a notice on the ticker, and says it if asked to
    Put(Box<Put>),
    /// Shows the live notices
    List,
    /// Ends a notice
    Delete {
        /// Its id, as `put` and `list` print it
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct Put {
    /// What is shown, at most 500 characters
    pub text: String,
    /// The same in English
    #[arg(long, value_name = "TEXT")]
    pub en: Option<String>,
    /// info, important or emergency (takes the whole screen)
    #[arg(long, default_value = "info", value_parser = level)]
    pub level: Level,
    /// How long, such as 30m or 2h
    #[arg(long = "for", value_name = "SPAN", value_parser = seconds, conflicts_with = "until")]
    pub span: Option<u64>,
    /// Until when: HH:MM today, or a time with an offset
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// From when, a time with an offset
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Replaces the notice of this id
    #[arg(long)]
    pub id: Option<String>,
    /// Only these zones
    #[arg(long = "zone", value_name = "ZONE")]
    pub zones: Vec<String>,
    /// An address or a text that the board shows beside it as a QR code
    #[arg(long, value_name = "TEXT")]
    pub qr: Option<String>,
    /// Also says it
    #[arg(long)]
    pub speak: bool,
    /// With `--speak`, what is heard instead of the text: an id from `POST /api/recording` of the same daemon
    #[arg(long, value_name = "ID")]
    pub recording: Option<String>,
    /// The same from a sound file (WAV, FLAC, Ogg or MP3, at most a minute), which is sent to the daemon first
    #[arg(long, value_name = "FILE", conflicts_with = "recording")]
    pub sound: Option<PathBuf>,
}

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| format!("is not one of: {}", Level::ALLOWED))
}

fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "is not a span such as 45s, 30m or 2h".to_owned();
    let span = SignedDuration::from_str(text).map_err(|_| wrong())?;
    u64::try_from(span.as_secs()).ok().filter(|s| *s > 0).ok_or_else(wrong)
}

impl Put {
    fn request(&self) -> Value {
        let mut request = json!({
            "type": "notice.put",
            "text": { "vi": self.text },
            "level": self.level.as_str(),
            "zones": self.zones,
            "speak": self.speak,
        });
        let optional = [
            ("until", &self.until),
            ("from", &self.from),
            ("id", &self.id),
            ("qr", &self.qr),
            ("recording", &self.recording),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                request[name] = value.as_str().into();
            }
        }
        if let Some(en) = &self.en {
            request["text"]["en"] = en.as_str().into();
        }
        if let Some(span) = self.span {
            request["for_s"] = span.into();
        }
        request
    }
}

/// # Errors
/// What the daemon refuses, or that it cannot be reached.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.what {
        What::Put(put) => {
            let mut request = put.request();
            if let Some(path) = &put.sound {
                let sound = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
                let kept = args.connect.send_sound(config, &sound)?;
                request["recording"] = kept["recording"].clone();
            }
            let reply = args.connect.ask(config, request)?;
            args.output.tell(reply["id"].as_str().unwrap_or_default(), &reply["notice"]);
        }
        What::Delete { id } => {
            args.connect.ask(config, json!({ "type": "notice.delete", "id": id }))?;
            if args.output.json {
                println!("{}", json!({ "id": id }));
            }
        }
        What::List => {
            let reply = args.connect.ask(config, json!({ "type": "notice.list" }))?;
            if args.output.json {
                println!("{:#}", reply["notices"]);
            } else {
                let zone = TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC);
                for notice in reply["notices"].as_array().into_iter().flatten() {
                    println!("{}", line(notice, &zone));
                }
            }
        }
    }
    Ok(())
}

/// `id  level  until  text`, with times in the hall's zone.
fn line(notice: &Value, zone: &TimeZone) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let until = notice["until"].as_str().and_then(|at| Timestamp::from_str(at).ok());
    let until =
        until.map_or_else(|| "-".to_owned(), |at| zone.to_datetime(at).strftime("%d/%m %H:%M").to_string());
    format!("{}\t{}\t{until}\t{}", text(&notice["id"]), text(&notice["level"]), text(&notice["text"]["vi"]))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_notice_is_asked_for_as_the_protocol_has_it() {
        let given =
            "moiso put Hết_số --level important --for 30m --speak --zone sanh --qr https://hall.example";
        let given = given.split(' ').map(|word| word.replace('_', " "));
        let Args { what: What::Put(put), .. } = Line::try_parse_from(given).unwrap().args else { panic!() };
        let wanted = json!({
            "type": "notice.put", "text": { "vi": "Hết số" }, "level": "important", "zones": ["sanh"],
            "speak": true, "for_s": 1800, "qr": "https://hall.example",
        });
        assert_eq!(put.request(), wanted);
    }

    #[test]
    fn nonsense_is_refused_before_anything_is_sent() {
        for given in [["--for", "soon"], ["--for", "-5m"], ["--level", "loud"]] {
            let line = ["moiso", "put", "Hết số", given[0], given[1]];
            assert!(Line::try_parse_from(line).is_err(), "{given:?}");
        }
        assert!(Line::try_parse_from(["moiso", "put", "x", "--for", "5m", "--until", "10:00"]).is_err());
    }

    #[test]
    fn a_listed_notice_tells_its_end_in_the_halls_own_time() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let notice = json!({ "id": "a", "level": "info", "until": "2026-11-24T03:00:00Z", "text": { "vi": "Hết số" } });
        assert_eq!(line(&notice, &zone), "a\tinfo\t24/11 10:00\tHết số");
    }
}
