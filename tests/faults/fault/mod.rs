//! What can go wrong in a hall: each fault in the module of what it hits.

use crate::Dice;
use crate::hall::Hall;

mod broker;
mod cable;
mod client;
mod clock;
mod disk;
mod display;
mod process;
mod sound;

/// Whom a fault hits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Hits {
    /// One screen, which cannot speak meanwhile.
    Voice,
    /// One screen, which may speak without the others knowing it.
    Link,
    /// One screen, which goes on.
    Aside,
    /// The first screen, which has a display.
    Display,
    /// A broker, or all screens.
    Hall,
}

/// One kind of fault, how it begins and how it ends.
pub struct Fault {
    pub name: &'static str,
    pub hits: Hits,
    /// Shortest and longest time until it is mended.
    pub span_ms: (u64, u64),
    /// How often it comes in a long run, beside the others.
    pub share: usize,
    pub begin: fn(&mut Hall, usize, &mut Dice),
    /// In the midst of it.
    pub turn: Option<fn(&mut Hall, usize)>,
    pub mend: fn(&mut Hall, usize),
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A kind of hall, and what befalls it; the slowest to recover from comes first.
#[derive(Debug)]
pub struct Kind {
    pub screens: usize,
    pub brokers: usize,
    pub faults: &'static [&'static Fault],
}

pub static THREE_SCREENS: Kind = Kind {
    screens: 3,
    brokers: 1,
    faults: &[
        &client::SAME_ID,
        &broker::REFUSES,
        &process::KILLED,
        &cable::SILENT,
        &disk::FULL,
        &sound::PULLED_OUT,
        &process::STOPPED,
        &broker::STOPPED,
        &display::DIES,
        &clock::FORWARD,
        &disk::FULL_AND_KILLED,
        &cable::CUT,
        &broker::KILLED,
        &clock::BACK,
        &sound::SUSPENDED,
        &cable::ORPHANED,
        &broker::FORGETS,
        &cable::LATE,
        &disk::READ_ONLY,
    ],
};

pub static TWO_BROKERS: Kind = Kind {
    screens: 3,
    brokers: 2,
    faults: &[
        &broker::FIRST_DIES,
        &process::KILLED,
        &broker::SECOND_DIES,
        &cable::NARROW,
        &process::STOPPED,
        &cable::CUT,
        &sound::MUTED,
    ],
};

/// Nobody else can tell this screen what it has forgotten.
pub static ONE_SCREEN: Kind = Kind {
    screens: 1,
    brokers: 1,
    faults: &[
        &process::KILLED,
        &broker::KILLED,
        &disk::READ_ONLY,
        &display::DIES,
        &cable::SILENT,
        &clock::FORWARD,
        &disk::FULL,
        &cable::ORPHANED,
        &broker::STOPPED,
        &sound::PULLED_OUT,
    ],
};

/// What is wrong with the queue system's clock for a minute is heard in all halls, so it has one for itself.
pub static WRONG_CLOCK: Kind =
    Kind { screens: 3, brokers: 1, faults: &[&broker::CLOCK_AHEAD, &broker::CLOCK_BEHIND] };
