//! `moiso devices`: the sound cards of this PC, and a chime on each channel so that a technician hears where it comes out.

use std::fmt::Display;
use std::io::Write;
use std::ops::RangeInclusive;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::output::Output;
use super::say::play_in;
use crate::audio::card::Wish;
use crate::audio::output::{Output as Card, chosen, outputs};
use crate::audio::sounds;
use crate::config::{Config, ZoneConfig};
use crate::speech::{Part, Utterance};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Plays the chime on every channel of every zone, one after the other
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    output: Output,
}

/// # Errors
/// When the cards cannot be listed, or a chime cannot be played.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let cards = outputs()?;
    if args.output.json {
        println!("{}", as_json(&cards, config));
        return if args.test { test(config, &cards, &mut std::io::sink()) } else { Ok(()) };
    }
    let mut out = std::io::stdout().lock();
    if cards.is_empty() {
        writeln!(out, "there is no sound card")?;
    }
    for card in &cards {
        let mark = if card.is_default { " (default)" } else { "" };
        writeln!(out, "{}{mark}\n    device = {:?}", card.name, card.id)?;
        let formats = card.formats.join(", ");
        writeln!(out, "    {} channels, {} Hz, {formats}", span(&card.channels), span(&card.rates_hz))?;
    }
    for zone in &config.audio.zones {
        let on = chosen(&wish(zone, config)).unwrap_or_else(|| "no sound card".to_owned());
        let instead = zone.device.as_deref().filter(|device| !is_named(device, &on, &cards));
        let instead = instead.map(|device| format!(", because {device} is not there")).unwrap_or_default();
        writeln!(out, "zone {}: on {on}{instead}, channels {}", zone.id, channels(zone))?;
    }
    if args.test { test(config, &cards, &mut out) } else { Ok(()) }
}

fn as_json(cards: &[Card], config: &Config) -> Value {
    let card = |card: &Card| {
        json!({
            "name": card.name, "device": card.id, "default": card.is_default, "formats": card.formats,
            "channels": [card.channels.start(), card.channels.end()],
            "rates_hz": [card.rates_hz.start(), card.rates_hz.end()],
        })
    };
    let zone = |zone: &ZoneConfig| {
        json!({
            "zone": zone.id.as_str(), "wished": zone.device, "card": chosen(&wish(zone, config)),
            "channels": zone.channels,
        })
    };
    json!({
        "cards": cards.iter().map(card).collect::<Vec<_>>(),
        "zones": config.audio.zones.iter().map(zone).collect::<Vec<_>>(),
    })
}

fn span<T: Display + PartialEq>(range: &RangeInclusive<T>) -> String {
    let (from, to) = (range.start(), range.end());
    if from == to { from.to_string() } else { format!("{from} to {to}") }
}

fn wish(zone: &ZoneConfig, config: &Config) -> Wish {
    let channels = zone.channels.iter().copied().max().unwrap_or(0);
    Wish { device: zone.device.clone(), buffer_frames: config.audio.buffer_frames, channels }
}

fn is_named(device: &str, on: &str, cards: &[Card]) -> bool {
    let device = device.to_lowercase();
    let names = |card: &Card| [card.name.to_lowercase(), card.id.to_lowercase()];
    cards.iter().any(|card| card.name == on && names(card).iter().any(|name| name.contains(&device)))
}

fn channels(zone: &ZoneConfig) -> String {
    if zone.channels.is_empty() {
        return "all".to_owned();
    }
    zone.channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn test(config: &Config, cards: &[Card], out: &mut impl Write) -> anyhow::Result<()> {
    let folder = sounds::find(config)?;
    let voice = sounds::load(&folder, config)?;
    let name = config.speech.chime.as_deref().unwrap_or("single");
    let chime = voice.chimes().get_or_any(name).context("the sounds folder has no chime")?;
    for zone in &config.audio.zones {
        let on = chosen(&wish(zone, config));
        let of_card = cards
            .iter()
            .find(|card| Some(&card.name) == on.as_ref())
            .map_or(2, |card| (*card.channels.end()).min(8));
        let all = if zone.channels.is_empty() { (1..=of_card).collect() } else { zone.channels.clone() };
        for channel in all {
            writeln!(out, "zone {}: channel {channel}", zone.id)?;
            let mut config = config.clone();
            config.audio.zones = vec![ZoneConfig { channels: vec![channel], ..zone.clone() }];
            let chime = Utterance { parts: vec![Part::Clip(chime.clone())], ..Utterance::default() };
            play_in(chime, &zone.id, folder.clone(), &config)?;
        }
    }
    Ok(())
}
