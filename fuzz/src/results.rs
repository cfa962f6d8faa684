//! `results.json` files: any bytes.

use std::path::Path;

use ecnas::cell::Cell;
use ecnas::import::results::read_run;

use super::file::check;

const PATH: &str = "3V9E/4_epochs/b4/b49ac8c578b4561d79ac7087988f1c61/repeat_1/results.json";

/// Reads the bytes as the results of a run.
pub fn run(data: &[u8]) {
    let cell = Cell::from_bits("010001000", "input,conv3x3-bn-relu,output").expect("a cell");
    match read_run(Path::new(PATH), cell, data) {
        Ok(trial) => check(&trial),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
