//! Calls to the gRPC interfaces of runtimes. This crate knows their messages; who starts it brings the connections.

use super::ContainerInfo;
use prost::Message;
use std::fmt;
use std::path::Path;
use std::time::Instant;

/// Opens connections to gRPC interfaces behind Unix sockets.
pub trait Grpc: fmt::Debug + Send + Sync {
    /// Connects. Neither this nor any call of the connection may take longer than until `deadline`.
    ///
    /// # Errors
    /// When nothing that speaks gRPC answers in time.
    fn connect(&self, socket: &Path, deadline: Instant) -> Result<Box<dyn GrpcCalls>, CallError>;
}

/// A connection to a gRPC interface.
pub trait GrpcCalls {
    /// A call with one answer: both messages are encoded. `metadata` are headers of the call.
    ///
    /// # Errors
    /// When the peer says that it does not have the thing, and when the call fails in any other way.
    fn call(
        &mut self,
        method: &str,
        metadata: &[(&'static str, &str)],
        request: &[u8],
    ) -> Result<Vec<u8>, CallError>;
}

/// Why a call gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallError {
    /// The peer does not have the thing.
    NotFound,
    /// No connection, no answer in time, or one that is none.
    Failed,
}

/// A call of messages.
pub(super) fn call<Answer: Message + Default>(
    calls: &mut dyn GrpcCalls,
    method: &str,
    metadata: &[(&'static str, &str)],
    request: &impl Message,
) -> Result<Answer, CallError> {
    let answer = calls.call(method, metadata, &request.encode_to_vec())?;
    Answer::decode(&answer[..]).map_err(|_| CallError::Failed)
}

/// What a daemon says of a container.
#[derive(Debug)]
pub(super) enum Said {
    /// This.
    Known(Box<ContainerInfo>),
    /// It has no such container.
    NotKnown,
    /// Nothing: no daemon is there, or it speaks something else.
    Nothing,
    /// Nothing until the deadline.
    Silent,
}
