//! The wall clock of one screen, which jumps and is set right again; the monotonic one runs on.

use super::{Fault, Hits};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

pub static FORWARD: Fault = Fault {
    name: "clock of a screen an hour or a day forward, and back",
    hits: Hits::Aside,
    span_ms: (5_000, 25_000),
    share: 2,
    begin: |hall, screen, dice| hall.screens[screen].set_clock([HOUR_S, DAY_S][dice.roll(2) as usize]),
    turn: None,
    mend: |hall, screen| hall.screens[screen].set_clock(0),
};

pub static BACK: Fault = Fault {
    name: "clock of a screen an hour or a day back, and forward",
    begin: |hall, screen, dice| hall.screens[screen].set_clock([-HOUR_S, -DAY_S][dice.roll(2) as usize]),
    ..FORWARD
};
