//! Carbon intensities of countries.

/// A country's electricity: what a kWh of it emits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Grid {
    /// ISO 3166-1 alpha-2 code: `DK`.
    pub code: &'static str,
    /// English name: `Denmark`.
    pub country: &'static str,
    /// Carbon intensity, in g/kWh.
    pub intensity_g_per_kwh: f64,
    /// The year of the figure.
    pub year: u16,
}

/// Where the figures of [`GRIDS`] come from: *Carbon intensity of electricity generation*, CC BY 4.0.
pub const GRIDS_SOURCE: &str = "Our World in Data (Ember; Energy Institute)";

const fn grid(code: &'static str, country: &'static str, intensity: f64, year: u16) -> Grid {
    Grid {
        code,
        country,
        intensity_g_per_kwh: intensity,
        year,
    }
}

/// Some countries, by code; see [`GRIDS_SOURCE`].
pub const GRIDS: &[Grid] = &[
    grid("AR", "Argentina", 347.3, 2021),
    grid("AT", "Austria", 81.3, 2021),
    grid("AU", "Australia", 486.3, 2021),
    grid("BE", "Belgium", 139.7, 2021),
    grid("BR", "Brazil", 141.8, 2021),
    grid("CA", "Canada", 119.0, 2021),
    grid("CH", "Switzerland", 57.8, 2021),
    grid("CL", "Chile", 374.5, 2021),
    grid("CN", "China", 541.3, 2021),
    grid("CZ", "Czechia", 412.2, 2021),
    grid("DE", "Germany", 352.4, 2021),
    grid("DK", "Denmark", 149.7, 2021),
    grid("EE", "Estonia", 739.9, 2021),
    grid("ES", "Spain", 169.0, 2021),
    grid("FI", "Finland", 68.8, 2021),
    grid("FR", "France", 58.5, 2021),
    grid("GB", "United Kingdom", 264.5, 2021),
    grid("GR", "Greece", 430.3, 2021),
    grid("HK", "Hong Kong", 644.9, 2020),
    grid("HU", "Hungary", 195.5, 2021),
    grid("IE", "Ireland", 381.1, 2021),
    grid("IL", "Israel", 527.8, 2020),
    grid("IN", "India", 626.0, 2021),
    grid("IS", "Iceland", 28.8, 2020),
    grid("IT", "Italy", 222.8, 2021),
    grid("JP", "Japan", 416.5, 2021),
    grid("KE", "Kenya", 112.4, 2021),
    grid("MX", "Mexico", 373.8, 2021),
    grid("NL", "Netherlands", 328.9, 2021),
    grid("NO", "Norway", 25.1, 2021),
    grid("NZ", "New Zealand", 136.0, 2021),
    grid("PL", "Poland", 727.8, 2021),
    grid("PT", "Portugal", 181.1, 2021),
    grid("RO", "Romania", 252.8, 2021),
    grid("SE", "Sweden", 11.8, 2021),
    grid("SG", "Singapore", 463.9, 2021),
    grid("TR", "Turkey", 429.6, 2021),
    grid("UA", "Ukraine", 240.5, 2021),
    grid("US", "United States", 357.2, 2021),
    grid("ZA", "South Africa", 664.7, 2021),
];

impl Grid {
    /// The grid of a country, by its code or its name in any case; `None` where the table has none.
    ///
    /// ```
    /// use ecnas::carbon::Grid;
    /// let denmark = Grid::of("dk").unwrap();
    /// assert_eq!((denmark.country, denmark.year), ("Denmark", 2021));
    /// ```
    #[must_use]
    pub fn of(country: &str) -> Option<&'static Self> {
        let is_it = |grid: &&Self| {
            grid.code.eq_ignore_ascii_case(country) || grid.country.eq_ignore_ascii_case(country)
        };
        GRIDS.iter().find(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_found_by_code_and_name() {
        assert!(GRIDS.is_sorted_by(|a, b| a.code < b.code));
        for grid in GRIDS {
            assert_eq!(Grid::of(grid.code), Some(grid));
            assert_eq!(Grid::of(&grid.country.to_uppercase()), Some(grid));
            assert!(grid.intensity_g_per_kwh > 0.0 && (2018..2026).contains(&grid.year));
        }
        assert_eq!(Grid::of("Atlantis"), None);
    }
}
