//! The processor draws what the GPU draws.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "picture/views.rs"]
mod views;

use std::path::Path;
use std::sync::Arc;

use moiso::board::call::{Counter, Series, Ticket};
use moiso::board::view::{BoardView, Spot};
use moiso::clock::{Millis, Now};
use moiso::config::Config;
use moiso::gpu::{Gpu, Offscreen, Picture};
use moiso::raster::{Area, Raster};
use moiso::scenario::{self, Scenario};
use moiso::scene::{
    Align, Art, Colour, Face, Image, Layer, Look, Quad, Rect, Scene, Shape, Size, TextRun, Theme, coming,
    compose, texts_of,
};
use views::{LANDSCAPE, PORTRAIT};

/// What two ways of rounding may do to a channel where several soft edges lie on each other.
const ROUNDING: u8 = 3;

fn states() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes");
    scenario::read_all(&[folder], &Config::default()).unwrap()
}

fn by_gpu(gpu: &Gpu, scene: &Scene) -> Picture {
    let mut target = Offscreen::new(gpu, scene.size).unwrap();
    target.draw(gpu, scene, None).unwrap();
    target.picture(gpu).unwrap()
}

/// How many pixels have a channel that is further away than rounding takes it, and the furthest.
fn apart(a: &Picture, b: &Picture) -> (usize, u8) {
    assert_eq!((a.w, a.h), (b.w, b.h));
    let pairs = a.rgba.as_chunks::<4>().0.iter().zip(b.rgba.as_chunks::<4>().0);
    let far = pairs.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0));
    far.filter(|far| *far > ROUNDING).fold((0, 0), |(count, most), far| (count + 1, most.max(far)))
}

fn same(name: &str, gpu: &Gpu, scene: &Scene) -> Result<(), String> {
    let (drawn, wanted) = (Raster::default().picture(scene), by_gpu(gpu, scene));
    let (count, most) = apart(&drawn, &wanted);
    if count == 0 {
        return Ok(());
    }
    let folder = std::env::temp_dir();
    let file = |who: &str| folder.join(format!("{name}.{who}.png"));
    std::fs::write(file("processor"), drawn.png().unwrap()).unwrap();
    std::fs::write(file("gpu"), wanted.png().unwrap()).unwrap();
    Err(format!("{name}: {count} pixels differ, by {most} at most; see {}", file("processor").display()))
}

fn all_same(scenes: impl Iterator<Item = (String, Scene)>) {
    let gpu = Gpu::open(&Gpu::instance(), None).unwrap();
    let wrong: Vec<String> = scenes.filter_map(|(name, scene)| same(&name, &gpu, &scene).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_recorded_state_is_the_gpus() {
    all_same(states().into_iter().map(|s| (s.name.clone(), s.scene_at(s.until, LANDSCAPE))));
}

#[test]
fn other_sizes_themes_and_moments_of_a_motion_are_the_gpus() {
    let sizes = [Size { w: 1280, h: 720 }, PORTRAIT, Size { w: 2560, h: 1080 }, Size { w: 1366, h: 767 }];
    let busy = states().into_iter().find(|s| s.name == "busy").unwrap();
    let sized = sizes.map(|size| (format!("busy-{}x{}", size.w, size.h), busy.scene_at(busy.until, size)));
    let paper = Look { theme: Theme::named("paper").unwrap(), ..views::look() };
    let full = ("full-paper".to_owned(), compose(&views::full(), &paper, LANDSCAPE, views::now()));
    let arriving = states().into_iter().find(|s| s.name.starts_with("arriving")).unwrap();
    let moments = (0..4).map(|n| {
        let at = arriving.until - jiff::SignedDuration::from_millis(70 * n);
        (format!("arriving-{n}"), arriving.scene_at(at, LANDSCAPE))
    });
    all_same(sized.into_iter().chain([full]).chain(moments));
}

/// Old GPUs have no Vulkan.
#[test]
fn gl_draws_it_too() {
    let gl = wgpu::InstanceDescriptor {
        backends: wgpu::Backends::GL,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    };
    let gpu = Gpu::open(&wgpu::Instance::new(gl), None).unwrap();
    assert!(gpu.info().contains(", gl, "), "{}", gpu.info());
    let busy = states().into_iter().find(|s| s.name == "busy").unwrap();
    assert_eq!(same("busy-gl", &gpu, &busy.scene_at(busy.until, LANDSCAPE)), Ok(()));
}

/// A line that has slid, so that its end and its beginning are seen at once, at odd places.
#[test]
fn the_moving_line_is_the_gpus_wherever_it_is() {
    let busy = states().into_iter().find(|s| s.name == "busy").unwrap();
    let scene = busy.scene_at(busy.until, LANDSCAPE);
    let length = scene.strip.as_ref().expect("a busy board has a line").content.length;
    let slid = |offset: u32| {
        let mut scene = scene.clone();
        scene.strip.as_mut().unwrap().offset = offset;
        (format!("line-{offset}"), scene)
    };
    all_same([1, 777, length / 2, length - 1].into_iter().map(slid));
}

const SHAPES: [Shape; 13] = [
    Shape::Box,
    Shape::Star,
    Shape::Arrow,
    Shape::Diamond,
    Shape::Warning,
    Shape::Clock,
    Shape::Person,
    Shape::Paper,
    Shape::Elderly,
    Shape::Medal,
    Shape::Wheelchair,
    Shape::Pregnant,
    Shape::Child,
];

fn scene(size: Size, layer: Layer) -> Scene {
    let background = Colour([12, 30, 60, 255]);
    Scene { size, background, layers: vec![layer], strip: None, next_change: None, moving: Vec::new() }
}

/// Every shape, at places between pixels, see-through, with borders and odd corners; and pictures with round corners.
fn all_kinds() -> Scene {
    let mut layer = Layer::default();
    for (n, shape) in SHAPES.into_iter().enumerate() {
        let (column, row) = ((n % 5) as f32, (n / 5) as f32);
        let rect =
            Rect { x: 7.3 + column * 70.0, y: 5.7 + row * 80.4, w: 55.5 + column, h: 49.2 + row * 9.0 };
        let colours = (Colour([250, 220, 40, 255]), Colour([20, 200, 90, 128]));
        layer.quads.push(Quad {
            rect,
            shape,
            fill: if n % 2 == 0 { colours.0 } else { colours.1 },
            radii: [3.0, 14.5, 40.0, 0.0],
            border: if n % 3 == 0 { 4.0 } else { 0.0 },
            border_colour: colours.1,
        });
    }
    for (n, radius) in [0.0, 11.0].into_iter().enumerate() {
        let rgba = (0..40 * 30u32).flat_map(|p| {
            // Premultiplied: no channel is above its alpha.
            let alpha = (p % 40 * 6) as u8;
            [alpha / 2, (p / 40 * 8) as u8 % alpha.max(1), alpha, alpha]
        });
        let art = Arc::new(Art::new(Size { w: 40, h: 30 }, rgba.collect()));
        let rect = Rect { x: 360.0, y: 20.0 + 90.0 * n as f32, w: 100.0, h: 75.0 };
        layer.images.push(Image { art, rect, radius, opacity: 0.8 });
    }
    scene(Size { w: 960, h: 540 }, layer)
}

#[test]
fn shapes_and_pictures_of_every_kind_are_the_gpus() {
    all_same([("shapes".to_owned(), all_kinds())].into_iter());
}

/// What is drawn in parts, in any order, is the picture: nothing of a part depends on what was there before, nor on how many
/// threads draw it, which a large part has.
#[test]
fn parts_together_are_the_whole_and_nothing_else_changes() {
    let mut raster = Raster::default();
    let size = Size { w: 960, h: 540 };
    let of_state = |state: Scenario| (state.name.clone(), state.scene_at(state.until, size));
    for (name, scene) in states().into_iter().map(of_state).chain([("shapes".to_owned(), all_kinds())]) {
        let mut whole = vec![0; 960 * 540];
        raster.draw(&scene, &[Area::all(size)], &mut whole);
        let mut pieces = vec![0x00AB_CDEF; 960 * 540];
        let areas: Vec<Area> = (0..540u32)
            .step_by(108)
            .flat_map(|y| (0..960u32).step_by(137).map(move |x| Area { x, y, w: 137.min(960 - x), h: 108 }))
            .collect();
        let (first, rest) = areas.split_at(3);
        raster.draw(&scene, first, &mut pieces);
        let untouched = |at: usize| {
            let here = Area { x: at as u32 % 960, y: at as u32 / 960, w: 1, h: 1 };
            !first.iter().any(|area| area.meets(here))
        };
        assert!((0..pieces.len()).filter(|at| untouched(*at)).all(|at| pieces[at] == 0x00AB_CDEF), "{name}");
        raster.draw(&scene, rest, &mut pieces);
        assert!(pieces == whole, "{name}");
    }
}

/// Other sizes have other letters: what was drawn once is not kept for ever.
#[test]
fn letters_that_are_not_in_use_are_forgotten() {
    let mut raster = Raster::default();
    let size = Size { w: 640, h: 360 };
    let mut pixels = vec![0; 640 * 360];
    let of = |n: u16| TextRun {
        text: "012".into(),
        rect: Rect { x: 0.0, y: 0.0, w: 640.0, h: 360.0 },
        size: 200.0 + f32::from(n),
        face: Face::Digits(800),
        colour: Colour([255; 4]),
        align: Align::Start,
    };
    let kept = (0..100).map(|n| {
        let layer = Layer { texts: vec![of(n)], ..Layer::default() };
        raster.draw(&scene(size, layer), &[Area::all(size)], &mut pixels);
        raster.kept_bytes()
    });
    let kept: Vec<usize> = kept.collect();
    let (most, one) = (*kept.iter().max().unwrap(), kept[0]);
    assert!(one > 40_000 && most > one && most <= 640 * 360, "{one} bytes of one text, at most {most}");
}

fn now() -> Now {
    Now { mono: Millis::ZERO, wall: "2026-11-24T02:41:00Z".parse().unwrap() }
}

/// A board at rest whose counters show tickets of one series.
fn quiet() -> BoardView {
    BoardView { spotlight: Vec::new(), recent: Vec::new(), spotlight_waiting: 0, ..views::many(11) }
}

/// Draws ahead until there is no room or no text left; returns whether there was room for all.
fn prepare(raster: &mut Raster, view: &BoardView, series: &[Series], look: &Look) -> bool {
    coming(view, series).all(|board| {
        texts_of(&board, look, LANDSCAPE, now()).iter().all(|run| raster.prepare(run, LANDSCAPE))
    })
}

/// The letters of a scene that are larger than any that are drawn ahead.
fn large(scene: &Scene) -> u64 {
    let texts = scene.layers.iter().flat_map(|layer| &layer.texts);
    let large = texts.filter(|run| run.size > 120.0);
    large.map(|run| run.text.chars().count() as u64).sum()
}

#[test]
fn a_call_finds_all_letters_drawn_but_the_large_ones() {
    let (look, view) = (Look::of(&Config::default()), quiet());
    let called = |tickets: &[(&str, &str)], waiting| {
        let mut board = BoardView { spotlight_waiting: waiting, ..view.clone() };
        for (ticket, counter) in tickets {
            let (ticket, counter) = (Ticket::parse(ticket).unwrap(), Counter::parse(counter).unwrap());
            let at = board.counters.iter_mut().find(|c| c.counter == counter).unwrap();
            at.ticket = Some(ticket.clone());
            let usual = views::busy().spotlight.remove(0);
            let (lane, slot, holder) = (moiso::board::call::Lane::Regular, None, None);
            board.spotlight.insert(0, Spot { ticket, counter, lane, slot, holder, ..usual });
        }
        compose(&board, &look, LANDSCAPE, now())
    };
    let three = [("A137", "3"), ("A802", "7"), ("A956", "10")];
    let boards = [
        called(&three[..1], 0),
        called(&three[..2], 0),
        called(&three, 0),
        called(&three, 1),
        called(&three, 7),
        called(&[("A049", "11")], 0),
    ];
    let made = |raster: &mut Raster, scene: &Scene| {
        let before = raster.letters_made();
        raster.picture(scene);
        raster.letters_made() - before
    };
    let (mut ready, mut unready) = (Raster::default(), Raster::default());
    let first = compose(&view, &look, LANDSCAPE, now());
    assert_eq!(made(&mut ready, &first), made(&mut unready, &first));
    assert!(prepare(&mut ready, &view, &[], &look), "room for one series");
    for scene in &boards {
        let (most, first) = (large(scene), made(&mut unready, scene));
        let new = made(&mut ready, scene);
        assert!(new <= most && new <= first, "{new} new letters, {most} large ones, {first} unprepared");
    }
    assert!(ready.letters_made() > unready.letters_made());
    let unknown = called(&[("M-1", "4")], 0);
    assert!(made(&mut ready, &unknown) > 3, "of other numbers nothing was known");
}

#[test]
fn what_is_drawn_ahead_has_a_bound_and_changes_no_picture() {
    let (look, view) = (Look::of(&Config::default()), quiet());
    let series: Vec<Series> =
        (b'B'..=b'I').map(|c| Series::parse(&char::from(c).to_string()).unwrap()).collect();
    let small = Size { w: 320, h: 180 };
    let mut raster = Raster::default();
    let all = coming(&view, &series)
        .all(|board| texts_of(&board, &look, small, now()).iter().all(|run| raster.prepare(run, small)));
    assert!(!all, "a small screen has no room for all of these");
    // The last text may be over it.
    let pixels = small.w as usize * small.h as usize;
    assert!((pixels / 2..pixels / 2 + pixels / 4).contains(&raster.kept_bytes()), "{}", raster.kept_bytes());
    let scene = compose(&view, &look, small, now());
    assert!(raster.picture(&scene) == Raster::default().picture(&scene));
}
