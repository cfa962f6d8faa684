//! Dominance over the rows of a view against double loops.

#[path = "common/model.rs"]
mod model;

use ecnas::metrics::{Metric, TableInfo, Trial};
use ecnas::query::{Direction, Dominance, Objective, QueryError};
use ecnas::snapshot::{AlignedBytes, Repeats, RowId, Snapshot, SnapshotWriter, View};
use model::budget;
use proptest::prelude::*;

const METRICS: [Metric; 5] = [
    Metric::Energy,
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
    Metric::TrainingTime,
    Metric::TotalTime,
];

type Values = [Option<f64>; 5];

/// The same cells at two budgets, so that rows are numbered in the order of energy at one of them only.
fn sealed(rows: &[[Values; 2]]) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let info = TableInfo {
        name: "t".to_owned(),
        ..TableInfo::default()
    };
    writer.begin_table(info).unwrap();
    for (cell, budgets) in ecnas::cell::enumerate(5, 9).zip(rows) {
        for (epochs, values) in [4, 108].into_iter().zip(budgets) {
            let mut trial = Trial::new(cell.hash(), budget(epochs), 1);
            for (metric, value) in METRICS.into_iter().zip(values) {
                trial.totals.set_some(metric, *value);
            }
            writer.add(&trial).unwrap();
        }
    }
    writer.finish().unwrap();
    Snapshot::from_bytes(AlignedBytes::copy_from(&std::fs::read(path).unwrap())).unwrap()
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        10 => (0..12_i32).prop_map(|value| Some(f64::from(value) / 8.0)),
        10 => (0..1_000_i32).prop_map(|value| Some(f64::from(value) / 64.0)),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, -0.0, 5e-324]).prop_map(Some),
        1 => Just(None),
    ]
}

fn rows() -> impl Strategy<Value = Vec<[Values; 2]>> {
    let row = || prop::array::uniform2(prop::array::uniform5(value()));
    prop::collection::vec(row(), 0..120)
}

fn objective(metric: Metric, direction: Direction) -> Objective {
    match direction {
        Direction::Minimize => Objective::minimize(metric),
        Direction::Maximize => Objective::maximize(metric),
    }
}

/// Every row's values as costs, by `Row::get`; `None` where one is missing.
fn costs<const D: usize>(view: &View<'_>, objectives: &[Objective; D]) -> Vec<Option<[f64; D]>> {
    let cost = |id: u32| {
        let row = view.at(RowId(id))?;
        let mut costs = [0.0; D];
        for (slot, objective) in costs.iter_mut().zip(objectives) {
            let value = row.get_named(&objective.column)?;
            *slot = match objective.direction {
                Direction::Minimize => value,
                Direction::Maximize => -value,
            };
        }
        Some(costs)
    };
    (0..view.len() as u32).map(cost).collect()
}

fn dominates<const D: usize>(a: &[f64; D], b: &[f64; D]) -> bool {
    (0..D).all(|k| a[k] <= b[k]) && (0..D).any(|k| a[k] < b[k])
}

fn check<const D: usize>(
    view: &View<'_>,
    objectives: [Objective; D],
    free: [f64; D],
) -> Result<(), TestCaseError> {
    let costs = costs(view, &objectives);
    let dominance: Dominance<'_, '_, D> = match view.dominance(objectives.clone()) {
        Ok(dominance) => dominance,
        Err(QueryError::Snapshot(_)) => {
            prop_assert!(costs.iter().all(Option::is_none));
            return Ok(());
        }
        Err(error) => panic!("{error}"),
    };
    let complete: Vec<(u32, [f64; D])> = costs
        .iter()
        .zip(0..)
        .filter_map(|(cost, row)| Some((row, (*cost)?)))
        .collect();
    let naive_front = |rows: &[(u32, [f64; D])]| -> Vec<u32> {
        let on_front = rows
            .iter()
            .filter(|(_, own)| !rows.iter().any(|(_, other)| dominates(other, own)));
        let mut front: Vec<&(u32, [f64; D])> = on_front.collect();
        front.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then(a.0.cmp(&b.0)));
        front.into_iter().map(|(row, _)| *row).collect()
    };
    let ids = |rows: &[RowId]| -> Vec<u32> { rows.iter().map(|row| row.0).collect() };
    prop_assert_eq!(dominance.compared(), complete.len());
    prop_assert_eq!(dominance.missing(), view.rows().count() - complete.len());
    prop_assert_eq!(ids(dominance.front()), naive_front(&complete));

    // Layers, peeled.
    let mut left = complete.clone();
    let mut rank = 0;
    while !left.is_empty() {
        let front = naive_front(&left);
        for &row in &front {
            prop_assert_eq!(dominance.layer(RowId(row)), Some(rank));
        }
        left.retain(|(row, _)| !front.contains(row));
        rank += 1;
    }
    for (row, cost) in costs.iter().enumerate() {
        prop_assert!(cost.is_some() || dominance.layer(RowId(row as u32)).is_none());
    }

    // A free point, a point on a row, and rows.
    let sign = |point: [f64; D]| -> [f64; D] {
        std::array::from_fn(|k| match objectives[k].direction {
            Direction::Minimize => point[k],
            Direction::Maximize => -point[k],
        })
    };
    let mut candidates = vec![(None, sign(free))];
    candidates.extend(
        complete
            .iter()
            .step_by(7)
            .map(|(row, cost)| (Some(RowId(*row)), *cost)),
    );
    for (row, cost) in candidates {
        let better: Vec<u32> = complete
            .iter()
            .filter(|(_, own)| dominates(own, &cost))
            .map(|(row, _)| *row)
            .collect();
        let worse: Vec<u32> = complete
            .iter()
            .filter(|(_, own)| dominates(&cost, own))
            .map(|(row, _)| *row)
            .collect();
        let point = sign(cost);
        prop_assert_eq!(dominance.is_dominated(point), !better.is_empty());
        prop_assert_eq!(dominance.dominator_count(point), better.len());
        prop_assert_eq!(dominance.dominated_count(point), worse.len());
        prop_assert_eq!(dominance.dominators(point).to_vec(), better.clone());
        prop_assert_eq!(dominance.dominated(point).to_vec(), worse.clone());
        if let Some(row) = row {
            prop_assert_eq!(dominance.is_dominated(row), !better.is_empty());
            prop_assert_eq!(dominance.dominator_count(row), better.len());
            prop_assert_eq!(dominance.dominated(row).to_vec(), worse);
        }
        let epsilon = [0.25; D];
        let near = complete
            .iter()
            .any(|(_, own)| (0..D).all(|k| own[k] <= cost[k] || own[k] - 0.25 <= cost[k]));
        prop_assert_eq!(dominance.is_epsilon_dominated(point, epsilon), near);
    }

    // Fronts of parts.
    let query = view
        .query()
        .between(&objectives[0].column, 0.2..=1.0)
        .unwrap();
    let part: Vec<(u32, [f64; D])> = complete
        .iter()
        .copied()
        .filter(|(_, cost)| (0.2..=1.0).contains(&sign(*cost)[0]))
        .collect();
    prop_assert_eq!(
        ids(&dominance.front_in(&query).unwrap()),
        naive_front(&part)
    );
    let query = query.between(&objectives[1].column, 0.5..).unwrap();
    let part: Vec<(u32, [f64; D])> = part
        .into_iter()
        .filter(|(_, cost)| sign(*cost)[1] >= 0.5)
        .collect();
    prop_assert_eq!(
        ids(&dominance.front_in(&query).unwrap()),
        naive_front(&part)
    );
    prop_assert_eq!(
        ids(&dominance.front_of(&query.rows().unwrap())),
        naive_front(&part)
    );

    // Corners.
    let front: Vec<[f64; D]> = dominance
        .front()
        .iter()
        .map(|&row| costs[row.index()].unwrap())
        .collect();
    prop_assert_eq!(dominance.bounds().is_some(), !front.is_empty());
    if let (Some(bounds), Some(extremes)) = (dominance.bounds(), dominance.extremes()) {
        for k in 0..D {
            let of = |values: &mut dyn Iterator<Item = f64>, worst: bool| {
                let pick = if worst { f64::max } else { f64::min };
                values.reduce(pick).map(|cost| sign([cost; D])[k])
            };
            prop_assert_eq!(
                Some(bounds.ideal[k]),
                of(&mut front.iter().map(|cost| cost[k]), false)
            );
            prop_assert_eq!(
                Some(bounds.nadir[k]),
                of(&mut front.iter().map(|cost| cost[k]), true)
            );
            let finite = complete
                .iter()
                .map(|(_, cost)| cost[k])
                .filter(|cost| cost.is_finite());
            let reference = of(&mut finite.into_iter(), true);
            prop_assert!(Some(bounds.reference[k]) == reference || bounds.reference[k].is_nan());
            prop_assert_eq!(dominance.point(extremes[k]).unwrap()[k], bounds.ideal[k]);
        }
        let contributions = dominance.contributions(bounds.reference);
        let whole = dominance.hypervolume(bounds.reference);
        prop_assert_eq!(contributions.len(), dominance.front().len());
        prop_assert!(
            contributions
                .iter()
                .all(|part| *part >= 0.0 && *part <= whole * (1.0 + 1e-12))
        );
        if let Some(share) = dominance.normalised_hypervolume() {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&share));
        }
        prop_assert_eq!(
            dominance.crowding_distance(dominance.front()).len(),
            front.len()
        );
        let few = dominance.epsilon_front([0.25; D]).unwrap();
        prop_assert!(few.iter().all(|row| dominance.front().contains(row)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn dominance_is_that_of_double_loops(
        rows in rows(),
        directions in prop::array::uniform5(prop::sample::select(vec![Direction::Minimize, Direction::Maximize])),
        order in Just(METRICS.to_vec()).prop_shuffle(),
        free in prop::array::uniform5(0.0..1.6_f64),
        policy in prop::sample::select(vec![Repeats::Mean, Repeats::Given(1)]),
    ) {
        let snapshot = sealed(&rows);
        let table = snapshot.only_table().unwrap();
        for view in table.budgets().map(|budget| table.view_with(budget, policy).unwrap()) {
            let any: [Objective; 5] = std::array::from_fn(|k| objective(order[k], directions[k]));
            let [a, b, c, d, _] = any.clone();
            let [x, y, z, w, _] = free;
            check(&view, [Objective::ENERGY, Objective::VALIDATION_ACCURACY], [x, y])?;
            check(&view, [Objective::ENERGY, Objective::maximize(Metric::TestAccuracy)], [x, y])?;
            check(&view, [a.clone(), b.clone()], [x, y])?;
            check(&view, [a.clone(), b.clone(), c.clone()], [x, y, z])?;
            check(&view, [a, b, c, d], [x, y, z, w])?;
            check(&view, any, free)?;
        }
    }
}

#[test]
fn comparisons_without_sense_are_refused() {
    let value = [Some(1.0); 5];
    let snapshot = sealed(&[[value, value]]);
    let view = snapshot.view("t", budget(4)).unwrap();
    let twice = view
        .dominance([Objective::ENERGY, Objective::ENERGY])
        .unwrap_err();
    assert!(
        twice.to_string().contains("found energy_kwh, energy_kwh"),
        "{twice}"
    );
    let one = view.dominance([Objective::ENERGY]).unwrap_err();
    assert!(one.to_string().contains("2 to 5"), "{one}");
    let absent = view
        .dominance([Objective::ENERGY, Objective::minimize(Metric::Macs)])
        .unwrap_err();
    assert!(
        absent.to_string().contains("has no column `macs`"),
        "{absent}"
    );
    let usual = view
        .dominance([Objective::ENERGY, Objective::VALIDATION_ACCURACY])
        .unwrap();
    for nothing in [[f64::NAN, 0.5], [0.5, f64::NAN]] {
        assert!(!usual.is_dominated(nothing));
        assert_eq!(
            (
                usual.dominator_count(nothing),
                usual.dominated(nothing).len()
            ),
            (0, 0)
        );
    }
    assert!(!usual.is_dominated(RowId(17)));
    assert_eq!(usual.layer(RowId(17)), None);
    assert_eq!(usual.epsilon_front([-1.0, 0.0]), None);
    assert_eq!((usual.front(), usual.knee()), ([RowId(0)].as_slice(), None));
}

#[test]
fn rows_that_differ_in_the_sign_of_zero_tie_and_keep_their_order() {
    let at_4 = |accuracy| [Some(0.5), None, Some(accuracy), None, None];
    let at_108 = |energy| [Some(energy), Some(0.0), Some(0.0), None, None];
    let snapshot = sealed(&[[at_4(-0.0), at_108(1.0)], [at_4(0.0), at_108(2.0)]]);
    let view = snapshot.view("t", budget(4)).unwrap();
    let objectives = [Objective::ENERGY, Objective::maximize(Metric::TestAccuracy)];
    let dominance = view.dominance(objectives).unwrap();
    assert_eq!(dominance.front(), [RowId(0), RowId(1)]);
    let both: Vec<Option<u32>> = (0..2).map(|row| dominance.layer(RowId(row))).collect();
    assert_eq!(both, [Some(0), Some(0)]);
}
