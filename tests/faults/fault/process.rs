//! The daemon itself.

use super::{Fault, Hits};

pub static KILLED: Fault = Fault {
    name: "daemon killed (kill -9)",
    hits: Hits::Voice,
    span_ms: (1_000, 25_000),
    share: 6,
    begin: |hall, screen, _| hall.screens[screen].kill(),
    turn: None,
    mend: |hall, screen| hall.launch(screen),
};

pub static STOPPED: Fault = Fault {
    name: "daemon stopped and continued (SIGSTOP)",
    hits: Hits::Voice,
    span_ms: (1_000, 25_000),
    share: 4,
    begin: |hall, screen, _| hall.screens[screen].pause(true),
    turn: None,
    mend: |hall, screen| hall.screens[screen].pause(false),
};
