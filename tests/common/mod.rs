//! What several test files share.

use std::path::{Path, PathBuf};

/// The path of a released data file, such as `ec-nas/generated_graphs_4V9E.json`.
///
/// Looks below `$ECNAS_DATA`, or else in `../shared/data` beside the crate.
/// Says so and returns nothing if the file is absent, so that the test can be
/// skipped; panics instead if `ECNAS_REQUIRE_DATA=1`.
pub fn data(relative: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("ECNAS_DATA") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
    };
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var_os("ECNAS_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "{} is required but absent", path.display());
    eprintln!("skipped: {} is absent", path.display());
    None
}
