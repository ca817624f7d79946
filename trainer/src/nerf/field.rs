//! Radiance fields: logits of colour and density at positions, from a network in training or from an artifact.

use firmware_core::Model;
use firmware_core::march::{DIRECTED_INPUTS, OUTPUTS, Sample};
use ndarray::ArrayView2;

use super::direction::coordinates;
use crate::network::encoding::{Device, Encoding};
use crate::network::{Mlp, Tape};

/// What can be drawn.
pub trait Field: Sync {
    /// Buffers that a thread keeps.
    type Scratch: Default + Send;

    /// Writes the logits at `samples`, one row each.
    fn logits(&self, samples: &[Sample], scratch: &mut Self::Scratch, logits: &mut Vec<[f32; OUTPUTS]>);
}

/// Encodes coordinates into features as the network takes them: what the device computes, times amplitudes.
#[derive(Clone, Debug)]
pub struct Encoder<'a> {
    encoding: Device<'a>,
    factors: Vec<f32>,
}

/// Buffers of an encoder.
#[derive(Debug, Default)]
pub struct EncoderScratch {
    integers: Vec<i16>,
    features: Vec<f32>,
}

impl<'a> Encoder<'a> {
    /// The encoder of an encoding of positions, or of positions and directions.
    pub fn new(encoding: &'a Encoding) -> Self {
        Self { encoding: encoding.device(), factors: encoding.feature_factors() }
    }

    /// Features `[n, 2m + p]` of samples `[n]`.
    pub fn features<'s>(&self, samples: &[Sample], scratch: &'s mut EncoderScratch) -> ArrayView2<'s, f32> {
        let directed = self.encoding.inputs() == DIRECTED_INPUTS;
        self.encode(samples.iter().map(|sample| coordinates(sample, directed)), scratch)
    }

    /// Features `[n, 2m + p]` of Q0.32 coordinates of position and direction `[n]`.
    fn encode<'s>(
        &self,
        points: impl ExactSizeIterator<Item = [u32; DIRECTED_INPUTS]>,
        scratch: &'s mut EncoderScratch,
    ) -> ArrayView2<'s, f32> {
        let (rows, width) = (points.len(), self.factors.len());
        let inputs = self.encoding.inputs();
        scratch.integers.resize(width, 0);
        scratch.features.resize(rows * width, 0.0);
        for (row, point) in scratch.features.chunks_exact_mut(width).zip(points) {
            self.encoding.encode_into(&point[..inputs], &mut scratch.integers);
            for ((feature, &integer), factor) in row.iter_mut().zip(&scratch.integers).zip(&self.factors) {
                *feature = f32::from(integer) * factor;
            }
        }
        ArrayView2::from_shape((rows, width), &scratch.features).expect("the length fits the shape")
    }
}

/// A network in f32 on all the machine's vector units: for training and for judging many views.
#[derive(Clone, Debug)]
pub struct NetworkField<'a> {
    encoder: Encoder<'a>,
    network: &'a Mlp<f32>,
}

impl<'a> NetworkField<'a> {
    /// The field of a network of four outputs over an encoding of positions, or of positions and directions.
    pub fn new(encoding: &'a Encoding, network: &'a Mlp<f32>) -> Self {
        Self { encoder: Encoder::new(encoding), network }
    }

    /// The density logits at Q0.32 coordinates of positions `[n]`.
    pub fn densities_at(&self, places: &[[u32; 3]], scratch: &mut NetworkScratch) -> Vec<f32> {
        // Density is the same in every direction.
        let points = places.iter().map(|&[x, y, z]| [x, y, z, 0, 0, 0]);
        let features = self.encoder.encode(points, &mut scratch.encoder);
        scratch.tape.forward(self.network, features).column(OUTPUTS - 1).to_vec()
    }
}

/// Buffers of a [`NetworkField`].
#[derive(Debug, Default)]
pub struct NetworkScratch {
    encoder: EncoderScratch,
    tape: Tape<f32>,
}

/// Samples evaluated at once.
const BATCH: usize = 512;

impl Field for NetworkField<'_> {
    type Scratch = NetworkScratch;

    fn logits(&self, samples: &[Sample], scratch: &mut NetworkScratch, logits: &mut Vec<[f32; OUTPUTS]>) {
        logits.clear();
        for samples in samples.chunks(BATCH) {
            let features = self.encoder.features(samples, &mut scratch.encoder);
            let outputs = scratch.tape.forward(self.network, features);
            logits.extend(outputs.rows().into_iter().map(|row| [row[0], row[1], row[2], row[3]]));
        }
    }
}

/// An artifact, evaluated by the device's code: the same bits as there.
#[derive(Clone, Debug)]
pub struct ModelField<'a> {
    model: &'a Model<'a>,
}

impl<'a> ModelField<'a> {
    /// The field of a model that a [`Volume`](firmware_core::march::Volume) was parsed for.
    pub fn new(model: &'a Model<'a>) -> Self {
        Self { model }
    }
}

/// Buffers of a [`ModelField`].
#[derive(Debug, Default)]
pub struct ModelScratch {
    words: Vec<u32>,
    points: Vec<f32>,
}

impl Field for ModelField<'_> {
    type Scratch = ModelScratch;

    fn logits(&self, samples: &[Sample], scratch: &mut ModelScratch, logits: &mut Vec<[f32; OUTPUTS]>) {
        scratch.words.resize(self.model.batch_scratch_words(), 0);
        scratch.points.clear();
        let inputs = self.model.encoding().inputs();
        for sample in samples {
            scratch.points.extend_from_slice(&sample.point()[..inputs]);
        }
        logits.clear();
        logits.resize(samples.len(), [0.0; OUTPUTS]);
        self.model
            .eval_batch_into(&scratch.points, &mut scratch.words, logits.as_flattened_mut())
            .expect("a volume's model takes three inputs or six, gives four outputs and clamps");
    }
}
