//! `hullward watch` through the binary: captures, JSON events, the webhook, and, as root, what really happens on this host and
//! in a container.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests write files, run the program, and say why they skip"
)]

#[path = "watch/bypasses.rs"]
mod bypasses;
#[path = "watch/captures.rs"]
mod captures;
#[path = "watch/hostile.rs"]
mod hostile;
#[path = "watch/runtimes.rs"]
mod runtimes;

use sensor::capture::{CaptureHost, Writer};
use sensor::containers::Containers;
use sensor::sample;
use sensor::state::{State, StateOptions};
use sensor::wire::Record;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// A flood of processes is for all sensors of the host to see: tests that nothing is lost in hold this against it.
static FLOODS: RwLock<()> = RwLock::new(());

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn hullward(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hullward"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// A rule over the opening of files whose name holds `part`.
fn opening(part: &str) -> String {
    format!(
        "- rule: Test file opened\n  desc: A test.\n  condition: evt.type in (open, openat, openat2) and fd.name contains {part}\n  output: \
         opened | file=%fd.name real=%fd.realpath process=%proc.name\n  priority: WARNING\n  tags: [b, a]\n"
    )
}

/// The alerts among lines of JSON.
fn alerts(stdout: &[u8]) -> Vec<Value> {
    stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// A capture of one file that was opened.
fn capture(path: &Path) {
    let samples = sample::parse(
        "event: openat\npath: /tmp/link\nreal_path: /etc/shadow\nflags: O_RDONLY\nprocess: {name: cat, args: [/tmp/link]}\n",
    )
    .unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = Writer::new(file, &CaptureHost::native("node-1", 0), u64::MAX).unwrap();
    writer
        .snapshot(&State::new(StateOptions::default()), &Containers::offline())
        .unwrap();
    for record in samples[0].records().unwrap() {
        assert!(writer.record(&Record::parse(&record).unwrap()).unwrap());
    }
    writer.finish().unwrap();
}

#[test]
fn a_capture_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, rules) = (
        folder.path().join("one.hw"),
        write(folder.path(), "rules.yaml", &opening("/tmp/link")),
    );
    capture(&file);
    let (file, rules) = (file.to_str().unwrap(), rules.to_str().unwrap());
    let statistics = folder.path().join("statistics.json");
    let output = hullward(&[
        "watch",
        "--replay",
        file,
        "--rules",
        rules,
        "--format",
        "json",
        "--statistics",
    ])
    .arg(&statistics)
    .output()
    .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let alerts = alerts(&output.stdout);
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["rule"], "Test file opened");
    assert_eq!(alerts[0]["priority"], "Warning");
    assert_eq!(alerts[0]["tags"], serde_json::json!(["a", "b"]));
    assert_eq!(alerts[0]["output_fields"]["fd.name"], "/tmp/link");
    assert_eq!(alerts[0]["output_fields"]["fd.realpath"], "/etc/shadow");
    assert_eq!(alerts[0]["output_fields"]["proc.name"], "cat");
    let counted: Value = serde_json::from_slice(&std::fs::read(statistics).unwrap()).unwrap();
    assert_eq!(counted["detections"], 1);
    assert_eq!(counted["events"]["openat"], 1);

    let text = hullward(&["watch", "--replay", file, "--rules", rules])
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains(": Warning opened | file=/tmp/link real=/etc/shadow process=cat"),
        "{text}"
    );
}

#[test]
fn a_capture_that_was_cut_off_is_replayed_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.hw");
    let rules = write(folder.path(), "rules.yaml", &opening("/tmp/link"));
    capture(&file);
    let whole = std::fs::read(&file).unwrap();
    // The mark at the end is 13 bytes: length, kind, number of records.
    std::fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    let output = hullward(&[
        "watch",
        "--replay",
        file.to_str().unwrap(),
        "--rules",
        rules.to_str().unwrap(),
        "--format",
        "json",
    ])
    .output()
    .unwrap();
    assert!(output.status.success());
    assert_eq!(alerts(&output.stdout).len(), 1);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("was cut off"), "{errors}");
}

#[test]
fn what_is_no_capture_or_no_rule_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", &opening("x"));
    let garbage = write(folder.path(), "garbage", "no capture at all");
    let run = |arguments: &[&str]| {
        let output = hullward(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, errors) = run(&[
        "watch",
        "--replay",
        garbage.to_str().unwrap(),
        "--rules",
        rules.to_str().unwrap(),
    ]);
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("garbage"), "{errors}");
    let wrong = write(
        folder.path(),
        "wrong.yaml",
        "- rule: A\n  desc: d\n  condition: proc.nmae = x\n  output: o\n  priority: INFO\n",
    );
    let (code, errors) = run(&[
        "watch",
        "--replay",
        garbage.to_str().unwrap(),
        "--rules",
        wrong.to_str().unwrap(),
    ]);
    assert_eq!(code, Some(3), "{errors}");
    assert!(
        errors.contains("proc.nmae") && errors.contains("wrong.yaml"),
        "{errors}"
    );
    let (code, errors) = run(&["watch", "--events", "x", "--source", "k8s-audit"]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("k8s_audit"), "{errors}");
    let (code, errors) = run(&["watch", "--replay", "x", "--format", "yaml"]);
    assert_eq!(code, Some(2), "{errors}");
    let absent = folder.path().join("absent.json");
    let (code, errors) = run(&["watch", "--events", absent.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("absent.json` not found"), "{errors}");
    let empty = write(folder.path(), "empty.yaml", "");
    let (code, errors) = run(&["watch", "--rules", empty.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("the rule files hold no rule"), "{errors}");
    let (code, errors) = run(&["watch", "--buffer-mib", "0"]);
    assert_eq!(code, Some(2), "{errors}");
}

const AUDIT_RULE: &str = "- rule: Secret read\n  desc: A test.\n  source: k8s_audit\n  condition: ka.verb = get and \
                          ka.target.resource = secrets\n  output: read | user=%ka.user.name secret=%ka.target.name\n  \
                          priority: NOTICE\n";

fn audit_event(name: &str) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"{name}","stage":"ResponseComplete","verb":"get","user":{{"username":"eve"}},"objectRef":{{"resource":"secrets","namespace":"default","name":"{name}"}},"responseStatus":{{"code":200}},"stageTimestamp":"2026-01-01T00:00:00.000000Z"}}"#
    )
}

#[test]
fn audit_events_of_a_file_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", AUDIT_RULE);
    let events = write(
        folder.path(),
        "audit.log",
        &format!("{}\nno json\n{}\n", audit_event("one"), audit_event("two")),
    );
    let output = hullward(&["watch", "--events"])
        .arg(&events)
        .arg("--rules")
        .arg(&rules)
        .args(["--format", "json"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let names: Vec<Value> = alerts(&output.stdout)
        .iter()
        .map(|alert| alert["output_fields"]["ka.target.name"].clone())
        .collect();
    assert_eq!(names, ["one", "two"]);
    assert!(errors.contains("no JSON"), "{errors}");
}

/// A watch that runs, and what it says.
struct Watch {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Watch {
    fn start(arguments: &[&str]) -> Self {
        let mut child = hullward(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// The first line of a stream that holds `text`.
    fn wait(stream: &Receiver<String>, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) = stream.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line with `{text}`, but: {seen:#?}");
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    fn stop(mut self) -> String {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(0));
        self.stderr.iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

#[test]
fn the_audit_webhook_judges_what_is_posted() {
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", AUDIT_RULE);
    let rules = rules.to_str().unwrap();
    let watch = Watch::start(&[
        "watch",
        "--k8s-audit-listen",
        "127.0.0.1:0",
        "--rules",
        rules,
        "--format",
        "json",
    ]);
    let line = Watch::wait(&watch.stderr, "watching Kubernetes audit events at ");
    let address = line
        .split(" at ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let body = format!(r#"{{"kind":"EventList","items":[{}]}}"#, audit_event("posted"));
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /k8s-audit HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(Watch::wait(&watch.stdout, "posted").contains("Secret read"));
    watch.stop();
}

/// Says why the kernel cannot be watched here, if so.
fn kernel_is_out_of_reach() -> bool {
    let reason = if !is_root() {
        "root is needed"
    } else if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        "the kernel has no type information"
    } else {
        return false;
    };
    eprintln!("skipped: {reason}");
    true
}

fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| {
            line.strip_prefix("Uid:")
                .is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
        })
    })
}

#[test]
fn real_acts_are_seen_and_wrong_rules_do_not_replace_right_ones() {
    if kernel_is_out_of_reach() {
        return;
    }
    let _quiet = FLOODS.read().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let secret = write(folder.path(), "secret-of-the-test", "x");
    let link = folder.path().join("innocent-of-the-test");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    let rules = write(folder.path(), "rules.yaml", &opening("innocent-of-the-test"));
    let rules_name = rules.to_str().unwrap().to_owned();
    let statistics = folder.path().join("statistics.json");
    let watch = Watch::start(&[
        "watch",
        "--rules",
        &rules_name,
        "--format",
        "json",
        "--statistics",
        statistics.to_str().unwrap(),
    ]);
    Watch::wait(&watch.stderr, "watching with 1 rule");
    let open = |path: &Path| {
        assert!(
            Command::new("cat")
                .arg(path)
                .stdout(Stdio::null())
                .status()
                .unwrap()
                .success()
        );
    };
    open(&link);
    let alert: Value = serde_json::from_str(&Watch::wait(&watch.stdout, "Test file opened")).unwrap();
    assert_eq!(alert["output_fields"]["fd.name"], link.to_str().unwrap());
    // The folder may lie behind a link itself.
    let truth = secret.canonicalize().unwrap();
    assert_eq!(alert["output_fields"]["fd.realpath"], truth.to_str().unwrap());
    assert_eq!(alert["output_fields"]["proc.name"], "cat");
    assert_eq!(alert["output_fields"]["container.id"], "host");

    write(folder.path(), "rules.yaml", "- rule: broken\n");
    watch.signal("-HUP");
    Watch::wait(&watch.stderr, "stay in force");
    open(&link);
    Watch::wait(&watch.stdout, "Test file opened");

    write(
        folder.path(),
        "rules.yaml",
        &opening("innocent-of-the-test").replace("Test file", "Other name of the file"),
    );
    watch.signal("-HUP");
    Watch::wait(&watch.stderr, "loaded anew");
    open(&link);
    Watch::wait(&watch.stdout, "Other name of the file opened");
    let errors = watch.stop();
    assert!(errors.contains(" 0 lost, 3 detections"), "{errors}");
    let counted: Value = serde_json::from_slice(&std::fs::read(statistics).unwrap()).unwrap();
    assert_eq!(counted["detections_by_rule"]["Test file opened"], 2);
}

#[test]
fn a_docker_container_is_named() {
    if kernel_is_out_of_reach() {
        return;
    }
    let docker = |arguments: &[&str]| Command::new("docker").args(arguments).output();
    if !docker(&["version", "--format", "{{.Server.Version}}"]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no Docker daemon answers");
        return;
    }
    let Some(busybox) = ["/bin/busybox", "/usr/bin/busybox"]
        .map(Path::new)
        .into_iter()
        .find(|path| path.exists())
    else {
        eprintln!("skipped: the package busybox-static is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("bin")).unwrap();
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::copy(busybox, root.join("bin/busybox")).unwrap();
    std::fs::write(root.join("etc/passwd"), "keeper:x:0:0::/:/bin/sh\n").unwrap();
    let archive = folder.path().join("root.tar");
    let packed = Command::new("tar")
        .arg("-C")
        .arg(&root)
        .arg("-cf")
        .arg(&archive)
        .arg(".")
        .status()
        .unwrap();
    assert!(packed.success());
    let number = std::process::id();
    let (image, name) = (
        format!("hullward-watch-test:{number}"),
        format!("hullward-watch-test-{number}"),
    );
    assert!(
        docker(&["import", archive.to_str().unwrap(), &image])
            .unwrap()
            .status
            .success()
    );
    let rules = write(
        folder.path(),
        "rules.yaml",
        &format!(
            "- rule: Program of the test\n  desc: A test.\n  condition: evt.type = execve and container.image.repository = hullward-watch-test \
             and proc.cmdline contains keep-{number}\n  output: ran | user=%user.name upper=%proc.is_exe_upper_layer\n  priority: NOTICE\n"
        ),
    );
    let watch = Watch::start(&["watch", "--rules", rules.to_str().unwrap(), "--format", "json"]);
    Watch::wait(&watch.stderr, "watching with 1 rule");
    // The container lives until its input ends.
    let script = format!("/bin/busybox true keep-{number}; read line || true");
    let mut container = Command::new("docker")
        .args([
            "run",
            "--rm",
            "-i",
            "--network",
            "none",
            "--name",
            &name,
            &image,
            "/bin/busybox",
            "sh",
            "-c",
            &script,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let alert = Watch::wait(&watch.stdout, "Program of the test");
    drop(container.stdin.take());
    let ended = container.wait().unwrap();
    let _ = docker(&["rmi", "-f", &image]);
    assert!(ended.success(), "docker run ended with {ended}");
    let alert: Value = serde_json::from_str(&alert).unwrap();
    let fields = &alert["output_fields"];
    assert_eq!(fields["container.name"], name.as_str());
    assert_eq!(fields["container.image.repository"], "hullward-watch-test");
    assert_eq!(fields["container.image.tag"], number.to_string());
    assert_eq!(fields["user.name"], "keeper");
    assert_eq!(fields["proc.is_exe_upper_layer"], false);
    watch.stop();
}

#[test]
fn without_rights_it_says_what_is_missing() {
    if is_root() {
        eprintln!("skipped: root may do it");
        return;
    }
    let output = hullward(&["watch", "--seconds", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("root") || errors.contains("type information"),
        "{errors}"
    );
}

/// What the metrics page says, by name with labels.
fn metrics(page: &str) -> std::collections::BTreeMap<String, f64> {
    let address = page.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect()
}

/// Asks the metrics page until it says so.
fn wait_metrics(
    page: &str,
    done: impl Fn(&std::collections::BTreeMap<String, f64>) -> bool,
) -> std::collections::BTreeMap<String, f64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let figures = metrics(page);
        if done(&figures) {
            return figures;
        }
        assert!(Instant::now() < deadline, "{figures:#?}");
        std::thread::yield_now();
    }
}

fn evaluated(figures: &std::collections::BTreeMap<String, f64>) -> f64 {
    figures
        .get("hullward_events_evaluated_total")
        .copied()
        .unwrap_or(0.0)
}

#[test]
fn rules_are_loaded_anew_while_a_file_is_followed_and_the_page_tells_figures() {
    const EVENTS: u32 = 4_000;
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", AUDIT_RULE);
    let events = write(folder.path(), "audit.log", "");
    let append = |count: u32, name: &str| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&events).unwrap();
        let lines: String = (0..count).map(|_| audit_event(name) + "\n").collect();
        file.write_all(lines.as_bytes()).unwrap();
    };
    let watch = Watch::start(&[
        "watch",
        "--events",
        events.to_str().unwrap(),
        "--follow",
        "--rules",
        rules.to_str().unwrap(),
        "--alert-rate",
        "0",
        "--metrics",
        "127.0.0.1:0",
    ]);
    let page = Watch::wait(&watch.stderr, "figures are at ");
    append(EVENTS, "first");
    Watch::wait(&watch.stdout, "secret=first");
    let figures = wait_metrics(&page, |figures| evaluated(figures) >= f64::from(EVENTS));
    assert_eq!(
        figures["hullward_events_total{type=\"pluginevent\"}"],
        f64::from(EVENTS)
    );
    // Estimated from about 16 events.
    let asked = figures["hullward_rule_evaluations_total{rule=\"Secret read\"}"];
    assert!(asked >= 256.0 && asked % 256.0 == 0.0, "{asked}");
    assert!(figures["hullward_rule_evaluation_seconds_total{rule=\"Secret read\"}"] >= 0.0);
    assert!(figures["hullward_resident_bytes"] > 1e6);
    for depth in [
        "hullward_events_waiting",
        "hullward_events_held",
        "hullward_matches_waiting",
        "hullward_kernel_buffered_bytes",
        "hullward_stdout_queued_bytes",
    ] {
        assert!(figures.contains_key(depth), "{depth}");
    }

    write(
        folder.path(),
        "rules.yaml",
        &AUDIT_RULE.replace("output: read", "output: other text"),
    );
    watch.signal("-HUP");
    Watch::wait(&watch.stderr, "loaded anew");
    append(1, "second");
    let line = Watch::wait(&watch.stdout, "secret=second");
    assert!(line.contains("other text"), "{line}");
    watch.stop();
}

#[test]
fn several_sources_are_judged_by_one_set_of_rules() {
    let folder = tempfile::tempdir().unwrap();
    let rules = write(
        folder.path(),
        "rules.yaml",
        &format!(
            "{AUDIT_RULE}- rule: Any JSON\n  desc: A test.\n  source: json\n  condition: json.value[/kind] = odd\n  output: odd | \
             name=%json.value[/name]\n  priority: NOTICE\n"
        ),
    );
    let audit = write(folder.path(), "audit.log", &audit_event("one"));
    let other = write(
        folder.path(),
        "other.json",
        "{\"kind\":\"odd\",\"name\":\"two\"}\n{\"kind\":\"even\"}\n",
    );
    let output = hullward(&["watch", "--format", "json", "--rules"])
        .arg(&rules)
        .arg("--events")
        .arg(&audit)
        .arg("--events")
        .arg(format!("json={}", other.display()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut seen: Vec<(String, String)> = alerts(&output.stdout)
        .iter()
        .map(|alert| {
            (
                alert["source"].as_str().unwrap().to_owned(),
                alert["rule"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            ("json".to_owned(), "Any JSON".to_owned()),
            ("k8s_audit".to_owned(), "Secret read".to_owned())
        ]
    );
}

#[test]
fn the_kernel_and_audit_events_are_watched_by_one_process() {
    if kernel_is_out_of_reach() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = write(
        folder.path(),
        "rules.yaml",
        &format!("{}{AUDIT_RULE}", opening("both-of-the-test")),
    );
    let opened = write(folder.path(), "both-of-the-test", "x");
    let events = write(folder.path(), "audit.log", "");
    let watch = Watch::start(&[
        "watch",
        "--kernel",
        "--events",
        events.to_str().unwrap(),
        "--follow",
        "--k8s-audit-listen",
        "127.0.0.1:0",
        "--rules",
        rules.to_str().unwrap(),
        "--format",
        "json",
    ]);
    Watch::wait(&watch.stderr, "watching with 2 rules on kernel");
    std::fs::write(&events, audit_event("logged") + "\n").unwrap();
    Watch::wait(&watch.stdout, "secret=logged");
    std::fs::read(opened).unwrap();
    Watch::wait(&watch.stdout, "Test file opened");
    watch.stop();
}

#[test]
fn what_needs_the_kernel_says_so() {
    for option in ["--record", "--capture-folder"] {
        let output = hullward(&["watch", "--events", "x", option, "/tmp"])
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(option) && errors.contains("--kernel"), "{errors}");
    }
}

#[test]
fn audit_events_without_an_identity_are_told_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", AUDIT_RULE);
    let bare = audit_event("x").replace("\"auditID\"", "\"other\"");
    let events = write(
        folder.path(),
        "audit.log",
        &format!("{bare}\n{}\n{bare}\n{bare}\n", audit_event("whole")),
    );
    let output = hullward(&["watch", "--events"])
        .arg(&events)
        .arg("--rules")
        .arg(&rules)
        .args(["--format", "json"])
        .output()
        .unwrap();
    assert_eq!(alerts(&output.stdout).len(), 1);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.matches("has no `auditID`").count(), 1, "{errors}");
    assert!(
        errors.contains("3 events of k8s_audit had none of the fields"),
        "{errors}"
    );
}

/// Audit events whose alerts are long, 100 KB each.
fn long_events(count: u32) -> String {
    let name = "n".repeat(100_000);
    (0..count).map(|_| audit_event(&name) + "\n").collect()
}

#[test]
fn a_reader_that_hangs_does_not_stop_the_watch() {
    const EVENTS: u32 = 300;
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", AUDIT_RULE);
    let events = write(folder.path(), "audit.log", &long_events(EVENTS));
    // Nobody reads standard output.
    let mut child = hullward(&["watch", "--events", events.to_str().unwrap(), "--follow"])
        .args([
            "--rules",
            rules.to_str().unwrap(),
            "--alert-rate",
            "0",
            "--metrics",
            "127.0.0.1:0",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let held_open = child.stdout.take().unwrap();
    let watch = Watch {
        stdout: channel().1,
        stderr: lines(child.stderr.take().unwrap()),
        child,
    };
    let page = Watch::wait(&watch.stderr, "figures are at ");
    let figures = wait_metrics(&page, |figures| {
        let dropped = figures.get("hullward_stdout_lines_total{outcome=\"dropped\"}");
        evaluated(figures) >= f64::from(EVENTS) && dropped.is_some_and(|dropped| *dropped > 0.0)
    });
    assert!(figures["hullward_stdout_queued_bytes"] <= f64::from(8 << 20));
    let errors = watch.stop();
    assert!(
        errors.contains("lines did not reach standard output: whoever reads it does not keep up"),
        "{errors}"
    );
    assert!(errors.contains("300 detections"), "{errors}");
    drop(held_open);
}

#[test]
fn a_reader_of_a_file_of_events_misses_nothing() {
    const EVENTS: u32 = 300;
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", AUDIT_RULE);
    let events = write(folder.path(), "audit.log", &long_events(EVENTS));
    let output = hullward(&["watch", "--events", events.to_str().unwrap()])
        .args([
            "--rules",
            rules.to_str().unwrap(),
            "--alert-rate",
            "0",
            "--output",
            "text=-",
        ])
        .output()
        .unwrap();
    // More than the queue and the pipe hold, twice: once by `--output`.
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, 2 * EVENTS as usize);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!errors.contains("did not reach"), "{errors}");
}

/// A watch on a terminal, ended with this.
struct OnTerminal {
    terminal: Child,
    /// Holds the number of the process.
    process: PathBuf,
}

impl OnTerminal {
    fn signal(&self, name: &str) -> bool {
        let process = std::fs::read_to_string(&self.process).unwrap_or_default();
        let status = Command::new("kill")
            .args([name, process.trim()])
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        if !matches!(self.terminal.try_wait(), Ok(Some(_))) {
            self.signal("-KILL");
            let _ = self.terminal.kill();
            let _ = self.terminal.wait();
        }
    }
}

#[test]
fn notes_are_shown_above_the_panel_of_a_terminal() {
    if kernel_is_out_of_reach() {
        return;
    }
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", &opening("panel-of-the-test"));
    let opened = write(folder.path(), "panel-of-the-test", "x");
    let process = folder.path().join("process");
    let command = format!(
        "echo $$ > {}; exec {} watch --rules {}",
        process.display(),
        env!("CARGO_BIN_EXE_hullward"),
        rules.display()
    );
    let mut child = Command::new("script")
        .args(["-qefc", &command, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let screen = lines(child.stdout.take().unwrap());
    let mut watch = OnTerminal {
        terminal: child,
        process,
    };
    Watch::wait(&screen, "watching with 1 rule on kernel");
    std::fs::read(&opened).unwrap();
    Watch::wait(&screen, "opened | file=");
    assert!(watch.signal("-HUP"));
    let line = Watch::wait(&screen, "rules are loaded anew");
    // What was drawn is taken away first.
    assert!(line.contains("\u{1b}[J"), "{line:?}");
    assert!(watch.signal("-TERM"));
    Watch::wait(&screen, "1 detections in");
    assert!(watch.terminal.wait().unwrap().success());
}
