//! JSON objects whose fields are taken one by one; what nobody takes is kept as text.

use std::fs::File;
use std::io::{Read, Take};

use serde_json::{Map, Value};

use super::{Fault, ImportError, Place};
use crate::files;

/// Opens a file of at most so many bytes.
pub(super) fn open(place: &Place, limit: u64) -> Result<Take<File>, ImportError> {
    let io = |error| ImportError::io(place.path.as_ref(), error);
    let file = files::open(&place.path).map_err(io)?;
    let declared = file.metadata().map_err(io)?.len();
    if declared > limit {
        return Err(place.clone().fault(Fault::TooLong { declared, limit }));
    }
    // It may grow meanwhile.
    Ok(file.take(limit.saturating_add(1)))
}

/// Reads a whole file of at most so many bytes.
pub(super) fn read(place: &Place, limit: u64) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    open(place, limit)?
        .read_to_end(&mut bytes)
        .map_err(|error| ImportError::io(place.path.as_ref(), error))?;
    match bytes.len() as u64 {
        declared if declared > limit => {
            Err(place.clone().fault(Fault::TooLong { declared, limit }))
        }
        _ => Ok(bytes),
    }
}

/// Parses a whole JSON file; an error names the byte.
pub(super) fn parse(
    bytes: &[u8],
    place: &Place,
    expected: &'static str,
) -> Result<Value, ImportError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let mut place = place.clone();
        place.line = Some(error.line() as u64);
        place.byte = offset(bytes, &error);
        let reason = error.to_string();
        place.fault(Fault::Json { expected, reason })
    })
}

/// The byte that a parser's line and column stand for.
fn offset(bytes: &[u8], error: &serde_json::Error) -> u64 {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    (before + error.column().saturating_sub(1)).min(bytes.len()) as u64
}

/// The fields of an object that have not been taken yet.
pub(super) struct Fields {
    /// What stands before a field's name in messages.
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of a value that must be an object.
    pub(super) fn of(path: String, value: Value) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Self { path, map }),
            other => Err(wrong(path, "an object", &other)),
        }
    }

    /// Takes a field; `null` is missing.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key).filter(|value| !value.is_null())
    }

    pub(super) fn number(&mut self, key: &str) -> Result<Option<f64>, Fault> {
        self.take(key)
            .map(|value| {
                value
                    .as_f64()
                    .ok_or_else(|| wrong(self.field(key), "a number", &value))
            })
            .transpose()
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, Fault> {
        self.take(key)
            .map(|value| match value {
                Value::String(text) => Ok(text),
                other => Err(wrong(self.field(key), "text", &other)),
            })
            .transpose()
    }

    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Value>, Fault> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(other) => Err(wrong(self.field(key), "a list", &other)),
        }
    }

    /// A list of lists of numbers, one after another.
    pub(super) fn numbers(&mut self, key: &str) -> Result<Vec<f64>, Fault> {
        let mut numbers = Vec::new();
        for item in self.list(key)? {
            let inner = match item {
                Value::Array(inner) => inner,
                single => vec![single],
            };
            for value in inner {
                let number = value.as_f64();
                numbers.push(number.ok_or_else(|| wrong(self.field(key), "numbers", &value))?);
            }
        }
        Ok(numbers)
    }

    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>, Fault> {
        let list = self.list(key)?.into_iter();
        list.map(|value| match value {
            Value::String(text) => Ok(text),
            other => Err(wrong(self.field(key), "texts", &other)),
        })
        .collect()
    }

    /// The full name of a field.
    pub(super) fn field(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    pub(super) fn path(&self) -> String {
        self.path.clone()
    }

    /// What nobody took, as (name, JSON text).
    pub(super) fn rest(self) -> impl Iterator<Item = (String, String)> {
        let path = self.path;
        self.map
            .into_iter()
            .map(move |(key, value)| (format!("{path}{key}"), value.to_string()))
    }
}

fn wrong(field: String, expected: &'static str, found: &Value) -> Fault {
    let mut found = found.to_string();
    if let Some((at, _)) = found.char_indices().nth(60) {
        found.truncate(at);
        found.push('…');
    }
    Fault::Value {
        field,
        expected,
        found,
    }
}
