//! The bridge between two brokers of a hall. While it is down the screens at one do not hear those at the other: they are two halls.

use std::time::{Duration, Instant};

use crate::support::mosquitto::{Mosquitto, Subscriber};

const PROBE_EVERY: Duration = Duration::from_millis(500);

/// What is known of it by what passes over it.
pub struct Bridge {
    /// When one of its ends had died, until a word of either end came to the other.
    pub down: Vec<(Instant, Option<Instant>)>,
    /// At each end, and the last word of the other that came there.
    ears: Vec<(Subscriber, u64)>,
    /// The first word since both ends are there, and the next.
    first: u64,
    next: u64,
    probed: Instant,
}

impl Bridge {
    /// Of a single broker it never breaks.
    pub fn between(brokers: &[Mosquitto]) -> Self {
        let ends = if let [first, second] = brokers { vec![(first, 1), (second, 0)] } else { Vec::new() };
        let who = ["-u", "queue", "-P", "right", "-i", "bridge-ear", "-c"];
        let ear = |(broker, other): (&Mosquitto, usize)| {
            (Subscriber::start(broker.port, &format!("bridge/{other}"), &who), 0)
        };
        let ears = ends.into_iter().map(ear).collect();
        Self { down: Vec::new(), ears, first: 1, next: 1, probed: Instant::now() }
    }

    /// One of its ends has died.
    pub fn breaks(&mut self) {
        self.first = self.next;
        if !self.ears.is_empty() && self.down.last().is_none_or(|(_, up)| up.is_some()) {
            self.down.push((Instant::now(), None));
        }
    }

    /// Asks now and then whether it is up again; both its ends are there.
    pub fn probe(&mut self, brokers: &[Mosquitto]) {
        let Some((_, up @ None)) = self.down.last_mut() else { return };
        for (ear, last) in &mut self.ears {
            let words = ear.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse().ok());
            *last = words.last().unwrap_or(*last);
        }
        if self.ears.iter().all(|(_, last)| *last >= self.first) {
            *up = Some(Instant::now());
            crate::tell("the bridge is up again");
        } else if self.probed.elapsed() >= PROBE_EVERY {
            for (number, broker) in brokers.iter().enumerate() {
                broker.publish(&format!("bridge/{number}"), &self.next.to_string(), &[]);
            }
            (self.next, self.probed) = (self.next + 1, Instant::now());
        }
    }

    /// Whether it was down from one time on, and until another or so short before it that the other end had no word.
    pub fn was_down(&self, from: Instant, to: Instant, word_takes: Duration) -> bool {
        self.down.iter().any(|(down, up)| *down <= from && up.is_none_or(|up| to <= up + word_takes))
    }
}
