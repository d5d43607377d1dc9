//! Names of users and groups: each container has its own.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Users and groups are kept up to this many each.
const MAXIMUM: usize = 1 << 16;

/// Files with users and groups are read up to this many bytes.
pub(crate) const MAXIMUM_FILE: u64 = 1 << 20;

/// A user of a system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// The home folder.
    pub home: String,
    /// The shell.
    pub shell: String,
}

/// The users and groups of one root folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserTable {
    /// By number.
    pub users: BTreeMap<u32, User>,
    /// Names by number.
    pub groups: BTreeMap<u32, String>,
}

impl UserTable {
    /// Reads `/etc/passwd` and `/etc/group`; lines of another form are left out. The first of several lines with the same
    /// number counts.
    #[must_use]
    pub fn parse(passwd: &[u8], group: &[u8]) -> Self {
        let mut table = Self::default();
        for line in lines(passwd) {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, _, uid, _, _, home, shell, ..] = fields[..]
                && let Ok(uid) = uid.parse()
            {
                table.users.entry(uid).or_insert_with(|| User {
                    name: name.to_owned(),
                    home: home.to_owned(),
                    shell: shell.to_owned(),
                });
            }
        }
        for line in lines(group) {
            let fields: Vec<&str> = line.split(':').collect();
            if let [name, _, gid, ..] = fields[..]
                && let Ok(gid) = gid.parse()
            {
                table.groups.entry(gid).or_insert_with(|| name.to_owned());
            }
        }
        table
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .take(MAXIMUM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups() {
        let table = UserTable::parse(
            b"root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\nbroken\nbad:x:y:0:::\nwww:x:33:33:w:/var/www:/usr/sbin/nologin\n\xff\n",
            b"root:x:0:\nshadow:x:42:a,b\nbroken",
        );
        assert_eq!(table.users[&0].name, "root");
        assert_eq!(table.users[&33].home, "/var/www");
        assert_eq!(table.users.len(), 2);
        assert_eq!(table.groups[&42], "shadow");
        assert_eq!(table.groups.len(), 2);
    }
}
