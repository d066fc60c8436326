//! What the queue systems report about each series: who waits, who comes next, who was missed, what is left today.
//! The newest report of a series is shown; yesterday's is not.

use jiff::Timestamp;

use super::call::{Call, Series, Ticket};
use super::day::{may_replace, told};
use super::input::IgnoreReason;
use super::state::QueueState;
use super::view::{MissedCall, QueueView};
use crate::clock::Now;
use crate::config::SeriesConfig;

/// Most series kept, as many as there can be counters.
const LIMIT: usize = 200;

#[derive(Clone, Debug)]
pub struct Queues {
    config: Vec<SeriesConfig>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    series: Series,
    state: QueueState,
    /// When it was, as it can be true.
    shown: Timestamp,
    /// Missed tickets that were called after the report.
    answered: Vec<Ticket>,
}

impl Queues {
    pub fn new(config: Vec<SeriesConfig>) -> Self {
        Self { config, entries: Vec::new() }
    }

    pub fn changed(&mut self, series: Series, state: QueueState, now: Now) -> Result<(), IgnoreReason> {
        if let Some(entry) = self.entries.iter_mut().find(|e| e.series == series) {
            return entry.replace(state, now);
        }
        if self.entries.len() >= LIMIT {
            return Err(IgnoreReason::TooMany);
        }
        let shown = told(state.at, now);
        self.entries.push(Entry { series, state, shown, answered: Vec::new() });
        let config = &self.config;
        self.entries.sort_by_cached_key(|e| {
            (config.iter().position(|s| s.id == e.series).unwrap_or(config.len()), e.series.clone())
        });
        Ok(())
    }

    pub fn cleared(&mut self, series: &Series) {
        self.entries.retain(|e| e.series != *series);
    }

    /// A ticket was called again, or came, or the call was a mistake: it is no longer missed, whatever the last report
    /// says. A later report counts again.
    pub fn answer(&mut self, call: &Call) {
        for entry in &mut self.entries {
            let of_series = call.series.as_ref().is_none_or(|series| *series == entry.series);
            if of_series
                && entry.state.missed.contains(&call.ticket)
                && !entry.answered.contains(&call.ticket)
            {
                entry.answered.push(call.ticket.clone());
            }
        }
    }

    /// Every report as it came.
    pub fn states(&self) -> Vec<(Series, QueueState)> {
        self.entries.iter().map(|entry| (entry.series.clone(), entry.state.clone())).collect()
    }

    /// In the order of the config, then by name; `counts` says which reports are of today.
    pub fn views(&self, counts: impl Fn(Timestamp) -> bool) -> Vec<QueueView> {
        let label =
            |series: &Series| self.config.iter().find(|s| s.id == *series).and_then(|s| s.label.clone());
        let today = self.entries.iter().filter(|e| counts(e.shown));
        today.map(|e| e.view(label(&e.series))).collect()
    }

    /// The missed tickets with their series.
    pub fn missed(&self, counts: impl Fn(Timestamp) -> bool) -> impl Iterator<Item = (&Series, MissedCall)> {
        let today = self.entries.iter().filter(move |e| counts(e.shown));
        today.flat_map(|e| {
            let missed = e.state.missed.iter().filter(|ticket| !e.answered.contains(ticket));
            missed
                .map(|ticket| (&e.series, MissedCall { ticket: ticket.clone(), counter: None, at: e.shown }))
        })
    }
}

impl Entry {
    fn replace(&mut self, state: QueueState, now: Now) -> Result<(), IgnoreReason> {
        if state == self.state {
            return Err(IgnoreReason::Duplicate);
        }
        if !may_replace(state.at, self.state.at, now) {
            return Err(IgnoreReason::Stale);
        }
        if state.at != self.state.at {
            self.answered.clear();
        }
        self.shown = told(state.at, now);
        self.state = state;
        Ok(())
    }

    fn view(&self, label: Option<String>) -> QueueView {
        let QueueState { waiting, ref next, wait_minutes, left_today, .. } = self.state;
        QueueView {
            series: self.series.clone(),
            label,
            waiting,
            next: next.clone(),
            wait_minutes,
            left_today,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::Kind;
    use crate::clock::Millis;
    use crate::config::Config;

    const NOW: Now = Now { mono: Millis::ZERO, wall: Timestamp::constant(1_800_000_100, 0) };

    fn series(text: &str) -> Series {
        Series::parse(text).unwrap()
    }

    fn state(secs: i64, missed: &[&str]) -> QueueState {
        QueueState {
            waiting: 3,
            next: Vec::new(),
            wait_minutes: None,
            missed: missed.iter().map(|t| Ticket::parse(t).unwrap()).collect(),
            slot: None,
            left_today: Some(0),
            at: Timestamp::from_second(1_800_000_000 + secs).unwrap(),
        }
    }

    fn recall(ticket: &str) -> Call {
        Call { kind: Kind::Recall, ..Call::plain(ticket, "1") }
    }

    fn missed(queues: &Queues) -> Vec<String> {
        queues.missed(|_| true).map(|(_, m)| m.ticket.as_str().to_owned()).collect()
    }

    #[test]
    fn the_newest_report_counts_and_a_repeated_one_changes_nothing() {
        let mut queues = Queues::new(Config::default().series);
        queues.changed(series("Z"), state(5, &["Z1"]), NOW).unwrap();
        queues.changed(series("B"), state(5, &["B1", "B2"]), NOW).unwrap();
        queues.answer(&recall("B1"));
        assert_eq!(missed(&queues), ["B2", "Z1"]);
        assert_eq!(queues.changed(series("B"), state(5, &["B1", "B2"]), NOW), Err(IgnoreReason::Duplicate));
        assert_eq!(queues.changed(series("B"), state(4, &["B9"]), NOW), Err(IgnoreReason::Stale));
        assert_eq!(missed(&queues), ["B2", "Z1"]);
        queues.changed(series("B"), state(6, &["B1"]), NOW).unwrap();
        assert_eq!(missed(&queues), ["B1", "Z1"], "the queue system has the last word");
        let views = queues.views(|_| true);
        assert_eq!(views[0].label.as_deref(), Some("Đăng ký thế chấp"));
        queues.cleared(&series("B"));
        assert_eq!(queues.views(|_| true).len(), 1);
    }

    #[test]
    fn yesterdays_report_is_not_shown_and_the_number_of_series_is_bounded() {
        let mut queues = Queues::new(Vec::new());
        for n in 0..LIMIT {
            queues.changed(series(&n.to_string()), state(0, &["A1"]), NOW).unwrap();
        }
        assert_eq!(queues.changed(series("one more"), state(0, &[]), NOW), Err(IgnoreReason::TooMany));
        assert_eq!(queues.views(|_| true).len(), LIMIT);
        assert!(queues.views(|_| false).is_empty());
        assert_eq!(queues.missed(|_| false).count(), 0);
    }
}
