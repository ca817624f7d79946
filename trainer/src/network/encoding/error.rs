//! Why an encoding is refused.

use super::super::grid::GridParamsError;
use super::kind::EncodingKind;
use firmware_core::limits::MAX_INPUTS;

/// Why there is no such encoding.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncodingError {
    /// There are no such grids.
    #[error(transparent)]
    Grid(#[from] GridParamsError),
    /// Frequencies of grids, which have none.
    #[error("--encoding {} has no frequencies; choose gaussian, positional, fourier or basic", kind.name())]
    NoFrequencies {
        /// The encoding that was asked for.
        kind: EncodingKind,
    },
    /// Too many inputs or none.
    #[error("{inputs} inputs cannot be encoded; a device takes 1 to {MAX_INPUTS}")]
    Inputs {
        /// Coordinates of a point.
        inputs: usize,
    },
    /// More coordinates pass than there are.
    #[error("{passthrough} of {inputs} inputs cannot be passed through unencoded")]
    Passthrough {
        /// Coordinates that are to skip the encoding.
        passthrough: usize,
        /// Coordinates of a point.
        inputs: usize,
    },
    /// No row at all, or more than are possible: on a device, or in the memory of a desktop.
    #[error("{rows} frequencies are not possible; --frequencies takes {least} to {most} for {inputs} inputs")]
    Rows {
        /// Number of frequencies that was asked for.
        rows: usize,
        /// The smallest number that gives each axis a frequency.
        least: usize,
        /// The largest number that a device, or the memory, has room for.
        most: usize,
        /// Coordinates of a point.
        inputs: usize,
    },
    /// σ is no positive number.
    #[error("a scale of {scale} is not possible; --scale takes a positive number, 1 to 50 for most signals")]
    Scale {
        /// The σ that was asked for.
        scale: f64,
    },
    /// A frequency does not fit Q16.16.
    #[error("a frequency of {frequency:.4e} cycles is beyond ±32767; lower --scale")]
    Frequency {
        /// The frequency in cycles over the domain.
        frequency: f64,
    },
    /// All frequencies vanish in Q16.16.
    #[error("all frequencies round to zero, and the encoding would be constant; raise --scale")]
    AllZero,
    /// A periodic axis that the network sees as it is.
    #[error(
        "input {number} is not encoded, and a network is periodic only along encoded inputs; leave out --encoding none \
         or --periodic",
        number = axis + 1
    )]
    WholeAxis {
        /// The axis, counted from 0.
        axis: usize,
    },
    /// p is no number ≥ 0.
    #[error("an amplitude power of {power} is not possible; --amplitude-power takes a number from 0 to inf")]
    Power {
        /// The p that was asked for.
        power: f64,
    },
    /// Amplitudes for an encoding that has none.
    #[error("--amplitude-power belongs to --encoding fourier")]
    PowerWithoutFourier,
    /// A list for an encoding that makes its own frequencies.
    #[error("a list of frequencies belongs to --encoding fourier")]
    ListWithoutFourier,
    /// The notebook's variant of something else.
    #[error("--positional-notebook belongs to --encoding positional")]
    NotebookWithoutPositional,
}
