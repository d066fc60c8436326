//! The picture on the GPU that the machine has: golden images, marks, damage, loss of the device, shaders.
#![allow(clippy::unwrap_used)]

#[path = "picture/golden.rs"]
mod golden;
#[path = "picture/views.rs"]
mod views;

use std::sync::Arc;

use moiso::board::input::LinkTrouble;
use moiso::board::state::Level;
use moiso::board::view::BoardView;
use moiso::clock::Millis;
use moiso::gpu::{Gpu, Offscreen, Picture};
use moiso::scene::{
    Align, Colour, Damage, Face, Layer, Look, Rect, Scene, Size, TextRun, Theme, compose, damage, font,
};
use views::{LANDSCAPE, PORTRAIT};

fn gpu() -> Gpu {
    Gpu::open(&Gpu::instance(), None).unwrap()
}

fn drawn(gpu: &Gpu, scene: &Scene) -> Picture {
    let mut target = Offscreen::new(gpu, scene.size).unwrap();
    target.draw(gpu, scene, None).unwrap();
    target.picture(gpu).unwrap()
}

fn hold(name: &str, view: &BoardView, look: &Look, size: Size) {
    golden::hold(name, &drawn(&gpu(), &compose(view, look, size, views::now())));
}

#[test]
fn a_call_takes_the_spotlight_and_every_counter_shows_its_number() {
    hold("board", &views::busy(), &views::look(), LANDSCAPE);
}

#[test]
fn three_calls_share_the_spotlight_newest_on_top() {
    hold("three", &views::three(), &views::look(), LANDSCAPE);
}

#[test]
fn an_amber_band_says_how_old_the_numbers_are() {
    hold("stale", &views::stale(), &views::look(), LANDSCAPE);
}

#[test]
fn the_amber_band_has_room_for_the_reason_on_small_and_narrow_screens() {
    let same = views::troubled(LinkTrouble::SameClient);
    hold("stale-same-client", &same, &views::look(), Size { w: 1280, h: 720 });
    hold("stale-refused", &views::troubled(LinkTrouble::Refused), &views::look(), PORTRAIT);
}

#[test]
fn before_hours_the_board_says_when_it_opens() {
    hold("closed", &views::closed(), &views::look(), LANDSCAPE);
}

#[test]
fn an_emergency_takes_the_whole_screen() {
    hold("emergency", &views::emergency(), &views::look(), LANDSCAPE);
}

#[test]
fn in_portrait_the_spotlight_stands_above_the_counters() {
    hold("portrait", &views::busy(), &views::look(), PORTRAIT);
}

#[test]
fn chips_pauses_absences_and_ended_series_are_said_in_words() {
    let look = Look { show_holder: true, ..views::look() };
    hold("full", &views::full(), &look, LANDSCAPE);
}

#[test]
fn the_paper_theme_is_for_bright_halls() {
    let look = Look { theme: Theme::named("paper").unwrap(), ..views::look() };
    hold("paper", &views::full(), &look, LANDSCAPE);
}

#[test]
fn calls_that_wait_for_the_spotlight_are_on_the_page_that_is_up() {
    hold("waiting", &views::waiting(), &views::look(), LANDSCAPE);
}

#[test]
fn names_and_letters_of_every_kind_stand_whole() {
    let look = Look { show_holder: true, ..views::look() };
    hold("names", &views::names(), &look, LANDSCAPE);
}

#[test]
fn the_day_begins_with_a_calm_welcome() {
    hold("morning", &views::morning(), &views::look(), LANDSCAPE);
}

#[test]
fn one_label_that_moves_by_one_pixel_makes_another_picture() {
    let gpu = gpu();
    let scene = compose(&views::busy(), &views::look(), LANDSCAPE, views::now());
    let mut moved = scene.clone();
    let label = moved.layers[0].texts.iter_mut().find(|run| &*run.text == "Xây dựng · đô thị").unwrap();
    assert!(label.size < 26.0, "a small label: {label:?}");
    label.rect.x += 1.0;
    let picture = drawn(&gpu, &scene);
    assert!(golden::is_another(&picture, &drawn(&gpu, &moved)));
    assert!(!golden::is_another(&picture, &drawn(&gpu, &scene)));
}

/// The recording at an instant of the morning.
fn recorded(at: &str) -> Scene {
    let config = moiso::config::Config::default();
    let events = moiso::replay::read(include_str!("scenes/morning.jsonl"), &config.topic_prefix()).unwrap();
    let replay = moiso::replay::play(moiso::board::Rules::of(&config), &events, at.parse().unwrap());
    assert_eq!(replay.rejected, [], "the recording keeps the contract");
    compose(&replay.board.view(replay.now), &views::look(), LANDSCAPE, replay.now)
}

#[test]
fn a_recorded_morning_becomes_the_board_of_its_minute() {
    golden::hold("recorded", &drawn(&gpu(), &recorded("2026-11-24T09:41:20+07:00")));
}

#[test]
fn the_same_recording_shows_the_lunch_break_at_noon() {
    let noon = recorded("2026-11-24T12:00:00+07:00");
    let said: Vec<&str> = noon.layers[0].texts.iter().map(|run| &*run.text).collect();
    assert!(said.contains(&"Nghỉ trưa – mở lại lúc 13:30"), "{said:?}");
}

/// One line of text in a box of `height` in the middle of a picture of 1200x700.
fn line_in_a_box(text: &str, face: Face, size: f32, height: f32) -> Scene {
    // The same baseline in every box, so that pictures can be compared.
    let baseline = font::baseline(font::ink(text, face), face, size, height);
    let run = TextRun {
        text: Arc::from(text),
        rect: Rect { x: 20.0, y: 350.0 - baseline, w: 1160.0, h: height },
        size,
        face,
        colour: Colour([0, 0, 0, 255]),
        align: Align::Start,
    };
    Scene {
        size: Size { w: 1200, h: 700 },
        background: Colour([255; 4]),
        layers: vec![Layer { quads: Vec::new(), texts: vec![run] }],
        strip: None,
        next_change: None,
        moving: Vec::new(),
    }
}

fn rows_that_differ(a: &Picture, b: &Picture) -> Vec<usize> {
    let row = a.w as usize * 4;
    let pairs = a.rgba.chunks_exact(row).zip(b.rgba.chunks_exact(row)).enumerate();
    pairs.filter(|(_, (a, b))| a != b).map(|(y, _)| y).collect()
}

#[test]
fn vietnamese_marks_are_not_clipped_by_a_line_of_running_text() {
    let gpu = gpu();
    for weight in [500, 600, 700, 800] {
        for size in [18.0, 23.0, 38.0, 96.0, 150.0] {
            let line = (size * moiso::scene::LINE_HEIGHT_EM).ceil();
            let text = "Ễ Ộ Ẫ Ỡ Ữ Ẳ gỵ";
            let boxed = drawn(&gpu, &line_in_a_box(text, Face::Words(weight), size, line));
            let free = drawn(&gpu, &line_in_a_box(text, Face::Words(weight), size, line + 200.0));
            let lost = rows_that_differ(&boxed, &free);
            assert!(
                lost.is_empty(),
                "weight {weight} at {size} px in a box of {line} px loses ink in rows {lost:?} (baseline 350)"
            );
            assert!(free.rgba.chunks_exact(4).any(|p| p[0] < 64), "something was drawn");
            let cut = drawn(&gpu, &line_in_a_box(text, Face::Words(weight), size, size * 0.9));
            assert!(cut != free, "a box that is too small does cut, so the test can fail");
        }
    }
}

#[test]
fn every_vietnamese_letter_has_its_own_glyph_in_every_face() {
    let letters = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ–·…";
    for face in [500, 600, 700, 800].map(Face::Words).into_iter().chain([700, 800].map(Face::Digits)) {
        for letter in letters.chars().chain(letters.to_uppercase().chars()).chain('0'..='9') {
            assert!(font::has_glyph(letter, face), "{face:?} lacks {letter}");
        }
    }
}

#[test]
fn drawing_the_damage_equals_drawing_everything() {
    let gpu = gpu();
    let look = views::look();
    let mut urgent = views::busy();
    urgent.ticker.insert(0, views::notice("n", "Thang máy số 2 ngừng hoạt động", Level::Important));
    let mut moved = views::busy();
    moved.counters[3].ticket = None;
    moved.recent.remove(0);
    let steps: Vec<(BoardView, i64)> = vec![
        (views::busy(), 0),
        (views::busy(), 250),
        (moved, 400),
        (views::three(), 5_000),
        (urgent, 9_000),
        (views::stale(), 61_000),
        (views::full(), 62_000),
        (views::emergency(), 63_000),
        (views::closed(), 64_000),
        (views::busy(), 65_000),
    ];
    let mut kept = Offscreen::new(&gpu, LANDSCAPE).unwrap();
    let mut before: Option<Scene> = None;
    for (index, (view, ms)) in steps.iter().enumerate() {
        let now = views::now().after(Millis(*ms));
        let mut scene = compose(view, &look, LANDSCAPE, now);
        match &before {
            None => kept.draw(&gpu, &scene, None).unwrap(),
            Some(old) => {
                scene.follow(old, now.mono);
                match damage(old, &scene) {
                    Damage::Nothing => panic!("step {index} changes the picture"),
                    Damage::Part(rect) => kept.draw(&gpu, &scene, Some(rect)).unwrap(),
                    Damage::All => kept.draw(&gpu, &scene, None).unwrap(),
                }
            }
        }
        assert!(
            kept.picture(&gpu).unwrap() == drawn(&gpu, &scene),
            "step {index} differs from a whole drawing"
        );
        before = Some(scene);
    }
}

#[test]
fn the_same_scene_has_no_damage_and_a_slid_line_only_its_own() {
    let scene = compose(&views::busy(), &views::look(), LANDSCAPE, views::now());
    assert_eq!(damage(&scene, &scene.clone()), Damage::Nothing);
    let mut slid = scene.clone();
    assert!(slid.slide(Millis(1_000)));
    let Damage::Part(rect) = damage(&scene, &slid) else { panic!("a part is damaged") };
    let strip = scene.strip.unwrap().rect;
    assert!(rect.y >= strip.y - 1.0 && rect.h <= strip.h + 2.0, "{rect:?} is about {strip:?}");
}

#[test]
fn after_the_device_is_lost_a_new_one_draws_the_same_picture() {
    let scene = compose(&views::busy(), &views::look(), LANDSCAPE, views::now());
    let first = gpu();
    let mut target = Offscreen::new(&first, LANDSCAPE).unwrap();
    target.draw(&first, &scene, None).unwrap();
    let before = target.picture(&first).unwrap();
    first.device.destroy();
    let error = (0..3).find_map(|_| target.draw(&first, &scene, None).err()).expect("the loss is noticed");
    assert!(matches!(error, moiso::gpu::GpuError::Lost), "{error}");
    assert!(first.is_lost());
    drop((target, first));
    assert!(drawn(&gpu(), &scene) == before);
}

#[test]
fn a_long_line_of_notices_is_drawn_whole_whatever_its_length() {
    let gpu = gpu();
    let mut view = views::busy();
    view.ticker = (0..50)
        .map(|n| views::notice(&format!("n{n}"), &"nước uống miễn phí ".repeat(20), Level::Info))
        .collect();
    let mut scene = compose(&view, &views::look(), LANDSCAPE, views::now());
    let length = scene.strip.as_ref().unwrap().content.length;
    assert!(length > 100_000, "{length} px");
    let mut target = Offscreen::new(&gpu, LANDSCAPE).unwrap();
    let mut seen = std::collections::HashSet::new();
    for part in 0..12 {
        scene.strip.as_mut().unwrap().offset = length / 12 * part + part;
        target.draw(&gpu, &scene, None).unwrap();
        let picture = drawn(&gpu, &scene);
        assert!(target.picture(&gpu).unwrap() == picture, "tiles are reused rightly at part {part}");
        seen.insert(picture.rgba);
    }
    assert_eq!(seen.len(), 12);
}

#[test]
fn a_picture_beyond_the_limit_is_refused_in_words() {
    let gpu = gpu();
    let error = Offscreen::new(&gpu, Size { w: 100_000, h: 10 }).err().unwrap();
    assert!(error.to_string().starts_with("the picture of 100000x10 exceeds"), "{error}");
}

#[test]
fn the_shaders_are_valid_without_a_gpu() {
    for (name, source) in
        [("quad", include_str!("../shaders/quad.wgsl")), ("strip", include_str!("../shaders/strip.wgsl"))]
    {
        let module = naga::front::wgsl::parse_str(source)
            .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
        let flags = naga::valid::ValidationFlags::all();
        let mut validator = naga::valid::Validator::new(flags, naga::valid::Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    }
}
