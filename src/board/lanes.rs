//! The announcements of all zones: which loudspeakers a call is heard on, and what becomes of it there.
//!
//! Every call that is handed in gets exactly one [`Proof`] in the end. Zones never wait for each other.

use std::collections::VecDeque;

use jiff::{Timestamp, civil};

use super::call::{Call, CallId, Counter, NoticeId, Zone};
use super::input::{Announcement, AnnouncementId, Message, Outcome};
use super::state::{Level, Notice};
use super::view::ZoneSpeech;
use super::zone::{Pending, Proof, ZoneQueue};
use crate::clock::{Millis, Now};
use crate::config::ZoneConfig;
use crate::voices::Sound;

/// How long a recorded message waits until nothing else does: it is worth having after a busy quarter of an hour too.
const RECORDING_MAX_AGE: Millis = Millis::from_secs(15 * 60);

#[derive(Clone, Debug)]
pub struct Lanes {
    config: Vec<ZoneConfig>,
    /// One for each zone of the config, in its order; empty when this screen does not speak.
    zones: Vec<ZoneQueue>,
    max_age: Millis,
    last_id: u64,
    /// Calls that other screens have said, with their zone where they told it, oldest first.
    elsewhere: VecDeque<(CallId, Option<Zone>)>,
}

/// How many calls that were said elsewhere are remembered: a proof outruns its call by seconds.
const ELSEWHERE: usize = 256;

impl Lanes {
    pub fn new(config: &[ZoneConfig], speaks: bool, repeats: u8, max_age: Millis) -> Self {
        let config = if speaks { config.to_vec() } else { Vec::new() };
        let zones = config.iter().map(|z| ZoneQueue::new(z.id.clone(), repeats)).collect();
        Self { config, zones, max_age, last_id: 0, elsewhere: VecDeque::new() }
    }

    /// The zone that names the counter, else the first that names none.
    fn index_of(&self, counter: &Counter) -> Option<usize> {
        let named = self.config.iter().position(|z| z.counters.contains(counter));
        named.or_else(|| self.config.iter().position(|z| z.counters.is_empty()))
    }

    /// Where the calls to a counter are said.
    pub fn zone_of(&self, counter: &Counter) -> Option<&Zone> {
        self.zones.get(self.index_of(counter)?).map(|zone| &zone.zone)
    }

    /// A call of this age asks to be said; its waiting predecessor of the same ticket and counter gives way.
    pub fn call(&mut self, call: &Call, age: Millis, now: Millis) -> Vec<Proof> {
        let expires = Some(now - age.max(Millis::ZERO) + self.max_age);
        let said = self.said_elsewhere(&call.id);
        let zone = self.index_of(&call.counter).and_then(|index| self.zones.get_mut(index));
        let Some(zone) = zone else { return vec![(call.id.clone(), Outcome::Shown)] };
        if said.iter().any(|there| there.as_ref().is_none_or(|there| *there == zone.zone)) {
            return vec![(call.id.clone(), Outcome::OtherScreen)];
        }
        if zone.is_silent() {
            return vec![(call.id.clone(), Outcome::Muted)];
        }
        let pending =
            Pending { message: message(call), version: call.at, queued: now, expires, broken_off: 0 };
        zone.call(call, pending).into_iter().collect()
    }

    /// The ticket need not be called to this counter any more.
    pub fn withdraw(&mut self, call: &Call) -> Vec<Proof> {
        self.withdraw_where(call, |counter| *counter == call.counter)
    }

    /// The ticket moved: it must not be called to any other counter.
    pub fn redirect(&mut self, call: &Call) -> Vec<Proof> {
        self.withdraw_where(call, |counter| *counter != call.counter)
    }

    fn withdraw_where(&mut self, call: &Call, at: impl Fn(&Counter) -> bool) -> Vec<Proof> {
        self.zones.iter_mut().flat_map(|zone| zone.withdraw(call, &at)).collect()
    }

    /// Says a notice in its zones, in all when it names none. A plain one expires like a call, and is not kept for a
    /// zone that is muted.
    pub fn notice(&mut self, notice: &Notice, now: Now) {
        let emergency = notice.level == Level::Emergency;
        let message = Message::Notice {
            id: notice.id.clone(),
            text: notice.text.clone(),
            emergency,
            recording: notice.recording.clone(),
        };
        let patience =
            if notice.recording.is_some() { self.max_age.max(RECORDING_MAX_AGE) } else { self.max_age };
        let expires = (!emergency).then_some(now.mono + patience);
        for zone in &mut self.zones {
            let concerned = notice.zones.is_empty() || notice.zones.contains(&zone.zone);
            // Nobody tells who has said a notice: a muted zone leaves it to the others, or to nobody.
            if concerned && (emergency || !(zone.is_silent() || zone.is_muted())) {
                let message = message.clone();
                zone.push(Pending { message, version: notice.at, queued: now.mono, expires, broken_off: 0 });
            }
        }
    }

    /// Drops the notices that are not on any more.
    pub fn keep_notices(&mut self, is_on: impl Fn(&NoticeId, Timestamp) -> bool) {
        self.zones.iter_mut().for_each(|zone| zone.keep_notices(&is_on));
    }

    /// Begins and ends the quiet hours of the zones, for what waits within a minute; `time` is local.
    pub fn pass_time(&mut self, time: civil::Time) -> Vec<Proof> {
        let quiet = self.config.iter().map(|zone| zone.quiet.iter().any(|span| span.contains(time)));
        self.zones.iter_mut().zip(quiet).flat_map(|(zone, quiet)| zone.set_quiet(quiet)).collect()
    }

    pub fn expire(&mut self, now: Millis) -> Vec<Proof> {
        self.zones.iter_mut().flat_map(|zone| zone.expire(now)).collect()
    }

    /// What the free zones say now, one thing each.
    pub fn start(&mut self, now: Millis) -> Vec<Announcement> {
        let mut announcements = Vec::new();
        for zone in &mut self.zones {
            let id = AnnouncementId(self.last_id + 1);
            if let Some(announcement) = zone.start(id, now) {
                self.last_id += 1;
                announcements.push(announcement);
            }
        }
        announcements
    }

    pub fn started(&mut self, zone: &Zone, id: AnnouncementId, now: Millis) {
        self.each(Some(zone), |zone| zone.started(id, now));
    }

    pub fn ended(&mut self, zone: &Zone, id: AnnouncementId, completed: bool, now: Millis) -> Vec<Proof> {
        self.each(Some(zone), |zone| zone.ended(id, completed, now)).into_iter().flatten().collect()
    }

    pub fn sound_changed(&mut self, zone: &Zone, works: bool) {
        self.each(Some(zone), |zone| zone.sound_changed(works));
    }

    pub fn voice_changed(&mut self, zone: &Zone, speaks: bool, shared: bool) {
        self.each(Some(zone), |zone| zone.voice_changed(speaks, shared));
    }

    /// Another screen has said a call, whether it has come here or not: in `zone`, or in one that it did not tell.
    pub fn spoken_elsewhere(&mut self, call: &CallId, zone: Option<Zone>) -> Vec<Proof> {
        let proofs = self.each(zone.as_ref(), |zone| zone.spoken_elsewhere(call)).concat();
        let said = (call.clone(), zone);
        if !self.elsewhere.contains(&said) {
            self.elsewhere.push_back(said);
        }
        if self.elsewhere.len() > ELSEWHERE {
            self.elsewhere.pop_front();
        }
        proofs
    }

    /// Where other screens have said a call; none: they did not tell.
    pub fn said_elsewhere(&self, call: &CallId) -> Vec<Option<Zone>> {
        self.elsewhere.iter().filter(|(id, _)| id == call).map(|(_, zone)| zone.clone()).collect()
    }

    /// How the sound of each zone is, in the order of the config.
    pub fn sounds(&self) -> impl Iterator<Item = Sound> {
        self.zones.iter().map(ZoneQueue::sound)
    }

    /// Mutes a zone, or all.
    pub fn mute(&mut self, zone: Option<&Zone>, muted: bool) -> Vec<Proof> {
        self.each(zone, |zone| zone.mute(muted)).into_iter().flatten().collect()
    }

    /// Every zone, and whether calls are not said there by this screen now.
    pub fn zones(&self) -> impl Iterator<Item = (&Zone, bool)> {
        self.zones.iter().map(|zone| (&zone.zone, zone.is_silent() || zone.is_muted() || !zone.speaks()))
    }

    pub fn speech(&self) -> Vec<ZoneSpeech> {
        self.zones.iter().map(ZoneQueue::speech).collect()
    }

    /// Whether all zones are silent because a technician wants it.
    pub fn are_muted(&self) -> bool {
        !self.zones.is_empty() && self.zones.iter().all(ZoneQueue::is_muted)
    }

    fn each<T>(&mut self, zone: Option<&Zone>, act: impl FnMut(&mut ZoneQueue) -> T) -> Vec<T> {
        self.zones.iter_mut().filter(|z| zone.is_none_or(|id| *id == z.zone)).map(act).collect()
    }

    /// How long the oldest announcement has been waiting.
    pub fn worst_wait(&self, now: Millis) -> Millis {
        let oldest = self.zones.iter().filter_map(ZoneQueue::oldest).min();
        oldest.map_or(Millis::ZERO, |at| now - at)
    }

    pub fn next_change(&self) -> Option<Millis> {
        self.zones.iter().filter_map(ZoneQueue::next_change).min()
    }
}

fn message(call: &Call) -> Message {
    Message::Call {
        call: call.id.clone(),
        ticket: call.ticket.clone(),
        counter: call.counter.clone(),
        kind: call.kind,
        lane: call.lane,
        series: call.series.clone(),
    }
}
