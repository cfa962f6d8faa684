//! Cells through serde.
#![cfg(feature = "serde")]

use ecnas::cell::{Cell, CellHash, Op};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor, value};

/// A format that no one reads: one number, or a tuple of bytes.
enum Binary {
    Number(u64),
    Bytes([u8; 16]),
}

impl<'de> Deserializer<'de> for Binary {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        match self {
            Binary::Number(number) => visitor.visit_u64(number),
            Binary::Bytes(bytes) => {
                visitor.visit_seq(value::SeqDeserializer::new(bytes.into_iter()))
            }
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

#[test]
fn json_holds_text() {
    // Vertex 2 is pruned, and stays in the text.
    let cell: Cell = "0110000100000000:input,maxpool3x3,conv3x3-bn-relu,output"
        .parse()
        .unwrap();
    let json = serde_json::to_string(&(cell, cell.hash(), Op::Conv1x1)).unwrap();
    assert_eq!(
        json,
        r#"["0110000100000000:input,maxpool3x3,conv3x3-bn-relu,output","53cee42601ad14d661bb6878031d6acb","conv1x1-bn-relu"]"#
    );
    let (read, hash, op): (Cell, CellHash, Op) = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (read.code(), hash, op),
        (cell.code(), cell.hash(), Op::Conv1x1)
    );
}

#[test]
fn other_formats_hold_numbers() {
    let cell: Cell = "010001000:input,maxpool3x3,output".parse().unwrap();
    let read = Cell::deserialize(Binary::Number(cell.code())).unwrap();
    assert_eq!(read.code(), cell.code());
    let hash = CellHash::deserialize(Binary::Bytes(cell.hash().to_bytes())).unwrap();
    assert_eq!(hash, cell.hash());
    assert!(Cell::deserialize(Binary::Number(u64::MAX)).is_err());
}

#[test]
fn what_is_wrong_is_refused_with_a_reason() {
    let error = serde_json::from_str::<Cell>(r#""010:input""#)
        .unwrap_err()
        .to_string();
    assert!(error.contains("3 digits"), "{error}");
    let error = serde_json::from_str::<CellHash>(r#""00""#)
        .unwrap_err()
        .to_string();
    assert!(error.contains("found 2"), "{error}");
    let error = serde_json::from_str::<Op>(r#""conv""#)
        .unwrap_err()
        .to_string();
    assert!(error.contains("maxpool3x3"), "{error}");
}
