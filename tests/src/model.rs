//! Models on the host: what a device must agree with.

use std::path::Path;

use anyhow::{Result, anyhow};
use firmware_core::{EvalError, Model};
use firmware_cortexm::protocol::REJECTED_BITS;
use trainer::artifact::export::Artifact;

/// Reads a file and checks that it is a model.
///
/// # Errors
///
/// Where the file cannot be read, or [`Model::parse`] refuses it.
pub fn read(path: &Path) -> Result<Artifact> {
    let bytes = trainer::base::files::read(path)?;
    let artifact = Artifact::from_bytes(&bytes);
    let checked = artifact.model().map(|_| ());
    checked.map_err(|error| anyhow!("{} is not a usable model: {error}", path.display()))?;
    Ok(artifact)
}

/// Evaluates points `[n, d]` on the host, one by one: the outputs `[n, c]` that a device must give, with
/// [`REJECTED_BITS`] for points that the model rejects.
///
/// # Errors
///
/// Where the points' length does not fit the model.
pub fn evaluate(model: &Model<'_>, points: &[f32]) -> Result<Vec<f32>> {
    let mut scratch = vec![0; model.scratch_words()];
    let mut outputs = vec![0.0; points.len() / model.inputs() * model.outputs()];
    let pairs = points.chunks(model.inputs()).zip(outputs.chunks_exact_mut(model.outputs()));
    for (point, output) in pairs {
        match model.eval_into(point, &mut scratch, output) {
            Ok(()) => {}
            Err(EvalError::OutsideDomain) => output.fill(f32::from_bits(REJECTED_BITS)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(outputs)
}
