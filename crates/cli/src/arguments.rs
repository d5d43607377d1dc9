//! The command line, as clap reads it; also what the generated reference page is made of.

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::Severity;
use model::event::Priority;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Container security in one program: what is inside an image or tree, and which known flaws it has.
#[derive(Debug, Parser)]
#[command(
    name = "hullward",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Say nothing on standard error but failures
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Tell more on standard error: every problem, where time went
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// No colours (so does the variable NO_COLOR)
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Use no network at all; what would need it fails
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Read this configuration file instead of ./hullward.toml and the user's
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Advisory database [default: in the user's data folder; variable HULLWARD_DB]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// Folder of the layer cache [default: in the user's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find what is inside a target and which known flaws it has
    Scan(Scan),
    /// List what is inside a target, as an SBOM
    Sbom(Sbom),
    /// Compare two targets or reports: what appeared, what went away
    Diff(Diff),
    /// Tell what is known of an advisory, or what a word of a report means
    Explain(Explain),
    /// Get, build or look at the advisory database
    Db(Db),
    /// Look at or empty the layer cache
    Cache(CacheCommand),
    /// Check, list, explain and test detection rules, and tell what they cover
    Rules(Rules),
    /// See what containers and the host do, and raise detections by rules in Falco's language
    Watch(Box<Watch>),
}

/// How a target is opened.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Target options")]
pub(crate) struct TargetOptions {
    /// Platform to take from an index, e.g. linux/arm64 [default: linux on this machine's processor]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<String>,
    /// Leave out paths that match this glob, .gitignore style (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Also read what .gitignore leaves out of a source tree
    #[arg(long)]
    pub(crate) no_gitignore: bool,
    /// Allow plain HTTP and unverified certificates for the registry
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Trust this certificate authority (PEM) as well
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// User name for the registry; the password comes from HULLWARD_REGISTRY_PASSWORD
    #[arg(long, value_name = "NAME")]
    pub(crate) registry_user: Option<String>,
    /// Docker's or Podman's address, as in DOCKER_HOST
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) docker_host: Option<String>,
    /// Namespace of containerd [default: default, then k8s.io and moby]
    #[arg(long, value_name = "NAME")]
    pub(crate) containerd_namespace: Option<String>,
    /// Neither use nor fill the layer cache
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// The image this one was built on; its layers are marked (without it, images scanned earlier are recognised)
    #[arg(long, value_name = "TARGET")]
    pub(crate) base_image: Option<String>,
    /// Threads for reading layers [default: one a processor]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

/// Where results go.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Output options")]
pub(crate) struct OutputOptions {
    /// Format on standard output.
    #[arg(long, short, value_name = "FORMAT", value_parser = format_name, help = format_help())]
    pub(crate) format: Option<String>,
    /// Write this format to a file (repeatable), or without one that of --format; `-` is standard output
    #[arg(long, short, value_name = "[FORMAT=]FILE", value_parser = output_file)]
    pub(crate) output: Vec<OutputFile>,
}

/// A file that a result is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputFile {
    /// The format; without one, that of `--format` or the default.
    pub(crate) format: Option<String>,
    /// `-` is standard output.
    pub(crate) path: PathBuf,
}

/// `hullward scan`.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Image reference, archive, folder, lock file or SBOM; prefixes make it explicit: registry:, docker:, podman:, containerd:,
    /// archive:, oci:, dir:, rootfs:, sbom:
    pub(crate) target: String,
    /// How the target is opened.
    #[command(flatten)]
    pub(crate) target_options: TargetOptions,
    /// Where results go.
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    /// Exit with 1 if a finding has at least this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) fail_on: Option<Severity>,
    /// Show only findings of at least this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) min_severity: Option<Severity>,
    /// Show only findings that a newer version fixes
    #[arg(long)]
    pub(crate) fixable: bool,
    /// Count flaws of packages that only serve development
    #[arg(long)]
    pub(crate) include_dev: bool,
    /// Do not look for vulnerabilities: no database is needed
    #[arg(long)]
    pub(crate) no_vulnerabilities: bool,
}

/// `hullward sbom`.
#[derive(Debug, Args)]
pub(crate) struct Sbom {
    /// As for scan
    pub(crate) target: String,
    /// How the target is opened.
    #[command(flatten)]
    pub(crate) target_options: TargetOptions,
    /// Where results go.
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// `hullward diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The older target, or a JSON report
    pub(crate) old: String,
    /// The newer target, or a JSON report
    pub(crate) new: String,
    /// How targets are opened.
    #[command(flatten)]
    pub(crate) target_options: TargetOptions,
    /// Format on standard output: table, json or markdown
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["json", "markdown", "table"])]
    pub(crate) format: String,
    /// Exit with 1 if a finding of at least this severity appeared
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) fail_on: Option<Severity>,
    /// Compare packages only: no database is needed
    #[arg(long)]
    pub(crate) no_vulnerabilities: bool,
}

/// `hullward explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Identity of an advisory (CVE-…, GHSA-…, DSA-…, …), or a name that a report or `--help` uses
    pub(crate) id: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `hullward watch`.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The rules.
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    /// Raise every rule that matches an event, not only the first
    #[arg(long)]
    pub(crate) all_matches: bool,
    /// Format of detections on standard output: text, json (as Falco prints them) or ocsf [default: a live view on a
    /// terminal, else text]
    #[arg(long, short, value_name = "FORMAT", help_heading = "Output options")]
    pub(crate) format: Option<String>,
    /// Text instead of the live view, also on a terminal
    #[arg(long, help_heading = "Output options")]
    pub(crate) plain: bool,
    /// Whole dates in text
    #[arg(long, help_heading = "Output options")]
    pub(crate) iso_8601: bool,
    /// Local time in text instead of UTC
    #[arg(long, help_heading = "Output options", conflicts_with = "iso_8601")]
    pub(crate) local_time: bool,
    /// Also send detections there (repeatable): json=FILE, text=FILE, ocsf=FILE, syslog=udp://HOST:514, webhook=https://…,
    /// alertmanager=http://…, otlp=http://…
    #[arg(long, short, value_name = "KIND=TARGET", help_heading = "Output options")]
    pub(crate) output: Vec<String>,
    /// Detections a second that a rule may raise in a container in the long run; 0 for no limit [default: 1]
    #[arg(long, value_name = "N", help_heading = "Output options")]
    pub(crate) alert_rate: Option<f64>,
    /// Detections that a rule may raise in a container at once [default: 1000]
    #[arg(long, value_name = "N", help_heading = "Output options")]
    pub(crate) alert_burst: Option<u32>,
    /// Seconds in which detections that say the same are only counted; 0 for never
    #[arg(long, value_name = "SECONDS", help_heading = "Output options")]
    pub(crate) deduplicate: Option<u64>,
    /// Serve figures for Prometheus at this address, path /metrics
    #[arg(long, value_name = "ADDRESS", help_heading = "Output options")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Add this field to every detection, e.g. proc.env (repeatable)
    #[arg(long, value_name = "FIELD", help_heading = "Output options")]
    pub(crate) append_output_field: Vec<String>,
    /// Write counts as JSON to this file at the end
    #[arg(long, value_name = "FILE", help_heading = "Output options")]
    pub(crate) statistics: Option<PathBuf>,
    /// Also keep all events in this capture
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Source options",
        conflicts_with = "replay"
    )]
    pub(crate) record: Option<PathBuf>,
    /// The capture grows to at most this many MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 1_024,
        help_heading = "Source options"
    )]
    pub(crate) record_mib: u32,
    /// Judge the events of a capture instead of what happens now; needs no root
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Source options",
        conflicts_with = "events"
    )]
    pub(crate) replay: Option<PathBuf>,
    /// Judge JSON events of this file or folder instead: Kubernetes audit log, CloudTrail, GitHub, Okta (repeatable)
    #[arg(long, value_name = "[SOURCE=]FILE", help_heading = "Source options")]
    pub(crate) events: Vec<PathBuf>,
    /// What JSON events without a source of their own are: k8s_audit, aws_cloudtrail, github, okta or json [default: k8s_audit]
    #[arg(
        long,
        value_name = "SOURCE",
        help_heading = "Source options",
        requires = "events"
    )]
    pub(crate) source: Option<String>,
    /// Go on reading a file of JSON events as it grows
    #[arg(long, help_heading = "Source options", requires = "events")]
    pub(crate) follow: bool,
    /// Watch the kernel too, beside --events or --k8s-audit-listen
    #[arg(long, help_heading = "Source options", conflicts_with = "replay")]
    pub(crate) kernel: bool,
    /// Receive Kubernetes audit events as a webhook at this address
    #[arg(
        long,
        value_name = "ADDRESS",
        help_heading = "Source options",
        conflicts_with = "replay"
    )]
    pub(crate) k8s_audit_listen: Option<SocketAddr>,
    /// Certificate chain (PEM) of the webhook; without it, it speaks plain HTTP
    #[arg(long, value_name = "FILE", help_heading = "Source options", requires_all = ["tls_key", "k8s_audit_listen"])]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key (PEM) of the webhook
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Source options",
        requires = "tls_certificate"
    )]
    pub(crate) tls_key: Option<PathBuf>,
    /// Only accept callers of the webhook with a certificate of this authority (PEM)
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Source options",
        requires = "tls_certificate"
    )]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// Stop after so many seconds
    #[arg(long, value_name = "SECONDS", help_heading = "Source options")]
    pub(crate) seconds: Option<f64>,
    /// Let rules with `capture: true` record what follows their detections, into this folder
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Capture options",
        conflicts_with = "replay"
    )]
    pub(crate) capture_folder: Option<PathBuf>,
    /// What such a capture holds
    #[arg(
        long,
        value_enum,
        default_value_t = CaptureScope::Related,
        help_heading = "Capture options",
        requires = "capture_folder"
    )]
    pub(crate) capture_scope: CaptureScope,
    /// Every rule starts captures, not only those with `capture: true`
    #[arg(long, help_heading = "Capture options", requires = "capture_folder")]
    pub(crate) capture_all_rules: bool,
    /// While one is recorded, take all system calls, not only those that rules ask for
    #[arg(long, help_heading = "Capture options", requires = "capture_folder")]
    pub(crate) capture_all_events: bool,
    /// How long captures of rules without `capture_duration` last
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 5,
        help_heading = "Capture options",
        requires = "capture_folder"
    )]
    pub(crate) capture_seconds: u32,
    /// Each capture grows to at most this many MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 32,
        help_heading = "Capture options",
        requires = "capture_folder"
    )]
    pub(crate) capture_mib: u32,
    /// At most so many captures are started in all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        help_heading = "Capture options",
        requires = "capture_folder"
    )]
    pub(crate) capture_files: u32,
    /// Memory for events on their way from the kernel, in MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Tuning options"
    )]
    pub(crate) buffer_mib: u16,
    /// Events a second that each container may make while the buffer is half full; 0 for no limit
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20_000,
        help_heading = "Tuning options"
    )]
    pub(crate) container_budget: u32,
    /// Milliseconds that events wait for what the runtime says of a new container
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 500,
        help_heading = "Tuning options"
    )]
    pub(crate) container_wait: u64,
    /// Ask the container runtime at this socket, before those at the usual places; repeatable
    #[arg(long, value_name = "SOCKET", help_heading = "Tuning options")]
    pub(crate) runtime_socket: Vec<PathBuf>,
    /// Threads that evaluate rules [default: one a processor]
    #[arg(long, value_name = "N", help_heading = "Tuning options")]
    pub(crate) threads: Option<usize>,
}

/// What a capture that a rule starts holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CaptureScope {
    /// Events of the container, or on the host of the process and those below it
    Related,
    /// Events of everything
    All,
}

/// `hullward db`.
#[derive(Debug, Args)]
pub(crate) struct Db {
    /// What to do with the database.
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

/// Commands of `hullward db`.
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Download what has changed and replace the database
    Update {
        /// Address or folder in the layout of the public OSV bucket [default: the publishers' own addresses]
        #[arg(long, value_name = "URL|DIR")]
        mirror: Option<String>,
        /// Only these ecosystems (repeatable) [default: all]
        #[arg(long, value_name = "NAME")]
        ecosystem: Vec<String>,
        /// Trust this certificate authority (PEM) as well
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
    },
    /// Make a database from feeds in the layout of the public OSV bucket
    Build {
        /// Folder or address: <Ecosystem>/all.zip or <Ecosystem>.jsonl, with KEV, EPSS and end-of-life files beside them
        /// (repeatable)
        #[arg(long, value_name = "DIR|URL", required = true)]
        from: Vec<String>,
        /// The file to make [default: the database that scans use]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Tell the database's age and contents
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `hullward cache`.
#[derive(Debug, Args)]
pub(crate) struct CacheCommand {
    /// What to do with the cache.
    #[command(subcommand)]
    pub(crate) command: CacheAction,
}

/// Commands of `hullward cache`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum CacheAction {
    /// Tell what is in the cache
    Status,
    /// Empty the cache
    Clean,
}

/// `hullward rules`.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// What to do with the rules.
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

/// Commands of `hullward rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Tell what is wrong with rule files; exit with 1 when something is
    Check {
        /// Rule files, or folders of them; later ones change what earlier ones define
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// How to print; JSON is as `falco -V` prints it
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: TextOrJson,
    },
    /// List the rules in load order
    List {
        /// Where the rules come from.
        #[command(flatten)]
        source: RuleSource,
        /// How to print
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: TextOrJson,
    },
    /// Tell what a rule finds, when it fires, what it asks of events and what it says
    Explain {
        /// The rule's name; one of Hullward's own also by the name of its file
        name: String,
        /// Where the rules come from.
        #[command(flatten)]
        source: RuleSource,
        /// How to print
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: TextOrJson,
    },
    /// Run examples of rules and tell which do what they say; exit with 1 when one does not
    Test {
        /// Files hit-NAME.yaml and miss-NAME.yaml in folders that are called like their rules, or folders of those [default: the
        /// examples of Hullward's own rules]
        #[arg(value_name = "FILE")]
        examples: Vec<PathBuf>,
        /// Where the rules come from.
        #[command(flatten)]
        source: RuleSource,
    },
    /// Tell which techniques of MITRE ATT&CK for Containers the rules look for, and which not
    Coverage {
        /// Where the rules come from.
        #[command(flatten)]
        source: RuleSource,
        /// How to print
        #[arg(long, value_name = "FORMAT", default_value = "markdown")]
        format: CoverageFormat,
    },
}

/// How coverage is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CoverageFormat {
    /// For people.
    Markdown,
    /// For programs.
    Json,
}

/// Where rules come from, and which of them count.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Rule options")]
pub(crate) struct RuleSource {
    /// Rule file, or folder of them (repeatable) [default: Hullward's own rules]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Hullward's own rules as well, before those of --rules
    #[arg(long)]
    pub(crate) own_rules: bool,
    /// Only rules with this tag (repeatable)
    #[arg(long, short, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// No rules with this tag (repeatable)
    #[arg(long, short = 'T', value_name = "TAG")]
    pub(crate) without_tag: Vec<String>,
    /// Only rules that are at least this pressing
    #[arg(long, value_name = "PRIORITY", value_parser = priority)]
    pub(crate) min_priority: Option<Priority>,
}

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn priority(text: &str) -> Result<Priority, String> {
    text.parse()
        .map_err(|error: model::event::ParsePriorityError| error.to_string())
}

fn severity(text: &str) -> Result<Severity, String> {
    text.to_ascii_lowercase().parse()
}

fn format_help() -> String {
    format!(
        "Format on standard output [default: table]: {}",
        report::formats::names()
    )
}

/// The formats' names, with the usual short ones.
fn format_name(text: &str) -> Result<String, String> {
    report::formats::find(text)
        .map(|format| format.meta().name.to_owned())
        .ok_or_else(|| report::formats::unknown(text))
}

fn output_file(text: &str) -> Result<OutputFile, String> {
    let (format, file) = match text.split_once('=') {
        Some((format, file)) => (Some(format_name(format)?), file),
        // Peers differ in what `-o json` says.
        None if report::formats::find(text).is_some() => {
            return Err(format!(
                "`{text}` is a format: `--format {text}` prints it, `--output {text}=FILE` writes it to a file"
            ));
        }
        None => (None, text),
    };
    if file.is_empty() {
        return Err(format!("`{text}` names no file"));
    }
    Ok(OutputFile {
        format,
        path: PathBuf::from(file),
    })
}
