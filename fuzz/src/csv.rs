//! CSV files: any bytes.

use ecnas::import::ImportOptions;
use ecnas::metrics::Budget;

use super::file::import;

/// Imports the bytes as a CSV file.
pub fn run(data: &[u8]) {
    let mut options = ImportOptions::default();
    options.max_record_bytes = 1 << 16;
    options.budget = Budget::epochs(4).ok();
    import(data, &options);
}
