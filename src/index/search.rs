//! Finding bounds in sorted values.

/// How many of ascending values lie up to a limit.
///
/// One function for all arrays, however small: where caches are cold, a line of code counts like one of data.
///
/// # Complexity
/// O(log n).
#[inline(never)]
pub(super) fn up_to(values: &[f64], limit: f64) -> usize {
    values.partition_point(|&value| value <= limit)
}
