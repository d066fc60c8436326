//! `moiso render`: a recorded stretch of a day as the picture that a screen would show at one instant.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use crate::board::Rules;
use crate::config::Config;
use crate::gpu::{Gpu, Offscreen};
use crate::replay;
use crate::scene::{Look, Size, Theme, compose};

/// Draw recorded events to a PNG, without a display.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON lines: {"t":"RFC 3339","topic":"moiso/<hall>/…","payload":{…}}; `-` reads the standard input.
    pub events: PathBuf,
    /// The instant of the picture, for instance 2026-11-24T09:41:00+07:00; left out, the last event's.
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// Width and height in pixels, for instance 1920x1080; left out, the config's.
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub size: Option<Size>,
    /// Where the picture goes.
    #[arg(long, value_name = "FILE", default_value = "board.png")]
    pub out: PathBuf,
    /// navy or paper, in place of the config's.
    #[arg(long)]
    pub theme: Option<String>,
}

fn parse_size(text: &str) -> Result<Size, String> {
    let wrong = || format!("must be such as 1920x1080, not {text:?}");
    let (w, h) = text.split_once('x').ok_or_else(wrong)?;
    let side = |t: &str| t.parse::<u32>().ok().filter(|n| (160..=16384).contains(n)).ok_or_else(wrong);
    Ok(Size { w: side(w)?, h: side(h)? })
}

/// # Errors
/// When the events cannot be read, nothing can draw here, or the picture cannot be written.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let events = super::replay::read(&args.events, config)?;
    let Some(until) = args.at.or(events.last().map(|event| event.at)) else {
        bail!("{} has no events of {}, and --at is not given", args.events.display(), config.topic_prefix());
    };
    let look = look(args, config)?;
    let size = args.size.unwrap_or(Size { w: config.screen.width, h: config.screen.height });
    let replay = replay::play(Rules::of(config), &events, until);
    for (at, rejection) in &replay.rejected {
        eprintln!("{at}: {rejection}");
    }
    let scene = compose(&replay.board.view(replay.now), &look, size, replay.now);
    let gpu = Gpu::open(&Gpu::instance(), None)?;
    let mut target = Offscreen::new(&gpu, size)?;
    target.draw(&gpu, &scene, None)?;
    let png = target.picture(&gpu)?.png()?;
    std::fs::write(&args.out, png).with_context(|| format!("cannot write {}", args.out.display()))
}

fn look(args: &Args, config: &Config) -> anyhow::Result<Look> {
    let mut look = Look::of(config);
    if let Some(name) = &args.theme {
        let known = Theme::NAMES.join(", ");
        look.theme =
            Theme::named(name).with_context(|| format!("there is no theme {name:?}; there are {known}"))?;
    }
    Ok(look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(parse_size("1920x1080"), Ok(Size { w: 1920, h: 1080 }));
        for wrong in ["1920", "1920x", "0x10", "99999x1080", "a x b"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
