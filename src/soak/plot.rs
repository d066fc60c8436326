//! A line plot as SVG, with nothing from elsewhere.

use std::fmt::Write as _;

use super::Sample;

const W: f64 = 860.0;
const H: f64 = 200.0;
/// Room for the numbers beside the axes.
const LEFT: f64 = 64.0;
const BELOW: f64 = 22.0;
const ABOVE: f64 = 8.0;
/// More points than these are not seen on the width.
const MOST_POINTS: usize = 600;
/// Told apart in print and by those who see no red or green (Okabe and Ito).
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// A line of a plot: its name and what it shows of each sample.
pub type Line<'a> = (&'a str, &'a dyn Fn(&Sample) -> Option<f64>);

/// A plot of some lines over the minutes, from zero up; a line is broken where a process ended, and that is marked.
pub fn plot(title: &str, unit: &str, samples: &[Sample], lines: &[Line<'_>]) -> String {
    let minutes = samples.last().map_or(0.0, |s| s.at_s / 60.0).max(1e-9);
    let values = samples.iter().flat_map(|s| lines.iter().filter_map(|(_, of)| of(s)));
    let top = nice(values.fold(0.0, f64::max));
    let x = |s: &Sample| LEFT + (W - LEFT) * s.at_s / 60.0 / minutes;
    let y = |value: f64| ABOVE + (H - ABOVE - BELOW) * (1.0 - value / top);
    let mut svg = format!(
        "<figure><figcaption>{title}{}</figcaption>\n<svg viewBox=\"0 0 {W} {H}\" role=\"img\" aria-label=\"{title}\">\n",
        if unit.is_empty() { String::new() } else { format!(", {unit}") }
    );
    let mut put = |text: String| {
        // A text takes everything.
        let _ = writeln!(svg, "{text}");
    };
    for part in 0..=4 {
        let value = top * f64::from(part) / 4.0;
        let at = y(value);
        put(format!("<path class=\"grid\" d=\"M{LEFT} {at:.1}H{W}\"/>"));
        put(format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            short(value)
        ));
    }
    for part in 0..=6 {
        let minute = minutes * f64::from(part) / 6.0;
        let at = LEFT + (W - LEFT) * f64::from(part) / 6.0;
        let anchor = if part == 6 { "end" } else { "middle" };
        put(format!("<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{minute:.0} min</text>", H - 4.0));
    }
    for pair in samples.windows(2).filter(|pair| pair[0].life != pair[1].life) {
        put(format!("<path class=\"kill\" d=\"M{:.1} {ABOVE}V{}\"/>", x(&pair[1]), H - BELOW));
    }
    for ((_, of), colour) in lines.iter().zip(COLOURS) {
        let (mut path, mut life) = (String::new(), 0);
        for sample in samples.iter().step_by(samples.len().div_ceil(MOST_POINTS).max(1)) {
            let Some(value) = of(sample) else { continue };
            let step = if sample.life == life { 'L' } else { 'M' };
            life = sample.life;
            let _ = write!(path, "{step}{:.1} {:.1}", x(sample), y(value));
        }
        put(format!("<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" d=\"{path}\"/>"));
    }
    svg.push_str("</svg>\n<p>");
    for ((name, _), colour) in lines.iter().zip(COLOURS) {
        let _ = write!(svg, "<span style=\"color:{colour}\">&#9632;</span> {name} ");
    }
    svg.push_str("</p></figure>\n");
    svg
}

/// The next number of the form 1, 2, 2.5 or 5 times a power of ten.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    power * steps.into_iter().find(|step| step * power >= value * 0.999_999).unwrap_or(10.0)
}

fn short(value: f64) -> String {
    let text = if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_number_that_is_easily_read() {
        for (value, end) in
            [(0.0, 1.0), (0.03, 0.05), (7.0, 10.0), (100.0, 100.0), (101.0, 200.0), (230.0, 250.0)]
        {
            assert!((nice(value) - end).abs() < 1e-9, "{value}: {}", nice(value));
        }
        assert_eq!([short(0.25), short(1500.0), short(2.0), short(0.0)], ["0.25", "1500", "2", "0"]);
    }

    #[test]
    fn a_line_is_broken_where_a_process_ended() {
        let at = |at_s: f64, life| Sample { at_s, life, threads: Some(7.0), ..Sample::default() };
        let samples = [at(0.0, 1), at(10.0, 1), at(20.0, 2), at(30.0, 2)];
        let svg = plot("threads", "", &samples, &[("threads", &|s| s.threads)]);
        assert_eq!(svg.matches("class=\"kill\"").count(), 1);
        let path = svg.split("stroke-width=\"1.5\" d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 2), "{path}");
        assert!(!svg.contains("NaN") && !plot("none", "", &[], &[]).contains("NaN"));
    }
}
