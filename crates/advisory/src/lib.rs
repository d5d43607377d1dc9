//! Vulnerability knowledge: feeds, version schemes, the database file, matching.

pub mod schemes;
