//! Size and work of the network that a cell stands for.
// Fixed arrays of 7 are indexed by vertex numbers below `vertices <= 7`.
#![allow(clippy::indexing_slicing)]

use super::graph::{Graph, MAX, bits};
use super::{Cell, Op};

/// Channels of the stem and of the first stack; each further stack doubles them.
const STEM_CHANNELS: u64 = 128;
/// Width and height of the image, of the stem and of the first stack; each further stack halves them.
const STEM_SIDE: u64 = 32;
/// Channels of the image.
const IMAGE_CHANNELS: u64 = 3;
/// Cells in a stack.
const CELLS: u64 = 3;
/// Classes that the classifier tells apart.
const CLASSES: u64 = 10;

/// Multiply-accumulate operations of one forward pass over one 32 x 32 image,
/// by part of the network.
///
/// Convolutions and the dense layer count, `k * k * inputs * outputs` for each
/// pixel; pooling, normalisation, additions and rectifiers do not. One
/// multiply-accumulate is two floating-point operations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Macs {
    /// The 3 x 3 convolution before the first stack.
    pub stem: u64,
    /// The three stacks, three cells each.
    pub stacks: [u64; 3],
    /// The dense layer.
    pub classifier: u64,
}

impl Macs {
    /// The whole network.
    pub const fn total(&self) -> u64 {
        let [a, b, c] = self.stacks;
        self.stem + a + b + c + self.classifier
    }
}

/// A convolution followed by batch normalisation: no bias, a scale and a shift per channel.
#[derive(Clone, Copy)]
struct Conv {
    side: u64,
    inputs: u64,
    outputs: u64,
}

impl Conv {
    const fn weights(self) -> u64 {
        self.side * self.side * self.inputs * self.outputs
    }

    const fn parameters(self) -> u64 {
        self.weights() + 2 * self.outputs
    }
}

const STEM: Conv = Conv {
    side: 3,
    inputs: IMAGE_CHANNELS,
    outputs: STEM_CHANNELS,
};

impl Cell {
    /// Trainable parameters of NAS-Bench-101's network of this cell, with 10 classes.
    ///
    /// Exactly the figure that NAS-Bench-101 and EC-NAS publish. Where the
    /// channels of a cell's output do not divide evenly among the vertices that
    /// feed it, the first of them take one more each: the figure then depends on
    /// the order of the vertices, so that equal cells drawn differently may differ
    /// slightly. It is computed for the pruned drawing; that of [`Cell::canonical`] gives the published figure.
    ///
    /// ```
    /// use ecnas::cell::Cell;
    ///
    /// // Nothing but the projections from input to output.
    /// let cell: Cell = "0100:input,output".parse()?;
    /// let stem = 9 * 3 * 128 + 2 * 128;
    /// let first = 3 * (128 * 128 + 2 * 128);
    /// let second = 128 * 256 + 2 * 256 * 256 + 3 * 2 * 256;
    /// let third = 256 * 512 + 2 * 512 * 512 + 3 * 2 * 512;
    /// let dense = 512 * 10 + 10;
    /// assert_eq!(cell.trainable_parameters(), stem + first + second + third + dense);
    /// # Ok::<(), ecnas::cell::CellError>(())
    /// ```
    pub fn trainable_parameters(&self) -> u64 {
        let graph = self.graph();
        let mut sum = STEM.parameters();
        for stack in 0..3 {
            each_conv(graph, stack, |conv, count| sum += count * conv.parameters());
        }
        sum + (stack_channels(2) + 1) * CLASSES
    }

    /// Multiply-accumulate operations of NAS-Bench-101's network of this cell,
    /// for one image of 32 x 32 pixels and 10 classes.
    ///
    /// Depends on the drawing as [`Cell::trainable_parameters`] does.
    pub fn macs(&self) -> Macs {
        let graph = self.graph();
        let mut stacks = [0; 3];
        for (stack, sum) in stacks.iter_mut().enumerate() {
            let pixels = (STEM_SIDE >> stack).pow(2);
            each_conv(graph, stack, |conv, count| {
                *sum += count * conv.weights() * pixels
            });
        }
        Macs {
            stem: STEM.weights() * STEM_SIDE.pow(2),
            stacks,
            classifier: stack_channels(2) * CLASSES,
        }
    }
}

/// Channels that leave the cells of a stack, in 0 to 2.
pub(crate) const fn stack_channels(stack: usize) -> u64 {
    STEM_CHANNELS << stack
}

/// Calls `add` for every convolution of a stack and the number of its copies.
///
/// Only the first cell of a stack may see other channels than it puts out.
fn each_conv(graph: Graph, stack: usize, mut add: impl FnMut(Conv, u64)) {
    let outputs = stack_channels(stack);
    let inputs = stack_channels(stack.saturating_sub(1));
    let width = vertex_channels(graph, outputs);
    for (to, &to_channels) in width.iter().enumerate().take(graph.vertices()).skip(1) {
        if graph.has_edge(0, to) {
            // Every edge from the input is a projection.
            let projection = |inputs| Conv {
                side: 1,
                inputs,
                outputs: to_channels,
            };
            add(projection(inputs), 1);
            add(projection(outputs), CELLS - 1);
        }
        let side = match graph.op(to) {
            Some(Op::Conv3x3) => 3,
            Some(Op::Conv1x1) => 1,
            Some(Op::MaxPool3x3) | None => continue,
        };
        add(
            Conv {
                side,
                inputs: to_channels,
                outputs: to_channels,
            },
            CELLS,
        );
    }
}

/// Channels of each vertex of a cell that puts out `outputs` channels; the input's are left 0.
///
/// The output concatenates the vertices that feed it, so they share its
/// channels; the others are as wide as the widest vertex they feed.
pub(crate) fn vertex_channels(graph: Graph, outputs: u64) -> [u64; MAX] {
    let output = graph.output();
    let mut width = [0; MAX];
    width[output] = outputs;
    let feeding = graph.ins(output) & !1;
    let shares = u64::from(feeding.count_ones()).max(1);
    for (k, v) in bits(feeding).enumerate() {
        width[v] = outputs / shares + u64::from((k as u64) < outputs % shares);
    }
    for v in (1..output).rev().filter(|v| feeding >> v & 1 == 0) {
        width[v] = bits(graph.outs(v)).map(|to| width[to]).max().unwrap_or(0);
    }
    width
}
