//! The laws of the layout for any hall, any panel and any state of the board. No GPU is needed.
#![allow(clippy::unwrap_used)]

#[path = "picture/views.rs"]
mod views;

#[path = "picture/laws.rs"]
mod laws;

use std::sync::Arc;

use moiso::board::call::{Counter, Holder, Kind, Lane, Series, Ticket, clean};
use moiso::board::input::LinkTrouble;
use moiso::board::state::{CounterMode, Level};
use moiso::board::view::{BoardView, ClosedReason, CounterView, Opening, Phase, QueueView, Spot};
use moiso::clock::Millis;
use moiso::config::Config;
use moiso::scene::theme::Sizes;
use moiso::scene::{Art, Idle, Look, Scene, Size, Theme, compose, distance, plan};
use proptest::prelude::*;
use proptest::sample::select;

const SIZES: [(u32, u32); 11] = [
    (1280, 720),
    (1366, 768),
    (1600, 900),
    (1920, 1080),
    (2560, 1080),
    (2560, 1440),
    (3840, 2160),
    (720, 1280),
    (1080, 1920),
    (2160, 3840),
    (1920, 1200),
];

fn lane() -> impl Strategy<Value = Lane> {
    select(Lane::ALL.map(|(_, lane)| lane).to_vec())
}

/// Short, long, with stacked marks, one endless word, letters that no face has.
fn label() -> impl Strategy<Value = Option<String>> {
    let of = |texts: &[&str]| select(texts.iter().map(|t| Some((*t).to_owned())).collect::<Vec<_>>());
    prop_oneof![
        of(&["Hộ tịch", "Thuế", "Ẫ Ỡ Ữ Ễ Ộ Ẳ Ỵ", "ỄỘẪỠỮ", "BHXH"]),
        of(&["Đăng ký biện pháp bảo đảm bằng quyền sử dụng đất và tài sản gắn liền với đất", "窗口 → ①"]),
        "[A-Za-zẲỆỮạĐ ·→窗]{1,60}".prop_map(|text| clean(&text, 80).ok()),
        "[WẪ]{30,60}".prop_map(Some),
        Just(None),
    ]
}

fn ticket() -> impl Strategy<Value = Ticket> {
    prop_oneof![3 => "[A-E][0-9]{3}", 1 => "[A-ZĐ]{1,3}[0-9]{1,9}", 1 => "[0-9]{1,4}"]
        .prop_map(|text| Ticket::parse(&text).unwrap())
}

fn counter() -> impl Strategy<Value = CounterView> {
    let modes = prop_oneof![4 => Just(CounterMode::Open), 1 => Just(CounterMode::Paused), 1 => Just(CounterMode::Closed)];
    let name = prop_oneof![8 => Just(None), 1 => select(vec![Some("Tiếp dân"), Some("VP"), Some("Phòng tiếp công dân tầng")])];
    let noun = select(vec!["Quầy", "Phòng", "Cửa", "Phòng tiếp công dân"]);
    let parts = (label(), label(), proptest::option::of(ticket()), lane(), any::<bool>(), name);
    (parts, modes, noun, any::<bool>(), prop::bool::weighted(0.9)).prop_map(
        |((label, label_en, ticket, lane, slot, name), mode, noun, called, known)| CounterView {
            // The number is put in where the place in the list is known.
            counter: Counter::parse(name.unwrap_or("x")).unwrap(),
            noun: noun.to_owned(),
            label_en,
            ticket,
            lane,
            slot: slot.then(|| views::time("09:30")),
            reopens: slot.then(|| views::time("10:00")),
            mode,
            called,
            called_at: called.then_some(Millis(0)),
            known,
            ..views::counter("1", label.as_deref().unwrap_or(""), None)
        },
    )
}

fn spot() -> impl Strategy<Value = Spot> {
    let kinds = select(vec![Kind::Call, Kind::Recall, Kind::Transfer]);
    (ticket(), kinds, lane(), any::<bool>(), any::<bool>()).prop_map(|(ticket, kind, lane, slot, holder)| {
        Spot {
            slot: slot.then(|| views::time("09:30")),
            holder: Holder::mask("Nguyễn Thị Hoàng Phương Anh").ok().filter(|_| holder),
            ..views::spot(ticket.as_str(), "1", kind, lane)
        }
    })
}

#[derive(Debug)]
struct Hall {
    view: BoardView,
    look: Look,
    size: Size,
    page: i64,
}

impl Hall {
    fn scene(&self) -> Scene {
        compose(&self.view, &self.look, self.size, views::now().after(Millis(self.page * 10_000 + 1)))
    }

    /// What the board may show in one line.
    fn lines(&self) -> Vec<String> {
        let counters = &self.view.counters;
        let labels = counters.iter().flat_map(|c| [&c.label, &c.label_en]).flatten().cloned();
        let nouns = counters.iter().flat_map(|c| [c.noun.clone(), format!("{} {}", c.noun, c.counter)]);
        let names = counters.iter().map(|c| c.counter.to_string());
        let tickets =
            counters.iter().flat_map(|c| &c.ticket).chain(self.view.spotlight.iter().map(|s| &s.ticket));
        let tickets: Vec<String> = tickets.map(ToString::to_string).collect();
        let series = self.view.queues.iter().map(|queue| queue.series.to_string());
        let queues = self.view.queues.iter().filter_map(|queue| queue.label.clone());
        let counts = self.view.queues.iter().map(|queue| queue.waiting.to_string());
        let rest = series.chain(queues).chain(counts).chain([self.look.motto.clone()]);
        labels.chain(nouns).chain(names).chain(tickets).chain(rest).collect()
    }
}

/// How many wait for one series, and which numbers come next.
fn queue() -> impl Strategy<Value = QueueView> {
    let counts = prop_oneof![0..40u32, Just(99_999)];
    let minutes = proptest::option::of(0..600u32);
    let next = prop::collection::vec(ticket(), 0..6);
    ("[A-ZĐ]{1,8}", label(), counts, minutes, next).prop_map(
        |(series, label, waiting, wait_minutes, next)| {
            let series = Series::parse(&series).unwrap();
            let label = label.filter(|label| !label.is_empty());
            QueueView { series, label, waiting, next, wait_minutes, left_today: None }
        },
    )
}

fn phase() -> impl Strategy<Value = Phase> {
    let reasons = select(vec![
        ClosedReason::BeforeHours,
        ClosedReason::Break,
        ClosedReason::AfterHours,
        ClosedReason::DayOff,
    ]);
    let closed = (reasons, 0..9i32).prop_map(|(reason, in_days)| {
        let date = jiff::civil::date(2026, 11, 24);
        let opens = Some(Opening { date, time: views::time("07:30"), in_days }).filter(|_| in_days < 8);
        Phase::Closed { reason, opens }
    });
    prop_oneof![8 => Just(Phase::Open), 1 => closed]
}

fn view() -> impl Strategy<Value = BoardView> {
    let counters = prop_oneof![3 => 1usize..=16, 2 => 1usize..=60, 1 => 60usize..=200];
    let counters = counters.prop_flat_map(|count| prop::collection::vec(counter(), count..=count));
    let notices = prop::collection::vec((label(), any::<bool>()), 0..4);
    let rest = (any::<bool>(), 0..4usize, 0..30usize, any::<bool>(), any::<bool>(), any::<bool>(), 0..9usize);
    let told = (prop::collection::vec(queue(), 0..5), select(vec![0, 35, -610, 90_000]));
    (counters, prop::collection::vec(spot(), 0..=3), notices, phase(), rest, told).prop_map(
        |(
            mut counters,
            mut spotlight,
            notices,
            phase,
            (stale, recent, missed, ended, emergency, qr, waiting),
            (queues, skew_s),
        )| {
            for (index, counter) in counters.iter_mut().enumerate() {
                let name = counter.counter.as_str();
                let name = if name == "x" { String::new() } else { format!("{name} ") };
                counter.counter = Counter::parse(&format!("{name}{}", index + 1)).unwrap();
                counter.label = counter.label.take().filter(|label| !label.is_empty());
            }
            let count = counters.len();
            let place = |n: usize| counters[n * 7 % count].counter.clone();
            for (index, spot) in spotlight.iter_mut().enumerate() {
                spot.counter = place(index);
            }
            let recent =
                (0..recent).map(|n| views::recent(&format!("B{n:03}"), place(n + 3).as_str(), "09:38"));
            let recent = recent.collect();
            let ticker = notices.into_iter().enumerate().map(|(n, (text, important))| {
                let level = if important { Level::Important } else { Level::Info };
                let mut item = views::notice(&format!("n{n}"), text.as_deref().unwrap_or("Xin chào"), level);
                item.text_en = Some("Please take a ticket".into()).filter(|_| important);
                item.qr = Some("https://example.org/xep-hang?so=A012".into()).filter(|_| qr && n == 0);
                item
            });
            let ended = ended.then(|| QueueView {
                left_today: Some(0),
                ..views::queue("A", "Đất đai, đăng ký biện pháp bảo đảm, Ẫ Ỡ", 0, &[])
            });
            let mut link = views::busy().link;
            let refused = stale && ended.is_some();
            (link.stale, link.trouble, link.skew_s) =
                (stale, Some(LinkTrouble::Refused).filter(|_| refused), skew_s);
            BoardView {
                spotlight_waiting: if spotlight.len() == 3 { waiting } else { 0 },
                ticker: ticker.collect(),
                missed: (0..missed).map(|n| views::missed(&format!("A{n:03}"))).collect(),
                queues: ended.into_iter().chain(queues).collect(),
                emergency: views::emergency().emergency.filter(|_| emergency && missed > 20),
                counters,
                spotlight,
                phase,
                link,
                recent,
                ..BoardView::empty()
            }
        },
    )
}

fn look() -> impl Strategy<Value = Look> {
    let sizes = (0.8f32..1.4, 0.8f32..1.1, 0.8f32..1.3, 0.8f32..1.3, 0.8f32..1.3, 0.8f32..1.2);
    let sizes = sizes.prop_map(|(header, spotlight, labels, recent, ticker, full)| Sizes {
        header,
        spotlight,
        labels,
        recent,
        ticker,
        full,
    });
    let sizes = prop_oneof![Just(Theme::navy().sizes), sizes];
    let most = prop_oneof![4 => Just(0usize), 1 => 1usize..20];
    let themes = select(Theme::NAMES.to_vec());
    let pictures =
        (proptest::option::weighted(0.3, art()), prop::collection::vec(art(), 0..3), any::<bool>());
    (20f32..98.0, 2f32..20.0, any::<bool>(), any::<bool>(), most, sizes, themes, pictures).prop_map(
        |(inches, seat, english, long, page_counters, sizes, theme, (logo, pictures, soon))| Look {
            logo,
            idle: Idle { after: Millis(if soon { 0 } else { 180_000 }), each: Millis(15_000), pictures },
            diagonal_inches: inches,
            farthest_seat_m: seat,
            english,
            show_holder: long,
            page_counters,
            theme: Theme { sizes, ..Theme::named(theme).unwrap() },
            title: if long {
                "Trung tâm Phục vụ hành chính công thành phố, Chi nhánh số 3, Điểm tiếp nhận Đống Đa"
            } else {
                "Đống Đa"
            }
            .into(),
            ..views::look()
        },
    )
}

/// A picture of any shape.
fn art() -> impl Strategy<Value = Arc<Art>> {
    (1u32..900, 1u32..900).prop_map(|(w, h)| Arc::new(Art::new(Size { w, h }, Vec::new())))
}

fn hall() -> impl Strategy<Value = Hall> {
    let size = select(SIZES.to_vec()).prop_map(|(w, h)| Size { w, h });
    (view(), look(), size, 0..4i64).prop_map(|(view, look, size, page)| Hall { view, look, size, page })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_for_any_hall_on_any_panel_in_any_state(hall in hall()) {
        let scene = hall.scene();
        let (Size { w, h }, count) = (hall.size, hall.view.counters.len());
        let name = format!("{w}x{h}, {count} counters, {:?}, english {}, {:?}", hall.look.theme.sizes, hall.look.english, hall.view.phase);
        laws::nothing_leaves_its_place(&name, &scene);
        laws::no_texts_overlap(&name, &scene);
        laws::no_text_stands_on_a_picture(&name, &scene);
        laws::no_boxes_overlap(&name, &scene);
        laws::nothing_is_cut_without_an_ellipsis(&name, &scene);
        laws::no_line_is_a_mere_part(&name, &scene, &hall.lines());
        laws::lines_of_words_are_high_enough(&name, &scene);
        laws::all_text_has_contrast(&name, &scene);
    }

    #[test]
    fn a_hall_that_asks_for_smaller_pages_gets_pages_of_at_most_so_many(
        count in 1usize..=200, most in 1usize..40, inches in 20f32..98.0, size in select(SIZES.to_vec()),
    ) {
        let look = Look { page_counters: most, diagonal_inches: inches, ..views::look() };
        let plan = plan::reading(&look, Size { w: size.0, h: size.1 }, count).plan;
        if count > most {
            prop_assert!(plan.cells() <= most, "{plan:?}");
        }
        prop_assert!(plan.pages * plan.cells() >= count, "{plan:?}");
    }

    #[test]
    fn what_is_told_of_a_panel_is_true_and_each_rule_that_is_not_met_comes_with_help(
        inches in 20f32..98.0, seat in 2f32..20.0, size in select(SIZES.to_vec()),
    ) {
        let mut config = Config::default();
        (config.screen.diagonal_inches, config.screen.farthest_seat_m) = (inches, seat);
        let table = distance::table(&config, Size { w: size.0, h: size.1 });
        let grid = table.rows.iter().find(|row| row.element == "grid numbers").unwrap();
        prop_assert_eq!(grid.met, grid.cap_mm >= seat * 5.0);
        prop_assert_eq!(table.unmet.is_empty(), grid.met, "{}", table);
        prop_assert!(table.unmet.iter().all(|told| told.contains("seat nobody farther away than")), "{}", table);
    }
}
