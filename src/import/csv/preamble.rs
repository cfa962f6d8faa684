//! What a file says of itself, in comment lines before its header; read and written here.
//!
//! A line is `# KEY: VALUE` or `# KEY COLUMN: VALUE`. A value or a column's name that a line cannot hold as it is, because of
//! control characters or spaces at its ends, stands in quotes as in JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::Path;

use super::columns::Columns;
use crate::carbon::check_pue;
use crate::import::detect::first_stray;
use crate::import::{Fault, ImportError, ImportOptions, Place};
use crate::metrics::{Metric, Provenance, Provenances, Setting, TableInfo};

/// The most bytes of the comments, and of what is looked at of the header.
const LOOK: u64 = 1 << 22;

/// The search space whose hashes and graphs are read here.
pub(in crate::import) const SEARCH_SPACE: &str = "NAS-Bench-101";

/// The comment lines before the header, and the header's first line with its place.
pub(super) struct Preamble {
    comments: Vec<Comment>,
    pub header: String,
    pub place: Place,
}

/// A comment line, without its `#`.
struct Comment {
    text: String,
    place: Place,
}

impl Preamble {
    /// Looks at the file's beginning, and goes back there.
    pub fn read(path: &Path, file: &mut (impl Read + Seek)) -> Result<Self, ImportError> {
        let io = |error| ImportError::io(path, error);
        let mut comments = Vec::new();
        let mut lines = BufReader::new(&mut *file).take(LOOK);
        let mut place = Place {
            path: path.into(),
            record: 0,
            line: Some(1),
            byte: 0,
        };
        let header = loop {
            let mut line = Vec::new();
            let read = lines.read_until(b'\n', &mut line).map_err(io)? as u64;
            let mark = "\u{feff}".as_bytes();
            let text = line.strip_prefix(mark).filter(|_| place.byte == 0);
            let text = text.unwrap_or(&line);
            let Some(comment) = text.strip_prefix(b"#") else {
                break String::from_utf8_lossy(text).into_owned();
            };
            if let Some((at, byte)) = first_stray(&line) {
                let at = place.byte + at as u64;
                return Err(place.fault(Fault::NotUtf8 { byte, at }));
            }
            let next = Place {
                line: place.line.map(|line| line + 1),
                byte: place.byte + read,
                ..place.clone()
            };
            if next.byte == LOOK {
                let (declared, limit) = (LOOK, LOOK);
                return Err(place.fault(Fault::TooLong { declared, limit }));
            }
            let text = String::from_utf8_lossy(comment).trim().to_owned();
            comments.push(Comment { text, place });
            place = next;
        };
        file.rewind().map_err(io)?;
        Ok(Self {
            comments,
            header,
            place,
        })
    }

    /// The options, and what they leave open as the file states it.
    pub fn state(&self, given: &ImportOptions) -> Result<ImportOptions, ImportError> {
        let mut options = given.clone();
        let mut stated = Stated::default();
        for Comment { text, place } in &self.comments {
            if let Some((key, column, value)) = statement(text) {
                stated
                    .take(&mut options, key, column, value)
                    .map_err(|expected| {
                        let problem =
                            format!("states {key} as {value:?}, expected {expected}; correct it");
                        place.clone().fault(Fault::Header { problem })
                    })?;
            }
        }
        options.provenance = options.provenance.or(stated.provenances());
        Ok(options)
    }

    /// Checks that the columns whose provenance is stated are there.
    pub fn check(&self, columns: &Columns) -> Result<(), ImportError> {
        for Comment { text, place } in &self.comments {
            let Some((PROVENANCE | CHECKPOINTS, Some(name), _)) = statement(text) else {
                continue;
            };
            if Metric::from_name(&name).is_none() && !columns.has_own(&name) {
                let problem = format!(
                    "has no column {name:?}, whose provenance is stated before it; correct the name"
                );
                return Err(place.clone().fault(Fault::Header { problem }));
            }
        }
        Ok(())
    }
}

const PROVENANCE: &str = "provenance";
const CHECKPOINTS: &str = "checkpoint_provenance";

/// The provenances that a file states.
#[derive(Default)]
struct Stated {
    /// Of all columns.
    all: Option<Provenance>,
    /// Of single columns, which goes before.
    results: BTreeMap<String, Provenance>,
    checkpoints: BTreeMap<String, Provenance>,
}

impl Stated {
    /// Takes a statement, or says what was expected.
    fn take(
        &mut self,
        options: &mut ImportOptions,
        key: &str,
        column: Option<Cow<'_, str>>,
        value: &str,
    ) -> Result<(), &'static str> {
        let text = || Some(plain(value).into_owned());
        let word = || {
            Provenance::parse(&plain(value)).ok_or(
                "measured, scaled, averaged, copied, computed, unstated or `predicted by MODEL`",
            )
        };
        match (key, column) {
            ("search_space", None) if plain(value) != SEARCH_SPACE => {
                return Err("NAS-Bench-101, whose cells are read here");
            }
            ("data_set", None) => options.data_set = options.data_set.take().or_else(text),
            ("device", None) => options.device = options.device.take().or_else(text),
            ("origin", None) => options.origin = options.origin.take().or_else(text),
            ("licence" | "license", None) => {
                options.licence = options.licence.take().or_else(text);
            }
            ("pue", None) => {
                let pue = value.parse().ok().and_then(|pue| check_pue(pue).ok());
                options.pue = options.pue.or(Some(pue.ok_or("a number from 1")?));
            }
            (PROVENANCE, None) => self.all = Some(word()?),
            (PROVENANCE, Some(name)) => _ = self.results.insert(name.into_owned(), word()?),
            (CHECKPOINTS, Some(name)) => _ = self.checkpoints.insert(name.into_owned(), word()?),
            _ => {}
        }
        Ok(())
    }

    fn provenances(self) -> Option<Provenances> {
        if self.all.is_none() && self.results.is_empty() && self.checkpoints.is_empty() {
            return None;
        }
        let mut all = self.all.map(Provenances::uniform).unwrap_or_default();
        all.results.extend(self.results);
        all.checkpoints.extend(self.checkpoints);
        Some(all)
    }
}

/// Key, column and value of a comment that states something.
fn statement(comment: &str) -> Option<(&str, Option<Cow<'_, str>>, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (key, rest) = comment.split_at(comment.find(|c| !is_word(c))?);
    let rest = rest.trim_start();
    if let Some(value) = rest.strip_prefix(':') {
        return Some((key, None, value.trim()));
    }
    if !rest.starts_with('"') {
        let (name, value) = rest.split_once(':')?;
        return Some((key, Some(Cow::Borrowed(name.trim())), value.trim()));
    }
    let mut quoted = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let name = quoted.next()?.ok()?;
    let rest = rest.get(quoted.byte_offset()..)?.trim_start();
    Some((key, Some(Cow::Owned(name)), rest.strip_prefix(':')?.trim()))
}

/// A value without the quotes that it may stand in.
fn plain(value: &str) -> Cow<'_, str> {
    let quoted = value
        .starts_with('"')
        .then(|| serde_json::from_str(value).ok());
    quoted.flatten().map_or(Cow::Borrowed(value), Cow::Owned)
}

/// A text as a line can hold it, where `reserved` has a meaning.
fn in_line(text: &str, reserved: Option<char>) -> String {
    let as_it_is = text == text.trim()
        && !text.is_empty()
        && !text.starts_with('"')
        && !text.chars().any(|c| c.is_control() || Some(c) == reserved);
    if as_it_is {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // None of them is beyond four digits.
            c if c.is_control() => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Writes what is known of a table before its columns: [`Preamble`] reads it back. What it says of estimates follows where
/// there are some; where there are no trials, they are all there is.
pub(crate) fn write(
    info: &TableInfo,
    columns: &[&str],
    has_trials: bool,
    has_estimates: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let estimates = &info.estimates;
    let (setting, provenance) = if has_trials {
        (&info.trial_setting(), &info.provenance)
    } else {
        (&estimates.setting, &estimates.provenance)
    };
    write_fact("search_space", &info.search_space, out)?;
    write_setting("", setting, out)?;
    write_fact("origin", &info.origin, out)?;
    write_fact("licence", &info.licence, out)?;
    write_provenances(provenance, columns, out)?;
    if has_trials && has_estimates {
        write_setting("estimates_", &estimates.setting, out)?;
        for name in columns {
            if let Some(provenance) = estimates.provenance.results.get(*name) {
                write_of_column("estimates", name, provenance, out)?;
            }
        }
    }
    Ok(())
}

fn write_fact(key: &str, value: &Option<String>, out: &mut impl Write) -> io::Result<()> {
    match value {
        Some(value) => writeln!(out, "# {key}: {}", in_line(value, None)),
        None => Ok(()),
    }
}

fn write_setting(prefix: &str, setting: &Setting, out: &mut impl Write) -> io::Result<()> {
    write_fact(&format!("{prefix}data_set"), &setting.data_set, out)?;
    write_fact(&format!("{prefix}device"), &setting.device, out)?;
    let pue = setting.pue.map(|pue| format!("{pue:?}"));
    write_fact(&format!("{prefix}pue"), &pue, out)
}

/// The provenance of the first column that is observed is stated for all; columns of another one follow.
fn write_provenances(own: &Provenances, columns: &[&str], out: &mut impl Write) -> io::Result<()> {
    let observed = columns.iter().filter_map(|name| Metric::from_name(name));
    let mut observed = observed.filter(|own| !own.is_structural() && !own.is_prediction());
    let usual = observed.next().map(|metric| own.of(metric));
    let usual = usual.unwrap_or_default();
    write_fact(PROVENANCE, &Some(usual.to_string()), out)?;
    let usual = Provenances::uniform(usual);
    for name in columns {
        if own.of(name) != usual.of(name) {
            write_of_column(PROVENANCE, name, &own.of(name), out)?;
        }
        if own.of_checkpoint(name) != usual.of_checkpoint(name) {
            write_of_column(CHECKPOINTS, name, &own.of_checkpoint(name), out)?;
        }
    }
    Ok(())
}

fn write_of_column(
    key: &str,
    name: &str,
    provenance: &Provenance,
    out: &mut impl Write,
) -> io::Result<()> {
    let (name, word) = (in_line(name, Some(':')), provenance.to_string());
    writeln!(out, "# {key} {name}: {}", in_line(&word, None))
}
