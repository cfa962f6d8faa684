//! The files of a tree, in order of path, and what their paths say.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cell::CellHash;
use crate::import::ImportError;
use crate::metrics::Budget;

/// The name of the files.
const FILE: &str = "results.json";

/// Walks depth first, each folder in order of name, holding only the folders on the way.
pub(super) struct Walk {
    stack: Vec<std::vec::IntoIter<(PathBuf, fs::FileType)>>,
}

impl Walk {
    pub(super) fn new(folder: &Path) -> Result<Self, ImportError> {
        let stack = vec![entries(folder)?];
        Ok(Self { stack })
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((path, kind)) = self.stack.last_mut()?.next() else {
                self.stack.pop();
                continue;
            };
            if kind.is_dir() {
                match entries(&path) {
                    Ok(entries) => self.stack.push(entries),
                    Err(error) => return Some(Err(error)),
                }
            } else if path.file_name().is_some_and(|name| name == FILE) {
                return Some(Ok(path));
            }
        }
    }
}

fn entries(folder: &Path) -> Result<std::vec::IntoIter<(PathBuf, fs::FileType)>, ImportError> {
    let read = || {
        let mut entries = fs::read_dir(folder)?
            .map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))))
            .collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(entries.into_iter())
    };
    read().map_err(|error| ImportError::io(folder, error))
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
