//! What follows from a cell alone, computed once per drawing.

use std::cell::RefCell;
use std::collections::HashMap;

use super::Fault;
use crate::cell::{Cell, CellHash};
use crate::metrics::{Metric, Trial};

/// What a cell's graph says of it.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub hash: CellHash,
    pub parameters: u64,
    pub macs: u64,
}

/// Drawings that a thread remembers; about 3 MB.
const REMEMBERED: usize = 1 << 15;

thread_local! {
    static KNOWN: RefCell<HashMap<u64, Facts>> = RefCell::new(HashMap::new());
}

/// The facts of a cell. A hash takes over 10 us, and a source repeats each drawing for its budgets and repeats, so each
/// thread remembers the last drawings.
pub(super) fn facts(cell: Cell) -> Facts {
    KNOWN.with_borrow_mut(|known| {
        if let Some(&facts) = known.get(&cell.code()) {
            return facts;
        }
        let facts = Facts {
            hash: cell.hash(),
            parameters: cell.trainable_parameters(),
            macs: cell.macs().total(),
        };
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(cell.code(), facts);
        facts
    })
}

/// Gives the trial its graph, and what follows from that; the trial's own hash must be the graph's.
///
/// A number of parameters that the source states stays; if it differs from the graph's, the latter is returned.
pub(super) fn set_cell(trial: &mut Trial, cell: Cell) -> Result<Option<u64>, Fault> {
    let facts = facts(cell);
    if facts.hash != trial.hash {
        return Err(Fault::HashMismatch {
            expected: facts.hash,
            found: trial.hash,
        });
    }
    trial.cell = Some(cell);
    trial.totals.set(Metric::Macs, facts.macs as f64);
    match trial.totals.get(Metric::TrainableParameters) {
        None => {
            let own = facts.parameters as f64;
            trial.totals.set(Metric::TrainableParameters, own);
            Ok(None)
        }
        Some(stated) => Ok((stated != facts.parameters as f64).then_some(facts.parameters)),
    }
}
