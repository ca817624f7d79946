//! Splitting a data set.

use rand::seq::SliceRandom;

use super::{Holdout, HoldoutError};
use crate::base::random::{PlainPurpose, plain_rng};
use crate::data::{DataKind, Dataset, DatasetError};

/// Which samples train and which ones test: their indices, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// To train on; never empty.
    pub train: Vec<usize>,
    /// To test with; empty only for [`Holdout::None`].
    pub test: Vec<usize>,
}

impl Split {
    /// The split that holds nothing out: all samples train.
    #[must_use]
    pub fn all(dataset: &Dataset) -> Self {
        Self { train: (0..dataset.len()).collect(), test: Vec::new() }
    }
}

/// Splits a data set; the same seed gives the same split.
///
/// # Errors
///
/// If nothing would be left to train on or to test with.
pub fn split(dataset: &Dataset, holdout: Holdout, seed: u64) -> Result<Split, DatasetError> {
    let n = dataset.len();
    let split = match holdout {
        Holdout::None => {
            return Ok(Split::all(dataset));
        }
        Holdout::Even => {
            let shape = dataset.grid_shape().unwrap_or_else(|| vec![n]);
            even_split(&shape, n, |sample| dataset.cells.as_ref().map_or(sample, |cells| cells[sample]))
        }
        Holdout::Fraction(fraction) => {
            let test_len = ((n as f64 * fraction).round() as usize).min(n);
            let first = first_at_their_points(dataset);
            let mut rows_at = vec![0; n];
            first.iter().for_each(|&first| rows_at[first] += 1);
            let mut points: Vec<usize> = (0..n).filter(|&row| rows_at[row] > 0).collect();
            // ChaCha8 gives the same numbers on every machine and in every version of the crate.
            points.shuffle(&mut plain_rng(seed, PlainPurpose::Holdout));
            let (mut tests, mut tested) = (vec![false; n], 0);
            // The last point stays to train on, unless no row is to.
            let most = if test_len < n { points.len() - 1 } else { points.len() };
            for &point in &points[..most] {
                if tested >= test_len {
                    break;
                }
                (tests[point], tested) = (true, tested + rows_at[point]);
            }
            let (test, train) = (0..n).partition(|&row| tests[first[row]]);
            Split { train, test }
        }
    };
    match (split.train.is_empty(), split.test.is_empty()) {
        (false, false) => Ok(split),
        (no_train, _) => {
            let one_point = holdout != Holdout::Even && first_at_their_points(dataset).iter().all(|&row| row == 0);
            Err(HoldoutError { holdout, samples: n, no_train, one_point }.into())
        }
    }
}

/// For each sample the first one at the same point: itself where no point is repeated, as on a grid.
fn first_at_their_points(dataset: &Dataset) -> Vec<usize> {
    let mut first: Vec<usize> = (0..dataset.len()).collect();
    if dataset.kind == DataKind::Table {
        let point = |row: usize| dataset.coordinates.row(row);
        let mut rows = first.clone();
        rows.sort_by(|&a, &b| point(a).iter().cmp(point(b)));
        for pair in rows.windows(2) {
            if point(pair[0]) == point(pair[1]) {
                first[pair[1]] = first[pair[0]];
            }
        }
    }
    first
}

/// A note on samples at the point of another one, and what `holdout` does with them; none where there are none, or
/// where none are held out.
#[must_use]
pub fn note_of_repeated(dataset: &Dataset, holdout: Holdout) -> Option<String> {
    let first = first_at_their_points(dataset);
    let repeated = first.iter().enumerate().filter(|&(row, &first)| row != first).count();
    let treated = match holdout {
        Holdout::None => return None,
        Holdout::Even => {
            "--holdout even divides them, so that the held-out figures are too good; --holdout 0.5 does not"
        }
        Holdout::Fraction(_) => "rows at one point are held out together",
    };
    (repeated > 0).then(|| format!("note: {repeated} of {} rows repeat the point of another; {treated}", dataset.len()))
}

/// Of so many samples, each in its cell of a grid.
fn even_split(shape: &[usize], samples: usize, cell: impl Fn(usize) -> usize) -> Split {
    let mut split = Split { train: Vec::new(), test: Vec::new() };
    for sample in 0..samples {
        let (mut even, mut odd, mut rest) = (true, shape.iter().any(|&len| len > 1), cell(sample));
        for &len in shape.iter().rev() {
            let index = rest % len;
            rest /= len;
            if len > 1 {
                even &= index % 2 == 0;
                odd &= index % 2 == 1;
            }
        }
        if even {
            split.train.push(sample);
        } else if odd {
            split.test.push(sample);
        }
    }
    split
}
