//! What `/metrics` said, as numbers.

use std::collections::BTreeMap;

use super::stats::Buckets;

/// One answer of `/metrics`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scrape {
    values: BTreeMap<String, f64>,
    buckets: BTreeMap<String, Buckets>,
}

impl Scrape {
    /// Reads the text form; lines that are none of it are passed over.
    pub fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            match bucket(series) {
                Some((name, bound)) => {
                    scrape.buckets.entry(name.to_owned()).or_default().push((bound, value as u64));
                }
                None => {
                    scrape.values.insert(series.to_owned(), value);
                }
            }
        }
        scrape
    }

    /// The value of a series, written with its labels.
    pub fn value(&self, series: &str) -> Option<f64> {
        self.values.get(series).copied()
    }

    /// The histogram of a family; empty when there is none.
    pub fn histogram(&self, family: &str) -> &[(f64, u64)] {
        self.buckets.get(family).map_or(&[], Vec::as_slice)
    }
}

/// `NAME_bucket{le="BOUND"}`.
fn bucket(series: &str) -> Option<(&str, f64)> {
    let (name, rest) = series.split_once("_bucket{le=\"")?;
    let bound = rest.strip_suffix("\"}")?;
    Some((name, if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_histograms_are_read_and_the_rest_is_passed_over() {
        let text = "# TYPE moiso_link_up gauge\nmoiso_link_up 1\nmoiso_calls_total{kind=\"call\",outcome=\"spoken\"} 7\n\
                    moiso_x_seconds_bucket{le=\"0.1\"} 3\nmoiso_x_seconds_bucket{le=\"+Inf\"} 5\nmoiso_x_seconds_sum 0.5\n\
                    strange\n# EOF\n";
        let scrape = Scrape::read(text);
        assert_eq!(scrape.value("moiso_link_up"), Some(1.0));
        assert_eq!(scrape.value("moiso_calls_total{kind=\"call\",outcome=\"spoken\"}"), Some(7.0));
        assert_eq!(scrape.histogram("moiso_x_seconds"), [(0.1, 3), (f64::INFINITY, 5)]);
        assert_eq!((scrape.value("strange"), scrape.histogram("none").len()), (None, 0));
    }
}
