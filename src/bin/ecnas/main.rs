//! The `ecnas` program.
fn main() {}
