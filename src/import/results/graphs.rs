use std::cell::Cell as Shared;
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rayon::prelude::*;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::Deserializer;

use super::walk::Run;
use crate::cell::{Cell, CellHash};
use crate::import::{Fault, ImportError, ImportOptions, Note, Place, json, resolve};

/// The longest file of generated graphs that is read where it is named: that of the whole space has a tenth of it.
const MOST_BYTES_NAMED: u64 = 1 << 30;
/// The same where it was only found near a tree.
const MOST_BYTES_FOUND: u64 = 1 << 27;
/// The longest graph with its hash, in bytes: real ones have some hundred.
const MOST_BYTES_GRAPH: u64 = 1 << 16;
/// Graphs that are hashed together.
const BATCH: usize = 4096;

/// Reads generated graphs: a JSON object from hash to `[adjacency rows, labels]`, with label -1 for the input, -2 for the
/// output, 0 for conv3x3-bn-relu, 1 for conv1x1-bn-relu and 2 for maxpool3x3.
///
/// # Errors
/// A file that cannot be read, is of another shape or longer than 1 GiB, a graph that is no cell, and a hash that is not its
/// graph's.
///
/// # Complexity
/// Some 10 us per graph and core, for the hashes. Memory for the cells alone, of which there are at most 423,624: the file
/// is read graph by graph.
pub fn read_graphs(path: &Path) -> Result<HashMap<CellHash, Cell>, ImportError> {
    read(path, MOST_BYTES_NAMED)
}

fn read(path: &Path, limit: u64) -> Result<HashMap<CellHash, Cell>, ImportError> {
    let place = Place {
        path: path.into(),
        record: 0,
        line: None,
        byte: 0,
    };
    let position = Rc::new(Position::default());
    let input = Tracked {
        input: BufReader::new(json::open(&place, limit)?),
        position: Rc::clone(&position),
    };
    let mut found = Found::new(place, &position);
    let mut json = Deserializer::from_reader(input);
    let read = serde::Deserializer::deserialize_map(&mut json, &mut found);
    match read.and_then(|()| json.end()) {
        Ok(()) => found.hash().map(|()| found.cells),
        Err(error) => Err(found.error(error)),
    }
}

/// How far a file was read, and how far it may be.
#[derive(Default)]
struct Position {
    read: Shared<u64>,
    bound: Shared<u64>,
}

/// Counts what is read, and refuses a graph that does not end.
struct Tracked<R> {
    input: R,
    position: Rc<Position>,
}

impl<R: Read> Read for Tracked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position.read.get() > self.position.bound.get() {
            let text = format!("expected graphs of at most {MOST_BYTES_GRAPH} bytes, found more");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let read = self.input.read(buffer)?;
        let total = self.position.read.get() + read as u64;
        self.position.read.set(total);
        Ok(read)
    }
}

/// The rows and labels of a graph.
type Drawing = (Vec<Vec<u8>>, Vec<i8>);

/// The graphs of a file, in batches.
struct Found<'p> {
    place: Place,
    position: &'p Position,
    batch: Vec<(String, Drawing)>,
    cells: HashMap<CellHash, Cell>,
    /// The first graph of the batch, from 1.
    first: u64,
    /// What is wrong with a graph: it ends the reading.
    failed: Option<ImportError>,
}

impl<'p> Found<'p> {
    fn new(place: Place, position: &'p Position) -> Self {
        position.bound.set(MOST_BYTES_GRAPH);
        Self {
            place,
            position,
            batch: Vec::new(),
            cells: HashMap::new(),
            first: 1,
            failed: None,
        }
    }

    /// Turns the batch into cells, on all cores.
    fn hash(&mut self) -> Result<(), ImportError> {
        let batch = std::mem::take(&mut self.batch);
        let count = batch.len() as u64;
        let cells: Vec<Result<(CellHash, Cell), Fault>> = batch
            .into_par_iter()
            .map(|(hash, (rows, labels))| {
                let found: CellHash = hash.parse()?;
                let cell = Cell::from_labels(&rows, &labels)?;
                if self.cells.get(&found) == Some(&cell) {
                    return Ok((found, cell));
                }
                let expected = cell.hash();
                if expected == found {
                    return Ok((found, cell));
                }
                Err(Fault::HashMismatch { expected, found })
            })
            .collect();
        for (record, cell) in (self.first..).zip(cells) {
            let place = || Place {
                record,
                ..self.place.clone()
            };
            let (hash, cell) = cell.map_err(|fault| place().fault(fault))?;
            self.cells.insert(hash, cell);
        }
        self.first += count;
        Ok(())
    }

    /// Why reading ended early.
    fn error(self, error: serde_json::Error) -> ImportError {
        if let Some(failed) = self.failed {
            return failed;
        }
        if error
            .io_error_kind()
            .is_some_and(|kind| kind != io::ErrorKind::InvalidData)
        {
            return ImportError::io(self.place.path.as_ref(), error.into());
        }
        let place = Place {
            byte: self.position.read.get().saturating_sub(1),
            ..self.place
        };
        place.fault(Fault::Json {
            expected: "generated graphs, {hash: [adjacency rows, labels], …}",
            reason: error.to_string(),
        })
    }
}

impl<'de> Visitor<'de> for &mut Found<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from hash to graph")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(entry) = map.next_entry::<String, Drawing>()? {
            self.batch.push(entry);
            let read = self.position.read.get();
            self.position.bound.set(read + MOST_BYTES_GRAPH);
            if self.batch.len() == BATCH
                && let Err(error) = self.hash()
            {
                self.failed = Some(error);
                return Err(A::Error::custom("a graph is wrong"));
            }
        }
        Ok(())
    }
}

/// Looks graphs up by hash, reading no more files than needed.
pub(super) struct Graphs {
    /// Files that were not read yet.
    files: Vec<PathBuf>,
    /// Whether they were named: then they must be in order.
    are_named: bool,
    known: HashMap<CellHash, Cell>,
    notes: Vec<Note>,
}

impl Graphs {
    pub(super) fn new(folder: &Path, options: &ImportOptions) -> Self {
        Self {
            files: match &options.graphs {
                Some(file) => vec![file.clone()],
                None => find(folder),
            },
            are_named: options.graphs.is_some(),
            known: HashMap::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn get(&mut self, run: &Run, place: &Place) -> Result<Cell, ImportError> {
        loop {
            if let Some(cell) = self.known.get(&run.hash) {
                return Ok(*cell);
            }
            if let Some(file) = self.next_file(run) {
                self.add(file)?;
                continue;
            }
            let vertices = run.vertices();
            let unknown = || Fault::UnknownHash {
                hash: run.hash,
                vertices: vertices.min(Cell::MAX_VERTICES),
            };
            let cell = resolve::cell(run.hash, vertices);
            return cell.ok_or_else(|| place.clone().fault(unknown()));
        }
    }

    /// What was found and left out.
    pub(super) fn into_notes(self) -> Vec<Note> {
        self.notes
    }

    /// Reads a file. One that nobody named is left out if it is broken: the search space holds the same cells.
    fn add(&mut self, file: PathBuf) -> Result<(), ImportError> {
        if self.are_named {
            self.known.extend(read_graphs(&file)?);
            return Ok(());
        }
        match read(&file, MOST_BYTES_FOUND) {
            Ok(cells) => self.known.extend(cells),
            Err(error) => self.notes.push(Note::GraphsLeftOut {
                reason: error.to_string(),
                path: file,
            }),
        }
        Ok(())
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
