//! What an event answers for each field of the rule language.
//!
//! Nothing is taken apart before it is asked for, and most answers are pieces of the record or of the process.

mod container;
mod descriptor;
mod event;
pub(crate) mod names;
mod parameters;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod sockets;
pub(crate) mod streams;

pub(crate) use descriptor::Descriptor;
pub(crate) use parameters::spec;

use crate::event::KernelEvent;
use model::event::{Argument, EventType, Field, Value};
use std::sync::OnceLock;

/// The value of a field. The catalogue lists fields by what they are about, which says who answers.
pub(crate) fn value<'a>(event: &'a KernelEvent, field: Field, argument: &Argument) -> Value<'a> {
    let answer = if field < Field::FdNum || field == Field::UtilCnt {
        event::value(event, field, argument)
    } else if field < Field::ProcPid {
        descriptor::value(event, field, argument)
    } else if field < Field::UtilCnt {
        process::value(event, field, argument)
    } else {
        container::value(event, field, argument)
    };
    answer.unwrap_or_default()
}

/// A number of a device as programs see it (`makedev`), from the kernel's own.
pub(crate) fn user_device(device: u32) -> u64 {
    let (major, minor) = (u64::from(device >> 20), u64::from(device & 0xf_ffff));
    minor & 0xff | major << 8 | (minor & !0xff) << 12
}

/// Operations of io_uring that have an event type, by their number.
static RING_OPERATIONS: &[(u32, &str)] = &[
    (1, "readv"),
    (2, "writev"),
    (9, "sendmsg"),
    (10, "recvmsg"),
    (13, "accept4"),
    (16, "connect"),
    (17, "fallocate"),
    (18, "openat"),
    (19, "close"),
    (21, "statx"),
    (22, "read"),
    (23, "write"),
    (24, "fadvise64"),
    (25, "madvise"),
    (26, "sendto"),
    (27, "recvfrom"),
    (28, "openat2"),
    (29, "epoll_ctl"),
    (30, "splice"),
    (33, "tee"),
    (34, "shutdown"),
    (35, "renameat2"),
    (36, "unlinkat"),
    (37, "mkdirat"),
    (38, "symlinkat"),
    (39, "linkat"),
    (41, "fsetxattr"),
    (42, "setxattr"),
    (43, "fgetxattr"),
    (44, "getxattr"),
    (45, "socket"),
    (47, "sendto"),
    (48, "sendmsg"),
    (50, "waitid"),
    (55, "ftruncate"),
    (56, "bind"),
    (57, "listen"),
];

/// The event type of an operation of io_uring: that of the system call that does the same.
pub(crate) fn io_uring_event(operation: u32) -> Option<EventType> {
    static TYPES: OnceLock<Vec<(u32, EventType)>> = OnceLock::new();
    let types = TYPES.get_or_init(|| {
        RING_OPERATIONS
            .iter()
            .filter_map(|(number, name)| Some((*number, EventType::named(name)?)))
            .collect()
    });
    types
        .iter()
        .find(|(number, _)| *number == operation)
        .map(|(_, kind)| *kind)
}

/// The operation of io_uring that does what an event type does; for samples.
pub(crate) fn io_uring_operation(kind: EventType) -> Option<u32> {
    RING_OPERATIONS
        .iter()
        .find(|(_, name)| *name == kind.name())
        .map(|(number, _)| *number)
}

#[cfg(test)]
mod states;
#[cfg(test)]
mod tests;
