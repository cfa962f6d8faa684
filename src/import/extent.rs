//! How much of a table's description the trials of a source take: one that no snapshot has room for is refused while it is
//! read, not when it is sealed.

use std::collections::{HashMap, HashSet};

use super::Fault;
use crate::metrics::{Budget, Metric, Trial};

/// The most columns of a table, each counted at every budget that has it.
pub(super) const MOST_COLUMNS: usize = 100_000;
/// The most bytes of their names, counted alike. Both together fill a snapshot's catalog to nine tenths.
const MOST_BYTES_OF_NAMES: usize = 3 << 19;

/// The user's own columns at each budget.
#[derive(Default)]
pub(super) struct Extent {
    own: HashMap<Budget, HashSet<String>>,
    columns: usize,
    bytes_of_names: usize,
}

impl Extent {
    /// Adds a trial's columns: at each budget, every metric is taken to have one.
    pub(super) fn add(&mut self, trial: &Trial) -> Result<(), Fault> {
        let own = self.own.entry(trial.budget).or_insert_with(|| {
            self.columns += Metric::ALL.len();
            HashSet::new()
        });
        for (name, _) in &trial.other {
            if !own.contains(name) {
                own.insert(name.clone());
                self.columns += 1;
                self.bytes_of_names += name.len();
            }
        }
        if self.columns <= MOST_COLUMNS && self.bytes_of_names <= MOST_BYTES_OF_NAMES {
            return Ok(());
        }
        Err(Fault::TooManyColumns {
            limit: MOST_COLUMNS,
            limit_bytes: MOST_BYTES_OF_NAMES,
            budgets: self.own.len(),
        })
    }
}
