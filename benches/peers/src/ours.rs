//! ecnas' answers.

use std::time::Instant;

use ecnas::cell::CellHash;
use ecnas::index::IndexBuilder;
use ecnas::metrics::{Budget, Metric};
use ecnas::pareto;
use ecnas::query::{Objective, RecipeQuery};
use ecnas::snapshot::{RowId, Snapshot};

use crate::report::{OURS, Report};
use crate::table::{EPOCHS, Questions, Table};

pub fn ask(table: &Table, questions: &Questions, report: &mut Report) {
    // SAFETY: nothing changes the file while it is mapped.
    let snapshot = unsafe { Snapshot::map(&table.path) }.unwrap();
    let budget = Budget::epochs(EPOCHS).unwrap();
    let own = snapshot.only_table().unwrap();
    let view = own.view(budget).unwrap();

    // Each key depends on the answer before.
    let hashes: Vec<CellHash> = questions.order.iter().map(|&row| table.hashes[row as usize]).collect();
    let mut at = 0;
    report.time(OURS, "look-up, each depending on the last", &[(); 4096], |()| {
        at += 1 + (own.row(hashes[at]).unwrap().0 & 7) as usize;
        at = if at >= hashes.len() { at - hashes.len() } else { at };
        0.0
    });
    let batches: Vec<&[CellHash]> = hashes.chunks_exact(1024).take(64).collect();
    let mut found = Vec::new();
    report.time(OURS, "look-up, batches of 1,024", &batches, |batch| {
        found.clear();
        own.rows_into(batch, &mut found);
        found.iter().map(|row| f64::from(row.unwrap().0)).sum()
    });
    report.time(OURS, "open + first count", &[questions.boxes[2].1[0]; 16], |[most, least]| {
        // SAFETY: nothing changes the file while it is mapped.
        let snapshot = unsafe { Snapshot::map(&table.path) }.unwrap();
        let view = snapshot.view("peers", budget).unwrap();
        let query = view.query().at_most(Metric::Energy, most).unwrap();
        query.at_least(Metric::ValidationAccuracy, least).unwrap().count().unwrap() as f64
    });

    let query = |[most, least]: [f64; 2]| {
        let query = view.query().at_most(Metric::Energy, most).unwrap();
        query.at_least(Metric::ValidationAccuracy, least).unwrap()
    };
    for (share, boxes) in &questions.boxes {
        report.time(OURS, &format!("count in a box of {share}"), boxes, |own| query(own).count().unwrap() as f64);
    }
    let caches = vec![1_u8; 512 << 20];
    for (share, boxes) in &questions.boxes {
        let mut times: Vec<f64> = boxes
            .iter()
            .map(|&own| {
                std::hint::black_box(caches.iter().step_by(64).map(|&byte| u64::from(byte)).sum::<u64>());
                let start = Instant::now();
                std::hint::black_box(query(own).count().unwrap());
                start.elapsed().as_secs_f64() * 1e9
            })
            .collect();
        times.sort_by(f64::total_cmp);
        report.figure(OURS, &format!("count in a box of {share}, caches cold"), times[times.len() / 2]);
    }
    drop(caches);
    for (share, boxes) in questions.boxes.iter().skip(1) {
        report.time(OURS, &format!("row set of a box of {share}"), boxes, |own| query(own).rows().unwrap().len() as f64);
        let mut ids = Vec::new();
        report.time(OURS, &format!("ids in a box of {share}"), boxes, |own| {
            ids.clear();
            query(own).ids_into(&mut ids).unwrap();
            ids.len() as f64 + f64::from(*ids.last().unwrap_or(&0))
        });
    }
    report.time(OURS, "three-way conjunction of 1 %, ids", &questions.three, |[most, least, time]| {
        let query = query([most, least]).at_least(Metric::TrainingTime, time).unwrap();
        let ids = query.ids().unwrap();
        ids.len() as f64 + f64::from(*ids.last().unwrap_or(&0))
    });
    report.time(OURS, "10 cheapest with accuracy >= a", &questions.accuracies, |least| {
        let query = view.query().at_least(Metric::ValidationAccuracy, least).unwrap();
        let rows = query.lowest(Metric::Energy, 10).unwrap();
        rows.iter().map(|row| table.energy[row.index()]).sum()
    });

    let usual = view.dominance([Objective::ENERGY, Objective::VALIDATION_ACCURACY]).unwrap();
    report.time(OURS, "is a point dominated", &questions.points, |point| f64::from(u8::from(usual.is_dominated(point))));
    report.time(OURS, "how many rows dominate a point", &questions.points, |point| usual.dominator_count(point) as f64);
    report.time(OURS, "which rows dominate a point", &questions.points, |point| usual.dominators(point).len() as f64);
    report.time(OURS, "front of the view (ecnas: stored)", &[(); 64], |()| usual.front().len() as f64);
    let rows: Vec<u32> = questions.order.iter().copied().take(1024).collect();
    report.time(OURS, "layer of a row (ecnas: stored)", &rows, |row| f64::from(usual.layer(RowId(row)).unwrap()));
    report.time(OURS, "front inside a box of 10 %", &questions.boxes[3].1, |own| {
        usual.front_in(&query(own)).unwrap().len() as f64
    });
    let pairs: Vec<[f64; 2]> = table.energy.iter().zip(&table.accuracy).map(|(e, a)| [*e, -a]).collect();
    report.time(OURS, "front over 2 objectives, from nothing", &[(); 1], |()| pareto::front(&pairs).len() as f64);
    let triples: Vec<[f64; 3]> = pairs.iter().zip(&table.parameters).map(|([e, a], p)| [*e, *a, *p]).collect();
    report.time(OURS, "front over 3 objectives, from nothing", &[(); 1], |()| pareto::front(&triples).len() as f64);
    report.time(OURS, "layers, from nothing", &[(); 1], |()| {
        pareto::layers(&pairs).into_iter().flatten().map(f64::from).sum()
    });
    let bounds = usual.bounds().unwrap();
    report.time(OURS, "hypervolume of the front", &[(); 1], |()| usual.hypervolume(bounds.reference));
    let recipes = RecipeQuery::default();
    let search = view.recipes(&recipes).unwrap();
    report.time(OURS, "best recipe for a row", &rows, |row| {
        search.best_for(RowId(row)).map_or(0.0, |best| table.energy[best.index()])
    });

    // All columns of one budget that are there, and the pair; the largest budget needs no order of its own for energy.
    let start = Instant::now();
    let builder = IndexBuilder::new(questions.rows);
    let bytes = [
        ("energy_kwh", &table.energy),
        ("validation_accuracy", &table.accuracy),
        ("training_time_s", &table.time),
    ]
    .into_iter()
    .fold(builder, |builder, (name, values)| builder.column(name, values).unwrap())
    .pair("energy_kwh", "validation_accuracy")
    .unwrap()
    .build()
    .unwrap();
    report.figure(OURS, "build the indexes of one budget, all cores", start.elapsed().as_secs_f64() * 1e9);
    println!("indexes of three columns and a pair: {} bytes", bytes.as_ref().len());
}
