use std::fmt;
use std::ops::{Bound, RangeBounds};

use super::IndexError;

/// A stretch of numbers with open, closed or no bounds. NaN lies in none; -0 equals 0.
///
/// ```
/// use ecnas::index::Interval;
/// let cheap = Interval::new(..=0.3)?;
/// assert!(cheap.contains(0.3) && !cheap.contains(0.31) && !cheap.contains(f64::NAN));
/// # Ok::<(), ecnas::index::IndexError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    lower: Bound<f64>,
    upper: Bound<f64>,
}

impl RangeBounds<f64> for Interval {
    fn start_bound(&self) -> Bound<&f64> {
        self.lower.as_ref()
    }

    fn end_bound(&self) -> Bound<&f64> {
        self.upper.as_ref()
    }
}

impl Interval {
    /// All numbers.
    pub const ALL: Self = Self {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
    };

    /// All finite numbers.
    pub const FINITE: Self = Self {
        lower: Bound::Included(f64::MIN),
        upper: Bound::Included(f64::MAX),
    };

    /// The numbers below this one; none below NaN.
    pub(crate) const fn below(bound: f64) -> Self {
        Self {
            lower: Bound::Unbounded,
            upper: Bound::Excluded(bound),
        }
    }

    /// One number alone; none for NaN.
    pub(crate) const fn at(value: f64) -> Self {
        Self {
            lower: Bound::Included(value),
            upper: Bound::Included(value),
        }
    }

    /// The numbers up to this one; none for NaN.
    pub(crate) const fn up_to(most: f64) -> Self {
        Self {
            lower: Bound::Unbounded,
            upper: Bound::Included(most),
        }
    }

    /// The numbers from this one on; none for NaN.
    pub(crate) const fn from(least: f64) -> Self {
        Self {
            lower: Bound::Included(least),
            upper: Bound::Unbounded,
        }
    }

    /// From a range: `..=0.3`, `0.9..`, `0.1..0.2`, or a pair of [`Bound`]s. One whose ends are crossed is empty.
    ///
    /// # Errors
    /// A bound is NaN.
    pub fn new(range: impl RangeBounds<f64>) -> Result<Self, IndexError> {
        let (lower, upper) = (range.start_bound().cloned(), range.end_bound().cloned());
        let is_nan = |bound: Bound<f64>| match bound {
            Bound::Included(value) | Bound::Excluded(value) => value.is_nan(),
            Bound::Unbounded => false,
        };
        if is_nan(lower) || is_nan(upper) {
            return Err(IndexError::NotANumber);
        }
        Ok(Self { lower, upper })
    }

    /// The numbers that lie in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            lower: tighter(self.lower, other.lower, |a, b| a > b),
            upper: tighter(self.upper, other.upper, |a, b| a < b),
        }
    }

    /// Whether a number lies in the interval.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        let [least, greatest] = self.ends();
        (least <= value) & (value <= greatest)
    }

    /// The least and the greatest number in the interval, by which [`contains`](Self::contains) is two comparisons; NaN
    /// where an end leaves nothing.
    pub(crate) const fn ends(&self) -> [f64; 2] {
        let least = match self.lower {
            Bound::Included(value) => value,
            Bound::Excluded(f64::INFINITY) => f64::NAN,
            Bound::Excluded(value) => value.next_up(),
            Bound::Unbounded => f64::NEG_INFINITY,
        };
        let greatest = match self.upper {
            Bound::Included(value) => value,
            Bound::Excluded(value) => below(value),
            Bound::Unbounded => f64::INFINITY,
        };
        [least, greatest]
    }

    /// The greatest number below the interval and the greatest in it, so that both ends are where numbers up to a limit end.
    /// `None` where it has no such end; NaN where there is no such number.
    pub(crate) const fn limits(&self) -> [Option<f64>; 2] {
        let before = match self.lower {
            Bound::Included(value) => Some(below(value)),
            Bound::Excluded(value) => Some(value),
            Bound::Unbounded => None,
        };
        let within = match self.upper {
            Bound::Unbounded => None,
            Bound::Included(_) | Bound::Excluded(_) => {
                let [_, greatest] = self.ends();
                Some(greatest)
            }
        };
        [before, within]
    }

    /// The lower bound; minus infinity where there is none.
    pub(crate) const fn least(&self) -> f64 {
        match self.lower {
            Bound::Included(value) | Bound::Excluded(value) => value,
            Bound::Unbounded => f64::NEG_INFINITY,
        }
    }

    /// Whether no number lies in the interval.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (self.lower, self.upper) {
            (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
            (
                Bound::Included(lower) | Bound::Excluded(lower),
                Bound::Included(upper) | Bound::Excluded(upper),
            ) => lower >= upper,
            _ => false,
        }
    }

    /// Writes the interval as inequalities about something: `0.1<energy_kwh<=0.3`.
    pub(crate) fn write_about(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.lower, self.upper) {
            (Bound::Included(lower), Bound::Included(upper)) if lower == upper => {
                return write!(f, "{name}={lower}");
            }
            (Bound::Included(lower), Bound::Unbounded) => return write!(f, "{name}>={lower}"),
            (Bound::Excluded(lower), Bound::Unbounded) => return write!(f, "{name}>{lower}"),
            (Bound::Included(lower), _) => write!(f, "{lower}<={name}")?,
            (Bound::Excluded(lower), _) => write!(f, "{lower}<{name}")?,
            (Bound::Unbounded, _) => f.write_str(name)?,
        }
        match self.upper {
            Bound::Included(upper) => write!(f, "<={upper}"),
            Bound::Excluded(upper) => write!(f, "<{upper}"),
            Bound::Unbounded => Ok(()),
        }
    }
}

/// The greatest number below another; NaN where there is none.
const fn below(bound: f64) -> f64 {
    if bound == f64::NEG_INFINITY {
        f64::NAN
    } else {
        bound.next_down()
    }
}

fn tighter(a: Bound<f64>, b: Bound<f64>, tighter: impl Fn(f64, f64) -> bool) -> Bound<f64> {
    match (a, b) {
        (Bound::Unbounded, other) | (other, Bound::Unbounded) => other,
        (Bound::Included(x) | Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) => {
            if x == y {
                if matches!(a, Bound::Excluded(_)) {
                    a
                } else {
                    b
                }
            } else if tighter(x, y) {
                a
            } else {
                b
            }
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lower {
            Bound::Included(value) => write!(f, "[{value}, ")?,
            Bound::Excluded(value) => write!(f, "({value}, ")?,
            Bound::Unbounded => f.write_str("(, ")?,
        }
        match self.upper {
            Bound::Included(value) => write!(f, "{value}]"),
            Bound::Excluded(value) => write!(f, "{value})"),
            Bound::Unbounded => f.write_str(")"),
        }
    }
}
