//! Counts evaluations of a model: the encoding, one point, and points in a batch.

use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};

use crate::count::Count;
use crate::evaluator::Evaluator;
use crate::failure::Failure;
use crate::{board, sequence, stack};

/// Points evaluated in each form: enough for a tick of the slowest clock to be less than an instruction of each.
const SAMPLES: usize = 128;
/// Points of the largest batch.
const BATCH: usize = 16;

/// Counts every form, a batch of `batch` points (at most [`BATCH`]) among them.
pub(crate) fn run(evaluator: &mut Evaluator, batch: usize) -> Result<(), Failure> {
    let (d, c) = (evaluator.model().inputs(), evaluator.model().outputs());
    let batch = batch.clamp(1, BATCH);
    let (mut points, mut outputs) = ([0.0; BATCH * MAX_INPUTS], [0.0; BATCH * MAX_OUTPUTS]);
    let points = points.get_mut(..batch * d).ok_or(Failure::Buffers)?;
    let outputs = outputs.get_mut(..batch * c).ok_or(Failure::Buffers)?;
    let (mut encoding, mut single, mut together) = (Count::default(), Count::default(), Count::default());
    let (mut single_stack, mut batch_stack) = (0, 0);
    for first in (0..SAMPLES).step_by(batch) {
        for (point, k) in points.chunks_exact_mut(d).zip(first..) {
            sequence::place(evaluator.model(), k as u32, point);
        }
        let mut coordinates = [0; MAX_INPUTS];
        for (k, coordinate) in coordinates.iter_mut().enumerate() {
            *coordinate = ((first + 1) * (2 * k + 1)) as u32 * 0x9e37_79b9;
        }
        let coordinates = &coordinates[..d];
        encoding.time(1, || evaluator.encode(coordinates)).map_err(Failure::Evaluation)?;

        let painted = stack::paint();
        for (point, output) in points.chunks_exact(d).zip(outputs.chunks_exact_mut(c)) {
            single.time(1, || evaluator.single(point, output)).map_err(Failure::Evaluation)?;
        }
        single_stack = painted.used_bytes().max(single_stack);
        let painted = stack::paint();
        together.time(batch, || evaluator.batch(points, outputs)).map_err(Failure::Evaluation)?;
        batch_stack = painted.used_bytes().max(batch_stack);
    }
    encoding.log("encoding");
    single.log("single");
    together.log("batch");
    defmt::info!("buffers scratch_words={=usize}", board::SCRATCH_WORDS);
    defmt::info!("stack single={=usize} batch={=usize}", single_stack, batch_stack);
    Ok(())
}
