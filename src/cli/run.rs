//! `moiso run`: the daemon.

use std::path::Path;

use crate::app;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, config: Config, path: Option<&Path>) -> anyhow::Result<()> {
    app::init_logging();
    let extras = app::Extras { config: path.map(Path::to_owned), ..app::Extras::default() };
    app::App::start(config, &extras)?.run()
}
