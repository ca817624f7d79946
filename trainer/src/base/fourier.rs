//! Centred discrete Fourier transforms of lines, images and volumes.
//!
//! Position and frequency zero lie at index n/2 on every axis: `F(k) = Σ_x f(x) exp(-2πi k·x/n)`. The inverse divides
//! by the number of samples. Each line is transformed in double precision.

use rustfft::FftPlanner;
use rustfft::num_complex::{Complex32, Complex64};

/// Which way to transform, by the sign of the exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// exp(-2πi k·x/n).
    Forward,
    /// exp(+2πi k·x/n), divided by the number of samples.
    Inverse,
}

/// Transforms a cube (or square, or line) of `size` samples on every axis in place.
///
/// # Panics
/// If the length is no power of `size`, or `size` is odd or zero.
pub fn transform(values: &mut [Complex32], size: usize, direction: Direction) {
    assert!(size > 0 && size.is_multiple_of(2), "an even size");
    let mut planner = FftPlanner::new();
    let plan = match direction {
        Direction::Forward => planner.plan_fft_forward(size),
        Direction::Inverse => planner.plan_fft_inverse(size),
    };
    let (mut line, mut scratch) =
        (vec![Complex64::default(); size], vec![Complex64::default(); plan.get_inplace_scratch_len()]);
    let mut stride = 1;
    while stride < values.len() {
        for start in (0..values.len()).filter(|index| index / stride % size == 0) {
            // Rotating by half a period moves the centre to index 0 and back.
            for (i, value) in line.iter_mut().enumerate() {
                let Complex32 { re, im } = values[start + (i + size / 2) % size * stride];
                *value = Complex64::new(f64::from(re), f64::from(im));
            }
            plan.process_with_scratch(&mut line, &mut scratch);
            for (i, &value) in line.iter().enumerate() {
                values[start + (i + size / 2) % size * stride] = Complex32::new(value.re as f32, value.im as f32);
            }
        }
        stride *= size;
    }
    assert_eq!(stride, values.len(), "as many samples on every axis");
    if direction == Direction::Inverse {
        let factor = 1.0 / values.len() as f32;
        values.iter_mut().for_each(|value| *value *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_are_the_sums_of_the_definition() {
        let size = 6;
        let values: Vec<Complex32> = (0..36).map(|i| Complex32::new((i * i % 17) as f32, (i % 5) as f32)).collect();
        let mut found = values.clone();
        transform(&mut found, size, Direction::Forward);
        for (index, found) in found.iter().enumerate() {
            let (ky, kx) = (index / size, index % size);
            let mut sum = Complex32::default();
            for (place, value) in values.iter().enumerate() {
                let centred = |i: usize| i as f32 - 3.0;
                let phase = centred(ky) * centred(place / size) + centred(kx) * centred(place % size);
                sum += value * Complex32::from_polar(1.0, -std::f32::consts::TAU * phase / 6.0);
            }
            assert!((sum - found).norm() < 1e-3, "{index}");
        }
        transform(&mut found, size, Direction::Inverse);
        assert!(found.iter().zip(&values).all(|(a, b)| (a - b).norm() < 1e-4));
    }
}
