//! The display server under a daemon.

use super::{Fault, Hits};
use crate::xvfb::Xvfb;

/// The process ends with it, and is started again before it is back.
pub static DIES: Fault = Fault {
    name: "display server killed (Xvfb)",
    hits: Hits::Display,
    span_ms: (1_000, 25_000),
    share: 3,
    begin: |hall, _, _| hall.display.as_mut().expect("a display").kill(),
    turn: None,
    mend: |hall, _| {
        let display = hall.display.take().expect("a display");
        hall.display = Some(Xvfb::start_on(&display.display, display.w, display.h));
    },
};
