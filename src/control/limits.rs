//! How often somebody may try, without sockets: failed sign-ins an address, requests a session, misses of a peer.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::clock::Millis;

/// Failed sign-ins that an address may have within [`WINDOW`] (wire contract).
pub const FAILED_MAX: u32 = 10;
const WINDOW: Millis = Millis::from_secs(60);
/// Addresses that are remembered; beyond it those whose minute is over are forgotten first, then all.
const ADDRESSES: usize = 4096;

/// Counts failed sign-ins by address.
#[derive(Debug, Default)]
pub struct Attempts(HashMap<IpAddr, Failed>);

#[derive(Copy, Clone, Debug)]
struct Failed {
    since: Millis,
    count: u32,
}

impl Attempts {
    /// Whether `address` may try now.
    pub fn allowed(&self, address: IpAddr, now: Millis) -> bool {
        let failed = self.0.get(&whose(address));
        failed.is_none_or(|failed| now - failed.since >= WINDOW || failed.count < FAILED_MAX)
    }

    pub fn failed(&mut self, address: IpAddr, now: Millis) {
        if self.0.len() >= ADDRESSES {
            self.0.retain(|_, failed| now - failed.since < WINDOW);
            if self.0.len() >= ADDRESSES {
                self.0.clear();
            }
        }
        let failed = self.0.entry(whose(address)).or_insert(Failed { since: now, count: 0 });
        if now - failed.since >= WINDOW {
            *failed = Failed { since: now, count: 0 };
        }
        failed.count += 1;
    }
}

/// Counts how many of something each address holds at this moment.
#[derive(Debug)]
pub struct Crowd {
    held: HashMap<IpAddr, usize>,
    max: usize,
}

impl Crowd {
    /// At most `max` an address.
    pub fn new(max: usize) -> Self {
        Self { held: HashMap::new(), max }
    }

    /// Takes one more for `address`; false when it holds its share already.
    pub fn enter(&mut self, address: IpAddr) -> bool {
        let held = self.held.entry(whose(address)).or_insert(0);
        let room = *held < self.max;
        *held += usize::from(room);
        room
    }

    /// Gives back one that has entered.
    pub fn leave(&mut self, address: IpAddr) {
        let address = whose(address);
        if let Some(held) = self.held.get_mut(&address) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.held.remove(&address);
            }
        }
    }
}

/// Who is behind an address: one customer holds a whole /64 of IPv6.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            std::net::Ipv6Addr::from([a, b, c, d, 0, 0, 0, 0]).into()
        }
    }
}

/// Requests a second that a session may make in the long run; an operator with a keyboard makes a few.
const RATE: i64 = 10;
/// Requests at once, for a page that signs in and asks for all it shows.
const BURST: i64 = 30;

/// A token bucket of requests, counted in thousandths.
#[derive(Debug)]
pub struct Pace {
    level: i64,
    at: Millis,
}

impl Pace {
    pub fn new(now: Millis) -> Self {
        Self { level: BURST * 1000, at: now }
    }

    /// Takes one request; false when the session is too fast.
    pub fn take(&mut self, now: Millis) -> bool {
        let gained = (now - self.at).0.max(0).saturating_mul(RATE);
        self.level = self.level.saturating_add(gained).min(BURST * 1000);
        self.at = now;
        let taken = self.level >= 1000;
        if taken {
            self.level -= 1000;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_eleventh_attempt_of_a_minute_is_refused_and_the_next_minute_is_new() {
        let (mut attempts, peer) = (Attempts::default(), address("192.0.2.7"));
        for n in 0..10 {
            assert!(attempts.allowed(peer, Millis(n)), "attempt {n}");
            attempts.failed(peer, Millis(n));
        }
        assert!(!attempts.allowed(peer, Millis(59_999)));
        assert!(attempts.allowed(address("192.0.2.8"), Millis(59_999)), "others are not punished");
        assert!(attempts.allowed(peer, Millis(60_000)));
        attempts.failed(peer, Millis(60_000));
        assert!(attempts.allowed(peer, Millis(60_001)));
    }

    #[test]
    fn a_mapped_address_and_a_neighbour_in_one_v6_network_are_the_same() {
        let mut attempts = Attempts::default();
        for _ in 0..10 {
            attempts.failed(address("::ffff:192.0.2.7"), Millis::ZERO);
            attempts.failed(address("2001:db8:0:1::5"), Millis::ZERO);
        }
        assert!(!attempts.allowed(address("192.0.2.7"), Millis::ZERO));
        assert!(!attempts.allowed(address("2001:db8:0:1:ffff::6"), Millis::ZERO));
        assert!(attempts.allowed(address("2001:db8:0:2::5"), Millis::ZERO));
    }

    #[test]
    fn many_addresses_do_not_grow_the_memory() {
        let mut attempts = Attempts::default();
        for n in 0..10_000_u32 {
            attempts.failed(IpAddr::from(n.to_be_bytes()), Millis::ZERO);
        }
        assert!(attempts.0.len() <= ADDRESSES);
    }

    #[test]
    fn an_address_holds_its_share_and_no_more_and_is_forgotten_when_it_leaves() {
        let (mut crowd, peer) = (Crowd::new(2), address("192.0.2.7"));
        assert!(crowd.enter(peer) && crowd.enter(peer) && !crowd.enter(peer));
        assert!(crowd.enter(address("192.0.2.8")), "others have their own share");
        crowd.leave(peer);
        assert!(crowd.enter(peer));
        for _ in 0..2 {
            crowd.leave(peer);
        }
        crowd.leave(address("192.0.2.8"));
        assert!(crowd.held.is_empty());
    }

    #[test]
    fn a_session_may_burst_and_then_keeps_the_pace() {
        let mut pace = Pace::new(Millis::ZERO);
        assert_eq!((0..100).filter(|_| pace.take(Millis::ZERO)).count(), 30);
        assert!(!pace.take(Millis(99)));
        assert!(pace.take(Millis(100)), "a tenth of a second earns one");
        assert!(!pace.take(Millis(100)));
        assert_eq!((0..100).filter(|_| pace.take(Millis::from_secs(3600))).count(), 30);
    }
}
