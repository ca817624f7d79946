//! From a trained network to artifact bytes.

use crate::artifact::quantize::{DenseLayer, QuantizeError, quantize};
use firmware_core::artifact::{self, Description, Header, Layer, LayerKind};
use firmware_core::trig::ONE;
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

    /// The bytes of the file.
    pub fn as_bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The checked view.
    ///
    /// # Errors
    /// See [`Model::parse`].
    pub fn model(&self) -> Result<Model<'_>, ParseError> {
        Model::parse(self.as_bytes())
    }
}

/// A trained network and everything that the artifact says about it.
#[derive(Clone, Copy, Debug)]
pub struct TrainedNetwork<'a> {
    /// B, `[m, d]` row-major, Q16.16.
    pub frequencies: &'a [i32],
    /// a_j of each row of B, `[m]`; cosine and sine share it.
    pub amplitudes: &'a [f32],
    /// Trailing coordinates that enter as they are.
    pub passthrough: usize,
    /// Layers, first to last; the first takes `[a·cos, a·sin, passed through]`.
    pub layers: &'a [DenseLayer],
    /// What follows the last layer.
    pub activation: OutputActivation,
    /// The domain.
    pub axes: &'a [Axis],
    /// What happens beyond it.
    pub outside: Outside,
    /// The axes along which it is periodic whatever `outside` says, one bit each.
    pub periodic: u16,
    /// From the network's unit values to the user's.
    pub output_maps: &'a [OutputMap],
    /// Free text for the model card, `key: value` on each line.
    pub text: &'a str,
    /// PSNR in f32 on the training data, dB.
    pub training_psnr_db: f32,
    /// What `precision` loses against it, dB; NaN while unknown.
    pub quantization_loss_db: f32,
}

/// Why a network cannot become an artifact.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExportError {
    /// It cannot be quantized.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// The format cannot hold it.
    #[error("{0}")]
    Write(WriteError),
    /// What was exported cannot be read back.
    #[error("the artifact fails its own check")]
    Parse(#[source] ParseError),
    /// What was exported does not run.
    #[error("the artifact fails its own check")]
    Eval(#[source] EvalError),
    /// A size beyond [`firmware_core::limits`].
    #[error("{what} is {value}, more than the {limit} that a device accepts")]
    Limit {
        /// Which size.
        what: &'static str,
        /// What was asked for.
        value: usize,
        /// What is possible.
        limit: usize,
    },
}

impl TrainedNetwork<'_> {
    /// The artifact in a precision. `calibration` `[n, 2m + p]` are features of training points as
    /// [`firmware_core::Encoding`] computes them; a few thousand suffice. `F32` does not look at them.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn artifact(&self, precision: Precision, calibration: ArrayView2<'_, i16>) -> Result<Artifact, ExportError> {
        let header = self.header(precision)?;
        let folded = self.folded_layers();
        if precision == Precision::F32 {
            // Features reach an f32 layer as whole numbers.
            let first = folded[0].weights.mapv(|weight| weight / ONE as f32);
            let layers: Vec<_> = folded
                .iter()
                .enumerate()
                .map(|(l, layer)| {
                    let weights = if l == 0 { &first } else { &layer.weights };
                    (weights.iter().copied().collect::<Vec<f32>>(), layer.bias.to_vec())
                })
                .collect();
            let unit = match self.activation {
                OutputActivation::Linear => 1.0,
                OutputActivation::Sigmoid => 1.0 / f64::from(1u32 << firmware_core::sigmoid::FRACTION_BITS),
            };
            let layers: Vec<Layer<'_>> = layers
                .iter()
                .map(|(weights, bias)| Layer {
                    weights: LayerKind::Float(weights),
                    bias: LayerKind::Float(bias),
                    multiplier: &[],
                })
                .collect();
            self.write(&header, &layers, &vec![unit; self.output_maps.len()])
        } else {
            let sigmoid = self.activation == OutputActivation::Sigmoid;
            let quantized = quantize(&folded, calibration, precision, sigmoid)?;
            let layers: Vec<Layer<'_>> = quantized
                .layers
                .iter()
                .map(|layer| Layer {
                    weights: LayerKind::Integer(layer.weights.as_slice().expect("row-major")),
                    bias: LayerKind::Integer(&layer.bias),
                    multiplier: &layer.multiplier,
                })
                .collect();
            self.write(&header, &layers, &quantized.raw_scale)
        }
    }

    /// The layers with every a_j multiplied into the first layer's columns.
    fn folded_layers(&self) -> Vec<DenseLayer> {
        let mut layers = self.layers.to_vec();
        let m = self.amplitudes.len();
        for (j, &amplitude) in self.amplitudes.iter().enumerate() {
            for column in [j, m + j] {
                layers[0].weights.column_mut(column).mapv_inplace(|weight| weight * amplitude);
            }
        }
        layers
    }

    fn header(&self, precision: Precision) -> Result<Header, ExportError> {
        use firmware_core::limits::{MAX_FREQUENCIES, MAX_HIDDEN_LAYERS, MAX_INPUTS, MAX_OUTPUTS, MAX_WIDTH};
        let hidden: Vec<usize> = self.layers[..self.layers.len() - 1].iter().map(|layer| layer.bias.len()).collect();
        for (what, value, limit) in [
            ("the number of inputs", self.axes.len(), MAX_INPUTS),
            ("the number of outputs", self.output_maps.len(), MAX_OUTPUTS),
            ("the number of frequencies", self.amplitudes.len(), MAX_FREQUENCIES),
            ("the number of hidden layers", hidden.len(), MAX_HIDDEN_LAYERS),
            ("the width of a hidden layer", hidden.iter().copied().max().unwrap_or(0), MAX_WIDTH),
        ] {
            if value > limit {
                return Err(ExportError::Limit { what, value, limit });
            }
        }
        Ok(Header {
            precision,
            outside: self.outside,
            periodic: self.periodic,
            activation: self.activation,
            inputs: self.axes.len() as u8,
            outputs: self.output_maps.len() as u8,
            frequencies: self.amplitudes.len() as u16,
            passthrough: self.passthrough as u8,
            hidden: hidden.iter().map(|&width| width as u16).collect(),
            training_psnr_db: self.training_psnr_db,
            quantization_loss_db: self.quantization_loss_db,
        })
    }

    fn write(&self, header: &Header, layers: &[Layer<'_>], raw_scale: &[f64]) -> Result<Artifact, ExportError> {
        let output_maps: Vec<OutputMap> = self
            .output_maps
            .iter()
            .zip(raw_scale)
            .map(|(map, raw)| OutputMap { scale: (f64::from(map.scale) * raw) as f32, offset: map.offset })
            .collect();
        let description = Description {
            header,
            axes: self.axes,
            output_maps: &output_maps,
            frequencies: self.frequencies,
            text: self.text,
            layers,
        };
        let len = artifact::artifact_len(&description).map_err(ExportError::Write)?;
        let mut words = vec![0u32; len.div_ceil(4)];
        // Two layers' activations, the widest there can be.
        let mut scratch =
            vec![0u32; 2 * (2 * firmware_core::limits::MAX_FREQUENCIES + firmware_core::limits::MAX_INPUTS)];
        let len = artifact::write(&description, &mut scratch, bytemuck::cast_slice_mut(&mut words))
            .map_err(ExportError::Write)?;
        Ok(Artifact { words, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware_core::Encoding;
    use ndarray::{Array1, Array2};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const AMPLITUDES: usize = 24;

    struct Case {
        frequencies: Vec<i32>,
        amplitudes: Vec<f32>,
        layers: Vec<DenseLayer>,
        features: Array2<i16>,
        coordinates: Array2<u32>,
    }

    /// A random network of a trained network's magnitudes, and calibration points.
    fn case(hidden: &[usize]) -> Case {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut uniform = move |limit: f64| rng.random_range(-limit..limit);
        let frequencies: Vec<i32> = (0..2 * AMPLITUDES).map(|_| (uniform(8.0) * 65_536.0) as i32).collect();
        let amplitudes: Vec<f32> = (0..AMPLITUDES).map(|j| 1.0 / (1.0 + j as f32).sqrt()).collect();
        let widths = [&[2 * AMPLITUDES], hidden, &[3]].concat();
        let layers: Vec<DenseLayer> = widths
            .windows(2)
            .map(|pair| {
                let limit = (6.0 / pair[0] as f64).sqrt();
                DenseLayer {
                    weights: Array2::from_shape_simple_fn((pair[1], pair[0]), || uniform(limit) as f32),
                    bias: Array1::from_shape_simple_fn(pair[1], || uniform(0.3) as f32),
                }
            })
            .collect();
        let coordinates = Array2::from_shape_simple_fn((1500, 2), || ((uniform(0.5) + 0.5) * 4_294_967_295.0) as u32);
        let encoding = Encoding::new(2, &frequencies, 0).unwrap();
        let mut features = Array2::zeros((1500, 2 * AMPLITUDES));
        for (row, mut out) in coordinates.rows().into_iter().zip(features.rows_mut()) {
            encoding.encode_into(row.as_slice().unwrap(), out.as_slice_mut().unwrap());
        }
        Case { frequencies, amplitudes, layers, features, coordinates }
    }

    fn network<'a>(
        case: &'a Case,
        activation: OutputActivation,
        axes: &'a [Axis],
        maps: &'a [OutputMap],
    ) -> TrainedNetwork<'a> {
        TrainedNetwork {
            frequencies: &case.frequencies,
            amplitudes: &case.amplitudes,
            passthrough: 0,
            layers: &case.layers,
            activation,
            axes,
            outside: Outside::Clamp,
            periodic: 0,
            output_maps: maps,
            text: "",
            training_psnr_db: f32::NAN,
            quantization_loss_db: f32::NAN,
        }
    }

    /// Outputs `[n, 3]` in f64, straight from the definition.
    fn reference(case: &Case, sigmoid: bool) -> Array2<f64> {
        let mut x = case.features.mapv(|feature| f64::from(feature) / 32767.0);
        for (j, &amplitude) in case.amplitudes.iter().enumerate() {
            for column in [j, AMPLITUDES + j] {
                x.column_mut(column).mapv_inplace(|value| value * f64::from(amplitude));
            }
        }
        for (l, layer) in case.layers.iter().enumerate() {
            x = x.dot(&layer.weights.mapv(f64::from).t()) + layer.bias.mapv(f64::from);
            if l + 1 < case.layers.len() {
                x.mapv_inplace(|value| value.max(0.0));
            }
        }
        if sigmoid { x.mapv(|z| 1.0 / (1.0 + (-z).exp())) } else { x }
    }

    /// Root mean square error of the artifact against the reference, relative to the outputs' deviation.
    fn relative_error(precision: Precision, activation: OutputActivation, hidden: &[usize]) -> f64 {
        let case = case(hidden);
        let axes = [Axis::new(0.0, 1.0, 1.0); 2];
        let maps = [OutputMap { scale: 3.0, offset: -1.0 }; 3];
        let artifact = network(&case, activation, &axes, &maps).artifact(precision, case.features.view()).unwrap();
        let model = artifact.model().unwrap();
        let mut scratch = vec![0; model.scratch_words()];
        let expected = reference(&case, activation == OutputActivation::Sigmoid);
        let deviation = expected.std(0.0);
        let maps: Vec<OutputMap> = model.output_maps().collect();
        let mut squares = 0.0;
        for (coordinates, expected) in case.coordinates.rows().into_iter().zip(expected.rows()) {
            let mut raw = [0; 3];
            model.eval_fixed_into(coordinates.as_slice().unwrap(), &mut scratch, &mut raw).unwrap();
            for ((raw, map), expected) in raw.iter().zip(&maps).zip(expected) {
                let raw = if precision == Precision::F32 { f32::from_bits(*raw as u32) } else { *raw as f32 };
                let unit = (f64::from(raw * map.scale + map.offset) + 1.0) / 3.0;
                squares += (unit - expected).powi(2);
            }
        }
        (squares / expected.len() as f64).sqrt() / deviation
    }

    #[test]
    fn every_precision_reproduces_the_network() {
        for activation in [OutputActivation::Linear, OutputActivation::Sigmoid] {
            for hidden in [&[][..], &[40], &[33, 17], &[64, 64, 64]] {
                for (precision, limit) in [(Precision::F32, 1e-4), (Precision::W16A16, 6e-4), (Precision::W8A16, 1e-2)]
                {
                    let error = relative_error(precision, activation, hidden);
                    assert!(error < limit, "{precision:?} {activation:?} {hidden:?}: {error:e}");
                }
            }
        }
    }

    #[test]
    fn sizes_beyond_the_limits_are_named() {
        let case = case(&[8]);
        let axes = vec![Axis::new(0.0, 1.0, 1.0); 17];
        let maps = [OutputMap { scale: 1.0, offset: 0.0 }; 3];
        let error = network(&case, OutputActivation::Linear, &axes, &maps)
            .artifact(Precision::F32, case.features.view())
            .unwrap_err();
        assert_eq!(error.to_string(), "the number of inputs is 17, more than the 16 that a device accepts");
    }

    #[test]
    fn rows_of_zeros_and_large_biases_are_stored() {
        let mut case = case(&[16]);
        case.layers[0].weights.row_mut(3).fill(0.0);
        case.layers[0].weights.row_mut(4).fill(0.0);
        case.layers[0].bias[4] = 1000.0;
        case.layers[1].weights.fill(0.0);
        let axes = [Axis::new(0.0, 1.0, 1.0); 2];
        let maps = [OutputMap { scale: 1.0, offset: 0.0 }; 3];
        for precision in [Precision::F32, Precision::W8A16, Precision::W16A16] {
            let network = network(&case, OutputActivation::Linear, &axes, &maps);
            network.artifact(precision, case.features.view()).unwrap().model().unwrap();
        }
    }
}
