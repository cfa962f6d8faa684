use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::walk::Run;
use crate::cell::{Cell, CellHash, enumerate};
use crate::import::{Fault, ImportError, ImportOptions, Place, json};

/// The longest file of generated graphs that is read: that of the whole space has a tenth of it.
const MOST_BYTES: u64 = 1 << 30;

/// Reads generated graphs: a JSON object from hash to `[adjacency rows, labels]`, with label -1 for the input, -2 for the
/// output, 0 for conv3x3-bn-relu, 1 for conv1x1-bn-relu and 2 for maxpool3x3.
///
/// # Errors
/// A file that cannot be read or is of another shape, a graph that is no cell, and a hash that is not its graph's.
///
/// # Complexity
/// Some 10 us per graph and core, for the hashes; memory of several times the file's length.
pub fn read_graphs(path: &Path) -> Result<HashMap<CellHash, Cell>, ImportError> {
    type Graphs = BTreeMap<String, (Vec<Vec<u8>>, Vec<i8>)>;

    let place = |record: u64, byte: u64| Place {
        path: path.into(),
        record,
        line: None,
        byte,
    };
    let bytes = json::read(&place(0, 0), MOST_BYTES)?;
    let graphs: Graphs = serde_json::from_slice(&bytes).map_err(|error| {
        place(0, json::offset(&bytes, &error)).fault(Fault::Json {
            expected: "generated graphs, {hash: [adjacency rows, labels], …}",
            reason: error.to_string(),
        })
    })?;
    let graphs: Vec<_> = graphs.into_iter().collect();
    let cells: Vec<_> = graphs
        .into_par_iter()
        .map(|(hash, (rows, labels))| {
            let found: CellHash = hash.parse()?;
            let cell = Cell::from_labels(&rows, &labels)?;
            let expected = cell.hash();
            if expected == found {
                return Ok((found, cell));
            }
            Err(Fault::HashMismatch { expected, found })
        })
        .collect();
    let numbered = cells.into_iter().zip(1..);
    numbered
        .map(|(cell, record)| cell.map_err(|fault| place(record, 0).fault(fault)))
        .collect()
}

/// Looks graphs up by hash, reading and enumerating no more than needed.
pub(super) struct Graphs {
    /// Files that were not read yet.
    files: Vec<PathBuf>,
    known: HashMap<CellHash, Cell>,
    /// Up to how many vertices the search space is among the known ones.
    enumerated: usize,
}

impl Graphs {
    pub(super) fn new(folder: &Path, options: &ImportOptions) -> Self {
        let files = match &options.graphs {
            Some(file) => vec![file.clone()],
            None => find(folder),
        };
        Self {
            files,
            known: HashMap::new(),
            enumerated: 1,
        }
    }

    pub(super) fn get(&mut self, run: &Run, place: &Place) -> Result<Cell, ImportError> {
        loop {
            if let Some(cell) = self.known.get(&run.hash) {
                return Ok(*cell);
            }
            if let Some(file) = self.next_file(run) {
                self.known.extend(read_graphs(&file)?);
            } else if self.enumerated < run.vertices().min(Cell::MAX_VERTICES) {
                self.enumerated += 1;
                self.enumerate();
            } else {
                return Err(place.clone().fault(Fault::UnknownHash {
                    hash: run.hash,
                    vertices: self.enumerated,
                }));
            }
        }
    }

    /// The file to read next: that of the run's search space before others.
    fn next_file(&mut self, run: &Run) -> Option<PathBuf> {
        let own = run.space.as_ref().and_then(|space| {
            let name = format!("generated_graphs_{space}.json");
            let mut files = self.files.iter();
            files.position(|file| file.file_name().is_some_and(|own| *own == *name))
        });
        (!self.files.is_empty()).then(|| self.files.remove(own.unwrap_or(0)))
    }

    /// Adds the cells of exactly as many vertices as `enumerated` says.
    fn enumerate(&mut self) {
        let vertices = self.enumerated;
        let cells: Vec<Cell> = enumerate(vertices, Cell::MAX_EDGES)
            .filter(|cell| cell.given().vertices() == vertices)
            .collect();
        self.known
            .par_extend(cells.into_par_iter().map(|cell| (cell.hash(), cell)));
    }
}

/// The files of generated graphs in the folder and up to three levels above it, the nearest first.
fn find(folder: &Path) -> Vec<PathBuf> {
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let mut files = Vec::new();
    for folder in whole.ancestors().take(4) {
        // A folder above may well be closed to us.
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        let mut here: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| {
                    name.starts_with("generated_graphs") && name.ends_with(".json")
                })
            })
            .collect();
        here.sort();
        files.extend(here);
    }
    files
}
