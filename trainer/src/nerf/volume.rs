//! Volume rendering along a ray, and its gradient.
//!
//! A ray has n samples at spacing δ with densities σ_i and colours c_i, front to back. With
//!
//! ```text
//! α_i = 1 - exp(-σ_i δ)      T_i = Π_{j<i} (1 - α_j) = exp(-δ Σ_{j<i} σ_j)      w_i = T_i α_i
//! C = Σ_i w_i c_i + T_n b    (b: background)
//! ```
//!
//! C is the quadrature of the volume rendering integral with piecewise constant density and colour (Max 1995;
//! Mildenhall et al. 2020, equation 3).
//!
//! **Gradient.** Let g = ∂L/∂C. Colours enter linearly: ∂L/∂c_i = w_i g. A density acts in two ways: w_i grows by
//! ∂w_i/∂σ_i = δ T_i (1 - α_i) = δ T_{i+1}, and all that lies behind is dimmed: ∂T_j/∂σ_i = -δ T_j for j > i, so that
//! ∂w_j/∂σ_i = -δ w_j. Together
//!
//! ```text
//! ∂L/∂σ_i = δ · ( T_{i+1} g·c_i  -  Σ_{j>i} w_j g·c_j  -  T_n g·b )
//! ```
//!
//! The last two terms are g·(what is seen behind sample i), which one walk from back to front keeps.

use crate::network::matmul::Real;

/// What a ray shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Integral<T> {
    /// C.
    pub color: [T; 3],
    /// T_n.
    pub transmittance: T,
}

/// A ray with its samples, front to back.
#[derive(Clone, Copy, Debug)]
pub struct RaySamples<'a, T> {
    /// σ `[n]`.
    pub densities: &'a [T],
    /// c `[n]`.
    pub colors: &'a [[T; 3]],
    /// δ.
    pub step: T,
    /// b.
    pub background: [T; 3],
}

/// The gradient with respect to the colour C of a ray, with what [`RaySamples::integrate`] found on the way to C.
#[derive(Clone, Copy, Debug)]
pub struct ColorGradient<'a, T> {
    /// g.
    pub gradient: [T; 3],
    /// w `[n]`.
    pub weights: &'a [T],
    /// T_n.
    pub transmittance: T,
}

/// Where the gradients with respect to the samples go, `[n]` each.
#[derive(Debug)]
pub struct SampleGradients<'a, T> {
    /// ∂L/∂σ.
    pub densities: &'a mut [T],
    /// ∂L/∂c.
    pub colors: &'a mut [[T; 3]],
}

impl<T: Real> RaySamples<'_, T> {
    /// Integrates the ray; writes w_i to `weights` `[n]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn integrate(&self, weights: &mut [T]) -> Integral<T> {
        let Self { densities, colors, step, background } = *self;
        assert!(densities.len() == colors.len() && colors.len() == weights.len(), "one density and colour a sample");
        let mut color = [T::zero(); 3];
        let mut transmittance = T::one();
        for ((&density, sample), weight) in densities.iter().zip(colors).zip(weights) {
            let passed = (T::zero() - density * step).exp();
            *weight = transmittance * (T::one() - passed);
            for (sum, &channel) in color.iter_mut().zip(sample) {
                *sum += *weight * channel;
            }
            transmittance = transmittance * passed;
        }
        for (sum, channel) in color.iter_mut().zip(background) {
            *sum += transmittance * channel;
        }
        Integral { color, transmittance }
    }

    /// The gradient with respect to densities and colours, given that with respect to C.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn gradient(&self, of_color: &ColorGradient<'_, T>, into: SampleGradients<'_, T>) {
        let Self { colors, step, background, .. } = *self;
        let ColorGradient { gradient: color_gradient, weights, transmittance } = *of_color;
        let n = colors.len();
        assert!(weights.len() == n && into.densities.len() == n && into.colors.len() == n, "one of each a sample");
        let along = |color: &[T; 3]| {
            color.iter().zip(color_gradient).fold(T::zero(), |sum, (&channel, gradient)| sum + channel * gradient)
        };
        let mut transmittance = transmittance; // T_{i+1}
        let mut behind = transmittance * along(&background);
        for i in (0..n).rev() {
            let here = along(&colors[i]);
            into.densities[i] = step * (transmittance * here - behind);
            into.colors[i] = color_gradient.map(|gradient| weights[i] * gradient);
            behind += weights[i] * here;
            transmittance += weights[i]; // T_i = T_{i+1} + w_i
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const STEP: f64 = 0.13;
    const BACKGROUND: [f64; 3] = [0.9, 0.4, 0.7];

    fn ray(n: usize, seed: u64) -> (Vec<f64>, Vec<[f64; 3]>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Empty, thin and nearly opaque samples.
        let densities = (0..n).map(|_| rng.random_range(0.0..1.0f64).powi(4) * 30.0).collect();
        (densities, (0..n).map(|_| [0; 3].map(|_| rng.random_range(0.0..1.0))).collect())
    }

    fn samples<'a>(densities: &'a [f64], colors: &'a [[f64; 3]]) -> RaySamples<'a, f64> {
        RaySamples { densities, colors, step: STEP, background: BACKGROUND }
    }

    fn color(densities: &[f64], colors: &[[f64; 3]]) -> Integral<f64> {
        samples(densities, colors).integrate(&mut vec![0.0; densities.len()])
    }

    #[test]
    fn gradients_match_finite_differences() {
        // One functional for each thing that the picture holds: a loss on colours, and the transmittance, which is the
        // colour of a white background behind black samples.
        let functionals: [(f64, [f64; 3]); 2] = [(1.0, [1.3, -0.8, 0.5]), (0.0, [1.0, 0.0, 0.0])];
        for n in [1, 2, 17, 60] {
            for (brightness, weights_of_channels) in functionals {
                let (densities, mut colors) = ray(n, n as u64);
                colors.iter_mut().for_each(|color| *color = color.map(|channel| channel * brightness));
                let loss = |densities: &[f64], colors: &[[f64; 3]]| -> f64 {
                    color(densities, colors).color.iter().zip(weights_of_channels).map(|(c, w)| w * c * c).sum()
                };
                let mut weights = vec![0.0; n];
                let integral = samples(&densities, &colors).integrate(&mut weights);
                let gradient: [f64; 3] = std::array::from_fn(|k| 2.0 * weights_of_channels[k] * integral.color[k]);
                let (mut of_density, mut of_color) = (vec![0.0; n], vec![[0.0; 3]; n]);
                let of_pixel = ColorGradient { gradient, weights: &weights, transmittance: integral.transmittance };
                let into = SampleGradients { densities: &mut of_density, colors: &mut of_color };
                samples(&densities, &colors).gradient(&of_pixel, into);
                let h = 1e-5;
                for i in 0..n {
                    let at = |offset: f64| {
                        let mut moved = densities.clone();
                        moved[i] += offset;
                        loss(&moved, &colors)
                    };
                    let difference = (at(h) - at(-h)) / (2.0 * h);
                    assert!(
                        (difference - of_density[i]).abs() < 1e-8,
                        "density {i} of {n}: {difference} {}",
                        of_density[i]
                    );
                    for channel in 0..3 {
                        let at = |offset: f64| {
                            let mut moved = colors.clone();
                            moved[i][channel] += offset;
                            loss(&densities, &moved)
                        };
                        let difference = (at(h) - at(-h)) / (2.0 * h);
                        assert!((difference - of_color[i][channel]).abs() < 1e-8, "colour {i}.{channel} of {n}");
                    }
                }
            }
        }
    }

    #[test]
    fn weights_and_transmittance_make_one() {
        let (densities, colors) = ray(40, 3);
        let mut weights = vec![0.0; 40];
        let integral = samples(&densities, &colors).integrate(&mut weights);
        assert!((weights.iter().sum::<f64>() + integral.transmittance - 1.0).abs() < 1e-12);
        let depth: f64 = densities.iter().sum::<f64>() * STEP;
        assert!((integral.transmittance - (-depth).exp()).abs() < 1e-12);
        let nothing = color(&[], &[]);
        assert_eq!((nothing.color, nothing.transmittance), (BACKGROUND, 1.0));
    }

    #[test]
    fn a_ball_of_fog_dims_as_the_chord_is_long() {
        // Density 2 in a ball of radius 1, chord 2√(1 - b²) at distance b from the centre.
        for (b, tolerance) in [(0.0, 1e-2), (0.5, 1e-2), (0.9, 1e-2)] {
            let n = 2000;
            let step = 4.0 / f64::from(n);
            let inside = |i: i32| b * b + (step * (f64::from(i) + 0.5) - 2.0).powi(2) < 1.0;
            let densities: Vec<f64> = (0..n).map(|i| if inside(i) { 2.0 } else { 0.0 }).collect();
            let colors = vec![[0.25, 0.5, 1.0]; densities.len()];
            let ray = RaySamples { densities: &densities, colors: &colors, step, background: [1.0; 3] };
            let found = ray.integrate(&mut vec![0.0; densities.len()]);
            let passed = (-2.0 * 2.0 * (1.0 - b * b).sqrt()).exp();
            assert!((found.transmittance - passed).abs() < tolerance * passed);
            assert!((found.color[0] - (0.25 * (1.0 - passed) + passed)).abs() < tolerance);
        }
    }
}
