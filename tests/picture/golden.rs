//! Comparing a picture with the one that was judged good.

use std::path::{Path, PathBuf};

use moiso::gpu::Picture;

/// How far a channel may be from the golden one: drivers round soft edges differently, by a few steps of 255.
const CHANNEL_TOLERANCE: u8 = 24;
/// Share of pixels that may be further away: half of what one label that moves by one pixel changes.
const DIFFERING_SHARE: f64 = 0.0001;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Fails when `picture` is not the golden one of that name, or there is none; `MOISO_BLESS=1` makes it the golden one.
pub fn hold(name: &str, picture: &Picture) {
    let path = folder().join(format!("{name}.png"));
    if std::env::var_os("MOISO_BLESS").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, picture.png().unwrap()).unwrap();
        return;
    }
    let bytes =
        std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; MOISO_BLESS=1 makes it", path.display()));
    let golden = Picture::from_png(&bytes).unwrap();
    let actual_path = folder().join(format!("{name}.actual.png"));
    let diff_path = folder().join(format!("{name}.diff.png"));
    assert_eq!((golden.w, golden.h), (picture.w, picture.h), "{name} has another size");
    let far = differing(&golden, picture);
    let count = far.iter().filter(|f| **f).count();
    let share = count as f64 / far.len() as f64;
    if share > DIFFERING_SHARE {
        std::fs::write(&actual_path, picture.png().unwrap()).unwrap();
        std::fs::write(&diff_path, marked(picture, &far).png().unwrap()).unwrap();
        panic!(
            "{name}: {count} pixels differ ({:.3} %); see {} and {}",
            share * 100.0,
            actual_path.display(),
            diff_path.display()
        );
    }
    let _ = std::fs::remove_file(actual_path);
    let _ = std::fs::remove_file(diff_path);
}

/// Whether a picture would be taken for another one.
pub fn is_another(a: &Picture, b: &Picture) -> bool {
    let far = differing(a, b);
    far.iter().filter(|f| **f).count() as f64 / far.len() as f64 > DIFFERING_SHARE
}

fn differing(a: &Picture, b: &Picture) -> Vec<bool> {
    let pairs = a.rgba.chunks_exact(4).zip(b.rgba.chunks_exact(4));
    pairs.map(|(a, b)| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > CHANNEL_TOLERANCE)).collect()
}

/// The picture, faint, with what differs in red.
fn marked(picture: &Picture, far: &[bool]) -> Picture {
    let rgba = picture
        .rgba
        .chunks_exact(4)
        .zip(far)
        .flat_map(|(p, far)| if *far { [255, 0, 0, 255] } else { [p[0] / 4, p[1] / 4, p[2] / 4, 255] })
        .collect();
    Picture { rgba, ..*picture }
}
