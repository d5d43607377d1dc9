//! Kernel events: the eBPF loader, decoding, and the state of processes, files and containers.

pub mod capture;
pub mod containers;
mod event;
mod fields;
mod host_files;
pub mod json;
mod kernel;
mod ring;
pub mod sample;
pub mod state;
pub mod syscalls;
mod wanted;
pub mod wire;

pub use event::{Host, KernelEvent};
pub use kernel::{
    KernelSensor, LossReport, Losses, ProbeReport, ProgramState, SensorConfig, SensorError, give_back, now,
};
pub use state::{State, StateOptions};
