//! Cells (stub until the module lands).
#![allow(missing_docs)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cell(u64);
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct CellHash([u8; 16]);
#[derive(Debug, thiserror::Error)]
#[error("bad cell")]
pub struct CellError;
impl Cell {
    pub fn code(self) -> u64 {
        self.0
    }
    pub fn from_code(c: u64) -> Result<Cell, CellError> {
        Ok(Cell(c))
    }
    pub fn trainable_parameters(&self) -> u64 {
        0
    }
}
impl CellHash {
    pub const fn from_bytes(b: [u8; 16]) -> Self {
        Self(b)
    }
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}
impl std::fmt::Display for CellHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for b in self.0 {
            write!(f, "{b:02x}")?;
        }
        Ok(())
    }
}
