//! What the pure parts and the decoding of a sentence cost: `cargo bench --bench core`.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::path::PathBuf;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use moiso::audio::clips::Clips;
use moiso::audio::mixer::{Line, Mixer};
use moiso::audio::sounds;
use moiso::board::call::{CallId, Counter, Kind, Lane, Ticket};
use moiso::board::input::{AnnouncementId, Form, Input, Message};
use moiso::board::{Board, Rules};
use moiso::clock::{Millis, Now};
use moiso::config::Config;
use moiso::config::section::Env;
use moiso::raster::{Area, Raster};
use moiso::scene::layout::{Track, columns, rows};
use moiso::scene::{Damage, Look, Size, compose, damage};
use moiso::speech::number::read_number;
use moiso::speech::voice::Voice;
use moiso::speech::{Accent, RATE_HZ, Utterance};
use moiso::wire::{decode, encode_public};

fn main() {
    divan::main();
}

fn folder() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/sounds").into()
}

fn voice() -> Voice {
    sounds::load(&folder(), &Config::default()).unwrap()
}

fn call(ticket: &str, counter: &str) -> Message {
    Message::Call {
        call: CallId::parse("c").unwrap(),
        ticket: Ticket::parse(ticket).unwrap(),
        counter: Counter::parse(counter).unwrap(),
        kind: Kind::Call,
        lane: Lane::Elderly,
        series: None,
    }
}

fn sentence(voice: &Voice, ticket: &str) -> Utterance {
    voice.plan_message(&call(ticket, "5"), 1, Form::Full).utterance
}

#[divan::bench(args = [Accent::North, Accent::English])]
fn read_10_000_numbers(bencher: Bencher<'_, '_>, accent: Accent) {
    bencher.counter(ItemsCount::new(10_000_u32)).bench(|| {
        for n in 0..10_000 {
            black_box(read_number(black_box(n), accent));
        }
    });
}

#[divan::bench(args = ["A012", "1005"])]
fn plan_a_call(bencher: Bencher<'_, '_>, ticket: &str) {
    let (voice, message) = (voice(), call(ticket, "5"));
    bencher.bench(|| voice.plan_message(black_box(&message), 2, Form::Full));
}

/// From the files of the shipped voice; the cards' usual rates.
#[divan::bench(args = [48_000, 44_100])]
fn decode_a_sentence(bencher: Bencher<'_, '_>, rate_hz: u32) {
    let utterance = sentence(&voice(), "A012");
    bencher
        .with_inputs(|| Clips::new(folder()))
        .bench_values(|mut clips| clips.track(AnnouncementId(1), &utterance, rate_hz).unwrap());
}

#[divan::bench]
fn find_a_decoded_sentence(bencher: Bencher<'_, '_>) {
    let (utterance, mut clips) = (sentence(&voice(), "A012"), Clips::new(folder()));
    bencher.bench_local(|| clips.track(AnnouncementId(1), &utterance, RATE_HZ).unwrap());
}

/// Two zones that talk at once, two channels.
#[divan::bench]
fn mix_a_second(bencher: Bencher<'_, '_>) {
    let utterance = sentence(&voice(), "A012");
    let track = Clips::new(folder()).track(AnnouncementId(1), &utterance, RATE_HZ).unwrap();
    let line = |channel| Line { gain: 0.8, channels: vec![channel], music: false };
    let begun = || {
        let mut mixer = Mixer::new(RATE_HZ, 2, &[line(1), line(2)]);
        mixer.push(0, track.clone());
        mixer.push(1, track.clone());
        mixer
    };
    let (mut out, mut marks) = (vec![0.0; RATE_HZ as usize * 2], Vec::new());
    bencher.with_inputs(begun).bench_local_values(|mut mixer| mixer.fill(black_box(&mut out), &mut marks));
}

const COUNTERS: [usize; 4] = [1, 11, 60, 200];

fn payload(n: usize, counters: usize) -> Vec<u8> {
    let (ticket, counter) = (n % 1000, n % counters + 1);
    format!(
        "{{\"id\":\"c-{n}\",\"ticket\":\"A{ticket:03}\",\"counter\":\"{counter}\",\"kind\":\"call\",\"seq\":{n},\"at\":\"2026-11-24T09:40:01+07:00\"}}"
    )
    .into_bytes()
}

#[divan::bench]
fn decode_a_payload(bencher: Bencher<'_, '_>) {
    let (payload, zone) = (payload(7, 11), TimeZone::get("Asia/Ho_Chi_Minh").unwrap());
    bencher.counter(ItemsCount::new(1_u32)).bench(|| decode("call", black_box(&payload), &zone).unwrap());
}

fn hall(counters: usize) -> Config {
    let tables: Vec<String> = (1..=counters).map(|n| format!("[[counter]]\nid = \"{n}\"\n")).collect();
    Config::read(&tables.concat(), Env::new()).unwrap()
}

/// A thousand calls to a board of so many counters, each a new ticket, at a tenth of a second's distance.
#[divan::bench(args = COUNTERS)]
fn a_thousand_calls(bencher: Bencher<'_, '_>, counters: usize) {
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let inputs: Vec<Input> =
        (0..1000).map(|n| decode("call", &payload(n, counters), &zone).unwrap().input).collect();
    let wall: Timestamp = "2026-11-24T09:40:01+07:00".parse().unwrap();
    let start = Now { mono: Millis::ZERO, wall };
    let (rules, count) = (Rules::of(&hall(counters)), ItemsCount::new(inputs.len()));
    bencher.counter(count).with_inputs(|| (Board::new(rules.clone(), start), inputs.clone())).bench_values(
        |(mut board, inputs)| {
            for (n, input) in inputs.into_iter().enumerate() {
                black_box(board.apply(start.after(Millis(n as i64 * 100)), input));
            }
            board
        },
    );
}

#[divan::bench(args = COUNTERS)]
fn view_of_a_board(bencher: Bencher<'_, '_>, counters: usize) {
    let wall: Timestamp = "2026-11-24T09:40:01+07:00".parse().unwrap();
    let now = Now { mono: Millis::ZERO, wall };
    let board = Board::new(Rules::of(&hall(counters)), now);
    bencher.bench(|| board.view(black_box(now)));
}

const SCREEN: Size = Size { w: 1920, h: 1080 };

/// A board on which every counter has called, and the same one call later.
fn before_and_after_a_call(counters: usize) -> [(Board, Now); 2] {
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let wall: Timestamp = "2026-11-24T09:40:01+07:00".parse().unwrap();
    let start = Now { mono: Millis::ZERO, wall };
    [counters, counters + 1].map(|calls| {
        let mut board = Board::new(Rules::of(&hall(counters)), start);
        let mut now = start;
        for n in 0..calls {
            now = start.after(Millis(n as i64 * 100));
            board.apply(now, decode("call", &payload(n, counters), &zone).unwrap().input);
        }
        (board, now)
    })
}

/// The picture of a view that has changed, as data: what stands between a call and the GPU.
#[divan::bench(args = COUNTERS)]
fn scene_of_a_changed_view(bencher: Bencher<'_, '_>, counters: usize) {
    let look = Look::of(&hall(counters));
    let [_, (board, now)] = before_and_after_a_call(counters);
    let view = board.view(now);
    bencher.bench(|| compose(black_box(&view), &look, SCREEN, now));
}

#[divan::bench(args = COUNTERS)]
fn damage_of_a_call(bencher: Bencher<'_, '_>, counters: usize) {
    let look = Look::of(&hall(counters));
    let [before, after] = before_and_after_a_call(counters)
        .map(|(board, now)| compose(&board.view(now), &look, SCREEN, now).moved(now.mono));
    bencher.bench(|| damage(black_box(&before), black_box(&after)));
}

/// The whole board by the processor, with all letters known.
#[divan::bench(args = COUNTERS)]
fn draw_a_board(bencher: Bencher<'_, '_>, counters: usize) {
    let look = Look::of(&hall(counters));
    let [_, (board, now)] = before_and_after_a_call(counters);
    let scene = compose(&board.view(now), &look, SCREEN, now).moved(now.mono);
    let (mut raster, mut pixels) = (Raster::default(), vec![0; SCREEN.w as usize * SCREEN.h as usize]);
    bencher.bench_local(|| raster.draw(black_box(&scene), &[Area::all(SCREEN)], &mut pixels));
}

/// What a call changes of it by the processor: two boards in turn, with all letters known.
#[divan::bench(args = COUNTERS)]
fn draw_a_call(bencher: Bencher<'_, '_>, counters: usize) {
    let look = Look::of(&hall(counters));
    let [before, after] = before_and_after_a_call(counters)
        .map(|(board, now)| compose(&board.view(now), &look, SCREEN, now).moved(now.mono));
    let Damage::Parts(parts) = damage(&before, &after) else { panic!("a call changes parts of a board") };
    let parts: Vec<Area> = parts.into_iter().map(|part| Area::within(part, SCREEN)).collect();
    let (mut raster, mut pixels) = (Raster::default(), vec![0; SCREEN.w as usize * SCREEN.h as usize]);
    let mut scenes = [&before, &after].into_iter().cycle();
    bencher.bench_local(|| raster.draw(scenes.next().unwrap(), &parts, &mut pixels));
}

/// A step of a breath: the picture at rest with what moves where it is.
#[divan::bench(args = COUNTERS)]
fn step_of_a_motion(bencher: Bencher<'_, '_>, counters: usize) {
    let look = Look::of(&hall(counters));
    let [_, (board, now)] = before_and_after_a_call(counters);
    let scene = compose(&board.view(now), &look, SCREEN, now);
    bencher.bench(|| scene.layers_at(black_box(now.mono + Millis(1_200))));
}

/// A line of so many notices, and the board around it.
#[divan::bench(args = [0, 1, 10, 50])]
fn scene_with_notices(bencher: Bencher<'_, '_>, notices: usize) {
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let config = hall(11);
    let wall: Timestamp = "2026-11-24T09:40:01+07:00".parse().unwrap();
    let now = Now { mono: Millis::ZERO, wall };
    let mut board = Board::new(Rules::of(&config), now);
    for n in 0..notices {
        let payload = format!(
            "{{\"text\":{{\"vi\":\"Thông báo số {n}: mời công dân đến quầy hướng dẫn ở tầng 1\"}},\"level\":\"info\",\"at\":\"2026-11-24T09:40:00+07:00\"}}"
        );
        board.apply(now, decode(&format!("notice/n{n}"), payload.as_bytes(), &zone).unwrap().input);
    }
    let (view, look) = (board.view(now), Look::of(&config));
    bencher.bench(|| compose(black_box(&view), &look, SCREEN, now));
}

/// A grid of twelve rows of two columns, as the counters stand in.
#[divan::bench]
fn lay_out_a_grid(bencher: Bencher<'_, '_>) {
    let tracks = [Track::Share(1.0); 12];
    bencher.bench(|| {
        let grid = rows(black_box(SCREEN.rect()), &tracks, 14.0);
        grid.into_iter().map(|row| columns(row, &tracks[..2], 14.0)).collect::<Vec<_>>()
    });
}

#[divan::bench]
fn encode_a_view_for_phones(bencher: Bencher<'_, '_>) {
    let [_, (board, now)] = before_and_after_a_call(60);
    let view = board.view(now);
    bencher.bench(|| encode_public(black_box(&view), "Chi nhánh số 3", "Asia/Ho_Chi_Minh"));
}
