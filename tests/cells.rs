//! Cells against the released data.

mod common;

use std::collections::{HashMap, HashSet};

use ecnas::cell::{Cell, CellError, CellHash, HashError, enumerate};

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

/// Expected values from an independent implementation in Python, which agrees
/// with every hash and parameter count in the released TFRecord files.
/// (text, hash, trainable parameters, multiply-accumulates of the stacks)
const KNOWN: [(&str, &str, u64, [u64; 3]); 9] = [
    (
        "0100:input,output",
        "043721b9c7fe8c5fad811d47d83132ec",
        882570,
        [50331648, 41943040, 41943040],
    ),
    (
        "0110001100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output",
        "5529e1779433733d1145e20de5d8604e",
        3468426,
        [176160768, 167772160, 167772160],
    ),
    (
        "0110000100000000:input,maxpool3x3,conv3x3-bn-relu,output",
        "53cee42601ad14d661bb6878031d6acb",
        882570,
        [50331648, 41943040, 41943040],
    ),
    (
        "0111100011000110000100000:input,conv1x1-bn-relu,conv3x3-bn-relu,maxpool3x3,output",
        "8481b63b0bb5c96d28a05049cc9e0b41",
        2909855,
        [157464576, 139505408, 140028800],
    ),
    (
        "001100001011000011000001000001000000:\
         input,conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,output",
        "c5b895f656f7091b40ad56c785c42c90",
        2653744,
        [133708800, 127895040, 128484288],
    ),
    (
        "0110010001100100000010000101000001100000000000000:\
         input,maxpool3x3,maxpool3x3,maxpool3x3,maxpool3x3,maxpool3x3,output",
        "799d710fe58f2fae222ff55508e5dcd8",
        445706,
        [25165824, 20971520, 20971520],
    ),
    (
        "0011001001110000011010000010000000100000010000000:input,conv1x1-bn-relu,\
         conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,output",
        "7e98f24bb13ec8849e0c6be549c056ce",
        5591503,
        [283539456, 270898432, 270813056],
    ),
    (
        "0011100000101000001010000001000001000000010000000:\
         input,maxpool3x3,maxpool3x3,conv1x1-bn-relu,conv1x1-bn-relu,maxpool3x3,output",
        "0885fdc0606b44f1c4735cf9c642e154",
        1114758,
        [61430784, 53040640, 53106112],
    ),
    // 12 edges, of which 9 remain.
    (
        "0100100001010100010100000111000001100000000000000:input,conv1x1-bn-relu,\
         conv3x3-bn-relu,conv1x1-bn-relu,maxpool3x3,conv1x1-bn-relu,output",
        "a05e27eeac5a76a89a83c34ad0ce3e07",
        1861280,
        [95904768, 89184768, 89691712],
    ),
];

/// The codes of [`KNOWN`], from the documented layout.
const CODES: [u64; 9] = [
    0xd00000400,
    0x3e0000dd00,
    0x2e00004e00,
    0x7e800fed20,
    0xf701e63880,
    0x17fbd185eaa,
    0x1f7ea86f900,
    0x1f7d9256a96,
    0x17fb5cb9519,
];

#[test]
fn known_cells_have_their_hash_parameters_and_work() {
    for (text, hash, parameters, stacks) in KNOWN {
        let cell: Cell = text.parse().unwrap();
        assert_eq!(cell.hash().to_string(), hash, "{text}");
        assert_eq!(cell.trainable_parameters(), parameters, "{text}");
        let macs = cell.macs();
        assert_eq!(
            (macs.stem, macs.stacks, macs.classifier),
            (3538944, stacks, 5120),
            "{text}"
        );
        assert_eq!(macs.total(), 3538944 + stacks.iter().sum::<u64>() + 5120);
    }
}

#[test]
fn the_edge_limit_holds_after_pruning() {
    let cell: Cell = KNOWN[8].0.parse().unwrap();
    assert_eq!((cell.given().edges(), cell.graph().edges()), (12, 9));
    let operations = "input,maxpool3x3,maxpool3x3,maxpool3x3,output";
    let all = Cell::from_bits("0111100111000110000100000", operations);
    assert_eq!(all, Err(CellError::TooManyEdges { found: 10 }));
}

#[test]
fn packed_codes_stay_what_they_are() {
    // Codes are stored in files: these numbers must never change.
    let codes = KNOWN.map(|(text, ..)| text.parse::<Cell>().unwrap().code());
    assert_eq!(codes, CODES);
    for code in codes {
        assert_eq!(Cell::from_code(code).unwrap().code(), code);
    }
}

#[test]
fn what_is_not_a_cell_is_refused_with_a_reason() {
    use CellError::*;
    let three = "input,maxpool3x3,output";
    let refused = |bits: &str, operations: &str| Cell::from_bits(bits, operations).unwrap_err();
    assert_eq!(refused("", ""), VertexCount { found: 0 });
    assert_eq!(refused("0", "input"), VertexCount { found: 1 });
    assert_eq!(refused(&"0".repeat(64), ""), VertexCount { found: 8 });
    assert_eq!(refused("01000", three), BitsLength { found: 5 });
    assert_eq!(
        refused("01000x000", three),
        BadDigit {
            position: 5,
            found: 'x'
        }
    );
    assert_eq!(
        refused("010001\u{e9}00", three),
        BadDigit {
            position: 6,
            found: '\u{e9}'
        }
    );
    assert_eq!(
        refused("010001010", three),
        NotUpperTriangular { row: 2, column: 1 }
    );
    assert_eq!(
        refused("110001000", three),
        NotUpperTriangular { row: 0, column: 0 }
    );
    assert_eq!(refused("010000000", three), Disconnected);
    assert_eq!(
        refused("010001000", "input,output"),
        OperationCount {
            expected: 3,
            found: 2
        }
    );
    let unknown = UnknownOperation {
        vertex: 1,
        found: "conv".into(),
    };
    assert_eq!(refused("010001000", "input,conv,output"), unknown);
    let misplaced = |vertex, expected, found| Misplaced {
        vertex,
        expected,
        found,
    };
    for (operations, error) in [
        (
            "maxpool3x3,maxpool3x3,output",
            misplaced(0, "input", "maxpool3x3"),
        ),
        ("output,maxpool3x3,input", misplaced(0, "input", "output")),
        (
            "input,output,output",
            misplaced(1, "an operation", "output"),
        ),
        ("input,maxpool3x3,input", misplaced(2, "output", "input")),
    ] {
        assert_eq!(refused("010001000", operations), error);
    }
    let ragged: [&[u8]; 3] = [&[0, 1, 0], &[0, 0], &[0, 0, 0]];
    let operations: Vec<_> = three.split(',').collect();
    let not_square = NotSquare {
        row: 1,
        expected: 3,
        found: 2,
    };
    assert_eq!(Cell::new(&ragged, &operations), Err(not_square));
    let rows = [[0, 2, 0], [0, 0, 1], [0, 0, 0]];
    let bad_entry = BadEntry {
        row: 0,
        column: 1,
        found: 2,
    };
    assert_eq!(Cell::new(&rows, &operations), Err(bad_entry));
    let rows = [[0, 1, 0], [0, 0, 1], [0, 0, 0]];
    let unknown = UnknownLabel {
        vertex: 1,
        found: 3,
    };
    assert_eq!(Cell::from_labels(&rows, &[-1, 3, -2]), Err(unknown));
    let text = "nothing".parse::<Cell>();
    assert_eq!(
        text,
        Err(BadText {
            found: "nothing".into()
        })
    );
}

#[test]
fn hashes_read_both_cases_and_refuse_the_rest() {
    let hash: CellHash = "5529E1779433733D1145e20de5d8604e".parse().unwrap();
    assert_eq!(hash.to_string(), "5529e1779433733d1145e20de5d8604e");
    assert_eq!(CellHash::from_bytes(hash.to_bytes()), hash);
    let wrong = "5529e1779433733d1145e20de5d8604".parse::<CellHash>();
    assert_eq!(wrong, Err(HashError::Length { found: 31 }));
    let wrong = "5529e1779433733g1145e20de5d8604e".parse::<CellHash>();
    assert_eq!(
        wrong,
        Err(HashError::Digit {
            position: 15,
            found: 'g'
        })
    );
}

#[test]
fn the_search_space_has_as_many_cells_as_published() {
    let mut counts = [0; 8];
    let mut last = 0;
    for cell in enumerate(usize::MAX, usize::MAX) {
        counts[cell.graph().vertices()] += 1;
        assert!(cell.code() > last, "the order is by code");
        last = cell.code();
    }
    assert_eq!(counts, [0, 0, 1, 6, 84, 2441, 62010, 359082]);
    assert_eq!(enumerate(1, 9).count(), 0);
    assert_eq!(enumerate(7, 0).count(), 0);
    assert_eq!(enumerate(7, 1).count(), 1);
}

#[test]
fn enumerated_cells_are_canonical_and_complete() {
    // Every drawing of up to 5 vertices is equal to exactly one enumerated cell.
    let listed: HashSet<u64> = enumerate(5, 9).map(|cell| cell.code()).collect();
    assert!(enumerate(5, 9).all(|cell| cell.canonical().code() == cell.code()));
    let mut drawn = HashSet::new();
    for n in 2..=5_usize {
        for edges in 0..1_u32 << (n * (n - 1) / 2) {
            let mut bit = 0..;
            let mut next = || edges >> bit.next().unwrap_or(0) & 1 == 1;
            let rows: Vec<Vec<u8>> = (0..n)
                .map(|i| (0..n).map(|j| u8::from(i < j && next())).collect())
                .collect();
            for number in 0..3_i32.pow(n as u32 - 2) {
                let label = |v: usize| (number / 3_i32.pow(v as u32 - 1) % 3) as i8;
                let mut labels: Vec<i8> =
                    (0..n).map(|v| if v == 0 { -1 } else { label(v) }).collect();
                labels[n - 1] = -2;
                drawn.extend(Cell::from_labels(&rows, &labels).map(|cell| cell.canonical().code()));
            }
        }
    }
    assert_eq!(drawn, listed);
}

#[test]
fn published_hashes_are_those_of_the_search_space() {
    let cells: HashMap<CellHash, Cell> = enumerate(7, 9).map(|cell| (cell.hash(), cell)).collect();
    assert_eq!(cells.len(), 423_624, "no two cells share a hash");
    // hash, parameters of cells that others drew
    let mut published: Vec<(CellHash, u64)> = Vec::new();
    let fields = |line: &str, hash: usize, parameters: usize| {
        let fields: Vec<&str> = line.split(',').collect();
        (
            fields[hash].parse().unwrap(),
            fields[parameters].parse().unwrap(),
        )
    };
    let Some(path) = common::data("nasbench101/validation_accuracy_sample.csv") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    published.extend(text.lines().skip(1).map(|line| fields(line, 0, 1)));
    assert_eq!(published.len(), 24_022);
    let Some(path) = common::data("ec-nas/energy_7V9E_4epochs_measured.csv") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let parameters = |line: &str| line.split(',').count() - 2;
    published.extend(
        text.lines()
            .skip(1)
            .map(|line| fields(line, 0, parameters(line))),
    );
    assert_eq!(published.len(), 24_022 + 3_457);
    for (hash, parameters) in published {
        assert_eq!(cells[&hash].trainable_parameters(), parameters, "{hash}");
    }
    let Some(released) = released_graphs("ec-nas/generated_graphs_5V9E.json") else {
        return;
    };
    // These graphs are the ones that NAS-Bench-101's generator writes.
    for (hash, cell) in released {
        assert_eq!(cells[&hash].code(), cell.code(), "{cell}");
    }
}

/// The cells that dropping a vertex with one edge to it and one from it leaves, by adjacency matrices.
fn without_a_vertex(cell: &Cell) -> Vec<Cell> {
    let graph = cell.graph();
    let n = graph.vertices();
    let mut cells = Vec::new();
    for gone in 1..n - 1 {
        let ends = (
            graph.predecessors(gone).collect::<Vec<_>>(),
            graph.successors(gone).collect::<Vec<_>>(),
        );
        let (&[from], &[to]) = (&ends.0[..], &ends.1[..]) else {
            continue;
        };
        let left: Vec<usize> = (0..n).filter(|&v| v != gone).collect();
        for in_its_place in [false, true] {
            let edge =
                |i: usize, j: usize| graph.has_edge(i, j) || in_its_place && (i, j) == (from, to);
            let row = |&i: &usize| {
                left.iter()
                    .map(|&j| u8::from(edge(i, j)))
                    .collect::<Vec<u8>>()
            };
            let labels: Vec<i8> = left.iter().map(|&v| graph.label(v).unwrap()).collect();
            let rows: Vec<_> = left.iter().map(row).collect();
            let made = Cell::from_labels(&rows, &labels);
            cells.extend(made.ok().filter(Cell::is_pruned));
        }
    }
    cells
}

#[test]
fn neighbours_are_cells_with_one_operation_edge_or_vertex_more_less_or_other() {
    let cells: Vec<Cell> = enumerate(4, 9).collect();
    let larger: Vec<Cell> = enumerate(5, 9).collect();
    for cell in &cells {
        let mut expected: HashSet<Cell> = without_a_vertex(cell).into_iter().collect();
        let is_above = |other: &&Cell| without_a_vertex(other).contains(cell);
        expected.extend(larger.iter().filter(is_above));
        // With as many vertices, one edit swaps an operation or adds or drops an edge.
        let as_many = |other: &&Cell| other.graph().vertices() == cell.graph().vertices();
        let is_beside = |other: &&Cell| as_many(other) && cell.edit_distance(other) == 1;
        expected.extend(cells.iter().filter(is_beside));
        let near = cell.neighbours();
        assert_eq!(near.len(), expected.len(), "{cell}");
        assert_eq!(
            near.into_iter().collect::<HashSet<Cell>>(),
            expected,
            "{cell}"
        );
    }
}

#[test]
fn neighbours_do_not_depend_on_the_drawing() {
    let cell: Cell = "0110001100010000:input,conv3x3-bn-relu,maxpool3x3,output"
        .parse()
        .unwrap();
    let redrawn: Cell = "0110000100010000:input,maxpool3x3,conv3x3-bn-relu,output"
        .parse()
        .unwrap();
    let codes =
        |cell: Cell| -> Vec<u64> { cell.neighbours().iter().map(|near| near.code()).collect() };
    assert_eq!(codes(cell), codes(cell.canonical()));
    assert_eq!(codes(redrawn), codes(redrawn.canonical()));
}
