//! Which names a user's own columns may have.

use super::Metric;

/// The names that have a meaning of their own where the columns of a table stand: in exports, in the JSON and CSV of the
/// program `ecnas`, in conditions (a cell's features), and in the CSV files that are imported. Sorted.
///
/// A column of such a name would take the place of that meaning, or lose its own values to it.
pub const RESERVED_NAMES: [&str; 38] = [
    "accuracy_change",
    "adjacency",
    "budget",
    "budget_epochs",
    "checkpoint_provenance",
    "checkpoints",
    "co2e_at_site_g",
    "co2e_saved_g",
    "conv1x1",
    "conv3x3",
    "edges",
    "edit_count",
    "edits",
    "elsewhere",
    "epochs",
    "estimated",
    "hash",
    "input_output_edge",
    "is_estimate",
    "maxpool3x3",
    "module_adjacency",
    "module_hash",
    "module_operations",
    "on_front",
    "operations",
    "power",
    "provenance",
    "reference_hash",
    "repeat",
    "saving_fraction",
    "started",
    "stopped",
    "table",
    "time_saving_fraction",
    "trial_count",
    "trials",
    "unrecognised",
    "vertices",
];

/// Whether a user's own column may not have this name: one of [`RESERVED_NAMES`], or that of a [`Metric`].
///
/// Upper and lower case are the same here, and so are spaces, hyphens and underscores: `Is Estimate` is `is_estimate`.
///
/// ```
/// use ecnas::metrics::is_reserved_name;
/// assert!(is_reserved_name("Is Estimate") && is_reserved_name("energy_kwh"));
/// assert!(!is_reserved_name("latency_ms"));
/// ```
#[must_use]
pub fn is_reserved_name(name: &str) -> bool {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return false;
    }
    let name = plain_name(name);
    RESERVED_NAMES.binary_search(&name.as_str()).is_ok() || Metric::from_name(&name).is_some()
}

/// A name in lower case, its words joined by underscores.
pub(crate) fn plain_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| c.is_whitespace() || matches!(c, '-' | '_'));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_found_in_any_spelling() {
        assert!(RESERVED_NAMES.is_sorted());
        for name in RESERVED_NAMES {
            let spelled = format!(" {} ", name.to_uppercase().replace('_', " - "));
            assert!(
                is_reserved_name(name) && is_reserved_name(&spelled),
                "{spelled}"
            );
        }
        for name in ["", "tables", "latency_ms", "is estimated", "my_hash"] {
            assert!(!is_reserved_name(name), "{name}");
        }
    }
}
