//! One connection to one broker, from the connect to its end.
//!
//! Three tasks share it: the poll task only turns the client's crank, so that pings and acks go out whatever the rest
//! does; the delivery task waits for the hub; the session itself never waits for either of them.

use std::time::Duration;

use rumqttc::{
    AsyncClient, Event, EventLoop, Outgoing, Packet, Publish, QoS, SubAck, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tracing::{info, trace, warn};

use super::delivery::Delivery;
use super::options::Will;
use super::problem::LinkError;
use super::{Link, LinkPhase, LinkState};
use crate::board::input::Input;
use crate::clock::Millis;
use crate::config::BrokerAddress;
use crate::health::ScreenStatus;
use crate::hub::Publication;
use crate::trace::STAGE;
use crate::wire;

/// Requests that the client takes ahead: publications in flight, acks and subscriptions together.
const CLIENT_CAPACITY: usize = 64;
/// Events and messages between the tasks; more than brokers send without an ack (Mosquitto 20, a hall's retained 300).
const EVENTS_MAX: usize = 1024;
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(10);
/// How late the answer to a ping may be.
const PING_WITHIN: Duration = Duration::from_secs(5);
/// A screen that has said nothing for three of these is taken for gone, and another speaks in its place.
const STATUS_EVERY: Duration = Duration::from_secs(5);
/// Another status is told this long after the last one, so that many changes are one message.
const NEWS_AFTER: Duration = Duration::from_secs(1);
/// The hub renews the status each five seconds; one that does not must not pass for one that speaks.
const HUB_SILENT_AFTER: Duration = Duration::from_secs(15);
/// For the offline status at the end; with the disconnect below one second.
const FAREWELL_WITHIN: Duration = Duration::from_millis(700);
const DISCONNECT_WITHIN: Duration = Duration::from_millis(200);
const SETTINGS_WITHIN: Duration = Duration::from_secs(10);

/// How a connection ended.
pub(super) enum End {
    /// The process is stopping.
    Stopped,
    Broken {
        problem: LinkError,
        /// How long the broker had accepted us; none if it never did.
        lived: Option<Millis>,
    },
}

type Polled = Result<Event, LinkError>;

/// Turns the crank of the client and nothing else. It is never cancelled inside a poll, which would lose packets.
///
/// The client itself misses an answer to its ping only when the next ping is due; here a broker that has said nothing
/// for one keep-alive and [`PING_WITHIN`] is taken for dead.
async fn poll(mut client: EventLoop, keep_alive: Duration, packet_max: usize, events: mpsc::Sender<Polled>) {
    // A connect may take longer: name look-up, TCP and TLS.
    let mut deadline = Instant::now() + keep_alive * 3;
    loop {
        let polled = match timeout_at(deadline, client.poll()).await {
            Ok(polled) => polled.map_err(|e| LinkError::of(&e, packet_max)),
            Err(_) => Err(LinkError::Silent),
        };
        if let Ok(Event::Incoming(Packet::Publish(_))) = polled {
            trace!(target: STAGE, "read");
        }
        if let Ok(Event::Incoming(_)) = polled {
            deadline = Instant::now() + keep_alive + PING_WITHIN;
        }
        let ended = polled.is_err();
        if events.send(polled).await.is_err() || ended {
            return;
        }
    }
}

struct Session<'l> {
    link: &'l mut Link,
    broker: &'l BrokerAddress,
    client: AsyncClient,
    messages: mpsc::Sender<Publish>,
    accepted: Option<Instant>,
    subscribed: bool,
    /// Subscriptions that the broker refused and that the screen can live without.
    refused: Option<LinkError>,
    status_sent: Option<(Instant, ScreenStatus)>,
    /// When the hub last renewed the status.
    renewed: Instant,
}

impl Link {
    /// Connects to `broker` and serves the connection until it breaks or the process stops.
    pub(super) async fn attempt(&mut self, broker: &BrokerAddress) -> End {
        let broken = |problem| End::Broken { problem, lived: None };
        let options = {
            let (settings, broker, will) = (self.settings.clone(), broker.clone(), self.will());
            let packet_max = self.packet_max;
            tokio::task::spawn_blocking(move || settings.options(&broker, will, packet_max))
        };
        let options = match timeout(SETTINGS_WITHIN, options).await {
            Ok(Ok(Ok(options))) => options,
            Ok(Ok(Err(problem))) => return broken(problem),
            Ok(Err(_)) | Err(_) => return broken(LinkError::Tls("certificates cannot be read".into())),
        };
        let (client, mut event_loop) = AsyncClient::new(options, CLIENT_CAPACITY);
        let mut network = event_loop.network_options();
        network.set_tcp_nodelay(true);
        event_loop.set_network_options(network);
        // Dropped with this function, whatever its end: no task outlives its connection.
        let mut tasks = JoinSet::new();
        let (to_session, mut events) = mpsc::channel(EVENTS_MAX);
        let (messages, arriving) = mpsc::channel(EVENTS_MAX);
        tasks.spawn(poll(event_loop, self.settings.keep_alive, self.packet_max, to_session));
        tasks.spawn(self.delivery(client.clone()).run(arriving));
        let mut session = Session {
            link: self,
            broker,
            client,
            messages,
            accepted: None,
            subscribed: false,
            refused: None,
            status_sent: None,
            renewed: Instant::now(),
        };
        let end = session.serve(&mut events).await;
        let was_up = session.subscribed;
        self.outbox.link_lost();
        if was_up {
            self.tell_hub(Input::LinkChanged { up: false }).await;
        }
        end
    }

    fn delivery(&self, client: AsyncClient) -> Delivery {
        Delivery {
            hub: self.doors.hub.clone(),
            commands: self.doors.commands.clone(),
            topics: self.topics.clone(),
            rejections: self.rejections.clone(),
            heard: self.heard.clone(),
            zone: self.zone.clone(),
            sharing: self.doors.sharing.clone(),
            client,
        }
    }

    fn will(&self) -> Will {
        let mut status = self.doors.status.borrow().clone();
        status.at = jiff::Timestamp::now();
        Will { topic: self.topics.full(&self.topics.status()), payload: wire::encode_offline(&status) }
    }
}

impl Session<'_> {
    async fn serve(&mut self, events: &mut mpsc::Receiver<Polled>) -> End {
        let stop = self.link.stop_asked();
        tokio::pin!(stop);
        let mut status = self.link.doors.status.clone();
        loop {
            let due = self.due();
            let step = tokio::select! {
                event = events.recv() => match event {
                    Some(Ok(event)) => self.take(event).await,
                    Some(Err(problem)) => Err(problem),
                    None => Err(LinkError::Protocol("the client has ended".into())),
                },
                publication = self.link.doors.outgoing.recv(), if self.link.outgoing_open => {
                    self.link.queue(publication);
                    Ok(())
                }
                () = &mut stop => {
                    self.farewell(events).await;
                    return End::Stopped;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.tick(),
                Ok(()) = status.changed() => {
                    self.renewed();
                    Ok(())
                }
            };
            if let Err(problem) = step {
                return End::Broken { problem, lived: self.lived() };
            }
            self.pump();
        }
    }

    fn lived(&self) -> Option<Millis> {
        self.accepted.map(|at| Millis(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)))
    }

    async fn take(&mut self, event: Event) -> Result<(), LinkError> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => self.accepted(),
            Event::Incoming(Packet::SubAck(ack)) => self.subscribed(&ack).await,
            Event::Incoming(Packet::PubAck(ack)) => {
                self.link.outbox.acknowledged(ack.pkid);
                Ok(())
            }
            Event::Incoming(Packet::Publish(message)) => {
                self.messages.try_send(message).map_err(|_| LinkError::Overrun)
            }
            Event::Outgoing(Outgoing::Publish(packet)) => {
                self.link.outbox.numbered(packet);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Subscribes after every connect, whatever the broker says of an old session: it may have lost the subscriptions.
    fn accepted(&mut self) -> Result<(), LinkError> {
        self.accepted = Some(Instant::now());
        let filters = self.link.topics.filters().into_iter();
        let filters = filters.map(|f| SubscribeFilter::new(f.filter, QoS::AtLeastOnce));
        let full = |_| LinkError::Protocol("the client does not take the subscriptions".into());
        self.client.try_subscribe_many(filters).map_err(full)?;
        self.link.outbox.push(Publication {
            topic: self.link.topics.sync_request(),
            payload: wire::encode_asking(self.link.topics.screen()),
            retain: false,
        });
        self.send_status();
        Ok(())
    }

    async fn subscribed(&mut self, ack: &SubAck) -> Result<(), LinkError> {
        for (filter, code) in self.link.topics.filters().into_iter().zip(&ack.return_codes) {
            if *code != SubscribeReasonCode::Failure {
                continue;
            }
            let problem = LinkError::SubscriptionRefused(filter.filter);
            if filter.essential {
                return Err(problem);
            }
            warn!("{problem}; {}", problem.advice());
            self.refused = Some(problem);
        }
        self.subscribed = true;
        info!(broker = %self.broker, "link is up");
        self.link.report(LinkState {
            phase: LinkPhase::Up,
            problem: self.refused.clone(),
            ..self.link.state_of(self.broker)
        });
        self.link.tell_hub(Input::LinkChanged { up: true }).await;
        Ok(())
    }

    /// When there is something to do that no event brings: the answer to a subscription is overdue, or a status is due.
    fn due(&self) -> Option<Instant> {
        let accepted = self.accepted?;
        let answer = (!self.subscribed).then(|| accepted + SUBSCRIBE_WITHIN);
        let status = match &self.status_sent {
            None => Some(accepted),
            Some((at, sent)) if differs(sent, &self.link.doors.status.borrow()) => Some(*at + NEWS_AFTER),
            // Nothing is told again of a hub that says nothing any more.
            Some((at, _)) => Some(*at + STATUS_EVERY).filter(|due| *due < self.renewed + HUB_SILENT_AFTER),
        };
        answer.into_iter().chain(status).min()
    }

    /// What was due.
    fn tick(&mut self) -> Result<(), LinkError> {
        let overdue = self.accepted.is_some_and(|accepted| accepted.elapsed() >= SUBSCRIBE_WITHIN);
        if overdue && !self.subscribed {
            return Err(LinkError::NotSubscribed);
        }
        self.send_status();
        Ok(())
    }

    /// Who speaks is told at once, the rest up to a second later.
    fn renewed(&mut self) {
        self.renewed = Instant::now();
        let voice =
            |s: &ScreenStatus| (s.audible.clone(), s.speaks.clone(), s.next.clone(), s.saying.clone());
        let sent = self.status_sent.as_ref().map(|(_, sent)| voice(sent));
        if sent.is_some_and(|sent| sent != voice(&self.link.doors.status.borrow())) {
            self.send_status();
        }
    }

    fn send_status(&mut self) {
        let content = self.link.doors.status.borrow().clone();
        let mut status = content.clone();
        status.online = true;
        status.at = jiff::Timestamp::now();
        status.link = self.broker.to_string();
        self.queue_status(wire::encode_status(&status));
        self.status_sent = Some((Instant::now(), content));
    }

    fn queue_status(&mut self, payload: Vec<u8>) {
        let topic = self.link.topics.status();
        self.link.outbox.push(Publication { topic, payload, retain: true });
    }

    /// Moves what waits to the client, as far as it takes it.
    fn pump(&mut self) {
        if self.accepted.is_none() {
            return;
        }
        while let Some(next) = self.link.outbox.next() {
            let topic = self.link.topics.full(&next.topic);
            let sent = self.client.try_publish(topic, QoS::AtLeastOnce, next.retain, next.payload.clone());
            if sent.is_err() {
                return;
            }
            self.link.outbox.mark_sent();
        }
    }

    /// Says that the screen goes offline, then leaves in order, so that the broker does not publish the will.
    async fn farewell(&mut self, events: &mut mpsc::Receiver<Polled>) {
        if self.accepted.is_none() {
            return;
        }
        let will = self.link.will();
        self.queue_status(will.payload);
        let deadline = Instant::now() + FAREWELL_WITHIN;
        while !self.link.outbox.is_idle() {
            self.pump();
            match timeout_at(deadline, events.recv()).await {
                Ok(Some(Ok(Event::Incoming(Packet::PubAck(ack))))) => {
                    self.link.outbox.acknowledged(ack.pkid);
                }
                Ok(Some(Ok(Event::Outgoing(Outgoing::Publish(packet))))) => self.link.outbox.numbered(packet),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => return,
                Err(_) => break,
            }
        }
        if self.client.try_disconnect().is_err() {
            return;
        }
        let deadline = Instant::now() + DISCONNECT_WITHIN;
        while let Ok(Some(Ok(event))) = timeout_at(deadline, events.recv()).await {
            if event == Event::Outgoing(Outgoing::Disconnect) {
                return;
            }
        }
    }
}

/// Whether something changed that others wait for; times and frame counts change all the time.
fn differs(sent: &ScreenStatus, now: &ScreenStatus) -> bool {
    let lasting = |s: &ScreenStatus| {
        let counts = (s.shown, s.spoken, s.expired, s.rejected);
        (
            s.online,
            s.rank,
            s.zones.clone(),
            s.audio,
            s.journal.as_str(),
            s.frame.gpu.clone(),
            s.frame.present,
            counts,
        )
    };
    lasting(sent) != lasting(now)
}
