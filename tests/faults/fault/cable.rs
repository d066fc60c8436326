//! The way between one screen and the broker.

use std::time::Duration;

use super::{Fault, Hits};
use crate::proxy::Cable;

const fn cable(name: &'static str, begin: fn(&mut crate::hall::Hall, usize, &mut crate::Dice)) -> Fault {
    Fault {
        name,
        hits: Hits::Link,
        span_ms: (1_000, 25_000),
        share: 2,
        begin,
        turn: None,
        mend: |hall, screen| hall.screens[screen].set_cables(Cable::Whole),
    }
}

pub static CUT: Fault =
    cable("cable of a screen cut", |hall, screen, _| hall.screens[screen].set_cables(Cable::Cut));

pub static SILENT: Fault = cable("cable of a screen silent (half-open link)", |hall, screen, _| {
    hall.screens[screen].set_cables(Cable::Silent);
});

/// Less than what the hall says in that time.
pub static NARROW: Fault =
    cable("cable of a screen slow (1000 to 4000 bytes a second)", |hall, screen, dice| {
        hall.screens[screen].set_cables(Cable::Narrow(1_000 + dice.roll(3_000)));
    });

pub static LATE: Fault = cable("cable of a screen late (0.2 to 0.8 s each way)", |hall, screen, dice| {
    hall.screens[screen].set_cables(Cable::Late(Duration::from_millis(200 + dice.roll(600))));
});

pub static ORPHANED: Fault =
    cable("new connection before the broker knows of the old one's death", |hall, screen, _| {
        hall.screens[screen].set_cables(Cable::Orphaned);
    });
