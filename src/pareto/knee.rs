use super::{extremes, front};

/// The knee of a front of two objectives: the point where it bends the most.
///
/// Both objectives are scaled to `[0, 1]` between the two extremes of the front, L (best in the first) and R (best in the
/// second). The bend angle of a point p between them is
/// `atan((L2 - p2) / (p1 - L1)) - atan((p2 - R2) / (R1 - p1))`; the knee is where it is greatest, of several where the first
/// objective is least. `None` for a front of fewer than three distinct points. Source: Deb, Gupta 2011.
///
/// # Complexity
/// As [`front`].
#[must_use]
pub fn knee(points: &[[f64; 2]]) -> Option<u32> {
    let ends = extremes(points)?;
    let [left, right] = ends.map(|place| points.get(place as usize).copied());
    let ([left_x, left_y], [right_x, right_y]) = (left?, right?);
    let (width, height) = (right_x - left_x, left_y - right_y);
    if width.is_nan() || height.is_nan() || width <= 0.0 || height <= 0.0 {
        return None;
    }
    let mut knee: Option<(f64, u32)> = None;
    for place in front(points) {
        let &[x, y] = points.get(place as usize)?;
        if x <= left_x || y <= right_y {
            continue;
        }
        let fall = ((left_y - y) / height).atan2((x - left_x) / width);
        let rest = ((y - right_y) / height).atan2((right_x - x) / width);
        let angle = fall - rest;
        if knee.is_none_or(|(greatest, _)| angle > greatest) {
            knee = Some((angle, place));
        }
    }
    knee.map(|(_, place)| place)
}
