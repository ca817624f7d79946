//! Where a grid lies on the map: from column and row to map coordinates, in words.

use super::super::sentinel::plain;

/// Map coordinates of the centre of cell (0, 0), and how they change by column and row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Georeference {
    /// Of the cell in column 0 of row 0.
    pub(super) centre: [f64; 2],
    /// Of one column to the right: east, north.
    pub(super) column: [f64; 2],
    /// Of one row down: east, north.
    pub(super) row: [f64; 2],
}

impl Georeference {
    /// Cells of this width and height, north up.
    pub(super) fn north_up(centre: [f64; 2], [width, height]: [f64; 2]) -> Self {
        Self { centre, column: [width, 0.0], row: [0.0, -height] }
    }

    /// Inputs stay column and row; this says how they become map coordinates.
    pub(super) fn note(&self) -> String {
        let coordinate = |axis: usize| {
            let mut text = plain(self.centre[axis]);
            for (factor, input) in [(self.column[axis], "x"), (self.row[axis], "y")] {
                if factor != 0.0 {
                    text += &format!(" {} {} {input}", if factor < 0.0 { '-' } else { '+' }, plain(factor.abs()));
                }
            }
            text
        };
        format!(
            "note: the inputs are the column x and the row y, both from 0; the centre of a cell is on the map at east \
             = {}, north = {}",
            coordinate(0),
            coordinate(1)
        )
    }
}
