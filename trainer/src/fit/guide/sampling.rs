//! Where a guide is sampled: evenly over the domain, and along the lines from rows to their neighbours.

use ndarray::{Array2, ArrayView1, ArrayView2};
use rand::{Rng, RngExt};
use rayon::prelude::*;

use crate::base::random::{Purpose, step_rng};

/// With more axes than this nearly all of the domain is far from every row, and samples lie between neighbours only.
const EVEN_AXES: usize = 3;

/// The domain along each axis: from the smallest to the largest coordinate (Q0.32) of all samples, and all around where
/// it is periodic.
pub(super) fn ends(coordinates: ArrayView2<'_, u32>, periodic: &[bool]) -> Vec<(u32, u32)> {
    coordinates
        .columns()
        .into_iter()
        .zip(periodic)
        .map(|(column, &is_periodic)| match is_periodic {
            true => (0, u32::MAX),
            false => (column.iter().copied().min().unwrap_or(0), column.iter().copied().max().unwrap_or(0)),
        })
        .collect()
}

/// `count` points `[count, d]` (Q0.32) within a domain, for rows `[n, d]` of which there are at least two.
pub(super) fn between(rows: ArrayView2<'_, u32>, ends: &[(u32, u32)], count: usize, seed: u64) -> Array2<u32> {
    let (n, d) = rows.dim();
    let mut rng = step_rng(seed, Purpose::SamplePoints, 0);
    let mut points = Array2::zeros((count, d));
    let even = if d <= EVEN_AXES { count - count / 2 } else { 0 };
    for (k, mut point) in points.outer_iter_mut().take(even).enumerate() {
        for ((value, turn), &(low, high)) in point.iter_mut().zip(sequence(k, d)).zip(ends) {
            *value = low + (turn * f64::from(high - low)).round() as u32;
        }
    }
    let neighbours = nearest(rows, 2 * d + 1);
    for mut point in points.outer_iter_mut().skip(even) {
        let row = rng.random_range(0..n);
        let other = neighbours[row][rng.random_range(0..neighbours[row].len())];
        toward(&mut rng, rows.row(row), rows.row(other), ends)
            .into_iter()
            .zip(&mut point)
            .for_each(|(from, to)| *to = from);
    }
    points
}

/// A point on the way from one row to another, moved off the line by up to a quarter of the way.
fn toward(rng: &mut impl Rng, row: ArrayView1<'_, u32>, other: ArrayView1<'_, u32>, ends: &[(u32, u32)]) -> Vec<u32> {
    let (row, other) = (row.mapv(f64::from), other.mapv(f64::from));
    let way = &other - &row;
    let length = way.dot(&way).sqrt();
    let along: f64 = rng.random_range(0.0..1.0);
    let place = |((&from, &way), &(low, high)): ((&f64, &f64), &(u32, u32))| {
        let aside = length * rng.random_range(-0.25..0.25);
        (from + along * way + aside).clamp(f64::from(low), f64::from(high)) as u32
    };
    row.iter().zip(&way).zip(ends).map(place).collect()
}

/// Point k of the R sequence (Roberts 2018), `[d]` in [0, 1): any first few of them cover the cube evenly.
fn sequence(k: usize, d: usize) -> impl Iterator<Item = f64> {
    // The root of g^(d+1) = g + 1.
    let root = (0..64).fold(2.0f64, |g, _| (1.0 + g).powf(1.0 / (d as f64 + 1.0)));
    (1..=d).map(move |axis| (0.5 + (k + 1) as f64 * root.powi(-(axis as i32))).fract())
}

/// The nearest `count` other rows of each row.
fn nearest(rows: ArrayView2<'_, u32>, count: usize) -> Vec<Vec<usize>> {
    let n = rows.nrows();
    let squared = |a: usize, b: usize| -> f64 {
        rows.row(a).iter().zip(rows.row(b)).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
    };
    (0..n)
        .into_par_iter()
        .map(|row| {
            let mut others: Vec<(f64, usize)> =
                (0..n).filter(|&other| other != row).map(|other| (squared(row, other), other)).collect();
            let count = count.min(others.len());
            let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            if count < others.len() {
                others.select_nth_unstable_by(count, order);
            }
            others.truncate(count);
            others.sort_unstable_by(order);
            others.into_iter().map(|(_, other)| other).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn points_cover_the_box_of_the_rows_evenly() {
        let rows = array![[0u32, 1 << 30], [1 << 31, 3 << 30], [1 << 30, 1 << 31]];
        let ends = ends(rows.view(), &[false, false]);
        let points = between(rows.view(), &ends, 4096, 0);
        assert!(points.column(0).iter().all(|&x| x <= 1 << 31));
        assert!(points.column(1).iter().all(|&y| (1 << 30..=3 << 30).contains(&y)));
        // A sixteenth of the even half in each of the cells of a lattice of 4 × 4; the exact share is 128.
        let mut cells = [0; 16];
        for point in points.outer_iter().take(2048) {
            let x = (point[0] >> 29).min(3) as usize;
            let y = ((point[1] - (1 << 30)) >> 29).min(3) as usize;
            cells[4 * y + x] += 1;
        }
        assert!(cells.iter().all(|&count| (120..=136).contains(&count)), "{cells:?}");
        assert_eq!(points, between(rows.view(), &ends, 4096, 0), "the same seed, the same points");
    }

    #[test]
    fn a_periodic_axis_is_covered_beyond_its_last_row() {
        let rows = array![[0u32], [1 << 30], [1 << 31]];
        let points = between(rows.view(), &ends(rows.view(), &[true]), 1000, 0);
        let beyond = points.iter().take(500).filter(|&&x| x > 1 << 31).count();
        assert!((245..=255).contains(&beyond), "half of the even half: {beyond}");
    }

    #[test]
    fn neighbours_are_the_nearest_others() {
        let rows = array![[0u32], [10], [11], [100]];
        assert_eq!(nearest(rows.view(), 2), [vec![1, 2], vec![2, 0], vec![1, 0], vec![2, 1]]);
    }
}
