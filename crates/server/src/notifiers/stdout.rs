//! Alerts on standard output.

use super::{Kind, MakeStdout, Notifier, Plan, SendError};
use crate::destination::Target;
use model::Meta;
use model::event::Alert;
use std::io::{ErrorKind, Write};

/// The member.
pub(super) static STDOUT: Stdout = Stdout;

pub(super) struct Stdout;

static META: Meta = Meta {
    name: "stdout",
    title: "Standard output",
    finds: &["`text=-`, `json=-` or `ocsf=-`: one line an alert, written through at once"],
    needs: &[],
    references: &[],
};

impl Kind for Stdout {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn takes(&self, target: &Target) -> bool {
        matches!(target, Target::Stdout)
    }

    fn open(&self, plan: Plan, stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String> {
        Ok(Box::new(Lines { plan, out: stdout() }))
    }
}

struct Lines {
    plan: Plan,
    out: Box<dyn Write + Send>,
}

impl Notifier for Lines {
    fn batch(&self) -> usize {
        100
    }

    fn encode(&self, alerts: &[&Alert]) -> Vec<u8> {
        self.plan.encode(alerts)
    }

    fn send(&mut self, body: &[u8]) -> Result<(), SendError> {
        self.out
            .write_all(body)
            .and_then(|()| self.out.flush())
            .map_err(|error| {
                let message = format!("standard output: {error}");
                // Whoever read has gone.
                if error.kind() == ErrorKind::BrokenPipe {
                    SendError::never(message)
                } else {
                    SendError::again(message)
                }
            })
    }
}
