//! Support for tests; never part of the program.
#![allow(clippy::disallowed_methods, reason = "tests make and read their own files")]
#![allow(clippy::unwrap_used, reason = "a failing test helper should panic")]

pub mod control_group;
pub mod family;
pub mod fixture;
pub mod http;
pub mod image;
pub mod object;
pub mod program;
pub mod registry;
pub mod suite;
pub mod tar;
pub mod zip;

pub use program::{Program, Ran, temporary_folder};
