//! A hall full of phones at one daemon: all of them get their numbers, and calls and operators are as quick as before.

#![allow(clippy::unwrap_used)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::{call, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

const PHONES: u64 = 2000;
/// As often as the page asks.
const EVERY: Duration = Duration::from_secs(5);
const ROUNDS: u32 = 5;

/// One question as the page asks it: the status, the tag of the answer, and how long it took.
async fn ask(from: Ipv4Addr, port: u16, tag: Option<&str>) -> (u16, Option<String>, Duration) {
    let start = Instant::now();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.unwrap();
    let held = tag.map_or_else(String::new, |tag| format!("If-None-Match: {tag}\r\n"));
    let request = format!("GET /api/now HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{held}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // The daemon ends the connection: a phone between two questions holds no place.
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let head = String::from_utf8_lossy(&answer).into_owned();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).map(str::to_owned);
    (status, tag, start.elapsed())
}

/// Processor time of the daemon so far, in seconds, and its resident memory in MiB.
fn cost(daemon: &Daemon) -> (f64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).unwrap();
    let after: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = after[11].parse::<u64>().unwrap() + after[12].parse::<u64>().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (ticks as f64 / 100.0, rss.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_phones_are_answered_and_a_call_is_not_late_for_them() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(Duration::from_secs(10), "the link comes up", || daemon.is_linked());
    let port = daemon.port();
    let (cpu_before, _) = cost(&daemon);
    let start = tokio::time::Instant::now();
    let phones: Vec<_> = (0..PHONES)
        .map(|n| {
            tokio::spawn(async move {
                // Half of them behind one router, the others each with an address of its own.
                let from =
                    if n % 2 == 0 { Ipv4Addr::LOCALHOST } else { Ipv4Addr::from(0x7f01_0000 + n as u32) };
                let offset = EVERY.mul_f64(n as f64 / PHONES as f64);
                let (mut tag, mut told) = (None, Vec::new());
                for round in 0..ROUNDS {
                    tokio::time::sleep_until(start + offset + EVERY * round).await;
                    let (status, new, took) = ask(from, port, tag.as_deref()).await;
                    tag = new;
                    told.push((status, took));
                }
                told
            })
        })
        .collect();

    let mut calls = Vec::new();
    for n in 0..4 {
        tokio::time::sleep_until(start + Duration::from_millis(1500 * (n + 1))).await;
        let ticket = format!("A{n:03}");
        let called = Instant::now();
        let shown = || daemon.view()["recent"].to_string() + &daemon.view()["spotlight"].to_string();
        tokio::task::block_in_place(|| {
            broker.publish("moiso/dong-da/call", &call(&format!("c-{n}"), &ticket, "5", "call"), &[]);
            until(Duration::from_secs(5), "the call is shown", || shown().contains(&ticket));
        });
        calls.push(called.elapsed());
    }
    let mut answers = Vec::new();
    for phone in phones {
        answers.extend(phone.await.unwrap());
    }
    let (cpu, rss) = cost(&daemon);
    let unchanged = answers.iter().filter(|(status, _)| *status == 304).count();
    let wrong = answers.iter().filter(|(status, _)| !matches!(status, 200 | 304)).count();
    let mut times: Vec<Duration> = answers.iter().map(|(_, took)| *took).collect();
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{} answers, {unchanged} of them unchanged; median {:?}, p99 {:?}, slowest {:?}; {:.2} s of processor, {rss} MiB; \
         slowest call {:?}",
        answers.len(),
        at(0.5),
        at(0.99),
        at(1.0),
        cpu - cpu_before,
        calls.iter().max().unwrap()
    );
    assert_eq!((answers.len() as u64, wrong), (PHONES * u64::from(ROUNDS), 0));
    // What changed in between is sent, what did not is not.
    assert!(unchanged > answers.len() / 10, "{unchanged}");
    assert!(at(0.99) < Duration::from_secs(1), "{:?}", at(0.99));
    assert!(calls.iter().all(|took| *took < Duration::from_secs(2)), "{calls:?}");
}
