//! A `.ffm` artifact on the desktop: reading it, and running it with the very code that runs on the device.

use std::path::{Path, PathBuf};

use firmware_core::update::SignedHeader;
use firmware_core::{EvalError, Model, ParseError};
use ndarray::parallel::prelude::*;
use ndarray::{Array2, Axis};
use thiserror::Error;

use crate::artifact::export::Artifact;
use crate::base::files::{self, ReadError};

/// Points per task of [`predict`].
const CHUNK: usize = 2048;

/// Why a model file is of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Missing, a directory, not permitted, or failing.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Not an artifact, or a damaged one.
    #[error("{} is not a usable model; copy it again, or write it anew with the command that made it", path.display())]
    Parse {
        /// The file that was read.
        path: PathBuf,
        /// The first reason why the bytes are no model.
        source: ParseError,
    },
    /// A model behind the header that its maker has signed.
    #[error(
        "{} is a signed model, which `trainer send` takes; name the model file (.ffm) that `trainer sign` made it of",
        path.display()
    )]
    Signed {
        /// The file that was read.
        path: PathBuf,
    },
    /// A point lies outside the domain of a model that rejects such points, or has another number of coordinates.
    #[error("the model refuses sample {sample}")]
    Eval {
        /// Counted from 0, in the data's order. The first of its chunk of points if the reason is not one point.
        sample: usize,
        /// Why the model refuses the sample.
        source: EvalError,
    },
}

/// Whether a file begins as a model file does, whole or not.
#[must_use]
pub fn is_model_file(bytes: &[u8]) -> bool {
    bytes.len() >= 4 && !matches!(Artifact::from_bytes(bytes).model(), Err(ParseError::Magic))
}

/// A model's bytes and the name of the file that they came from.
#[derive(Clone, Debug)]
pub struct ModelFile {
    path: PathBuf,
    artifact: Artifact,
}

impl ModelFile {
    /// Reads a file and checks that it is a model.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is cut, damaged, signed or foreign in any way.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let bytes = files::read(path)?;
        if SignedHeader::from_bytes(&bytes).is_ok() {
            return Err(ModelError::Signed { path: path.to_owned() });
        }
        let file = Self { path: path.to_owned(), artifact: Artifact::from_bytes(&bytes) };
        file.model()?;
        Ok(file)
    }

    /// All bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.artifact.as_bytes()
    }

    /// The checked view.
    ///
    /// # Errors
    ///
    /// If the bytes are not a model; never after [`ModelFile::read`].
    pub fn model(&self) -> Result<Model<'_>, ModelError> {
        self.artifact.model().map_err(|source| ModelError::Parse { path: self.path.clone(), source })
    }
}

/// Evaluates a model at points `[n, d]` in the user's units: `[n, c]` in the user's units, the same bits as on a
/// device.
///
/// ```
/// # use firmware_core::Precision;
/// # use trainer::data::Dataset;
/// # use trainer::fit::FitParams;
/// # use trainer::training::Watch;
/// # let data = Dataset::from_grid(&[16], ndarray::Array2::from_shape_fn((16, 1), |(x, _)| x as f32 / 16.0));
/// # let mut params = FitParams { hidden: vec![16], steps: 300, ..FitParams::default() };
/// # params.encoding.scale = 0.5;
/// # let fitted = params.check(1, 1)?.fit(&data, &mut Watch::default())?;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("line.ffm");
/// # std::fs::write(&path, fitted.artifact(&data, Precision::W8A16)?.as_bytes())?;
/// use ndarray::array;
/// use trainer::artifact::model_file::{ModelFile, predict};
/// // A small model of the function x/16, for x from 0 to 15.
/// let file = ModelFile::read(&path)?;
/// let values = predict(&file.model()?, &array![[4.0], [7.5]])?;
/// assert_eq!(values.dim(), (2, 1));
/// assert!((values[[0, 0]] - 0.25).abs() < 0.05 && (values[[1, 0]] - 7.5 / 16.0).abs() < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If a point lies outside the domain of a model that rejects such points, or has another number of coordinates.
pub fn predict(model: &Model<'_>, points: &Array2<f32>) -> Result<Array2<f32>, ModelError> {
    let mut predictions = Array2::zeros((points.nrows(), model.outputs()));
    predictions
        .axis_chunks_iter_mut(Axis(0), CHUNK)
        .into_par_iter()
        .zip(points.axis_chunks_iter(Axis(0), CHUNK))
        .enumerate()
        .try_for_each(|(chunk, (mut out, points))| {
            let mut scratch = vec![0; model.batch_scratch_words()];
            let points = points.as_standard_layout();
            let (points, out) = (points.as_slice().unwrap_or_default(), out.as_slice_mut().unwrap_or_default());
            model.eval_batch_into(points, &mut scratch, out).map_err(|source| {
                let inside = first_refused(model, points, &mut scratch);
                ModelError::Eval { sample: chunk * CHUNK + inside, source }
            })
        })?;
    Ok(predictions)
}

/// The first point of a refused batch that is refused on its own.
fn first_refused(model: &Model<'_>, points: &[f32], scratch: &mut [u32]) -> usize {
    let mut out = vec![0.0; model.outputs()];
    let refused = |point| model.eval_into(point, scratch, &mut out).is_err();
    points.chunks(model.inputs()).position(refused).unwrap_or(0)
}
