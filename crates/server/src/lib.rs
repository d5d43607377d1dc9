//! What leaves and enters by sockets: outputs of alerts, the metrics page and the audit webhook.

pub mod aggregate;
mod audit;
pub mod destination;
mod http;
pub mod metrics;
pub mod notifiers;
pub mod outputs;
mod post;
mod spool;

pub use audit::{AuditReceiver, AuditSettings};
pub use destination::{Destination, DestinationError, OutputSettings};
pub use http::{ServeError, TlsFiles};
pub use outputs::{OutputError, Outputs};
