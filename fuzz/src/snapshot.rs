//! Snapshots: changed bytes whose checksums were made right, so that what reads them is reached.

// That there is an answer is all that matters here.
#![allow(unused_must_use)]

use ecnas::metrics::Metric;
use ecnas::query::{Objective, RecipeQuery};
use ecnas::snapshot::{AlignedBytes, Repeats, Snapshot, Table, View};

/// The one that changes are made to.
pub const BASE: &[u8] = include_bytes!("../../tests/fixtures/v1.ecnas");

const HEADER: usize = 128;
const SECTION: usize = 24;
const BLOCK: usize = 1 << 16;

/// Changes the base as the bytes say, four for each change: where (2), how (1), to what (1). Where the first byte is a
/// multiple of 16, the rest is a snapshot itself.
pub fn run(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let mut bytes = if first % 16 == 0 {
        rest.to_vec()
    } else {
        changed(rest)
    };
    correct(&mut bytes);
    match Snapshot::from_bytes(AlignedBytes::copy_from(&bytes)) {
        Ok(snapshot) => read(&snapshot),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn changed(changes: &[u8]) -> Vec<u8> {
    let mut bytes = BASE.to_vec();
    for change in changes.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        let value = change[3];
        match change[2] % 4 {
            0 => bytes[at] = value,
            1 => bytes[at] = bytes[at].wrapping_add(value),
            2 => bytes[at] ^= 1 << (value % 8),
            // A whole number: a length, an offset, a row.
            _ => {
                let all = [
                    0,
                    1,
                    u64::MAX,
                    1 << 31,
                    1 << 32,
                    1 << 63,
                    u64::from(value),
                    255,
                ];
                let all = all[usize::from(value) % all.len()].to_le_bytes();
                let at = at & !7;
                let end = bytes.len().min(at + 8);
                bytes[at..end].copy_from_slice(&all[..end - at]);
            }
        }
    }
    bytes
}

fn u64_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    usize::try_from(u64::from_le_bytes(field.try_into().ok()?)).ok()
}

fn put_crc(bytes: &mut [u8], at: usize, covered: std::ops::Range<usize>) -> Option<()> {
    let crc = crc32c::crc32c(bytes.get(covered)?);
    let slot = bytes.get_mut(at..at.checked_add(4)?)?;
    slot.copy_from_slice(&crc.to_le_bytes());
    Some(())
}

/// Makes the frame fit as far as it can: magic, version, length and every checksum.
pub fn correct(bytes: &mut [u8]) {
    if bytes.len() < HEADER {
        return;
    }
    bytes[..16].copy_from_slice(&BASE[..16]);
    let len = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&len.to_le_bytes());
    bytes[28..32].copy_from_slice(&(BLOCK as u32).to_le_bytes());
    bytes[44..48].copy_from_slice(&BASE[44..48]);
    sections(bytes);
    blocks(bytes);
    let crc = crc32c::crc32c(&bytes[..HEADER - 4]);
    bytes[HEADER - 4..HEADER].copy_from_slice(&crc.to_le_bytes());
}

fn sections(bytes: &mut [u8]) -> Option<()> {
    let count = u32::from_le_bytes(bytes.get(24..28)?.try_into().ok()?) as usize;
    let start = u64_at(bytes, 32)?;
    let end = start.checked_add(count.checked_mul(SECTION)?)?;
    put_crc(bytes, 40, start..end)?;
    // The catalog is the last section.
    let last = end.checked_sub(SECTION)?;
    let (offset, len) = (u64_at(bytes, last + 8)?, u64_at(bytes, last + 16)?);
    put_crc(bytes, 60, offset..offset.checked_add(len)?)
}

fn blocks(bytes: &mut [u8]) -> Option<()> {
    let start = u64_at(bytes, 48)?;
    let covered = start.checked_sub(HEADER)?;
    for number in 0..covered.div_ceil(BLOCK) {
        let from = HEADER + number * BLOCK;
        put_crc(bytes, start + number * 4, from..start.min(from + BLOCK))?;
    }
    put_crc(bytes, 56, start..bytes.len())
}

/// Asks a snapshot for everything. Answers may be wrong, or errors; nothing may panic, hang or take much memory.
pub fn read(snapshot: &Snapshot) {
    snapshot.verify_checksums();
    snapshot.verify();
    for table in snapshot.tables() {
        of_table(table);
        for budget in table.budgets() {
            for repeats in [Repeats::Mean, Repeats::Given(1), Repeats::Given(u32::MAX)] {
                if let Ok(view) = table.view_with(budget, repeats) {
                    rows(&view);
                    queries(&view);
                    dominance(&view);
                    recipes(&view);
                }
            }
        }
    }
}

/// An error ends the questions.
type Asked = Result<(), Box<dyn std::error::Error>>;

fn of_table(table: Table<'_>) -> Asked {
    table.info();
    table.index_sizes();
    let hashes: Vec<_> = table.trials().flatten().map(|trial| trial.hash()).collect();
    table.rows(&hashes);
    for trial in table.trials_as_imported().chain(table.trials()) {
        trial?.to_trial();
    }
    table.estimated_trials().for_each(drop);
    ecnas::export::write_csv(table, std::io::sink())?;
    ecnas::export::write_json(table, std::io::sink())?;
    Ok(())
}

fn rows(view: &View<'_>) -> Asked {
    for name in view.column_names() {
        view.column(name);
        view.provenance(name);
        view.estimated_rows(name);
    }
    for row in view.rows().take(1000) {
        for metric in Metric::ALL {
            row.get(metric);
        }
        row.cell();
        view.get(row.hash());
        row.trials().for_each(drop);
        view.table().budgets_of(row.id()).for_each(drop);
    }
    view.join(view).take(1000).for_each(drop);
    Ok(())
}

fn queries(view: &View<'_>) -> Asked {
    for metric in [
        Metric::Energy,
        Metric::ValidationAccuracy,
        Metric::TrainingTime,
    ] {
        let Ok(query) = view.query().at_least(metric, 0.3) else {
            continue;
        };
        let query = query.at_most(Metric::ValidationAccuracy, 0.9)?;
        query.count();
        query.exists();
        query.ids();
        query.rows();
        query.lowest(metric, 3);
        query.page(metric, ecnas::query::Direction::Maximize, 1, 3);
        query.sample(2, 1);
        query.explain();
        let wanted = [
            (metric.name(), 0.5),
            (Metric::ValidationAccuracy.name(), 0.9),
        ];
        view.query().nearest(&wanted, 2);
    }
    view.query()
        .structure(ecnas::cell::Feature::ALL[0], 0..3)
        .ids();
    Ok(())
}

fn dominance(view: &View<'_>) -> Asked {
    let pair = [
        Objective::ENERGY,
        Objective::maximize(Metric::ValidationAccuracy),
    ];
    let pair = view.dominance(pair)?;
    pair.front();
    pair.knee();
    pair.extremes();
    pair.normalised_hypervolume();
    pair.front_of(&view.row_set());
    pair.front_in(&view.query());
    for row in view.rows().take(50) {
        pair.layer(row.id());
        pair.is_dominated(row.id());
        pair.dominator_count(row.id());
        pair.dominators(row.id());
        pair.dominated(row.id());
    }
    let three = [
        Objective::ENERGY,
        Objective::maximize(Metric::ValidationAccuracy),
        Objective::minimize(Metric::TrainableParameters),
    ];
    view.dominance(three)?.front();
    Ok(())
}

fn recipes(view: &View<'_>) -> Asked {
    let mut query = RecipeQuery::default();
    for most_edits in [None, Some(2)] {
        query.most_edits = most_edits;
        let search = view.recipes(&query)?;
        search.best();
        search.front();
        search.book();
    }
    Ok(())
}
