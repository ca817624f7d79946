//! Ctrl-C and the signal by which others end a program (SIGTERM): the first one asks a run to stop where it can be
//! continued, a second one, more than a second later, ends the program at once. SIGHUP is left alone, for `nohup` to
//! decide on.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What shells expect of a program that ctrl-C ended.
const INTERRUPTED: i32 = 130;
/// Signals within this time are one: `timeout` and job managers send theirs to the process and to its group.
const ONE_WISH: Duration = Duration::from_secs(1);

static STOP: AtomicBool = AtomicBool::new(false);
static CAUGHT: AtomicBool = AtomicBool::new(false);
static FIRST: OnceLock<Instant> = OnceLock::new();

/// Catches these signals from here on and returns the flag that it sets.
pub(crate) fn catch() -> anyhow::Result<&'static AtomicBool> {
    if CAUGHT.swap(true, Ordering::Relaxed) {
        return Ok(&STOP);
    }
    ctrlc::set_handler(wish)?;
    #[cfg(unix)]
    {
        let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM])?;
        std::thread::spawn(move || signals.forever().for_each(|_| wish()));
    }
    Ok(&STOP)
}

/// One of the signals came.
fn wish() {
    let first = FIRST.get_or_init(Instant::now);
    if STOP.swap(true, Ordering::Relaxed) {
        if first.elapsed() > ONE_WISH {
            std::process::exit(INTERRUPTED);
        }
        return;
    }
    trainer::note!("\nstopping after this step; press ctrl-C again to lose what is not saved");
}

/// Ends the program as interrupted, whatever the signal was. All files must be written.
pub(crate) fn exit() -> ! {
    std::process::exit(INTERRUPTED)
}
