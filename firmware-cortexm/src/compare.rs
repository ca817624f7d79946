//! Compares the core's kernels with the portable ones, which are built in beside them.

use firmware_core::limits::{MAX_INPUTS, MAX_OUTPUTS};
use firmware_core::{EvalError, Model};

use crate::evaluator::take_scratch;
use crate::failure::Failure;
use crate::{model_source, sequence};

/// Points that are evaluated side by side: more than any kernel's lanes, and not a multiple of them.
const BATCH: usize = 5;
/// Placements of the scratch, in words from its start.
const PLACEMENTS: usize = 4;

/// Evaluates `samples` points with each of the artifacts, by both kinds of kernels.
pub(crate) fn run(mut artifacts: &'static [u8], samples: usize) -> Result<(), Failure> {
    let scratch = take_scratch()?;
    let (mut models, mut evaluations, mut mismatched) = (0u32, 0u32, 0u32);
    while !artifacts.is_empty() {
        let (artifact, rest) = model_source::split_first(artifacts);
        artifacts = rest;
        let model = Model::parse(artifact).map_err(Failure::Model)?;
        for sample in 0..samples {
            mismatched += u32::from(!point_agrees(&model, scratch, sample).map_err(Failure::Evaluation)?);
            evaluations += 1;
        }
        mismatched += u32::from(!batch_agrees(&model, scratch).map_err(Failure::Evaluation)?);
        models += 1;
    }
    defmt::info!("compared models={=u32} evaluations={=u32} mismatched={=u32}", models, evaluations, mismatched);
    if mismatched > 0 { Err(Failure::KernelsDiffer) } else { Ok(()) }
}

/// One point by both kinds, in a scratch that begins a few words later from sample to sample.
fn point_agrees(model: &Model<'_>, scratch: &mut [u32], sample: usize) -> Result<bool, EvalError> {
    let scratch = scratch.get_mut(sample % PLACEMENTS..).unwrap_or_default();
    let mut coordinates = [0; MAX_INPUTS];
    for (k, coordinate) in coordinates.iter_mut().enumerate() {
        *coordinate = match sample {
            // The ends of the unit interval, where features are largest, and their neighbours.
            0..16 => [0, u32::MAX, 1 << 31, (1 << 31) - 1][(sample >> (2 * (k % 2))) % 4],
            _ => ((sample * MAX_INPUTS + k) as u32).wrapping_mul(0x9e37_79b9).rotate_left(7).wrapping_mul(0x85eb_ca6b),
        };
    }
    let coordinates = &coordinates[..model.inputs()];
    let (mut fast, mut portable) = ([0; MAX_OUTPUTS], [0; MAX_OUTPUTS]);
    // What lies in the scratch before does not matter.
    let used = scratch.len().min(model.scratch_words());
    scratch.get_mut(..used).unwrap_or_default().fill(0xa5a5_a5a5_u32.wrapping_add(sample as u32));
    model.eval_fixed_into(coordinates, scratch, &mut fast[..model.outputs()])?;
    model.eval_fixed_portable_into(coordinates, scratch, &mut portable[..model.outputs()])?;
    Ok(fast == portable)
}

/// A batch and the same points one by one.
fn batch_agrees(model: &Model<'_>, scratch: &mut [u32]) -> Result<bool, EvalError> {
    let (d, c) = (model.inputs(), model.outputs());
    let (mut points, mut together, mut alone) =
        ([0.0; BATCH * MAX_INPUTS], [0.0; BATCH * MAX_OUTPUTS], [0.0; BATCH * MAX_OUTPUTS]);
    let (points, together, alone) = (&mut points[..BATCH * d], &mut together[..BATCH * c], &mut alone[..BATCH * c]);
    for (k, point) in points.chunks_exact_mut(d).enumerate() {
        sequence::place(model, k as u32, point);
    }
    model.eval_batch_into(points, scratch, together)?;
    for (point, out) in points.chunks_exact(d).zip(alone.chunks_exact_mut(c)) {
        model.eval_into(point, scratch, out)?;
    }
    Ok(together.iter().zip(&*alone).all(|(a, b)| a.to_bits() == b.to_bits()))
}
