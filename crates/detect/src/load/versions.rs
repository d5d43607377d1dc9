//! The versions that rule files may require.

/// The version of Falco's rule engine whose language this is.
pub(crate) const ENGINE: [u64; 3] = [0, 63, 0];

/// The plugins whose fields and events are built in, and up to which version.
pub(crate) const PLUGINS: &[(&str, [u64; 3])] = &[
    ("cloudtrail", [0, 15, 0]),
    ("container", [0, 7, 0]),
    ("github", [0, 9, 0]),
    ("json", [0, 7, 4]),
    ("k8saudit", [0, 18, 0]),
    ("k8smeta", [0, 4, 1]),
    ("okta", [0, 12, 0]),
];

/// The version that `required_engine_version` asks for: `N` stands for `0.N.0`.
pub(crate) fn engine(text: &str) -> Option<[u64; 3]> {
    match text.parse::<u64>() {
        Ok(number) => Some([0, number, 0]),
        Err(_) => plugin(text),
    }
}

/// Three numbers with dots; what follows a `-` or `+` does not count.
pub(crate) fn plugin(text: &str) -> Option<[u64; 3]> {
    let core = text.split(['-', '+']).next()?;
    let mut numbers = core.split('.').map(str::parse::<u64>);
    let version = [
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    ];
    numbers.next().is_none().then_some(version)
}

/// Whether a version will do: the same major number, and not older.
pub(crate) fn satisfies(have: [u64; 3], required: [u64; 3]) -> bool {
    have[0] == required[0] && have >= required
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared() {
        assert_eq!(engine("57"), Some([0, 57, 0]));
        assert_eq!(engine("0.57.0"), Some([0, 57, 0]));
        assert_eq!(engine("x"), None);
        assert_eq!(plugin("1.2"), None);
        assert_eq!(plugin("1.2.3-rc1"), Some([1, 2, 3]));
        assert!(satisfies([0, 63, 0], [0, 63, 0]));
        assert!(!satisfies([0, 63, 0], [0, 64, 0]));
        assert!(!satisfies([0, 63, 0], [1, 0, 0]));
    }
}
