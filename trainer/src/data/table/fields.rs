//! The fields of a line.

use super::dialect::Line;
use super::number::looks_numeric;

/// A line of the sample with its fields.
pub(super) struct Fields<'t> {
    pub line: Line<'t>,
    pub fields: Vec<String>,
}

impl Fields<'_> {
    pub(super) fn present(&self) -> usize {
        self.fields.iter().filter(|field| !field.is_empty()).count()
    }

    pub(super) fn numbers(&self) -> usize {
        self.fields.iter().filter(|field| looks_numeric(field)).count()
    }

    /// As many fields as the table has columns, but for empty ones at the end.
    pub(super) fn fits(&self, width: usize) -> bool {
        self.fields.len() == width || (self.fields.len() > width && self.fields[width..].iter().all(String::is_empty))
    }
}
