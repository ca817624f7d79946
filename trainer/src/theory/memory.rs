//! How many bytes a matrix needs and whether the system has them, asked before the first one is allocated.

use std::fs;
use std::path::{Path, PathBuf};

use super::TheoryError;

const F64_BYTES: u64 = 8;
/// So little is always there, and to ask the system would take longer than to compute with it.
const LITTLE: u64 = 1 << 20;
/// Beside its input: the factor.
const CHOLESKY_COPIES: u64 = 1;
/// Beside its input: the vectors, their ordered copy, and the tridiagonal reduction with its divide-and-conquer
/// workspace.
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
    /// The same, and the matrix.
    MatrixAndEigen,
}

impl Workload {
    fn copies(self) -> u64 {
        match self {
            Self::Matrix | Self::Features | Self::Parameters => 1,
            Self::Cholesky => CHOLESKY_COPIES,
            Self::Eigen => EIGEN_COPIES,
            Self::MatrixAndEigen => 1 + EIGEN_COPIES,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Matrix => "a kernel matrix",
            Self::Features => "an encoding",
            Self::Parameters => "a network",
            Self::Cholesky => "a Cholesky factorization",
            Self::Eigen | Self::MatrixAndEigen => "an eigendecomposition",
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
        if self.bytes(rows, columns) <= LITTLE {
            return Ok(());
        }
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
            Self::Matrix | Self::Cholesky | Self::Eigen | Self::MatrixAndEigen => (numbers.isqrt(), "points"),
        };
        Err(TheoryError::Memory { what: self.name(), rows, columns, needed_bytes, available_bytes, possible, unit })
    }
}

/// Bytes that can be allocated without swapping: the system's figure, that of the narrowest control group around this
/// process, as batch systems and containers make them, or what `ulimit -v` leaves, whichever is least. `None` where the
/// system does not tell (only Linux does).
#[must_use]
pub fn available_bytes() -> Option<u64> {
    let system = meminfo_available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let free = |folder: &Path, [limit, used, cache]: [&str; 3]| {
        let (limit, used) = number(&folder.join(limit)).zip(number(&folder.join(used)))?;
        // Files read before, which the system drops when memory is asked for.
        let cache = fs::read_to_string(folder.join("memory.stat")).ok().and_then(|stat| stat_of(&stat, cache));
        Some(limit.saturating_sub(used.saturating_sub(cache.unwrap_or(0))))
    };
    let bounds = memory_groups(&groups).into_iter().filter_map(|(folder, files)| free(&folder, files));
    let process = |file: &str| fs::read_to_string(Path::new("/proc/self").join(file)).unwrap_or_default();
    Some(bounds.chain(address_space_left(&process("limits"), &process("status"))).fold(system, u64::min))
}

/// What the process may still map, if that is limited at all.
fn address_space_left(limits: &str, status: &str) -> Option<u64> {
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit = limit.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(limit.saturating_sub(kibibytes(status, "VmSize:")?))
}

/// Folders that may bound the memory, of both versions of control groups, with the names of the limit, of what is used,
/// and of what of it is cache.
fn memory_groups(groups: &str) -> Vec<(PathBuf, [&'static str; 3])> {
    let of_line = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let (root, files) = match controllers {
            "" => ("/sys/fs/cgroup", ["memory.max", "memory.current", "inactive_file"]),
            "memory" => {
                ("/sys/fs/cgroup/memory", ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"])
            }
            _ => return None,
        };
        let folders = Path::new(path).ancestors().map(move |part| (Path::new(root).join(part), files));
        Some(folders.collect::<Vec<_>>())
    };
    groups.lines().filter_map(of_line).flatten().collect()
}

/// The number behind a name in `memory.stat`.
fn stat_of(stat: &str, name: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

fn meminfo_available(meminfo: &str) -> Option<u64> {
    kibibytes(meminfo, "MemAvailable:")
}

/// The bytes of a line such as `VmSize: 12 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
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
    fn every_group_around_the_process_counts() {
        let folders = |groups| -> Vec<String> {
            memory_groups(groups)
                .into_iter()
                .map(|(folder, [limit, ..])| folder.join(limit).display().to_string())
                .collect()
        };
        assert_eq!(
            folders("0::/slurm/job_7\n"),
            ["/sys/fs/cgroup/slurm/job_7/memory.max", "/sys/fs/cgroup/slurm/memory.max", "/sys/fs/cgroup/memory.max"]
        );
        assert_eq!(
            folders("5:cpu:/a\n4:memory:/b\n"),
            ["/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        );
        assert!(folders("").is_empty() && folders("nonsense").is_empty());
    }

    #[test]
    fn cache_is_found_by_its_whole_name() {
        let stat = "inactive_file_not 5\ntotal_inactive_file 7\ninactive_file 4096\n";
        assert_eq!(stat_of(stat, "inactive_file"), Some(4096));
        assert_eq!(stat_of(stat, "total_inactive_file"), Some(7));
        assert_eq!(stat_of(stat, "active_file"), None);
    }

    #[test]
    fn a_limit_of_the_address_space_counts_less_what_is_mapped() {
        let limits = "Limit    Soft Limit  Hard Limit  Units\nMax address space         10240                unlimited            bytes\n";
        assert_eq!(address_space_left(limits, "VmPeak:\t 9 kB\nVmSize:\t   4 kB\n"), Some(6 * 1024));
        assert_eq!(address_space_left(limits, "VmSize: 40 kB\n"), Some(0));
        assert_eq!(address_space_left(&limits.replace("10240", "unlimited"), "VmSize: 4 kB\n"), None);
    }

    #[test]
    fn meminfo_is_read_in_kibibytes() {
        assert_eq!(meminfo_available("MemTotal: 9 kB\nMemAvailable:    12 kB\n"), Some(12 * 1024));
        assert_eq!(meminfo_available("MemTotal: 9 kB\n"), None);
    }
}
