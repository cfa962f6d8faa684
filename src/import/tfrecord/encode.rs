//! From a trial to a record's payload.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;

use super::WriteError;
use super::proto::{
    DeviceUsage, EvaluationData, EvaluationDataEnergy, ModelMetrics, ModelMetricsEnergy, Names,
    Numbers, PowerUsageData,
};
use crate::metrics::{Component, Metric, PowerUsage, Trial, Values};

/// Characters per line of Python's `base64.encodebytes`.
const LINE: usize = 76;

/// Writes one record's payload: in EC-NAS's layout if the trial has anything that only this has a place for (energy,
/// CO2e, carbon intensity, predictions, power, times of day), else in NAS-Bench-101's.
///
/// A trial that was read from a TFRecord file gives its bytes again. Values that the layout has no field for are left out:
/// training steps, evaluation time, [`Trial::other`] and fields of other formats in [`Trial::unrecognised`].
///
/// # Errors
/// A trial without a graph, or with a number of parameters that is no 32-bit integer.
pub fn encode_record(trial: &Trial) -> Result<Vec<u8>, WriteError> {
    if let Some(verbatim) = &trial.verbatim {
        return Ok(verbatim.clone());
    }
    let cell = trial.cell.ok_or(WriteError::NoGraph {
        hash: trial.hash,
        budget: trial.budget,
        repeat: trial.repeat,
    })?;
    let metrics = if is_ec_nas(trial) {
        ec_nas(trial)?.encode_to_vec()
    } else {
        nas_bench_101(trial)?.encode_to_vec()
    };
    let graph = cell.given();
    // As Python's json.dumps writes it. Nothing in it needs an escape but the base64's line breaks.
    let mut json = format!(
        "[\"{}\", {}, \"{}\", \"{}\", \"",
        trial.hash,
        trial.budget.get(),
        graph.adjacency_bits(),
        graph.operations(),
    );
    let base64 = STANDARD.encode(metrics);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        json.push_str(line);
        json.push_str("\\n");
        rest = more;
    }
    json.push_str("\"]");
    Ok(json.into_bytes())
}

/// Whether the trial has anything that NAS-Bench-101's messages have no field for.
fn is_ec_nas(trial: &Trial) -> bool {
    const OWN_TOTALS: [Metric; 3] = [
        Metric::TotalEnergy,
        Metric::TotalCo2e,
        Metric::TotalCarbonIntensity,
    ];
    const OWN: [Metric; 7] = [
        Metric::Energy,
        Metric::Co2e,
        Metric::CarbonIntensity,
        Metric::PredictedEnergy,
        Metric::PredictedCo2e,
        Metric::PredictedTrainingTime,
        Metric::PredictedCarbonIntensity,
    ];
    let has =
        |values: &Values, metrics: &[Metric]| metrics.iter().any(|&m| values.get(m).is_some());
    trial.started.is_some()
        || trial.stopped.is_some()
        || !trial.power.is_empty()
        || has(&trial.totals, &OWN_TOTALS)
        || trial.checkpoints.iter().any(|checkpoint| {
            checkpoint.started.is_some()
                || checkpoint.stopped.is_some()
                || has(&checkpoint.values, &OWN)
        })
}

fn ec_nas(trial: &Trial) -> Result<ModelMetricsEnergy, WriteError> {
    let evaluations = trial.checkpoints.iter().map(|checkpoint| {
        let values = &checkpoint.values;
        EvaluationDataEnergy {
            current_epoch: values.get(Metric::Epoch),
            training_time: values.get(Metric::TrainingTime),
            train_accuracy: values.get(Metric::TrainAccuracy),
            validation_accuracy: values.get(Metric::ValidationAccuracy),
            test_accuracy: values.get(Metric::TestAccuracy),
            energy: values.get(Metric::Energy),
            co2eq: values.get(Metric::Co2e),
            avg_intensity: values.get(Metric::CarbonIntensity),
            start_emission: checkpoint.started.clone(),
            stop_emission: checkpoint.stopped.clone(),
            pred_energy: values.get(Metric::PredictedEnergy),
            pred_co2eq: values.get(Metric::PredictedCo2e),
            pred_training_time: values.get(Metric::PredictedTrainingTime),
            pred_avg_intensity: values.get(Metric::PredictedCarbonIntensity),
        }
    });
    Ok(ModelMetricsEnergy {
        evaluations: evaluations.collect(),
        trainable_parameters: parameters(trial)?,
        total_time: trial.totals.get(Metric::TotalTime),
        total_energy: trial.totals.get(Metric::TotalEnergy),
        total_co2eq: trial.totals.get(Metric::TotalCo2e),
        start_emission: trial.started.clone(),
        stop_emission: trial.stopped.clone(),
        overall_avg_intensity: trial.totals.get(Metric::TotalCarbonIntensity),
        power_usage: (!trial.power.is_empty()).then(|| PowerUsageData {
            gpu: devices(&trial.power, Component::Gpu),
            cpu: devices(&trial.power, Component::Cpu),
        }),
    })
}

fn nas_bench_101(trial: &Trial) -> Result<ModelMetrics, WriteError> {
    let evaluations = trial
        .checkpoints
        .iter()
        .enumerate()
        .map(|(index, checkpoint)| {
            let values = &checkpoint.values;
            let path = trial
                .unrecognised
                .iter()
                .find(|(name, _)| *name == super::checkpoint_path(index));
            EvaluationData {
                current_epoch: values.get(Metric::Epoch),
                training_time: values.get(Metric::TrainingTime),
                train_accuracy: values.get(Metric::TrainAccuracy),
                validation_accuracy: values.get(Metric::ValidationAccuracy),
                test_accuracy: values.get(Metric::TestAccuracy),
                checkpoint_path: path.map(|(_, path)| path.clone()),
            }
        });
    Ok(ModelMetrics {
        evaluations: evaluations.collect(),
        trainable_parameters: parameters(trial)?,
        total_time: trial.totals.get(Metric::TotalTime),
    })
}

fn parameters(trial: &Trial) -> Result<Option<i32>, WriteError> {
    let Some(value) = trial.totals.get(Metric::TrainableParameters) else {
        return Ok(None);
    };
    let whole = value as i32;
    if f64::from(whole) == value {
        return Ok(Some(whole));
    }
    Err(WriteError::Parameters {
        hash: trial.hash,
        found: value,
    })
}

fn devices(power: &[PowerUsage], component: Component) -> Option<DeviceUsage> {
    let own = || {
        power
            .iter()
            .filter(move |usage| usage.component == component)
    };
    own().next()?;
    let numbers = |values: Vec<f64>| (!values.is_empty()).then_some(Numbers { values });
    let names: Vec<_> = own().filter_map(|usage| usage.device.clone()).collect();
    Some(DeviceUsage {
        power_w: numbers(own().filter_map(|usage| usage.power_w).collect())
            .into_iter()
            .collect(),
        energy_j: numbers(own().filter_map(|usage| usage.energy_j).collect())
            .into_iter()
            .collect(),
        devices: (!names.is_empty())
            .then_some(Names { values: names })
            .into_iter()
            .collect(),
    })
}
