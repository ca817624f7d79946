//! Grids evaluated over lanes, the same on every instruction set.

use super::contract::{Arithmetic, Point};
use super::portable::{store_float, store_halfword};
use crate::grid::{Grids, rounded};
use crate::precision::Precision;

/// The features of one point a lane, as the precision stores them.
#[inline]
pub(crate) fn encode<A: Arithmetic>(grids: &Grids<'_>, points: &[Point], x: &mut [u32]) {
    for (lane, point) in points.iter().enumerate() {
        grids.evaluate(point, |k, sum| match A::PRECISION {
            Precision::F32 => store_float(x, k, lane, points.len(), rounded(sum)),
            Precision::W8A16 | Precision::W16A16 => store_halfword(x, k, lane, points.len(), rounded(sum)),
        });
    }
}

/// The raw outputs `[row][lane]` of a table.
#[inline]
pub(crate) fn look_up(table: &Grids<'_>, points: &[Point], raw: &mut [i32]) {
    for (lane, point) in points.iter().enumerate() {
        table.evaluate(point, |k, sum| {
            if let Some(slot) = raw.get_mut(k * points.len() + lane) {
                *slot = sum;
            }
        });
    }
}
