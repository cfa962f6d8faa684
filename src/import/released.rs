//! The released files, known by their digests.

use crate::carbon::EC_NAS_PUE;
use crate::metrics::{Metric, Provenance, Provenances};

const ENERGY: [Metric; 3] = [Metric::Energy, Metric::Co2e, Metric::TrainingTime];
const TOTALS: [Metric; 3] = [Metric::TotalEnergy, Metric::TotalCo2e, Metric::TotalTime];
const INTENSITY: [Metric; 1] = [Metric::CarbonIntensity];
const TOTAL_INTENSITY: [Metric; 1] = [Metric::TotalCarbonIntensity];
const ACCURACIES: [Metric; 3] = [
    Metric::TrainAccuracy,
    Metric::ValidationAccuracy,
    Metric::TestAccuracy,
];

/// A file that was published.
pub(super) struct Released {
    sha256: &'static str,
    pub device: &'static str,
    pub origin: &'static str,
    pub licence: &'static str,
    pub data_set: &'static str,
    /// Power usage effectiveness that the energies contain.
    pub pue: Option<f64>,
    values: Values,
}

enum Values {
    /// Everything was observed in the run itself.
    Measured,
    /// Only the last checkpoint of a 4-epoch run was multiplied by budget / 4. What else was metered is that run's, at
    /// every budget: earlier checkpoints, totals, carbon intensities.
    LastScaled,
    /// The totals and the checkpoints were multiplied; the intensities are those of the 4-epoch run.
    AllScaled,
}

const RTX_6000: &str = "Quadro RTX 6000";
const RTX_3090: &str = "GeForce RTX 3090";

const fn ec_nas(sha256: &'static str, device: &'static str, values: Values) -> Released {
    Released {
        sha256,
        device,
        origin: "EC-NAS (Bakhtiarifard, Igel and Selvan, ICASSP 2024)",
        licence: "MIT",
        data_set: "CIFAR-10",
        pue: Some(EC_NAS_PUE),
        values,
    }
}

const fn nas_bench_101(sha256: &'static str) -> Released {
    Released {
        sha256,
        device: "TPU v2",
        origin: "NAS-Bench-101 (Ying et al., ICML 2019)",
        licence: "Apache-2.0",
        data_set: "CIFAR-10",
        pue: None,
        values: Values::Measured,
    }
}

#[rustfmt::skip]
static RELEASED: [Released; 7] = [
    // energy_4V9E_4epochs, energy_5V9E_4epochs
    ec_nas("eba6c177999103d7c938028e410836c1b62213a076b0e7436de85da8f81d974c", RTX_6000, Values::Measured),
    ec_nas("0be8df1e21dac4e7a927ee13823fb3f30fd900f8dee2a41f1572319e8af702cc", RTX_6000, Values::Measured),
    // energy_4V9E_linscale, energy_4V9E_quadrortx6000, energy_4V9E_rtx3090
    ec_nas("e18becd6aac719a9af4c816940a6bf7bf5fb0a16870d531e78a27c1d8cf89010", RTX_6000, Values::LastScaled),
    ec_nas("b50e93e1ef94275ece211533fe954a7a6629157a4e94bb963f0e896d8bc7be09", RTX_6000, Values::AllScaled),
    ec_nas("55a89f91f4906e8c3c2e2578e64b0a62133d25b2e2e8e00f30513c7623f0a2f6", RTX_3090, Values::AllScaled),
    // nasbench_full, nasbench_only108
    nas_bench_101("3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c"),
    nas_bench_101("4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1"),
];

/// The released file with this SHA-256.
pub(super) fn find(sha256: &[u8; 32]) -> Option<&'static Released> {
    let digits: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    RELEASED.iter().find(|file| file.sha256 == digits)
}

impl Released {
    /// Where the file's values come from.
    ///
    /// At 4 epochs, where the factor is 1, the scaled values equal the measured ones; the table as a whole is scaled.
    pub(super) fn provenance(&self) -> Provenances {
        let all = Provenances::uniform(Provenance::Measured);
        let averaged = |all: Provenances| {
            all.with_results(&ENERGY, &Provenance::Scaled)
                .with_results(&INTENSITY, &Provenance::Copied)
                .with_results(&TOTAL_INTENSITY, &Provenance::Copied)
                .with_results(&ACCURACIES, &Provenance::Averaged)
                .with_checkpoints(&INTENSITY, &Provenance::Copied)
                .with_checkpoints(&ACCURACIES, &Provenance::Copied)
        };
        match self.values {
            Values::Measured => all,
            Values::LastScaled => averaged(all)
                .with_results(&TOTALS, &Provenance::Copied)
                .with_checkpoints(&ENERGY, &Provenance::Copied),
            Values::AllScaled => averaged(all)
                .with_results(&TOTALS, &Provenance::Scaled)
                .with_checkpoints(&ENERGY, &Provenance::Scaled),
        }
    }
}
