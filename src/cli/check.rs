//! `moiso check`: everything that is wrong, at once, before the hall opens.

use std::path::Path;
use std::process::ExitCode;

use crate::audio::{output, sounds};
use crate::config::Config;
use crate::config::load::load;
use crate::scene::{Look, Size, plan};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, path: Option<&Path>) -> ExitCode {
    let config = match load(path) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let problems = missing(&config);
    for problem in &problems {
        eprintln!("{problem}");
    }
    for warning in absent_cards(&config) {
        eprintln!("warning: {warning}");
    }
    if problems.is_empty() {
        println!("{}", distance(&config));
        println!(
            "ok: hall {}, screen {}, {} counters, {} series, voice {}",
            config.hall.id,
            config.screen.id,
            config.counters.len(),
            config.series.len(),
            if config.audio.enabled { &config.speech.voice } else { "off" },
        );
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// Whether the numbers on the counter grid can be read from the farthest seat.
fn distance(config: &Config) -> String {
    let size = Size { w: config.screen.width, h: config.screen.height };
    let reading = plan::reading(&Look::of(config), size, config.counters.len());
    let verdict = if reading.is_met() { "readable from" } else { "TOO SMALL for" };
    format!(
        "numbers of {} counters: {:.0} mm high on {} inches, {verdict} the farthest seat at {} m, which needs {:.0} mm",
        config.counters.len(),
        reading.cap_mm,
        config.screen.diagonal_inches,
        config.screen.farthest_seat_m,
        reading.needed_mm,
    )
}

/// Sound cards that are not there now. It may be switched on later, so it is no problem of the config.
fn absent_cards(config: &Config) -> Vec<String> {
    let zones = config.audio.zones.iter().filter(|_| config.audio.enabled);
    let absent = zones.filter_map(|zone| {
        let device = zone.device.as_deref()?;
        let names = output::instead_of(device)?;
        Some(format!(
            "audio.zone {}: no sound card is named {device}; there are: {}",
            zone.id,
            names.join(", ")
        ))
    });
    absent.collect()
}

/// What the config names and this machine lacks.
fn missing(config: &Config) -> Vec<String> {
    let mqtt = &config.mqtt;
    let files = [
        ("mqtt.password_file", &mqtt.password_file),
        ("mqtt.ca_file", &mqtt.ca_file),
        ("mqtt.cert_file", &mqtt.cert_file),
        ("mqtt.key_file", &mqtt.key_file),
        ("mqtt.embedded.users_file", &mqtt.embedded.users_file),
    ];
    let unreadable = files.iter().filter_map(|(key, path)| {
        let path = path.as_ref()?;
        std::fs::File::open(path).err().map(|why| format!("{key}: cannot read {}: {why}", path.display()))
    });
    let mut problems: Vec<String> = unreadable.collect();
    if config.audio.enabled {
        let loaded = sounds::find(config).and_then(|folder| Ok((sounds::load(&folder, config)?, folder)));
        match loaded {
            Ok((voice, folder)) => {
                problems.extend(voice.missing(config));
                problems.extend(sounds::verify(&folder, &voice).iter().map(ToString::to_string));
            }
            Err(error) => problems.push(format!("speech.voice: {error}")),
        }
    }
    problems
}
