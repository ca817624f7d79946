//! A trained network with some of its samples: all that an artifact in any precision needs, and no data file.

use crate::artifact::card_text::CardText;
use crate::artifact::export::{Artifact, Card, Domain, ExportError, StoredNetwork, TrainedNetwork};
use crate::artifact::quantize::CALIBRATION_POINTS;
use crate::base::random::{Purpose, step_rng};
use crate::data::metrics::psnr_db;
use crate::data::{Axis, Dataset, OutputMap};
use crate::fit::FitParams;
use crate::fit::settings::FitSettings;
use crate::fit::snapshot::{Snapshot, unit_outputs};
use crate::network::Mlp;
use crate::network::encoding::Encoding;
use firmware_core::Precision;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis as Dimension, s};
use rand::RngExt;
use rand::seq::index;

/// Samples kept with the network: half to calibrate the quantization, half to measure what it loses.
const KEPT_SAMPLES: usize = 8192;
/// Fewer samples than this calibrate and measure, all of them both.
const FEW_SAMPLES: usize = 512;
/// Of so many samples drawn at random, the nearest one lies near.
const NEIGHBOURS_DRAWN: usize = 16;

/// A trained network with all that its artifacts need.
#[derive(Clone, Debug)]
pub struct ExportableNetwork {
    /// How coordinates become the features that the network takes.
    pub encoding: Encoding,
    /// The trained network in f32.
    pub network: Mlp<f32>,
    /// The inputs' ranges and the outputs' units.
    pub domain: Domain,
    /// What the artifact says about the data and the training.
    pub text: CardText,
    /// PSNR in f32 on all training samples, dB.
    pub training_psnr_db: f32,
    /// Coordinates of some of the samples that the network learned, `[k, d]`.
    pub coordinates: Array2<u32>,
    /// Their unit targets, `[k, c]`.
    pub targets: Array2<f32>,
}

impl ExportableNetwork {
    /// Keeps what is needed of the data beside a network. `training_psnr_db` may be NaN where it is not known.
    #[must_use]
    pub fn new(snapshot: Snapshot<'_>, training_psnr_db: f64) -> Self {
        let Snapshot { params, data, .. } = snapshot;
        let params = params.params();
        let (learned, train) = data.learned();
        let mut rng = step_rng(params.seed, Purpose::KeptSamples, 0);
        let kept = KEPT_SAMPLES.min(train.len());
        let samples: Vec<usize> = index::sample(&mut rng, train.len(), kept).into_iter().map(|i| train[i]).collect();
        let text = card_text(params, data.dataset, snapshot.state.step);
        Self {
            encoding: snapshot.encoding(),
            network: snapshot.network().without_encoder(),
            domain: domain(params, learned.axes.clone(), learned.output_maps.clone()),
            text,
            training_psnr_db: training_psnr_db as f32,
            coordinates: learned.coordinates.select(Dimension(0), &samples),
            targets: learned.targets.select(Dimension(0), &samples),
        }
    }

    /// The same with what the settings say of it: the values that stood for missing data, if there were any, and the
    /// file that the network was imported from, if it was.
    #[must_use]
    pub fn with_settings(self, settings: &FitSettings) -> Self {
        let text = self.text.no_data(&settings.load.no_data);
        let file = settings.imported.as_ref().and_then(|imported| imported.weights.file_name());
        let text = match file {
            Some(file) => text.json("imported_from", &file.to_string_lossy()),
            None => text,
        };
        Self { text, ..self }
    }

    /// Converts the network to a precision and measures what that costs.
    ///
    /// # Errors
    /// If the network cannot be quantized.
    pub fn export(&self, precision: Precision) -> Result<Exported<'_>, ExportError> {
        let trained = TrainedNetwork { encoding: &self.encoding, network: &self.network, domain: &self.domain };
        let samples = self.coordinates.nrows();
        let (calibration, measured) = calibration(samples);
        let (measured, calibration) = (..measured, samples - calibration..samples);
        let calibration = with_points_between(self.coordinates.slice(s![calibration, ..]));
        let calibration = self.encoding.encode(calibration.view());
        let stored = trained.stored(precision, calibration.view())?;
        let mut exported = Exported {
            stored,
            precision,
            text: self.text.clone(),
            training_psnr_db: self.training_psnr_db,
            quantization_loss_db: f32::NAN,
        };
        let (coordinates, targets) = (self.coordinates.slice(s![measured, ..]), self.targets.slice(s![measured, ..]));
        let exact = unit_outputs(&self.encoding, &self.network, coordinates);
        let quantized = artifact_outputs(&exported.artifact()?, coordinates, &self.domain.output_maps)?;
        let psnr = [exact, quantized].map(|outputs| psnr_of(outputs.view(), targets));
        let loss = psnr[0] - psnr[1];
        exported.quantization_loss_db = match psnr.iter().any(|psnr| psnr.is_nan()) {
            true => f32::NAN,
            false if loss.is_finite() => loss as f32,
            false => 0.0,
        };
        Ok(exported)
    }
}

/// How many of so many samples calibrate the quantization, and how many show what it loses: others, or all of them
/// where there are few.
#[must_use]
pub fn calibration(samples: usize) -> (usize, usize) {
    let kept = samples.min(KEPT_SAMPLES);
    if kept < FEW_SAMPLES { (kept, kept) } else { (kept - kept / 2, kept / 2) }
}

/// `samples` `[n, d]` and random points between each of them and one that lies near, [`CALIBRATION_POINTS`] in all.
///
/// Calibration compares outputs of the network before and after rounding, and needs no targets. There the weights
/// should agree where users ask, which is between the samples.
fn with_points_between(samples: ArrayView2<'_, u32>) -> Array2<u32> {
    let mut rng = step_rng(0, Purpose::PointsBetweenSamples, 0);
    let (count, inputs) = samples.dim();
    let mut points = samples.to_owned();
    for i in 0..CALIBRATION_POINTS.saturating_sub(count) {
        let sample = i % count;
        let from = samples.row(sample);
        let distance = |to: usize| -> f64 {
            let differences = from.iter().zip(samples.row(to)).map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2));
            differences.sum()
        };
        let drawn: [usize; NEIGHBOURS_DRAWN] = std::array::from_fn(|_| rng.random_range(0..count));
        let near =
            drawn.into_iter().filter(|&to| distance(to) > 0.0).min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
        let (to, part) = (samples.row(near.unwrap_or(sample)), rng.random::<f64>());
        let between = |axis: usize| {
            let (a, b) = (f64::from(from[axis]), f64::from(to[axis]));
            (a + part * (b - a)) as u32
        };
        let point: Vec<u32> = (0..inputs).map(between).collect();
        points.push_row(ArrayView1::from(&point)).expect("as many inputs");
    }
    points
}

/// A network in a precision, and what that costs: ready to be written with any text.
#[derive(Clone, Debug)]
pub struct Exported<'a> {
    stored: StoredNetwork<'a>,
    /// The precision of its numbers.
    pub precision: Precision,
    /// What the artifact says about the data and the training; may be added to.
    pub text: CardText,
    training_psnr_db: f32,
    /// PSNR in f32 less that of the artifact, dB, over up to 4096 samples that the network learned from and that the
    /// calibration of the quantization did not see. Networks that learned fewer than 512 samples are calibrated and
    /// measured on the same ones. 0 where both PSNR are infinite, NaN where one is not known.
    pub quantization_loss_db: f32,
}

impl Exported<'_> {
    /// The artifact: the same bytes for the same network, wherever it is made.
    ///
    /// # Errors
    /// [`ExportError::Write`] if the text is too long for the format.
    pub fn artifact(&self) -> Result<Artifact, ExportError> {
        let (training_psnr_db, quantization_loss_db) = (self.training_psnr_db, self.quantization_loss_db);
        self.stored.artifact(Card { text: self.text.as_str(), training_psnr_db, quantization_loss_db })
    }
}

/// What the artifact of a network says about its data and its training.
#[must_use]
pub fn card_text(params: &FitParams, dataset: &Dataset, steps: u64) -> CardText {
    CardText::of_data(dataset)
        .json("encoding", &params.encoding.kind)
        .number("scale", params.encoding.scale)
        .json("hidden_layers", &params.hidden)
        .json("steps", &steps)
        .json("seed", &params.seed)
}

/// The domain of a network with these ranges of its data.
pub(super) fn domain(params: &FitParams, axes: Vec<Axis>, output_maps: Vec<OutputMap>) -> Domain {
    let (outside, periodic) = params.beyond(axes.len());
    Domain { axes, outside, periodic, codes: params.codes.clone(), output_maps }
}

/// Unit outputs of an artifact at coordinates `[n, d]`.
fn artifact_outputs(
    artifact: &Artifact,
    coordinates: ArrayView2<'_, u32>,
    maps: &[OutputMap],
) -> Result<Array2<f32>, ExportError> {
    let model = artifact.model().map_err(ExportError::Parse)?;
    let mut outputs = Array2::zeros((coordinates.nrows(), maps.len()));
    let device_maps: Vec<OutputMap> = model.output_maps().collect();
    let (coordinates, mut raw) = (coordinates.as_standard_layout(), vec![0; outputs.len()]);
    let mut scratch = vec![0; model.batch_scratch_words()];
    let points = coordinates.as_slice().unwrap_or_default();
    model.eval_fixed_batch_into(points, &mut scratch, &mut raw).map_err(ExportError::Eval)?;
    for (mut out, raw) in outputs.rows_mut().into_iter().zip(raw.chunks_exact(maps.len())) {
        for ((out, &raw), (device, map)) in out.iter_mut().zip(raw).zip(device_maps.iter().zip(maps)) {
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
