//! Brokers that die, stand still, forget, refuse and take the time wrong.

use std::time::Instant;

use super::{Fault, Hits};
use crate::Dice;
use crate::hall::{Hall, write_users};

const HOUR_S: i64 = 3_600;

fn kill(hall: &mut Hall, broker: usize) {
    hall.brokers[broker].kill();
    hall.up[broker] = false;
    hall.bridge.breaks();
}

fn start(hall: &mut Hall, broker: usize) {
    hall.brokers[broker].restart();
    hall.up[broker] = true;
}

const fn broker(
    name: &'static str,
    share: usize,
    begin: fn(&mut Hall, usize, &mut Dice),
    mend: fn(&mut Hall, usize),
) -> Fault {
    Fault { name, hits: Hits::Hall, span_ms: (1_000, 20_000), share, begin, turn: None, mend }
}

pub static KILLED: Fault =
    broker("broker killed (kill -9) and started", 3, |hall, _, _| kill(hall, 0), |hall, _| start(hall, 0));

pub static STOPPED: Fault = broker(
    "broker stopped and continued (SIGSTOP)",
    3,
    |hall, _, _| {
        hall.brokers[0].signal("-STOP");
        hall.up[0] = false;
    },
    |hall, _| {
        hall.brokers[0].signal("-CONT");
        hall.up[0] = true;
    },
);

/// It comes back without sessions and without what was retained.
pub static FORGETS: Fault = broker(
    "broker killed, its store deleted",
    2,
    |hall, _, _| {
        kill(hall, 0);
        let _ = std::fs::remove_file(hall.brokers[0].folder.0.join("mosquitto.db"));
    },
    |hall, _| {
        start(hall, 0);
        hall.unheard = Some(Instant::now());
    },
);

/// The PC of the broker and of the queue system starts anew with a clock that is off, and is set right while calls come.
const fn wrong_clock(name: &'static str, begin: fn(&mut Hall, usize, &mut Dice)) -> Fault {
    Fault { span_ms: (65_000, 90_000), ..broker(name, 1, begin, |hall, _| hall.set_queue_clock(0)) }
}

pub static CLOCK_BEHIND: Fault = wrong_clock(
    "broker and queue system started anew, an hour or a day behind for a minute",
    |hall, _, dice| {
        start_with_clock(hall, [-24 * HOUR_S, -HOUR_S][dice.roll(2) as usize]);
    },
);

pub static CLOCK_AHEAD: Fault = wrong_clock(
    "broker and queue system started anew, an hour or a day ahead for a minute",
    |hall, _, dice| {
        start_with_clock(hall, [24 * HOUR_S, HOUR_S][dice.roll(2) as usize]);
    },
);

fn start_with_clock(hall: &mut Hall, by_s: i64) {
    kill(hall, 0);
    hall.set_queue_clock(by_s);
    start(hall, 0);
}

pub static REFUSES: Fault = broker(
    "screens' password refused, then accepted",
    1,
    |hall, _, _| set_users(hall, false),
    |hall, _| set_users(hall, true),
);

fn set_users(hall: &Hall, with_board: bool) {
    write_users(&hall.brokers[0].folder.0, with_board);
    hall.brokers[0].signal("-HUP");
}

pub static FIRST_DIES: Fault = broker(
    "first of two brokers killed and started",
    4,
    |hall, _, _| kill(hall, 0),
    |hall, _| start(hall, 0),
);

pub static SECOND_DIES: Fault = broker(
    "second of two brokers killed and started",
    3,
    |hall, _, _| kill(hall, 1),
    |hall, _| start(hall, 1),
);
