//! The page of docs/faults.md.

use std::fmt::Write as _;
use std::time::Duration;

use crate::judge::{Report, Row};

/// The figures of a run.
pub fn of(report: &Report) -> String {
    let mut out = String::from(
        "| fault | times | of these on the screen that spoke | calls sent | shown | spoken | not, and told why | lost | twice | again | longest gap, s | well again after, s | threads | descriptors | MiB |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (name, row) in &report.rows {
        line(&mut out, name, row);
    }
    line(&mut out, "**all, each call once**", &report.all);
    let mut gaps = report.gaps.clone();
    gaps.sort();
    let at = |share: f64| gaps.get((gaps.len() as f64 * share) as usize).map_or(0.0, Duration::as_secs_f32);
    writeln!(
        out,
        "\nFrom a call to its first sound: median {:.1} s, 95 of 100 within {:.1} s. Times that two screens sounded at once because one was \
         cut off: {}. Times that a screen's journal lacks a call: {}. Processes that ended with their display and were started again: {}.",
        at(0.5),
        at(0.95),
        report.overlaps,
        report.unknown_to_one,
        report.ends
    )
    .unwrap();
    out
}

fn line(out: &mut String, name: &str, row: &Row) {
    writeln!(
        out,
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1} | {:.1} | {:+} | {:+} | {:+.1} |",
        row.times,
        row.on_voice,
        row.sent,
        row.shown,
        row.spoken,
        row.told_why,
        row.lost,
        row.twice,
        row.again,
        row.gap.as_secs_f32(),
        row.well_after.as_secs_f32(),
        row.threads,
        row.descriptors,
        row.resident_kib as f64 / 1024.0
    )
    .unwrap();
}

/// The whole page.
pub fn page(report: &Report, halls: usize, took: Duration) -> String {
    let minutes = took.as_secs() / 60;
    let now = jiff::Timestamp::now().to_string();
    let day = now.split('T').next().unwrap();
    format!("{HEAD}\nRun of {day}: {halls} halls at once, {minutes} minutes.\n\n{}\n{TAIL}", of(report))
}

const HEAD: &str = include_str!("head.md");
const TAIL: &str = include_str!("tail.md");
