//! The command line, one file a subcommand.

pub mod read;
pub mod say;
