//! The files of a tree, in order of path, and what their paths say.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cell::CellHash;
use crate::import::{ImportError, NotASource};
use crate::metrics::Budget;

/// The name of the files.
const FILE: &str = "results.json";

/// Walks depth first, each folder in order of name, holding only the folders on the way. Symbolic links are followed.
pub(super) struct Walk {
    stack: Vec<Folder>,
}

/// A folder on the way.
struct Folder {
    /// Without symbolic links on its way, to recognise it.
    whole: PathBuf,
    /// Its entries that are not walked yet.
    entries: std::vec::IntoIter<Entry>,
}

struct Entry {
    path: PathBuf,
    is_folder: bool,
    is_link: bool,
}

impl Walk {
    pub(super) fn new(folder: &Path) -> Result<Self, ImportError> {
        let whole = fs::canonicalize(folder).map_err(|error| ImportError::io(folder, error))?;
        let entries = entries(folder)?;
        let stack = vec![Folder { whole, entries }];
        Ok(Self { stack })
    }

    /// Goes into a folder, unless the walk is in it already.
    fn enter(&mut self, Entry { path, is_link, .. }: Entry) -> Result<(), ImportError> {
        let whole = match (self.stack.last(), path.file_name()) {
            (Some(above), Some(name)) if !is_link => above.whole.join(name),
            _ => fs::canonicalize(&path).map_err(|error| ImportError::io(&path, error))?,
        };
        if self.stack.iter().any(|open| open.whole == whole) {
            let reason = NotASource::Loop { folder: whole };
            return Err(ImportError::not_a_source(path, reason));
        }
        let entries = entries(&path)?;
        self.stack.push(Folder { whole, entries });
        Ok(())
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(entry) = self.stack.last_mut()?.entries.next() else {
                self.stack.pop();
                continue;
            };
            if entry.is_folder {
                if let Err(error) = self.enter(entry) {
                    self.stack.clear();
                    return Some(Err(error));
                }
            } else if entry.path.file_name().is_some_and(|name| name == FILE) {
                return Some(Ok(entry.path));
            }
        }
    }
}

fn entries(folder: &Path) -> Result<std::vec::IntoIter<Entry>, ImportError> {
    let failed = |error| ImportError::io(folder, error);
    let mut entries = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(failed)?;
            let is_link = kind.is_symlink();
            // A link may lead to a folder of runs: one that leads nowhere is not passed over.
            let is_folder = if is_link {
                leads_to_folder(&path)?
            } else {
                kind.is_dir()
            };
            Ok(Entry {
                path,
                is_folder,
                is_link,
            })
        })
        .collect::<Result<Vec<_>, ImportError>>()?;
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries.into_iter())
}

fn leads_to_folder(link: &Path) -> Result<bool, ImportError> {
    match fs::metadata(link) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ImportError::not_a_source(link, NotASource::LinkToNowhere))
        }
        Err(error) => Err(ImportError::io(link, error)),
    }
}

/// What a path says of a run.
#[derive(Debug, PartialEq)]
pub(super) struct Run {
    pub space: Option<String>,
    pub budget: Budget,
    pub hash: CellHash,
    pub repeat: u32,
}

impl Run {
    /// Reads `[SPACE/]BUDGET_epochs/HH/HASH/repeat_K/results.json` at the end of a path.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut parts = path.iter().rev().skip(1).map(|part| part.to_str());
        let repeat = parts.next()??.strip_prefix("repeat_")?.parse().ok();
        let hash = parts.next()??;
        let head = parts.next()??;
        let budget = parts.next()??.strip_suffix("_epochs")?.parse().ok()?;
        let space = parts.next().flatten().map(str::to_owned);
        if hash.get(..2) != Some(head) {
            return None;
        }
        Some(Self {
            space,
            budget,
            hash: hash.parse().ok()?,
            repeat: repeat.filter(|&repeat| repeat > 0)?,
        })
    }

    /// The number of vertices in SPACE (`5V9E`), or 7.
    pub(super) fn vertices(&self) -> usize {
        let digits = |space: &str| {
            let (vertices, edges) = space.split_once('V')?;
            edges.strip_suffix('E')?.parse::<usize>().ok()?;
            vertices.parse().ok()
        };
        self.space.as_deref().and_then(digits).unwrap_or(7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let path = "x/5V9E/108_epochs/b1/b12a7b8c9330fbdcd133dbce1a2d69d2/repeat_2/results.json";
        let run = Run::of(path.as_ref()).unwrap();
        assert_eq!(run.vertices(), 5);
        assert_eq!((run.budget.get(), run.repeat), (108, 2));
        assert_eq!(run.hash.to_string(), "b12a7b8c9330fbdcd133dbce1a2d69d2");
        for (from, to) in [
            ("/b1/", "/b2/"),
            ("repeat_2", "repeat_0"),
            ("108_epochs", "0_epochs"),
            ("d2/", "/"),
        ] {
            assert_eq!(Run::of(path.replace(from, to).as_ref()), None, "{to}");
        }
        let unnamed = path.replace("5V9E", "runs");
        assert_eq!(Run::of(unnamed.as_ref()).unwrap().vertices(), 7);
    }
}
