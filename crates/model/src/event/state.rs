//! Whether events have a field: always, under a condition, or never and why.
//!
//! What is said here of kernel events is held against events of every type by a test of `sensor` (`fields/states.rs`), what
//! is said of others against the fixtures of their sources.

use super::field::{Field, SOURCES};

/// Whether the events of a source have a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldState {
    /// Each has it.
    Given,
    /// Those have it for which this holds; it goes on after “given when”.
    When(&'static str),
    /// None has it, for this reason.
    Never(&'static str),
}

const OTHER_SOURCE: &str = "it is of another source";
const IN_CONTAINER: &str = "the event is in a container, and its runtime tells it";
const IN_POD: &str = "the container is of a pod, and its runtime tells it";
const ON_DESCRIPTOR: &str = "the event is about a descriptor";
const ON_FILE: &str = "the event is about an open file";
const ON_SOCKET: &str = "the event is about a socket of IP";
const HELD: &str = "the event holds it";
const KNOWN_PROGRAM: &str = "the file of the program is known";
const KNOWN_ANCESTOR: &str = "the ancestor is known";

impl Field {
    /// Whether the events of a source have this field.
    #[must_use]
    pub fn state(self, source: &str) -> FieldState {
        let sources = self.info().sources;
        if sources.is_empty() {
            return FieldState::Never(self.reason());
        }
        if !sources.contains(&source) {
            return FieldState::Never(OTHER_SOURCE);
        }
        if source != "syscall" {
            // What all events have does not come out of the event.
            return if sources == SOURCES || self == Self::EvtPluginname || self == Self::EvtPlugininfo {
                FieldState::Given
            } else {
                FieldState::When(HELD)
            };
        }
        self.condition().map_or(FieldState::Given, FieldState::When)
    }

    /// Why no event has it; for fields without a source.
    fn reason(self) -> &'static str {
        let name = self.info().name;
        let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        if begins(&["evt.latency", "evt.wait_latency"]) {
            "the start of a system call is no event"
        } else if begins(&["evt.around"]) {
            "it needs to know the time of another event beforehand"
        } else if begins(&["evt.asynctype"]) {
            "the watch makes no events of its own"
        } else if begins(&["fdlist."]) {
            "the lists that `poll` is given are not copied"
        } else if begins(&["proc.fd"]) {
            "descriptors are not counted at each event, and `/proc` would tell a later moment"
        } else if begins(&["proc.vm", "thread.vm", "thread.pf"]) {
            "memory is not read at each event, and `/proc` would tell a later moment"
        } else if begins(&["thread."]) {
            "processor time is not sampled"
        } else if begins(&["k8s.", "k8smeta."]) {
            "only the cluster knows it, and the cluster is not asked"
        } else if begins(&["ka.req.binding.subject.has_name"]) {
            "it is kept for old rules, as in Falco, where it has no value either"
        } else {
            ""
        }
    }

    /// Under which condition kernel events have it; `None` when all have.
    #[allow(clippy::too_many_lines, reason = "one line for each group of fields")]
    fn condition(self) -> Option<&'static str> {
        use Field as F;
        Some(match self {
            F::SyscallType => "the event is a system call",
            F::EvtArg | F::EvtRawarg => "the event has that parameter",
            F::EvtBuffer => "what was read or written was copied",
            F::EvtBuflen => "the event read or wrote",
            F::EvtIoDir => "the event reads or writes",
            F::EvtRes | F::EvtRawres | F::EvtFailed | F::EvtCountError => "a system call returned",
            F::EvtCountErrorFile | F::EvtCountErrorNet | F::EvtCountErrorMemory | F::EvtCountErrorOther => {
                "a system call of that kind returned"
            }
            F::EvtAbspath => "the event names a path",
            F::FdIp
            | F::FdCip
            | F::FdSip
            | F::FdLip
            | F::FdRip
            | F::FdPort
            | F::FdCport
            | F::FdSport
            | F::FdLport
            | F::FdRport
            | F::FdL4proto
            | F::FdProto
            | F::FdCproto
            | F::FdSproto
            | F::FdLproto
            | F::FdRproto
            | F::FdNet
            | F::FdCnet
            | F::FdSnet
            | F::FdLnet
            | F::FdRnet
            | F::FdCipName
            | F::FdSipName
            | F::FdLipName
            | F::FdRipName
            | F::FdIsServer
            | F::FdConnected => ON_SOCKET,
            F::FdSockfamily => "the event is about a socket",
            F::FdNameChanged => "the event is about a socket that names another peer",
            F::FdRealpath
            | F::FdDirectory
            | F::FdContainerdirectory
            | F::FdFilename
            | F::FdDev
            | F::FdDevMajor
            | F::FdDevMinor
            | F::FdIno
            | F::FdIsUpperLayer
            | F::FdIsLowerLayer => ON_FILE,
            F::FdTypes => "descriptors of the process were seen",
            F::FsPathRealname | F::FsPathRealsource | F::FsPathRealtarget => {
                "the event acts on a path, and the kernel tells where it leads"
            }
            F::FsPathSource | F::FsPathSourceraw | F::FsPathTarget | F::FsPathTargetraw => {
                "the event acted on two paths and succeeded"
            }
            F::FsPathName | F::FsPathNameraw => "the event acted on a path and succeeded",
            _ if (F::FdNum..=F::FdIsLowerLayer).contains(&self) => ON_DESCRIPTOR,
            F::ProcPpid
            | F::ProcPvpid
            | F::ProcPexe
            | F::ProcPexepath
            | F::ProcPname
            | F::ProcPcmdline
            | F::ProcPpidDuration
            | F::ProcPpidTs => "the parent is known",
            F::ProcApid | F::ProcAexe | F::ProcAexepath | F::ProcAname | F::ProcAargs | F::ProcAcmdline => {
                KNOWN_ANCESTOR
            }
            F::ProcSname | F::ProcSidExe | F::ProcSidExepath => "the session is known",
            F::ProcVpgidName
            | F::ProcVpgidExe
            | F::ProcVpgidExepath
            | F::ProcPgidName
            | F::ProcPgidExe
            | F::ProcPgidExepath => "the process group is known",
            F::ProcExe
            | F::ProcExepath
            | F::ProcExeline
            | F::ProcCwd
            | F::ProcIsExeWritable
            | F::ProcIsExeUpperLayer
            | F::ProcIsExeLowerLayer
            | F::ProcIsExeFromMemfd
            | F::ProcIsExeDeleted
            | F::ProcExeIno
            | F::ProcExeInoCtime
            | F::ProcExeInoMtime => KNOWN_PROGRAM,
            F::ProcInterpreter => "the program is run by an interpreter, as scripts are",
            F::ProcEnv | F::ProcAenv => {
                "rules ask for environments, and the process was seen to start or read from `/proc`"
            }
            F::ProcLoginshellid => "a shell is among the process and its ancestors",
            F::ProcTty
            | F::ProcSid
            | F::ProcVpid
            | F::ProcVpgid
            | F::ProcPgid
            | F::ProcIsSidLeader
            | F::ProcIsVpgidLeader
            | F::ProcIsPgidLeader
            | F::ProcDuration
            | F::ProcPidTs => "the start of the process was seen or read from `/proc`",
            F::ProcExeInoCtimeDurationProcStart => {
                "the file of the program was changed before the process started"
            }
            F::ProcExeInoCtimeDurationPidnsStart => {
                "the file of the program was changed after its PID namespace began"
            }
            F::ProcPidnsInitStartTs => "the start of its PID namespace is known",
            F::ProcStdinType | F::ProcStdinName => "standard input is known",
            F::ProcStdoutType | F::ProcStdoutName => "standard output is known",
            F::ProcStderrType | F::ProcStderrName => "standard error is known",
            F::ThreadCapPermitted | F::ThreadCapInheritable | F::ThreadCapEffective => {
                "the credentials of the process were told"
            }
            F::ThreadVtid => "the thread is the main one, or new",
            F::ThreadCgroups | F::ThreadCgroup => "the control group has a known name",
            F::UserLoginuid => "the credentials of the process were told",
            F::ContainerId | F::ContainerType => return None,
            F::ContainerName
            | F::ContainerImage
            | F::ContainerImageId
            | F::ContainerImageRepository
            | F::ContainerImageTag
            | F::ContainerImageDigest
            | F::ContainerPrivileged
            | F::ContainerMounts
            | F::ContainerIp
            | F::ContainerCniJson
            | F::ContainerHostPid
            | F::ContainerHostNetwork
            | F::ContainerHostIpc
            | F::ContainerLabels => "the event is on the host, or the container's runtime tells it",
            F::ContainerFullId => return None,
            _ if (F::ContainerFullId..=F::ContainerLabels).contains(&self) => IN_CONTAINER,
            _ if self.info().name.starts_with("k8s") => IN_POD,
            _ if self.info().name.starts_with("container.") => IN_CONTAINER,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::FIELDS;
    use super::*;

    #[test]
    fn a_field_without_events_has_a_reason_and_others_have_none() {
        for (field, info) in FIELDS {
            for source in SOURCES {
                match field.state(source) {
                    FieldState::Never(reason) => {
                        assert!(!reason.is_empty(), "{}", info.name);
                        assert!(!info.sources.contains(source), "{}", info.name);
                    }
                    FieldState::When(condition) => assert!(!condition.is_empty(), "{}", info.name),
                    FieldState::Given => assert!(info.sources.contains(source), "{}", info.name),
                }
            }
        }
    }
}
