//! How far a run is, on standard error: a bar on a terminal, else a line now and then.
//!
//! [`on_stderr`] is for trainings, [`Count`] for anything else that can be counted.

use crate::training::{Progress, StepDone};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// Time between two redraws of the bar.
const REDRAW: Duration = Duration::from_millis(100);
/// Time between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(5);
/// The same for a [`Count`].
const COUNT_LINE: Duration = Duration::from_secs(10);

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

/// Progress of several trainings in a row, each as [`on_stderr`] shows it below the line that tells which it is.
#[derive(Default)]
pub struct Trainings {
    shown: Option<Box<dyn Progress>>,
}

impl Progress for Trainings {
    fn stage(&mut self, name: &str) {
        crate::note!("{name}");
    }

    fn begin(&mut self, steps: u64, done: u64) {
        self.shown = Some(on_stderr(steps, done));
    }

    fn step(&mut self, at: StepDone) {
        if let Some(shown) = &mut self.shown {
            shown.step(at);
        }
    }

    fn end(&mut self) {
        if let Some(mut shown) = self.shown.take() {
            shown.end();
        }
    }
}

fn quality(at: StepDone) -> String {
    let psnr = at.psnr_db.map_or(String::new(), |psnr| format!(" ({psnr:.2} dB)"));
    format!("training loss {:.3e}{psnr}", at.loss)
}

struct Bar {
    bar: ProgressBar,
    shown: Option<Instant>,
}

impl Progress for Bar {
    fn step(&mut self, at: StepDone) {
        if at.step == at.steps || self.shown.is_none_or(|shown| shown.elapsed() >= REDRAW) {
            self.bar.set_position(at.step);
            self.bar.set_message(quality(at));
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
    fn step(&mut self, at: StepDone) {
        let StepDone { step, steps, .. } = at;
        let is_due = self.shown.elapsed() >= LINE;
        if !is_due && step < steps {
            return;
        }
        let per_step = self.start.elapsed().as_secs_f64() / (step - self.first).max(1) as f64;
        let left = (per_step * (steps - step) as f64).round();
        let line = format!("step {step}/{steps}  {}  {left:.0} s left", quality(at));
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

/// How many of some things are done.
pub struct Count {
    things: &'static str,
    total: u64,
    start: Instant,
    shown: Instant,
    /// None where there is no terminal.
    bar: Option<ProgressBar>,
}

impl Count {
    /// Progress of `total` things, in the form that standard error can show.
    #[must_use]
    pub fn on_stderr(things: &'static str, total: u64) -> Self {
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}  {eta} left").expect("a fixed template");
        let bar = || ProgressBar::new(total).with_style(style).with_message(things);
        let start = Instant::now();
        Self { things, total, start, shown: start, bar: stderr().is_terminal().then(bar) }
    }

    /// Tells how many are done in all; may be called as often as one likes, and shows it now and then.
    pub fn at(&mut self, done: u64) {
        let due = if self.bar.is_some() { REDRAW } else { COUNT_LINE };
        if self.shown.elapsed() < due {
            return;
        }
        self.shown = Instant::now();
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None => crate::note!("{}", count_line(self.things, (done, self.total), self.start.elapsed())),
        }
    }

    /// Removes the bar from the terminal.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn count_line(things: &str, (done, total): (u64, u64), elapsed: Duration) -> String {
    if done == 0 {
        return format!("0/{total} {things}");
    }
    let left = elapsed.as_secs_f64() / done as f64 * total.saturating_sub(done) as f64;
    format!("{done}/{total} {things}  {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_many_are_done_and_how_long_the_others_take() {
        let after = |done| count_line("samples", (done, 2000), Duration::from_secs(10));
        assert_eq!((after(0), after(500)), ("0/2000 samples".to_owned(), "500/2000 samples  30 s left".to_owned()));
        // Counting by a file's size may come to a little more.
        assert_eq!(after(2001), "2001/2000 samples  0 s left");
    }
}
