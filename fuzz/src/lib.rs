//! What is fuzzed: each module has a `run` that takes any bytes and must come back.
//!
//! libFuzzer calls them with bytes that it bred for coverage (`fuzz_targets`, run by `.ci/fuzz`); `tests/fuzz.rs` calls them
//! with the seeds, with what once crashed, and with random changes of both.

pub mod csv;
pub mod file;
pub mod queries;
pub mod results;
pub mod snapshot;
pub mod store;
pub mod tfrecord;

/// A target: its name, which is that of its folder of seeds, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("csv", csv::run),
    ("queries", queries::run),
    ("results", results::run),
    ("snapshot", snapshot::run),
    ("store", store::run),
    ("tfrecord", tfrecord::run),
];
