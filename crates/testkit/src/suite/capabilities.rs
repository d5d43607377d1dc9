//! Sets of capabilities, written as `cap_from_text(3)` reads them.

/// The capabilities in the order of their numbers.
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// Every capability that has a name.
pub const ALL: u64 = (1 << NAMES.len()) - 1;

/// The names of a set's capabilities in the order of their numbers.
pub(super) fn names(set: u64) -> impl Iterator<Item = &'static str> {
    NAMES
        .into_iter()
        .enumerate()
        .filter(move |(number, _)| set & (1 << number) != 0)
        .map(|(_, name)| name)
}

/// The capabilities that a process may hand on to programs, from its `/proc/self/status`: not all where the machine is
/// itself confined.
#[must_use]
pub fn grantable(status: &str) -> Option<u64> {
    let digits = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// Three sets, a bit per capability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// What the process uses.
    pub effective: u64,
    /// What it keeps over exec where the file allows.
    pub inheritable: u64,
    /// What it may use.
    pub permitted: u64,
}

impl Capabilities {
    /// All of them, `all=iep`.
    pub const EVERY: Self = Self {
        effective: ALL,
        inheritable: ALL,
        permitted: ALL,
    };

    /// Reads clauses such as `all=iep` or `cap_net_admin,cap_chown=ep cap_kill+i`.
    ///
    /// # Errors
    /// Names what is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sets = Self::default();
        let mut any = false;
        for clause in text.split_whitespace() {
            sets.apply(clause)?;
            any = true;
        }
        if any {
            Ok(sets)
        } else {
            Err("no capabilities are named; `=` means none".to_owned())
        }
    }

    fn apply(&mut self, clause: &str) -> Result<(), String> {
        let operators = clause
            .find(['=', '+', '-'])
            .ok_or_else(|| format!("`{clause}` has no `=`, `+` or `-`"))?;
        let (names, mut rest) = clause.split_at(operators);
        let mut chosen = 0;
        for name in names.split(',') {
            chosen |= match name.to_ascii_lowercase().as_str() {
                "all" => ALL,
                "" if names.is_empty() && rest.starts_with('=') => ALL,
                name => NAMES
                    .iter()
                    .position(|have| *have == name)
                    .map(|number| 1 << number)
                    .ok_or_else(|| format!("capability `{name}` is unknown"))?,
            };
        }
        while let Some(operator) = rest.chars().next() {
            let flags_end = rest[1..].find(['=', '+', '-']).map_or(rest.len(), |end| end + 1);
            let flags = &rest[1..flags_end];
            if let Some(flag) = flags.chars().find(|flag| !"eip".contains(*flag)) {
                return Err(format!("`{flag}` in `{clause}` is none of e, i and p"));
            }
            for (set, letter) in [
                (&mut self.effective, 'e'),
                (&mut self.inheritable, 'i'),
                (&mut self.permitted, 'p'),
            ] {
                let named = flags.contains(letter);
                match operator {
                    '=' if named => *set |= chosen,
                    '+' if named => *set |= chosen,
                    '-' if named => *set &= !chosen,
                    '=' => *set &= !chosen,
                    _ => {}
                }
            }
            rest = &rest[flags_end..];
        }
        Ok(())
    }

    /// These sets without what cannot be granted.
    #[must_use]
    pub fn within(&self, grantable: u64) -> Self {
        Self {
            effective: self.effective & grantable,
            inheritable: self.inheritable & grantable,
            permitted: self.permitted & grantable,
        }
    }

    /// The value of the attribute `security.capability` (version 2) that gives a program these sets.
    #[must_use]
    pub fn attribute(&self) -> [u8; 20] {
        let effective = u32::from(self.effective != 0);
        let words = [
            0x0200_0000 | effective,
            low(self.permitted),
            low(self.inheritable),
            low(self.permitted >> 32),
            low(self.inheritable >> 32),
        ];
        let mut bytes = [0; 20];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

fn low(set: u64) -> u32 {
    u32::try_from(set & u64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let admin = 1 << 12;
        let chown = 1;
        for (text, effective, inheritable, permitted) in [
            ("all=iep", ALL, ALL, ALL),
            ("=ep", ALL, 0, ALL),
            ("=", 0, 0, 0),
            ("cap_net_admin,cap_chown=ep", admin | chown, 0, admin | chown),
            ("CAP_CHOWN=p", 0, 0, chown),
            ("all=ep cap_chown-e", ALL & !chown, 0, ALL),
            ("all=ep cap_chown=", ALL & !chown, 0, ALL & !chown),
            ("cap_chown+i", 0, chown, 0),
            ("cap_chown=e+i-e", 0, chown, 0),
        ] {
            let expected = Capabilities {
                effective,
                inheritable,
                permitted,
            };
            assert_eq!(Capabilities::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            ("", "no capabilities are named; `=` means none"),
            ("cap_chown", "`cap_chown` has no `=`, `+` or `-`"),
            ("cap_everything=ep", "capability `cap_everything` is unknown"),
            ("all=x", "`x` in `all=x` is none of e, i and p"),
            ("+ep", "capability `` is unknown"),
        ] {
            assert_eq!(Capabilities::parse(text), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_attribute_has_the_kernels_form() {
        let sets = Capabilities::parse("cap_chown,cap_bpf=ep cap_kill+i").unwrap();
        assert_eq!(
            sets.attribute(),
            [1, 0, 0, 2, 1, 0, 0, 0, 32, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0]
        );
    }
}
