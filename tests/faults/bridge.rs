//! The bridge between two brokers of a hall. While it is down the screens at one do not hear those at the other: they are two halls.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::mosquitto::Mosquitto;

const PROBE_EVERY: Duration = Duration::from_millis(500);

/// What is known of it by what passes over it.
pub struct Bridge {
    /// When one of its ends had died, until a word of either end came to the other.
    pub down: Vec<(Instant, Option<Instant>)>,
    /// The last word of the other end that each has.
    come: Vec<Arc<AtomicU64>>,
    /// The first word since both ends are there, and the next.
    first: u64,
    next: u64,
    probed: Instant,
    listeners: Vec<Child>,
}

impl Bridge {
    /// Of a single broker it never breaks.
    pub fn between(brokers: &[Mosquitto]) -> Self {
        let ends = if let [first, second] = brokers { vec![(first, 1), (second, 0)] } else { Vec::new() };
        let (listeners, come) = ends.into_iter().map(|(broker, other)| listen(broker, other)).unzip();
        Self { down: Vec::new(), come, first: 1, next: 1, probed: Instant::now(), listeners }
    }

    /// One of its ends has died.
    pub fn breaks(&mut self) {
        self.first = self.next;
        if !self.listeners.is_empty() && self.down.last().is_none_or(|(_, up)| up.is_some()) {
            self.down.push((Instant::now(), None));
        }
    }

    /// Asks now and then whether it is up again; both its ends are there.
    pub fn probe(&mut self, brokers: &[Mosquitto]) {
        let Some((_, up @ None)) = self.down.last_mut() else { return };
        if self.come.iter().all(|come| come.load(Ordering::SeqCst) >= self.first) {
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

/// Hears at one end what comes from the other.
fn listen(broker: &Mosquitto, other: usize) -> (Child, Arc<AtomicU64>) {
    let come = Arc::<AtomicU64>::default();
    let mut client = Command::new("mosquitto_sub")
        .args([
            "-p",
            &broker.port.to_string(),
            "-u",
            "queue",
            "-P",
            "right",
            "-i",
            "bridge-ear",
            "-c",
            "-q",
            "1",
        ])
        .args(["-t", &format!("bridge/{other}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("mosquitto_sub is installed");
    let lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let last = Arc::clone(&come);
    std::thread::spawn(move || {
        for word in lines.map_while(Result::ok).filter_map(|line| line.parse().ok()) {
            last.store(word, Ordering::SeqCst);
        }
    });
    (client, come)
}

impl Drop for Bridge {
    fn drop(&mut self) {
        for listener in &mut self.listeners {
            let _ = listener.kill();
            let _ = listener.wait();
        }
    }
}
