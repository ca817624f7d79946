//! The samples divided into parts that are held out, each from a training of its own: [`validation`](super::validation)
//! says why.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::base::random::{Purpose, step_rng};
use crate::data::{Dataset, Split};

/// So many parts are few rows divided into.
const FOLDS: usize = 5;
/// From so many rows on, one part is enough.
const MANY_ROWS: usize = 400;
/// Fewer samples than this cannot be divided.
pub const LEAST_SAMPLES: usize = 8;
/// More rows than this to judge by tell nothing new.
const MOST_JUDGES: usize = 8192;

/// The first of the parts that a [`Validation`](crate::fit::validation::Validation) holds out, for comparing many
/// trainings; none where there are too few samples.
#[must_use]
pub fn held_out_part(dataset: &Dataset, seed: u64) -> Option<Split> {
    divide(dataset, seed).into_iter().next()
}

/// The parts: which rows train and which are held out.
pub(super) fn divide(dataset: &Dataset, seed: u64) -> Vec<Split> {
    let n = dataset.len();
    if n < LEAST_SAMPLES {
        return Vec::new();
    }
    let mut free = vec![true; n];
    for column in dataset.coordinates.columns() {
        for end in [(0..n).min_by_key(|&row| column[row]), (0..n).max_by_key(|&row| column[row])] {
            end.into_iter().for_each(|row| free[row] = false);
        }
    }
    // Rows at the same point go together: one of them would give the others away.
    let mut groups: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
    for row in 0..n {
        groups.entry(dataset.coordinates.row(row).to_vec()).or_default().push(row);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|rows| rows.iter().all(|&row| free[row])).collect();
    groups.shuffle(&mut step_rng(seed, Purpose::HeldOut, 0));
    let folds = if n < MANY_ROWS { FOLDS } else { 1 };
    let judges = (groups.len() / FOLDS).min(MOST_JUDGES);
    let parts = (0..folds).map(|fold| {
        let part = if folds == 1 {
            &groups[..judges]
        } else {
            &groups[fold * groups.len() / folds..(fold + 1) * groups.len() / folds]
        };
        let mut is_test = vec![false; n];
        part.iter().flatten().for_each(|&row| is_test[row] = true);
        let (test, train) = (0..n).partition(|&row| is_test[row]);
        Split { train, test }
    });
    parts.filter(|split| !split.test.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis, concatenate};

    fn line(len: usize) -> Dataset {
        let values = Array2::from_shape_fn((len, 1), |(k, _)| 0.5 + 0.4 * (k as f32 * 6.0 / len as f32).sin());
        Dataset::from_grid(&[len], values)
    }

    #[test]
    fn every_row_but_the_ends_is_held_out_once() {
        let folds = divide(&line(41), 3);
        assert_eq!(folds.len(), 5);
        let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (1..40).collect::<Vec<_>>());
        for fold in &folds {
            assert_eq!(fold.train.len() + fold.test.len(), 41);
            assert!(fold.test.iter().all(|row| !fold.train.contains(row)));
        }
        assert_eq!(divide(&line(1000), 0).len(), 1);
        assert_eq!(divide(&line(1000), 0)[0].test.len(), 998 / 5);
        assert!(divide(&line(7), 0).is_empty());
        // Each row of a table twice: a pair is never divided.
        let mut twice = line(30);
        twice.coordinates = concatenate(Axis(0), &[twice.coordinates.view(), twice.coordinates.view()]).unwrap();
        twice.points = concatenate(Axis(0), &[twice.points.view(), twice.points.view()]).unwrap();
        for fold in divide(&twice, 0) {
            assert!(fold.test.iter().all(|&row| fold.test.contains(&((row + 30) % 60))));
        }
    }
}
