//! What every member of a family says of itself.

/// What a member needs of its surroundings; the core decides what runs where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Talks to the network.
    Network,
    /// Needs root.
    Root,
    /// Looks at a running system, not at files.
    RunningSystem,
}

/// Description of one member of a family. `name` is its identity for ever: kebab-case, never reused.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Kebab-case identity, unique over all families.
    pub name: &'static str,
    /// One line for tables, without a full stop.
    pub title: &'static str,
    /// What it finds or does, as short phrases (for extractors: the file names or patterns it reads).
    pub finds: &'static [&'static str],
    /// What it needs; empty means nothing but the bytes it is given.
    pub needs: &'static [Need],
    /// Where the format or rule is specified.
    pub references: &'static [&'static str],
}

/// True for `a-b2-c`: lower-case letters and digits in groups joined by single hyphens, beginning with a letter.
#[must_use]
pub fn is_kebab_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(|group| {
            !group.is_empty()
                && group
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}
