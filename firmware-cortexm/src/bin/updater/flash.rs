//! NOR flash in RAM: erasure sets every bit of a block, writing clears bits.
#![expect(unsafe_code, reason = "the memory of the board's region MODEL can only be reached through raw pointers")]

use core::sync::atomic::{AtomicBool, Ordering};

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_write};
use firmware_cortexm::update::Slot;

/// Bytes of a slot.
const SLOT_BYTES: usize = 256 << 10;

/// A slot in RAM.
pub(crate) struct RamFlash(&'static mut [u32]);

/// The first two slots of the region; `None` where they were taken before, or the region is too short.
pub(crate) fn slots() -> Option<[RamFlash; 2]> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" {
        static mut _model_start: u32;
        static _model_end: u32;
    }
    let start = &raw mut _model_start;
    // Loads and stores only: nothing interrupts the start.
    if TAKEN.load(Ordering::Relaxed) || (&raw const _model_end as usize).saturating_sub(start as usize) < 2 * SLOT_BYTES
    {
        return None;
    }
    TAKEN.store(true, Ordering::Relaxed);
    // SAFETY: the region is memory of the board that the linker gives to nothing else, begins at a multiple of four and
    // is as long as two slots; and this is reached once.
    let words = unsafe { core::slice::from_raw_parts_mut(start, 2 * SLOT_BYTES / 4) };
    let (first, second) = words.split_at_mut(SLOT_BYTES / 4);
    Some([RamFlash(first), RamFlash(second)])
}

impl RamFlash {
    fn bytes_mut(&mut self, from: u32, len: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        let bytes = bytemuck::cast_slice_mut(self.0);
        bytes.get_mut(from as usize..).and_then(|bytes| bytes.get_mut(..len)).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl ErrorType for RamFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.copy_from_slice(self.bytes_mut(offset, bytes.len())?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        4 * self.0.len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        check_erase(self, from, to)?;
        self.bytes_mut(from, to.saturating_sub(from) as usize)?.fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        check_write(self, offset, bytes.len())?;
        self.bytes_mut(offset, bytes.len())?.iter_mut().zip(bytes).for_each(|(place, byte)| *place &= byte);
        Ok(())
    }
}

impl Slot for RamFlash {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.0)
    }
}
