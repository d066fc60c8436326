//! How a command answers: in words for people, or as JSON for programs.

use std::fmt::Display;

use serde_json::Value;

#[derive(Copy, Clone, Debug, Default, clap::Args)]
pub struct Output {
    /// Answers in JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Output {
    /// Prints one or the other, on a line of its own.
    pub fn tell(self, words: impl Display, value: &Value) {
        if self.json { println!("{value}") } else { println!("{words}") }
    }
}
