//! Suites acted out on this machine, and judged with a detector that is a script.
#![allow(
    clippy::disallowed_methods,
    reason = "tests make their own files and start the program"
)]
#![allow(clippy::print_stderr, reason = "tests say why they skip")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use testkit::suite::container::{Choice, Place};
use testkit::suite::description::{self, Test};
use testkit::suite::detector::Detector;
use testkit::suite::drive::{Acted, Stage};
use testkit::suite::run::{self, Verdict};
use testkit::suite::{capabilities, leaf};

/// Tests are threads of one process.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// A stage without containers; none when there is no C compiler, which is told.
fn stage(folder: &Path) -> Option<Stage> {
    let program = folder.join("leaf");
    if let Err(error) = leaf::compile(&program) {
        eprintln!("skipped: {error}");
        return None;
    }
    Some(Stage {
        number: std::process::id() << 8 | RUNS.fetch_add(1, Ordering::Relaxed),
        leaf_bytes: std::fs::read(&program).expect("compiled"),
        leaf: program,
        folder: folder.to_owned(),
        root: rustix::process::geteuid().is_root(),
        place: Err("this test makes no containers".to_owned()),
        interrupted: Arc::new(AtomicBool::new(false)),
        settle: Duration::ZERO,
        linger: Duration::ZERO,
    })
}

fn tests(text: &str, folder: &Path) -> Vec<Test> {
    let text = text.replace("FOLDER", &folder.display().to_string());
    description::read(&[("suite.yaml".to_owned(), text)]).expect("a suite")
}

fn act(text: &str) -> Option<(tempfile::TempDir, Vec<Acted>)> {
    let folder = testkit::temporary_folder();
    let stage = stage(folder.path())?;
    let acted = tests(text, folder.path())
        .iter()
        .enumerate()
        .map(|(index, test)| stage.act(test, &format!("{:08x}{index:08x}", stage.number)))
        .collect();
    Some((folder, acted))
}

fn result(acted: &Acted, step: &str) -> i64 {
    acted
        .results
        .iter()
        .find(|(name, _)| name == step)
        .unwrap_or_else(|| panic!("step {step} in {acted:?}"))
        .1
}

#[test]
fn files_and_links_are_made_and_removed() {
    let Some((folder, acted)) = act("
tests:
  - name: files
    runner: HostRunner
    resources:
      - { type: fd, name: file, subtype: file, filePath: FOLDER/new/deep/file }
      - { type: fd, name: folder, subtype: directory, dirPath: FOLDER/new/deep }
    steps:
      - { type: syscall, name: write, syscall: write, args: { fd: \"${file.fd}\", buffer: hello } }
      - { type: syscall, name: open, syscall: openat, args: { dirFd: \"${folder.fd}\", pathname: ./file, flags: O_RDONLY } }
      - { type: syscall, name: read, syscall: read, args: { fd: \"${open.ret}\", len: 100 } }
      - { type: syscall, name: create, syscall: openat2, args: { pathname: FOLDER/made, how: { flags: O_CREAT|O_WRONLY, mode: 0600 } } }
      - { type: syscall, name: again, syscall: write, args: { fd: \"${create.ret}\", buffer: \"${read.buffer}\", len: \"${read.ret}\" } }
      - { type: syscall, name: link, syscall: linkat, args: { oldDirFd: \"${folder.fd}\", oldPath: file, newPath: FOLDER/linked } }
      - { type: syscall, name: symlink, syscall: symlinkat, args: { target: /nowhere, newDirFd: \"${folder.fd}\", linkPath: pointer } }
      - { type: syscall, name: beneath, syscall: openat2, args: { dirFd: \"${folder.fd}\", pathname: ../.., how: { resolve: RESOLVE_BENEATH } } }
    before: test ! -e FOLDER/new && kept=FOLDER/seen
    after: cp FOLDER/made $kept; stat -c %a FOLDER/made >> $kept
")
    else {
        return;
    };
    let acted = &acted[0];
    assert_eq!(acted.failure, None, "{acted:?}");
    assert_eq!(result(acted, "write"), 5);
    assert_eq!(result(acted, "read"), 5);
    assert_eq!(result(acted, "again"), 5);
    assert_eq!(result(acted, "link"), 0);
    assert_eq!(result(acted, "symlink"), 0);
    // EXDEV: the path leaves the folder.
    assert_eq!(result(acted, "beneath"), -18);
    let seen = std::fs::read_to_string(folder.path().join("seen")).expect("made by `after`");
    assert_eq!(seen, "hello600\n");
    for gone in ["new", "made", "linked"] {
        assert!(!folder.path().join(gone).exists(), "{gone} is still there");
    }
}

#[test]
fn descriptors_sockets_and_processes_are_made() {
    let Some((_folder, acted)) = act(r#"
tests:
  - name: descriptors
    runner: HostRunner
    resources:
      - { type: fd, name: pipe, subtype: pipe }
      - { type: fd, name: event, subtype: event }
      - { type: fd, name: signal, subtype: signalfd }
      - { type: fd, name: poll, subtype: eventpoll }
      - { type: fd, name: notify, subtype: inotify }
      - { type: fd, name: memory, subtype: memfd, fileName: some_memory }
      - { type: clientServer, name: unix, l4Proto: unix }
      - { type: clientServer, name: udp, l4Proto: udp4, address: "127.0.0.1:47123" }
      - { type: clientServer, name: tcp, l4Proto: tcp4, address: "127.0.0.1:47123" }
      - { type: process, name: plain, procName: some_process, args: a "b c" }
      - { type: process, name: memfd, fileLess: true }
    steps:
      - { type: syscall, name: put, syscall: write, args: { fd: "${pipe.writeFd}", buffer: abc } }
      - { type: syscall, name: take, syscall: read, args: { fd: "${pipe.readFd}", buffer: "-----" } }
      - { type: syscall, name: dup, syscall: dup, args: { oldFd: "${event.fd}" } }
      - { type: syscall, name: dup2, syscall: dup3, args: { oldFd: "${ signal.fd }", newFd: 100, flags: O_CLOEXEC } }
      - { type: syscall, name: zero, syscall: dup3, args: { oldFd: "${tcp.client.fd}", newFd: 0 } }
      - { type: syscall, name: poll, syscall: dup, args: { oldFd: "${notify.fd}" } }
      - { type: syscall, name: send, syscall: sendto, args: { fd: "${udp.client.fd}", buf: hello, flags: 0, destAddr: "127.0.0.1:47123" } }
      - { type: syscall, name: receive, syscall: read, args: { fd: "${udp.server.fd}", len: 9 } }
      - { type: syscall, name: stream, syscall: write, args: { fd: "${unix.client.fd}", buffer: hi } }
      - { type: syscall, name: socket, syscall: socket, args: { domain: AF_INET, type: SOCK_STREAM|SOCK_CLOEXEC, protocol: IPPROTO_TCP } }
      - { type: syscall, name: connect, syscall: connect, args: { fd: "${socket.ret}", address: "127.0.0.1:47123" } }
      - { type: syscall, name: kill, syscall: kill, args: { pid: "${plain.pid}", sig: SIGTERM } }
      - { type: syscall, name: kill memory, syscall: kill, args: { pid: "${memfd.pid}", sig: SIGKILL } }
      - { type: syscall, name: module, syscall: init_module, args: { moduleImage: none } }
"#
    .replace("name: poll, syscall", "name: notified, syscall")
    .as_str()) else {
        return;
    };
    let acted = &acted[0];
    assert_eq!(acted.failure, None, "{acted:?}");
    for (step, expected) in [
        ("put", 3),
        ("take", 3),
        ("dup2", 100),
        ("zero", 0),
        ("send", 5),
        ("receive", 5),
        ("stream", 2),
        ("connect", 0),
        ("kill", 0),
        ("kill memory", 0),
    ] {
        assert_eq!(result(acted, step), expected, "{step}");
    }
    // The kernel takes no such module, whoever asks; the run goes on and says so.
    assert!(result(acted, "module") < 0);
    assert!(
        acted.notes.iter().any(|note| note.starts_with("step `module`: ")),
        "{acted:?}"
    );
}

#[test]
fn the_chain_has_the_names_arguments_and_variables_of_the_test() {
    let Some((folder, acted)) = act(r#"
tests:
  - name: chain
    runner: HostRunner
    context:
      processes:
        - { name: grandparent, env: { ONE: "1", TWO: old } }
        - { exePath: FOLDER/programs/parent, args: x }
        - { name: leaf, exe: -leaf, args: "a 'b c'", env: { TWO: new } }
    before: |
      cat /proc/$PPID/comm /proc/$PPID/cmdline | tr '\0' '|' > FOLDER/seen
      parent=$(awk '/^PPid/ {print $2}' /proc/$PPID/status)
      cat /proc/$parent/comm /proc/$parent/cmdline | tr '\0' '|' >> FOLDER/seen
      readlink /proc/$parent/exe >> FOLDER/seen
      grandparent=$(awk '/^PPid/ {print $2}' /proc/$parent/status)
      cat /proc/$grandparent/comm >> FOLDER/seen
      echo $ONE $TWO >> FOLDER/seen
      tr '\0' '\n' < /proc/$PPID/environ | head -1 | cut -c1-20 >> FOLDER/seen
      tr '\0' '\n' < /proc/$parent/environ | grep -c HULLWARD >> FOLDER/seen
"#)
    else {
        return;
    };
    assert_eq!(acted[0].failure, None, "{acted:?}");
    let seen = std::fs::read_to_string(folder.path().join("seen")).expect("made by `before`");
    assert_eq!(
        seen.replace(&folder.path().display().to_string(), "FOLDER"),
        "leaf\n-leaf|a|b c|parent\nparent|x|FOLDER/programs/parent\ngrandparent\n1 new\nHULLWARD_SUITE_TEST=\n0\n"
    );
    assert!(!folder.path().join("programs").exists());
}

#[test]
fn what_cannot_be_done_is_told() {
    let Some((folder, acted)) = act(r#"
tests:
  - name: exists
    runner: HostRunner
    context: { processes: [ { exePath: FOLDER/leaf } ] }
  - name: dependent
    runner: HostRunner
    steps:
      - { type: syscall, name: a, syscall: openat, args: { pathname: FOLDER/none/x, flags: O_RDONLY } }
      - { type: syscall, name: b, syscall: dup, args: { oldFd: "${a.ret}" } }
  - name: kind
    runner: HostRunner
    resources: [ { type: fd, name: f, subtype: event } ]
    steps:
      - { type: syscall, name: b, syscall: write, args: { fd: 1, buffer: "${f.fd}" } }
  - name: elsewhere
    runner: HostRunner
    runIf: { arch: { op: eq, val: s390x } }
  - name: contained
    runner: HostRunner
    context: { container: {} }
  - name: suicide
    runner: HostRunner
    before: kill -9 $PPID
"#)
    else {
        return;
    };
    assert!(folder.path().join("leaf").exists(), "what is there stays");
    let failure = |index: usize| acted[index].failure.clone().unwrap_or_default();
    assert!(failure(0).ends_with("File exists (os error 17)"), "{acted:?}");
    assert_eq!(failure(1), "step `b`: `a` failed, so that it has no `ret`");
    assert_eq!(
        failure(2),
        "step `b`: the value that `buffer` is bound to is of another kind"
    );
    assert_eq!(
        acted[3].skipped.as_deref(),
        Some(format!("runIf: not for {}", std::env::consts::ARCH).as_str())
    );
    assert_eq!(acted[4].skipped.as_deref(), Some("this test makes no containers"));
    assert_eq!(failure(5), "the process ended by signal 9 while it was at work");
}

#[test]
fn users_and_capabilities_are_those_of_the_test() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: changing users needs root");
        return;
    }
    let Some((folder, acted)) = act("
tests:
  - name: user
    runner: HostRunner
    context: { processes: [ { user: nobody }, { user: daemon, name: changed } ] }
    before: grep -E '^(Uid|CapEff)' /proc/$PPID/status > FOLDER/seen; chmod 666 FOLDER/seen
    steps:
      - { type: syscall, name: open, syscall: openat, args: { pathname: /etc/shadow, flags: O_RDONLY } }
  - name: capabilities
    runner: HostRunner
    context: { processes: [ { capabilities: \"cap_chown,cap_kill=ep\" } ] }
    before: grep CapEff /proc/$PPID/status >> FOLDER/seen
    steps:
      - { type: syscall, name: socket, syscall: socket, args: { domain: AF_INET, type: SOCK_RAW, protocol: 1 } }
") else {
        return;
    };
    // Others must be able to write there.
    assert_eq!(acted[0].failure, None, "{acted:?}");
    assert_eq!(acted[1].failure, None, "{acted:?}");
    assert!(
        result(&acted[0], "open") >= 0,
        "all capabilities go with the user"
    );
    assert_eq!(result(&acted[1], "socket"), -1, "EPERM without the capability");
    let seen = std::fs::read_to_string(folder.path().join("seen")).expect("made by `before`");
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[0], "Uid:\t0\t1\t1\t1");
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let grantable = capabilities::grantable(&status).expect("told");
    assert_eq!(lines[1], format!("CapEff:\t{grantable:016x}"));
    assert_eq!(lines[2], format!("CapEff:\t{:016x}", 1 | 1 << 5));
}

#[test]
fn containers_have_layers_users_and_networks_of_their_own() {
    let folder = testkit::temporary_folder();
    let Some(mut stage) = stage(folder.path()) else {
        return;
    };
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let grantable = capabilities::grantable(&status).expect("told");
    match Place::prepare(Choice::Runc, stage.root, grantable, folder.path(), &stage.leaf) {
        Ok(place) => stage.place = Ok(place),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            return;
        }
    }
    let suite = r#"
tests:
  - name: contained
    runner: HostRunner
    context:
      container: { env: { FROM: container } }
      processes:
        - { name: first }
        - { name: dropped, user: someone, exe: /x/dropped }
    before: |
      test "$FROM" = container && test "$(grep -c ^someone: /etc/passwd)" = 1 && test ! -e FOLDER && echo fine
    resources:
      - { type: clientServer, name: cs, l4Proto: tcp4, address: "203.0.113.77:80" }
      - { type: clientServer, name: six, l4Proto: udp6, address: "[2001:db8::77]:53" }
      - { type: fd, name: file, subtype: file, filePath: /hullward-suite-made/file }
    steps:
      - { type: syscall, name: write, syscall: write, args: { fd: "${cs.client.fd}", buffer: hello } }
      - { type: syscall, name: open, syscall: openat, args: { pathname: /root/release_agent, flags: O_WRONLY|O_CREAT } }
"#;
    let acted = stage.act(&tests(suite, folder.path())[0], &format!("{:016x}", stage.number));
    assert_eq!(acted.skipped, None);
    if let Some(reason) = &acted.failure
        && reason.starts_with("the container does not start")
    {
        eprintln!("skipped: {reason}");
        return;
    }
    assert_eq!(acted.failure, None, "{acted:?}");
    assert_eq!(result(&acted, "write"), 5);
    assert!(result(&acted, "open") >= 0);
    assert_eq!(acted.notes, ["`before` printed: fine"]);
    assert!(!Path::new("/hullward-suite-made").exists());
    let mounts = std::fs::read_to_string("/proc/mounts").expect("readable");
    assert!(
        !mounts.contains(&folder.path().display().to_string()),
        "nothing stays mounted"
    );
}

const JUDGED: &str = r#"
tests:
  - { name: right, runner: HostRunner, rule: R, expectedOutcome: { priority: WARNING, outputFields: { proc.pid: 7 } } }
  - { name: differs, runner: HostRunner, rule: R, expectedOutcome: { priority: notice } }
  - { name: silent, runner: HostRunner, rule: R }
  - { name: other, runner: HostRunner, rule: R, expectedOutcome: {} }
  - { name: elsewhere, runner: HostRunner, rule: R, runIf: { arch: { op: eq, val: s390x } } }
  - { name: ruleless, runner: HostRunner }
"#;

/// A detector that alerts as soon as it starts: the marks of tests are known.
fn script(run: u32) -> String {
    let alert = |mark: &str, rule: &str| {
        format!(
            r#"{{"hostname":"h","output":"o","output_fields":{{"proc.pid":7,"proc.env":"A=b HULLWARD_SUITE_TEST={mark} C=d"}},"priority":"Warning","rule":"{rule}","source":"syscall","tags":[],"time":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let mark = |index: u32| format!("{run:08x}{index:08x}");
    let lines = [
        "this is no alert".to_owned(),
        alert(&mark(0), "Another"),
        alert(&mark(0), "R"),
        alert(&mark(1), "R"),
        alert(&mark(3), "Another"),
        alert("feedfeedfeedfeed", "R"),
        r#"{"rule":"R","priority":"Warning","output_fields":{}}"#.to_owned(),
    ];
    let prints: String = lines.iter().map(|line| format!("echo '{line}'\n")).collect();
    format!("{prints}echo 'fake: watching' >&2\nexec sleep 1000")
}

#[test]
fn alerts_are_compared_with_what_tests_expect() {
    let folder = testkit::temporary_folder();
    let Some(stage) = stage(folder.path()) else {
        return;
    };
    let mut command = Command::new("sh");
    command.args(["-c", &script(stage.number)]);
    let mut detector = Detector::start(command).expect("sh");
    detector
        .wait_until_ready(Duration::from_secs(20), &stage.interrupted)
        .expect("it tells that it is ready");
    let report = run::all(
        &tests(JUDGED, folder.path()),
        &stage,
        Some(&mut detector),
        Duration::from_secs(1),
        |_, _| {},
    );
    assert_eq!(report.stopped, None);
    detector.stop();
    let rows: Vec<(&str, Verdict, &str)> = report
        .rows
        .iter()
        .map(|row| (row.name.as_str(), row.verdict, row.got.as_str()))
        .collect();
    let not_here = format!("runIf: not for {}", std::env::consts::ARCH);
    assert_eq!(
        rows,
        [
            ("right", Verdict::Pass, "R [Warning]"),
            (
                "differs",
                Verdict::Fail,
                "the rule's alert, but priority=Warning not notice"
            ),
            ("silent", Verdict::Fail, "no alert"),
            ("other", Verdict::Fail, "only alerts of Another"),
            ("elsewhere", Verdict::Skip, not_here.as_str()),
            ("ruleless", Verdict::Error, "the test names no `rule` to expect"),
        ]
    );
    assert!(report.failed());
    let (others, strange, first) = detector.aside();
    assert_eq!(
        (others, strange, first.as_deref()),
        (1, 1, Some("this is no alert"))
    );
}

#[test]
fn a_detector_that_ends_stops_the_run() {
    let interrupted = AtomicBool::new(false);
    let start = |line: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        Detector::start(command).expect("sh")
    };
    let error = start("echo no such rule >&2; exit 2")
        .wait_until_ready(Duration::from_secs(20), &interrupted)
        .expect_err("it ends");
    assert!(
        error.starts_with("the detector ended before it was ready (exit status: 2)"),
        "{error}"
    );
    let folder = testkit::temporary_folder();
    let Some(stage) = stage(folder.path()) else {
        return;
    };
    let mut detector = start("echo watching >&2; read nothing");
    detector
        .wait_until_ready(Duration::from_secs(20), &interrupted)
        .expect("ready");
    let report = run::all(
        &tests(JUDGED, folder.path()),
        &stage,
        Some(&mut detector),
        Duration::from_secs(5),
        |_, _| {},
    );
    let error = report.stopped.expect("the detector has ended");
    assert!(
        error.starts_with("the detector ended (exit status: 1)"),
        "{error}"
    );
}

#[test]
fn the_program_tells_wrong_use_by_its_exit_code() {
    let folder = testkit::temporary_folder();
    let suite = folder.path().join("a.yaml");
    std::fs::write(&suite, JUDGED).expect("writable");
    let wrong = folder.path().join("b.yml");
    std::fs::write(&wrong, "tests:\n  - name: x\n").expect("writable");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_suite"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("the program starts");
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, listed, _) = run(&["--list", "a.yaml", "--only", "differs"]);
    assert_eq!((code, listed.as_str()), (0, "differs: R [notice]\n"));
    // What is well formed is listed all the same.
    let (code, listed, errors) = run(&["--list", ".", "--only", "differs"]);
    assert_eq!((code, listed.as_str()), (2, "differs: R [notice]\n"), "{errors}");
    for (arguments, expected) in [
        (&["--list"][..], "no suite is named"),
        (&["--list", "b.yml"], "no test is well formed"),
        (&["a.yaml"], "no rules are named (--rules FILE)"),
        (&["--list", "."], "./b.yml:2: a test needs `runner`"),
        (
            &["--list", "a.yaml", "--only", "zzz"],
            "no test has any of the texts of --only",
        ),
        (&["--lits", "a.yaml"], "there is no option --lits"),
        (
            &["--timeout", "soon", "a.yaml"],
            "--timeout is a number, not `soon`",
        ),
        (&["--list", "none.yaml"], "none.yaml: No such file"),
    ] {
        let (code, _, errors) = run(arguments);
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains(expected), "{errors} does not tell: {expected}");
    }
    let (code, _, errors) = run(&["--rules", "r.yaml", "--hullward", "none", "a.yaml"]);
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("there is no none; build it"), "{errors}");
}

#[test]
fn suites_in_the_wild_are_read() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(data.join("falco/suite")).expect("the folder of suites") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        files.push((path.display().to_string(), text));
    }
    let tests = description::read(&files).expect("no mistakes");
    assert!(tests.len() > files.len());
    for (file, _) in &files {
        assert!(tests.iter().any(|test| test.file == *file), "{file} has no test");
    }
    // A condition that a case gives, without quotes in the file.
    let conditions = tests
        .iter()
        .filter(|test| test.values.iter().any(|(key, _)| key == "runIf"))
        .map(|test| test.run_if.is_some());
    assert!(conditions.clone().any(|some| some) && conditions.clone().any(|some| !some));
}

#[test]
fn a_script_goes_on_though_something_prints_behind_its_first_half() {
    let Some((_, acted)) = act("
tests:
  - name: chatter
    runner: HostRunner
    before: |
      (for i in 1 2 3 4 5 6 7 8 9; do echo noise; done; sleep 0.05; echo more; sleep 30) &
      trap 'echo told' DEBUG
    steps:
      - { type: syscall, name: dup, syscall: dup, args: { oldFd: 1 } }
")
    else {
        return;
    };
    assert_eq!(acted[0].failure, None, "{acted:?}");
    assert!(result(&acted[0], "dup") >= 0);
}
