//! What happens at run time, as rules see it: event types, fields, values, and the view that an event gives of itself.
//!
//! The names are those of the Falco rule language. An event source (crate `sensor`) makes events that answer
//! [`EventView::value`]; the rule engine (crate `detect`) asks; neither knows the other.

mod alert;
mod field;
mod kind;
mod state;
mod value;

pub use alert::{Alert, ParsePriorityError, Priority};
pub use field::{Argument, ArgumentRule, FIELDS, Field, FieldInfo, FieldKind, SOURCES};
pub use kind::{Category, EVENT_TYPES, EventType, EventTypeInfo, GENERIC_SYSCALLS, Parameter};
pub use state::FieldState;
pub use value::{FieldValue, Value};

/// One event, as the rule engine asks it.
///
/// Implementations answer from the event itself and from what was known when it happened, and never block: what is not
/// known is [`Value::Absent`].
pub trait EventView {
    /// What kind of event this is.
    fn event_type(&self) -> EventType;

    /// The value of a field. `argument` is what stands in brackets (or after `evt.arg.`), checked against
    /// [`FieldInfo::argument`] when the rule was loaded.
    fn value(&self, field: Field, argument: &Argument) -> Value<'_>;

    /// When it happened, in nanoseconds since the Unix epoch.
    fn time(&self) -> u64;

    /// The event source that rules name (`syscall`, `k8s_audit` ...).
    fn source(&self) -> &'static str;
}
