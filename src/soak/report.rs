//! What a soak has found, as one page that needs nothing from elsewhere, and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::plot::{Line, plot};
use super::verdict::{Accidents, Finding, QUANTITIES, WARM_UP_DAYS};
use super::{SHARES, Sample};

/// Everything that the page tells.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What ran where, each with its name.
    pub setting: Vec<(&'static str, String)>,
    pub days: usize,
    pub day_s: f64,
    pub samples: Vec<Sample>,
    pub findings: Vec<Finding>,
    /// What was done to it, how often.
    pub deeds: BTreeMap<&'static str, usize>,
    pub accidents: Accidents,
    /// Ids of calls without a proof, the first of them.
    pub open: Vec<String>,
    pub complaints: Vec<String>,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#1a1a1a}\
table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.2em .7em;text-align:left}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}figure{margin:1.5em 0}figcaption{font-weight:600}\
svg{width:100%;height:auto;background:#fafafa}svg text{font:11px sans-serif;fill:#444}.grid{stroke:#ddd}\
.kill{stroke:#b00;stroke-dasharray:3 3}p{margin:.3em 0}.bad{color:#b00}.well{color:#067647}";

impl Report {
    pub fn passed(&self) -> bool {
        self.complaints.is_empty()
    }

    /// The page.
    pub fn html(&self) -> String {
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>moiso soak</title><style>{STYLE}</style>\n<h1>Soak</h1>\n"
        );
        page.push_str(&self.verdict());
        page.push_str(&self.tables());
        page.push_str("<h2>What was seen</h2>\n<p>A dashed line is a kill: another process goes on.</p>\n");
        page.push_str(&self.plots());
        page.push_str("</html>\n");
        page
    }

    fn verdict(&self) -> String {
        if self.passed() {
            return "<p class=\"well\"><strong>Passed: flat, nothing lost, nothing said twice.</strong></p>\n".to_owned();
        }
        let items =
            self.complaints.iter().map(|c| format!("<li>{}</li>", escape(c))).collect::<Vec<_>>().concat();
        format!("<p class=\"bad\"><strong>Not passed.</strong></p>\n<ul class=\"bad\">{items}</ul>\n")
    }

    fn tables(&self) -> String {
        let calls = self.samples.last().map(|s| s.calls).unwrap_or_default();
        let row = |name: &str, value: &str| {
            format!("<tr><td>{}</td><td class=\"n\">{}</td></tr>\n", escape(name), escape(value))
        };
        let mut out = String::from("<h2>Setting</h2>\n<table>\n");
        for (name, value) in &self.setting {
            let _ = writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(value));
        }
        let _ = write!(
            out,
            "</table>\n<p>A day takes {} s here and is this: about a hundred citizens are called at eleven counters, with their \
             recalls and no-shows, {} times as fast as in the real hall; then the hall is quiet; then the next day begins, whose \
             tickets count from their first numbers again. So fast, many a call is replaced by the next of its counter before its \
             turn at the loudspeakers comes, and its proof says `superseded`. What runs by the hour and not by the call (heartbeats, the clock on \
             the board, the moving line) has {} s of it a day and not eight hours.</p>\n",
            self.day_s,
            super::plan::SPEED,
            self.day_s
        );
        out.push_str("<h2>Calls</h2>\n<table>\n");
        for (name, count) in [
            ("calls, recalls and transfers handed to the broker", calls.sent),
            ("held the spotlight of a frame", calls.shown),
            ("never did, and no later event took their place", calls.unseen),
            ("spoken", calls.spoken),
            ("of these again, since a kill cut them off", calls.again),
            ("shown and not spoken, with the reason in the proof", calls.unspoken),
            ("lost (no proof)", calls.open),
            ("spoken twice without a reason", calls.twice),
        ] {
            out.push_str(&row(name, &count.to_string()));
        }
        out.push_str("</table>\n<h2>What was done to it</h2>\n<table>\n");
        for (name, count) in &self.deeds {
            out.push_str(&row(name, &count.to_string()));
        }
        out.push_str(&row("ended by itself", &self.accidents.ended.to_string()));
        out.push_str(&row("panics in its log", &self.accidents.panics.to_string()));
        let _ = write!(
            out,
            "</table>\n<h2>Flat or not</h2>\n<p>For each process that lived long enough, after a warm-up of {WARM_UP_DAYS} days: the \
             slope of Theil and Sen for a day and its bounds (95 %). It grows when the slope is above the limit and its lower \
             bound above zero.</p>\n<table>\n<tr><th>life<th>quantity<th class=\"n\">median<th class=\"n\">slope a day<th class=\"n\">\
             from<th class=\"n\">to<th class=\"n\">limit<th class=\"n\">samples<th>verdict</tr>\n",
        );
        for f in &self.findings {
            let (class, word) = if f.grows() { ("bad", "grows") } else { ("well", "flat") };
            let _ = writeln!(
                out,
                "<tr><td>{}<td>{} {}<td class=\"n\">{:.1}<td class=\"n\">{:.3}<td class=\"n\">{:.3}<td class=\"n\">{:.3}\
                 <td class=\"n\">{}<td class=\"n\">{}<td class=\"{class}\">{word}</tr>",
                f.life,
                f.quantity.name,
                f.quantity.unit,
                f.median,
                f.slope.value,
                f.slope.low,
                f.slope.high,
                f.quantity.per_day,
                f.samples
            );
        }
        out.push_str("</table>\n");
        if self.findings.is_empty() {
            out.push_str("<p>No process lived long enough to be judged.</p>\n");
        }
        out
    }

    fn plots(&self) -> String {
        let of = |title: &str, unit: &str, lines: &[Line<'_>]| plot(title, unit, &self.samples, lines);
        let mib = |kib: Option<f64>| kib.map(|kib| kib / 1024.0);
        let count = |count: usize| Some(count as f64);
        [
            of("memory", "MiB", &[("PSS", &|s| mib(s.pss_kib)), ("RSS", &|s| mib(s.rss_kib))]),
            of(
                "descriptors and threads",
                "",
                &[("descriptors", &|s| s.descriptors), ("threads", &|s| s.threads)],
            ),
            of(
                "growths of the glyph atlas since the start of the process",
                "",
                &[("growths", &|s| s.atlas_growths)],
            ),
            of("journal", "KiB", &[("file", &|s| s.journal_kib), ("log (WAL)", &|s| s.wal_kib)]),
            of(
                "call to drawn",
                "ms",
                &[("half", &|s| s.drawn_ms[0]), ("95 %", &|s| s.drawn_ms[1]), ("99 %", &|s| s.drawn_ms[2])],
            ),
            of(
                "call to first sample, with the wait for the calls before it",
                "s",
                &[("half", &|s| s.sounded_s[0]), ("95 %", &|s| s.sounded_s[1])],
            ),
            of(
                "calls",
                "",
                &[
                    ("sent", &|s| count(s.calls.sent)),
                    ("shown", &|s| count(s.calls.shown)),
                    ("spoken", &|s| count(s.calls.spoken)),
                    ("without a proof", &|s| count(s.calls.open)),
                ],
            ),
        ]
        .concat()
    }

    /// The same for programs, with every sample.
    pub fn json(&self) -> Value {
        let calls = self.samples.last().map(|s| s.calls).unwrap_or_default();
        json!({
            "passed": self.passed(),
            "complaints": self.complaints,
            "setting": self.setting.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>(),
            "days": self.days,
            "day_s": self.day_s,
            "calls": calls_value(calls),
            "open": self.open,
            "done": self.deeds,
            "ended": self.accidents.ended,
            "panics": self.accidents.panics,
            "findings": self.findings.iter().map(finding_value).collect::<Vec<_>>(),
            "latency_shares": SHARES,
            "limits_per_day": QUANTITIES.iter().map(|q| (q.name.to_owned(), json!(q.per_day))).collect::<serde_json::Map<_, _>>(),
            "samples": self.samples.iter().map(sample_value).collect::<Vec<_>>(),
        })
    }
}

fn calls_value(calls: super::book::Counts) -> Value {
    json!({
        "sent": calls.sent, "shown": calls.shown, "unseen": calls.unseen, "spoken": calls.spoken, "again": calls.again,
        "unspoken": calls.unspoken, "lost": calls.open, "twice": calls.twice,
    })
}

fn finding_value(of: &Finding) -> Value {
    json!({
        "life": of.life, "quantity": of.quantity.name, "unit": of.quantity.unit, "median": round(of.median),
        "slope_per_day": round(of.slope.value), "from": round(of.slope.low), "to": round(of.slope.high),
        "limit": of.quantity.per_day, "samples": of.samples, "days": round(of.days), "grows": of.grows(),
    })
}

fn sample_value(of: &Sample) -> Value {
    let some = |value: Option<f64>| value.map(round);
    json!({
        "at_s": round(of.at_s), "day": of.day, "life": of.life, "pss_kib": of.pss_kib, "rss_kib": of.rss_kib,
        "descriptors": of.descriptors, "threads": of.threads, "atlas_growths": of.atlas_growths,
        "journal_kib": of.journal_kib, "wal_kib": of.wal_kib,
        "drawn_ms": of.drawn_ms.map(some), "sounded_s": of.sounded_s.map(some), "calls": calls_value(of.calls),
    })
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Text as it stands in HTML and SVG.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::book::Counts;
    use super::*;

    fn report() -> Report {
        let calls = Counts { sent: 4, shown: 4, spoken: 3, unspoken: 1, ..Counts::default() };
        let sample = |n: usize| Sample {
            at_s: n as f64 * 10.0,
            life: 1,
            pss_kib: Some(90_000.0 + n as f64),
            drawn_ms: [Some(12.0), Some(30.0), None],
            calls,
            ..Sample::default()
        };
        Report {
            setting: vec![("sound", "a <null> card".to_owned())],
            days: 2,
            day_s: 120.0,
            samples: (0..30).map(sample).collect(),
            deeds: [("kill -9", 2)].into(),
            ..Report::default()
        }
    }

    #[test]
    fn the_page_stands_alone_and_tells_the_verdict() {
        let well = report().html();
        assert!(well.contains("Passed") && well.contains("a &lt;null&gt; card"), "{well}");
        assert!(
            !well.contains("src=") && !well.contains("href=") && !well.contains("<script"),
            "all of it is inside"
        );
        assert_eq!(well.matches("<svg").count(), 7);
        assert_eq!(well.matches("<svg").count(), well.matches("</svg>").count());
        let ill = Report { complaints: vec!["1 calls have no proof".to_owned()], ..report() }.html();
        assert!(ill.contains("Not passed") && ill.contains("1 calls have no proof"));
    }

    #[test]
    fn the_json_has_every_sample_and_the_same_verdict() {
        let value = report().json();
        assert_eq!((&value["passed"], value["samples"].as_array().unwrap().len()), (&json!(true), 30));
        assert_eq!((&value["calls"]["spoken"], &value["done"]["kill -9"]), (&json!(3), &json!(2)));
        assert_eq!(value["samples"][0]["drawn_ms"], json!([12.0, 30.0, null]));
    }
}
