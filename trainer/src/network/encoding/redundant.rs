//! Rows of B that add nothing: a row of zeros is a constant, and a row that repeats another, or its negative, gives the
//! same cosine and the same sine up to its sign.

use std::collections::HashSet;
use std::fmt;

use super::Encoding;

/// How many rows of B add nothing to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redundant {
    /// Rows that are zero in every column.
    pub zero: usize,
    /// Rows that equal an earlier one or its negative.
    pub repeated: usize,
    /// Rows of B in all.
    pub rows: usize,
}

impl Redundant {
    /// Number of rows that add nothing.
    #[must_use]
    pub fn count(&self) -> usize {
        self.zero + self.repeated
    }
}

impl fmt::Display for Redundant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zero, repeated, rows } = self;
        write!(
            f,
            "{} of {rows} frequencies add nothing after rounding ({zero} zero, {repeated} like another)",
            self.count()
        )
    }
}

impl Encoding {
    /// Rows of B that add nothing, as they are stored: after all rounding.
    #[must_use]
    pub fn redundant(&self) -> Redundant {
        let mut found = Redundant { rows: self.amplitudes.len(), ..Redundant::default() };
        let mut seen = HashSet::new();
        for row in self.frequencies.chunks_exact(self.inputs) {
            match row.iter().find(|&&frequency| frequency != 0) {
                None => found.zero += 1,
                // Of a row and its negative, the one that begins with a positive number stands for both.
                Some(first) => {
                    let sign = first.signum();
                    let is_new = seen.insert(row.iter().map(|frequency| sign * frequency).collect::<Vec<i32>>());
                    found.repeated += usize::from(!is_new);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::encoding::{EncodingKind, EncodingParams};

    #[test]
    fn zero_equal_and_opposite_rows_are_counted() {
        let rows = [[0, 0], [5, -7], [5, -7], [-5, 7], [5, 7], [0, 3], [0, -3], [3, 0], [0, 0]];
        let encoding = Encoding::from_parts(2, rows.concat(), vec![1.0; 9], 0).unwrap();
        assert_eq!(encoding.redundant(), Redundant { zero: 2, repeated: 3, rows: 9 });
        let none = EncodingParams { kind: EncodingKind::None, ..EncodingParams::default() }.check(2).unwrap();
        assert_eq!(none.redundant(), Redundant::default());
    }

    #[test]
    fn rounding_to_whole_cycles_leaves_little_of_a_small_scale() {
        let params = EncodingParams { frequencies: 48, scale: 0.25, ..EncodingParams::default() };
        assert_eq!(params.check(1).unwrap().redundant().count(), 0);
        // Deviates by more than two standard deviations, which become 1, are 1 of 22.
        let found = EncodingParams { whole: true, ..params.clone() }.check(1).unwrap().redundant();
        assert_eq!((found.count(), found.rows), (47, 48));
        assert!(found.to_string().starts_with("47 of 48 frequencies add nothing after rounding ("), "{found}");
        // Along two axes of which one is rounded, the other keeps rows apart.
        let found = EncodingParams { whole_axes: vec![0], ..params }.check(2).unwrap().redundant();
        assert_eq!(found.count(), 0);
    }
}
