//! Boards as a hall shows them, made by hand.
#![allow(dead_code)] // Each test program uses some of them.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use moiso::board::call::{CallId, Counter, Holder, Kind, Lane, NoticeId, Series, Ticket};
use moiso::board::input::LinkTrouble;
use moiso::board::state::{CounterMode, Level};
use moiso::board::view::{
    BoardView, ClosedReason, CounterView, LinkView, MissedCall, Opening, Phase, QueueView, RecentCall, Spot,
    TickerItem,
};
use moiso::clock::{Millis, Now};
use moiso::config::Config;
use moiso::scene::{Look, Size};

pub const LANDSCAPE: Size = Size { w: 1920, h: 1080 };
pub const PORTRAIT: Size = Size { w: 1080, h: 1920 };

/// 09:41 in Hanoi on 24 November 2026.
pub fn now() -> Now {
    Now { mono: Millis::ZERO, wall: at("09:41") }
}

pub fn at(time: &str) -> Timestamp {
    format!("2026-11-24T{time}:20+07:00").parse().unwrap()
}

pub fn look() -> Look {
    Look::of(&Config::default())
}

pub fn time(text: &str) -> Time {
    Time::strptime("%H:%M", text).unwrap()
}

pub fn spot(ticket: &str, counter: &str, kind: Kind, lane: Lane) -> Spot {
    Spot {
        call: CallId::parse(&format!("{ticket}-{counter}")).unwrap(),
        ticket: Ticket::parse(ticket).unwrap(),
        counter: Counter::parse(counter).unwrap(),
        kind,
        lane,
        slot: None,
        holder: None,
        since: Millis::ZERO,
    }
}

pub fn recent(ticket: &str, counter: &str, when: &str) -> RecentCall {
    RecentCall {
        ticket: Ticket::parse(ticket).unwrap(),
        counter: Counter::parse(counter).unwrap(),
        at: at(when),
    }
}

pub fn missed(ticket: &str) -> MissedCall {
    MissedCall { ticket: Ticket::parse(ticket).unwrap(), counter: None, at: at("09:30") }
}

pub fn notice(id: &str, text: &str, level: Level) -> TickerItem {
    TickerItem {
        id: NoticeId::parse(id).unwrap(),
        text: text.into(),
        text_en: None,
        level,
        qr: None,
        until: None,
    }
}

pub fn counter(id: &str, label: &str, ticket: Option<&str>) -> CounterView {
    CounterView {
        counter: Counter::parse(id).unwrap(),
        noun: "Quầy".into(),
        label: Some(label.into()),
        label_en: None,
        lanes: Vec::new(),
        mode: CounterMode::Open,
        ticket: ticket.map(|t| Ticket::parse(t).unwrap()),
        lane: Lane::Regular,
        slot: None,
        reopens: None,
        called: false,
        called_at: None,
        known: true,
    }
}

/// The hall of the design: twelve counters, one call to counter 5.
pub fn busy() -> BoardView {
    let list = [
        ("1", "A011", "Đất đai · chính chủ"),
        ("2", "B107", "Đất đai · chính chủ"),
        ("3", "C023", "Người được ủy quyền"),
        ("4", "B106", "Đăng ký thế chấp"),
        ("5", "A012", "Ưu tiên"),
        ("6", "D044", "Hộ tịch"),
        ("7", "D043", "Đăng ký kinh doanh"),
        ("8", "", "Tiếp nhận hồ sơ"),
        ("9", "D045", "Xây dựng · đô thị"),
        ("10", "E009", "Trả kết quả"),
        ("11", "E010", "Trả kết quả"),
        ("12", "", ""),
    ];
    let mut counters: Vec<CounterView> = list
        .iter()
        .map(|(id, ticket, label)| counter(id, label, Some(*ticket).filter(|t| !t.is_empty())))
        .collect();
    counters[2].lane = Lane::Authorised;
    counters[4].lane = Lane::Elderly;
    counters[4].called = true;
    counters[6].slot = Some(time("09:30"));
    counters[6].lane = Lane::Booked;
    counters[7].mode = CounterMode::Paused;
    counters[7].reopens = Some(time("10:00"));
    counters[8].slot = Some(time("09:40"));
    counters[8].lane = Lane::Booked;
    counters[11].known = false;
    counters[11].label = None;
    BoardView {
        revision: 1,
        spotlight: vec![spot("A012", "5", Kind::Call, Lane::Elderly)],
        recent: [
            ("B107", "2", "09:40"),
            ("D045", "9", "09:40"),
            ("A011", "1", "09:38"),
            ("E010", "11", "09:36"),
            ("D043", "7", "09:35"),
        ]
        .map(|(ticket, counter, when)| recent(ticket, counter, when))
        .into(),
        counters,
        ticker: idle_ticker(),
        link: LinkView { last_news: Some(at("09:41")), ..BoardView::empty().link },
        ..BoardView::empty()
    }
}

pub fn idle_ticker() -> Vec<TickerItem> {
    Config::default()
        .board
        .idle_ticker
        .iter()
        .enumerate()
        .map(|(i, text)| notice(&format!("idle-{i}"), text, Level::Info))
        .collect()
}

pub fn three() -> BoardView {
    let mut view = busy();
    view.spotlight = vec![
        spot("A012", "5", Kind::Call, Lane::Elderly),
        spot("B107", "2", Kind::Recall, Lane::Regular),
        spot("D045", "9", Kind::Call, Lane::Booked),
    ];
    view.spotlight[2].slot = Some(time("09:40"));
    view.counters[1].called = true;
    view.counters[8].called = true;
    view
}

pub fn stale() -> BoardView {
    let link = LinkView { stale: true, last_news: Some(at("09:38")), ..BoardView::empty().link };
    BoardView { link, ..busy() }
}

/// The same, and why.
pub fn troubled(trouble: LinkTrouble) -> BoardView {
    let mut view = stale();
    view.link.trouble = Some(trouble);
    view
}

pub fn closed() -> BoardView {
    let opens = Opening { date: Date::constant(2026, 11, 24), time: time("07:30"), in_days: 0 };
    let phase = Phase::Closed { reason: ClosedReason::BeforeHours, opens: Some(opens) };
    BoardView { phase, spotlight: Vec::new(), ..busy() }
}

pub fn emergency() -> BoardView {
    let mut item = notice(
        "fire",
        "Mời công dân di chuyển theo lối thoát hiểm gần nhất, theo hướng dẫn của cán bộ.",
        Level::Emergency,
    );
    item.text_en = Some("Please leave by the nearest exit and follow the staff.".into());
    BoardView { emergency: Some(item), ..busy() }
}

/// Everything that can be said at once: a full spotlight and calls that wait for it, chips, missed tickets, an ended
/// series, an important notice, a masked holder.
pub fn full() -> BoardView {
    let mut view = three();
    view.spotlight[0].holder = Some(Holder::mask("Nguyễn Văn An").unwrap());
    view.spotlight[0].kind = Kind::Recall;
    view.spotlight[0].slot = Some(time("09:30"));
    view.spotlight_waiting = 4;
    for waiting in [0, 2, 3, 5] {
        view.counters[waiting].called = true;
    }
    view.missed = vec![missed("A007"), missed("B101")];
    let lanes = [
        Lane::Owner,
        Lane::Authorised,
        Lane::Elderly,
        Lane::Merit,
        Lane::Disabled,
        Lane::Pregnant,
        Lane::Child,
    ];
    for (counter, lane) in view.counters.iter_mut().zip(lanes) {
        counter.label = Some("Đăng ký".into());
        counter.lane = lane;
        counter.slot = None;
    }
    view.counters[8].label = Some("Đăng ký biện pháp bảo đảm bằng quyền sử dụng đất".into());
    view.counters[9].ticket = None;
    view.counters[10].mode = CounterMode::Closed;
    view.queues = vec![QueueView {
        series: Series::parse("A").unwrap(),
        label: Some("Đất đai".into()),
        waiting: 0,
        next: Vec::new(),
        wait_minutes: None,
        left_today: Some(0),
    }];
    view.ticker.insert(0, notice("n1", "Quầy 8 tạm nghỉ đến 10 giờ", Level::Important));
    view
}

/// Sixty counters on pages, nine of which have just called: three stand in the spotlight and six wait.
pub fn waiting() -> BoardView {
    let mut view = BoardView { spotlight: Vec::new(), spotlight_waiting: 6, ..many(60) };
    for (index, n) in [3usize, 8, 15, 22, 27, 33, 38, 45, 58].into_iter().enumerate() {
        let counter = &mut view.counters[n - 1];
        let ticket = format!("B{n:03}");
        counter.ticket = Some(Ticket::parse(&ticket).unwrap());
        counter.called = true;
        counter.called_at = Some(Millis(-(index as i64)));
        if index < 3 {
            view.spotlight.push(spot(&ticket, &n.to_string(), Kind::Call, Lane::Elderly));
        }
    }
    view.recent = [58, 45, 38].map(|n| recent(&format!("B{n:03}"), &n.to_string(), "09:41")).into();
    view
}

/// Counters with names, short labels, and letters that only the other family has or no font at all.
pub fn names() -> BoardView {
    let mut view = busy();
    for (index, id) in ["Tiếp dân 1", "Tiếp dân 2"].into_iter().enumerate() {
        view.counters[index].counter = Counter::parse(id).unwrap();
        view.counters[index].noun = "Phòng".into();
        view.counters[index].lane = Lane::Elderly;
        view.counters[index].label = Some("Thuế".into());
    }
    view.counters[2].label = Some("Tầng 2 → phòng 201".into());
    view.counters[3].label = Some("窗口 😀 Thuế".into());
    view.counters[5].label = None;
    view.spotlight[0] = spot("B107", "Tiếp dân 2", Kind::Transfer, Lane::Disabled);
    view.spotlight[0].slot = Some(time("09:30"));
    view.spotlight[0].holder = Some(Holder::mask("Nguyễn Thị Hoàng Phương Anh").unwrap());
    view.recent[0] = recent("A011", "Tiếp dân 1", "09:40");
    view.ticker.insert(0, notice("n1", "Cổng số 2 → tầng 3 → phòng 305, quầy ①②③", Level::Info));
    view
}

/// A series for which people wait.
pub fn queue(series: &str, label: &str, waiting: u32, next: &[&str]) -> QueueView {
    QueueView {
        series: Series::parse(series).unwrap(),
        label: Some(label.into()),
        waiting,
        next: next.iter().map(|ticket| Ticket::parse(ticket).unwrap()).collect(),
        wait_minutes: (waiting > 9).then_some(waiting * 2),
        left_today: None,
    }
}

/// People who wait in every series.
pub fn queues() -> Vec<QueueView> {
    vec![
        queue("A", "Đất đai", 14, &["A013", "A014", "A015"]),
        queue("B", "Đăng ký thế chấp", 3, &["B108", "B109"]),
        queue("C", "Ủy quyền", 0, &[]),
        queue("D", "Hộ tịch, kinh doanh, xây dựng", 121, &["D046", "D047"]),
        queue("E", "Trả kết quả", 1, &[]),
    ]
}

/// The start of a day: open, and nobody has been called.
pub fn morning() -> BoardView {
    let mut view = busy();
    view.spotlight.clear();
    view.recent.clear();
    for counter in &mut view.counters {
        counter.ticket = None;
        counter.called = false;
        counter.slot = None;
    }
    view
}

/// `count` counters with tickets.
pub fn many(count: usize) -> BoardView {
    let mut view = busy();
    view.counters = (1..=count)
        .map(|n| counter(&n.to_string(), "Đăng ký kinh doanh", Some(&format!("A{:03}", (n * 37) % 1000))))
        .collect();
    view
}
