//! What an input costs the hub and what it costs the journal, each by the processor time of its own thread, so that other
//! work on the machine does not count: `cargo bench --bench hub`. One input is a call with all that it brings: it is
//! applied, the view is published, the call and its proof are committed, and the sender is told after that.
//!
//! Linux only: the times come from `/proc/self/task`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may panic and prints")]

use std::time::{Duration, Instant};

use moiso::hub::HubHandle;
use tokio::runtime::{Builder, Handle};

#[path = "support/hub.rs"]
mod hub;

const COUNTERS: [usize; 4] = [1, 11, 60, 200];
const ROUNDS: usize = 100;
/// Calls of a round; the hub's inbox has room for all of them.
const CALLS: usize = 1000;
/// Rounds before the first that counts.
const WARM_UP: usize = 5;
const HUB: &str = "bench-hub";
const JOURNAL: &str = "journal";

struct Round {
    hub: Duration,
    journal: Duration,
    wall: Duration,
}

fn main() {
    println!("Of {ROUNDS} rounds of {CALLS} calls the fastest (median).\n");
    println!(
        "| counters | hub, an input | hub, inputs a second on one core | journal, an input | end to end, inputs a second |"
    );
    println!("|---|---|---|---|---|");
    for counters in COUNTERS {
        let rounds = measure(counters);
        let [hub, journal, wall] = [|r: &Round| r.hub, |r: &Round| r.journal, |r: &Round| r.wall]
            .map(|of| of_an_input(rounds.iter().map(of).collect()));
        println!(
            "| {counters} | {:.2} ({:.2}) µs | {:.0} ({:.0}) | {:.2} ({:.2}) µs | {:.0} ({:.0}) |",
            hub.0,
            hub.1,
            1e6 / hub.0,
            1e6 / hub.1,
            journal.0,
            journal.1,
            1e6 / wall.0,
            1e6 / wall.1,
        );
    }
}

/// The least and the median, in microseconds an input.
fn of_an_input(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let us = |time: Duration| time.as_secs_f64() * 1e6 / CALLS as f64;
    (us(times[0]), us(times[times.len() / 2]))
}

fn measure(counters: usize) -> Vec<Round> {
    let folder = tempfile::tempdir().unwrap();
    let (tell, told) = std::sync::mpsc::channel::<Handle>();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name(HUB.into()).spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        tell.send(runtime.handle().clone()).unwrap();
        runtime.block_on(stopped)
    });
    let hub = hub::hub(&told.recv().unwrap(), counters, folder.path());
    let driver = Builder::new_current_thread().build().unwrap();
    let rounds = (0..WARM_UP + ROUNDS).map(|n| round(&driver, &hub, n, counters)).skip(WARM_UP).collect();
    drop(hub);
    stop.send(()).unwrap();
    thread.unwrap().join().unwrap().unwrap();
    rounds
}

fn round(driver: &tokio::runtime::Runtime, hub: &HubHandle, n: usize, counters: usize) -> Round {
    let calls: Vec<_> = (n * CALLS..(n + 1) * CALLS).map(|id| hub::call(id, counters)).collect();
    let before = (spent(HUB), spent(JOURNAL), Instant::now());
    driver.block_on(async {
        let mut answers = Vec::with_capacity(CALLS);
        for input in calls {
            answers.push(hub.hand_over(input).await.unwrap());
        }
        for answer in answers {
            answer.await.unwrap();
        }
    });
    // What the journal does when it is idle belongs to the calls, and to no later round.
    let wall = before.2.elapsed();
    let settled = Instant::now() + Duration::from_millis(20);
    while Instant::now() < settled {
        std::thread::sleep(Duration::from_millis(5));
    }
    let since = |name, before| spent(name).saturating_sub(before);
    Round { hub: since(HUB, before.0), journal: since(JOURNAL, before.1), wall }
}

/// Processor time of all threads of this name that live.
fn spent(name: &str) -> Duration {
    let mut ns = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let of = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if of("comm").trim_end() == name {
            let first = of("schedstat").split(' ').next().and_then(|ns| ns.parse::<u64>().ok());
            ns += first.unwrap_or(0);
        }
    }
    Duration::from_nanos(ns)
}
