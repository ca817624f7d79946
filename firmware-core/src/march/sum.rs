//! The sum along a ray.

use super::elementary::{exp_negative, sigmoid, softplus};
use super::samples::Sample;
use super::volume::{Density, OUTPUTS, Volume};

/// What is seen along one ray.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pixel {
    /// Red, green and blue, with the background behind them.
    pub color: [f32; 3],
    /// The mean distance of what is seen, T·α-weighted; infinity where nothing is.
    pub depth: f32,
    /// How much of the background is hidden: 1 - T at the end of the ray.
    pub opacity: f32,
    /// Evaluations of the model that it took.
    pub evaluations: u32,
}

/// The sum along a ray, front to back.
#[derive(Clone, Copy, Debug)]
pub struct Accumulator {
    color: [f32; 3],
    distance: f32,
    transmittance: f32,
    evaluations: u32,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Accumulator {
    /// The sum at the beginning of a ray, with nothing seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { color: [0.0; 3], distance: 0.0, transmittance: 1.0, evaluations: 0 }
    }

    /// Adds a sample with the model's outputs; `false` where the ray ends here.
    #[inline]
    pub fn add(&mut self, volume: &Volume<'_>, sample: &Sample, outputs: &[f32; OUTPUTS]) -> bool {
        let [red, green, blue, logit] = *outputs;
        let density = match volume.density {
            Density::Relu => {
                if logit > 0.0 {
                    logit
                } else {
                    0.0
                }
            }
            Density::Softplus => softplus(logit),
        };
        let passed = exp_negative(density * volume.density_scale * volume.step);
        let weight = self.transmittance * (1.0 - passed);
        for (sum, logit) in self.color.iter_mut().zip([red, green, blue]) {
            *sum += weight * sigmoid(logit);
        }
        self.distance += weight * sample.distance;
        self.transmittance *= passed;
        self.evaluations += 1;
        self.transmittance >= volume.termination
    }

    /// Adds the background, and says what the ray sees.
    #[must_use]
    pub fn finish(&self, volume: &Volume<'_>) -> Pixel {
        let mut color = self.color;
        for (sum, background) in color.iter_mut().zip(volume.background) {
            *sum += self.transmittance * background;
        }
        let opacity = 1.0 - self.transmittance;
        let depth = if opacity > 0.0 { self.distance / opacity } else { f32::INFINITY };
        Pixel { color, depth, opacity, evaluations: self.evaluations }
    }
}
