//! A part of a picture in bands, which several threads draw together. All have ended when it is drawn, so that nobody outside
//! knows of them.

use std::sync::Mutex;
use std::thread;

use super::Area;
use super::target::Target;
use crate::scene::Size;

/// Pixels that pass through all layers before others do, 128 KiB: they stay in the processor's own cache meanwhile, and a large
/// number on its ground costs the memory one way there and back, not one for each layer.
const BAND: u32 = 32 << 10;

/// Smaller parts are not worth another thread, which may have to wait for a processor while a sentence is decoded.
const SHARED: u32 = 256 << 10;

/// More would wait for the memory, not for each other.
const THREADS_MAX: usize = 4;

/// How many threads draw a large part together on this machine.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX)
}

/// Draws a part of a picture of `size` in bands, a large one with so many threads.
pub(super) fn draw(
    pixels: &mut [u32],
    size: Size,
    part: Area,
    threads: usize,
    draw: impl Fn(&mut Target<'_>) + Sync,
) {
    let row = size.w as usize;
    let mut rest = &mut pixels[part.y as usize * row..];
    let mut bands = part.bands(BAND).map(|band| {
        let (rows, below) = std::mem::take(&mut rest).split_at_mut(band.h as usize * row);
        rest = below;
        Target::new(rows, size, band)
    });
    if threads < 2 || part.w * part.h < SHARED {
        return bands.for_each(|mut band| draw(&mut band));
    }
    let bands = Mutex::new(&mut bands);
    let next = || bands.lock().ok().and_then(|mut bands| bands.next());
    let work = || {
        while let Some(mut band) = next() {
            draw(&mut band);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // One that cannot be had is done without.
            let _ = thread::Builder::new().name("draw".to_owned()).spawn_scoped(scope, work);
        }
        work();
    });
}
