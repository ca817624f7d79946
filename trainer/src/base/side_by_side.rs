//! Work of many jobs side by side, each on one thread: on small networks that is faster than sharing each step. Only
//! where there are fewer jobs than threads, a job has several.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// `work` of every job, `threads` jobs at a time, results in the order of the jobs. Each job has its own part of the
/// threads, at least one, and what it computes in parallel by rayon stays there.
///
/// # Errors
/// The first error in the order of the jobs; the jobs not begun by then are left.
pub fn side_by_side<J: Sync, R: Send, E: From<rayon::ThreadPoolBuildError> + Send>(
    jobs: &[J],
    threads: usize,
    work: impl Fn(&J) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let results: Mutex<Vec<Option<Result<R, E>>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let of_each = (threads / jobs.len().max(1)).max(1);
    let worker = || -> Result<(), E> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(of_each).build()?;
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(index) else { break };
            let result = pool.install(|| work(job));
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.clamp(1, jobs.len().max(1))).map(|_| scope.spawn(worker)).collect();
        handles.into_iter().try_for_each(|handle| match handle.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Jobs begin in order and what began has a result: nothing is missing before the first failure.
    results.into_iter().flatten().collect()
}

/// As many threads as the machine runs at once.
#[must_use]
pub fn available_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Failed;

    impl From<rayon::ThreadPoolBuildError> for Failed {
        fn from(_: rayon::ThreadPoolBuildError) -> Self {
            Self
        }
    }

    #[test]
    fn results_come_in_order_and_errors_come_out() {
        for threads in [0, 1, 2, 9] {
            let squares = side_by_side(&[3, 1, 2, 5], threads, |job| Ok::<_, Failed>(job * job)).unwrap();
            assert_eq!(squares, [9, 1, 4, 25]);
            let failed = side_by_side(&[1, 2, 3], threads, |&job| if job == 2 { Err(Failed) } else { Ok(job) });
            assert!(matches!(failed, Err(Failed)));
        }
    }
}
