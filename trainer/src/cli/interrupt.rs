//! Ctrl-C: the first one asks a run to stop where it can be continued, the second ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

/// What shells expect of a program that ctrl-C ended.
const INTERRUPTED: i32 = 130;

static STOP: AtomicBool = AtomicBool::new(false);
static CAUGHT: AtomicBool = AtomicBool::new(false);

/// Catches ctrl-C from here on and returns the flag that it sets.
pub(crate) fn catch() -> anyhow::Result<&'static AtomicBool> {
    if CAUGHT.swap(true, Ordering::Relaxed) {
        return Ok(&STOP);
    }
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        eprintln!("\nstopping after this step; press ctrl-C again to lose what is not saved");
    })?;
    Ok(&STOP)
}

/// Ends the program as interrupted. All files must be written.
pub(crate) fn exit() -> ! {
    std::process::exit(INTERRUPTED)
}
