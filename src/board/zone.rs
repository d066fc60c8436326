//! What one set of loudspeakers says, one thing at a time.
//!
//! - Counters take turns, and within a counter the calls keep their order; an emergency goes before all, but cuts
//!   nothing off. A recorded message may last a minute, so it is heard only when nothing else waits.
//! - What waits too long expires. Under load the sentences get shorter, so that fewer do.
//! - An announcement that broke off comes back to the head of its counter's queue, unless it cannot be said at all.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::call::{Call, CallId, Counter, NoticeId, Zone};
use super::cell::is_ticket_of;
use super::input::{Announcement, AnnouncementId, Form, Message, Outcome};
use super::view::{SpeechLine, ZoneSpeech};
use crate::clock::Millis;
use crate::voices::Sound;

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
/// What has broken off this often while the sound works cannot be said: its clips are broken. It is given up, so that the
/// hall does not hear its chime again and again.
const ATTEMPTS: u8 = 3;

/// Waiting announcements that are told of; a hall that is so far behind needs no longer list.
const SPEECH_TOLD: usize = 12;

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
    /// How often it broke off while the sound worked.
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

    fn is_recorded(&self) -> bool {
        matches!(self.message, Message::Notice { recording: Some(_), emergency: false, .. })
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
    /// This screen, and no other, speaks for the zone.
    speaks: bool,
    /// Another screen could be heard here.
    shared: bool,
    /// Only emergencies are said.
    quiet: bool,
    /// Nothing is said before this time.
    hold: Option<Millis>,
    running: Option<Running>,
    urgent: VecDeque<Pending>,
    /// The counters that have something to say, in the order of their turns; none is empty.
    turns: VecDeque<VecDeque<Pending>>,
    /// Recorded messages, after all others.
    recordings: VecDeque<Pending>,
    /// Nothing that waits expires before this time.
    expires: Option<Millis>,
}

#[derive(Clone, Debug)]
struct Running {
    id: AnnouncementId,
    pending: Pending,
    /// When its end counts as lost.
    until: Millis,
    /// What to prove instead of saying it again, should it break off.
    withdrawn: bool,
    /// The same: another screen has said it.
    elsewhere: bool,
    muted: bool,
}

impl ZoneQueue {
    /// A silent zone, whose sound is taken to work, and this screen to speak for it, until the contrary is reported.
    pub fn new(zone: Zone, repeats: u8) -> Self {
        Self {
            zone,
            repeats: repeats.max(1),
            works: true,
            muted: false,
            speaks: true,
            shared: false,
            quiet: false,
            hold: None,
            running: None,
            urgent: VecDeque::new(),
            turns: VecDeque::new(),
            recordings: VecDeque::new(),
            expires: None,
        }
    }

    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// Whether a call would not be said now, by whichever screen. A muted screen leaves it to those that share the zone,
    /// and keeps it until one of them has said it: the mute may end before.
    pub fn is_silent(&self) -> bool {
        (self.muted && !self.shared) || self.quiet
    }

    /// Whether this screen speaks for the zone.
    pub fn speaks(&self) -> bool {
        self.speaks
    }

    /// How the sound is.
    pub fn sound(&self) -> Sound {
        Sound { works: self.works && !self.muted, busy: self.running.is_some() }
    }

    /// Lets an announcement wait for its turn; returns the call that has to give way, if any.
    pub fn push(&mut self, pending: Pending) -> Option<Proof> {
        self.note_expiry(&pending);
        if pending.is_urgent() {
            self.urgent.push_back(pending);
        } else if pending.is_recorded() {
            self.recordings.push_back(pending);
        } else if let Some(turn) = self.turn_of(&pending) {
            self.turns[turn].push_back(pending);
        } else {
            self.turns.push_back(VecDeque::from([pending]));
        }
        if self.waiting() > WAITING { self.drop_oldest() } else { None }
    }

    fn note_expiry(&mut self, pending: &Pending) {
        self.expires = self.expires.into_iter().chain(pending.expires).min();
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
        self.note_expiry(&new);
        let turn = self.turn_of(&new);
        // A ticket's call to a counter waits in that counter's turn.
        match turn.and_then(|turn| self.turns[turn].iter_mut().find(|p| same(p))) {
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

    /// Another screen has said a call here: it need not be said again.
    pub fn spoken_elsewhere(&mut self, call: &CallId) -> Vec<Proof> {
        let same = |p: &Pending| p.call() == Some(call);
        if let Some(running) = self.running.as_mut().filter(|r| same(&r.pending)) {
            running.elsewhere = true;
        }
        self.remove_where(same).iter().filter_map(|p| p.proof(Outcome::OtherScreen)).collect()
    }

    /// Notices that are not on any more, or have a new text, need not be said.
    pub fn keep_notices(&mut self, is_on: impl Fn(&NoticeId, Timestamp) -> bool) {
        let gone = |p: &Pending| matches!(&p.message, Message::Notice { id, .. } if !is_on(id, p.version));
        if let Some(running) = self.running.as_mut().filter(|r| gone(&r.pending)) {
            running.withdrawn = true;
        }
        // Every input asks, and calls are many: no counter's turn has a notice in it.
        let of_notices = |turn: &VecDeque<Pending>| turn.front().is_some_and(|p| p.turn().is_none());
        if !self.urgent.is_empty() || !self.recordings.is_empty() || self.turns.iter().any(of_notices) {
            self.remove_where(gone);
        }
    }

    /// Drops what has waited too long, and takes back what should have ended long ago.
    pub fn expire(&mut self, now: Millis) -> Vec<Proof> {
        let lost = self.running.as_ref().filter(|r| now >= r.until).map(|r| r.id);
        let lost = lost.and_then(|id| self.ended(id, false, now));
        let mut expired = Vec::new();
        if self.expires.is_some_and(|at| now > at) {
            expired = self.remove_where(|p| p.has_expired(now));
            self.expires = self.first_expiry();
        }
        let outcome = if self.muted { Outcome::Muted } else { Outcome::Expired };
        lost.into_iter().chain(expired.iter().filter_map(|p| p.proof(outcome))).collect()
    }

    fn remove_where(&mut self, gone: impl Fn(&Pending) -> bool) -> Vec<Pending> {
        let mut removed = Vec::new();
        for queue in self.turns.iter_mut().chain([&mut self.urgent, &mut self.recordings]) {
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
        if self.running.is_some() || !self.may_start() || !self.works || held {
            return None;
        }
        self.hold = None;
        let (repeats, form) = self.brevity(now);
        let next = self.urgent.pop_front().or_else(|| self.take_turn());
        let pending = next.or_else(|| self.recordings.pop_front())?;
        let form = if pending.call().is_some() { form } else { Form::Full };
        let message = pending.message.clone();
        let announcement = Announcement { id, zone: self.zone.clone(), message, repeats, form };
        let until = now + SPEECH_LIMIT;
        self.running = Some(Running { id, pending, until, withdrawn: false, elsewhere: false, muted: false });
        Some(announcement)
    }

    /// Whether anything that waits may be said at this time of day.
    fn may_start(&self) -> bool {
        let waiting = if self.quiet { self.urgent.len() } else { self.waiting() + self.recordings.len() };
        self.speaks && !self.muted && waiting > 0
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

    /// What is being said, and what waits, in the order in which it will be said if nothing else comes.
    pub fn speech(&self) -> ZoneSpeech {
        let line =
            |pending: &Pending| SpeechLine { message: pending.message.clone(), queued: pending.queued };
        let turns = (0..).map(|round| self.turns.iter().filter_map(move |turn| turn.get(round)));
        let rounds = self.turns.iter().map(VecDeque::len).max().unwrap_or(0);
        let all = self.urgent.iter().chain(turns.take(rounds).flatten()).chain(&self.recordings);
        ZoneSpeech {
            zone: self.zone.clone(),
            running: self.running.as_ref().map(|running| line(&running.pending)),
            waiting: all.take(SPEECH_TOLD).map(line).collect(),
            more: (self.waiting() + self.recordings.len()).saturating_sub(SPEECH_TOLD),
        }
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
        if running.muted && running.elsewhere {
            return pending.proof(Outcome::OtherScreen);
        }
        if running.muted {
            // It is like one that waited when silence was asked for. That it broke off is no fault of its own.
            let waits = pending.is_urgent() || (self.shared && pending.call().is_some() && !self.quiet);
            if running.withdrawn || !waits {
                return pending.proof(Outcome::Muted);
            }
            self.take_back(pending, true);
            return None;
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
        if running.elsewhere {
            return pending.proof(Outcome::OtherScreen);
        }
        if self.quiet && !pending.is_urgent() {
            return pending.proof(Outcome::Muted);
        }
        let given_up = self.works && pending.broken_off + 1 >= ATTEMPTS;
        if given_up || pending.has_expired(now) {
            return pending.proof(Outcome::Expired);
        }
        // When it keeps breaking off while the sound works, the fault is in it, and it must not hold up the others.
        let next = pending.broken_off == 0 || !self.works;
        let broken_off = pending.broken_off + u8::from(self.works);
        self.take_back(Pending { broken_off, ..pending }, next);
        None
    }

    /// Back to the head of its counter's queue; the counter is next again, or last.
    fn take_back(&mut self, pending: Pending, next: bool) {
        self.note_expiry(&pending);
        if pending.is_urgent() {
            self.urgent.push_front(pending);
            return;
        }
        if pending.is_recorded() {
            self.recordings.push_front(pending);
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

    /// This screen speaks for the zone from now on, or another does. What is being said is said to its end.
    pub fn voice_changed(&mut self, speaks: bool, shared: bool) {
        (self.speaks, self.shared) = (speaks, shared);
    }

    /// The quiet hours begin or end. What is being said is said to its end; what waits is not said later.
    pub fn set_quiet(&mut self, quiet: bool) -> Vec<Proof> {
        if std::mem::replace(&mut self.quiet, quiet) || !quiet {
            return Vec::new();
        }
        self.remove_where(|p| !p.is_urgent()).iter().filter_map(|p| p.proof(Outcome::Muted)).collect()
    }

    /// Silence asked for or ended. What waited is not said later: it would come as a burst out of the blue. But where
    /// another screen goes on speaking, calls wait until it has said them.
    pub fn mute(&mut self, muted: bool) -> Vec<Proof> {
        self.muted = muted;
        if !muted {
            return Vec::new();
        }
        if let Some(running) = &mut self.running {
            running.muted = true;
        }
        let shared = self.shared;
        let stays = |p: &Pending| p.is_urgent() || (shared && p.call().is_some());
        let removed = self.remove_where(|p| !stays(p));
        removed.iter().filter_map(|p| p.proof(Outcome::Muted)).collect()
    }

    /// Without the recorded messages, which nothing waits for.
    pub fn waiting(&self) -> usize {
        self.urgent.len() + self.turns.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Since when the oldest announcement waits; a recorded message may wait.
    pub fn oldest(&self) -> Option<Millis> {
        self.turns.iter().flatten().chain(&self.urgent).map(|p| p.queued).min()
    }

    fn first_expiry(&self) -> Option<Millis> {
        self.turns.iter().flatten().chain(&self.recordings).filter_map(|p| p.expires).min()
    }

    /// When something expires, is tried again, or counts as lost.
    pub fn next_change(&self) -> Option<Millis> {
        let expiry = self.first_expiry().map(|at| at + Millis(1));
        let lost = self.running.as_ref().map(|r| r.until);
        let retry = self.hold.filter(|_| self.running.is_none() && self.may_start());
        [expiry, lost, retry].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
