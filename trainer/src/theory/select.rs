//! The scale of an encoding (or its power p) chosen before training, from kernel regression on samples of the data.
//!
//! For each candidate the closed-form NTK behind the encoding is regressed on a few patches of the data, and the error
//! at each point when it alone is left out tells how well that candidate interpolates. No network is trained.
//!
//! - A patch is a centre with its nearest neighbours, so that the density of the samples, which decides which
//!   frequencies can be told apart, is that of the data; a random subsample would thin them out and favour scales that
//!   are too small.
//! - The errors counted are those of the inner half of a patch: at its rim the regression extrapolates, as the network
//!   does not.
//! - Training ends before it has converged, the more so the smaller the scale. What it leaves of the error on the
//!   training points is estimated by gradient flow of a fixed time, and its square is added. The time is calibrated on
//!   networks trained by Adam, whose progress, unlike that of gradient descent, hardly depends on the number of
//!   samples.
//!
//! As the last word it misleads, mostly to scales that are too large: [`crate::fit::auto_scale`] measures that, and
//! only starts from it.
//!
//! Leaving one out costs one factorization: with `A = (K + ridge)⁻¹` the error at point i is `(A y)_i / A_ii`.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use rand::seq::index;
use rayon::prelude::*;

use super::TheoryError;
use super::error::{check_finite, check_rows};
use super::linalg::Cholesky;
use super::ntk::{Covariance, InfiniteMlp, InfiniteMlpParams};
use crate::base::random::{PlainPurpose, plain_rng};

/// Factors `(1 + λt/q)⁻¹` that stand for `e^(-λt)`.
const FLOW_ORDER: usize = 8;

/// Hyperparameters of the choice of a scale or power.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `patches` | 4 | samples of the data | ≥ 1 |
/// | `patch_points` | 512 | points of each; the cost grows with its cube | ≥ 2 |
/// | `ridge` | 1e-3 | keeps the regression solvable, relative to the kernel's diagonal | > 0 |
/// | `unlearned` | 0.2 | eigenvalue at which training ends, relative to the kernel's diagonal | > 0 |
/// | `tolerance_db` | 0.6 | the first candidate within this of the least error is chosen | ≥ 0 |
/// | `seed` | 0 | of the patches | |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelectParams {
    /// the network to be trained
    pub network: InfiniteMlpParams,
    /// samples of the data
    pub patches: usize,
    /// points of each
    pub patch_points: usize,
    /// relative to the kernel's diagonal
    pub ridge: f64,
    /// reciprocal of the time of training, relative to the kernel's diagonal
    pub unlearned: f64,
    /// the first candidate within this of the least error is chosen: networks of finite width suffer more than their
    /// kernel from spectra that are too wide
    pub tolerance_db: f64,
    /// of the patches
    pub seed: u64,
}

impl Default for SelectParams {
    fn default() -> Self {
        let network = InfiniteMlpParams { bias_std: Some(0.1), ..InfiniteMlpParams::default() };
        Self { network, patches: 4, patch_points: 512, ridge: 1e-3, unlearned: 0.2, tolerance_db: 0.6, seed: 0 }
    }
}

impl SelectParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`TheoryError::Parameter`] naming the first one out of range.
    pub fn check(self) -> Result<ValidSelectParams, TheoryError> {
        let refuse = |name, value, requirement| Err(TheoryError::Parameter { name, value, requirement });
        if self.patches == 0 {
            return refuse("patches", 0.0, "at least one is needed");
        }
        if self.patch_points < 2 {
            return refuse("patch-points", self.patch_points as f64, "at least two are needed");
        }
        if !(self.ridge > 0.0 && self.ridge.is_finite()) {
            return refuse("ridge", self.ridge, "must be positive and finite");
        }
        if !(self.unlearned > 0.0 && self.unlearned.is_finite()) {
            return refuse("unlearned", self.unlearned, "must be positive and finite");
        }
        if !(self.tolerance_db >= 0.0 && self.tolerance_db.is_finite()) {
            return refuse("tolerance", self.tolerance_db, "must be zero or positive, and finite");
        }
        Ok(ValidSelectParams { network: self.network.check()?, params: self })
    }
}

/// [`SelectParams`] that passed their check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValidSelectParams {
    network: InfiniteMlp,
    params: SelectParams,
}

/// The data that a choice is made for.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// `[n, d]`, in the units that the encoding expects, normally [0, 1)
    pub points: ArrayView2<'a, f64>,
    /// `[n, c]`, in any units
    pub targets: ArrayView2<'a, f64>,
}

/// What the theory says of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Score {
    /// the scale (or power)
    pub candidate: f64,
    /// root mean square of the error to expect, in units of the targets: both parts below together
    pub error: f64,
    /// root mean square error at points left out, of regression that has converged
    pub left_out: f64,
    /// root mean square of what training leaves of the error on its own points
    pub residual: f64,
}

/// The choice and the curve that it was made from.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Selection {
    /// the first candidate whose error is within the tolerance of the least
    pub chosen: f64,
    /// every candidate, in the order given
    pub curve: Vec<Score>,
}

impl ValidSelectParams {
    /// Chooses among `candidates`, from the narrowest spectrum to the widest (rising σ, falling p), the one whose
    /// kernel predicts left-out points best; `features(candidate, points)` encodes points as that candidate would.
    ///
    /// # Errors
    /// No candidate, fewer than two points, numbers that are not finite, arrays that disagree, and those of `features`.
    pub fn select<E: From<TheoryError> + Send>(
        &self,
        samples: Samples<'_>,
        candidates: &[f64],
        features: impl Fn(f64, ArrayView2<'_, f64>) -> Result<Array2<f64>, E> + Sync,
    ) -> Result<Selection, E> {
        let Samples { points, targets } = samples;
        check_finite("points", points)?;
        check_finite("targets", targets)?;
        check_rows("targets", targets.nrows(), points.nrows(), "the points")?;
        if points.nrows() < 2 {
            let requirement = "choosing a scale takes at least two";
            return Err(TheoryError::Parameter { name: "points", value: points.nrows() as f64, requirement }.into());
        }
        let patches = self.patches(samples);
        let score = |&candidate: &f64| -> Result<Score, E> {
            let encoded =
                patches.iter().map(|patch| features(candidate, patch.points.view())).collect::<Result<Vec<_>, _>>()?;
            Ok(self.score(candidate, &patches, &encoded)?)
        };
        let curve = candidates.par_iter().map(score).collect::<Result<Vec<_>, _>>()?;
        let least = curve.iter().map(|score| score.error).fold(f64::INFINITY, f64::min);
        let enough = least * 10f64.powf(self.params.tolerance_db / 20.0);
        let good = curve.iter().find(|score| score.error <= enough);
        let chosen = good.map(|score| score.candidate).ok_or(TheoryError::Empty { what: "the candidates" })?;
        Ok(Selection { chosen, curve })
    }

    /// `encoded` holds the features of each patch.
    fn score(&self, candidate: f64, patches: &[Patch], encoded: &[Array2<f64>]) -> Result<Score, TheoryError> {
        let (mut squares, mut residual, mut counted) = (0.0, 0.0, 0.0);
        for (patch, features) in patches.iter().zip(encoded) {
            let mut gram = self.network.gram(features.view(), Covariance::Ntk)?;
            let channels = patch.targets.ncols();
            let scale = gram.diag().mean().filter(|&mean| mean > 0.0).unwrap_or(1.0);
            gram /= scale;
            let regularized = |ridge: f64| {
                let mut gram = gram.clone();
                gram.diag_mut().mapv_inplace(|value| value + ridge);
                let singular = TheoryError::Indefinite { smallest: 0.0, largest: scale };
                Cholesky::new(gram.view())?.ok_or(singular)
            };
            let factor = regularized(self.params.ridge)?;
            // (u (K + u)⁻¹)^q, u = q times the eigenvalue: nearly the flow's exponential, at the price of one
            // factorization
            let unlearned = self.params.unlearned * FLOW_ORDER as f64;
            let slow = regularized(unlearned)?;
            let mut remains = patch.targets.clone();
            for _ in 0..FLOW_ORDER {
                remains = unlearned * slow.solve(remains.view())?;
            }
            residual += remains.slice(s![..patch.counted, ..]).mapv(|value| value * value).sum();
            let coefficients = factor.solve(patch.targets.view())?;
            let inverse_diagonal = factor.inverse_diagonal();
            for (i, diagonal) in inverse_diagonal.iter().enumerate().take(patch.counted) {
                squares += coefficients.row(i).mapv(|value| (value / diagonal).powi(2)).sum();
            }
            counted += (patch.counted * channels) as f64;
        }
        let (left_out, residual) = ((squares / counted).sqrt(), (residual / counted).sqrt());
        Ok(Score { candidate, error: left_out.hypot(residual), left_out, residual })
    }

    /// All points if they are few, else patches around random centres.
    fn patches(&self, samples: Samples<'_>) -> Vec<Patch> {
        let Samples { points, targets } = samples;
        let mean = targets.mean_axis(Axis(0)).expect("targets are not empty");
        let n = points.nrows();
        let patch = |rows: &[usize], counted| Patch {
            points: points.select(Axis(0), rows),
            targets: targets.select(Axis(0), rows) - &mean,
            counted,
        };
        if n <= self.params.patch_points {
            return vec![patch(&(0..n).collect::<Vec<_>>(), n)];
        }
        let mut rng = plain_rng(self.params.seed, PlainPurpose::KernelPatches);
        let centres = index::sample(&mut rng, n, self.params.patches.min(n));
        let nearest = |centre: usize| {
            let distance = |row: ArrayView1<'_, f64>| (&row - &points.row(centre)).mapv(|x| x * x).sum();
            let distances: Vec<f64> = points.rows().into_iter().map(distance).collect();
            let mut rows: Vec<usize> = (0..n).collect();
            let order = |a: &usize, b: &usize| distances[*a].total_cmp(&distances[*b]).then(a.cmp(b));
            rows.select_nth_unstable_by(self.params.patch_points - 1, order);
            rows.truncate(self.params.patch_points);
            rows.sort_unstable_by(order);
            patch(&rows, self.params.patch_points.div_ceil(2))
        };
        centres.into_iter().map(nearest).collect()
    }
}

/// A centre with its nearest neighbours, nearest first.
struct Patch {
    points: Array2<f64>,
    /// less the mean of all targets
    targets: Array2<f64>,
    /// how many of the first points count
    counted: usize,
}

/// `count` scales from half a cycle over the unit domain to half of what `n` samples in `dims` dimensions resolve (a
/// quarter of the samples along an axis), evenly spaced in their logarithm, to four digits: the last bit of a power
/// depends on the build, and a sweep is to be continued by the next one.
#[must_use]
pub fn candidate_scales(n: usize, dims: usize, count: usize) -> Vec<f64> {
    let (low, along) = (0.5f64, (n.max(1) as f64).powf(1.0 / dims.max(1) as f64));
    let high = (along / 4.0).max(2.0 * low);
    let step = |k: usize| if count > 1 { k as f64 / (count - 1) as f64 } else { 0.5 };
    let four_digits = |scale: f64| {
        let unit = 10f64.powi(3 - scale.log10().floor() as i32);
        (scale * unit).round() / unit
    };
    (0..count).map(|k| four_digits(low * (high / low).powf(step(k)))).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;
    use crate::network::encoding::EncodingParams;
    use crate::theory::kernel::{FourierFeatures, Kernel};
    use crate::theory::ntk::NetworkKernel;

    fn mapping(scale: f64, dims: usize) -> Result<FourierFeatures, TheoryError> {
        let params = EncodingParams { frequencies: 128, scale, normalize: true, seed: 1, ..Default::default() };
        Ok(FourierFeatures::of(&params, dims)?.expect("Gaussian features"))
    }

    fn gaussian(scale: f64, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TheoryError> {
        mapping(scale, points.ncols())?.features(points)
    }

    fn samples<'a>(points: &'a Array2<f64>, targets: &'a Array2<f64>) -> Samples<'a> {
        Samples { points: points.view(), targets: targets.view() }
    }

    /// A sum of waves of about `frequency` cycles, on a grid of `side` x `side` points.
    fn waves(side: usize, frequency: f64) -> (Array2<f64>, Array2<f64>) {
        let points =
            Array::from_shape_fn((side * side, 2), |(i, axis)| [i % side, i / side][axis] as f64 / side as f64);
        let wave = |x: f64, y: f64| (frequency * 6.3 * x).sin() + (frequency * (4.1 * y - 3.3 * x)).cos();
        let targets = points.rows().into_iter().map(|row| wave(row[0], row[1])).collect::<Vec<_>>();
        (points, Array::from(targets).insert_axis(Axis(1)))
    }

    #[test]
    fn leaving_one_out_is_what_refitting_without_it_gives() {
        let (points, targets) = waves(5, 0.7);
        let params = SelectParams { ridge: 1e-2, ..Default::default() }.check().unwrap();
        let found = params.select(samples(&points, &targets), &[1.5], gaussian).unwrap().curve[0].left_out;
        let features = Some(mapping(1.5, 2).unwrap());
        let kernel = NetworkKernel { features, network: params.network, covariance: Covariance::Ntk };
        let mean = targets.mean().unwrap();
        let mut squares = 0.0;
        for i in 0..25 {
            let rest: Vec<usize> = (0..25).filter(|&j| j != i).collect();
            let near = points.select(Axis(0), &rest);
            let gram = kernel.gram(near.view()).unwrap();
            let ridge = 1e-2 * gram[[0, 0]];
            let fitted = crate::theory::regression::KernelRegression::fit(
                gram.view(),
                (targets.select(Axis(0), &rest) - mean).view(),
                ridge,
            )
            .unwrap();
            let here = points.select(Axis(0), &[i]);
            let predicted = fitted.predict(kernel.cross(here.view(), near.view()).unwrap().view()).unwrap();
            squares += (predicted[[0, 0]] + mean - targets[[i, 0]]).powi(2);
        }
        assert!((found - (squares / 25.0f64).sqrt()).abs() < 1e-9, "{found}");
    }

    #[test]
    fn faster_signals_ask_for_larger_scales() {
        let scales = candidate_scales(48 * 48, 2, 8);
        let params = SelectParams { patches: 3, patch_points: 120, ..Default::default() }.check().unwrap();
        let chosen = |frequency| {
            let (points, targets) = waves(48, frequency);
            params.select(samples(&points, &targets), &scales, gaussian).unwrap().chosen
        };
        let (slow, fast) = (chosen(0.8), chosen(8.0));
        assert!(slow < fast, "{slow} for the slow signal, {fast} for the fast one");
    }

    #[test]
    fn candidates_span_what_the_samples_resolve() {
        let scales = candidate_scales(65_536, 2, 8);
        assert_eq!((scales[0], scales.len()), (0.5, 8));
        assert_eq!((scales[1], scales[7]), (1.0, 64.0));
        assert_eq!(candidate_scales(1000, 1, 12)[3], 2.723);
        assert!(candidate_scales(1, 1, 3).iter().all(|scale| scale.is_finite()));
    }

    #[test]
    fn bad_input_is_an_error() {
        let params = SelectParams::default().check().unwrap();
        let (points, targets) = (array![[0.0], [0.5]], array![[0.0], [1.0]]);
        assert!(params.select(samples(&points, &targets), &[], gaussian).is_err());
        assert!(params.select(samples(&points, &targets), &[-1.0], gaussian).is_err());
        assert!(params.select(samples(&array![[0.0]], &array![[1.0]]), &[1.0], gaussian).is_err());
        assert!(params.select(samples(&points, &array![[0.0], [f64::NAN]]), &[1.0], gaussian).is_err());
        assert!(params.select(samples(&array![[0.0], [0.0]], &targets), &[1.0], gaussian).is_ok(), "duplicates");
        assert!(SelectParams { ridge: 0.0, ..Default::default() }.check().is_err());
        assert!(SelectParams { patches: 0, ..Default::default() }.check().is_err());
    }
}
