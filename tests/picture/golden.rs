//! Comparing a picture with the one that was judged good.
#![allow(dead_code)] // Each test program uses some of them.

use std::path::{Path, PathBuf};

use moiso::gpu::Picture;

/// How far a channel may be from the golden one: drivers round soft edges differently, by a few steps of 255.
const CHANNEL_TOLERANCE: u8 = 24;
/// Share of pixels that may be further away: half of what one label that moves by one pixel changes.
const DIFFERING_SHARE: f64 = 0.0001;

/// How far a soft edge's colour may be kept from what was drawn, so that a golden picture has few colours and its file
/// is small.
const KEPT_WITHIN: u8 = 8;
/// The driver on which goldens are made: another one's soft edges differ.
const PINNED: &str = "llvmpipe";

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Fails when `picture`, drawn by `gpu`, is not the golden one of that name, or there is none; `MOISO_BLESS=1` makes it
/// the golden one, on the pinned driver only.
pub fn hold(name: &str, picture: &Picture, gpu: &str) {
    if let Err(why) = compare(name, picture, gpu) {
        panic!("{why}");
    }
}

/// As [`hold`], but says what is wrong.
pub fn compare(name: &str, picture: &Picture, gpu: &str) -> Result<(), String> {
    let path = folder().join(format!("{name}.png"));
    if std::env::var_os("MOISO_BLESS").is_some() {
        if !gpu.contains(PINNED) {
            return Err(format!("{name}: golden pictures are made on {PINNED}, not on {gpu}"));
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, small_png(picture)).unwrap();
        return Ok(());
    }
    let bytes =
        std::fs::read(&path).map_err(|e| format!("{}: {e}; MOISO_BLESS=1 makes it", path.display()))?;
    let golden = Picture::from_png(&bytes).unwrap();
    let actual_path = folder().join(format!("{name}.actual.png"));
    let diff_path = folder().join(format!("{name}.diff.png"));
    if (golden.w, golden.h) != (picture.w, picture.h) {
        return Err(format!("{name} has another size"));
    }
    let far = differing(&golden, picture);
    let count = far.iter().filter(|f| **f).count();
    let share = count as f64 / far.len() as f64;
    if share > DIFFERING_SHARE {
        std::fs::write(&actual_path, picture.png().unwrap()).unwrap();
        std::fs::write(&diff_path, marked(picture, &far).png().unwrap()).unwrap();
        return Err(format!(
            "{name}: {count} pixels differ ({:.3} %); see {} and {}",
            share * 100.0,
            actual_path.display(),
            diff_path.display()
        ));
    }
    let _ = std::fs::remove_file(actual_path);
    let _ = std::fs::remove_file(diff_path);
    Ok(())
}

/// A PNG of few colours; where those do not suffice, of all.
fn small_png(picture: &Picture) -> Vec<u8> {
    match picture.png_of_few_colours(KEPT_WITHIN).unwrap() {
        (png, away) if away <= KEPT_WITHIN => png,
        _ => picture.png().unwrap(),
    }
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
