//! `moiso voice`: makes a voice from recordings or with a speech program, and checks one.

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
    /// north (tư, linh, nghìn) or south (bốn, lẻ, ngàn)
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

/// What is written into the manifest of a new voice.
#[derive(Debug, clap::Args)]
struct AboutArgs {
    /// The voice's name for people, such as "Giọng chị Lan"
    #[arg(long, default_value = "")]
    title: String,
    /// Who may use the voice, for what
    #[arg(long, default_value = "Made for this hall; not to be passed on without the speaker's consent")]
    licence: String,
    /// Writes the voice although some units should be recorded again
    #[arg(long)]
    accept: bool,
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    match &args.command {
        Command::Script(args) => script::run(args, config),
        Command::Import(args) => import::run(args, config),
        Command::Build(args) => build::run(args, config),
        Command::Check(args) => check::run(args, config),
    }
}
