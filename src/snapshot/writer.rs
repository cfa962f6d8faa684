//! Writing a snapshot: trials stream in, one immutable file comes out, or none.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rkyv::rancor;

use super::catalog::{SectionId, StoredBudget, StoredCatalog, StoredColumn, StoredTable};
use super::format::{
    BLOCK_LEN, Entry, HEADER_LEN, Header, Kind, MAX_CATALOG_LEN, MAX_COLUMNS, MAX_SECTIONS,
    SECTION_ALIGN, Section, encode_sections, is_store,
};
use super::sorted::{ColumnKey, OpenTable, Sorted, TrialKey, each_value, fill, in_order, starts};
use super::{SnapshotError, index, keys};
use crate::cell::{Cell, CellHash};
use crate::files::{self, Whole};
use crate::metrics::{
    ALIGNMENT, Budget, Metric, RecordError, TableInfo, Trial, TrialRef, encode_trial,
    is_reserved_name, layout_fingerprint, rkyv_error,
};

/// Writes a snapshot.
///
/// The bytes go to a temporary file beside the target. [`finish`](Self::finish) syncs it, reads it back and compares every
/// checksum, renames it to the target and syncs the folder: the target is the whole new snapshot, or what it was before.
/// Dropping the writer removes the temporary file. The same trials give the same bytes.
///
/// # Complexity
/// Trials stream to the file. What stays in memory until a table ends is 48 bytes and 8 per column for every trial.
pub struct SnapshotWriter {
    target: PathBuf,
    out: Blocks<BufWriter<Whole>>,
    sections: Vec<Section>,
    tables: Vec<StoredTable>,
    names: BTreeSet<String>,
    table: Option<OpenTable>,
}

/// What sealing wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sealed {
    /// The snapshot's path.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Number of tables.
    pub tables: usize,
    /// Number of trials in all tables.
    pub trials: u64,
}

impl SnapshotWriter {
    /// Starts a snapshot that will be at `target`. It replaces a file that is there, but never a store.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written to; or there is a folder, a pipe, a device or a store at the target.
    pub fn create(target: impl Into<PathBuf>) -> Result<Self, SnapshotError> {
        let target = target.into();
        if leads_to_store(&target) {
            return Err(SnapshotError::TargetIsStore { path: target });
        }
        let file = Whole::beside(&target).map_err(|source| SnapshotError::Io {
            path: target.clone(),
            action: "create a temporary file beside it",
            source,
        })?;
        let mut writer = Self {
            target,
            out: Blocks::new(BufWriter::with_capacity(1 << 20, file)),
            sections: Vec::new(),
            tables: Vec::new(),
            names: BTreeSet::new(),
            table: None,
        };
        writer.write(&[0; HEADER_LEN])?;
        Ok(writer)
    }

    /// Starts a table; the one before it ends.
    ///
    /// # Errors
    /// A table of that name is there already; the disk is full.
    pub fn begin_table(&mut self, info: TableInfo) -> Result<(), SnapshotError> {
        self.end_table(&mut Steps::unwatched())?;
        if !self.names.insert(info.name.clone()) {
            return Err(SnapshotError::Malformed {
                what: "expected distinct table names".to_owned(),
                found: format!("`{}` twice", info.name),
            });
        }
        self.pad()?;
        self.table = Some(OpenTable {
            info,
            records_start: self.out.position,
            trials: Vec::new(),
            columns: BTreeMap::new(),
            drawings: BTreeMap::new(),
            estimates: BTreeMap::new(),
        });
        Ok(())
    }

    /// Adds a trial to the table that was begun last.
    ///
    /// # Errors
    /// No table was begun; the disk is full.
    pub fn add(&mut self, trial: &Trial) -> Result<(), SnapshotError> {
        let record = encode_trial(trial).map_err(|error| SnapshotError::Record {
            table: String::new(),
            budget: trial.budget,
            entry: 0,
            error,
        })?;
        let record = record.as_ref();
        let trial = TrialRef::from_bytes(record).map_err(|error| SnapshotError::Record {
            table: String::new(),
            budget: trial.budget,
            entry: 0,
            error,
        })?;
        self.add_record(record, trial)
    }

    /// Adds a trial whose archive is there already: `trial` is read from `record`.
    pub(crate) fn add_record(
        &mut self,
        record: &[u8],
        trial: TrialRef<'_>,
    ) -> Result<(), SnapshotError> {
        let position = self.out.position;
        let table = self.table.as_mut().ok_or(SnapshotError::Malformed {
            what: "expected a table to be begun before trials are added".to_owned(),
            found: "none".to_owned(),
        })?;
        at_most("bytes of a trial", record.len(), u32::MAX as usize)?;
        let number = table.trials.len();
        at_most("trials of a table", number + 1, u32::MAX as usize)?;
        each_value(trial, |key, value| {
            let column = table.columns.entry(key.to_owned()).or_default();
            column.resize(number, f64::NAN);
            column.push(value);
        });
        table.trials.push(TrialKey {
            hash: trial.hash(),
            budget: trial.budget().get(),
            entry: Entry {
                offset: position - table.records_start,
                sequence: number as u64,
                len: record.len() as u32,
                repeat: trial.repeat(),
            },
        });
        if let Some(cell) = trial.cell() {
            table
                .drawings
                .entry(trial.hash())
                .or_insert(Cell::code(cell));
        }
        self.write(record)?;
        self.pad_to(ALIGNMENT)
    }

    /// Adds values of cells at a budget that no trial stands behind, to the table that was begun last: one of each cell in
    /// every column, NaN where there is none. Where trials have a value, it goes before; so does a trial's drawing of the cell.
    /// A cell without any value is left out.
    ///
    /// # Errors
    /// No table was begun, a column is not as long as the cells, or its name is
    /// [reserved](crate::metrics::is_reserved_name). Estimates of a cell that came before are refused by
    /// [`finish`](Self::finish).
    pub fn add_estimates(
        &mut self,
        budget: Budget,
        cells: &[(CellHash, Cell)],
        columns: &[(&str, &[f64])],
    ) -> Result<(), SnapshotError> {
        let table = self.table.as_mut().ok_or(SnapshotError::Malformed {
            what: "expected a table to be begun before estimates are added".to_owned(),
            found: "none".to_owned(),
        })?;
        if let Some((name, values)) = columns
            .iter()
            .find(|(_, values)| values.len() != cells.len())
        {
            return Err(SnapshotError::Malformed {
                what: format!(
                    "expected an estimate of `{name}` for each of {} cells",
                    cells.len()
                ),
                found: values.len().to_string(),
            });
        }
        let own = |name: &&str| Metric::from_name(name).is_none() && is_reserved_name(name);
        if let Some(found) = columns.iter().map(|(name, _)| *name).find(own) {
            return Err(SnapshotError::Record {
                table: table.info.name.clone(),
                budget,
                entry: 0,
                error: RecordError::ReservedName {
                    found: found.to_owned(),
                },
            });
        }
        let estimates = table.estimates.entry(budget.get()).or_default();
        let before = estimates.hashes.len();
        for (name, values) in columns {
            let column = estimates.columns.entry(ColumnKey::of(name)).or_default();
            column.resize(before, f64::NAN);
            column.extend_from_slice(values);
        }
        estimates.hashes.extend(cells.iter().map(|(hash, _)| *hash));
        estimates
            .drawings
            .extend(cells.iter().map(|(_, cell)| cell.code()));
        for column in estimates.columns.values_mut() {
            column.resize(estimates.hashes.len(), f64::NAN);
        }
        Ok(())
    }

    /// Ends the last table and puts the snapshot at its target.
    ///
    /// # Errors
    /// The disk is full, the bytes do not read back as they were written, or the rename fails. Then the target is as before.
    pub fn finish(self) -> Result<Sealed, SnapshotError> {
        self.finish_watched(|_, _| ControlFlow::Continue(()))
    }

    /// As [`finish`](Self::finish); `watch` is told how many steps are done and how many there are, and may end it.
    pub(crate) fn finish_watched(
        mut self,
        mut watch: impl FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<Sealed, SnapshotError> {
        let mut steps = Steps::new(self.table.as_ref(), &mut watch);
        steps.report()?;
        self.end_table(&mut steps)?;
        let trials = self.tables.iter().flat_map(|table| &table.budgets);
        let trials = trials.map(|budget| u64::from(budget.trials)).sum();
        let catalog = StoredCatalog {
            tables: std::mem::take(&mut self.tables),
        };
        let bytes = rkyv::to_bytes::<rancor::Error>(&catalog).map_err(|error| {
            SnapshotError::Malformed {
                what: "expected a catalog".to_owned(),
                found: rkyv_error(&error),
            }
        })?;
        at_most("bytes of a catalog", bytes.len(), MAX_CATALOG_LEN)?;
        self.section(Kind::Catalog, &bytes)?;
        at_most(
            "sections of a snapshot",
            self.sections.len(),
            MAX_SECTIONS as usize,
        )?;
        let catalog_crc = crc32c::crc32c(&bytes);
        self.pad()?;
        let sections_offset = self.out.position;
        let table = encode_sections(&self.sections);
        self.write(&table)?;
        let blocks_offset = self.out.position;
        let blocks = self.out.finish_blocks();
        self.write(&blocks)?;
        let header = Header {
            file_len: self.out.position,
            section_count: self.sections.len() as u32,
            sections_offset,
            sections_crc: crc32c::crc32c(&table),
            layout: layout_fingerprint(),
            blocks_offset,
            blocks_crc: crc32c::crc32c(&blocks),
            catalog_crc,
        };
        let failed = |action| {
            let path = self.target.clone();
            move |source| SnapshotError::Io {
                path,
                action,
                source,
            }
        };
        let mut file = self
            .out
            .inner
            .into_inner()
            .map_err(|error| failed("write")(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(failed("write"))?;
        file.write_all(&header.encode()).map_err(failed("write"))?;
        file.sync().map_err(failed("sync"))?;
        steps.done()?;
        read_back(&mut file, &header, &blocks).map_err(|error| error.at(&self.target))?;
        // One may have appeared meanwhile.
        if leads_to_store(&self.target) {
            return Err(SnapshotError::TargetIsStore { path: self.target });
        }
        file.put()
            .map_err(failed("rename the temporary file to it"))?;
        Ok(Sealed {
            bytes: header.file_len,
            tables: catalog.tables.len(),
            trials,
            path: self.target,
        })
    }

    fn end_table(&mut self, steps: &mut Steps<'_>) -> Result<(), SnapshotError> {
        let Some(mut table) = self.table.take() else {
            return Ok(());
        };
        table.settle_estimates();
        let records_len = self.out.position - table.records_start;
        let records = self.note(Kind::Records, table.records_start, records_len);
        let info = rkyv::to_bytes::<rancor::Error>(&table.info).map_err(|error| {
            SnapshotError::Malformed {
                what: format!("expected what is known of table `{}`", table.info.name),
                found: rkyv_error(&error),
            }
        })?;
        let info = self.section(Kind::Info, &info)?;
        let sorted = Sorted::new(&table)?;
        let rows = sorted.keys.len();
        steps.done()?;

        let by_row: Vec<([u8; 16], u64)> = sorted
            .row_keys
            .iter()
            .filter_map(|&key| {
                let hash = sorted.keys.get(key as usize)?;
                let drawing = table.drawings.get(hash);
                Some((hash.to_bytes(), drawing.copied().unwrap_or_default()))
            })
            .collect();
        let built = keys::build(&by_row)?;
        let slots = self.section(Kind::Slots, bytemuck::cast_slice(&built.slots))?;
        let pilots = self.section(Kind::Pilots, bytemuck::cast_slice(&built.pilots))?;
        let row_slots = self.section(Kind::RowSlots, bytemuck::cast_slice(&built.row_slots))?;
        steps.done()?;
        let cells: Vec<Option<Cell>> = by_row
            .iter()
            .map(|&(_, code)| Cell::from_code(code).ok().filter(|_| code != 0))
            .collect();
        let mut budgets = Vec::with_capacity(sorted.budgets.len());
        let mut structural = index::Structural::default();
        for (&epochs, order) in &sorted.budgets {
            budgets.push(self.budget(&table, &sorted, epochs, order, &mut structural)?);
            steps.done()?;
        }
        let index = index::of_table(&structural.agreed(), &cells)
            .map_err(index::unbuilt(&table.info.name))?;
        let index = self.section(Kind::Index, index.as_ref())?;
        steps.done()?;
        self.tables.push(StoredTable {
            name: table.info.name,
            rows: rows as u32,
            seed: built.seed,
            info,
            slots,
            pilots,
            row_slots,
            records,
            index,
            budgets,
        });
        Ok(())
    }

    fn budget(
        &mut self,
        table: &OpenTable,
        sorted: &Sorted,
        epochs: u32,
        order: &[(u32, u32)],
        structural: &mut index::Structural,
    ) -> Result<StoredBudget, SnapshotError> {
        let rows = sorted.keys.len();
        let entries: Vec<Entry> = order
            .iter()
            .filter_map(|&(_, trial)| Some(table.trials.get(trial as usize)?.entry))
            .collect();
        let starts = starts(order, rows);
        let one_each = order.len() == rows && starts.is_sorted_by(|a, b| a < b);
        let estimates = table.estimates.get(&epochs);
        let estimated = sorted.estimated.get(&epochs).map_or(&[][..], Vec::as_slice);
        let mut names: BTreeSet<&ColumnKey> = table.columns.keys().collect();
        names.extend(estimates.into_iter().flat_map(|own| own.columns.keys()));
        let mut columns = Vec::new();
        let mut row_values: Vec<(&str, Vec<f64>)> = Vec::new();
        for key in names {
            let values = in_order(order, table.column(key));
            let own = estimates.and_then(|estimates| estimates.columns.get(key));
            let own = own.map_or(&[][..], Vec::as_slice);
            let has_estimates = own.iter().any(|value| !value.is_nan());
            let means = (!one_each || has_estimates).then(|| {
                let mut means = super::reduce::means(&starts, &values);
                fill(&mut means, estimated, own);
                means
            });
            // Infinities of both signs have no mean, and are values of trials all the same.
            let mut all = values.iter().chain(means.iter().flatten());
            if all.all(|value| value.is_nan()) {
                continue;
            }
            let row_means = match &means {
                Some(means) => Some(self.section(Kind::RowMeans, bytemuck::cast_slice(means))?),
                None => None,
            };
            columns.push(StoredColumn {
                name: key.name().to_owned(),
                trial_values: self.section(Kind::TrialValues, bytemuck::cast_slice(&values))?,
                row_means,
            });
            row_values.push((key.name(), means.unwrap_or(values)));
        }
        at_most("columns of a table at a budget", columns.len(), MAX_COLUMNS)?;
        let estimated = match estimated {
            [] => None,
            estimated => {
                let mut words = vec![0_u64; rows.div_ceil(64)];
                for &row in estimated {
                    if let Some(word) = words.get_mut(row as usize / 64) {
                        *word |= 1 << (row % 64);
                    }
                }
                Some(self.section(Kind::Estimated, bytemuck::cast_slice(&words))?)
            }
        };
        let row_values: Vec<(&str, &[f64])> = row_values
            .iter()
            .map(|(name, values)| (*name, values.as_slice()))
            .collect();
        structural.add(&row_values);
        let index =
            index::of_budget(rows, &row_values).map_err(index::unbuilt(&table.info.name))?;
        Ok(StoredBudget {
            index: self.section(Kind::Index, index.as_ref())?,
            epochs,
            trials: order.len() as u32,
            entries: self.section(Kind::Entries, bytemuck::cast_slice(&entries))?,
            starts: self.section(Kind::Starts, bytemuck::cast_slice(&starts))?,
            columns,
            estimated,
        })
    }

    /// Writes a section and returns its number.
    fn section(&mut self, kind: Kind, bytes: &[u8]) -> Result<SectionId, SnapshotError> {
        self.pad()?;
        let offset = self.out.position;
        self.write(bytes)?;
        Ok(self.note(kind, offset, bytes.len() as u64))
    }

    fn note(&mut self, kind: Kind, offset: u64, len: u64) -> SectionId {
        self.sections.push(Section {
            kind,
            offset: offset as usize,
            len: len as usize,
        });
        (self.sections.len() - 1) as SectionId
    }

    fn pad(&mut self) -> Result<(), SnapshotError> {
        self.pad_to(SECTION_ALIGN)
    }

    fn pad_to(&mut self, align: usize) -> Result<(), SnapshotError> {
        let missing = self.out.position.next_multiple_of(align as u64) - self.out.position;
        let zeros = [0; SECTION_ALIGN];
        self.write(zeros.get(..missing as usize).unwrap_or_default())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.out.write(bytes).map_err(|source| SnapshotError::Io {
            path: self.target.clone(),
            action: "write",
            source,
        })
    }
}

/// Whether there is a store.
fn leads_to_store(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = files::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_ok() && is_store(&start)
}

/// The steps of finishing a snapshot, for whoever watches.
struct Steps<'w> {
    done: u64,
    total: u64,
    watch: Option<&'w mut dyn FnMut(u64, u64) -> ControlFlow<()>>,
}

impl<'w> Steps<'w> {
    /// Of a snapshot that ends with this table: its order, its keys, each of its budgets, its index, and syncing the file.
    fn new(
        table: Option<&OpenTable>,
        watch: &'w mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Self {
        let of_table = table.map_or(0, |table| {
            let mut budgets: BTreeSet<u32> = table.estimates.keys().copied().collect();
            budgets.extend(table.trials.iter().map(|trial| trial.budget));
            3 + budgets.len() as u64
        });
        Self {
            done: 0,
            total: of_table + 1,
            watch: Some(watch),
        }
    }

    const fn unwatched() -> Self {
        Self {
            done: 0,
            total: 0,
            watch: None,
        }
    }

    /// One more is done.
    fn done(&mut self) -> Result<(), SnapshotError> {
        self.done += 1;
        self.report()
    }

    fn report(&mut self) -> Result<(), SnapshotError> {
        let watch = self.watch.as_mut();
        match watch.map(|watch| watch(self.done, self.total)) {
            Some(ControlFlow::Break(())) => Err(SnapshotError::Interrupted),
            _ => Ok(()),
        }
    }
}

/// Refuses what the format has no room for.
fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), SnapshotError> {
    if found <= limit {
        return Ok(());
    }
    let limit = limit as u64;
    Err(SnapshotError::TooLarge { what, limit })
}

/// Counts bytes and takes the checksum of every block behind the header.
struct Blocks<W> {
    inner: W,
    position: u64,
    crc: u32,
    in_block: usize,
    checksums: Vec<u8>,
}

impl<W: Write> Blocks<W> {
    const fn new(inner: W) -> Self {
        Self {
            inner,
            position: 0,
            crc: 0,
            in_block: 0,
            checksums: Vec::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.inner.write_all(bytes)?;
        let header_left = (HEADER_LEN as u64).saturating_sub(self.position) as usize;
        let mut rest = bytes
            .get(header_left.min(bytes.len())..)
            .unwrap_or_default();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BLOCK_LEN - self.in_block));
            self.crc = crc32c::crc32c_append(self.crc, now);
            self.in_block += now.len();
            if self.in_block == BLOCK_LEN {
                self.end_block();
            }
            rest = later;
        }
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn end_block(&mut self) {
        self.checksums.extend(self.crc.to_le_bytes());
        self.crc = 0;
        self.in_block = 0;
    }

    fn finish_blocks(&mut self) -> Vec<u8> {
        if self.in_block > 0 {
            self.end_block();
        }
        std::mem::take(&mut self.checksums)
    }
}

/// Reads the written file back, block by block, and compares the checksums.
fn read_back(file: &mut Whole, header: &Header, checksums: &[u8]) -> Result<(), SnapshotError> {
    let failed = |source| SnapshotError::Io {
        path: PathBuf::new(),
        action: "read back",
        source,
    };
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut start = [0; HEADER_LEN];
    file.read_exact(&mut start).map_err(failed)?;
    if start != header.encode() {
        return Err(SnapshotError::Malformed {
            what: "expected to read the header that was written".to_owned(),
            found: "other bytes".to_owned(),
        });
    }
    let mut block = vec![0; BLOCK_LEN];
    let mut offset = HEADER_LEN as u64;
    for checksum in checksums.chunks_exact(4) {
        let len = (header.blocks_offset - offset).min(BLOCK_LEN as u64);
        let bytes = block.get_mut(..len as usize).unwrap_or_default();
        file.read_exact(bytes).map_err(failed)?;
        let found = crc32c::crc32c(bytes);
        let expected = checksum
            .try_into()
            .map(u32::from_le_bytes)
            .unwrap_or_default();
        if expected != found {
            return Err(SnapshotError::Checksum {
                what: "a block that was just written".to_owned(),
                offset,
                expected,
                found,
            });
        }
        offset += len;
    }
    Ok(())
}
