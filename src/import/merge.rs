//! What needs the trials in order: numbering repeats, finding duplicates, and what the values together show.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::evidence::Evidence;
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
/// to be numbered (20 MB for the 423,624 cells at one budget), about 50 bytes for each trial if they have numbers.
pub(super) struct Merger {
    repeats: Repeats,
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

    /// Numbers the trial and takes note of it.
    pub(super) fn add(&mut self, parsed: Parsed, place: &Place) -> Result<Trial, ImportError> {
        let Parsed {
            mut trial,
            fingerprint,
            parameters,
        } = parsed;
        let Findings {
            trials,
            notes,
            evidence,
        } = &mut self.findings;
        match &mut self.repeats {
            Repeats::Unnumbered { seen, fingerprints } => {
                let count = seen.entry((trial.hash, trial.budget)).or_default();
                *count = count.saturating_add(1);
                trial.repeat = *count;
                let new = fingerprint.is_none_or(|fingerprint| fingerprints.insert(fingerprint));
                if !new && trial.repeat > 1 {
                    Note::add_identical(notes, place);
                }
            }
            Repeats::Numbered { seen, describe } => {
                let here = place.line.unwrap_or(place.record);
                match seen.entry((trial.hash, trial.budget, trial.repeat)) {
                    Entry::Vacant(entry) => _ = entry.insert(here),
                    Entry::Occupied(entry) => {
                        return Err(place.clone().fault(Fault::Duplicate {
                            hash: trial.hash,
                            budget: trial.budget,
                            repeat: trial.repeat,
                            first: describe(*entry.get()),
                        }));
                    }
                }
            }
        }
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
        Ok(trial)
    }
}
