//! Stores: transactions, duplicates, tables.

#[path = "common/model.rs"]
mod model;

use std::collections::BTreeMap;

use ecnas::metrics::{Metric, Provenance, Provenances, SourceInfo, TableInfo, Trial};
use ecnas::snapshot::Snapshot;
use ecnas::store::{Counts, OnDuplicate, Store, StoreError};
use model::{budget, encoded, hash, trials};
use proptest::prelude::*;

fn measured(energy: f64) -> Trial {
    let mut trial = Trial::new(hash(1), budget(4), 1);
    trial.totals.set(Metric::Energy, energy);
    trial
}

fn counts(change: impl Fn(&mut Counts)) -> Counts {
    let mut counts = Counts::default();
    change(&mut counts);
    counts
}

fn add(
    store: &mut Store,
    table: &str,
    trials: &[Trial],
    on_duplicate: OnDuplicate,
) -> Result<Counts, StoreError> {
    let mut append = store.append(table)?;
    append.add(trials, on_duplicate)?;
    append.commit(TableInfo::default())
}

fn all(store: &Store, table: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    store
        .for_each_trial::<StoreError>(table, |trial| {
            found.push(encoded(&trial));
            Ok(())
        })
        .unwrap();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Batches under every rule for duplicates, against a map.
    #[test]
    fn a_store_holds_what_the_model_holds(
        batches in prop::collection::vec((trials(12), 0..4_u8, any::<bool>()), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let mut store = Store::open(&path).unwrap();
        let mut model: Vec<Trial> = Vec::new();
        for (batch, rule, commit) in batches {
            let rules = [OnDuplicate::Refuse, OnDuplicate::Keep, OnDuplicate::Replace, OnDuplicate::Renumber];
            let rule = rules[usize::from(rule)];
            let mut next = model.clone();
            let mut refused = false;
            for trial in &batch {
                let same = |t: &&mut Trial| (t.hash, t.budget, t.repeat) == (trial.hash, trial.budget, trial.repeat);
                match (next.iter_mut().find(same), rule) {
                    (None, _) => next.push(trial.clone()),
                    (Some(known), _) if encoded(known) == encoded(trial) => {}
                    (Some(_), OnDuplicate::Keep) => {}
                    (Some(known), OnDuplicate::Replace) => *known = trial.clone(),
                    (Some(_), OnDuplicate::Renumber) => {
                        let of_cell = next.iter().filter(|t| (t.hash, t.budget) == (trial.hash, trial.budget));
                        let repeat = of_cell.map(|t| t.repeat).max().unwrap() + 1;
                        next.push(Trial { repeat, ..trial.clone() });
                    }
                    _ => { refused = true; break; }
                }
            }
            let mut append = store.append("t").unwrap();
            let added = append.add(&batch, rule);
            prop_assert_eq!(added.is_err(), refused);
            if refused || !commit {
                drop(append);
            } else {
                append.commit(TableInfo::default()).unwrap();
                model = next;
            }
        }
        drop(store);
        let store = Store::open(&path).unwrap();
        if store.table("t").is_err() {
            prop_assert!(model.is_empty());
        } else {
            prop_assert_eq!(all(&store, "t"), model.iter().map(encoded).collect::<Vec<_>>());
            for trial in &model {
                let mut expected: BTreeMap<_, _> = BTreeMap::new();
                for other in model.iter().filter(|other| other.hash == trial.hash) {
                    expected.insert((other.budget, other.repeat), encoded(other));
                }
                let found = store.trials_of("t", trial.hash).unwrap();
                prop_assert_eq!(found.iter().map(encoded).collect::<Vec<_>>(), expected.into_values().collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn duplicates_are_never_silent() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("s.redb")).unwrap();
    let first = add(&mut store, "t", &[measured(1.0)], OnDuplicate::Refuse).unwrap();
    assert_eq!(first, counts(|c| c.added = 1));
    let again = add(&mut store, "t", &[measured(1.0)], OnDuplicate::Refuse).unwrap();
    assert_eq!(again, counts(|c| c.unchanged = 1));
    let error = add(&mut store, "t", &[measured(2.0)], OnDuplicate::Refuse).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&hash(1).to_string()) && text.contains("4 epochs, repeat 1"),
        "{text}"
    );
    assert_eq!(all(&store, "t"), [encoded(&measured(1.0))]);
    let kept = add(&mut store, "t", &[measured(2.0)], OnDuplicate::Keep).unwrap();
    assert_eq!(kept, counts(|c| c.kept = 1));
    let renumbered = add(&mut store, "t", &[measured(2.0)], OnDuplicate::Renumber).unwrap();
    assert_eq!(renumbered, counts(|c| (c.added, c.renumbered) = (1, 1)));
    let replaced = add(&mut store, "t", &[measured(3.0)], OnDuplicate::Replace).unwrap();
    assert_eq!(replaced, counts(|c| c.replaced = 1));
    let energies: Vec<_> = store.trials_of("t", hash(1)).unwrap();
    let energies: Vec<_> = energies
        .iter()
        .map(|t| (t.repeat, t.result(Metric::Energy)))
        .collect();
    assert_eq!(energies, [(1, Some(3.0)), (2, Some(2.0))]);
}

#[test]
fn tables_are_listed_renamed_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("s.redb")).unwrap();
    for (name, energy) in [("b", 1.0), ("a", 2.0), ("c", 3.0)] {
        add(&mut store, name, &[measured(energy)], OnDuplicate::Refuse).unwrap();
    }
    let names = |store: &Store| {
        let tables = store.tables().unwrap();
        tables
            .into_iter()
            .map(|table| table.info.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&store), ["a", "b", "c"]);
    store.rename_table("a", "d").unwrap();
    store.drop_table("b").unwrap();
    assert_eq!(names(&store), ["c", "d"]);
    assert_eq!(all(&store, "c"), [encoded(&measured(3.0))]);
    assert_eq!(all(&store, "d"), [encoded(&measured(2.0))]);
    assert!(matches!(
        store.rename_table("c", "d"),
        Err(StoreError::TableExists { .. })
    ));
    assert!(matches!(
        store.rename_table("c", " "),
        Err(StoreError::BadName { .. })
    ));
    assert!(matches!(
        store.append("a\nb"),
        Err(StoreError::BadName { .. })
    ));
    let error = store.drop_table("b").unwrap_err().to_string();
    assert!(
        error.contains("`b`") && error.contains("`c`, `d`"),
        "{error}"
    );
    let info = TableInfo {
        name: "ignored".to_owned(),
        licence: Some("MIT".to_owned()),
        ..TableInfo::default()
    };
    store.describe_table("c", info).unwrap();
    assert_eq!(
        store.table("c").unwrap().info.licence.as_deref(),
        Some("MIT")
    );
    // A name that was freed is a new, empty table.
    add(&mut store, "b", &[measured(9.0)], OnDuplicate::Refuse).unwrap();
    assert_eq!(all(&store, "b"), [encoded(&measured(9.0))]);
}

#[test]
fn a_table_holds_values_of_one_kind() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("s.redb")).unwrap();
    let mut commit = |trial: Trial, info: TableInfo| {
        let mut append = store.append("t").unwrap();
        append.add(&[trial], OnDuplicate::Renumber).unwrap();
        append.commit(info)
    };
    let info = |provenance, device: &str| TableInfo {
        device: Some(device.to_owned()),
        provenance: Provenances::uniform(provenance),
        sources: vec![SourceInfo {
            name: "file".to_owned(),
            format: "csv".to_owned(),
            sha256: [7; 32],
            bytes: 10,
            trials: 1,
        }],
        ..TableInfo::default()
    };
    commit(measured(1.0), info(Provenance::Measured, "A")).unwrap();
    commit(measured(2.0), info(Provenance::Measured, "A")).unwrap();
    let error = commit(measured(3.0), info(Provenance::Scaled, "A")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is measured in the table, scaled in the source"),
        "{error}"
    );
    let error = commit(measured(3.0), info(Provenance::Measured, "B")).unwrap_err();
    assert!(matches!(error, StoreError::Mixed { .. }), "{error}");
    let table = store.table("t").unwrap();
    assert_eq!((table.trials, table.info.sources.len()), (2, 1));
}

#[test]
fn a_store_has_one_writer_and_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let mut store = Store::open(&path).unwrap();
    add(&mut store, "t", &[measured(1.0)], OnDuplicate::Refuse).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Busy { .. })));
    let sealed = folder.path().join("t.ecnas");
    ecnas::seal(&mut store, &sealed).unwrap();
    let error = Store::open(&sealed).unwrap_err().to_string();
    assert!(error.contains("a sealed snapshot"), "{error}");
    let csv = folder.path().join("t.csv");
    std::fs::write(&csv, "hash,energy_kwh\n").unwrap();
    assert!(matches!(
        Store::open(&csv),
        Err(StoreError::NotAStore { .. })
    ));
    assert!(matches!(
        Store::open(folder.path()),
        Err(StoreError::Io { .. })
    ));
}

#[test]
fn sealing_keeps_trials_and_descriptions() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("s.redb"), folder.path().join("t.ecnas"));
    let mut store = Store::open(&path).unwrap();
    let empty = ecnas::seal(&mut store, &target).unwrap_err();
    assert!(matches!(empty, ecnas::SealError::Empty { .. }), "{empty}");
    for name in ["a", "b"] {
        add(&mut store, name, &[measured(1.0)], OnDuplicate::Refuse).unwrap();
    }
    let sealed = ecnas::seal(&mut store, &target).unwrap();
    assert_eq!((sealed.tables, sealed.trials), (2, 2));
    let first = std::fs::read(&target).unwrap();
    assert_eq!(first.len() as u64, sealed.bytes);
    let snapshot = Snapshot::open(&target).unwrap();
    assert_eq!(
        snapshot.table("a").unwrap().info().unwrap(),
        store.table("a").unwrap().info
    );
    let one = ecnas::seal_tables(&mut store, &["b"], &target, |_| {
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(one.unwrap().tables, 1);
    let before = std::fs::read(&target).unwrap();
    let cancelled = ecnas::seal_tables(&mut store, &[], &target, |_| {
        std::ops::ControlFlow::Break(())
    });
    assert!(matches!(cancelled, Err(ecnas::SealError::Cancelled)));
    assert_eq!(std::fs::read(&target).unwrap(), before);
    ecnas::seal(&mut store, &target).unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), first);
}
