//! The picture: golden images, layout laws, and the damage law, all on the GPU that the machine has.

#[path = "picture/views.rs"]
mod views;

use moiso::gpu::{Gpu, Offscreen};
use moiso::scene::{Look, Size, compose};
use views::{LANDSCAPE, PORTRAIT};

#[test]
#[ignore = "makes pictures to look at"]
fn look_at_everything() {
    let out = std::path::PathBuf::from(std::env::var("MOISO_PICTURES").unwrap());
    let gpu = Gpu::open(&Gpu::instance(), None).unwrap();
    println!("{}", gpu.info());
    let mut english = views::look();
    english.english = true;
    english.show_holder = true;
    let paper = Look { theme: moiso::scene::Theme::named("paper").unwrap(), ..views::look() };
    let holder = Look { show_holder: true, ..views::look() };
    let hd = Size { w: 1280, h: 720 };
    let mut many = views::many(12);
    for c in &mut many.counters {
        c.label_en = Some("Business registration".into());
    }
    many.spotlight = views::full().spotlight;
    let mut identify = views::busy();
    identify.identify_until = Some(moiso::clock::Millis(1000));
    let cases = [
        ("busy", views::busy(), views::look(), LANDSCAPE),
        ("three", views::three(), views::look(), LANDSCAPE),
        ("stale", views::stale(), views::look(), LANDSCAPE),
        ("closed", views::closed(), views::look(), LANDSCAPE),
        ("emergency", views::emergency(), views::look(), LANDSCAPE),
        ("portrait", views::busy(), views::look(), PORTRAIT),
        ("portrait-three", views::three(), views::look(), PORTRAIT),
        ("full", views::full(), holder.clone(), LANDSCAPE),
        ("full-portrait", views::full(), holder.clone(), PORTRAIT),
        ("morning", views::morning(), views::look(), LANDSCAPE),
        ("paper", views::busy(), paper.clone(), LANDSCAPE),
        ("paper-full", views::full(), paper, LANDSCAPE),
        ("english", many, english, LANDSCAPE),
        ("many-1", views::many(1), views::look(), LANDSCAPE),
        ("many-5", views::many(5), views::look(), LANDSCAPE),
        ("many-24", views::many(24), views::look(), LANDSCAPE),
        ("many-40", views::many(40), views::look(), LANDSCAPE),
        ("many-200", views::many(200), views::look(), LANDSCAPE),
        ("hd", views::busy(), views::look(), hd),
        ("four-k", views::busy(), views::look(), Size { w: 3840, h: 2160 }),
        ("identify", identify, views::look(), LANDSCAPE),
    ];
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, view, look, size) in cases {
        if !name.contains(&only) {
            continue;
        }
        let start = std::time::Instant::now();
        let scene = compose(&view, &look, size, views::now());
        let composed = start.elapsed();
        let mut picture = Offscreen::new(&gpu, size).unwrap();
        picture.draw(&gpu, &scene, None).unwrap();
        let png = picture.picture(&gpu).unwrap().png().unwrap();
        println!("{name}: compose {composed:?}, all {:?}, {} bytes", start.elapsed(), png.len());
        std::fs::write(out.join(format!("{name}.png")), png).unwrap();
    }
}
