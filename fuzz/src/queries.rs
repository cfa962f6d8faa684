//! Queries against scans over the rows, on tables that the bytes spell.

use std::ops::Bound;
use std::path::Path;

use arbitrary::{Result, Unstructured};
use ecnas::cell::{Cell, CellHash, enumerate};
use ecnas::index::{Interval, RowSet};
use ecnas::metrics::{Budget, Metric, TableInfo, Trial};
use ecnas::query::{Direction, Objective, RecipeQuery, Reference};
use ecnas::snapshot::{AlignedBytes, RowId, Snapshot, SnapshotWriter, View};
use tempfile::TempDir;

const METRICS: [Metric; 3] = [
    Metric::Energy,
    Metric::ValidationAccuracy,
    Metric::TrainingTime,
];

/// Seals a table and asks it.
pub fn run(data: &[u8]) {
    thread_local!(static FOLDER: TempDir = tempfile::tempdir().expect("a temporary folder"));
    let _ = FOLDER.with(|folder| seal_and_ask(folder.path(), &mut Unstructured::new(data)));
}

fn seal_and_ask(folder: &Path, bytes: &mut Unstructured<'_>) -> Result<()> {
    let path = folder.join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).expect("a writer");
    let info = TableInfo {
        name: "t".to_owned(),
        ..TableInfo::default()
    };
    writer.begin_table(info).expect("a table");
    let count = bytes.int_in_range(0..=40)?;
    let budget = Budget::epochs(4).expect("a budget");
    for (hash, cell) in cells().into_iter().take(count) {
        for repeat in 1..=(1 + u32::from(bytes.ratio(1, 10)?)) {
            let mut trial = Trial::new(hash, budget, repeat);
            trial.cell = Some(cell);
            for metric in METRICS {
                trial.totals.set_some(metric, value(bytes)?);
            }
            writer.add(&trial).expect("a trial");
        }
    }
    writer.finish().expect("a snapshot");
    let bytes_of_file = std::fs::read(&path).expect("a file");
    let snapshot = Snapshot::from_bytes(AlignedBytes::copy_from(&bytes_of_file));
    let snapshot = snapshot.expect("a snapshot");
    snapshot.verify().expect("a whole snapshot");
    let Ok(view) = snapshot.view("t", budget) else {
        assert_eq!(count, 0);
        return Ok(());
    };
    for _ in 0..8 {
        ranges(&view, bytes)?;
        dominance(&view, bytes)?;
        recipes(&view, bytes)?;
    }
    Ok(())
}

/// Fewer than a hundred cells, which differ in hashes and structure.
fn cells() -> Vec<(CellHash, Cell)> {
    thread_local!(static CELLS: Vec<(CellHash, Cell)> =
        enumerate(4, 9).map(|cell| (cell.hash(), cell)).collect());
    CELLS.with(Clone::clone)
}

/// Small numbers that tie, others, and odd ones.
fn number(bytes: &mut Unstructured<'_>) -> Result<f64> {
    const ODD: [f64; 6] = [
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
        f64::MAX,
        f64::MIN,
    ];
    Ok(match bytes.int_in_range(0..=15)? {
        0 => *bytes.choose(&ODD)?,
        1..=4 => f64::from(bytes.arbitrary::<u16>()?) / 1024.0,
        _ => f64::from(bytes.int_in_range(0..=9)?) / 8.0,
    })
}

fn value(bytes: &mut Unstructured<'_>) -> Result<Option<f64>> {
    Ok(match bytes.int_in_range(0..=12)? {
        0 => None,
        1 => Some(f64::NAN),
        _ => Some(number(bytes)?),
    })
}

fn interval(bytes: &mut Unstructured<'_>) -> Result<Interval> {
    let mut bound = || -> Result<Bound<f64>> {
        Ok(match bytes.int_in_range(0..=2)? {
            0 => Bound::Included(number(bytes)?),
            1 => Bound::Excluded(number(bytes)?),
            _ => Bound::Unbounded,
        })
    };
    let bounds = (bound()?, bound()?);
    Ok(Interval::new(bounds).expect("no bound is NaN"))
}

fn ranges(view: &View<'_>, bytes: &mut Unstructured<'_>) -> Result<()> {
    let mut query = view.query();
    let mut bounds = Vec::new();
    for _ in 0..bytes.int_in_range(0..=3)? {
        let metric = *bytes.choose(&METRICS)?;
        let own = interval(bytes)?;
        let Ok(next) = query.clone().within(metric, own) else {
            assert!(view.column(metric).is_err());
            continue;
        };
        query = next;
        bounds.push((metric, own));
    }
    let expected: Vec<RowId> = view
        .rows()
        .filter(|row| {
            bounds
                .iter()
                .all(|(metric, own)| row.get(*metric).is_some_and(|value| own.contains(value)))
        })
        .map(|row| row.id())
        .collect();
    let ids: Vec<u32> = expected.iter().map(|row| row.0).collect();
    assert_eq!(query.ids().ok(), Some(ids));
    assert_eq!(query.count().ok(), Some(expected.len()));
    assert_eq!(query.exists().ok(), Some(!expected.is_empty()));
    let set: RowSet = expected.iter().copied().collect();
    assert!(query.rows().ok() == Some(set));
    // In the order of a metric, ties by number.
    let metric = *bytes.choose(&METRICS)?;
    if view.column(metric).is_err() {
        return Ok(());
    }
    let mut ordered: Vec<(f64, RowId)> = expected
        .iter()
        .filter_map(|row| Some((view.at(*row)?.get(metric)?, *row)))
        .collect();
    ordered.sort_by(|a, b| a.0.partial_cmp(&b.0).expect("numbers").then(a.1.cmp(&b.1)));
    let k = bytes.int_in_range(0..=12)?;
    let lowest: Vec<f64> = ordered.iter().take(k).map(|(value, _)| *value).collect();
    let found = query.lowest(metric, k).expect("an answer");
    let found: Vec<f64> = found
        .iter()
        .filter_map(|row| view.at(*row)?.get(metric))
        .collect();
    assert_eq!(found, lowest);
    let pages = query
        .page(metric, Direction::Minimize, 1, k)
        .expect("an answer");
    assert_eq!(pages.len(), ordered.len().saturating_sub(1).min(k));
    Ok(())
}

fn dominance(view: &View<'_>, bytes: &mut Unstructured<'_>) -> Result<()> {
    let mut objective = || -> Result<Objective> {
        let metric = *bytes.choose(&METRICS)?;
        Ok(match bytes.arbitrary::<bool>()? {
            true => Objective::minimize(metric),
            false => Objective::maximize(metric),
        })
    };
    let objectives = [objective()?, objective()?];
    let Ok(found) = view.dominance(objectives.clone()) else {
        return Ok(());
    };
    let sense = |objective: &Objective, value: f64| match objective.direction {
        Direction::Minimize => value,
        Direction::Maximize => -value,
    };
    let points: Vec<(RowId, [f64; 2])> = view
        .rows()
        .filter_map(|row| {
            let [a, b] = &objectives;
            let point = [row.get_named(&a.column)?, row.get_named(&b.column)?];
            Some((row.id(), [sense(a, point[0]), sense(b, point[1])]))
        })
        .collect();
    let dominates = |a: &[f64; 2], b: &[f64; 2]| a[0] <= b[0] && a[1] <= b[1] && a != b;
    let mut front: Vec<RowId> = points
        .iter()
        .filter(|own| !points.iter().any(|other| dominates(&other.1, &own.1)))
        .map(|own| own.0)
        .collect();
    front.sort();
    let mut own = found.front().to_vec();
    own.sort();
    assert_eq!(own, front);
    for (row, point) in &points {
        let dominators = points
            .iter()
            .filter(|other| dominates(&other.1, point))
            .count();
        let dominated = points
            .iter()
            .filter(|other| dominates(point, &other.1))
            .count();
        assert_eq!(found.dominator_count(*row), dominators);
        assert_eq!(found.dominated_count(*row), dominated);
        assert_eq!(found.is_dominated(*row), dominators > 0);
        assert_eq!(found.layer(*row) == Some(0), dominators == 0);
    }
    Ok(())
}

fn recipes(view: &View<'_>, bytes: &mut Unstructured<'_>) -> Result<()> {
    let points: Vec<_> = view
        .rows()
        .filter_map(|row| {
            let energy = row.get(Metric::Energy)?;
            Some((
                row.id(),
                row.hash(),
                energy,
                row.get(Metric::ValidationAccuracy)?,
            ))
        })
        .collect();
    if points.is_empty() {
        return Ok(());
    }
    let reference = bytes.choose(&points)?;
    let loss = f64::from(bytes.int_in_range(0..=8)?) / 8.0;
    let mut query = RecipeQuery::default();
    query.reference = Reference::Cell(reference.1);
    query.tolerated_loss = ecnas::query::Loss::Absolute(loss);
    let search = view.recipes(&query).expect("a search");
    let least = reference.3 - loss;
    let mut expected: Vec<_> = points
        .iter()
        .filter(|own| own.2 < reference.2 && own.3 >= least)
        .collect();
    expected.sort_by(|a, b| {
        let order = |a: f64, b: f64| a.partial_cmp(&b).expect("numbers");
        order(a.2, b.2).then(order(b.3, a.3)).then(a.0.cmp(&b.0))
    });
    let rows: Vec<RowId> = expected.iter().map(|own| own.0).collect();
    assert_eq!(search.rows().ok(), Some(rows));
    let best = search.best().expect("an answer");
    let best = best.and_then(|row| {
        Some((
            view.at(row)?.get(Metric::Energy)?,
            view.at(row)?.get(Metric::ValidationAccuracy)?,
        ))
    });
    assert_eq!(best, expected.first().map(|own| (own.2, own.3)));
    Ok(())
}
