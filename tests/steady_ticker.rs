//! A board at rest under a moving line runs for months: no step of it may ask for memory.
#![allow(unsafe_code, reason = "an allocator that counts")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use moiso::config::{Config, PresentMode};
use moiso::present::trial;
use moiso::scene::Size;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all memory comes from the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may ask after its counter is gone.
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread asked for memory at each step but the first, which may make room once.
fn asked_by_steps(config: &Config) -> Vec<u64> {
    let mut counts = Vec::with_capacity(1000);
    let size = Size { w: 1280, h: 720 };
    let mut last = None;
    trial::ticker(config, size, Duration::from_millis(700), None, || {
        let now = ASKED.get();
        if let Some(before) = last.replace(now) {
            counts.push(now - before);
        }
    })
    .unwrap()
    .expect("the default line moves");
    counts
}

#[test]
fn the_counter_counts() {
    let before = ASKED.get();
    drop(vec![1_u8; 100]);
    assert_eq!(ASKED.get(), before + 1);
}

#[test]
fn a_step_of_the_line_asks_for_no_memory() {
    let mut config = Config::default();
    config.screen.present = PresentMode::Software;
    // The clock on the board may show another minute meanwhile, and is drawn then; hardly three times in a row.
    let tries: Vec<Vec<u64>> = (0..3).map(|_| asked_by_steps(&config)).collect();
    assert!(tries.iter().all(|counts| counts.len() > 2), "{tries:?}");
    assert!(tries.iter().any(|counts| counts.iter().all(|asked| *asked == 0)), "{tries:?}");
}
