//! Opening what was given on the command line.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use ecnas::snapshot::{MAGIC, MappedBytes, Mapping, Snapshot, Table};
use ecnas::store::Store;

use crate::failure::Failure;

/// A snapshot in a mapped file.
pub type Mapped = Snapshot<MappedBytes>;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Absent,
    /// A sealed snapshot.
    Snapshot,
    /// A store.
    Store,
    /// A folder.
    Folder,
    /// Any other file.
    Other,
}

/// What a path leads to, by its first bytes.
pub fn kind(path: &Path) -> Kind {
    let mut start = Vec::new();
    match fs::metadata(path) {
        Err(_) => return Kind::Absent,
        Ok(metadata) if metadata.is_dir() => return Kind::Folder,
        Ok(metadata) if metadata.is_file() => {
            let file = File::open(path);
            let _ = file.and_then(|file| file.take(16).read_to_end(&mut start));
        }
        Ok(_) => return Kind::Other,
    }
    if start.starts_with(&MAGIC) {
        Kind::Snapshot
    } else if start.starts_with(b"redb\x1A\x0A\xA9\x0D\x0A") {
        Kind::Store
    } else {
        Kind::Other
    }
}

/// Maps a snapshot.
pub fn snapshot(path: &Path) -> Result<Mapped, Failure> {
    if kind(path) == Kind::Folder {
        let message = format!(
            "{}: expected a sealed snapshot, found a folder",
            path.display()
        );
        return Err(Failure::error(message).hint(
            "`ecnas recipe FOLDER` takes a folder of results; import and seal it otherwise",
        ));
    }
    map(path)
}

/// The one place of the program where a file is mapped.
#[allow(unsafe_code)]
pub fn map(path: &Path) -> Result<Mapped, Failure> {
    let mapping = mapping()?;
    // SAFETY: the file must not change under the map. Sealing replaces snapshots by renaming and never writes into one;
    // that nobody else does either is what the program asks of its users.
    Ok(unsafe { Snapshot::map_with(path, mapping) }?)
}

/// Whether files are mapped, as `ECNAS_MAP` says.
pub fn mapping() -> Result<Mapping, Failure> {
    let Some(found) = std::env::var_os("ECNAS_MAP").filter(|found| !found.is_empty()) else {
        return Ok(Mapping::default());
    };
    let named = Mapping::ALL
        .into_iter()
        .find(|mapping| found == mapping.name());
    named.ok_or_else(|| {
        let found = found.display();
        Failure::usage(format!(
            "ECNAS_MAP: expected `automatic`, `always` or `never`, found `{found}`"
        ))
    })
}

/// Opens a store to read it.
pub fn store(path: &Path) -> Result<Store, Failure> {
    Ok(Store::open_read_only(path)?)
}

/// The table of this name, or the only one.
pub fn table<'s>(snapshot: &'s Mapped, name: Option<&str>) -> Result<Table<'s>, Failure> {
    Ok(match name {
        Some(name) => snapshot.table(name)?,
        None => snapshot.only_table()?,
    })
}
