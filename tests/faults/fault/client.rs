//! Another client with the id of a screen.

use std::process::{Command, Stdio};

use super::{Fault, Hits};

/// It comes back whenever it is thrown out, half of the time with the screen's own session, whose messages it takes.
pub static SAME_ID: Fault = Fault {
    name: "a second client with the screen's id",
    hits: Hits::Link,
    span_ms: (1_000, 15_000),
    share: 1,
    begin: |hall, screen, dice| {
        let broker = &hall.brokers[0];
        let name = &hall.screens[screen].name;
        let mut thief = Command::new("mosquitto_sub");
        thief.args(["-p", &broker.port.to_string(), "-u", "board", "-P", "right"]);
        thief.args(["-i", &format!("moiso-dong-da-{name}"), "-q", "1", "-t", "moiso/dong-da/nobody"]);
        if dice.roll(2) == 0 {
            thief.arg("-c");
        }
        let thief = thief.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        hall.screens[screen].thief = Some(thief);
    },
    turn: None,
    mend: |hall, screen| {
        if let Some(mut thief) = hall.screens[screen].thief.take() {
            thief.kill().unwrap();
            thief.wait().unwrap();
        }
    },
};
