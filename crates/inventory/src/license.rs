//! Licence texts of package managers as SPDX expressions.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Longest field that is understood, in bytes; a longer one is a licence text, not a name.
const LONGEST: usize = 2000;

/// SPDX expressions for a package manager's licence field, whatever its dialect: SPDX itself, rpm's `GPLv2+ and MIT`,
/// Debian's `GPL-2+`, free names such as `Apache License, Version 2.0`. What the SPDX list does not know becomes
/// `LicenseRef-…`, so that nothing is lost and the result is always a valid expression. Empty input gives nothing.
#[must_use]
pub fn expressions(text: &str) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Vec::new();
    }
    if text.len() > LONGEST {
        return vec![reference(&text)];
    }
    let expression = name(&text)
        .or_else(|| translate(&text))
        .filter(|expression| is_expression(expression))
        .unwrap_or_else(|| reference(&text));
    vec![expression]
}

/// One expression for several licences that all apply: repeats are dropped, alternatives put in brackets.
#[must_use]
pub fn all_of(licenses: &[String]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for license in licenses {
        for expression in expressions(license) {
            let part = if licenses.len() > 1 && expression.contains(" OR ") {
                format!("({expression})")
            } else {
                expression
            };
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    if parts.is_empty() {
        Vec::new()
    } else {
        vec![parts.join(" AND ")]
    }
}

/// SPDX expressions for several licence texts of which one may be chosen. They become one `OR` expression when SPDX knows
/// all of them, else they stay a list.
#[must_use]
pub fn any_of<T: AsRef<str>>(texts: &[T]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for expression in texts.iter().flat_map(|text| expressions(text.as_ref())) {
        if !all.contains(&expression) {
            all.push(expression);
        }
    }
    let joined = all.join(" OR ");
    if all.len() > 1 && !joined.contains("LicenseRef-") {
        return vec![joined];
    }
    all
}

/// SPDX expressions for a licence given as the address of its text, or as name and address. Addresses that are not known to
/// be one licence's become `LicenseRef-…` of the name, or of the address when there is no name.
#[must_use]
pub fn named_or_linked(name: &str, address: &str) -> Vec<String> {
    const ADDRESSES: &[(&str, &str)] = &[
        ("apache.org/licenses/license-2.0", "Apache-2.0"),
        ("bouncycastle.org/licence.html", "MIT"),
        ("creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
        ("eclipse.org/legal/epl-2.0", "EPL-2.0"),
        ("eclipse.org/legal/epl-v10.html", "EPL-1.0"),
        ("eclipse.org/legal/epl-v20.html", "EPL-2.0"),
        ("eclipse.org/org/documents/edl-v10.php", "BSD-3-Clause"),
        (
            "glassfish.dev.java.net/public/cddl+gpl_1_1.html",
            "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
        ),
        ("gnu.org/licenses/lgpl-2.1", "LGPL-2.1-only"),
        ("gnu.org/licenses/old-licenses/gpl-2.0", "GPL-2.0-only"),
        ("gnu.org/licenses/old-licenses/lgpl-2.1", "LGPL-2.1-only"),
        (
            "gnu.org/software/classpath/license.html",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ),
        ("mozilla.org/en-us/mpl/2.0", "MPL-2.0"),
        ("mozilla.org/mpl/2.0", "MPL-2.0"),
        ("opensource.org/licenses/apache-2.0", "Apache-2.0"),
        ("opensource.org/licenses/bsd-2-clause", "BSD-2-Clause"),
        ("opensource.org/licenses/bsd-3-clause", "BSD-3-Clause"),
        ("opensource.org/licenses/isc", "ISC"),
        ("opensource.org/licenses/lgpl-2.1", "LGPL-2.1-only"),
        ("opensource.org/licenses/mit", "MIT"),
        ("scala-lang.org/license", "Apache-2.0"),
        ("unlicense.org", "Unlicense"),
        ("eclipse.org/org/documents/epl-v10.php", "EPL-1.0"),
        ("eclipse.org/org/documents/epl-2.0", "EPL-2.0"),
        (
            "glassfish.java.net/public/cddl+gpl_1_1.html",
            "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
        ),
        ("opensource.org/licenses/apache2.0.php", "Apache-2.0"),
        (
            "oss.oracle.com/licenses/cddl+gpl-1.1",
            "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
        ),
    ];
    let by_name = expressions(name);
    let is_known = !by_name.is_empty() && !by_name.iter().any(|text| text.contains("LicenseRef-"));
    let bare = address.trim().to_ascii_lowercase();
    let bare = bare.split_once("://").map_or(bare.as_str(), |(_, rest)| rest);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let by_address = ADDRESSES.iter().find(|(start, _)| bare.starts_with(start));
    match by_address {
        Some((_, id)) if !is_known => vec![(*id).to_owned()],
        None if by_name.is_empty() => expressions(address),
        _ => by_name,
    }
}

/// True for a valid SPDX expression without deprecated names.
fn is_expression(text: &str) -> bool {
    spdx::Expression::parse_mode(text, spdx::ParseMode::STRICT).is_ok()
}

/// Translates a text word by word: names to SPDX, `and`, `or`, `,`, `/`, `|`, `&` to operators. `None` when the words do not
/// form an expression.
fn translate(text: &str) -> Option<String> {
    if text.contains("://") {
        return None;
    }
    let mut output = String::new();
    let mut operand = String::new();
    let mut depth = 0_usize;
    // True after a complete operand, when an operator or `)` must follow.
    let mut complete = false;
    let words = split_words(text);
    let mut index = 0;
    while let Some(word) = words.get(index) {
        index += 1;
        let lower = word.to_ascii_lowercase();
        if matches!(&*lower, "or" | "and")
            && let Some(used) = later(words.get(index..).unwrap_or_default())
        {
            operand.push('+');
            index += used;
            continue;
        }
        let operator = match &*lower {
            "and" | "&" | "&&" | "," | ";" => Some(" AND "),
            "or" | "|" | "||" | "/" => Some(" OR "),
            _ => None,
        };
        if operator.is_none() && !matches!(&*lower, "(" | ")") {
            if complete {
                return None;
            }
            if !operand.is_empty() {
                operand.push(' ');
            }
            operand.push_str(word);
            continue;
        }
        if !operand.is_empty() {
            output.push_str(&licence(&operand));
            operand.clear();
            complete = true;
        }
        match (&*lower, operator) {
            ("(", _) if !complete => {
                output.push('(');
                depth += 1;
            }
            (")", _) if complete => {
                output.push(')');
                depth = depth.checked_sub(1)?;
            }
            (_, Some(operator)) if complete => {
                // `GPL-2 or Artistic, and MIT`: comma and word are one operator, which binds weaker than the word alone.
                let next = words.get(index).map(|next| next.to_ascii_lowercase());
                if matches!(&*lower, "," | ";") && matches!(next.as_deref(), Some("and" | "or")) {
                    if depth == 0 && next.as_deref() == Some("and") && output.contains(" OR ") {
                        output = format!("({output})");
                    }
                    continue;
                }
                output.push_str(operator);
                complete = false;
            }
            _ => return None,
        }
    }
    if !operand.is_empty() {
        output.push_str(&licence(&operand));
        complete = true;
    }
    (complete && depth == 0).then_some(output)
}

/// Words and operator signs of a text.
fn split_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in text.split(' ') {
        let mut rest = part;
        while let Some(at) = rest.find(['(', ')', ',', ';', '/', '|', '&']) {
            let (word, sign) = rest.split_at(at);
            // `||` and `&&` are one sign.
            let double = sign.starts_with("||") || sign.starts_with("&&");
            let (sign, after) = sign.split_at(if double { 2 } else { 1 });
            words.extend([word, sign].into_iter().filter(|word| !word.is_empty()));
            rest = after;
        }
        words.extend(Some(rest).filter(|word| !word.is_empty()));
    }
    words
}

/// How many of the words after an `or` or `and` say "later version".
fn later(words: &[&str]) -> Option<usize> {
    let word = |index: usize| words.get(index).map(|word| word.to_ascii_lowercase());
    let skip = usize::from(matches!(word(0).as_deref(), Some("any" | "at")));
    let found = matches!(
        word(skip).as_deref(),
        Some("later" | "newer" | "greater" | "above" | "higher")
    );
    let version = matches!(word(skip + 1).as_deref(), Some("version" | "versions"));
    found.then_some(skip + 1 + usize::from(version))
}

/// One licence of an expression, with its exception if it names one.
fn licence(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let at = lower.find(" with ").map(|at| (at, at + 6));
    let at = at.or_else(|| lower.find("-with-").map(|at| (at, at + 6)));
    if let Some((end, start)) = at {
        let (license, exception) = (text.get(..end), text.get(start..));
        if let (Some(license), Some(exception)) = (license.and_then(name), exception.and_then(exception_name))
        {
            return format!("{license} WITH {exception}");
        }
        return reference(text);
    }
    if let Some(name) = name(text) {
        return name;
    }
    // Old lists of names with nothing between them (`GPL2+ BSD`).
    let parts: Option<Vec<String>> = text.split(' ').map(name).collect();
    match parts {
        Some(parts) if parts.len() > 1 => parts.join(" AND "),
        _ => reference(text),
    }
}

/// The SPDX name of one licence.
fn name(text: &str) -> Option<String> {
    let is_reference = text.starts_with("LicenseRef-") || text.starts_with("DocumentRef-");
    if is_reference && !text.contains(' ') && is_expression(text) {
        return Some(text.to_owned());
    }
    if let Some(id) = spdx::license_id(text).filter(|id| id.name == text && !id.is_deprecated()) {
        return Some(id.name.to_owned());
    }
    let key = key(text);
    if let Some(gnu) = gnu(&key) {
        return Some(gnu);
    }
    if let Some(id) = BY_KEY.get(&key) {
        return Some((*id).to_owned());
    }
    let without_plus = key.strip_suffix('+')?;
    let id = BY_KEY.get(without_plus)?;
    spdx::license_id(id).map(|id| format!("{}+", id.name))
}

/// Every name that is known, by [`key`].
static BY_KEY: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for license in spdx::identifiers::LICENSES {
        if spdx::license_id(license.name).is_some_and(|id| !id.is_deprecated()) {
            names.insert(squashed(license.name), license.name);
            names.entry(key(license.full_name)).or_insert(license.name);
        }
    }
    names.extend(NAMES.iter().map(|(key, id)| ((*key).to_owned(), *id)));
    names
});

/// The SPDX name of an exception.
fn exception_name(text: &str) -> Option<&'static str> {
    if let Some(id) = spdx::exception_id(text) {
        return Some(id.name);
    }
    match &*squashed(text).replace("exception", "") {
        "classpath" => Some("Classpath-exception-2.0"),
        "gcc" | "gccruntime" | "gccruntimelibrary" => Some("GCC-exception-3.1"),
        "autoconf" => Some("Autoconf-exception-generic"),
        "bison" => Some("Bison-exception-2.2"),
        "font" => Some("Font-exception-2.0"),
        "libtool" => Some("Libtool-exception"),
        "llvm" => Some("LLVM-exception"),
        "linuxsyscallnote" => Some("Linux-syscall-note"),
        "universalfoss" => Some("Universal-FOSS-exception-1.0"),
        _ => None,
    }
}

/// Lower-case letters, digits and `+` of a text.
fn squashed(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '+')
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// [`squashed`] without the words that mean nothing, versions as `2.1` kept apart by dropping only a trailing `.0`.
fn key(text: &str) -> String {
    text.to_ascii_lowercase()
        .replace("licensed under", "")
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '+' || character == '.'))
        .filter(|word| {
            !matches!(
                *word,
                "the" | "license" | "licence" | "licenses" | "version" | "gnu" | "v" | "ver"
            )
        })
        .map(squashed)
        .collect()
}

/// Members of the GNU family: `gpl`, `lgpl`, `agpl`, `gfdl`, a version and `+`, `only` or nothing.
fn gnu(key: &str) -> Option<String> {
    let long = key
        .replace("lessergeneralpublic", "lgpl")
        .replace("librarygeneralpublic", "lgpl")
        .replace("afferogeneralpublic", "agpl")
        .replace("generalpublic", "gpl")
        .replace("freedocumentation", "gfdl");
    // `gnu general public license (gpl)` and the like.
    let long = long.replace("lgpllgpl", "lgpl").replace("gplgpl", "gpl");
    const FAMILIES: [(&str, &str, &[&str]); 5] = [
        ("agpl", "AGPL", &["1.0", "3.0"]),
        ("lgpl", "LGPL", &["2.0", "2.1", "3.0"]),
        ("gfdl", "GFDL", &["1.1", "1.2", "1.3"]),
        ("fdl", "GFDL", &["1.1", "1.2", "1.3"]),
        ("gpl", "GPL", &["1.0", "2.0", "3.0"]),
    ];
    let (rest, name, versions) = FAMILIES
        .iter()
        .find_map(|(family, name, versions)| Some((long.strip_prefix(family)?, *name, *versions)))?;
    let rest = rest.strip_prefix('v').unwrap_or(rest);
    let digits = rest.len()
        - rest
            .trim_start_matches(|digit: char| digit.is_ascii_digit())
            .len();
    let (version, suffix) = rest.split_at(digits);
    let suffix = match suffix {
        "" | "only" => "only",
        "+" | "orlater" | "ornewer" | "+orlater" => "or-later",
        _ => return None,
    };
    if version.is_empty() {
        // Without a version any published one may be chosen.
        return match name {
            "GPL" => Some("GPL-1.0-or-later".to_owned()),
            "LGPL" => Some("LGPL-2.0-or-later".to_owned()),
            _ => None,
        };
    }
    let version = versions
        .iter()
        .find(|known| known.strip_suffix(".0") == Some(version) || known.replace('.', "") == version)?;
    Some(format!("{name}-{version}-{suffix}"))
}

/// Names that differ from SPDX's by more than signs and case, as [`key`] makes them, sorted.
const NAMES: &[(&str, &str)] = &[
    ("afl", "AFL-3.0"),
    ("afl2", "AFL-2.0"),
    ("afl3", "AFL-3.0"),
    ("al2", "Apache-2.0"),
    ("apache", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("apache20", "Apache-2.0"),
    ("apache2llvmexceptions", "Apache-2.0 WITH LLVM-exception"),
    ("apachesoftware", "Apache-2.0"),
    ("apachesoftware2", "Apache-2.0"),
    ("apachesoftware20", "Apache-2.0"),
    ("apachev2", "Apache-2.0"),
    ("apachev20", "Apache-2.0"),
    ("artistic", "Artistic-1.0-Perl"),
    ("artistic1", "Artistic-1.0-Perl"),
    ("artistic2", "Artistic-2.0"),
    ("asl11", "Apache-1.1"),
    ("asl20", "Apache-2.0"),
    ("boost", "BSL-1.0"),
    ("bsd", "BSD-3-Clause"),
    ("bsd2", "BSD-2-Clause"),
    ("bsd2clause", "BSD-2-Clause"),
    ("bsd3", "BSD-3-Clause"),
    ("bsd3clause", "BSD-3-Clause"),
    ("bsd4", "BSD-4-Clause"),
    ("bsd4clause", "BSD-4-Clause"),
    ("bsdlike", "BSD-3-Clause"),
    ("bsdstyle", "BSD-3-Clause"),
    ("bsdwithadvertising", "BSD-4-Clause"),
    ("cc0", "CC0-1.0"),
    ("ccby", "CC-BY-4.0"),
    ("ccby3", "CC-BY-3.0"),
    ("ccby4", "CC-BY-4.0"),
    ("ccbysa", "CC-BY-SA-4.0"),
    ("ccbysa3", "CC-BY-SA-3.0"),
    ("ccbysa4", "CC-BY-SA-4.0"),
    ("cddl", "CDDL-1.0"),
    ("cpl", "CPL-1.0"),
    ("epl", "EPL-1.0"),
    ("epl1", "EPL-1.0"),
    ("epl2", "EPL-2.0"),
    ("eupl12", "EUPL-1.2"),
    ("expat", "MIT"),
    ("facebookbsd", "BSD-3-Clause"),
    ("freetype", "FTL"),
    ("gplcompatible", "LicenseRef-GPL-compatible"),
    ("ijg", "IJG"),
    ("isclike", "ISC"),
    ("mitexpat", "MIT"),
    ("mitlike", "MIT"),
    ("mitstyle", "MIT"),
    ("mitx11", "MIT"),
    ("mpl11", "MPL-1.1"),
    ("mpl2", "MPL-2.0"),
    ("mplv11", "MPL-1.1"),
    ("mplv2", "MPL-2.0"),
    ("mplv20", "MPL-2.0"),
    ("newbsd", "BSD-3-Clause"),
    ("ofl", "OFL-1.1"),
    ("openldap", "OLDAP-2.8"),
    ("openssl", "OpenSSL"),
    ("pd", "LicenseRef-Public-Domain"),
    ("perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("perl5", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("psf", "PSF-2.0"),
    ("psf2", "PSF-2.0"),
    ("psfl", "PSF-2.0"),
    ("publicdomain", "LicenseRef-Public-Domain"),
    ("python", "Python-2.0"),
    ("python2", "Python-2.0"),
    ("pythonsoftwarefoundation", "PSF-2.0"),
    ("ruby", "Ruby"),
    ("simplifiedbsd", "BSD-2-Clause"),
    ("sleepycat", "Sleepycat"),
    ("tcl", "TCL"),
    ("ucd", "Unicode-DFS-2015"),
    ("unicode", "Unicode-DFS-2016"),
    ("vim", "Vim"),
    ("w3c", "W3C"),
    ("wtfpl", "WTFPL"),
    ("wtfpl2", "WTFPL"),
    ("zlib", "Zlib"),
    ("zlibacknowledgement", "zlib-acknowledgement"),
    ("zliblibpng", "Zlib"),
    ("zpl21", "ZPL-2.1"),
    ("zplv21", "ZPL-2.1"),
];

/// `LicenseRef-` and the text with all other characters than letters, digits, `.` and `-` as `-`.
fn reference(text: &str) -> String {
    let mut name = String::from("LicenseRef-");
    for character in text.chars().take(100) {
        let keep = character.is_ascii_alphanumeric() || character == '.' || character == '-';
        if keep {
            name.push(character);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name == "LicenseRef" {
        // Not one letter or digit in it.
        "LicenseRef-unknown".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normalises() {
        for (text, expected) in [
            ("MIT", "MIT"),
            ("mit", "MIT"),
            ("Expat", "MIT"),
            ("The MIT License", "MIT"),
            ("MIT License", "MIT"),
            ("Apache 2.0", "Apache-2.0"),
            ("Apache License 2.0", "Apache-2.0"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            ("ASL 2.0", "Apache-2.0"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("GPL-2.0-only AND MIT", "GPL-2.0-only AND MIT"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("GPL-2.0+", "GPL-2.0-or-later"),
            ("GPL-2", "GPL-2.0-only"),
            ("GPL-2+", "GPL-2.0-or-later"),
            ("GPLv2", "GPL-2.0-only"),
            ("GPLv2+", "GPL-2.0-or-later"),
            ("GPLv2+ and MIT", "GPL-2.0-or-later AND MIT"),
            ("GPL+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
            ("LGPLv2.1+", "LGPL-2.1-or-later"),
            ("LGPL-2.1", "LGPL-2.1-only"),
            ("GPL v2 or later", "GPL-2.0-or-later"),
            ("GPL version 2 or any later version", "GPL-2.0-or-later"),
            ("GNU General Public License v3", "GPL-3.0-only"),
            ("GNU Lesser General Public License v3", "LGPL-3.0-only"),
            ("AGPLv3", "AGPL-3.0-only"),
            ("GPL2+ BSD", "GPL-2.0-or-later AND BSD-3-Clause"),
            (
                "(GPLv2+ or LGPLv3+) and BSD",
                "(GPL-2.0-or-later OR LGPL-3.0-or-later) AND BSD-3-Clause",
            ),
            ("GPL-2+, and MIT", "GPL-2.0-or-later AND MIT"),
            (
                "GPL-2+ or AFL-2.1, and MIT",
                "(GPL-2.0-or-later OR AFL-2.1) AND MIT",
            ),
            (
                "GPL-1+ or Artistic, and BSD-3-clause, and Expat",
                "((GPL-1.0-or-later OR Artistic-1.0-Perl) AND BSD-3-Clause) AND MIT",
            ),
            ("Apache-2.0 with LLVM exception", "Apache-2.0 WITH LLVM-exception"),
            ("BSD", "BSD-3-Clause"),
            ("BSD-2-clause", "BSD-2-Clause"),
            ("MPLv2.0", "MPL-2.0"),
            ("public-domain", "LicenseRef-Public-Domain"),
            ("Public Domain", "LicenseRef-Public-Domain"),
            ("zlib", "Zlib"),
            ("EPL-2.0+", "EPL-2.0+"),
            ("LicenseRef-Acme", "LicenseRef-Acme"),
            ("OFL", "OFL-1.1"),
            ("GPLv2+ with exceptions", "LicenseRef-GPLv2-with-exceptions"),
            (
                "GPL-2+ with Classpath exception",
                "GPL-2.0-or-later WITH Classpath-exception-2.0",
            ),
            (
                "GPL-3+-with-autoconf-exception",
                "GPL-3.0-or-later WITH Autoconf-exception-generic",
            ),
            (
                "GPL-2.0-only WITH Classpath-exception-2.0",
                "GPL-2.0-only WITH Classpath-exception-2.0",
            ),
            (
                "MIT and Redistributable, no modification permitted",
                "MIT AND LicenseRef-Redistributable AND LicenseRef-no-modification-permitted",
            ),
            ("See LICENSE <file>", "LicenseRef-See-LICENSE-file"),
            (
                "https://example.org/license",
                "LicenseRef-https-example.org-license",
            ),
            ("MIT AND", "LicenseRef-MIT-AND"),
            ("(MIT)", "MIT"),
            ("((MIT) or ISC", "LicenseRef-MIT-or-ISC"),
            ("BSD (3 clause) thing", "LicenseRef-BSD-3-clause-thing"),
            ("???", "LicenseRef-unknown"),
            ("MIT\n OR  ISC", "MIT OR ISC"),
        ] {
            assert_eq!(expressions(text), [expected], "{text}");
        }
        assert!(expressions(" \n").is_empty());
    }

    #[test]
    fn joins_licences_that_all_apply() {
        let all =
            |licenses: &[&str]| all_of(&licenses.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            all(&["MIT", "GPL-1+ or Artistic", "Expat"]),
            ["MIT AND (GPL-1.0-or-later OR Artistic-1.0-Perl)"]
        );
        assert_eq!(
            all(&["GPL+ or Artistic"]),
            ["GPL-1.0-or-later OR Artistic-1.0-Perl"]
        );
        assert!(all(&[]).is_empty());
    }

    #[test]
    fn table_is_sorted_and_valid() {
        assert!(
            NAMES.is_sorted_by(|a, b| a.0 < b.0),
            "sorted, so that repeats show"
        );
        for (key, id) in NAMES {
            assert!(is_expression(id), "{key}: {id}");
        }
    }

    proptest! {
        #[test]
        fn always_a_valid_expression(text in "(GPL|MIT|BSD|v?[0-9.]{1,3}\\+?|and|or|with|later|[-(),/|&é\\\"]| ){1,12}") {
            for expression in expressions(&text) {
                prop_assert!(is_expression(&expression), "{text:?} gave {expression:?}");
            }
        }
    }

    #[test]
    fn chooses_one_of_several() {
        assert_eq!(any_of(&["MIT", "Apache-2.0"]), ["MIT OR Apache-2.0"]);
        assert_eq!(any_of(&["MIT", "MIT"]), ["MIT"]);
        assert_eq!(any_of(&["MIT", "own thing"]), ["MIT", "LicenseRef-own-thing"]);
        assert!(any_of::<&str>(&[]).is_empty());
    }

    #[test]
    fn knows_addresses() {
        for (name, address, expected) in [
            (
                "",
                "https://www.apache.org/licenses/LICENSE-2.0.txt",
                "Apache-2.0",
            ),
            ("MIT", "https://example.org", "MIT"),
            (
                "Eclipse thing",
                "http://www.eclipse.org/legal/epl-v20.html",
                "EPL-2.0",
            ),
            ("", "https://example.org/l", "LicenseRef-https-example.org-l"),
        ] {
            assert_eq!(named_or_linked(name, address), [expected], "{name} {address}");
        }
    }
}
