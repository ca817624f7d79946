//! A network at some step of its training, with what it is trained on and what it gives.

use crate::data::metrics::Metrics;
use crate::data::{Dataset, OutputMap, Split, in_user_units};
use crate::fit::ValidFitParams;
use crate::network::Mlp;
use crate::network::encoding::Encoding;
use crate::training::TrainState;
use ndarray::{Array2, ArrayView2, Axis, s};

/// The samples that a network is trained on.
#[derive(Clone, Copy, Debug)]
pub struct TrainingData<'a> {
    /// All samples, as they were given.
    pub dataset: &'a Dataset,
    /// Which of them train and which are held out.
    pub split: &'a Split,
    /// What the network learns in place of the training samples, where a [guide](crate::fit::guide) leads it.
    pub learned: Option<&'a Dataset>,
}

impl<'a> TrainingData<'a> {
    /// Data without a guide: the network learns the training samples themselves.
    #[must_use]
    pub const fn new(dataset: &'a Dataset, split: &'a Split) -> Self {
        Self { dataset, split, learned: None }
    }

    /// What the network learns: a data set, and which of its samples.
    #[must_use]
    pub fn learned(&self) -> (&'a Dataset, Vec<usize>) {
        match self.learned {
            Some(learned) => (learned, (0..learned.len()).collect()),
            None => (self.dataset, self.split.train.clone()),
        }
    }

    /// From the network's unit outputs to the user's units.
    #[must_use]
    pub fn output_maps(&self) -> &'a [OutputMap] {
        &self.learned.unwrap_or(self.dataset).output_maps
    }
}

/// A network at some step of its training, together with what it is trained on.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The hyperparameters that it is trained with.
    pub params: &'a ValidFitParams,
    /// The network, and the history of its loss.
    pub state: &'a TrainState,
    /// What it is trained on.
    pub data: TrainingData<'a>,
}

impl<'a> Snapshot<'a> {
    /// The network in f32.
    #[must_use]
    pub fn network(&self) -> &'a Mlp<f32> {
        &self.state.networks[0]
    }

    /// The encoding, with the frequencies that were learned so far.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.params.encoding_of(self.network())
    }

    /// What the network gives in f32 at coordinates `[n, d]` (Q0.32): `[n, c]` in the user's units.
    #[must_use]
    pub fn predict(&self, coordinates: ArrayView2<'_, u32>) -> Array2<f32> {
        in_user_units(unit_outputs(&self.encoding(), self.network(), coordinates), self.data.output_maps())
    }

    /// How well the network meets the given samples in f32.
    #[must_use]
    pub fn metrics(&self, samples: &[usize]) -> Metrics {
        let dataset = self.data.dataset;
        let outputs = self.predict(dataset.coordinates.select(Axis(0), samples).view());
        Metrics::compare(&outputs, &dataset.targets.select(Axis(0), samples), &dataset.output_maps)
    }
}

/// Unit outputs `[n, c]` of a network at coordinates `[n, d]`, in bounded memory.
pub fn unit_outputs(encoding: &Encoding, network: &Mlp<f32>, coordinates: ArrayView2<'_, u32>) -> Array2<f32> {
    const ROWS: usize = 16_384;
    let mut outputs = Array2::zeros((coordinates.nrows(), network.shape().outputs()));
    for start in (0..coordinates.nrows()).step_by(ROWS) {
        let rows = s![start..(start + ROWS).min(coordinates.nrows()), ..];
        outputs.slice_mut(rows).assign(&network.predict(encoding.features(coordinates.slice(rows)).view()));
    }
    outputs
}
