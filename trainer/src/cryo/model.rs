//! The decoder: from a frequency k and a latent z to the volume's Hartley coefficients.
//!
//! Inputs are kx, ky, kz in cycles per ångström, encoded, and z, passed by; outputs are H(k) and H(-k) in the images'
//! units. A volume is real, so k of the half space kx ≥ 0 suffice ([`half_space`]):
//! `F(k) = (H(k) + H(-k))/2 + i (H(-k) - H(k))/2`. The artifact has these very inputs and outputs: a device answers for
//! the density at frequency k in conformation z.

use super::error::CryoError;
use super::fourier_volume::FourierVolume;
use super::hartley;
use super::params::ValidCryoParams;
use super::slices::Slices;
use crate::artifact::card_text::CardText;
use crate::artifact::export::{Artifact, Card, Domain, TrainedNetwork};
use crate::artifact::quantize::CALIBRATION_POINTS;
use crate::base::random::{Purpose, step_rng};
use crate::network::encoding::Encoding;
use crate::network::trained_encoding::TrainedEncoding;
use crate::network::{Initialization, Mlp, Shape};
use crate::training::TrainState;
use firmware_core::{Axis, OutputActivation, OutputMap, Outside, Precision};
use ndarray::{Array2, ArrayView2};
use rand::RngExt;

/// z enters the decoder in this unit, so that it spans about as much as a feature does: a normal variable leaves ±4
/// once in 16,000 draws.
pub const LATENT_UNIT: f32 = 4.0;

/// The frequency or its opposite, whichever has kx ≥ 0, and whether it is the opposite.
pub fn half_space(k: [f32; 3]) -> ([f32; 3], bool) {
    let first = k.into_iter().find(|&k| k != 0.0).unwrap_or(0.0);
    if first < 0.0 { (k.map(|k| -k), true) } else { (k, false) }
}

/// What a decoder network means: encoding, domain and scale.
#[derive(Clone, Debug)]
pub struct Model {
    encoding: TrainedEncoding,
    /// Of kx, ky and kz.
    axes: [Axis; 3],
    /// Images' units per unit of an output.
    scale: f32,
    size: usize,
    pixel_size: f64,
    latent: usize,
    /// Of what calibrates the artifact.
    seed: u64,
}

impl Model {
    /// A decoder for these slices; `mean` gives the scale of its outputs.
    pub fn new(params: &ValidCryoParams, slices: &Slices, mean: &FourierVolume) -> Self {
        let limit = ((slices.radius() + 1) as f64 / slices.edge()) as f32;
        let axes = [Axis::new(-limit, limit, 2.0 * limit); 3];
        let ball = mean.ball(slices.radius());
        let power = ball.iter().map(|&k| f64::from(mean.get(k).norm_sqr())).sum::<f64>() / ball.len() as f64;
        let scale = (power.sqrt() as f32).max(slices.noise() * 1e-3);
        let (size, pixel_size) = (slices.size(), slices.pixel_size());
        let (encoding, latent, seed) = (params.encoding().clone(), params.params().latent, params.params().seed);
        Self { encoding, axes, scale, size, pixel_size, latent, seed }
    }

    /// Untrained networks: the decoder and, where there is a latent, the encoder of `encoder_inputs`.
    pub fn start(&self, params: &ValidCryoParams, encoder_inputs: usize) -> TrainState {
        let params = params.params();
        let mut rng = step_rng(params.seed, Purpose::CryoInitialParameters, 0);
        let linear = OutputActivation::Linear;
        let shape = Shape::new(self.encoding.start().features_len(), &params.hidden, 2, linear)
            .with_encoder(self.encoding.parameters_len());
        let mut networks = vec![Mlp::new(shape, Initialization::Glorot, &mut rng)];
        self.encoding.begin(&mut networks[0], &mut rng);
        if self.latent > 0 {
            let shape = Shape::new(encoder_inputs, &params.encoder_hidden, 2 * self.latent, linear);
            networks.push(Mlp::new(shape, Initialization::Glorot, &mut rng));
        }
        TrainState::new(networks)
    }

    /// The encoding of k, with z passed by.
    pub fn encoding(&self) -> &TrainedEncoding {
        &self.encoding
    }

    /// Dimensions of z.
    pub fn latent(&self) -> usize {
        self.latent
    }

    /// Images' units per unit of an output.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Q0.32 coordinates of a frequency in cycles over the box; those of z are left.
    pub fn coordinates_into(&self, k: [f32; 3], out: &mut [u32]) {
        let edge = (self.size as f64 * self.pixel_size) as f32;
        for ((out, k), axis) in out.iter_mut().zip(k).zip(&self.axes) {
            *out = axis.to_fixed(k / edge, Outside::Clamp).unwrap_or(0);
        }
    }

    /// The decoder's inputs under its encoding: features of k, then z.
    fn features(&self, encoding: &Encoding, points: &[[f32; 3]], z: &[f32]) -> Array2<f32> {
        let mut coordinates = Array2::zeros((points.len(), 3 + self.latent));
        for (mut row, &k) in coordinates.rows_mut().into_iter().zip(points) {
            self.coordinates_into(k, row.as_slice_mut().expect("row-major"));
        }
        let mut features = encoding.features(coordinates.view());
        for (mut column, z) in features.columns_mut().into_iter().rev().zip(z.iter().rev()) {
            column.fill(z / LATENT_UNIT);
        }
        features
    }

    /// The volume of a conformation, in the images' units.
    pub fn volume(&self, decoder: &Mlp<f32>, z: &[f32]) -> FourierVolume {
        let mut volume = FourierVolume::zeros(self.size, self.pixel_size);
        let points: Vec<[i32; 3]> =
            volume.ball(self.size / 2 - 1).into_iter().filter(|k| !half_space(k.map(|k| k as f32)).1).collect();
        let frequencies: Vec<[f32; 3]> = points.iter().map(|k| k.map(|k| k as f32)).collect();
        let encoding = self.encoding.of(decoder);
        let outputs = decoder.predict(self.features(&encoding, &frequencies, z).view());
        for (k, pair) in points.into_iter().zip(outputs.rows()) {
            let mut value = hartley::to_fourier(pair[0], pair[1]) * self.scale;
            if k == [0; 3] {
                value.im = 0.0;
            }
            volume.set(k, value);
            volume.set(k.map(|k| -k), value.conj());
        }
        volume
    }

    /// Random frequencies of the ball with latents of random images `[n, 3 + latent]`, in the artifact's units, others
    /// than those that calibrate it: what to ask a device. `latents` are those of all images, `[images, latent]`.
    pub fn device_queries(&self, count: usize, latents: ArrayView2<'_, f32>) -> Array2<f32> {
        self.queries(count, latents, !self.seed)
    }

    fn queries(&self, count: usize, latents: ArrayView2<'_, f32>, seed: u64) -> Array2<f32> {
        let mut rng = step_rng(seed, Purpose::CryoCalibration, 0);
        let (radius, edge) = ((self.size / 2 - 1) as f32, (self.size as f64 * self.pixel_size) as f32);
        let mut queries = Array2::zeros((count, 3 + self.latent));
        for mut row in queries.rows_mut() {
            let k = loop {
                let k: [f32; 3] = std::array::from_fn(|_| rng.random_range(-radius..=radius));
                if k.iter().map(|k| k * k).sum::<f32>() <= radius * radius {
                    break half_space(k).0;
                }
            };
            for (slot, k) in row.iter_mut().zip(k) {
                *slot = k / edge;
            }
            let z = latents.row(rng.random_range(0..latents.nrows()));
            row.iter_mut().skip(3).zip(z).for_each(|(slot, &z)| *slot = z);
        }
        queries
    }

    /// The decoder as an artifact. The domain of z holds every one of `latents`, `[images, latent]`; beyond it z is
    /// clamped.
    ///
    /// # Errors
    /// If a device cannot hold it.
    pub fn artifact(
        &self,
        decoder: &Mlp<f32>,
        latents: ArrayView2<'_, f32>,
        precision: Precision,
    ) -> Result<Artifact, CryoError> {
        let limit = latents.iter().fold(1.0f32, |limit, z| limit.max(z.abs())).ceil();
        let mut axes = self.axes.to_vec();
        axes.extend(vec![Axis::new(-limit, limit, 2.0 * limit); self.latent]);
        let encoding = &self.encoding.of(decoder);
        let mut network = decoder.without_encoder();
        // An artifact's coordinate runs from -1 to 1 over its domain; the decoder's z is in its own unit.
        let (width, weights) = (encoding.features_len(), decoder.shape().weights_range(0));
        for row in network.parameters_mut()[weights].chunks_exact_mut(width) {
            row[width - self.latent..].iter_mut().for_each(|weight| *weight *= limit / LATENT_UNIT);
        }
        let names: Vec<String> = (1..=self.latent).map(|i| format!("z{i}")).collect();
        let inputs = [&["kx", "ky", "kz"].map(String::from)[..], &names].concat();
        let text = CardText::new(&inputs, &["hartley_plus", "hartley_minus"])
            .json("volume_size", &self.size)
            .number("voxel_size", self.pixel_size);
        let queries = self.queries(CALIBRATION_POINTS, latents, self.seed);
        let mut coordinates = Array2::zeros(queries.dim());
        for (mut row, query) in coordinates.rows_mut().into_iter().zip(queries.rows()) {
            for ((slot, &x), axis) in row.iter_mut().zip(query).zip(&axes) {
                *slot = axis.to_fixed(x, Outside::Clamp).unwrap_or(0);
            }
        }
        let domain = Domain::clamped(axes, vec![OutputMap { scale: self.scale, offset: 0.0 }; 2]);
        let trained = TrainedNetwork { encoding, network: &network, domain: &domain };
        let features = encoding.encode(coordinates.view());
        Ok(trained.artifact(precision, features.view(), Card::new(text.as_str()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_fold_into_half_of_space() {
        assert_eq!(half_space([1.0, -2.0, 3.0]), ([1.0, -2.0, 3.0], false));
        assert_eq!(half_space([-1.0, -2.0, 3.0]), ([1.0, 2.0, -3.0], true));
        assert_eq!(half_space([0.0, -2.0, 3.0]), ([0.0, 2.0, -3.0], true));
        assert_eq!(half_space([0.0; 3]), ([0.0; 3], false));
    }
}
