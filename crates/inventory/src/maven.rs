//! Maven coordinates as archives carry them: pom.properties, pom.xml, manifests and file names.

use crate::headers::Headers;
use crate::{documents, license};

/// Group, artifact and version; what is unknown is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coordinates {
    pub(crate) group: String,
    pub(crate) artifact: String,
    pub(crate) version: String,
}

impl Coordinates {
    /// True when all three are there and none holds an unresolved `${…}` or `@…@`.
    pub(crate) fn is_complete(&self) -> bool {
        [&self.group, &self.artifact, &self.version]
            .iter()
            .all(|part| is_resolved(part))
    }
}

impl std::fmt::Display for Coordinates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.group, self.artifact, self.version)
    }
}

fn is_resolved(part: &str) -> bool {
    !part.is_empty() && !part.contains("${") && !part.starts_with('@') && !part.contains(char::is_whitespace)
}

/// Reads a `pom.properties`.
pub(crate) fn properties(text: &str) -> Coordinates {
    let mut found = Coordinates::default();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', '!']) {
            continue;
        }
        if let Some((key, value)) = line.split_once(['=', ':']) {
            let slot = match key.trim() {
                "groupId" => &mut found.group,
                "artifactId" => &mut found.artifact,
                "version" => &mut found.version,
                _ => continue,
            };
            value.trim().clone_into(slot);
        }
    }
    found
}

/// What an archive's own `pom.xml` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pom {
    /// Its own coordinates, those of the parent where it inherits them.
    pub(crate) coordinates: Coordinates,
    /// SPDX expressions.
    pub(crate) licenses: Vec<String>,
}

/// Reads the head of a `pom.xml`. Entities are not expanded and nothing is fetched.
///
/// # Errors
/// A message when it is no well-formed XML or nested too deep.
pub(crate) fn pom(text: &str) -> Result<Pom, String> {
    let parsed = documents::xml(text);
    if let Some(error) = parsed.error {
        return Err(error);
    }
    let project = parsed.document.child("project");
    let parent = project.child("parent");
    let own_or_inherited = |name: &str| {
        let own = project.child(name).text.trim();
        let text = if own.is_empty() {
            parent.child(name).text.trim()
        } else {
            own
        };
        text.to_owned()
    };
    let licenses: Vec<String> = project
        .child("licenses")
        .all("license")
        .flat_map(|license| {
            license::named_or_linked(
                license.child("name").text.trim(),
                license.child("url").text.trim(),
            )
        })
        .collect();
    Ok(Pom {
        coordinates: Coordinates {
            group: own_or_inherited("groupId"),
            artifact: project.child("artifactId").text.trim().to_owned(),
            version: own_or_inherited("version"),
        },
        licenses: license::any_of(&licenses),
    })
}

/// The parts of an archive's file name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileName {
    /// The name without its extension.
    pub(crate) stem: String,
    /// What comes before the version.
    pub(crate) artifact: String,
    /// The version, empty if the name has none.
    pub(crate) version: String,
}

impl FileName {
    /// Splits `log4j-1.2-api-2.17.1.jar`, `netty-epoll-4.1.48.Final-linux-x86_64.jar`, `org.eclipse.osgi_3.16.100.v2020.jar`.
    pub(crate) fn parse(name: &str) -> Self {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let tokens: Vec<&str> = stem.split('-').collect();
        let starts_version = |token: &str| token.starts_with(|first: char| first.is_ascii_digit());
        for at in 1..tokens.len() {
            if !starts_version(tokens[at]) {
                continue;
            }
            let mut end = at + 1;
            while end < tokens.len() && (starts_version(tokens[end]) || is_version_word(tokens[end])) {
                end += 1;
            }
            // What follows is a classifier, unless a version comes later: then this number was part of the artifact.
            if !tokens[end..]
                .iter()
                .any(|token| starts_version(token) && token.contains('.'))
            {
                return Self {
                    stem: stem.to_owned(),
                    artifact: tokens[..at].join("-"),
                    version: tokens[at..end].join("-"),
                };
            }
        }
        // Eclipse's bundles: symbolic name, underscore, version.
        if let Some((artifact, version)) = stem.split_once('_')
            && starts_version(version)
            && version.matches('.').count() >= 2
            && artifact.contains('.')
        {
            return Self {
                stem: stem.to_owned(),
                artifact: artifact.to_owned(),
                version: version.to_owned(),
            };
        }
        Self {
            stem: stem.to_owned(),
            artifact: stem.to_owned(),
            version: String::new(),
        }
    }

    /// True when the name is `artifact-version`, alone or with a classifier.
    pub(crate) fn is_exactly(&self, coordinates: &Coordinates) -> bool {
        let Some(rest) = self.stem.strip_prefix(coordinates.artifact.as_str()) else {
            return false;
        };
        let Some(rest) = rest
            .strip_prefix('-')
            .and_then(|rest| rest.strip_prefix(coordinates.version.as_str()))
        else {
            return false;
        };
        rest.is_empty() || rest.starts_with('-')
    }

    /// True when the artifact is that of the name, also as `group.artifact`.
    pub(crate) fn names(&self, coordinates: &Coordinates) -> bool {
        self.artifact == coordinates.artifact
            || self.stem == coordinates.artifact
            || self.artifact == format!("{}.{}", coordinates.group, coordinates.artifact)
    }
}

/// Words that follow a version's number after a hyphen.
fn is_version_word(token: &str) -> bool {
    const WORDS: [&str; 18] = [
        "alpha",
        "android",
        "beta",
        "b",
        "build",
        "cr",
        "final",
        "ga",
        "incubating",
        "jre",
        "m",
        "milestone",
        "pre",
        "rc",
        "redhat",
        "release",
        "snapshot",
        "sp",
    ];
    let lower = token.to_ascii_lowercase();
    let word = lower.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
    WORDS.contains(&word)
}

/// The group of an archive without a pom, and the artifact where it is called otherwise than the file: first from the table of
/// artifacts whose builds leave the pom out, then from the manifest fields that hold a group by convention.
pub(crate) fn group(
    artifact: &str,
    version: &str,
    manifest: &Headers,
    has_folder: impl Fn(&str) -> bool,
) -> Option<(String, String)> {
    let major = version
        .split(|end: char| !end.is_ascii_digit())
        .next()
        .and_then(|digits| digits.parse().ok());
    let own = |group: &str| Some((group.to_owned(), artifact.to_owned()));
    let module = manifest.get("Automatic-Module-Name");
    for known in KNOWN {
        let speaks_of_it = known.matches(artifact) && major.unwrap_or(0) < known.before;
        if speaks_of_it && (has_folder(known.folder) || module == artifact.replace('-', ".")) {
            let artifact = if known.real.is_empty() {
                artifact
            } else {
                known.real
            };
            return Some((known.group.to_owned(), artifact.to_owned()));
        }
    }
    // `group#module;version`, as Gradle's Nebula plugins write it.
    let title = manifest.get("Implementation-Title");
    if let Some((group, _)) = title
        .split_once('#')
        .filter(|(group, rest)| is_group(group) && rest.contains(';'))
    {
        return own(group);
    }
    // Jenkins plugins write the group under its own name.
    if is_group(manifest.get("Group-Id")) {
        return own(manifest.get("Group-Id"));
    }
    let bundle = manifest
        .get("Bundle-SymbolicName")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let by_bundle = group_of_bundle(bundle, artifact);
    if artifact.contains('-') && by_bundle.is_some() {
        return by_bundle.and_then(own);
    }
    // Maven's archiver writes the group as the vendor's identifier. A shaded archive may carry somebody else's manifest.
    let stated = manifest.get("Implementation-Version");
    let speaks_of_it = version.is_empty() || stated.starts_with(version) || version.starts_with(stated);
    let vendor = manifest.get("Implementation-Vendor-Id");
    if speaks_of_it && is_group(vendor) {
        return own(vendor);
    }
    by_bundle.and_then(own)
}

/// The group in a symbolic name that Maven's bundle plugin made: `group.artifact`, or with the artifact's beginning left out
/// where it repeats the group's last part.
fn group_of_bundle<'a>(bundle: &'a str, artifact: &str) -> Option<&'a str> {
    if let Some(group) = bundle
        .strip_suffix(artifact)
        .and_then(|rest| rest.strip_suffix('.'))
    {
        return Some(group).filter(|group| is_group(group));
    }
    bundle.match_indices('.').find_map(|(at, _)| {
        let (group, rest) = (&bundle[..at], &bundle[at + 1..]);
        let last = group.rsplit('.').next().unwrap_or_default();
        let matches = artifact
            .strip_prefix(last)
            .and_then(|artifact| artifact.strip_prefix(['-', '.']))
            .is_some_and(|artifact| artifact.replace('-', ".") == rest.replace('-', "."));
        (matches && is_group(group)).then_some(group)
    })
}

/// True for a reversed domain with something below the organisation's name; `org.apache` alone is no group.
fn is_group(text: &str) -> bool {
    let valid = text.split('.').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
    });
    valid && text.contains('.') && !matches!(text, "org.apache" | "com.google" | "com.sun" | "org.eclipse")
}

/// An artifact whose own build puts no pom into the archive.
struct Known {
    /// File name without version; a `*` at the end stands for anything.
    artifact: &'static str,
    group: &'static str,
    /// The published artifact where it has another name.
    real: &'static str,
    /// Folder that the archive must hold for the entry to apply.
    folder: &'static str,
    /// First major version that the entry does not speak of.
    before: u32,
}

impl Known {
    fn matches(&self, artifact: &str) -> bool {
        match self.artifact.strip_suffix('*') {
            Some(prefix) => artifact.starts_with(prefix),
            None => artifact == self.artifact,
        }
    }
}

const fn known(artifact: &'static str, group: &'static str, folder: &'static str) -> Known {
    renamed(artifact, group, "", folder)
}

const fn renamed(
    artifact: &'static str,
    group: &'static str,
    real: &'static str,
    folder: &'static str,
) -> Known {
    Known {
        artifact,
        group,
        real,
        folder,
        before: u32::MAX,
    }
}

/// The first entry that applies wins.
static KNOWN: &[Known] = &[
    known("antlr", "antlr", "antlr/"),
    known("ant*", "org.apache.ant", "org/apache/tools/ant/"),
    known("asm*", "org.ow2.asm", "org/objectweb/asm/"),
    known("bcpg-*", "org.bouncycastle", "org/bouncycastle/"),
    known("bcpkix-*", "org.bouncycastle", "org/bouncycastle/"),
    known("bcprov-*", "org.bouncycastle", "org/bouncycastle/"),
    known("bctls-*", "org.bouncycastle", "org/bouncycastle/"),
    known("bcutil-*", "org.bouncycastle", "org/bouncycastle/"),
    known("checker-qual", "org.checkerframework", "org/checkerframework/"),
    known("connect-*", "org.apache.kafka", "org/apache/kafka/connect/"),
    known("derby*", "org.apache.derby", "org/apache/derby/"),
    known("elasticsearch*", "org.elasticsearch", "org/elasticsearch/"),
    known("grpc-*", "io.grpc", "io/grpc/"),
    known("hadoop-*", "org.apache.hadoop", "org/apache/hadoop/"),
    known("h2", "com.h2database", "org/h2/"),
    known("hsqldb", "org.hsqldb", "org/hsqldb/"),
    known("jna", "net.java.dev.jna", "com/sun/jna/"),
    known("jna-platform", "net.java.dev.jna", "com/sun/jna/platform/"),
    known("junit-jupiter*", "org.junit.jupiter", "org/junit/jupiter/"),
    known("junit-platform-*", "org.junit.platform", "org/junit/platform/"),
    known("kafka-*", "org.apache.kafka", "org/apache/kafka/"),
    known("kafka_2*", "org.apache.kafka", "kafka/"),
    known("kotlin-*", "org.jetbrains.kotlin", "kotlin/"),
    known(
        "kotlinx-coroutines-*",
        "org.jetbrains.kotlinx",
        "kotlinx/coroutines/",
    ),
    known(
        "kotlinx-serialization-*",
        "org.jetbrains.kotlinx",
        "kotlinx/serialization/",
    ),
    known("lucene-*", "org.apache.lucene", "org/apache/lucene/"),
    known("lz4-java", "org.lz4", "net/jpountz/"),
    known("micrometer-*", "io.micrometer", "io/micrometer/"),
    known("mockito-*", "org.mockito", "org/mockito/"),
    known("mysql-connector-j", "com.mysql", "com/mysql/"),
    known("mysql-connector-java", "mysql", "com/mysql/"),
    known("ojdbc*", "com.oracle.database.jdbc", "oracle/jdbc/"),
    known("okhttp", "com.squareup.okhttp3", "okhttp3/"),
    known("okhttp", "com.squareup.okhttp", "com/squareup/okhttp/"),
    known("okio*", "com.squareup.okio", "okio/"),
    known("opensearch*", "org.opensearch", "org/opensearch/"),
    known("opentelemetry-*", "io.opentelemetry", "io/opentelemetry/"),
    known("postgresql", "org.postgresql", "org/postgresql/"),
    known("reactor-core", "io.projectreactor", "reactor/core/"),
    known("reactor-netty*", "io.projectreactor.netty", "reactor/netty/"),
    known("retrofit", "com.squareup.retrofit2", "retrofit2/"),
    known("rxjava", "io.reactivex.rxjava3", "io/reactivex/rxjava3/"),
    known("rxjava", "io.reactivex.rxjava2", "io/reactivex/"),
    known("scala-*", "org.scala-lang", "scala/"),
    known(
        "spring-amqp",
        "org.springframework.amqp",
        "org/springframework/amqp/",
    ),
    known(
        "spring-batch-*",
        "org.springframework.batch",
        "org/springframework/batch/",
    ),
    known(
        "spring-boot*",
        "org.springframework.boot",
        "org/springframework/boot/",
    ),
    known(
        "spring-data-*",
        "org.springframework.data",
        "org/springframework/data/",
    ),
    known(
        "spring-integration-*",
        "org.springframework.integration",
        "org/springframework/integration/",
    ),
    known(
        "spring-kafka*",
        "org.springframework.kafka",
        "org/springframework/kafka/",
    ),
    known(
        "spring-ldap-*",
        "org.springframework.ldap",
        "org/springframework/ldap/",
    ),
    known(
        "spring-rabbit*",
        "org.springframework.amqp",
        "org/springframework/amqp/",
    ),
    known(
        "spring-retry",
        "org.springframework.retry",
        "org/springframework/retry/",
    ),
    known(
        "spring-security-oauth2",
        "org.springframework.security.oauth",
        "org/springframework/security/oauth2/",
    ),
    known(
        "spring-security-*",
        "org.springframework.security",
        "org/springframework/security/",
    ),
    known(
        "spring-session-*",
        "org.springframework.session",
        "org/springframework/session/",
    ),
    known(
        "spring-vault-*",
        "org.springframework.vault",
        "org/springframework/vault/",
    ),
    known(
        "spring-webflow*",
        "org.springframework.webflow",
        "org/springframework/webflow/",
    ),
    known("spring-ws-*", "org.springframework.ws", "org/springframework/ws/"),
    known("spring-*", "org.springframework", "org/springframework/"),
    known("tomcat-embed-*", "org.apache.tomcat.embed", "org/apache/"),
    known("tomcat-embed-*", "org.apache.tomcat.embed", "jakarta/"),
    known("tomcat-embed-*", "org.apache.tomcat.embed", "javax/"),
    known("tomcat-annotations-api", "org.apache.tomcat", "javax/annotation/"),
    known(
        "tomcat-annotations-api",
        "org.apache.tomcat",
        "jakarta/annotation/",
    ),
    known("tomcat-*", "org.apache.tomcat", "org/apache/"),
    renamed(
        "catalina",
        "org.apache.tomcat",
        "tomcat-catalina",
        "org/apache/catalina/",
    ),
    renamed(
        "catalina-ant",
        "org.apache.tomcat",
        "tomcat-catalina-ant",
        "org/apache/catalina/ant/",
    ),
    renamed(
        "catalina-ha",
        "org.apache.tomcat",
        "tomcat-catalina-ha",
        "org/apache/catalina/ha/",
    ),
    renamed(
        "catalina-tribes",
        "org.apache.tomcat",
        "tomcat-tribes",
        "org/apache/catalina/tribes/",
    ),
    renamed(
        "jasper",
        "org.apache.tomcat",
        "tomcat-jasper",
        "org/apache/jasper/",
    ),
    renamed(
        "jasper-el",
        "org.apache.tomcat",
        "tomcat-jasper-el",
        "org/apache/el/",
    ),
    renamed(
        "annotations-api",
        "org.apache.tomcat",
        "tomcat-annotations-api",
        "org/apache/tomcat/",
    ),
    known("velocity", "org.apache.velocity", "org/apache/velocity/"),
    known("xalan", "xalan", "org/apache/xalan/"),
    known("xercesImpl", "xerces", "org/apache/xerces/"),
    known("xml-apis", "xml-apis", "org/w3c/dom/"),
    known("xmlbeans", "org.apache.xmlbeans", "org/apache/xmlbeans/"),
    known("dom4j", "org.dom4j", "org/dom4j/"),
    Known {
        before: 4,
        ..known("groovy*", "org.codehaus.groovy", "org/codehaus/groovy/")
    },
    known("groovy*", "org.apache.groovy", "org/codehaus/groovy/"),
    known("ivy", "org.apache.ivy", "org/apache/ivy/"),
    known("gradle-*", "org.gradle", "org/gradle/"),
    known("wildfly-openssl*", "org.wildfly.openssl", "org/wildfly/openssl/"),
    known("zip4j", "net.lingala.zip4j", "net/lingala/zip4j/"),
];

/// The folders that [`group`] may ask for when the archive is called `artifact`.
pub(crate) fn telling_folders(artifact: &str) -> Vec<&'static str> {
    let known = KNOWN.iter().filter(|known| known.matches(artifact));
    known.map(|known| known.folder).collect()
}

/// The coordinates of an archive that lies in a repository or cache of a build tool, whose folders are them:
///
/// - Maven, Coursier: `repository/org/apache/x/1.0/x-1.0.jar`, below `repository`, `maven2` or `maven-repo`;
/// - Gradle: `files-2.1/org.apache/x/1.0/<hash>/x-1.0.jar`;
/// - Ivy: `cache/org.apache/x/jars/x-1.0.jar`.
///
/// The file's own name must agree, so that folders of another purpose that look alike say nothing.
pub(crate) fn in_repository(path: &str) -> Option<Coordinates> {
    let parts: Vec<&str> = path.split('/').collect();
    let (file, folders) = parts.split_last()?;
    let stem = file.rsplit_once('.')?.0;
    let made = |group: String, artifact: &str, version: &str| {
        let rest = stem
            .strip_prefix(artifact)?
            .strip_prefix('-')?
            .strip_prefix(version)?;
        let agrees = (rest.is_empty() || rest.starts_with('-')) && !group.is_empty() && !version.is_empty();
        agrees.then(|| Coordinates {
            group,
            artifact: artifact.to_owned(),
            version: version.to_owned(),
        })
    };
    match folders {
        [.., "files-2.1", group, artifact, version, _] => made((*group).to_owned(), artifact, version),
        [.., "cache", group, artifact, "jars" | "bundles"] => {
            let version = stem.strip_prefix(artifact)?.strip_prefix('-')?;
            made((*group).to_owned(), artifact, version)
        }
        [before @ .., artifact, version] => {
            let start = before
                .iter()
                .rposition(|folder| matches!(*folder, "repository" | "maven2" | "maven-repo"))?;
            made(before.get(start + 1..)?.join("."), artifact, version)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::Continuation;

    #[test]
    fn folders_of_repositories_are_coordinates() {
        for (path, expected) in [
            (
                "root/.m2/repository/commons-cli/commons-cli/1.0/commons-cli-1.0.jar",
                Some("commons-cli:commons-cli:1.0"),
            ),
            (
                "root/.m2/repository/io/netty/netty-epoll/4.1.48.Final/netty-epoll-4.1.48.Final-linux-x86_64.jar",
                Some("io.netty:netty-epoll:4.1.48.Final"),
            ),
            (
                "root/.cache/coursier/v1/https/repo1.maven.org/maven2/com/h2database/h2/1.4.200/h2-1.4.200.jar",
                Some("com.h2database:h2:1.4.200"),
            ),
            (
                "root/.gradle/caches/modules-2/files-2.1/com.h2database/h2/1.4.200/f7533fe7cb8e99c87a43d325a77b4b678ad9031a/h2-1.4.200.jar",
                Some("com.h2database:h2:1.4.200"),
            ),
            (
                "root/.ivy2/cache/org.scala-lang/scala-library/jars/scala-library-2.13.1.jar",
                Some("org.scala-lang:scala-library:2.13.1"),
            ),
            // Folders that only look like one.
            ("srv/repository/lib/1.0/app.jar", None),
            ("srv/repository/x/1.0/x-1.0.jar", None),
            ("srv/repository/org/x/1.0/x-1.1.jar", None),
            ("srv/repository/org/x/1.0/x-1.01.jar", None),
            ("srv/lib/org/x/1.0/x-1.0.jar", None),
            ("x-1.0.jar", None),
            ("repository/x-1.0.jar", None),
            ("", None),
        ] {
            let found = in_repository(path).map(|found| found.to_string());
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn splits_file_names() {
        for (name, artifact, version) in [
            ("guava-30.1-jre.jar", "guava", "30.1-jre"),
            ("log4j-1.2-api-2.17.1.jar", "log4j-1.2-api", "2.17.1"),
            ("kafka_2.13-2.8.0.jar", "kafka_2.13", "2.8.0"),
            (
                "netty-epoll-4.1.48.Final-linux-x86_64.jar",
                "netty-epoll",
                "4.1.48.Final",
            ),
            ("app-1.0-20210101.120000-1.jar", "app", "1.0-20210101.120000-1"),
            ("a-1.0-SNAPSHOT.war", "a", "1.0-SNAPSHOT"),
            ("a-2.0.0-rc1-sources.jar", "a", "2.0.0-rc1"),
            ("bcprov-jdk15on-1.68.jar", "bcprov-jdk15on", "1.68"),
            ("groovy-2.4.5-indy.jar", "groovy", "2.4.5"),
            (
                "jetty-server-9.4.41.v20210516.jar",
                "jetty-server",
                "9.4.41.v20210516",
            ),
            (
                "org.eclipse.osgi_3.16.100.v2020.jar",
                "org.eclipse.osgi",
                "3.16.100.v2020",
            ),
            ("jna-5.7.0-1.jar", "jna", "5.7.0-1"),
            ("app.jar", "app", ""),
            ("", "", ""),
        ] {
            let parsed = FileName::parse(name);
            assert_eq!(
                (parsed.artifact.as_str(), parsed.version.as_str()),
                (artifact, version),
                "{name}"
            );
        }
    }

    #[test]
    fn finds_groups() {
        type Case = (
            &'static str,
            &'static str,
            &'static [&'static str],
            Option<(&'static str, &'static str)>,
        );
        let cases: [Case; 15] = [
            (
                "spring-core",
                "",
                &["org/springframework/"],
                Some(("org.springframework", "spring-core")),
            ),
            ("spring-core", "", &[], None),
            (
                "spring-boot-starter-web",
                "Automatic-Module-Name: spring.boot.starter.web",
                &[],
                Some(("org.springframework.boot", "spring-boot-starter-web")),
            ),
            (
                "catalina",
                "",
                &["org/apache/catalina/"],
                Some(("org.apache.tomcat", "tomcat-catalina")),
            ),
            (
                "elasticsearch-core",
                "Implementation-Title: org.elasticsearch#elasticsearch-core;7.13.0",
                &[],
                Some(("org.elasticsearch", "elasticsearch-core")),
            ),
            (
                "git",
                "Group-Id: org.jenkins-ci.plugins",
                &[],
                Some(("org.jenkins-ci.plugins", "git")),
            ),
            ("a", "Implementation-Vendor-Id: Some Company", &[], None),
            ("a", "Implementation-Vendor-Id: org.apache", &[], None),
            (
                "a",
                "Implementation-Vendor-Id: org.other\nImplementation-Version: 1.1",
                &[],
                None,
            ),
            (
                "a",
                "Implementation-Vendor-Id: org.a.b\nImplementation-Version: 5.0",
                &[],
                Some(("org.a.b", "a")),
            ),
            (
                "commons-lang3",
                "Bundle-SymbolicName: org.apache.commons.lang3",
                &[],
                Some(("org.apache.commons", "commons-lang3")),
            ),
            (
                "jackson-databind",
                "Bundle-SymbolicName: com.fasterxml.jackson.core.jackson-databind;singleton:=true",
                &[],
                Some(("com.fasterxml.jackson.core", "jackson-databind")),
            ),
            (
                "slf4j-api",
                "Bundle-SymbolicName: org.slf4j.api",
                &[],
                Some(("org.slf4j", "slf4j-api")),
            ),
            (
                "logback-classic",
                "Bundle-SymbolicName: ch.qos.logback.classic",
                &[],
                Some(("ch.qos.logback", "logback-classic")),
            ),
            ("h3", "Bundle-SymbolicName: com.h2database", &[], None),
        ];
        for (artifact, manifest, folders, expected) in cases {
            let headers = Headers::parse(manifest, Continuation::Glued);
            let found = group(artifact, "5.0", &headers, |folder| folders.contains(&folder));
            let found = found
                .as_ref()
                .map(|(group, artifact)| (group.as_str(), artifact.as_str()));
            assert_eq!(found, expected, "{artifact} {manifest}");
        }
    }

    #[test]
    fn reads_poms() {
        let found = pom(
            "<?xml version=\"1.0\"?><project xmlns=\"x\"><parent><groupId>g</groupId><artifactId>p</artifactId>\
             <version>1</version></parent><artifactId> a&amp;b </artifactId><dependencies><dependency><groupId>no</groupId>\
             <version>9</version></dependency></dependencies><licenses><license><name>The License</name>\
             <url>https://www.apache.org/licenses/LICENSE-2.0</url></license></licenses></project>",
        )
        .unwrap();
        assert_eq!(found.coordinates.group, "g");
        assert_eq!(found.coordinates.artifact, "a&b");
        assert_eq!(found.coordinates.version, "1");
        assert_eq!(found.licenses, ["Apache-2.0"]);
        assert!(pom(&"<a>".repeat(100_000)).is_err());
        assert!(pom("<project></wrong>").is_err());
    }

    #[test]
    fn unresolved_coordinates_are_incomplete() {
        let found = properties("#x\nversion=${revision}\ngroupId = g\nartifactId:a\n");
        assert_eq!((found.group.as_str(), found.artifact.as_str()), ("g", "a"));
        assert!(!found.is_complete());
    }
}
