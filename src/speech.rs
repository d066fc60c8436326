//! What is said: from a call to clips and gaps. Pure; the sound itself is read elsewhere.

use std::sync::Arc;

use crate::clock::Millis;

/// A sequence of clips and gaps, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utterance {
    pub parts: Vec<Part>,
    /// The sentence in words, for logs, the page and `moiso read`.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Clip(Clip),
    Gap(Millis),
}

/// One recorded unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clip {
    /// Path below the sounds folder, for instance `north/dest/quay-5.opus`.
    pub file: Arc<str>,
    /// Length in frames at the bank's rate.
    pub frames: u64,
}
