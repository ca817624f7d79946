//! The loss of heterogeneous reconstruction: an encoder chained to a decoder through a random latent.
//!
//! For each image i and frequency k with CTF c and coefficients y over the noise, per coefficient: `L = 1/(n·m) Σ_i Σ_k
//! ½|y - c·s·D(γ(Rᵀk), z_i)|² + β/(n·K) Σ_i KL(N(μ_i, σ_i²) ‖ N(0, 1))`, with `z = μ + σ ε`, (μ, ln σ²) = E(b_i) of the
//! image's back-projected residual, m frequencies drawn out of K, and s from the decoder's unit to the noise. At β = 1
//! it is the negative evidence lower bound per pair, but for constants; where the model is right it tends to 1.

use super::model::{LATENT_UNIT, Model, half_space};
use super::params::{CryoParams, ValidCryoParams};
use super::slices::Slices;
use crate::base::random::{Purpose, step_rng};
use crate::network::features::buffer_rows;
use crate::network::trained_encoding::PointEncoder;
use crate::network::{Gradients, Mlp};
use crate::training::{Objective, Pass, TrainError};
use ndarray::{Array2, ArrayView2};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Images of a chunk.
const CHUNK_IMAGES: usize = 8;
/// Chunks of one step are told apart by these bits.
const CHUNK_BITS: u32 = 20;

/// The objective over the images of slices.
pub struct CryoObjective<'a> {
    model: &'a Model,
    slices: &'a Slices,
    /// Of the encoder, `[images, inputs]`.
    residuals: &'a Array2<f32>,
    params: &'a CryoParams,
    encoder: PointEncoder,
    /// Images of the step at hand.
    picked: Vec<u32>,
    step: u64,
    /// β at that step.
    beta: f64,
}

/// β over a run, as a share of its last value: next to none while the latent is found, then rising. A
/// divergence that weighs from the start presses z to its prior before the decoder listens to it.
fn ramp(progress: f64) -> f64 {
    ((progress - 0.25) / 0.5).clamp(0.01, 1.0)
}

impl<'a> CryoObjective<'a> {
    /// Over all images of the slices.
    pub fn new(model: &'a Model, slices: &'a Slices, residuals: &'a Array2<f32>, params: &'a ValidCryoParams) -> Self {
        let params = params.params();
        let encoder = model.encoding().encoder(params.steps);
        Self { model, slices, residuals, params, encoder, picked: Vec::new(), step: 0, beta: 0.0 }
    }

    fn batch(&self) -> usize {
        self.params.images.min(self.slices.images())
    }
}

/// A chunk at work.
struct Chunk<'a> {
    images: &'a [u32],
    networks: &'a [Mlp<f32>],
    pass: &'a mut Pass<CryoScratch>,
    rng: ChaCha8Rng,
}

/// Buffers of a group.
#[derive(Default)]
pub struct CryoScratch {
    inputs: Vec<f32>,
    codes: Vec<f32>,
    noise: Vec<f32>,
    z: Vec<f32>,
    code_gradient: Vec<f32>,
    points: Vec<(u32, bool)>,
    coordinates: Vec<u32>,
    features: Vec<f32>,
    gradient: Vec<f32>,
    input_gradient: Vec<f32>,
}

impl Objective for CryoObjective<'_> {
    type Scratch = CryoScratch;

    fn begin_step(&mut self, step: u64, networks: &[Mlp<f32>]) -> Result<usize, TrainError> {
        let mut rng = step_rng(self.params.seed, Purpose::CryoImages, step);
        let batch = self.batch();
        self.picked.clear();
        self.picked.extend((0..batch).map(|_| rng.random_range(0..self.slices.images()) as u32));
        self.step = step;
        self.encoder.begin_step(step, &networks[0]);
        self.beta = self.params.beta * ramp(step as f64 / self.params.steps as f64);
        Ok(batch.div_ceil(CHUNK_IMAGES))
    }

    fn chunk(&self, chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass<CryoScratch>) -> f64 {
        let batch = self.batch();
        let rng = step_rng(self.params.seed, Purpose::CryoDraws, self.step << CHUNK_BITS | chunk as u64);
        let images = &self.picked[chunk * CHUNK_IMAGES..((chunk + 1) * CHUNK_IMAGES).min(batch)];
        let (latent, per_image) = (self.model.latent(), self.params.frequencies);
        let mut work = Chunk { images, networks, pass, rng };

        let mut loss = 0.0;
        if latent > 0 {
            loss += self.encode(&mut work);
        }
        let rows = self.draw_features(&mut work);
        let pass = &mut *work.pass;
        let s = &mut pass.scratch;
        let width = self.encoder.width();
        let features = ArrayView2::from_shape((rows, width), &s.features[..rows * width]).expect("as drawn");
        let (decoder, tape) = (&networks[0], &mut pass.tapes[0]);
        let outputs = tape.forward(decoder, features);
        let mut gradient = buffer_rows(&mut s.gradient, rows, 2);
        let factor = 1.0 / (batch * per_image) as f32;
        let scale = self.model.scale() / self.slices.noise();
        let mut squares = 0.0f64;
        for (row, (output, mut gradient)) in outputs.rows().into_iter().zip(gradient.rows_mut()).enumerate() {
            let (point, flipped) = s.points[row];
            let (pair, ctf) = self.slices.pair(images[row / per_image] as usize, point as usize);
            let [plus, minus] = if flipped { [pair[1], pair[0]] } else { pair };
            let ctf = ctf * scale;
            for (channel, target) in [plus, minus].into_iter().enumerate() {
                let difference = ctf * output[channel] - target;
                squares += f64::from(difference * difference);
                gradient[channel] = difference * ctf * factor;
            }
        }
        loss += 0.5 * squares * f64::from(factor);
        // Of z, and of the encoding's own parameters.
        let mut wanted =
            (latent > 0 || !decoder.encoder().is_empty()).then(|| buffer_rows(&mut s.input_gradient, rows, width));
        let parameters = &mut pass.gradients[0];
        let inputs = wanted.as_mut().map(|wanted| wanted.view_mut());
        tape.backward(decoder, features, Gradients { outputs: gradient.view(), parameters, inputs });
        if let Some(wanted) = wanted {
            let encoder = &mut parameters[decoder.shape().encoder_range()];
            self.encoder.add_gradient(&s.coordinates, [features, wanted.view()], encoder);
        }
        if latent > 0 {
            self.finish_encoder(&mut work);
        }
        loss
    }
}

impl CryoObjective<'_> {
    /// Weight of one image's KL divergence in this step.
    fn kl_factor(&self) -> f32 {
        (self.beta / (self.batch() * self.slices.points()) as f64) as f32
    }

    /// Draws z of every image and returns the loss of the KL divergence.
    fn encode(&self, chunk: &mut Chunk<'_>) -> f64 {
        let Chunk { images, networks, pass, rng } = chunk;
        let (s, encoder) = (&mut pass.scratch, &networks[1]);
        let (latent, width) = (self.model.latent(), self.residuals.ncols());
        s.inputs.clear();
        for &image in *images {
            s.inputs.extend(self.residuals.row(image as usize));
        }
        let inputs = ArrayView2::from_shape((images.len(), width), &s.inputs).expect("a row each");
        let codes = pass.tapes[1].forward(encoder, inputs);
        s.codes.clear();
        s.codes.extend(codes);
        s.noise.clear();
        s.z.clear();
        let mut divergence = 0.0f64;
        for code in s.codes.chunks_exact(2 * latent) {
            for dimension in 0..latent {
                let (mean, log_variance) = (code[dimension], code[latent + dimension]);
                let deviate: f64 = StandardNormal.sample(rng);
                s.noise.push(deviate as f32);
                s.z.push(mean + (0.5 * log_variance).exp() * deviate as f32);
                divergence += 0.5 * f64::from(mean * mean + log_variance.exp() - 1.0 - log_variance);
            }
        }
        divergence * f64::from(self.kl_factor())
    }

    /// Draws frequencies of every image and encodes them beside its z; returns how many rows.
    fn draw_features(&self, chunk: &mut Chunk<'_>) -> usize {
        let Chunk { images, networks, pass, rng } = chunk;
        let s = &mut pass.scratch;
        let (latent, per_image) = (self.model.latent(), self.params.frequencies);
        let (rows, width) = (images.len() * per_image, self.encoder.width());
        s.points.clear();
        // Those of z stay zero.
        s.coordinates.clear();
        s.coordinates.resize(rows * (3 + latent), 0);
        for (row, coordinates) in s.coordinates.chunks_exact_mut(3 + latent).enumerate() {
            let image = row / per_image;
            let point = rng.random_range(0..self.slices.points());
            let (k, flipped) = half_space(self.slices.position(images[image] as usize, point));
            s.points.push((point as u32, flipped));
            self.model.coordinates_into(k, coordinates);
        }
        self.encoder.encode(&s.coordinates, &networks[0], &mut s.features);
        if latent > 0 {
            for (row, features) in s.features[..rows * width].chunks_exact_mut(width).enumerate() {
                // Passed by without rounding: z has a gradient.
                for (feature, z) in features[width - latent..].iter_mut().zip(&s.z[row / per_image * latent..]) {
                    *feature = z / LATENT_UNIT;
                }
            }
        }
        rows
    }

    /// The gradient of z through the encoder.
    fn finish_encoder(&self, chunk: &mut Chunk<'_>) {
        let Chunk { images, networks, pass, .. } = chunk;
        let (images, encoder) = (images.len(), &networks[1]);
        let s = &mut pass.scratch;
        let (latent, per_image) = (self.model.latent(), self.params.frequencies);
        let width = self.encoder.width();
        let kl = self.kl_factor();
        s.code_gradient.clear();
        s.code_gradient.resize(images * 2 * latent, 0.0);
        for image in 0..images {
            let rows = &s.input_gradient[image * per_image * width..(image + 1) * per_image * width];
            for dimension in 0..latent {
                let column = rows.iter().skip(width - latent + dimension).step_by(width);
                let slope = column.sum::<f32>() / LATENT_UNIT;
                let at = image * 2 * latent + dimension;
                let (mean, log_variance) = (s.codes[at], s.codes[at + latent]);
                let noise = s.noise[image * latent + dimension];
                s.code_gradient[at] = slope + kl * mean;
                s.code_gradient[at + latent] =
                    0.5 * (slope * noise * (0.5 * log_variance).exp() + kl * (log_variance.exp() - 1.0));
            }
        }
        let inputs = ArrayView2::from_shape((images, self.residuals.ncols()), &s.inputs).expect("as encoded");
        let outputs = ArrayView2::from_shape((images, 2 * latent), &s.code_gradient).expect("as many");
        let gradients = Gradients { outputs, parameters: &mut pass.gradients[1], inputs: None };
        pass.tapes[1].backward(encoder, inputs, gradients);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cryo::atoms::Molecule;
    use crate::cryo::back_projection::back_project;
    use crate::cryo::residuals::residuals;
    use crate::cryo::synthesis::{SynthesisParams, synthesize};
    use crate::network::encoding::EncodingParams;
    use crate::training::loss_and_gradients;

    /// Central differences in single precision: rounding spoils small steps, the ReLUs' kinks large ones, so one of two
    /// must agree; a wrong gradient agrees with neither.
    #[test]
    fn gradients_of_both_networks_are_those_of_the_loss() {
        let synthesis = SynthesisParams { particles: 30, snr: 1.0, ..SynthesisParams::default() };
        let slices = Slices::new(&synthesize(&Molecule::adenylate_kinase(), &synthesis).unwrap());
        let images: Vec<u32> = (0..30).collect();
        let mean = back_project(&slices, &images);
        let inputs = residuals(&slices, &mean.padded);
        let params = CryoParams {
            encoding: EncodingParams { frequencies: 8, learned: true, ..EncodingParams::default() },
            hidden: vec![12],
            encoder_hidden: vec![6],
            latent: 2,
            images: 12,
            frequencies: 10,
            beta: 40.0,
            steps: 4,
            ..CryoParams::default()
        };
        let params = params.check(slices.images(), slices.size()).unwrap();
        let model = Model::new(&params, &slices, &mean.volume);
        let mut networks = model.start(&params, inputs.ncols()).networks;
        let mut objective = CryoObjective::new(&model, &slices, &inputs, &params);
        let (_, gradients) = loss_and_gradients(&mut objective, 3, &networks).unwrap();
        for network in 0..2 {
            // The parameters that matter most, which rounding hides least.
            let mut order: Vec<usize> = (0..gradients[network].len()).collect();
            order.sort_by(|&a, &b| gradients[network][b].abs().total_cmp(&gradients[network][a].abs()));
            for &index in &order[..12] {
                let value = networks[network].parameters()[index];
                let mut at = |offset: f32| {
                    networks[network].parameters_mut()[index] = value + offset;
                    loss_and_gradients(&mut objective, 3, &networks).unwrap().0
                };
                let slopes = [3e-3f32, 3e-4].map(|h| (at(h) - at(-h)) / f64::from(2.0 * h));
                at(0.0);
                let found = f64::from(gradients[network][index]);
                let agrees = slopes.iter().any(|slope| (slope - found).abs() < 0.02 * found.abs() + 1e-5);
                assert!(agrees, "{network}.{index}: {found} {slopes:?}");
            }
        }
    }
}
