//! Counts evaluations of a model: the encoding, one point, and points in batches.

use firmware_core::EvalError;
use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};
use firmware_cortexm::protocol::BATCHES;

use crate::count::Count;
use crate::evaluator::Evaluator;
use crate::failure::Failure;
use crate::{sequence, stack};

/// Points evaluated for each count, the same in every batch: enough for a tick of the slowest clock to be an
/// instruction of each.
const SAMPLES: usize = 64;
/// Points of the largest batch.
const LARGEST: usize = BATCHES[BATCHES.len() - 1];

/// Counts the encoding, evaluations in each of [`BATCHES`], and what the core's kernels save.
pub(crate) fn run(evaluator: &mut Evaluator<'_>) -> Result<(), Failure> {
    encoding(evaluator).map_err(Failure::Evaluation)?;
    kernels(evaluator).map_err(Failure::Evaluation)?;
    BATCHES.iter().try_for_each(|&batch| evaluations(evaluator, batch)).map_err(Failure::Evaluation)
}

/// The Q0.32 coordinates of a sample.
fn coordinates(sample: usize) -> [u32; MAX_INPUTS] {
    core::array::from_fn(|k| ((sample * (2 * k + 1)) as u32).wrapping_mul(0x9e37_79b9))
}

fn encoding(evaluator: &mut Evaluator<'_>) -> Result<(), EvalError> {
    let mut count = Count::default();
    for sample in 1..=SAMPLES {
        let coordinates = &coordinates(sample)[..evaluator.model().inputs()];
        count.time(1, || evaluator.encode(coordinates))?;
    }
    count.log("encoding");
    Ok(())
}

/// The same evaluations, without conversions from and to the user's units, by the core's and by the portable kernels.
fn kernels(evaluator: &mut Evaluator<'_>) -> Result<(), EvalError> {
    let (mut core, mut portable) = (Count::default(), Count::default());
    let mut raw = [0; MAX_OUTPUTS];
    let raw = &mut raw[..evaluator.model().outputs()];
    for sample in 1..=SAMPLES {
        let coordinates = &coordinates(sample)[..evaluator.model().inputs()];
        core.time(1, || evaluator.fixed(coordinates, raw))?;
        portable.time(1, || evaluator.fixed_portable(coordinates, raw))?;
    }
    core.log("fixed");
    portable.log("portable");
    Ok(())
}

fn evaluations(evaluator: &mut Evaluator<'_>, batch: usize) -> Result<(), EvalError> {
    let (d, c) = (evaluator.model().inputs(), evaluator.model().outputs());
    let (mut points, mut outputs) = ([0.0; LARGEST * MAX_INPUTS], [0.0; LARGEST * MAX_OUTPUTS]);
    let (points, outputs) = (&mut points[..batch * d], &mut outputs[..batch * c]);
    let (mut count, mut stack_bytes) = (Count::default(), 0);
    for first in (0..SAMPLES).step_by(batch) {
        for (point, k) in points.chunks_exact_mut(d).zip(first..) {
            sequence::place(evaluator.model(), k as u32, point);
        }
        let painted = stack::paint();
        if batch == 1 {
            count.time(1, || evaluator.single(points, outputs))?;
        } else {
            count.time(batch, || evaluator.batch(points, outputs))?;
        }
        stack_bytes = painted.used_bytes().max(stack_bytes);
    }
    let model = evaluator.model();
    let scratch_words = if batch == 1 { model.scratch_words() } else { model.batch_scratch_words() };
    defmt::info!(
        "batch of={=usize} samples={=usize} ticks={=u64} scratch_words={=usize} stack={=usize}",
        batch,
        count.samples(),
        count.ticks(),
        scratch_words,
        stack_bytes
    );
    Ok(())
}
