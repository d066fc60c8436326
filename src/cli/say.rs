//! `moiso say`: speaks one call through the sound card, or writes it to a WAV file.

use anyhow::Context;

use crate::board::call::{Counter, Kind, Lane, Ticket};

/// What `read` and `say` call.
#[derive(Debug, clap::Args)]
pub struct CallArgs {
    /// The counter that calls
    #[arg(long, default_value = "1")]
    pub counter: String,
    /// A lane that the sentence names, such as elderly; may be given several times
    #[arg(long)]
    pub lane: Vec<String>,
    /// The ticket was called before
    #[arg(long)]
    pub recall: bool,
}

/// The same, checked.
#[derive(Debug)]
pub struct Called {
    pub ticket: Ticket,
    pub counter: Counter,
    pub kind: Kind,
    pub lanes: Vec<Lane>,
}

impl CallArgs {
    /// # Errors
    /// What is wrong with the ticket, the counter or a lane.
    pub fn parse(&self, ticket: &str) -> anyhow::Result<Called> {
        let lanes = self.lane.iter().map(|name| Lane::parse(name).with_context(|| format!("lane {name:?}")));
        Ok(Called {
            ticket: Ticket::parse(ticket).with_context(|| format!("ticket {ticket:?}"))?,
            counter: Counter::parse(&self.counter).with_context(|| format!("counter {:?}", self.counter))?,
            kind: if self.recall { Kind::Recall } else { Kind::Call },
            lanes: lanes.collect::<Result<_, _>>()?,
        })
    }
}
