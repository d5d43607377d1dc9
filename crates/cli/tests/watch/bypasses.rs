//! Known ways around runtime sensors, done for real, as root: Hullward's own rules see them. What is below rules (names that
//! change in memory, namespaces, control groups, io_uring) is tested in every kernel by `crates/sensor/tests/kernel.rs`.

use super::*;
use std::os::fd::AsRawFd as _;

/// Runs a shell script in the test's folder; how it ends is not looked at.
fn shell(folder: &Path, script: &str) {
    Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

/// Runs the program behind a descriptor, which has no name that leads to it.
fn run_descriptor(file: &std::fs::File) {
    let name = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    assert!(Command::new(name).status().unwrap().success());
}

#[test]
fn known_ways_around_are_seen() {
    if kernel_is_out_of_reach() {
        return;
    }
    let _quiet = FLOODS.read().unwrap_or_else(PoisonError::into_inner);
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let watch = Watch::start(&[
        "watch",
        "--format",
        "json",
        "--append-output-field",
        "proc.exepath",
    ]);
    Watch::wait(&watch.stderr, "watching with");
    let alert = |rule: &str| -> Value {
        let alert = Watch::wait(&watch.stdout, &format!("\"rule\":\"{rule}\""));
        serde_json::from_str::<Value>(&alert).unwrap()["output_fields"].clone()
    };
    let text = |path: &str| folder.join(path).to_str().unwrap().to_owned();

    // A link to the file, read by a program under a borrowed name.
    shell(
        folder,
        "ln -s /etc/shadow innocent; cp $(command -v cat) ls; ./ls innocent",
    );
    let fields = alert("Sensitive file opened under another name");
    assert_eq!(fields["fd.realpath"], "/etc/shadow");
    assert_eq!(fields["fd.name"], text("innocent"));
    assert_eq!(
        fields["proc.exepath"],
        folder.canonicalize().unwrap().join("ls").to_str().unwrap()
    );

    // A link in the folder's name.
    shell(folder, "ln -s /etc folder; cat folder/shadow");
    let fields = alert("Sensitive file opened under another name");
    assert_eq!(fields["fd.name"], text("folder/shadow"));

    // Links that the kernel makes.
    shell(folder, "cat /proc/self/root/etc/shadow");
    let fields = alert("Sensitive file opened through a link in proc");
    assert_eq!(fields["fd.name"], "/proc/self/root/etc/shadow");

    // A program that is in memory alone.
    let memory = rustix::fs::memfd_create("harmless", rustix::fs::MemfdFlags::empty()).unwrap();
    let mut memory = std::fs::File::from(memory);
    memory.write_all(&std::fs::read("/bin/true").unwrap()).unwrap();
    run_descriptor(&memory);
    alert("Program in memory executed outside a container runtime");

    // A program that is gone by the time that it runs.
    std::fs::copy("/bin/true", folder.join("gone")).unwrap();
    let gone = std::fs::File::open(folder.join("gone")).unwrap();
    std::fs::remove_file(folder.join("gone")).unwrap();
    run_descriptor(&gone);
    alert("Deleted binary executed");

    // The dynamic loader in place of the program.
    let loader = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
        .into_iter()
        .find(|loader| Path::new(loader).exists());
    if let Some(loader) = loader {
        shell(folder, &format!("{loader} /bin/true"));
        alert("Dynamic loader used to run a program");
    }

    // A library that is put before those of the program; by a process that has no build tool among its ancestors.
    shell(
        folder,
        "OUTER=$$ sh -c 'while kill -0 $OUTER; do :; done; LD_PRELOAD=/tmp/of-the-test.so /bin/true' &",
    );
    alert("Library preloaded from a folder that anyone may write to");

    // The sensor itself is stopped for a while.
    watch.signal("-STOP");
    watch.signal("-CONT");
    alert("Signal sent to Hullward");

    let errors = watch.stop();
    assert!(errors.contains(" 0 lost,"), "{errors}");
}
