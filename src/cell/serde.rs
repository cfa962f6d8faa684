//! `Serialize` and `Deserialize`: text where people read, numbers where they do not.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Cell, CellHash, Edit, Op, Vertex};

/// The text form in human-readable formats, else [`Cell::code`]. Both keep the drawing.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.code())
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            let code = u64::deserialize(deserializer)?;
            Cell::from_code(code).map_err(D::Error::custom)
        }
    }
}

/// 32 hexadecimal digits in human-readable formats, else 16 bytes.
impl Serialize for CellHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.as_bytes().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for CellHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CellHash, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            <[u8; 16]>::deserialize(deserializer).map(CellHash::from_bytes)
        }
    }
}

/// By [`Op::name`].
impl Serialize for Op {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Op {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Op, D::Error> {
        let name = String::deserialize(deserializer)?;
        let expected = "conv3x3-bn-relu, conv1x1-bn-relu or maxpool3x3";
        let unknown = || D::Error::custom(format_args!("operation {name:?}, expected {expected}"));
        Op::from_name(&name).ok_or_else(unknown)
    }
}

/// By its text: `drop edge 1->2`.
impl Serialize for Edit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Edit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Edit, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected =
            "an edit, such as `drop edge 1->2` or `swap vertex 1 maxpool3x3 -> conv1x1-bn-relu`";
        let unknown = || D::Error::custom(format_args!("expected {expected}, found {text:?}"));
        edit(&text).ok_or_else(unknown)
    }
}

/// The reverse of an edit's `Display`.
fn edit(text: &str) -> Option<Edit> {
    let words: Vec<&str> = text.split(' ').collect();
    match *words.as_slice() {
        ["swap", "vertex", at, from, "->", to] => Some(Edit::Swap {
            vertex: vertex(at)?,
            from: Op::from_name(from)?,
            to: Op::from_name(to)?,
        }),
        ["drop", "edge", edge] => {
            let (from, to) = edge.split_once("->")?;
            let (from, to) = (vertex(from)?, vertex(to)?);
            Some(Edit::DropEdge { from, to })
        }
        ["add", "edge", edge] => {
            let (from, to) = edge.split_once("->")?;
            let (from, to) = (vertex(from)?, vertex(to)?);
            Some(Edit::AddEdge { from, to })
        }
        [verb, "vertex", at, op] => {
            let (vertex, op) = (vertex(at)?, Op::from_name(op)?);
            match verb {
                "drop" => Some(Edit::DropVertex { vertex, op }),
                "add" => Some(Edit::AddVertex { vertex, op }),
                _ => None,
            }
        }
        _ => None,
    }
}

fn vertex(text: &str) -> Option<Vertex> {
    match *text.as_bytes() {
        [letter @ b'a'..=b'z'] => Some(Vertex::New(letter - b'a')),
        _ => text.parse().ok().map(Vertex::Old),
    }
}
