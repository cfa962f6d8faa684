//! What a cell looks like to the surrogate: the work of its network, operation by operation, and its structure.
// Fixed arrays of 7 are indexed by vertex numbers below `vertices <= 7`.
#![allow(clippy::indexing_slicing)]

use crate::cell::{Cell, Graph, Op, stack_channels, vertex_channels};

/// Features of a cell.
pub(super) const FEATURES: usize = 3 * PER_STACK + STRUCTURE;
const PER_STACK: usize = 7 + 2 * 6 + 5 * 2;
const STRUCTURE: usize = 12 + 18 + 6 + 16;

/// Vertices that fit.
const MAX: usize = Cell::MAX_VERTICES;
/// Operations on a path at most.
const LONGEST: usize = MAX - 2;

/// The features, in the order in which they are pushed.
struct Features {
    values: [f32; FEATURES],
    len: usize,
}

impl Features {
    fn push(&mut self, values: &[f32]) {
        self.values[self.len..self.len + values.len()].copy_from_slice(values);
        self.len += values.len();
    }
}

/// Multiply-accumulates of convolutions, also as hardware sees them that works on 8, 32 or 128 channels at once.
#[derive(Clone, Copy, Default)]
struct Convolutions {
    count: f32,
    macs: f32,
    padded: [f32; 3],
}

impl Convolutions {
    fn add(&mut self, copies: f32, inputs: u32, outputs: u32, pixels: f32) {
        let padded = |channels: u32, to: u32| channels.next_multiple_of(to) as f32;
        let work = |inputs: f32, outputs: f32| copies * inputs * outputs * pixels;
        self.count += copies;
        self.macs += work(inputs as f32, outputs as f32);
        for (slot, to) in self.padded.iter_mut().zip([8, 32, 128]) {
            *slot += work(padded(inputs, to), padded(outputs, to));
        }
    }
}

/// Counts and elements of what moves memory without computing much.
#[derive(Clone, Copy, Default)]
struct Moves {
    count: f32,
    elements: f32,
}

impl Moves {
    fn add(&mut self, count: f32, elements: f32) {
        self.count += count;
        self.elements += elements;
    }
}

/// The features of a pruned drawing.
pub(super) fn features(graph: Graph) -> [f32; FEATURES] {
    let mut features = Features {
        values: [0.0; FEATURES],
        len: 0,
    };
    let shape = Shape::new(graph);
    for stack in 0..3 {
        of_stack(&shape, stack, &mut features);
    }
    of_structure(&shape, &mut features);
    debug_assert_eq!(features.len, FEATURES);
    features.values
}

/// A graph in arrays.
struct Shape {
    graph: Graph,
    vertices: usize,
    /// Masks of the predecessors.
    ins: [u8; MAX],
    /// Operations of the interior vertices.
    ops: [Option<Op>; MAX],
}

impl Shape {
    fn new(graph: Graph) -> Self {
        let vertices = graph.vertices();
        let mut shape = Self {
            graph,
            vertices,
            ins: [0; MAX],
            ops: [None; MAX],
        };
        for vertex in 0..vertices {
            shape.ins[vertex] = graph.ins(vertex);
            shape.ops[vertex] = graph.op(vertex);
        }
        shape
    }

    fn output(&self) -> usize {
        self.vertices - 1
    }

    fn interior(&self) -> std::ops::Range<usize> {
        1..self.vertices - 1
    }

    /// 0 for the input, 1 to 3 for operations; the output is 0 as a target.
    fn kind(&self, vertex: usize) -> usize {
        self.ops[vertex].map_or(0, |op| op as usize + 1)
    }
}

/// The work of the three cells of a stack, of which the first may see other channels than it puts out.
fn of_stack(shape: &Shape, stack: usize, features: &mut Features) {
    let pixels = (1024 >> (2 * stack)) as f32;
    let outputs = stack_channels(stack);
    let inputs = stack_channels(stack.saturating_sub(1));
    let width = vertex_channels(shape.graph, outputs).map(|channels| channels as u32);
    let (inputs, outputs) = (inputs as u32, outputs as u32);

    let mut projections = Convolutions::default();
    let mut projected = [0.0_f32; 2];
    let mut convolutions = [Convolutions::default(); 2];
    let mut applied = [0.0_f32; 2];
    let mut pools = Moves::default();
    let mut additions = Moves::default();
    let mut truncations = Moves::default();
    let mut joins = Moves::default();
    let mut residuals = Moves::default();
    let output = shape.output();
    for to in 1..shape.vertices {
        let elements = width[to] as f32 * pixels;
        if shape.ins[to] & 1 == 1 {
            projections.add(1.0, inputs, width[to], pixels);
            projections.add(2.0, outputs, width[to], pixels);
            projected[0] += (inputs + 2 * outputs) as f32 * pixels;
            projected[1] += 3.0 * elements;
        }
        if to == output {
            continue;
        }
        match shape.ops[to] {
            Some(Op::Conv3x3) => {
                convolutions[0].add(3.0, width[to], width[to], pixels);
                applied[0] += 3.0 * elements;
            }
            Some(Op::Conv1x1) => {
                convolutions[1].add(3.0, width[to], width[to], pixels);
                applied[1] += 3.0 * elements;
            }
            Some(Op::MaxPool3x3) | None => pools.add(3.0, 3.0 * elements),
        }
        let more = shape.ins[to].count_ones().saturating_sub(1) as f32;
        additions.add(3.0 * more, 3.0 * more * elements);
        let wider = (1..to)
            .filter(|&from| shape.ins[to] >> from & 1 == 1 && width[from] > width[to])
            .count() as f32;
        truncations.add(3.0 * wider, 3.0 * wider * elements);
    }
    let whole = outputs as f32 * pixels;
    let feeding = (shape.ins[output] & !1).count_ones() as f32;
    if feeding > 1.0 {
        joins.add(3.0 * feeding, 3.0 * whole);
    }
    if shape.ins[output] & 1 == 1 && feeding > 0.0 {
        residuals.add(3.0, 3.0 * whole);
    }

    features.push(&[projections.count, projections.macs]);
    features.push(&projections.padded);
    features.push(&projected);
    for (convolutions, elements) in convolutions.iter().zip(applied) {
        features.push(&[convolutions.count, convolutions.macs, elements]);
        features.push(&convolutions.padded);
    }
    for moves in [pools, additions, truncations, joins, residuals] {
        features.push(&[moves.count, moves.elements]);
    }
}

/// Vertices, edges, paths: what accuracy depends on.
fn of_structure(shape: &Shape, features: &mut Features) {
    let output = shape.output();
    let count = |op: Op| {
        shape
            .interior()
            .filter(|&v| shape.ops[v] == Some(op))
            .count() as f32
    };
    let (mut deepest, mut nearest, mut convolved) = ([0_u8; MAX], [0_u8; MAX], [0_u8; MAX]);
    // Paths from the input by how many operations of a kind they have, and by their length.
    let mut with: [[[u16; LONGEST + 1]; 3]; MAX] = [[[0; LONGEST + 1]; 3]; MAX];
    let mut long: [[u16; LONGEST + 2]; MAX] = [[0; LONGEST + 2]; MAX];
    with[0] = [[1, 0, 0, 0, 0, 0]; 3];
    long[0][0] = 1;
    let mut edges = [0.0_f32; 16];
    for to in 1..shape.vertices {
        nearest[to] = u8::MAX;
        for from in (0..to).filter(|&from| shape.ins[to] >> from & 1 == 1) {
            deepest[to] = deepest[to].max(deepest[from] + 1);
            nearest[to] = nearest[to].min(nearest[from] + 1);
            convolved[to] = convolved[to].max(convolved[from]);
            let before = with[from];
            for (op, (counts, before)) in with[to].iter_mut().zip(before).enumerate() {
                let own = usize::from(shape.kind(to) == op + 1);
                for (slot, count) in counts.iter_mut().skip(own).zip(before) {
                    *slot += count;
                }
            }
            for k in 0..=LONGEST {
                long[to][k + 1] += long[from][k];
            }
            edges[4 * shape.kind(from) + shape.kind(to)] += 1.0;
        }
        convolved[to] += u8::from(shape.ops[to] == Some(Op::Conv3x3));
    }
    let paths: u16 = long[output].iter().sum();
    features.push(&[
        shape.vertices as f32,
        shape.graph.edges() as f32,
        count(Op::Conv3x3),
        count(Op::Conv1x1),
        count(Op::MaxPool3x3),
        (shape.ins[output] & !1).count_ones() as f32,
        (1..=output).filter(|&v| shape.ins[v] & 1 == 1).count() as f32,
        f32::from(deepest[output]),
        f32::from(nearest[output]),
        f32::from(convolved[output]),
        f32::from(paths),
        f32::from(shape.ins[output] & 1),
    ]);
    for counts in with[output] {
        features.push(&counts.map(f32::from));
    }
    for &paths in &long[output][1..] {
        features.push(&[f32::from(paths)]);
    }
    features.push(&edges);
}
