//! Measures the deepest use of the stack by painting it.
#![expect(unsafe_code, reason = "the unused part of the stack can only be reached through raw pointers")]

use core::ptr;

/// Written to every unused word; unlikely as data.
const PAINT: u32 = 0xcccc_cccc;

/// Left unpainted below the caller's frame, for the frame of [`paint`] itself.
const MARGIN_BYTES: usize = 32;

/// Painted at most: more than any evaluation or update uses, and quickly done.
const REACH_BYTES: usize = 16 << 10;

/// The part of the stack below a caller's frame, painted.
pub(crate) struct Painted {
    lowest: *mut u32,
    depth: usize,
}

/// Paints what lies below the caller's frame.
#[inline(never)]
pub(crate) fn paint() -> Painted {
    let depth = stack_pointer() & !3;
    let bottom = stack_bottom();
    let room = depth.saturating_sub(bottom as usize);
    let lowest = bottom.wrapping_byte_add(room.saturating_sub(REACH_BYTES));
    let mut word = lowest;
    while (word as usize) < depth.saturating_sub(MARGIN_BYTES) {
        // SAFETY: the word lies in RAM, above the statics and MARGIN_BYTES below every live frame.
        unsafe { ptr::write_volatile(word, PAINT) };
        word = word.wrapping_add(1);
    }
    Painted { lowest, depth }
}

impl Painted {
    /// The bytes of stack that were used since then: at least the unpainted margin, at most the reach.
    #[inline(never)]
    pub(crate) fn used_bytes(&self) -> usize {
        let mut word = self.lowest.cast_const();
        // SAFETY: the words are those that were painted, and the walk ends at the margin above them at the latest.
        while (word as usize) < self.depth && unsafe { ptr::read_volatile(word) } == PAINT {
            word = word.wrapping_add(1);
        }
        self.depth.saturating_sub(word as usize)
    }
}

/// The stack pointer.
#[cfg(target_arch = "arm")]
#[inline(always)]
fn stack_pointer() -> usize {
    cortex_m::register::msp::read() as usize
}

/// The stack pointer.
#[cfg(target_arch = "riscv32")]
#[inline(always)]
fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// The lowest word that the stack may grow down to.
fn stack_bottom() -> *mut u32 {
    unsafe extern "C" {
        /// From link.x of cortex-m-rt or riscv-rt.
        #[cfg_attr(target_arch = "arm", link_name = "_stack_end")]
        #[cfg_attr(target_arch = "riscv32", link_name = "__estack")]
        static mut STACK_END: u32;
    }
    &raw mut STACK_END
}
