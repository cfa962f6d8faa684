//! CSV files: any bytes. What was read, exported and read again is the same.

use ecnas::import::ImportOptions;
use ecnas::metrics::Budget;

use super::file::{import, in_folder};

/// Imports the bytes as a CSV file.
pub fn run(data: &[u8]) {
    in_folder(
        |_| (),
        |folder| {
            let path = folder.join("input.csv");
            std::fs::write(&path, data).expect("a file");
            let mut options = ImportOptions::default();
            options.max_record_bytes = 1 << 16;
            options.budget = Budget::epochs(4).ok();
            if let Err(error) = import(&path, &options) {
                assert!(!error.to_string().is_empty());
            }
        },
    );
}
