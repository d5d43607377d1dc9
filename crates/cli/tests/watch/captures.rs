//! Captures that rules start.

use super::*;
use testkit::control_group::ControlGroup;

#[test]
fn a_rule_starts_a_capture_that_can_be_replayed() {
    if kernel_is_out_of_reach() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let captures = folder.path().join("captures");
    std::fs::create_dir(&captures).unwrap();
    let trigger = write(folder.path(), "trigger-of-the-test", "x");
    let after = write(folder.path(), "after-of-the-test", "x");
    let capturing = opening("trigger-of-the-test") + "  capture: true\n  capture_duration: 1500\n";
    let rules = write(
        folder.path(),
        "rules.yaml",
        &format!(
            "{capturing}{}",
            opening("after-of-the-test").replace("Test file", "Later file")
        ),
    );
    let watch = Watch::start(&[
        "watch",
        "--rules",
        rules.to_str().unwrap(),
        "--format",
        "json",
        "--capture-folder",
        captures.to_str().unwrap(),
    ]);
    Watch::wait(&watch.stderr, "watching with 2 rules");
    // The shell opens the first file, then those below it the second; a stranger opens it too.
    let script = format!(
        "read line < {}; cat {} > /dev/null",
        trigger.display(),
        after.display()
    );
    let status = Command::new("sh").args(["-c", &script]).status();
    assert!(status.unwrap().success());
    assert!(
        Command::new("head")
            .arg(&after)
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let line = Watch::wait(&watch.stderr, " records after `Test file opened`");
    watch.stop();
    let files: Vec<PathBuf> = std::fs::read_dir(&captures)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(line.contains(files[0].to_str().unwrap()), "{line}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&files[0]).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let replay = |rules: &Path| {
        let output = hullward(&["watch", "--format", "json", "--replay"])
            .arg(&files[0])
            .arg("--rules")
            .arg(rules)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        alerts(&output.stdout)
    };
    let seen: Vec<(String, String)> = replay(&rules)
        .iter()
        .map(|alert| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&alert["rule"]), text(&alert["output_fields"]["proc.name"]))
        })
        .collect();
    let expected = [("Test file opened", "sh"), ("Later file opened", "cat")];
    assert_eq!(
        seen,
        expected.map(|(rule, name)| (rule.to_owned(), name.to_owned()))
    );

    // Without the option, it is told that the rules ask for captures.
    let output = hullward(&["watch", "--seconds", "0", "--rules"])
        .arg(&rules)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("1 rules ask for a capture") && errors.contains("--capture-folder"),
        "{errors}"
    );
}

#[test]
fn a_capture_holds_its_container_and_there_are_only_so_many() {
    if kernel_is_out_of_reach() {
        return;
    }
    let id = format!("{:0>64x}", 0xbeef_0000_0000_u64 + u64::from(std::process::id()));
    // Its name is that of a container of Docker.
    let group = match ControlGroup::new(&format!("docker-{id}.scope")) {
        Ok(group) => group,
        Err(reason) => {
            eprintln!("skipped: {reason}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let captures = folder.path().join("captures");
    std::fs::create_dir(&captures).unwrap();
    let trigger = write(folder.path(), "start-of-the-cage", "x");
    let after = write(folder.path(), "later-of-the-cage", "x");
    let rules = write(
        folder.path(),
        "rules.yaml",
        &format!(
            "{}{}",
            opening("start-of-the-cage"),
            opening("later-of-the-cage").replace("Test file", "Later file")
        ),
    );
    let watch = Watch::start(&[
        "watch",
        "--rules",
        rules.to_str().unwrap(),
        "--container-wait",
        "0",
        "--capture-folder",
        captures.to_str().unwrap(),
        "--capture-all-rules",
        "--capture-all-events",
        "--capture-seconds",
        "2",
        "--capture-files",
        "1",
    ]);
    Watch::wait(&watch.stderr, "watching with 2 rules");
    // Each is a shell of its own: the container is all that they have in common.
    group.run(&[], &format!("read line < {} || true", trigger.display()));
    Watch::wait(&watch.stdout, "start-of-the-cage");
    group.run(&[], &format!("read line < {} || true", after.display()));
    // Outside of it there is no second capture.
    std::fs::read(&after).unwrap();
    Watch::wait(&watch.stderr, "as many as --capture-files allows");
    let line = Watch::wait(&watch.stderr, " records after `");
    watch.stop();
    let file = line
        .split_whitespace()
        .find(|word| word.ends_with(".hw"))
        .unwrap();
    let output = hullward(&["watch", "--format", "json", "--replay", file, "--rules"])
        .arg(&rules)
        .output()
        .unwrap();
    let seen: Vec<(String, String)> = alerts(&output.stdout)
        .iter()
        .map(|alert| {
            let fields = &alert["output_fields"];
            (
                fields["fd.name"].as_str().unwrap().to_owned(),
                fields["container.id"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let short = id.get(..12).unwrap();
    assert_eq!(
        seen,
        [&trigger, &after].map(|path| (path.to_str().unwrap().to_owned(), short.to_owned()))
    );
}
