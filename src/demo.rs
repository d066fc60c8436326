//! The demo: a simulated hall publishes over real MQTT, like a queue system would, to the daemon's own broker.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rumqttc::{AsyncClient, Event as LinkEvent, MqttOptions, Packet, QoS};
use tokio::sync::watch;

use crate::board::call::{Call, CallId, Counter, Kind, Series, Ticket};
use crate::board::state::{CounterMode, CounterState, QueueState};
use crate::clock::Millis;
use crate::config::Config;
use crate::wire;

pub mod hall;

use hall::{Event, Hall, SERIES};

/// How often the simulated hall is asked what has happened.
const TICK: Duration = Duration::from_millis(200);

/// What a queue system publishes.
#[derive(Clone, Debug)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
    /// Of a call event.
    pub call: Option<(CallId, Kind)>,
}

impl Message {
    fn retained(topic: String, payload: Vec<u8>) -> Self {
        Self { topic, payload, retain: true, call: None }
    }
}

/// A queue system that does not exist.
pub struct QueueSystem {
    hall: Hall,
    prefix: String,
    time_zone: TimeZone,
    /// Ids never repeat, also over several demos on one broker.
    session: i64,
    sent: u64,
}

impl QueueSystem {
    pub fn new(config: &Config, seed: u64) -> Self {
        Self {
            hall: Hall::new(seed),
            prefix: config.topic_prefix(),
            time_zone: TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC),
            session: Timestamp::now().as_millisecond(),
            sent: 0,
        }
    }

    /// Publishes to the broker at `address` until told to stop; the hall's clock runs `speed` times as fast as the real one.
    pub async fn run(mut self, address: SocketAddr, speed: f64, mut stop: watch::Receiver<bool>) {
        let mut options = MqttOptions::new("moiso-demo-queue", address.ip().to_string(), address.port());
        options.set_keep_alive(Duration::from_secs(10));
        let (client, mut link) = AsyncClient::new(options, 256);
        let start = tokio::time::Instant::now();
        let mut tick = tokio::time::interval(TICK);
        let (mut connected, mut opened) = (false, false);
        loop {
            tokio::select! {
                event = link.poll() => match event {
                    Ok(LinkEvent::Incoming(Packet::ConnAck(_))) => {
                        // Once: later the broker's retained states are newer than what a hall opens with.
                        if !std::mem::replace(&mut opened, true) {
                            let opening = self.hall.opening();
                            self.publish(&client, opening);
                        }
                        connected = true;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        connected = false;
                        tracing::warn!(%error, "the demo's queue system cannot reach the broker");
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                },
                _ = tick.tick(), if connected => {
                    let elapsed = start.elapsed().as_secs_f64() * speed * 1000.0;
                    let events = self.hall.advance(Millis(elapsed as i64));
                    self.publish(&client, events);
                }
                _ = stop.changed() => return,
            }
        }
    }

    fn publish(&mut self, client: &AsyncClient, events: Vec<Event>) {
        let at = Timestamp::now();
        for Message { topic, payload, retain, .. } in self.messages(events, at) {
            if let Err(error) = client.try_publish(topic, QoS::AtLeastOnce, retain, payload) {
                tracing::warn!(%error, "the demo's queue system drops a message");
            }
        }
    }

    /// What the hall opens with, at the time `at`.
    pub fn open(&mut self, at: Timestamp) -> Vec<Message> {
        let events = self.hall.opening();
        self.messages(events, at)
    }

    /// What happens until the hall's own clock, which starts at zero, is at `to`; each message says that it is `at`.
    pub fn advance(&mut self, to: Millis, at: Timestamp) -> Vec<Message> {
        let events = self.hall.advance(to);
        self.messages(events, at)
    }

    fn messages(&mut self, events: Vec<Event>, at: Timestamp) -> Vec<Message> {
        let messages = events.into_iter().filter_map(|event| self.message(event, at));
        messages.collect::<Vec<_>>()
    }

    fn message(&mut self, event: Event, at: Timestamp) -> Option<Message> {
        let below = |topic: &str| format!("{}/{topic}", self.prefix);
        match event {
            Event::Ticket { kind, ticket, desk, lane, booked } => {
                self.sent += 1;
                let call = Call {
                    id: CallId::parse(&format!("demo-{}-{}", self.session, self.sent)).ok()?,
                    series: Series::parse(&ticket[..1]).ok(),
                    ticket: Ticket::parse(&ticket).ok()?,
                    counter: counter(desk)?,
                    kind,
                    at,
                    seq: None,
                    lane,
                    slot: (booked && kind == Kind::Call).then(|| self.quarter(at)),
                    holder: None,
                };
                let payload = wire::encode_call(&call);
                Some(Message { topic: below("call"), payload, retain: false, call: Some((call.id, kind)) })
            }
            Event::Desk { desk, mode, ticket, pause } => {
                let counter = counter(desk)?;
                let reopens =
                    pause.and_then(|p| at.checked_add(p.0.milliseconds()).ok()).map(|t| self.quarter(t));
                let state = CounterState {
                    mode,
                    ticket: ticket.and_then(|t| Ticket::parse(&t).ok()),
                    label: None,
                    lanes: None,
                    reopens: reopens.filter(|_| mode == CounterMode::Paused),
                    at,
                    seq: None,
                };
                Some(Message::retained(below(&format!("counter/{counter}")), wire::encode_counter(&state)))
            }
            Event::Queue { series, waiting, next, wait_minutes, missed } => {
                let state = QueueState {
                    waiting: u32::try_from(waiting).ok()?,
                    next: next.iter().filter_map(|t| Ticket::parse(t).ok()).collect(),
                    wait_minutes: u32::try_from(wait_minutes).ok(),
                    missed: missed.iter().filter_map(|t| Ticket::parse(t).ok()).collect(),
                    slot: None,
                    left_today: None,
                    at,
                };
                Some(Message::retained(
                    below(&format!("queue/{}", SERIES[series])),
                    wire::encode_queue(&state),
                ))
            }
        }
    }

    /// The local time of day, on the quarter of an hour at or after `at`.
    fn quarter(&self, at: Timestamp) -> jiff::civil::Time {
        let local = self.time_zone.to_datetime(at);
        let minutes = i32::from(local.hour()) * 60 + (i32::from(local.minute()) + 14) / 15 * 15;
        let (hour, minute) = (minutes / 60 % 24, minutes % 60);
        jiff::civil::time(hour as i8, minute as i8, 0, 0)
    }
}

fn counter(desk: usize) -> Option<Counter> {
    Counter::parse(&(desk + 1).to_string()).ok()
}
