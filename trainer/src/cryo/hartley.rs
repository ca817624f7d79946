//! The Hartley transform: real, and its own inverse but for a factor.
//!
//! `H(k) = Σ f(x) cas(2πk·x/n) = Re F(k) - Im F(k)` with cas = cos + sin. A real image has as many Hartley coefficients
//! as pixels, and white noise stays white, so a loss over them needs no complex numbers.

use crate::base::fourier::{Direction, transform};
use rustfft::num_complex::Complex32;

/// H(k) of a Fourier coefficient F(k).
pub fn from_fourier(coefficient: Complex32) -> f32 {
    coefficient.re - coefficient.im
}

/// F(k) of the pair H(k), H(-k).
pub fn to_fourier(plus: f32, minus: f32) -> Complex32 {
    Complex32::new(0.5 * (plus + minus), 0.5 * (minus - plus))
}

/// The pair H(k), H(-k) of an image moved by t, given the pair of the image; `turns` = k·t.
pub fn shift([plus, minus]: [f32; 2], turns: f64) -> [f32; 2] {
    let (sin, cos) = (std::f64::consts::TAU * turns).sin_cos();
    let (sin, cos) = (sin as f32, cos as f32);
    [cos * plus + sin * minus, cos * minus - sin * plus]
}

/// Hartley coefficients `[ky, kx]` of an image `[y, x]`, both centred.
///
/// # Panics
/// If the image is not square with an even side.
pub fn of_image(image: &[f32], size: usize) -> Vec<f32> {
    let mut values: Vec<Complex32> = image.iter().map(|&value| Complex32::new(value, 0.0)).collect();
    transform(&mut values, size, Direction::Forward);
    values.into_iter().map(from_fourier).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Vec<f32> {
        (0..64).map(|i| ((i * 37 + 11) % 23) as f32 - 9.0).collect()
    }

    #[test]
    fn it_is_its_own_inverse_and_keeps_energy() {
        let image = image();
        let hartley = of_image(&image, 8);
        let again = of_image(&hartley, 8);
        assert!(again.iter().zip(&image).all(|(a, b)| (a / 64.0 - b).abs() < 1e-4));
        let energy = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>();
        assert!((energy(&hartley) / 64.0 / energy(&image) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn pairs_make_fourier_coefficients_and_shifts() {
        let coefficient = Complex32::new(1.5, -0.75);
        let pair = [from_fourier(coefficient), from_fourier(coefficient.conj())];
        assert_eq!(to_fourier(pair[0], pair[1]), coefficient);
        // Shifting by t multiplies F(k) by exp(-2πi k·t).
        let turned = coefficient * Complex32::from_polar(1.0, -std::f32::consts::TAU * 0.15);
        let [plus, minus] = shift(pair, 0.15);
        assert!((to_fourier(plus, minus) - turned).norm() < 1e-6);
    }

    #[test]
    fn shifting_coefficients_moves_pixels() {
        let image = image();
        // Everything one pixel to the right, around the edge.
        let moved: Vec<f32> = (0..64).map(|i| image[i / 8 * 8 + (i % 8 + 7) % 8]).collect();
        let (before, after) = (of_image(&image, 8), of_image(&moved, 8));
        for (ky, kx) in [(0i32, 1i32), (2, -3), (-1, 2)] {
            let at = |values: &[f32], sign: i32| values[((sign * ky + 4) * 8 + sign * kx + 4) as usize];
            let [plus, minus] = shift([at(&before, 1), at(&before, -1)], f64::from(kx) / 8.0);
            assert!((plus - at(&after, 1)).abs() < 1e-3 && (minus - at(&after, -1)).abs() < 1e-3);
        }
    }
}
