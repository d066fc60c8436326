//! Subcommands.

pub mod call;
pub mod client;
pub mod notice;
pub mod token;
