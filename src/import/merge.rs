//! What needs the trials in order: numbering repeats, finding duplicates, and what the values together show.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::evidence::Evidence;
use super::extent::Extent;
use super::notes::Note;
use super::pipeline::Parsed;
use super::{Fault, ImportError, Place, tfrecord};
use crate::cell::CellHash;
use crate::metrics::{Budget, Metric, Trial};

/// What the trials of a source showed together.
pub(super) struct Findings {
    pub trials: u64,
    pub notes: Vec<Note>,
    pub evidence: Evidence,
}

impl Findings {
    /// With what the reading of the source showed.
    pub(super) fn with(mut self, notes: Vec<Note>) -> Self {
        self.notes.extend(notes);
        self
    }
}

/// How a place is named to the user who has it twice.
pub(super) type Describe = Box<dyn Fn(u64) -> String + Send>;

enum Repeats {
    /// The source lists repeats without numbers: they count from 1 per cell and budget in order of appearance.
    Unnumbered {
        seen: HashMap<(CellHash, Budget), u32>,
        fingerprints: HashSet<u64>,
    },
    /// The source numbers them; the value is the place where the trial was found.
    Numbered {
        seen: HashMap<(CellHash, Budget, u32), u64>,
        describe: Describe,
    },
}

/// Takes the trials in the source's order.
///
/// Its memory grows with the number of trials: about 30 bytes for each cell and budget and 10 for each trial if repeats are
/// to be numbered (20 MB for the 423,624 cells at one budget), about 50 bytes for each trial if they have numbers. Cells
/// whose graphs are unknown take about 20 bytes each.
pub(super) struct Merger {
    repeats: Repeats,
    /// The cells whose graphs are unknown.
    unknown: HashSet<CellHash>,
    extent: Extent,
    findings: Findings,
}

impl Merger {
    pub(super) fn unnumbered() -> Self {
        Self::new(Repeats::Unnumbered {
            seen: HashMap::new(),
            fingerprints: HashSet::new(),
        })
    }

    pub(super) fn numbered(describe: Describe) -> Self {
        let seen = HashMap::new();
        Self::new(Repeats::Numbered { seen, describe })
    }

    fn new(repeats: Repeats) -> Self {
        Self {
            repeats,
            unknown: HashSet::new(),
            extent: Extent::default(),
            findings: Findings {
                trials: 0,
                notes: Vec::new(),
                evidence: Evidence::default(),
            },
        }
    }

    pub(super) fn finish(self) -> Findings {
        self.findings
    }

    /// Numbers the trial and takes note of it. Nothing comes back of what is left out.
    pub(super) fn add(
        &mut self,
        parsed: Parsed,
        place: &Place,
    ) -> Result<Option<Trial>, ImportError> {
        if parsed.is_left_out {
            Note::add_estimate(&mut self.findings.notes, place);
            return Ok(None);
        }
        let mut trial = parsed.trial;
        let fault = |fault| place.clone().fault(fault);
        self.extent.add(&trial).map_err(fault)?;
        let is_identical = self
            .repeats
            .number(&mut trial, parsed.fingerprint, place)
            .map_err(fault)?;
        let Findings {
            trials,
            notes,
            evidence,
        } = &mut self.findings;
        if is_identical {
            Note::add_identical(notes, place);
        }
        if trial.cell.is_none() && self.unknown.insert(trial.hash) {
            Note::add_unknown_cell(notes, place, trial.hash);
        }
        let parameters = parsed.parameters;
        if let Some(graph) = parameters {
            let stated = trial.totals.get(Metric::TrainableParameters);
            Note::add_parameters(notes, place, stated.unwrap_or_default(), graph);
        }
        let unknown = |(field, _): &&(String, String)| !tfrecord::is_checkpoint_path(field);
        if let Some((field, _)) = trial.unrecognised.iter().find(unknown) {
            Note::add_unrecognised(notes, place, field);
        }
        if trial.verbatim.is_some() {
            Note::add_verbatim(notes, place);
        }
        evidence.add(&trial);
        *trials += 1;
        Ok(Some(trial))
    }
}

impl Repeats {
    /// Gives the trial its number, or checks the one it has. Whether it repeats an earlier record byte for byte.
    fn number(
        &mut self,
        trial: &mut Trial,
        fingerprint: Option<u64>,
        place: &Place,
    ) -> Result<bool, Fault> {
        match self {
            Self::Unnumbered { seen, fingerprints } => {
                let count = seen.entry((trial.hash, trial.budget)).or_default();
                *count = count.saturating_add(1);
                trial.repeat = *count;
                let new = fingerprint.is_none_or(|fingerprint| fingerprints.insert(fingerprint));
                Ok(!new && trial.repeat > 1)
            }
            Self::Numbered { seen, describe } => {
                let here = place.line.unwrap_or(place.record);
                match seen.entry((trial.hash, trial.budget, trial.repeat)) {
                    Entry::Vacant(entry) => _ = entry.insert(here),
                    Entry::Occupied(entry) => {
                        return Err(Fault::Duplicate {
                            hash: trial.hash,
                            budget: trial.budget,
                            repeat: trial.repeat,
                            first: describe(*entry.get()),
                        });
                    }
                }
                Ok(false)
            }
        }
    }
}
