//! The objective: the mean squared error of the colours of random rays.
//!
//! A step draws about as many rays as fill its batch of samples. Each is marched through the occupied cells with
//! stratified samples, the network gives logits z at all of them, `c = sigmoid(z₀₋₂)`, `σ = scale·softplus(z₃)` (or
//! ReLU), [`RaySamples::integrate`] gives the colour, and the gradient goes back the same way.

use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use firmware_core::march::{OUTPUTS, Sample, Volume, exp_negative, sigmoid, softplus};
use ndarray::ArrayView2;

use super::direction::{clear, coordinates};
use super::field::{NetworkField, NetworkScratch};
use super::occupancy::{Occupancy, REFRESH_STEPS, SCOUTS};
use super::params::{DensityKind, ValidNerfParams};
use super::rays::{Jitter, Pixels};
use super::volume::{ColorGradient, RaySamples, SampleGradients};
use crate::network::Mlp;
use crate::network::features::Backward;
use crate::network::trained_encoding::PointEncoder;
use crate::training::{Objective, Pass, TrainError};

/// Rays of a chunk: their samples fill the rows of a few matrix products.
const CHUNK_RAYS: usize = 24;

/// The colours of rays against those of pixels.
pub struct RayObjective<'a> {
    params: &'a ValidNerfParams,
    pixels: &'a Pixels,
    encoder: PointEncoder,
    /// Shared with whoever saves the run.
    occupancy: &'a RwLock<Occupancy>,
    chosen: Vec<(u32, u64)>,
    /// Parameters that stay as they are.
    fixed: Vec<Range<usize>>,
}

impl<'a> RayObjective<'a> {
    /// An objective over pixels. `occupancy` is renewed as the field forms.
    pub fn new(params: &'a ValidNerfParams, pixels: &'a Pixels, occupancy: &'a RwLock<Occupancy>) -> Self {
        let (encoder, fixed) = (params.encoding().encoder(params.params().steps), params.fixed(&params.shape()));
        Self { params, pixels, encoder, occupancy, chosen: Vec::new(), fixed }
    }
}

/// The volume that rays march, over a grid's bits.
pub fn volume<'o>(params: &ValidNerfParams, resolution: u32, bits: &'o [u32]) -> Volume<'o> {
    Volume {
        axes: params.axes(),
        step: params.step(),
        density: params.params().density.into(),
        density_scale: params.density_scale(),
        view_direction: params.params().view_direction,
        termination: super::render::TERMINATION,
        background: params.params().background.color(),
        resolution,
        occupancy: bits,
    }
}

/// Density over its scale, and the derivative by the logit.
fn activate(kind: DensityKind, logit: f32) -> (f32, f32) {
    match kind {
        DensityKind::Softplus => (softplus(logit), sigmoid(logit)),
        DensityKind::Relu if logit > 0.0 => (logit, 1.0),
        // NaN passes, so that a run that diverges is noticed.
        DensityKind::Relu => (logit * 0.0, 0.0),
    }
}

/// Buffers of a group.
#[derive(Default)]
pub struct RayScratch {
    samples: Vec<Sample>,
    /// Coordinates of the samples `[n, d]`, Q0.32.
    points: Vec<u32>,
    features: Vec<f32>,
    feature_gradients: Vec<f32>,
    /// Where the samples of each ray end.
    ends: Vec<usize>,
    targets: Vec<[f32; 3]>,
    colors: ColorScratch,
}

/// What all rays of a step have in common.
struct SharedByRays {
    /// Distance of samples along a ray.
    step: f32,
    background: [f32; 3],
    /// What the loss is of the sum of squared errors.
    part: f64,
}

/// What lies between logits and loss, one of each a sample of the chunk.
#[derive(Default)]
struct ColorScratch {
    densities: Vec<f32>,
    slopes: Vec<f32>,
    colors: Vec<[f32; 3]>,
    weights: Vec<f32>,
    density_gradients: Vec<f32>,
    color_gradients: Vec<[f32; 3]>,
    /// With respect to the logits, `[n, 4]`.
    logit_gradients: Vec<f32>,
}

impl ColorScratch {
    fn resize(&mut self, samples: usize) {
        self.densities.resize(samples, 0.0);
        self.slopes.resize(samples, 0.0);
        self.colors.resize(samples, [0.0; 3]);
        self.weights.resize(samples, 0.0);
        self.density_gradients.resize(samples, 0.0);
        self.color_gradients.resize(samples, [0.0; 3]);
        self.logit_gradients.resize(samples * OUTPUTS, 0.0);
    }

    /// From logits `[n, 4]` to densities and colours.
    fn activate(&mut self, kind: DensityKind, scale: f32, logits: ArrayView2<'_, f32>) {
        self.resize(logits.nrows());
        for (i, z) in logits.rows().into_iter().enumerate() {
            let (density, slope) = activate(kind, z[3]);
            self.densities[i] = density * scale;
            self.slopes[i] = slope * scale;
            self.colors[i] = [z[0], z[1], z[2]].map(sigmoid);
        }
    }

    /// The squared error of one ray's colour, whose gradient goes to the logits of its samples.
    fn ray(&mut self, samples: Range<usize>, target: [f32; 3], shared: &SharedByRays) -> f64 {
        let r = samples.clone();
        let ray = RaySamples {
            densities: &self.densities[r.clone()],
            colors: &self.colors[r.clone()],
            step: shared.step,
            background: shared.background,
        };
        let weights = &mut self.weights[r.clone()];
        let integral = ray.integrate(weights);
        let error: [f32; 3] = std::array::from_fn(|k| integral.color[k] - target[k]);
        let gradient = error.map(|error| (2.0 * shared.part) as f32 * error);
        let of_color = ColorGradient { gradient, weights, transmittance: integral.transmittance };
        let into =
            SampleGradients { densities: &mut self.density_gradients[r.clone()], colors: &mut self.color_gradients[r] };
        ray.gradient(&of_color, into);
        for i in samples {
            let z = &mut self.logit_gradients[i * OUTPUTS..][..OUTPUTS];
            for ((z, gradient), c) in z.iter_mut().zip(self.color_gradients[i]).zip(self.colors[i]) {
                *z = gradient * c * (1.0 - c);
            }
            z[3] = self.density_gradients[i] * self.slopes[i];
        }
        error.iter().map(|&error| f64::from(error) * f64::from(error)).sum()
    }
}

impl Objective for RayObjective<'_> {
    type Scratch = RayScratch;

    fn begin_step(&mut self, step: u64, networks: &[Mlp<f32>]) -> Result<usize, TrainError> {
        let params = self.params.params();
        self.encoder.begin_step(step, &networks[0]);
        let mut grid = self.occupancy.write().unwrap_or_else(PoisonError::into_inner);
        if step > 0 && step.is_multiple_of(REFRESH_STEPS) {
            let encoding = self.params.encoding().of(&networks[0]);
            let field = NetworkField::new(&encoding, &networks[0]);
            let reach = self.params.density_scale() * self.params.step();
            grid.refresh(params.seed, step, |places| {
                let mut scratch = NetworkScratch::default();
                let opacity = |logit| 1.0 - exp_negative(activate(params.density, logit).0 * reach);
                field.densities_at(places, &mut scratch).into_iter().map(opacity).collect()
            });
        }
        // Bounded, so that an empty cube does not ask for rays without end.
        let rays = (params.batch as f64 / grid.samples_per_ray()).ceil() as usize;
        let rays = rays.clamp(CHUNK_RAYS, params.batch.div_ceil(4).max(CHUNK_RAYS));
        self.chosen = self.pixels.choose(params.seed, step, rays);
        Ok(rays.div_ceil(CHUNK_RAYS))
    }

    fn chunk(&self, chunk: usize, networks: &[Mlp<f32>], pass: &mut Pass<RayScratch>) -> f64 {
        let grid = self.occupancy.read().unwrap_or_else(PoisonError::into_inner);
        let RayScratch { samples, points, features, feature_gradients, ends, targets, colors } = &mut pass.scratch;
        samples.clear();
        points.clear();
        ends.clear();
        targets.clear();
        let volumes = [false, true].map(|scout| volume(self.params, grid.resolution(), grid.bits(scout)));
        let first = chunk * CHUNK_RAYS;
        let chosen = &self.chosen[first..(first + CHUNK_RAYS).min(self.chosen.len())];
        for (index, &(pixel, seed)) in chosen.iter().enumerate() {
            let target = self.pixels.target(pixel as usize);
            let is_scout = (first + index).is_multiple_of(SCOUTS);
            let mut jitter = Jitter(seed);
            samples.extend(volumes[usize::from(is_scout)].samples(&target.ray, || jitter.draw()));
            ends.push(samples.len());
            targets.push(target.color);
        }
        grid.count(chosen.len(), samples.len());

        let directed = self.params.params().view_direction;
        let inputs = self.params.encoding().start().inputs();
        for sample in &*samples {
            points.extend_from_slice(&coordinates(sample, directed)[..inputs]);
        }
        let (network, tape) = (&networks[0], &mut pass.tapes[0]);
        let features = self.encoder.encode(points, network, features);
        let logits = tape.forward(network, features);
        colors.activate(self.params.params().density, self.params.density_scale(), logits);
        let shared = SharedByRays {
            step: self.params.step(),
            background: self.params.params().background.color(),
            part: 1.0 / (3 * self.chosen.len()) as f64,
        };
        let (mut loss, mut start) = (0.0, 0);
        for (&end, &target) in ends.iter().zip(&*targets) {
            loss += colors.ray(start..end, target, &shared);
            start = end;
        }
        for (sample, &weight) in samples.iter().zip(&colors.weights) {
            grid.see(volumes[0].cell(&sample.coordinates), weight);
        }
        let gradient = ArrayView2::from_shape((samples.len(), OUTPUTS), &colors.logit_gradients);
        let (outputs, parameters) = (gradient.expect("four a sample"), &mut pass.gradients[0]);
        Backward { network, tape, features, outputs, gradient: parameters }.run(feature_gradients, |gradient, into| {
            self.encoder.add_gradient(points, [features, gradient], into);
        });
        clear(&mut pass.gradients[0], &self.fixed);
        loss * shared.part
    }

    fn psnr_db(&self, loss: f64) -> Option<f64> {
        Some(-10.0 * loss.log10())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nerf::params::NerfParams;
    use crate::nerf::poses::turntable;
    use crate::nerf::scene::View;
    use crate::network::encoding::{EncodingKind, EncodingParams};
    use crate::network::grid::GridParams;
    use crate::training::loss_and_gradients;
    use crate::training::optimizer::Optimizer;
    use firmware_core::march::Camera;

    fn views() -> Vec<View> {
        let like = Camera { to_world: [[0.0; 4]; 3], focal: 12.0, width: 6, height: 6 };
        let picture = |k: usize| (0..36).map(|i| [0.2, (i % 5) as f32 / 5.0, (k % 3) as f32 / 3.0, 0.7]).collect();
        let cameras = turntable(&like, 3.0, 20.0, 4).into_iter().enumerate();
        cameras.map(|(k, camera)| View::new("", camera, picture(k))).collect()
    }

    #[test]
    fn the_gradient_of_the_whole_chain_matches_differences() {
        let cases = [
            (DensityKind::Softplus, false, EncodingKind::Gaussian),
            (DensityKind::Relu, false, EncodingKind::Gaussian),
            (DensityKind::Softplus, true, EncodingKind::Gaussian),
            (DensityKind::Softplus, false, EncodingKind::Grid),
        ];
        for (density, view_direction, kind) in cases {
            let levels = ["3", "4x5x3"].map(|level| level.parse().unwrap()).to_vec();
            let encoding = EncodingParams {
                kind,
                frequencies: 5,
                scale: 1.0,
                learned: true,
                grid: GridParams { levels, ..GridParams::default() },
                ..EncodingParams::default()
            };
            let hidden = if view_direction { vec![8, 8] } else { vec![9] };
            let base = NerfParams { samples: 16, batch: 150, ..NerfParams::default() };
            let params =
                NerfParams { encoding, density, view_direction, hidden, optimizer: Optimizer::default(), ..base };
            let params = params.check(Some(1.0)).unwrap();
            let pixels = Pixels::new(&views(), [1.0; 3]);
            let occupancy = RwLock::new(Occupancy::new(8, 16.0));
            let mut objective = RayObjective::new(&params, &pixels, &occupancy);
            let mut networks = params.start().networks;
            // Densities of both signs around ReLU's corner.
            let bias = networks[0].shape().encoder_range().start - 1;
            networks[0].parameters_mut()[bias] = 0.3;
            // All coefficients as large as features are: differences must show above single precision.
            if kind == EncodingKind::Grid {
                let range = networks[0].shape().encoder_range();
                networks[0].parameters_mut()[range].iter_mut().for_each(|value| *value *= 10.0);
            }
            let (_, gradients) = loss_and_gradients(&mut objective, 0, &networks).unwrap();
            let largest = gradients[0].iter().fold(0.0f32, |largest, gradient| largest.max(gradient.abs()));
            let [zeros, fixed] = [params.zeros(&params.shape()), params.fixed(&params.shape())]
                .map(|ranges| ranges.into_iter().flatten().collect::<Vec<usize>>());
            assert_eq!((zeros.is_empty(), fixed.len() > zeros.len()), (!view_direction, view_direction));
            let mut close = 0;
            for (index, &gradient) in gradients[0].iter().enumerate() {
                if fixed.contains(&index) {
                    assert_eq!(gradient, 0.0);
                    assert!(!zeros.contains(&index) || networks[0].parameters()[index] == 0.0);
                    continue;
                }
                let start = networks[0].parameters()[index];
                let mut at = |offset: f32| {
                    networks[0].parameters_mut()[index] = start + offset;
                    loss_and_gradients(&mut objective, 0, &networks).unwrap().0
                };
                let difference = (at(4e-3) - at(-4e-3)) / 8e-3;
                networks[0].parameters_mut()[index] = start;
                let error = (difference - f64::from(gradient)).abs();
                close += usize::from(error < 0.01 * f64::from(largest));
            }
            // A few parameters move a unit across ReLU's corner within the difference.
            let free = gradients[0].len() - fixed.len();
            assert!(close * 20 >= free * 19, "{density:?} {view_direction} {kind:?}: {close} of {free}");
            let of_encoding = gradients[0][params.shape().encoder_range()].iter();
            let reached = of_encoding.filter(|gradient| gradient.abs() > 0.01 * largest).count();
            assert!(reached >= 5, "{kind:?}: {reached}");
        }
    }
}
