//! A trained network as a run keeps it, and the artifacts made from it.
//!
//! It holds the data's domain and some of its samples, so that no data file is read again.

use crate::artifact::card_text::CardText;
use crate::artifact::export::{Artifact, Card, Domain, ExportError, TrainedNetwork};
use crate::artifact::precision::{NamedPrecision, or_auto};
use crate::base::random::{Purpose, step_rng};
use crate::data::metrics::psnr_db;
use crate::data::{Axis, LoadOptions, OutputMap};
use crate::fit::outcome::RunData;
use crate::fit::{FitParams, unit_outputs};
use crate::network::Mlp;
use crate::network::encoding::Encoding;
use crate::store::run::RunError;
use crate::store::tensors::{TensorError, Tensors};
use crate::training::TrainState;
use firmware_core::{Model, Precision};
use ndarray::{Array2, ArrayView2, Axis as Dimension, s};
use rand::seq::index;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Samples kept with the network: half to calibrate the quantization, half to measure what it loses.
const KEPT_SAMPLES: usize = 8192;

/// Settings of a run, as its files keep them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSettings {
    /// Hyperparameters.
    pub fit: FitParams,
    /// Of `model.ffm`; `None`, in files `auto`: `w8a16`, or `w16a16` where `w8a16` loses much.
    #[serde(with = "or_auto")]
    pub precision: Option<NamedPrecision>,
    /// The data file; of a run that may be resumed elsewhere with its whole path.
    pub input: PathBuf,
    /// How it is read. Its numbers are kept as text: flattened numbers cannot be read back in every build of the workspace.
    #[serde(flatten)]
    pub load: LoadOptions,
}

/// A trained network with all that its artifacts need: no data file is read again.
#[derive(Clone, Debug)]
pub struct SavedNetwork {
    /// Settings of the run.
    pub settings: RunSettings,
    /// The encoding.
    pub encoding: Encoding,
    /// The network.
    pub network: Mlp<f32>,
    /// The domain.
    pub domain: Domain,
    /// Names and units, for the model card.
    pub text: CardText,
    /// PSNR in f32 on all training samples, dB.
    pub training_psnr_db: f32,
    /// Coordinates of some training samples, `[k, d]`.
    pub coordinates: Array2<u32>,
    /// Their unit targets, `[k, c]`.
    pub targets: Array2<f32>,
}

/// What of a [`SavedNetwork`] is no tensor.
#[derive(Serialize, Deserialize)]
struct Metadata {
    settings: RunSettings,
    passthrough: usize,
    text: String,
    training_psnr_db: Option<f32>,
}

/// An artifact and what its precision costs.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The artifact.
    pub artifact: Artifact,
    /// PSNR in f32 less that of the artifact, dB, on samples that calibration did not see.
    pub quantization_loss_db: f64,
}

impl SavedNetwork {
    /// Keeps what is needed of the data beside a network.
    pub fn new(
        settings: RunSettings,
        encoding: &Encoding,
        state: &TrainState,
        data: RunData<'_>,
        training_psnr_db: f64,
    ) -> Self {
        let fit = &settings.fit;
        let (learned, train) = data.learned();
        let mut rng = step_rng(fit.seed, Purpose::KeptSamples, 0);
        let kept = KEPT_SAMPLES.min(train.len());
        let samples: Vec<usize> = index::sample(&mut rng, train.len(), kept).into_iter().map(|i| train[i]).collect();
        let text = CardText::of_data(data.dataset)
            .json("encoding", &fit.encoding.kind)
            .number("scale", fit.encoding.scale)
            .json("hidden_layers", &fit.hidden)
            .json("steps", &state.step)
            .json("seed", &fit.seed)
            .no_data(&settings.load.no_data);
        Self {
            encoding: encoding.clone(),
            network: state.networks[0].clone(),
            domain: domain(fit, learned.axes.clone(), learned.output_maps.clone()),
            text,
            training_psnr_db: training_psnr_db as f32,
            coordinates: learned.coordinates.select(Dimension(0), &samples),
            targets: learned.targets.select(Dimension(0), &samples),
            settings,
        }
    }

    /// The artifact in a precision: the same bytes for the same network, wherever it is made.
    ///
    /// # Errors
    /// If the network cannot be quantized.
    pub fn export(&self, precision: Precision) -> Result<Exported, ExportError> {
        let trained = TrainedNetwork { encoding: &self.encoding, network: &self.network, domain: &self.domain };
        // Few samples serve both purposes.
        let half = if self.coordinates.nrows() < 512 { 0 } else { self.coordinates.nrows() / 2 };
        let calibration = self.coordinates.slice(s![half.., ..]);
        let stored = trained.stored(precision, self.encoding.encode(calibration).view())?;
        let card = Card { training_psnr_db: self.training_psnr_db, ..Card::new(self.text.as_str()) };
        let artifact = stored.artifact(card)?;
        let measured = if half == 0 { self.coordinates.nrows() } else { half };
        let (coordinates, targets) =
            (self.coordinates.slice(s![..measured, ..]), self.targets.slice(s![..measured, ..]));
        let exact = unit_outputs(&self.encoding, &self.network, coordinates);
        let quantized = artifact_outputs(&artifact, coordinates, &self.domain.output_maps)?;
        let loss = psnr_of(exact.view(), targets) - psnr_of(quantized.view(), targets);
        let quantization_loss_db = if loss.is_finite() { loss } else { 0.0 };
        let card = Card { quantization_loss_db: quantization_loss_db as f32, ..card };
        Ok(Exported { artifact: stored.artifact(card)?, quantization_loss_db })
    }

    /// Writes `network.safetensors`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RunError> {
        let mut tensors = Tensors::default();
        tensors.put_network("", &self.network);
        tensors.put_matrix("encoding.frequencies", self.encoding.frequency_matrix().view());
        tensors.put("encoding.amplitudes", &[self.encoding.amplitudes().len()], self.encoding.amplitudes());
        let Domain { axes, output_maps, .. } = &self.domain;
        let ranges: Vec<f32> = axes.iter().flat_map(|axis| [axis.minimum, axis.maximum, axis.scale]).collect();
        tensors.put("data.axes", &[axes.len(), 3], &ranges);
        let maps: Vec<f32> = output_maps.iter().flat_map(|map| [map.scale, map.offset]).collect();
        tensors.put("data.output_maps", &[output_maps.len(), 2], &maps);
        tensors.put_matrix("data.coordinates", self.coordinates.view());
        tensors.put_matrix("data.targets", self.targets.view());
        tensors.put_settings(&Metadata {
            settings: self.settings.clone(),
            passthrough: self.encoding.passthrough(),
            text: self.text.as_str().to_owned(),
            training_psnr_db: self.training_psnr_db.is_finite().then_some(self.training_psnr_db),
        });
        Ok(tensors.write(path)?)
    }

    /// Reads `network.safetensors`.
    ///
    /// # Errors
    /// If it is damaged or its parts do not fit.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let tensors = Tensors::read(path)?;
        let metadata: Metadata = tensors.settings()?;
        let unfit = |name: &str| TensorError::Tensor { path: path.to_owned(), name: name.to_owned() };
        let axes = tensors.get_matrix::<f32>("data.axes")?;
        let maps = tensors.get_matrix::<f32>("data.output_maps")?;
        let network = tensors.get_network("", metadata.settings.fit.output)?;
        let (_, cycles) = tensors.get::<f64>("encoding.frequencies")?;
        let frequencies = cycles.iter().map(|&cycles| (cycles * 65_536.0).round() as i32).collect();
        let (_, amplitudes) = tensors.get("encoding.amplitudes")?;
        let encoding = Encoding::from_parts(axes.nrows(), frequencies, amplitudes, metadata.passthrough)
            .ok_or_else(|| unfit("encoding.frequencies"))?;
        let (coordinates, targets) = (tensors.get_matrix("data.coordinates")?, tensors.get_matrix("data.targets")?);
        let shape = network.shape();
        let fits = axes.ncols() == 3
            && maps.dim() == (shape.outputs(), 2)
            && encoding.features_len() == shape.inputs()
            && coordinates.ncols() == axes.nrows()
            && coordinates.nrows() > 0
            && targets.dim() == (coordinates.nrows(), shape.outputs());
        if !fits {
            return Err(unfit("data.axes").into());
        }
        let axes = axes.rows().into_iter().map(|a| Axis { minimum: a[0], maximum: a[1], scale: a[2] }).collect();
        let output_maps = maps.rows().into_iter().map(|m| OutputMap { scale: m[0], offset: m[1] }).collect();
        Ok(Self {
            encoding,
            network,
            domain: domain(&metadata.settings.fit, axes, output_maps),
            text: CardText::from_text(metadata.text),
            training_psnr_db: metadata.training_psnr_db.unwrap_or(f32::NAN),
            coordinates,
            targets,
            settings: metadata.settings,
        })
    }
}

fn domain(fit: &FitParams, axes: Vec<Axis>, output_maps: Vec<OutputMap>) -> Domain {
    let (outside, periodic) = fit.beyond(axes.len());
    Domain { axes, outside, periodic, output_maps }
}

/// Unit outputs of an artifact at coordinates `[n, d]`.
fn artifact_outputs(
    artifact: &Artifact,
    coordinates: ArrayView2<'_, u32>,
    maps: &[OutputMap],
) -> Result<Array2<f32>, ExportError> {
    let model: Model<'_> = artifact.model().map_err(ExportError::Parse)?;
    let mut scratch = vec![0; model.scratch_words()];
    let mut outputs = Array2::zeros((coordinates.nrows(), maps.len()));
    let device_maps: Vec<OutputMap> = model.output_maps().collect();
    let mut raw = vec![0; maps.len()];
    for (mut out, point) in outputs.rows_mut().into_iter().zip(coordinates.rows()) {
        let point: Vec<u32> = point.to_vec();
        model.eval_fixed_into(&point, &mut scratch, &mut raw).map_err(ExportError::Eval)?;
        for ((out, &raw), (device, map)) in out.iter_mut().zip(&raw).zip(device_maps.iter().zip(maps)) {
            let raw = if model.header().precision == Precision::F32 { f32::from_bits(raw as u32) } else { raw as f32 };
            *out = (raw * device.scale + device.offset - map.offset) / map.scale;
        }
    }
    Ok(outputs)
}

fn psnr_of(outputs: ArrayView2<'_, f32>, targets: ArrayView2<'_, f32>) -> f64 {
    let squares: f64 = outputs.iter().zip(targets).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    psnr_db(squares / targets.len() as f64, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::fit::FitParams;
    use crate::training::Watch;

    fn saved(output: firmware_core::OutputActivation) -> SavedNetwork {
        let value = |(k, c): (usize, usize)| {
            let (x, y) = ((k % 40) as f32 / 40.0, (k / 40) as f32 / 40.0);
            0.5 + 0.3 * (11.0 * x - 7.0 * y * y).sin() * if c == 0 { 1.0 } else { x }
        };
        let data = Dataset::from_grid(&[40, 40], Array2::from_shape_fn((1600, 2), value));
        let mut fit = FitParams { hidden: vec![32, 24], steps: 400, output, ..FitParams::default() };
        fit.encoding.scale = 2.0;
        let fitted = fit.check(2, 2).unwrap().fit(&data, &mut Watch::default()).unwrap();
        let metrics = fitted.metrics(&data, &fitted.split.train);
        assert!(metrics.psnr_db > 30.0, "{}", metrics.psnr_db);
        let settings = RunSettings { fit, precision: None, input: "made".into(), load: LoadOptions::default() };
        let data = RunData { dataset: &data, split: &fitted.split, learned: None, held_out: None };
        SavedNetwork::new(settings, &fitted.encoding, &fitted.state, data, metrics.psnr_db)
    }

    #[test]
    fn artifacts_are_as_good_as_promised_and_survive_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("network.safetensors");
        for output in [firmware_core::OutputActivation::Linear, firmware_core::OutputActivation::Sigmoid] {
            let saved = saved(output);
            saved.write(&path).unwrap();
            let read = SavedNetwork::read(&path).unwrap();
            for (precision, limit) in [(Precision::F32, 0.001), (Precision::W16A16, 0.05), (Precision::W8A16, 1.0)] {
                let exported = saved.export(precision).unwrap();
                assert!(exported.quantization_loss_db < limit, "{precision:?} {}", exported.quantization_loss_db);
                assert_eq!(exported.artifact, read.export(precision).unwrap().artifact, "{precision:?}");
            }
            let artifact = saved.export(Precision::F32).unwrap().artifact;
            let device = artifact_outputs(&artifact, saved.coordinates.view(), &saved.domain.output_maps).unwrap();
            let host = unit_outputs(&saved.encoding, &saved.network, saved.coordinates.view());
            let worst = device.iter().zip(&host).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst < 2e-5, "{output:?}: {worst}");
        }
    }
}
