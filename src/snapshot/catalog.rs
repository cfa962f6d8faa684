//! What a snapshot holds: tables, budgets and columns, and the sections where their arrays lie.
//!
//! In the file it is an rkyv archive; opening a snapshot checks it once and turns it into [`Layout`], in which every range
//! is known to be inside the file, aligned, and as long as its rows demand.

use std::collections::BTreeSet;

use rkyv::{Archive, Deserialize, Serialize, rancor};

use super::SnapshotError;
use super::format::{Entry, Kind, MAX_CATALOG_LEN, MAX_COLUMNS, Section};
use super::keys::{self, Slot};
use crate::metrics::{Budget, Metric, rkyv_error};

/// A section's number in the section table.
pub(crate) type SectionId = u32;

#[derive(Archive, Serialize, Deserialize, Debug)]
pub(crate) struct StoredCatalog {
    pub tables: Vec<StoredTable>,
}

#[derive(Archive, Serialize, Deserialize, Debug)]
pub(crate) struct StoredTable {
    pub name: String,
    pub rows: u32,
    /// Of the perfect hash over the keys.
    pub seed: u64,
    pub info: SectionId,
    pub slots: SectionId,
    pub pilots: SectionId,
    pub row_slots: SectionId,
    pub records: SectionId,
    /// Of what does not depend on the budget.
    pub index: SectionId,
    pub budgets: Vec<StoredBudget>,
}

#[derive(Archive, Serialize, Deserialize, Debug)]
pub(crate) struct StoredBudget {
    pub epochs: u32,
    pub trials: u32,
    pub entries: SectionId,
    pub starts: SectionId,
    pub columns: Vec<StoredColumn>,
    pub index: SectionId,
    /// Which rows have a value that no trial stands behind, where some do.
    pub estimated: Option<SectionId>,
}

#[derive(Archive, Serialize, Deserialize, Debug)]
pub(crate) struct StoredColumn {
    pub name: String,
    pub trial_values: SectionId,
    /// The means, and estimates where no trial has a value. Absent where every row has exactly one trial: then the trials'
    /// values are the means.
    pub row_means: Option<SectionId>,
}

/// The checked catalog.
#[derive(Debug)]
pub(crate) struct Layout {
    pub tables: Vec<TableLayout>,
}

#[derive(Debug)]
pub(crate) struct TableLayout {
    pub name: String,
    pub rows: usize,
    pub seed: u64,
    pub info: Section,
    pub slots: Section,
    pub pilots: Section,
    pub row_slots: Section,
    pub records: Section,
    pub index: Section,
    pub budgets: Vec<BudgetLayout>,
}

#[derive(Debug)]
pub(crate) struct BudgetLayout {
    pub budget: Budget,
    pub trials: usize,
    pub entries: Section,
    pub starts: Section,
    pub columns: Vec<ColumnLayout>,
    pub index: Section,
    pub estimated: Option<Section>,
    /// Whether every row has exactly one trial.
    pub one_each: bool,
    /// The column of each known metric, by its code.
    by_metric: [Option<u16>; 32],
}

#[derive(Debug)]
pub(crate) struct ColumnLayout {
    pub name: String,
    pub trial_values: Section,
    pub row_means: Option<Section>,
}

impl TableLayout {
    /// The sections in the order in which they are written.
    pub fn sections(&self) -> impl Iterator<Item = Section> {
        let before = [
            self.records,
            self.info,
            self.slots,
            self.pilots,
            self.row_slots,
        ];
        let budgets = self.budgets.iter().flat_map(BudgetLayout::sections);
        before.into_iter().chain(budgets).chain([self.index])
    }
}

impl BudgetLayout {
    fn sections(&self) -> impl Iterator<Item = Section> {
        let columns = self.columns.iter();
        let columns = columns.flat_map(|own| own.row_means.into_iter().chain([own.trial_values]));
        let after = [self.index, self.entries, self.starts];
        columns.chain(self.estimated).chain(after)
    }

    /// The number of a known metric's column.
    pub fn metric(&self, metric: Metric) -> Option<usize> {
        let slot = self.by_metric.get(metric as usize).copied().flatten()?;
        Some(usize::from(slot))
    }

    /// The number of a column by its name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl Layout {
    /// The section of the catalog: the last one.
    pub fn section(sections: &[Section]) -> Result<Section, SnapshotError> {
        let malformed = |what: String, found: String| SnapshotError::Malformed { what, found };
        let last = sections.last().copied();
        let catalog = last.filter(|section| section.kind == Kind::Catalog);
        let catalog = catalog.ok_or_else(|| {
            let found = format!("{:?}", last.map(|section| section.kind));
            malformed("expected the catalog as last section".to_owned(), found)
        })?;
        if catalog.len > MAX_CATALOG_LEN {
            let expected = format!("expected a catalog of at most {MAX_CATALOG_LEN} bytes");
            return Err(malformed(expected, catalog.len.to_string()));
        }
        Ok(catalog)
    }

    /// Reads and checks the catalog's bytes.
    pub fn decode(
        bytes: &[u8],
        section: Section,
        sections: &[Section],
        crc: u32,
    ) -> Result<Self, SnapshotError> {
        let malformed = |what: String, found: String| SnapshotError::Malformed { what, found };
        let found = crc32c::crc32c(bytes);
        if found != crc {
            return Err(SnapshotError::Checksum {
                what: "catalog".to_owned(),
                offset: section.offset as u64,
                expected: crc,
                found,
            });
        }
        let stored = rkyv::access::<ArchivedStoredCatalog, rancor::Error>(bytes)
            .map_err(|error| malformed("expected a catalog".to_owned(), rkyv_error(&error)))?;
        let mut resolver = Resolver {
            sections,
            taken: vec![false; sections.len()],
        };
        let tables: Vec<_> = stored
            .tables
            .iter()
            .map(|table| resolver.table(table))
            .collect::<Result<_, _>>()?;
        let mut names = BTreeSet::new();
        if let Some(table) = tables.iter().find(|table| !names.insert(&table.name)) {
            return Err(malformed(
                "expected distinct table names".to_owned(),
                format!("`{}` twice", table.name),
            ));
        }
        Ok(Self { tables })
    }
}

/// Turns section numbers into ranges of the length that they must have.
struct Resolver<'a> {
    sections: &'a [Section],
    /// Each section is one thing: a small file must not be a table of a great many budgets that all have the same trials.
    taken: Vec<bool>,
}

impl Resolver<'_> {
    fn section(
        &mut self,
        id: u32,
        kind: Kind,
        len: Option<usize>,
    ) -> Result<Section, SnapshotError> {
        let taken = self.taken.get_mut(id as usize);
        if taken.is_some_and(|taken| std::mem::replace(taken, true)) {
            return Err(SnapshotError::Malformed {
                what: format!("section {id}: expected it to be used once"),
                found: "a second use".to_owned(),
            });
        }
        let section = self.sections.get(id as usize).copied();
        match section {
            Some(section) if section.kind == kind && len.is_none_or(|len| section.len == len) => {
                Ok(section)
            }
            found => Err(SnapshotError::Malformed {
                what: match len {
                    Some(len) => format!("section {id}: expected {kind:?} of {len} bytes"),
                    None => format!("section {id}: expected {kind:?}"),
                },
                found: found.map_or_else(
                    || format!("only {} sections", self.sections.len()),
                    |section| format!("{:?} of {} bytes", section.kind, section.len),
                ),
            }),
        }
    }

    fn table(&mut self, stored: &ArchivedStoredTable) -> Result<TableLayout, SnapshotError> {
        let rows = stored.rows.to_native() as usize;
        let budgets: Vec<_> = stored
            .budgets
            .iter()
            .map(|budget| self.budget(&stored.name, rows, budget))
            .collect::<Result<_, _>>()?;
        let mut pairs = budgets.iter().zip(budgets.iter().skip(1));
        if let Some((before, after)) = pairs.find(|(a, b)| a.budget >= b.budget) {
            return Err(SnapshotError::Malformed {
                what: format!("table `{}`: expected ascending budgets", stored.name),
                found: format!("{} before {}", before.budget, after.budget),
            });
        }
        Ok(TableLayout {
            name: stored.name.as_str().to_owned(),
            rows,
            seed: stored.seed.to_native(),
            info: self.section(stored.info.to_native(), Kind::Info, None)?,
            slots: self.section(
                stored.slots.to_native(),
                Kind::Slots,
                Some(keys::slots_of(rows) * size_of::<Slot>()),
            )?,
            pilots: self.section(
                stored.pilots.to_native(),
                Kind::Pilots,
                Some(keys::pilots_of(rows) * 2),
            )?,
            row_slots: self.section(
                stored.row_slots.to_native(),
                Kind::RowSlots,
                Some(rows * 4),
            )?,
            records: self.section(stored.records.to_native(), Kind::Records, None)?,
            index: self.section(stored.index.to_native(), Kind::Index, None)?,
            budgets,
        })
    }

    fn budget(
        &mut self,
        table: &str,
        rows: usize,
        stored: &ArchivedStoredBudget,
    ) -> Result<BudgetLayout, SnapshotError> {
        let budget = Budget::epochs(stored.epochs.to_native()).map_err(|error| {
            SnapshotError::Malformed {
                what: format!("table `{table}`: {error}"),
                found: "a budget of 0".to_owned(),
            }
        })?;
        let trials = stored.trials.to_native() as usize;
        let entries = self.section(
            stored.entries.to_native(),
            Kind::Entries,
            Some(trials * size_of::<Entry>()),
        )?;
        let starts = self.section(
            stored.starts.to_native(),
            Kind::Starts,
            Some((rows + 1) * 4),
        )?;
        if stored.columns.len() > MAX_COLUMNS {
            return Err(SnapshotError::Malformed {
                what: format!("table `{table}`: expected at most {MAX_COLUMNS} columns"),
                found: stored.columns.len().to_string(),
            });
        }
        let mut by_metric = [None; 32];
        let mut columns = Vec::with_capacity(stored.columns.len());
        for (number, column) in stored.columns.iter().enumerate() {
            let trial_values = self.section(
                column.trial_values.to_native(),
                Kind::TrialValues,
                Some(trials * 8),
            )?;
            let row_means = column
                .row_means
                .as_ref()
                .map(|id| self.section(id.to_native(), Kind::RowMeans, Some(rows * 8)))
                .transpose()?;
            if row_means.is_none() && trials != rows {
                return Err(SnapshotError::Malformed {
                    what: format!(
                        "table `{table}`, column `{}`: expected means over repeats",
                        column.name
                    ),
                    found: "none".to_owned(),
                });
            }
            let name = column.name.as_str();
            if let Some(slot) =
                Metric::from_name(name).and_then(|metric| by_metric.get_mut(metric as usize))
            {
                *slot = u16::try_from(number).ok();
            }
            columns.push(ColumnLayout {
                name: name.to_owned(),
                trial_values,
                row_means,
            });
        }
        // The writer stores means wherever a row has not exactly one trial.
        let one_each = !columns.is_empty()
            && columns
                .iter()
                .all(|column: &ColumnLayout| column.row_means.is_none());
        let estimated = stored.estimated.as_ref().map(|id| {
            let words = rows.div_ceil(64);
            self.section(id.to_native(), Kind::Estimated, Some(words * 8))
        });
        Ok(BudgetLayout {
            estimated: estimated.transpose()?,
            one_each,
            budget,
            trials,
            entries,
            starts,
            columns,
            index: self.section(stored.index.to_native(), Kind::Index, None)?,
            by_metric,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalog of a table without rows, whose budgets have these sections for entries and starts.
    fn decode(budgets: &[(u32, SectionId, SectionId)]) -> Result<Layout, SnapshotError> {
        let kinds = [
            (Kind::Info, 0),
            (Kind::Slots, keys::slots_of(0) * size_of::<Slot>()),
            (Kind::Pilots, keys::pilots_of(0) * 2),
            (Kind::RowSlots, 0),
            (Kind::Records, 0),
            (Kind::Index, 0),
            // Of budgets.
            (Kind::Entries, 0),
            (Kind::Starts, 4),
            (Kind::Index, 0),
            (Kind::Entries, 0),
            (Kind::Starts, 4),
            (Kind::Index, 0),
        ];
        let sections = kinds.map(|(kind, len)| Section {
            kind,
            offset: 128,
            len,
        });
        let budgets = budgets
            .iter()
            .zip([8, 11])
            .map(|(&(epochs, entries, starts), index)| StoredBudget {
                epochs,
                trials: 0,
                entries,
                starts,
                columns: Vec::new(),
                index,
                estimated: None,
            });
        let catalog = StoredCatalog {
            tables: vec![StoredTable {
                name: "t".to_owned(),
                rows: 0,
                seed: 0,
                info: 0,
                slots: 1,
                pilots: 2,
                row_slots: 3,
                records: 4,
                index: 5,
                budgets: budgets.collect(),
            }],
        };
        let bytes = rkyv::to_bytes::<rancor::Error>(&catalog).unwrap();
        let own = Section {
            kind: Kind::Catalog,
            offset: 0,
            len: bytes.len(),
        };
        Layout::decode(&bytes, own, &sections, crc32c::crc32c(&bytes))
    }

    #[test]
    fn budgets_have_sections_of_their_own_and_ascend() {
        let layout = decode(&[(4, 6, 7), (12, 9, 10)]).unwrap();
        assert_eq!(layout.tables[0].budgets.len(), 2);
        let refused = |budgets: &[_]| decode(budgets).unwrap_err().to_string();
        let text = refused(&[(4, 6, 7), (12, 6, 10)]);
        assert!(
            text.contains("section 6: expected it to be used once"),
            "{text}"
        );
        let text = refused(&[(12, 6, 7), (4, 9, 10)]);
        assert!(text.contains("12 epochs before 4 epochs"), "{text}");
        let text = refused(&[(4, 7, 6)]);
        assert!(text.contains("section 7: expected Entries"), "{text}");
    }
}
