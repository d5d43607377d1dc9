//! MITRE ATT&CK for Containers: the tactics and techniques that rules name in their tags, and that coverage is counted by.
//!
//! © 2025 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation.

/// What an adversary wants to reach; a column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tactic {
    /// The identity, e.g. `TA0004`.
    pub id: &'static str,
    /// The name, e.g. `Privilege Escalation`.
    pub name: &'static str,
    /// The name as it stands in tags after `mitre_`, e.g. `privilege_escalation`.
    pub tag: &'static str,
}

/// How an adversary gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technique {
    /// The identity, e.g. `T1611` or `T1552.001`; rules use it as a tag.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// Identities of the tactics that it serves, in the order of [`TACTICS`].
    pub tactics: &'static [&'static str],
}

impl Technique {
    /// The technique of which this is a sub-technique: `T1552` for `T1552.001`.
    #[must_use]
    pub fn parent(&self) -> Option<&'static str> {
        self.id.split_once('.').map(|(parent, _)| parent)
    }

    /// The page about it.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "https://attack.mitre.org/techniques/{}",
            self.id.replace('.', "/")
        )
    }
}

/// The tactic with this identity (`TA0004`) or tag (`privilege_escalation`).
#[must_use]
pub fn tactic(name: &str) -> Option<&'static Tactic> {
    TACTICS
        .iter()
        .find(|tactic| tactic.id == name || tactic.tag == name)
}

/// The technique with this identity, when the Containers matrix has it.
#[must_use]
pub fn technique(id: &str) -> Option<&'static Technique> {
    TECHNIQUES
        .binary_search_by(|technique| technique.id.cmp(id))
        .ok()
        .and_then(|index| TECHNIQUES.get(index))
}

/// True for text with the form of a technique's identity: `T1611`, `T1552.001`.
#[must_use]
pub fn is_technique_id(text: &str) -> bool {
    let digits =
        |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('T')
        .is_some_and(|rest| match rest.split_once('.') {
            Some((technique, part)) => digits(technique, 4) && digits(part, 3),
            None => digits(rest, 4),
        })
}

/// The tactics of the Containers matrix, in the order of an attack.
pub static TACTICS: &[Tactic] = &[
    Tactic {
        id: "TA0001",
        name: "Initial Access",
        tag: "initial_access",
    },
    Tactic {
        id: "TA0002",
        name: "Execution",
        tag: "execution",
    },
    Tactic {
        id: "TA0003",
        name: "Persistence",
        tag: "persistence",
    },
    Tactic {
        id: "TA0004",
        name: "Privilege Escalation",
        tag: "privilege_escalation",
    },
    Tactic {
        id: "TA0005",
        name: "Defense Evasion",
        tag: "defense_evasion",
    },
    Tactic {
        id: "TA0006",
        name: "Credential Access",
        tag: "credential_access",
    },
    Tactic {
        id: "TA0007",
        name: "Discovery",
        tag: "discovery",
    },
    Tactic {
        id: "TA0008",
        name: "Lateral Movement",
        tag: "lateral_movement",
    },
    Tactic {
        id: "TA0040",
        name: "Impact",
        tag: "impact",
    },
];

/// The techniques of the Containers matrix, by identity.
pub static TECHNIQUES: &[Technique] = &[
    Technique {
        id: "T1036",
        name: "Masquerading",
        tactics: &["TA0005"],
    },
    Technique {
        id: "T1036.005",
        name: "Match Legitimate Resource Name or Location",
        tactics: &["TA0005"],
    },
    Technique {
        id: "T1036.010",
        name: "Masquerade Account Name",
        tactics: &["TA0005"],
    },
    Technique {
        id: "T1046",
        name: "Network Service Discovery",
        tactics: &["TA0007"],
    },
    Technique {
        id: "T1053",
        name: "Scheduled Task/Job",
        tactics: &["TA0002", "TA0003", "TA0004"],
    },
    Technique {
        id: "T1053.007",
        name: "Container Orchestration Job",
        tactics: &["TA0002", "TA0003", "TA0004"],
    },
    Technique {
        id: "T1059.013",
        name: "Container CLI/API",
        tactics: &["TA0002"],
    },
    Technique {
        id: "T1068",
        name: "Exploitation for Privilege Escalation",
        tactics: &["TA0004"],
    },
    Technique {
        id: "T1069",
        name: "Permission Groups Discovery",
        tactics: &["TA0007"],
    },
    Technique {
        id: "T1070",
        name: "Indicator Removal",
        tactics: &["TA0005"],
    },
    Technique {
        id: "T1078",
        name: "Valid Accounts",
        tactics: &["TA0001", "TA0003", "TA0004", "TA0005"],
    },
    Technique {
        id: "T1078.001",
        name: "Default Accounts",
        tactics: &["TA0001", "TA0003", "TA0004", "TA0005"],
    },
    Technique {
        id: "T1078.003",
        name: "Local Accounts",
        tactics: &["TA0001", "TA0003", "TA0004", "TA0005"],
    },
    Technique {
        id: "T1098",
        name: "Account Manipulation",
        tactics: &["TA0003", "TA0004"],
    },
    Technique {
        id: "T1098.006",
        name: "Additional Container Cluster Roles",
        tactics: &["TA0003", "TA0004"],
    },
    Technique {
        id: "T1110",
        name: "Brute Force",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1110.001",
        name: "Password Guessing",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1110.003",
        name: "Password Spraying",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1110.004",
        name: "Credential Stuffing",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1133",
        name: "External Remote Services",
        tactics: &["TA0001", "TA0003"],
    },
    Technique {
        id: "T1136",
        name: "Create Account",
        tactics: &["TA0003"],
    },
    Technique {
        id: "T1136.001",
        name: "Local Account",
        tactics: &["TA0003"],
    },
    Technique {
        id: "T1190",
        name: "Exploit Public-Facing Application",
        tactics: &["TA0001"],
    },
    Technique {
        id: "T1204",
        name: "User Execution",
        tactics: &["TA0002"],
    },
    Technique {
        id: "T1204.003",
        name: "Malicious Image",
        tactics: &["TA0002"],
    },
    Technique {
        id: "T1485",
        name: "Data Destruction",
        tactics: &["TA0040"],
    },
    Technique {
        id: "T1490",
        name: "Inhibit System Recovery",
        tactics: &["TA0040"],
    },
    Technique {
        id: "T1496",
        name: "Resource Hijacking",
        tactics: &["TA0040"],
    },
    Technique {
        id: "T1496.001",
        name: "Compute Hijacking",
        tactics: &["TA0040"],
    },
    Technique {
        id: "T1496.002",
        name: "Bandwidth Hijacking",
        tactics: &["TA0040"],
    },
    Technique {
        id: "T1498",
        name: "Network Denial of Service",
        tactics: &["TA0040"],
    },
    Technique {
        id: "T1499",
        name: "Endpoint Denial of Service",
        tactics: &["TA0040"],
    },
    Technique {
        id: "T1525",
        name: "Implant Internal Image",
        tactics: &["TA0003"],
    },
    Technique {
        id: "T1528",
        name: "Steal Application Access Token",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1543",
        name: "Create or Modify System Process",
        tactics: &["TA0003", "TA0004"],
    },
    Technique {
        id: "T1543.005",
        name: "Container Service",
        tactics: &["TA0003", "TA0004"],
    },
    Technique {
        id: "T1550",
        name: "Use Alternate Authentication Material",
        tactics: &["TA0005", "TA0008"],
    },
    Technique {
        id: "T1550.001",
        name: "Application Access Token",
        tactics: &["TA0005", "TA0008"],
    },
    Technique {
        id: "T1552",
        name: "Unsecured Credentials",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1552.001",
        name: "Credentials In Files",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1552.007",
        name: "Container API",
        tactics: &["TA0006"],
    },
    Technique {
        id: "T1562",
        name: "Impair Defenses",
        tactics: &["TA0005"],
    },
    Technique {
        id: "T1562.001",
        name: "Disable or Modify Tools",
        tactics: &["TA0005"],
    },
    Technique {
        id: "T1609",
        name: "Container Administration Command",
        tactics: &["TA0002"],
    },
    Technique {
        id: "T1610",
        name: "Deploy Container",
        tactics: &["TA0002", "TA0005"],
    },
    Technique {
        id: "T1611",
        name: "Escape to Host",
        tactics: &["TA0004"],
    },
    Technique {
        id: "T1612",
        name: "Build Image on Host",
        tactics: &["TA0005"],
    },
    Technique {
        id: "T1613",
        name: "Container and Resource Discovery",
        tactics: &["TA0007"],
    },
];

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests read the published matrix")]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn tables_agree_with_themselves() {
        assert!(TECHNIQUES.windows(2).all(|pair| pair[0].id < pair[1].id));
        for technique in TECHNIQUES {
            assert!(is_technique_id(technique.id), "{}", technique.id);
            assert_eq!(super::technique(technique.id), Some(technique));
            assert!(!technique.tactics.is_empty());
            for id in technique.tactics {
                assert!(tactic(id).is_some(), "{id}");
            }
        }
        for known in TACTICS {
            assert_eq!(tactic(known.tag), Some(known));
            assert!(
                TECHNIQUES
                    .iter()
                    .any(|technique| technique.tactics.contains(&known.id))
            );
        }
        assert_eq!(technique("T1552.001").unwrap().parent(), Some("T1552"));
        assert_eq!(technique("T9999"), None);
        for text in ["T16", "T1611.1", "TA0004", "t1611", "T1611.001.002", ""] {
            assert!(!is_technique_id(text), "{text}");
        }
    }

    #[test]
    fn tables_are_the_published_matrix() {
        let Some(data) = testkit::family::test_data() else {
            return;
        };
        let text = std::fs::read_to_string(data.join("attack/containers.json")).unwrap();
        let published: serde_json::Value = serde_json::from_str(&text).unwrap();
        let theirs: BTreeMap<String, (String, BTreeSet<String>)> = published["techniques"]
            .as_array()
            .unwrap()
            .iter()
            .map(|technique| {
                let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
                let tactics = technique["tactics"].as_array().unwrap();
                (
                    text(&technique["id"]),
                    (
                        text(&technique["name"]),
                        tactics
                            .iter()
                            .map(|tactic| format!("{} {}", text(&tactic["id"]), text(&tactic["name"])))
                            .collect(),
                    ),
                )
            })
            .collect();
        let ours: BTreeMap<String, (String, BTreeSet<String>)> = TECHNIQUES
            .iter()
            .map(|technique| {
                let tactics = technique.tactics.iter().map(|id| {
                    let tactic = tactic(id).unwrap();
                    format!("{} {}", tactic.id, tactic.name)
                });
                (
                    technique.id.to_owned(),
                    (technique.name.to_owned(), tactics.collect()),
                )
            })
            .collect();
        assert_eq!(ours, theirs);
    }
}
