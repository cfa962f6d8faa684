//! What goes wrong on real machines: power loss, killed processes, full disks, damaged bytes, many readers.
//!
//! Each file of this harness makes one kind of fault happen many times, and holds what is left against a model. Some
//! have a control that must fail: a store on a disk that forgets what it synced, a reader that does not check. `docs/reliability.md`
//! lists what passes and how many trials were run.
//!
//! `ECNAS_FAULTS=long` runs the long trials; a number instead multiplies the short ones.

#[path = "faults/damage.rs"]
mod damage;
#[cfg(feature = "cli")]
#[path = "faults/disk.rs"]
mod disk;
#[cfg(feature = "cli")]
#[path = "faults/hostile.rs"]
mod hostile;
#[cfg(feature = "cli")]
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/kit.rs"]
mod kit;
#[cfg(feature = "cli")]
#[path = "faults/place.rs"]
mod place;
#[path = "faults/power.rs"]
mod power;
#[cfg(feature = "cli")]
#[path = "faults/readers.rs"]
mod readers;
