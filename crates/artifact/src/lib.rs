//! Where things come from: registries, daemons, archives and folders; the only crate that opens archives and decompresses.

pub mod archives;
