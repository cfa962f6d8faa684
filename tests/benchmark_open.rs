//! The default benchmark as a whole process shares it: opened in a process of its own, whose cache folder is its own.

use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

use ecnas::benchmark::{self, BenchmarkError, Stage, TABLE};
use ecnas::metrics::Budget;

/// Runs an ignored test of this file in a process with this cache folder.
fn with_cache(folder: &std::path::Path, test: &str) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("ECNAS_CACHE", folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn the_default_benchmark_is_opened_without_unsafe_and_shared_by_the_whole_process() {
    let folder = tempfile::tempdir().unwrap();
    with_cache(folder.path(), "in_a_folder_of_its_own");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn in_a_folder_of_its_own() {
    // Two threads ask; one builds, and is told all along how far it is.
    let open = || {
        let mut seen = Vec::new();
        let snapshot = benchmark::open(|at| {
            seen.push((at, Instant::now()));
            ControlFlow::Continue(())
        });
        (snapshot.unwrap(), seen)
    };
    let [one, other] = std::thread::scope(|scope| {
        let both = [scope.spawn(open), scope.spawn(open)];
        both.map(|thread| thread.join().unwrap())
    });
    assert!(std::ptr::eq(one.0, other.0), "one map for both");
    let view = one.0.view(TABLE, Budget::epochs(108).unwrap()).unwrap();
    assert_eq!(view.len(), 423_624);

    let seen = [one.1, other.1].concat();
    for stage in Stage::ALL {
        let steps: Vec<_> = seen.iter().filter(|(at, _)| at.stage == stage).collect();
        let least = if stage == Stage::Sealing { 8 } else { 200 };
        assert!(steps.len() >= least, "{stage:?}: {} steps", steps.len());
        assert_eq!(steps[0].0.done, 0);
        assert!(steps.is_sorted_by_key(|(at, _)| at.done));
        assert!(steps.iter().all(|(at, _)| at.done <= at.total));
    }
    let silence = seen.windows(2).map(|pair| pair[1].1 - pair[0].1).max();
    assert!(silence.unwrap() < Duration::from_secs(10), "{silence:?}");
    let mut calls = 0;
    benchmark::open(|_| {
        calls += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(calls, 0, "it is there");
}

#[test]
fn a_cache_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    with_cache(&file, "in_a_file");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn in_a_file() {
    let error = benchmark::open(|_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, BenchmarkError::Cache { .. }), "{error}");
    assert!(error.to_string().contains("ECNAS_CACHE"), "{error}");
}
