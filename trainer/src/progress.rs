//! How far a run is, on standard error: a bar on a terminal, else a line now and then.

use crate::train::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// Time between two redraws of the bar.
const REDRAW: Duration = Duration::from_millis(100);
/// Time between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// Progress of `steps` steps, in the form that standard error can show.
pub fn on_stderr(steps: u64, done: u64) -> Box<dyn Progress> {
    let start = Instant::now();
    if stderr().is_terminal() {
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} steps  {msg}  {eta} left");
        let bar = ProgressBar::new(steps).with_style(style.expect("a fixed template")).with_position(done);
        Box::new(Bar { bar, shown: None })
    } else {
        Box::new(Lines { first: done, start, shown: start, last: None })
    }
}

fn quality(loss: f64, psnr_db: Option<f64>) -> String {
    psnr_db.map_or_else(|| format!("loss {loss:.3e}"), |psnr| format!("loss {loss:.3e}  PSNR {psnr:.2} dB"))
}

struct Bar {
    bar: ProgressBar,
    shown: Option<Instant>,
}

impl Progress for Bar {
    fn step(&mut self, step: u64, steps: u64, loss: f64, psnr_db: Option<f64>) {
        if step == steps || self.shown.is_none_or(|shown| shown.elapsed() >= REDRAW) {
            self.bar.set_position(step);
            self.bar.set_message(quality(loss, psnr_db));
            self.shown = Some(Instant::now());
        }
    }

    fn end(&mut self) {
        self.bar.abandon();
    }
}

struct Lines {
    /// Steps done before this run.
    first: u64,
    start: Instant,
    shown: Instant,
    /// A line that is yet to be printed.
    last: Option<String>,
}

impl Progress for Lines {
    fn step(&mut self, step: u64, steps: u64, loss: f64, psnr_db: Option<f64>) {
        let is_due = self.shown.elapsed() >= LINE;
        if !is_due && step < steps {
            return;
        }
        let per_step = self.start.elapsed().as_secs_f64() / (step - self.first).max(1) as f64;
        let left = (per_step * (steps - step) as f64).round();
        let line = format!("step {step}/{steps}  {}  {left:.0} s left", quality(loss, psnr_db));
        if is_due {
            crate::note!("{line}");
            (self.shown, self.last) = (Instant::now(), None);
        } else {
            self.last = Some(line);
        }
    }

    fn end(&mut self) {
        if let Some(line) = self.last.take() {
            crate::note!("{line}");
        }
    }
}
