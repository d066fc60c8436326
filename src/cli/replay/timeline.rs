//! A picture of what a hall heard: the wave, and under it every sentence in the row of its zone.

use std::fmt::Write as _;

use crate::audio::twin::Said;
use crate::board::call::Zone;
use crate::soak::report::escape;
use crate::speech::RATE_HZ;

/// Frames that one line of the wave stands for: a twentieth of a second.
const COLUMN: usize = RATE_HZ as usize / 20;
/// Pixels for a second, from the left edge.
const SECOND: f64 = 24.0;
const LEFT: f64 = 90.0;
const WAVE_H: f64 = 120.0;
/// A sentence and its text, one under the other so that long texts have room.
const ROW: f64 = 26.0;

/// The loudest sample of every twentieth of a second.
#[derive(Debug, Default)]
pub struct Wave {
    peaks: Vec<f32>,
    frames: usize,
}

impl Wave {
    pub fn add(&mut self, samples: &[f32]) {
        for sample in samples {
            let column = self.frames / COLUMN;
            if column == self.peaks.len() {
                self.peaks.push(0.0);
            }
            self.peaks[column] = self.peaks[column].max(sample.abs());
            self.frames += 1;
        }
    }

    fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(RATE_HZ)
    }
}

fn x(frame: u64) -> f64 {
    LEFT + frame as f64 / f64::from(RATE_HZ) * SECOND
}

/// The picture, as SVG.
pub fn svg(wave: &Wave, said: &[Said]) -> String {
    let (w, h) =
        (LEFT + wave.seconds().max(1.0) * SECOND + 320.0, WAVE_H + 40.0 + said.len() as f64 * ROW + 20.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" height=\"{h:.0}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    axis(&mut out, wave.seconds(), h);
    for (column, peak) in wave.peaks.iter().enumerate().filter(|(_, peak)| **peak > 0.001) {
        let (at, half) = (x((column * COLUMN) as u64), f64::from(*peak) * WAVE_H / 2.0);
        let (top, bottom) = (WAVE_H / 2.0 + 10.0 - half, WAVE_H / 2.0 + 10.0 + half);
        let _ = writeln!(out, "<path d=\"M{at:.1} {top:.1}V{bottom:.1}\" stroke=\"#1d5fa8\"/>");
    }
    let mut zones: Vec<&Zone> = Vec::new();
    for (row, s) in said.iter().enumerate() {
        let index = zones.iter().position(|zone| **zone == s.zone).unwrap_or_else(|| {
            zones.push(&s.zone);
            zones.len() - 1
        });
        sentence(&mut out, s, WAVE_H + 40.0 + row as f64 * ROW, COLOURS[index % COLOURS.len()]);
    }
    out.push_str("</svg>\n");
    out
}

/// Of the zones, in the order in which they speak.
const COLOURS: [&str; 4] = ["#1d5fa8", "#b3541e", "#3b7a3b", "#7a3b78"];

fn axis(out: &mut String, seconds: f64, height: f64) {
    for second in (0..=seconds as u64).step_by(5) {
        let at = x(second * u64::from(RATE_HZ));
        let bottom = height - 16.0;
        let _ = writeln!(
            out,
            "<path d=\"M{at:.1} 10V{bottom:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" fill=\"#555\">{second} s</text>",
            at + 3.0,
            WAVE_H + 24.0
        );
    }
}

fn sentence(out: &mut String, said: &Said, y: f64, colour: &str) {
    let (from, to) = (x(said.from), x(said.to));
    let times = if said.repeats > 1 { format!(" ({}×)", said.repeats) } else { String::new() };
    let _ = writeln!(
        out,
        "<text x=\"6\" y=\"{text_y:.1}\" fill=\"#555\">{zone}</text><rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"16\" \
         rx=\"3\" fill=\"{colour}\"/><text x=\"{text_x:.1}\" y=\"{text_y:.1}\">{text}{times}</text>",
        text_y = y + 13.0,
        zone = escape(said.zone.as_str()),
        width = to - from,
        text_x = to + 6.0,
        text = escape(&said.text),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_a_bar_as_long_as_it_was() {
        let mut wave = Wave::default();
        wave.add(&vec![0.5; 10 * RATE_HZ as usize]);
        let zone = Zone::parse("sanh").unwrap();
        let rate = u64::from(RATE_HZ);
        let said = [
            Said { zone: zone.clone(), text: "A < B".into(), repeats: 2, from: rate, to: 3 * rate },
            Said { zone, text: "C".into(), repeats: 1, from: 4 * rate, to: 9 * rate },
        ];
        let picture = svg(&wave, &said);
        assert_eq!(picture.matches("stroke=\"#1d5fa8\"").count(), 200);
        assert!(picture.contains("<rect x=\"114.0\" y=\"160.0\" width=\"48.0\""), "{picture}");
        assert!(picture.contains(">A &lt; B (2×)<") && picture.contains(">C<"));
    }
}
