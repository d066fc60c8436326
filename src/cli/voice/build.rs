//! A voice from any speech program that writes a sound file for a text.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, bail, ensure};

use super::NewVoice;
use crate::audio::clips::recording;
use crate::audio::studio::{self, Raw};
use crate::config::Config;
use crate::speech::script::Unit;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program, for example 'espeak-ng -v vi -w {out} {text}'; {text} and {out} are given as whole words
    #[arg(long, value_name = "CMD")]
    synth: String,
    #[command(flatten)]
    new: NewVoice,
    /// How many run at once; left out, one for each core
    #[arg(long)]
    jobs: Option<usize>,
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    for needed in ["{text}", "{out}"] {
        ensure!(args.synth.contains(needed), "--synth must contain {needed}");
    }
    studio::may_replace(&args.new.out)?;
    let units = args.new.script.units(config)?;
    let folder = std::env::temp_dir().join(format!("moiso-voice-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let spoken = speak_all(args, &units, &folder);
    // Left behind, it is a folder of temporary files.
    let _ = std::fs::remove_dir_all(&folder);
    args.new.write(&spoken?, &format!("made by: {}", args.synth))
}

fn speak_all(args: &Args, units: &[(usize, Unit)], folder: &Path) -> anyhow::Result<Vec<Raw>> {
    // As words of the shell, whatever is in them; quotes that the user has put around a slot are not needed.
    let mut script = args.synth.clone();
    for slot in ["{text}", "{out}"] {
        script = script.replace(&format!("'{slot}'"), slot).replace(&format!("\"{slot}\""), slot);
    }
    let script = script.replace("{text}", "\"$1\"").replace("{out}", "\"$2\"");
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(units.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((number, unit)) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let raw = speak(&script, *number, unit, folder);
                    let failed = raw.is_err();
                    done.lock().expect("nothing panics while it collects").push(raw);
                    if failed {
                        next.store(units.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let done = done.into_inner().expect("all threads have ended");
    let mut raws = done.into_iter().collect::<anyhow::Result<Vec<Raw>>>()?;
    raws.sort_by_key(|raw| raw.number);
    Ok(raws)
}

fn speak(script: &str, number: usize, unit: &Unit, folder: &Path) -> anyhow::Result<Raw> {
    let out = folder.join(format!("{number:04}.wav"));
    let text = super::script::line(unit);
    let run = Command::new("sh").args(["-c", script, "moiso"]).arg(&text).arg(&out).output();
    let run = run.context("cannot run sh")?;
    if !run.status.success() {
        bail!(
            "line {number:04} ({text}): {script}: {}: {}",
            run.status,
            String::from_utf8_lossy(&run.stderr).trim()
        );
    }
    let sound = recording(&out).with_context(|| format!("line {number:04} ({text})"))?;
    Ok(Raw { number, unit: unit.clone(), sound })
}
