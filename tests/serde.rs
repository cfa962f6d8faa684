//! Results, tables and trials through serde, in the form that a person expects.
#![cfg(feature = "serde")]

use std::fmt::Debug;

use ecnas::cell::{Cell, Edits};
use ecnas::index::{RowId, RowSet};
use ecnas::metrics::{
    Budget, Checkpoint, Component, Metric, PowerUsage, Provenance, Provenances, SourceInfo,
    TableInfo, Trial, Unit,
};
use ecnas::query::{Objective, RecipeBook, RecipeQuery};
use ecnas::snapshot::{Snapshot, SnapshotWriter};
use ecnas::surrogate::Surrogate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The JSON of a value, which reads back as the same value.
fn round<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Value {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn cell() -> Cell {
    "0110001100010000:input,conv1x1-bn-relu,conv3x3-bn-relu,output"
        .parse()
        .unwrap()
}

#[test]
fn names_and_numbers_are_written_as_people_write_them() {
    assert_eq!(round(&Budget::epochs(108).unwrap()), json!(108));
    assert_eq!(round(&RowId(7)), json!(7));
    assert_eq!(
        round(&RowSet::from_iter([RowId(3), RowId(70_000)])),
        json!([3, 70_000])
    );
    for metric in Metric::ALL {
        assert_eq!(round(&metric), json!(metric.name()));
        round(&metric.unit());
    }
    assert_eq!(round(&Unit::GramPerKilowattHour), json!("g/kWh"));
    assert_eq!(round(&Unit::Fraction), json!("fraction"));
    assert_eq!(round(&Unit::Unstated), json!("unstated"));
    assert_eq!(round(&Provenance::Measured), json!("measured"));
    let model = "x 1.0, scaled".to_owned();
    assert_eq!(
        round(&Provenance::Predicted { model }),
        json!("predicted by x 1.0, scaled")
    );
    assert_eq!(
        round(&Objective::ENERGY),
        json!({"column": "energy_kwh", "direction": "minimize"})
    );
}

#[test]
fn what_is_no_such_value_is_refused_with_what_was_expected() {
    let error = |json: &str| serde_json::from_str::<Metric>(json).unwrap_err();
    assert!(error("\"energy\"").to_string().contains("energy_kwh"));
    let error = serde_json::from_str::<Budget>("0").unwrap_err();
    assert!(error.to_string().contains("from 1"), "{error}");
    let error = serde_json::from_str::<Provenance>("\"guessed\"").unwrap_err();
    assert!(error.to_string().contains("measured"), "{error}");
    for text in [
        "drop edge 1",
        "drop edges 1->2",
        "swap vertex 1 conv -> x",
        "",
    ] {
        let error = serde_json::from_str::<Edits>(&json!([text]).to_string()).unwrap_err();
        assert!(error.to_string().contains("an edit"), "{error}");
    }
}

#[test]
fn every_list_of_edits_reads_back() {
    let cells: Vec<Cell> = ecnas::cell::enumerate(7, 9).step_by(9_973).collect();
    for pair in cells.windows(2) {
        let edits = pair[0].edits_to(&pair[1]);
        let json = round(&edits);
        let texts: Vec<String> = edits.iter().map(ToString::to_string).collect();
        assert_eq!(json, json!(texts));
    }
}

#[test]
fn what_is_known_of_a_table_reads_back_and_may_be_written_by_hand() {
    let info = TableInfo {
        name: "t".to_owned(),
        pue: Some(1.59),
        provenance: Provenances::uniform(Provenance::Scaled),
        sources: vec![SourceInfo {
            name: "a.csv".to_owned(),
            format: "csv".to_owned(),
            sha256: std::array::from_fn(|place| place as u8),
            bytes: 9,
            trials: 2,
        }],
        ..TableInfo::default()
    };
    let json = round(&info);
    assert_eq!(json["provenance"]["results"]["energy_kwh"], "scaled");
    let digest = json["sources"][0]["sha256"].as_str().unwrap();
    assert!(digest.starts_with("000102") && digest.len() == 64);
    let by_hand = r#"{"name": "own", "provenance": {"results": {"energy_kwh": "measured"}, "checkpoints": {}}}"#;
    let own: TableInfo = serde_json::from_str(by_hand).unwrap();
    assert_eq!(own.provenance.of("energy_kwh"), Provenance::Measured);
    let error = serde_json::from_value::<TableInfo>({
        let mut json = json;
        json["sources"][0]["sha256"] = "00".into();
        json
    });
    assert!(error.unwrap_err().to_string().contains("64 hexadecimal"));
}

#[test]
fn trials_read_back_and_what_is_no_number_is_null() {
    let cell = cell();
    let mut trial = Trial::new(cell.hash(), Budget::epochs(4).unwrap(), 1);
    trial.cell = Some(cell);
    trial.totals.set(Metric::TotalEnergy, 0.5);
    trial.checkpoints = vec![Checkpoint::default()];
    trial.power = vec![PowerUsage {
        component: Component::Gpu,
        device: None,
        power_w: Some(70.0),
        energy_j: None,
    }];
    trial.other = vec![("latency_ms".to_owned(), 3.0)];
    let json = round(&trial);
    assert_eq!(json["hash"], cell.hash().to_string());
    assert_eq!(json["totals"], json!({"total_energy_kwh": 0.5}));
    assert_eq!(json["power"][0]["component"], "gpu");
    trial.totals.set(Metric::Energy, f64::NAN);
    trial.other = vec![("latency_ms".to_owned(), f64::NAN)];
    let text = serde_json::to_string(&trial).unwrap();
    assert!(text.contains(r#""energy_kwh":null"#), "{text}");
    let read: Trial = serde_json::from_str(&text).unwrap();
    assert!(read.totals.get(Metric::Energy).unwrap().is_nan() && read.other[0].1.is_nan());
}

#[test]
fn recipes_and_predictions_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.ecnas");
    let mut writer = SnapshotWriter::create(&path).unwrap();
    let name = "t".to_owned();
    writer
        .begin_table(TableInfo {
            name,
            ..TableInfo::default()
        })
        .unwrap();
    let budget = Budget::epochs(4).unwrap();
    let prediction = Surrogate::embedded().predict(cell()).at(budget).unwrap();
    for (number, cell) in ecnas::cell::enumerate(5, 9).take(50).enumerate() {
        let mut trial = Trial::new(cell.hash(), budget, 1);
        trial.cell = Some(cell);
        let number = number as f64;
        trial.totals.set(Metric::Energy, 1.0 + number);
        let accuracy = 0.9 + number / 10_000.0;
        trial.totals.set(Metric::ValidationAccuracy, accuracy);
        writer.add(&trial).unwrap();
    }
    let sealed = writer.finish().unwrap();
    assert_eq!(round(&sealed)["trials"], 50);
    let snapshot = Snapshot::open(&path).unwrap();
    let view = snapshot.view("t", budget).unwrap();
    let book: RecipeBook = view
        .recipes(&RecipeQuery::default())
        .unwrap()
        .book()
        .unwrap();
    let json = round(&book);
    let first = &json["recipes"][0];
    assert_eq!(first["hash"], book.recipes[0].hash.to_string());
    assert_eq!(first["energy_kwh"], json!(book.recipes[0].energy_kwh));
    assert!(first["edits"][0].is_string() && first["cell"].is_string());
    assert_eq!(
        round(&prediction)["energy_kwh"]["value"],
        json!(prediction.energy_kwh.value)
    );
}
