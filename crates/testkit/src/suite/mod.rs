//! Conformance of a detector with suites in the format of Falco's event generator: each test makes real system calls on the
//! host or in a container and tells which alert must come of them. `docs/conformance.md` describes it for users.

pub mod calls;
pub mod capabilities;
pub mod constants;
pub mod container;
pub mod description;
pub mod detector;
pub mod drive;
pub mod leaf;
pub mod machine;
pub mod matching;
pub mod run;
pub mod session;
mod sockets;
pub mod table;
pub mod template;
pub mod yaml;
