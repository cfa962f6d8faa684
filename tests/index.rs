//! Every answer of an index against a scan over the columns.

use std::ops::Bound;

use ecnas::index::{Index, IndexBuilder, IndexBytes, IndexError, Interval, RowId, RowSet};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Table {
    x: Vec<f64>,
    y: Vec<f64>,
    kind: Vec<Option<u8>>,
}

impl Table {
    fn build(&self) -> IndexBytes {
        IndexBuilder::new(self.x.len())
            .column("x", &self.x)
            .and_then(|builder| builder.column("y", &self.y))
            .and_then(|builder| builder.pair("x", "y"))
            .and_then(|builder| builder.category("kind", self.kind.clone()))
            .and_then(IndexBuilder::build)
            .unwrap()
    }

    fn open<'a>(&'a self, bytes: &'a [u8]) -> Result<Index<'a>, IndexError> {
        Index::open(bytes, |name| match name {
            "x" => Some(self.x.as_slice()),
            "y" => Some(self.y.as_slice()),
            _ => None,
        })
    }

    /// The rows that have both values.
    fn complete(&self) -> impl Iterator<Item = (u32, f64, f64)> + '_ {
        let points = self.x.iter().zip(&self.y).enumerate();
        points
            .map(|(row, (&x, &y))| (row as u32, x, y))
            .filter(|(_, x, y)| !x.is_nan() && !y.is_nan())
    }
}

fn dominates(a: (f64, f64), b: (f64, f64)) -> bool {
    a.0 <= b.0 && a.1 >= b.1 && a != b
}

/// Ties, many distinct values, infinities, both zeros, missing values.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (0..12_i32).prop_map(f64::from),
        6 => (0..100_000_i32).prop_map(|value| f64::from(value) / 7.0),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, -1.0]),
        1 => Just(f64::NAN),
    ]
}

fn table() -> impl Strategy<Value = Table> {
    let row = || (value(), value(), prop::option::of(0..4_u8));
    let rows = prop_oneof![
        4 => prop::collection::vec(row(), 0..200),
        2 => prop::collection::vec(row(), 4_000..6_000),
    ];
    (rows, 0..4_u8, 0..3_u8).prop_map(|(mut rows, sorted, ties)| {
        if ties == 0 {
            rows.iter_mut()
                .for_each(|row| row.0 = (row.0 / 500.0).floor());
        }
        // As a snapshot numbers them, in the order of x; in that of y; or in none. Missing ones are last.
        let order = |a: f64, b: f64| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(&b));
        match sorted {
            0 => rows.sort_by(|a, b| order(a.1, b.1)),
            1 => {}
            _ => rows.sort_by(|a, b| order(a.0, b.0)),
        }
        Table {
            x: rows.iter().map(|row| row.0).collect(),
            y: rows.iter().map(|row| row.1).collect(),
            kind: rows.iter().map(|row| row.2).collect(),
        }
    })
}

fn bound() -> impl Strategy<Value = Bound<f64>> {
    let number = prop_oneof![
        4 => (0..12_i32).prop_map(f64::from),
        4 => (0..100_000_i32).prop_map(|value| f64::from(value) / 7.0),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, -0.0]),
    ];
    (number, 0..3_u8).prop_map(|(number, kind)| match kind {
        0 => Bound::Included(number),
        1 => Bound::Excluded(number),
        _ => Bound::Unbounded,
    })
}

fn interval() -> impl Strategy<Value = Interval> {
    (bound(), bound()).prop_map(|bounds| Interval::new(bounds).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn boxes_and_ranges_are_those_of_a_scan(table in table(), x in interval(), y in interval(), kinds in (0..4_u8, 0..4_u8)) {
        let bytes = table.build();
        let index = table.open(bytes.as_ref()).unwrap();
        index.verify().unwrap();
        let inside: Vec<(u32, f64, f64)> = table.complete().filter(|row| x.contains(row.1) && y.contains(row.2)).collect();
        let rows: Vec<u32> = inside.iter().map(|row| row.0).collect();

        let pair = index.pair("x", "y").unwrap();
        prop_assert_eq!(pair.count(x, y) as usize, rows.len());
        prop_assert_eq!(pair.rows(x, y).to_vec(), rows.clone());
        let mut ascending = inside.clone();
        ascending.sort_by(|a, b| (a.1 + 0.0).total_cmp(&(b.1 + 0.0)).then(a.0.cmp(&b.0)));
        let ascending: Vec<u32> = ascending.iter().map(|row| row.0).collect();
        prop_assert_eq!(pair.ascending(x, y).collect::<Vec<_>>(), ascending);

        let column = index.column("y").unwrap();
        let mut by_y: Vec<(f64, u32)> = table.y.iter().enumerate().filter(|(_, value)| y.contains(**value)).map(|(row, &value)| (value + 0.0, row as u32)).collect();
        by_y.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let ranks = column.ranks(y);
        prop_assert_eq!(ranks.clone().filter_map(|place| column.row_at(place)).collect::<Vec<_>>(), by_y.iter().map(|row| row.1).collect::<Vec<_>>());
        let mut expected: Vec<u32> = by_y.iter().map(|row| row.1).collect();
        expected.sort_unstable();
        prop_assert_eq!(column.rows(y).unwrap().to_vec(), expected);

        let range = kinds.0.min(kinds.1)..=kinds.0.max(kinds.1);
        let expected: Vec<u32> = (0..table.kind.len() as u32).filter(|&row| table.kind[row as usize].is_some_and(|kind| range.contains(&kind))).collect();
        prop_assert_eq!(index.category("kind").unwrap().rows(range).unwrap().to_vec(), expected);
    }

    #[test]
    fn dominance_is_that_of_a_double_loop(table in table(), x in interval(), y in interval(), point in (value(), value())) {
        let bytes = table.build();
        let index = table.open(bytes.as_ref()).unwrap();
        let pair = index.pair("x", "y").unwrap();
        let complete: Vec<_> = table.complete().collect();
        // A double loop over a few thousand rows is slow: take the layers of small tables alone.
        let front_of = |rows: &[(u32, f64, f64)]| -> Vec<u32> {
            let mut best: Vec<_> = rows.to_vec();
            best.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then(b.2.partial_cmp(&a.2).unwrap()).then(a.0.cmp(&b.0)));
            let mut rows: Vec<u32> = best.iter().enumerate().filter(|(place, b)| {
                !best[..*place].iter().any(|a| dominates((a.1, a.2), (b.1, b.2)))
            }).map(|(_, row)| row.0).collect();
            rows.sort_unstable();
            rows
        };
        let sorted = |mut rows: Vec<u32>| { rows.sort_unstable(); rows };
        let inside: Vec<_> = complete.iter().copied().filter(|row| x.contains(row.1) && y.contains(row.2)).collect();
        let found = pair.front_in(x, y);
        prop_assert!(found.iter().map(|&row| table.x[row as usize]).is_sorted());
        prop_assert_eq!(sorted(found), front_of(&inside));
        prop_assert!(pair.front().iter().map(|&row| table.x[row as usize]).is_sorted());
        prop_assert_eq!(sorted(pair.front().to_vec()), front_of(&complete));

        if table.x.len() <= 200 {
            let mut left = complete.clone();
            let mut layer = 0;
            while !left.is_empty() {
                let front = front_of(&left);
                for &row in &front {
                    prop_assert_eq!(pair.layer(row), Some(layer));
                }
                left.retain(|row| front.binary_search(&row.0).is_err());
                layer += 1;
            }
            for row in 0..table.x.len() as u32 {
                prop_assert_eq!(pair.layer(row).is_some(), complete.iter().any(|other| other.0 == row));
            }
        }
        let row = complete.get(table.x.len() / 2).map_or(point, |row| (row.1, row.2));
        for point in [point, row] {
            let mut dominators: Vec<_> = complete.iter().filter(|row| dominates((row.1, row.2), point)).copied().collect();
            dominators.sort_by(|a, b| (a.1 + 0.0).total_cmp(&(b.1 + 0.0)).then(a.0.cmp(&b.0)));
            let dominators: Vec<u32> = dominators.iter().map(|row| row.0).collect();
            prop_assert_eq!(pair.is_dominated(point.0, point.1), !dominators.is_empty());
            prop_assert_eq!(pair.dominator_count(point.0, point.1) as usize, dominators.len());
            prop_assert_eq!(pair.dominators(point.0, point.1).collect::<Vec<_>>(), dominators);
            let cheapest = complete.iter().filter(|row| row.2 >= point.1).map(|row| row.1).fold(f64::NAN, f64::min);
            let found = pair.cheapest(point.1);
            prop_assert_eq!(found.is_some(), complete.iter().any(|row| row.2 >= point.1));
            if let Some(row) = found {
                prop_assert_eq!(table.x[row as usize], cheapest);
            }
        }
    }

    #[test]
    fn damaged_bytes_give_answers_or_errors(table in table(), at in any::<prop::sample::Index>(), byte in any::<u8>(), x in interval(), y in interval()) {
        let built = table.build();
        let mut bytes = vec![0_u64; built.as_ref().len() / 8];
        bytemuck::cast_slice_mut::<_, u8>(&mut bytes).copy_from_slice(built.as_ref());
        let place = at.index(bytes.len() * 8);
        bytemuck::cast_slice_mut::<_, u8>(&mut bytes)[place] ^= byte.max(1);
        let Ok(index) = table.open(bytemuck::cast_slice(&bytes)) else { return Ok(()) };
        let _ = index.verify();
        let _ = index.sizes();
        if let Some(pair) = index.pair("x", "y") {
            let _ = (pair.count(x, y), pair.rows(x, y).len(), pair.ascending(x, y).count(), pair.front_in(x, y).len());
            let _ = (pair.dominator_count(1.0, 2.0), pair.dominators(1.0, 2.0).count(), pair.cheapest(3.0), pair.layer(0));
        }
        if let Some(column) = index.column("y") {
            let _ = column.rows(y).map(|set| set.len());
        }
        if let Some(category) = index.category("kind") {
            let _ = category.rows(0..=255);
        }
    }

    #[test]
    fn row_sets_obey_the_laws_of_sets(a in prop::collection::btree_set(0..2_000_u32, 0..300), b in prop::collection::btree_set(0..200_000_u32, 0..300)) {
        let set = |rows: &std::collections::BTreeSet<u32>| rows.iter().copied().map(RowId).collect::<RowSet>();
        let (left, right) = (set(&a), set(&b));
        let list = |rows: std::collections::btree_set::IntoIter<u32>| rows.collect::<Vec<_>>();
        prop_assert_eq!((&left & &right).to_vec(), list((&a & &b).into_iter()));
        prop_assert_eq!((&left | &right).to_vec(), list((&a | &b).into_iter()));
        prop_assert_eq!((&left - &right).to_vec(), list((&a - &b).into_iter()));
        prop_assert_eq!((&left ^ &right).to_vec(), list((&a ^ &b).into_iter()));
        prop_assert_eq!(left.complement(2_000).to_vec(), (0..2_000).filter(|row| !a.contains(row)).collect::<Vec<_>>());
        prop_assert_eq!(left.intersection_len(&right), (&a & &b).len());
        prop_assert_eq!(left.iter().map(|row| row.0).collect::<Vec<_>>(), a.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(RowSet::from_sorted(&left.to_vec()), Some(left.clone()));
        prop_assert_eq!(RowSet::from(roaring::RoaringBitmap::from(left.clone())), left.clone());
        for (place, &row) in a.iter().enumerate() {
            prop_assert!(left.contains(RowId(row)));
            prop_assert_eq!(left.nth(place), Some(RowId(row)));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let short = [1.0];
    let error = IndexBuilder::new(2).column("x", &short).unwrap_err();
    assert_eq!(error.to_string(), "column `x`: expected 2 rows, found 1");
    let error = IndexBuilder::new(1).pair("x", "y").unwrap_err();
    assert!(matches!(error, IndexError::NoSuchColumn { .. }));
    assert_eq!(Interval::new(f64::NAN..), Err(IndexError::NotANumber));
    let error = Index::open(b"something else", |_| None).unwrap_err();
    assert!(
        error.to_string().contains("expected an index of version 1"),
        "{error}"
    );
    let bytes = IndexBuilder::new(1)
        .column("x", &short)
        .and_then(IndexBuilder::build)
        .unwrap();
    let other = [1.0, 2.0];
    assert!(matches!(
        Index::open(bytes.as_ref(), |_| Some(&other)),
        Err(IndexError::Rows { .. })
    ));
    assert!(matches!(
        Index::open(bytes.as_ref(), |_| None),
        Err(IndexError::NoSuchColumn { .. })
    ));
    let cut = &bytes.as_ref()[..64];
    assert!(matches!(
        Index::open(cut, |_| Some(&short)),
        Err(IndexError::Malformed { .. })
    ));
}

#[test]
fn an_order_of_rows_that_are_none_ends() {
    let values: Vec<f64> = (0..100).map(f64::from).rev().collect();
    let table = Table {
        x: values.clone(),
        y: values,
        kind: vec![None; 100],
    };
    let built = table.build();
    let mut bytes = vec![0_u64; built.as_ref().len() / 8];
    let all = bytemuck::cast_slice_mut::<_, u8>(&mut bytes);
    all.copy_from_slice(built.as_ref());
    // The order of x begins with rows 99, 98, 97.
    let order: Vec<u8> = [99_u32, 98, 97]
        .iter()
        .flat_map(|row| row.to_le_bytes())
        .collect();
    let place = all.windows(12).position(|window| window == order).unwrap();
    all[place..place + 12].fill(0xFF);
    let index = table.open(bytemuck::cast_slice(&bytes)).unwrap();
    let pair = index.pair("x", "y").unwrap();
    assert!(pair.front_in(Interval::ALL, Interval::ALL).len() < 100);
    assert!(index.verify().is_err());
}
