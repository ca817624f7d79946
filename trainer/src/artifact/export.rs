//! From a trained network to artifact bytes.
//!
//! A [`TrainedNetwork`] becomes a [`StoredNetwork`] in the precision asked for, which is what costs time, and that
//! becomes an [`Artifact`] for each [`Card`].

use crate::artifact::quantize::{DenseLayer, QuantizeError, QuantizedLayer, quantize};
use crate::artifact::row_kind::RowKind;
use crate::data::codes::{self, Codes};
use crate::network::encoding::Encoding;
use crate::network::grid::{Grid, Level};
use crate::network::{Activations, Mlp};
use firmware_core::artifact::{Header, HiddenActivation};
use firmware_core::fixed::ONE;
use firmware_core::write::{self, Description, FloatLayer, GridLevel, IntegerLayer, Layers};
use firmware_core::{Axis, EvalError, Model, OutputActivation, OutputMap, Outside, ParseError, Precision, WriteError};
use ndarray::ArrayView2;

/// The bytes of an artifact, aligned as [`Model::parse`] wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    words: Vec<u32>,
    len: usize,
}

impl Artifact {
    /// Copies bytes, as read from a file, to aligned memory.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut words = vec![0u32; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    /// The bytes as they stand in a `.ffm` file.
    pub fn as_bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The model that the bytes describe, checked, as a device sees it.
    ///
    /// # Errors
    /// See [`Model::parse`].
    pub fn model(&self) -> Result<Model<'_>, ParseError> {
        Model::parse(self.as_bytes())
    }
}

/// Where a network may be evaluated, and what its outputs mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// For each input the range in the user's units that stands for the unit interval.
    pub axes: Vec<Axis>,
    /// What becomes of a point outside of these ranges.
    pub outside: Outside,
    /// One bit for each axis, the lowest for the first: an axis whose bit is 1 is periodic, whatever `outside` says.
    pub periodic: u16,
    /// The axes that consist of integer codes; such an axis is that of [`Axis::codes`].
    pub codes: Vec<Codes>,
    /// For each output the map from the network's unit values to the user's units.
    pub output_maps: Vec<OutputMap>,
}

impl Domain {
    /// A domain with no periodic axis; points outside of it are moved to its border.
    #[must_use]
    pub fn clamped(axes: Vec<Axis>, output_maps: Vec<OutputMap>) -> Self {
        Self { axes, outside: Outside::Clamp, periodic: 0, codes: Vec::new(), output_maps }
    }
}

/// A trained network with all that a device needs to evaluate it.
#[derive(Clone, Copy, Debug)]
pub struct TrainedNetwork<'a> {
    /// How coordinates become the features that the network takes.
    pub encoding: &'a Encoding,
    /// The network; it takes the features of the encoding.
    pub network: &'a Mlp<f32>,
    /// The inputs' ranges and the outputs' units.
    pub domain: &'a Domain,
}

/// What an artifact tells people about itself.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    /// Lines of `key: value`; see [`card_text`](super::card_text).
    pub text: &'a str,
    /// PSNR of the network in f32 on its training data, dB; NaN where it is not known.
    pub training_psnr_db: f32,
    /// PSNR of the network in f32 less that of the artifact, dB, on samples that calibration did not see; NaN where it
    /// is not known.
    pub quantization_loss_db: f32,
}

impl<'a> Card<'a> {
    /// A card without measurements.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text, training_psnr_db: f32::NAN, quantization_loss_db: f32::NAN }
    }
}

/// A network in the numbers of its precision, ready to be written.
#[derive(Clone, Debug)]
pub struct StoredNetwork<'a> {
    trained: TrainedNetwork<'a>,
    precision: Precision,
    layers: StoredLayers,
    /// What one unit of each raw output is worth, before the output map.
    raw_scale: Vec<f64>,
}

/// The layers, first to last, as they are stored.
#[derive(Clone, Debug)]
enum StoredLayers {
    Float(Vec<DenseLayer>),
    Integer(Vec<QuantizedLayer>),
}

/// Why a network cannot become an artifact.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExportError {
    /// The network cannot be quantized.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// The format of artifacts cannot hold the network or its text.
    #[error("{0}")]
    Write(WriteError),
    /// What was exported cannot be read back.
    #[error("the artifact fails its own check")]
    Parse(#[source] ParseError),
    /// What was exported does not run.
    #[error("the artifact fails its own check")]
    Eval(#[source] EvalError),
    /// A table holds integers.
    #[error("a table holds integers and has no f32 form; use --precision w8a16")]
    TableOfFloats,
    /// A size beyond [`firmware_core::limits`].
    #[error("{what} is {value}, more than the {limit} that a device accepts")]
    Limit {
        /// The size that is too large, as in `the number of inputs`.
        what: &'static str,
        /// The size of this network.
        value: usize,
        /// The largest possible size.
        limit: usize,
    },
}

impl<'a> TrainedNetwork<'a> {
    /// The artifact in a precision; see [`Self::stored`] for `calibration`.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn artifact(
        &self,
        precision: Precision,
        calibration: ArrayView2<'_, i16>,
        card: Card<'_>,
    ) -> Result<Artifact, ExportError> {
        self.stored(precision, calibration)?.artifact(card)
    }

    /// Converts the weights to a precision. `calibration` `[n, 2m + p]` are features of training points as
    /// [`Encoding::encode`] computes them; a few thousand suffice. `F32` does not look at them.
    ///
    /// # Errors
    /// [`ExportError::Limit`] or [`ExportError::Quantize`].
    pub fn stored(
        &self,
        precision: Precision,
        calibration: ArrayView2<'_, i16>,
    ) -> Result<StoredNetwork<'a>, ExportError> {
        self.check_limits()?;
        if let Some(table) = self.encoding.grid().filter(|grid| grid.is_table()) {
            return self.stored_table(table, precision);
        }
        let activation = self.network.shape().output;
        let layers = self.folded_layers();
        let (layers, raw_scale) = if precision == Precision::F32 {
            let unit = match activation {
                OutputActivation::Linear => 1.0,
                OutputActivation::Sigmoid => 1.0 / f64::from(1u32 << firmware_core::fixed::SIGMOID_FRACTION_BITS),
            };
            (StoredLayers::Float(self.in_device_units(layers)), vec![unit; self.domain.output_maps.len()])
        } else {
            let activations = Activations { hidden: self.network.shape().hidden, output: activation };
            let quantized = quantize(&layers, calibration, precision, activations)?;
            (StoredLayers::Integer(quantized.layers), quantized.raw_scale)
        };
        Ok(StoredNetwork { trained: *self, precision, layers, raw_scale })
    }

    /// A table has no layers: its one layer, by which the coefficients become values, goes into the output maps.
    fn stored_table(&self, table: &Grid, precision: Precision) -> Result<StoredNetwork<'a>, ExportError> {
        if precision == Precision::F32 {
            return Err(ExportError::TableOfFloats);
        }
        // A coefficient of 1 makes a raw output of 2^(31 - bits).
        let unit = f64::from(1u32 << (31 - table.shape().bits));
        let weights = self.network.weights(0);
        let raw_scale = weights.diag().iter().map(|&step| f64::from(step) / unit).collect();
        Ok(StoredNetwork { trained: *self, precision, layers: StoredLayers::Integer(Vec::new()), raw_scale })
    }

    /// The layers with every a_j multiplied into the first layer's columns.
    fn folded_layers(&self) -> Vec<DenseLayer> {
        let mut layers = DenseLayer::of(self.network);
        for (mut column, factor) in layers[0].weights.columns_mut().into_iter().zip(self.encoding.column_factors()) {
            column.mapv_inplace(|weight| weight * factor);
        }
        layers
    }

    /// The layers as `f32` on the device: features and sines reach them as whole numbers, of which 32767 is 1.0, and
    /// the sums of sine layers count turns.
    fn in_device_units(&self, mut layers: Vec<DenseLayer>) -> Vec<DenseLayer> {
        let (hidden, count) = (self.network.shape().hidden, layers.len());
        for (l, layer) in layers.iter_mut().enumerate() {
            if l == 0 || hidden == HiddenActivation::Sine {
                layer.weights.mapv_inplace(|weight| weight / ONE as f32);
            }
            if RowKind::of(hidden, l, count) == RowKind::Sine {
                const RADIANS: f64 = std::f64::consts::TAU;
                layer.weights.mapv_inplace(|weight| (f64::from(weight) / RADIANS) as f32);
                layer.bias.mapv_inplace(|bias| (f64::from(bias) / RADIANS).rem_euclid(1.0) as f32);
            }
        }
        layers
    }

    /// Widths of the hidden layers.
    fn hidden(&self) -> &[usize] {
        let shape = self.network.shape();
        &shape.widths[1..shape.layers()]
    }

    fn check_limits(&self) -> Result<(), ExportError> {
        use firmware_core::limits::{MAX_FREQUENCIES, MAX_HIDDEN_LAYERS, MAX_INPUTS, MAX_OUTPUTS, MAX_WIDTH};
        let hidden = self.hidden();
        for (what, value, limit) in [
            ("the number of inputs", self.domain.axes.len(), MAX_INPUTS),
            ("the number of outputs", self.domain.output_maps.len(), MAX_OUTPUTS),
            ("the number of frequencies", self.encoding.amplitudes().len(), MAX_FREQUENCIES),
            ("the number of hidden layers", hidden.len(), MAX_HIDDEN_LAYERS),
            ("the width of a hidden layer", hidden.iter().copied().max().unwrap_or(0), MAX_WIDTH),
        ] {
            if value > limit {
                return Err(ExportError::Limit { what, value, limit });
            }
        }
        Ok(())
    }
}

impl StoredNetwork<'_> {
    /// The bytes with a card: the same for the same network, wherever they are made.
    ///
    /// # Errors
    /// [`ExportError::Write`] if the format cannot hold it, such as a text that is too long.
    pub fn artifact(&self, card: Card<'_>) -> Result<Artifact, ExportError> {
        match &self.layers {
            StoredLayers::Float(layers) => {
                let layers = layers.iter().map(|layer| FloatLayer {
                    weights: layer.weights.as_slice().expect("row-major"),
                    bias: layer.bias.as_slice().expect("contiguous"),
                });
                self.write(card, Layers::Float(&layers.collect::<Vec<_>>()))
            }
            StoredLayers::Integer(layers) => {
                let layers = layers.iter().map(|layer| IntegerLayer {
                    weights: layer.weights.as_slice().expect("row-major"),
                    bias: &layer.bias,
                    multiplier: &layer.multiplier,
                });
                self.write(card, Layers::Integer(&layers.collect::<Vec<_>>()))
            }
        }
    }

    fn header(&self, card: Card<'_>) -> Header {
        let TrainedNetwork { encoding, network, domain } = self.trained;
        Header {
            precision: self.precision,
            outside: domain.outside,
            periodic: domain.periodic,
            hidden_activation: network.shape().hidden,
            grid: encoding.grid().map(Grid::shape),
            code_bits: codes::bits_by_axis(&domain.codes, domain.axes.len()).collect(),
            activation: network.shape().output,
            inputs: domain.axes.len() as u8,
            outputs: domain.output_maps.len() as u8,
            frequencies: encoding.amplitudes().len() as u16,
            passthrough: encoding.passthrough() as u8,
            hidden: self.trained.hidden().iter().map(|&width| width as u16).collect(),
            training_psnr_db: card.training_psnr_db,
            quantization_loss_db: card.quantization_loss_db,
        }
    }

    fn write(&self, card: Card<'_>, layers: Layers<'_>) -> Result<Artifact, ExportError> {
        let domain = self.trained.domain;
        let is_table = self.trained.encoding.grid().is_some_and(Grid::is_table);
        let output_maps: Vec<OutputMap> = domain
            .output_maps
            .iter()
            .zip(&self.raw_scale)
            .enumerate()
            .map(|(k, (map, raw))| {
                let offset = if is_table { map.scale * self.trained.network.biases(0)[k] } else { 0.0 };
                OutputMap { scale: (f64::from(map.scale) * raw) as f32, offset: map.offset + offset }
            })
            .collect();
        let grids = self.trained.encoding.grid().map_or(&[][..], Grid::levels);
        let grids: Vec<GridLevel<'_>> = grids.iter().map(Level::description).collect();
        let description = Description {
            header: &self.header(card),
            axes: &domain.axes,
            output_maps: &output_maps,
            frequencies: self.trained.encoding.frequencies(),
            grids: &grids,
            text: card.text,
            layers,
        };
        let len = write::artifact_len(&description).map_err(ExportError::Write)?;
        let mut words = vec![0u32; len.div_ceil(4)];
        // Two layers' activations, the widest there can be.
        let mut scratch =
            vec![0u32; 2 * (2 * firmware_core::limits::MAX_FREQUENCIES + firmware_core::limits::MAX_INPUTS)];
        let len = write::artifact(&description, &mut scratch, bytemuck::cast_slice_mut(&mut words))
            .map_err(ExportError::Write)?;
        Ok(Artifact { words, len })
    }
}
