//! A simulated NOR flash, whose power can be cut in the middle of any operation.
//!
//! It is strict: a word is written once between two erasures, and one whose programming or erasure was cut is not
//! written again before its block is erased to the end. What was cut may read differently at every start.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use firmware_cortexm::update::Slot;

/// Bytes of an erase block.
pub(crate) const BLOCK: usize = 512;
/// Bytes of a slot: room for the small model.
pub(crate) const SLOT: usize = 5 * BLOCK;

/// What a cut leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tear {
    /// Nothing was changed yet.
    Before,
    /// All was changed already.
    After,
    /// Some bits were changed: of a word, some of those to be cleared; of a block, some of those to be set.
    Some(u64),
    /// The first half was changed.
    Half,
    /// Any content: of a word, any bits; of a block, any bytes.
    Any(u64),
    /// At every start another one of the above.
    Unstable(u64),
}

/// Every kind of tear, with several contents of those that have any.
pub(crate) const TEARS: [Tear; 8] = [
    Tear::Before,
    Tear::After,
    Tear::Some(1),
    Tear::Half,
    Tear::Any(3),
    Tear::Unstable(5),
    Tear::Unstable(6),
    Tear::Unstable(7),
];

/// The power supply of both slots, and the random numbers of what is torn.
#[derive(Debug, Default)]
pub(crate) struct Power {
    /// Operations since the start.
    pub(crate) operations: u64,
    /// The operation that is cut, counted from zero, and what it leaves.
    pub(crate) cut: Option<(u64, Tear)>,
    /// Whether it was cut.
    pub(crate) is_off: bool,
}

/// A part that was torn and reads differently at every start.
#[derive(Clone, Debug)]
struct Unstable {
    start: usize,
    before: Vec<u8>,
    after: Vec<u8>,
    state: u64,
}

/// A slot of the flash, with words of `WORD` bytes.
#[derive(Clone, Debug)]
pub(crate) struct Chip<const WORD: usize> {
    words: Vec<u32>,
    /// Words that may not be written before an erasure.
    used: Vec<bool>,
    unstable: Vec<Unstable>,
    power: Rc<RefCell<Power>>,
}

/// Numbers of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

impl<const WORD: usize> Chip<WORD> {
    /// A blank slot.
    pub(crate) fn blank(power: &Rc<RefCell<Power>>) -> Self {
        Self { words: vec![!0; SLOT / 4], used: vec![false; SLOT / WORD], unstable: Vec::new(), power: power.clone() }
    }

    /// The slot after the power comes back, on another supply.
    pub(crate) fn restart(&self, power: &Rc<RefCell<Power>>) -> Self {
        let mut chip = Self { power: power.clone(), ..self.clone() };
        let mut unstable = std::mem::take(&mut chip.unstable);
        for part in &mut unstable {
            let tear = [Tear::Before, Tear::After, Tear::Some(0), Tear::Half, Tear::Any(0)];
            let tear = tear[random(&mut part.state) as usize % tear.len()];
            let content = torn(&part.before, &part.after, tear, &mut part.state);
            chip.bytes_mut()[part.start..part.start + content.len()].copy_from_slice(&content);
        }
        chip.unstable = unstable;
        chip
    }

    /// Changes a bit, as age does.
    pub(crate) fn rot(&mut self, byte: usize) {
        self.bytes_mut()[byte] ^= 0x10;
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.words)
    }

    /// One operation: replaces bytes, or a part of them where it is cut.
    fn operate(&mut self, start: usize, after: &[u8]) -> Result<(), NorFlashErrorKind> {
        let tear = {
            let mut power = self.power.borrow_mut();
            if power.is_off {
                return Err(NorFlashErrorKind::Other);
            }
            let tear = power.cut.filter(|&(operation, _)| operation == power.operations).map(|(_, tear)| tear);
            power.operations += 1;
            power.is_off = tear.is_some();
            tear
        };
        let end = start + after.len();
        self.unstable.retain(|part| part.start < start || part.start >= end);
        let before = self.bytes()[start..end].to_vec();
        let Some(tear) = tear else {
            self.bytes_mut()[start..end].copy_from_slice(after);
            return Ok(());
        };
        let (Tear::Some(mut state) | Tear::Any(mut state) | Tear::Unstable(mut state)) = tear else {
            let content = torn(&before, after, tear, &mut 0);
            self.bytes_mut()[start..end].copy_from_slice(&content);
            return Err(NorFlashErrorKind::Other);
        };
        state ^= (start as u64) << 20;
        let content = torn(&before, after, tear, &mut state);
        self.bytes_mut()[start..end].copy_from_slice(&content);
        if let Tear::Unstable(_) = tear {
            self.unstable.push(Unstable { start, before, after: after.to_vec(), state });
        }
        Err(NorFlashErrorKind::Other)
    }
}

/// What lies between `before` and `after`.
fn torn(before: &[u8], after: &[u8], tear: Tear, state: &mut u64) -> Vec<u8> {
    let len = before.len();
    let mut choose = |k: usize, before: u8, after: u8| match tear {
        Tear::Before => before,
        Tear::After => after,
        Tear::Half if 2 * k < len => after,
        Tear::Half => before,
        Tear::Some(_) | Tear::Unstable(_) => {
            let mask = random(state) as u8;
            before & !mask | after & mask
        }
        Tear::Any(_) => random(state) as u8,
    };
    before.iter().zip(after).enumerate().map(|(k, (&before, &after))| choose(k, before, after)).collect()
}

impl<const WORD: usize> ErrorType for Chip<WORD> {
    type Error = NorFlashErrorKind;
}

impl<const WORD: usize> ReadNorFlash for Chip<WORD> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let found = self.bytes().get(offset as usize..offset as usize + bytes.len());
        bytes.copy_from_slice(found.ok_or(NorFlashErrorKind::OutOfBounds)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        SLOT
    }
}

impl<const WORD: usize> NorFlash for Chip<WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = BLOCK;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        assert!((from as usize).is_multiple_of(BLOCK) && (to as usize).is_multiple_of(BLOCK) && to as usize <= SLOT);
        for start in (from as usize..to as usize).step_by(BLOCK) {
            if self.power.borrow().is_off {
                return Err(NorFlashErrorKind::Other);
            }
            self.used[start / WORD..(start + BLOCK) / WORD].fill(true);
            self.operate(start, &[0xff; BLOCK])?;
            self.used[start / WORD..(start + BLOCK) / WORD].fill(false);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let offset = offset as usize;
        assert!(offset.is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD) && offset + bytes.len() <= SLOT);
        for (start, word) in (offset..).step_by(WORD).zip(bytes.chunks_exact(WORD)) {
            if self.power.borrow().is_off || std::mem::replace(&mut self.used[start / WORD], true) {
                return Err(NorFlashErrorKind::Other);
            }
            self.operate(start, word)?;
        }
        Ok(())
    }
}

impl<const WORD: usize> Slot for Chip<WORD> {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }
}
