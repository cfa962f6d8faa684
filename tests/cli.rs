//! The program `ecnas`: what scripts rely on, what goes wrong and how, and real data.
#![cfg(feature = "cli")]

#[path = "cli/cache.rs"]
mod cache;
#[path = "cli/commands.rs"]
mod commands;
mod common;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/escapes.rs"]
mod escapes;
#[path = "cli/imports.rs"]
mod imports;
#[path = "cli/mistakes.rs"]
mod mistakes;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/predicted.rs"]
mod predicted;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/real.rs"]
mod real;
#[cfg(unix)]
#[path = "cli/restricted.rs"]
mod restricted;
#[path = "cli/width.rs"]
mod width;
#[path = "cli/words.rs"]
mod words;
