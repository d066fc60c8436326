//! Payloads from the broker: the first byte chooses the topic, the rest is the payload.

use jiff::tz::TimeZone;
use moiso::board::input::Input;
use moiso::wire;

const TOPICS: [&str; 10] = [
    "call",
    "counter/5",
    "queue/A",
    "notice/n-1",
    "screen/sanh-1/command",
    "screen/sanh-2/status",
    "screen/sanh-2/proof",
    "sync/request",
    "sync/state/sanh-1",
    "counter/Phòng 3",
];

/// Nothing that comes breaks the reader, and what was read and is written again reads as the same.
pub fn check(data: &[u8]) {
    let Some((choice, payload)) = data.split_first() else { return };
    let topic = TOPICS[usize::from(*choice) % TOPICS.len()];
    match topic {
        "screen/sanh-1/command" => {
            if let Ok(command) = wire::decode_command(topic, payload) {
                assert_eq!(wire::decode_command(topic, &wire::encode_command(&command)), Ok(command));
            }
        }
        "screen/sanh-2/status" => drop(wire::decode_status(topic, payload)),
        "screen/sanh-2/proof" => {
            if let Ok(proof) = wire::decode_proof(topic, payload) {
                let again = wire::decode_proof(topic, &wire::encode_proof(&proof)).expect("its own words");
                assert_eq!((again.call, again.outcome), (proof.call, proof.outcome));
            }
        }
        "sync/request" => drop(wire::decode_asking(topic, payload)),
        "sync/state/sanh-1" => drop(wire::decode_sync(topic, payload, &TimeZone::UTC)),
        _ => input(topic, payload),
    }
}

fn input(topic: &str, payload: &[u8]) {
    let Ok(read) = wire::decode(topic, payload, &TimeZone::UTC) else { return };
    let mut first = read.input;
    let written = match &mut first {
        Input::CallReceived(call) => {
            // A name is never passed on.
            call.holder = None;
            wire::encode_call(call)
        }
        Input::CounterChanged { state, .. } => wire::encode_counter(state),
        Input::QueueChanged { state, .. } => wire::encode_queue(state),
        Input::NoticePut(notice) => wire::encode_notice(notice),
        _ => return,
    };
    let second = wire::decode(topic, &written, &TimeZone::UTC).expect("its own words");
    assert_eq!(second.spared, [], "what was left out is not written");
    assert_eq!(second.input, first);
}
