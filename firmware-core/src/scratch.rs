//! Memory that the caller owns.

use core::ops::{Deref, DerefMut};

/// Working memory of an evaluation: `WORDS` words of 32 bits.
///
/// [`Model::scratch_words`](crate::Model::scratch_words) says how many a model needs for one point. A batch runs
/// several points side by side where there is room for them.
///
/// ```
/// let mut scratch = firmware_core::Scratch::<96>::new(); // 384 bytes: 128 features and layers of 64, 16 bits each
/// assert_eq!(scratch.len(), 96);
/// ```
#[derive(Clone, Debug)]
pub struct Scratch<const WORDS: usize>([u32; WORDS]);

impl<const WORDS: usize> Scratch<WORDS> {
    /// Zeroed scratch memory, also for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> Default for Scratch<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const WORDS: usize> Deref for Scratch<WORDS> {
    type Target = [u32];
    fn deref(&self) -> &[u32] {
        &self.0
    }
}

impl<const WORDS: usize> DerefMut for Scratch<WORDS> {
    fn deref_mut(&mut self) -> &mut [u32] {
        &mut self.0
    }
}

/// Gives what it holds the alignment of a word, which [`Model::parse`](crate::Model::parse) asks for.
///
/// ```
/// use firmware_core::Aligned;
///
/// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("../models/thermocouple.ffm"));
/// assert!(MODEL.0.as_ptr().addr().is_multiple_of(4));
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
pub struct Aligned<T: ?Sized>(pub T);
