//! Fourier shell correlation and the resolution it stands for.
//!
//! `FSC(s) = Re Σ F₁ F₂* / √(Σ|F₁|² Σ|F₂|²)` over the whole frequencies with |k| rounded to s = 1, 2, … cycles over the
//! box. Half maps are judged at 0.143, maps against a model or the truth at 0.5 (Rosenthal and Henderson 2003).

use super::fourier_volume::FourierVolume;
use serde::Serialize;

/// Correlations of the shells 1 … size/2 - 1.
///
/// # Panics
/// If the volumes differ in size.
pub fn shell_correlations(first: &FourierVolume, second: &FourierVolume) -> Vec<f64> {
    assert_eq!(first.size(), second.size(), "volumes of one size");
    let radius = first.size() / 2 - 1;
    let mut sums = vec![[0.0f64; 3]; radius + 1];
    for k in first.ball(radius) {
        let (a, b) = (first.get(k), second.get(k));
        let shell = k.iter().map(|k| f64::from(k * k)).sum::<f64>().sqrt().round() as usize;
        let [product, one, two] = &mut sums[shell.min(radius)];
        *product += f64::from((a * b.conj()).re);
        *one += f64::from(a.norm_sqr());
        *two += f64::from(b.norm_sqr());
    }
    let correlation = |[product, one, two]: &[f64; 3]| {
        let norm = (one * two).sqrt();
        if norm > 0.0 { product / norm } else { 0.0 }
    };
    sums[1..].iter().map(correlation).collect()
}

/// The mean of curves, shell by shell.
pub fn mean_curve(curves: &[Vec<f64>]) -> Vec<f64> {
    let shells = curves.first().map_or(0, Vec::len);
    (0..shells).map(|shell| curves.iter().map(|curve| curve[shell]).sum::<f64>() / curves.len() as f64).collect()
}

/// Where a curve falls below a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Resolution {
    /// In ångström.
    pub angstrom: f64,
    /// Whether it is known, or only bounded.
    pub bound: Bound,
}

/// On which side of a stated resolution the true one lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// It is the stated one.
    Equal,
    /// The curve never fell below the threshold: it is the last shell's, one cycle over the box short of Nyquist's
    /// frequency. Pixels show nothing finer than twice their size, and nothing finer is claimed.
    AtMost,
    /// Not even the first shell, one cycle over the box, is above the threshold: nothing within the box is resolved.
    MoreThan,
}

impl std::fmt::Display for Resolution {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.bound {
            Bound::Equal => "",
            Bound::AtMost => "at the limit, ",
            Bound::MoreThan => "> ",
        };
        write!(formatter, "{sign}{:.1} Å", self.angstrom)
    }
}

/// The resolution of a curve in a box of `edge` ångström: where it first crosses the threshold, between shells
/// linearly. It is never coarser than the box.
pub fn resolution(curve: &[f64], threshold: f64, edge: f64) -> Resolution {
    let mut before = 1.0;
    for (index, &value) in curve.iter().enumerate() {
        if value < threshold {
            let shell = index as f64 + (before - threshold) / (before - value);
            let bound = if index == 0 { Bound::MoreThan } else { Bound::Equal };
            return Resolution { angstrom: edge / shell.max(1.0), bound };
        }
        before = value;
    }
    Resolution { angstrom: edge / curve.len().max(1) as f64, bound: Bound::AtMost }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustfft::num_complex::Complex32;

    #[test]
    fn equal_volumes_correlate_and_opposite_ones_do_not() {
        let mut volume = FourierVolume::zeros(16, 2.0);
        for (i, k) in volume.ball(7).into_iter().enumerate() {
            volume.set(k, Complex32::new((i % 7) as f32 - 3.0, (i % 5) as f32));
        }
        let mut other = volume.clone();
        for k in other.ball(7) {
            let sign = if k.iter().map(|k| k * k).sum::<i32>() > 20 { -2.0 } else { 3.0 };
            other.set(k, volume.get(k) * sign);
        }
        assert!(shell_correlations(&volume, &volume).iter().all(|c| (c - 1.0).abs() < 1e-6));
        let mixed = shell_correlations(&volume, &other);
        assert!(mixed[..4].iter().all(|c| *c > 0.99) && mixed[4..].iter().all(|c| *c < -0.99), "{mixed:?}");
    }

    /// Whatever the curve: boxes of n pixels have n/2 - 1 shells.
    #[test]
    fn nothing_finer_than_nyquist_is_claimed() {
        for size in [8usize, 32, 64] {
            let (shells, pixel) = (size / 2 - 1, 1.7);
            for last in 0..=shells {
                for value in [1.0, 0.6, 0.1429] {
                    let curve: Vec<f64> = (0..shells).map(|shell| if shell < last { value } else { -0.2 }).collect();
                    for threshold in [0.5, 0.143] {
                        let found = resolution(&curve, threshold, size as f64 * pixel);
                        assert!(found.angstrom >= 2.0 * pixel, "{size} {last} {value}: {found}");
                    }
                }
            }
        }
    }

    #[test]
    fn resolutions_lie_between_shells() {
        let curve = [1.0, 0.9, 0.7, 0.3, 0.1];
        assert_eq!(resolution(&curve, 0.5, 70.0).angstrom, 70.0 / 3.5);
        assert_eq!(resolution(&curve, 0.5, 70.0).to_string(), "20.0 Å");
        assert_eq!(resolution(&curve, 0.05, 70.0).to_string(), "at the limit, 14.0 Å");
        assert_eq!(resolution(&[0.3, 0.9], 0.5, 96.0).to_string(), "> 96.0 Å");
        assert_eq!(mean_curve(&[vec![1.0, 0.0], vec![0.0, 0.5]]), [0.5, 0.25]);
    }
}
