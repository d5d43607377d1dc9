//! Names of distributions and releases.

use super::{Role, distribution, of_purl, product, role};
use model::{Fact, OsRelease, Purl};

fn os(id: &str, version: &str) -> OsRelease {
    OsRelease {
        id: id.to_owned(),
        version: version.to_owned(),
        ..OsRelease::default()
    }
}

#[test]
fn every_distribution_has_its_name_in_osv() {
    for (id, version, ecosystem, namespace, qualifier) in [
        ("debian", "12", "Debian:12", "debian", "debian-12"),
        ("debian", "11.7", "Debian:11", "debian", "debian-11.7"),
        ("raspbian", "11", "Debian:11", "raspbian", "raspbian-11"),
        ("devuan", "4", "Debian:11", "devuan", "devuan-4"),
        ("ubuntu", "22.04", "Ubuntu:22.04:LTS", "ubuntu", "ubuntu-22.04"),
        ("ubuntu", "23.10", "Ubuntu:23.10", "ubuntu", "ubuntu-23.10"),
        ("ubuntu", "25.04", "Ubuntu:25.04", "ubuntu", "ubuntu-25.04"),
        ("pop", "22.04", "Ubuntu:22.04:LTS", "pop", "pop-22.04"),
        (
            "linuxmint",
            "21.2",
            "Ubuntu:22.04:LTS",
            "linuxmint",
            "linuxmint-21.2",
        ),
        ("zorin", "17", "Ubuntu:22.04:LTS", "zorin", "zorin-17"),
        ("alpine", "3.18.9", "Alpine:v3.18", "alpine", "alpine-3.18.9"),
        (
            "alpine",
            "3.21_alpha20240807",
            "Alpine:edge",
            "alpine",
            "alpine-3.21_alpha20240807",
        ),
        ("wolfi", "20230201", "Wolfi", "wolfi", "wolfi-20230201"),
        (
            "chainguard",
            "20230214",
            "Chainguard",
            "chainguard",
            "chainguard-20230214",
        ),
        ("almalinux", "9.4", "AlmaLinux:9", "almalinux", "almalinux-9.4"),
        ("rocky", "8.9", "Rocky Linux:8", "rocky-linux", "rocky-8.9"),
        ("rhel", "9.4", "Red Hat:enterprise_linux:9", "redhat", "rhel-9.4"),
        ("centos", "7", "Red Hat:enterprise_linux:7", "centos", "centos-7"),
        (
            "sles",
            "15.5",
            "SUSE:Linux Enterprise Server 15 SP5",
            "suse",
            "sles-15.5",
        ),
        ("sles", "15", "SUSE:Linux Enterprise Server 15", "suse", "sles-15"),
        (
            "sles",
            "16.0",
            "SUSE:Linux Enterprise Server 16",
            "suse",
            "sles-16.0",
        ),
        (
            "sle-micro",
            "5.5",
            "SUSE:Linux Enterprise Micro 5.5",
            "suse",
            "sle-micro-5.5",
        ),
        (
            "opensuse-leap",
            "15.5",
            "openSUSE:Leap 15.5",
            "opensuse",
            "opensuse-leap-15.5",
        ),
        (
            "opensuse-tumbleweed",
            "20241118",
            "openSUSE:Tumbleweed",
            "opensuse",
            "opensuse-tumbleweed-20241118",
        ),
        ("photon", "5.0", "Photon OS:5.0", "photon", "photon-5.0"),
        (
            "azurelinux",
            "3.0",
            "Azure Linux:3",
            "azurelinux",
            "azurelinux-3.0",
        ),
        ("mariner", "2.0", "Azure Linux:2", "mariner", "mariner-2.0"),
        ("mageia", "9", "Mageia:9", "mageia", "mageia-9"),
        // Known, but no feed of OSV covers it.
        ("fedora", "40", "", "fedora", "fedora-40"),
        ("amzn", "2023", "", "amazon", "amzn-2023"),
        ("ol", "9.4", "", "oracle", "ol-9.4"),
        ("arch", "", "", "arch", "arch"),
    ] {
        let found = distribution(&os(id, version)).unwrap();
        assert_eq!(
            (&*found.ecosystem, found.namespace, &*found.qualifier),
            (ecosystem, namespace, qualifier),
            "{id} {version}"
        );
    }
    assert_eq!(distribution(&os("kali", "2024.3")), None);
    assert_eq!(distribution(&os("", "")), None);
}

#[test]
fn what_os_release_leaves_out_is_taken_from_elsewhere() {
    let ecosystem = |os: &OsRelease| distribution(os).unwrap().ecosystem;
    let mut sid = os("debian", "");
    assert_eq!(ecosystem(&sid), "", "no release, no match");
    "trixie".clone_into(&mut sid.codename);
    assert_eq!(ecosystem(&sid), "Debian:13");
    let mut edge = os("alpine", "3.20.0");
    edge.facts.push(Fact::new("repository", "edge"));
    assert_eq!(ecosystem(&edge), "Alpine:edge");
    let mut mint = os("linuxmint", "99");
    mint.facts.push(Fact::new("ubuntu-codename", "noble"));
    assert_eq!(ecosystem(&mint), "Ubuntu:24.04:LTS");
    let mut euler = os("openEuler", "22.03");
    "openEuler 22.03 (LTS-SP3)".clone_into(&mut euler.pretty_name);
    assert_eq!(ecosystem(&euler), "openEuler:22.03-LTS-SP3");
}

#[test]
fn purls_tell_the_ecosystem() {
    for (purl, ecosystem) in [
        ("pkg:npm/%40a/b@1", Some("npm")),
        ("pkg:pypi/django@3", Some("PyPI")),
        ("pkg:golang/golang.org/x/net@v0.1.0", Some("Go")),
        ("pkg:deb/debian/openssl@1?distro=debian-12", Some("Debian:12")),
        ("pkg:deb/debian/openssl@1?distro=bookworm", Some("Debian:12")),
        (
            "pkg:deb/ubuntu/openssl@1?distro=ubuntu-22.04",
            Some("Ubuntu:22.04:LTS"),
        ),
        (
            "pkg:apk/alpine/busybox@1?distro=alpine-3.18.9",
            Some("Alpine:v3.18"),
        ),
        (
            "pkg:rpm/redhat/openssl@1?distro=rhel-9.4",
            Some("Red Hat:enterprise_linux:9"),
        ),
        (
            "pkg:rpm/opensuse/zlib@1?distro=opensuse-leap-15.5",
            Some("openSUSE:Leap 15.5"),
        ),
        ("pkg:rpm/fedora/zlib@1?distro=fedora-40", None),
        ("pkg:deb/debian/openssl@1", None),
        ("pkg:generic/x@1", None),
    ] {
        assert_eq!(
            of_purl(&purl.parse::<Purl>().unwrap()).as_deref(),
            ecosystem,
            "{purl}"
        );
    }
}

#[test]
fn only_the_releases_own_records_count() {
    let extended = Role::Extended;
    for (base, package, record, expected) in [
        ("Debian", "11", "11", Role::Same),
        ("Debian", "11", "12", Role::Other),
        ("Debian", "11", "", Role::Same),
        ("Alpine", "v3.18", "v3.1", Role::Other),
        ("Ubuntu", "22.04:LTS", "22.04", Role::Same),
        (
            "Ubuntu",
            "22.04:LTS",
            "Pro:22.04:LTS",
            extended("Ubuntu Pro (ESM)"),
        ),
        ("Ubuntu", "22.04:LTS", "Pro:18.04:LTS", Role::Other),
        ("Ubuntu", "22.04:LTS", "Pro:FIPS:22.04:LTS", Role::Other),
        ("AlmaLinux", "9", "9.2", Role::Same),
        ("AlmaLinux", "9", "8", Role::Other),
        (
            "Red Hat",
            "enterprise_linux:9",
            "enterprise_linux:9::appstream",
            Role::Same,
        ),
        (
            "Red Hat",
            "enterprise_linux:9",
            "enterprise_linux:8::appstream",
            Role::Other,
        ),
        (
            "Red Hat",
            "enterprise_linux:9",
            "rhel_eus:9.2::baseos",
            extended("Red Hat extended update support"),
        ),
        (
            "Red Hat",
            "enterprise_linux:9",
            "rhel_eus:9.0::baseos",
            Role::Other,
        ),
        (
            "Red Hat",
            "enterprise_linux:9",
            "openshift:4.12::el9",
            Role::Other,
        ),
        (
            "SUSE",
            "Linux Enterprise Server 15 SP5",
            "Linux Enterprise Module for Basesystem 15 SP5",
            Role::Same,
        ),
        (
            "SUSE",
            "Linux Enterprise Server 15 SP5",
            "Linux Enterprise Server 15 SP5-LTSS",
            Role::Same,
        ),
        (
            "SUSE",
            "Linux Enterprise Server 15 SP5",
            "Linux Enterprise Server 15 SP4",
            Role::Other,
        ),
        (
            "SUSE",
            "Linux Enterprise Server 15 SP5",
            "Linux Enterprise Micro 5.5",
            Role::Other,
        ),
        ("openSUSE", "Leap 15.5", "Leap 15.6", Role::Other),
    ] {
        let os = os("rhel", "9.2");
        assert_eq!(
            role(base, package, record, Some(&os)),
            expected,
            "{base}:{package} and {record}"
        );
    }
}

#[test]
fn streams_of_centos_have_a_life_of_their_own() {
    let mut stream = os("centos", "9");
    assert_eq!(product(&stream).unwrap().0, "centos");
    "CentOS Stream 9".clone_into(&mut stream.pretty_name);
    assert_eq!(product(&stream).unwrap().0, "centos-stream");
}
