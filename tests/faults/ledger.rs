//! The calls of a hall, what was told of them over the brokers, and what the journals keep.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::ear::{Heard, TICKETS};
use crate::hall::Hall;

/// What is not said within this time will not be: `speech.announce_max_age_s`, and a sentence.
pub const SAID_WITHIN: Duration = Duration::from_secs(135);
pub const COUNTERS: usize = 5;

/// A call that a broker has.
#[derive(Copy, Clone, Debug)]
pub struct Sent {
    pub at: Instant,
    pub counter: usize,
    /// By its own time it was too old to be said.
    pub says_old: bool,
}

/// What a screen has told of a call, or keeps of it.
#[derive(Clone, Debug)]
pub struct Told {
    pub call: usize,
    pub screen: String,
    pub outcome: String,
    pub drawn: bool,
    /// Its announcement had been begun, here or elsewhere.
    pub begun: bool,
    /// When it came to the broker; none: read from a journal.
    pub at: Option<Instant>,
}

pub struct Ledger {
    pub sent: Vec<Sent>,
    pub told: Arc<Mutex<Vec<Told>>>,
    listeners: Vec<Child>,
}

/// Ticket of a call. After the last the first is called again, when what was said of it before is long over.
pub fn ticket_of(call: usize) -> usize {
    call % (TICKETS - 1) + 1
}

impl Ledger {
    /// Listens to the proofs at every broker, with a session that outlives the broker's death.
    pub fn open(hall: &Hall) -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let listener = |port: u16| {
            let mut client = Command::new("mosquitto_sub")
                .args([
                    "-p",
                    &port.to_string(),
                    "-u",
                    "queue",
                    "-P",
                    "right",
                    "-i",
                    "ledger",
                    "-c",
                    "-q",
                    "1",
                ])
                .args(["-t", "moiso/dong-da/screen/+/proof", "-F", "%t %p"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("mosquitto_sub is installed");
            let lines = BufReader::new(client.stdout.take().unwrap()).lines();
            let told = Arc::clone(&told);
            std::thread::spawn(move || {
                for line in lines.map_while(Result::ok) {
                    told.lock().unwrap().extend(proof(&line));
                }
            });
            client
        };
        let listeners = hall.brokers.iter().map(|broker| listener(broker.port)).collect();
        Self { sent: Vec::new(), told, listeners }
    }

    /// Calls the next ticket, unless no broker can be reached.
    pub fn call(&mut self, hall: &Hall) {
        let Some(broker) = hall.reachable() else { return };
        let call = self.sent.len();
        let says_old =
            (hall.queue_clock_is_new() && hall.queue_clock_s < 0) || self.comes_to_wrong_clocks(hall);
        let counter = call % COUNTERS + 1;
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(hall.queue_clock_s);
        let payload = serde_json::json!({
            "id": format!("t-{call}"), "ticket": ticket_of(call).to_string(), "counter": counter.to_string(),
            "kind": "call", "at": at.to_string(),
        });
        self.sent.push(Sent { at: Instant::now(), counter, says_old });
        broker.publish("moiso/dong-da/call", &payload.to_string(), &[]);
        crate::tell(&format!("call {call} is at the broker"));
    }

    /// Whether every process has a clock that was ahead before three calls had come in its life: they have not told it yet.
    fn comes_to_wrong_clocks(&self, hall: &Hall) -> bool {
        hall.screens.iter().all(|screen| {
            let known = self.sent.iter().rev().take_while(|sent| sent.at > screen.since).count();
            screen.clock_s > 0 && known < 3
        })
    }

    /// What of all that was heard was this call.
    pub fn of_call<'h>(
        &self,
        call: usize,
        all: &'h [(usize, Heard)],
    ) -> impl Iterator<Item = &'h (usize, Heard)> + use<'h> {
        let (from, next) = (self.sent[call].at, self.sent.get(call + TICKETS - 1).map(|next| next.at));
        all.iter().filter(move |(_, heard)| {
            heard.ticket == ticket_of(call) && heard.from >= from && next.is_none_or(|next| heard.from < next)
        })
    }

    /// Whether this says why a call was not spoken anywhere: too late for its zone, called again, muted, or too old.
    pub fn is_reason(&self, told: &Told) -> bool {
        let outcome = told.outcome.as_str();
        matches!(outcome, "expired" | "superseded" | "muted")
            || (outcome == "shown" && self.sent[told.call].says_old)
    }

    /// Whether every call was heard, or somebody has told why not.
    pub fn is_all_told(&self, hall: &Hall) -> bool {
        let (all, told) = (heard(hall), self.told.lock().unwrap());
        (0..self.sent.len()).all(|call| {
            self.of_call(call, &all).any(|(_, heard)| heard.is_whole())
                || told.iter().any(|told| told.call == call && self.is_reason(told))
        })
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        for listener in &mut self.listeners {
            let _ = listener.kill();
            let _ = listener.wait();
        }
    }
}

fn call_of(id: &str) -> Option<usize> {
    id.strip_prefix("t-")?.parse().ok()
}

fn proof(line: &str) -> Option<Told> {
    let (topic, payload) = line.split_once(' ')?;
    let proof: serde_json::Value = serde_json::from_str(payload).ok()?;
    Some(Told {
        call: call_of(proof["call"].as_str()?)?,
        screen: topic.split('/').nth(3)?.to_owned(),
        outcome: proof["outcome"].as_str()?.to_owned(),
        drawn: !proof["drawn"].is_null(),
        begun: proof["again"] == true || !proof["speech_from"].is_null(),
        at: Some(Instant::now()),
    })
}

/// What all cards played, with the number of the screen, in the order of time.
pub fn heard(hall: &Hall) -> Vec<(usize, Heard)> {
    let ears = hall.ears.iter().enumerate();
    let mut all: Vec<(usize, Heard)> =
        ears.flat_map(|(screen, ear)| ear.heard().into_iter().map(move |heard| (screen, heard))).collect();
    all.sort_by_key(|(_, heard)| heard.from);
    all
}

/// What the journals keep of the calls.
pub fn kept(hall: &Hall) -> Vec<Told> {
    hall.screens
        .iter()
        .flat_map(|screen| {
            let journal = rusqlite::Connection::open(screen.journal()).unwrap();
            let sql = "SELECT id, coalesce(outcome, ''), drawn IS NOT NULL, coalesce(again, 0) OR speech_from IS NOT NULL FROM calls";
            let mut statement = journal.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| {
                let id: String = row.get(0)?;
                let (outcome, drawn, begun) = (row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(call_of(&id).map(|call| Told {
                    call,
                    screen: screen.name.clone(),
                    outcome,
                    drawn,
                    begun,
                    at: None,
                }))
            });
            rows.unwrap().filter_map(Result::unwrap).collect::<Vec<_>>()
        })
        .collect()
}

/// The last ticket of every counter, as a board should show it.
pub fn last_tickets(sent: &[Sent]) -> BTreeMap<String, String> {
    let ticket = |(call, sent): (usize, &Sent)| (sent.counter.to_string(), ticket_of(call).to_string());
    sent.iter().enumerate().map(ticket).collect()
}
