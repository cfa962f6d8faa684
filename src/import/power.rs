//! Power and energy per device, from the lists that the energy meter writes.

use super::Fault;
use crate::metrics::{Component, PowerUsage};

/// One entry per device; where a list is shorter than the others, the rest has no value.
pub(super) fn devices(
    component: Component,
    power_w: &[f64],
    energy_j: &[f64],
    names: Vec<String>,
) -> Result<Vec<PowerUsage>, Fault> {
    for (field, list) in [("power", power_w), ("energy", energy_j)] {
        if let Some(bad) = list.iter().find(|value| !value.is_finite()) {
            return Err(Fault::Value {
                field: format!("{field} of a {} device", component.name()),
                expected: "a finite number",
                found: bad.to_string(),
            });
        }
    }
    let count = power_w.len().max(energy_j.len()).max(names.len());
    let mut names = names.into_iter();
    let devices = (0..count).map(|index| PowerUsage {
        component,
        device: names.next(),
        power_w: power_w.get(index).copied(),
        energy_j: energy_j.get(index).copied(),
    });
    Ok(devices.collect())
}
