//! Kernel events: the eBPF loader, decoding, and the state of processes, files and containers.

pub mod syscalls;
pub mod wire;
