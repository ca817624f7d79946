//! Grids evaluated over lanes, the same on every instruction set.

use super::contract::{Arithmetic, Point};
use super::portable::{store_float, store_halfword};
use crate::artifact::GridUse;
use crate::grid::{Grids, rounded};
use crate::precision::Precision;

/// The features of one point a lane, as the precision stores them; of a table the raw outputs `[row][lane]`.
#[inline]
pub(crate) fn evaluate<A: Arithmetic>(grids: &Grids<'_>, points: &[Point], x: &mut [u32]) {
    let (is_table, lanes) = (grids.shape().used_as == GridUse::Outputs, points.len());
    for (lane, point) in points.iter().enumerate() {
        grids.evaluate(point, |k, sum| match A::PRECISION {
            Precision::F32 => store_float(x, k, lane, lanes, rounded(sum)),
            _ if is_table => {
                if let Some(word) = x.get_mut(k * lanes + lane) {
                    *word = sum as u32;
                }
            }
            Precision::W8A16 | Precision::W16A16 => store_halfword(x, k, lane, lanes, rounded(sum)),
        });
    }
}
