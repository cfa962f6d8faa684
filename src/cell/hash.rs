//! NAS-Bench-101's hash of a cell.
// Fixed arrays are indexed by vertex numbers below 7 and lengths that fit by construction.
#![allow(clippy::indexing_slicing)]

use std::fmt;
use std::str::FromStr;

use super::Cell;
use super::graph::{Graph, MAX};
use super::md5::{LANES, Text, md5};

/// NAS-Bench-101's hash of a cell: 16 bytes, written as 32 hexadecimal digits.
///
/// Isomorphic cells have the same hash, and in the search space of 423,624
/// cells no two others share one. It is the key under which benchmarks publish
/// a cell. Hashes order as their text does.
///
/// ```
/// use ecnas::cell::{Cell, CellHash};
///
/// let hash: CellHash = "5529e1779433733d1145e20de5d8604e".parse()?;
/// let cell = Cell::from_bits("0110001100010000", "input,conv1x1-bn-relu,conv3x3-bn-relu,output")?;
/// assert_eq!(cell.hash(), hash);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellHash([u8; 16]);

impl CellHash {
    /// The hash of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> CellHash {
        CellHash(bytes)
    }

    /// Its bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Its bytes, borrowed.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Why a text is not a [`CellHash`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// The text is too short or too long.
    #[error(
        "a cell hash has 32 hexadecimal digits, found {found}; write it whole, with its leading zeros"
    )]
    Length {
        /// Characters given.
        found: usize,
    },
    /// The text is a decimal number of fewer digits.
    #[error(
        "a cell hash has 32 hexadecimal digits, found the number {found}: a spreadsheet has taken the hash for a number and dropped digits of it; take the original file, or format the column as text before opening it"
    )]
    Number {
        /// The number.
        found: String,
    },
    /// A character is not a hexadecimal digit.
    #[error("{found:?} at position {position} of a cell hash, expected a hexadecimal digit")]
    Digit {
        /// Position, in characters from 0.
        position: usize,
        /// The character.
        found: char,
    },
}

/// Reads 32 hexadecimal digits, lower or upper case.
impl FromStr for CellHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<CellHash, HashError> {
        let found = text.chars().count();
        if found != 32 {
            if found < 32 && is_decimal(text) {
                let found = text.to_owned();
                return Err(HashError::Number { found });
            }
            return Err(HashError::Length { found });
        }
        let mut bytes = [0; 16];
        for (position, found) in text.chars().enumerate() {
            let digit = found
                .to_digit(16)
                .ok_or(HashError::Digit { position, found })?;
            let byte = &mut bytes[position / 2];
            *byte = *byte << 4 | digit as u8;
        }
        Ok(CellHash(bytes))
    }
}

/// Whether it is what spreadsheets make of a hash that has decimal digits alone, or one `e` among them: they keep 15 digits.
fn is_decimal(text: &str) -> bool {
    const KEPT: usize = 15;
    let of_exponent = |c: char| matches!(c, '.' | ',' | 'e' | 'E' | '+' | '-');
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || of_exponent(c))
        && (text.contains(of_exponent) || text.len() >= KEPT)
}

/// Writes 32 lower-case hexadecimal digits.
impl fmt::Display for CellHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The digits are ASCII, so that this cannot fail.
        f.pad(str::from_utf8(&hex(self.0)).unwrap_or_default())
    }
}

impl fmt::Debug for CellHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CellHash({self})")
    }
}

impl From<Cell> for CellHash {
    fn from(cell: Cell) -> CellHash {
        cell.hash()
    }
}

impl From<&Cell> for CellHash {
    fn from(cell: &Cell) -> CellHash {
        cell.hash()
    }
}

impl Cell {
    /// The cell's NAS-Bench-101 hash, computed on the pruned graph.
    ///
    /// Each vertex starts from its degrees and label; as many times as there
    /// are vertices it takes in the sorted hashes of its neighbours; the hash
    /// of the sorted list of all is the result.
    ///
    /// # Complexity
    /// About `vertices * vertices` runs of MD5 over short texts, eight at once: some 10
    /// microseconds for 7 vertices. No allocation. Keep it rather than ask twice.
    pub fn hash(&self) -> CellHash {
        graph_hash(self.graph())
    }
}

/// The digits of an MD5 in lower case, which is what Python's `hexdigest` returns. They order as the digest does.
fn hex(digest: [u8; 16]) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 32];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    hex
}

pub(super) fn graph_hash(graph: Graph) -> CellHash {
    let n = graph.vertices();
    let (mut ins, mut outs) = ([0; MAX], [0; MAX]);
    let mut texts = [Text::new(); LANES];
    for v in 0..n {
        (ins[v], outs[v]) = (graph.ins(v), graph.outs(v));
        texts[v] = first_text(graph, outs[v], ins[v], v);
    }
    let mut digests = md5(&mut texts);
    for _ in 0..n {
        let order = sorted(&digests[..n]);
        let digits = digests.map(hex);
        let mut texts = [Text::new(); LANES];
        for (v, text) in texts.iter_mut().enumerate().take(n) {
            for neighbours in [ins[v], outs[v]] {
                for &u in &order[..n] {
                    if neighbours >> u & 1 == 1 {
                        text.push(&digits[usize::from(u)]);
                    }
                }
                text.push(b"|");
            }
            text.push(&digits[v]);
        }
        digests = md5(&mut texts);
    }
    let mut text = Text::new();
    for (k, &v) in sorted(&digests[..n])[..n].iter().enumerate() {
        if k == 0 {
            text.push(b"['");
        } else {
            text.push(b"', '");
        }
        text.push(&hex(digests[usize::from(v)]));
    }
    text.push(b"']");
    CellHash(text.md5())
}

/// `(out_degree, in_degree, label)`, as Python writes it.
fn first_text(graph: Graph, outs: u8, ins: u8, vertex: usize) -> Text {
    let digit = |mask: u8| b'0' + mask.count_ones() as u8;
    let mut text = Text::new();
    text.push(&[b'(', digit(outs), b',', b' ', digit(ins), b',', b' ']);
    match graph.label(vertex) {
        Some(-1) => text.push(b"-1"),
        Some(0) => text.push(b"0"),
        Some(1) => text.push(b"1"),
        Some(2) => text.push(b"2"),
        _ => text.push(b"-2"),
    }
    text.push(b")");
    text
}

/// The vertices in the order of their digests.
fn sorted(digests: &[[u8; 16]]) -> [u8; MAX] {
    let mut order = [0, 1, 2, 3, 4, 5, 6];
    order[..digests.len()].sort_unstable_by_key(|&v| &digests[usize::from(v)]);
    order
}
