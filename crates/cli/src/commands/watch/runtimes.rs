//! Connects the sensor to the gRPC interfaces of container runtimes. `artifact` alone speaks HTTP/2, `sensor` alone knows what
//! runtimes say, and neither knows the other.

use artifact::grpc::{Connection, Pace};
use artifact::{RemoteError, RemoteErrorKind};
use sensor::containers::{CallError, ContainerOptions, Grpc, GrpcCalls};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// How runtimes are reached: where they usually listen, and before that at these sockets.
pub(crate) fn options(sockets: &[PathBuf]) -> ContainerOptions {
    let mut options = ContainerOptions {
        grpc: Some(Arc::new(Runtimes)),
        ..ContainerOptions::default()
    };
    // What listens there shows when it is asked.
    options.sockets.splice(0..0, sockets.iter().cloned());
    options.cri_sockets.splice(0..0, sockets.iter().cloned());
    options
}

#[derive(Debug)]
struct Runtimes;

impl Grpc for Runtimes {
    fn connect(&self, socket: &Path, deadline: Instant) -> Result<Box<dyn GrpcCalls>, CallError> {
        let pace = Pace {
            stall: deadline.saturating_duration_since(Instant::now()),
            deadline: Some(deadline),
        };
        let name = format!("the container runtime at {}", socket.display());
        let connection = Connection::open(socket, &name, pace).map_err(|error| reason(&error))?;
        Ok(Box::new(Calls(connection)))
    }
}

struct Calls(Connection);

impl GrpcCalls for Calls {
    fn call(
        &mut self,
        method: &str,
        metadata: &[(&'static str, &str)],
        request: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        let answer = self.0.call(method, metadata, request);
        answer.map(Vec::from).map_err(|error| reason(&error))
    }
}

fn reason(error: &RemoteError) -> CallError {
    match error.kind() {
        RemoteErrorKind::NotFound => CallError::NotFound,
        RemoteErrorKind::Denied
        | RemoteErrorKind::Offline
        | RemoteErrorKind::Unreachable
        | RemoteErrorKind::Invalid => CallError::Failed,
    }
}
