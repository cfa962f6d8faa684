//! Why something is not a cell.

use super::Edit;

/// Why a cell could not be built.
///
/// Vertices, rows and columns count from 0, in the numbering of what was given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CellError {
    /// Too few or too many vertices were given.
    #[error(
        "a cell has 2 to 7 vertices including input and output, found {found}; \
         the limit holds before pruning, so remove vertices that are on no path first"
    )]
    VertexCount {
        /// Vertices given.
        found: usize,
    },
    /// A row of the matrix is too short or too long.
    #[error(
        "row {row} of the adjacency matrix has {found} entries, expected {expected}: \
         as many as there are rows"
    )]
    NotSquare {
        /// The row.
        row: usize,
        /// Number of rows.
        expected: usize,
        /// Length of that row.
        found: usize,
    },
    /// The length of a string of adjacency bits is not a square.
    #[error(
        "adjacency of {found} digits, expected the square of the number of vertices: \
         4, 9, 16, 25, 36 or 49; a spreadsheet that took it for a number has dropped its leading zeros: take the original \
         file, or format the column as text"
    )]
    BitsLength {
        /// Digits given.
        found: usize,
    },
    /// There is not one operation for each vertex.
    #[error(
        "{found} operations for {expected} vertices; give one for each vertex, \
         `input` first and `output` last"
    )]
    OperationCount {
        /// Number of vertices.
        expected: usize,
        /// Operations given.
        found: usize,
    },
    /// An entry of the matrix is neither 0 nor 1.
    #[error("adjacency entry at row {row}, column {column} is {found}, expected 0 or 1")]
    BadEntry {
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// The entry.
        found: u8,
    },
    /// A character of the adjacency bits is neither `0` nor `1`.
    #[error("adjacency digit {found:?} at position {position}, expected '0' or '1'")]
    BadDigit {
        /// Position, in characters from 0.
        position: usize,
        /// The character.
        found: char,
    },
    /// An edge does not lead from a lower to a higher vertex.
    #[error(
        "edge at row {row}, column {column} is not above the diagonal; \
         number the vertices so that every edge leads to a higher number"
    )]
    NotUpperTriangular {
        /// The row: where the edge starts.
        row: usize,
        /// The column: where the edge ends.
        column: usize,
    },
    /// An operation's name is unknown.
    #[error(
        "unknown operation {found:?} at vertex {vertex}; expected conv3x3-bn-relu, \
         conv1x1-bn-relu or maxpool3x3 (input first, output last)"
    )]
    UnknownOperation {
        /// The vertex.
        vertex: usize,
        /// The name given.
        found: String,
    },
    /// A label number is unknown.
    #[error(
        "unknown label {found} at vertex {vertex}; expected -1 (input), -2 (output), \
         0 (conv3x3-bn-relu), 1 (conv1x1-bn-relu) or 2 (maxpool3x3)"
    )]
    UnknownLabel {
        /// The vertex.
        vertex: usize,
        /// The label given.
        found: i8,
    },
    /// Input or output is at the wrong place, or missing there.
    #[error("vertex {vertex} is {found}, expected {expected}")]
    Misplaced {
        /// The vertex.
        vertex: usize,
        /// What belongs there: `input`, `output` or `an operation`.
        expected: &'static str,
        /// Name of what was given.
        found: &'static str,
    },
    /// No path leads from input to output.
    #[error("no path leads from input to output; add the edges that connect them")]
    Disconnected,
    /// More edges remain after pruning than the search space allows.
    #[error("{found} edges remain after pruning, at most 9 are allowed; drop some")]
    TooManyEdges {
        /// Edges after pruning.
        found: usize,
    },
    /// A packed code is not one that [`Cell::code`](super::Cell::code) returns.
    #[error(
        "{code:#018x} is not the code of a cell: {reason}; use only what `Cell::code` returned"
    )]
    BadCode {
        /// The code given.
        code: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A text has no colon between adjacency and operations.
    #[error(
        "{found:?} is not a cell; expected adjacency digits, a colon and operations, \
         such as 010001000:input,conv3x3-bn-relu,output"
    )]
    BadText {
        /// The text given, or how it begins.
        found: String,
    },
    /// An edit does not fit the cell it is made on.
    #[error("the edit \"{edit}\" does not fit; make edits on the cell they were asked of")]
    Edit {
        /// The edit.
        edit: Edit,
    },
    /// Edits lead to a cycle.
    #[error("the edits lead to a cycle; make edits on the cell they were asked of")]
    Cycle,
}
