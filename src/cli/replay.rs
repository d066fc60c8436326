//! `moiso replay`: a recorded stretch of a day as the hall hears it, written as WAV.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::output::Output;
use crate::audio::clips::Clips;
use crate::audio::narrator::Narrator;
use crate::audio::shelf::Shelf;
use crate::audio::twin::{Said, Twin};
use crate::audio::{sounds, wav};
use crate::board::Rules;
use crate::board::call::Zone;
use crate::config::Config;
use crate::config::load::state_dir;
use crate::scenario::Scenario;
use crate::speech::RATE_HZ;

mod timeline;

use timeline::Wave;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON lines: {"t":"RFC 3339","topic":"moiso/<hall>/…","payload":{…}}; `-` reads the standard input. A NAME.toml
    /// beside NAME.jsonl is its config
    pub events: PathBuf,
    /// Where the sound goes (16 bits, 48 kHz, one channel)
    #[arg(long, value_name = "FILE")]
    pub wav: PathBuf,
    /// A picture of it (SVG): the wave, and under it who was called when
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// Only this zone's loudspeakers; left out, all as one would hear them
    #[arg(long)]
    pub zone: Option<String>,
    /// The end; left out, the last event's time. A sentence that runs is heard to its end
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    pub output: Output,
}

/// # Errors
/// When the events or a clip cannot be read, the zone is unknown, or the sound cannot be written.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let scenario = Scenario::read(&args.events, config)?;
    let (config, until) = (&scenario.config, args.until.unwrap_or(scenario.until));
    let zones: Vec<Zone> = config.audio.zones.iter().map(|zone| zone.id.clone()).collect();
    let heard = args.zone.as_deref().map(|name| known(name, &zones)).transpose()?;
    let folder = sounds::find(config)?;
    let voice = sounds::load(&folder, config)?;
    let narrator = Narrator::new(voice, Shelf::open(state_dir(config).join("recordings")));
    let mut clips = Clips::new(folder);
    let mut twin = Twin {
        planner: &narrator,
        clips: &mut clips,
        audio: &config.audio,
        heard: heard.as_ref(),
        rate_hz: RATE_HZ,
    };
    let cannot = || format!("cannot write {}", args.wav.display());
    let file = BufWriter::new(File::create(&args.wav).with_context(cannot)?);
    let mut file = wav::begin(file, RATE_HZ).with_context(cannot)?;
    let mut wave = Wave::default();
    let mut sink = |samples: &[f32]| {
        wave.add(samples);
        wav::append(&mut file, samples).with_context(cannot)
    };
    let said = twin.mix(Rules::of(config), &scenario.events, until, &mut sink)?;
    file.finalize().with_context(cannot)?;
    if let Some(path) = &args.timeline {
        let picture = timeline::svg(&wave, &said);
        std::fs::write(path, picture).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print(&said, args.output)
}

fn known(name: &str, zones: &[Zone]) -> anyhow::Result<Zone> {
    zones.iter().find(|zone| zone.as_str() == name).cloned().with_context(|| {
        let names: Vec<&str> = zones.iter().map(Zone::as_str).collect();
        format!("there is no zone {name:?}; there are: {}", names.join(", "))
    })
}

/// The time line: begin and end in seconds, zone, how often, sentence.
fn print(said: &[Said], output: Output) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let seconds = |frame: u64| frame as f64 / f64::from(RATE_HZ);
    for s in said {
        let (from, to) = (seconds(s.from), seconds(s.to));
        if output.json {
            let (zone, repeats, text) = (s.zone.as_str(), s.repeats, &s.text);
            let line = json!({ "from_s": from, "to_s": to, "zone": zone, "repeats": repeats, "text": text });
            writeln!(out, "{line}")?;
            continue;
        }
        writeln!(out, "{from:8.3} {to:8.3}  {}  {}x  {}", s.zone, s.repeats, s.text)?;
    }
    Ok(())
}
