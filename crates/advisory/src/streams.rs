//! Modular packages of the Red Hat family: which module and stream a version or package belongs to.

/// True when an rpm version or release names a module build (`.module_el8.6.0+…`, `.module+el8.6.0+…`).
pub(crate) fn is_modular(version: &str) -> bool {
    version.contains(".module_el") || version.contains(".module+el")
}

/// Module and stream (`nodejs:14`) of a package's label `nodejs:14:8040020210708154809:522a0ee4`.
pub(crate) fn of_label(label: &str) -> Option<&str> {
    let mut colons = label.match_indices(':').map(|(at, _)| at);
    let first = colons.next()?;
    let end = colons.next().unwrap_or(label.len());
    (first > 0 && end > first + 1).then(|| &label[..end])
}

/// Whether a modular package and a modular entry belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Same stream: compare.
    Same,
    /// Another stream, or one is modular and the other is not.
    Other,
    /// The package's or the record's stream is not known.
    Unknown,
}

/// `package` is the module label of a package (or `None`), `record` the fact `module` of an entry: the stream, or empty if
/// the record does not name it.
pub(crate) fn fit(package_modular: bool, label: Option<&str>, record: Option<&str>) -> Fit {
    let stream = label.and_then(of_label);
    match (package_modular || stream.is_some(), record) {
        (false, None) => Fit::Same,
        (false, Some(_)) | (true, None) => Fit::Other,
        (true, Some(record)) => match stream {
            Some(stream) if !record.is_empty() => {
                if same_stream(stream, record) {
                    Fit::Same
                } else {
                    Fit::Other
                }
            }
            _ => Fit::Unknown,
        },
    }
}

/// Modules are written in other letter case and with `_` for `-` in some summaries.
fn same_stream(package: &str, record: &str) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace('_', "-");
    plain(package) == plain(record)
}

#[cfg(test)]
mod tests {
    use super::{Fit, fit, is_modular, of_label};

    #[test]
    fn labels_name_module_and_stream() {
        assert_eq!(
            of_label("nodejs:14:8040020210708154809:522a0ee4"),
            Some("nodejs:14")
        );
        assert_eq!(of_label("virt:rhel"), Some("virt:rhel"));
        assert_eq!(of_label("nodejs"), None);
        assert_eq!(of_label(":14:1"), None);
        assert_eq!(of_label("nodejs::1"), None);
        assert!(is_modular("1:14.17.0-2.module_el8.4.0+2522+3bd42762"));
        assert!(is_modular("1:14.17.0-2.module+el8.4.0+1+abc"));
        assert!(!is_modular("1:3.0.7-27.el9"));
    }

    #[test]
    fn only_the_same_stream_is_compared() {
        let label = Some("nodejs:14:8040:abc");
        assert_eq!(fit(false, None, None), Fit::Same);
        assert_eq!(fit(false, None, Some("nodejs:14")), Fit::Other);
        assert_eq!(fit(true, label, None), Fit::Other);
        assert_eq!(fit(true, label, Some("nodejs:14")), Fit::Same);
        assert_eq!(fit(true, label, Some("nodejs:16")), Fit::Other);
        assert_eq!(fit(true, label, Some("")), Fit::Unknown);
        assert_eq!(fit(true, None, Some("nodejs:14")), Fit::Unknown);
        assert_eq!(
            fit(
                true,
                Some("perl-IO-Socket-SSL:2.066:1:2"),
                Some("perl-io-socket_ssl:2.066")
            ),
            Fit::Same
        );
    }
}
