//! Reads the hall's own pictures from their files: the logo, and what the spotlight shows while nobody is called.
//!
//! A picture is decoded, turned the way its camera was held, and made no larger than the room that it is for. What a
//! file may be is bounded, so that a wrong one costs neither the hall's memory nor its board.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::config::Config;
use crate::gpu::{GpuError, Picture};
use crate::scene::{Art, Idle, Look, Size};

mod svg;

pub use svg::SvgError;

/// Bytes of a file, and pixels of a picture: more than a camera of 24 megapixels makes. Decoding takes about 13 bytes a
/// pixel at most, for the moment.
const FILE_MAX: u64 = 32 << 20;
const PIXELS_MAX: usize = 25_000_000;
/// A logo is drawn 240 pixels high at most, on a screen of 2160 lines.
const LOGO_ROOM: Size = Size { w: 1024, h: 512 };
/// Pictures of a folder that are shown, and the bytes that they may hold together.
const SHOWN_MAX: usize = 24;
const SHOWN_BYTES: usize = 96 << 20;

/// Why a picture cannot be shown.
#[derive(Debug, Error)]
pub enum PictureError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("has more than {} MiB", FILE_MAX >> 20)]
    LargeFile,
    #[error("has {w}x{h} pixels; at most {} million can be shown", PIXELS_MAX / 1_000_000)]
    Large { w: usize, h: usize },
    #[error("is neither PNG, JPEG nor SVG")]
    Kind,
    #[error("is damaged: {0}")]
    Png(#[from] GpuError),
    #[error("is damaged: {0:?}")]
    Jpeg(zune_jpeg::errors::DecodeErrors),
    #[error(transparent)]
    Svg(#[from] SvgError),
    #[error("is left out: {SHOWN_MAX} pictures and {} MiB are the most", SHOWN_BYTES >> 20)]
    TooMany,
}

/// A picture that is not shown, and why.
pub type Unshown = (PathBuf, PictureError);

/// The look with its logo; one that cannot be read is told to the log, and the emblem stays.
pub fn with_logo(look: Look, config: &Config) -> Look {
    let logo = config.board.logo.as_deref().and_then(|path| match logo(path) {
        Ok(logo) => Some(Arc::new(logo)),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the logo cannot be shown");
            None
        }
    });
    Look { logo, ..look }
}

/// # Errors
/// [`PictureError`].
pub fn logo(path: &Path) -> Result<Art, PictureError> {
    read(path, LOGO_ROOM)
}

/// The look with the pictures of its folder, each no larger than `room`; what cannot be shown is told to the log.
pub fn with_pictures(look: Look, config: &Config, room: Size) -> Look {
    let Some(folder) = &config.board.idle_pictures else { return look };
    let pictures = idle(folder, room);
    Look { idle: Idle { pictures, ..look.idle.clone() }, ..look }
}

/// The pictures of a folder, each no larger than `room`; what cannot be shown is told to the log.
pub fn idle(folder: &Path, room: Size) -> Vec<Arc<Art>> {
    let (shown, unshown) = match all(folder, room) {
        Ok(read) => read,
        Err(error) => (Vec::new(), vec![(folder.to_owned(), error)]),
    };
    for (path, error) in unshown {
        tracing::warn!(path = %path.display(), %error, "a picture cannot be shown");
    }
    shown
}

/// The pictures of a folder in the order of their names, each no larger than `room`, and the files that are none.
/// Folders and hidden files are left alone.
///
/// # Errors
/// [`PictureError::Unreadable`] when there is no such folder.
pub fn all(folder: &Path, room: Size) -> Result<(Vec<Arc<Art>>, Vec<Unshown>), PictureError> {
    let (mut shown, mut unshown) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for path in files(folder)? {
        let art = if shown.len() < SHOWN_MAX { read(&path, room) } else { Err(PictureError::TooMany) };
        match art {
            Ok(art) if bytes + art.rgba().len() <= SHOWN_BYTES => {
                bytes += art.rgba().len();
                shown.push(Arc::new(art));
            }
            Ok(_) => unshown.push((path, PictureError::TooMany)),
            Err(error) => unshown.push((path, error)),
        }
    }
    Ok((shown, unshown))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, PictureError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !hidden {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path, room: Size) -> Result<Art, PictureError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(PictureError::LargeFile);
    }
    decode(&bytes, room)
}

fn decode(bytes: &[u8], room: Size) -> Result<Art, PictureError> {
    let picture = match bytes {
        [0x89, b'P', b'N', b'G', ..] => within(png(bytes)?, room),
        [0xff, 0xd8, 0xff, ..] => {
            let (picture, turn) = jpeg(bytes)?;
            let lies = turn >= 5;
            let room = if lies { Size { w: room.h, h: room.w } } else { room };
            turned(within(picture, room), turn)
        }
        _ if svg::is_svg(bytes) => svg::drawn(bytes, room)?,
        _ => return Err(PictureError::Kind),
    };
    Ok(Art::new(Size { w: picture.w, h: picture.h }, picture.rgba))
}

/// With premultiplied alpha, so that what is see-through does not tint what is beside it.
fn png(bytes: &[u8]) -> Result<Picture, PictureError> {
    let header = png::Decoder::new(Cursor::new(bytes)).read_info().map_err(GpuError::from)?;
    let (w, h) = header.info().size();
    allowed(w as usize, h as usize)?;
    let mut picture = Picture::from_png(bytes)?;
    for pixel in picture.rgba.chunks_exact_mut(4).filter(|pixel| pixel[3] < 255) {
        let alpha = u16::from(pixel[3]);
        pixel[..3].iter_mut().for_each(|value| *value = ((u16::from(*value) * alpha + 127) / 255) as u8);
    }
    Ok(picture)
}

/// The picture as it is stored, and how it must be turned.
fn jpeg(bytes: &[u8]) -> Result<(Picture, u8), PictureError> {
    // Strict: half a photo, as of a copy that broke off, is none.
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(PictureError::Jpeg)?;
    let (w, h) = decoder.dimensions().unwrap_or_default();
    allowed(w, h)?;
    let rgb = decoder.decode().map_err(PictureError::Jpeg)?;
    let rgba = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    let turn = decoder.exif().and_then(|exif| orientation(exif)).unwrap_or(1);
    Ok((Picture { w: w as u32, h: h as u32, rgba }, turn))
}

fn allowed(w: usize, h: usize) -> Result<(), PictureError> {
    if w.saturating_mul(h) > PIXELS_MAX { Err(PictureError::Large { w, h }) } else { Ok(()) }
}

/// How a camera was held, 1 to 8 (Exif 2.3, tag 0x0112 of the first directory).
fn orientation(exif: &[u8]) -> Option<u8> {
    let little = exif.starts_with(b"II");
    let number = |at: usize, bytes: usize| {
        let field = exif.get(at..at.checked_add(bytes)?)?;
        let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
        Some(if little { field.iter().rev().fold(0, add) } else { field.iter().fold(0, add) })
    };
    let directory = number(4, 4)?;
    let entries = number(directory, 2)?;
    let entry = |index: usize| directory.checked_add(2 + index * 12);
    let tag = (0..entries).filter_map(entry).find(|at| number(*at, 2) == Some(0x0112))?;
    let value = number(tag + 8, 2).and_then(|value| u8::try_from(value).ok());
    value.filter(|value| (1..=8).contains(value))
}

/// The picture turned and mirrored from how it is stored, by the number of its orientation.
fn turned(picture: Picture, orientation: u8) -> Picture {
    let (w, h) = (picture.w, picture.h);
    let (across, down) = (w.saturating_sub(1), h.saturating_sub(1));
    let from = |x: u32, y: u32| match orientation {
        2 => (across - x, y),
        3 => (across - x, down - y),
        4 => (x, down - y),
        5 => (y, x),
        6 => (y, down - x),
        7 => (across - y, down - x),
        8 => (across - y, x),
        _ => (x, y),
    };
    if orientation <= 1 {
        return picture;
    }
    let (wide, high) = if orientation >= 5 { (h, w) } else { (w, h) };
    let places = (0..high).flat_map(|y| (0..wide).map(move |x| from(x, y)));
    let pixel = |(x, y): (u32, u32)| {
        let at = (y as usize * w as usize + x as usize) * 4;
        picture.rgba[at..at + 4].iter().copied()
    };
    Picture { w: wide, h: high, rgba: places.flat_map(pixel).collect() }
}

/// The picture made small enough for `room`, in its own shape.
fn within(picture: Picture, room: Size) -> Picture {
    let (w, h) = (f64::from(picture.w.max(1)), f64::from(picture.h.max(1)));
    let share = (f64::from(room.w) / w).min(f64::from(room.h) / h);
    if share >= 1.0 {
        return picture;
    }
    picture.scaled((w * share) as u32, (h * share) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Size = Size { w: 800, h: 600 };

    /// Four colours, one in each quarter: red, green, blue and white, from the top left.
    fn quarters(w: u32, h: u32) -> Picture {
        let mut picture = Picture::plain(w, h, [255, 0, 0, 255]);
        picture.paste(&Picture::plain(w / 2, h / 2, [0, 255, 0, 255]), w / 2, 0);
        picture.paste(&Picture::plain(w / 2, h / 2, [0, 0, 255, 255]), 0, h / 2);
        picture.paste(&Picture::plain(w / 2, h / 2, [255; 4]), w / 2, h / 2);
        picture
    }

    fn corners(picture: &Picture) -> [char; 4] {
        let name = |x: u32, y: u32| {
            let at = ((y * picture.w + x) * 4) as usize;
            // JPEG is near to the colours, not equal to them.
            match [0, 1, 2].map(|channel| picture.rgba[at + channel] >= 200) {
                [true, true, true] => 'w',
                [true, ..] => 'r',
                [_, true, _] => 'g',
                _ => 'b',
            }
        };
        let (right, bottom) = (picture.w - 1, picture.h - 1);
        [name(0, 0), name(right, 0), name(0, bottom), name(right, bottom)]
    }

    #[test]
    fn a_picture_is_turned_the_way_its_camera_was_held() {
        let seen = |orientation: u8| {
            let picture = turned(quarters(8, 4), orientation);
            let corners: String = corners(&picture).iter().collect();
            format!("{corners} {}x{}", picture.w, picture.h)
        };
        let all: Vec<String> = (0..=8).map(seen).collect();
        let upright = ["rgbw 8x4", "rgbw 8x4", "grwb 8x4", "wbgr 8x4", "bwrg 8x4"];
        let lying = ["rbgw 4x8", "brwg 4x8", "wgbr 4x8", "gwrb 4x8"];
        assert_eq!(all, [&upright[..], &lying[..]].concat());
    }

    #[test]
    fn the_orientation_is_read_in_both_orders_of_bytes_and_nonsense_is_none() {
        let little =
            b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x06\0\0\0\0\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        assert_eq!((orientation(little), orientation(big)), (Some(6), Some(8)));
        for end in 0..little.len() - 3 {
            assert_eq!(orientation(&little[..end]), None, "{end}");
        }
        assert_eq!(orientation(b"II*\0\xff\xff\xff\xff"), None);
        assert_eq!(orientation(&[0xff; 64]), None);
    }

    #[test]
    fn a_photo_is_made_no_larger_than_its_room_and_a_small_one_stays() {
        let size = |picture: Picture| decode(&picture.png().unwrap(), ROOM).unwrap().size();
        assert_eq!(size(quarters(1600, 900)), Size { w: 800, h: 450 });
        assert_eq!(size(quarters(400, 1200)), Size { w: 200, h: 600 });
        assert_eq!(size(quarters(40, 20)), Size { w: 40, h: 20 });
    }

    #[test]
    fn a_photo_of_a_phone_that_was_held_upright_stands_upright() {
        let art = decode(include_bytes!("../tests/data/turned.jpg"), ROOM).unwrap();
        let picture = Picture { w: art.size().w, h: art.size().h, rgba: art.rgba().to_vec() };
        assert_eq!((picture.w, picture.h), (60, 80));
        assert_eq!(corners(&picture), ['r', 'g', 'b', 'w']);
    }

    #[test]
    fn what_is_see_through_does_not_tint_its_neighbours() {
        let mut picture = Picture::plain(2, 1, [255, 255, 255, 0]);
        picture.paste(&Picture::plain(1, 1, [0, 0, 0, 255]), 0, 0);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&picture.rgba).unwrap();
        let art = decode(&bytes, Size { w: 1, h: 1 }).unwrap();
        assert_eq!(art.rgba(), [0, 0, 0, 128]);
    }

    #[test]
    fn what_cannot_be_shown_is_named_and_the_rest_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        let good = quarters(80, 60).png().unwrap();
        write("2.png", &good);
        write("1.PNG", &good);
        write("broken.png", &good[..good.len() / 2]);
        let photo = include_bytes!("../tests/data/turned.jpg");
        write("broken.jpg", &photo[..photo.len() - 20]);
        write("empty.jpg", b"");
        write("notes.txt", b"PNG");
        write(".hidden", b"no picture");
        std::fs::create_dir(folder.path().join("more")).unwrap();
        // A picture of 100 million pixels in a few bytes, which nothing decodes.
        let mut bomb = Vec::new();
        let mut writer = png::Encoder::new(&mut bomb, 10_000, 10_000).write_header().unwrap();
        writer.write_chunk(png::chunk::IDAT, &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]).unwrap();
        drop(writer);
        write("bomb.png", &bomb);
        let (shown, unshown) = all(folder.path(), ROOM).unwrap();
        let told: Vec<String> = unshown
            .iter()
            .map(|(path, error)| format!("{} {error}", path.file_name().unwrap().to_string_lossy()))
            .collect();
        assert_eq!((shown.len(), told.len()), (2, 5), "{told:#?}");
        assert_eq!(told[0], "bomb.png has 10000x10000 pixels; at most 25 million can be shown");
        assert!(told[1].starts_with("broken.jpg is damaged: "), "{told:#?}");
        assert!(told[2].starts_with("broken.png is damaged: "), "{told:#?}");
        assert_eq!(
            told[3..],
            ["empty.jpg is neither PNG, JPEG nor SVG", "notes.txt is neither PNG, JPEG nor SVG"]
        );
        assert!(all(&folder.path().join("none"), ROOM).is_err());
    }

    #[test]
    fn the_pictures_of_a_full_folder_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..30 {
            std::fs::write(folder.path().join(format!("{n:02}.png")), quarters(8, 6).png().unwrap()).unwrap();
        }
        let (shown, unshown) = all(folder.path(), ROOM).unwrap();
        assert_eq!((shown.len(), unshown.len()), (24, 6));
        assert!(matches!(unshown[0], (_, PictureError::TooMany)));
    }
}
