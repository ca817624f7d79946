//! Radiance fields: logits of colour and density at positions, from a network in training or from an artifact.

use firmware_core::Model;
use firmware_core::march::{OUTPUTS, Sample};
use ndarray::ArrayView2;

use crate::encoding::Encoding;
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
    encoding: firmware_core::Encoding<'a>,
    factors: Vec<f32>,
}

/// Buffers of an encoder.
#[derive(Debug, Default)]
pub struct EncoderScratch {
    integers: Vec<i16>,
    features: Vec<f32>,
}

impl<'a> Encoder<'a> {
    /// The encoder of an encoding of three coordinates.
    pub fn new(encoding: &'a Encoding) -> Self {
        Self { encoding: encoding.device(), factors: encoding.feature_factors() }
    }

    /// Features `[n, 2m + p]` of Q0.32 coordinates `[n]`.
    pub fn features<'s>(
        &self,
        coordinates: impl ExactSizeIterator<Item = [u32; 3]>,
        scratch: &'s mut EncoderScratch,
    ) -> ArrayView2<'s, f32> {
        let (rows, width) = (coordinates.len(), self.factors.len());
        scratch.integers.resize(width, 0);
        scratch.features.resize(rows * width, 0.0);
        for (row, point) in scratch.features.chunks_exact_mut(width).zip(coordinates) {
            self.encoding.encode_into(&point, &mut scratch.integers);
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
    /// The field of a network of four outputs over an encoding of three coordinates.
    pub fn new(encoding: &'a Encoding, network: &'a Mlp<f32>) -> Self {
        Self { encoder: Encoder::new(encoding), network }
    }

    /// The logits at Q0.32 coordinates `[n]`, `[n, 4]`.
    pub fn logits_at<'s>(
        &self,
        coordinates: impl ExactSizeIterator<Item = [u32; 3]>,
        scratch: &'s mut NetworkScratch,
    ) -> ArrayView2<'s, f32> {
        let features = self.encoder.features(coordinates, &mut scratch.encoder);
        scratch.tape.forward(self.network, features)
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
            let outputs = self.logits_at(samples.iter().map(|sample| sample.coordinates), scratch);
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
        scratch.points.extend(samples.iter().flat_map(|sample| sample.position));
        logits.clear();
        logits.resize(samples.len(), [0.0; OUTPUTS]);
        self.model
            .eval_batch_into(&scratch.points, &mut scratch.words, logits.as_flattened_mut())
            .expect("a volume's model takes three inputs, gives four outputs and clamps");
    }
}
