//! The loudspeakers of one screen.

use std::time::Instant;

use super::{Fault, Hits};
use crate::hall::Hall;

/// The card is there, takes no sound and reports nothing.
pub static SUSPENDED: Fault = Fault {
    name: "sound card takes no sound (PulseAudio sink suspended)",
    hits: Hits::Voice,
    span_ms: (1_000, 25_000),
    share: 2,
    begin: |hall, screen, _| hall.cards.suspend(screen, true),
    turn: None,
    mend: |hall, screen| {
        hall.screens[screen].resumed.push(Instant::now());
        hall.cards.suspend(screen, false);
    },
};

pub static PULLED_OUT: Fault = Fault {
    name: "sound card gone and back (PulseAudio sink unloaded)",
    share: 4,
    begin: |hall, screen, _| hall.cards.pull_out(screen),
    mend: |hall, screen| {
        hall.cards.put_in(screen);
        hall.cards.listen_again(screen, &mut hall.ears[screen]);
    },
    ..SUSPENDED
};

pub static MUTED: Fault = Fault {
    name: "muted by a technician",
    begin: |hall, screen, _| command(hall, screen, "mute"),
    mend: |hall, screen| command(hall, screen, "unmute"),
    ..SUSPENDED
};

fn command(hall: &Hall, screen: usize, what: &str) {
    let topic = format!("moiso/dong-da/screen/{}/command", hall.screens[screen].name);
    let id = format!("{what}-{}", jiff::Timestamp::now().as_millisecond());
    let broker = hall.reachable().expect("no broker fault is on with a mute");
    broker.publish(&topic, &format!(r#"{{"id":"{id}","do":"{what}"}}"#), &[]);
}
