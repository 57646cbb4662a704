//! The `geiko` program.

fn main() {}
