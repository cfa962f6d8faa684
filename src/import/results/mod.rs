//! Trees of `results.json` files, as EC-NAS's training harness writes them, and the graphs that belong to them.
//!
//! ```text
//! SPACE/BUDGET_epochs/HH/HASH/repeat_K/results.json      5V9E/108_epochs/b1/b12a…69d2/repeat_2/results.json
//! ```
//!
//! The folder to import may be any of these levels, or one above. The graph is not in the tree: it is looked up by hash in
//! the generated graphs that the options name, else in `generated_graphs*.json` files in the folder and up to three levels
//! above it, else among the cells of the search space, which are enumerated and hashed up to the number of vertices in
//! SPACE (7, which takes a second, if SPACE does not tell). A file that was found and is none, or is longer than 128 MiB, is
//! left out, and a [`Note`](super::Note) says so; one that the options name must be in order, and have at most 1 GiB.
//!
//! Symbolic links are followed. One that leads nowhere, or back into a folder that it lies in, is an error.
//!
//! The digest of a tree is the SHA-256, over its files in order of path, of: path below the folder with `/` between its
//! parts, a zero byte, length as little-endian u64, bytes.

mod graphs;
mod parse;
mod read;
mod walk;

pub use graphs::read_graphs;
pub(super) use parse::provenance;
pub use read::read_run;
pub(super) use read::{digest, open};
