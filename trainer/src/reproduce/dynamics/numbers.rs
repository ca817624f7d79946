//! What one run, and a group of runs, come to beside their predictions.

use serde::Serialize;

use super::modes::Modes;
use crate::reproduce::error::ReproduceError;
use crate::reproduce::toy::{Predictor, Problem, Run, Snapshot};
use crate::theory::dynamics::Dynamics;
use crate::theory::empirical::relative_gap;

/// One network: losses at the logged steps, and how far the two predictions are off.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Numbers {
    pub(super) mapping: &'static str,
    parametrization: &'static str,
    pub(super) width: usize,
    seed: u64,
    learning_rate: f64,
    pub(super) steps: Vec<u64>,
    pub(super) measured: Vec<f64>,
    /// By the kernel of infinite width.
    pub(super) predicted: Vec<f64>,
    /// By the network's own tangent kernel before training.
    pub(super) predicted_own: Vec<f64>,
    /// Largest difference of losses over the initial loss.
    pub(super) gap: f64,
    pub(super) gap_own: f64,
    /// ‖own - infinite‖ / ‖infinite‖ of the Gram matrices, Frobenius.
    pub(super) kernel_gap: f64,
    /// Along the eigenvectors of the network's own kernel.
    #[serde(skip)]
    pub(super) modes: Modes,
}

impl Numbers {
    pub(super) fn new(problem: &Problem, run: &Run) -> Result<Self, ReproduceError> {
        let (infinite, own) = (run.kernels(problem, Predictor::Infinite)?, run.kernels(problem, Predictor::Own)?);
        let (dynamics, own_dynamics) = (Dynamics::new(infinite.gram.view())?, Dynamics::new(own.gram.view())?);
        let predicted = run.predict_by(problem, &dynamics, &infinite)?;
        let predicted_own = run.predict_by(problem, &own_dynamics, &own)?;
        let losses = |snapshots: &[Snapshot]| snapshots.iter().map(|snapshot| snapshot.train_loss(problem)).collect();
        Ok(Self {
            mapping: run.mapping.name,
            parametrization: if run.setting.ntk_parametrization { "NTK" } else { "standard" },
            width: run.setting.width,
            seed: run.setting.seed,
            learning_rate: run.setting.learning_rate,
            steps: run.measured.iter().map(|snapshot| snapshot.step).collect(),
            measured: losses(&run.measured),
            gap: run.largest_gap(problem, &predicted),
            gap_own: run.largest_gap(problem, &predicted_own),
            predicted: losses(&predicted),
            predicted_own: losses(&predicted_own),
            kernel_gap: relative_gap(own.gram.view(), infinite.gram.view())?,
            modes: Modes::new(problem, run, &own_dynamics)?,
        })
    }
}

/// Several networks that differ in their initial weights alone.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Group {
    pub(super) mapping: &'static str,
    pub(super) width: usize,
    pub(super) networks: usize,
    pub(super) steps: Vec<u64>,
    /// Mean loss over the mean initial loss.
    pub(super) measured: Vec<f64>,
    /// The same of what the kernel of infinite width predicts from each network's initial outputs.
    pub(super) predicted: Vec<f64>,
    /// Largest difference of these two.
    pub(super) gap: f64,
    /// Of single networks: the gap to infinite width, its mean and its largest.
    pub(super) single_gap: (f64, f64),
    /// Of single networks: the gap to the own kernel, its mean and its largest.
    pub(super) single_gap_own: (f64, f64),
    /// Mean over the networks.
    pub(super) kernel_gap: f64,
}

impl Group {
    /// Of runs with the same setting but for the seed; at least one.
    pub(super) fn new(runs: &[Numbers]) -> Self {
        let mean = |of: &dyn Fn(&Numbers) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
        let mean_and_largest = |of: &dyn Fn(&Numbers) -> f64| (mean(of), runs.iter().map(of).fold(0.0, f64::max));
        let initial = mean(&|n| n.measured[0]);
        let curve = |of: &dyn Fn(&Numbers) -> &[f64]| -> Vec<f64> {
            (0..runs[0].steps.len()).map(|k| mean(&|n| of(n)[k]) / initial).collect()
        };
        let (measured, predicted) = (curve(&|n| &n.measured), curve(&|n| &n.predicted));
        Self {
            mapping: runs[0].mapping,
            width: runs[0].width,
            networks: runs.len(),
            steps: runs[0].steps.clone(),
            gap: measured.iter().zip(&predicted).map(|(m, p)| (m - p).abs()).fold(0.0, f64::max),
            measured,
            predicted,
            single_gap: mean_and_largest(&|n| n.gap),
            single_gap_own: mean_and_largest(&|n| n.gap_own),
            kernel_gap: mean(&|n| n.kernel_gap),
        }
    }
}
