//! `moiso say`: speaks one call through the sound card, or writes it to a WAV file.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;
use tokio::sync::mpsc;

use super::output::Output;
use crate::audio::clips::Clips;
use crate::audio::{self, sounds, wav};
use crate::board::call::{Counter, Kind, Lane, Ticket, Zone};
use crate::board::input::{AnnouncementId, Form, Input};
use crate::clock::Millis;
use crate::config::Config;
use crate::hub::{Request, Speaker};
use crate::speech::voice::{Plan, Voice};
use crate::speech::{RATE_HZ, Utterance};

/// How long a sound card may take to answer.
const CARD_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ticket to call, such as A012
    pub ticket: String,
    #[command(flatten)]
    pub call: CallArgs,
    /// The short sentence of a busy hall
    #[arg(long)]
    pub short: bool,
    /// How often the sentence is said
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub repeats: u8,
    /// Write the sound to this file (16 bits, 48 kHz, one channel) instead of playing it
    #[arg(long, value_name = "FILE")]
    pub wav: Option<PathBuf>,
    #[command(flatten)]
    pub output: Output,
}

/// What `read` and `say` call.
#[derive(Debug, clap::Args)]
pub struct CallArgs {
    /// The counter that calls
    #[arg(long, default_value = "1")]
    pub counter: String,
    /// A lane that the sentence names, such as elderly; may be given several times
    #[arg(long)]
    pub lane: Vec<String>,
    /// The ticket was called before
    #[arg(long)]
    pub recall: bool,
}

/// The same, checked.
#[derive(Debug)]
pub struct Called {
    pub ticket: Ticket,
    pub counter: Counter,
    pub kind: Kind,
    pub lanes: Vec<Lane>,
}

impl CallArgs {
    /// # Errors
    /// What is wrong with the ticket, the counter or a lane.
    pub fn parse(&self, ticket: &str) -> anyhow::Result<Called> {
        let lanes = self.lane.iter().map(|name| Lane::parse(name).with_context(|| format!("lane {name:?}")));
        Ok(Called {
            ticket: Ticket::parse(ticket).with_context(|| format!("ticket {ticket:?}"))?,
            counter: Counter::parse(&self.counter).with_context(|| format!("counter {:?}", self.counter))?,
            kind: if self.recall { Kind::Recall } else { Kind::Call },
            lanes: lanes.collect::<Result<_, _>>()?,
        })
    }
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let called = args.call.parse(&args.ticket)?;
    let folder = sounds::find(config)?;
    let voice = sounds::load(&folder, config)?;
    let plan = plan(&voice, &called, args);
    let seconds = plan.utterance.frames(RATE_HZ) as f64 / f64::from(RATE_HZ);
    let told = json!({ "text": plan.utterance.text, "missing": plan.missing, "seconds": seconds });
    args.output.tell(&plan.utterance.text, &told);
    if !plan.missing.is_empty() {
        eprintln!("cannot be said: {}", plan.missing.join(", "));
    }
    match &args.wav {
        Some(path) => write_wav(&plan.utterance, folder, path),
        None => play(plan.utterance, &called.counter, folder, config),
    }
}

fn plan(voice: &Voice, called: &Called, args: &Args) -> Plan {
    let form = if args.short { Form::Short } else { Form::Full };
    let sentence =
        |form| voice.wording().call(&called.ticket, &called.counter, called.kind, &called.lanes, None, form);
    voice.plan_sentence(sentence, args.repeats, form)
}

fn write_wav(utterance: &Utterance, folder: PathBuf, path: &Path) -> anyhow::Result<()> {
    let samples = audio::render(&mut Clips::new(folder), &[(Millis::ZERO, utterance)], RATE_HZ)?;
    let cannot = || format!("cannot write {}", path.display());
    let file = BufWriter::new(File::create(path).with_context(cannot)?);
    wav::write(file, &samples, RATE_HZ).with_context(cannot)
}

fn play(utterance: Utterance, counter: &Counter, folder: PathBuf, config: &Config) -> anyhow::Result<()> {
    let zone = config.zone_of(counter).cloned();
    let zone = zone.with_context(|| format!("no audio.zone has counter {counter}"))?;
    play_in(utterance, &zone, folder, config)
}

/// Plays to the end on a zone's loudspeakers.
pub(super) fn play_in(
    utterance: Utterance,
    zone: &Zone,
    folder: PathBuf,
    config: &Config,
) -> anyhow::Result<()> {
    let mut config = config.clone();
    config.audio.enabled = true;
    config.audio.zones.retain(|z| z.id == *zone);
    let length = Duration::from_secs_f64(utterance.frames(RATE_HZ) as f64 / f64::from(RATE_HZ));
    let (requests, mut heard) = mpsc::channel(64);
    let mut audio = audio::spawn(&config, folder, requests)?;
    let started =
        wait(&mut heard, CARD_WITHIN, |input| matches!(input, Input::SoundChanged { works: true, .. }));
    if started.is_none() {
        audio.stop();
        bail!("no sound card answered within {} s", CARD_WITHIN.as_secs());
    }
    audio.say(zone, AnnouncementId(1), Arc::new(utterance));
    let ended = wait(&mut heard, length + CARD_WITHIN, |input| matches!(input, Input::SpeechEnded { .. }));
    audio.stop();
    match ended {
        Some(Input::SpeechEnded { completed: true, .. }) => Ok(()),
        Some(_) => bail!("the sentence was not played to its end"),
        None => bail!("the sound card did not play the sentence in time"),
    }
}

fn wait(
    heard: &mut mpsc::Receiver<Request>,
    within: Duration,
    wanted: impl Fn(&Input) -> bool,
) -> Option<Input> {
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        match heard.try_recv() {
            Ok(Request::Input { input, .. }) if wanted(&input) => return Some(input),
            Ok(_) => {}
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    None
}
