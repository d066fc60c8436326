//! What grows with the hall: calls through the hub and its journal, and sessions that watch: `cargo bench --bench hall`.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::tz::TimeZone;
use moiso::board::input::{AnnouncementId, Input, Message};
use moiso::board::view::BoardView;
use moiso::board::{Board, Rules};
use moiso::clock::Clock as _;
use moiso::clock::system::SystemClock;
use moiso::config::Config;
use moiso::config::section::Env;
use moiso::control::auth::Role;
use moiso::health::{FrameReport, ScreenStatus, SoundState};
use moiso::hub::{Hub, HubHandle, Outlets, Planner, Probes, Speaker, Speech};
use moiso::journal::Journal;
use moiso::metrics::Metrics;
use moiso::screens::Screens;
use moiso::speech::Utterance;
use moiso::wire::decode;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, mpsc, watch};

#[path = "../tests/support/console.rs"]
mod console;

fn main() {
    divan::main();
}

struct Silence;

impl Planner for Silence {
    fn plan(&self, _: &Message, _: u8, _: bool) -> Utterance {
        Utterance::default()
    }
}

impl Speaker for Silence {
    fn say(&mut self, _: &moiso::board::call::Zone, _: AnnouncementId, _: Arc<Utterance>) {}

    fn music(&mut self, _: &moiso::board::call::Zone, _: bool) -> bool {
        true
    }
}

/// A hub of so many counters with a journal in `folder`; nobody looks at its views.
fn hub(runtime: &Runtime, counters: usize, folder: &std::path::Path) -> HubHandle {
    let tables: Vec<String> = (1..=counters).map(|n| format!("[[counter]]\nid = \"{n}\"\n")).collect();
    let config = Config::read(&tables.concat(), Env::new()).unwrap();
    let clock = Arc::new(SystemClock::new());
    let now = clock.now();
    let status = ScreenStatus::first(&config, now);
    let board = Board::new(Rules { speaks: false, ..Rules::of(&config) }, now);
    let (requests, inbox) = mpsc::channel(1024);
    let (view, views) = watch::channel(Arc::new(BoardView::empty()));
    let (journal, _) = Journal::open(folder, 90, now.wall).unwrap();
    // Proofs find no link; the hub then drops them, as it does while a broker is away for long.
    let (publications, _) = mpsc::channel(1);
    let outlets = Outlets {
        planner: Box::new(Silence),
        speaker: Box::new(Silence),
        publications,
        views: view,
        status: watch::channel(status.clone()).0,
        wake: Box::new(|| {}),
        probes: Probes {
            frame: Box::new(FrameReport::default),
            sound: Box::new(|| SoundState::Off),
            link: Box::new(|| None),
            panel: Box::new(|| None),
        },
        journal,
        proofs: broadcast::channel(16).0,
        screens: watch::channel(Screens::default()).0,
        speech: watch::channel(Speech { zones: Vec::new(), since: now }).0,
        metrics: Arc::new(Metrics::new("bench")),
    };
    runtime.spawn(Hub::new(board, clock, outlets, status, "bench").run(inbox));
    HubHandle { requests, views }
}

fn call(id: usize, counters: usize) -> Input {
    let (ticket, counter, at) = (id % 1000, id % counters + 1, jiff::Timestamp::now());
    let payload = json!({
        "id": format!("c-{id}"), "ticket": format!("A{ticket:03}"), "counter": counter.to_string(), "kind": "call",
        "at": at.to_string(),
    });
    decode("call", payload.to_string().as_bytes(), &TimeZone::UTC).unwrap().input
}

/// A thousand calls as fast as the hub takes them, each applied, shown and written to the disk.
#[divan::bench(args = [1, 11, 60, 200], sample_count = 20)]
fn a_thousand_calls_through_hub_and_journal(bencher: Bencher<'_, '_>, counters: usize) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(&runtime, counters, folder.path());
    let mut first = 0;
    bencher
        .counter(ItemsCount::new(1000_u32))
        .with_inputs(|| {
            first += 1000;
            (first..first + 1000).map(|id| call(id, counters)).collect::<Vec<_>>()
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
