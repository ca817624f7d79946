//! The smallest program with updates in it: what they cost. It is linked, measured and never run.
//!
//! With the feature `minimal-update` alone, flash and signatures are functions from elsewhere, and the panic handler
//! calls a function that exists nowhere: so this links only where the optimizer has shown that no frame and no content
//! of the flash can make the library panic. With `ed25519` besides, the signatures are those of `ed25519-dalek`, which
//! can panic by its code.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "entry points that the linker keeps, and a symbol that it must not find")]

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use firmware_core::update::frame::Frame;
use firmware_cortexm::update::{Slot, Store, Updater};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(feature = "ed25519")]
    loop {}
    #[cfg(not(feature = "ed25519"))]
    {
        unsafe extern "C" {
            fn the_library_can_panic() -> !;
        }
        // SAFETY: never linked.
        unsafe { the_library_can_panic() }
    }
}

/// A flash from elsewhere.
pub struct Flash {
    bytes: &'static [u8],
    erase: fn(u32, u32) -> Result<(), NorFlashErrorKind>,
    write: fn(u32, &[u8]) -> Result<(), NorFlashErrorKind>,
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), Self::Error> {
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        (self.erase)(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        (self.write)(offset, bytes)
    }
}

impl Slot for Flash {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }
}

/// Signatures by `ed25519-dalek`.
#[cfg(feature = "ed25519")]
type Verifier = firmware_cortexm::update::Ed25519;

/// Signatures from elsewhere.
#[cfg(not(feature = "ed25519"))]
pub struct Verifier {
    verify: fn(&[u8], &[u8; 64]) -> bool,
    digest: fn(&[u8]) -> [u8; 32],
}

#[cfg(not(feature = "ed25519"))]
impl firmware_cortexm::update::Verifier for Verifier {
    fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        (self.verify)(message, signature)
    }

    fn digest(&self, artifact: &[u8]) -> [u8; 32] {
        (self.digest)(artifact)
    }
}

/// The maker's key from elsewhere.
// SAFETY: the name is unique in this program.
#[cfg(feature = "ed25519")]
#[unsafe(no_mangle)]
pub extern "Rust" fn key(bytes: &[u8; 32]) -> Option<Verifier> {
    Verifier::new(bytes)
}

/// Decides what to serve at boot.
// SAFETY: the name is unique in this program.
#[unsafe(no_mangle)]
pub extern "Rust" fn _start(
    slots: [Flash; 2],
    verifier: Verifier,
    scratch: &mut [u32],
) -> Option<Updater<Flash, Verifier>> {
    let store = Store::open(slots, verifier, 0, scratch).ok()?;
    store.model().ok()?;
    Some(Updater::new(store))
}

/// Does all that a host can ask for.
// SAFETY: the name is unique in this program.
#[unsafe(no_mangle)]
pub extern "Rust" fn push(updater: &mut Updater<Flash, Verifier>, byte: u8, scratch: &mut [u32]) -> Option<Frame> {
    updater.push(byte, scratch)
}
