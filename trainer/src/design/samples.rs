//! Which samples a search trains with, and which it judges by.

use crate::data::{Dataset, Split};
use crate::fit::TrainingData;

/// More samples than this to judge by tell nothing new.
const MOST_JUDGES: usize = 65_536;

/// The samples of a search.
#[derive(Clone, Debug)]
pub struct SearchData<'a> {
    /// All samples.
    pub dataset: &'a Dataset,
    /// Which of them train, and which judge.
    pub split: Split,
    /// What a guide gives the networks to learn in place of the samples that train.
    pub learned: Option<Dataset>,
}

impl SearchData<'_> {
    /// The samples that train.
    pub(super) fn training(&self) -> TrainingData<'_> {
        TrainingData { learned: self.learned.as_ref(), ..TrainingData::new(self.dataset, &self.split) }
    }

    /// The samples that judge: those held out, or some of all.
    pub(super) fn judges(&self) -> Vec<usize> {
        let all = if self.split.test.is_empty() { &self.split.train } else { &self.split.test };
        all.iter().copied().step_by(all.len().div_ceil(MOST_JUDGES).max(1)).collect()
    }
}
