//! The rule language, its evaluator, and the detection rules.
