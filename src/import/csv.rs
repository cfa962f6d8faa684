//! Results trees (not read yet).
