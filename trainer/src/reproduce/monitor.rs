//! Who watches the figures being made: progress, interruption, and the work of many settings side by side.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::error::ReproduceError;

/// What is going on.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A figure begins; it takes about so many units of work, whatever they are.
    Begin {
        /// The figure's name.
        figure: &'static str,
        /// Units of work in all.
        units: u64,
    },
    /// Units done since the last of these.
    Advance(u64),
    /// The figure is finished.
    End,
}

/// Progress goes out, the wish to stop comes in.
#[derive(Clone, Copy)]
pub struct Monitor<'a> {
    /// Set from elsewhere (ctrl-C): the figure at hand is given up, what is written stays.
    pub stop: &'a AtomicBool,
    /// Told of every event, from any thread.
    pub tell: &'a (dyn Fn(Event) + Sync),
}

impl Monitor<'_> {
    pub(super) fn advance(&self, units: u64) {
        (self.tell)(Event::Advance(units));
    }

    /// # Errors
    /// [`ReproduceError::Interrupted`] if asked to stop.
    pub(super) fn check(&self) -> Result<(), ReproduceError> {
        if self.stop.load(Ordering::Relaxed) { Err(ReproduceError::Interrupted) } else { Ok(()) }
    }
}

/// `work` of every job, one job a core at a time, results in the order of the jobs. Each job has one thread of its own:
/// on small networks that is faster than sharing each step.
///
/// # Errors
/// The first error in the order of the jobs; the jobs not begun by then are left.
pub(super) fn side_by_side<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> Result<R, ReproduceError> + Sync,
) -> Result<Vec<R>, ReproduceError> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let results: Mutex<Vec<Option<Result<R, ReproduceError>>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let worker = || -> Result<(), ReproduceError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(ReproduceError::Threads)?;
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(index) else { break };
            let result = pool.install(|| work(job));
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
        }
        Ok(())
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1));
    thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        handles.into_iter().try_for_each(|handle| match handle.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Without a failure every job has a result; with one, jobs before it may be missing only if they failed later.
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_errors_come_out() {
        let squares = side_by_side(&[3, 1, 2, 5], |job| Ok(job * job)).unwrap();
        assert_eq!(squares, [9, 1, 4, 25]);
        let failed = side_by_side(&[1, 2, 3], |&job| if job == 2 { Err(ReproduceError::Interrupted) } else { Ok(job) });
        assert!(matches!(failed, Err(ReproduceError::Interrupted)));
    }
}
