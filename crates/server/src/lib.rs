//! What leaves and enters by sockets: notifiers, the metrics endpoint and the audit webhook.
