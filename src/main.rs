//! Parses, runs, prints the error, exits: the one place that exits.

fn main() {}
