//! Pictures of cells: text for a terminal, DOT for Graphviz.

use std::fmt::Write;

use super::{Cell, Graph};

impl Graph {
    /// A picture for a terminal, one line for each vertex.
    ///
    /// Each vertex has a column of its own, which starts at the corner at the
    /// end of its line; a dot further down marks a vertex that it feeds.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let cell = Cell::from_bits("0111000100010000", "input,conv3x3-bn-relu,maxpool3x3,output")?;
    /// assert_eq!(cell.graph().draw(), "\
    /// 0 input           ╮
    /// 1 conv3x3-bn-relu ●─╮
    /// 2 maxpool3x3      ●─┼─╮
    /// 3 output          ●─●─●
    /// ");
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    pub fn draw(self) -> String {
        draw(self, u8::MAX)
    }

    /// The graph in Graphviz's DOT language.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let dot = Cell::from_bits("010001000", "input,maxpool3x3,output")?.graph().to_dot();
    /// assert!(dot.contains(r#"1 [label="1 maxpool3x3"]"#));
    /// assert!(dot.contains("0 -> 1;"));
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    pub fn to_dot(self) -> String {
        to_dot(self, u8::MAX)
    }
}

impl Cell {
    /// A picture of the drawing given, as [`Graph::draw`] makes it.
    ///
    /// Vertices that pruning removes are marked, and hollow dots are edges that go with them.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// let cell = Cell::from_bits("0110000100000000", "input,maxpool3x3,conv1x1-bn-relu,output")?;
    /// assert_eq!(cell.draw(), "\
    /// 0 input           ╮
    /// 1 maxpool3x3      ●─╮
    /// 2 conv1x1-bn-relu ○ │   (pruned)
    /// 3 output            ●
    /// ");
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    pub fn draw(&self) -> String {
        draw(self.given(), self.kept())
    }

    /// The drawing given in Graphviz's DOT language; what pruning removes is dashed and grey.
    pub fn to_dot(&self) -> String {
        to_dot(self.given(), self.kept())
    }
}

fn draw(graph: Graph, kept: u8) -> String {
    let keeps = |v: usize| kept >> v & 1 == 1;
    let mut text = String::new();
    for (row, name) in names(graph) {
        let mut line = format!("{row} {name:<15} ");
        // The line runs to the right from the first edge that arrives to the vertex's own corner.
        let first = graph.predecessors(row).next().unwrap_or(row);
        let last = match graph.successors(row).next() {
            Some(_) => row,
            None => graph.predecessors(row).last().unwrap_or(row),
        };
        for from in 0..=row {
            let (right, left) = (first <= from && from < last, first < from && from <= last);
            let passes = graph.successors(from).any(|to| to > row);
            line.push(match () {
                () if from == row => {
                    if passes {
                        '╮'
                    } else {
                        ' '
                    }
                }
                () if graph.has_edge(from, row) => {
                    if keeps(from) && keeps(row) {
                        '●'
                    } else {
                        '○'
                    }
                }
                () if passes && left => '┼',
                () if passes => '│',
                () if left => '─',
                () => ' ',
            });
            line.push(if right { '─' } else { ' ' });
        }
        if !keeps(row) {
            line.push_str("(pruned)");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn to_dot(graph: Graph, kept: u8) -> String {
    const GREY: &str = "style=dashed, color=gray, fontcolor=gray";
    let keeps = |v: usize| kept >> v & 1 == 1;
    let mut text = String::from("digraph cell {\n  node [shape=box];\n");
    for (v, name) in names(graph) {
        let style = match graph.op(v) {
            None => ", shape=ellipse, style=filled, fillcolor=lightgray",
            Some(_) if keeps(v) => "",
            Some(_) => &format!(", {GREY}"),
        };
        let _ = writeln!(text, "  {v} [label=\"{v} {name}\"{style}];");
    }
    for (from, to) in graph.iter_edges() {
        let style = if keeps(from) && keeps(to) {
            ""
        } else {
            &format!(" [{GREY}]")
        };
        let _ = writeln!(text, "  {from} -> {to}{style};");
    }
    text.push_str("}\n");
    text
}

/// The numbers and names of all vertices.
fn names(graph: Graph) -> impl Iterator<Item = (usize, &'static str)> {
    (0..graph.vertices()).filter_map(move |v| Some((v, graph.name(v)?)))
}
