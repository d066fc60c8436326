//! A hub with its journal and nothing around them, and calls for it.

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use moiso::board::call::Zone;
use moiso::board::input::{AnnouncementId, Input, Message};
use moiso::board::view::BoardView;
use moiso::board::{Board, Rules};
use moiso::clock::Clock as _;
use moiso::clock::system::SystemClock;
use moiso::config::Config;
use moiso::config::section::Env;
use moiso::health::{FrameReport, ScreenStatus, SoundState};
use moiso::hub::{Hub, HubHandle, Outlets, Planner, Probes, Speaker, Speech};
use moiso::journal::Journal;
use moiso::metrics::Metrics;
use moiso::screens::Screens;
use moiso::speech::Utterance;
use moiso::wire::decode;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, watch};

struct Silence;

impl Planner for Silence {
    fn plan(&self, _: &Message, _: u8, _: bool) -> Utterance {
        Utterance::default()
    }
}

impl Speaker for Silence {
    fn say(&mut self, _: &Zone, _: AnnouncementId, _: Arc<Utterance>) {}

    fn music(&mut self, _: &Zone, _: bool) -> bool {
        true
    }
}

/// A hub of so many counters with a journal in `folder`; nobody looks at its views.
pub fn hub(runtime: &Handle, counters: usize, folder: &Path) -> HubHandle {
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

/// A call as it comes from the broker, each with a ticket of its own within a thousand.
pub fn call(id: usize, counters: usize) -> Input {
    let (ticket, counter, at) = (id % 1000, id % counters + 1, jiff::Timestamp::now());
    let payload = json!({
        "id": format!("c-{id}"), "ticket": format!("A{ticket:03}"), "counter": counter.to_string(), "kind": "call",
        "at": at.to_string(),
    });
    decode("call", payload.to_string().as_bytes(), &TimeZone::UTC).unwrap().input
}
