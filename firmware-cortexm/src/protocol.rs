//! The files by which a host gives a device under QEMU its job, and takes the results.
//!
//! All numbers are little-endian. The host writes [`JOB_FILE`] and [`POINTS_FILE`] into QEMU's working directory, the
//! device writes [`OUTPUTS_FILE`].

use core::ffi::CStr;

/// A [`Job`], [`Job::BYTES`] long.
pub const JOB_FILE: &CStr = c"job.bin";
/// The points `[samples, inputs]`, f32, in the user's units.
pub const POINTS_FILE: &CStr = c"points.bin";
/// The outputs `[samples, outputs]`, f32, in the user's units.
pub const OUTPUTS_FILE: &CStr = c"outputs.bin";

/// What the device writes for every output of a point that the model rejects: a NaN that no evaluation makes.
pub const REJECTED_BITS: u32 = 0x7fc0_0bad;

/// The loop that the device times at boot, in instructions: two a turn.
pub const CALIBRATION_INSTRUCTIONS: u32 = 1 << 21;

/// Points that [`Mode::Count`] evaluates together.
pub const BATCHES: [usize; 4] = [1, 2, 4, 8];

/// Outputs of a pixel: red, green, blue, depth, opacity.
pub const PIXEL_VALUES: usize = 5;

/// What the device is to do with the points.
///
/// But for [`Mode::Draw`], the region `MODEL` holds one artifact or several, one behind another; each is a model of its
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Evaluate every point once, chunk by chunk, in turn by the single and by the batch form. Of several artifacts,
    /// the first takes the first `samples` points of the file, and so on.
    Evaluate,
    /// Count the instructions of evaluations of points of the device's own, in each of [`BATCHES`].
    Count,
    /// Compare the core's kernels with the portable ones on points of the device's own, `samples` of them for each
    /// artifact.
    Compare,
    /// Draw views of a radiance field, `samples` of them: the points are their cameras, the region holds the volume and
    /// the artifact behind it, the outputs are [`PIXEL_VALUES`] a pixel.
    Draw,
}

/// A job for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// What to do.
    pub mode: Mode,
    /// Size of what lies in the board's region `MODEL`, in bytes.
    pub model_bytes: u32,
    /// Number of points for each artifact; what they are is up to the mode.
    pub samples: u32,
}

/// Why bytes are not a [`Job`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "device", derive(defmt::Format))]
pub enum JobError {
    /// The first word is not [`Job::MAGIC`]: another kind of file, or another version of the protocol.
    Magic,
    /// The mode is none of [`Mode`].
    Mode,
}

impl core::fmt::Display for JobError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Magic => "not a job file of this version",
            Self::Mode => "unknown mode of the job",
        })
    }
}

impl core::error::Error for JobError {}

impl Job {
    /// The first word of the file; changes with the layout.
    pub const MAGIC: u32 = u32::from_le_bytes(*b"JOB1");
    /// Size of the file.
    pub const BYTES: usize = 16;

    /// The file's bytes.
    ///
    /// ```
    /// use firmware_cortexm::protocol::{Job, Mode};
    /// let job = Job { mode: Mode::Evaluate, model_bytes: 1234, samples: 100_000 };
    /// assert_eq!(Job::from_bytes(&job.to_bytes()), Ok(job));
    /// ```
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mode = match self.mode {
            Mode::Evaluate => 1,
            Mode::Count => 2,
            Mode::Compare => 3,
            Mode::Draw => 4,
        };
        let mut bytes = [0; Self::BYTES];
        for (field, word) in bytes.chunks_exact_mut(4).zip([Self::MAGIC, mode, self.model_bytes, self.samples]) {
            field.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads the file's bytes.
    ///
    /// # Errors
    ///
    /// [`JobError`] where they are not a job of this version.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self, JobError> {
        let word = |i: usize| u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]]);
        if word(0) != Self::MAGIC {
            return Err(JobError::Magic);
        }
        let mode = match word(1) {
            1 => Mode::Evaluate,
            2 => Mode::Count,
            3 => Mode::Compare,
            4 => Mode::Draw,
            _ => return Err(JobError::Mode),
        };
        Ok(Self { mode, model_bytes: word(2), samples: word(3) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_foreign_bytes() {
        let mut bytes = Job { mode: Mode::Evaluate, model_bytes: 1, samples: 2 }.to_bytes();
        bytes[4] = 9;
        assert_eq!(Job::from_bytes(&bytes), Err(JobError::Mode));
        bytes[0] ^= 1;
        assert_eq!(Job::from_bytes(&bytes), Err(JobError::Magic));
    }
}
