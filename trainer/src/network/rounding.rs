//! The weights that a stored network can have in `w8a16`: what the last part of a training and the exporter share.
//!
//! Each row of weights is whole multiples of a step of its own. A row of a sine layer has a multiplier beside it, the
//! phase of one unit of its accumulator in 2⁻³² turns, which must be a whole number: this limits the step to multiples
//! of [`SINE_STEP`].

use crate::network::{HiddenActivation, Mlp};
use firmware_core::fixed::ONE;
use rayon::prelude::*;

/// The largest weight of a row, in its steps.
pub const STEPS: f64 = 127.0;
/// The weight step of a sine row whose multiplier is 1: 2π·32767/2³². A step is such a multiple of the multiplier,
/// since features and sines both count 32767 as 1.0.
pub const SINE_STEP: f64 = std::f64::consts::TAU * ONE as f64 / 4_294_967_296.0;

/// What a row of weights feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A sine: the step is a multiple of [`SINE_STEP`].
    Sine,
    /// Anything else: any step.
    Other,
}

impl RowKind {
    /// Of the rows of layer `layer` of `layers`.
    #[must_use]
    pub fn of(hidden: HiddenActivation, layer: usize, layers: usize) -> Self {
        if hidden == HiddenActivation::Sine && layer + 1 < layers { Self::Sine } else { Self::Other }
    }

    /// The smallest possible step from `step` on. Multiples of [`SINE_STEP`] that were rounded to f32 and back stay
    /// what they were.
    #[must_use]
    pub fn step_from(self, step: f64) -> f64 {
        match self {
            Self::Sine => (step / SINE_STEP * (1.0 - 1e-6)).ceil().max(1.0) * SINE_STEP,
            Self::Other => step,
        }
    }

    /// The step of a row whose weights have this largest magnitude.
    #[must_use]
    fn step_of(self, largest: f64) -> f64 {
        self.step_from(largest / STEPS)
    }

    /// The step and the whole numbers of a row that [`round_weights`] has rounded; none if the row is not of such
    /// weights.
    #[must_use]
    pub fn rounded_row(self, weights: impl Iterator<Item = f32> + Clone) -> Option<(f64, Vec<i16>)> {
        let largest = weights.clone().fold(0.0, |largest: f64, weight| largest.max(f64::from(weight).abs()));
        let first = self.step_of(largest);
        // Rounding can have made the largest weight so small that the next multiplier below would do as well.
        let steps = if self == Self::Sine { vec![first, first + SINE_STEP] } else { vec![first] };
        steps.into_iter().find_map(|step| {
            let whole = |weight: f32| {
                let exact = if weight == 0.0 { 0.0 } else { f64::from(weight) / step };
                let rounded = exact.round();
                ((exact - rounded).abs() < 1e-3 && rounded.abs() <= STEPS).then_some(rounded as i16)
            };
            Some((step, weights.clone().map(whole).collect::<Option<_>>()?))
        })
    }
}

/// Rounds all weights to those that `w8a16` stores. `columns`, of which those that are missing are 1, are what the
/// exporter multiplies the columns of the first layer by; biases, whose steps are much finer, stay as they are.
pub fn round_weights(network: &mut Mlp<f32>, columns: &[f32]) {
    let shape = network.shape().clone();
    for layer in 0..shape.layers() {
        let kind = RowKind::of(shape.hidden, layer, shape.layers());
        let columns = if layer == 0 { columns } else { &[] };
        let weights = &mut network.parameters_mut()[shape.weights_range(layer)];
        weights.par_chunks_mut(shape.widths[layer]).for_each(|row| round_row(row, columns, kind));
    }
}

fn round_row(row: &mut [f32], columns: &[f32], kind: RowKind) {
    let factor = |column: usize| f64::from(columns.get(column).copied().unwrap_or(1.0));
    let largest = row
        .iter()
        .enumerate()
        .fold(0.0, |largest: f64, (k, weight)| largest.max((f64::from(*weight) * factor(k)).abs()));
    // A row of zeros, and one that has diverged, stay so.
    if !(largest > 0.0 && largest.is_finite()) {
        return;
    }
    let step = kind.step_of(largest);
    for (k, weight) in row.iter_mut().enumerate().filter(|(k, _)| factor(*k) != 0.0) {
        *weight = ((f64::from(*weight) * factor(k) / step).round() * step / factor(k)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Initialization, OutputActivation, Shape};
    use rand::SeedableRng;

    #[test]
    fn rounded_rows_are_found_again_and_are_near() {
        let columns = [1.0, 0.5, 0.25];
        for hidden in [HiddenActivation::Relu, HiddenActivation::Sine] {
            for size in [0.003f32, 1.0, 40.0] {
                let shape = Shape::new(9, &[200, 30], 3, OutputActivation::Linear).with_hidden(hidden);
                let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
                let mut exact = Mlp::new(shape.clone(), Initialization::Siren, &mut rng);
                exact.parameters_mut().iter_mut().for_each(|weight| *weight *= size);
                let mut rounded = exact.clone();
                round_weights(&mut rounded, &columns);
                for layer in 0..3 {
                    let kind = RowKind::of(hidden, layer, 3);
                    for (r, row) in rounded.weights(layer).rows().into_iter().enumerate() {
                        let factors =
                            columns.iter().chain(std::iter::repeat(&1.0)).map(|f| if layer == 0 { *f } else { 1.0 });
                        let folded: Vec<f32> = row.iter().zip(factors.clone()).map(|(w, f)| w * f).collect();
                        let (step, whole) = kind.rounded_row(folded.iter().copied()).expect("a rounded row");
                        if kind == RowKind::Sine {
                            let multiplier = step / SINE_STEP;
                            assert!((multiplier - multiplier.round()).abs() < 1e-9 && multiplier >= 1.0);
                        }
                        for ((whole, folded), (exact, factor)) in
                            whole.iter().zip(&folded).zip(exact.weights(layer).row(r).iter().zip(factors))
                        {
                            assert!((f64::from(*whole) * step - f64::from(*folded)).abs() < 1e-3 * step);
                            assert!((f64::from(*whole) * step - f64::from(exact * factor)).abs() < 0.501 * step);
                        }
                        assert!(kind.rounded_row(exact.weights(layer).row(r).iter().copied()).is_none());
                    }
                }
                assert_eq!(rounded.biases(1), exact.biases(1));
            }
        }
    }
}
