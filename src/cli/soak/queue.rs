//! The queue system of a soak: hands its messages to the broker one at a time, each until the broker has it, and listens for
//! the daemon's proofs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::mpsc;

use crate::demo::Message;
use crate::soak::book::Book;
use crate::wire;

/// Larger than what the daemon takes, which is to be tried.
const PACKET_MAX: usize = 256 * 1024;
/// Before the broker is tried again.
const RETRY: Duration = Duration::from_millis(300);

/// Runs until nobody has messages any more; `proofs` is a topic filter.
pub async fn run(
    broker: SocketAddr,
    proofs: String,
    mut messages: mpsc::Receiver<Message>,
    book: Arc<Mutex<Book>>,
) {
    let mut front: Option<Message> = None;
    loop {
        let mut options = MqttOptions::new("moiso-soak-queue", broker.ip().to_string(), broker.port());
        options.set_keep_alive(Duration::from_secs(10)).set_max_packet_size(PACKET_MAX, PACKET_MAX);
        // Proofs wait for it; what it publishes waits here, since a broker may forget it.
        options.set_clean_session(false);
        let (client, mut link) = AsyncClient::new(options, 16);
        let (mut ready, mut in_flight) = (false, false);
        loop {
            if let (true, false, Some(message)) = (ready, in_flight, &front) {
                let Message { topic, payload, retain, call } = message.clone();
                if let Some((id, kind)) = call
                    && kind.summons()
                    && let Ok(mut book) = book.lock()
                {
                    book.sent(id);
                }
                in_flight = client.try_publish(topic, QoS::AtLeastOnce, retain, payload).is_ok();
            }
            tokio::select! {
                event = link.poll() => match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        let _ = client.try_subscribe(&proofs, QoS::AtLeastOnce);
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => ready = true,
                    Ok(Event::Incoming(Packet::PubAck(_))) => (front, in_flight) = (None, false),
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        if let (Ok(proof), Ok(mut book)) =
                            (wire::decode_proof(&publish.topic, &publish.payload), book.lock())
                        {
                            book.proved(&proof);
                        }
                    }
                    Ok(_) => {}
                    Err(_) => break,
                },
                message = messages.recv(), if ready && front.is_none() => match message {
                    Some(message) => front = Some(message),
                    None => return,
                },
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}
