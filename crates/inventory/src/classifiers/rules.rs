//! The rules: one for each program, in the order of their names.
//!
//! A new rule needs an example that it must recognise and one that it must not; the test of this folder runs both.

use super::{Form, Rule};

/// What most rules share.
const PROGRAM: Rule = Rule {
    name: "",
    form: Form::Program,
    files: &[],
    patterns: &[],
    bitnami: "",
    cpe: "",
    rewrite: None,
    go: false,
    hits: &[],
    misses: &[],
};

/// Ruby's patch level counts from the first release of a line and says nothing more than the version.
fn without_patch_level(version: &str) -> String {
    version.split('p').next().unwrap_or(version).to_owned()
}

/// Java 8 calls itself `1.8.0_392`; everybody else calls it 8.0.392, as Java itself does from 9 on.
fn java(version: &str) -> String {
    match version.strip_prefix("1.8.0") {
        Some(update) => format!("8.0.{}", update.trim_start_matches(['_', '-'])),
        None => version.to_owned(),
    }
}

/// The files' version 8.0.123.58001 is release 8.0.1: the third number is the release times 100 and a build.
fn dotnet(version: &str) -> String {
    let numbers: Vec<u32> = version
        .split('.')
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers.as_slice() {
        [major, minor, build, _] => format!("{major}.{minor}.{}", build / 100),
        _ => version.to_owned(),
    }
}

/// Every rule.
pub(crate) static RULES: &[Rule] = &[
    Rule {
        name: "activemq",
        form: Form::Name,
        files: &["activemq-broker-*.jar"],
        patterns: &["activemq-broker-{v:3}.jar"],
        bitnami: "activemq",
        cpe: "apache:activemq",
        hits: &[("opt/activemq/lib/activemq-broker-5.18.3.jar", b"", "5.18.3")],
        misses: &[("opt/activemq/lib/activemq-broker-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "alertmanager",
        files: &["alertmanager", "prometheus-alertmanager"],
        patterns: &["{0}{v:3}{0}"],
        bitnami: "alertmanager",
        cpe: "prometheus:alertmanager",
        go: true,
        hits: &[("bin/alertmanager", b"\x000.26.0\x00", "0.26.0")],
        misses: &[("bin/alertmanager", b"module 0.26.0 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "apache-httpd",
        files: &["httpd", "apache2", "httpd-*"],
        patterns: &["{0}Apache/{v:3}"],
        bitnami: "apache",
        cpe: "apache:http_server",
        hits: &[("usr/sbin/httpd", b"\x00Apache/2.4.58 (Unix)\x00", "2.4.58")],
        misses: &[("usr/sbin/httpd", b"\x00Apache/2.4\x00")],
        ..PROGRAM
    },
    Rule {
        name: "argo-cd",
        files: &["argocd"],
        patterns: &["{0}v{v:3}{t}{0}", "{0}{v:3}+{t}{0}"],
        bitnami: "argo-cd",
        cpe: "argoproj:argo_cd",
        go: true,
        hits: &[("usr/local/bin/argocd", b"\x00v2.9.3+6eba5be\x00", "2.9.3")],
        misses: &[("usr/local/bin/argocd", b"module v2.9.3 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "bash",
        files: &["bash", "bash-*", "rbash"],
        patterns: &["@(#)Bash version {v:3}("],
        cpe: "gnu:bash",
        hits: &[(
            "bin/bash",
            b"@(#)Bash version 5.2.15(1) release GNU\x00",
            "5.2.15",
        )],
        misses: &[("bin/bash", b"Bash version %s\x00")],
        ..PROGRAM
    },
    Rule {
        name: "bind",
        files: &["named", "libdns*.so*", "libisc*.so*"],
        patterns: &["named version: BIND {v:3}", "{0}BIND {v:3}", "{0}{v:3}-S{t}{0}"],
        cpe: "isc:bind",
        hits: &[(
            "usr/sbin/named",
            b"\x00named version: BIND 9.18.24-1-Debian <>\x00",
            "9.18.24",
        )],
        misses: &[("usr/sbin/named", b"BIND 9 is maintained")],
        ..PROGRAM
    },
    Rule {
        name: "buildkit",
        files: &["buildkitd", "buildctl"],
        patterns: &["{0}v{v:3}{0}"],
        cpe: "mobyproject:buildkit",
        go: true,
        hits: &[("usr/bin/buildkitd", b"\x00v0.12.4\x00", "0.12.4")],
        misses: &[("usr/bin/buildkitd", b"module v0.12.4 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "bun",
        files: &["bun", "bun-*"],
        patterns: &["Bun/{v:3}", "bun/{v:3}", "Bun v{v:3}"],
        cpe: "oven-sh:bun",
        hits: &[("usr/local/bin/bun", b"Bun/1.0.21\x00", "1.0.21")],
        misses: &[("usr/local/bin/bun", b"bun install")],
        ..PROGRAM
    },
    Rule {
        name: "busybox",
        files: &["busybox*"],
        patterns: &["BusyBox v{v:2}"],
        cpe: "busybox:busybox",
        hits: &[("bin/busybox", b"BusyBox v1.36.1 (2023-11-07)\x00", "1.36.1")],
        misses: &[("bin/busybox", b"BusyBox is a multi-call binary")],
        ..PROGRAM
    },
    Rule {
        name: "bzip2",
        files: &["libbz2.so*", "bzip2"],
        patterns: &["{0}{v:3}, "],
        cpe: "bzip:bzip2",
        hits: &[("usr/lib/libbz2.so.1", b"\x001.0.8, 13-Jul-2019\x00", "1.0.8")],
        misses: &[("usr/lib/libbz2.so.1", b"bzip2")],
        ..PROGRAM
    },
    Rule {
        name: "caddy",
        files: &["caddy"],
        patterns: &["{0}v{v:3}{0}", "{0}{v:3=2.}{0}"],
        cpe: "caddyserver:caddy",
        go: true,
        hits: &[("usr/bin/caddy", b"\x00v2.7.6\x00", "2.7.6")],
        misses: &[("usr/bin/caddy", b"v2.7.6 h1")],
        ..PROGRAM
    },
    Rule {
        name: "cassandra",
        form: Form::Name,
        files: &["apache-cassandra-*.jar"],
        patterns: &["apache-cassandra-{v:2}.jar"],
        bitnami: "cassandra",
        cpe: "apache:cassandra",
        hits: &[("opt/cassandra/lib/apache-cassandra-4.1.3.jar", b"", "4.1.3")],
        misses: &[("opt/cassandra/lib/apache-cassandra-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "clickhouse",
        files: &["clickhouse*"],
        patterns: &["ClickHouse {v:3}", "{0}v{v:4}-{t}{0}"],
        bitnami: "clickhouse",
        cpe: "clickhouse:clickhouse",
        hits: &[("usr/bin/clickhouse", b"\x00v23.8.2.7-lts\x00", "23.8.2.7")],
        misses: &[("usr/bin/clickhouse", b"ClickHouse server")],
        ..PROGRAM
    },
    Rule {
        name: "cockroachdb",
        files: &["cockroach"],
        patterns: &["{0}v{v:3}{0}"],
        cpe: "cockroachlabs:cockroachdb",
        go: true,
        hits: &[("cockroach/cockroach", b"\x00v23.1.13\x00", "23.1.13")],
        misses: &[("cockroach/cockroach", b"module v23.1 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "composer",
        form: Form::Text,
        files: &["composer", "composer.phar"],
        patterns: &["const VERSION = '{v:3}'"],
        bitnami: "composer",
        cpe: "getcomposer:composer",
        hits: &[("usr/bin/composer", b"const VERSION = '2.6.6';", "2.6.6")],
        misses: &[("usr/bin/composer", b"const VERSION = '@package_version@';")],
        ..PROGRAM
    },
    Rule {
        name: "consul",
        files: &["consul"],
        patterns: &["CONSUL_VERSION: {v:3}", "{0}{v:3}{0}"],
        bitnami: "consul",
        cpe: "hashicorp:consul",
        go: true,
        hits: &[("bin/consul", b"CONSUL_VERSION: 1.17.1\x00", "1.17.1")],
        misses: &[("bin/consul", b"CONSUL_VERSION: dev")],
        ..PROGRAM
    },
    Rule {
        name: "containerd",
        files: &["containerd", "containerd-shim*", "ctr"],
        patterns: &["{0}v{v:3}{t}{0}", "{0}{v:3}{t}{0}"],
        cpe: "linuxfoundation:containerd",
        go: true,
        hits: &[("usr/bin/containerd", b"\x00v1.7.11\x00", "1.7.11")],
        misses: &[("usr/bin/containerd", b"containerd v1")],
        ..PROGRAM
    },
    Rule {
        name: "coredns",
        files: &["coredns"],
        patterns: &["CoreDNS-{v:3}", "{0}{v:3}{0}"],
        cpe: "coredns.io:coredns",
        go: true,
        hits: &[("coredns", b"CoreDNS-1.11.1", "1.11.1")],
        misses: &[("coredns", b"CoreDNS-")],
        ..PROGRAM
    },
    Rule {
        name: "couchdb",
        form: Form::Text,
        files: &["couch.app"],
        patterns: &["{vsn,\"{v:3}\"}"],
        bitnami: "couchdb",
        cpe: "apache:couchdb",
        hits: &[(
            "opt/couchdb/lib/couch-3.3.3/ebin/couch.app",
            b"{application,couch,[{vsn,\"3.3.3\"}]}",
            "3.3.3",
        )],
        misses: &[("opt/couchdb/lib/couch-3.3.3/ebin/couch.app", b"{vsn,git}")],
        ..PROGRAM
    },
    Rule {
        name: "crun",
        files: &["crun"],
        patterns: &["{0}{v:2}{0}%s version", "{0}{v:2}{0}commit:"],
        cpe: "crun_project:crun",
        hits: &[("usr/bin/crun", b"\x001.8.1\x00%s version %s\n", "1.8.1")],
        misses: &[("usr/bin/crun", b"module 1.8.1 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "cups",
        files: &["cupsd", "libcups.so*"],
        patterns: &["CUPS/{v:3} IPP", "CUPS v{v:3}"],
        cpe: "openprinting:cups",
        hits: &[("usr/sbin/cupsd", b"CUPS/2.4.2 IPP/2.1\x00", "2.4.2")],
        misses: &[("usr/sbin/cupsd", b"CUPS/%d IPP/2")],
        ..PROGRAM
    },
    Rule {
        name: "curl",
        files: &["curl"],
        patterns: &["{0}curl/{v:3}"],
        cpe: "haxx:curl",
        hits: &[("usr/bin/curl", b"\x00curl/8.5.0\x00", "8.5.0")],
        misses: &[("usr/bin/curl", b"curl/curl.h")],
        ..PROGRAM
    },
    Rule {
        name: "dart",
        files: &["dart", "dartaotruntime"],
        patterns: &["{0}{v:3} (stable)", "{0}{v:3}{t} ("],
        cpe: "dart:dart_software_development_kit",
        hits: &[(
            "usr/lib/dart/bin/dart",
            b"\x003.2.3 (stable) (Tue Dec 5)\x00",
            "3.2.3",
        )],
        misses: &[("usr/lib/dart/bin/dart", b"dart 3")],
        ..PROGRAM
    },
    Rule {
        name: "deno",
        files: &["deno"],
        patterns: &["Deno/{v:3}", "deno/{v:3}"],
        cpe: "deno:deno",
        hits: &[("usr/bin/deno", b"Deno/1.39.1", "1.39.1")],
        misses: &[("usr/bin/deno", b"Deno/v1")],
        ..PROGRAM
    },
    Rule {
        name: "dnsmasq",
        files: &["dnsmasq"],
        patterns: &["{0}dnsmasq-{v:2}"],
        cpe: "thekelleys:dnsmasq",
        hits: &[("usr/sbin/dnsmasq", b"\x00dnsmasq-2.90\x00", "2.90")],
        misses: &[("usr/sbin/dnsmasq", b"dnsmasq-%s")],
        ..PROGRAM
    },
    Rule {
        name: "docker",
        files: &["docker"],
        patterns: &["{0}{v:3=17.|18.|19.|20.|23.|24.|25.|26.|27.|28.|29.}{t}{0}"],
        bitnami: "docker-cli",
        cpe: "docker:docker",
        go: true,
        hits: &[("usr/bin/docker", b"\x0024.0.7\x00", "24.0.7")],
        misses: &[("usr/bin/docker", b"module 24.0.7 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "dockerd",
        files: &["dockerd", "docker-proxy"],
        patterns: &["{0}{v:3=17.|18.|19.|20.|23.|24.|25.|26.|27.|28.|29.}{t}{0}"],
        cpe: "mobyproject:moby",
        go: true,
        hits: &[("usr/bin/dockerd", b"\x0024.0.7\x00", "24.0.7")],
        misses: &[("usr/bin/dockerd", b"module 24.0.7 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "dotnet",
        files: &["libhostfxr.so", "libcoreclr.so"],
        patterns: &["@(#)Version {v:3}", "{0}{v:3} @Commit:"],
        bitnami: "dotnet",
        cpe: "microsoft:.net",
        rewrite: Some(dotnet),
        hits: &[(
            "usr/share/dotnet/host/fxr/8.0.1/libhostfxr.so",
            b"@(#)Version 8.0.123.58001 @Commit: bf5e279d9239\x00",
            "8.0.1",
        )],
        misses: &[(
            "usr/share/dotnet/host/fxr/8.0.1/libhostfxr.so",
            b"@(#)Version unknown",
        )],
        ..PROGRAM
    },
    Rule {
        name: "elasticsearch",
        form: Form::Name,
        files: &["elasticsearch-*.jar"],
        patterns: &["elasticsearch-{v:3}.jar"],
        bitnami: "elasticsearch",
        cpe: "elastic:elasticsearch",
        hits: &[(
            "usr/share/elasticsearch/lib/elasticsearch-8.11.3.jar",
            b"",
            "8.11.3",
        )],
        misses: &[("usr/share/elasticsearch/lib/elasticsearch-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "elixir",
        form: Form::Text,
        files: &["elixir.app"],
        patterns: &["{vsn,\"{v:3}\"}"],
        cpe: "elixir-lang:elixir",
        hits: &[(
            "usr/lib/elixir/lib/elixir/ebin/elixir.app",
            b"{vsn,\"1.15.7\"}",
            "1.15.7",
        )],
        misses: &[("usr/lib/elixir/lib/elixir/ebin/elixir.app", b"{vsn,x}")],
        ..PROGRAM
    },
    Rule {
        name: "envoy",
        files: &["envoy"],
        patterns: &[
            "/{v:3}/Clean/RELEASE",
            "/{v:3}/Modified/RELEASE",
            "/{v:3}/Distribution/RELEASE",
        ],
        bitnami: "envoy",
        cpe: "envoyproxy:envoy",
        hits: &[(
            "usr/local/bin/envoy",
            b"a3a4ef2a5ecd/1.28.0/Clean/RELEASE/BoringSSL",
            "1.28.0",
        )],
        misses: &[("usr/local/bin/envoy", b"/Clean/RELEASE/BoringSSL")],
        ..PROGRAM
    },
    Rule {
        name: "erlang",
        form: Form::Text,
        files: &["releases/*/OTP_VERSION"],
        patterns: &["{0}{v:2}"],
        cpe: "erlang:erlang\\/otp",
        hits: &[("usr/lib/erlang/releases/26/OTP_VERSION", b"26.2.1\n", "26.2.1")],
        misses: &[("usr/lib/erlang/releases/26/OTP_VERSION", b"unknown\n")],
        ..PROGRAM
    },
    Rule {
        name: "etcd",
        files: &["etcd", "etcdctl"],
        patterns: &["etcd/{v:3}", "{0}{v:3}{t}{0}"],
        bitnami: "etcd",
        cpe: "etcd:etcd",
        go: true,
        hits: &[("usr/local/bin/etcd", b"\x003.4.28\x00", "3.4.28")],
        misses: &[("usr/local/bin/etcd", b"etcd/raft")],
        ..PROGRAM
    },
    Rule {
        name: "exim",
        files: &["exim", "exim4"],
        patterns: &["<<eximcnumber>>{0}{v:2}{0}", "{0}{v:2=4.9}{0}<<eximversion>>"],
        cpe: "exim:exim",
        hits: &[("usr/sbin/exim4", b"<<eximcnumber>>\x004.97\x00", "4.97")],
        misses: &[("usr/sbin/exim4", b"Exim version %s")],
        ..PROGRAM
    },
    Rule {
        name: "expat",
        files: &["libexpat.so*"],
        patterns: &["{0}expat_{v:3}"],
        cpe: "libexpat_project:libexpat",
        hits: &[("usr/lib/libexpat.so.1.8.10", b"\x00expat_2.5.0\x00", "2.5.0")],
        misses: &[("usr/lib/libexpat.so.1.8.10", b"expat_realloc")],
        ..PROGRAM
    },
    Rule {
        name: "ffmpeg",
        files: &[
            "ffmpeg",
            "ffprobe",
            "libavcodec*.so*",
            "libavformat*.so*",
            "libavutil*.so*",
        ],
        patterns: &[
            "FFmpeg version {v:2}",
            "{0}ffmpeg version {v:2}",
            "{0}n{v:2}{t}{0}",
        ],
        cpe: "ffmpeg:ffmpeg",
        hits: &[("usr/lib/libavutil.so.58", b"FFmpeg version 6.1.1\x00", "6.1.1")],
        misses: &[("usr/lib/libavutil.so.58", b"FFmpeg version n\x00")],
        ..PROGRAM
    },
    Rule {
        name: "flink",
        form: Form::Name,
        files: &["flink-dist*.jar"],
        patterns: &[
            "flink-dist-{v:3}.jar",
            "flink-dist_2.12-{v:3}.jar",
            "flink-dist_2.11-{v:3}.jar",
        ],
        bitnami: "flink",
        cpe: "apache:flink",
        hits: &[("opt/flink/lib/flink-dist-1.18.0.jar", b"", "1.18.0")],
        misses: &[("opt/flink/lib/flink-dist-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "fluent-bit",
        files: &["fluent-bit"],
        patterns: &["{0}Fluent Bit v{v:3}", "{0}v{v:3}{0}", "{0}{v:3}{0}v{0}"],
        bitnami: "fluent-bit",
        cpe: "treasuredata:fluent_bit",
        hits: &[("fluent-bit/bin/fluent-bit", b"\x00Fluent Bit v2.2.1\x00", "2.2.1")],
        misses: &[("fluent-bit/bin/fluent-bit", b"Fluent Bit v%s")],
        ..PROGRAM
    },
    Rule {
        name: "flux",
        files: &["flux"],
        patterns: &["{0}{v:3}{0}"],
        bitnami: "flux",
        cpe: "fluxcd:flux2",
        go: true,
        hits: &[("usr/bin/flux", b"\x002.2.2\x00", "2.2.2")],
        misses: &[("usr/bin/flux", b"module 2.2.2 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "gawk",
        files: &["gawk*"],
        patterns: &["GNU Awk {v:3}", "{0}GNU Awk {v:2}"],
        cpe: "gnu:gawk",
        hits: &[("usr/bin/gawk", b"GNU Awk 5.2.1\x00", "5.2.1")],
        misses: &[("usr/bin/gawk", b"GNU Awk %s")],
        ..PROGRAM
    },
    Rule {
        name: "gcc",
        files: &[
            "gcc",
            "gcc-*",
            "g++",
            "g++-*",
            "cc1",
            "cc1plus",
            "x86_64-linux-gnu-gcc*",
            "x86_64-linux-gnu-g++*",
            "aarch64-linux-gnu-gcc*",
            "x86_64-linux-musl-gcc*",
            "aarch64-linux-musl-gcc*",
        ],
        patterns: &["{0}{v:3}{0}"],
        cpe: "gnu:gcc",
        hits: &[("usr/bin/gcc", b"\x0013.2.0\x00", "13.2.0")],
        misses: &[("usr/bin/gcc", b"GCC 13")],
        ..PROGRAM
    },
    Rule {
        name: "ghc",
        files: &["ghc", "ghc-*"],
        patterns: &[
            "{0}The Glorious Glasgow Haskell Compilation System, version {v:3}",
            "{0}{v:3}{0}",
        ],
        cpe: "haskell:ghc",
        hits: &[("opt/ghc/bin/ghc", b"\x009.4.7\x00", "9.4.7")],
        misses: &[("opt/ghc/bin/ghc", b"ghc 9.4")],
        ..PROGRAM
    },
    Rule {
        name: "ghostscript",
        files: &["gs", "libgs.so*"],
        patterns: &[
            "GPL Ghostscript {v:2}",
            "{0}Ghostscript {v:2}",
            "/ghostscript/{v:3}/",
        ],
        cpe: "artifex:ghostscript",
        hits: &[
            ("usr/bin/gs", b"GPL Ghostscript 10.02.1\x00", "10.02.1"),
            // Debian's, by the folders that it looks in.
            (
                "usr/lib/libgs.so.10.00",
                b"%rom%Resource/Init/:/usr/share/ghostscript/10.00.0/Resource/Init\x00",
                "10.00.0",
            ),
        ],
        misses: &[("usr/bin/gs", b"GPL Ghostscript %d")],
        ..PROGRAM
    },
    Rule {
        name: "git",
        files: &["git", "git-*"],
        patterns: &[
            "{0}git version {v:3}",
            "{0}git/{v:3}{0}",
            "{0}{v:3=1.5|1.6|1.7|1.8|1.9|2.}{0}",
        ],
        bitnami: "git",
        cpe: "git-scm:git",
        hits: &[("usr/bin/git", b"\x00git/2.43.0\x00", "2.43.0")],
        misses: &[("usr/bin/git", b"git version %s")],
        ..PROGRAM
    },
    Rule {
        name: "gitea",
        files: &["gitea"],
        patterns: &["{0}{v:3}{0}"],
        bitnami: "gitea",
        cpe: "gitea:gitea",
        go: true,
        hits: &[("usr/local/bin/gitea", b"\x001.21.3\x00", "1.21.3")],
        misses: &[("usr/local/bin/gitea", b"module 1.21.3 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "glibc",
        files: &["libc.so.6", "libc-2.*.so", "ld-linux*.so*"],
        patterns: &[
            "GNU C Library ({*}) stable release version {v:2}",
            "stable release version {v:2}",
        ],
        cpe: "gnu:glibc",
        hits: &[(
            "lib/libc.so.6",
            b"GNU C Library (GNU libc) stable release version 2.38.\n",
            "2.38",
        )],
        misses: &[("lib/libc.so.6", b"GNU C Library")],
        ..PROGRAM
    },
    Rule {
        name: "gnupg",
        files: &["gpg", "gpg2", "gpgv", "gpg-agent"],
        patterns: &["{0}{v:3=1.4.|2.}{0}"],
        cpe: "gnupg:gnupg",
        hits: &[("usr/bin/gpg", b"\x002.2.40\x00", "2.2.40")],
        misses: &[("usr/bin/gpg", b"GnuPG 2")],
        ..PROGRAM
    },
    Rule {
        name: "gnutls",
        files: &["libgnutls.so*"],
        patterns: &["Enabled GnuTLS {v:3} ", "{0}{v:3}{0}"],
        cpe: "gnu:gnutls",
        hits: &[(
            "usr/lib/libgnutls.so.30",
            b"Enabled GnuTLS 3.8.2 logging...\x00",
            "3.8.2",
        )],
        misses: &[("usr/lib/libgnutls.so.30", b"GnuTLS")],
        ..PROGRAM
    },
    Rule {
        name: "golang",
        form: Form::Text,
        files: &["go/VERSION", "*go/VERSION", "go-*/VERSION"],
        patterns: &["go{v:2}"],
        bitnami: "golang",
        cpe: "golang:go",
        hits: &[("usr/local/go/VERSION", b"go1.21.5\ntime 2023", "1.21.5")],
        misses: &[("usr/local/go/VERSION", b"devel +abc")],
        ..PROGRAM
    },
    Rule {
        name: "gradle",
        form: Form::Name,
        files: &[
            "gradle-launcher-*.jar",
            "gradle-cli-*.jar",
            "gradle-installation-beacon-*.jar",
        ],
        patterns: &[
            "gradle-launcher-{v:2}.jar",
            "gradle-cli-{v:2}.jar",
            "gradle-installation-beacon-{v:2}.jar",
        ],
        bitnami: "gradle",
        cpe: "gradle:gradle",
        hits: &[("opt/gradle/lib/gradle-launcher-8.5.jar", b"", "8.5")],
        misses: &[("opt/gradle/lib/gradle-launcher-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "grafana",
        files: &["grafana", "grafana-server", "grafana-cli"],
        patterns: &["{0}{v:3}{t}{0}"],
        bitnami: "grafana",
        cpe: "grafana:grafana",
        go: true,
        hits: &[("usr/share/grafana/bin/grafana", b"\x0010.2.3\x00", "10.2.3")],
        misses: &[(
            "usr/share/grafana/bin/grafana",
            b"module 10.2.3 of something else",
        )],
        ..PROGRAM
    },
    Rule {
        name: "haproxy",
        files: &["haproxy"],
        patterns: &[
            "{0}{v:3}{t}{0}HA-Proxy version",
            "HA-Proxy version {v:3}",
            "HAProxy version {v:3}{t}, released",
            "{0}{v:3}-{t}{0}",
            "{0}{v:3}{0}",
        ],
        bitnami: "haproxy",
        cpe: "haproxy:haproxy",
        hits: &[("usr/local/sbin/haproxy", b"\x002.8.3-86e043add\x00", "2.8.3")],
        misses: &[("usr/local/sbin/haproxy", b"HAProxy version %s")],
        ..PROGRAM
    },
    Rule {
        name: "helm",
        files: &["helm", "helm3"],
        patterns: &["{0}v{v:3}{0}"],
        bitnami: "helm",
        cpe: "helm:helm",
        go: true,
        hits: &[("usr/local/bin/helm", b"\x00v3.13.3\x00", "3.13.3")],
        misses: &[("usr/local/bin/helm", b"module v3.13.3 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "imagemagick",
        files: &["magick", "convert", "identify", "libMagickCore-*.so*"],
        patterns: &["ImageMagick {v:3d} "],
        cpe: "imagemagick:imagemagick",
        hits: &[("usr/bin/magick", b"ImageMagick 7.1.1-26 Q16-HDRI\x00", "7.1.1-26")],
        misses: &[("usr/bin/magick", b"ImageMagick %s")],
        ..PROGRAM
    },
    Rule {
        name: "influxdb",
        files: &["influxd", "influx"],
        patterns: &["{0}v{v:3}{t}{0}", "{0}{v:3}{t}{0}"],
        bitnami: "influxdb",
        cpe: "influxdata:influxdb",
        go: true,
        hits: &[("usr/bin/influxd", b"\x00v2.7.4\x00", "2.7.4")],
        misses: &[("usr/bin/influxd", b"influxdb 2")],
        ..PROGRAM
    },
    Rule {
        name: "jq",
        files: &["jq", "libjq.so*"],
        patterns: &["{0}jq-{v:2}", "{0}jq {v:2}", "{0}{v:2}{0}"],
        cpe: "jqlang:jq",
        hits: &[("usr/bin/jq", b"\x00jq-1.7.1\x00", "1.7.1")],
        misses: &[("usr/bin/jq", b"jq - commandline")],
        ..PROGRAM
    },
    Rule {
        name: "julia",
        files: &["libjulia.so*", "libjulia-internal.so*", "julia"],
        patterns: &[
            "{0}julia version {v:3}",
            "__init__{0}{v:3}{0}verify",
            "{0}{v:3}{0}",
        ],
        cpe: "julialang:julia",
        hits: &[(
            "opt/julia/lib/julia/libjulia-internal.so.1",
            b"__init__\x001.9.4\x00verify",
            "1.9.4",
        )],
        misses: &[("opt/julia/lib/julia/libjulia-internal.so.1", b"__init__")],
        ..PROGRAM
    },
    Rule {
        name: "kafka",
        form: Form::Name,
        files: &["kafka_*.jar"],
        patterns: &[
            "kafka_2.13-{v:3}.jar",
            "kafka_2.12-{v:3}.jar",
            "kafka_2.11-{v:3}.jar",
        ],
        bitnami: "kafka",
        cpe: "apache:kafka",
        hits: &[("opt/kafka/libs/kafka_2.13-3.6.1.jar", b"", "3.6.1")],
        misses: &[("opt/kafka/libs/kafka_2.13-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "keydb",
        files: &["keydb-server", "keydb-cli"],
        patterns: &["{0}{v:3}{0}"],
        bitnami: "keydb",
        cpe: "eqalpha:keydb",
        hits: &[("usr/bin/keydb-server", b"\x006.3.4\x00", "6.3.4")],
        misses: &[("usr/bin/keydb-server", b"KeyDB")],
        ..PROGRAM
    },
    Rule {
        name: "krb5",
        files: &["krb5kdc", "libkrb5.so*"],
        patterns: &["KRB5_BRAND: krb5-{v:2}"],
        cpe: "mit:kerberos_5",
        hits: &[(
            "usr/sbin/krb5kdc",
            b"KRB5_BRAND: krb5-1.20.1-final 1.20.1\x00",
            "1.20.1",
        )],
        misses: &[("usr/sbin/krb5kdc", b"krb5_aprof")],
        ..PROGRAM
    },
    Rule {
        name: "kubernetes",
        files: &[
            "kubectl",
            "kubelet",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
            "kubeadm",
            "hyperkube",
        ],
        patterns: &["{0}v{v:3}{0}", "{0}v{v:3}{t}{0}"],
        cpe: "kubernetes:kubernetes",
        go: true,
        hits: &[("usr/bin/kubelet", b"\x00v1.29.0\x00", "1.29.0")],
        misses: &[("usr/bin/kubelet", b"module v1.29.0 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "libarchive",
        files: &["libarchive.so*", "bsdtar", "bsdcpio"],
        patterns: &["{0}libarchive {v:3}"],
        cpe: "libarchive:libarchive",
        hits: &[("usr/lib/libarchive.so.13", b"\x00libarchive 3.7.2\x00", "3.7.2")],
        misses: &[("usr/lib/libarchive.so.13", b"libarchive error")],
        ..PROGRAM
    },
    Rule {
        name: "libcurl",
        files: &["libcurl*.so*"],
        patterns: &["{0}libcurl/{v:3}"],
        cpe: "haxx:libcurl",
        hits: &[("usr/lib/libcurl.so.4", b"\x00libcurl/8.5.0\x00", "8.5.0")],
        misses: &[("usr/lib/libcurl.so.4", b"libcurl/%s")],
        ..PROGRAM
    },
    Rule {
        name: "libgcrypt",
        files: &["libgcrypt.so*"],
        patterns: &["This is Libgcrypt {v:3}"],
        cpe: "gnupg:libgcrypt",
        hits: &[(
            "usr/lib/libgcrypt.so.20",
            b"This is Libgcrypt 1.10.3 - The GNU\x00",
            "1.10.3",
        )],
        misses: &[("usr/lib/libgcrypt.so.20", b"Libgcrypt")],
        ..PROGRAM
    },
    Rule {
        name: "libpcap",
        files: &["libpcap.so*"],
        patterns: &["libpcap version {v:3}"],
        cpe: "tcpdump:libpcap",
        hits: &[(
            "usr/lib/libpcap.so.1",
            b"libpcap version 1.10.4 (with TPACKET_V3)\x00",
            "1.10.4",
        )],
        misses: &[("usr/lib/libpcap.so.1", b"libpcap version")],
        ..PROGRAM
    },
    Rule {
        name: "libpng",
        files: &["libpng*.so*"],
        patterns: &["libpng version {v:3}"],
        cpe: "libpng:libpng",
        hits: &[(
            "usr/lib/libpng16.so.16",
            b"libpng version 1.6.40 - June\x00",
            "1.6.40",
        )],
        misses: &[("usr/lib/libpng16.so.16", b"libpng version")],
        ..PROGRAM
    },
    Rule {
        name: "libsodium",
        files: &["libsodium.so*"],
        patterns: &["{0}{v:3}{0}"],
        cpe: "libsodium:libsodium",
        hits: &[("usr/lib/libsodium.so.23", b"\x001.0.18\x00", "1.0.18")],
        misses: &[("usr/lib/libsodium.so.23", b"libsodium")],
        ..PROGRAM
    },
    Rule {
        name: "libssh",
        files: &["libssh.so*"],
        patterns: &["libssh_{v:3}"],
        cpe: "libssh:libssh",
        hits: &[("usr/lib/libssh.so.4", b"SSH-2.0-libssh_0.10.5\x00", "0.10.5")],
        misses: &[("usr/lib/libssh.so.4", b"libssh_server")],
        ..PROGRAM
    },
    Rule {
        name: "libssh2",
        files: &["libssh2.so*"],
        patterns: &["libssh2_{v:3}", "libssh2/{v:3}"],
        cpe: "libssh2:libssh2",
        hits: &[(
            "usr/lib/libssh2.so.1",
            b"SSH-2.0-libssh2_1.11.0\r\n\x00",
            "1.11.0",
        )],
        misses: &[("usr/lib/libssh2.so.1", b"libssh2_channel")],
        ..PROGRAM
    },
    Rule {
        name: "libtiff",
        files: &["libtiff.so*"],
        patterns: &["LIBTIFF, Version {v:3}"],
        cpe: "libtiff:libtiff",
        hits: &[("usr/lib/libtiff.so.6", b"LIBTIFF, Version 4.6.0\n", "4.6.0")],
        misses: &[("usr/lib/libtiff.so.6", b"LIBTIFF")],
        ..PROGRAM
    },
    Rule {
        name: "lighttpd",
        files: &["lighttpd", "lighttpd-angel"],
        patterns: &["{0}lighttpd/{v:3}", "lighttpd/{v:3}"],
        cpe: "lighttpd:lighttpd",
        hits: &[("usr/sbin/lighttpd", b"\x00lighttpd/1.4.73 (ssl)\x00", "1.4.73")],
        misses: &[("usr/sbin/lighttpd", b"lighttpd/%s")],
        ..PROGRAM
    },
    Rule {
        name: "logstash",
        form: Form::Name,
        files: &["logstash-core-*.gemspec"],
        patterns: &["logstash-core-{v:3}.gemspec"],
        bitnami: "logstash",
        cpe: "elastic:logstash",
        hits: &[(
            "opt/logstash/specifications/logstash-core-8.11.3.gemspec",
            b"",
            "8.11.3",
        )],
        misses: &[("opt/logstash/specifications/logstash-core-sources.gemspec", b"")],
        ..PROGRAM
    },
    Rule {
        name: "loki",
        files: &["loki", "promtail", "logcli"],
        patterns: &["{0}{v:3}{0}"],
        cpe: "grafana:loki",
        go: true,
        hits: &[("usr/bin/loki", b"\x002.9.3\x00", "2.9.3")],
        misses: &[("usr/bin/loki", b"module 2.9.3 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "lua",
        files: &["lua", "lua5*", "luac*", "liblua*.so*", "lua-5*"],
        patterns: &["$LuaVersion: Lua {v:3}", "{0}Lua {v:3}"],
        bitnami: "lua",
        cpe: "lua:lua",
        hits: &[("usr/bin/lua5.4", b"$LuaVersion: Lua 5.4.6  Copyright", "5.4.6")],
        misses: &[("usr/bin/lua5.4", b"Lua 5.4")],
        ..PROGRAM
    },
    Rule {
        name: "luajit",
        files: &["luajit*", "libluajit*.so*"],
        patterns: &["{0}LuaJIT {v:3}"],
        cpe: "luajit:luajit",
        hits: &[("usr/bin/luajit", b"\x00LuaJIT 2.1.0-beta3\x00", "2.1.0-beta3")],
        misses: &[("usr/bin/luajit", b"LuaJIT")],
        ..PROGRAM
    },
    Rule {
        name: "mariadb",
        files: &[
            "mariadbd",
            "mysqld",
            "mariadb",
            "mariadb-admin",
            "mariadb-dump",
            "mysql",
            "mysqladmin",
        ],
        patterns: &["{0}{v:3}-MariaDB", "{0}{v:3}{t}-MariaDB"],
        bitnami: "mariadb",
        cpe: "mariadb:mariadb",
        hits: &[("usr/sbin/mariadbd", b"\x0011.2.2-MariaDB\x00", "11.2.2")],
        misses: &[("usr/sbin/mariadbd", b"Starting MariaDB")],
        ..PROGRAM
    },
    Rule {
        name: "maven",
        form: Form::Name,
        files: &["maven-core-*.jar"],
        patterns: &["maven-core-{v:3}.jar"],
        bitnami: "maven",
        cpe: "apache:maven",
        hits: &[("usr/share/maven/lib/maven-core-3.9.6.jar", b"", "3.9.6")],
        misses: &[("usr/share/maven/lib/maven-core-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "memcached",
        files: &["memcached"],
        patterns: &["{0}memcached {v:3}", "STAT version {v:3}"],
        bitnami: "memcached",
        cpe: "memcached:memcached",
        hits: &[("usr/bin/memcached", b"\x00memcached 1.6.22\x00", "1.6.22")],
        misses: &[("usr/bin/memcached", b"memcached and libevent")],
        ..PROGRAM
    },
    Rule {
        name: "mongodb",
        files: &["mongod", "mongos", "mongo"],
        patterns: &["{0}MongoDB {v:3}", "{0}{v:3=3.|4.|5.|6.|7.|8.}{0}"],
        bitnami: "mongodb",
        cpe: "mongodb:mongodb",
        hits: &[("usr/bin/mongod", b"\x007.0.4\x00", "7.0.4")],
        misses: &[("usr/bin/mongod", b"MongoDB")],
        ..PROGRAM
    },
    Rule {
        name: "mosquitto",
        files: &["mosquitto", "libmosquitto.so*"],
        patterns: &["mosquitto version {v:3}", "{0}{v:3=1.|2.}{0}"],
        cpe: "eclipse:mosquitto",
        hits: &[("usr/sbin/mosquitto", b"\x002.0.18\x00", "2.0.18")],
        misses: &[("usr/sbin/mosquitto", b"mosquitto version %s")],
        ..PROGRAM
    },
    Rule {
        name: "musl",
        files: &["ld-musl-*.so*", "libc.musl-*.so*"],
        patterns: &["{0}{v:3}{0}"],
        cpe: "musl-libc:musl",
        hits: &[("lib/ld-musl-x86_64.so.1", b"\x001.2.4\x00", "1.2.4")],
        misses: &[("lib/ld-musl-x86_64.so.1", b"musl libc")],
        ..PROGRAM
    },
    Rule {
        name: "mysql",
        files: &["mysqld", "mysql", "mysqladmin", "mysqldump"],
        patterns: &[
            "MySQL Community Server{*}{v:3}",
            "{0}/usr/local/mysql-{v:3}",
            "/mysql-{v:3}",
            "{0}{v:3}{0}mysqlx{0}",
        ],
        cpe: "oracle:mysql",
        hits: &[(
            "usr/sbin/mysqld",
            b"/pb2/build/mysql-8.0.35/sql/mysqld.cc\x00",
            "8.0.35",
        )],
        misses: &[("usr/sbin/mysqld", b"mysql version")],
        ..PROGRAM
    },
    Rule {
        name: "nats-server",
        files: &["nats-server"],
        patterns: &["{0}nats-server/{v:3}", "nats-server: v{v:3}"],
        bitnami: "nats",
        cpe: "nats:nats_server",
        go: true,
        hits: &[("nats-server", b"\x00nats-server/2.10.7\x00", "2.10.7")],
        misses: &[("nats-server", b"nats-server: v%s")],
        ..PROGRAM
    },
    Rule {
        name: "nghttp2",
        files: &["libnghttp2.so*"],
        patterns: &["nghttp2/{v:3}", "{0}{v:3}{0}"],
        cpe: "nghttp2:nghttp2",
        hits: &[("usr/lib/libnghttp2.so.14", b"\x001.58.0\x00", "1.58.0")],
        misses: &[("usr/lib/libnghttp2.so.14", b"nghttp2")],
        ..PROGRAM
    },
    Rule {
        name: "nginx",
        files: &["nginx", "nginx-*"],
        patterns: &["nginx version: nginx/{v:3}", "{0}nginx/{v:3}"],
        bitnami: "nginx",
        cpe: "f5:nginx",
        hits: &[("usr/sbin/nginx", b"nginx version: nginx/1.25.3\x00", "1.25.3")],
        misses: &[(
            "usr/sbin/nginx",
            b"nginx version: openresty/1.25.3.1\x00/etc/nginx/",
        )],
        ..PROGRAM
    },
    Rule {
        name: "nmap",
        files: &["nmap", "ncat"],
        patterns: &["{0}{v:2=6.|7.}{0}"],
        cpe: "nmap:nmap",
        hits: &[("usr/bin/nmap", b"\x007.94\x00", "7.94")],
        misses: &[("usr/bin/nmap", b"Nmap 7")],
        ..PROGRAM
    },
    Rule {
        name: "node",
        files: &["node", "nodejs", "libnode.so*"],
        patterns: &["node.js/v{v:3}"],
        bitnami: "node",
        cpe: "nodejs:node.js",
        hits: &[("usr/local/bin/node", b"node.js/v20.10.0\x00", "20.10.0")],
        misses: &[("usr/local/bin/node", b"node.js/vX")],
        ..PROGRAM
    },
    Rule {
        name: "node-exporter",
        files: &["node_exporter", "prometheus-node-exporter"],
        patterns: &["{0}{v:3}{t}{0}"],
        cpe: "prometheus:node_exporter",
        go: true,
        hits: &[("bin/node_exporter", b"\x001.7.0\x00", "1.7.0")],
        misses: &[("bin/node_exporter", b"module 1.7.0 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "nomad",
        files: &["nomad"],
        patterns: &["{0}{v:3}{0}"],
        cpe: "hashicorp:nomad",
        go: true,
        hits: &[("bin/nomad", b"\x001.7.2\x00", "1.7.2")],
        misses: &[("bin/nomad", b"module 1.7.2 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "ocaml",
        files: &["ocamlrun*", "libcamlrun*.so*", "libasmrun*.so*"],
        patterns: &["{0}The OCaml runtime, version {v:3}", "{0}{v:3}{0}"],
        cpe: "ocaml:ocaml",
        hits: &[(
            "usr/bin/ocamlrun",
            b"The OCaml runtime, version 4.14.1\x00",
            "4.14.1",
        )],
        misses: &[("usr/bin/ocamlrun", b"The OCaml runtime, version %s")],
        ..PROGRAM
    },
    Rule {
        name: "openbao",
        files: &["bao"],
        patterns: &["{0}{v:3}{0}"],
        bitnami: "openbao",
        cpe: "openbao:openbao",
        go: true,
        hits: &[("bin/bao", b"\x002.0.0\x00", "2.0.0")],
        misses: &[("bin/bao", b"module 2.0.0 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "openjdk",
        files: &["libjvm.so"],
        patterns: &[
            "OpenJDK 64-Bit Server VM ({v:1}{t}) for",
            "OpenJDK Server VM ({v:1}{t}) for",
            "Java HotSpot(TM) 64-Bit Server VM ({v:1}{t}) for",
        ],
        bitnami: "java",
        cpe: "oracle:openjdk",
        rewrite: Some(java),
        hits: &[(
            "usr/lib/jvm/java-17/lib/server/libjvm.so",
            b"OpenJDK 64-Bit Server VM (17.0.9+9-Debian) for linux-amd64",
            "17.0.9",
        )],
        misses: &[(
            "usr/lib/jvm/java-17/lib/server/libjvm.so",
            b"OpenJDK 64-Bit Server VM",
        )],
        ..PROGRAM
    },
    Rule {
        name: "openjdk",
        form: Form::Text,
        files: &["release"],
        patterns: &["JAVA_VERSION=\"{v:1d}\""],
        bitnami: "java",
        cpe: "oracle:openjdk",
        rewrite: Some(java),
        hits: &[(
            "usr/lib/jvm/java-17/release",
            b"JAVA_VERSION=\"17.0.9\"\n",
            "17.0.9",
        )],
        misses: &[("usr/lib/jvm/java-17/release", b"NAME=\"17.0.9\"\n")],
        ..PROGRAM
    },
    Rule {
        name: "openldap",
        files: &["slapd", "libldap*.so*"],
        patterns: &["$OpenLDAP: slapd {v:3}", "{0}OpenLDAP {v:3}"],
        bitnami: "openldap",
        cpe: "openldap:openldap",
        hits: &[("usr/sbin/slapd", b"@(#) $OpenLDAP: slapd 2.5.16 (Jan)", "2.5.16")],
        misses: &[("usr/sbin/slapd", b"$OpenLDAP$")],
        ..PROGRAM
    },
    Rule {
        name: "openresty",
        files: &["nginx", "openresty"],
        patterns: &["nginx version: openresty/{v:3}"],
        bitnami: "openresty",
        cpe: "openresty:openresty",
        hits: &[(
            "usr/local/openresty/nginx/sbin/nginx",
            b"nginx version: openresty/1.21.4.3\x00",
            "1.21.4.3",
        )],
        misses: &[(
            "usr/local/openresty/nginx/sbin/nginx",
            b"nginx version: nginx/1.21.4\x00",
        )],
        ..PROGRAM
    },
    Rule {
        name: "openssh",
        files: &["sshd", "ssh", "ssh-*", "sshd-session"],
        patterns: &["{0}OpenSSH_{v:2} ", "{0}OpenSSH_{v:2}{0}"],
        cpe: "openbsd:openssh",
        hits: &[("usr/sbin/sshd", b"\x00OpenSSH_9.6p1 Debian-1\x00", "9.6p1")],
        misses: &[("usr/sbin/sshd", b"\x00OpenSSH_2.*,OpenSSH_3.0*\x00")],
        ..PROGRAM
    },
    Rule {
        name: "openssl",
        files: &[
            "openssl",
            "libcrypto.so*",
            "libssl.so*",
            "libcrypto-*.so*",
            "libssl-*.so*",
        ],
        patterns: &["{0}OpenSSL {v:3l} "],
        cpe: "openssl:openssl",
        hits: &[(
            "usr/lib/libcrypto.so.3",
            b"\x00OpenSSL 3.1.4 24 Oct 2023\x00",
            "3.1.4",
        )],
        misses: &[("usr/lib/libcrypto.so.3", b"OpenSSL_version")],
        ..PROGRAM
    },
    Rule {
        name: "openvpn",
        files: &["openvpn"],
        patterns: &[
            "OpenVPN {v:3} {*} [SSL",
            "OpenVPN {v:3} x86",
            "OpenVPN {v:3} aarch64",
        ],
        cpe: "openvpn:openvpn",
        hits: &[(
            "usr/sbin/openvpn",
            b"OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)]\x00",
            "2.6.14",
        )],
        misses: &[("usr/sbin/openvpn", b"OpenVPN 2.7 will remove")],
        ..PROGRAM
    },
    Rule {
        name: "pcre2",
        files: &["libpcre2-*.so*"],
        patterns: &["{0}{v:2} 20"],
        cpe: "pcre:pcre2",
        hits: &[("usr/lib/libpcre2-8.so.0", b"\x0010.42 2022-12-11\x00", "10.42")],
        misses: &[("usr/lib/libpcre2-8.so.0", b"pcre2 10")],
        ..PROGRAM
    },
    Rule {
        name: "perl",
        files: &["perl", "perl5*", "libperl.so*"],
        patterns: &["{0}v{v:3}{0}", "perl5/{v:3}/"],
        cpe: "perl:perl",
        hits: &[("usr/bin/perl", b"\x00v5.38.2\x00", "5.38.2")],
        misses: &[("usr/bin/perl", b"perl5/5.38")],
        ..PROGRAM
    },
    Rule {
        name: "pgbouncer",
        files: &["pgbouncer"],
        patterns: &["PgBouncer {v:3}", "pgbouncer {v:3}"],
        bitnami: "pgbouncer",
        cpe: "pgbouncer:pgbouncer",
        hits: &[("usr/sbin/pgbouncer", b"PgBouncer 1.21.0\n", "1.21.0")],
        misses: &[("usr/sbin/pgbouncer", b"PgBouncer %s")],
        ..PROGRAM
    },
    Rule {
        name: "php",
        files: &[
            "php",
            "php7*",
            "php8*",
            "php-fpm*",
            "php-cgi*",
            "php5*",
            "libphp*.so*",
        ],
        patterns: &["X-Powered-By: PHP/{v:3}"],
        bitnami: "php",
        cpe: "php:php",
        hits: &[("usr/local/bin/php", b"X-Powered-By: PHP/8.3.1\x00", "8.3.1")],
        misses: &[("usr/local/bin/php", b"X-Powered-By: PHP")],
        ..PROGRAM
    },
    Rule {
        name: "postfix",
        files: &["postconf", "libpostfix-global.so*"],
        patterns: &["{0}{v:3=2.6.|2.7.|2.8.|2.9.|2.10.|2.11.|3.}{0}"],
        cpe: "postfix:postfix",
        hits: &[("usr/lib/postfix/libpostfix-global.so", b"\x003.8.4\x00", "3.8.4")],
        misses: &[("usr/lib/postfix/libpostfix-global.so", b"postfix 3")],
        ..PROGRAM
    },
    Rule {
        name: "postgresql",
        files: &["postgres", "psql", "pg_dump", "pg_ctl", "initdb", "pg_config"],
        patterns: &["(PostgreSQL) {v:2}", "PostgreSQL {v:2} "],
        bitnami: "postgresql",
        cpe: "postgresql:postgresql",
        hits: &[(
            "usr/lib/postgresql/16/bin/postgres",
            b"postgres (PostgreSQL) 16.1\n\x00",
            "16.1",
        )],
        misses: &[("usr/lib/postgresql/16/bin/postgres", b"(PostgreSQL) %s")],
        ..PROGRAM
    },
    Rule {
        name: "proftpd",
        files: &["proftpd"],
        patterns: &["ProFTPD Version {v:3l}"],
        cpe: "proftpd:proftpd",
        hits: &[("usr/sbin/proftpd", b"ProFTPD Version 1.3.8b\x00", "1.3.8b")],
        misses: &[("usr/sbin/proftpd", b"ProFTPD Version: %s")],
        ..PROGRAM
    },
    Rule {
        name: "prometheus",
        files: &["prometheus", "promtool"],
        patterns: &["{0}{v:3}{t}{0}"],
        bitnami: "prometheus",
        cpe: "prometheus:prometheus",
        go: true,
        hits: &[("bin/prometheus", b"\x002.48.1\x00", "2.48.1")],
        misses: &[("bin/prometheus", b"module 2.48.1 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "pypy",
        files: &["libpypy*.so*", "pypy", "pypy3", "pypy3.*", "pypy2*"],
        patterns: &["PyPy {v:3}"],
        cpe: "pypy:pypy",
        hits: &[("usr/lib/libpypy3.10-c.so", b"[PyPy 7.3.13 with GCC\x00", "7.3.13")],
        misses: &[("usr/lib/libpypy3.10-c.so", b"PyPy")],
        ..PROGRAM
    },
    Rule {
        name: "python",
        files: &[
            "python",
            "python3",
            "python3.*",
            "python2*",
            "libpython2*.so*",
            "libpython3.*.so*",
        ],
        patterns: &["{0}{v:3=2.|3.}{0}", "{0}{v:3=2.|3.}+{0}"],
        bitnami: "python",
        cpe: "python:python",
        hits: &[("usr/local/lib/libpython3.12.so.1.0", b"\x003.12.1\x00", "3.12.1")],
        misses: &[("usr/local/lib/libpython3.12.so.1.0", b"Python 3")],
        ..PROGRAM
    },
    Rule {
        name: "rabbitmq",
        form: Form::Text,
        files: &["rabbit.app"],
        patterns: &["{vsn,\"{v:3}\"}", "{vsn, \"{v:3}\"}"],
        bitnami: "rabbitmq",
        cpe: "vmware:rabbitmq",
        hits: &[(
            "opt/rabbitmq/plugins/rabbit-3.12.10/ebin/rabbit.app",
            b"{vsn,\"3.12.10\"}",
            "3.12.10",
        )],
        misses: &[("opt/rabbitmq/plugins/rabbit-3.12.10/ebin/rabbit.app", b"{vsn,x}")],
        ..PROGRAM
    },
    Rule {
        name: "rclone",
        files: &["rclone"],
        patterns: &["{0}v{v:3}{0}"],
        bitnami: "rclone",
        cpe: "rclone:rclone",
        go: true,
        hits: &[("usr/bin/rclone", b"\x00v1.65.0\x00", "1.65.0")],
        misses: &[("usr/bin/rclone", b"module v1.65.0 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "redis",
        files: &[
            "redis-server",
            "redis-cli",
            "redis-check-*",
            "redis-benchmark",
            "redis-sentinel",
        ],
        patterns: &[
            "{0}{v:3}{0}c11-builtin",
            "{0}{v:3}{0} (git:",
            "{0}{v:3=2.8.|3.|4.|5.|6.|7.|8.}{0}",
        ],
        bitnami: "redis",
        cpe: "redis:redis",
        hits: &[("usr/local/bin/redis-server", b"\x007.2.3\x00", "7.2.3")],
        misses: &[("usr/local/bin/redis-server", b"redis_version:%s")],
        ..PROGRAM
    },
    Rule {
        name: "rsync",
        files: &["rsync"],
        patterns: &["{0}{v:3}{0}copyright{0}", "{0}{v:3=2.6|3.}{0}"],
        cpe: "samba:rsync",
        hits: &[("usr/bin/rsync", b"\x003.2.7\x00", "3.2.7")],
        misses: &[("usr/bin/rsync", b"rsync version")],
        ..PROGRAM
    },
    Rule {
        name: "ruby",
        files: &["ruby", "ruby2*", "ruby3*", "libruby*.so*"],
        patterns: &["{0}ruby {v:3}{t} ("],
        bitnami: "ruby",
        cpe: "ruby-lang:ruby",
        rewrite: Some(without_patch_level),
        hits: &[(
            "usr/lib/libruby-3.1.so.3.1",
            b"\x00ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux]\x00",
            "3.1.2",
        )],
        misses: &[("usr/lib/libruby-3.1.so.3.1", b"ruby 3.1")],
        ..PROGRAM
    },
    Rule {
        name: "runc",
        files: &["runc"],
        patterns: &["{0}{v:3}{t}{0}"],
        cpe: "linuxfoundation:runc",
        go: true,
        hits: &[("usr/bin/runc", b"\x001.1.11\x00", "1.1.11")],
        misses: &[("usr/bin/runc", b"module 1.1.11 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "rustc",
        files: &["librustc_driver*.so*"],
        patterns: &["{0}rustc version {v:3}", "{0}{v:3} ("],
        cpe: "rust-lang:rust",
        hits: &[(
            "usr/lib/librustc_driver-a.so",
            b"\x001.75.0 (82e1608df 2023-12-21)\x00",
            "1.75.0",
        )],
        misses: &[("usr/lib/librustc_driver-a.so", b"rustc")],
        ..PROGRAM
    },
    Rule {
        name: "samba",
        files: &[
            "smbd",
            "nmbd",
            "winbindd",
            "libsamba-util.so*",
            "libsmbclient.so*",
        ],
        patterns: &[
            "{0}Samba {v:3}",
            "{0}{v:3=3.|4.}-{t}{0}",
            "{0}{v:3=3.|4.}{0}",
            // The version of its private symbols.
            "{0}SAMBA_{v:3=3.|4.}_",
        ],
        cpe: "samba:samba",
        hits: &[
            ("usr/sbin/smbd", b"\x004.19.4\x00", "4.19.4"),
            (
                "usr/lib/libsamba-util.so.0",
                b"\x00SAMBA_4.17.12_DEBIAN_SAMBA4\x00SAMBA_UTIL_0.0.1\x00",
                "4.17.12",
            ),
        ],
        misses: &[("usr/sbin/smbd", b"Samba")],
        ..PROGRAM
    },
    Rule {
        name: "solr",
        form: Form::Name,
        files: &["solr-core-*.jar"],
        patterns: &["solr-core-{v:3}.jar"],
        bitnami: "solr",
        cpe: "apache:solr",
        hits: &[("opt/solr/lib/solr-core-9.4.0.jar", b"", "9.4.0")],
        misses: &[("opt/solr/lib/solr-core-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "spark",
        form: Form::Name,
        files: &["spark-core_*.jar"],
        patterns: &["spark-core_2.12-{v:3}.jar", "spark-core_2.13-{v:3}.jar"],
        bitnami: "spark",
        cpe: "apache:spark",
        hits: &[("opt/spark/jars/spark-core_2.12-3.5.0.jar", b"", "3.5.0")],
        misses: &[("opt/spark/jars/spark-core_2.12-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "sqlite",
        files: &["sqlite3", "libsqlite3.so*"],
        patterns: &["{0}{v:3=3.}{0}"],
        bitnami: "sqlite",
        cpe: "sqlite:sqlite",
        hits: &[("usr/lib/libsqlite3.so.0", b"\x003.44.2\x00", "3.44.2")],
        misses: &[("usr/lib/libsqlite3.so.0", b"SQLite format 3\x00")],
        ..PROGRAM
    },
    Rule {
        name: "squid",
        files: &["squid"],
        patterns: &["squid/{v:2}", "{0}squid/{v:2}"],
        cpe: "squid-cache:squid",
        hits: &[("usr/sbin/squid", b"squid/6.6\x00", "6.6")],
        misses: &[("usr/sbin/squid", b"Squid Cache")],
        ..PROGRAM
    },
    Rule {
        name: "stunnel",
        files: &["stunnel", "stunnel4"],
        patterns: &["stunnel {v:2} on"],
        cpe: "stunnel:stunnel",
        hits: &[(
            "usr/bin/stunnel4",
            b"stunnel 5.71 on x86_64-pc-linux-gnu platform\x00",
            "5.71",
        )],
        misses: &[("usr/bin/stunnel4", b"stunnel")],
        ..PROGRAM
    },
    Rule {
        name: "sudo",
        files: &["sudo", "sudoreplay", "visudo"],
        patterns: &["{0}{v:3=1.8.|1.9.}{0}"],
        cpe: "sudo_project:sudo",
        hits: &[("usr/bin/sudo", b"\x001.9.13p3\x00", "1.9.13p3")],
        misses: &[("usr/bin/sudo", b"Sudo version %s")],
        ..PROGRAM
    },
    Rule {
        name: "swipl",
        files: &["libswipl.so*", "swipl"],
        patterns: &["swipl-{v:3}", "SWI-Prolog version {v:3}", "swipl/{v:3}"],
        cpe: "swi-prolog:swi-prolog",
        hits: &[("usr/lib/libswipl.so.9", b"swipl-9.0.4\x00", "9.0.4")],
        misses: &[("usr/lib/libswipl.so.9", b"swipl")],
        ..PROGRAM
    },
    Rule {
        name: "syncthing",
        files: &["syncthing"],
        patterns: &["{0}v{v:3}{0}"],
        bitnami: "syncthing",
        cpe: "syncthing:syncthing",
        go: true,
        hits: &[("bin/syncthing", b"\x00v1.27.2\x00", "1.27.2")],
        misses: &[("bin/syncthing", b"module v1.27.2 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "systemd",
        files: &["systemd", "libsystemd-shared-*.so"],
        patterns: &["systemd {v:1}"],
        cpe: "systemd_project:systemd",
        hits: &[(
            "usr/lib/systemd/systemd",
            b"systemd 252.39-1 running in %ssystem mode",
            "252.39",
        )],
        misses: &[("usr/lib/systemd/systemd", b"systemd is")],
        ..PROGRAM
    },
    Rule {
        name: "tcl",
        files: &["tclsh*", "libtcl8*.so*", "libtcl9*.so*"],
        patterns: &["{0}{v:3}{0}"],
        cpe: "tcl:tcl",
        hits: &[("usr/lib/libtcl8.6.so", b"\x008.6.13\x00", "8.6.13")],
        misses: &[("usr/lib/libtcl8.6.so", b"tcl8.6")],
        ..PROGRAM
    },
    Rule {
        name: "telegraf",
        files: &["telegraf"],
        patterns: &["{0}{v:3}{0}"],
        cpe: "influxdata:telegraf",
        go: true,
        hits: &[("usr/bin/telegraf", b"\x001.29.1\x00", "1.29.1")],
        misses: &[("usr/bin/telegraf", b"module 1.29.1 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "terraform",
        files: &["terraform"],
        patterns: &["{0}{v:3}{0}"],
        cpe: "hashicorp:terraform",
        go: true,
        hits: &[("bin/terraform", b"\x001.6.6\x00", "1.6.6")],
        misses: &[("bin/terraform", b"module 1.6.6 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "tini",
        files: &["tini", "tini-static"],
        patterns: &["tini version {v:3}"],
        cpe: "tini_project:tini",
        hits: &[("usr/bin/tini", b"tini version 0.19.0\x00", "0.19.0")],
        misses: &[("usr/bin/tini", b"tini version")],
        ..PROGRAM
    },
    Rule {
        name: "tomcat",
        form: Form::Text,
        files: &["RELEASE-NOTES"],
        patterns: &["Apache Tomcat Version {v:3}"],
        bitnami: "tomcat",
        cpe: "apache:tomcat",
        hits: &[(
            "usr/local/tomcat/RELEASE-NOTES",
            b"                     Apache Tomcat Version 10.1.17\n",
            "10.1.17",
        )],
        misses: &[("usr/local/tomcat/RELEASE-NOTES", b"Apache Tomcat\n")],
        ..PROGRAM
    },
    Rule {
        name: "tor",
        files: &["tor"],
        patterns: &["(on Tor {v:4}", "{0}{v:4}{0}"],
        cpe: "torproject:tor",
        hits: &[("usr/bin/tor", b"(on Tor 0.4.8.10 )\x00", "0.4.8.10")],
        misses: &[("usr/bin/tor", b"by Tor 0.1.2.17 and later")],
        ..PROGRAM
    },
    Rule {
        name: "toybox",
        files: &["toybox*"],
        patterns: &["toybox {v:3}", "{0}{v:3}{0}"],
        cpe: "landley:toybox",
        hits: &[("bin/toybox", b"toybox 0.8.9\x00", "0.8.9")],
        misses: &[("bin/toybox", b"toybox")],
        ..PROGRAM
    },
    Rule {
        name: "traefik",
        files: &["traefik"],
        patterns: &["{0}v{v:3}{0}", "{0}{v:3}{0}"],
        cpe: "traefik:traefik",
        go: true,
        hits: &[("usr/local/bin/traefik", b"\x002.10.7\x00", "2.10.7")],
        misses: &[("usr/local/bin/traefik", b"module 2.10.7 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "unbound",
        files: &["unbound", "libunbound.so*"],
        patterns: &["{0}unbound {v:3}", "{0}{v:3}{0}"],
        cpe: "nlnetlabs:unbound",
        hits: &[("usr/sbin/unbound", b"\x00unbound 1.19.0\x00", "1.19.0")],
        misses: &[("usr/sbin/unbound", b"unbound")],
        ..PROGRAM
    },
    Rule {
        name: "uwsgi",
        files: &["uwsgi", "uwsgi-core"],
        patterns: &["{0}{v:3=1.9.|2.0.|2.1.}{t}{0}"],
        cpe: "unbit:uwsgi",
        hits: &[("usr/bin/uwsgi", b"\x002.0.23\x00", "2.0.23")],
        misses: &[("usr/bin/uwsgi", b"uWSGI master")],
        ..PROGRAM
    },
    Rule {
        name: "valkey",
        files: &[
            "valkey-server",
            "valkey-cli",
            "valkey-check-*",
            "valkey-benchmark",
            "valkey-sentinel",
        ],
        patterns: &[
            "{0}{v:3}{0}c11-builtin",
            "{0}{v:3}{0} (git:",
            "{0}{v:3=7.|8.|9.}{0}",
        ],
        bitnami: "valkey",
        cpe: "lfprojects:valkey",
        hits: &[("usr/local/bin/valkey-server", b"\x007.2.5\x00", "7.2.5")],
        misses: &[("usr/local/bin/valkey-server", b"valkey")],
        ..PROGRAM
    },
    Rule {
        name: "varnish",
        files: &["varnishd"],
        patterns: &["{0}varnish-{v:3} revision", "Varnish {v:3} "],
        bitnami: "varnish",
        cpe: "varnish-software:varnish_cache",
        hits: &[(
            "usr/sbin/varnishd",
            b"\x00varnish-7.4.2 revision c7ef6e7\x00",
            "7.4.2",
        )],
        misses: &[("usr/sbin/varnishd", b"Varnish/7.4")],
        ..PROGRAM
    },
    Rule {
        name: "vault",
        files: &["vault"],
        patterns: &["{0}{v:3}{0}", "{0}{v:3}+ent{0}"],
        bitnami: "vault",
        cpe: "hashicorp:vault",
        go: true,
        hits: &[("bin/vault", b"\x001.15.4\x00", "1.15.4")],
        misses: &[("bin/vault", b"module 1.15.4 of something else")],
        ..PROGRAM
    },
    Rule {
        name: "vim",
        files: &["vim", "vim.*", "vimdiff"],
        patterns: &["VIM - Vi IMproved {v:2} ("],
        cpe: "vim:vim",
        hits: &[("usr/bin/vim.basic", b"VIM - Vi IMproved 9.1 (2024 Jan 02", "9.1")],
        misses: &[("usr/bin/vim.basic", b"VIM - Vi IMproved\x00")],
        ..PROGRAM
    },
    Rule {
        name: "vsftpd",
        files: &["vsftpd"],
        patterns: &["(vsFTPd {v:3})"],
        cpe: "vsftpd_project:vsftpd",
        hits: &[("usr/sbin/vsftpd", b"(vsFTPd 3.0.5)\x00", "3.0.5")],
        misses: &[("usr/sbin/vsftpd", b"vsFTPd")],
        ..PROGRAM
    },
    Rule {
        name: "wget",
        files: &["wget"],
        patterns: &["{0}Wget/{v:2}", "{0}{v:2=1.1|1.20|1.21|1.22|1.23|1.24|1.25}{0}"],
        cpe: "gnu:wget",
        hits: &[("usr/bin/wget", b"\x001.21.4\x00", "1.21.4")],
        misses: &[("usr/bin/wget", b"GNU Wget %s")],
        ..PROGRAM
    },
    Rule {
        name: "wordpress",
        form: Form::Text,
        files: &["wp-includes/version.php"],
        patterns: &["$wp_version = '{v:2}'"],
        bitnami: "wordpress",
        cpe: "wordpress:wordpress",
        hits: &[(
            "var/www/html/wp-includes/version.php",
            b"$wp_version = '6.4.2';",
            "6.4.2",
        )],
        misses: &[("var/www/html/wp-includes/version.php", b"$wp_db_version = 56657;")],
        ..PROGRAM
    },
    Rule {
        name: "xz",
        files: &["xz", "liblzma.so*"],
        patterns: &["(XZ Utils) {v:3}", "{0}{v:3}{0}"],
        cpe: "tukaani:xz",
        hits: &[("usr/lib/liblzma.so.5", b"\x005.4.5\x00", "5.4.5")],
        misses: &[("usr/lib/liblzma.so.5", b"XZ Utils")],
        ..PROGRAM
    },
    Rule {
        name: "zlib",
        patterns: &[" deflate {v:2} Copyright 1995-"],
        cpe: "zlib:zlib",
        hits: &[(
            "usr/lib/libz.so.1",
            b" deflate 1.3 Copyright 1995-2023 Jean-loup Gailly",
            "1.3",
        )],
        misses: &[("usr/lib/libz.so.1", b"deflate 1.3")],
        ..PROGRAM
    },
    Rule {
        name: "zookeeper",
        form: Form::Name,
        files: &["zookeeper-3*.jar"],
        patterns: &["zookeeper-{v:3}.jar"],
        bitnami: "zookeeper",
        cpe: "apache:zookeeper",
        hits: &[("opt/zookeeper/lib/zookeeper-3.9.1.jar", b"", "3.9.1")],
        misses: &[("opt/zookeeper/lib/zookeeper-sources.jar", b"")],
        ..PROGRAM
    },
    Rule {
        name: "zsh",
        files: &["zsh", "zsh5", "zsh-5*"],
        patterns: &["{0}zsh {v:2}", "zsh-{v:2}-0-g", "{0}{v:2}{0}"],
        cpe: "zsh:zsh",
        hits: &[("bin/zsh", b"\x005.9\x00", "5.9")],
        misses: &[("bin/zsh", b"zsh 5")],
        ..PROGRAM
    },
    Rule {
        name: "zstd",
        files: &["zstd", "libzstd.so*"],
        patterns: &["{0}v{v:3}{0}", "{0}{v:3}{0}"],
        cpe: "facebook:zstandard",
        hits: &[("usr/lib/libzstd.so.1", b"\x001.5.5\x00", "1.5.5")],
        misses: &[("usr/lib/libzstd.so.1", b"Zstandard")],
        ..PROGRAM
    },
];
