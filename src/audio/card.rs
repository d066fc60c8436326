//! A sound card as the player sees it: opened, fed through a ring, watched through gauges, and lost. The system's own
//! cards are in `output`; tests bring cards that vanish on cue.

use std::sync::Arc;

use rtrb::Producer;
use thiserror::Error;

use super::feed::Gauges;

/// Which card, and how it should ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Name or part of the name; none takes the system's default.
    pub device: Option<String>,
    /// Frames that the card asks for at once, as near as it can.
    pub buffer_frames: u32,
    /// The highest channel that a zone names; 0 when none does.
    pub channels: u16,
}

/// A card holds so many of the pieces that it asks for at once: cpal's ALSA host plays two periods ahead.
pub(super) const PIECES: u64 = 2;

/// An open card that already asks for frames.
pub struct Card {
    pub name: String,
    /// The wished one; false for the default card in its place.
    pub preferred: bool,
    pub rate_hz: u32,
    pub channels: usize,
    /// Frames between the ring and the loudspeaker: what the card itself holds.
    pub latency_frames: u64,
    pub ring: Producer<f32>,
    pub gauges: Arc<Gauges>,
    /// Keeps the stream open; dropping it may block.
    pub stream: Box<dyn Send>,
}

#[derive(Debug, Error)]
pub enum CardError {
    #[error("there is no sound card")]
    None,
    #[error("{name}: {why}")]
    Refused { name: String, why: String },
    #[error("{name} has no sample format that can be written: {formats}")]
    Format { name: String, formats: String },
}

/// Where cards come from.
pub trait Cards: Send {
    /// Opens the wished card, or the default one where the wished one is not there; must return within seconds.
    ///
    /// # Errors
    /// [`CardError`]; all of them may pass, so the caller tries another card, and again.
    fn open(&mut self, wish: &Wish) -> Result<Card, CardError>;

    /// Whether the wished card is there now.
    fn is_there(&mut self, wish: &Wish) -> bool;
}
