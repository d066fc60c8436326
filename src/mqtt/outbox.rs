//! What waits to be published, in order, until the broker has acknowledged it. Pure.
//!
//! Of a retained topic only the latest payload waits. Both kinds are bounded, the oldest goes first: a screen that is
//! cut off for a week must not fill its memory. What was sent and not acknowledged when the link broke is sent again.

use std::collections::VecDeque;

use crate::hub::Publication;

const RETAINED_MAX: usize = 512;
const EVENTS_MAX: usize = 256;
/// Sent and not yet acknowledged; small, so that packet ids never collide in the client's window of 100.
const IN_FLIGHT_MAX: usize = 32;
/// Larger ones would end the link; the limit on both sides is 256 KiB a packet.
pub const PUBLICATION_MAX: usize = 200 * 1024;

/// Publications on their way out.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Publication>,
    sent: VecDeque<Sent>,
}

#[derive(Debug)]
struct Sent {
    publication: Publication,
    /// None until the client has told its packet id.
    packet: Option<u16>,
}

impl Outbox {
    /// Queues a publication; returns the one that had to go for it.
    pub fn push(&mut self, publication: Publication) -> Option<Publication> {
        if publication.topic.len() + publication.payload.len() > PUBLICATION_MAX {
            return Some(publication);
        }
        let retain = publication.retain;
        // Said again before it was said once, as at each of many short connections.
        if !retain && self.waiting.contains(&publication) {
            return None;
        }
        if retain {
            self.waiting.retain(|p| !(p.retain && p.topic == publication.topic));
        }
        self.waiting.push_back(publication);
        self.shrink(retain, if retain { RETAINED_MAX } else { EVENTS_MAX })
    }

    fn shrink(&mut self, retain: bool, max: usize) -> Option<Publication> {
        if self.waiting.iter().filter(|p| p.retain == retain).count() <= max {
            return None;
        }
        let oldest = self.waiting.iter().position(|p| p.retain == retain)?;
        self.waiting.remove(oldest)
    }

    /// The next to send, unless enough is in flight already.
    pub fn next(&self) -> Option<&Publication> {
        if self.sent.len() < IN_FLIGHT_MAX { self.waiting.front() } else { None }
    }

    /// The client has taken what [`Outbox::next`] showed.
    pub fn mark_sent(&mut self) {
        let taken = self.waiting.pop_front();
        self.sent.extend(taken.map(|publication| Sent { publication, packet: None }));
    }

    /// The client wrote the oldest unnumbered publication as `packet`.
    pub fn numbered(&mut self, packet: u16) {
        if let Some(sent) = self.sent.iter_mut().find(|sent| sent.packet.is_none()) {
            sent.packet = Some(packet);
        }
    }

    /// The broker has `packet`.
    pub fn acknowledged(&mut self, packet: u16) {
        self.sent.retain(|sent| sent.packet != Some(packet));
    }

    /// The link broke: what was not acknowledged waits again, before everything else.
    pub fn link_lost(&mut self) {
        while let Some(Sent { publication, .. }) = self.sent.pop_back() {
            let newer =
                publication.retain && self.waiting.iter().any(|p| p.retain && p.topic == publication.topic);
            if !newer {
                self.waiting.push_front(publication);
            }
        }
    }

    /// Nothing waits and all is acknowledged.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_empty()
    }

    /// Publications that the broker does not have yet.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.sent.len()
    }

    pub fn is_empty(&self) -> bool {
        self.is_idle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_waits_already_is_not_queued_twice() {
        let mut outbox = Outbox::default();
        let request = Publication { topic: "sync/request".into(), payload: "{}".into(), retain: false };
        for _ in 0..3 {
            outbox.push(request.clone());
            outbox.mark_sent();
            outbox.link_lost();
        }
        assert_eq!(outbox.len(), 1);
    }

    fn retained(topic: &str, payload: &str) -> Publication {
        Publication { topic: topic.into(), payload: payload.into(), retain: true }
    }

    fn event(topic: &str, payload: &str) -> Publication {
        Publication { retain: false, ..retained(topic, payload) }
    }

    fn drain(outbox: &mut Outbox) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(publication) = outbox.next() {
            out.push(format!("{}={}", publication.topic, String::from_utf8_lossy(&publication.payload)));
            outbox.mark_sent();
        }
        out
    }

    #[test]
    fn publications_leave_in_order_and_only_the_latest_of_a_retained_topic() {
        let mut outbox = Outbox::default();
        for publication in
            [retained("notice/a", "1"), event("call", "1"), retained("notice/a", "2"), event("call", "2")]
        {
            assert_eq!(outbox.push(publication), None);
        }
        assert_eq!(drain(&mut outbox), ["call=1", "notice/a=2", "call=2"]);
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_first() {
        let mut outbox = Outbox::default();
        for n in ["1", "2", "3"] {
            outbox.push(event("call", n));
        }
        drain(&mut outbox);
        for packet in [7, 8, 9] {
            outbox.numbered(packet);
        }
        outbox.acknowledged(8);
        outbox.push(event("call", "4"));
        outbox.link_lost();
        assert_eq!(drain(&mut outbox), ["call=1", "call=3", "call=4"]);
    }

    #[test]
    fn an_older_retained_payload_is_not_sent_again_over_a_newer_one() {
        let mut outbox = Outbox::default();
        outbox.push(retained("status", "old"));
        drain(&mut outbox);
        outbox.push(retained("status", "new"));
        outbox.link_lost();
        assert_eq!(drain(&mut outbox), ["status=new"]);
    }

    #[test]
    fn both_kinds_are_bounded_and_the_oldest_goes_first() {
        let mut outbox = Outbox::default();
        for n in 0..EVENTS_MAX {
            assert_eq!(outbox.push(event("call", &n.to_string())), None);
        }
        assert_eq!(outbox.push(event("call", "last")), Some(event("call", "0")));
        for n in 0..RETAINED_MAX {
            assert_eq!(outbox.push(retained(&format!("notice/{n}"), "x")), None);
        }
        assert_eq!(outbox.push(retained("notice/last", "x")), Some(retained("notice/0", "x")));
        assert_eq!(outbox.len(), EVENTS_MAX + RETAINED_MAX);
    }

    #[test]
    fn a_publication_that_would_end_the_link_is_refused() {
        let mut outbox = Outbox::default();
        let large = event("call", &"x".repeat(PUBLICATION_MAX));
        assert_eq!(outbox.push(large.clone()), Some(large));
        assert!(outbox.is_empty());
    }

    #[test]
    fn little_is_in_flight_at_once() {
        let mut outbox = Outbox::default();
        for n in 0..100 {
            outbox.push(event("call", &n.to_string()));
        }
        assert_eq!(drain(&mut outbox).len(), IN_FLIGHT_MAX);
        outbox.numbered(1);
        outbox.acknowledged(1);
        assert_eq!(drain(&mut outbox), ["call=32"]);
    }
}
