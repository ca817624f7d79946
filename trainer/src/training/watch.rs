//! Who watches a training: progress goes out, the wish to stop comes in.

use super::{TrainError, TrainState};
use std::sync::atomic::AtomicBool;

/// Who watches and interrupts a run. [`Watch::default`] lets it run to its end in silence.
#[derive(Default)]
pub struct Watch<'a> {
    /// Set from elsewhere (ctrl-C): the loop ends after the step at hand.
    pub stop: Option<&'a AtomicBool>,
    /// Shows how far the run is.
    pub progress: Option<&'a mut dyn Progress>,
    /// Writes the state somewhere: called every 30 s, so that a crash costs no more.
    #[expect(clippy::type_complexity, reason = "a callback, spelled out once")]
    pub save: Option<&'a mut dyn FnMut(&TrainState) -> Result<(), TrainError>>,
    /// Sees every step: the state before its update, and the loss in that state.
    #[expect(clippy::type_complexity, reason = "a callback, spelled out once")]
    pub observe: Option<&'a mut dyn FnMut(&TrainState, f64)>,
}

impl Watch<'_> {
    /// The same watch, lent to one of several trainings in a row.
    pub fn reborrow(&mut self) -> Watch<'_> {
        Watch {
            stop: self.stop,
            progress: self.progress.as_mut().map(|progress| &mut **progress as _),
            save: self.save.as_mut().map(|save| &mut **save as _),
            observe: self.observe.as_mut().map(|observe| &mut **observe as _),
        }
    }

    /// Tells the progress display what comes next.
    pub fn stage(&mut self, name: &str) {
        if let Some(progress) = &mut self.progress {
            progress.stage(name);
        }
    }
}

/// Shows how far a run is.
pub trait Progress {
    /// Tells what comes next: of several trainings in a row, which.
    fn stage(&mut self, _name: &str) {}
    /// Before the first step of a training, of whose `steps` some may be done already.
    fn begin(&mut self, _steps: u64, _done: u64) {}
    /// After every step.
    fn step(&mut self, at: StepDone);
    /// Once, when the loop ends, for whatever reason.
    fn end(&mut self);
}

/// How far a run is after a step, and how good the network was before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepDone {
    /// Steps done since the very start.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// The loss of the step's batch, before the parameters moved.
    pub loss: f64,
    /// The PSNR that the loss stands for, in dB, if it stands for one.
    pub psnr_db: Option<f64>,
}

/// Why a training returned without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All steps are done.
    Finished,
    /// It was told to stop; the state can be continued.
    Interrupted,
}
