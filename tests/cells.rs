//! Cells against the released data.

mod common;

use std::collections::HashSet;

use ecnas::cell::{Cell, CellHash};

/// Every cell of a `generated_graphs` file, with the hash it is published under.
fn released_graphs(file: &str) -> Option<Vec<(CellHash, Cell)>> {
    let text = std::fs::read_to_string(common::data(file)?).unwrap();
    let graphs: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let cells = graphs.iter().map(|(hash, graph)| {
        let (rows, labels): (Vec<Vec<u8>>, Vec<i8>) =
            serde_json::from_value(graph.clone()).unwrap();
        (
            hash.parse().unwrap(),
            Cell::from_labels(&rows, &labels).unwrap(),
        )
    });
    Some(cells.collect())
}

#[test]
fn released_graphs_have_their_hashes_and_differ() {
    for (file, count) in [
        ("ec-nas/generated_graphs_4V9E.json", 91),
        ("ec-nas/generated_graphs_5V9E.json", 2532),
    ] {
        let Some(cells) = released_graphs(file) else {
            return;
        };
        assert_eq!(cells.len(), count);
        for (hash, cell) in &cells {
            assert_eq!(cell.hash(), *hash, "{cell}");
        }
        let distinct: HashSet<Cell> = cells.iter().map(|&(_, cell)| cell).collect();
        assert_eq!(distinct.len(), count);
    }
}

#[test]
fn seven_vertex_cells_have_their_hashes_and_parameters() {
    let Some(path) = common::data("ec-nas/energy_7V9E_4epochs_measured.csv") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = 0;
    for line in text.lines().skip(1) {
        // module_hash,adjacency,"operations",trainable_parameters,energy_kwh_4_epochs
        let (left, rest) = line.split_once('"').unwrap();
        let (operations, right) = rest.split_once('"').unwrap();
        let (hash, adjacency) = left.trim_end_matches(',').split_once(',').unwrap();
        let parameters = right.split(',').nth(1).unwrap();
        let cell = Cell::from_bits(adjacency, operations).unwrap();
        assert_eq!(cell.hash().to_string(), hash);
        assert_eq!(
            cell.trainable_parameters().to_string(),
            parameters,
            "{cell}"
        );
        assert_eq!(cell.given().adjacency_bits(), adjacency);
        assert_eq!(cell.given().operations(), operations);
        rows += 1;
    }
    assert_eq!(rows, 3457);
}
