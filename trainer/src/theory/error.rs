//! What can go wrong in the theory, one variant per cause, each a sentence with its remedy.

use crate::network::encoding::EncodingError;

/// A refusal by a function of [`theory`](super).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TheoryError {
    /// A set of points without a row, or points without a coordinate.
    #[error("{what}: nothing there; give at least one row and one column")]
    Empty {
        /// which array
        what: &'static str,
    },
    /// Two arrays that belong together disagree.
    #[error("{what}: {found} {axis}, but {expected} needed to match {against}")]
    Shape {
        /// which array
        what: &'static str,
        /// `rows` or `columns`
        axis: &'static str,
        /// its length
        found: usize,
        /// the length it should have
        expected: usize,
        /// what that length comes from
        against: &'static str,
    },
    /// An array holds NaN or an infinity.
    #[error("{what}: {value} in row {row}, column {column} (counted from 0); remove or repair that row")]
    NotFinite {
        /// which array
        what: &'static str,
        /// row from 0
        row: usize,
        /// column from 0
        column: usize,
        /// the offending number
        value: f64,
    },
    /// A hyperparameter out of range.
    #[error("{name} is {value}, but {requirement}")]
    Parameter {
        /// its name as the command line spells it
        name: &'static str,
        /// its value
        value: f64,
        /// what it must be
        requirement: &'static str,
    },
    /// An encoding that does not exist.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The matrices do not fit in memory.
    #[error(
        "{what} of {rows} x {columns} numbers needs {needed_bytes} bytes, but {available_bytes} bytes are free; \
         about {possible} {unit} are possible here"
    )]
    Memory {
        /// which computation
        what: &'static str,
        /// rows of the matrix
        rows: usize,
        /// columns of the matrix
        columns: usize,
        /// peak bytes of the computation
        needed_bytes: u64,
        /// bytes that the system offers
        available_bytes: u64,
        /// the most that fits in those bytes
        possible: u64,
        /// of these
        unit: &'static str,
    },
    /// A Gram matrix with an eigenvalue that is negative beyond rounding.
    #[error(
        "the kernel is not positive semi-definite: its smallest eigenvalue is {smallest:e} beside a largest of {largest:e}; \
         check that the matrix is a Gram matrix of one set of points"
    )]
    Indefinite {
        /// smallest eigenvalue
        smallest: f64,
        /// largest eigenvalue
        largest: f64,
    },
    /// The eigendecomposition did not converge.
    #[error("the eigendecomposition of a {n} x {n} Gram matrix did not converge; check its entries")]
    Eigen {
        /// rows of the matrix
        n: usize,
    },
    /// Gradient descent beyond the stable learning rate ran out of the range of f64.
    #[error(
        "gradient descent diverges: the learning rate {learning_rate:e} is beyond 2/lambda_max = {limit:e} and the \
         outputs overflow within {steps} steps; lower the rate, or ask for the flow"
    )]
    Diverged {
        /// the learning rate asked for
        learning_rate: f64,
        /// 2/λmax
        limit: f64,
        /// the steps asked for
        steps: u64,
    },
}

/// Checks that `array` has a row and a column and that all of it is finite.
///
/// # Errors
/// [`TheoryError::Empty`], or [`TheoryError::NotFinite`] naming the first such entry.
pub fn check_finite(what: &'static str, array: ndarray::ArrayView2<'_, f64>) -> Result<(), TheoryError> {
    if array.is_empty() {
        return Err(TheoryError::Empty { what });
    }
    match array.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(TheoryError::NotFinite { what, row, column, value }),
        None => Ok(()),
    }
}

/// Checks that `what` has as many rows as `against` asks for.
pub(crate) fn check_rows(
    what: &'static str,
    found: usize,
    expected: usize,
    against: &'static str,
) -> Result<(), TheoryError> {
    if found == expected { Ok(()) } else { Err(TheoryError::Shape { what, axis: "rows", found, expected, against }) }
}

/// Checks that `what` has as many columns as `against` asks for.
pub(crate) fn check_columns(
    what: &'static str,
    found: usize,
    expected: usize,
    against: &'static str,
) -> Result<(), TheoryError> {
    if found == expected { Ok(()) } else { Err(TheoryError::Shape { what, axis: "columns", found, expected, against }) }
}
