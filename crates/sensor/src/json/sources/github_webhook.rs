//! Events of GitHub's webhooks.

use super::{Source, words};
use crate::json::{Json, JsonEvent};
use model::Meta;
use model::event::{Argument, Field, Value};
use std::collections::BTreeSet;

/// The member.
pub(super) static GITHUB_WEBHOOK: GithubWebhook = GithubWebhook;

pub(super) struct GithubWebhook;

static META: Meta = Meta {
    name: "github-webhook",
    title: "Events of GitHub webhooks as Falco's plugin records them, for rules with `source: github`",
    finds: &[
        "the payload of the webhook with the kind of event (the header `X-GitHub-Event`) added as `webhook_type`",
        "fields `github.*`; those on secrets and miners tell what the recorder found (`files[].matches`, `workflow_miner_detections`)",
    ],
    needs: &[],
    references: &["https://docs.github.com/en/webhooks/webhook-events-and-payloads"],
};

impl Source for GithubWebhook {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn name(&self) -> &'static str {
        "github"
    }

    fn plugin(&self) -> &'static str {
        "github"
    }

    fn time(&self, _event: &Json) -> Option<u64> {
        None
    }

    fn value<'a>(&self, event: &'a JsonEvent, field: Field, _argument: &Argument) -> Value<'a> {
        let json = event.json();
        let keys: &[&str] = match field {
            Field::GithubType => &["webhook_type"],
            Field::GithubAction => &["action"],
            Field::GithubUser => &["sender", "login"],
            Field::GithubRepo | Field::GithubRepoUrl => &["repository", "html_url"],
            Field::GithubRepoName => {
                let url = string(json, &["repository", "html_url"]);
                return Value::text(url.strip_prefix("https://github.com/").unwrap_or(url).as_bytes());
            }
            Field::GithubRepoDescription => &["repository", "description"],
            Field::GithubRepoPublic => {
                let private = json.at(&["repository", "private"]) == Some(&Json::Bool(true));
                return truth(!private);
            }
            Field::GithubOrg => &["organization", "login"],
            Field::GithubOwner => &["repository", "owner", "login"],
            Field::GithubCollaboratorName => &["member", "login"],
            Field::GithubCollaboratorRole => &["changes", "permission", "to"],
            Field::GithubWebhookId => {
                let id = json.at(&["hook", "id"]).and_then(Json::as_u64).unwrap_or(0);
                return Value::owned_text(id.to_string());
            }
            Field::GithubWebhookType => &["hook", "type"],
            Field::GithubCommitAdded => return files(json, "added"),
            Field::GithubCommitModified => return files(json, "modified"),
            Field::GithubCommitRemoved => return files(json, "removed"),
            Field::GithubDiffHasSecrets => {
                return match json.get("files").and_then(Json::as_array) {
                    Some(_) => truth(matches(json).next().is_some()),
                    None => Value::text(b""),
                };
            }
            Field::GithubDiffCommittedSecretsDesc => {
                return secrets(json, |_, found| {
                    found
                        .get("desc")
                        .map(|text| text.text().into_owned())
                        .unwrap_or_default()
                });
            }
            Field::GithubDiffCommittedSecretsFiles => return secrets(json, |file, _| name(file).to_owned()),
            Field::GithubDiffCommittedSecretsLines => {
                return secrets(json, |_, found| line(found).to_string());
            }
            Field::GithubDiffCommittedSecretsLinks => {
                let repository = string(json, &["repository", "html_url"]);
                let commit = string(json, &["head_commit", "id"]);
                return secrets(json, |file, found| {
                    format!("{repository}/blob/{commit}/{}/#L{}", name(file), line(found))
                });
            }
            Field::GithubWorkflowHasMiners => {
                return miners(json).map_or(Value::Absent, |found| truth(!found.is_empty()));
            }
            Field::GithubWorkflowMinersType => {
                return miners(json).map_or(Value::Absent, |found| {
                    let kinds: BTreeSet<&str> = found
                        .iter()
                        .map(|miner| miner.get("type").and_then(Json::as_str).unwrap_or_default())
                        .collect();
                    Value::owned_text(kinds.into_iter().collect::<Vec<_>>().join(","))
                });
            }
            Field::GithubWorkflowFilename => &["workflow", "path"],
            _ => return Value::Absent,
        };
        Value::text(string(json, keys).as_bytes())
    }

    fn summary<'a>(&self, event: &'a JsonEvent) -> Value<'a> {
        let json = event.json();
        words(&[
            json.at(&["sender", "login"]),
            json.get("webhook_type"),
            json.get("action"),
            json.at(&["repository", "html_url"]),
        ])
    }
}

/// The string at a place. What an event lacks is empty, as rules for these events expect.
fn string<'a>(json: &'a Json, keys: &[&str]) -> &'a str {
    json.at(keys).and_then(Json::as_str).unwrap_or_default()
}

fn truth<'a>(value: bool) -> Value<'a> {
    Value::text(if value { b"true" } else { b"false" })
}

/// The files that the commits of a push added, changed or removed.
fn files<'a>(json: &'a Json, key: &str) -> Value<'a> {
    let names: Vec<&str> = json
        .get("commits")
        .and_then(Json::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(|commit| commit.get(key).and_then(Json::as_array))
        .flatten()
        .map(|name| name.as_str().unwrap_or_default())
        .collect();
    Value::owned_text(names.join(","))
}

/// The secrets that were found, each with its file.
fn matches(json: &Json) -> impl Iterator<Item = (&Json, &Json)> {
    json.get("files")
        .and_then(Json::as_array)
        .unwrap_or_default()
        .iter()
        .flat_map(|file| {
            file.get("matches")
                .and_then(Json::as_array)
                .unwrap_or_default()
                .iter()
                .map(move |found| (file, found))
        })
}

fn secrets<'a>(json: &'a Json, told: impl Fn(&Json, &Json) -> String) -> Value<'a> {
    if json.get("files").and_then(Json::as_array).is_none() {
        return Value::Absent;
    }
    let texts: Vec<String> = matches(json).map(|(file, found)| told(file, found)).collect();
    Value::owned_text(texts.join(","))
}

fn name(file: &Json) -> &str {
    file.get("name").and_then(Json::as_str).unwrap_or_default()
}

fn line(found: &Json) -> u64 {
    found.get("line").and_then(Json::as_u64).unwrap_or(0)
}

fn miners(json: &Json) -> Option<&[Json]> {
    json.at(&["workflow_miner_detections", "matches"])?.as_array()
}
