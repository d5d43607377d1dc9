//! Hullward's own rules: what the rules of the community lack, as data in their language, one file a rule.
//!
//! The file's name is the rule's identity. A comment at its top says what it finds, why it matters, how to respond and
//! where to read more; the rest any Falco engine reads, as long as the rule uses no field of Hullward's own.

/// Lists and macros that several rules share; it has to be loaded before them.
pub static COMMON: &str = include_str!("common.yaml");

/// One of Hullward's own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnRule {
    /// Kebab-case identity, e.g. `core-pattern-written`; the file's name without `.yaml`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
    /// Events that it must and must not find.
    pub examples: &'static [Example],
}

/// Events that a rule must or must not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The case: `hit-` and a name when the rule must find the last event, `miss-` and a name when it must find none.
    pub name: &'static str,
    /// The events as samples, in YAML.
    pub text: &'static str,
}

/// What the comment at the top of a rule's file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guidance {
    /// What the rule finds, as a title without a full stop; also the rule's name in the language.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// How to respond.
    pub respond: String,
    /// Addresses of further reading.
    pub references: Vec<String>,
}

impl OwnRule {
    /// Reads the comment at the top of the file: the title, then `Why:`, `Respond:` and any number of `See:`; a line that
    /// is indented goes on with the one before.
    #[must_use]
    pub fn guidance(&self) -> Guidance {
        let mut guidance = Guidance::default();
        let mut part = Part::Title;
        for line in self.text.lines() {
            let Some(line) = line.strip_prefix('#') else {
                break;
            };
            let text = line.trim();
            if line.starts_with("   ") {
                part.of(&mut guidance, text);
            } else if let Some(text) = text.strip_prefix("Why: ") {
                part = Part::Why;
                part.of(&mut guidance, text);
            } else if let Some(text) = text.strip_prefix("Respond: ") {
                part = Part::Respond;
                part.of(&mut guidance, text);
            } else if let Some(address) = text.strip_prefix("See: ") {
                guidance.references.push(address.to_owned());
            } else if !text.is_empty() {
                part.of(&mut guidance, text);
            }
        }
        guidance.title = guidance.title.trim_end_matches('.').to_owned();
        guidance
    }
}

/// The part of the comment that a line goes on with.
#[derive(Clone, Copy)]
enum Part {
    Title,
    Why,
    Respond,
}

impl Part {
    fn of(self, guidance: &mut Guidance, text: &str) {
        let part = match self {
            Self::Title => &mut guidance.title,
            Self::Why => &mut guidance.why,
            Self::Respond => &mut guidance.respond,
        };
        if !part.is_empty() {
            part.push(' ');
        }
        part.push_str(text);
    }
}

/// The rule with this identity.
#[must_use]
pub fn named(name: &str) -> Option<&'static OwnRule> {
    ALL.binary_search_by(|rule| rule.name.cmp(name))
        .ok()
        .and_then(|index| ALL.get(index))
}

macro_rules! own_rules {
    ($($name:literal [$($example:literal)*])*) => {
        /// Every rule, in alphabetical order of names.
        pub static ALL: &[OwnRule] = &[
            $(OwnRule {
                name: $name,
                text: include_str!(concat!($name, ".yaml")),
                examples: &[$(Example {
                    name: $example,
                    text: include_str!(concat!("../../tests/fixtures/rules/", $name, "/", $example, ".yaml")),
                }),*],
            }),*
        ];
    };
}

own_rules! {
    "account-file-written" ["hit-echo" "hit-editor" "miss-entry-script" "miss-tool" "miss-tool-itself"]
    "agent-files-changed" ["hit-removed" "hit-removed-by-alias" "hit-rule-written" "miss-itself" "miss-read" "miss-upgrade"]
    "agent-signalled" ["hit-killed" "hit-stopped" "miss-other-process" "miss-reload" "miss-service-manager"]
    "agent-traced" ["hit-attached" "miss-other-process"]
    "application-server-spawns-shell" ["hit-redis" "hit-tomcat" "miss-build-server" "miss-entry-script"]
    "audit-switched-off" ["hit-disabled" "hit-service" "miss-list" "miss-loading"]
    "backups-removed" ["hit-folder" "hit-pools" "miss-list" "miss-scheduled"]
    "bandwidth-sold" ["hit-binary" "hit-image" "miss-other" "miss-search"]
    "bearer-token-on-command-line" ["hit-cluster" "miss-no-token" "miss-pipeline"]
    "binary-format-registered" ["hit-privileged" "miss-emulation-image" "miss-host"]
    "boot-script-written" ["hit-message-of-the-day" "hit-rc-local" "miss-package" "miss-read"]
    "bpf-link-detached" ["hit-detached" "hit-taken-over" "miss-load" "miss-observer"]
    "bpf-program-loaded-in-container" ["hit-unknown" "miss-host" "miss-map" "miss-network-plugin"]
    "capability-given-to-file" ["hit-setuid" "miss-package" "miss-ping"]
    "clone-into-cgroup" ["hit-container" "miss-host-init" "miss-plain"]
    "cloud-credential-file-read" ["hit-encoded" "hit-packed" "miss-client" "miss-editor"]
    "cloud-credentials-requested" ["hit-curl" "hit-task-role" "miss-application" "miss-host" "miss-other-address"]
    "cluster-administrator-made" ["hit-binding" "miss-other-role" "miss-pipeline"]
    "cluster-database-asked" ["hit-keys" "miss-health" "miss-host"]
    "cluster-database-read" ["hit-copy" "hit-from-container" "miss-certificate" "miss-server"]
    "cluster-job-made-in-container" ["hit-job" "hit-other-pod" "miss-pipeline" "miss-reading"]
    "cluster-rights-listed" ["hit-can-i" "miss-get-pods" "miss-host" "miss-pipeline"]
    "cluster-secrets-listed" ["hit-by-hand" "hit-kubectl" "miss-host" "miss-pods"]
    "compiler-below-service" ["hit-php" "miss-build" "miss-service-runs-other-tool"]
    "container-attack-tool" ["hit-kit" "hit-peas" "miss-other" "miss-search"]
    "container-made-a-service" ["hit-from-container" "hit-quadlet" "miss-configuration" "miss-person"]
    "container-storage-written" ["hit-editor" "miss-container" "miss-daemon" "miss-elsewhere"]
    "containerd-shim-socket-connected" ["hit-abstract-socket" "miss-daemon" "miss-other-socket"]
    "core-pattern-written" ["hit-container" "hit-host" "hit-other-mount" "miss-boot" "miss-read"]
    "deleted-binary-executed" ["hit-unlinked-before-start" "miss-memory-file" "miss-ordinary"]
    "descriptor-taken-from-process" ["hit-taken" "miss-host" "miss-refused"]
    "device-cgroup-opened-up" ["hit-allow-all" "miss-read" "miss-runtime"]
    "device-rule-written" ["hit-shell" "miss-package" "miss-read"]
    "disk-node-made-in-container" ["hit-disk" "hit-memory" "miss-host" "miss-null" "miss-pipe"]
    "disk-overwritten" ["hit-format" "hit-wiper" "miss-image-file" "miss-query" "miss-storage-driver"]
    "dropped-program-listens" ["hit-dropped" "miss-from-image"]
    "environment-of-others-read" ["hit-loop" "miss-own" "miss-process-list"]
    "file-made-immutable" ["hit-crontab" "hit-log" "miss-no-copy-on-write" "miss-resolver"]
    "files-encrypted-in-place" ["hit-loop" "hit-service" "miss-backup" "miss-digest"]
    "firewall-switched-off" ["hit-flush" "hit-service" "miss-list" "miss-own-chain"]
    "flood-tool" ["hit-hping" "hit-script" "miss-measurement" "miss-other-script"]
    "fork-bomb" ["hit-classic" "miss-pipe"]
    "hidden-file-in-shared-memory" ["hit-hidden" "hit-script" "miss-browser" "miss-semaphore"]
    "hidden-temporary-program" ["hit-hidden-folder" "hit-shared-memory" "miss-app-image" "miss-environment" "miss-visible"]
    "history-switched-off" ["hit-environment" "hit-link" "miss-ordinary" "miss-script"]
    "host-disk-mounted-in-container" ["hit-disk" "hit-new-interface" "miss-host" "miss-memory-file-system" "miss-storage-driver"]
    "host-persistence-from-container" ["hit-crontab" "hit-key" "miss-other-host-file" "miss-own-crontab"]
    "host-root-chroot" ["hit-call" "hit-command" "miss-host" "miss-privilege-separation"]
    "image-built-outside-pipeline" ["hit-from-a-service" "hit-in-a-container" "miss-at-a-terminal" "miss-other-command" "miss-pipeline"]
    "image-changed-in-place" ["hit-commit" "hit-import" "miss-pipeline" "miss-pull"]
    "image-entry-downloads-and-runs" ["hit-miner-image" "miss-later-process" "miss-ordinary"]
    "interpreter-moves-socket-to-stdio" ["hit-perl-on-host" "hit-python" "miss-other-descriptor" "miss-server"]
    "interpreter-start-hook-written" ["hit-python" "miss-installer" "miss-module"]
    "io-uring-connect-in-container" ["hit-public-address" "miss-private-address" "miss-system-call"]
    "io-uring-sensitive-file" ["hit-private-key-on-host" "hit-shadow" "miss-data-file" "miss-open-by-system-call"]
    "io-uring-setup-in-container" ["hit-unknown-program" "miss-database" "miss-forbidden" "miss-host"]
    "job-scheduled-by-service" ["hit-at" "hit-crontab" "miss-list" "miss-person"]
    "journal-emptied" ["hit-removed" "hit-vacuum" "miss-read" "miss-upkeep"]
    "kernel-addresses-read-in-container" ["hit-exploit" "miss-host" "miss-observer"]
    "kernel-hardening-lowered" ["hit-container" "hit-shell" "miss-boot" "miss-other-setting"]
    "kernel-helper-path-written" ["hit-modprobe-on-host" "hit-uevent-helper" "miss-boot" "miss-read"]
    "kernel-log-read-in-container" ["hit-dmesg" "miss-collector" "miss-host"]
    "kernel-memory-opened" ["hit-container" "hit-host" "miss-inventory" "miss-own-maps"]
    "kernel-module-from-memory" ["hit-loader" "miss-modprobe"]
    "kernel-module-from-unusual-place" ["hit-container" "hit-temporary" "miss-distribution" "miss-refused"]
    "kernel-module-list-written" ["hit-shell" "miss-cloud-set-up" "miss-package"]
    "kernel-thread-name-claimed" ["hit-bare-name" "hit-brackets" "miss-ordinary" "miss-test-command"]
    "kernel-tree-mounted-in-container" ["hit-control-group" "miss-proc" "miss-refused" "miss-runtime"]
    "keyring-used-in-container" ["hit-keyctl" "miss-refused" "miss-runtime"]
    "kubelet-credentials-read" ["hit-from-container" "hit-on-node" "miss-certificate" "miss-kubelet"]
    "kubelet-port-reached" ["hit-docker" "hit-kubelet" "miss-metrics" "miss-other-port"]
    "leaked-descriptor-used" ["hit-path" "hit-working-folder" "miss-host" "miss-own-descriptor"]
    "loader-preload-list-written" ["hit-moved-there" "hit-written" "miss-cache" "miss-moved-elsewhere" "miss-read"]
    "loader-runs-program" ["hit-musl" "hit-temporary-program" "miss-ldd" "miss-program-itself"]
    "log-removed" ["hit-deleted" "hit-deleted-by-alias" "hit-moved" "hit-moved-by-alias" "miss-alias-of-another-folder" "miss-other-log" "miss-rotation"]
    "login-rules-written" ["hit-module" "hit-ssh" "miss-package" "miss-read" "miss-tool"]
    "mandatory-access-control-off" ["hit-file" "hit-permissive" "miss-loading" "miss-on" "miss-package"]
    "memfd-program-outside-runtime" ["hit-borrowed-name" "hit-plain" "miss-from-disk" "miss-runtime"]
    "memory-file-run-by-interpreter" ["hit-other-process" "hit-own-descriptor" "miss-file" "miss-process-substitution"]
    "memory-of-another-process-read" ["hit-dumper" "miss-debugger" "miss-status"]
    "memory-of-another-process-written" ["hit-call" "hit-file" "miss-debugger" "miss-own"]
    "miner-command-line" ["hit-pool" "hit-renamed" "miss-copy" "miss-database"]
    "miner-pool-port" ["hit-pool" "miss-private" "miss-web"]
    "miner-tunes-processor" ["hit-large-pages" "hit-registers" "miss-host-pages" "miss-read" "miss-tool"]
    "name-service-bypassed" ["hit-dropped-program" "hit-over-tls" "miss-cluster" "miss-resolver"]
    "namespace-joined-from-container" ["hit-mount-namespace" "miss-network-plugin" "miss-refused" "miss-runtime"]
    "nsenter-from-container" ["hit-target-one" "miss-host" "miss-own-child"]
    "open-by-handle-in-container" ["hit-shocker" "miss-file-server" "miss-host" "miss-refused"]
    "other-process-root-in-container" ["hit-host-file" "hit-write" "miss-host" "miss-self"]
    "overlay-mounted-by-user" ["hit-exploit" "miss-daemon" "miss-rootless"]
    "package-manager-hook-written" ["hit-shell" "miss-build" "miss-package"]
    "password-file-copy-read" ["hit-backup" "hit-dash" "miss-public" "miss-tool"]
    "password-guessing-tool" ["hit-hydra" "hit-script" "miss-installing" "miss-other"]
    "port-scanner-started" ["hit-masscan" "hit-shell-loop" "miss-ping" "miss-waiting-for-port"]
    "preload-from-writable-folder" ["hit-audit" "hit-hidden" "hit-preload" "miss-allocator" "miss-hidden-folder-of-user"]
    "privileged-container-started" ["hit-namespaces" "hit-root-mounted" "miss-metrics" "miss-ordinary"]
    "process-hidden-by-mount" ["hit-bind" "miss-proc-itself" "miss-runtime"]
    "process-renamed-to-kernel-thread" ["hit-kworker" "miss-other-option" "miss-worker-thread"]
    "program-on-socket" ["hit-renamed-shell" "hit-shell" "miss-local-health-check" "miss-ssh" "miss-terminal"]
    "protected-file-alias-write" ["hit-link-to-crontab" "hit-proc-root" "miss-other" "miss-own-name" "miss-package"]
    "raw-disk-read" ["hit-copy" "hit-debugger" "miss-boot-menu" "miss-mount-tool" "miss-zero"]
    "raw-socket-in-container" ["hit-scanner" "miss-ping" "miss-refused" "miss-stream"]
    "release-agent-written" ["hit-mounted-by-itself" "hit-through-link" "miss-init" "miss-other-file"]
    "reverse-shell-arguments" ["hit-bash" "hit-pipe" "hit-python" "miss-server-program" "miss-waiting-for-port"]
    "root-tree-removed" ["hit-host-mount" "hit-root" "miss-build-folder" "miss-file"]
    "runtime-binary-overwritten" ["hit-host" "hit-through-proc" "miss-package" "miss-read"]
    "runtime-client-in-container" ["hit-ctr" "miss-host" "miss-nested-daemon" "miss-pipeline"]
    "runtime-configuration-written" ["hit-hook" "hit-shell" "miss-package" "miss-read" "miss-tool"]
    "runtime-socket-connected" ["hit-containerd" "hit-docker" "miss-host" "miss-known-image" "miss-other-socket"]
    "script-written-to-upload-folder" ["hit-jsp" "hit-php" "miss-picture" "miss-plugin-update"]
    "second-root-account" ["hit-group" "hit-number-zero" "miss-administrator" "miss-ordinary"]
    "secrets-sent-by-upload" ["hit-form" "hit-post-file" "miss-key-as-identity" "miss-ordinary-upload"]
    "security-service-stopped" ["hit-killed" "hit-stopped" "miss-status" "miss-upgrade"]
    "sensitive-file-alias" ["hit-link-to-key" "hit-symbolic-link" "miss-other-file" "miss-own-name"]
    "sensitive-file-proc-alias" ["hit-descriptor" "hit-self-cwd" "hit-self-root" "miss-other-file" "miss-own-name"]
    "service-account-token-read" ["hit-cat" "miss-certificate" "miss-client"]
    "service-downloads-and-runs" ["hit-mark-executable" "hit-php" "miss-health-check" "miss-person"]
    "service-unit-written" ["hit-shell" "hit-user-unit" "miss-configuration" "miss-package" "miss-systemctl"]
    "service-user-becomes-root" ["hit-web-user" "miss-monitoring" "miss-person"]
    "setuid-shell-made" ["hit-copied-shell" "hit-shell" "miss-group-folder" "miss-package" "miss-plain-mode"]
    "shell-connects-by-itself" ["hit-device-file" "hit-gawk" "miss-curl" "miss-neighbour"]
    "shell-history-read" ["hit-search" "miss-person" "miss-shell"]
    "shell-listens" ["hit-perl" "miss-server" "miss-web-server"]
    "ssh-agent-of-another-used" ["hit-root" "miss-client" "miss-other-socket"]
    "ssh-server-in-container" ["hit-from-shell" "miss-first-process" "miss-host" "miss-session"]
    "static-pod-planted" ["hit-container" "hit-node" "miss-read" "miss-set-up"]
    "sudo-rules-written" ["hit-echo" "miss-cloud-set-up" "miss-read" "miss-visudo"]
    "sudo-with-own-root" ["hit-exploit" "miss-ordinary" "miss-recursive"]
    "sysrq-triggered" ["hit-container" "hit-host-mount" "miss-fencing" "miss-setting"]
    "system-account-opened" ["hit-password" "hit-shell" "miss-locking" "miss-no-shell" "miss-person"]
    "time-stamp-forged" ["hit-reference" "miss-build" "miss-ordinary"]
    "tunnel-tool-started" ["hit-chisel" "hit-ssh" "miss-own-image" "miss-person"]
    "upper-layer-script-run" ["hit-python" "hit-shell" "miss-data-file" "miss-from-the-image"]
    "user-crontab-written" ["hit-server" "hit-shell" "miss-crontab" "miss-read"]
    "user-namespace-for-exploit" ["hit-exploit" "miss-browser" "miss-user-only"]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack;

    #[test]
    fn comments_are_read() {
        let rule = OwnRule {
            name: "x",
            text: "# Thing done.\n#\n# Why: It\n#   matters.\n# Respond: Look.\n# See: https://a.example\n# See: https://b.example\n\n- rule: x\n# Why: no\n",
            examples: &[],
        };
        assert_eq!(
            rule.guidance(),
            Guidance {
                title: "Thing done".to_owned(),
                why: "It matters.".to_owned(),
                respond: "Look.".to_owned(),
                references: vec!["https://a.example".to_owned(), "https://b.example".to_owned()],
            }
        );
    }

    #[test]
    fn every_rule_says_why_and_what_to_do() {
        for rule in ALL {
            let guidance = rule.guidance();
            for (what, text) in [
                ("title", &guidance.title),
                ("why", &guidance.why),
                ("respond", &guidance.respond),
            ] {
                assert!(!text.is_empty(), "{}: {what} is missing", rule.name);
            }
            assert!(
                guidance.why.ends_with('.') && guidance.respond.ends_with('.'),
                "{}",
                rule.name
            );
            assert!(
                rule.text.contains(&format!("- rule: {}\n", guidance.title)),
                "{}: the title is not the rule's name",
                rule.name
            );
            assert!(
                guidance
                    .references
                    .iter()
                    .all(|address| address.starts_with("https://")),
                "{}: a reference is no address",
                rule.name
            );
            assert_eq!(named(rule.name), Some(rule));
        }
    }

    #[test]
    fn every_rule_names_a_technique_of_the_matrix() {
        for rule in ALL {
            let tags: Vec<&str> = rule
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("  tags: [")?.strip_suffix(']'))
                .flat_map(|tags| tags.split(", "))
                .collect();
            assert!(
                tags.iter().any(|tag| attack::technique(tag).is_some()),
                "{}: no technique of ATT&CK for Containers among {tags:?}",
                rule.name
            );
            assert!(
                tags.contains(&"host") || tags.contains(&"container"),
                "{}",
                rule.name
            );
            for tag in &tags {
                if let Some(tactic) = tag.strip_prefix("mitre_") {
                    assert!(attack::tactic(tactic).is_some(), "{}: {tag}", rule.name);
                }
            }
        }
    }

    #[test]
    fn names_of_lists_and_macros_are_our_own() {
        for (name, text) in ALL
            .iter()
            .map(|rule| (rule.name, rule.text))
            .chain([("common", COMMON)])
        {
            for line in text.lines() {
                for kind in ["- list: ", "- macro: "] {
                    if let Some(item) = line.strip_prefix(kind) {
                        assert!(item.starts_with("hw_"), "{name}: {item}");
                    }
                }
            }
        }
    }
}
