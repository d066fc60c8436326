//! The picture on the GPU that the machine has: golden images, marks, damage, loss of the device, shaders.
#![allow(clippy::unwrap_used)]

#[path = "picture/golden.rs"]
mod golden;
#[path = "picture/views.rs"]
mod views;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use moiso::board::call::{Kind, Lane, Ticket};
use moiso::board::input::LinkTrouble;
use moiso::board::state::Level;
use moiso::board::view::BoardView;
use moiso::clock::Millis;
use moiso::config::{Config, Motion};
use moiso::gpu::{Gpu, Offscreen, Picture};
use moiso::scenario::{self, Scenario};
use moiso::scene::{
    Align, Colour, Damage, Face, Layer, Look, Rect, Scene, Size, TextRun, Theme, compose, damage, font,
    rehearsal,
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
    let gpu = gpu();
    golden::hold(name, &drawn(&gpu, &compose(view, look, size, views::now())), &gpu.info());
}

/// Every recorded state, from the folder itself: a new recording cannot be forgotten.
fn states() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes");
    scenario::read_all(&[folder], &Config::default()).unwrap()
}

fn full_hd(name: &str) -> String {
    format!("states/{name}")
}

fn at_size(name: &str, size: Size) -> String {
    format!("states/{name}-{}x{}", size.w, size.h)
}

/// Holds the pictures of many states at once, and says of all that differ.
fn hold_all(pictures: impl Iterator<Item = (String, Scene)>) {
    let gpu = gpu();
    let held = pictures.map(|(name, scene)| golden::compare(&name, &drawn(&gpu, &scene), &gpu.info()));
    let wrong: Vec<String> = held.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_recorded_state_looks_as_it_was_judged() {
    hold_all(states().into_iter().map(|s| (full_hd(&s.name), s.scene_at(s.until, LANDSCAPE))));
}

/// What a hall sees most, and where sizes matter most.
const MAIN: [&str; 6] = ["one-call", "three-calls", "busy", "waiting", "before-hours", "emergency"];
const OTHER_SIZES: [Size; 4] =
    [Size { w: 1280, h: 720 }, Size { w: 3840, h: 2160 }, PORTRAIT, Size { w: 2560, h: 1080 }];

#[test]
fn the_main_states_look_as_they_were_judged_at_every_size_of_screen() {
    let main: Vec<Scenario> = states().into_iter().filter(|s| MAIN.contains(&s.name.as_str())).collect();
    assert_eq!(main.len(), MAIN.len());
    let pictures = main.iter().flat_map(|s| {
        OTHER_SIZES.into_iter().map(|size| (at_size(&s.name, size), s.scene_at(s.until, size)))
    });
    hold_all(pictures);
}

#[test]
fn no_golden_picture_is_left_of_a_state_that_is_not_recorded() {
    let names: BTreeSet<String> = states().into_iter().map(|s| s.name).collect();
    let sizes = MAIN.iter().flat_map(|name| OTHER_SIZES.map(|size| at_size(name, size)));
    let wanted: BTreeSet<String> = names.iter().map(|name| full_hd(name)).chain(sizes).collect();
    let entries = std::fs::read_dir(golden::folder().join("states")).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".actual.png") && !name.ends_with(".diff.png") {
            assert!(wanted.contains(&format!("states/{}", name.trim_end_matches(".png"))), "{name}");
        }
    }
}

/// `deploy/pictures.sh` makes them.
#[test]
fn the_pictures_of_the_readme_are_those_of_the_recordings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let render = |recordings: &str, more: &[&str], name: &str| {
        let out = folder.path().join(name);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_moiso"));
        command.arg("render").arg(root.join(recordings)).args(more).arg("--out").arg(&out);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let [kept, drawn] = [root.join("docs").join(name), out].map(|path| std::fs::read(path).unwrap());
        let [kept, drawn] = [kept, drawn].map(|png| Picture::from_png(&png).unwrap());
        let same = (kept.w, kept.h) == (drawn.w, drawn.h) && !golden::is_another(&kept, &drawn);
        assert!(same, "docs/{name} is stale: run deploy/pictures.sh");
    };
    render("tests/scenes/busy.jsonl", &["--size", "1920x1080"], "board.png");
    render("tests/scenes", &["--sheet", "--size", "1280x720"], "sheet.png");
}

/// A picture in the middle of a motion would be judged by what nobody sees for longer than a blink.
#[test]
fn recordings_end_at_rest_but_for_those_of_a_call_that_arrives() {
    for state in states() {
        let still = Look { motion: Motion::None, ..state.look().clone() };
        let moved = state.scene_at(state.until, LANDSCAPE);
        let rest = state.clone().with_look(still).scene_at(state.until, LANDSCAPE);
        assert_eq!(moved.layers != rest.layers, state.name.starts_with("arriving"), "{}", state.name);
    }
}

#[test]
fn the_amber_band_has_room_for_the_reason_on_small_and_narrow_screens() {
    let same = views::troubled(LinkTrouble::SameClient);
    hold("stale-same-client", &same, &views::look(), Size { w: 1280, h: 720 });
    hold("stale-refused", &views::troubled(LinkTrouble::Refused), &views::look(), PORTRAIT);
}

#[test]
fn chips_pauses_absences_and_ended_series_are_said_in_words() {
    let look = Look { show_holder: true, ..views::look() };
    hold("full", &views::full(), &look, LANDSCAPE);
    let paper = Look { theme: Theme::named("paper").unwrap(), ..views::look() };
    hold("full-paper", &views::full(), &paper, LANDSCAPE);
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
fn the_name_of_the_screen_and_the_code_for_phones_look_as_they_were_judged() {
    let identified = BoardView { identify_until: Some(Millis(10_000)), ..views::busy() };
    hold("identify", &identified, &views::look(), LANDSCAPE);
    let mut coded = views::busy();
    coded.ticker[0].qr = None;
    let look = Look { phone_qr: Some("http://10.0.0.7:8088/now".into()), ..views::look() };
    hold("phones", &coded, &look, LANDSCAPE);
}

#[test]
fn a_golden_picture_that_is_not_there_fails() {
    if std::env::var_os("MOISO_BLESS").is_none() {
        let picture = Picture::plain(8, 8, [255; 4]);
        let why = golden::compare("there-is-no-such-state", &picture, "llvmpipe").unwrap_err();
        assert!(why.contains("there-is-no-such-state.png"), "{why}");
    }
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

#[test]
fn the_recording_of_a_morning_shows_the_lunch_break_at_noon() {
    let morning = states().into_iter().find(|s| s.name == "morning").unwrap();
    let noon = morning.scene_at("2026-11-24T12:00:00+07:00".parse().unwrap(), LANDSCAPE);
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
        layers: vec![Layer { texts: vec![run], ..Layer::default() }],
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
                    Damage::Parts(parts) => kept.draw(&gpu, &scene, Some(&parts)).unwrap(),
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
    let Damage::Parts(parts) = damage(&scene, &slid) else { panic!("a part is damaged") };
    let [rect] = parts[..] else { panic!("one part is damaged, not {parts:?}") };
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

/// A day of many tickets, and all that can be called of each counter.
#[test]
fn no_frame_of_a_day_makes_the_glyph_atlas_grow_once_text_is_drawn_ahead() {
    let gpu = gpu();
    let look = views::look();
    let series = ["A", "B", "C", "D", "E", "K", "Q", "W"];
    let frames: Vec<Scene> = (0..120usize)
        .map(|n| {
            let mut view = views::busy();
            let count = view.counters.len();
            let ticket = |n: usize| Ticket::parse(&format!("{}{:03}", series[n % 8], n * 37 % 1000)).unwrap();
            for (index, counter) in view.counters.iter_mut().enumerate() {
                counter.ticket = Some(ticket(n + index));
            }
            let spot = |k: usize| {
                let counter = view.counters[(n + k) % count].counter.to_string();
                views::spot(ticket(n + k).as_str(), &counter, Kind::Call, Lane::ALL[n % Lane::ALL.len()].1)
            };
            view.spotlight = (0..n % 4).map(spot).collect();
            view.link.stale = n % 40 == 30;
            if n % 50 == 40 {
                view.emergency = views::emergency().emergency;
            }
            compose(&view, &look, LANDSCAPE, views::now().after(Millis(n as i64 * 60_000)))
        })
        .collect();
    let grown = |ahead: bool| {
        let mut target = Offscreen::new(&gpu, LANDSCAPE).unwrap();
        let first = compose(&views::morning(), &look, LANDSCAPE, views::now());
        target.draw(&gpu, &first, None).unwrap();
        if ahead {
            target.warm(&gpu, &rehearsal(&views::morning(), &look, LANDSCAPE));
        }
        let before = target.growths();
        assert!(before > 0, "an atlas begins small");
        for scene in &frames {
            target.draw(&gpu, scene, None).unwrap();
        }
        target.growths() - before
    };
    assert!(grown(false) > 0, "without it the day makes it grow, so the test can fail");
    assert_eq!(grown(true), 0);
}

#[test]
fn a_picture_beyond_the_limit_is_refused_in_words() {
    let gpu = gpu();
    let error = Offscreen::new(&gpu, Size { w: 100_000, h: 10 }).err().unwrap();
    assert!(error.to_string().starts_with("the picture of 100000x10 exceeds"), "{error}");
}

#[test]
fn the_shaders_are_valid_without_a_gpu() {
    for (name, source) in [
        ("quad", include_str!("../shaders/quad.wgsl")),
        ("image", include_str!("../shaders/image.wgsl")),
        ("strip", include_str!("../shaders/strip.wgsl")),
    ] {
        let module = naga::front::wgsl::parse_str(source)
            .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
        let flags = naga::valid::ValidationFlags::all();
        let mut validator = naga::valid::Validator::new(flags, naga::valid::Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    }
}
