//! The community's rules for other sources than system calls, over recorded events: which rules fire for which.

use detect::{Evaluator, LoadOptions, Loader};
use model::event::EventView;
use sensor::json::{Intake, Surroundings, files, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use testkit::family::test_data;

/// What fires for the events of a file, every rule that matches, with the outputs.
fn fired(rules: &Path, source: &str, events: &Path) -> BTreeMap<String, String> {
    let options = LoadOptions {
        all_matches: true,
        ..LoadOptions::default()
    };
    let mut loader = Loader::new(options).expect("options");
    #[allow(clippy::disallowed_methods, reason = "tests read rules")]
    let result = loader.add("rules", &std::fs::read(rules).expect("rules"));
    assert!(result.errors.is_empty(), "{:?}", result.errors);
    let rules = Arc::new(loader.finish());
    let mut evaluator = Evaluator::new(Arc::clone(&rules));
    let surroundings = Surroundings {
        hostname: "node".to_owned(),
        ..Surroundings::default()
    };
    let mut intake = Intake::new(sources::find(source).expect("source"), surroundings);
    let mut fired = BTreeMap::new();
    files::read_path(events, &mut intake, 1, &mut |event| {
        let event = event.expect("an event");
        assert_eq!(event.source(), source);
        evaluator.evaluate(&event, |id| {
            let alert = rules.to_alert(id, &event, "node").expect("an alert");
            fired.insert(alert.rule.clone(), alert.output);
        });
    });
    fired
}

#[test]
fn each_audit_event_fires_the_rule_that_its_file_names() {
    let Some(data) = test_data() else { return };
    let folder = data.join("falco/k8s_audit");
    let rules = data.join("falco/rules/k8s_audit_rules.yaml");
    // The file, the rules that must fire, the rules that must not.
    let cases: [(&str, &[&str], &[&str]); 24] = [
        (
            "anonymous_creates_namespace_foo",
            &[
                "Anonymous Request Allowed",
                "Create Disallowed Namespace",
                "K8s Namespace Created",
            ],
            &[],
        ),
        (
            "attach_cluster_admin_role",
            &["Attach to cluster-admin Role"],
            &[],
        ),
        ("attach_pod", &["Attach/Exec Pod"], &[]),
        (
            "create_cluster_role_pod_exec",
            &["ClusterRole With Pod Exec Created"],
            &["ClusterRole With Wildcard Created"],
        ),
        (
            "create_cluster_role_wildcard_resources",
            &["ClusterRole With Wildcard Created"],
            &[],
        ),
        (
            "create_cluster_role_wildcard_verbs",
            &["ClusterRole With Wildcard Created"],
            &[],
        ),
        (
            "create_cluster_role_write_privileges",
            &["ClusterRole With Write Privileges Created"],
            &["ClusterRole With Wildcard Created"],
        ),
        ("create_clusterrole", &["K8s ClusterRole Created"], &[]),
        (
            "create_clusterrolebinding",
            &["K8s ClusterRoleBinding Created"],
            &[],
        ),
        (
            "create_configmap",
            &["K8s ConfigMap Created"],
            &["Create/Modify Configmap With Private Credentials"],
        ),
        (
            "create_configmap_no_sensitive_values",
            &["K8s ConfigMap Created"],
            &["Create/Modify Configmap With Private Credentials"],
        ),
        (
            "create_configmap_sensitive_values",
            &["Create/Modify Configmap With Private Credentials"],
            &[],
        ),
        ("create_deployment", &["K8s Deployment Created"], &[]),
        ("create_kube_system_secret", &[], &["K8s Secret Created"]),
        (
            "create_nginx_pod_hostnetwork",
            &["Create HostNetwork Pod"],
            &["Create Privileged Pod"],
        ),
        (
            "create_nginx_pod_no_secctx_1st_container_privileged_2nd_container",
            &["Create Privileged Pod"],
            &[],
        ),
        ("create_nginx_pod_nohostnetwork", &[], &["Create HostNetwork Pod"]),
        (
            "create_nginx_pod_privileged",
            &["Create Privileged Pod"],
            &["Create HostNetwork Pod"],
        ),
        (
            "create_nginx_pod_privileged_2nd_container",
            &["Create Privileged Pod"],
            &[],
        ),
        (
            "create_nginx_pod_sensitive_mount",
            &["Create Sensitive Mount Pod"],
            &[],
        ),
        (
            "create_nginx_pod_sensitive_mount_2nd_container",
            &["Create Sensitive Mount Pod"],
            &[],
        ),
        ("create_nginx_pod_unprivileged", &[], &["Create Privileged Pod"]),
        (
            "create_nginx_pod_unsensitive_mount",
            &[],
            &["Create Sensitive Mount Pod"],
        ),
        (
            "create_nginx_service_nodeport",
            &["Create NodePort Service", "K8s Service Created"],
            &[],
        ),
    ];
    let mut failures = Vec::new();
    for (file, wanted, unwanted) in cases {
        let fired = fired(&rules, "k8s_audit", &folder.join(format!("{file}.json")));
        for rule in wanted {
            if !fired.contains_key(*rule) {
                failures.push(format!("{file}: `{rule}` did not fire, but {:?}", fired.keys()));
            }
        }
        for rule in unwanted {
            if fired.contains_key(*rule) {
                failures.push(format!("{file}: `{rule}` fired: {}", fired[*rule]));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Recorded lines of a source, made by hand after the provider's documentation, and the rules that they fire.
#[test]
fn cloud_rules_fire_for_recorded_lines() {
    let Some(data) = test_data() else { return };
    let folder = tempfile::tempdir().expect("folder");
    for (rules, source, line, wanted) in [
        (
            "aws_cloudtrail_rules.yaml",
            "aws_cloudtrail",
            r#"{"Records":[{"eventID":"1","eventTime":"2026-01-02T03:04:05Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userIdentity":{"type":"Root","userName":"root"},"additionalEventData":{"MFAUsed":"No"},"responseElements":{"ConsoleLogin":"Success"}}]}"#,
            &["Console Root Login Without MFA", "Console Login Without MFA"][..],
        ),
        (
            "aws_cloudtrail_rules.yaml",
            "aws_cloudtrail",
            r#"{"eventID":"2","eventTime":"2026-01-02T03:04:05Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userIdentity":{"type":"IAMUser","userName":"eve"},"requestParameters":{"name":"trail"}}"#,
            &["CloudTrail Logging Disabled"],
        ),
        (
            "github.yaml",
            "github",
            r#"{"webhook_type":"repository","action":"publicized","sender":{"login":"eve"},"organization":{"login":"example"},"repository":{"html_url":"https://github.com/example/shop","private":false,"owner":{"login":"example"}}}"#,
            &["Private Repository Becoming Public"],
        ),
        (
            "okta_rules.yaml",
            "okta",
            r#"{"published":"2026-01-02T03:04:05Z","eventType":"user.account.lock","actor":{"id":"1","displayName":"Eve"},"client":{"ipAddress":"192.0.2.1"},"target":[{"type":"User","displayName":"Alice"}]}"#,
            &["User has been locked out in OKTA"],
        ),
    ] {
        let path = folder.path().join("events.json");
        #[allow(clippy::disallowed_methods, reason = "tests write events")]
        std::fs::write(&path, line).expect("written");
        let fired = fired(&data.join("falco/rules").join(rules), source, &path);
        let names: BTreeSet<&str> = fired.keys().map(String::as_str).collect();
        for rule in wanted {
            assert!(
                names.contains(rule),
                "{source}: `{rule}` did not fire, but {names:?}"
            );
        }
        assert!(fired.values().all(|output| !output.is_empty()));
    }
}
