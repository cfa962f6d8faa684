//! From energy to CO2 equivalents.
//!
//! A stored gCO2e depends on the hour when a network happened to be trained (44 to 201 g/kWh in the EC-NAS runs), so that
//! two cells cannot be compared by it. This module recomputes it from energy, one carbon intensity and one PUE.

mod grid;

pub use grid::{GRIDS, GRIDS_SOURCE, Grid};

use std::fmt;

/// Power usage effectiveness that is contained in the energy figures of EC-NAS: its energy meter multiplies by it.
pub const EC_NAS_PUE: f64 = 1.59;

/// Carbon intensity of the world's electricity in 2018, in g/kWh (IEA, Global Energy & CO2 Status Report 2019).
pub const WORLD_INTENSITY_G_PER_KWH: f64 = 475.0;

/// Electricity that a Dane uses in a year, in kWh: of the article's 263,000 kWh they would live 46 years (EC-NAS,
/// ICASSP 2024).
pub const DANE_KWH_PER_YEAR: f64 = 263_000.0 / 46.0;

/// A place where energy is used: carbon intensity of its grid, and power usage effectiveness of its data centre.
///
/// ```
/// use ecnas::carbon::Site;
/// let site = Site::new(100.0, Some(1.2))?;
/// // 0.318 kWh that contain a PUE of 1.59 are 0.2 kWh at the devices, hence 0.24 kWh here.
/// assert!((site.co2e_g(0.318, Some(1.59))? - 24.0).abs() < 1e-9);
/// # Ok::<(), ecnas::carbon::CarbonError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    intensity_g_per_kwh: f64,
    pue: Option<f64>,
}

/// A figure from which CO2 equivalents cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CarbonError {
    /// The carbon intensity is negative or not finite.
    #[error("expected a carbon intensity of 0 g/kWh or more, found {found}")]
    Intensity {
        /// What was given.
        found: f64,
    },
    /// The PUE is below 1 or not finite.
    #[error(
        "expected a power usage effectiveness (the energy of the whole data center, divided by that of its devices) of 1 or more, found {found}"
    )]
    Pue {
        /// What was given.
        found: f64,
    },
    /// A PUE is asked for, and it is not known which one the energy contains.
    #[error(
        "cannot restate energy at a PUE of {wanted}: the table does not say which PUE its energy contains; leave the PUE out to take the energy as it is"
    )]
    UnknownPue {
        /// The PUE asked for.
        wanted: f64,
    },
}

/// A power usage effectiveness as it was given: the energy of a whole data center, divided by that of its devices.
///
/// # Errors
/// It is below 1 or not finite.
pub fn check_pue(pue: f64) -> Result<f64, CarbonError> {
    match pue {
        pue if pue.is_finite() && pue >= 1.0 => Ok(pue),
        found => Err(CarbonError::Pue { found }),
    }
}

impl Site {
    /// A site of this carbon intensity, in g/kWh. A `pue` of `None` takes energy figures as they are.
    ///
    /// # Errors
    /// The intensity is negative or not finite, the PUE is below 1 or not finite.
    pub fn new(intensity_g_per_kwh: f64, pue: Option<f64>) -> Result<Self, CarbonError> {
        if !(intensity_g_per_kwh.is_finite() && intensity_g_per_kwh >= 0.0) {
            return Err(CarbonError::Intensity {
                found: intensity_g_per_kwh,
            });
        }
        Ok(Self {
            intensity_g_per_kwh,
            pue: pue.map(check_pue).transpose()?,
        })
    }

    /// The carbon intensity, in g/kWh.
    #[must_use]
    pub const fn intensity_g_per_kwh(self) -> f64 {
        self.intensity_g_per_kwh
    }

    /// The power usage effectiveness; `None` takes energy figures as they are.
    #[must_use]
    pub const fn pue(self) -> Option<f64> {
        self.pue
    }

    /// CO2 equivalents, in g, of an energy in kWh that already contains the PUE `contained`.
    ///
    /// # Errors
    /// The site has a PUE, and `contained` is `None`.
    pub fn co2e_g(self, energy_kwh: f64, contained: Option<f64>) -> Result<f64, CarbonError> {
        let energy_kwh = match (self.pue, contained) {
            (None, _) => energy_kwh,
            (Some(pue), Some(contained)) => energy_kwh / contained * pue,
            (Some(wanted), None) => return Err(CarbonError::UnknownPue { wanted }),
        };
        Ok(energy_kwh * self.intensity_g_per_kwh)
    }
}

impl Default for Site {
    /// The world's average grid, energy as it is.
    fn default() -> Self {
        Self {
            intensity_g_per_kwh: WORLD_INTENSITY_G_PER_KWH,
            pue: None,
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} g/kWh", self.intensity_g_per_kwh)?;
        match self.pue {
            Some(pue) => write!(f, ", PUE {pue}"),
            None => f.write_str(", PUE as contained in the energy"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_site() {
        assert!(Site::new(f64::NAN, None).is_err());
        assert!(Site::new(-1.0, None).is_err());
        assert!(Site::new(100.0, Some(0.9)).is_err());
        let site = Site::new(100.0, Some(1.1)).unwrap();
        let unknown = site.co2e_g(1.0, None);
        assert_eq!(unknown, Err(CarbonError::UnknownPue { wanted: 1.1 }));
        assert_eq!(Site::default().co2e_g(2.0, None), Ok(950.0));
    }
}
