//! The byte form of a trial, the same in stores and in snapshots: an rkyv archive whose root stands at the end.
//!
//! An archive is read where it lies: [`TrialRef`] borrows the bytes. It is checked (bounds, UTF-8, lengths) whenever it is
//! reached, so that damaged or hostile bytes give an error and never undefined behaviour.

use std::borrow::Cow;

use rkyv::util::AlignedVec;
use rkyv::with::{AsOwned, Map};
use rkyv::{Archive, Serialize, rancor};

use super::table::ArchivedTableInfo;
use super::trial::position;
use super::{Budget, Checkpoint, Component, Metric, PowerUsage, Trial, Values, is_reserved_name};
use crate::cell::{Cell, CellHash};

/// Alignment, in bytes, that a trial's archive needs.
pub(crate) const ALIGNMENT: usize = 16;

/// A trial that cannot be stored, or bytes that are no trial of this format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The archive's structure is broken.
    #[error(
        "expected an archived trial, found bytes that are none ({reason}); the file is damaged: verify it, then restore or seal it again"
    )]
    Structure {
        /// What the check of the structure said.
        reason: String,
    },
    /// A field holds a value that it cannot have.
    #[error(
        "expected {expected} in an archived trial, found {found}; the file is damaged: verify it, then restore or seal it again"
    )]
    Field {
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A user's own column has a name that means something else.
    #[error(
        "the column {found:?} has a name that outputs use for something else; rename it, for example to \"own_{found}\""
    )]
    ReservedName {
        /// The name.
        found: String,
    },
}

// What is stored, borrowed from a trial while it is written. Only the archived forms are ever read.

#[derive(Archive, Serialize)]
struct StoredValues<'a> {
    present: u32,
    #[rkyv(with = AsOwned)]
    values: Cow<'a, [f64]>,
}

#[derive(Archive, Serialize)]
struct StoredCheckpoint<'a> {
    values: StoredValues<'a>,
    #[rkyv(with = Map<AsOwned>)]
    started: Option<Cow<'a, str>>,
    #[rkyv(with = Map<AsOwned>)]
    stopped: Option<Cow<'a, str>>,
}

#[derive(Archive, Serialize)]
struct StoredPower<'a> {
    component: u8,
    #[rkyv(with = Map<AsOwned>)]
    device: Option<Cow<'a, str>>,
    power_w: Option<f64>,
    energy_j: Option<f64>,
}

/// What few trials have: kept apart so that the usual trial stays small.
#[derive(Archive, Serialize)]
struct StoredRarities<'a> {
    #[rkyv(with = Map<AsOwned>)]
    started: Option<Cow<'a, str>>,
    #[rkyv(with = Map<AsOwned>)]
    stopped: Option<Cow<'a, str>>,
    #[rkyv(with = AsOwned)]
    other: Cow<'a, [(String, f64)]>,
    #[rkyv(with = AsOwned)]
    unrecognised: Cow<'a, [(String, String)]>,
    #[rkyv(with = Map<AsOwned>)]
    verbatim: Option<Cow<'a, [u8]>>,
}

#[derive(Archive, Serialize)]
struct StoredTrial<'a> {
    /// The cell's packed drawing.
    cell: Option<u64>,
    hash: [u8; 16],
    budget: u32,
    repeat: u32,
    totals: StoredValues<'a>,
    checkpoints: Vec<StoredCheckpoint<'a>>,
    power: Vec<StoredPower<'a>>,
    rarities: Option<Box<StoredRarities<'a>>>,
}

/// A number that differs between builds which would lay out these archives differently: rkyv's format features are shared
/// by everything that a program links, so another crate could switch them.
pub(crate) fn layout_fingerprint() -> u32 {
    let sizes = [
        size_of::<ArchivedStoredTrial<'_>>(),
        size_of::<ArchivedStoredCheckpoint<'_>>(),
        size_of::<ArchivedStoredPower<'_>>(),
        size_of::<ArchivedStoredRarities<'_>>(),
        align_of::<ArchivedStoredTrial<'_>>(),
        size_of::<ArchivedTableInfo>(),
    ];
    let order = rkyv::to_bytes::<rancor::Error>(&0x0403_0201_u32)
        .map(|bytes| bytes.as_slice().to_vec())
        .unwrap_or_default();
    let text: Vec<u8> = sizes
        .iter()
        .flat_map(|&size| (size as u32).to_le_bytes())
        .chain(order)
        .collect();
    crc32c::crc32c(&text)
}

/// The text of an rkyv error.
pub(crate) fn rkyv_error(error: &rancor::Error) -> String {
    // Without debug assertions, it knows no more than that it failed.
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    match line.starts_with("failed without error information") {
        true => "its structure is broken".to_owned(),
        false => line.to_owned(),
    }
}

/// Encodes a trial as bytes that [`TrialRef::from_bytes`] reads; they must stand at an address that is a multiple of 16.
///
/// Every way into a store or a snapshot goes through here.
///
/// # Errors
/// A name in [`Trial::other`] is [reserved](is_reserved_name). Else only when memory runs out or a field is longer than
/// 2 GiB.
pub fn encode_trial(trial: &Trial) -> Result<impl AsRef<[u8]> + use<>, RecordError> {
    encode(trial)
}

/// As [`encode_trial`], with the type of the bytes.
pub(crate) fn encode(trial: &Trial) -> Result<AlignedVec<ALIGNMENT>, RecordError> {
    if let Some((name, _)) = trial.other.iter().find(|(name, _)| is_reserved_name(name)) {
        let found = name.clone();
        return Err(RecordError::ReservedName { found });
    }
    rkyv::api::high::to_bytes_in::<_, rancor::Error>(
        &StoredTrial::from(trial),
        AlignedVec::with_capacity(1024),
    )
    .map_err(|error| RecordError::Structure {
        reason: rkyv_error(&error),
    })
}

/// A trial where it lies in a file's bytes. Copying it costs nothing.
#[derive(Clone, Copy)]
pub struct TrialRef<'a>(&'a ArchivedStoredTrial<'a>);

impl<'a> TrialRef<'a> {
    /// Reads a trial in place.
    ///
    /// # Errors
    /// Bytes that are not exactly one trial, or not aligned to 16.
    ///
    /// # Complexity
    /// Time proportional to the trial's length (about 0.2 us for 600 bytes), for the check of its structure.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let stored =
            rkyv::access::<ArchivedStoredTrial<'_>, rancor::Error>(bytes).map_err(|error| {
                RecordError::Structure {
                    reason: rkyv_error(&error),
                }
            })?;
        let trial = Self(stored);
        for values in std::iter::once(trial.totals()).chain(trial.checkpoints().map(|c| c.values()))
        {
            values.check()?;
        }
        let field = |expected, found: String| RecordError::Field { expected, found };
        Budget::epochs(stored.budget.to_native())
            .map_err(|_| field("a budget above 0", "0".to_owned()))?;
        if let Some(code) = stored.cell.as_ref() {
            Cell::from_code(code.to_native())
                .map_err(|error| field("a cell", error.to_string()))?;
        }
        if let Some(power) = stored.power.iter().find(|power| power.component > 1) {
            return Err(field("component 0 or 1", power.component.to_string()));
        }
        Ok(trial)
    }

    /// The cell's hash.
    #[must_use]
    pub fn hash(self) -> CellHash {
        CellHash::from_bytes(self.0.hash)
    }

    /// The cell as the source drew it; `None` where the source had the hash alone.
    #[must_use]
    pub fn cell(self) -> Option<Cell> {
        Cell::from_code(self.0.cell.as_ref()?.to_native()).ok()
    }

    /// The training budget.
    #[must_use]
    pub fn budget(self) -> Budget {
        Budget::epochs(self.0.budget.to_native()).unwrap_or(Budget::ONE)
    }

    /// The repeat, from 1.
    #[must_use]
    pub fn repeat(self) -> u32 {
        self.0.repeat.to_native()
    }

    /// Values of the whole run.
    #[must_use]
    pub fn totals(self) -> ValuesRef<'a> {
        ValuesRef(&self.0.totals)
    }

    /// The checkpoints, in the source's order. The last one is the trial's result.
    pub fn checkpoints(self) -> impl ExactSizeIterator<Item = CheckpointRef<'a>> {
        self.0.checkpoints.iter().map(CheckpointRef)
    }

    /// The trial's result in a metric: the value of the whole run, else that of the last checkpoint.
    #[must_use]
    pub fn result(self, metric: Metric) -> Option<f64> {
        self.totals().get(metric).or_else(|| {
            let last = self.0.checkpoints.last()?;
            ValuesRef(&last.values).get(metric)
        })
    }

    /// Power per device.
    pub fn power(self) -> impl ExactSizeIterator<Item = PowerUsage> + 'a {
        self.0.power.iter().map(|stored| PowerUsage {
            component: component(stored.component),
            device: stored.device.as_ref().map(|name| name.as_str().to_owned()),
            power_w: stored.power_w.as_ref().map(|value| value.to_native()),
            energy_j: stored.energy_j.as_ref().map(|value| value.to_native()),
        })
    }

    /// Named values that are no [`Metric`].
    pub fn other(self) -> impl Iterator<Item = (&'a str, f64)> {
        let rarities = self.0.rarities.as_ref();
        rarities
            .into_iter()
            .flat_map(|all| all.other.iter().map(|p| (p.0.as_str(), p.1.to_native())))
    }

    /// An owned copy of everything.
    #[must_use]
    pub fn to_trial(self) -> Trial {
        let mut trial = Trial::new(self.hash(), self.budget(), self.repeat());
        trial.cell = self.cell();
        trial.totals = self.totals().to_values();
        trial.checkpoints = self
            .checkpoints()
            .map(CheckpointRef::to_checkpoint)
            .collect();
        trial.power = self.power().collect();
        if let Some(rarities) = self.0.rarities.as_ref() {
            trial.started = owned(rarities.started.as_ref());
            trial.stopped = owned(rarities.stopped.as_ref());
            trial.other = self.other().map(|(n, v)| (n.to_owned(), v)).collect();
            trial.unrecognised = rarities
                .unrecognised
                .iter()
                .map(|pair| (pair.0.as_str().to_owned(), pair.1.as_str().to_owned()))
                .collect();
            trial.verbatim = rarities.verbatim.as_ref().map(|bytes| bytes.to_vec());
        }
        trial
    }
}

impl std::fmt::Debug for TrialRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_trial().fmt(f)
    }
}

/// A checkpoint where it lies in a file's bytes.
#[derive(Clone, Copy)]
pub struct CheckpointRef<'a>(&'a ArchivedStoredCheckpoint<'a>);

impl<'a> CheckpointRef<'a> {
    /// The values at this checkpoint.
    #[must_use]
    pub fn values(self) -> ValuesRef<'a> {
        ValuesRef(&self.0.values)
    }

    /// When metering began, as the source wrote it.
    #[must_use]
    pub fn started(self) -> Option<&'a str> {
        self.0.started.as_ref().map(|text| text.as_str())
    }

    /// When metering ended, as the source wrote it.
    #[must_use]
    pub fn stopped(self) -> Option<&'a str> {
        self.0.stopped.as_ref().map(|text| text.as_str())
    }

    /// An owned copy.
    #[must_use]
    pub fn to_checkpoint(self) -> Checkpoint {
        Checkpoint {
            values: self.values().to_values(),
            started: self.started().map(str::to_owned),
            stopped: self.stopped().map(str::to_owned),
        }
    }
}

/// Metric values where they lie in a file's bytes.
#[derive(Clone, Copy)]
pub struct ValuesRef<'a>(&'a ArchivedStoredValues<'a>);

impl ValuesRef<'_> {
    /// The metric's value, if it has one.
    #[must_use]
    pub fn get(self, metric: Metric) -> Option<f64> {
        let index = position(self.0.present.to_native(), metric)?;
        self.0.values.get(index).map(|value| value.to_native())
    }

    /// The metrics that have a value, with it.
    pub fn iter(self) -> impl Iterator<Item = (Metric, f64)> {
        Metric::ALL
            .into_iter()
            .filter_map(move |metric| Some((metric, self.get(metric)?)))
    }

    /// An owned copy.
    #[must_use]
    pub fn to_values(self) -> Values {
        Values {
            present: self.0.present.to_native(),
            values: self
                .0
                .values
                .iter()
                .map(|value| value.to_native())
                .collect(),
        }
    }

    fn check(self) -> Result<(), RecordError> {
        let present = self.0.present.to_native();
        if present.count_ones() as usize == self.0.values.len() {
            return Ok(());
        }
        Err(RecordError::Field {
            expected: "as many values as metrics",
            found: format!(
                "{} values for {} metrics",
                self.0.values.len(),
                present.count_ones()
            ),
        })
    }
}

fn owned(text: Option<&rkyv::string::ArchivedString>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

const fn component(code: u8) -> Component {
    match code {
        0 => Component::Gpu,
        _ => Component::Cpu,
    }
}

fn borrowed(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

impl<'a> From<&'a Values> for StoredValues<'a> {
    fn from(values: &'a Values) -> Self {
        Self {
            present: values.present,
            values: Cow::Borrowed(&values.values),
        }
    }
}

impl<'a> From<&'a Trial> for StoredTrial<'a> {
    fn from(trial: &'a Trial) -> Self {
        let usual = trial.started.is_none()
            && trial.stopped.is_none()
            && trial.other.is_empty()
            && trial.unrecognised.is_empty()
            && trial.verbatim.is_none();
        let rarities = || StoredRarities {
            started: borrowed(&trial.started),
            stopped: borrowed(&trial.stopped),
            other: Cow::Borrowed(&trial.other),
            unrecognised: Cow::Borrowed(&trial.unrecognised),
            verbatim: trial.verbatim.as_deref().map(Cow::Borrowed),
        };
        Self {
            cell: trial.cell.map(Cell::code),
            hash: trial.hash.to_bytes(),
            budget: trial.budget.get(),
            repeat: trial.repeat,
            totals: StoredValues::from(&trial.totals),
            checkpoints: trial
                .checkpoints
                .iter()
                .map(|checkpoint| StoredCheckpoint {
                    values: StoredValues::from(&checkpoint.values),
                    started: borrowed(&checkpoint.started),
                    stopped: borrowed(&checkpoint.stopped),
                })
                .collect(),
            power: trial
                .power
                .iter()
                .map(|usage| StoredPower {
                    component: match usage.component {
                        Component::Gpu => 0,
                        Component::Cpu => 1,
                    },
                    device: borrowed(&usage.device),
                    power_w: usage.power_w,
                    energy_j: usage.energy_j,
                })
                .collect(),
            rarities: (!usual).then(|| Box::new(rarities())),
        }
    }
}
