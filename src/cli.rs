//! The command line, one file a subcommand.

pub mod call;
pub mod client;
pub mod notice;
pub mod read;
pub mod render;
pub mod say;
pub mod token;
