//! What runs in the sound card's callback: copies from the ring and counts. It takes no lock, allocates nothing, logs
//! nothing and calls no system; a test counts its allocations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

/// What the callback tells the rest, without a lock.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Frames that the card has asked for; stands still when the card is stuck.
    pub asked: AtomicU64,
    /// Frames of ours that the card has taken.
    pub played: AtomicU64,
    /// Frames that were silence although more was to come.
    pub starved: AtomicU64,
    /// More is to come: an empty ring is a fault.
    pub expecting: AtomicBool,
    /// Errors of the stream, without gaps that the system reports as such.
    pub errors: AtomicU32,
    /// Gaps that the system reported.
    pub xruns: AtomicU32,
    /// The device will not come back; only silence is written from now on.
    pub gone: AtomicBool,
}

/// The callback's end of the ring.
#[derive(Debug)]
pub struct Feed {
    ring: Consumer<f32>,
    channels: usize,
    gauges: Arc<Gauges>,
}

/// A ring for `frames` frames of `channels`, with its writer and the callback's end.
pub fn ring(frames: usize, channels: usize) -> (Producer<f32>, Feed, Arc<Gauges>) {
    let (producer, ring) = RingBuffer::new(frames * channels);
    let gauges = Arc::new(Gauges::default());
    (producer, Feed { ring, channels, gauges: Arc::clone(&gauges) }, gauges)
}

impl Feed {
    /// Fills the card's buffer with whole frames; what the ring lacks stays `silence`.
    pub fn fill<T: Copy>(&mut self, out: &mut [T], silence: T, convert: impl Fn(f32) -> T) {
        let channels = self.channels;
        let frames = out.len() / channels;
        let ready = (self.ring.slots() / channels).min(frames);
        let ready = if self.gauges.gone.load(Ordering::Relaxed) { 0 } else { ready };
        let mut filled = 0;
        if let Ok(chunk) = self.ring.read_chunk(ready * channels) {
            let (first, second) = chunk.as_slices();
            for (slot, sample) in out.iter_mut().zip(first.iter().chain(second)) {
                *slot = convert(*sample);
            }
            filled = first.len() + second.len();
            chunk.commit_all();
        }
        out[filled..].fill(silence);
        let missing = frames - ready;
        if missing > 0 && self.gauges.expecting.load(Ordering::Acquire) {
            self.gauges.starved.fetch_add(missing as u64, Ordering::Relaxed);
        }
        self.gauges.played.fetch_add(ready as u64, Ordering::Release);
        self.gauges.asked.fetch_add(frames as u64, Ordering::Release);
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "samples pass unchanged, bit for bit")]
mod tests {
    use super::*;

    #[test]
    fn silence_is_a_fault_only_while_more_is_to_come() {
        let (mut producer, mut feed, gauges) = ring(8, 2);
        let mut out = [9.0_f32; 8];
        feed.fill(&mut out, 0.0, |s| s);
        assert_eq!((out, gauges.starved.load(Ordering::Relaxed)), ([0.0; 8], 0));
        for sample in [0.1, 0.2, 0.3, 0.4, 0.5] {
            producer.push(sample).unwrap();
        }
        gauges.expecting.store(true, Ordering::Release);
        feed.fill(&mut out, 0.0, |s| s);
        assert_eq!(out, [0.1, 0.2, 0.3, 0.4, 0.0, 0.0, 0.0, 0.0], "half a frame waits for its other half");
        assert_eq!(gauges.starved.load(Ordering::Relaxed), 2);
        assert_eq!(gauges.played.load(Ordering::Relaxed), 2);
        assert_eq!(gauges.asked.load(Ordering::Relaxed), 8);
    }

    #[test]
    fn a_lost_device_gets_silence() {
        let (mut producer, mut feed, gauges) = ring(8, 1);
        producer.push(0.5).unwrap();
        gauges.gone.store(true, Ordering::Relaxed);
        let mut out = [1_i16; 3];
        feed.fill(&mut out, 0, |s| (s * 100.0) as i16);
        assert_eq!(out, [0; 3]);
    }
}
