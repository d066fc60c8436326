//! `moiso run`: the daemon.

use crate::app;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, config: Config) -> anyhow::Result<()> {
    app::init_logging();
    app::App::start(config, &app::Extras::default())?.run()
}
