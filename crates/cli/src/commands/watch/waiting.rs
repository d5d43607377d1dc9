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
