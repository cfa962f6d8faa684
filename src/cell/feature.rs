use super::{Cell, Op};

/// A property of a cell's graph, after pruning, that has few values: what cells can be chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Feature {
    /// Number of vertices, input and output included: 2 to 7.
    Vertices,
    /// Number of edges: 1 to 9.
    Edges,
    /// Number of 3x3 convolutions.
    Conv3x3,
    /// Number of 1x1 convolutions.
    Conv1x1,
    /// Number of 3x3 max-poolings.
    MaxPool3x3,
    /// 1 where an edge leads from the input to the output, else 0.
    InputOutputEdge,
}

impl Feature {
    /// All features.
    pub const ALL: [Self; 6] = [
        Self::Vertices,
        Self::Edges,
        Self::Conv3x3,
        Self::Conv1x1,
        Self::MaxPool3x3,
        Self::InputOutputEdge,
    ];

    /// The feature's name: `vertices`, `edges`, `conv3x3`, `conv1x1`, `maxpool3x3`, `input_output_edge`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vertices => "vertices",
            Self::Edges => "edges",
            Self::Conv3x3 => "conv3x3",
            Self::Conv1x1 => "conv1x1",
            Self::MaxPool3x3 => "maxpool3x3",
            Self::InputOutputEdge => "input_output_edge",
        }
    }

    /// The feature with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }
}

impl Cell {
    /// The cell's value in a feature, after pruning.
    #[must_use]
    pub fn feature(&self, feature: Feature) -> u8 {
        let graph = self.graph();
        let count = |op: Op| graph.iter_ops().filter(|&own| own == op).count() as u8;
        match feature {
            Feature::Vertices => graph.vertices() as u8,
            Feature::Edges => graph.edges() as u8,
            Feature::Conv3x3 => count(Op::Conv3x3),
            Feature::Conv1x1 => count(Op::Conv1x1),
            Feature::MaxPool3x3 => count(Op::MaxPool3x3),
            Feature::InputOutputEdge => u8::from(graph.has_edge(0, graph.output())),
        }
    }
}
