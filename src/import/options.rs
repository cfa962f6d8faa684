use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::metrics::{Budget, Provenances};

/// What the importer cannot find in the source, or should believe instead of it.
///
/// ```
/// use ecnas::import::ImportOptions;
/// use ecnas::metrics::{Provenance, Provenances};
/// let mut options = ImportOptions::default();
/// options.device = Some("Jetson Orin Nano".to_owned());
/// options.provenance = Some(Provenances::uniform(Provenance::Measured));
/// options.units.insert("energy".to_owned(), "Wh".to_owned());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The file of generated graphs that a results tree belongs to; without it one is looked for in and above the tree.
    pub graphs: Option<PathBuf>,
    /// The budget of CSV rows that have none.
    pub budget: Option<Budget>,
    /// The units of CSV columns whose header names none: from header to `kWh`, `Wh`, `J`, `s`, `min`, `h`, `g`, `kg`,
    /// `g/kWh`, `percent`, ….
    pub units: BTreeMap<String, String>,
    /// Longest record to accept, in bytes: of a TFRecord file, a `results.json`, a row of CSV. Parsing one may take up to 32
    /// times as much memory. Released records have some hundred to some thousand bytes.
    pub max_record_bytes: u64,
    /// Where the values come from. What is stated here goes before what the source shows.
    pub provenance: Option<Provenances>,
    /// The device that trained the networks.
    pub device: Option<String>,
    /// The data set that they were trained on.
    pub data_set: Option<String>,
    /// Who published the values, and where.
    pub origin: Option<String>,
    /// The licence of the values.
    pub licence: Option<String>,
    /// The power usage effectiveness that the energies contain.
    pub pue: Option<f64>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            graphs: None,
            budget: None,
            units: BTreeMap::new(),
            max_record_bytes: 1 << 20,
            provenance: None,
            device: None,
            data_set: None,
            origin: None,
            licence: None,
            pue: None,
        }
    }
}
