//! What a library for C has that a crate for Rust has not.

/// On a computer with an operating system the standard library has the panic handler.
#[cfg(not(target_os = "none"))]
extern crate std;

/// Nothing in the library panics: a test links it and finds that this was left out.
#[cfg(target_os = "none")]
#[panic_handler]
fn ffm_panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
