//! An artifact in memory, and what the host makes of it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use firmware_core::{EvalError, Model, Precision};
use firmware_cortexm::protocol::REJECTED_BITS;

/// An artifact's bytes, at a multiple of four as [`Model::parse`] asks.
#[derive(Clone, Debug)]
pub struct Artifact {
    words: Vec<u32>,
    len: usize,
}

impl Artifact {
    /// Copies bytes.
    pub fn new(bytes: &[u8]) -> Self {
        let mut words = vec![0u32; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut::<u32, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    /// Reads a file and checks that it is a model.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or [`Model::parse`] refuses it.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read the model {}", path.display()))?;
        let artifact = Self::new(&bytes);
        let checked = artifact.model().map(|_| ());
        checked.map_err(|error| anyhow!("{} is not a usable model: {error}", path.display()))?;
        Ok(artifact)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The model.
    ///
    /// # Errors
    ///
    /// What [`Model::parse`] found wrong.
    pub fn model(&self) -> Result<Model<'_>, firmware_core::ParseError> {
        Model::parse(self.bytes())
    }
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

/// The precision's name on command lines.
pub fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::W8A16 => "w8a16",
        Precision::W16A16 => "w16a16",
    }
}
