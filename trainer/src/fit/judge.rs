//! How good a trained network is: in f32, and as a device computes it in the precision that is stored.

use crate::artifact::export::{Artifact, ExportError};
use crate::artifact::model_file::{ModelError, predict};
use crate::artifact::precision::NamedPrecision;
use crate::data::metrics::{HeldOut, Metrics};
use crate::data::{Dataset, Split};
use crate::fit::advice::{self, Advice};
use crate::fit::exportable::{ExportableNetwork, Exported};
use crate::fit::measured::Measured;
use crate::fit::{Snapshot, TrainingData};
use firmware_core::Precision;
use ndarray::{Array2, Axis};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// Quality on the samples that trained and on those held out.
#[derive(Clone, Debug, Serialize)]
pub struct Quality {
    /// Over the samples that trained.
    pub train: Metrics,
    /// Over the samples that were held out, if any were.
    pub test: Option<Metrics>,
}

impl Quality {
    /// Compares predictions `[n, c]` in user units at all samples.
    pub fn new(predictions: &Array2<f32>, dataset: &Dataset, split: &Split) -> Self {
        let of = |samples: &[usize]| {
            let (predictions, targets) =
                (predictions.select(Axis(0), samples), dataset.targets.select(Axis(0), samples));
            Metrics::compare(&predictions, &targets, &dataset.output_maps)
        };
        Self { train: of(&split.train), test: (!split.test.is_empty()).then(|| of(&split.test)) }
    }
}

/// Why a network cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The artifact cannot be made.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The artifact refuses the data.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The user asked to stop.
    #[error("interrupted before the model was measured")]
    Stopped,
}

/// Ends what would go on although the user asked to stop.
///
/// # Errors
/// [`JudgeError::Stopped`] once `stop` is set.
pub fn go_on(stop: Option<&AtomicBool>) -> Result<(), JudgeError> {
    if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) { Err(JudgeError::Stopped) } else { Ok(()) }
}

/// A network in the precision that it is stored in, and what it computes in it.
#[derive(Clone, Debug)]
pub struct OnDevice<'a> {
    /// The network, ready to be written.
    pub exported: Exported<'a>,
    /// What it gives at all samples, `[n, c]`, in the user's units.
    pub predictions: Array2<f32>,
    /// How good these predictions are.
    pub quality: Quality,
}

impl<'a> OnDevice<'a> {
    /// Exports a network, and evaluates the artifact at every sample as a device would, unless `stop` is set in
    /// between.
    ///
    /// # Errors
    /// See [`JudgeError`].
    pub fn new(
        network: &'a ExportableNetwork,
        precision: Precision,
        (data, stop): (TrainingData<'_>, Option<&AtomicBool>),
    ) -> Result<Self, JudgeError> {
        let exported = network.export(precision)?;
        go_on(stop)?;
        let predictions = outputs(&exported.artifact()?, &data.dataset.points)?;
        let quality = Quality::new(&predictions, data.dataset, data.split);
        Ok(Self { exported, predictions, quality })
    }
}

/// What an artifact gives at points `[n, d]`, as a device computes it: `[n, c]`; both in the user's units.
///
/// # Errors
/// [`JudgeError::Model`] if the model refuses a point.
pub fn outputs(artifact: &Artifact, points: &Array2<f32>) -> Result<Array2<f32>, JudgeError> {
    Ok(predict(&artifact.model().map_err(ExportError::Parse)?, points)?)
}

/// A trained network, judged.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// In the precision that is stored; its text tells of `held_out`.
    pub device: OnDevice<'a>,
    /// At samples that no training saw, if there are any.
    pub held_out: Option<HeldOut>,
    /// What the user should know of the precision.
    pub advice: Option<Advice>,
}

/// What a network is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judging<'a> {
    /// The network with its data.
    pub snapshot: Snapshot<'a>,
    /// How good it is in f32.
    pub f32: &'a Quality,
    /// The precision to store it in; `None`: `w8a16`, or `w16a16` where `w8a16` loses more than 1 dB of the PSNR over
    /// all training samples.
    pub precision: Option<Precision>,
    /// What trainings without some of the samples gave, if there were any.
    pub measured: Option<&'a Measured>,
    /// Set when the user asks to stop.
    pub stop: Option<&'a AtomicBool>,
}

impl Judging<'_> {
    /// Chooses the precision and judges the network in it.
    ///
    /// # Errors
    /// See [`JudgeError`].
    pub fn judge<'n>(&self, network: &'n ExportableNetwork) -> Result<Judged<'n>, JudgeError> {
        let Self { snapshot: Snapshot { state, data, .. }, f32, precision, measured, stop } = *self;
        let mut device = OnDevice::new(network, precision.unwrap_or(Precision::W8A16), (data, stop))?;
        go_on(stop)?;
        let loss_db = f32.train.psnr_db - device.quality.train.psnr_db;
        let mut advice = None;
        // What little f32 loses shows only where there is hardly any error, and no precision is wider.
        if loss_db > advice::QUANTIZATION_DB && precision != Some(Precision::F32) {
            advice = Some(match precision {
                None => Advice::WiderPrecision { loss_db },
                Some(precision) => Advice::Quantization { loss_db, precision: NamedPrecision(precision).name() },
            });
            if precision.is_none() {
                device = OnDevice::new(network, Precision::W16A16, (data, stop))?;
                go_on(stop)?;
            }
        }
        let held_out = match measured {
            Some(measured) => measured.in_precision(device.exported.precision, state.step),
            None => left_out(f32, &device, data.dataset),
        };
        if let Some(held_out) = &held_out {
            device.exported.text = device.exported.text.held_out(held_out);
        }
        Ok(Judged { device, held_out, advice })
    }
}

/// The quality at the samples that `--holdout` left out.
fn left_out(f32: &Quality, device: &OnDevice<'_>, dataset: &Dataset) -> Option<HeldOut> {
    let (f32, model) = (f32.test.clone()?, device.quality.test.clone()?);
    let how = format!("{} of {} samples, left out of the training by --holdout", f32.samples, dataset.len());
    Some(HeldOut { how, precision: NamedPrecision(device.exported.precision).name().to_owned(), f32, model })
}
