//! What a model takes on a device, before it is trained: bytes, scratch memory, instructions.

use firmware_core::artifact::Header;
use firmware_core::write::{self, Description, Layers};
use firmware_core::{Precision, WriteError};
use serde::{Deserialize, Serialize};

use super::cost::Core;
use crate::artifact::precision::NamedPrecision;
use crate::data::Dataset;
use crate::data::metrics::{HeldOut, Metrics, OutputMetrics};
use crate::fit::ValidFitParams;
use crate::fit::exportable::card_text;
use crate::network::grid::{Grid, Level};

/// What a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// Length of the artifact: exact; where samples are held out, but for the digits of
    /// what is measured there.
    pub bytes: usize,
    /// Scratch memory of one evaluation, bytes: exact.
    pub ram_bytes: usize,
    /// Instructions of one evaluation, by the [cost model](super::cost).
    pub instructions: u64,
}

/// Where a model is to be stored and what it shall say of itself.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The samples that models are trained on.
    pub dataset: &'a Dataset,
    /// How its numbers are stored.
    pub precision: Precision,
    /// The core that instructions are estimated for.
    pub core: &'a Core,
    /// How samples were held out, if any are and the artifact tells of them.
    pub held_out: Option<&'a str>,
}

/// What the artifact of a network with these hyperparameters takes.
///
/// # Errors
/// If the format cannot hold such a model.
pub fn predicted(params: &ValidFitParams, target: Target<'_>) -> Result<Size, WriteError> {
    let Target { dataset, precision, core, held_out } = target;
    let header = header(params, dataset, precision);
    let mut text = card_text(params.params(), dataset, params.params().steps);
    if let Some(how) = held_out {
        text = text.held_out(&unknown(how, dataset.outputs(), precision));
    }
    let frequencies = vec![0; usize::from(header.frequencies) * usize::from(header.inputs)];
    let grids = params.encoding().grid().map_or(&[][..], Grid::levels);
    let levels: Vec<_> = grids.iter().map(Level::description).collect();
    let description = Description {
        header: &header,
        axes: &dataset.axes,
        output_maps: &dataset.output_maps,
        frequencies: &frequencies,
        grids: &levels,
        text: text.as_str(),
        layers: Layers::Integer(&[]),
    };
    Ok(Size {
        bytes: write::artifact_len(&description)?,
        ram_bytes: 4 * header.scratch_words(),
        instructions: core.instructions(&header).round().max(0.0) as u64,
    })
}

/// A quality that is yet to be measured, in as many digits as one has.
fn unknown(how: &str, outputs: usize, precision: Precision) -> HeldOut {
    let output = OutputMetrics { psnr_db: 100.25, rmse: 0.000_123_4, max_abs_error: 0.000_123_4 };
    let metrics =
        Metrics { samples: 0, psnr_db: 100.25, rmse: None, max_abs_error: None, outputs: vec![output; outputs] };
    let precision = NamedPrecision(precision).name().to_owned();
    HeldOut { how: how.to_owned(), precision, f32: metrics.clone(), model: metrics }
}

/// The header of the artifact, without measurements.
fn header(params: &ValidFitParams, dataset: &Dataset, precision: Precision) -> Header {
    let (outside, periodic) = params.params().beyond(dataset.inputs());
    let (encoding, shape) = (params.encoding(), params.shape());
    Header {
        precision,
        outside,
        periodic,
        hidden_activation: shape.hidden,
        grid: encoding.grid().map(Grid::shape),
        code_bits: Default::default(),
        activation: shape.output,
        inputs: dataset.inputs() as u8,
        outputs: dataset.outputs() as u8,
        frequencies: encoding.amplitudes().len() as u16,
        passthrough: encoding.passthrough() as u8,
        hidden: params.params().hidden.iter().map(|&width| width as u16).collect(),
        training_psnr_db: f32::NAN,
        quantization_loss_db: f32::NAN,
    }
}
