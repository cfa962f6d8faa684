//! From one `results.json` to a trial.

use super::walk::Run;
use crate::cell::Cell;
use crate::import::check::set_checked;
use crate::import::facts::set_cell;
use crate::import::json::{self, Fields};
use crate::import::pipeline::Parsed;
use crate::import::{Fault, ImportError, Place, power};
use crate::metrics::{Checkpoint, Component, Metric, Provenance, Provenances, Trial, Values};

/// The harness writes what it metered.
pub(in crate::import) fn provenance() -> Provenances {
    Provenances::uniform(Provenance::Measured)
}

const TOTALS: [(Metric, &str); 5] = [
    (Metric::TrainableParameters, "trainable_params"),
    (Metric::TotalTime, "total_time"),
    (Metric::TotalEnergy, "total_energy (kWh)"),
    (Metric::TotalCo2e, "total_co2eq (g)"),
    (Metric::TotalCarbonIntensity, "avg_intensity (gCO2/kWh)"),
];

const EVALUATION: [(Metric, &str); 14] = [
    (Metric::Epoch, "epochs"),
    (Metric::TrainingTime, "training_time"),
    (Metric::TrainingSteps, "training_steps"),
    (Metric::TrainAccuracy, "train_accuracy"),
    (Metric::ValidationAccuracy, "validation_accuracy"),
    (Metric::TestAccuracy, "test_accuracy"),
    (Metric::EvaluationTime, "predict_time"),
    (Metric::Energy, "energy (kWh)"),
    (Metric::Co2e, "co2eq (g)"),
    (Metric::CarbonIntensity, "avg_intensity (gCO2/kWh)"),
    (Metric::PredictedEnergy, "predicted_energy (kWh)"),
    (Metric::PredictedCo2e, "predicted_co2eq (g)"),
    (Metric::PredictedTrainingTime, "predicted_training_time"),
    (
        Metric::PredictedCarbonIntensity,
        "predicted_avg_intensity (gCO2/kWh)",
    ),
];

// The harness writes the colon.
const POWER: &str = "avg_power_usages:";

pub(super) fn parse(
    run: &Run,
    cell: Cell,
    bytes: &[u8],
    place: &Place,
) -> Result<Parsed, ImportError> {
    let value = json::parse(bytes, place, "the results of one training run")?;
    read(run, cell, value).map_err(|fault| place.clone().fault(fault))
}

fn read(run: &Run, cell: Cell, value: serde_json::Value) -> Result<Parsed, Fault> {
    let mut trial = Trial::new(run.hash, run.budget, run.repeat);
    let mut fields = Fields::of(String::new(), value)?;
    take(&mut trial.totals, &mut fields, &TOTALS)?;
    trial.started = fields.text("start_emission")?;
    trial.stopped = fields.text("stop_emission")?;
    if let Some(usage) = fields.take(POWER) {
        read_power(&mut trial, Fields::of(format!("{POWER}."), usage)?)?;
    }
    let evaluations = fields.list("evaluation_results")?;
    for (index, value) in evaluations.into_iter().enumerate() {
        let path = format!("evaluation_results[{index}].");
        let mut fields = Fields::of(path, value)?;
        let mut checkpoint = Checkpoint::default();
        take(&mut checkpoint.values, &mut fields, &EVALUATION)?;
        checkpoint.started = fields.text("start_emission")?;
        checkpoint.stopped = fields.text("stop_emission")?;
        trial.checkpoints.push(checkpoint);
        trial.unrecognised.extend(fields.rest());
    }
    trial.unrecognised.extend(fields.rest());

    let last = trial.checkpoints.last().ok_or(Fault::NoEvaluations)?;
    let epoch = last.values.get(Metric::Epoch);
    let found = epoch.ok_or_else(|| Fault::Missing {
        column: "epochs of the last evaluation".to_owned(),
    })?;
    if found != f64::from(run.budget.get()) {
        let budget = run.budget;
        return Err(Fault::Unfinished { budget, found });
    }
    let parameters = set_cell(&mut trial, cell)?;
    Ok(Parsed {
        trial,
        fingerprint: None,
        parameters,
        is_left_out: false,
    })
}

fn take(
    values: &mut Values,
    fields: &mut Fields,
    known: &[(Metric, &'static str)],
) -> Result<(), Fault> {
    for &(metric, key) in known {
        let value = fields.number(key)?;
        set_checked(values, &[(metric, key, value)], || fields.path())?;
    }
    Ok(())
}

fn read_power(trial: &mut Trial, mut fields: Fields) -> Result<(), Fault> {
    for component in [Component::Gpu, Component::Cpu] {
        let name = component.name();
        let Some(usage) = fields.take(name) else {
            continue;
        };
        let mut usage = Fields::of(fields.field(&format!("{name}.")), usage)?;
        let devices = power::devices(
            component,
            &usage.numbers("avg_power_usages (W)")?,
            &usage.numbers("avg_energy_usages (J)")?,
            usage.texts("devices")?,
        )?;
        trial.power.extend(devices);
        trial.unrecognised.extend(usage.rest());
    }
    trial.unrecognised.extend(fields.rest());
    Ok(())
}
