//! A slope that a few wild values do not bend, and shares of a histogram.

/// Pairs grow with the square; more points than these tell nothing new.
const MOST_POINTS: usize = 400;
/// Two-sided, of a hundred.
const Z_95: f64 = 1.96;

/// A slope and the bounds between which it lies with 95 of a hundred.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Slope {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// The median of the slopes of all pairs (Theil 1950, Sen 1968), with Sen's bounds from Kendall's variance. None for fewer
/// than four points, or when all have the same x.
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Slope> {
    let points: Vec<_> = points.iter().step_by(points.len().div_ceil(MOST_POINTS).max(1)).copied().collect();
    if points.len() < 4 {
        return None;
    }
    let mut slopes = Vec::new();
    for (index, (x, y)) in points.iter().enumerate() {
        slopes.extend(
            points[index + 1..]
                .iter()
                .filter(|(u, _)| (u - x).abs() > f64::EPSILON)
                .map(|(u, v)| (v - y) / (u - x)),
        );
    }
    slopes.sort_by(f64::total_cmp);
    let last = slopes.len().checked_sub(1)? as f64;
    let n = points.len() as f64;
    let half = Z_95 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt() / 2.0;
    let at = |rank: f64| slopes[rank.clamp(0.0, last).round() as usize];
    let value = f64::midpoint(slopes[(slopes.len() - 1) / 2], slopes[slopes.len() / 2]);
    Some(Slope { value, low: at(last / 2.0 - half), high: at(last / 2.0 + half) })
}

/// The middle of some values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// A histogram as Prometheus has it: for each upper bound how many values were at most that; the last bound is infinite.
pub type Buckets = Vec<(f64, u64)>;

/// What came between two looks at one histogram.
pub fn since(now: &[(f64, u64)], before: &[(f64, u64)]) -> Buckets {
    let earlier = |index: usize| before.get(index).map_or(0, |(_, count)| *count);
    now.iter().enumerate().map(|(i, (bound, count))| (*bound, count.saturating_sub(earlier(i)))).collect()
}

/// The value that a share of all lies below, with straight lines inside a bucket, as `histogram_quantile` does it. What is
/// above the last finite bound counts as that bound.
pub fn quantile(buckets: &[(f64, u64)], share: f64) -> Option<f64> {
    let total = buckets.last().map(|(_, count)| *count).filter(|count| *count > 0)?;
    let rank = share * total as f64;
    let (mut from, mut below) = (0.0, 0);
    for (bound, count) in buckets {
        if *count as f64 >= rank {
            if bound.is_infinite() {
                return Some(from);
            }
            let within = (rank - below as f64) / (count - below).max(1) as f64;
            return Some(from + (bound - from) * within);
        }
        (from, below) = (*bound, *count);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(slope: f64, noise: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        (0..60).map(|x| (x as f64, 1000.0 + slope * x as f64 + noise(x))).collect()
    }

    #[test]
    fn the_slope_is_that_of_the_many_whatever_a_few_do() {
        let wild = line(2.0, |x| if x % 7 == 3 { 5_000.0 } else { 0.0 });
        let found = theil_sen(&wild).unwrap();
        assert!((found.value - 2.0).abs() < 0.01, "{found:?}");
        assert!(found.low <= 2.0 && found.high >= 2.0);
    }

    #[test]
    fn noise_around_a_level_has_no_slope_within_its_bounds_and_a_slow_leak_has_one() {
        let noise = |x: usize| if x.is_multiple_of(2) { 50.0 } else { -50.0 };
        let level = theil_sen(&line(0.0, noise)).unwrap();
        assert!(level.low <= 0.0 && level.high >= 0.0, "{level:?}");
        let leak = theil_sen(&line(3.0, noise)).unwrap();
        assert!(leak.low > 0.0 && (leak.value - 3.0).abs() < 0.5, "{leak:?}");
    }

    #[test]
    fn too_little_has_no_slope() {
        assert_eq!(theil_sen(&line(1.0, |_| 0.0)[..3]), None);
        assert_eq!(theil_sen(&[(1.0, 2.0); 9]), None);
        let long: Vec<_> = (0..100_000).map(|x| (f64::from(x), f64::from(x))).collect();
        assert_eq!(theil_sen(&long).map(|s| s.value), Some(1.0));
    }

    #[test]
    fn a_share_of_a_histogram_lies_inside_its_bucket() {
        let buckets = vec![(0.02, 10), (0.05, 90), (0.1, 100), (f64::INFINITY, 100)];
        let at = |share| quantile(&buckets, share).unwrap();
        assert!((at(0.5) - 0.035).abs() < 1e-9 && (at(0.05) - 0.01).abs() < 1e-9, "{}", at(0.5));
        assert!((at(0.95) - 0.075).abs() < 1e-9);
        assert_eq!(quantile(&[(0.1, 0), (f64::INFINITY, 4)], 0.5), Some(0.1), "beyond the last bound");
        assert_eq!(quantile(&since(&buckets, &buckets), 0.5), None, "nothing came since");
        assert_eq!(since(&buckets, &[])[1], (0.05, 90));
    }

    #[test]
    fn the_median_of_an_even_number_is_one_of_the_two() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[])), (Some(2.0), None));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(3.0));
    }
}
