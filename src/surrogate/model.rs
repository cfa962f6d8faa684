//! What a fitted surrogate is made of, and its bytes.

use rkyv::rancor;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Deserialize, Serialize};

use super::SurrogateError;
use super::network::{Network, Standard};

/// The format that this version writes and reads.
pub(super) const FORMAT: u32 = 1;
/// The first bytes of every file of weights.
pub const MAGIC: [u8; 8] = *b"ecnas-sm";

/// What is predicted, each from the same features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Target {
    /// Energy of 4 epochs, in Wh.
    Energy,
    /// Logarithm of the time of 4 epochs on the GPU, in s.
    Time,
    /// Logarithm of the time of 108 epochs on the TPU, in s.
    TpuTime,
    /// Negative logarithm of the validation error at 4, 12, 36, 108 epochs.
    Accuracy4,
    Accuracy12,
    Accuracy36,
    Accuracy108,
}

/// Targets.
pub(super) const TARGETS: usize = 7;
/// The first of them are what the first network predicts; the others come from the second.
pub(super) const COSTS: usize = 3;
/// The budgets that are predicted, in epochs.
pub(super) const EPOCHS: [u32; 4] = [4, 12, 36, 108];

/// How a target is standardised, and how far it is off.
#[derive(Debug, Clone, Copy, Default, Archive, Serialize, Deserialize)]
pub(super) struct Scale {
    pub mean: f32,
    pub deviation: f32,
    /// The errors of cells not fitted to, divided by the spread predicted for each: the quantiles that leave out
    /// 5 % at either end.
    pub low: f32,
    pub high: f32,
}

/// How a quantity per epoch at a budget compares with that at 4 epochs: the median over measured cells, and the quantiles
/// that leave out 5 % at either end.
#[derive(Debug, Clone, Copy, Default, Archive, Serialize, Deserialize)]
pub(super) struct Growth {
    pub median: f32,
    pub low: f32,
    pub high: f32,
}

/// A fitted surrogate.
#[derive(Debug, Clone, Default, Archive, Serialize, Deserialize)]
pub(super) struct Model {
    pub name: String,
    pub seed: u64,
    pub standard: Standard,
    pub costs: Network,
    pub accuracy: Network,
    /// Logarithms of the spread of each target's error.
    pub spread: Network,
    pub scales: [Scale; TARGETS],
    /// Of energy, by budget.
    pub energy_growth: [Growth; 4],
    /// Of time on the GPU, by budget.
    pub time_growth: [Growth; 4],
}

impl Model {
    /// The bytes: magic, format, checksum of the rest, archive.
    #[cfg(feature = "fit")]
    pub fn to_bytes(&self) -> Result<Vec<u8>, SurrogateError> {
        let archive = rkyv::to_bytes::<rancor::Error>(self).map_err(|error| damaged(&error))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(crc32c::crc32c(&archive).to_le_bytes());
        bytes.extend_from_slice(&archive);
        Ok(bytes)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SurrogateError> {
        let format = |found: String| SurrogateError::Format {
            expected: FORMAT,
            found,
        };
        let Some((head, archive)) = bytes.split_first_chunk::<16>() else {
            return Err(format(format!("{} bytes", bytes.len())));
        };
        let (magic, rest) = head.split_at(8);
        if magic != MAGIC {
            return Err(format("other bytes at the start".to_owned()));
        }
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, &byte| sum << 8 | u32::from(byte))
        };
        let (version, crc) = rest.split_at(4);
        if number(version) != FORMAT {
            return Err(format(number(version).to_string()));
        }
        if number(crc) != crc32c::crc32c(archive) {
            return Err(damaged(&"another checksum"));
        }
        let mut aligned: AlignedVec<16> = AlignedVec::with_capacity(archive.len());
        aligned.extend_from_slice(archive);
        let model: Self =
            rkyv::from_bytes::<Self, rancor::Error>(&aligned).map_err(|error| damaged(&error))?;
        let networks = [&model.costs, &model.accuracy, &model.spread];
        let outputs = [COSTS, TARGETS - COSTS, TARGETS];
        let whole = networks
            .iter()
            .zip(outputs)
            .all(|(network, outputs)| network.is_whole() && network.outputs as usize == outputs);
        if !whole || !model.standard.is_whole() {
            return Err(damaged(&"networks that do not fit"));
        }
        if !model.has_numbers() {
            return Err(damaged(&"scales that are no numbers"));
        }
        Ok(model)
    }

    /// Whether every scale and growth is a number: without them, predictions would be none.
    fn has_numbers(&self) -> bool {
        let scales = self.scales.iter();
        let mut scales = scales.flat_map(|own| [own.mean, own.deviation, own.low, own.high]);
        let growth = self.energy_growth.iter().chain(&self.time_growth);
        let mut growth = growth.flat_map(|own| [own.median, own.low, own.high]);
        scales.all(f32::is_finite) && growth.all(f32::is_finite)
    }
}

fn damaged(found: &dyn std::fmt::Display) -> SurrogateError {
    SurrogateError::Damaged {
        found: found.to_string(),
    }
}
