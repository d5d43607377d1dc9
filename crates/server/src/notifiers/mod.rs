//! The registry of notifiers, in alphabetical order: how alerts are delivered.

use crate::destination::{Destination, OutputSettings, Target};
use model::Meta;
use model::event::Alert;
use report::alerts::AlertOptions;
use std::io::Write;
use std::time::Duration;

mod alertmanager;
mod file;
mod otlp;
mod stdout;
mod syslog;
mod webhook;

/// What a notifier is made from.
pub struct Plan {
    /// Where to and in which form.
    pub destination: Destination,
    /// How.
    pub settings: OutputSettings,
    /// What the form depends on.
    pub options: AlertOptions,
}

impl Plan {
    /// Alerts in the form of the destination.
    pub(crate) fn encode(&self, alerts: &[&Alert]) -> Vec<u8> {
        let mut body = Vec::new();
        self.destination.format.write(alerts, &self.options, &mut body);
        body
    }
}

/// A delivery failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// Whether it makes sense to try again.
    pub retry: bool,
    /// When, if the receiver said.
    pub after: Option<Duration>,
    /// What happened.
    pub message: String,
}

impl SendError {
    /// The same may work later.
    #[must_use]
    pub fn again(message: impl Into<String>) -> Self {
        Self {
            retry: true,
            after: None,
            message: message.into(),
        }
    }

    /// The same will not work later.
    #[must_use]
    pub fn never(message: impl Into<String>) -> Self {
        Self {
            retry: false,
            ..Self::again(message)
        }
    }
}

/// Delivers to one destination, on a thread of its own.
pub trait Notifier: Send {
    /// How many alerts one delivery takes.
    fn batch(&self) -> usize;

    /// One delivery with these alerts.
    fn encode(&self, alerts: &[&Alert]) -> Vec<u8>;

    /// Delivers. Waits no longer than the destination's timeout.
    ///
    /// # Errors
    /// When it was not delivered, or perhaps not.
    fn send(&mut self, body: &[u8]) -> Result<(), SendError>;

    /// Something else has rotated the file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    fn reopen(&mut self) -> Result<(), SendError> {
        Ok(())
    }
}

/// Makes the writer for standard output, which only the program's own crate may use.
pub type MakeStdout<'a> = dyn Fn() -> Box<dyn Write + Send> + 'a;

/// A member of the family.
pub trait Kind: Sync {
    /// Description.
    fn meta(&self) -> &'static Meta;

    /// Whether a target is of this kind.
    fn takes(&self, target: &Target) -> bool;

    /// Opens a destination.
    ///
    /// # Errors
    /// With what is wrong, when trying again would not help.
    fn open(&self, plan: Plan, stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String>;
}

/// Every notifier.
pub static ALL: &[&dyn Kind] = &[
    &alertmanager::ALERTMANAGER,
    &file::FILE,
    &otlp::OTLP,
    &stdout::STDOUT,
    &syslog::SYSLOG,
    &webhook::WEBHOOK,
];

/// Opens a destination with the notifier of its kind.
pub(crate) fn open(plan: Plan, stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String> {
    match ALL.iter().find(|kind| kind.takes(&plan.destination.target)) {
        Some(kind) => kind.open(plan, stdout),
        None => Err("no notifier takes this target".to_owned()),
    }
}
