//! Grids of B-spline coefficients in place of frequencies: features that are learned node by node.
//!
//! A [`Grid`] is what a device stores: whole numbers of 4 to 8 bits, and for each level and channel the step between
//! two of them. [`GridFeatures`] trains the real numbers that they come from. Along an axis of n nodes the domain has
//! n - order cells, along a periodic one n.
//!
//! | hyperparameter | default | purpose | range |
//! | --- | --- | --- | --- |
//! | `levels` | 12, 24, 48, 64 | nodes along the axes of each level | 1 to 16 levels |
//! | `channels` | 2 | values at a node | 1 … 16 |
//! | `order` | 1 | of the splines: linear or quadratic | 1, 2 |
//! | `bits` | 8 | of a coefficient | 4 … 8 |

mod features;
mod params;
mod taps;
#[cfg(test)]
mod tests;

pub(super) use features::GridEncoder;
pub use features::GridFeatures;
pub use params::{GridParams, GridParamsError, Nodes, NodesError};

use crate::network::vectorized;
use firmware_core::artifact::{GridShape, GridUse};
use firmware_core::fixed::ONE;
use firmware_core::write::{GridLevel, packed};

/// Checked grids, with the whole numbers that a device stores.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    shape: GridShape,
    periodic: u16,
    levels: Vec<Level>,
    /// What one unit of a coefficient is worth, `[levels · channels]`.
    steps: Vec<f32>,
    /// All levels as the device reads them.
    words: Vec<u32>,
}

/// One grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    nodes: Vec<u32>,
    /// Q16.16.
    cells: Vec<u32>,
    coefficients: Vec<i8>,
}

impl Level {
    /// Nodes along each axis, `[d]`.
    pub fn nodes(&self) -> &[u32] {
        &self.nodes
    }

    /// The whole numbers that are stored, `[n_0, …, channels]`, row-major.
    pub fn coefficients(&self) -> &[i8] {
        &self.coefficients
    }

    /// As the writer of artifacts takes it.
    pub(crate) fn description(&self) -> GridLevel<'_> {
        GridLevel { nodes: &self.nodes, cells: &self.cells, coefficients: &self.coefficients }
    }
}

impl Grid {
    /// Grids of zeros. The axes in `periodic` (bit k: axis k) repeat.
    ///
    /// # Errors
    /// [`GridParamsError`], with what to change.
    pub fn new(params: &GridParams, inputs: usize, used_as: GridUse, periodic: u16) -> Result<Self, GridParamsError> {
        if used_as == GridUse::Outputs && params.levels.len() != 1 {
            return Err(GridParamsError::TableLevels { levels: params.levels.len() });
        }
        let (order, channels) = (u32::from(params.order), params.channels);
        let level = |nodes: Vec<u32>| {
            let cell =
                |(axis, &nodes): (usize, &u32)| (if periodic >> axis & 1 == 1 { nodes } else { nodes - order }) << 16;
            let cells = nodes.iter().enumerate().map(cell).collect();
            let len = nodes.iter().map(|&nodes| nodes as usize).product::<usize>() * channels;
            Level { nodes, cells, coefficients: vec![0; len] }
        };
        let levels: Vec<Level> = params.check(inputs)?.into_iter().map(level).collect();
        let shape = GridShape {
            levels: levels.len() as u8,
            channels: channels as u8,
            order: params.order,
            bits: params.bits,
            used_as,
        };
        let mut grid = Self { shape, periodic, steps: vec![1.0; shape.features()], levels, words: Vec::new() };
        grid.pack();
        Ok(grid)
    }

    /// Levels, channels, order and bits.
    pub fn shape(&self) -> GridShape {
        self.shape
    }

    /// Whether the values are the outputs: there is no network behind them.
    pub fn is_table(&self) -> bool {
        self.shape.used_as == GridUse::Outputs
    }

    /// The levels, in the order of their features.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// What one unit of a coefficient is worth, `[levels · channels]`.
    pub fn steps(&self) -> &[f32] {
        &self.steps
    }

    /// Whether an axis repeats.
    pub fn is_periodic(&self, axis: usize) -> bool {
        self.periodic >> axis & 1 == 1
    }

    /// The number of coefficients of all levels.
    pub fn coefficients_len(&self) -> usize {
        self.levels.iter().map(|level| level.coefficients.len()).sum()
    }

    /// The largest whole number that is stored.
    pub fn largest(&self) -> f32 {
        ((1 << (self.shape.bits - 1)) - 1) as f32
    }

    /// Coordinates of a point, d.
    pub fn inputs(&self) -> usize {
        self.levels[0].nodes.len()
    }

    /// The evaluator that runs on a device.
    pub fn device(&self) -> firmware_core::Grids<'_> {
        firmware_core::Grids::new(self.shape, self.inputs(), self.periodic, &self.words)
            .expect("checked when it was made")
    }

    /// What an integer feature of the device is worth, `[levels · channels]`.
    pub fn feature_factors(&self) -> Vec<f32> {
        let unit = f32::from(1u16 << (16 - self.shape.bits));
        self.steps.iter().map(|step| step / unit).collect()
    }

    /// What the first layer's columns are multiplied by: the value of a feature that is 1.0 on the device.
    pub(crate) fn amplitudes(&self) -> Vec<f32> {
        self.feature_factors().iter().map(|factor| factor * ONE as f32).collect()
    }

    /// The same with other coefficients, those of all levels in order, rounded to whole numbers: in a table as they
    /// are, otherwise with the steps of [`Self::best_steps`].
    ///
    /// # Panics
    /// If their number is another one.
    #[must_use]
    pub fn with_coefficients(&self, coefficients: &[f32]) -> Self {
        let steps = if self.is_table() { vec![1.0; self.steps.len()] } else { self.best_steps(coefficients) };
        self.with_steps(coefficients, steps)
    }

    /// The same with other coefficients and the steps that they are rounded to.
    ///
    /// # Panics
    /// If their numbers are other ones.
    #[must_use]
    pub fn with_steps(&self, coefficients: &[f32], steps: Vec<f32>) -> Self {
        assert_eq!((coefficients.len(), steps.len()), (self.coefficients_len(), self.steps.len()), "another grid");
        let mut grid = Self { steps, ..self.clone() };
        let (largest, channels) = (self.largest(), usize::from(self.shape.channels));
        let mut rest = coefficients;
        for (level, steps) in grid.levels.iter_mut().zip(grid.steps.chunks_exact(channels)) {
            let (own, behind) = rest.split_at(level.coefficients.len());
            rest = behind;
            for (k, (stored, value)) in level.coefficients.iter_mut().zip(own).enumerate() {
                *stored = whole(*value, steps[k % channels], largest) as i8;
            }
        }
        grid.pack();
        grid
    }

    /// The real numbers that are stored, those of all levels in order.
    pub fn values(&self) -> Vec<f32> {
        let channels = usize::from(self.shape.channels);
        let levels = self.levels.iter().zip(self.steps.chunks_exact(channels));
        levels
            .flat_map(|(level, steps)| {
                level.coefficients.iter().enumerate().map(move |(k, &stored)| f32::from(stored) * steps[k % channels])
            })
            .collect()
    }

    /// What [`Self::values`] would be after [`Self::with_coefficients`]. Training asks for it in every step.
    pub(crate) fn rounded(&self, coefficients: &[f32]) -> Vec<f32> {
        let (steps, largest) = (self.best_steps(coefficients), self.largest());
        let mut values = coefficients.to_vec();
        let mut rest = &mut values[..];
        for (level, steps) in self.levels.iter().zip(steps.chunks_exact(usize::from(self.shape.channels))) {
            let (own, behind) = rest.split_at_mut(level.coefficients.len());
            rest = behind;
            vectorized(
                #[inline(always)]
                || {
                    for values in own.chunks_exact_mut(steps.len()) {
                        for (value, &step) in values.iter_mut().zip(steps) {
                            *value = whole(*value, step, largest) * step;
                        }
                    }
                },
            );
        }
        values
    }

    /// For each level and channel the step with the smallest squared error of rounding. The first candidate makes the
    /// largest coefficient the largest whole number; shorter steps cut the largest ones off.
    pub fn best_steps(&self, coefficients: &[f32]) -> Vec<f32> {
        let (largest, channels) = (self.largest(), usize::from(self.shape.channels));
        let mut rest = coefficients;
        let mut steps = Vec::with_capacity(self.steps.len());
        for level in &self.levels {
            let (own, behind) = rest.split_at(level.coefficients.len());
            rest = behind;
            for channel in 0..channels {
                let values = own[channel..].iter().step_by(channels).copied();
                steps.push(best_step(values, largest));
            }
        }
        steps
    }

    /// Packs the whole numbers into the words that the device reads.
    fn pack(&mut self) {
        self.words.clear();
        for level in &self.levels {
            self.words.extend(level.nodes.iter().zip(&level.cells).flat_map(|(&nodes, &cells)| [nodes, cells]));
            self.words.extend(packed(self.shape.bits, &level.coefficients));
        }
    }
}

/// The whole number that a coefficient is rounded to.
#[inline(always)]
fn whole(value: f32, step: f32, largest: f32) -> f32 {
    (value / step).round().clamp(-largest, largest)
}

/// The step with the smallest squared error of rounding; 1 where all coefficients are zero.
fn best_step(values: impl Iterator<Item = f32> + Clone, largest: f32) -> f32 {
    const SHARES: [f32; 8] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5];
    let bound = values.clone().fold(0.0f32, |bound, value| bound.max(value.abs()));
    if !(bound > 0.0 && bound.is_finite()) {
        return 1.0;
    }
    let candidates = SHARES.map(|share| share * bound / largest);
    let mut errors = [0.0f64; SHARES.len()];
    vectorized(
        #[inline(always)]
        || {
            for value in values {
                for (error, step) in errors.iter_mut().zip(candidates) {
                    let difference = f64::from(whole(value, step, largest) * step - value);
                    *error += difference * difference;
                }
            }
        },
    );
    let candidates = errors.into_iter().zip(candidates);
    let best = candidates.reduce(|best, next| if next.0 < best.0 { next } else { best });
    best.expect("there are candidates").1.max(f32::MIN_POSITIVE)
}
