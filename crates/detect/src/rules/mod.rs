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

/// All rules as one file, [`COMMON`] first, ready for [`crate::Loader::add`] under the name [`FILE_NAME`].
#[must_use]
pub fn file() -> String {
    let size = COMMON.len() + ALL.iter().map(|rule| rule.text.len() + 1).sum::<usize>();
    let mut file = String::with_capacity(size);
    file.push_str(COMMON);
    for rule in ALL {
        file.push('\n');
        file.push_str(rule.text);
    }
    file
}

/// The name under which [`file`] is loaded, for messages.
pub const FILE_NAME: &str = "hullward-rules.yaml";

/// The rule with this identity.
#[must_use]
pub fn named(name: &str) -> Option<&'static OwnRule> {
    ALL.binary_search_by(|rule| rule.name.cmp(name))
        .ok()
        .and_then(|index| ALL.get(index))
}

macro_rules! own_rules {
    ($($name:literal)*) => {
        /// Every rule, in alphabetical order of names.
        pub static ALL: &[OwnRule] = &[
            $(OwnRule { name: $name, text: include_str!(concat!($name, ".yaml")) }),*
        ];
    };
}

own_rules! {
    "account-file-written"
    "agent-files-changed"
    "agent-signalled"
    "agent-traced"
    "application-server-spawns-shell"
    "audit-switched-off"
    "backups-removed"
    "bandwidth-sold"
    "bearer-token-on-command-line"
    "binary-format-registered"
    "boot-script-written"
    "bpf-link-detached"
    "bpf-program-loaded-in-container"
    "capability-given-to-file"
    "clone-into-cgroup"
    "cloud-credential-file-read"
    "cloud-credentials-requested"
    "cluster-administrator-made"
    "cluster-database-asked"
    "cluster-database-read"
    "cluster-job-made-in-container"
    "cluster-rights-listed"
    "cluster-secrets-listed"
    "compiler-below-service"
    "container-attack-tool"
    "container-made-a-service"
    "container-storage-written"
    "containerd-shim-socket-connected"
    "core-pattern-written"
    "deleted-binary-executed"
    "descriptor-taken-from-process"
    "device-cgroup-opened-up"
    "device-rule-written"
    "disk-node-made-in-container"
    "disk-overwritten"
    "dropped-program-listens"
    "environment-of-others-read"
    "file-made-immutable"
    "files-encrypted-in-place"
    "firewall-switched-off"
    "flood-tool"
    "fork-bomb"
    "hidden-file-in-shared-memory"
    "hidden-temporary-program"
    "history-switched-off"
    "host-disk-mounted-in-container"
    "host-persistence-from-container"
    "host-root-chroot"
    "image-built-outside-pipeline"
    "image-changed-in-place"
    "image-entry-downloads-and-runs"
    "interpreter-moves-socket-to-stdio"
    "interpreter-start-hook-written"
    "io-uring-connect-in-container"
    "io-uring-sensitive-file"
    "io-uring-setup-in-container"
    "job-scheduled-by-service"
    "journal-emptied"
    "kernel-addresses-read-in-container"
    "kernel-hardening-lowered"
    "kernel-helper-path-written"
    "kernel-log-read-in-container"
    "kernel-memory-opened"
    "kernel-module-from-memory"
    "kernel-module-from-unusual-place"
    "kernel-module-list-written"
    "kernel-thread-name-claimed"
    "kernel-tree-mounted-in-container"
    "keyring-used-in-container"
    "kubelet-credentials-read"
    "kubelet-port-reached"
    "leaked-descriptor-used"
    "loader-preload-list-written"
    "loader-runs-program"
    "log-removed"
    "login-rules-written"
    "mandatory-access-control-off"
    "memfd-program-outside-runtime"
    "memory-file-run-by-interpreter"
    "memory-of-another-process-read"
    "memory-of-another-process-written"
    "miner-command-line"
    "miner-pool-port"
    "miner-tunes-processor"
    "name-service-bypassed"
    "namespace-joined-from-container"
    "nsenter-from-container"
    "open-by-handle-in-container"
    "other-process-root-in-container"
    "overlay-mounted-by-user"
    "package-manager-hook-written"
    "password-file-copy-read"
    "password-guessing-tool"
    "port-scanner-started"
    "preload-from-writable-folder"
    "privileged-container-started"
    "process-hidden-by-mount"
    "process-renamed-to-kernel-thread"
    "program-on-socket"
    "protected-file-alias-write"
    "raw-disk-read"
    "raw-socket-in-container"
    "release-agent-written"
    "reverse-shell-arguments"
    "root-tree-removed"
    "runtime-binary-overwritten"
    "runtime-client-in-container"
    "runtime-configuration-written"
    "runtime-socket-connected"
    "script-written-to-upload-folder"
    "second-root-account"
    "secrets-sent-by-upload"
    "security-service-stopped"
    "sensitive-file-alias"
    "sensitive-file-proc-alias"
    "service-account-token-read"
    "service-downloads-and-runs"
    "service-unit-written"
    "service-user-becomes-root"
    "setuid-shell-made"
    "shell-connects-by-itself"
    "shell-history-read"
    "shell-listens"
    "ssh-agent-of-another-used"
    "ssh-server-in-container"
    "static-pod-planted"
    "sudo-rules-written"
    "sudo-with-own-root"
    "sysrq-triggered"
    "system-account-opened"
    "time-stamp-forged"
    "tunnel-tool-started"
    "upper-layer-script-run"
    "user-crontab-written"
    "user-namespace-for-exploit"
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
