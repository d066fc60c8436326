//! When something counts as growing, and when a soak has passed.
//!
//! Each quantity is judged for each life of the process that was long enough, after a warm-up. It grows when two things
//! hold: the slope (Theil and Sen) is above the limit of the quantity for a simulated day, and the slope's lower bound (95 of
//! a hundred) is above zero. So a leak must be larger than what does no harm in a month, and more than noise.

use std::time::Duration;

use super::Sample;
use super::book::Counts;
use super::stats::{Slope, median, theil_sen};

/// Days of a process that are not judged: bounded caches fill. Decoded clips take longest, some four days to 16 MiB.
pub const WARM_UP_DAYS: f64 = 5.0;
/// Days after it that a life must have to be judged.
const JUDGED_DAYS: f64 = 3.0;
/// Looks that a slope needs at least.
const LEAST_SAMPLES: usize = 12;

/// One call of as many may miss the spotlight: its turn there may pass while a process that was just started has no picture
/// yet. Its counter's cell and the list show it all the same.
const UNSEEN_OF: usize = 50;

/// Something that must stay flat.
#[derive(Copy, Clone, Debug)]
pub struct Quantity {
    pub name: &'static str,
    pub unit: &'static str,
    /// How much more in a simulated day does no harm.
    pub per_day: f64,
    pub of: fn(&Sample) -> Option<f64>,
}

/// What is judged. The limits are for a day of some hundred citizens: memory that a quarter of a mebibyte a day would fill
/// takes years to reach the `MemoryMax` of the unit; a descriptor or a thread in ten days is noise in how sessions come and
/// go. The journal keeps every call for 90 days by design, so its file is held to what a call needs.
pub const QUANTITIES: [Quantity; 8] = [
    Quantity { name: "memory (PSS)", unit: "KiB", per_day: 256.0, of: |s| s.pss_kib },
    Quantity { name: "memory (RSS)", unit: "KiB", per_day: 256.0, of: |s| s.rss_kib },
    Quantity { name: "descriptors", unit: "", per_day: 0.1, of: |s| s.descriptors },
    Quantity { name: "threads", unit: "", per_day: 0.1, of: |s| s.threads },
    Quantity { name: "atlas growths", unit: "", per_day: 0.1, of: |s| s.atlas_growths },
    Quantity { name: "journal", unit: "KiB", per_day: 512.0, of: |s| s.journal_kib },
    Quantity { name: "journal's log (WAL)", unit: "KiB", per_day: 64.0, of: |s| s.wal_kib },
    Quantity { name: "call to drawn, 95 %", unit: "ms", per_day: 20.0, of: |s| s.drawn_ms[1] },
];

/// What one life of the process did with one quantity.
#[derive(Clone, Debug)]
pub struct Finding {
    pub life: usize,
    pub quantity: Quantity,
    pub samples: usize,
    pub days: f64,
    pub median: f64,
    /// For a simulated day.
    pub slope: Slope,
}

impl Finding {
    pub fn grows(&self) -> bool {
        self.slope.value > self.quantity.per_day && self.slope.low > 0.0
    }
}

/// All findings of the lives that were long enough.
pub fn findings(samples: &[Sample], day: Duration) -> Vec<Finding> {
    let day_s = day.as_secs_f64();
    let lives = samples.iter().map(|s| s.life).max().unwrap_or(0);
    let mut found = Vec::new();
    for life in 1..=lives {
        let warm = |s: &&Sample| s.life == life && s.age_s >= WARM_UP_DAYS * day_s;
        let of_life: Vec<&Sample> = samples.iter().filter(warm).collect();
        for quantity in QUANTITIES {
            let points: Vec<(f64, f64)> =
                of_life.iter().filter_map(|s| Some((s.at_s / day_s, (quantity.of)(s)?))).collect();
            let (Some(first), Some(last)) = (points.first(), points.last()) else { continue };
            let days = last.0 - first.0;
            if days < JUDGED_DAYS || points.len() < LEAST_SAMPLES {
                continue;
            }
            let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
            let (Some(slope), Some(median)) = (theil_sen(&points), median(&values)) else { continue };
            found.push(Finding { life, quantity, samples: points.len(), days, median, slope });
        }
    }
    found
}

/// What else must be true.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Accidents {
    /// The process ended although nobody had killed it.
    pub ended: usize,
    /// Lines of its log that tell of a panic.
    pub panics: usize,
}

/// Why a soak has not passed; nothing when it has.
pub fn complaints(findings: &[Finding], calls: Counts, accidents: Accidents) -> Vec<String> {
    let mut out: Vec<String> = findings.iter().filter(|f| f.grows()).map(growth).collect();
    for (count, what) in [
        (calls.open, "calls have no proof"),
        (
            if calls.unseen * UNSEEN_OF > calls.sent { calls.unseen } else { 0 },
            "calls were never in the spotlight",
        ),
        (calls.twice, "calls were spoken twice without a reason"),
        (accidents.ended, "times the process ended by itself"),
        (accidents.panics, "panics in the log"),
    ] {
        if count > 0 {
            out.push(format!("{count} {what}"));
        }
    }
    if calls.sent == 0 {
        out.push("nothing was called".to_owned());
    }
    out
}

fn growth(of: &Finding) -> String {
    let Quantity { name, unit, per_day, .. } = of.quantity;
    format!("{name} grows by {:.2} {unit} a day in life {}; {per_day} would do", of.slope.value, of.life)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(100);

    /// A sample each tenth of a day; the memory of the second life grows by `leak` a day.
    fn lives(leak: f64) -> Vec<Sample> {
        let life = |life: usize, from_s: f64, days: usize, leak: f64| {
            (0..days * 10).map(move |n| {
                let age_s = n as f64 * 10.0;
                let warming = 5_000.0 * (-age_s / 40.0).exp();
                let noise = ((n * 7919) % 101) as f64 * 4.0;
                let pss = 100_000.0 - warming + noise + leak * age_s / 100.0;
                Sample { at_s: from_s + age_s, life, age_s, pss_kib: Some(pss), ..Sample::default() }
            })
        };
        life(1, 0.0, 5, 9_999.0).chain(life(2, 500.0, 12, leak)).collect()
    }

    #[test]
    fn a_leak_is_found_and_neither_warming_nor_noise_nor_a_short_life_is_one() {
        let flat = findings(&lives(0.0), DAY);
        assert_eq!(flat.iter().map(|f| (f.life, f.quantity.name)).collect::<Vec<_>>(), [(2, "memory (PSS)")]);
        assert!(!flat[0].grows(), "{:?}", flat[0]);
        let leak = findings(&lives(400.0), DAY);
        assert!(leak[0].grows() && (leak[0].slope.value - 400.0).abs() < 60.0, "{:?}", leak[0]);
        let calls = Counts { sent: 3, shown: 3, spoken: 3, ..Counts::default() };
        let words = complaints(&leak, calls, Accidents::default());
        assert!(words.len() == 1 && words[0].starts_with("memory (PSS) grows by "), "{words:?}");
        assert_eq!(complaints(&flat, calls, Accidents::default()), [""; 0]);
    }

    #[test]
    fn a_call_that_is_lost_or_said_twice_fails_a_soak_and_so_does_an_empty_one() {
        let told = |calls| complaints(&[], calls, Accidents::default()).join("; ");
        let well = Counts { sent: 3, shown: 3, spoken: 1, unspoken: 2, again: 1, ..Counts::default() };
        assert_eq!(told(well), "");
        assert_eq!(told(Counts { open: 1, ..well }), "1 calls have no proof");
        assert_eq!(told(Counts { unseen: 2, ..well }), "2 calls were never in the spotlight");
        assert_eq!(told(Counts { unseen: 2, sent: 100, ..well }), "");
        assert_eq!(told(Counts { twice: 1, ..well }), "1 calls were spoken twice without a reason");
        assert_eq!(told(Counts::default()), "nothing was called");
        let accidents = Accidents { ended: 1, panics: 2 };
        assert_eq!(complaints(&[], well, accidents).len(), 2);
    }
}
