use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// A training budget: the number of epochs that a network was trained for.
///
/// NAS-Bench-101 and EC-NAS use 4, 12, 36 and 108; any positive number is legal.
///
/// ```
/// use ecnas::metrics::Budget;
/// let budget = Budget::epochs(108)?;
/// assert_eq!(budget.get(), 108);
/// assert_eq!(budget.to_string(), "108 epochs");
/// assert!(Budget::epochs(0).is_err());
/// # Ok::<(), ecnas::metrics::BudgetError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Budget(NonZeroU32);

/// A number that is no training budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("a budget is a whole number of epochs from 1 to {max}, found {found}", max = u32::MAX)]
pub struct BudgetError {
    /// What was given.
    pub found: String,
}

impl Budget {
    /// The smallest budget.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// A budget of so many epochs.
    ///
    /// # Errors
    /// Zero is no budget.
    pub fn epochs(epochs: u32) -> Result<Self, BudgetError> {
        NonZeroU32::new(epochs).map(Self).ok_or(BudgetError {
            found: "0".to_owned(),
        })
    }

    /// The number of epochs.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for Budget {
    type Error = BudgetError;

    fn try_from(epochs: u32) -> Result<Self, BudgetError> {
        Self::epochs(epochs)
    }
}

impl FromStr for Budget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        text.trim()
            .parse::<NonZeroU32>()
            .map(Self)
            .map_err(|_| BudgetError {
                found: text.to_owned(),
            })
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.get() == 1 { "" } else { "s" };
        write!(f, "{} epoch{plural}", self.0)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Budget({})", self.0)
    }
}
