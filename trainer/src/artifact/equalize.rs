//! Units of ReLU layers scaled so that eight bits of the weights behind them suffice (cross-layer equalization, Nagel
//! et al. 2019).
//!
//! max(0, s·z) = s·max(0, z) for s > 0, so that a unit may be s times as large if the weights that take it are divided
//! by s. What the unit is made of loses nothing by this, since each row of weights has a step of its own. The step of a
//! row behind it is the largest |w_ri|/s_i by 127, and its rounding errors cause noise in proportion to max_i
//! (w_ri/s_i)² · Σ_i s_i²·E\[a_i²\], a_i the units before scaling. The sum of this over the rows is what the factors
//! make small.

use ndarray::{Array1, Array2, Axis};

use crate::artifact::dense_layer::DenseLayer;

/// The largest of the terms in a row stands for their norm with this exponent.
const NORM: f64 = 8.0;
/// Steps of the iteration.
const ITERATIONS: usize = 40;
/// Factors lie within this and its inverse, so that the smallest of the units keep 11 of their 15 bits.
const LARGEST_FACTOR: f64 = 16.0;

/// Scales the units of every ReLU layer but the last for the weights behind them. `inputs` `[n, in]` are what the first
/// layer takes, as real numbers.
pub(super) fn equalize(layers: &mut [DenseLayer], inputs: &Array2<f64>) {
    let mut units = inputs.clone();
    for l in 1..layers.len() {
        let (before, behind) = layers.split_at_mut(l);
        let (makes, takes) = (&mut before[l - 1], &mut behind[0]);
        units = makes.apply(&units).mapv(|value| value.max(0.0));
        let energies = units.mapv(|unit| unit * unit).mean_axis(Axis(0)).expect("at least one calibration point");
        let factors = factors(&takes.weights.mapv(|weight| f64::from(weight).powi(2)), &energies);
        for (unit, &factor) in factors.iter().enumerate() {
            makes.weights.row_mut(unit).mapv_inplace(|weight| weight * factor);
            makes.bias[unit] *= factor;
            takes.weights.column_mut(unit).mapv_inplace(|weight| weight / factor);
            units.column_mut(unit).mapv_inplace(|value| value * f64::from(factor));
        }
    }
}

/// The factor of each unit, for the squares of the weights `[rows, units]` that take them.
fn factors(squares: &Array2<f64>, energies: &Array1<f64>) -> Vec<f32> {
    // Units that are never above zero, or that nothing takes, stay as they are.
    let alive: Vec<usize> =
        (0..energies.len()).filter(|&i| energies[i] > 0.0 && squares.column(i).iter().any(|&w| w > 0.0)).collect();
    let mut scales = vec![1.0; energies.len()];
    for _ in 0..ITERATIONS {
        // At the minimum the share of a unit in the energy is its share in the norms of the rows.
        let total: f64 = alive.iter().map(|&i| scales[i] * energies[i]).sum();
        let mut shares = vec![0.0; scales.len()];
        let mut norms = 0.0;
        for row in squares.rows() {
            let largest = alive.iter().map(|&i| row[i] / scales[i]).fold(0.0, f64::max);
            if largest == 0.0 {
                continue;
            }
            let powers: Vec<f64> = alive.iter().map(|&i| (row[i] / scales[i] / largest).powf(NORM)).collect();
            let sum: f64 = powers.iter().sum();
            let norm = largest * sum.powf(1.0 / NORM);
            norms += norm;
            alive.iter().zip(&powers).for_each(|(&i, power)| shares[i] += norm * power / sum);
        }
        for &i in &alive {
            let wanted = (shares[i] / norms) / (scales[i] * energies[i] / total);
            scales[i] *= wanted.max(1e-30).powf(1.0 / (NORM + 1.0));
        }
    }
    // The scale of the whole layer changes nothing; that of its largest unit is 1.
    let peak = alive.iter().map(|&i| scales[i] * energies[i]).fold(0.0, f64::max);
    let peak = alive.iter().find(|&&i| scales[i] * energies[i] == peak).map_or(1.0, |&i| scales[i]);
    let factor = |scale: f64| (scale / peak).sqrt().clamp(1.0 / LARGEST_FACTOR, LARGEST_FACTOR) as f32;
    let mut factors = vec![1.0; scales.len()];
    alive.iter().for_each(|&i| factors[i] = factor(scales[i]));
    factors
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Σ over the rows of max_i (w_ri/s_i)², times Σ_i s_i²·E[a_i²].
    fn noise(squares: &Array2<f64>, energies: &Array1<f64>, factors: &[f32]) -> f64 {
        let scales: Vec<f64> = factors.iter().map(|&factor| f64::from(factor).powi(2)).collect();
        let largest =
            |row: ndarray::ArrayView1<'_, f64>| row.iter().zip(&scales).map(|(w, s)| w / s).fold(0.0, f64::max);
        let rows: f64 = squares.rows().into_iter().map(largest).sum();
        rows * energies.iter().zip(&scales).map(|(energy, scale)| energy * scale).sum::<f64>()
    }

    #[test]
    fn one_row_gets_weights_of_one_size() {
        // Then the noise is the least possible, Σ w²·E[a²].
        let squares = ndarray::array![[1.0, 0.01, 0.25, 0.0]];
        let energies = ndarray::array![0.5, 2.0, 1.0, 1.0];
        let factors = factors(&squares, &energies);
        assert_eq!(factors[3], 1.0);
        let least = 0.5 + 0.02 + 0.25;
        let (squares, energies) = (squares.slice_move(ndarray::s![.., ..3]), energies.slice_move(ndarray::s![..3]));
        let noise = noise(&squares, &energies, &factors[..3]);
        assert!((1.0..1.25).contains(&(noise / least)), "{}", noise / least);
    }

    #[test]
    fn the_noise_falls_and_the_network_stays() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut layer = |outputs: usize, inputs: usize| DenseLayer {
            weights: Array2::from_shape_simple_fn((outputs, inputs), || rng.random_range(-1.0f32..1.0).powi(3)),
            bias: Array1::from_shape_simple_fn(outputs, || rng.random_range(-0.3f32..0.3)),
        };
        let mut layers = vec![layer(12, 5), layer(9, 12), layer(2, 9)];
        let inputs = Array2::from_shape_simple_fn((300, 5), || rng.random_range(-1.0f64..1.0));
        let outputs = |layers: &[DenseLayer]| {
            let (last, hidden) = layers.split_last().unwrap();
            let units = hidden.iter().fold(inputs.clone(), |x, layer| layer.apply(&x).mapv(|z| z.max(0.0)));
            (last.apply(&units), last.weights.mapv(|weight| f64::from(weight).powi(2)), units)
        };
        let measured = |layers: &[DenseLayer]| {
            let (outputs, squares, units) = outputs(layers);
            let energies = units.mapv(|unit| unit * unit).mean_axis(Axis(0)).unwrap();
            (outputs, noise(&squares, &energies, &vec![1.0; energies.len()]))
        };
        let (before, noise_before) = measured(&layers);
        equalize(&mut layers, &inputs);
        let (after, noise_after) = measured(&layers);
        assert!(noise_after < 0.8 * noise_before, "{noise_after} instead of {noise_before}");
        assert!((before - after).iter().all(|difference| difference.abs() < 1e-5));
    }
}
