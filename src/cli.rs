//! The command line: one file a subcommand, all over the same config.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::load::{LoadError, load};

pub mod bench;
pub mod call;
pub mod check;
pub mod client;
pub mod demo;
pub mod devices;
pub mod history;
mod http;
pub mod notice;
pub mod order;
pub mod output;
pub mod read;
pub mod render;
pub mod replay;
pub mod run;
pub mod say;
pub mod shell;
pub mod soak;
pub mod token;
mod trust;
mod upload;
pub mod voice;
pub mod watch;

/// The now-serving board and the voice of a public-service hall.
#[derive(Debug, Parser)]
#[command(name = "moiso", version, max_term_width = 100)]
struct Cli {
    /// The config file; without it /etc/moiso/moiso.toml when it is there, else the defaults.
    #[arg(long, global = true, env = "MOISO_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the board, the voice and the operators' page of one screen.
    Run(run::Args),
    /// Prints all that is wrong with the config and what it needs; exits 1 when there is something.
    Check(check::Args),
    /// Measures whether this PC is fast enough for the size of its screen; exits 1 when it is not.
    Bench(bench::Args),
    /// Shows a hall at work, with a broker of its own and a simulated day.
    Demo(demo::Args),
    /// Runs a daemon of its own through simulated days with faults, and tells whether anything grows or is lost.
    Soak(soak::Args),
    /// Lists the sound cards and which of them each zone is heard on; plays a chime on each channel.
    Devices(devices::Args),
    /// Prints how a ticket is announced.
    Read(read::Args),
    /// Speaks an announcement, or writes it as WAV.
    Say(say::Args),
    /// Draws any moment of a recorded day as PNG.
    Render(render::Args),
    /// Writes a recorded day as the hall hears it, as WAV.
    Replay(replay::Args),
    /// Puts, lists or ends notices on a running daemon.
    Notice(notice::Args),
    /// Calls a ticket on a running daemon.
    Call(call::Args),
    /// Tells how the running daemon is; exits 0 when all is well, 1 when something is not, 3 when it is down.
    Status(watch::StatusArgs),
    /// Prints what happens on the running daemon, one JSON object a line.
    Watch(watch::WatchArgs),
    /// Silences a zone of the running daemon, or all; emergencies too.
    Mute(order::ZoneArgs),
    /// Ends that.
    Unmute(order::ZoneArgs),
    /// Sets the volume of the running daemon.
    Volume(order::VolumeArgs),
    /// Shows the screen's name in large type for ten seconds.
    Identify(order::PlainArgs),
    /// Says a test call in every zone.
    TestCall(order::PlainArgs),
    /// Tells what this screen did with a ticket: when it was called, and whether it was spoken.
    History(history::Args),
    /// Makes a voice from recordings or with a speech program, and checks one.
    Voice(voice::Args),
    /// Makes, lists and revokes the operators' tokens.
    Token(token::Args),
    /// Prints a script that completes this program's commands in a shell.
    Completions(shell::CompletionsArgs),
    /// Prints the manual page, moiso(1).
    Man,
}

/// A config at start that cannot be used.
const EXIT_CONFIG: u8 = 2;

/// The code that the process ends with for `error`.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<LoadError>() { EXIT_CONFIG } else { client::exit_code(error) }
}

/// Parses the arguments and runs the command.
///
/// # Errors
/// Whatever the command could not do, with its causes.
pub fn run() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // These three are there to be used where no config can be loaded.
    match &cli.command {
        Command::Check(args) => return Ok(check::run(args, cli.config.as_deref())),
        Command::Completions(args) => {
            shell::completions(args, Cli::command())?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Man => {
            shell::man(Cli::command())?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let config = load(cli.config.as_deref())?;
    match &cli.command {
        Command::Run(args) => run::run(args, config, cli.config.as_deref())?,
        Command::Bench(args) => return bench::run(args, &config),
        Command::Soak(args) => return soak::run(args, &config),
        Command::Devices(args) => devices::run(args, &config)?,
        Command::Demo(args) => demo::run(args, config)?,
        Command::Read(args) => read::run(args, &config)?,
        Command::Say(args) => say::run(args, &config)?,
        Command::Render(args) => render::run(args, &config)?,
        Command::Replay(args) => replay::run(args, &config)?,
        Command::Notice(args) => notice::run(args, &config)?,
        Command::Call(args) => call::run(args, &config)?,
        Command::Status(args) => return watch::status(args, &config),
        Command::Watch(args) => watch::watch(args, &config)?,
        Command::Mute(args) => order::zone(args, "mute", &config)?,
        Command::Unmute(args) => order::zone(args, "unmute", &config)?,
        Command::Volume(args) => order::volume(args, &config)?,
        Command::Identify(args) => order::plain(args, "identify", &config)?,
        Command::TestCall(args) => order::plain(args, "test-call", &config)?,
        Command::History(args) => history::run(args, &config)?,
        Command::Voice(args) => voice::run(args, &config)?,
        Command::Token(args) => token::run(args, &config)?,
        Command::Check(_) | Command::Completions(_) | Command::Man => {
            unreachable!("handled before the config is loaded")
        }
    }
    Ok(ExitCode::SUCCESS)
}
