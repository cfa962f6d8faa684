//! From a record's payload to a trial.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use prost::encoding::{DecodeContext, decode_key, skip_field};

use super::encode::encode_record;
use super::proto::{DeviceUsage, EvaluationDataEnergy, ModelMetrics, ModelMetricsEnergy, Numbers};
use crate::cell::{Cell, CellHash};
use crate::import::check::set_checked;
use crate::import::facts::set_cell;
use crate::import::pipeline::Parsed;
use crate::import::{Fault, Format};
use crate::metrics::{Budget, Checkpoint, Component, Metric, Trial, Values};

/// Reads one record's payload. Its repeat is 1: which one it is shows only in the file.
///
/// # Errors
/// Anything but `[hash, epochs, adjacency bits, operations, base64 of a protobuf message]` that makes sense.
pub fn decode_record(payload: &[u8]) -> Result<Trial, Fault> {
    parse(payload).map(|parsed| parsed.trial)
}

/// Which of the two messages is in the payload.
pub(super) fn format_of(payload: &[u8]) -> Result<Format, Fault> {
    let (.., base64): Parts = parts(payload)?;
    Ok(match Metrics::decode(&protobuf(&base64)?)? {
        Metrics::EcNas(_) => Format::EcNasTfRecord,
        Metrics::NasBench101(_) => Format::NasBench101TfRecord,
    })
}

/// Hash, epochs, adjacency, operations and metrics.
type Parts = (String, i64, String, String, String);

fn parts(payload: &[u8]) -> Result<Parts, Fault> {
    serde_json::from_slice(payload).map_err(|error| Fault::Json {
        expected: "[hash, epochs, adjacency bits, operations, metrics in base64]",
        reason: error.to_string(),
    })
}

fn protobuf(base64: &str) -> Result<Vec<u8>, Fault> {
    let unbroken: String = base64.lines().collect();
    STANDARD.decode(unbroken).map_err(|error| Fault::Base64 {
        reason: error.to_string(),
    })
}

/// The most evaluations that a record may have. An empty one takes two bytes, and hundreds when it is decoded.
const MOST_EVALUATIONS: usize = 10_000;

/// How many evaluations, which are field 1 in both messages, a message has, without decoding them.
fn evaluations(mut metrics: &[u8]) -> Result<usize, prost::DecodeError> {
    let mut count = 0;
    while !metrics.is_empty() {
        let (tag, wire_type) = decode_key(&mut metrics)?;
        skip_field(wire_type, tag, &mut metrics, DecodeContext::default())?;
        count += usize::from(tag == 1);
    }
    Ok(count)
}

pub(super) fn parse(payload: &[u8]) -> Result<Parsed, Fault> {
    let (hash, epochs, adjacency, operations, base64) = parts(payload)?;
    let hash: CellHash = hash.parse()?;
    let budget = u32::try_from(epochs)
        .ok()
        .and_then(|epochs| Budget::epochs(epochs).ok());
    let budget = budget.ok_or_else(|| Fault::Budget {
        found: epochs.to_string(),
    })?;
    let cell = Cell::from_bits(&adjacency, &operations)?;

    let mut trial = Trial::new(hash, budget, 1);
    match Metrics::decode(&protobuf(&base64)?)? {
        Metrics::EcNas(metrics) => read_ec_nas(&mut trial, *metrics)?,
        Metrics::NasBench101(metrics) => read_nas_bench_101(&mut trial, metrics)?,
    }
    if trial.checkpoints.is_empty() {
        return Err(Fault::NoEvaluations);
    }
    let parameters = set_cell(&mut trial, cell)?;
    if encode_record(&trial).ok().as_deref() != Some(payload) {
        trial.verbatim = Some(payload.to_vec());
    }

    let mut fingerprint = DefaultHasher::new();
    payload.hash(&mut fingerprint);
    Ok(Parsed {
        trial,
        fingerprint: Some(fingerprint.finish()),
        parameters,
        is_left_out: false,
    })
}

enum Metrics {
    EcNas(Box<ModelMetricsEnergy>),
    NasBench101(ModelMetrics),
}

impl Metrics {
    /// Tells the messages apart: the fields that both have are the same in both, field 6 of an evaluation is a number in
    /// the one and text in the other, and a message without any of EC-NAS's own fields is NAS-Bench-101's.
    fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let found = evaluations(bytes).map_err(|error| Fault::Protobuf {
            reason: error.to_string(),
        })?;
        if found > MOST_EVALUATIONS {
            return Err(Fault::TooMany {
                what: "evaluations",
                limit: MOST_EVALUATIONS,
                found,
            });
        }
        let own = match ModelMetricsEnergy::decode(bytes) {
            Ok(metrics) if metrics.is_ec_nas() => return Ok(Self::EcNas(Box::new(metrics))),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        let metrics = ModelMetrics::decode(bytes).map_err(|error| Fault::Protobuf {
            reason: own.unwrap_or(error).to_string(),
        })?;
        Ok(Self::NasBench101(metrics))
    }
}

impl ModelMetricsEnergy {
    /// Whether a field is there that NAS-Bench-101 does not have.
    fn is_ec_nas(&self) -> bool {
        self.total_energy.is_some()
            || self.total_co2eq.is_some()
            || self.start_emission.is_some()
            || self.stop_emission.is_some()
            || self.overall_avg_intensity.is_some()
            || self.power_usage.is_some()
            || self.evaluations.iter().any(EvaluationDataEnergy::is_ec_nas)
    }
}

impl EvaluationDataEnergy {
    /// Whether a field is there that NAS-Bench-101 does not have.
    fn is_ec_nas(&self) -> bool {
        let shared = Self {
            current_epoch: self.current_epoch,
            training_time: self.training_time,
            train_accuracy: self.train_accuracy,
            validation_accuracy: self.validation_accuracy,
            test_accuracy: self.test_accuracy,
            ..Self::default()
        };
        *self != shared
    }
}

fn read_ec_nas(trial: &mut Trial, metrics: ModelMetricsEnergy) -> Result<(), Fault> {
    let totals = [
        (
            Metric::TrainableParameters,
            "trainable_parameters",
            metrics.trainable_parameters.map(f64::from),
        ),
        (Metric::TotalTime, "total_time", metrics.total_time),
        (Metric::TotalEnergy, "total_energy", metrics.total_energy),
        (Metric::TotalCo2e, "total_co2eq", metrics.total_co2eq),
        (
            Metric::TotalCarbonIntensity,
            "overall_avg_intensity",
            metrics.overall_avg_intensity,
        ),
    ];
    set_checked(&mut trial.totals, &totals, String::new)?;
    trial.started = metrics.start_emission;
    trial.stopped = metrics.stop_emission;
    for (index, evaluation) in metrics.evaluations.into_iter().enumerate() {
        let fields = [
            (Metric::Epoch, "current_epoch", evaluation.current_epoch),
            (
                Metric::TrainingTime,
                "training_time",
                evaluation.training_time,
            ),
            (
                Metric::TrainAccuracy,
                "train_accuracy",
                evaluation.train_accuracy,
            ),
            (
                Metric::ValidationAccuracy,
                "validation_accuracy",
                evaluation.validation_accuracy,
            ),
            (
                Metric::TestAccuracy,
                "test_accuracy",
                evaluation.test_accuracy,
            ),
            (Metric::Energy, "energy", evaluation.energy),
            (Metric::Co2e, "co2eq", evaluation.co2eq),
            (
                Metric::CarbonIntensity,
                "avg_intensity",
                evaluation.avg_intensity,
            ),
            (
                Metric::PredictedEnergy,
                "pred_energy",
                evaluation.pred_energy,
            ),
            (Metric::PredictedCo2e, "pred_co2eq", evaluation.pred_co2eq),
            (
                Metric::PredictedTrainingTime,
                "pred_training_time",
                evaluation.pred_training_time,
            ),
            (
                Metric::PredictedCarbonIntensity,
                "pred_avg_intensity",
                evaluation.pred_avg_intensity,
            ),
        ];
        trial.checkpoints.push(Checkpoint {
            values: checkpoint(&fields, index)?,
            started: evaluation.start_emission,
            stopped: evaluation.stop_emission,
        });
    }
    if let Some(power) = metrics.power_usage {
        read_power(trial, Component::Gpu, power.gpu)?;
        read_power(trial, Component::Cpu, power.cpu)?;
    }
    Ok(())
}

fn read_nas_bench_101(trial: &mut Trial, metrics: ModelMetrics) -> Result<(), Fault> {
    let totals = [
        (
            Metric::TrainableParameters,
            "trainable_parameters",
            metrics.trainable_parameters.map(f64::from),
        ),
        (Metric::TotalTime, "total_time", metrics.total_time),
    ];
    set_checked(&mut trial.totals, &totals, String::new)?;
    for (index, evaluation) in metrics.evaluations.into_iter().enumerate() {
        let fields = [
            (Metric::Epoch, "current_epoch", evaluation.current_epoch),
            (
                Metric::TrainingTime,
                "training_time",
                evaluation.training_time,
            ),
            (
                Metric::TrainAccuracy,
                "train_accuracy",
                evaluation.train_accuracy,
            ),
            (
                Metric::ValidationAccuracy,
                "validation_accuracy",
                evaluation.validation_accuracy,
            ),
            (
                Metric::TestAccuracy,
                "test_accuracy",
                evaluation.test_accuracy,
            ),
        ];
        trial.checkpoints.push(Checkpoint {
            values: checkpoint(&fields, index)?,
            started: None,
            stopped: None,
        });
        if let Some(path) = evaluation.checkpoint_path {
            trial
                .unrecognised
                .push((super::checkpoint_path(index), path));
        }
    }
    Ok(())
}

fn checkpoint(fields: &[(Metric, &str, Option<f64>)], index: usize) -> Result<Values, Fault> {
    let mut values = Values::new();
    set_checked(&mut values, fields, || format!("evaluation_data[{index}]."))?;
    Ok(values)
}

fn read_power(
    trial: &mut Trial,
    component: Component,
    usage: Option<DeviceUsage>,
) -> Result<(), Fault> {
    let usage = usage.unwrap_or_default();
    let flat = |lists: Vec<Numbers>| -> Vec<f64> {
        lists.into_iter().flat_map(|list| list.values).collect()
    };
    let names = usage.devices.into_iter().flat_map(|list| list.values);
    let devices = crate::import::power::devices(
        component,
        &flat(usage.power_w),
        &flat(usage.energy_j),
        names.collect(),
    )?;
    trial.power.extend(devices);
    Ok(())
}
