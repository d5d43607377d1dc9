//! An event of any source, as the engine and the outputs handle it.

use super::engine::Happening;
use super::live::Context;
use model::event::{Argument, EventType, EventView, Field, Value};
use sensor::KernelEvent;
use sensor::containers::ContainerCell;
use sensor::json::JsonEvent;
use std::sync::Arc;

/// The most ancestors that the live view shows.
const TREE: usize = 4;

/// An event of any source.
pub(crate) enum Event {
    /// Of the kernel.
    Kernel(Box<KernelEvent>),
    /// That arrived as JSON.
    Json(Box<JsonEvent>),
}

impl Event {
    fn view(&self) -> &dyn EventView {
        match self {
            Self::Kernel(event) => &**event,
            Self::Json(event) => &**event,
        }
    }

    /// The container that it happened in, if it is an event of the kernel and happened in one.
    pub(crate) fn container(&self) -> Option<&Arc<ContainerCell>> {
        match self {
            Self::Kernel(event) => event.container(),
            Self::Json(_) => None,
        }
    }

    /// What the live view tells beside an alert.
    pub(crate) fn context(&self) -> Context {
        let Self::Kernel(event) = self else {
            return Context::default();
        };
        let mut tree: Vec<String> = event
            .ancestors()
            .iter()
            .take(TREE)
            .map(|process| String::from_utf8_lossy(&process.comm).into_owned())
            .collect();
        tree.reverse();
        tree.push(String::from_utf8_lossy(&event.process().comm).into_owned());
        let container = event.container().map(|cell| {
            let (name, image) = name_and_image(cell);
            (
                name.unwrap_or_else(|| cell.id().to_owned()),
                image.unwrap_or_default(),
            )
        });
        Context { tree, container }
    }
}

/// What the runtime calls a container, and its image, where they are known.
pub(crate) fn name_and_image(cell: &ContainerCell) -> (Option<String>, Option<String>) {
    match cell.info() {
        Some(info) => (Some(info.name.clone()), Some(info.image.clone())),
        None => (None, None),
    }
}

impl EventView for Event {
    fn event_type(&self) -> EventType {
        self.view().event_type()
    }

    fn value(&self, field: Field, argument: &Argument) -> Value<'_> {
        self.view().value(field, argument)
    }

    fn time(&self) -> u64 {
        self.view().time()
    }

    fn source(&self) -> &'static str {
        self.view().source()
    }
}

impl Happening for Event {
    fn order_key(&self) -> u64 {
        match self {
            Self::Kernel(event) => u64::from(event.record().header.tgid),
            // Audit logs have one order.
            Self::Json(_) => 0,
        }
    }
}
