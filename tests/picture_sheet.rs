//! Draws every kind of board into a folder, to be judged by eye: `MOISO_PICTURES=DIR cargo test --test picture_sheet -- --ignored`.
#![allow(clippy::unwrap_used)]

#[path = "picture/views.rs"]
mod views;

use moiso::clock::Millis;
use moiso::gpu::{Gpu, Offscreen};
use moiso::scene::{Look, Scene, Size, Theme, compose};
use views::{LANDSCAPE, PORTRAIT};

#[test]
#[ignore = "makes pictures to look at: MOISO_PICTURES=DIR cargo test --test picture_sheet a_sheet -- --ignored"]
fn a_sheet_of_all_boards() {
    let out = std::path::PathBuf::from(std::env::var_os("MOISO_PICTURES").unwrap());
    let only = std::env::var("MOISO_ONLY").unwrap_or_default();
    let gpu = Gpu::open(&Gpu::instance(), None).unwrap();
    for (name, view, look, size) in cases().into_iter().filter(|(name, ..)| name.contains(&only)) {
        let scene = compose(&view, &look, size, views::now());
        let mut target = Offscreen::new(&gpu, size).unwrap();
        target.draw(&gpu, &scene, None).unwrap();
        let png = target.picture(&gpu).unwrap().png().unwrap();
        std::fs::write(out.join(format!("{name}.png")), png).unwrap();
    }
}

#[test]
#[ignore = "measures, and says nothing about right or wrong: cargo test --test picture_sheet -- --ignored --nocapture"]
fn frame_times() {
    let gpu = Gpu::open(&Gpu::instance(), None).unwrap();
    println!("{}", gpu.info());
    let mut scene = compose(&views::busy(), &views::look(), LANDSCAPE, views::now());
    let strip = scene.strip.as_ref().unwrap().rect;
    let mut target = Offscreen::new(&gpu, LANDSCAPE).unwrap();
    let mut time = |name: &str, work: &mut dyn FnMut(i64, &mut Scene, &mut Offscreen)| {
        let start = std::time::Instant::now();
        for n in 0..50 {
            work(n, &mut scene, &mut target);
        }
        println!("{name}: {:.2} ms", start.elapsed().as_secs_f64() * 20.0);
    };
    time("compose", &mut |_, scene, _| {
        *scene = compose(&views::busy(), &views::look(), LANDSCAPE, views::now());
    });
    time("whole frame, drawn and read", &mut |n, scene, target| {
        scene.slide(Millis(n * 17));
        target.draw(&gpu, scene, None).unwrap();
        target.read(&gpu, LANDSCAPE.rect(), |_| {}).unwrap();
    });
    time("moving line, drawn and read", &mut |n, scene, target| {
        scene.slide(Millis(n * 17));
        target.draw(&gpu, scene, Some(&[strip])).unwrap();
        target.read(&gpu, strip, |_| {}).unwrap();
    });
}

fn cases() -> Vec<(&'static str, moiso::board::view::BoardView, Look, Size)> {
    let look = views::look;
    let paper = Look { theme: Theme::named("paper").unwrap(), ..look() };
    let holder = Look { show_holder: true, ..look() };
    let english = Look { english: true, show_holder: true, ..look() };
    let mut bilingual = views::busy();
    for counter in &mut bilingual.counters {
        counter.label_en = Some("Business registration".into());
    }
    bilingual.spotlight = views::full().spotlight;
    let mut code = views::busy();
    code.ticker[0].qr = Some("https://example.org/lay-so?hall=dong-da".into());
    let mut identify = views::busy();
    identify.identify_until = Some(Millis(1000));
    vec![
        ("busy", views::busy(), look(), LANDSCAPE),
        ("three", views::three(), look(), LANDSCAPE),
        ("stale", views::stale(), look(), LANDSCAPE),
        ("closed", views::closed(), look(), LANDSCAPE),
        ("emergency", views::emergency(), look(), LANDSCAPE),
        ("portrait", views::busy(), look(), PORTRAIT),
        ("portrait-three", views::three(), look(), PORTRAIT),
        ("portrait-full", views::full(), holder.clone(), PORTRAIT),
        ("portrait-closed", views::closed(), look(), PORTRAIT),
        ("portrait-emergency", views::emergency(), look(), PORTRAIT),
        ("full", views::full(), holder, LANDSCAPE),
        ("morning", views::morning(), look(), LANDSCAPE),
        ("paper", views::busy(), paper.clone(), LANDSCAPE),
        ("paper-full", views::full(), paper, LANDSCAPE),
        ("english", bilingual, english, LANDSCAPE),
        ("many-1", views::many(1), look(), LANDSCAPE),
        ("many-5", views::many(5), look(), LANDSCAPE),
        ("many-24", views::many(24), look(), LANDSCAPE),
        ("many-200", views::many(200), look(), LANDSCAPE),
        ("hd", views::busy(), look(), Size { w: 1280, h: 720 }),
        ("old", views::full(), look(), Size { w: 1024, h: 768 }),
        ("wide", views::full(), look(), Size { w: 2560, h: 1080 }),
        ("four-k", views::busy(), look(), Size { w: 3840, h: 2160 }),
        ("waiting", views::waiting(), look(), LANDSCAPE),
        ("names", views::names(), look(), LANDSCAPE),
        ("names-portrait", views::names(), look(), PORTRAIT),
        ("code", code, look(), LANDSCAPE),
        ("identify", identify, look(), LANDSCAPE),
    ]
}
