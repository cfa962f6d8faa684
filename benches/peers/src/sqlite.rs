//! SQLite with indexes on what is asked about.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Params, params};

use crate::Peer;
use crate::cases::{Bounds, Questions, Third};
use crate::data::Table;
use crate::timing::{Keys, Outcome, time, time_cold, time_ids};

const BOX: &str = "energy between ?1 and ?2 and accuracy between ?3 and ?4";
const DOMINATES: &str = "energy <= ?1 and accuracy >= ?2 and (energy < ?1 or accuracy > ?2)";

pub struct Sqlite(PathBuf);

impl Sqlite {
    pub fn new(table: &Table, folder: &Path) -> Self {
        let path = folder.join("peer.sqlite");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "pragma journal_mode = off; pragma synchronous = off;
                 create table cells (id integer primary key, hash blob, energy real, accuracy real, time real,
                                     parameters real);
                 begin",
            )
            .unwrap();
        let columns = table.columns();
        let mut insert = connection
            .prepare("insert into cells values (?, ?, ?, ?, ?, ?)")
            .unwrap();
        for row in 0..table.len() {
            let values = params![
                row as i64,
                table.keys[row],
                columns.energy[row],
                columns.accuracy[row],
                columns.time[row],
                table.parameters[row]
            ];
            insert.execute(values).unwrap();
        }
        connection
            .execute_batch(
                "commit;
                 create unique index by_hash on cells (hash);
                 create index by_energy on cells (energy, accuracy);
                 create index by_accuracy on cells (accuracy, energy);
                 analyze",
            )
            .unwrap();
        Self(path)
    }

    fn open(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.0, flags).unwrap();
        connection
            .execute_batch("pragma mmap_size = 17179869184; pragma cache_size = -262144")
            .unwrap();
        connection
    }
}

fn bounds_of(bounds: &Bounds) -> [f64; 4] {
    let ([a, b], [c, d]) = (bounds.energy, bounds.accuracy);
    [a, b, c, d]
}

fn number(connection: &Connection, sql: &str, values: impl Params) -> Option<u32> {
    let mut statement = connection.prepare_cached(sql).unwrap();
    let mut rows = statement.query(values).unwrap();
    let row = rows.next().unwrap();
    row.map(|row| row.get(0).unwrap())
}

fn ids(connection: &Connection, sql: &str, values: impl Params, out: &mut Vec<u32>) {
    let mut statement = connection.prepare_cached(sql).unwrap();
    let mut rows = statement.query(values).unwrap();
    while let Some(row) = rows.next().unwrap() {
        out.push(row.get(0).unwrap());
    }
}

fn list(connection: &Connection, sql: &str, values: impl Params) -> Vec<u32> {
    let mut out = Vec::new();
    ids(connection, sql, values, &mut out);
    out
}

impl Peer for Sqlite {
    fn run(&mut self, questions: &Questions, cold: bool, keys: &Keys) -> Option<Outcome> {
        let connection = self.open();
        let find = "select id from cells where hash = ?";
        let count = format!("select count(*) from cells where {BOX}");
        let within = format!("select id from cells where {BOX}");
        // The window's order is that of an index; rows of equal energy and accuracy do not occur.
        let front = |condition: &str| {
            format!(
                "select id from (select id, accuracy, max(accuracy) over (order by energy, accuracy desc
                 rows between unbounded preceding and 1 preceding) as best from cells where {condition})
                 where best is null or accuracy > best"
            )
        };
        let count_in = |connection: &Connection, bounds: &Bounds| {
            number(connection, &count, bounds_of(bounds)).unwrap_or_default() as usize
        };
        Some(match questions {
            Questions::LookUp => keys.time_chain(|key| number(&connection, find, [key])),
            Questions::Batch => keys.time_batches(
                |key| key,
                |row| *row,
                |keys, found| found.extend(keys.iter().map(|key| number(&connection, find, [key]))),
            ),
            Questions::OpenLookUp => {
                time(&keys.keys[..64], |key| number(&self.open(), find, [key]))
            }
            Questions::OpenCount(boxes) => time(boxes, |bounds| count_in(&self.open(), bounds)),
            Questions::Count(boxes) if cold => {
                time_cold(boxes, |bounds| count_in(&connection, bounds))
            }
            Questions::Count(boxes) => time(boxes, |bounds| count_in(&connection, bounds)),
            Questions::RowSet(boxes) | Questions::Ids(boxes) => time_ids(boxes, |bounds, out| {
                ids(&connection, &within, bounds_of(bounds), out)
            }),
            Questions::Three(three) => time(three, |three| {
                let column = match three.third {
                    Third::Time => "time",
                    Third::Parameters => "parameters",
                };
                let ([a, b, c, d], [e, f]) = (bounds_of(&three.bounds), three.between);
                list(
                    &connection,
                    &format!("{within} and {column} between ?5 and ?6"),
                    [a, b, c, d, e, f],
                )
            }),
            Questions::IsDominated(points) => {
                let sql = format!("select exists (select 1 from cells where {DOMINATES})");
                time(points, |point| number(&connection, &sql, *point) == Some(1))
            }
            Questions::DominatorCount(points) => {
                let sql = format!("select count(*) from cells where {DOMINATES}");
                time(points, |point| {
                    number(&connection, &sql, *point).unwrap_or_default() as usize
                })
            }
            Questions::Dominators(points) => {
                let sql = format!("select id from cells where {DOMINATES}");
                time(points, |point| list(&connection, &sql, *point))
            }
            Questions::Front | Questions::FrontComputed => {
                let sql = front("true");
                time(&[()], |()| list(&connection, &sql, []))
            }
            Questions::FrontIn(boxes) => {
                let sql = front(BOX);
                time(boxes, |bounds| list(&connection, &sql, bounds_of(bounds)))
            }
            Questions::Cheapest(accuracies) => {
                let sql = "select id from cells where accuracy >= ? order by energy, id limit 10";
                time(accuracies, |accuracy| list(&connection, sql, [accuracy]))
            }
            Questions::Recipe(rows) => {
                let sql =
                    "select id from cells where energy < (select energy from cells where id = ?1)
                           and accuracy >= (select accuracy from cells where id = ?1) - 0.01
                           order by energy, accuracy desc limit 1";
                time(rows, |row| number(&connection, sql, [row]))
            }
            _ => return None,
        })
    }
}
