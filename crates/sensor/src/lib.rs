//! Kernel events: the eBPF loader, decoding, and the state of processes, files and containers.

pub mod json;
mod kernel;
mod ring;
pub mod syscalls;
mod wanted;
pub mod wire;

pub use kernel::{
    KernelSensor, LossReport, Losses, ProbeReport, ProgramState, SensorConfig, SensorError, now,
};
