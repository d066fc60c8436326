//! `moiso bench`: whether this PC is fast enough for the size that the config names. Needs no display and leaves the glass
//! alone, so that it can run beside the daemon.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::audio::card::{Cards as _, Wish};
use crate::audio::output::SystemCards;
use crate::config::{Config, ZoneConfig};
use crate::present::trial::{self, Ticker, Trial};
use crate::scene::Size;

use super::render::parse_size;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Width and height in pixels, for instance 3840x2160; left out, the config's.
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub size: Option<Size>,
    /// How long the ticker is watched while nobody is called, and again while calls come.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
}

/// Calls that are drawn.
const CALLS: usize = 60;
/// A picture that comes later than this after its call is seen to come late.
const CALL_WITHIN: Duration = Duration::from_millis(100);
/// More steps that come late make the line stutter visibly.
const LATE_PERCENT: f64 = 2.0;
/// More of one core, and the line alone keeps a small PC warm all day.
const BUSY_PERCENT: f64 = 30.0;
/// How long a card may take to ask for its first samples.
const CARD_WITHIN: Duration = Duration::from_secs(3);

/// # Errors
/// When nothing can draw here.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let size = args.size.unwrap_or(Size { w: config.screen.width, h: config.screen.height });
    let span = Duration::from_secs(args.seconds);
    let found = trial::run(config, size, CALLS, span)?;
    let drawn_by = if found.software { "the CPU draws" } else { "the GPU draws" };
    println!("adapter  {}: {drawn_by}", found.gpu);
    println!("start    first picture of {}x{} after {} ms", size.w, size.h, found.first.as_millis());
    let calls = Calls::of(&found);
    println!("call     drawn in {} ms, the slowest of {CALLS} in {} ms", ms(calls.usual), ms(calls.slowest));
    match (&found.ticker, &found.under_calls) {
        (Some(rest), Some(under_calls)) => {
            println!("ticker   at rest: {}; {:.1} % of a core", even(rest, span), busy_percent(rest, span));
            println!("         under {} calls: {}", under_calls.calls, even(under_calls, span));
        }
        _ => println!("ticker   stands still"),
    }
    for zone in config.audio.zones.iter().filter(|_| config.audio.enabled) {
        println!("sound    zone {}: {}", zone.id, sound(zone, config));
    }
    let slow = complaints(&found, config.screen.max_fps, span);
    if slow.is_empty() {
        println!("This PC is fast enough for {}x{}.", size.w, size.h);
        return Ok(ExitCode::SUCCESS);
    }
    println!("This PC is too slow for {}x{}:", size.w, size.h);
    for complaint in slow {
        println!("- {complaint}");
    }
    Ok(ExitCode::FAILURE)
}

/// The median and the longest time of a call.
#[derive(Copy, Clone, Debug)]
struct Calls {
    usual: Duration,
    slowest: Duration,
}

impl Calls {
    fn of(found: &Trial) -> Self {
        let mut sorted = found.calls.clone();
        sorted.sort();
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        Self { usual: at(sorted.len() / 2), slowest: at(sorted.len().saturating_sub(1)) }
    }
}

/// How evenly the line moved, in words.
fn even(ticker: &Ticker, span: Duration) -> String {
    let Ticker { steps, late, skipped, error_px, step_px, .. } = ticker;
    format!(
        "{steps} pictures in {} s, {late} more than one step late, {skipped} steps skipped; {error_px:.1} px from its place at \
         most (a step: {step_px} px)",
        span.as_secs()
    )
}

/// What is too slow, and what would help.
fn complaints(found: &Trial, max_fps: u32, span: Duration) -> Vec<String> {
    let calls = Calls::of(found);
    let mut out = Vec::new();
    if calls.usual > CALL_WITHIN {
        out.push(format!(
            "a call takes {} ms to draw, and comes visibly late after {} ms: set the display to a smaller size, such as 1920x1080",
            ms(calls.usual),
            ms(CALL_WITHIN)
        ));
    }
    let slow_line = format!("end what else runs here, or set screen.max_fps to {}", (max_fps / 2).max(15));
    for (ticker, when) in
        [(&found.ticker, "while nobody is called"), (&found.under_calls, "while calls come")]
    {
        let Some(ticker) = ticker else { continue };
        if f64::from(ticker.late) > f64::from(ticker.steps) * LATE_PERCENT / 100.0 {
            out.push(format!(
                "the ticker stutters {when}, {} of {} pictures came late: {slow_line}",
                ticker.late, ticker.steps
            ));
        }
    }
    let Some(ticker) = &found.ticker else { return out };
    if busy_percent(ticker, span) > BUSY_PERCENT {
        out.push(format!(
            "the ticker alone takes {:.0} % of a core: set screen.max_fps to {}, or the display to a smaller size",
            busy_percent(ticker, span),
            (max_fps / 2).max(15)
        ));
    }
    out
}

fn busy_percent(ticker: &Ticker, span: Duration) -> f64 {
    ticker.busy.as_secs_f64() / span.as_secs_f64().max(f64::EPSILON) * 100.0
}

fn ms(span: Duration) -> String {
    format!("{:.1}", span.as_secs_f64() * 1000.0)
}

/// From a sample that is given to the card until it leaves the card's own buffer, with silence that nobody hears.
fn sound(zone: &ZoneConfig, config: &Config) -> String {
    let channels = zone.channels.iter().copied().max().unwrap_or(0);
    let wish = Wish { device: zone.device.clone(), buffer_frames: config.audio.buffer_frames, channels };
    let mut card = match SystemCards.open(&wish) {
        Ok(card) => card,
        Err(error) => return format!("no latency: {error}"),
    };
    let per_s = u64::from(card.rate_hz.max(1));
    let silence = card.rate_hz as usize / 10 * card.channels;
    let given = Instant::now();
    for _ in 0..silence {
        if card.ring.push(0.0).is_err() {
            break;
        }
    }
    while card.gauges.played.load(Ordering::Acquire) == 0 {
        if given.elapsed() > CARD_WITHIN {
            return format!("{} asks for nothing", card.name);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let held = Duration::from_millis(card.latency_frames * 1000 / per_s);
    format!("{}, {} ms from a sample to the loudspeaker", card.name, ms(given.elapsed() + held))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(10);

    fn trial(calls_ms: &[u64], late: [u32; 2], busy_ms: u64) -> Trial {
        let ticker =
            |late| Ticker { steps: 600, late, busy: Duration::from_millis(busy_ms), ..Ticker::default() };
        Trial {
            gpu: String::new(),
            software: true,
            first: Duration::ZERO,
            calls: calls_ms.iter().copied().map(Duration::from_millis).collect(),
            ticker: Some(ticker(late[0])),
            under_calls: Some(ticker(late[1])),
        }
    }

    fn told(call_ms: u64, late: [u32; 2], busy_ms: u64) -> Vec<String> {
        complaints(&trial(&[call_ms], late, busy_ms), 60, SPAN)
    }

    #[test]
    fn a_pc_is_fast_enough_until_a_hall_would_see_otherwise() {
        assert_eq!(told(99, [12, 12], 3_000), Vec::<String>::new());
        for (slow, word) in [
            (told(101, [0, 0], 0), "1920x1080"),
            (told(9, [13, 0], 0), "stutters while nobody is called"),
            (told(9, [0, 13], 0), "stutters while calls come"),
            (told(9, [0, 0], 3_100), "max_fps to 30"),
        ] {
            assert!(slow.len() == 1 && slow[0].contains(word), "{slow:?}");
        }
    }

    #[test]
    fn the_usual_call_is_the_median_and_not_the_first() {
        let calls = Calls::of(&trial(&[50, 9, 8, 10, 9], [0, 0], 0));
        assert_eq!((calls.usual.as_millis(), calls.slowest.as_millis()), (9, 50));
    }
}
