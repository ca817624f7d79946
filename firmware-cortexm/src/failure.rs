//! Why the program ends with exit code 1.

use firmware_core::{EvalError, ParseError};

/// A refusal or a wrong result; logged as the last line.
#[derive(Clone, Copy, defmt::Format)]
pub(crate) enum Failure {
    /// The core's peripherals were taken before.
    #[cfg(target_arch = "arm")]
    Restarted,
    /// The buffers were taken before.
    Buffers,
    /// The artifact was refused.
    Model(ParseError),
    /// The artifact needs more scratch memory than the board's share.
    Scratch { available_words: usize },
    /// This device does not compute what the trainer computed.
    SelfTest(EvalError),
    /// A point could not be evaluated.
    Evaluation(EvalError),
    /// The two forms of evaluation disagree.
    #[cfg(baked_model)]
    FormsDiffer,
    /// The core's kernels and the portable ones disagree.
    #[cfg(not(baked_model))]
    KernelsDiffer,
    /// The volume to draw was refused.
    #[cfg(not(baked_model))]
    Volume(firmware_core::march::VolumeError),
    /// A file of the job is missing, too short, or not to be written.
    #[cfg(not(baked_model))]
    File,
    /// The job's bytes are not a job.
    #[cfg(not(baked_model))]
    Job(firmware_cortexm::protocol::JobError),
    /// The artifact is larger than the board's region `MODEL`.
    #[cfg(not(baked_model))]
    ModelRegion,
}
