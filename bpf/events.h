// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The records that the programs write: the kernel's side of crates/sensor/src/wire.rs, which describes each field.
#ifndef HULLWARD_EVENTS_H
#define HULLWARD_EVENTS_H

enum kind {
	KIND_SYSCALL = 1,
	KIND_EXEC = 2,
	KIND_FORK = 3,
	KIND_EXIT = 4,
	KIND_SNAPSHOT = 5,
	KIND_IO_URING = 6,
	KIND_SOCKET_STATE = 7,
	KIND_CGROUP = 8,
	KIND_SNAPSHOT_FILE = 9,
};

enum tag {
	TAG_PATH = 1,
	TAG_SECOND_PATH = 2,
	TAG_BASE = 3,
	TAG_SECOND_BASE = 4,
	TAG_FILE = 5,
	TAG_FILE_META = 6,
	TAG_SOCKET = 7,
	TAG_UNIX_PATH = 8,
	TAG_ADDRESS = 9,
	TAG_DATA = 10,
	TAG_COMM = 11,
	TAG_ARGV = 12,
	TAG_ENVIRONMENT = 13,
	TAG_WORKING_FOLDER = 14,
	TAG_CREDENTIALS = 15,
	TAG_PROCESS = 16,
	TAG_CGROUP = 17,
	TAG_INTERPRETER = 18,
	TAG_SECOND_FILE = 19,
	TAG_SECOND_FILE_META = 20,
	TAG_FILENAME = 21,
	TAG_EXECUTABLE = 22,
	TAG_EXECUTABLE_META = 23,
	TAG_TEXT = 24,
	TAG_CONTROL = 25,
	TAG_SECOND_SOCKET = 26,
	TAG_OPEN_FILE = 27,
	TAG_RESOLVED = 28,
	TAG_SECOND_RESOLVED = 29,
};

struct header {
	u32 size;
	u8 kind;
	u8 abi;
	u16 cpu;
	u64 time;
	u64 cgroup;
	u32 tid;
	u32 tgid;
	u32 ppid;
	u32 syscall;
	u32 uid;
	u32 gid;
	u32 mount_namespace;
	u32 pid_namespace;
	s64 ret;
	u64 args[6];
	u64 start_time;
	u64 sequence;
};
_Static_assert(sizeof(struct header) == 128, "the header of wire.rs");

enum file_flag {
	FILE_UPPER_LAYER = 1,
	FILE_LOWER_LAYER = 2,
	FILE_MEMFD = 4,
	FILE_DELETED = 8,
	FILE_PATH_CUT = 16,
	FILE_WRITABLE = 32,
};

// Beside the flags of an open file: opening made it.
#define OPEN_CREATED (1u << 31)

struct file_meta {
	u64 inode;
	u64 change_time;
	u64 modify_time;
	u32 device;
	u32 mode;
	u32 flags;
	u32 filesystem_magic;
	u32 owner;
	u32 mount;
};
_Static_assert(sizeof(struct file_meta) == 48, "FileMeta of wire.rs");

struct socket_ends {
	u16 family;
	u8 type;
	u8 protocol;
	u8 state;
	u8 role;
	u16 local_port;
	u16 remote_port;
	u16 protocol_wide;
	u32 cookie[2];
	u32 local[4];
	u32 remote[4];
};
_Static_assert(sizeof(struct socket_ends) == 52, "Socket of wire.rs");

struct credentials {
	u32 uid;
	u32 effective_uid;
	u32 saved_uid;
	u32 filesystem_uid;
	u32 gid;
	u32 effective_gid;
	u32 saved_gid;
	u32 filesystem_gid;
	u32 login_uid;
	u32 user_namespace;
	u64 inheritable;
	u64 permitted;
	u64 effective;
	u64 bounding;
	u64 ambient;
};
_Static_assert(sizeof(struct credentials) == 80, "Credentials of wire.rs");

struct process {
	u64 parent_start_time;
	u32 process_group;
	u32 session;
	u32 virtual_tid;
	u32 virtual_pid;
	u32 virtual_parent;
	u32 virtual_process_group;
	u32 virtual_session;
	u32 terminal;
	u32 flags;
	u32 network_namespace;
	u32 ipc_namespace;
	u32 uts_namespace;
	u32 cgroup_namespace;
	u32 real_parent_tid;
};
_Static_assert(sizeof(struct process) == 64, "Process of wire.rs");

// What is shared with the loader through maps: crates/sensor/src/kernel.rs holds the same.

// Programs behind the dispatcher of system calls, by their index in `handlers`.
enum handler {
	HANDLER_NONE = 0,
	HANDLER_ARGUMENTS = 1,
	HANDLER_PATHS = 2,
	HANDLER_SOCKET = 3,
	HANDLER_SOCKETCALL = 4,
	HANDLERS = 5,
};

// Where an argument is not used.
#define NO_ARGUMENT 0xff
// Where the descriptor is what the call returned.
#define RETURNED 0xfe

enum wanted_flag {
	// Only failures: what succeeded is told by another record.
	WANTED_FAILED_ONLY = 1,
	// State after the call.
	WANTED_WORKING_FOLDER = 2,
	WANTED_CREDENTIALS = 4,
	WANTED_PROCESS = 8,
	WANTED_COMM = 16,
	// The length of the address is behind a pointer.
	WANTED_ADDRESS_POINTER = 32,
	// `data` is a vector of buffers, or a message header.
	WANTED_VECTOR = 64,
	WANTED_MESSAGE = 128,
	// The side that connected, or accepted.
	WANTED_CONNECTS = 256,
	WANTED_ACCEPTS = 512,
	// The structures that pointers lead to have 32-bit pointers.
	WANTED_COMPAT_LAYOUT = 1024,
	// The third argument is `struct open_how`: flags, mode and resolve go to args[2], args[3] and args[4].
	WANTED_OPEN_HOW = 2048,
	// The file of the descriptor is an open one whose flags count.
	WANTED_OPENS = 4096,
	// Two descriptors are returned in the array of the last argument.
	WANTED_PAIR = 8192,
	// What the call returns is a number of messages, not of bytes.
	WANTED_MANY = 16384,
	// Not where the first argument is a TCP socket.
	WANTED_NOT_TCP = 32768,
};

// Where the flags of `wanted` say by which of the kernel's checks the path of the call is followed: 4 bits.
#define WANTED_RESOLVES_SHIFT 16

// What a call does with a path, as the kernel's checks of paths tell such calls apart.
enum resolves {
	RESOLVES_NOTHING = 0,
	RESOLVES_REMOVAL = 1,
	RESOLVES_FOLDER = 2,
	RESOLVES_NODE = 3,
	RESOLVES_SYMLINK = 4,
	RESOLVES_LINK = 5,
	RESOLVES_RENAME = 6,
	RESOLVES_TRUNCATE = 7,
	RESOLVES_MODE = 8,
	RESOLVES_OWNER = 9,
	RESOLVES_MOUNT = 10,
	RESOLVES_ROOT = 11,
};

// What a system call takes: numbers of arguments (0 to 5), NO_ARGUMENT or RETURNED.
struct wanted {
	u8 handler;
	u8 path;
	u8 base;
	u8 second_path;
	u8 second_base;
	u8 text;
	u8 descriptor;
	u8 second_descriptor;
	u8 address;
	u8 data;
	// The number that is reported, in the table that `abi` names.
	u16 number;
	u32 flags;
};
_Static_assert(sizeof(struct wanted) == 16, "Wanted of kernel.rs");

struct settings {
	// Process whose system calls are not reported, or 0.
	u32 own_process;
	u32 rings;
	// Bytes in a ring from which the reader is woken, and from which budgets count.
	u64 wake_bytes;
	u64 pressure_bytes;
	u64 high_pressure_bytes;
	// Events a second that each control group has for itself under pressure; 0: no budgets.
	u64 budget;
	// Operations of io_uring that are reported, one bit each.
	u64 io_uring;
	u32 data_bytes;
	u32 argument_bytes;
	// 0: the environment is not copied.
	u32 environment_bytes;
	// 1: there are only cgroups of version 2.
	u32 unified;
	u32 socket_states;
	u32 slots;
	// The controller of version 1 by which containers are told apart.
	u32 controller;
	// Kinds of `enum resolves` that are followed, one bit each.
	u32 resolves;
};
_Static_assert(sizeof(struct settings) == 80, "Settings of kernel.rs");

enum controller {
	CONTROLLER_NONE = 0,
	CONTROLLER_MEMORY = 1,
	CONTROLLER_PIDS = 2,
	CONTROLLER_DEVICES = 3,
	CONTROLLER_CPU = 4,
	CONTROLLER_FREEZER = 5,
};

enum loss {
	LOSS_RING_FULL = 0,
	LOSS_BUDGET = 1,
	LOSS_NESTED = 2,
	LOSS_TOO_LARGE = 3,
	LOSS_HANDLER = 4,
	LOSSES = 5,
};

struct counters {
	// Records made, lost ones included.
	u64 made;
	u64 lost[LOSSES];
	u64 last_cgroup;
	u64 spare;
};
_Static_assert(sizeof(struct counters) == 64, "Counters of kernel.rs");

#endif
