//! Control characters from files: no output has them, in whatever field they stand.

use std::fs;

use ecnas::cell::Cell;
use ecnas::metrics::{
    Budget, Checkpoint, Component, Metric, PowerUsage, Provenance, Provenances, SourceInfo,
    TableInfo, Trial,
};
use ecnas::snapshot::SnapshotWriter;

use crate::program::{DEEP, FLAT, Folder, Run, hash};

/// Clears the screen, sets a title, deletes, begins a sequence in one byte, turns letters around, ends a line.
const EVIL: &str = "a\u{1b}[2J\u{1b}]0;x\u{7}\r\u{8}\t\u{7f}\u{9b}31m\u{202e}b\u{2066}c\u{2028}d";

/// Whether a terminal obeys a character or shows others in another order because of it.
fn acts(c: char) -> bool {
    let is_mark =
        matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    c != '\n' && (c.is_control() || is_mark)
}

fn check(run: &Run, words: &[&str]) {
    for text in [&run.out, &run.err] {
        let found = text.find(acts);
        assert!(found.is_none(), "{words:?} at {found:?}: {text:?}");
    }
}

/// A snapshot `evil.ecnas` whose every text is evil.
fn evil(folder: &Folder) {
    let text = |field: &str| format!("{field} {EVIL}");
    let predicted = Provenance::Predicted {
        model: text("model"),
    };
    let mut info = TableInfo {
        name: text("table"),
        search_space: Some(text("space")),
        data_set: Some(text("data set")),
        device: Some(text("device\nerror: forged")),
        origin: Some(text("origin")),
        licence: Some(text("licence")),
        provenance: Provenances::uniform(predicted.clone()),
        ..TableInfo::default()
    };
    info.provenance.results.insert(text("column"), predicted);
    info.sources.push(SourceInfo {
        name: text("source"),
        format: text("format"),
        sha256: [0; 32],
        bytes: 1,
        trials: 2,
    });
    let mut writer = SnapshotWriter::create(folder.path("evil.ecnas")).unwrap();
    writer.begin_table(info).unwrap();
    for (cell, energy, accuracy) in [(DEEP, 2.0, 0.9), (FLAT, 1.0, 0.895)] {
        let cell: Cell = cell.parse().unwrap();
        let mut trial = Trial::new(cell.hash(), Budget::epochs(4).unwrap(), 1);
        trial.cell = Some(cell);
        let mut last = Checkpoint::default();
        last.values.set(Metric::Energy, energy);
        last.values.set(Metric::ValidationAccuracy, accuracy);
        (last.started, last.stopped) = (Some(text("start")), Some(text("stop")));
        trial.checkpoints = vec![last];
        trial.other = vec![(text("column"), 1.0)];
        (trial.started, trial.stopped) = (Some(text("start")), Some(text("stop")));
        trial.power = vec![PowerUsage {
            component: Component::Gpu,
            device: Some(text("gpu")),
            power_w: Some(1.0),
            energy_j: Some(1.0),
        }];
        trial.unrecognised = vec![(text("path"), text("value"))];
        writer.add(&trial).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn no_text_of_a_snapshot_reaches_the_terminal_as_control_characters() {
    let folder = Folder::new();
    evil(&folder);
    let cell = hash(DEEP);
    let column = format!("column {EVIL}");
    let condition = format!("{column}>=0");
    for (words, forms) in [
        (&["info", "evil.ecnas"][..], 2),
        (&["verify", "evil.ecnas"], 2),
        (&["get", "evil.ecnas", &cell], 3),
        (&["get", "evil.ecnas", &cell, "--trials"], 3),
        (
            &["range", "evil.ecnas", "--where", &condition, "--explain"],
            3,
        ),
        (&["front", "evil.ecnas", "--y", &column], 3),
        (&["front", "evil.ecnas", "--cautious"], 3),
        (&["recipe", "evil.ecnas"], 3),
        (&["recipe", "evil.ecnas", "--plot", "a.svg"], 3),
        (&["export", "evil.ecnas", "-f", "json", "-o", "-"], 1),
    ] {
        for form in [&[][..], &["--json"], &["--csv"]].into_iter().take(forms) {
            let words = [words, form].concat();
            let run = folder.run(&words);
            assert_eq!(run.code, 0, "{words:?}: {}", run.err);
            check(&run, &words);
        }
    }
    // They are shown, not lost; and no field begins a line of its own.
    let info = folder.print(&["info", "evil.ecnas"]);
    assert!(
        info.contains(r"origin a\u{1b}[2J\u{1b}]0;x\u{7}\r\u{8}\t\u{7f}\u{9b}31m\u{202e}b"),
        "{info}"
    );
    assert!(!info.contains("\nerror: forged"), "{info}");
    let json = folder.json(&["info", "evil.ecnas", "--json"]);
    assert_eq!(json["tables"][0]["origin"], format!("origin {EVIL}"));
}

#[test]
fn no_error_and_no_note_has_control_characters() {
    let folder = Folder::new();
    let small = folder.small(1);
    let name = "x\u{1b}[2J\u{9b}\u{202e}.csv";
    fs::write(
        folder.path(name),
        format!("hash,energy_kwh,budget\n{},\u{1b}[2J,4\n", hash(DEEP)),
    )
    .unwrap();
    fs::write(
        folder.path("header.csv"),
        "a\u{1b}[2J,\u{9b}b\u{202e}\n1,2\n",
    )
    .unwrap();
    fs::write(
        folder.path("bytes.csv"),
        b"hash,energy_kwh,budget\n\x1b[2J,1,4\n",
    )
    .unwrap();
    for words in [
        &["import", "-s", "new.redb", name][..],
        &["import", "-s", "new.redb", "header.csv"],
        &["import", "-s", "new.redb", "bytes.csv"],
        &["import", "-s", "new.redb", "absent\u{1b}[2J"],
        &["recipe", name],
        &["predict", "--device", name, DEEP],
        &["get", small, "\u{1b}[2J"],
        &["get", small, &hash(DEEP), "--table", "\u{1b}[2J\u{202e}"],
        &["get", small, &hash(DEEP), "--\u{1b}[2J"],
        &["\u{1b}[2J"],
        &["range", small, "--where", "\u{1b}[2J<=1"],
        &["recipe", small, "--tolerance", "\u{9b}31m"],
        &["recipe", small, "--intensity", "\u{1b}[2J"],
        &["plot", small, "-o", "\u{1b}[2J.jpg"],
    ] {
        let run = folder.run(words);
        assert_ne!(run.code, 0, "{words:?}");
        check(&run, words);
    }
    let run = folder.run(&["import", "-s", "new.redb", "absent\u{1b}[2J"]);
    assert!(run.err.contains(r"absent\u{1b}[2J"), "{}", run.err);
}

#[test]
fn cells_of_csv_are_no_formulas_and_come_back_as_they_were() {
    let folder = Folder::new();
    let names = [
        "=cmd|' /C calc'!A0",
        "+x",
        "-x",
        "@sum",
        "'=quoted",
        "''",
        "-1",
    ];
    let header = names.map(|name| format!("\"{name}\"")).join(",");
    let text = format!(
        "hash,energy_kwh,budget,{header}\n{},1.5,4,1,2,3,4,5,6,-7\n",
        hash(DEEP)
    );
    fs::write(folder.path("own.csv"), text).unwrap();
    let seal = |source: &str, to: &str| {
        let store = format!("{to}.redb");
        folder.print(&["import", "-s", &store, source, "--table", "t"]);
        folder.print(&["seal", "-s", &store, "-o", to]);
        folder.json(&["range", to, "--json"])["rows"].clone()
    };
    let rows = seal("own.csv", "one.ecnas");
    assert_eq!(rows[0]["=cmd|' /C calc'!A0"], 1.0, "{rows}");
    folder.print(&["export", "one.ecnas", "-f", "csv", "-o", "again.csv"]);
    let exported = fs::read_to_string(folder.path("again.csv")).unwrap();
    let answer = folder.print(&["range", "one.ecnas", "--csv"]);
    for csv in [&exported, &answer] {
        let header = csv.lines().next().unwrap();
        for name in header.split(',').map(|name| name.trim_matches('"')) {
            let is_formula = name.starts_with(['=', '+', '-', '@']) && name.parse::<f64>().is_err();
            assert!(!is_formula, "{header}");
        }
        assert!(csv.contains("-7"), "{csv}");
    }
    assert_eq!(seal("again.csv", "two.ecnas"), rows);
}
