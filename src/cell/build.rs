//! From matrices, names, labels, text and codes to cells.
// A fixed array of 49 digits is filled and cut at a length checked to be at most 49.
#![allow(clippy::indexing_slicing)]

use std::str::FromStr;

use super::graph::{Graph, MAX, column, op_shift};
use super::{Cell, CellError, Op};

/// Label numbers of input and output.
const INPUT: i8 = -1;
const OUTPUT: i8 = -2;

impl Cell {
    /// A cell from an adjacency matrix of 0 and 1, row by row, and the name of
    /// each vertex, `input` first and `output` last.
    ///
    /// Vertices that are on no path from input to output are pruned, as
    /// NAS-Bench-101 does; [`Cell::given`] still shows them. The limit of
    /// [`Cell::MAX_EDGES`] holds after pruning, that of [`Cell::MAX_VERTICES`]
    /// before it.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let adjacency = [[0, 1, 1], [0, 0, 1], [0, 0, 0]];
    /// let cell = Cell::new(&adjacency, &["input", "maxpool3x3", "output"])?;
    /// assert_eq!(cell.to_string(), "011001000:input,maxpool3x3,output");
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    ///
    /// # Errors
    /// Everything in [`CellError`] that concerns matrices, names and limits.
    pub fn new<R: AsRef<[u8]>, S: AsRef<str>>(
        adjacency: &[R],
        operations: &[S],
    ) -> Result<Cell, CellError> {
        let edges = edges(adjacency.len(), adjacency.iter().map(R::as_ref))?;
        let labels = operations.iter().map(S::as_ref).enumerate().map(named);
        let ops = ops(adjacency.len(), operations.len(), labels)?;
        Cell::from_given(Graph::from_parts(adjacency.len(), edges, ops))
    }

    /// A cell in the form of the released TFRecord and CSV files: the row-major
    /// adjacency matrix as `0` and `1`, and the comma-separated names.
    ///
    /// Prunes as [`Cell::new`] does.
    ///
    /// ```
    /// use ecnas::cell::{Cell, Op};
    ///
    /// let cell = Cell::from_bits("010001000", "input,conv3x3-bn-relu,output")?;
    /// assert_eq!(cell.graph().op(1), Some(Op::Conv3x3));
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    ///
    /// # Errors
    /// Everything in [`CellError`] that concerns digits, names and limits.
    pub fn from_bits(adjacency: &str, operations: &str) -> Result<Cell, CellError> {
        let length = adjacency.chars().count();
        let n = length.isqrt();
        if n * n != length {
            return Err(CellError::BitsLength { found: length });
        }
        check_vertices(n)?;
        let mut matrix = [0; MAX * MAX];
        for ((position, found), entry) in adjacency.chars().enumerate().zip(&mut matrix) {
            *entry = match found {
                '0' => 0,
                '1' => 1,
                _ => return Err(CellError::BadDigit { position, found }),
            };
        }
        let edges = edges(n, matrix[..length].chunks(n))?;
        let labels = operations.split(',').enumerate().map(named);
        let ops = ops(n, operations.split(',').count(), labels)?;
        Cell::from_given(Graph::from_parts(n, edges, ops))
    }

    /// A cell in the form of the released `generated_graphs` files: an
    /// adjacency matrix of 0 and 1, and a label number for each vertex: -1 for
    /// the input, -2 for the output, else [`Op::label`].
    ///
    /// Prunes as [`Cell::new`] does.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let cell = Cell::from_labels(&[[0, 1, 0], [0, 0, 1], [0, 0, 0]], &[-1, 0, -2])?;
    /// assert_eq!(cell, Cell::from_bits("010001000", "input,conv3x3-bn-relu,output")?);
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    ///
    /// # Errors
    /// Everything in [`CellError`] that concerns matrices, labels and limits.
    pub fn from_labels<R: AsRef<[u8]>>(adjacency: &[R], labels: &[i8]) -> Result<Cell, CellError> {
        let edges = edges(adjacency.len(), adjacency.iter().map(R::as_ref))?;
        let checked = labels.iter().enumerate().map(|(vertex, &label)| {
            let known = matches!(label, INPUT | OUTPUT) || Op::from_label(label).is_some();
            let unknown = CellError::UnknownLabel {
                vertex,
                found: label,
            };
            if known { Ok(label) } else { Err(unknown) }
        });
        let ops = ops(adjacency.len(), labels.len(), checked)?;
        Cell::from_given(Graph::from_parts(adjacency.len(), edges, ops))
    }

    /// The cell of a packed [code](Cell::code). Every bit is checked.
    ///
    /// # Errors
    /// [`CellError::BadCode`], [`CellError::Disconnected`] or
    /// [`CellError::TooManyEdges`] if no cell has this code.
    pub fn from_code(code: u64) -> Result<Cell, CellError> {
        let bad = |reason| Err(CellError::BadCode { code, reason });
        if code >> Cell::CODE_BITS != 0 {
            return bad("bits 41 to 63 must be zero");
        }
        let graph = Cell(code).given();
        let n = graph.vertices();
        if !(2..=MAX).contains(&n) {
            return bad("the number of vertices must be 2 to 7");
        }
        if graph.packed_edges() >> column(n) != 0 {
            return bad("an edge leads to a vertex that does not exist");
        }
        if graph.packed_ops() & ((1 << op_shift(n - 2)) - 1) != 0 {
            return bad("a vertex that does not exist has an operation");
        }
        if (1..n - 1).any(|vertex| graph.op(vertex).is_none()) {
            return bad("an operation must be 0, 1 or 2");
        }
        let cell = Cell::from_given(graph)?;
        if cell.0 != code {
            return bad("the mask of kept vertices is not what pruning gives");
        }
        Ok(cell)
    }

    /// Prunes a drawing whose parts are in range.
    pub(super) fn from_given(graph: Graph) -> Result<Cell, CellError> {
        let kept = graph.on_path();
        if kept == 0 {
            return Err(CellError::Disconnected);
        }
        let found = graph.restrict(kept).edges();
        if found > Cell::MAX_EDGES {
            return Err(CellError::TooManyEdges { found });
        }
        Ok(Cell::pack(graph, kept))
    }
}

/// Reads what [`Display`](std::fmt::Display) writes: adjacency digits, a colon, operations.
impl FromStr for Cell {
    type Err = CellError;

    fn from_str(text: &str) -> Result<Cell, CellError> {
        match text.split_once(':') {
            Some((adjacency, operations)) => Cell::from_bits(adjacency, operations),
            None => Err(CellError::BadText {
                found: text.chars().take(80).collect(),
            }),
        }
    }
}

fn check_vertices(found: usize) -> Result<(), CellError> {
    if (2..=MAX).contains(&found) {
        Ok(())
    } else {
        Err(CellError::VertexCount { found })
    }
}

/// Packs the rows of an `n` x `n` matrix.
fn edges<'a>(n: usize, rows: impl Iterator<Item = &'a [u8]>) -> Result<u32, CellError> {
    check_vertices(n)?;
    let mut edges = 0;
    for (row, entries) in rows.enumerate() {
        if entries.len() != n {
            return Err(CellError::NotSquare {
                row,
                expected: n,
                found: entries.len(),
            });
        }
        for (column_, &found) in entries.iter().enumerate() {
            match found {
                0 => {}
                1 if row < column_ => edges |= 1 << (column(column_) + row),
                1 => {
                    return Err(CellError::NotUpperTriangular {
                        row,
                        column: column_,
                    });
                }
                _ => {
                    return Err(CellError::BadEntry {
                        row,
                        column: column_,
                        found,
                    });
                }
            }
        }
    }
    Ok(edges)
}

/// Packs the labels of `n` vertices, of which `count` are given.
fn ops(
    n: usize,
    count: usize,
    labels: impl Iterator<Item = Result<i8, CellError>>,
) -> Result<u16, CellError> {
    if count != n {
        return Err(CellError::OperationCount {
            expected: n,
            found: count,
        });
    }
    let mut ops = 0;
    for (vertex, label) in labels.enumerate() {
        let label = label?;
        let expected = match vertex {
            0 => "input",
            _ if vertex == n - 1 => "output",
            _ => "an operation",
        };
        match Op::from_label(label) {
            None if vertex == 0 && label == INPUT => {}
            None if vertex == n - 1 && label == OUTPUT => {}
            Some(op) if expected == "an operation" => ops |= (op as u16) << op_shift(vertex),
            op => {
                let ends = if label == INPUT { "input" } else { "output" };
                let found = op.map_or(ends, Op::name);
                return Err(CellError::Misplaced {
                    vertex,
                    expected,
                    found,
                });
            }
        }
    }
    Ok(ops)
}

/// The label number of a name.
fn named((vertex, name): (usize, &str)) -> Result<i8, CellError> {
    match name {
        "input" => Ok(INPUT),
        "output" => Ok(OUTPUT),
        _ => match Op::from_name(name) {
            Some(op) => Ok(op.label()),
            None => Err(CellError::UnknownOperation {
                vertex,
                found: name.chars().take(80).collect(),
            }),
        },
    }
}
