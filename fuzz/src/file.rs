//! Importing bytes as a file.

use std::path::Path;

use ecnas::import::{ImportOptions, read_bytes};
use ecnas::metrics::Trial;

/// Imports the bytes of a file. What comes out must be consistent; that much is checked.
pub fn import(bytes: &[u8], options: &ImportOptions) {
    let (trials, imported) = match read_bytes(Path::new("input"), bytes, options) {
        Ok(read) => read,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let [source] = &*imported.info.sources else {
        panic!("{:?}", imported.info.sources);
    };
    assert_eq!(source.trials, trials.len() as u64);
    assert_eq!(source.bytes, bytes.len() as u64);
    for trial in &trials {
        check(trial);
    }
}

/// What holds for every imported trial.
pub fn check(trial: &Trial) {
    if let Some(cell) = trial.cell {
        assert_eq!(cell.hash(), trial.hash);
    }
    ecnas::metrics::encode_trial(trial).expect("every imported trial can be stored");
}
