//! The program `hullward`.
fn main() {}
