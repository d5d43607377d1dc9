//! From the running kernel to the answers of events: acts of children of this test, and what fields say of them.
//!
//! Needs root and a kernel with type information; says so and passes where these are missing.
#![allow(clippy::disallowed_methods, reason = "acts on files and programs of its own")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, and why they skip"
)]

use model::event::{Argument, EventType, EventView, Field, Value};
use sensor::containers::{ContainerOptions, Containers};
use sensor::state::HostProc;
use sensor::{KernelEvent, KernelSensor, SensorConfig, SensorError, State, StateOptions};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

struct Watch {
    sensor: KernelSensor,
    state: State,
}

fn boot_offset() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    i64::try_from(now).unwrap() - i64::try_from(sensor::now()).unwrap()
}

fn watch(types: &[&str]) -> Option<Watch> {
    let config = SensorConfig {
        wanted: types.iter().map(|name| EventType::named(name).unwrap()).collect(),
        ..SensorConfig::default()
    };
    let mut sensor = match KernelSensor::start(&config) {
        Ok((sensor, _)) => sensor,
        Err(error @ (SensorError::NotAllowed | SensorError::NoTypes { .. })) => {
            eprintln!("skipped: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let mut state = State::new(StateOptions {
        boot_offset: boot_offset(),
        hostname: "here".to_owned(),
        reader: Some(Box::new(HostProc::start(Path::new("/proc"), true).unwrap())),
        containers: Containers::start(ContainerOptions::default()).unwrap(),
        ..StateOptions::default()
    });
    sensor
        .snapshot(&mut |record| {
            state.apply(&record);
        })
        .unwrap();
    Some(Watch { sensor, state })
}

impl Watch {
    /// The first event that `wanted` takes; what is looked for happened already.
    fn find(&mut self, wanted: impl Fn(&KernelEvent) -> bool) -> KernelEvent {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut found = None;
        while found.is_none() {
            assert!(Instant::now() < deadline, "the event did not come");
            let state = &mut self.state;
            self.sensor
                .poll(Duration::from_millis(100), &mut |record| {
                    if let Some(event) = state.apply(&record)
                        && found.is_none()
                        && wanted(&event)
                    {
                        found = Some(event);
                    }
                })
                .unwrap();
        }
        found.unwrap()
    }
}

fn text(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::List(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

fn ask(event: &KernelEvent, name: &str) -> String {
    let (field, key) = Field::with_dotted_argument(name).unwrap();
    let argument = key.map_or(Argument::None, |key| Argument::Key(key.into()));
    text(&event.value(field, &argument))
}

#[test]
fn a_file_through_a_link() {
    let Some(mut watch) = watch(&["openat", "open", "execve"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    symlink("secret", folder.path().join("link")).unwrap();
    let status = Command::new("cat")
        .arg("./link")
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let event = watch.find(|event| ask(event, "fd.name").ends_with("/link"));
    let folder = folder.path().to_str().unwrap();
    assert_eq!(ask(&event, "evt.type"), "openat");
    assert_eq!(ask(&event, "fd.name"), format!("{folder}/link"));
    assert_eq!(ask(&event, "fd.realpath"), format!("{folder}/secret"));
    assert_eq!(ask(&event, "fd.nameraw"), "./link");
    assert_eq!(ask(&event, "fd.typechar"), "f");
    assert_eq!(ask(&event, "evt.is_open_read"), "true");
    assert_eq!(ask(&event, "proc.name"), "cat");
    assert_eq!(ask(&event, "proc.cmdline"), "cat ./link");
    assert_eq!(ask(&event, "proc.cwd"), format!("{folder}/"));

    assert!(ask(&event, "proc.exepath").ends_with("/cat"));
    assert_eq!(ask(&event, "proc.ppid"), std::process::id().to_string());
    assert!(
        ask(&event, "proc.pexepath").contains("live-"),
        "{}",
        ask(&event, "proc.pexepath")
    );
    assert_eq!(ask(&event, "proc.is_exe_from_memfd"), "false");
    assert_eq!(ask(&event, "user.name"), "root");
    assert_eq!(ask(&event, "container.id"), "host");
    assert!(ask(&event, "thread.cap_effective").contains("CAP_SYS_ADMIN"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    assert!(now.abs_diff(event.time()) < 120_000_000_000);
}
