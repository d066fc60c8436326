//! Which screen speaks for a zone that several screens have: the first by rank among those that can be heard there. Every
//! screen decides for itself, from what the others say of themselves and from when it heard that on its own clock.
//!
//! Never lets two screens of a working link begin to speak in one zone: a screen that comes waits until the one that
//! speaks has said that it stopped, and until nobody has contradicted it for [`SETTLE`], while its own word of that has
//! come back and each of the others has been heard since the link came up. A screen that is cut off goes on
//! as it was: a call that is said twice is better than one that nobody says.

use std::collections::BTreeMap;

use crate::board::call::Zone;
use crate::clock::Millis;
use crate::screens::{SILENT_AFTER, ScreenReport};

/// A screen whose link broke is back within this time, or is taken for gone: its supervisor starts it again after a second.
const RETURNS: Millis = Millis::from_secs(5);
/// How long a screen must have been the first before it speaks: longer than a status takes to all others and back. With
/// [`SILENT_AFTER`] it is at most 18 s from a screen's last word to its successor's first.
const SETTLE: Millis = Millis::from_secs(3);
/// How long after its start, or after it stood still, a screen waits for a link before it decides without one.
const ALONE: Millis = Millis::from_secs(10);
/// How long after its link came up a screen waits for each of the others that were there to say a word: one that tries again every
/// few seconds is back by then, and may have begun to speak meanwhile.
const RELINKS: Millis = Millis(crate::mqtt::backoff::LONGEST.0 + 2_000);
/// What comes within this time of the link's coming up the broker had kept, or it waited there, and says nothing of now.
const BACKLOG: Millis = Millis::from_secs(2);
/// How long after this screen's own word, that it is about to speak, has come back it begins: what another has said before that is
/// read by then. While a broker passes nothing on nobody begins.
const HEARD: Millis = Millis::from_secs(1);
/// A screen that has not looked around for this long was stopped: others may have taken its place. It is shorter than
/// [`SILENT_AFTER`] less the time between two statuses, and longer than any pause of a healthy hub.
const ABSENT: Millis = Millis::from_secs(8);

/// How the sound of a zone is at this moment.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Sound {
    /// Its loudspeakers work and nobody has muted them.
    pub works: bool,
    /// Something is being said.
    pub busy: bool,
}

/// How it stands with a zone of this screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub zone: Zone,
    /// This screen may begin to speak.
    pub speaks: bool,
    /// Another one could be heard there.
    pub shared: bool,
}

/// One screen's view of who speaks where.
#[derive(Clone, Debug)]
pub struct Voices {
    rank: u32,
    own: String,
    places: Vec<Place>,
    peers: BTreeMap<String, Peer>,
    /// Those that are taken for gone because nothing was heard of them, until something else is heard.
    silent: BTreeMap<String, Peer>,
    /// When the link last brought anything: what it swallows may be anybody's word.
    word_at: Millis,
    link_up: bool,
    /// When the link came up, or broke.
    link_since: Millis,
    /// From when on the others are known, as far as they can be.
    knows_from: Millis,
    /// The places are to be won again.
    anew: bool,
    looked: Millis,
}

/// A zone of this screen.
#[derive(Clone, Debug)]
struct Place {
    zone: Zone,
    audible: bool,
    /// Since when the others can be told that it is.
    audible_since: Option<Millis>,
    /// Since when nobody else is to speak here.
    first_since: Option<Millis>,
    /// Since when its own word of that has come back.
    echoed: Option<Millis>,
    /// May begin an announcement.
    begins: bool,
    /// The same, or is still within one.
    speaks: bool,
    /// Another screen could be heard here.
    shared: bool,
}

#[derive(Clone, Debug)]
struct Peer {
    rank: u32,
    audible: Vec<String>,
    speaks: Vec<String>,
    /// Counts as there until then.
    until: Millis,
    /// It has said that it goes, or its will has.
    left: bool,
    /// It has said something since the link came up, and what had waited at the broker was read.
    is_back: bool,
}

impl Peer {
    /// Whether its silence may be the link's.
    fn may_be_there(&self, word_at: Millis) -> bool {
        !self.left && self.until > word_at
    }
}

impl Voices {
    /// Nobody speaks yet; `zones` are those of this screen.
    pub fn new(own: &str, rank: u32, zones: impl IntoIterator<Item = Zone>, now: Millis) -> Self {
        let place = |zone| Place {
            zone,
            audible: false,
            audible_since: None,
            first_since: None,
            echoed: None,
            begins: false,
            speaks: false,
            shared: false,
        };
        Self {
            rank,
            own: own.to_owned(),
            places: zones.into_iter().map(place).collect(),
            peers: BTreeMap::new(),
            silent: BTreeMap::new(),
            word_at: now,
            link_up: false,
            link_since: now,
            knows_from: now + ALONE,
            anew: false,
            looked: now,
        }
    }

    /// The name of this screen.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// What a screen says of itself; this one's own words come back over the link.
    pub fn heard(&mut self, screen: &str, report: &ScreenReport, now: Millis) {
        self.word_at = now;
        if screen == self.own {
            let is_next = |place: &&mut Place| report.next.iter().any(|zone| zone == place.zone.as_str());
            for place in self.places.iter_mut().filter(|place| place.first_since.is_some()).filter(is_next) {
                place.echoed = place.echoed.or(Some(now));
            }
            return;
        }
        if report.online {
            let until = now + SILENT_AFTER;
            let rank = report.rank.unwrap_or(u32::MAX);
            let audible = report.audible.clone().unwrap_or_default();
            let speaks = report.speaks.clone().unwrap_or_default();
            let is_back =
                now - self.link_since >= BACKLOG || self.peers.get(screen).is_some_and(|peer| peer.is_back);
            let peer = Peer { rank, audible, speaks, until, left: false, is_back };
            self.silent.remove(screen);
            self.peers.insert(screen.to_owned(), peer);
        } else if let Some(peer) = self.peers.get_mut(screen)
            // A broker that was stopped has said this of all, and each comes back in its own time.
            && (!self.link_up || now - self.link_since >= SILENT_AFTER)
        {
            peer.until = peer.until.min(now + RETURNS);
            peer.left = true;
        }
    }

    /// A screen was taken out of service.
    pub fn cleared(&mut self, screen: &str) {
        self.peers.remove(screen);
        self.silent.remove(screen);
    }

    /// While the link is down nobody is heard, and so nobody is taken for gone; nor was, since it went silent.
    pub fn link_changed(&mut self, up: bool, now: Millis) {
        if up == self.link_up {
            return;
        }
        if up {
            for peer in self.peers.values_mut() {
                (peer.until, peer.is_back) = (now + SILENT_AFTER, false);
            }
            self.silent.clear();
            self.word_at = now;
            self.knows_from = now;
            self.anew = true;
        } else {
            let word_at = self.word_at;
            self.peers.append(&mut self.silent);
            self.peers.retain(|_, peer| peer.until > now || peer.may_be_there(word_at));
        }
        (self.link_up, self.link_since) = (up, now);
    }

    /// Decides for every zone, in the order in which they were given; returns those where something has changed. What is
    /// being said is said to its end.
    pub fn turn(&mut self, sounds: impl IntoIterator<Item = Sound>, now: Millis) -> Vec<Turn> {
        self.look_around(now);
        let knows = now >= self.knows_from;
        // Whoever was giving the turn back when the link broke has done so by then, unheard.
        let heeds = self.link_up || now - self.link_since < SILENT_AFTER;
        // Nobody would know that this one has begun; those who are there may have more right to it by the time that they can tell.
        let unheard = !self.link_up && heeds && !self.peers.is_empty();
        // So might another do that has no link yet.
        let relinks = self.link_up && now - self.link_since < RELINKS;
        let deaf = relinks && self.peers.values().any(|peer| !peer.is_back);
        let needs_echo = self.link_up && !self.peers.is_empty();
        let anew = std::mem::take(&mut self.anew);
        let mut changed = Vec::new();
        for (place, sound) in self.places.iter_mut().zip(sounds) {
            place.audible = sound.works && knows;
            place.audible_since = if place.audible { place.audible_since.or(Some(now)) } else { None };
            let told_before = place.audible_since.is_some_and(|since| self.link_since - since >= SETTLE);
            let before_me = |name: &String, peer: &Peer| (peer.rank, name) < (self.rank, &self.own);
            let has = |zones: &Vec<String>| zones.iter().any(|zone| zone == place.zone.as_str());
            let outranked = self.peers.iter().any(|(name, peer)| before_me(name, peer) && has(&peer.audible));
            let taken = heeds && self.peers.values().any(|peer| has(&peer.speaks));
            let shared = self.peers.values().any(|peer| has(&peer.audible));
            // One that could not tell of itself any more would take the turn of another, who cannot give it back.
            let unknown = !self.link_up && shared && !told_before;
            let before = place.begins;
            let first = place.audible && !outranked && (before || !unknown);
            place.first_since =
                if first && !taken { place.first_since.filter(|_| !anew).or(Some(now)) } else { None };
            place.echoed = place.echoed.filter(|_| place.first_since.is_some() && !anew);
            let is_heard = !needs_echo || place.echoed.is_some_and(|at| now - at >= HEARD);
            place.begins = if before {
                first && !anew
            } else {
                is_heard && !unheard && !deaf && place.first_since.is_some_and(|since| now - since >= SETTLE)
            };
            place.speaks = place.begins || sound.busy;
            let before = (before, std::mem::replace(&mut place.shared, shared));
            if (place.begins, shared) != before {
                changed.push(Turn { zone: place.zone.clone(), speaks: place.begins, shared });
            }
        }
        changed
    }

    /// Notes who is gone, and whether this screen itself was.
    fn look_around(&mut self, now: Millis) {
        if now - self.looked > ABSENT {
            // Their words of meanwhile are still to be read.
            self.peers.values_mut().for_each(|peer| peer.until = now + SILENT_AFTER);
            self.knows_from = now + ALONE;
            self.anew = true;
        }
        self.looked = now;
        if !self.link_up {
            return;
        }
        let (silent, word_at) = (&mut self.silent, self.word_at);
        self.peers.retain(|name, peer| {
            let is_there = peer.until > now;
            if !is_there {
                silent.insert(name.clone(), peer.clone());
            }
            is_there
        });
        silent.retain(|_, peer| peer.may_be_there(word_at));
    }

    /// The zones where this screen could be heard if it were its turn.
    pub fn audible(&self) -> Vec<String> {
        self.zones_where(|place| place.audible)
    }

    /// The zones that this screen speaks for.
    pub fn speaks(&self) -> Vec<String> {
        self.zones_where(|place| place.speaks)
    }

    /// The zones where its turn is about to come.
    pub fn next(&self) -> Vec<String> {
        self.zones_where(|place| place.first_since.is_some() && !place.begins)
    }

    fn zones_where(&self, holds: impl Fn(&Place) -> bool) -> Vec<String> {
        self.places.iter().filter(|place| holds(place)).map(|place| place.zone.to_string()).collect()
    }

    /// When [`Voices::turn`] may decide otherwise though nothing is heard.
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let gone = self.peers.values().map(|peer| peer.until).filter(|_| self.link_up);
        let settled = self.places.iter().filter(|place| !place.begins).filter_map(|place| place.first_since);
        let echoed = self.places.iter().filter(|place| !place.begins).filter_map(|place| place.echoed);
        let due = settled.map(|since| since + SETTLE).chain(echoed.map(|at| at + HEARD));
        let all = gone.chain(due).chain([
            self.knows_from,
            self.link_since + SILENT_AFTER,
            self.link_since + RELINKS,
        ]);
        all.filter(|at| *at > now).min()
    }

    /// How many of the screens that are there come before this one in answering `asker`.
    pub fn place_beside(&self, asker: &str) -> usize {
        let before = |name: &&String| (self.peers[*name].rank, *name) < (self.rank, &self.own);
        self.peers.keys().filter(|name| *name != asker).filter(before).count()
    }
}
