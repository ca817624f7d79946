//! Random numbers that depend on the seed, their purpose and the step alone, so that a resumed run draws what an
//! uninterrupted one would have drawn, with any number of threads.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for. Each purpose has a stream of its own: two with the same number do not compile.
///
/// The numbers are part of every result that a seed repeats; new purposes take new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// The order of the samples in an epoch.
    SampleOrder = 1,
    /// The Gaussian rows of B.
    Frequencies = 2,
    /// Weights and biases before training.
    InitialParameters = 3,
    /// The samples that are kept beside a network, for quantizing it.
    KeptSamples = 4,
    /// Points between the samples that are kept, for quantizing.
    PointsBetweenSamples = 5,
    /// The phases of the waves that the figure `axis-aligned` trains on.
    WavePhase = 11,
    /// The cameras of a synthetic scene.
    Cameras = 20,
    /// The points at which the occupancy grid asks for the density.
    OccupancyPoints = 21,
    /// The rays of a training step.
    Rays = 22,
    /// The rays whose samples calibrate the quantization.
    CalibrationRays = 23,
    /// The samples by which candidates of `--scale auto` are compared.
    ScaleJudges = 30,
    /// A subset of what there is: the rows that the guide's search sees, the frequencies that an MRI measures.
    Subset = 31,
    /// The points at which a known function is sampled: a guide between the rows, the inside of a shape.
    SamplePoints = 32,
    /// What judges and does not train: the folds of a table, the test points of a shape.
    HeldOut = 33,
    /// The orientation and the shift of a synthetic particle.
    ParticlePose = 101,
    /// The noise of a synthetic particle's image.
    ParticleNoise = 102,
    /// Weights and biases of CryoDRGN's encoder and decoder before training.
    CryoInitialParameters = 201,
    /// The frequencies and latents that calibrate the decoder's quantization.
    CryoCalibration = 202,
    /// The images of a training step.
    CryoImages = 203,
    /// The frequencies and latents that a chunk of a step draws.
    CryoDraws = 204,
}

/// Random numbers for one purpose in one step: a function of its arguments alone.
pub fn step_rng(seed: u64, purpose: Purpose, step: u64) -> ChaCha8Rng {
    stream([seed, purpose as u64, step])
}

/// The same for one of many parts that draw side by side.
pub fn part_rng(seed: u64, purpose: Purpose, part: u32, step: u64) -> ChaCha8Rng {
    stream([seed, purpose as u64 + ((u64::from(part) + 1) << 32), step])
}

/// What is drawn from a stream that the seed alone chooses, so that for one seed all of these draw the same numbers.
///
/// The numbers are part of every result that a seed repeats. What is new takes a [`Purpose`], which has a stream of its
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainPurpose {
    /// The samples that `--holdout` keeps from training.
    Holdout,
    /// The centres of the patches that a kernel regression is judged on.
    KernelPatches,
    /// The words of the figures' picture of text.
    TextPicture,
    /// Weights and biases of the figures' networks before training.
    FigureParameters,
    /// The networks that `trainer ntk gap` compares with their limit.
    DrawnNetworks,
}

/// Random numbers for one of the purposes that share the stream of a seed.
#[expect(clippy::disallowed_methods, reason = "here the stream gets a name")]
pub fn plain_rng(seed: u64, purpose: PlainPurpose) -> ChaCha8Rng {
    // The name is for the reader: no number depends on it.
    let _ = purpose;
    ChaCha8Rng::seed_from_u64(seed)
}

fn stream(words: [u64; 3]) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn every_argument_changes_the_numbers_and_nothing_else_does() {
        let draw = |mut rng: ChaCha8Rng| -> u64 { rng.random() };
        let all = [
            draw(step_rng(0, Purpose::Frequencies, 0)),
            draw(step_rng(1, Purpose::Frequencies, 0)),
            draw(step_rng(0, Purpose::SampleOrder, 0)),
            draw(step_rng(0, Purpose::Frequencies, 1)),
            draw(part_rng(0, Purpose::Frequencies, 0, 0)),
            draw(part_rng(0, Purpose::Frequencies, 1, 0)),
        ];
        for (index, number) in all.iter().enumerate() {
            assert!(!all[..index].contains(number), "{index}");
        }
        assert_eq!(all[0], draw(step_rng(0, Purpose::Frequencies, 0)));
    }
}
