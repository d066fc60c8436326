//! `moiso voice`: makes a voice from recordings or with a speech program, and checks one.

use std::path::PathBuf;

use anyhow::bail;

use crate::audio::studio::{self, About, Raw};
use crate::config::Config;
use crate::speech::Accent;
use crate::speech::script::{Extent, Group, Unit, to_record};
use crate::speech::sentence::Wording;

mod build;
mod check;
mod import;
mod script;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Prints what a speaker has to read for this hall, numbered.
    Script(script::Args),
    /// Makes a voice from recordings of the script: one long file or many.
    Import(import::Args),
    /// Makes a voice with any speech program.
    Build(build::Args),
    /// Tells what is wrong with a voice, clip by clip; exits 1 when there is something.
    Check(check::Args),
}

/// What is read, and how.
#[derive(Debug, clap::Args)]
struct ScriptArgs {
    /// Only single digits, number words and the phrases of this hall: ten minutes, and harder to understand
    #[arg(long)]
    compact: bool,
    /// north (tư, linh, nghìn), south (bốn, lẻ, ngàn) or english
    #[arg(long, default_value = "north", value_parser = accent)]
    accent: Accent,
}

fn accent(text: &str) -> Result<Accent, String> {
    Accent::parse(text).ok_or_else(|| format!("must be one of: {}", Accent::ALLOWED))
}

impl ScriptArgs {
    fn groups(&self, config: &Config) -> anyhow::Result<Vec<Group>> {
        let wording = Wording::new(config, self.accent)
            .map_err(|problems| anyhow::anyhow!("speech.template {}", problems.join("; it ")))?;
        let extent = if self.compact { Extent::Compact } else { Extent::Whole };
        Ok(to_record(&wording, extent))
    }

    /// The units with their numbers, from 1.
    fn units(&self, config: &Config) -> anyhow::Result<Vec<(usize, Unit)>> {
        let groups = self.groups(config)?;
        Ok((1..).zip(groups.into_iter().flat_map(|group| group.units)).collect())
    }
}

/// The voice that is made.
#[derive(Debug, clap::Args)]
struct NewVoice {
    /// The new voice, such as sounds/lan; its last part is the name for `speech.voice`
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    script: ScriptArgs,
    /// The voice's name for people, such as "Giọng chị Lan"
    #[arg(long)]
    title: Option<String>,
    /// Who may use the voice, for what
    #[arg(long, default_value = "Made for this hall; not to be passed on without the speaker's consent")]
    licence: String,
    /// Writes the voice although some units should be recorded again
    #[arg(long)]
    accept: bool,
}

impl NewVoice {
    fn about(&self, provenance: &str) -> About {
        let name = self.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        About {
            title: self.title.clone().unwrap_or_else(|| name.clone()),
            name,
            accent: self.script.accent,
            version: "1".into(),
            provenance: provenance.into(),
            licence: self.licence.clone(),
        }
    }

    /// Writes the voice, unless something has to be recorded again.
    fn write(&self, raws: &[Raw], provenance: &str) -> anyhow::Result<()> {
        let faults = studio::faults(raws);
        for fault in &faults {
            println!("{:04}  {}: {}", fault.number, fault.words, fault.why);
        }
        let (count, out) = (raws.len(), self.out.display());
        if !faults.is_empty() && !self.accept {
            bail!(
                "{} of {count} lines should be recorded again; nothing was written (--accept writes the voice all the same)",
                faults.len()
            );
        }
        studio::make(raws, &self.about(provenance), &self.out)?;
        println!("{count} clips written to {out}; a daemon that uses this voice must be restarted");
        Ok(())
    }
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::Script(args) => script::run(args, config),
        Command::Import(args) => import::run(args, config),
        Command::Build(args) => build::run(args, config),
        Command::Check(args) => check::run(args, config),
    }
}
