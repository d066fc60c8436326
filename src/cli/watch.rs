//! `moiso watch`: what happens on a screen, as it happens, one JSON object a line; `moiso status`: how it is.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{ClientError, Connect};
use super::output::Output;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// view, notices, health, proofs, screens, speech; may be given several times [default: all]
    #[arg(long = "topic", value_parser = ["view", "notices", "health", "proofs", "screens", "speech"])]
    pub topics: Vec<String>,
    #[command(flatten)]
    pub connect: Connect,
}

#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub connect: Connect,
    #[command(flatten)]
    pub output: Output,
}

/// Prints events until the daemon goes or nobody reads.
///
/// # Errors
/// [`ClientError`] when it cannot be reached, refuses, or has gone.
pub fn watch(args: &WatchArgs, config: &Config) -> anyhow::Result<()> {
    let all = ["view", "notices", "health", "proofs", "screens", "speech"].map(str::to_owned);
    let topics = if args.topics.is_empty() { &all[..] } else { &args.topics[..] };
    args.connect.listen(config, topics, |event| {
        let mut out = std::io::stdout().lock();
        // Who reads no more wants no more.
        writeln!(out, "{event}").and_then(|()| out.flush()).is_ok()
    })?;
    Ok(())
}

/// Prints one screen of health; the exit code is 0 when all is well, 1 when something is, 3 when the daemon is down.
///
/// # Errors
/// [`ClientError`] when it cannot be reached or refuses.
pub fn status(args: &StatusArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let mut health = None;
    args.connect.listen(config, &["health".to_owned()], |event| {
        health = Some(event.clone());
        false
    })?;
    let health = health.ok_or(ClientError::Late)?;
    let unwell = unwell(&health);
    if args.output.json {
        println!("{health}");
    } else {
        print!("{}", page(&health, &unwell));
    }
    Ok(if unwell.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is not as it should be, in words.
fn unwell(health: &Value) -> Vec<String> {
    let (detail, screen) = (&health["detail"], &health["detail"]["screen"]);
    let mut out = Vec::new();
    let mut say = |bad: bool, what: String| out.extend(bad.then_some(what));
    say(health["live"] != json!(true), "the hub does not answer".to_owned());
    let link = &detail["link_problem"];
    let why = link["what"].as_str().unwrap_or("no broker is reached");
    say(screen["link"] == "down", format!("link: {why}; {}", link["advice"].as_str().unwrap_or_default()));
    say(screen["audio"] == "lost", "audio: no sound card; it is looked for without end".to_owned());
    say(screen["audio"] == "muted", "audio: muted by a technician".to_owned());
    say(screen["panel"] == "unknown", "panel: it cannot be turned off and on; the log says why".to_owned());
    let journal = detail["journal_problem"].as_str();
    say(journal.is_some(), format!("journal: {}", journal.unwrap_or_default()));
    say(detail["stalled"] == json!(true), "present: what is on the glass may be old".to_owned());
    out
}

fn page(health: &Value, unwell: &[String]) -> String {
    let screen = &health["detail"]["screen"];
    let text = |key: &str| match &screen[key] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        // A text takes everything.
        let _ = writeln!(out, "{name:<9} {value}");
    };
    line("verdict", if unwell.is_empty() { "ok".to_owned() } else { "degraded".to_owned() });
    for problem in unwell {
        line("", problem.clone());
    }
    line("version", text("version"));
    line("link", text("link"));
    line("audio", format!("{}, zones {}", text("audio"), text("zones")));
    line("journal", text("journal"));
    line("picture", format!("{}, {}, last frame {}", text("present"), text("gpu"), text("frame_at")));
    line("panel", if screen["panel"].is_null() { "always on".to_owned() } else { text("panel") });
    line("clock", format!("{} ms ahead of the queue system", text("skew_ms")));
    line("backlog", format!("{} s", text("backlog_s")));
    let counts = ["shown", "spoken", "expired", "rejected"].map(|key| format!("{key} {}", text(key)));
    line("calls", counts.join(", "));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_screen_has_nothing_to_say_and_a_sick_one_names_every_part() {
        let well = json!({"live": true, "detail": {"stalled": false, "screen": {"link": "127.0.0.1:1883", "audio": "ok"}}});
        assert_eq!(unwell(&well), [""; 0]);
        assert!(page(&well, &[]).starts_with("verdict   ok\n"));
        let sick = json!({"live": false, "detail": {
            "stalled": true, "journal_problem": "disk full",
            "link_problem": {"what": "nothing listens", "advice": "look"},
            "screen": {"link": "down", "audio": "lost"},
        }});
        let words = unwell(&sick);
        assert_eq!(words.len(), 5, "{words:?}");
        assert_eq!(words[1], "link: nothing listens; look");
        assert!(page(&sick, &words).contains("journal: disk full"));
    }
}
