//! What a soak is judged by: what was seen of the daemon, when something counts as growing, and the page that tells it.
//! Pure; who drives the daemon is `cli/soak.rs`.

pub mod book;
pub mod plan;
pub mod plot;
pub mod report;
pub mod scrape;
pub mod stats;
pub mod verdict;

use book::Counts;

/// What was seen of the daemon at one moment. What could not be seen is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Seconds since the start of the soak.
    pub at_s: f64,
    /// From 1.
    pub day: usize,
    /// Which process it was, from 1; each kill begins another.
    pub life: usize,
    /// Seconds since that process was started.
    pub age_s: f64,
    /// Memory that is its own, and its share of what it has in common with others.
    pub pss_kib: Option<f64>,
    pub rss_kib: Option<f64>,
    pub descriptors: Option<f64>,
    pub threads: Option<f64>,
    /// How often a frame made the glyph atlas larger, since the start of the process.
    pub atlas_growths: Option<f64>,
    /// The file itself.
    pub journal_kib: Option<f64>,
    /// What is not merged into it yet.
    pub wal_kib: Option<f64>,
    /// From the coming of a call to its frame: half of the calls since the sample before, 95 and 99 of a hundred.
    pub drawn_ms: [Option<f64>; 3],
    /// The same to the first sample of its announcement, the wait for others included.
    pub sounded_s: [Option<f64>; 3],
    pub calls: Counts,
}

/// The shares of calls that the latencies of a [`Sample`] are for.
pub const SHARES: [f64; 3] = [0.5, 0.95, 0.99];
