//! The text that a day may bring to a screen: what a painter draws once before the hall needs it, so that no call has to
//! wait while letters of another size find their place.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Align, Colour, Face, Look, Rect, Scale, Scene, Size, TextRun, compose};
use crate::board::call::{CallId, Counter, Kind, Lane, NoticeId, Series, Ticket};
use crate::board::state::Level;
use crate::board::view::{BoardView, ClosedReason, Opening, Phase, RecentCall, Spot, TickerItem};
use crate::clock::{Millis, Now};

/// What numbers are made of.
const IN_NUMBERS: &str = "0123456789ABCDEĐFGHIJKLMNOPQRSTUVWXYZ-:";
/// What running text is made of; capitals with marks are rare in it.
const IN_WORDS: &str = "0123456789aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệfghiìíỉĩịjklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữự\
                        vwxyỳýỷỹỵzABCDEĐFGHIJKLMNOPQRSTUVWXYZÂÊÔƠƯ.,:;–-·…/()!?";
/// Largest size of running text at 1080 lines; larger words are few and known.
const RUNNING: f32 = 48.0;

/// Every text of the boards that this hall may show on a screen of `size`, and in each size of them all letters that
/// may come. The places of the texts mean nothing.
pub fn rehearsal(view: &BoardView, look: &Look, size: Size) -> Vec<TextRun> {
    let now = Now { mono: Millis::ZERO, wall: jiff::Timestamp::UNIX_EPOCH };
    let mut seen = BTreeSet::new();
    let mut runs = Vec::new();
    let mut add = |text: Arc<str>, run: &TextRun| {
        let (Face::Words(weight) | Face::Digits(weight)) = run.face;
        let is_words = matches!(run.face, Face::Words(_));
        if seen.insert((is_words, weight, run.size.to_bits(), Arc::clone(&text))) {
            runs.push(of(text, run));
        }
    };
    for scene in boards(view).iter().map(|view| compose(view, look, size, now)) {
        for run in texts(&scene) {
            add(Arc::clone(&run.text), run);
            match run.face {
                Face::Digits(_) => add(IN_NUMBERS.into(), run),
                Face::Words(_) if run.size <= Scale::of_size(size).of(RUNNING) => add(IN_WORDS.into(), run),
                Face::Words(_) => {}
            }
        }
    }
    runs
}

/// Boards that the next calls may bring: first with each word of a call, then with the numbers of the counters.
///
/// The digits of a number are equally wide. So the numbers of equal digits that look like one of `series`, or like one on the
/// board, have all digits on every place where a number of that kind can have them.
pub fn coming(view: &BoardView, series: &[Series]) -> impl Iterator<Item = BoardView> + use<> {
    let busy = busy(view);
    let step = busy.counters.len().clamp(1, RECENT);
    let numbers = kinds(view, series)
        .into_iter()
        .flat_map(move |kind| (0..10).step_by(step).map(move |digit| (kind.clone(), digit)));
    let calls = calls(&busy);
    let numbers = numbers.map(move |(kind, digit)| {
        let number = |n: usize| ticket_of(&kind, (digit + n) % 10);
        let mut board = busy.clone();
        for (n, counter) in board.counters.iter_mut().enumerate() {
            counter.ticket = number(n);
        }
        let at = jiff::Timestamp::UNIX_EPOCH;
        let recent = board.counters.iter().take(RECENT).enumerate();
        let recent = recent
            .filter_map(|(n, c)| Some(RecentCall { ticket: number(n)?, counter: c.counter.clone(), at }));
        board.recent = recent.collect();
        board
    });
    calls.into_iter().chain(numbers)
}

/// Calls that the list of the last ones shows in any case.
const RECENT: usize = 3;

/// What a call may say beside its number: its kind, its lane, where to, how many share the spotlight or wait for it.
fn calls(busy: &BoardView) -> Vec<BoardView> {
    let places: Vec<Counter> = busy.counters.iter().map(|counter| counter.counter.clone()).collect();
    // On the signs of several calls `11` is smaller than `1`.
    let last: Vec<Counter> = places.iter().rev().cloned().collect();
    let of = |places: &[Counter], count: usize, kind: Kind, lane: Lane, waiting: usize| {
        let spots = places.iter().cycle().take(count).enumerate().filter_map(|(n, place)| {
            Some(Spot { kind, lane, slot: None, ..spot(ticket(n)?, place.clone())? })
        });
        BoardView { spotlight: spots.collect(), spotlight_waiting: waiting, ..busy.clone() }
    };
    let mut boards = Vec::new();
    boards.extend(
        [Kind::Call, Kind::Recall, Kind::Transfer].map(|kind| of(&places, 1, kind, Lane::Regular, 0)),
    );
    boards.extend((1..10).map(|waiting| of(&places, 3, Kind::Call, Lane::Regular, waiting)));
    for count in 1..=3 {
        boards.extend(Lane::ALL.map(|(_, lane)| of(&places, count, Kind::Call, lane, 0)));
        boards.push(of(&last, count, Kind::Call, Lane::Regular, 0));
    }
    boards
}

/// The texts of a board that are worth drawing ahead, in their places: not the moving line, and nothing as large as a called
/// number. Its digits take as long to draw as any letter and a hundred times the room.
pub fn texts_of(view: &BoardView, look: &Look, size: Size, now: Now) -> Vec<TextRun> {
    let large = Scale::of_size(size).of(LARGE);
    let texts = compose(view, look, size, now).layers.into_iter().flat_map(|layer| layer.texts);
    texts.filter(|run| run.size <= large).collect()
}

/// Largest letters at 1080 lines that are drawn ahead.
const LARGE: f32 = 120.0;

/// Kinds of numbers that are tried.
const KINDS: usize = 8;

/// What numbers look like, with `0` for each digit: first as on the board, then as each series would begin.
fn kinds(view: &BoardView, series: &[Series]) -> Vec<String> {
    let shown = view.counters.iter().filter_map(|counter| counter.ticket.as_ref());
    let shown = shown.chain(view.recent.iter().map(|call| &call.ticket));
    let of = |ticket: &Ticket| -> String {
        ticket.as_str().chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
    };
    let mut kinds: Vec<String> = Vec::new();
    for kind in shown.map(of).chain(series.iter().map(|series| format!("{series}000"))) {
        if kinds.len() < KINDS && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

fn ticket_of(kind: &str, digit: usize) -> Option<Ticket> {
    Ticket::parse(&kind.replace('0', &digit.to_string())).ok()
}

fn texts(scene: &Scene) -> impl Iterator<Item = &TextRun> {
    let strip = scene.strip.iter().flat_map(|strip| &strip.content.texts);
    scene.layers.iter().flat_map(|layer| &layer.texts).chain(strip)
}

fn of(text: Arc<str>, run: &TextRun) -> TextRun {
    let rect = Rect { x: 0.0, y: 0.0, w: run.size * 400.0, h: run.size * 2.0 };
    TextRun { text, rect, colour: Colour([0; 4]), align: Align::Start, ..run.clone() }
}

/// The board of an open hall in which nobody is called.
fn busy(view: &BoardView) -> BoardView {
    let mut busy = view.clone();
    busy.phase = Phase::Open;
    busy.dark = false;
    busy.emergency = None;
    busy.spotlight.clear();
    busy.spotlight_waiting = 0;
    for counter in &mut busy.counters {
        counter.known = true;
    }
    busy
}

/// The board as it is, and with what may come: calls, notices, news that are old, the end of the day.
fn boards(view: &BoardView) -> Vec<BoardView> {
    let mut busy = busy(view);
    for counter in &mut busy.counters {
        counter.ticket = ticket(0);
        counter.slot = Some(SLOT);
        counter.lane = Lane::Elderly;
    }
    let places: Vec<Counter> = busy.counters.iter().map(|counter| counter.counter.clone()).collect();
    let place = |n: usize| places.get(n % places.len().max(1)).cloned();
    let recent = (1..4).filter_map(|n| {
        Some(RecentCall { ticket: ticket(n)?, counter: place(n)?, at: jiff::Timestamp::UNIX_EPOCH })
    });
    busy.recent = recent.collect();
    let mut boards = vec![view.clone()];
    for count in 0..=3 {
        let spotlight: Vec<Spot> = (0..count).filter_map(|n| spot(ticket(9 - n)?, place(n)?)).collect();
        boards.push(BoardView { spotlight, ..busy.clone() });
    }
    // On the signs of two calls `11` is smaller than `1`.
    let last = places.iter().rev().take(2).zip(8..).filter_map(|(place, n)| spot(ticket(n)?, place.clone()));
    boards.push(BoardView { spotlight: last.collect(), ..busy.clone() });
    // Long names of counters have sizes of their own.
    let long = places.iter().filter(|place| place.as_str().chars().count() > 3).take(LONG_NAMES);
    let calls = long.filter_map(|place| spot(ticket(9)?, place.clone()));
    boards.extend(calls.map(|spot| BoardView { spotlight: vec![spot], ..busy.clone() }));
    let mut stale = busy.clone();
    stale.link.stale = true;
    stale.link.last_news = Some(jiff::Timestamp::UNIX_EPOCH);
    boards.push(stale);
    let closed = Phase::Closed { reason: ClosedReason::AfterHours, opens: Some(OPENING) };
    boards.push(BoardView { phase: closed, ..busy.clone() });
    let notice = NoticeId::parse("n").ok().map(notice);
    boards.push(BoardView { ticker: notice.iter().cloned().collect(), ..busy.clone() });
    boards.push(BoardView { emergency: notice, ..busy });
    boards
}

/// Counters with long names for which a call is tried.
const LONG_NAMES: usize = 12;
const SLOT: jiff::civil::Time = jiff::civil::Time::constant(9, 30, 0, 0);
const OPENING: Opening = Opening { date: jiff::civil::Date::constant(2026, 11, 25), time: SLOT, in_days: 1 };

fn ticket(n: usize) -> Option<Ticket> {
    Ticket::parse(&format!("A00{n}")).ok()
}

fn spot(ticket: Ticket, counter: Counter) -> Option<Spot> {
    let call = CallId::parse(ticket.as_str()).ok()?;
    let (kind, lane, since) = (Kind::Call, Lane::Elderly, Millis::ZERO);
    Some(Spot { call, ticket, counter, kind, lane, slot: Some(SLOT), holder: None, since })
}

fn notice(id: NoticeId) -> TickerItem {
    let text = "Mời công dân di chuyển theo lối thoát hiểm gần nhất".to_owned();
    TickerItem { id, text, text_en: None, level: Level::Important, qr: None, until: None }
}
