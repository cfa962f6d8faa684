use std::fmt;

use rkyv::{Archive, Deserialize, Serialize};

use super::Unit;

/// Under which circumstances values were observed, or for which they are estimated. What nobody stated is absent.
///
/// Two values of a column can be compared only where they are on one scale: an energy of a GPU says nothing of one of a TPU,
/// and an energy that contains a PUE of 1.59 nothing of one that contains another.
///
/// ```
/// use ecnas::metrics::{Setting, Unit};
/// let metered = Setting { device: Some("Quadro RTX 6000".into()), pue: Some(1.59), ..Setting::default() };
/// let unstated = Setting { pue: None, ..metered.clone() };
/// assert!(metered.shares_scale(&metered, Unit::KilowattHour));
/// assert!(!metered.shares_scale(&unstated, Unit::KilowattHour));
/// assert!(metered.shares_scale(&unstated, Unit::Second));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Archive, Serialize, Deserialize)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Setting {
    /// The data set that the networks are trained on.
    pub data_set: Option<String>,
    /// The device that trains them.
    pub device: Option<String>,
    /// Power usage effectiveness that the energies contain.
    pub pue: Option<f64>,
}

impl Setting {
    /// Whether values of a unit are on one scale in both settings.
    ///
    /// Energy and CO2 equivalents are if device and PUE are stated and equal, time if the device is. Values of other units do
    /// not depend on the device. Two data sets that are stated and differ are never on one scale, counts excepted.
    #[must_use]
    pub fn shares_scale(&self, other: &Self, unit: Unit) -> bool {
        let same_device = self.device.is_some() && self.device == other.device;
        let same_pue = self.pue.is_some() && self.pue == other.pue;
        let stated = self.data_set.as_ref().zip(other.data_set.as_ref());
        let same_data = stated.is_none_or(|(own, other)| own == other);
        match unit {
            Unit::KilowattHour | Unit::Gram => same_device && same_pue && same_data,
            Unit::Second => same_device && same_data,
            Unit::Count | Unit::Epoch => true,
            Unit::GramPerKilowattHour | Unit::Fraction | Unit::Unstated => same_data,
        }
    }
}

/// `Quadro RTX 6000, PUE 1.59, CIFAR-10`.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.device.as_deref().unwrap_or("device not stated"))?;
        match self.pue {
            Some(pue) => write!(f, ", PUE {pue}")?,
            None => f.write_str(", PUE not stated")?,
        }
        let data_set = self.data_set.iter();
        data_set
            .into_iter()
            .try_for_each(|data_set| write!(f, ", {data_set}"))
    }
}
