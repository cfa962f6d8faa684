//! Multi-objective computations against double loops, and volumes against sums of cells.

use ecnas::pareto;
use proptest::prelude::*;

/// Values with ties, both zeros, infinities and NaN.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        12 => (0..8_i32).prop_map(f64::from),
        6 => (0..1_000_i32).prop_map(|value| f64::from(value) / 128.0),
        1 => prop::sample::select(vec![-0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]),
    ]
}

/// Values whose sums and products are exact.
fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0..8_i32).prop_map(f64::from),
        (0..64_i32).prop_map(|value| f64::from(value) / 8.0),
    ]
}

/// In any order, or in ascending order.
fn points<const D: usize>(most: usize) -> impl Strategy<Value = Vec<[f64; D]>> {
    let points = prop::collection::vec(prop::collection::vec(value(), D), 0..most);
    (points, any::<bool>()).prop_map(|(mut points, sorted)| {
        if sorted {
            let keys = |point: &Vec<f64>| point.iter().map(|value| value + 0.0).collect::<Vec<_>>();
            points.sort_by(|a, b| {
                let pairs = keys(a).into_iter().zip(keys(b));
                let orders = pairs.map(|(a, b)| a.total_cmp(&b));
                orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            });
        }
        points.into_iter().map(|p| p.try_into().unwrap()).collect()
    })
}

fn finite_points<const D: usize>(most: usize) -> impl Strategy<Value = Vec<[f64; D]>> {
    prop::collection::vec(prop::collection::vec(finite(), D), 0..most)
        .prop_map(|points| points.into_iter().map(|p| p.try_into().unwrap()).collect())
}

fn complete<const D: usize>(point: &[f64; D]) -> bool {
    point.iter().all(|value| !value.is_nan())
}

fn dominates<const D: usize>(a: &[f64; D], b: &[f64; D]) -> bool {
    complete(a) && complete(b) && (0..D).all(|k| a[k] <= b[k]) && (0..D).any(|k| a[k] < b[k])
}

/// Peels fronts by double loops.
fn naive_layers<const D: usize>(points: &[[f64; D]]) -> Vec<Option<u32>> {
    let mut ranks = vec![None; points.len()];
    for rank in 0.. {
        let left: Vec<usize> = (0..points.len())
            .filter(|&i| ranks[i].is_none() && complete(&points[i]))
            .collect();
        if left.is_empty() {
            break;
        }
        let front = left
            .iter()
            .filter(|&&i| !left.iter().any(|&j| dominates(&points[j], &points[i])));
        let front: Vec<usize> = front.copied().collect();
        for i in front {
            ranks[i] = Some(rank);
        }
    }
    ranks
}

fn check_fronts<const D: usize>(points: &[[f64; D]]) -> Result<(), TestCaseError> {
    let expected = naive_layers(points);
    prop_assert_eq!(&pareto::layers(points), &expected);
    let front = pareto::front(points);
    let mut places: Vec<u32> = front.clone();
    places.sort_unstable();
    let expected: Vec<u32> = (0..points.len() as u32)
        .filter(|&place| expected[place as usize] == Some(0))
        .collect();
    prop_assert_eq!(places, expected);
    let keys: Vec<_> = front
        .iter()
        .map(|&place| (points[place as usize], place))
        .collect();
    prop_assert!(keys.is_sorted_by(|a, b| a.partial_cmp(b).is_some_and(std::cmp::Ordering::is_lt)));
    for (i, a) in points.iter().enumerate().take(20) {
        for b in points.iter().skip(i) {
            prop_assert_eq!(pareto::dominates(a, b), dominates(a, b));
        }
    }
    // Extremes and corners.
    let members: Vec<[f64; D]> = front.iter().map(|&place| points[place as usize]).collect();
    let bounds = pareto::bounds(points);
    prop_assert_eq!(bounds.is_none(), members.is_empty());
    if let (Some(bounds), Some(extremes)) = (bounds, pareto::extremes(points)) {
        for k in 0..D {
            let values = || members.iter().map(|point| point[k]);
            prop_assert_eq!(bounds.ideal[k], values().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(bounds.nadir[k], values().fold(f64::NEG_INFINITY, f64::max));
            let all = points
                .iter()
                .filter(|point| complete(point))
                .map(|point| point[k]);
            let worst = all
                .filter(|value| value.is_finite())
                .fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(
                bounds.reference[k] == worst
                    || (bounds.reference[k].is_nan() && worst == f64::NEG_INFINITY)
            );
            let best = points[extremes[k] as usize];
            prop_assert_eq!(best[k], bounds.ideal[k]);
            // Of those that are as good in this objective, none dominates it.
            prop_assert!(members.contains(&best));
        }
    }
    Ok(())
}

fn check_epsilon<const D: usize>(
    points: &[[f64; D]],
    epsilon: [f64; D],
) -> Result<(), TestCaseError> {
    let chosen = pareto::epsilon_front(points, &epsilon).unwrap();
    let front = pareto::front(points);
    prop_assert!(chosen.iter().all(|place| front.contains(place)));
    for point in points.iter().filter(|point| complete(point)) {
        let covered = chosen.iter().any(|&place| {
            let own = &points[place as usize];
            (0..D).all(|k| own[k] <= point[k] || own[k] - epsilon[k] <= point[k])
        });
        prop_assert!(covered, "{:?} by {:?}", point, chosen);
    }
    // One for each box.
    let boxes: Vec<[f64; D]> = chosen
        .iter()
        .map(|&place| {
            let point = &points[place as usize];
            std::array::from_fn(|k| {
                if epsilon[k] == 0.0 {
                    point[k]
                } else {
                    (point[k] / epsilon[k]).floor()
                }
            })
        })
        .collect();
    for (i, a) in boxes.iter().enumerate() {
        prop_assert!(boxes.iter().skip(i + 1).all(|b| a != b));
    }
    Ok(())
}

/// The sum of the cells between all coordinates that some point dominates.
fn naive_volume<const D: usize>(points: &[[f64; D]], reference: &[f64; D]) -> f64 {
    let mut edges: Vec<Vec<f64>> = Vec::new();
    for k in 0..D {
        let mut values: Vec<f64> = points
            .iter()
            .map(|point| point[k].min(reference[k]))
            .collect();
        values.push(reference[k]);
        values.sort_by(f64::total_cmp);
        values.dedup();
        edges.push(values);
    }
    let cells: usize = edges.iter().map(|edges| edges.len() - 1).product();
    let mut volume = 0.0;
    for mut cell in 0..cells {
        let mut side = 1.0;
        let mut corner = [0.0; D];
        for k in 0..D {
            let place = cell % (edges[k].len() - 1);
            cell /= edges[k].len() - 1;
            corner[k] = edges[k][place];
            side *= edges[k][place + 1] - edges[k][place];
        }
        if points
            .iter()
            .any(|point| (0..D).all(|k| point[k] <= corner[k]))
        {
            volume += side;
        }
    }
    volume
}

fn check_volumes<const D: usize>(
    points: &[[f64; D]],
    reference: [f64; D],
) -> Result<(), TestCaseError> {
    let expected = naive_volume(points, &reference);
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * expected.max(1.0);
    let found = pareto::hypervolume(points, &reference);
    prop_assert!(near(found, expected), "{} for {}", found, expected);
    let contributions = pareto::hypervolume_contributions(points, &reference);
    for (place, contribution) in contributions.into_iter().enumerate() {
        let mut others = points.to_vec();
        others.remove(place);
        let alone = expected - naive_volume(&others, &reference);
        prop_assert!(
            near(contribution, alone),
            "{}: {} for {}",
            place,
            contribution,
            alone
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn fronts_and_layers_are_those_of_double_loops(
        two in points::<2>(80), three in points::<3>(80), four in points::<4>(60), five in points::<5>(60), one in points::<1>(20),
    ) {
        check_fronts(&one)?;
        check_fronts(&two)?;
        check_fronts(&three)?;
        check_fronts(&four)?;
        check_fronts(&five)?;
    }

    #[test]
    fn a_few_members_epsilon_dominate_all(
        two in points::<2>(60), three in points::<3>(60), five in points::<5>(40),
        epsilon in prop::array::uniform5(prop::sample::select(vec![0.0, 0.3, 1.0, 2.5, 100.0])),
    ) {
        let [a, b, c, ..] = epsilon;
        check_epsilon(&two, [a, b])?;
        check_epsilon(&three, [a, b, c])?;
        check_epsilon(&five, epsilon)?;
    }

    #[test]
    fn volumes_are_sums_of_cells(
        two in finite_points::<2>(12), three in finite_points::<3>(9), four in finite_points::<4>(6), five in finite_points::<5>(5),
        reference in prop::array::uniform5((1..9_i32).prop_map(f64::from)),
    ) {
        let [a, b, c, d, _] = reference;
        check_volumes(&two, [a, b])?;
        check_volumes(&three, [a, b, c])?;
        check_volumes(&four, [a, b, c, d])?;
        check_volumes(&five, reference)?;
    }

    #[test]
    fn crowding_is_the_distance_of_neighbours(points in points::<3>(30)) {
        let found = pareto::crowding_distance(&points);
        let mut expected = vec![0.0; points.len()];
        let whole: Vec<usize> = (0..points.len()).filter(|&i| complete(&points[i])).collect();
        #[allow(clippy::needless_range_loop)]
        for k in 0..3 {
            let mut order = whole.clone();
            order.sort_by(|&a, &b| points[a][k].partial_cmp(&points[b][k]).unwrap().then(a.cmp(&b)));
            for (place, &i) in order.iter().enumerate() {
                if place == 0 || place == order.len() - 1 {
                    expected[i] = f64::INFINITY;
                } else {
                    let spread = points[*order.last().unwrap()][k] - points[order[0]][k];
                    if spread.is_finite() && spread > 0.0 {
                        expected[i] += (points[order[place + 1]][k] - points[order[place - 1]][k]) / spread;
                    }
                }
            }
        }
        for (i, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            prop_assert!(found == expected || (found.is_nan() && !complete(&points[i])));
        }
    }

    #[test]
    fn the_knee_has_the_greatest_angle(points in finite_points::<2>(40)) {
        let front: Vec<[f64; 2]> = (0..points.len())
            .filter(|&i| !points.iter().any(|other| dominates(other, &points[i])))
            .map(|i| points[i])
            .collect();
        let by = |k: usize| front.iter().copied().min_by(|a, b| a[k].total_cmp(&b[k]));
        let (Some(left), Some(right)) = (by(0), by(1)) else {
            prop_assert_eq!(pareto::knee(&points), None);
            return Ok(());
        };
        let angle = |p: [f64; 2]| {
            let (w, h) = (right[0] - left[0], left[1] - right[1]);
            ((left[1] - p[1]) / h / ((p[0] - left[0]) / w)).atan() - ((p[1] - right[1]) / h / ((right[0] - p[0]) / w)).atan()
        };
        let between: Vec<[f64; 2]> = front.iter().copied().filter(|p| *p != left && *p != right).collect();
        match pareto::knee(&points) {
            Some(knee) => {
                let knee = points[knee as usize];
                prop_assert!(between.contains(&knee));
                prop_assert!(between.iter().all(|p| angle(*p) <= angle(knee) + 1e-12));
            }
            None => prop_assert!(between.is_empty()),
        }
    }
}

#[test]
fn strange_input_gets_sensible_answers() {
    let none: [[f64; 3]; 0] = [];
    assert_eq!(pareto::front(&none), [0_u32; 0]);
    assert_eq!(pareto::hypervolume(&none, &[1.0; 3]), 0.0);
    assert!(pareto::bounds(&none).is_none() && pareto::extremes(&none).is_none());
    let nan = [[f64::NAN, 1.0]];
    assert_eq!(pareto::layers(&nan), [None]);
    assert_eq!(pareto::hypervolume(&nan, &[2.0, 2.0]), 0.0);
    assert_eq!(pareto::hypervolume(&[[0.0, 0.0]], &[f64::NAN, 1.0]), 0.0);
    let endless = [
        [f64::NEG_INFINITY, 1.0],
        [f64::NEG_INFINITY, 2.0],
        [0.0, 0.0],
    ];
    assert_eq!(pareto::hypervolume(&endless, &[3.0, 3.0]), f64::INFINITY);
    let contributions = pareto::hypervolume_contributions(&endless, &[3.0, 3.0]);
    assert_eq!(contributions, [f64::INFINITY, 0.0, 3.0]);
    for epsilon in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(pareto::epsilon_front(&[[1.0, 2.0]], &[epsilon, 0.1]), None);
    }
    assert_eq!(pareto::knee(&[[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), None);
}
