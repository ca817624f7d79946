//! Evaluates a model at points of a file, on any computer with an operating system.
//!
//! Arguments: the model, the points and where the outputs go. Points are `[n, inputs]` and outputs `[n, outputs]` of
//! f32, little-endian, in the user's units. The known answers of the model are checked first. Then points are evaluated
//! in turn one by one and in batches, so that both forms can be compared with another computer's. A fourth argument, N:
//! skip the known answers and evaluate all points N times; two runs that differ in it alone tell what the evaluations
//! take.
//!
//! ```text
//! cargo run -p firmware-core --example answers -- model.ffm points.f32 outputs.f32
//! ```

use std::env;
use std::error::Error;
use std::fs;
use std::num::NonZero;

use firmware_core::{EvalError, Model};

/// Points of a batch: not a multiple of any kernel's lanes.
const BATCH: usize = 61;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (model_path, points_path, outputs_path, times) = match &arguments[..] {
        [model, points, outputs] => (model, points, outputs, None),
        [model, points, outputs, times] => (model, points, outputs, Some(times.parse::<NonZero<usize>>()?)),
        _ => {
            return Err("give three files: the model, the points, and the outputs to write; then N, if you like".into());
        }
    };
    // Words, because a model is read in place and begins at a multiple of four.
    let file = fs::read(model_path)?;
    let mut words = vec![0u32; file.len().div_ceil(4)];
    bytemuck::cast_slice_mut::<u32, u8>(&mut words)[..file.len()].copy_from_slice(&file);
    let model = Model::parse(&bytemuck::cast_slice(&words)[..file.len()])?;
    let mut scratch = vec![0; model.batch_scratch_words().max(model.scratch_words())];
    if times.is_none() {
        model.self_test(&mut scratch)?;
    }

    let points: Vec<f32> =
        fs::read(points_path)?.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let mut outputs = vec![0.0; points.len() / model.inputs() * model.outputs()];
    for _ in 0..times.map_or(1, NonZero::get) {
        evaluate(&model, &points, &mut scratch, &mut outputs)?;
    }
    let bytes: Vec<u8> = outputs.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(outputs_path, bytes)?;
    Ok(())
}

/// Evaluates the points `[n, inputs]` in turn one by one and in batches.
fn evaluate(model: &Model<'_>, points: &[f32], scratch: &mut [u32], outputs: &mut [f32]) -> Result<(), EvalError> {
    let chunks = points.chunks(BATCH * model.inputs()).zip(outputs.chunks_mut(BATCH * model.outputs()));
    for (k, (points, outputs)) in chunks.enumerate() {
        if k % 2 == 1 {
            model.eval_batch_into(points, scratch, outputs)?;
            continue;
        }
        for (point, output) in points.chunks(model.inputs()).zip(outputs.chunks_mut(model.outputs())) {
            model.eval_into(point, scratch, output)?;
        }
    }
    Ok(())
}
