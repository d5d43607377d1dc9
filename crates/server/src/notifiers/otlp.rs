//! Alerts as log records for an OpenTelemetry collector.

use super::{Kind, MakeStdout, Notifier, Plan};
use crate::destination::Target;
use crate::post::Poster;
use model::Meta;

/// The member.
pub(super) static OTLP: Otlp = Otlp;

pub(super) struct Otlp;

static META: Meta = Meta {
    name: "otlp",
    title: "OpenTelemetry collectors, by OTLP/HTTP in JSON",
    finds: &[
        "`otlp=http://HOST:4318`: up to 100 log records a request to `/v1/logs`, or to the path given",
        "retried, spooled and authorised as webhooks are",
    ],
    needs: &[model::Need::Network],
    references: &["https://opentelemetry.io/docs/specs/otlp/#otlphttp"],
};

impl Kind for Otlp {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn takes(&self, target: &Target) -> bool {
        matches!(target, Target::Otlp(_))
    }

    fn open(&self, plan: Plan, _stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String> {
        Ok(Box::new(Poster::new(plan, 100)?))
    }
}
