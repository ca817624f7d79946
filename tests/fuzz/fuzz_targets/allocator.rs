//! An allocator that never gives more than a fixed number of bytes in all, so that a short file that asks for much
//! memory ends the program.
#![expect(unsafe_code, reason = "an allocator cannot be made without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator up to a limit.
pub struct Limited {
    most: usize,
    taken: AtomicUsize,
}

impl Limited {
    /// With a limit in bytes.
    pub const fn new(most: usize) -> Self {
        Self { most, taken: AtomicUsize::new(0) }
    }

    /// Counts an allocation in and makes it, if there is room for it.
    fn take(&self, layout: Layout, allocate: impl FnOnce() -> *mut u8) -> *mut u8 {
        let taken = self.taken.fetch_add(layout.size(), Ordering::Relaxed);
        if taken.saturating_add(layout.size()) <= self.most {
            return allocate();
        }
        self.taken.fetch_sub(layout.size(), Ordering::Relaxed);
        null_mut()
    }
}

// SAFETY: all memory is the system's, and a null pointer says that there is none.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this function, which is the same.
        self.take(layout, || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        self.take(layout, || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.taken.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
