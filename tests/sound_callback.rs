//! The sound card's callback allocates nothing, whatever the ring holds.
#![allow(unsafe_code, reason = "only a global allocator can count allocations")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::Ordering;

use moiso::audio::feed::ring;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends may allocate after its counter is gone.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(vec![1_u8; 100])) >= 2);
}

#[test]
fn the_callback_allocates_nothing() {
    let (mut producer, mut feed, gauges) = ring(4096, 2);
    let mut floats = vec![0.0_f32; 2 * 1024];
    let mut integers = vec![0_i16; 2 * 1024];
    gauges.expecting.store(true, Ordering::Release);
    let made = allocations(|| {
        for turn in 0..100 {
            // Full, half full, empty, and wrapped around the end of the ring.
            for sample in 0..(turn % 3) * 1024 {
                let _ = producer.push(sample as f32 / 4096.0);
            }
            feed.fill(&mut floats, 0.0, |sample| sample);
            feed.fill(&mut integers, 0, |sample| (sample * 32767.0) as i16);
        }
        gauges.gone.store(true, Ordering::Relaxed);
        feed.fill(&mut floats, 0.0, |sample| sample);
    });
    assert_eq!(made, 0);
    assert_eq!(gauges.asked.load(Ordering::Relaxed), 201 * 1024);
    assert!(gauges.starved.load(Ordering::Relaxed) > 0);
}
