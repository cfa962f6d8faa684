//! Work on all cores, with as many threads as the operating system gives.

use std::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Number of cores.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The results of work on each item, in the items' order. Whichever thread is free takes the next one; this thread takes its
/// part, so that it is done even where no other can be had (under a limit of processes, for example).
pub(crate) fn each<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let count = items.len();
    let left = Mutex::new(items.into_iter().enumerate());
    let results = Mutex::new(Vec::with_capacity(count));
    let run = || {
        loop {
            let next = locked(&left).next();
            let Some((number, item)) = next else { break };
            let result = work(item);
            locked(&results).push((number, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..cores().min(count) {
            if thread::Builder::new().spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        run();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::each;

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
}
