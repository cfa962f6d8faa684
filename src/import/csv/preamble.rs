//! What a file says of itself, in comment lines before its header.

use std::io::{self, Read, Seek};
use std::path::Path;

use crate::import::{Fault, ImportError, ImportOptions, Place};
use crate::metrics::{Provenance, Provenances};

/// Bytes within which comments and header are looked for.
const LOOK: u64 = 1 << 16;

/// The comment lines before the header, and the header.
pub(super) struct Preamble {
    comments: Vec<String>,
    pub header: String,
}

impl Preamble {
    /// Looks at the file's beginning, and goes back there.
    pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut start = Vec::new();
        file.take(LOOK).read_to_end(&mut start)?;
        file.rewind()?;
        let text = String::from_utf8_lossy(&start);
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        let comments = lines.clone().map_while(|line| line.strip_prefix('#'));
        let comments: Vec<String> = comments.map(|line| line.trim().to_owned()).collect();
        let header = lines.nth(comments.len()).unwrap_or_default().to_owned();
        Ok(Self { comments, header })
    }

    /// The options, and what they leave open as the file states it.
    pub fn state(&self, path: &Path, given: &ImportOptions) -> Result<ImportOptions, ImportError> {
        let mut options = given.clone();
        for (number, comment) in (1..).zip(&self.comments) {
            let Some((key, value)) = comment.split_once(':') else {
                continue;
            };
            let value = value.trim();
            let text = || Some(value.to_owned());
            let expected = |expected: &str| {
                let problem = format!("states {key} as {value:?}, expected {expected}; correct it");
                let place = Place {
                    path: path.into(),
                    record: 0,
                    line: Some(number),
                    byte: 0,
                };
                place.fault(Fault::Header { problem })
            };
            match key.trim() {
                "data_set" => options.data_set = options.data_set.or_else(text),
                "device" => options.device = options.device.or_else(text),
                "origin" => options.origin = options.origin.or_else(text),
                "licence" | "license" => options.licence = options.licence.or_else(text),
                "pue" => {
                    let pue = value.parse().ok().filter(|pue: &f64| *pue >= 1.0);
                    let pue = pue.ok_or_else(|| expected("a number from 1"))?;
                    options.pue = options.pue.or(Some(pue));
                }
                "provenance" => {
                    let word = Provenance::parse(value).ok_or_else(|| {
                        expected(
                            "measured, scaled, averaged, copied, unstated or `predicted by MODEL`",
                        )
                    })?;
                    let stated = Provenances::uniform(word);
                    options.provenance = options.provenance.or(Some(stated));
                }
                _ => {}
            }
        }
        Ok(options)
    }
}
