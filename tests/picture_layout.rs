//! Laws of the layout, for every kind of board on every size of screen; no GPU is needed.
#![allow(clippy::unwrap_used)]

#[path = "picture/views.rs"]
mod views;

#[path = "picture/laws.rs"]
mod laws;

use std::sync::Arc;

use laws::{
    all_text_has_contrast, boxes_under, no_texts_overlap, nothing_is_cut_without_an_ellipsis,
    nothing_leaves_its_place,
};
use moiso::board::call::{Counter, Kind, Lane, Ticket};
use moiso::board::state::Level;
use moiso::board::view::BoardView;
use moiso::clock::Millis;
use moiso::scene::{Art, Face, Idle, Look, Scene, Size, Theme, compose};
use proptest::prelude::*;

const SIZES: [Size; 8] = [
    Size { w: 1280, h: 720 },
    Size { w: 1366, h: 768 },
    Size { w: 1920, h: 1080 },
    Size { w: 3840, h: 2160 },
    Size { w: 1024, h: 768 },
    Size { w: 2560, h: 1080 },
    Size { w: 1080, h: 1920 },
    Size { w: 720, h: 1280 },
];

/// Everything too long: tickets of twelve characters, names that fill two screens, marks above capitals.
fn overfull() -> BoardView {
    let mut view = views::full();
    let long = "ĐĂNG KÝ BIỆN PHÁP BẢO ĐẢM BẰNG QUYỀN SỬ DỤNG ĐẤT VÀ TÀI SẢN GẮN LIỀN VỚI ĐẤT, Ẳ Ẵ Ẫ Ỗ Ữ Ặ Ỵ";
    for counter in &mut view.counters {
        counter.label = Some(long.into());
        counter.label_en =
            Some("Registration of secured transactions by land use rights and property on land".into());
        counter.noun = "Phòng tiếp công dân".into();
        counter.ticket = counter.ticket.take().map(|_| Ticket::parse("WWWW-1234567").unwrap());
        counter.slot = Some(views::time("09:30"));
    }
    view.counters[0].counter = Counter::parse("Tiếp dân tầng hai").unwrap();
    view.spotlight = vec![
        views::spot("WWWW-1234567", "Tiếp dân tầng hai", Kind::Transfer, Lane::Disabled),
        views::spot("WWWW-1234568", "2", Kind::Recall, Lane::Pregnant),
        views::spot("D045", "9", Kind::Call, Lane::Booked),
    ];
    for spot in &mut view.spotlight {
        spot.slot = Some(views::time("09:30"));
        spot.holder = moiso::board::call::Holder::mask("Nguyễn Thị Hoàng Phương Anh").ok();
    }
    view.recent[0] = views::recent("WWWW-1234567", "Tiếp dân tầng hai", "09:40");
    view.missed = (0..40).map(|n| views::missed(&format!("A{n:03}"))).collect();
    view.ticker.push(views::notice("long", &long.repeat(4), Level::Important));
    view.ticker[0].qr = Some("https://example.org/xep-hang?so=A012&quay=5".into());
    view
}

fn overfull_look() -> Look {
    Look {
        title: "Trung tâm Phục vụ hành chính công thành phố, Chi nhánh số 3, Điểm tiếp nhận phường Đống Đa"
            .into(),
        motto: "Hành chính thông minh – tận tâm phục vụ – đúng hẹn, đúng luật, đúng người, không phiền hà"
            .into(),
        english: true,
        show_holder: true,
        ..views::look()
    }
}

fn with_long_code() -> BoardView {
    let mut view = views::full();
    view.ticker[0].qr = Some("https://example.org/".chars().chain("x".repeat(280).chars()).collect());
    view
}

fn with_labels(label: &str) -> BoardView {
    let mut view = views::three();
    for counter in &mut view.counters {
        counter.label = Some(label.into());
        counter.lane = Lane::Pregnant;
        counter.slot = Some(views::time("09:30"));
    }
    view.ticker.insert(0, views::notice("n", label, Level::Important));
    view
}

fn boards() -> Vec<(String, BoardView, Look)> {
    let look = views::look;
    let mut boards = vec![
        ("busy".to_owned(), views::busy(), look()),
        ("three".to_owned(), views::three(), look()),
        ("stale".to_owned(), views::stale(), look()),
        ("closed".to_owned(), views::closed(), look()),
        ("emergency".to_owned(), views::emergency(), look()),
        ("full".to_owned(), views::full(), Look { show_holder: true, ..look() }),
        ("morning".to_owned(), views::morning(), look()),
        ("overfull".to_owned(), overfull(), overfull_look()),
        (
            "one of the overfull".to_owned(),
            BoardView { spotlight: overfull().spotlight[..1].to_vec(), ..overfull() },
            overfull_look(),
        ),
    ];
    boards.push(("no notices".to_owned(), BoardView { ticker: Vec::new(), ..views::busy() }, look()));
    boards.push(("a long code".to_owned(), with_long_code(), look()));
    boards.push(("calls on pages".to_owned(), views::waiting(), look()));
    let art = |w, h| Arc::new(Art::new(Size { w, h }, Vec::new()));
    let idle = Idle { after: Millis(0), each: Millis(15_000), pictures: vec![art(1600, 900), art(300, 900)] };
    for (name, logo) in
        [("a wide logo", art(1600, 200)), ("a high logo", art(200, 900)), ("a small logo", art(9, 9))]
    {
        boards.push((
            name.to_owned(),
            BoardView { spotlight: Vec::new(), ..views::busy() },
            Look { logo: Some(logo.clone()), ..look() },
        ));
        boards.push((
            format!("pictures, {name}"),
            views::morning(),
            Look { logo: Some(logo), idle: idle.clone(), ..overfull_look() },
        ));
    }
    boards.push(("names".to_owned(), views::names(), Look { show_holder: true, ..look() }));
    for label in ["Thuế", "窗口 → ①②③ 😀"] {
        boards.push((format!("labels {label}"), with_labels(label), Look { title: label.into(), ..look() }));
    }
    for count in [1, 2, 3, 5, 7, 11, 13, 20, 40, 77, 200] {
        boards.push((format!("{count} counters"), views::many(count), look()));
    }
    boards
}

fn every_scene(mut check: impl FnMut(&str, &Scene)) {
    for theme in Theme::NAMES {
        for (name, view, look) in boards() {
            let look = Look { theme: Theme::named(theme).unwrap(), ..look };
            for size in SIZES {
                let scene = compose(&view, &look, size, views::now());
                check(&format!("{theme}, {name}, {}x{}", size.w, size.h), &scene);
            }
        }
    }
}

#[test]
fn no_text_stands_on_a_picture_of_the_halls_own() {
    let mut seen = 0;
    every_scene(|name, scene| {
        laws::no_text_stands_on_a_picture(name, scene);
        seen += scene.layers.iter().map(|layer| layer.images.len()).sum::<usize>();
    });
    assert!(seen > 100, "{seen} pictures");
}

#[test]
fn nothing_leaves_its_box_or_the_screen() {
    every_scene(nothing_leaves_its_place);
}

#[test]
fn the_numbers_of_who_waits_keep_to_their_boxes_and_never_make_a_called_number_smaller() {
    let called = |scene: &Scene| {
        let texts = scene.layers[0].texts.iter().filter(|run| matches!(run.face, Face::Digits(_)));
        texts.map(|run| run.size).fold(0.0, f32::max)
    };
    let holder = Look { show_holder: true, ..views::look() };
    let boards = [
        ("busy", views::busy(), views::look()),
        ("three", views::three(), views::look()),
        ("full", views::full(), holder.clone()),
        ("names", views::names(), holder),
        ("morning", views::morning(), Look { english: true, ..views::look() }),
    ];
    for (name, without, look) in boards {
        let mut with = without.clone();
        with.queues.extend(views::queues());
        with.queues.push(views::queue("WWWWWWWW", "Ẳ".repeat(60).as_str(), 99_999, &["WWWW-1234567"]));
        for size in SIZES {
            let calm = compose(&without, &look, size, views::now());
            let mut told = false;
            for page in 0..5 {
                let name = format!("{name}, page {page}, {}x{}", size.w, size.h);
                let now = views::now().after(Millis(page * 10_000));
                let scene = compose(&with, &look, size, now);
                nothing_leaves_its_place(&name, &scene);
                no_texts_overlap(&name, &scene);
                nothing_is_cut_without_an_ellipsis(&name, &scene);
                all_text_has_contrast(&name, &scene);
                assert!(called(&scene) >= called(&calm), "{name}");
                told |= scene.layers[0].texts.iter().any(|run| run.text.contains("người chờ"));
            }
            assert!(told || with.spotlight_waiting > 0, "{name} at {size:?} tells of nobody who waits");
        }
    }
}

/// A short number is as large as the height allows, and a Q reaches below the others.
#[test]
fn the_tail_of_a_called_q_is_whole_at_every_size() {
    let mut view = views::many(99);
    view.spotlight = vec![views::spot("KQ8", "3", Kind::Call, Lane::Regular)];
    let look = Look { english: true, ..views::look() };
    for h in (700..=2200).step_by(20) {
        let size = Size { w: h * 16 / 9, h };
        let scene = compose(&view, &look, size, views::now());
        nothing_is_cut_without_an_ellipsis(&format!("{}x{h}", size.w), &scene);
    }
}

#[test]
fn what_moves_keeps_to_its_box_its_contrast_and_the_screen_at_every_step() {
    for theme in Theme::NAMES {
        let boards = [("busy", views::busy()), ("three", views::three()), ("stale", views::stale())];
        for (name, mut view) in boards {
            view.spotlight[0].since = views::now().mono;
            view.spotlight.iter_mut().skip(1).for_each(|spot| spot.since = Millis(-3000));
            let look = Look { theme: Theme::named(theme).unwrap(), ..views::look() };
            for size in SIZES {
                let still = compose(&view, &look, size, views::now());
                for ms in [0, 33, 99, 200, 500, 1_625] {
                    let scene = still.clone().moved(Millis(ms));
                    assert_ne!(scene.layers, still.layers, "{name} moves at {ms} ms");
                    let name = format!("{theme}, {name} after {ms} ms, {}x{}", size.w, size.h);
                    nothing_leaves_its_place(&name, &scene);
                    no_texts_overlap(&name, &scene);
                    all_text_has_contrast(&name, &scene);
                }
            }
        }
    }
}

#[test]
fn texts_never_overlap() {
    every_scene(no_texts_overlap);
}

#[test]
fn no_text_is_cut_without_an_ellipsis_and_no_mark_is_clipped() {
    every_scene(nothing_is_cut_without_an_ellipsis);
}

#[test]
fn all_text_as_composed_has_a_contrast_of_at_least_seven() {
    every_scene(all_text_has_contrast);
}

/// A theme in which no two colours are equal, so that each says which of them it is.
fn theme_of_names() -> (Theme, Vec<String>) {
    let navy = include_str!("../src/scene/themes/navy.toml");
    let mut names = Vec::new();
    let lines = navy.lines().map(|line| match line.split_once(" = \"#") {
        None => line.to_owned(),
        Some((name, _)) => {
            names.push(name.to_owned());
            format!("{name} = \"#{:06x}\"", names.len())
        }
    });
    let text: Vec<String> = lines.collect();
    (Theme::read(&text.join("\n")).unwrap(), names)
}

#[test]
fn the_table_of_contrasts_has_every_pair_that_is_drawn_and_no_other() {
    let (theme, names) = theme_of_names();
    let name = |[_, g, b, _]: [u8; 4]| &*names[usize::from(g) * 256 + usize::from(b) - 1];
    let mut drawn = std::collections::BTreeSet::new();
    let identified = BoardView { identify_until: Some(Millis(5_000)), ..views::busy() };
    let all = boards().into_iter().chain([("named".to_owned(), identified, views::look())]);
    for (_, view, look) in all {
        let look = Look { theme: theme.clone(), english: true, ..look };
        let scene = compose(&view, &look, views::LANDSCAPE, views::now());
        for layer in &scene.layers {
            for run in &layer.texts {
                let ground = boxes_under(layer, run).last().map_or(scene.background, |quad| quad.fill);
                drawn.insert((name(run.colour.0), name(ground.0)));
            }
        }
        if let Some(strip) = &scene.strip {
            let ground = name(strip.content.background.0);
            drawn.extend(strip.content.texts.iter().map(|run| (name(run.colour.0), ground)));
        }
    }
    let told = theme.text_pairs().iter().map(|pair| (pair.ink, pair.ground)).collect();
    assert_eq!(drawn, told);
}

#[test]
fn every_counter_has_its_cell_on_one_of_the_pages() {
    for count in [1, 12, 40, 200] {
        let view = views::many(count);
        let plan = moiso::scene::plan::reading(&views::look(), views::LANDSCAPE, count).plan;
        let mut seen = std::collections::BTreeSet::new();
        for page in 0..plan.pages as i64 {
            let now = views::now().after(Millis(page * 10_000 + 1));
            let scene = compose(&view, &views::look(), views::LANDSCAPE, now);
            seen.extend(scene.layers[0].texts.iter().map(|run| run.text.to_string()));
        }
        for counter in &view.counters {
            let ticket = counter.ticket.as_ref().unwrap().as_str();
            assert!(seen.contains(ticket), "{ticket} of {count} counters is on a page");
            assert!(seen.contains(counter.counter.as_str()), "counter {}", counter.counter);
        }
    }
}

#[test]
fn a_waiting_citizen_sees_the_called_number_larger_than_all_else() {
    for size in SIZES {
        let scene = compose(&views::busy(), &views::look(), size, views::now());
        let mut sizes: Vec<(f32, &str)> = scene.layers[0].texts.iter().map(|t| (t.size, &*t.text)).collect();
        sizes.sort_by(|a, b| b.0.total_cmp(&a.0));
        assert_eq!(sizes[0].1, "A012", "{size:?}");
        assert!(sizes[0].0 > 1.8 * sizes[1].0, "{size:?}: {:?}", &sizes[..3]);
    }
}

#[test]
fn the_clock_makes_the_picture_change_at_the_full_minute() {
    let scene = compose(&views::busy(), &views::look(), views::LANDSCAPE, views::now());
    assert_eq!(scene.next_change, Some(Millis(40_000)), "it is 09:41:20");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_for_any_screen_and_any_number_of_counters(
        w in 800u32..4096, h in 600u32..2304, count in 1usize..=200, english: bool, remarks: bool,
        ticket in "[A-ZĐ]{1,3}[0-9]{1,9}", label in "[A-Za-zẲỆữạĐ ·→窗]{1,60}",
    ) {
        let mut view = views::many(count);
        for counter in &mut view.counters {
            counter.ticket = Some(Ticket::parse(&ticket).unwrap());
            counter.label = moiso::board::call::clean(&label, 80).ok();
            counter.lane = Lane::Pregnant;
        }
        if remarks {
            view.missed = vec![views::missed("A007")];
        } else {
            view.recent.clear();
        }
        let look = Look { english, ..views::look() };
        let scene = compose(&view, &look, Size { w, h }, views::now());
        let name = format!("{w}x{h}, {count} counters");
        nothing_leaves_its_place(&name, &scene);
        no_texts_overlap(&name, &scene);
        nothing_is_cut_without_an_ellipsis(&name, &scene);
        let digits = scene.layers[0].texts.iter().any(|t| matches!(t.face, Face::Digits(_)));
        prop_assert!(digits);
    }
}
