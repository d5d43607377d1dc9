//! The rule language, its evaluator, and the detection rules.

pub mod attack;
pub mod coverage;
pub mod rules;
