use std::fmt;
use std::path::PathBuf;

use super::Place;
use crate::cell::CellHash;

/// Something about a source that its user should know, though it could be imported.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// Records that repeat an earlier one byte for byte. They were kept, as further repeats.
    IdenticalRepeats {
        /// How many.
        count: u64,
        /// The first of them.
        first: Place,
    },
    /// Numbers of parameters that differ from that of the graph. They were kept as stated.
    ParametersDiffer {
        /// How many.
        count: u64,
        /// The first of them.
        first: Place,
        /// The number stated there.
        stated: f64,
        /// The number that follows from the graph there.
        graph: u64,
    },
    /// Trials with fields that have no place in this crate's model. They were kept as text.
    Unrecognised {
        /// How many trials have such fields.
        count: u64,
        /// The first of them.
        first: Place,
        /// The first such field there.
        field: String,
    },
    /// Records in another form than the released files have. Their bytes were kept beside the values.
    Verbatim {
        /// How many.
        count: u64,
        /// The first of them.
        first: Place,
    },
    /// Cells that are given by a hash alone which the search space does not hold. Their trials were kept; nothing is known of
    /// their structure.
    UnknownCells {
        /// How many cells.
        count: u64,
        /// Where the first of them is.
        first: Place,
        /// The hash there.
        hash: CellHash,
    },
    /// Lines that hold estimates (`is_estimate` is 1) in columns that the file does not state to be predicted. They were left
    /// out: imported, they would pass for observations.
    EstimatesLeftOut {
        /// How many lines.
        count: u64,
        /// The first of them.
        first: Place,
    },
    /// A file of generated graphs that was found near a results tree, and is none or too long. It was left out: the cells are
    /// those of the search space, drawn as NAS-Bench-101 draws them.
    GraphsLeftOut {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

macro_rules! add {
    ($notes:ident, $variant:ident { $($field:ident: $value:expr),* }) => {
        let count = $notes.iter_mut().find_map(|note| match note {
            Self::$variant { count, .. } => Some(count),
            _ => None,
        });
        match count {
            Some(count) => *count += 1,
            None => $notes.push(Self::$variant { count: 1, $($field: $value),* }),
        }
    };
}

impl Note {
    /// Whether something of the source was left out.
    #[must_use]
    pub const fn is_left_out(&self) -> bool {
        matches!(
            self,
            Self::EstimatesLeftOut { .. } | Self::GraphsLeftOut { .. }
        )
    }

    pub(super) fn add_identical(notes: &mut Vec<Self>, place: &Place) {
        add!(
            notes,
            IdenticalRepeats {
                first: place.clone()
            }
        );
    }

    pub(super) fn add_parameters(notes: &mut Vec<Self>, place: &Place, stated: f64, graph: u64) {
        add!(
            notes,
            ParametersDiffer {
                first: place.clone(),
                stated: stated,
                graph: graph
            }
        );
    }

    pub(super) fn add_unrecognised(notes: &mut Vec<Self>, place: &Place, field: &str) {
        add!(
            notes,
            Unrecognised {
                first: place.clone(),
                field: field.to_owned()
            }
        );
    }

    pub(super) fn add_unknown_cell(notes: &mut Vec<Self>, place: &Place, hash: CellHash) {
        add!(
            notes,
            UnknownCells {
                first: place.clone(),
                hash: hash
            }
        );
    }

    pub(super) fn add_estimate(notes: &mut Vec<Self>, place: &Place) {
        add!(
            notes,
            EstimatesLeftOut {
                first: place.clone()
            }
        );
    }

    pub(super) fn add_verbatim(notes: &mut Vec<Self>, place: &Place) {
        add!(
            notes,
            Verbatim {
                first: place.clone()
            }
        );
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdenticalRepeats { count, first } => write!(
                f,
                "{count} records repeat an earlier one byte for byte and were kept as further repeats; the first is {first}"
            ),
            Self::ParametersDiffer {
                count,
                first,
                stated,
                graph,
            } => write!(
                f,
                "{count} numbers of trainable parameters differ from the graph's and were kept; the first is {first}: {stated}, by the graph {graph}"
            ),
            Self::Unrecognised {
                count,
                first,
                field,
            } => write!(
                f,
                "{count} trials have fields without a place in this model, which were kept as text; the first is {field} in {first}"
            ),
            Self::Verbatim { count, first } => write!(
                f,
                "{count} records have another form than the released files, so their bytes were kept too; the first is {first}"
            ),
            Self::UnknownCells { count, first, hash } => write!(
                f,
                "{count} cells are given by hashes alone that the search space does not hold: no condition on structure finds them; the first is {hash} in {first}"
            ),
            Self::EstimatesLeftOut { count, first } => write!(
                f,
                "{count} lines hold estimates (is_estimate is 1) and were left out: beside trials they would pass for observations; the first is {first}"
            ),
            Self::GraphsLeftOut { path, reason } => write!(
                f,
                "{} was found near the tree and left out; cells are drawn as NAS-Bench-101 draws them: {reason}",
                path.display()
            ),
        }
    }
}
