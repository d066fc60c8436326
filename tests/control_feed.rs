//! State, then events: whoever has listened from the beginning and whoever comes late know the same.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moiso::board::view::BoardView;
use moiso::control::auth::Role;
use moiso::screens::ScreenReport;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

#[path = "support/console.rs"]
mod console;
#[path = "support/scenes.rs"]
mod scenes;

use console::{Client, Console, PATIENCE, now, some_view};

const TOPICS: [&str; 5] = ["view", "notices", "health", "screens", "speech"];

/// What a client knows: of each kind of event the last. That is the whole fold, for every event is the whole of what it
/// tells.
#[derive(Default)]
struct Known(BTreeMap<String, Value>);

impl Known {
    fn fold(&mut self, event: Value) {
        self.0.insert(event["event"].as_str().unwrap().to_owned(), event);
    }
}

async fn joined(console: &Console) -> Client {
    let mut client = console.signed_in(Role::Viewer).await;
    assert_eq!(client.ask(json!({ "type": "subscribe", "topics": TOPICS })).await["ok"], true);
    client
}

/// Something changes, and some of it changes back.
async fn change(console: &Console, operator: &mut Client, step: u64) {
    let chance = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let id = format!("n{}", chance % 3);
    match chance % 7 {
        0 | 1 => {
            let counters = some_view(0).counters[..(chance as usize / 7) % 6].to_vec();
            console.view.send_replace(Arc::new(BoardView { revision: step, counters, ..BoardView::empty() }));
        }
        2 => {
            operator
                .ask(json!({ "type": "notice.put", "id": id, "text": format!("Thông báo {step}") }))
                .await;
        }
        3 => {
            operator.ask(json!({ "type": "notice.delete", "id": id })).await;
        }
        4 => console.screens.send_modify(|screens| {
            let report = ScreenReport {
                online: chance.is_multiple_of(2),
                session: step as i64,
                ..ScreenReport::default()
            };
            screens.take(&id, report, moiso::clock::Now { mono: moiso::clock::Millis::ZERO, wall: now() });
        }),
        5 => drop(console.speech.send_replace(scenes::speech(now()))),
        _ => console.health.lock().unwrap().live = chance.is_multiple_of(2),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_late_knows_what_they_know_who_have_listened_from_the_beginning() {
    let console = Console::start().await;
    let (mut early, mut knows) = (joined(&console).await, Known::default());
    let mut operator = console.signed_in(Role::Operator).await;
    let mut step = 0;
    for round in 1..=12 {
        for _ in 0..round {
            step += 1;
            change(&console, &mut operator, step).await;
        }
        let (mut late, mut learns) = (joined(&console).await, Known::default());
        // Both hear on until nothing that the other knows is new.
        let deadline = Instant::now() + PATIENCE;
        while knows.0.len() < TOPICS.len() || knows.0 != learns.0 {
            assert!(Instant::now() < deadline, "round {round}: {:#?}\n{:#?}", knows.0, learns.0);
            tokio::select! {
                event = early.any_event() => knows.fold(event),
                event = late.any_event() => learns.fold(event),
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }
    // Nothing is left that only one of them was told.
    if let Ok(event) = timeout(Duration::from_secs(3), early.any_event()).await {
        assert!(knows.0.values().any(|known| *known == event), "{event}");
    }
}
