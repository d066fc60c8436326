//! The disk that a screen keeps its journal on.

use std::time::Instant;

use super::{Fault, Hits};

pub static FULL: Fault = Fault {
    name: "disk full (ENOSPC)",
    hits: Hits::Aside,
    span_ms: (5_000, 25_000),
    share: 2,
    begin: |hall, screen, _| {
        hall.screens[screen].disk.fill(true);
        hall.screens[screen].full_since = Some(Instant::now());
    },
    turn: None,
    mend: |hall, screen| hall.screens[screen].disk.fill(false),
};

/// What it could not write is gone.
pub static FULL_AND_KILLED: Fault = Fault {
    name: "disk full, daemon killed meanwhile",
    hits: Hits::Voice,
    span_ms: (10_000, 25_000),
    share: 1,
    turn: Some(|hall, screen| {
        hall.screens[screen].kill();
        let since = hall.screens[screen].full_since;
        hall.screens[screen].forgotten.extend(since.map(|since| (since, Instant::now())));
        hall.launch(screen);
    }),
    ..FULL
};

pub static READ_ONLY: Fault = Fault {
    name: "daemon killed, its disk read-only at the next start",
    hits: Hits::Voice,
    span_ms: (5_000, 25_000),
    share: 1,
    begin: |hall, screen, _| {
        hall.screens[screen].kill();
        hall.screens[screen].disk.let_be_written(false);
        hall.launch(screen);
    },
    turn: None,
    mend: |hall, screen| hall.screens[screen].disk.let_be_written(true),
};
