//! `moiso watch`: what happens on a screen, as it happens, one JSON object a line; `moiso status`: how it is.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::client::{ClientError, Connect, PATIENCE};
use super::output::Output;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// view, notices, health, proofs, screens, speech; may be given several times [default: all]
    #[arg(long = "topic", value_parser = ["view", "notices", "health", "proofs", "screens", "speech"])]
    pub topics: Vec<String>,
    /// Taken as everywhere; the events are JSON either way
    #[arg(long)]
    pub json: bool,
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
    let health = health.ok_or(ClientError::Late(PATIENCE))?;
    let unwell = unwell(&health);
    if args.output.json {
        println!("{health}");
    } else {
        let zone = TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC);
        print!("{}", page(&health, &unwell, &zone));
    }
    Ok(if unwell.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is not as it should be, in words.
fn unwell(health: &Value) -> Vec<String> {
    let parts = health["detail"]["parts"].as_array().into_iter().flatten();
    let unwell = parts.filter(|part| part["state"] == "degraded" || part["state"] == "failed");
    let text = |part: &Value, key: &str| part[key].as_str().unwrap_or_default().to_owned();
    unwell.map(|part| format!("{}: {}", text(part, "part"), text(part, "why"))).collect()
}

fn page(health: &Value, unwell: &[String], zone: &TimeZone) -> String {
    let screen = &health["detail"]["screen"];
    let text = |key: &str| match &screen[key] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let frame_at = text("frame_at").parse::<Timestamp>();
    let frame_at = frame_at
        .map_or_else(|_| "-".to_owned(), |at| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string());
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        // A text takes everything.
        let _ = writeln!(out, "{name:<9} {value}");
    };
    let verdict = health["detail"]["verdict"].as_str().unwrap_or("unknown");
    line("verdict", verdict.to_owned());
    for problem in unwell {
        line("", problem.clone());
    }
    line("version", text("version"));
    line("link", text("link"));
    line("audio", format!("{}, zones: {}", text("audio"), text("zones")));
    line("journal", text("journal"));
    line("picture", format!("{}, {}, last frame {}", text("present"), text("gpu"), frame_at));
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
    use serde_json::json;

    #[test]
    fn a_page_for_people_has_words_and_the_halls_own_time() {
        let screen =
            json!({ "audio": "ok", "zones": ["sanh", "lau-2"], "frame_at": "2026-11-28T01:49:00.005Z" });
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let page = page(&json!({ "detail": { "screen": screen } }), &[], &zone);
        assert!(page.contains("ok, zones: sanh, lau-2\n"), "{page}");
        assert!(page.contains("last frame 2026-11-28 08:49:00\n"), "{page}");
    }

    #[test]
    fn a_healthy_screen_has_nothing_to_say_and_a_sick_one_names_every_part() {
        let of =
            |parts: Value| json!({"live": true, "detail": {"verdict": "ok", "parts": parts, "screen": {}}});
        let well = of(
            json!([{"part": "hub", "state": "ok", "why": "answers"}, {"part": "audio", "state": "off", "why": ""}]),
        );
        assert_eq!(unwell(&well), [""; 0]);
        assert!(page(&well, &[], &TimeZone::UTC).starts_with("verdict   ok\n"));
        let sick = of(json!([
            {"part": "link", "state": "failed", "why": "nothing listens; look"},
            {"part": "journal", "state": "degraded", "why": "disk full"},
            {"part": "clock", "state": "degraded", "why": "40000 ms ahead"},
        ]));
        let words = unwell(&sick);
        assert_eq!(words.len(), 3, "{words:?}");
        assert_eq!(words[0], "link: nothing listens; look");
        assert!(page(&sick, &words, &TimeZone::UTC).contains("journal: disk full"));
    }
}
