//! The job of a program with a built-in model: a walk over the domain, by both forms of evaluation.

use crate::count::Count;
use crate::evaluator::{Evaluator, take_scratch};
use crate::failure::Failure;
use crate::{board, model_source, sequence, stack};

/// Points of the walk.
const SAMPLES: u32 = 1024;

/// Points that are evaluated side by side.
const BATCH: usize = 8;

/// Checks the model, evaluates the walk by both forms, and requires that they agree in every bit.
pub(crate) fn run() -> Result<(), Failure> {
    const LEN: usize = BATCH * firmware_core::limits::MAX_INPUTS;
    const { assert!(LEN >= BATCH * firmware_core::limits::MAX_OUTPUTS) };
    let mut evaluator = Evaluator::new(model_source::bytes(), take_scratch()?)?;
    defmt::info!("buffers scratch_words={=usize} chunk_words=0", board::SCRATCH_WORDS);
    let (point_len, output_len) = (evaluator.model().inputs(), evaluator.model().outputs());
    let (mut points, mut together, mut alone) = ([0.0; LEN], [0.0; LEN], [0.0; LEN]);
    let points = &mut points[..BATCH * point_len];
    let together = &mut together[..BATCH * output_len];
    let alone = &mut alone[..BATCH * output_len];

    let (mut single, mut batch) = (Count::default(), Count::default());
    let painted = stack::paint();
    for first in (0..SAMPLES).step_by(BATCH) {
        for (point, k) in points.chunks_exact_mut(point_len).zip(first..) {
            sequence::place(evaluator.model(), k, point);
        }
        batch.time(BATCH, || evaluator.batch(points, together)).map_err(Failure::Evaluation)?;
        single
            .time(BATCH, || {
                let pairs = points.chunks_exact(point_len).zip(alone.chunks_exact_mut(output_len));
                pairs.into_iter().try_for_each(|(point, output)| evaluator.single(point, output))
            })
            .map_err(Failure::Evaluation)?;
        if together.iter().zip(&*alone).any(|(a, b)| a.to_bits() != b.to_bits()) {
            return Err(Failure::FormsDiffer);
        }
    }
    let stack_bytes = painted.used_bytes();
    single.log("single");
    batch.log("batch");
    defmt::info!("stack bytes={=usize}", stack_bytes);
    Ok(())
}
