//! What the board must still say when it is tight: no call out of sight, no word lost without a mark, no chip cut short.
//! No GPU is needed.
#![allow(clippy::unwrap_used)]

#[path = "picture/views.rs"]
mod views;

use std::collections::BTreeSet;

use moiso::board::Rules;
use moiso::board::call::{Counter, Kind, Lane};
use moiso::board::view::{BoardView, ClosedReason, Opening, Phase};
use moiso::clock::Millis;
use moiso::config::Config;
use moiso::scene::{Colour, Face, Look, Rect, Scene, Shape, Size, TextRun, compose, plan};
use proptest::prelude::*;
use views::{LANDSCAPE, PORTRAIT};

const SMALL: Size = Size { w: 800, h: 600 };

fn runs(scene: &Scene) -> impl Iterator<Item = &TextRun> {
    scene.layers.iter().flat_map(|layer| &layer.texts)
}

fn said(scene: &Scene) -> Vec<&str> {
    runs(scene).map(|run| &*run.text).collect()
}

fn picture(view: &BoardView, look: &Look, size: Size) -> Scene {
    compose(view, look, size, views::now())
}

/// Nine counters of sixty call within a second.
fn nine_calls() -> String {
    let line = |topic: &str, payload: String| {
        format!(r#"{{"t":"2026-11-24T09:00:00+07:00","topic":"moiso/dong-da/{topic}","payload":{payload}}}"#)
    };
    let at = r#""at":"2026-11-24T09:00:00+07:00""#;
    let open = (1..=60)
        .map(|n| line(&format!("counter/{n}"), format!(r#"{{"state":"open","ticket":"A{n:03}",{at}}}"#)));
    let calls = [3, 8, 15, 22, 27, 33, 38, 45, 58].map(|n| {
        line("call", format!(r#"{{"id":"c{n}","ticket":"B{n:03}","counter":"{n}","kind":"call",{at}}}"#))
    });
    open.chain(calls).collect::<Vec<_>>().join("\n")
}

#[test]
fn who_is_called_stands_large_unless_something_covers_the_board() {
    let called = || {
        let spotlight = vec![views::spot("A012", "5", Kind::Call, Lane::Regular)];
        BoardView { spotlight, ..BoardView::empty() }
    };
    let covers = [
        called(),
        BoardView { dark: true, ..called() },
        BoardView { emergency: views::emergency().emergency, ..called() },
        BoardView { phase: views::closed().phase, ..called() },
    ];
    for (view, seen) in covers.iter().zip([true, false, false, false]) {
        let shown = said(&picture(view, &views::look(), LANDSCAPE)).contains(&"A012");
        assert_eq!((shown, !view.called().is_empty()), (seen, seen), "{view:?}");
    }
}

#[test]
fn of_nine_calls_within_a_second_each_is_on_the_glass_within_one_dwell() {
    let config = Config::default();
    let events = moiso::replay::read(&nine_calls(), &config.topic_prefix()).unwrap();
    let start = events[0].at;
    let mut seen = BTreeSet::new();
    for ms in (0..8_000).step_by(250) {
        let until = start + jiff::SignedDuration::from_millis(ms);
        let replay = moiso::replay::play(Rules::of(&config), &events, until);
        let scene = compose(&replay.board.view(replay.now), &views::look(), LANDSCAPE, replay.now);
        seen.extend(said(&scene).into_iter().filter(|text| text.starts_with('B')).map(str::to_owned));
    }
    let all = [3, 8, 15, 22, 27, 33, 38, 45, 58].map(|n| format!("B{n:03}"));
    assert_eq!(seen, all.into());
}

/// What chips and invitations say; part of it with an ellipsis would say something else.
const SHORT_WORDS: [&str; 18] = [
    "Đặt lịch",
    "Chính chủ",
    "Ủy quyền",
    "Người cao tuổi",
    "Người có công",
    "Người khuyết tật",
    "Phụ nữ mang thai",
    "Trẻ em",
    "Hẹn 09:30",
    "+4 lượt gọi",
    "Mời số",
    "Nhắc lại",
    "Chuyển quầy",
    "Now calling",
    "Called again",
    "Moved to",
    "Sẵn sàng",
    "Tạm nghỉ",
];

/// A board with every lane, a booked time at each counter, and a spotlight with as much.
fn with_chips(kind: Kind, spots: usize) -> BoardView {
    let mut view = views::full();
    for counter in &mut view.counters {
        counter.slot = Some(views::time("09:30"));
    }
    let lanes = [Lane::Pregnant, Lane::Disabled, Lane::Elderly];
    view.spotlight = ["5", "2", "9"]
        .iter()
        .zip(lanes)
        .take(spots)
        .map(|(c, lane)| {
            let mut spot = views::spot(&format!("A01{c}"), c, kind, lane);
            spot.slot = Some(views::time("09:30"));
            spot
        })
        .collect();
    view
}

#[test]
fn chips_and_invitations_are_whole_or_not_there() {
    let look = Look { english: true, show_holder: true, ..views::look() };
    for size in [SMALL, Size { w: 640, h: 360 }, LANDSCAPE, PORTRAIT, Size { w: 720, h: 1280 }] {
        for kind in [Kind::Call, Kind::Recall, Kind::Transfer] {
            for spots in 1..=3 {
                let scene = picture(&with_chips(kind, spots), &look, size);
                for text in said(&scene) {
                    let Some(stem) = text.strip_suffix('…').filter(|stem| !stem.is_empty()) else {
                        continue;
                    };
                    let of = SHORT_WORDS.iter().find(|words| words.starts_with(stem));
                    assert_eq!(of, None, "{text:?} at {size:?}");
                }
            }
        }
    }
}

/// The largest text of these words in this colour.
fn largest(scene: &Scene, text: &str, colour: Colour) -> f32 {
    runs(scene)
        .filter(|run| &*run.text == text && run.colour == colour)
        .map(|run| run.size)
        .fold(0.0, f32::max)
}

#[test]
fn number_and_counter_of_two_calls_stand_a_quarter_larger_than_those_of_three() {
    let theme = views::look().theme;
    let called = |calls: usize, size: Size| {
        let mut view = views::three();
        view.spotlight.truncate(calls);
        let spot = view.spotlight[0].clone();
        let scene = picture(&view, &views::look(), size);
        let number = largest(&scene, spot.ticket.as_str(), theme.call_ink);
        (number, largest(&scene, spot.counter.as_str(), theme.call))
    };
    for size in [Size { w: 1280, h: 720 }, LANDSCAPE, Size { w: 3840, h: 2160 }] {
        let ((number, counter), (of_three, counter_of_three)) = (called(2, size), called(3, size));
        assert!(
            number > of_three * 1.25 && counter > counter_of_three * 1.25,
            "{size:?}: {number}, {counter}"
        );
        assert!(counter < number, "{size:?}: {number}, {counter}");
        assert!(called(1, size).0 > number, "{size:?}");
    }
}

#[test]
fn what_to_do_in_an_emergency_is_as_large_as_the_screen_allows() {
    let scene = picture(&views::emergency(), &views::look(), LANDSCAPE);
    let words = runs(&scene).filter(|run| run.face == Face::Words(600) && run.size > 90.0);
    assert!(words.count() >= 2, "{:?}", said(&scene));
}

#[test]
fn a_repeated_call_in_the_stack_keeps_its_lane_and_its_booked_time() {
    for kind in [Kind::Recall, Kind::Transfer] {
        let scene = picture(&with_chips(kind, 3), &views::look(), LANDSCAPE);
        let texts = said(&scene);
        let word = if kind == Kind::Recall { "Nhắc lại" } else { "Chuyển quầy" };
        let count = |what: &str| texts.iter().filter(|text| **text == what).count();
        assert_eq!(count(word), 3, "{texts:?}");
        // Three in the spotlight, and those on the grid.
        assert!(count("Hẹn 09:30") > 3, "{texts:?}");
        for lane in ["mang thai", "khuyết tật", "cao tuổi"] {
            assert!(
                texts.iter().filter(|text| text.to_lowercase().contains(lane)).count() > 1,
                "{lane}: {texts:?}"
            );
        }
    }
}

#[test]
fn a_short_label_stands_beside_its_chip() {
    let mut view = views::busy();
    view.counters[0].label = Some("Thuế".into());
    view.counters[0].lane = Lane::Elderly;
    view.counters[1].label = Some("BHXH".into());
    view.counters[1].lane = Lane::Disabled;
    let scene = picture(&view, &views::look(), LANDSCAPE);
    assert!(said(&scene).contains(&"Thuế") && said(&scene).contains(&"BHXH"), "{:?}", said(&scene));
}

/// All words of `text` are on the glass, or an ellipsis after some of them says that they are not.
fn is_told(scene: &Scene, text: &str) -> bool {
    let words: BTreeSet<&str> = text.split_whitespace().collect();
    let of_it = |run: &&TextRun| run.text.split_whitespace().any(|word| words.contains(word));
    let shown: BTreeSet<&str> = runs(scene).flat_map(|run| run.text.split_whitespace()).collect();
    words.is_subset(&shown) || runs(scene).filter(of_it).any(|run| run.text.ends_with('…'))
}

const SIZES: [Size; 6] =
    [LANDSCAPE, PORTRAIT, SMALL, Size { w: 640, h: 360 }, Size { w: 720, h: 1280 }, Size { w: 1920, h: 360 }];

#[test]
fn a_long_title_is_told_whole_or_with_an_ellipsis() {
    for words in [12, 20, 40] {
        let title: Vec<String> = (0..words).map(|n| format!("Phường{n}")).collect();
        let look = Look { title: title.join(" "), ..views::look() };
        let mut view = views::busy();
        view.counters.truncate(1);
        for size in SIZES {
            assert!(is_told(&picture(&view, &look, size), &look.title), "{words} words at {size:?}");
        }
    }
}

#[test]
fn all_advice_of_a_closed_hall_is_told_whole_or_with_an_ellipsis() {
    for lines in [2, 6, 10] {
        let advice: Vec<String> = (0..lines)
            .map(|n| format!("Điều{n} đường dây nóng 024.1022 góp ý tại bộ phận một cửa tầng{n}."))
            .collect();
        let look = Look { advice: advice.clone(), english: true, ..views::look() };
        for size in SIZES {
            let scene = picture(&views::closed(), &look, size);
            assert!(is_told(&scene, &advice.join(" ")), "{lines} lines at {size:?}: {:?}", said(&scene));
        }
    }
}

#[test]
fn an_emergency_is_told_whole_or_with_an_ellipsis() {
    for words in [20, 80, 120] {
        let mut view = views::emergency();
        let notice = view.emergency.as_mut().unwrap();
        notice.text = (0..words).map(|n| format!("lối{n}")).collect::<Vec<_>>().join(" ");
        notice.text_en = Some((0..words).map(|n| format!("exit{n}")).collect::<Vec<_>>().join(" "));
        let both = format!("{} {}", notice.text, notice.text_en.as_ref().unwrap());
        for size in SIZES {
            assert!(is_told(&picture(&view, &views::look(), size), &both), "{words} words at {size:?}");
        }
    }
}

#[test]
fn twelve_counters_on_a_small_panel_turn_pages_that_can_be_read() {
    let look = Look { diagonal_inches: 43.0, farthest_seat_m: 9.0, ..views::look() };
    for count in [12, 13] {
        let reading = plan::reading(&look, LANDSCAPE, count);
        assert!(reading.is_met(), "{count} counters: {reading:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_can_be_read_with_more_counters_can_be_read_with_fewer(
        inches in 20f32..98.0, seat in 3f32..15.0, count in 1usize..60, more in 1usize..20, portrait: bool,
    ) {
        let look = Look { diagonal_inches: inches, farthest_seat_m: seat, ..views::look() };
        let size = if portrait { PORTRAIT } else { LANDSCAPE };
        let (few, many) = (plan::reading(&look, size, count), plan::reading(&look, size, count + more));
        prop_assert!(few.is_met() || !many.is_met(), "{few:?} and {many:?}");
    }
}

fn break_of(from_to: [&str; 2], now: &str) -> Scene {
    let mut config = Config::default();
    let [to, from] = from_to.map(views::time);
    let spans = vec![
        moiso::config::hours::Span { from: views::time("07:30"), to },
        moiso::config::hours::Span { from, to: views::time("17:00") },
    ];
    config.hours.week = std::array::from_fn(|_| spans.clone());
    let opens = Opening { date: jiff::civil::date(2026, 11, 24), time: from, in_days: 0 };
    let phase = Phase::Closed { reason: ClosedReason::Break, opens: Some(opens) };
    let view = BoardView { phase, ..views::busy() };
    let now = moiso::clock::Now { mono: Millis::ZERO, wall: views::at(now) };
    compose(&view, &Look::of(&config), LANDSCAPE, now)
}

#[test]
fn only_a_break_over_noon_is_a_lunch_break() {
    let lunch = break_of(["11:30", "13:30"], "12:40");
    assert!(said(&lunch).contains(&"Nghỉ trưa – mở lại lúc 13:30"), "{:?}", said(&lunch));
    for (span, now) in [(["09:30", "10:00"], "09:41"), (["14:00", "14:20"], "14:10")] {
        let short = break_of(span, now);
        let wanted = format!("Tạm nghỉ – mở lại lúc {}", span[1]);
        assert!(said(&short).contains(&wanted.as_str()), "{:?}", said(&short));
    }
}

#[test]
fn a_number_without_label_or_chip_stands_in_the_middle_of_its_cell() {
    let mut view = views::many(4);
    view.counters.iter_mut().for_each(|counter| counter.label = None);
    let scene = picture(&view, &views::look(), LANDSCAPE);
    let run =
        runs(&scene).find(|run| *run.text == *view.counters[0].ticket.as_ref().unwrap().as_str()).unwrap();
    let cell = scene.layers[0].quads.iter().rfind(|quad| quad.rect.contains(run.rect)).unwrap();
    let middle = |r: Rect| r.y + r.h / 2.0;
    assert!((middle(run.rect) - middle(cell.rect)).abs() < 0.06 * cell.rect.h, "{run:?} in {cell:?}");
}

#[test]
fn a_counter_with_a_name_can_be_told_from_the_next_in_its_tab_and_wherever_it_is_named() {
    let mut view = views::busy();
    for (index, id) in ["Phòng tiếp dân 1", "Phòng tiếp dân 2"].into_iter().enumerate() {
        view.counters[index].counter = Counter::parse(id).unwrap();
        view.counters[index].noun = "Phòng".into();
    }
    view.spotlight = vec![
        views::spot("A101", "Phòng tiếp dân 1", Kind::Call, Lane::Regular),
        views::spot("A102", "Phòng tiếp dân 2", Kind::Call, Lane::Regular),
        views::spot("A103", "3", Kind::Call, Lane::Regular),
    ];
    view.recent = vec![
        views::recent("A100", "Phòng tiếp dân 1", "09:30"),
        views::recent("A099", "Phòng tiếp dân 2", "09:29"),
    ];
    for size in [LANDSCAPE, PORTRAIT, SMALL] {
        let scene = picture(&view, &views::look(), size);
        let cut: Vec<&str> = said(&scene)
            .into_iter()
            .filter(|t| t.ends_with('…') && (t.contains("tiếp") || t.contains("Phòng")))
            .collect();
        assert_eq!(cut, [""; 0], "{size:?}");
        let last_words =
            |word: &str| runs(&scene).filter(|run| run.text.split(' ').next_back() == Some(word)).count();
        assert!(last_words("1") >= 3 && last_words("2") >= 3, "{size:?}: {:?}", said(&scene));
    }
}

#[test]
fn the_name_of_the_screen_covers_no_call_in_the_spotlight() {
    for size in [LANDSCAPE, PORTRAIT, SMALL] {
        for view in [views::busy(), views::three()] {
            let view = BoardView { identify_until: Some(Millis(5_000)), ..view };
            let scene = picture(&view, &views::look(), size);
            let panel = scene.layers[1].quads[0].rect;
            for spot in &view.spotlight {
                let run = runs(&scene).find(|run| *run.text == *spot.ticket.as_str()).unwrap();
                assert!(!panel.overlaps(run.rect), "{size:?}: {panel:?} covers {run:?}");
            }
        }
    }
}

#[test]
fn a_code_stays_on_its_card_and_has_modules_that_a_phone_can_tell_apart() {
    for length in [30, 60, 150, 300, 500] {
        let mut view = views::busy();
        view.ticker[0].qr = Some(
            "https://dichvucong.hanoi.gov.vn/".chars().chain(std::iter::repeat('x')).take(length).collect(),
        );
        for size in [LANDSCAPE, PORTRAIT, SMALL, Size { w: 1280, h: 720 }, Size { w: 3840, h: 2160 }] {
            let scene = picture(&view, &views::look(), size);
            let quads = &scene.layers[0].quads;
            let modules: Vec<Rect> = quads
                .iter()
                .filter(|q| q.fill.0 == [0, 0, 0, 255] && q.shape == Shape::Box)
                .map(|q| q.rect)
                .collect();
            let Some(card) = quads.iter().find(|q| {
                q.fill.0 == [255; 4] && q.rect.contains(modules.first().copied().unwrap_or_default())
            }) else {
                assert!(
                    modules.is_empty() && (length > 60 || size.h < 1080),
                    "{length} at {size:?} has no code"
                );
                continue;
            };
            let module = modules.iter().map(|m| m.h).fold(f32::MAX, f32::min);
            assert!(module >= 3.0, "{length} letters at {size:?}: modules of {module} px");
            let quiet = card.rect.inset(4.0 * module - 1.0, 4.0 * module - 1.0);
            assert!(
                modules.iter().all(|m| quiet.contains(*m)),
                "{length} letters at {size:?} leave {:?}",
                card.rect
            );
        }
    }
}

#[test]
fn no_counter_changes_its_place_when_the_link_goes_down() {
    let tab = |scene: &Scene, id: &str| runs(scene).find(|run| *run.text == *id).unwrap().rect.x;
    for size in [LANDSCAPE, PORTRAIT] {
        let (calm, stale) =
            (picture(&views::busy(), &views::look(), size), picture(&views::stale(), &views::look(), size));
        for id in ["1", "2", "12"] {
            assert!((tab(&calm, id) - tab(&stale, id)).abs() < 1.0, "counter {id} at {size:?}");
        }
    }
}

#[test]
fn the_phones_code_says_what_it_is_for_and_gives_way_to_a_notices_own() {
    let (mut view, mut look) = (views::busy(), views::look());
    view.ticker[0].qr = None;
    let caption = |view: &BoardView, look: &Look| is_told(&picture(view, look, LANDSCAPE), "điện thoại");
    assert!(!caption(&view, &look), "no address, no code");
    look.phone_qr = Some("http://10.0.0.7:8088/now".into());
    assert!(caption(&view, &look));
    view.ticker[0].qr = Some("https://example.org".into());
    assert!(!caption(&view, &look), "the notice's code has the place");
}
