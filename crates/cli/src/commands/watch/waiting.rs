//! Events of containers that are not known yet wait a moment for what their runtime says of them, so that rules over images
//! and mounts judge even the first program of a container. Events of other containers pass by.

use super::event::Event;
use sensor::containers::ContainerCell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Events that wait at most, over all containers; more pass unenriched.
const MOST: usize = 16_384;

struct Queue {
    cell: Arc<ContainerCell>,
    deadline: Instant,
    events: VecDeque<Event>,
}

/// The events that wait.
pub(crate) struct Waiting {
    patience: Duration,
    queues: HashMap<*const ContainerCell, Queue>,
    count: usize,
    /// Events that passed without what their container's runtime says.
    pub(crate) unenriched: u64,
}

impl Waiting {
    /// Events wait at most this long; not at all when it is zero.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            queues: HashMap::new(),
            count: 0,
            unenriched: 0,
        }
    }

    /// Passes an event on, or keeps it until its container is known. A container's events keep their order.
    pub(crate) fn push(&mut self, event: Event, now: Instant, pass: &mut dyn FnMut(Event)) {
        let Some(cell) = event.container() else {
            return pass(event);
        };
        let key = Arc::as_ptr(cell);
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.events.push_back(event);
            self.count += 1;
            if self.count > MOST {
                self.release(now, true, pass);
            }
            return;
        }
        if cell.is_settled() || self.patience.is_zero() {
            return pass(event);
        }
        let cell = Arc::clone(cell);
        self.count += 1;
        self.queues.insert(
            key,
            Queue {
                cell,
                deadline: now + self.patience,
                events: VecDeque::from([event]),
            },
        );
    }

    /// Passes on what need not wait any more; everything when `all`.
    pub(crate) fn release(&mut self, now: Instant, all: bool, pass: &mut dyn FnMut(Event)) {
        let (count, unenriched) = (&mut self.count, &mut self.unenriched);
        self.queues.retain(|_, queue| {
            let settled = queue.cell.is_settled();
            if !settled && !all && now < queue.deadline {
                return true;
            }
            *count -= queue.events.len();
            if queue.cell.info().is_none() {
                *unenriched += queue.events.len() as u64;
            }
            queue.events.drain(..).for_each(&mut *pass);
            false
        });
    }

    /// How many events wait.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Whether anything waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the tests make what is looked up")]

    use super::*;
    use model::event::{Argument, EventView as _, Field, Value};
    use sensor::containers::{CallError, ContainerInfo, ContainerOptions, Containers, Grpc, GrpcCalls};
    use sensor::state::{State, StateOptions};
    use sensor::wire::Record;
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A runtime that does not answer until it is let go.
    #[derive(Debug)]
    struct Hanging(Mutex<Receiver<()>>);

    impl Grpc for Hanging {
        fn connect(&self, _: &Path, _: Instant) -> Result<Box<dyn GrpcCalls>, CallError> {
            let _ = self.0.lock().unwrap().recv();
            Err(CallError::Failed)
        }
    }

    /// Containers whose runtime does not answer until what comes with it is dropped.
    fn hanging(root: &Path) -> (Containers, Sender<()>) {
        let socket = root.join("runtime.sock");
        std::fs::write(&socket, "").unwrap();
        let (go, gate) = channel();
        let options = ContainerOptions {
            root: root.to_owned(),
            sockets: Vec::new(),
            cri_sockets: vec![PathBuf::from("runtime.sock")],
            grpc: Some(Arc::new(Hanging(Mutex::new(gate)))),
            ..ContainerOptions::default()
        };
        (Containers::start(options).unwrap(), go)
    }

    /// Events that open files of these names, some in containers.
    fn events(containers: &Containers, samples: &str) -> Vec<Event> {
        let mut state = State::new(StateOptions {
            containers: containers.clone(),
            ..StateOptions::default()
        });
        let mut events = Vec::new();
        for sample in sensor::sample::parse(samples).unwrap() {
            for bytes in sample.records().unwrap() {
                events.extend(state.apply(&Record::parse(&bytes).unwrap()));
            }
        }
        let events = events.into_iter();
        events.map(|event| Event::Kernel(Box::new(event))).collect()
    }

    fn name(event: &Event) -> String {
        match event.value(Field::FdName, &Argument::None) {
            Value::Text(text) => String::from_utf8_lossy(&text).into_owned(),
            other => panic!("{other:?}"),
        }
    }

    const SAMPLES: &str = "
- {event: openat, path: /one, process: {name: a}, container: {id: aaaaaaaaaaaa, runtime: containerd}}
- {event: openat, path: /host, process: {name: b, pid: 7}}
- {event: openat, path: /two, process: {name: a}, container: {id: aaaaaaaaaaaa, runtime: containerd}}
- {event: openat, path: /other, process: {name: c, pid: 8}, container: {id: bbbbbbbbbbbb, runtime: containerd}}
";
    const PATIENCE: Duration = Duration::from_millis(500);

    #[test]
    fn events_wait_no_longer_than_the_deadline_for_a_runtime_that_hangs() {
        let root = tempfile::tempdir().unwrap();
        let (containers, _go) = hanging(root.path());
        let mut waiting = Waiting::new(PATIENCE);
        let mut passed = Vec::new();
        let start = Instant::now();
        for event in events(&containers, SAMPLES) {
            waiting.push(event, start, &mut |event| passed.push(name(&event)));
        }
        // What happens on the host waits for nothing.
        assert_eq!(passed, ["/host"]);
        waiting.release(start + PATIENCE - Duration::from_nanos(1), false, &mut |_| {
            panic!("too early")
        });
        assert!(!waiting.is_empty());
        waiting.release(start + PATIENCE, false, &mut |event| {
            let cell = event.container().unwrap();
            assert!(!cell.is_settled());
            // What the control group said is known in any case.
            assert!(matches!(cell.id(), "aaaaaaaaaaaa" | "bbbbbbbbbbbb"));
            passed.push(name(&event));
        });
        assert!(waiting.is_empty());
        let place = |name: &str| passed.iter().position(|each| each == name).unwrap();
        assert_eq!(passed.len(), 4);
        assert!(place("/one") < place("/two"));
        assert_eq!(waiting.unenriched, 3);
    }

    #[test]
    fn events_pass_as_soon_as_their_container_is_known() {
        let root = tempfile::tempdir().unwrap();
        let (containers, _go) = hanging(root.path());
        let mut waiting = Waiting::new(PATIENCE);
        let mut passed = Vec::new();
        let start = Instant::now();
        let events = events(&containers, SAMPLES);
        let identity = events[0].container().unwrap().identity().clone();
        for event in events {
            waiting.push(event, start, &mut |event| passed.push(name(&event)));
        }
        containers.insert(ContainerInfo {
            name: "web".to_owned(),
            ..ContainerInfo::of(&identity)
        });
        waiting.release(start, false, &mut |event| {
            assert_eq!(event.container().unwrap().info().unwrap().name, "web");
            passed.push(name(&event));
        });
        assert_eq!(passed, ["/host", "/one", "/two"]);
        assert_eq!(waiting.unenriched, 0);
        waiting.release(start, true, &mut |event| passed.push(name(&event)));
        assert_eq!(passed[3], "/other");
    }

    #[test]
    fn only_so_many_events_wait() {
        let root = tempfile::tempdir().unwrap();
        let (containers, _go) = hanging(root.path());
        let mut waiting = Waiting::new(PATIENCE);
        let mut passed = 0;
        let start = Instant::now();
        let one = "- {event: openat, path: /x, process: {name: a}, container: {id: aaaaaaaaaaaa, runtime: containerd}}\n";
        for event in events(&containers, &one.repeat(MOST + 1)) {
            assert_eq!(passed, 0);
            waiting.push(event, start, &mut |_| passed += 1);
        }
        assert_eq!(passed, MOST + 1);
        assert!(waiting.is_empty());
    }
}
