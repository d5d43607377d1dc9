//! Alerts for Prometheus's Alertmanager.

use super::{Kind, MakeStdout, Notifier, Plan};
use crate::destination::Target;
use crate::post::Poster;
use model::Meta;

/// The member.
pub(super) static ALERTMANAGER: Alertmanager = Alertmanager;

pub(super) struct Alertmanager;

static META: Meta = Meta {
    name: "alertmanager",
    title: "Alertmanager, by its API v2",
    finds: &[
        "`alertmanager=http://HOST:9093`: up to 100 alerts a request to `/api/v2/alerts`, or to the path given",
        "retried, spooled and authorised as webhooks are",
    ],
    needs: &[model::Need::Network],
    references: &["https://prometheus.io/docs/alerting/latest/alerts_api/"],
};

impl Kind for Alertmanager {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn takes(&self, target: &Target) -> bool {
        matches!(target, Target::Alertmanager(_))
    }

    fn open(&self, plan: Plan, _stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String> {
        Ok(Box::new(Poster::new(plan, 100)?))
    }
}
