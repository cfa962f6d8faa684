//! The protobuf messages inside the records, as proto2: a zero that was written differs from a field that was not.

use prost::Message;

/// EC-NAS's metrics of one training run.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelMetricsEnergy {
    #[prost(message, repeated, tag = "1")]
    pub evaluations: Vec<EvaluationDataEnergy>,
    #[prost(int32, optional, tag = "2")]
    pub trainable_parameters: Option<i32>,
    #[prost(double, optional, tag = "3")]
    pub total_time: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub total_energy: Option<f64>,
    #[prost(double, optional, tag = "5")]
    pub total_co2eq: Option<f64>,
    #[prost(string, optional, tag = "6")]
    pub start_emission: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub stop_emission: Option<String>,
    #[prost(double, optional, tag = "8")]
    pub overall_avg_intensity: Option<f64>,
    #[prost(message, optional, tag = "9")]
    pub power_usage: Option<PowerUsageData>,
}

/// EC-NAS's metrics at one checkpoint.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EvaluationDataEnergy {
    #[prost(double, optional, tag = "1")]
    pub current_epoch: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub training_time: Option<f64>,
    #[prost(double, optional, tag = "3")]
    pub train_accuracy: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub validation_accuracy: Option<f64>,
    #[prost(double, optional, tag = "5")]
    pub test_accuracy: Option<f64>,
    #[prost(double, optional, tag = "6")]
    pub energy: Option<f64>,
    #[prost(double, optional, tag = "7")]
    pub co2eq: Option<f64>,
    #[prost(double, optional, tag = "8")]
    pub avg_intensity: Option<f64>,
    #[prost(string, optional, tag = "9")]
    pub start_emission: Option<String>,
    #[prost(string, optional, tag = "10")]
    pub stop_emission: Option<String>,
    #[prost(double, optional, tag = "11")]
    pub pred_energy: Option<f64>,
    #[prost(double, optional, tag = "12")]
    pub pred_co2eq: Option<f64>,
    #[prost(double, optional, tag = "13")]
    pub pred_training_time: Option<f64>,
    #[prost(double, optional, tag = "14")]
    pub pred_avg_intensity: Option<f64>,
}

/// EC-NAS's power per kind of device.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PowerUsageData {
    #[prost(message, optional, tag = "1")]
    pub gpu: Option<DeviceUsage>,
    #[prost(message, optional, tag = "2")]
    pub cpu: Option<DeviceUsage>,
}

/// Lists of lists, as the energy meter reports them: average power in W, energy in J, names.
#[derive(Clone, PartialEq, Message)]
pub(super) struct DeviceUsage {
    #[prost(message, repeated, tag = "1")]
    pub power_w: Vec<Numbers>,
    #[prost(message, repeated, tag = "2")]
    pub energy_j: Vec<Numbers>,
    #[prost(message, repeated, tag = "3")]
    pub devices: Vec<Names>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Numbers {
    #[prost(double, repeated, packed = "false", tag = "1")]
    pub values: Vec<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Names {
    #[prost(string, repeated, tag = "1")]
    pub values: Vec<String>,
}

/// NAS-Bench-101's metrics of one training run.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelMetrics {
    #[prost(message, repeated, tag = "1")]
    pub evaluations: Vec<EvaluationData>,
    #[prost(int32, optional, tag = "2")]
    pub trainable_parameters: Option<i32>,
    #[prost(double, optional, tag = "3")]
    pub total_time: Option<f64>,
}

/// NAS-Bench-101's metrics at one checkpoint.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EvaluationData {
    #[prost(double, optional, tag = "1")]
    pub current_epoch: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub training_time: Option<f64>,
    #[prost(double, optional, tag = "3")]
    pub train_accuracy: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub validation_accuracy: Option<f64>,
    #[prost(double, optional, tag = "5")]
    pub test_accuracy: Option<f64>,
    #[prost(string, optional, tag = "6")]
    pub checkpoint_path: Option<String>,
}
