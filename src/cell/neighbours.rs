//! The cells one edit away.

use super::draft::Draft;
use super::{Cell, Edit, Op, Vertex};

impl Cell {
    /// The legal cells that one edit makes of this one: an operation swapped,
    /// an edge dropped or an edge added, whatever is pruned after that.
    ///
    /// Each is drawn canonically and comes once; the cell itself is not among
    /// them. They are sorted by [`Cell::code`] and do not depend on the drawing.
    /// No vertices are added, so a smaller cell is reached from a larger one
    /// (where a dropped edge leaves vertices on no path), but not the reverse.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let cell: Cell = "010001000:input,conv3x3-bn-relu,output".parse()?;
    /// let texts: Vec<_> = cell.neighbours().iter().map(Cell::to_string).collect();
    /// assert_eq!(texts, [
    ///     "010001000:input,conv1x1-bn-relu,output",
    ///     "010001000:input,maxpool3x3,output",
    ///     "011001000:input,conv3x3-bn-relu,output",
    /// ]);
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    ///
    /// # Complexity
    /// Some 50 edits are tried, each with a search for the canonical drawing: some 10 microseconds.
    pub fn neighbours(&self) -> Vec<Cell> {
        let graph = self.graph();
        let pairs = (0..graph.vertices())
            .flat_map(|from| (0..graph.vertices()).map(move |to| (from, to)))
            .filter(|(from, to)| from != to);
        let edges = pairs.map(|(from, to)| {
            let had = graph.has_edge(from, to);
            let (from, to) = (Vertex::Old(from as u8), Vertex::Old(to as u8));
            if had {
                Edit::DropEdge { from, to }
            } else {
                Edit::AddEdge { from, to }
            }
        });
        let swaps = (1..graph.output()).flat_map(|v| {
            let vertex = Vertex::Old(v as u8);
            let swap = move |to| graph.op(v).map(|from| Edit::Swap { vertex, from, to });
            Op::ALL.into_iter().filter_map(swap)
        });
        let mut cells: Vec<Cell> = edges
            .chain(swaps)
            .filter_map(|edit| {
                let mut draft = Draft::new(graph);
                let made = draft.make(edit);
                made.then(|| draft.finish().ok()).flatten()
            })
            .map(|cell| cell.canonical())
            .collect();
        let own = self.canonical().code();
        cells.sort_unstable_by_key(|cell| cell.code());
        cells.dedup_by_key(|cell| cell.code());
        cells.retain(|cell| cell.code() != own);
        cells
    }
}
