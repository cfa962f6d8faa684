//! Peers in this process: a scan, sorted columns, `HashMap`, redb, LMDB, SQLite.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use ecnas::cell::CellHash;
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::report::Report;
use crate::table::{Questions, Table};

const ROWS: TableDefinition<'_, [u8; 16], u32> = TableDefinition::new("rows");
const LOOK_UP: &str = "look-up, each depending on the last";
const BATCH: &str = "look-up, batches of 1,024";
const OPEN: &str = "open + first count";
const TEN: &str = "10 cheapest with accuracy >= a";

pub fn ask(table: &Table, questions: &Questions, folder: &Path, report: &mut Report) {
    scan(table, questions, report);
    sorted(table, questions, report);
    let hashes: Vec<CellHash> = questions.order.iter().map(|&row| table.hashes[row as usize]).collect();
    let start = Instant::now();
    let map: HashMap<CellHash, u32> = hashes.iter().copied().zip(questions.order.iter().copied()).collect();
    println!("HashMap: built in {:.2} s", start.elapsed().as_secs_f64());
    look_ups(report, "HashMap", &hashes, |hash| map[&hash]);
    // Databases are built from all keys; beyond a million that takes minutes.
    if questions.rows > 1_000_000 {
        println!("redb, LMDB and SQLite are left out beyond a million rows: they take minutes to fill");
        return;
    }
    redb(&map, &hashes, folder, report);
    lmdb(&map, &hashes, folder, report);
    sqlite(table, questions, &hashes, folder, report);
}

fn look_ups(report: &mut Report, engine: &str, hashes: &[CellHash], find: impl Fn(CellHash) -> u32) {
    let mut at = 0;
    report.time(engine, LOOK_UP, &[(); 4096], |()| {
        at += 1 + (find(hashes[at]) & 7) as usize;
        at = if at >= hashes.len() { at - hashes.len() } else { at };
        0.0
    });
    let batches: Vec<&[CellHash]> = hashes.chunks_exact(1024).take(64).collect();
    let mut found = Vec::new();
    report.time(engine, BATCH, &batches, |batch| {
        found.clear();
        found.extend(batch.iter().map(|&hash| Some(find(hash))));
        found.iter().map(|row: &Option<u32>| f64::from(row.unwrap())).sum()
    });
}

fn answer(ids: &[u32]) -> f64 {
    ids.len() as f64 + f64::from(*ids.last().unwrap_or(&0))
}

fn scan(table: &Table, questions: &Questions, report: &mut Report) {
    let engine = "scan";
    let (energy, accuracy) = (&table.energy, &table.accuracy);
    for (share, boxes) in &questions.boxes {
        report.time(engine, &format!("count in a box of {share}"), boxes, |[most, least]| {
            let rows = energy.iter().zip(accuracy);
            rows.map(|(e, a)| u32::from((*e <= most) & (*a >= least))).sum::<u32>().into()
        });
    }
    let mut ids: Vec<u32> = Vec::new();
    for (share, boxes) in questions.boxes.iter().skip(1) {
        report.time(engine, &format!("ids in a box of {share}"), boxes, |[most, least]| {
            // Written without a branch: the fastest simple loop.
            ids.clear();
            ids.resize(energy.len(), 0);
            let mut len = 0;
            for ((e, a), row) in energy.iter().zip(accuracy).zip(0..) {
                ids[len] = row;
                len += usize::from((*e <= most) & (*a >= least));
            }
            answer(&ids[..len])
        });
    }
    report.time(engine, "is a point dominated", &questions.points, |[e, a]| {
        let mut rows = energy.iter().zip(accuracy);
        f64::from(u8::from(rows.any(|(own, acc)| *own <= e && *acc >= a && (*own < e || *acc > a))))
    });
    report.time(engine, "how many rows dominate a point", &questions.points, |[e, a]| {
        let rows = energy.iter().zip(accuracy);
        let better = |own: f64, acc: f64| (own <= e) & (acc >= a) & ((own < e) | (acc > a));
        rows.map(|(own, acc)| u32::from(better(*own, *acc))).sum::<u32>().into()
    });
    let rows: Vec<u32> = questions.order.iter().copied().take(1024).collect();
    report.time(engine, "best recipe for a row", &rows[..64], |row| {
        let (e, a) = (energy[row as usize], accuracy[row as usize] - 0.01);
        let mut rows = energy.iter().zip(accuracy);
        let best = rows.find(|(own, acc)| **acc >= a && **own < e);
        best.map_or(0.0, |(own, _)| *own)
    });
    // Of fewer rows than ecnas was asked: no answer to compare.
    report.figure_only(engine, "best recipe for a row");
}

/// Rows are in the order of energy: binary search for the bound, then the slice of accuracies.
fn sorted(table: &Table, questions: &Questions, report: &mut Report) {
    let engine = "sorted + binary search";
    let (energy, accuracy) = (&table.energy, &table.accuracy);
    let prefix = |most: f64| energy.partition_point(|own| *own <= most);
    for (share, boxes) in &questions.boxes {
        report.time(engine, &format!("count in a box of {share}"), boxes, |[most, least]| {
            let slice = &accuracy[..prefix(most)];
            slice.iter().map(|a| u32::from(*a >= least)).sum::<u32>().into()
        });
    }
    let mut ids: Vec<u32> = Vec::new();
    for (share, boxes) in questions.boxes.iter().skip(1) {
        report.time(engine, &format!("ids in a box of {share}"), boxes, |[most, least]| {
            let slice = &accuracy[..prefix(most)];
            ids.resize(energy.len(), 0);
            let mut len = 0;
            for (a, row) in slice.iter().zip(0..) {
                ids[len] = row;
                len += usize::from(*a >= least);
            }
            answer(&ids[..len])
        });
    }
    report.time(engine, TEN, &questions.accuracies, |least| {
        let rows = energy.iter().zip(accuracy).filter(|(_, a)| **a >= least);
        rows.take(10).map(|(e, _)| *e).sum()
    });
}

fn redb(map: &HashMap<CellHash, u32>, hashes: &[CellHash], folder: &Path, report: &mut Report) {
    let path = folder.join("peers.redb");
    let start = Instant::now();
    {
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut rows = transaction.open_table(ROWS).unwrap();
            for (hash, &row) in map {
                rows.insert(hash.to_bytes(), row).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
    println!("redb: filled in {:.2} s", start.elapsed().as_secs_f64());
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_read().unwrap();
    let rows = transaction.open_table(ROWS).unwrap();
    look_ups(report, "redb", hashes, |hash| rows.get(hash.to_bytes()).unwrap().unwrap().value());
    drop((rows, transaction, database));
    let mut times: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let database = Database::open(&path).unwrap();
            let rows = database.begin_read().unwrap().open_table(ROWS).unwrap();
            std::hint::black_box(rows.get(hashes[0].to_bytes()).unwrap().unwrap().value());
            start.elapsed().as_secs_f64() * 1e9
        })
        .collect();
    times.sort_by(f64::total_cmp);
    report.figure("redb", "open + first look-up", times[times.len() / 2]);
}

fn lmdb(map: &HashMap<CellHash, u32>, hashes: &[CellHash], folder: &Path, report: &mut Report) {
    type Keys = heed::Database<heed::types::Bytes, heed::types::U32<heed::byteorder::LE>>;
    let path = folder.join("lmdb");
    std::fs::create_dir(&path).unwrap();
    let mut options = heed::EnvOpenOptions::new();
    options.map_size(4 << 30);
    // SAFETY: nobody else opens or changes the folder.
    let environment = unsafe { options.open(&path) }.unwrap();
    let mut transaction = environment.write_txn().unwrap();
    let rows: Keys = environment.create_database(&mut transaction, None).unwrap();
    for (hash, row) in map {
        rows.put(&mut transaction, hash.as_bytes(), row).unwrap();
    }
    transaction.commit().unwrap();
    let transaction = environment.read_txn().unwrap();
    look_ups(report, "LMDB", hashes, |hash| rows.get(&transaction, hash.as_bytes()).unwrap().unwrap());
}

fn sqlite(table: &Table, questions: &Questions, hashes: &[CellHash], folder: &Path, report: &mut Report) {
    let path = folder.join("peers.sqlite");
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    let start = Instant::now();
    connection
        .execute_batch("CREATE TABLE t (row INTEGER PRIMARY KEY, hash BLOB, energy REAL, accuracy REAL, time REAL)")
        .unwrap();
    let transaction = connection.transaction().unwrap();
    {
        let mut insert = transaction.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)").unwrap();
        for (row, hash) in table.hashes.iter().enumerate() {
            let values = (row as u32, hash.as_bytes(), table.energy[row], table.accuracy[row], table.time[row]);
            insert.execute(values).unwrap();
        }
    }
    transaction.commit().unwrap();
    connection
        .execute_batch(
            "CREATE UNIQUE INDEX by_hash ON t (hash);
             CREATE INDEX by_energy ON t (energy, accuracy);
             CREATE INDEX by_accuracy ON t (accuracy, energy);
             ANALYZE;",
        )
        .unwrap();
    println!("SQLite: filled and indexed in {:.2} s", start.elapsed().as_secs_f64());
    let engine = "SQLite";
    {
        let mut find = connection.prepare("SELECT row FROM t WHERE hash = ?").unwrap();
        let find = std::cell::RefCell::new(&mut find);
        look_ups(report, engine, hashes, |hash| {
            find.borrow_mut().query_row([hash.as_bytes()], |row| row.get(0)).unwrap()
        });
    }
    let mut count = connection.prepare("SELECT count(*) FROM t WHERE energy <= ? AND accuracy >= ?").unwrap();
    let mut ids = connection.prepare("SELECT row FROM t WHERE energy <= ? AND accuracy >= ? ORDER BY row").unwrap();
    for (share, boxes) in &questions.boxes {
        report.time(engine, &format!("count in a box of {share}"), &boxes[..4], |own| {
            count.query_row(own, |row| row.get(0)).unwrap()
        });
        report.figure_only(engine, &format!("count in a box of {share}"));
    }
    for (share, boxes) in questions.boxes.iter().skip(1) {
        report.time(engine, &format!("ids in a box of {share}"), &boxes[..4], |own| {
            let rows = ids.query_map(own, |row| row.get(0)).unwrap();
            let rows: Vec<u32> = rows.map(Result::unwrap).collect();
            answer(&rows)
        });
        report.figure_only(engine, &format!("ids in a box of {share}"));
    }
    let mut ten = connection
        .prepare("SELECT energy FROM t WHERE accuracy >= ? ORDER BY energy LIMIT 10")
        .unwrap();
    report.time(engine, TEN, &questions.accuracies, |least| {
        let rows = ten.query_map([least], |row| row.get::<_, f64>(0)).unwrap();
        rows.map(Result::unwrap).sum()
    });
    report.time(engine, OPEN, &[questions.boxes[2].1[0]; 16], |own| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let mut count = connection.prepare("SELECT count(*) FROM t WHERE energy <= ? AND accuracy >= ?").unwrap();
        count.query_row(own, |row| row.get(0)).unwrap()
    });
}
