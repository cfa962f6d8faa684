//! The program `ecnas`: what scripts rely on, what goes wrong and how, and real data.
#![cfg(feature = "cli")]

#[path = "cli/commands.rs"]
mod commands;
mod common;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/predicted.rs"]
mod predicted;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/real.rs"]
mod real;
#[cfg(unix)]
#[path = "cli/restricted.rs"]
mod restricted;
