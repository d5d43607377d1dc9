//! Tests of the readers: the same content in every format, operating systems and sources, and hostile documents.

use super::*;
use model::{MemoryContent, Relation};
use proptest::prelude::*;

fn read_text(text: &str) -> Extracted {
    let read = read(
        "document",
        &mut MemoryContent(text.as_bytes()),
        &artifact::archives::Limited::default(),
    );
    read.unwrap_or_else(|message| {
        let mut out = Extracted::default();
        out.problem("document", message);
        out
    })
}

fn lines(out: &Extracted) -> Vec<String> {
    let mut lines: Vec<String> = out
        .packages
        .iter()
        .map(|package| {
            format!(
                "{} [{}] {} {} {:?} {}",
                package.purl,
                package.ecosystem,
                package.name,
                package.licenses.join("|"),
                package.relation,
                package.path.join(">")
            )
        })
        .collect();
    lines.extend(out.problems.iter().map(ToString::to_string));
    lines
}

const EXPECTED: [&str; 4] = [
    "pkg:generic/shop@2.0 [] shop  Some(Root) ",
    "pkg:npm/%40scope/a@1.0.0 [npm] @scope/a MIT Some(Direct) shop@2.0",
    "pkg:maven/org.example/b@2.1 [Maven] org.example:b Apache-2.0 Some(Transitive) shop@2.0>@scope/a@1.0.0",
    "pkg:generic/left@3 [] left  None ",
];

const CYCLONEDX_JSON: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component":{"type":"application","bom-ref":"root","name":"shop","version":"2.0"}},
  "components":[{"type":"library","bom-ref":"a","group":"@scope","name":"a","version":"1.0.0","purl":"pkg:npm/%40scope/a@1.0.0","licenses":[{"license":{"id":"MIT"}}],
    "components":[{"type":"library","bom-ref":"b","name":"b","version":"2.1","purl":"pkg:maven/org.example/b","licenses":[{"expression":"Apache-2.0"}]}]},
   {"type":"file","name":"readme"},{"type":"library","name":"left","version":3}],
  "dependencies":[{"ref":"root","dependsOn":["a"]},{"ref":"a","dependsOn":["b","gone"]}]}"#;

const CYCLONEDX_XML: &str = r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5">
  <metadata><tools><components><component type="application"><name>tool</name></component></components></tools>
    <component type="application" bom-ref="root"><name>shop</name><version>2.0</version></component></metadata>
  <components><component type="library" bom-ref="a"><supplier><name>Other</name></supplier><group>@scope</group><name>a</name><version>1.0.0</version>
      <licenses><license><id>MIT</id></license></licenses><purl>pkg:npm/%40scope/a@1.0.0</purl>
      <components><component type="library" bom-ref="b"><name>b</name><version>2.1</version><licenses><expression>Apache-2.0</expression></licenses><purl><![CDATA[pkg:maven/org.example/b]]></purl></component></components>
    </component><component type="file"><name>readme</name></component><component type="library"><name>left</name><version>3</version></component></components>
  <dependencies><dependency ref="root"><dependency ref="a"/></dependency><dependency ref="a"><dependency ref="b"/><dependency ref="gone"/></dependency></dependencies></bom>"#;

const SPDX_JSON: &str = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"x","packages":[
  {"SPDXID":"SPDXRef-root","name":"shop","versionInfo":"2.0","licenseDeclared":"NOASSERTION"},
  {"SPDXID":"SPDXRef-a","name":"a","versionInfo":"1.0.0","licenseConcluded":"NOASSERTION","licenseDeclared":"MIT","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/%40scope/a@1.0.0"}]},
  {"SPDXID":"SPDXRef-b","name":"b","versionInfo":"2.1","licenseConcluded":"Apache-2.0","licenseDeclared":"NONE","externalRefs":[{"referenceType":"http://spdx.org/rdf/references/purl","referenceLocator":"pkg:maven/org.example/b@2.1"}]},
  {"SPDXID":"SPDXRef-left","name":"left","versionInfo":"3"}],
  "relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-root"},
  {"spdxElementId":"SPDXRef-root","relationshipType":"DEPENDS_ON","relatedSpdxElement":"SPDXRef-a"},
  {"spdxElementId":"SPDXRef-b","relationshipType":"DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-a"}]}"#;

const SPDX_TAGS: &str = "# a comment\nSPDXVersion: SPDX-2.2\nDocumentComment: <text>several\nPackageName: not one\nlines</text>\n\
  PackageName: shop\nSPDXID: SPDXRef-root\nPackageVersion: 2.0\nPackageLicenseDeclared: NOASSERTION\n\n\
  PackageName: a\nSPDXID: SPDXRef-a\nPackageVersion: 1.0.0\nPackageLicenseDeclared: MIT\nExternalRef: PACKAGE-MANAGER purl pkg:npm/%40scope/a@1.0.0\n\
  PackageName: b\nSPDXID: SPDXRef-b\nPackageVersion: 2.1\nPackageLicenseConcluded: Apache-2.0\nExternalRef: PACKAGE_MANAGER purl pkg:maven/org.example/b@2.1\n\
  FileName: ./x\nSPDXID: SPDXRef-file\n\
  PackageName: left\nSPDXID: SPDXRef-left\nPackageVersion: 3\n\
  Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-root\nRelationship: SPDXRef-root DEPENDS_ON SPDXRef-a\nRelationship: SPDXRef-a CONTAINS SPDXRef-b\n";

const SPDX_3: &str = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
  {"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1"},
  {"type":"SpdxDocument","spdxId":"doc","rootElement":["sbom"]},{"type":"software_Sbom","spdxId":"sbom","rootElement":["root"]},
  {"type":"software_Package","spdxId":"root","name":"shop","software_packageVersion":"2.0"},
  {"type":"software_Package","spdxId":"a","name":"a","software_packageVersion":"1.0.0","software_packageUrl":"pkg:npm/%40scope/a@1.0.0"},
  {"type":"software_Package","spdxId":"b","name":"b","software_packageVersion":"2.1","externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:maven/org.example/b@2.1"}]},
  {"type":"software_Package","spdxId":"left","name":"left","software_packageVersion":"3"},
  {"type":"simplelicensing_LicenseExpression","spdxId":"mit","simplelicensing_licenseExpression":"MIT"},
  {"type":"simplelicensing_LicenseExpression","spdxId":"apache","simplelicensing_licenseExpression":"Apache-2.0"},
  {"type":"Relationship","from":"a","relationshipType":"hasDeclaredLicense","to":["mit"]},
  {"type":"Relationship","from":"b","relationshipType":"hasConcludedLicense","to":"apache"},
  {"type":"Relationship","from":"root","relationshipType":"dependsOn","to":["a"]},
  {"type":"LifecycleScopedRelationship","from":"a","relationshipType":"dependsOn","to":["b"]}]}"#;

const ALL: [(&str, Format); 5] = [
    (CYCLONEDX_JSON, Format::CycloneDxJson),
    (CYCLONEDX_XML, Format::CycloneDxXml),
    (SPDX_JSON, Format::SpdxJson),
    (SPDX_TAGS, Format::SpdxTagValue),
    (SPDX_3, Format::Spdx3),
];

#[test]
fn every_format_tells_the_same() {
    for (text, format) in ALL {
        assert_eq!(recognise(text.as_bytes()), Some(format));
        let with_mark = format!("\u{feff}{text}");
        for text in [text, &with_mark] {
            let mut found = lines(&read_text(text));
            let mut expected = EXPECTED.to_vec();
            // Nested components end before those around them do.
            found.sort();
            expected.sort_unstable();
            assert_eq!(found, expected, "{format:?}");
        }
    }
}

#[test]
fn an_element_without_a_graph_is_a_document() {
    let out = read_text(
        r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","type":"software_Package","spdxId":"urn:p",
        "name":"lodash","software_packageVersion":"4.17.11","software_packageUrl":"pkg:npm/lodash@4.17.11"}"#,
    );
    assert_eq!(out.problems, []);
    assert_eq!(out.packages.len(), 1);
    assert_eq!(out.packages[0].purl.to_string(), "pkg:npm/lodash@4.17.11");
}

#[test]
fn operating_systems_and_sources() {
    let component = |purl: &str, more: &str| {
        format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"type":"library","name":"x","version":"0","purl":"{purl}"{more}}}]}}"#
        )
    };
    for (purl, more, os, version, source) in [
        (
            "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl",
            "",
            ("debian", "12"),
            "3.0.11-1~deb12u2",
            Some(("openssl", "3.0.11-1~deb12u2")),
        ),
        (
            "pkg:deb/ubuntu/libc6@2.35-0ubuntu3?distro=ubuntu-22.04&upstream=glibc%402.35-0ubuntu3.1",
            "",
            ("ubuntu", "22.04"),
            "2.35-0ubuntu3",
            Some(("glibc", "2.35-0ubuntu3.1")),
        ),
        (
            "pkg:rpm/redhat/bzip2-libs@1.0.8-8.el9?arch=x86_64&epoch=1&distro=redhat-9.4&upstream=bzip2-1.0.8-8.el9.src.rpm",
            "",
            ("rhel", "9.4"),
            "1:1.0.8-8.el9",
            Some(("bzip2", "1.0.8-8.el9")),
        ),
        (
            "pkg:apk/alpine/zlib@1.2.13-r1?distro=3.18.4",
            "",
            ("alpine", "3.18.4"),
            "1.2.13-r1",
            None,
        ),
        (
            "pkg:apk/alpine/libcrypto3@3.1.4-r0?distro=alpine-3.18.4&upstream=openssl",
            r#","properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl3"},{"name":"aquasecurity:trivy:SrcVersion","value":"3.1.4-r1"}]"#,
            ("alpine", "3.18.4"),
            "3.1.4-r0",
            Some(("openssl3", "3.1.4-r1")),
        ),
    ] {
        let out = read_text(&component(purl, more));
        assert_eq!(out.problems, [], "{purl}");
        let found = out.os.as_ref().map(|os| (&*os.id, &*os.version));
        assert_eq!(found, Some(os), "{purl}");
        let package = &out.packages[0];
        assert_eq!(package.version, version, "{purl}");
        assert_eq!(package.ecosystem, "", "{purl}");
        let found = package
            .source
            .as_ref()
            .map(|source| (&*source.name, &*source.version));
        assert_eq!(found, source, "{purl}");
    }
}

#[test]
fn the_system_as_a_component() {
    let out = read_text(
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"operating-system","name":"Red Hat Enterprise Linux","version":"9.4"},
        {"type":"library","name":"x","version":"1"}]}"#,
    );
    assert_eq!(
        out.os.map(|os| (os.id, os.version)),
        Some(("rhel".to_owned(), "9.4".to_owned()))
    );
    assert_eq!(out.packages.len(), 1);
    let out = read_text(
        r#"{"spdxVersion":"SPDX-2.3","packages":[{"SPDXID":"a","name":"debian","versionInfo":"12.5","primaryPackagePurpose":"OPERATING-SYSTEM"},
        {"SPDXID":"b","name":"libssl3","versionInfo":"3","sourceInfo":"built package from: openssl 3.0.11-1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/libssl3@3.0.11-2"}]}]}"#,
    );
    assert_eq!(
        out.os.map(|os| (os.id, os.version)),
        Some(("debian".to_owned(), "12.5".to_owned()))
    );
    let source = out.packages[0].source.clone().unwrap();
    assert_eq!(
        (source.name, source.version),
        ("openssl".to_owned(), "3.0.11-1".to_owned())
    );
}

#[test]
fn oddities_are_said_and_the_rest_is_read() {
    for (text, part, packages) in [
        (
            r#"{"bomFormat":"CycloneDX","specVersion":"9.9","components":[{"type":"library","name":"x","version":"1"}]}"#,
            "`9.9` of CycloneDX is not known",
            1,
        ),
        (
            r#"{"spdxVersion":"SPDX-7","packages":[{"name":"x"}]}"#,
            "`SPDX-7` of SPDX is not known",
            1,
        ),
        (
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"x","purl":"npm/x"}]}"#,
            "package URL `npm/x`",
            1,
        ),
        (
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library"}]}"#,
            "neither name nor",
            0,
        ),
        (
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"a","purl":"pkg:deb/debian/a@1?distro=debian-12"},{"name":"b","purl":"pkg:deb/ubuntu/b@1?distro=ubuntu-22.04"}]}"#,
            "several distributions",
            2,
        ),
        ("{\"bomFormat\":\"CycloneDX\",", "damaged", 0),
        (
            "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\"><components>",
            "ends before",
            0,
        ),
        (
            "SPDXVersion: SPDX-2.3\nPackageComment: <text>never\nends",
            "does not end",
            0,
        ),
        ("{}", "no CycloneDX or SPDX document", 0),
        ("", "no CycloneDX or SPDX document", 0),
    ] {
        let out = read_text(text);
        assert!(
            out.problems.iter().any(|problem| problem.message.contains(part)),
            "{text}: {:?}",
            out.problems
        );
        assert_eq!(out.packages.len(), packages, "{text}");
    }
}

#[test]
fn compressed_documents() {
    // A document with the one component `x` in version 1.
    let packed =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\xca\xcf\x75\xcb\x2f\xca\x4d\x2c\x51\xb2\x52\
        \x72\xae\x4c\xce\xc9\xcf\x4b\x75\x89\x50\xd2\x51\x2a\x2e\x48\x4d\x0e\x4b\x2d\x2a\xce\xcc\xcf\x03\
        \xca\x18\xea\x99\x01\xc5\x92\xf3\x73\x0b\x80\xf2\x79\x25\xc5\x4a\x56\xd1\xd5\x4a\x79\x89\xb9\xa9\
        \x40\xb9\x0a\xa0\x4c\x19\x42\xa5\x52\x6d\x6c\x2d\x00\xc0\x8c\xec\x3a\x57\x00\x00\x00";
    let archives = artifact::archives::Limited::default();
    let out = read("document.gz", &mut MemoryContent(packed.as_slice()), &archives).unwrap();
    assert_eq!(out.problems, []);
    assert_eq!(out.packages[0].purl.to_string(), "pkg:generic/x@1");
    let message = read("document.gz", &mut MemoryContent(&packed[..40]), &archives).unwrap_err();
    assert!(message.starts_with("the document was not read: "), "{message}");
}

#[test]
fn deep_documents_are_refused() {
    let deep = 100_000;
    for text in [
        format!(
            "{{\"bomFormat\":\"CycloneDX\",\"components\":{}",
            "[".repeat(deep)
        ),
        format!(
            "{{\"bomFormat\":\"CycloneDX\",\"components\":{}",
            "[{\"components\":".repeat(deep)
        ),
        format!(
            "{{\"spdxVersion\":\"SPDX-2.3\",\"packages\":{}{}}}",
            "[".repeat(deep),
            "]".repeat(deep)
        ),
        format!(
            "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\">{}",
            "<components><component>".repeat(deep)
        ),
    ] {
        let out = read_text(&text);
        assert!(
            !out.problems.is_empty() && out.packages.is_empty(),
            "{:?}",
            lines(&out)
        );
    }
}

#[test]
fn lists_beyond_all_measure_are_refused() {
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}{{}}]}}"#,
        "{},".repeat(1_200_000)
    );
    let out = read_text(&text);
    assert!(out.packages.is_empty());
    assert!(
        out.problems[0].message.contains("longer than is read"),
        "{:?}",
        out.problems
    );
}

#[test]
fn many_problems_are_cut_off() {
    let components = vec![r#"{"name":"x","purl":"bad"}"#; 5000].join(",");
    let out = read_text(&format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{components}]}}"#
    ));
    assert!(out.problems.len() <= 51);
    assert_eq!(out.packages.len(), 5000);
}

#[test]
fn the_project_of_a_list_of_unrelated_packages_is_none() {
    let out = read_text(
        r#"{"spdxVersion":"SPDX-2.3","documentDescribes":["a","b"],"packages":[{"SPDXID":"a","name":"a"},{"SPDXID":"b","name":"b"}]}"#,
    );
    assert!(out.packages.iter().all(|package| package.relation.is_none()));
    let out = read_text(
        r#"{"spdxVersion":"SPDX-2.3","documentDescribes":["a"],"packages":[{"SPDXID":"a","name":"a"},{"SPDXID":"b","name":"b"}]}"#,
    );
    assert_eq!(out.packages[0].relation, Some(Relation::Root));
}

proptest! {
    #[test]
    fn damaged_documents_never_panic(
        which in 0..ALL.len(),
        changes in proptest::collection::vec((0..3000_usize, any::<u8>()), 1..6),
        cut in 0..4000_usize,
    ) {
        let mut bytes = ALL[which].0.as_bytes().to_vec();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(cut);
        let _ = read("document", &mut MemoryContent(bytes.as_slice()), &artifact::archives::Limited::default());
    }
}
