//! How the allocator gives memory back: what runs for months must not keep the room of the largest things it ever did.

/// Keeps glibc from raising the size from which a block is a mapping of its own, which the system has back when it is freed.
///
/// Left alone, glibc raises it to the size of each larger block that is freed, up to 32 MiB, and lets every heap keep twice
/// as much free at its end. After the first picture that somebody asks for, others as large lie in the heaps of
/// whichever threads need them, and what is free in one heap no other thread can use: that grew from day to day
/// (docs/soak.md). Other allocators are left as they are.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "no crate has a safe mallopt")]
pub fn settle() {
    /// What glibc begins with.
    const OWN_MAPPING: libc::c_int = 128 * 1024;
    // SAFETY: mallopt takes two numbers and has a lock of its own.
    if unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING) } == 0 {
        tracing::warn!("the allocator goes by its own rules: memory may grow for some weeks");
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle() {}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use std::hint::black_box;

    /// glibc's own two words stand before a block; in a mapping of its own they are the first of a page.
    fn has_own_mapping(block: &[u8]) -> bool {
        block.as_ptr().addr() % 4096 == 2 * size_of::<usize>()
    }

    #[test]
    fn a_large_block_goes_back_to_the_system_also_after_a_larger_one_was_freed() {
        super::settle();
        drop(black_box(vec![1_u8; 20 << 20]));
        let blocks: Vec<Vec<u8>> = (0..8).map(|n| vec![1; (1 << 20) + n * 5000]).collect();
        assert!(blocks.iter().all(|block| has_own_mapping(block)));
    }
}
