//! Finding bounds in sorted values.

/// How many of ascending values lie up to a limit.
///
/// One function for all arrays, however small: where caches are cold, a line of code counts like one of data.
///
/// # Complexity
/// O(log n).
#[inline(never)]
pub(super) fn up_to(values: &[f64], limit: f64) -> usize {
    /// So few are read side by side: four cache lines.
    const FEW: usize = 32;
    let (mut before, mut left) = (0, values);
    while left.len() > FEW {
        let (low, high) = left.split_at(left.len() / 2);
        let is_high = high.first().is_some_and(|&first| first <= limit);
        before += if is_high { low.len() } else { 0 };
        left = if is_high { high } else { low };
    }
    let within = left.iter().map(|&value| usize::from(value <= limit));
    before + within.sum::<usize>()
}
