//! The values of a layer over a box: forms that share their symbols.

use super::parts::Dense;
use super::region::{Affine, MAX_AXES};

/// A center and the slopes: what every form begins with.
const FIXED: usize = 1 + MAX_AXES;
/// More than the rounding of f64 in a sum of products, relative to the sum of their magnitudes.
const ROUNDING: f64 = 2e-12;

/// The values of a layer.
pub(super) struct Forms {
    cols: usize,
    /// `[rows, cols]`: center, slopes, symbols.
    data: Vec<f64>,
    /// Of each row, what belongs to it alone.
    own: Vec<f64>,
}

impl Forms {
    pub(super) fn of(values: impl Iterator<Item = Affine>) -> Self {
        let (mut data, mut own) = (Vec::new(), Vec::new());
        for value in values {
            data.push(value.center);
            data.extend(value.slopes);
            own.push(value.radius);
        }
        Self { cols: FIXED, data, own }
    }

    pub(super) fn row(&self, k: usize) -> &[f64] {
        &self.data[k * self.cols..][..self.cols]
    }

    /// The reach of a row around its center.
    pub(super) fn radius(&self, k: usize) -> f64 {
        self.row(k)[1..].iter().map(|symbol| symbol.abs()).sum::<f64>() + self.own[k]
    }

    /// A row that is a number between two others.
    pub(super) fn set(&mut self, k: usize, low: f64, high: f64) {
        let cols = self.cols;
        self.data[k * cols..][..cols].fill(0.0);
        self.data[k * cols] = f64::midpoint(low, high);
        self.own[k] = (high - low) / 2.0;
    }

    /// A row as a form of the place alone.
    pub(super) fn affine(&self, k: usize) -> Affine {
        let row = self.row(k);
        Affine {
            center: row[0],
            slopes: std::array::from_fn(|axis| row[1 + axis]),
            radius: row[FIXED..].iter().map(|symbol| symbol.abs()).sum::<f64>() + self.own[k],
        }
    }

    /// The accumulators of a layer.
    pub(super) fn dense(&self, layer: &Dense, is_float: bool) -> Self {
        let active: Vec<usize> =
            (0..layer.inputs).filter(|&k| self.own[k] != 0.0 || self.row(k).iter().any(|&x| x != 0.0)).collect();
        let owners: Vec<usize> = active.iter().copied().filter(|&k| self.own[k] > 0.0).collect();
        let is_exact = owners.is_empty() && active.iter().all(|&k| self.row(k)[1..].iter().all(|&x| x == 0.0));
        let magnitudes: Vec<f64> = (0..layer.inputs).map(|k| self.row(k)[0].abs() + self.radius(k)).collect();
        let cols = self.cols + owners.len();
        let mut forms = Self { cols, data: vec![0.0; layer.rows * cols], own: vec![0.0; layer.rows] };
        for i in 0..layer.rows {
            let weights = &layer.weights[i * layer.inputs..][..layer.inputs];
            let out = &mut forms.data[i * cols..][..cols];
            out[0] = layer.bias[i];
            for &k in &active {
                let weight = weights[k];
                for (out, &x) in out.iter_mut().zip(&self.data[k * self.cols..][..self.cols]) {
                    *out += weight * x;
                }
            }
            for (out, &k) in out[self.cols..].iter_mut().zip(&owners) {
                *out = weights[k] * self.own[k];
            }
            if is_float || !is_exact {
                let sum = weights.iter().zip(&magnitudes).map(|(w, x)| w.abs() * x).sum::<f64>() + layer.bias[i].abs();
                // Single precision rounds every product and every sum, to within 2^-24 (Higham 2002, section 3.1).
                let steps = if is_float { 1.01 * (layer.inputs + 2) as f64 / 16_777_216.0 } else { 0.0 };
                forms.own[i] = sum * (ROUNDING + steps) + if is_float { 1e-40 } else { 0.0 };
            }
        }
        forms
    }

    /// A row of which the linear part is multiplied, and what comes on top of that.
    pub(super) fn scale(&mut self, k: usize, factor: f64, on_top: (f64, f64)) {
        let cols = self.cols;
        self.data[k * cols..][..cols].iter_mut().for_each(|value| *value *= factor);
        self.data[k * cols] += on_top.0;
        self.own[k] = self.own[k] * factor.abs() + on_top.1;
    }
}
