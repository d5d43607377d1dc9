//! Alerts for any HTTP(S) address, Falcosidekick among them.

use super::{Kind, MakeStdout, Notifier, Plan};
use crate::destination::Target;
use crate::post::Poster;
use model::Meta;

/// The member.
pub(super) static WEBHOOK: Webhook = Webhook;

pub(super) struct Webhook;

static META: Meta = Meta {
    name: "webhook",
    title: "Any HTTP or HTTPS address, such as Falcosidekick",
    finds: &[
        "`webhook=https://HOST/PATH`: one alert a request, as Falco's JSON or in the `format` given",
        "tried again after errors of the network and the statuses 401, 403 (tokens are replaced), 408, 425, 429 and 5xx, with growing waits and `Retry-After`",
        "undelivered alerts wait in a bounded spool on disk where one is set, over restarts too",
    ],
    needs: &[model::Need::Network],
    references: &["https://falco.org/docs/outputs/channels/"],
};

impl Kind for Webhook {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn takes(&self, target: &Target) -> bool {
        matches!(target, Target::Webhook(_))
    }

    fn open(&self, plan: Plan, _stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String> {
        let batch = if plan.destination.format.joins() { 100 } else { 1 };
        Ok(Box::new(Poster::new(plan, batch)?))
    }
}
