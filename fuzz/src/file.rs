//! Importing bytes as a file.

use std::cell::RefCell;
use std::path::Path;

use ecnas::import::{Import, ImportError, ImportOptions};
use ecnas::metrics::Trial;
use tempfile::TempDir;

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

/// Calls `work` with a folder of this thread's own, which `make` filled when it was new.
pub fn in_folder<T>(make: impl FnOnce(&Path), work: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            make(folder.path());
            folder
        });
        work(folder.path())
    })
}

/// Imports a file or folder whole. What comes out must be consistent; that much is checked.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Vec<Trial>, ImportError> {
    let mut import = Import::open(path, options)?;
    let mut trials = Vec::new();
    for batch in import.by_ref() {
        trials.extend(batch?);
    }
    let read = import.progress().trials;
    let imported = import.finish()?;
    assert_eq!(read, trials.len() as u64);
    assert_eq!(imported.info.sources.len(), 1);
    assert_eq!(imported.info.sources[0].trials, read);
    for trial in &trials {
        if let Some(cell) = trial.cell {
            assert_eq!(cell.hash(), trial.hash);
        }
        ecnas::metrics::encode_trial(trial).expect("every imported trial can be stored");
    }
    Ok(trials)
}
