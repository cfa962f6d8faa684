use std::fmt;

/// What a query did to find its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// What it did, in order.
    pub steps: Vec<Step>,
    /// How many rows it found.
    pub rows: usize,
}

/// One step of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The structure that answered: an index, or `scan`.
    pub structure: &'static str,
    /// What it was asked, as people write it.
    pub of: String,
    /// How many rows were looked at, one by one or 64 at once.
    pub touched: usize,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Step {
            structure,
            of,
            touched,
        } in &self.steps
        {
            writeln!(f, "{structure} of {of}: {touched} rows touched")?;
        }
        write!(f, "{} rows found", self.rows)
    }
}

/// Takes notes while a query runs, or does not.
#[derive(Debug, Default)]
pub(super) struct Trace(Option<Vec<Step>>);

impl Trace {
    pub const fn off() -> Self {
        Self(None)
    }

    pub const fn on() -> Self {
        Self(Some(Vec::new()))
    }

    pub fn note(&mut self, structure: &'static str, touched: usize, of: impl FnOnce() -> String) {
        if let Some(steps) = &mut self.0 {
            steps.push(Step {
                structure,
                of: of(),
                touched,
            });
        }
    }

    pub fn explain(self, rows: usize) -> Explanation {
        Explanation {
            steps: self.0.unwrap_or_default(),
            rows,
        }
    }
}
