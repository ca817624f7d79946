//! How many bytes a matrix needs and whether the system has them, asked before the first one is allocated.

use std::fs;

use super::TheoryError;

const F64_BYTES: u64 = 8;
/// Beside its input: the factor.
const CHOLESKY_COPIES: u64 = 1;
/// Beside its input: the vectors, their ordered copy, and the tridiagonal reduction with its divide-and-conquer workspace.
const EIGEN_COPIES: u64 = 4;

/// A computation whose peak memory is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// One matrix `[rows, columns]`.
    Matrix,
    /// Encoded points `[rows, columns]`.
    Features,
    /// The parameters of a network.
    Parameters,
    /// A Cholesky factorization of a square matrix that exists already.
    Cholesky,
    /// Eigenvalues and eigenvectors of a symmetric matrix that exists already.
    Eigen,
}

impl Workload {
    fn copies(self) -> u64 {
        match self {
            Self::Matrix | Self::Features | Self::Parameters => 1,
            Self::Cholesky => CHOLESKY_COPIES,
            Self::Eigen => EIGEN_COPIES,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Matrix => "a kernel matrix",
            Self::Features => "an encoding",
            Self::Parameters => "a network",
            Self::Cholesky => "a Cholesky factorization",
            Self::Eigen => "an eigendecomposition",
        }
    }

    /// Peak bytes for `[rows, columns]`; saturates at `u64::MAX`.
    #[must_use]
    pub fn bytes(self, rows: usize, columns: usize) -> u64 {
        (rows as u64).saturating_mul(columns as u64).saturating_mul(F64_BYTES).saturating_mul(self.copies())
    }

    /// Refuses a problem that does not fit in the memory that is free now; without a means of asking, it lets all pass.
    ///
    /// # Errors
    /// [`TheoryError::Memory`] with the bytes needed, those free, and the number of points that fit.
    pub fn check(self, rows: usize, columns: usize) -> Result<(), TheoryError> {
        match available_bytes() {
            Some(available) => self.check_within(rows, columns, available),
            None => Ok(()),
        }
    }

    fn check_within(self, rows: usize, columns: usize, available_bytes: u64) -> Result<(), TheoryError> {
        let needed_bytes = self.bytes(rows, columns);
        if needed_bytes <= available_bytes {
            return Ok(());
        }
        let numbers = available_bytes / (F64_BYTES * self.copies());
        let (possible, unit) = match self {
            Self::Features => (numbers / columns.max(1) as u64, "points"),
            Self::Parameters => ((numbers / (columns as u64).div_ceil(rows as u64)).isqrt(), "units in a layer"),
            Self::Matrix | Self::Cholesky | Self::Eigen => (numbers.isqrt(), "points"),
        };
        Err(TheoryError::Memory { what: self.name(), rows, columns, needed_bytes, available_bytes, possible, unit })
    }
}

/// Bytes that can be allocated without swapping: the system's figure, or the control group's if that is less.
/// `None` where the system does not tell (only Linux does).
#[must_use]
pub fn available_bytes() -> Option<u64> {
    let system = meminfo_available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let group = number("/sys/fs/cgroup/memory.max")
        .zip(number("/sys/fs/cgroup/memory.current"))
        .map(|(limit, used)| limit.saturating_sub(used));
    Some(group.map_or(system, |group| group.min(system)))
}

fn meminfo_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_states_bytes_and_what_is_possible() {
        let error = Workload::Matrix.check_within(100_000, 100_000, 8_000_000).unwrap_err();
        assert_eq!(
            error,
            TheoryError::Memory {
                what: "a kernel matrix",
                rows: 100_000,
                columns: 100_000,
                needed_bytes: 80_000_000_000,
                available_bytes: 8_000_000,
                possible: 1000,
                unit: "points",
            }
        );
        assert!(Workload::Matrix.check_within(1000, 1000, 8_000_000).is_ok());
        assert!(Workload::Eigen.check_within(1000, 1000, 8_000_000).is_err());
        let error = Workload::Features.check_within(1 << 20, 1000, 8_000_000).unwrap_err();
        assert!(matches!(error, TheoryError::Memory { possible: 1000, .. }), "{error}");
    }

    #[test]
    fn absurd_sizes_saturate_instead_of_wrapping() {
        assert_eq!(Workload::Eigen.bytes(usize::MAX, usize::MAX), u64::MAX);
    }

    #[test]
    fn meminfo_is_read_in_kibibytes() {
        assert_eq!(meminfo_available("MemTotal: 9 kB\nMemAvailable:    12 kB\n"), Some(12 * 1024));
        assert_eq!(meminfo_available("MemTotal: 9 kB\n"), None);
    }
}
