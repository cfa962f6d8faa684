//! The operations of interior vertices.

use std::fmt;

/// What an interior vertex of a cell computes.
///
/// The discriminants are the label numbers of the released graph files, and
/// of the order in which NAS-Bench-101 hashes them.
///
/// ```
/// use ecnas::cell::Op;
///
/// assert_eq!(Op::from_name("maxpool3x3"), Some(Op::MaxPool3x3));
/// assert_eq!(Op::Conv1x1.label(), 1);
/// assert_eq!(Op::Conv3x3.to_string(), "conv3x3-bn-relu");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Op {
    /// 3 x 3 convolution, batch normalisation, rectifier.
    Conv3x3 = 0,
    /// 1 x 1 convolution, batch normalisation, rectifier.
    Conv1x1 = 1,
    /// 3 x 3 maximum pooling with stride 1.
    MaxPool3x3 = 2,
}

impl Op {
    /// Every operation, in the order of the label numbers.
    pub const ALL: [Op; 3] = [Op::Conv3x3, Op::Conv1x1, Op::MaxPool3x3];

    /// NAS-Bench-101's name, such as `conv3x3-bn-relu`.
    pub const fn name(self) -> &'static str {
        match self {
            Op::Conv3x3 => "conv3x3-bn-relu",
            Op::Conv1x1 => "conv1x1-bn-relu",
            Op::MaxPool3x3 => "maxpool3x3",
        }
    }

    /// The operation of that name, if it is one of the three.
    pub fn from_name(name: &str) -> Option<Op> {
        Op::ALL.into_iter().find(|op| op.name() == name)
    }

    /// The label number: 0, 1 or 2.
    pub const fn label(self) -> i8 {
        self as i8
    }

    /// The operation of that label number, if it is one of the three.
    pub const fn from_label(label: i8) -> Option<Op> {
        match label {
            0 => Some(Op::Conv3x3),
            1 => Some(Op::Conv1x1),
            2 => Some(Op::MaxPool3x3),
            _ => None,
        }
    }
}

/// Writes [`Op::name`].
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
