//! `hullward watch` under hostile conditions: floods of processes, no descriptors left, full disks, a sensor that is killed,
//! rules that explode.

use super::*;
use std::collections::BTreeSet;

/// Short-lived processes that are made, or as many as [`FLOOD_TIME`] allows.
const FLOOD: u64 = 100_000;
/// How long the flood goes on at most.
const FLOOD_TIME: Duration = Duration::from_secs(60);

/// Makes processes that end at once: a shell that starts itself anew as a child, without a program.
fn flood() -> u64 {
    const SHELLS: u64 = 4;
    const ROUND: u64 = 500;
    let deadline = Instant::now() + FLOOD_TIME;
    let mut shells: Vec<(Child, std::process::ChildStdin, BufReader<std::process::ChildStdout>)> = (0..SHELLS)
        .map(|_| {
            let mut shell = Command::new("sh")
                .args([
                    "-c",
                    &format!("while read line; do i=0; while [ $i -lt {ROUND} ]; do (:); i=$((i+1)); done; echo done; done"),
                ])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let input = shell.stdin.take().unwrap();
            let output = BufReader::new(shell.stdout.take().unwrap());
            (shell, input, output)
        })
        .collect();
    let mut made = 0;
    while made < FLOOD && Instant::now() < deadline {
        for (_, input, _) in &mut shells {
            writeln!(input, "go").unwrap();
        }
        for (_, _, output) in &mut shells {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            assert_eq!(line, "done\n");
            made += ROUND;
        }
    }
    for (mut shell, input, _) in shells {
        drop(input);
        shell.wait().unwrap();
    }
    made
}

#[test]
fn a_hundred_thousand_processes_are_all_counted_and_leave_nothing_behind() {
    if kernel_is_out_of_reach() {
        return;
    }
    let _alone = FLOODS.write().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let rules = write(
        folder.path(),
        "rules.yaml",
        "- rule: Never\n  desc: A test.\n  condition: evt.type in (clone, clone3, fork, vfork, procexit) and proc.name = \
         no-such-name-of-the-test\n  output: never\n  priority: INFO\n",
    );
    let statistics = folder.path().join("statistics.json");
    let watch = Watch::start(&[
        "watch",
        "--rules",
        rules.to_str().unwrap(),
        "--metrics",
        "127.0.0.1:0",
        "--statistics",
        statistics.to_str().unwrap(),
        // One control group makes them all.
        "--container-budget",
        "0",
    ]);
    let page = Watch::wait(&watch.stderr, "figures are at ");
    Watch::wait(&watch.stderr, "watching with 1 rule");
    let before = metrics(&page)["hullward_resident_bytes"];
    let made = flood();
    eprintln!("{made} processes of {FLOOD} were made within {FLOOD_TIME:?}");
    // Those that ended are forgotten some seconds later; before, the table is bounded.
    let figures = wait_metrics(&page, |figures| figures["hullward_events_waiting"] == 0.0);
    let after = figures["hullward_resident_bytes"];
    assert!(
        after < before + f64::from(96 << 20),
        "resident memory grew from {before} to {after} bytes"
    );
    let alive = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.parse::<u32>().is_ok())
        })
        .count();
    #[allow(clippy::cast_precision_loss, reason = "a count of processes")]
    let most = alive as f64 + 500.0;
    wait_metrics(&page, |figures| figures["hullward_processes"] <= most);
    watch.stop();
    let counted: Value = serde_json::from_slice(&std::fs::read(statistics).unwrap()).unwrap();
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let lost: u64 = counted["lost"].as_object().unwrap().values().map(number).sum();
    let events = &counted["events"];
    let started: u64 = ["clone", "clone3", "fork", "vfork"]
        .iter()
        .map(|name| number(&events[name]))
        .sum();
    assert!(number(&events["procexit"]) + lost >= made, "{counted:#}");
    assert!(started + lost >= made, "{counted:#}");
    let seen: u64 = events.as_object().unwrap().values().map(number).sum();
    assert_eq!(counted["evaluated"], seen, "{counted:#}");
}

#[test]
fn a_process_without_descriptors_is_seen_as_one() {
    if kernel_is_out_of_reach() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = write(
        folder.path(),
        "rules.yaml",
        "- rule: No descriptors\n  desc: A test.\n  condition: evt.type in (open, openat) and evt.res = EMFILE and proc.cmdline \
         contains starved-of-the-test\n  output: starved | file=%fd.name\n  priority: INFO\n",
    );
    let watch = Watch::start(&["watch", "--rules", rules.to_str().unwrap()]);
    Watch::wait(&watch.stderr, "watching with 1 rule");
    // The loader of the program has no descriptor left for libraries.
    let status = Command::new("sh")
        .args(["-c", "ulimit -n 3; exec cat starved-of-the-test"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let line = Watch::wait(&watch.stdout, "starved | ");
    assert!(!line.contains("file=<NA>"), "{line}");
    watch.stop();
}

/// With few descriptors the watch says what is missing, or works; it never ends without a word.
#[test]
fn a_watch_without_descriptors_works_or_says_why_not() {
    if kernel_is_out_of_reach() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", &opening("descriptors-of-the-test"));
    let opened = write(folder.path(), "descriptors-of-the-test", "x");
    let mut outcomes = BTreeSet::new();
    for limit in [4, 8, 16, 32, 48, 64, 96, 128, 512] {
        let script = format!(
            "ulimit -n {limit}; exec {} watch --rules {} --metrics 127.0.0.1:0",
            env!("CARGO_BIN_EXE_hullward"),
            rules.display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut watch = Watch {
            stdout: lines(child.stdout.take().unwrap()),
            stderr: lines(child.stderr.take().unwrap()),
            child,
        };
        let mut said = Vec::new();
        let runs = loop {
            match watch.stderr.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let runs = line.contains("watching with 1 rule");
                    said.push(line);
                    if runs {
                        break true;
                    }
                }
                Err(_) => break false,
            }
        };
        if runs {
            std::fs::read(&opened).unwrap();
            Watch::wait(&watch.stdout, "Warning opened");
            watch.stop();
            outcomes.insert("works");
        } else {
            let status = watch.child.wait().unwrap();
            let said = said.join("\n");
            assert!(
                matches!(status.code(), Some(2..=4 | 127)),
                "{limit}: {status} {said}"
            );
            assert!(!said.contains("panicked"), "{limit}: {said}");
            // Below that, not even the libraries of the program can be loaded.
            if limit >= 8 {
                assert!(
                    said.to_lowercase().contains("too many open files") || said.contains("os error 24"),
                    "{limit}: {said}"
                );
                outcomes.insert("says why");
            }
        }
    }
    assert_eq!(outcomes, BTreeSet::from(["says why", "works"]));
}

/// Runs in a mount namespace of its own, where `disk` is a file system of so many KiB; nothing of it is left afterwards.
fn on_a_small_disk(disk: &Path, kib: u32, arguments: &str, folder: &Path) -> Child {
    let script = format!(
        "mount -t tmpfs -o size={kib}k none {} && cd {} && exec {} watch {arguments}",
        disk.display(),
        folder.display(),
        env!("CARGO_BIN_EXE_hullward")
    );
    Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Says why no file system can be mounted here, if so.
fn mounting_is_out_of_reach() -> bool {
    let mounts = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs none /mnt"])
        .status()
        .is_ok_and(|status| status.success());
    if !mounts {
        eprintln!("skipped: no file system can be mounted");
    }
    !mounts
}

#[test]
fn full_disks_lose_what_goes_there_and_nothing_else() {
    if mounting_is_out_of_reach() {
        return;
    }
    const EVENTS: u32 = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let rules = write(folder.path(), "rules.yaml", AUDIT_RULE);
    let events: String = (0..EVENTS)
        .map(|number| audit_event(&number.to_string()) + "\n")
        .collect();
    let events = write(folder.path(), "audit.log", &events);
    // Nothing listens there: alerts go to the spool.
    write(
        folder.path(),
        "hullward.toml",
        &format!(
            "[[watch.outputs]]\nto = \"webhook=http://127.0.0.1:1/\"\nspool = {{ directory = \"{}/spool\", max_mib = 64 }}\n\n\
             [[watch.outputs]]\nto = \"json={}/alerts.json\"\nattempts = 2\nretry_milliseconds = 1\n",
            disk.display(),
            disk.display()
        ),
    );
    let arguments = format!(
        "--events {} --rules {} --alert-rate 0",
        events.display(),
        rules.display()
    );
    let output = on_a_small_disk(&disk, 64, &arguments, folder.path())
        .wait_with_output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, EVENTS as usize);
    for destination in ["webhook:127.0.0.1:1", "file:"] {
        let told = errors
            .lines()
            .find(|line| line.contains("did not reach") && line.contains(destination));
        let told = told.unwrap_or_else(|| panic!("{destination}: {errors}"));
        assert!(told.contains("No space left"), "{told}");
    }
    assert!(errors.contains("2000 detections"), "{errors}");
}

#[test]
fn a_capture_of_a_rule_on_a_full_disk_is_told_and_the_watch_goes_on() {
    if kernel_is_out_of_reach() || mounting_is_out_of_reach() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let opened = write(folder.path(), "full-of-the-test", "x");
    let rules = write(
        folder.path(),
        "rules.yaml",
        &(opening("full-of-the-test") + "  capture: true\n  capture_duration: 1\n"),
    );
    let arguments = format!(
        "--rules {} --capture-folder {} --capture-scope all",
        rules.display(),
        disk.display()
    );
    let mut child = on_a_small_disk(&disk, 8, &arguments, folder.path());
    let watch = Watch {
        stdout: lines(child.stdout.take().unwrap()),
        stderr: lines(child.stderr.take().unwrap()),
        child,
    };
    Watch::wait(&watch.stderr, "watching with 1 rule");
    std::fs::read(&opened).unwrap();
    Watch::wait(&watch.stdout, "Warning opened");
    Watch::wait(&watch.stderr, "No space left");
    std::fs::read(&opened).unwrap();
    Watch::wait(&watch.stdout, "Warning opened");
    watch.stop();
}

/// The identities of what a process holds in the kernel, by kind (`prog`, `link`, `map`).
fn held(process: u32) -> BTreeSet<(&'static str, String)> {
    let mut held = BTreeSet::new();
    for entry in std::fs::read_dir(format!("/proc/{process}/fdinfo"))
        .unwrap()
        .flatten()
    {
        let Ok(text) = std::fs::read_to_string(entry.path()) else {
            continue;
        };
        for (key, kind) in [("prog_id:", "prog"), ("link_id:", "link"), ("map_id:", "map")] {
            let number = text.lines().find_map(|line| line.strip_prefix(key));
            if let Some(number) = number {
                held.insert((kind, number.trim().to_owned()));
            }
        }
    }
    held
}

#[test]
fn a_watch_that_is_killed_leaves_nothing_and_another_starts() {
    if kernel_is_out_of_reach() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = write(folder.path(), "rules.yaml", &opening("killed-of-the-test"));
    let opened = write(folder.path(), "killed-of-the-test", "x");
    let arguments = ["watch", "--rules", rules.to_str().unwrap()];
    let mut watch = Watch::start(&arguments);
    Watch::wait(&watch.stderr, "watching with 1 rule");
    let held = held(watch.child.id());
    for kind in ["prog", "link", "map"] {
        assert!(held.iter().any(|(held, _)| *held == kind), "{kind}: {held:?}");
    }
    watch.signal("-KILL");
    assert!(!watch.child.wait().unwrap().success());
    if Command::new("bpftool").arg("version").output().is_err() {
        eprintln!("skipped in part: there is no bpftool to ask what is still in the kernel");
    } else {
        for (kind, number) in held {
            let is_there = || {
                let output = Command::new("bpftool")
                    .args([kind, "show", "id", &number])
                    .output();
                output.unwrap().status.success()
            };
            // The kernel frees them a moment later.
            let deadline = Instant::now() + PATIENCE;
            while is_there() {
                assert!(Instant::now() < deadline, "{kind} {number} is still there");
                std::thread::yield_now();
            }
        }
    }
    let watch = Watch::start(&arguments);
    Watch::wait(&watch.stderr, "watching with 1 rule");
    std::fs::read(&opened).unwrap();
    Watch::wait(&watch.stdout, "Warning opened");
    watch.stop();
}

#[test]
fn rules_that_explode_are_loaded_or_refused_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let capture_file = folder.path().join("one.hw");
    capture(&capture_file);
    // Each macro names the one before twice: written out, 2^200 checks.
    let mut text = String::from("- macro: m0\n  condition: fd.name contains /tmp/link\n");
    for number in 1..=200 {
        let before = number - 1;
        text.push_str(&format!(
            "- macro: m{number}\n  condition: (m{before} and proc.name != x{number}) or (m{before} and proc.name != y{number})\n"
        ));
    }
    text.push_str(
        "- rule: Doubling\n  desc: A test.\n  condition: evt.type = openat and m200\n  output: doubled\n  priority: INFO\n",
    );
    // A glob that a backtracking matcher takes for ever over.
    let stars = "*a".repeat(60);
    text.push_str(&format!(
        "- rule: Globbing\n  desc: A test.\n  condition: evt.type = openat and fd.name glob \"{stars}b\"\n  output: globbed\n  \
         priority: INFO\n"
    ));
    let rules = write(folder.path(), "rules.yaml", &text);
    let output = hullward(&["watch", "--all-matches", "--replay"])
        .arg(&capture_file)
        .arg("--rules")
        .arg(&rules)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("doubled") && !text.contains("globbed"),
        "{text} {errors}"
    );
}
