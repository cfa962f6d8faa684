//! Work on all cores, with as many threads as the operating system gives.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Number of cores.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The results of work on each item, in the items' order. Whichever thread is free takes the next one; this thread takes its
/// part, so that it is done even where no other can be had (under a limit of processes, for example).
pub(crate) fn each<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let (results, _) = run(items, work, |_| ControlFlow::Continue(()));
    results
}

/// As [`each`]; whenever this thread has done an item, `watch` is told how many there are done, and may end it: `None` then.
pub(crate) fn each_watched<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
    watch: impl FnMut(usize) -> ControlFlow<()>,
) -> Option<Vec<R>> {
    let (results, ended) = run(items, work, watch);
    ended.is_continue().then_some(results)
}

fn run<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
    mut watch: impl FnMut(usize) -> ControlFlow<()>,
) -> (Vec<R>, ControlFlow<()>) {
    let count = items.len();
    let left = Mutex::new(items.into_iter().enumerate());
    let results = Mutex::new(Vec::with_capacity(count));
    let is_ended = AtomicBool::new(false);
    // Whether there was one more.
    let one = || {
        let next = locked(&left).next();
        let next = next.filter(|_| !is_ended.load(Ordering::Relaxed));
        let Some((number, item)) = next else {
            return false;
        };
        let result = work(item);
        locked(&results).push((number, result));
        true
    };
    let mut ended = ControlFlow::Continue(());
    thread::scope(|scope| {
        for _ in 1..cores().min(count) {
            let all = || while one() {};
            if thread::Builder::new().spawn_scoped(scope, all).is_err() {
                break;
            }
        }
        while ended.is_continue() && one() {
            let done = locked(&results).len();
            ended = watch(done);
        }
        is_ended.store(ended.is_break(), Ordering::Relaxed);
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(number, _)| *number);
    (
        results.into_iter().map(|(_, result)| result).collect(),
        ended,
    )
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{each, each_watched};

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, 2, 1000] {
            let squares = each((0..count).collect(), |number: u64| number * number);
            assert!(
                squares
                    .into_iter()
                    .eq((0..count).map(|number| number * number))
            );
        }
    }

    #[test]
    fn work_that_is_watched_ends_when_it_is_told_to() {
        let mut seen = 0;
        let done = each_watched(
            (0..100).collect(),
            |number: u64| number,
            |done| {
                assert!(done > seen && done <= 100);
                seen = done;
                ControlFlow::Continue(())
            },
        );
        assert_eq!(done.unwrap(), (0..100).collect::<Vec<_>>());
        let mut calls = 0;
        let ended = each_watched(
            (0..100).collect(),
            |number: u64| number,
            |_| {
                calls += 1;
                ControlFlow::Break(())
            },
        );
        assert_eq!((ended, calls), (None, 1));
    }
}
