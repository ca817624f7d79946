//! `network.safetensors`: a trained network as a run keeps it.
//!
//! It holds the data's domain and some of its samples, so that artifacts are made of it without the data file.

use crate::artifact::card_text::CardText;
use crate::artifact::export::Domain;
use crate::data::{Axis, OutputMap};
use crate::fit::FitParams;
use crate::fit::exportable::{ExportableNetwork, domain};
use crate::fit::settings::FitSettings;
use crate::network::encoding::Encoding;
use crate::store::run::RunError;
use crate::store::tensors::{TensorError, Tensors};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The network of a run with the settings that it was trained by.
#[derive(Clone, Debug)]
pub struct SavedNetwork {
    /// The settings that the run was trained by.
    pub settings: FitSettings,
    /// The network, with all that its artifacts need.
    pub exportable: ExportableNetwork,
}

/// What of a [`SavedNetwork`] is no tensor.
#[derive(Serialize, Deserialize)]
struct Metadata {
    settings: FitSettings,
    passthrough: usize,
    text: String,
    training_psnr_db: Option<f32>,
}

impl SavedNetwork {
    /// Writes `network.safetensors`.
    ///
    /// # Errors
    /// [`RunError::Tensors`] if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RunError> {
        let ExportableNetwork { encoding, network, domain, text, training_psnr_db, coordinates, targets } =
            &self.exportable;
        let Domain { axes, output_maps, .. } = domain;
        let mut tensors = Tensors::default();
        tensors.put_network("", network);
        tensors.put_matrix("encoding.frequencies", encoding.frequency_matrix().view());
        tensors.put("encoding.amplitudes", &[encoding.amplitudes().len()], encoding.amplitudes());
        if let Some(grid) = encoding.grid() {
            tensors.put("encoding.steps", &[grid.steps().len()], grid.steps());
            tensors.put("encoding.coefficients", &[grid.coefficients_len()], &grid.values());
        }
        let ranges: Vec<f32> = axes.iter().flat_map(|axis| [axis.minimum, axis.maximum, axis.scale]).collect();
        tensors.put("data.axes", &[axes.len(), 3], &ranges);
        let maps: Vec<f32> = output_maps.iter().flat_map(|map| [map.scale, map.offset]).collect();
        tensors.put("data.output_maps", &[output_maps.len(), 2], &maps);
        tensors.put_matrix("data.coordinates", coordinates.view());
        tensors.put_matrix("data.targets", targets.view());
        tensors.put_settings(&Metadata {
            settings: self.settings.clone(),
            passthrough: encoding.passthrough(),
            text: text.as_str().to_owned(),
            training_psnr_db: training_psnr_db.is_finite().then_some(*training_psnr_db),
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
        let network = tensors.get_network("", metadata.settings.fit.activations())?;
        let shape = network.shape();
        let fit = &metadata.settings.fit;
        let encoding = if fit.encoding.kind.has_grid() {
            read_grid(&tensors, fit, (axes.nrows(), shape.outputs()))?.ok_or_else(|| unfit("encoding.coefficients"))?
        } else {
            read_frequencies(&tensors, axes.nrows(), metadata.passthrough)?
                .ok_or_else(|| unfit("encoding.frequencies"))?
        };
        let (coordinates, targets) = (tensors.get_matrix("data.coordinates")?, tensors.get_matrix("data.targets")?);
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
        let exportable = ExportableNetwork {
            encoding,
            network,
            domain: domain(&metadata.settings.fit, axes, output_maps),
            text: CardText::from_text(metadata.text),
            training_psnr_db: metadata.training_psnr_db.unwrap_or(f32::NAN),
            coordinates,
            targets,
        };
        Ok(Self { settings: metadata.settings, exportable })
    }
}

/// The frequencies for so many inputs; none if their parts do not fit each other.
fn read_frequencies(tensors: &Tensors, inputs: usize, passthrough: usize) -> Result<Option<Encoding>, TensorError> {
    let (_, cycles) = tensors.get::<f64>("encoding.frequencies")?;
    let frequencies = cycles.iter().map(|&cycles| (cycles * 65_536.0).round() as i32).collect();
    let (_, amplitudes) = tensors.get("encoding.amplitudes")?;
    Ok(Encoding::from_parts(inputs, frequencies, amplitudes, passthrough))
}

/// The grids for so many inputs and outputs; none if they do not fit the settings.
fn read_grid(
    tensors: &Tensors,
    fit: &FitParams,
    (inputs, outputs): (usize, usize),
) -> Result<Option<Encoding>, TensorError> {
    let (_, steps) = tensors.get::<f32>("encoding.steps")?;
    let (_, values) = tensors.get::<f32>("encoding.coefficients")?;
    let Ok(params) = fit.check(inputs, outputs) else { return Ok(None) };
    let Some(grid) = params.encoding().grid() else { return Ok(None) };
    let fits = (values.len(), steps.len()) == (grid.coefficients_len(), grid.steps().len())
        && values.iter().all(|value| value.is_finite())
        && steps.iter().all(|&step| step > 0.0 && step.is_finite());
    Ok(fits.then(|| Encoding::from_grid(grid.with_steps(&values, steps))))
}
