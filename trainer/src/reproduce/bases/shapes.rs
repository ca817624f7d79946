//! The tangent kernel of each basis as its training begins: on one coordinate, as a spectrum, and on two coordinates.

use ndarray::{Array2, s};
use serde::Serialize;

use super::basis::{Basis, Form};
use crate::fit::{FitParams, ValidFitParams};
use crate::network::Mlp;
use crate::network::features::{EncodedFeatures, Features, Rows};
use crate::network::grid::GridFeatures;
use crate::network::learned::LearnedFrequencies;
use crate::reproduce::error::ReproduceError;
use crate::reproduce::toy::main_frequency;
use crate::theory::empirical::EmpiricalNtk;
use crate::theory::linalg::gram_eigen;

/// Points over the unit of one coordinate, and how many of them make one of the eigenvectors.
pub(super) const POINTS: usize = 256;
const SPACING: usize = 2;
/// Points along each of two coordinates.
pub(super) const SIDE: usize = 48;
/// Initial networks whose kernels are averaged.
pub(super) const DRAWS: u64 = 16;
/// σ of the frequencies.
pub(super) const SCALE: f64 = 4.0;
/// The networks of frequencies, of grids, and the table. All have about the same finest detail.
const NETWORK: Form = Form { width: 64, frequencies: 64, nodes: 32 };
pub(super) const TABLE_NODES: usize = 26;
/// Where kernels are looked at, as shares of the unit.
pub(super) const PLACES: [usize; 3] = [1, 2, 3];
pub(super) const PLACES_OF: usize = 4;

/// The kernel of one basis.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shapes {
    pub(super) basis: Basis,
    /// K(x, x0) / K(1/2, 1/2) at all points, for each of the [`PLACES`].
    pub(super) profiles: Vec<Vec<f64>>,
    /// (frequency in cycles, mean of the eigenvalues of the eigenvectors with that main frequency as a share of the sum
    /// of all).
    pub(super) spectrum: Vec<(usize, f64)>,
    /// K(x, middle) / K(middle, middle) on two coordinates, `[SIDE, SIDE]`.
    pub(super) map: Array2<f64>,
}

impl Shapes {
    /// Kernels of networks that training would begin from with this seed.
    pub(super) fn new(basis: Basis, seed: u64) -> Result<Self, ReproduceError> {
        let mut gram = Array2::zeros((POINTS, POINTS));
        let mut map = Array2::zeros((SIDE * SIDE, 1));
        // A table begins from zeros whatever the seed.
        let draws = if basis == Basis::Table { 1 } else { DRAWS };
        for draw in 0..draws {
            let mut base = FitParams { seed: seed.wrapping_mul(DRAWS).wrapping_add(draw), ..FitParams::default() };
            base.encoding.scale = SCALE;
            let nodes = if basis == Basis::Table { TABLE_NODES } else { NETWORK.nodes };
            let params = basis.params(&base, Form { nodes, ..NETWORK });
            let unit = |k: usize, n: usize| ((k as u64) << 32) / n as u64;
            let line = Array2::from_shape_fn((POINTS, 1), |(i, _)| unit(i, POINTS) as u32);
            let (kernel, features) = start(&params.check(1, 1)?, line)?;
            gram += &kernel.gram_of(&features, &Rows::Range(0..POINTS), 0)?;
            let place = |i: usize, axis: usize| if axis == 0 { i % SIDE } else { i / SIDE };
            let square = Array2::from_shape_fn((SIDE * SIDE, 2), |(i, axis)| unit(place(i, axis), SIDE) as u32);
            let (kernel, features) = start(&params.check(2, 1)?, square)?;
            let middle = Rows::Indices(&[(SIDE * SIDE / 2 + SIDE / 2) as u32]);
            map += &kernel.cross_of(&features, [&Rows::Range(0..SIDE * SIDE), &middle], 0)?;
        }
        let peak = gram[[POINTS / 2, POINTS / 2]];
        let profile = |place: usize| (&gram.column(place * POINTS / PLACES_OF) / peak).to_vec();
        let peak_of_map = map[[SIDE * SIDE / 2 + SIDE / 2, 0]];
        let map = map.into_shape_with_order((SIDE, SIDE)).expect("as many entries") / peak_of_map;
        let profiles = PLACES.map(profile).into();
        Ok(Self { basis, profiles, spectrum: spectrum(&gram)?, map })
    }

    /// Mean share of the sum of all eigenvalues at frequencies within these bounds.
    pub(super) fn share(&self, cycles: std::ops::RangeInclusive<usize>) -> f64 {
        let within: Vec<f64> =
            self.spectrum.iter().filter(|(k, _)| cycles.contains(k)).map(|(_, share)| *share).collect();
        within.iter().sum::<f64>() / within.len().max(1) as f64
    }
}

/// The kernel of a network before its first step, and what it is fed at coordinates `[n, d]`.
fn start(
    params: &ValidFitParams,
    coordinates: Array2<u32>,
) -> Result<(EmpiricalNtk, Box<dyn Features>), ReproduceError> {
    let network: Mlp<f32> = params.start().networks.remove(0);
    let encoding = params.encoding();
    if let Some(grid) = encoding.grid() {
        let is_table = grid.is_table();
        let kernel = EmpiricalNtk::new(&network, &[])?;
        // A table has no layers: its one weight is what a step of its coefficients is worth, and is not trained.
        let kernel = if is_table { EmpiricalNtk::new(&unit(network), &[(0.0, 0.0)])? } else { kernel };
        return Ok((kernel, Box::new(GridFeatures::new(grid, coordinates, u64::MAX))));
    }
    let scale = params.params().encoding.scale;
    // As if B were σ times a matrix of standard normal numbers, and those were trained.
    let kernel = EmpiricalNtk::new(&network, &[])?.with_encoder_factor(scale * scale);
    let features: Box<dyn Features> = if network.encoder().is_empty() {
        Box::new(EncodedFeatures::new(encoding, coordinates.view()))
    } else {
        let trained = vec![true; coordinates.ncols()];
        Box::new(LearnedFrequencies::new(encoding, coordinates, trained))
    };
    Ok((kernel, features))
}

/// The table's layer with the weight 1.
fn unit(mut network: Mlp<f32>) -> Mlp<f32> {
    let weight = network.shape().weights_range(0);
    network.parameters_mut()[weight].fill(1.0);
    network
}

/// Eigenvalues by the main frequency of their eigenvectors, which a negligible eigenvalue does not have.
fn spectrum(gram: &Array2<f64>) -> Result<Vec<(usize, f64)>, ReproduceError> {
    let some = gram.slice(s![..;SPACING, ..;SPACING]);
    let eigen = gram_eigen(some.view())?;
    let sum = eigen.values.sum();
    let n = some.nrows();
    let mut by_frequency = vec![(0.0, 0u32); n / 2 + 1];
    let sound = eigen.values.iter().zip(eigen.vectors.columns()).filter(|(value, _)| **value > 1e-9 * sum);
    for (value, vector) in sound {
        let (total, count) = &mut by_frequency[main_frequency(vector)];
        (*total, *count) = (*total + value / sum, *count + 1);
    }
    let found = by_frequency.into_iter().enumerate().filter(|(_, (_, count))| *count > 0);
    Ok(found.map(|(cycles, (total, count))| (cycles, total / f64::from(count))).collect())
}
