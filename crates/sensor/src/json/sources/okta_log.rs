//! Events of Okta's system log.

use super::{Source, moment, words};
use crate::json::{Json, JsonEvent};
use model::Meta;
use model::event::{Argument, EventView, Field, Value};

/// The member.
pub(super) static OKTA_LOG: OktaLog = OktaLog;

pub(super) struct OktaLog;

static META: Meta = Meta {
    name: "okta-log",
    title: "Events of Okta's system log, for rules with `source: okta`",
    finds: &[
        "log events one by one or in lists, as the System Log API gives them",
        "fields `okta.*`; failures of second factors are counted per user over the events read",
    ],
    needs: &[],
    references: &["https://developer.okta.com/docs/reference/api/system-log/"],
};

const SECOND: u64 = 1_000_000_000;

impl Source for OktaLog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn name(&self) -> &'static str {
        "okta"
    }

    fn plugin(&self) -> &'static str {
        "okta"
    }

    fn time(&self, event: &Json) -> Option<u64> {
        moment(event.get("published"))
    }

    fn value<'a>(&self, event: &'a JsonEvent, field: Field, argument: &Argument) -> Value<'a> {
        let json = event.json();
        if let Some(keys) = place(field) {
            return string(json, keys);
        }
        match field {
            Field::OktaApp => json
                .at(&["debugContext", "debugData", "requestUri"])
                .and_then(Json::as_str)
                .and_then(|uri| uri.strip_prefix("/app/"))
                .map_or(Value::Absent, |rest| {
                    Value::text(rest.split('/').next().unwrap_or_default().as_bytes())
                }),
            Field::OktaOrg => event
                .surroundings()
                .organization
                .as_deref()
                .map_or(Value::Absent, |name| Value::text(name.as_bytes())),
            Field::OktaSecurityAsnumber => Value::Uint(
                json.at(&["securityContext", "asNumber"])
                    .and_then(Json::as_u64)
                    .unwrap_or(0),
            ),
            Field::OktaClientGeoLat => coordinate(json, &["lat"]),
            // Falco's plugin writes events back with the longitude under another key.
            Field::OktaClientGeoLon => coordinate(json, &["lon", "lonDe"]),
            Field::OktaAuthenticationStep => json
                .at(&["authenticationContext", "authenticationStep"])
                .map_or(Value::text(b"0"), crate::json::event::text),
            Field::OktaTargetUserId => target(json, "User", "id"),
            Field::OktaTargetUserAlternateid => target(json, "User", "alternateId"),
            Field::OktaTargetUserName => target(json, "User", "displayName"),
            Field::OktaTargetGroupId => target(json, "UserGroup", "id"),
            Field::OktaTargetGroupAlternateid => target(json, "UserGroup", "alternateId"),
            Field::OktaTargetGroupName => target(json, "UserGroup", "displayName"),
            Field::OktaTargetAppAlternateid => target(json, "AppInstance", "alternateId"),
            Field::OktaTargetsDisplayName => {
                let names = targets(json)
                    .iter()
                    .filter_map(|target| target.get("displayName"));
                match argument {
                    Argument::Index(index) => usize::try_from(*index)
                        .ok()
                        .and_then(|index| names.into_iter().nth(index))
                        .map_or(Value::Absent, crate::json::event::text),
                    _ => super::texts(names),
                }
            }
            Field::OktaMfaFailureCountlast | Field::OktaMfaDenyCountlast => match argument {
                Argument::Index(seconds) if !event.failures().is_empty() => {
                    let oldest = event.time().saturating_sub(seconds.saturating_mul(SECOND));
                    let count = event.failures().iter().filter(|time| **time > oldest).count();
                    Value::Uint(count as u64)
                }
                _ => Value::Absent,
            },
            _ => Value::Absent,
        }
    }

    fn summary<'a>(&self, event: &'a JsonEvent) -> Value<'a> {
        let json = event.json();
        words(&[
            json.at(&["actor", "displayName"]),
            json.get("eventType"),
            json.at(&["outcome", "result"]),
            json.at(&["client", "ipAddress"]),
        ])
    }

    fn failure(&self, event: &Json) -> Option<Box<str>> {
        let kind = event.get("eventType")?.as_str()?;
        let failed = match kind {
            "user.mfa.okta_verify.deny_push" => true,
            "user.authentication.auth_via_mfa" => {
                event.at(&["outcome", "result"]).and_then(Json::as_str) == Some("FAILURE")
            }
            _ => false,
        };
        let user = event
            .at(&["actor", "id"])
            .and_then(Json::as_str)
            .unwrap_or_default();
        failed.then(|| format!("{kind}:{user}").into())
    }
}

/// Fields that are the string at one place.
fn place(field: Field) -> Option<&'static [&'static str]> {
    Some(match field {
        Field::OktaBehaviors => &["debugContext", "debugData", "behaviors"],
        Field::OktaEvtType => &["eventType"],
        Field::OktaEvtLegacytype => &["legacyEventType"],
        Field::OktaSeverity => &["severity"],
        Field::OktaMessage => &["displayMessage"],
        Field::OktaPublished => &["published"],
        Field::OktaLogonlysecuritydata => &["debugContext", "debugData", "logOnlySecurityData"],
        Field::OktaActorId => &["actor", "id"],
        Field::OktaActorType => &["actor", "type"],
        Field::OktaActorAlternateid => &["actor", "alternateId"],
        Field::OktaActorName => &["actor", "displayName"],
        Field::OktaClientZone => &["client", "zone"],
        Field::OktaClientIp => &["client", "ipAddress"],
        Field::OktaClientDevice => &["client", "device"],
        Field::OktaClientId => &["client", "id"],
        Field::OktaClientGeoCity => &["client", "geographicalContext", "city"],
        Field::OktaClientGeoState => &["client", "geographicalContext", "state"],
        Field::OktaClientGeoCountry => &["client", "geographicalContext", "country"],
        Field::OktaClientGeoPostalcode => &["client", "geographicalContext", "postalCode"],
        Field::OktaUseragentOs => &["client", "userAgent", "os"],
        Field::OktaUseragentBrowser => &["client", "userAgent", "browser"],
        Field::OktaUseragentRaw => &["client", "userAgent", "rawUserAgent"],
        Field::OktaResult => &["outcome", "result"],
        Field::OktaReason => &["outcome", "reason"],
        Field::OktaTransactionId => &["transaction", "id"],
        Field::OktaTransactionType => &["transaction", "type"],
        Field::OktaRequesturi => &["debugContext", "debugData", "requestUri"],
        Field::OktaPrincipalId => &["debugContext", "debugData", "originalPrincipal", "id"],
        Field::OktaPrincipalAlternateid => &["debugContext", "debugData", "originalPrincipal", "alternateId"],
        Field::OktaPrincipalType => &["debugContext", "debugData", "originalPrincipal", "type"],
        Field::OktaPrincipalName => &["debugContext", "debugData", "originalPrincipal", "displayName"],
        Field::OktaAuthenticationSessionid => &["authenticationContext", "externalSessionId"],
        Field::OktaAuthenticationProvider => &["authenticationContext", "authenticationProvider"],
        Field::OktaAuthenticationCredentialprovider => &["authenticationContext", "credentialProvider"],
        Field::OktaSecurityAsorg => &["securityContext", "asOrg"],
        Field::OktaSecurityIsp => &["securityContext", "isp"],
        Field::OktaSecurityDomain => &["securityContext", "domain"],
        Field::OktaSecurityIsproxy => &["securityContext", "isProxy"],
        _ => return None,
    })
}

/// What an event lacks is empty, as rules for these events expect.
fn string<'a>(json: &'a Json, keys: &[&str]) -> Value<'a> {
    match json.at(keys) {
        None | Some(Json::Null) => Value::text(b""),
        Some(value) => crate::json::event::text(value),
    }
}

fn coordinate<'a>(json: &'a Json, keys: &[&str]) -> Value<'a> {
    keys.iter()
        .find_map(|key| json.at(&["client", "geographicalContext", "geolocation", key]))
        .map_or(Value::text(b"0"), crate::json::event::text)
}

fn targets(json: &Json) -> &[Json] {
    json.get("target").and_then(Json::as_array).unwrap_or_default()
}

/// Of several targets of a kind the last counts.
fn target<'a>(json: &'a Json, kind: &str, key: &str) -> Value<'a> {
    targets(json)
        .iter()
        .rev()
        .find(|target| target.get("type").and_then(Json::as_str) == Some(kind))
        .map_or(Value::Absent, |target| string(target, &[key]))
}
