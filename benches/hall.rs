//! What grows with the hall: calls through the hub and its journal, and sessions that watch: `cargo bench --bench hall`.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use moiso::control::auth::Role;
use serde_json::json;
use tokio::runtime::Runtime;

#[path = "../tests/support/console.rs"]
mod console;
#[path = "support/hub.rs"]
mod hub;

fn main() {
    divan::main();
}

/// A thousand calls as fast as the hub takes them, each applied, shown and written to the disk.
#[divan::bench(args = [1, 11, 60, 200], sample_count = 20)]
fn a_thousand_calls_through_hub_and_journal(bencher: Bencher<'_, '_>, counters: usize) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hub = hub::hub(runtime.handle(), counters, folder.path());
    let mut first = 0;
    bencher
        .counter(ItemsCount::new(1000_u32))
        .with_inputs(|| {
            first += 1000;
            (first..first + 1000).map(|id| hub::call(id, counters)).collect::<Vec<_>>()
        })
        .bench_local_values(|calls| {
            runtime.block_on(async {
                let mut answers = Vec::with_capacity(calls.len());
                for input in calls {
                    answers.push(hub.hand_over(input).await.unwrap());
                }
                for answer in answers {
                    answer.await.unwrap();
                }
            });
        });
}

/// From a new view until every session that watches has it, over real sockets; the clients' own work is in it.
#[divan::bench(args = [1, 8, 32, 64], sample_count = 50)]
fn a_view_to_all_sessions(bencher: Bencher<'_, '_>, sessions: usize) {
    let runtime = Runtime::new().unwrap();
    let (console, mut clients) = runtime.block_on(async {
        let console = console::Console::start().await;
        let mut clients = Vec::new();
        for _ in 0..sessions {
            let mut client = console.signed_in(Role::Operator).await;
            client.ask(json!({ "type": "subscribe", "topics": ["view"] })).await;
            client.event("view").await;
            clients.push(client);
        }
        (console, clients)
    });
    let mut revision = 10;
    bencher.bench_local(|| {
        revision += 1;
        runtime.block_on(async {
            console.view.send_replace(Arc::new(console::some_view(revision)));
            for client in &mut clients {
                client.event("view").await;
            }
        });
    });
}
