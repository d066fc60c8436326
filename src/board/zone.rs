//! What one set of loudspeakers says, one thing at a time.
//!
//! - Counters take turns, and within a counter the calls keep their order; an emergency goes before all, but cuts
//!   nothing off.
//! - What waits too long expires. Under load the sentences get shorter, so that fewer do.
//! - An announcement that broke off comes back to the head of its counter's queue.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::call::{Call, CallId, Counter, NoticeId, Zone};
use super::cell::is_ticket_of;
use super::input::{Announcement, AnnouncementId, Form, Message, Outcome};
use crate::clock::Millis;

/// Most announcements that wait; beyond, the oldest call gives way.
pub const WAITING: usize = 512;
/// A sentence is repeated only while all that waits, repeated too, would be said within this long of its arrival.
const CALM: Millis = Millis::from_secs(30);
/// The same for the full sentence, said once; when it does not fit, calls are said in their short form. Eleven calls at
/// once are so said within a minute.
const PROMPT: Millis = Millis::from_secs(55);
/// About how long a full sentence takes, with its share of the chime and the pause. A slower voice ages the queue
/// and so corrects itself.
const SENTENCE: Millis = Millis::from_secs(6);
/// The longest notice, said twice, takes about a minute. Silence after that long means that its end was lost, and a
/// lost end must not mute the zone for ever.
const SPEECH_LIMIT: Millis = Millis::from_secs(180);
/// Pause before the next attempt when an announcement broke off though the sound is said to work.
const RETRY: Millis = Millis::from_secs(2);

/// A call whose story is over.
pub type Proof = (CallId, Outcome);

/// One announcement that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    pub message: Message,
    /// Time of the event; it tells the versions of a notice apart.
    pub version: Timestamp,
    /// When it began to wait.
    pub queued: Millis,
    /// It is said at this time or earlier; an emergency never expires.
    pub expires: Option<Millis>,
    pub broken_off: u8,
}

impl Pending {
    /// Whether it calls the ticket of `call` to a counter that `at` accepts.
    fn is_of(&self, call: &Call, at: impl Fn(&Counter) -> bool) -> bool {
        match &self.message {
            Message::Call { counter, ticket, series, .. } => {
                at(counter) && is_ticket_of(ticket, series.as_ref(), call)
            }
            Message::Notice { .. } => false,
        }
    }

    fn call(&self) -> Option<&CallId> {
        match &self.message {
            Message::Call { call, .. } => Some(call),
            Message::Notice { .. } => None,
        }
    }

    fn is_urgent(&self) -> bool {
        matches!(self.message, Message::Notice { emergency: true, .. })
    }

    /// The counter that takes its turn with it; notices take turns as one more counter.
    fn turn(&self) -> Option<&Counter> {
        match &self.message {
            Message::Call { counter, .. } => Some(counter),
            Message::Notice { .. } => None,
        }
    }

    fn has_expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|at| now > at)
    }

    fn proof(&self, outcome: Outcome) -> Option<Proof> {
        self.call().map(|call| (call.clone(), outcome))
    }
}

/// One zone.
#[derive(Clone, Debug)]
pub struct ZoneQueue {
    pub zone: Zone,
    repeats: u8,
    works: bool,
    muted: bool,
    /// Nothing is said before this time.
    hold: Option<Millis>,
    running: Option<Running>,
    urgent: VecDeque<Pending>,
    /// The counters that have something to say, in the order of their turns; none is empty.
    turns: VecDeque<VecDeque<Pending>>,
}

#[derive(Clone, Debug)]
struct Running {
    id: AnnouncementId,
    pending: Pending,
    /// When its end counts as lost.
    until: Millis,
    /// What to prove instead of saying it again, should it break off.
    withdrawn: bool,
    muted: bool,
}

impl ZoneQueue {
    /// A silent zone, whose sound is taken to work until the contrary is reported.
    pub fn new(zone: Zone, repeats: u8) -> Self {
        Self {
            zone,
            repeats: repeats.max(1),
            works: true,
            muted: false,
            hold: None,
            running: None,
            urgent: VecDeque::new(),
            turns: VecDeque::new(),
        }
    }

    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// Lets an announcement wait for its turn; returns the call that has to give way, if any.
    pub fn push(&mut self, pending: Pending) -> Option<Proof> {
        if pending.is_urgent() {
            self.urgent.push_back(pending);
        } else if let Some(turn) = self.turn_of(&pending) {
            self.turns[turn].push_back(pending);
        } else {
            self.turns.push_back(VecDeque::from([pending]));
        }
        if self.waiting() > WAITING { self.drop_oldest() } else { None }
    }

    fn turn_of(&self, pending: &Pending) -> Option<usize> {
        self.turns.iter().position(|turn| turn.front().is_some_and(|p| p.turn() == pending.turn()))
    }

    fn drop_oldest(&mut self) -> Option<Proof> {
        let heads = self.turns.iter_mut().filter(|turn| turn.front().is_some_and(|p| p.call().is_some()));
        let turn = heads.min_by_key(|turn| turn.front().map(|p| p.queued))?;
        let dropped = turn.pop_front();
        self.drop_empty();
        dropped?.proof(Outcome::Expired)
    }

    /// A call of a ticket. When one of the same ticket and counter waits, it is replaced where it stands; when one is
    /// being said, that one is not said again should it break off. Returns the calls that give way.
    pub fn call(&mut self, call: &Call, new: Pending) -> Option<Proof> {
        let same = |p: &Pending| p.is_of(call, |counter| *counter == call.counter);
        if let Some(running) = self.running.as_mut().filter(|r| same(&r.pending)) {
            running.withdrawn = true;
        }
        match self.turns.iter_mut().flatten().find(|p| same(p)) {
            Some(old) => std::mem::replace(old, new).proof(Outcome::Superseded),
            None => self.push(new),
        }
    }

    /// The calls of this ticket to the counters that `at` accepts need not be said any more.
    pub fn withdraw(&mut self, call: &Call, at: impl Fn(&Counter) -> bool) -> Vec<Proof> {
        let gone = |p: &Pending| p.is_of(call, &at);
        if let Some(running) = self.running.as_mut().filter(|r| gone(&r.pending)) {
            running.withdrawn = true;
        }
        self.remove_where(gone).iter().filter_map(|p| p.proof(Outcome::Superseded)).collect()
    }

    /// Notices that are not on any more, or have a new text, need not be said.
    pub fn keep_notices(&mut self, is_on: impl Fn(&NoticeId, Timestamp) -> bool) {
        let gone = |p: &Pending| matches!(&p.message, Message::Notice { id, .. } if !is_on(id, p.version));
        if let Some(running) = self.running.as_mut().filter(|r| gone(&r.pending)) {
            running.withdrawn = true;
        }
        self.remove_where(gone);
    }

    /// Drops what has waited too long, and takes back what should have ended long ago.
    pub fn expire(&mut self, now: Millis) -> Vec<Proof> {
        let lost = self.running.as_ref().filter(|r| now >= r.until).map(|r| r.id);
        let lost = lost.and_then(|id| self.ended(id, false, now));
        let expired = self.remove_where(|p| p.has_expired(now));
        lost.into_iter().chain(expired.iter().filter_map(|p| p.proof(Outcome::Expired))).collect()
    }

    fn remove_where(&mut self, gone: impl Fn(&Pending) -> bool) -> Vec<Pending> {
        let mut removed = Vec::new();
        for queue in self.turns.iter_mut().chain([&mut self.urgent]) {
            if queue.iter().any(&gone) {
                let (out, stay): (Vec<_>, Vec<_>) = queue.drain(..).partition(&gone);
                queue.extend(stay);
                removed.extend(out);
            }
        }
        self.drop_empty();
        removed
    }

    fn drop_empty(&mut self) {
        self.turns.retain(|turn| !turn.is_empty());
    }

    /// What is to be said now, when the zone is free, works and is not muted.
    pub fn start(&mut self, id: AnnouncementId, now: Millis) -> Option<Announcement> {
        let held = self.hold.is_some_and(|until| now < until);
        if self.running.is_some() || self.muted || !self.works || held {
            return None;
        }
        self.hold = None;
        let (repeats, form) = self.brevity(now);
        let pending = self.urgent.pop_front().or_else(|| self.take_turn())?;
        let form = if pending.call().is_some() { form } else { Form::Full };
        let message = pending.message.clone();
        let announcement = Announcement { id, zone: self.zone.clone(), message, repeats, form };
        let until = now + SPEECH_LIMIT;
        self.running = Some(Running { id, pending, until, withdrawn: false, muted: false });
        Some(announcement)
    }

    /// How often and in which form the next announcement is said, so that those behind it are not late.
    fn brevity(&self, now: Millis) -> (u8, Form) {
        let age = self.oldest().map_or(Millis::ZERO, |queued| now - queued);
        let waiting = i64::try_from(self.waiting()).unwrap_or(i64::MAX);
        let fits = |sentences: u8, within: Millis| {
            waiting.saturating_mul(SENTENCE.0 * i64::from(sentences)) <= (within - age).0
        };
        let repeats = (2..=self.repeats).rev().find(|repeats| fits(*repeats, CALM)).unwrap_or(1);
        (repeats, if repeats > 1 || fits(1, PROMPT) { Form::Full } else { Form::Short })
    }

    /// The counter whose turn it is says one thing and goes to the end of the line.
    fn take_turn(&mut self) -> Option<Pending> {
        let mut turn = self.turns.pop_front()?;
        let pending = turn.pop_front();
        if !turn.is_empty() {
            self.turns.push_back(turn);
        }
        pending
    }

    pub fn started(&mut self, id: AnnouncementId, now: Millis) {
        if let Some(running) = self.running.as_mut().filter(|r| r.id == id) {
            running.until = now + SPEECH_LIMIT;
        }
    }

    /// An announcement is over, or broke off. An id that is not running is an echo and changes nothing.
    pub fn ended(&mut self, id: AnnouncementId, completed: bool, now: Millis) -> Option<Proof> {
        let running = self.running.take_if(|r| r.id == id)?;
        let pending = running.pending;
        if running.muted {
            return pending.proof(Outcome::Muted);
        }
        if completed {
            return pending.proof(Outcome::Spoken);
        }
        if self.works {
            self.hold = Some(now + RETRY);
        }
        if running.withdrawn {
            return pending.proof(Outcome::Superseded);
        }
        if pending.has_expired(now) {
            return pending.proof(Outcome::Expired);
        }
        self.take_back(pending);
        None
    }

    /// Back to the head of its counter's queue. The counter is next again; but when its announcement keeps breaking
    /// off while the sound works, the fault is in it, and it must not hold up the others.
    fn take_back(&mut self, mut pending: Pending) {
        let next = pending.broken_off == 0 || !self.works;
        pending.broken_off = pending.broken_off.saturating_add(1);
        if pending.is_urgent() {
            self.urgent.push_front(pending);
            return;
        }
        let turn = self.turn_of(&pending).and_then(|index| self.turns.remove(index));
        let mut turn = turn.unwrap_or_default();
        turn.push_front(pending);
        if next { self.turns.push_front(turn) } else { self.turns.push_back(turn) }
    }

    pub fn sound_changed(&mut self, works: bool) {
        self.works = works;
        self.hold = None;
    }

    /// Silence asked for or ended. What waited is not said later: it would come as a burst out of the blue.
    pub fn mute(&mut self, muted: bool) -> Vec<Proof> {
        self.muted = muted;
        if !muted {
            return Vec::new();
        }
        if let Some(running) = &mut self.running {
            running.muted = true;
        }
        let calls = self.remove_where(|p| p.call().is_some());
        calls.iter().filter_map(|p| p.proof(Outcome::Muted)).collect()
    }

    pub fn waiting(&self) -> usize {
        self.urgent.len() + self.turns.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Since when the oldest announcement waits.
    pub fn oldest(&self) -> Option<Millis> {
        self.turns.iter().flatten().chain(&self.urgent).map(|p| p.queued).min()
    }

    /// When something expires, is tried again, or counts as lost.
    pub fn next_change(&self) -> Option<Millis> {
        let expiry = self.turns.iter().flatten().filter_map(|p| p.expires).map(|at| at + Millis(1)).min();
        let lost = self.running.as_ref().map(|r| r.until);
        let retry = self.hold.filter(|_| self.running.is_none() && !self.muted && self.waiting() > 0);
        [expiry, lost, retry].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::{Kind, Lane, Ticket};

    const AGE: Millis = Millis::from_secs(120);

    fn zone() -> ZoneQueue {
        ZoneQueue::new(Zone::parse("sanh").unwrap(), 2)
    }

    fn call(ticket: &str, counter: &str, now: i64) -> Pending {
        let message = Message::Call {
            call: CallId::parse(&format!("{ticket}@{counter}")).unwrap(),
            ticket: Ticket::parse(ticket).unwrap(),
            counter: Counter::parse(counter).unwrap(),
            kind: Kind::Call,
            lane: Lane::Regular,
            series: None,
        };
        pending(message, Some(Millis(now) + AGE), now)
    }

    fn event(ticket: &str, counter: &str) -> Call {
        Call {
            id: CallId::parse("event").unwrap(),
            ticket: Ticket::parse(ticket).unwrap(),
            counter: Counter::parse(counter).unwrap(),
            kind: Kind::Call,
            at: Timestamp::UNIX_EPOCH,
            seq: None,
            series: None,
            lane: Lane::Regular,
            slot: None,
            holder: None,
        }
    }

    fn notice(name: &str, emergency: bool) -> Pending {
        let id = NoticeId::parse(name).unwrap();
        pending(Message::Notice { id, text: name.to_owned(), emergency }, None, 0)
    }

    fn pending(message: Message, expires: Option<Millis>, now: i64) -> Pending {
        Pending { message, version: Timestamp::UNIX_EPOCH, queued: Millis(now), expires, broken_off: 0 }
    }

    fn name(message: &Message) -> &str {
        match message {
            Message::Call { ticket, .. } => ticket.as_str(),
            Message::Notice { id, .. } => id.as_str(),
        }
    }

    /// Says everything that waits, to its end; the names in order.
    fn say_all(zone: &mut ZoneQueue, now: i64) -> Vec<String> {
        let mut said = Vec::new();
        for n in 0.. {
            let Some(announcement) = zone.start(AnnouncementId(1000 + n), Millis(now)) else { break };
            said.push(name(&announcement.message).to_owned());
            zone.ended(announcement.id, true, Millis(now));
        }
        said
    }

    fn outcomes(proofs: impl IntoIterator<Item = Proof>) -> Vec<(String, Outcome)> {
        proofs.into_iter().map(|(id, outcome)| (id.as_str().to_owned(), outcome)).collect()
    }

    #[test]
    fn counters_take_turns_and_each_keeps_its_order() {
        let mut zone = zone();
        for (ticket, counter) in
            [("A1", "1"), ("A2", "1"), ("A3", "1"), ("B1", "2"), ("C1", "3"), ("C2", "3"), ("B2", "2")]
        {
            zone.push(call(ticket, counter, 0));
        }
        assert_eq!(say_all(&mut zone, 0), ["A1", "B1", "C1", "A2", "B2", "C2", "A3"]);
    }

    #[test]
    fn one_thing_is_said_at_a_time() {
        let mut zone = zone();
        zone.push(call("A1", "1", 0));
        zone.push(call("B1", "2", 0));
        assert!(zone.start(AnnouncementId(1), Millis(0)).is_some());
        assert!(zone.start(AnnouncementId(2), Millis(0)).is_none());
        assert_eq!(zone.ended(AnnouncementId(9), true, Millis(1)), None, "an echo changes nothing");
        assert!(zone.start(AnnouncementId(2), Millis(1)).is_none());
        let proof = zone.ended(AnnouncementId(1), true, Millis(2));
        assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Spoken)]);
        assert!(zone.start(AnnouncementId(2), Millis(2)).is_some());
    }

    #[test]
    fn an_emergency_goes_first_and_a_plain_notice_takes_its_turn() {
        let mut zone = zone();
        zone.push(call("A1", "1", 0));
        zone.push(call("A2", "1", 0));
        zone.push(notice("plain", false));
        zone.push(notice("fire", true));
        assert_eq!(say_all(&mut zone, 0), ["fire", "A1", "plain", "A2"]);
    }

    #[test]
    fn sentences_get_shorter_under_load_so_that_eleven_calls_are_said_within_a_minute() {
        let mut zone = zone();
        let (mut now, mut said) = (0, Vec::new());
        zone.push(call("A0", "0", now));
        while let Some(a) = zone.start(AnnouncementId(1), Millis(now)) {
            if now == 0 {
                (1..11).for_each(|n| drop(zone.push(call(&format!("A{n}"), &n.to_string(), 0))));
            }
            said.push((a.repeats, a.form));
            now += if a.form == Form::Short { 4_000 } else { 5_800 * i64::from(a.repeats) };
            zone.ended(a.id, true, Millis(now));
        }
        let (calm, once, short) = ((2, Form::Full), (1, Form::Full), (1, Form::Short));
        assert_eq!(said, [vec![calm], vec![short; 9], vec![once; 1]].concat());
        assert!(now <= 60_000, "{now} ms");
    }

    #[test]
    fn a_few_calls_are_repeated_as_long_as_none_waits_for_it() {
        let mut zone = zone();
        for n in 0..3 {
            zone.push(call(&format!("A{n}"), &n.to_string(), 0));
        }
        let mut repeats = Vec::new();
        for now in [0, 6_000, 12_000] {
            repeats.push(zone.start(AnnouncementId(1), Millis(now)).unwrap().repeats);
            zone.ended(AnnouncementId(1), true, Millis(now));
        }
        assert_eq!(repeats, [1, 2, 2]);
    }

    #[test]
    fn a_recall_takes_the_place_of_the_waiting_call() {
        let mut zone = zone();
        zone.push(call("A1", "1", 0));
        zone.push(call("A2", "1", 0));
        zone.push(call("B1", "2", 0));
        let again = zone.call(&event("A1", "1"), call("A1", "1", 5));
        assert_eq!(outcomes(again), [("A1@1".to_owned(), Outcome::Superseded)]);
        assert_eq!(say_all(&mut zone, 5), ["A1", "B1", "A2"]);
    }

    #[test]
    fn what_waits_too_long_expires() {
        let mut zone = zone();
        zone.sound_changed(false);
        zone.push(call("A1", "1", 0));
        assert_eq!(zone.next_change(), Some(AGE + Millis(1)));
        assert!(zone.expire(AGE).is_empty());
        assert_eq!(outcomes(zone.expire(AGE + Millis(1))), [("A1@1".to_owned(), Outcome::Expired)]);
        assert_eq!((zone.waiting(), zone.next_change()), (0, None));
    }

    #[test]
    fn an_announcement_that_broke_off_is_said_again_when_the_sound_returns() {
        let mut zone = zone();
        zone.push(call("A1", "1", 0));
        zone.push(call("A2", "1", 0));
        zone.push(call("B1", "2", 0));
        zone.start(AnnouncementId(1), Millis(0));
        zone.sound_changed(false);
        assert_eq!(zone.ended(AnnouncementId(1), false, Millis(10)), None);
        assert!(zone.start(AnnouncementId(2), Millis(60_000)).is_none());
        zone.sound_changed(true);
        assert_eq!(say_all(&mut zone, 60_000), ["A1", "B1", "A2"]);
    }

    #[test]
    fn a_sentence_that_keeps_breaking_off_does_not_hold_up_the_others() {
        let mut zone = zone();
        zone.push(call("bad", "1", 0));
        zone.push(call("B1", "2", 0));
        let mut now = 0;
        for _ in 0..2 {
            assert_eq!(name(&zone.start(AnnouncementId(1), Millis(now)).unwrap().message), "bad");
            zone.ended(AnnouncementId(1), false, Millis(now));
            assert!(zone.start(AnnouncementId(1), Millis(now)).is_none(), "not in a busy loop");
            assert_eq!(zone.next_change(), Some(Millis(now) + RETRY));
            now += RETRY.0;
        }
        assert_eq!(say_all(&mut zone, now), ["B1", "bad"]);
    }

    #[test]
    fn an_old_announcement_that_broke_off_expires() {
        let mut zone = zone();
        zone.push(call("A1", "1", 0));
        zone.start(AnnouncementId(1), AGE);
        let proof = zone.ended(AnnouncementId(1), false, AGE + Millis(1));
        assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Expired)]);
    }

    #[test]
    fn a_lost_end_does_not_mute_the_zone_for_ever() {
        let mut zone = zone();
        zone.push(call("A1", "1", 0));
        zone.start(AnnouncementId(1), Millis(0));
        zone.started(AnnouncementId(1), Millis(500));
        assert_eq!(zone.next_change(), Some(Millis(500) + SPEECH_LIMIT));
        let proofs = zone.expire(Millis(500) + SPEECH_LIMIT);
        assert_eq!(outcomes(proofs), [("A1@1".to_owned(), Outcome::Expired)]);
        zone.push(call("A2", "1", 200_000));
        assert_eq!(say_all(&mut zone, 200_000), ["A2"]);
    }

    #[test]
    fn a_withdrawn_call_is_not_said_nor_taken_back() {
        let mut zone = zone();
        let a1 = event("A1", "1");
        zone.push(call("A1", "1", 0));
        zone.start(AnnouncementId(1), Millis(0));
        zone.push(call("A1", "2", 0));
        let proofs = zone.withdraw(&a1, |counter| counter.as_str() == "2");
        assert_eq!(outcomes(proofs), [("A1@2".to_owned(), Outcome::Superseded)]);
        assert!(zone.withdraw(&a1, |_| true).is_empty(), "it is being said");
        let proof = zone.ended(AnnouncementId(1), false, Millis(5));
        assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Superseded)]);
        assert_eq!(zone.waiting(), 0);
    }

    #[test]
    fn a_muted_zone_says_nothing_and_does_not_catch_up() {
        let mut zone = zone();
        zone.push(call("A1", "1", 0));
        zone.start(AnnouncementId(1), Millis(0));
        zone.push(call("A2", "1", 0));
        zone.push(notice("fire", true));
        assert_eq!(outcomes(zone.mute(true)), [("A2@1".to_owned(), Outcome::Muted)]);
        let proof = zone.ended(AnnouncementId(1), true, Millis(5));
        assert_eq!(outcomes(proof), [("A1@1".to_owned(), Outcome::Muted)]);
        assert!(zone.start(AnnouncementId(2), Millis(5)).is_none());
        zone.mute(false);
        assert_eq!(say_all(&mut zone, 6), ["fire"], "an emergency that is still on is said");
    }

    #[test]
    fn the_queue_is_bounded_and_the_oldest_call_gives_way() {
        let mut zone = zone();
        zone.sound_changed(false);
        for n in 0..WAITING as i64 {
            assert_eq!(zone.push(call(&format!("A{n}"), &(n % 7).to_string(), n)), None);
        }
        let dropped = zone.push(call("new", "3", 9999));
        assert_eq!(outcomes(dropped), [("A0@0".to_owned(), Outcome::Expired)]);
        assert_eq!((zone.waiting(), zone.oldest()), (WAITING, Some(Millis(1))));
    }
}
