#!/bin/sh
# Builds and runs the comparison: run.sh [ROWS] [--budget 4|12|36|108] [--without PEER,...]
exec cargo run --quiet --release --locked --manifest-path "$(dirname "$0")/Cargo.toml" -- "$@"
