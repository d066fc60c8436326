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
        for event in events {
            let Some((topic, payload, retain)) = self.message(event) else { continue };
            let topic = format!("{}/{topic}", self.prefix);
            if let Err(error) = client.try_publish(topic, QoS::AtLeastOnce, retain, payload) {
                tracing::warn!(%error, "the demo's queue system drops a message");
            }
        }
    }

    /// Topic below the prefix, payload, retained.
    fn message(&mut self, event: Event) -> Option<(String, Vec<u8>, bool)> {
        let at = Timestamp::now();
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
                Some(("call".into(), wire::encode_call(&call), false))
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
                Some((format!("counter/{counter}"), wire::encode_counter(&state), true))
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
                Some((format!("queue/{}", SERIES[series]), wire::encode_queue(&state), true))
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
