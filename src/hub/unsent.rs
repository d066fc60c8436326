//! What operators pushed and the broker has not told back yet. While the broker is away it waits in the journal, so that
//! neither a restart nor a power cut makes the hall forget it.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::{Hub, Publication, Taken};
use crate::board::input::{IgnoreReason, Input};
use crate::journal::Record;
use crate::wire;

/// Most topics that are kept: all live notices and counters, and those that ended meanwhile.
const MOST: usize = 512;

/// The topics, below the hall's prefix.
#[derive(Debug, Default)]
pub struct Unsent(BTreeSet<String>);

impl Unsent {
    /// The topic of an input, where something was pushed on it that the broker may not have.
    pub fn topic_of(&self, input: &Input) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let topic = match input {
            Input::NoticePut(notice) => format!("notice/{}", notice.id),
            Input::NoticeCleared { id } => format!("notice/{id}"),
            Input::CounterChanged { counter, .. } | Input::CounterCleared { counter } => {
                format!("counter/{counter}")
            }
            _ => return None,
        };
        self.0.contains(&topic).then_some(topic)
    }
}

impl Hub {
    /// Takes again what an earlier life of the process pushed and the broker may not have, and tells the hall again. What
    /// has ended meanwhile, or cannot be read any more, is dropped.
    pub fn resume(&mut self, unsent: Vec<(String, String)>, zone: &TimeZone) {
        for (topic, payload) in unsent {
            let payload = payload.into_bytes();
            let Ok(decoded) = wire::decode(&topic, &payload, zone) else {
                self.facts.push(Record::Sent { topic });
                continue;
            };
            let now = self.clock.now().wall;
            let gone = matches!(&decoded.input, Input::NoticePut(notice) if notice.has_ended(now));
            if gone || self.apply(decoded.input).taken != Taken::Applied {
                self.facts.push(Record::Sent { topic });
                continue;
            }
            tracing::info!(topic, "pushed before the start, and told to the hall again");
            self.unsent.0.insert(topic.clone());
            self.publish(Publication { topic, payload, retain: true });
        }
    }

    /// Events are not kept: a call has its own place in the journal, and is not called hours later.
    pub(super) fn keep_until_sent(&mut self, publish: &Publication) {
        let Publication { topic, payload, retain } = publish;
        if !*retain {
            return;
        }
        if self.unsent.0.len() >= MOST && !self.unsent.0.contains(topic) {
            tracing::warn!(topic, "not kept over a restart: too much waits for the broker");
            return;
        }
        self.unsent.0.insert(topic.clone());
        let (at, payload) = (self.clock.now().wall, String::from_utf8_lossy(payload).into_owned());
        self.facts.push(Record::Unsent { at, topic: topic.clone(), payload });
    }

    /// The broker has told a topic: what was pushed, or what somebody else has said since. What is older than the push is
    /// what the broker retained before it.
    pub(super) fn told_back(&mut self, topic: Option<String>, taken: Taken) {
        let Some(topic) = topic else { return };
        if taken == Taken::Ignored(IgnoreReason::Stale) {
            return;
        }
        self.unsent.0.remove(&topic);
        self.facts.push(Record::Sent { topic });
    }
}
