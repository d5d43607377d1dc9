// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Hullward's eye in the kernel: system calls that rules ask for, and the lives of processes, files, sockets and control groups.
//
// One object for every kernel from 5.8 that describes its own types (BTF); the loader fills in where fields are. Programs
// that a kernel does not take are left out by the loader, which says so.
#include "vmlinux.h"
#include "helpers.h"
#include "events.h"
#include "record.h"
#include "path.h"
#include "socket.h"
#include "task.h"
#include "resolve.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NATIVE_CALLS 512
#define COMPAT_CALLS 512
// x32 has calls of its own from this number on, few of them.
#define X32_FIRST 512
#define X32_CALLS 64
#define WANTED_ROWS (NATIVE_CALLS + COMPAT_CALLS + X32_CALLS)

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, WANTED_ROWS);
	__type(key, u32);
	__type(value, struct wanted);
} wanted SEC(".maps");

struct {
	__uint(type, MAP_PROGRAM_ARRAY);
	__uint(max_entries, HANDLERS);
	__type(key, u32);
	__type(value, u32);
} handlers SEC(".maps");

// The row of `wanted` for the system call that returns, or a negative number; `compat` for the 32-bit table.
inlined s64 row_of(struct pt_regs *regs, struct task_struct *task, bool direct, bool *compat)
{
#if defined(__TARGET_ARCH_x86)
	s64 number = regs->orig_ax;
	// TS_COMPAT: the call came in by the 32-bit gates.
	*compat = GET(direct, task->thread_info.status) & 2;
	if (*compat) {
		number = (u32)number;
		return number < COMPAT_CALLS ? NATIVE_CALLS + number : -1;
	}
	if (number & 0x40000000) {
		number &= ~0x40000000;
		if (number >= X32_FIRST && number < X32_FIRST + X32_CALLS)
			return NATIVE_CALLS + COMPAT_CALLS + number - X32_FIRST;
	}
#else
	s64 number = regs->syscallno;
	// TIF_32BIT
	*compat = GET(direct, task->thread_info.flags) & (1 << 22);
	if (*compat)
		return number >= 0 && number < COMPAT_CALLS ? NATIVE_CALLS + number : -1;
#endif
	return number >= 0 && number < NATIVE_CALLS ? number : -1;
}

inlined s64 current_row(struct pt_regs *regs, bool *compat)
{
	if (TYPED_CURRENT)
		return row_of(regs, bpf_get_current_task_btf(), true, compat);
	return row_of(regs, (struct task_struct *)bpf_get_current_task(), false, compat);
}

inlined void arguments_of(struct header *header, struct pt_regs *regs, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	if (compat) {
		header->args[0] = (u32)regs->bx;
		header->args[1] = (u32)regs->cx;
		header->args[2] = (u32)regs->dx;
		header->args[3] = (u32)regs->si;
		header->args[4] = (u32)regs->di;
		header->args[5] = (u32)regs->bp;
	} else {
		header->args[0] = regs->di;
		header->args[1] = regs->si;
		header->args[2] = regs->dx;
		header->args[3] = regs->r10;
		header->args[4] = regs->r8;
		header->args[5] = regs->r9;
	}
#else
	u64 mask = compat ? 0xffffffff : ~0ull;
	header->args[0] = regs->orig_x0 & mask;
	header->args[1] = regs->regs[1] & mask;
	header->args[2] = regs->regs[2] & mask;
	header->args[3] = regs->regs[3] & mask;
	header->args[4] = regs->regs[4] & mask;
	header->args[5] = regs->regs[5] & mask;
#endif
}

inlined s32 first_argument(struct pt_regs *regs, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	return compat ? regs->bx : regs->di;
#else
	(void)compat;
	return regs->orig_x0;
#endif
}

// Every system call of the host comes by here: as little as can be.
SEC("tp_btf/sys_exit")
int sys_exit(u64 *context)
{
	bool compat;
	s64 row = current_row((struct pt_regs *)context[0], &compat);
	if (row < 0)
		return 0;
	u32 key = row;
	struct wanted *call = bpf_map_lookup_elem(&wanted, &key);
	if (!call || !call->handler)
		return 0;
	// By far the most of what is sent and received, and rules seldom ask for it. Looked at here, since a tail call and what
	// begins a record cost as much again.
	if (call->flags & WANTED_NOT_TCP && is_tcp(first_argument((struct pt_regs *)context[0], compat)))
		return 0;
	bpf_tail_call(context, &handlers, call->handler);
	// No such program: the table and the loader disagree.
	struct counters *counters = counters_of(0);
	if (counters) {
		counters->made++;
		count_loss(counters, LOSS_HANDLER);
	}
	return 0;
}

// Starts the record of a system call: header, arguments, and what the table says of it.
inlined s32 begin_call(u64 *context)
{
	struct pt_regs *regs = (struct pt_regs *)context[0];
	s64 ret = context[1];
	bool compat;
	s64 row = current_row(regs, &compat);
	if (row < 0)
		return -1;
	u32 key = row;
	struct wanted *call = bpf_map_lookup_elem(&wanted, &key);
	struct settings *settings = settings_now();
	if (!call || !settings)
		return -1;
	if (compat)
		ret = (s32)ret;
	if (call->flags & WANTED_FAILED_ONLY && ret >= 0)
		return -1;
	if (settings->own_process && settings->own_process == bpf_get_current_pid_tgid() >> 32)
		return -1;
	s32 index;
	if (TYPED_CURRENT)
		index = begin(bpf_get_current_task_btf(), settings, KIND_SYSCALL, true, true);
	else
		index = begin((struct task_struct *)bpf_get_current_task(), settings, KIND_SYSCALL, false, true);
	if (index < 0)
		return -1;
	struct slot *slot = slot_of(index);
	if (!slot)
		return -1;
	struct header *header = (struct header *)slot->record;
	header->abi = compat;
	header->ret = ret;
	header->syscall = call->number;
	arguments_of(header, regs, compat);
	slot->wanted = *call;
	return index;
}

inlined u64 argument(struct slot *slot, u8 which)
{
	struct header *header = (struct header *)slot->record;
	if (which == RETURNED)
		return header->ret;
	which &= 7;
	return which < 6 ? header->args[which] : 0;
}

// State that the call may have changed.
separate int put_state(u32 index)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct task_struct *task = (struct task_struct *)slot->task;
	u32 flags = slot->wanted.flags;
	if (flags & WANTED_WORKING_FOLDER)
		put_working_folder(index, task);
	if (flags & WANTED_CREDENTIALS)
		put_credentials(index, (u64)task);
	if (flags & WANTED_PROCESS)
		put_process(index, (u64)task, 0);
	if (flags & WANTED_COMM)
		put_comm(slot, task);
	return 0;
}

// A path argument, and the folder that it starts from when it is relative.
inlined void put_path(struct slot *slot, u32 index, u8 path, u8 base, u32 tag, u32 base_tag)
{
	if (path == NO_ARGUMENT)
		return;
	int form = put_user_text(index, argument(slot, path), tag);
	if (form == 1)
		return;
	put_base(index, base == NO_ARGUMENT ? AT_CURRENT_FOLDER : (int)argument(slot, base), base_tag);
}

// FMODE_CREATED: the open that gave this file made it.
#define FILE_MODE_CREATED (1u << 20)

inlined void put_open_file(struct slot *slot, struct file *file, s32 descriptor)
{
	u32 created = READ(file->f_mode) & FILE_MODE_CREATED ? OPEN_CREATED : 0;
	u32 open[2] = {READ(file->f_flags) | created, descriptor};
	put_bytes(slot, TAG_OPEN_FILE, open, sizeof(open));
}

// What the paths and descriptors of the call lead to.
separate int put_paths(u32 index)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct header *header = (struct header *)slot->record;
	struct wanted *call = &slot->wanted;
	u32 flags = call->flags;
	if (flags & WANTED_OPEN_HOW) {
		u64 how[3] = {};
		bpf_probe_read_user(how, sizeof(how), (void *)header->args[2]);
		header->args[2] = how[0];
		header->args[3] = how[1];
		header->args[4] = how[2];
	}
	put_path(slot, index, call->path, call->base, TAG_PATH, TAG_BASE);
	put_path(slot, index, call->second_path, call->second_base, TAG_SECOND_PATH, TAG_SECOND_BASE);
	if (call->text != NO_ARGUMENT)
		put_user_text(index, argument(slot, call->text), TAG_TEXT);
	return 0;
}

separate int put_files(u32 index)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct wanted *call = &slot->wanted;
	if (call->descriptor != NO_ARGUMENT) {
		s32 descriptor = argument(slot, call->descriptor);
		struct file *file = file_of(slot, descriptor);
		if (file) {
			u32 mode = put_file(index, (u64)file, TAG_FILE);
			if (call->flags & WANTED_OPENS)
				put_open_file(slot, file, descriptor);
			if ((mode & MODE_TYPE) == MODE_SOCKET)
				put_socket(index, (u64)file, TAG_SOCKET, 0);
		}
	}
	if (call->second_descriptor != NO_ARGUMENT) {
		struct file *file = file_of(slot, (s32)argument(slot, call->second_descriptor));
		if (file) {
			u32 mode = put_file(index, (u64)file, TAG_SECOND_FILE);
			if ((mode & MODE_TYPE) == MODE_SOCKET)
				put_socket(index, (u64)file, TAG_SECOND_SOCKET, 0);
		}
	}
	return 0;
}

// The address that the caller gave.
separate int put_address(u32 index)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct wanted *call = &slot->wanted;
	if (call->address == NO_ARGUMENT)
		return 0;
	u64 from = argument(slot, call->address);
	u64 length = argument(slot, call->address + 1);
	if (!from)
		return 0;
	if (call->flags & WANTED_ADDRESS_POINTER) {
		u32 behind = 0;
		if (bpf_probe_read_user(&behind, sizeof(behind), (void *)length))
			return 0;
		length = behind;
	}
	u32 size = length > 128 ? 128 : length;
	return put_user_bytes(index, from, size, TAG_ADDRESS);
}

struct message {
	u64 name;
	u64 name_length;
	u64 vectors;
	u64 vector_count;
	u64 control;
	u64 control_length;
};

// The first bytes that the call read or wrote, and what else a message header holds.
separate int put_data(u32 index, u32 limit)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct header *header = (struct header *)slot->record;
	struct wanted *call = &slot->wanted;
	if (call->data == NO_ARGUMENT)
		return 0;
	u64 from = argument(slot, call->data);
	bool narrow = call->flags & WANTED_COMPAT_LAYOUT;
	u64 vectors = 0;
	if (call->flags & WANTED_MESSAGE) {
		struct message message = {};
		if (narrow) {
			u32 fields[6] = {};
			bpf_probe_read_user(fields, sizeof(fields), (void *)from);
			message.name = fields[0];
			message.name_length = fields[1];
			message.vectors = fields[2];
			message.vector_count = fields[3];
			message.control = fields[4];
			message.control_length = fields[5];
		} else {
			bpf_probe_read_user(&message, sizeof(message), (void *)from);
		}
		u32 length = message.name_length;
		if (message.name && length)
			put_user_bytes(index, message.name, length > 128 ? 128 : length, TAG_ADDRESS);
		u32 control = message.control_length > 512 ? 512 : message.control_length;
		if (message.control && control && header->ret >= 0)
			put_user_bytes(index, message.control, control, TAG_CONTROL);
		vectors = message.vector_count ? message.vectors : 0;
		if (!vectors)
			return 0;
	} else if (call->flags & WANTED_VECTOR) {
		vectors = from;
	}
	if (header->ret <= 0 || !limit)
		return 0;
	u64 length = header->ret;
	if (vectors) {
		// The first buffer tells what it is.
		u64 first[2] = {};
		if (narrow) {
			u32 fields[2] = {};
			bpf_probe_read_user(fields, sizeof(fields), (void *)vectors);
			first[0] = fields[0];
			first[1] = fields[1];
		} else {
			bpf_probe_read_user(first, sizeof(first), (void *)vectors);
		}
		from = first[0];
		if (length > first[1] || call->flags & WANTED_MANY)
			length = first[1];
	}
	if (length > limit)
		length = limit;
	return put_user_bytes(index, from, length, TAG_DATA);
}

// Calls whose numbers say everything.
SEC("tp_btf/sys_exit")
int call_arguments(u64 *context)
{
	s32 index = begin_call(context);
	if (index < 0)
		return 0;
	put_state(index);
	finish(index);
	return 0;
}

// Calls with paths and descriptors.
SEC("tp_btf/sys_exit")
int call_paths(u64 *context)
{
	s32 index = begin_call(context);
	if (index < 0)
		return 0;
	put_paths(index);
	put_resolved(index);
	put_files(index);
	put_state(index);
	finish(index);
	return 0;
}

inlined void put_call_socket(u32 index)
{
	struct slot *slot = slot_of(index);
	struct settings *settings = settings_now();
	if (!slot || !settings)
		return;
	struct wanted *call = &slot->wanted;
	struct header *header = (struct header *)slot->record;
	u32 role = call->flags & WANTED_CONNECTS ? 1 : call->flags & WANTED_ACCEPTS ? 2 : 0;
	if (call->flags & WANTED_PAIR) {
		int pair[2] = {-1, -1};
		if (header->ret >= 0)
			bpf_probe_read_user(pair, sizeof(pair), (void *)header->args[3]);
		put_socket(index, (u64)file_of(slot, pair[0]), TAG_SOCKET, 0);
		put_socket(index, (u64)file_of(slot, pair[1]), TAG_SECOND_SOCKET, 0);
		return;
	}
	if (call->descriptor != NO_ARGUMENT) {
		struct file *file = file_of(slot, (s32)argument(slot, call->descriptor));
		if (file && !put_socket(index, (u64)file, TAG_SOCKET, role))
			put_file(index, (u64)file, TAG_FILE);
	}
	put_address(index);
	put_data(index, settings->data_bytes);
}

// Calls on sockets, and reads and writes.
SEC("tp_btf/sys_exit")
int call_socket(u64 *context)
{
	s32 index = begin_call(context);
	if (index < 0)
		return 0;
	put_call_socket(index);
	finish(index);
	return 0;
}

// The one call for all of sockets that 32-bit x86 programs use: reported as the call that it stands for.
SEC("tp_btf/sys_exit")
int call_socketcall(u64 *context)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs = (struct pt_regs *)context[0];
	// What each of them is called by itself: socket, bind, connect, listen, accept (accept4), getsockname, getpeername,
	// socketpair, send (sendto), recv (recvfrom), sendto, recvfrom, shutdown, setsockopt, getsockopt, sendmsg, recvmsg,
	// accept4, recvmmsg, sendmmsg.
	u32 call = regs->bx;
	u32 number;
	switch (call) {
	case 1: number = 359; break;
	case 2: number = 361; break;
	case 3: number = 362; break;
	case 4: number = 363; break;
	case 5: number = 364; break;
	case 8: number = 360; break;
	case 9: number = 369; break;
	case 10: number = 371; break;
	case 11: number = 369; break;
	case 12: number = 371; break;
	case 13: number = 373; break;
	case 16: number = 370; break;
	case 17: number = 372; break;
	case 18: number = 364; break;
	case 19: number = 337; break;
	case 20: number = 345; break;
	default: return 0;
	}
	u32 key = NATIVE_CALLS + number;
	struct wanted *row = bpf_map_lookup_elem(&wanted, &key);
	if (!row || !row->handler)
		return 0;
	s32 index = begin_call(context);
	if (index < 0)
		return 0;
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct header *header = (struct header *)slot->record;
	u32 arguments[6] = {};
	u32 from = regs->cx;
	// send and recv have four arguments, the others that matter at most six; reading more than there is does no harm.
	if (bpf_probe_read_user(arguments, sizeof(arguments), (void *)(u64)from))
		bpf_probe_read_user(arguments, 12, (void *)(u64)from);
	if (call == 9 || call == 10) {
		arguments[4] = 0;
		arguments[5] = 0;
	}
	if (call == 5)
		arguments[3] = 0;
	header->args[0] = arguments[0];
	header->args[1] = arguments[1];
	header->args[2] = arguments[2];
	header->args[3] = arguments[3];
	header->args[4] = arguments[4];
	header->args[5] = arguments[5];
	header->syscall = number;
	slot->wanted = *row;
	put_call_socket(index);
	finish(index);
#else
	(void)context;
#endif
	return 0;
}

// The whole of a process, as the records of its start hold it.
separate int put_snapshot(u32 index, u32 flags)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct task_struct *task = (struct task_struct *)slot->task;
	put_comm(slot, task);
	put_process(index, (u64)task, flags);
	put_credentials(index, (u64)task);
	put_working_folder(index, task);
	put_executable(index, task);
	return 0;
}

inlined u32 exec_number(bool compat, const char *by_descriptor)
{
#if defined(__TARGET_ARCH_x86)
	if (compat)
		return by_descriptor ? 358 : 11;
	return by_descriptor ? 322 : 59;
#else
	if (compat)
		return by_descriptor ? 387 : 11;
	return by_descriptor ? 281 : 221;
#endif
}

SEC("tp_btf/sched_process_exec")
int process_exec(u64 *context)
{
	struct task_struct *task = (struct task_struct *)context[0];
	struct linux_binprm *program = (struct linux_binprm *)context[2];
	struct settings *settings = settings_now();
	if (!settings)
		return 0;
	s32 index = begin(task, settings, KIND_EXEC, true, true);
	if (index < 0)
		return 0;
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct header *header = (struct header *)slot->record;
	clear_arguments(header);
#if defined(__TARGET_ARCH_x86)
	header->abi = !!(task->thread_info.status & 2);
#else
	header->abi = !!(task->thread_info.flags & (1 << 22));
#endif
	// The old PID, where a thread that was not the first took the place of its process.
	header->args[0] = context[1];
	// The kernel has made the caller's number that of execve; what was given by descriptor came by execveat.
	header->syscall = exec_number(header->abi, READ(program->fdpath));
	put_snapshot(index, 0);
	const char *filename = READ(program->filename);
	const char *interpreter = READ(program->interp);
	put_kernel_text(index, (u64)filename, TAG_FILENAME);
	if (interpreter != filename)
		put_kernel_text(index, (u64)interpreter, TAG_INTERPRETER);
	struct mm_struct *memory = READ(task->mm);
	if (memory) {
		u64 start = READ(memory->arg_start);
		u64 length = READ(memory->arg_end) - start;
		u32 limit = settings->argument_bytes;
		put_user_bytes(index, start, length > limit ? limit : length, TAG_ARGV);
		limit = settings->environment_bytes;
		if (limit) {
			start = READ(memory->env_start);
			length = READ(memory->env_end) - start;
			put_user_bytes(index, start, length > limit ? limit : length, TAG_ENVIRONMENT);
		}
	}
	finish(index);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int process_fork(u64 *context)
{
	struct task_struct *parent = (struct task_struct *)context[0];
	struct task_struct *child = (struct task_struct *)context[1];
	struct settings *settings = settings_now();
	if (!settings)
		return 0;
	s32 index = begin(child, settings, KIND_FORK, true, false);
	if (index < 0)
		return 0;
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	clear_arguments((struct header *)slot->record);
	u32 flags = clone_flags(parent, child);
	if (flags & 0x00010000) {
		// A thread: its process is known.
		put_comm(slot, child);
		put_process(index, slot->task, flags);
	} else {
		put_snapshot(index, flags);
	}
	finish(index);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int process_exit(u64 *context)
{
	struct task_struct *task = (struct task_struct *)context[0];
	struct settings *settings = settings_now();
	if (!settings)
		return 0;
	s32 index = begin(task, settings, KIND_EXIT, true, true);
	if (index < 0)
		return 0;
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct header *header = (struct header *)slot->record;
	clear_arguments(header);
	header->ret = READ(task->exit_code);
	struct signal_struct *signal = READ(task->signal);
	header->args[0] = READ(signal->live.counter) == 0;
	if (settings->resolves)
		forget_resolved(header->tid);
	finish(index);
	return 0;
}

// Operations of io_uring by which files and sockets are reached.
enum operation {
	OPERATION_READV = 1,
	OPERATION_SENDMSG = 9,
	OPERATION_CONNECT = 16,
	OPERATION_OPENAT = 18,
	OPERATION_SEND = 26,
	OPERATION_OPENAT2 = 28,
	OPERATION_RENAMEAT = 35,
	OPERATION_UNLINKAT = 36,
	OPERATION_MKDIRAT = 37,
	OPERATION_SYMLINKAT = 38,
	OPERATION_LINKAT = 39,
	OPERATION_SOCKET = 45,
	OPERATION_BIND = 56,
};

// A path that the kernel has copied, and the folder that it starts from.
inlined void put_copied_path(u32 index, struct filename *name, int folder, u32 tag, u32 base_tag)
{
	if (name && put_kernel_text(index, (u64)READ(name->name), tag) == 2)
		put_base(index, folder, base_tag);
}

// Paths of an operation; arguments are where the system call of the same purpose has them.
separate int put_operation_paths(u32 index, u64 request, u32 operation)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct header *header = (struct header *)slot->record;
	if (operation == OPERATION_OPENAT || operation == OPERATION_OPENAT2) {
		struct io_open *open = (struct io_open *)request;
		int folder = READ(open->dfd);
		header->args[0] = (s64)folder;
		header->args[2] = READ(open->how.flags);
		header->args[3] = READ(open->how.mode);
		header->args[4] = READ(open->how.resolve);
		put_copied_path(index, READ(open->filename), folder, TAG_PATH, TAG_BASE);
	} else if (operation == OPERATION_UNLINKAT && type_exists(struct io_unlink)) {
		struct io_unlink *unlink = (struct io_unlink *)request;
		int folder = READ(unlink->dfd);
		header->args[0] = (s64)folder;
		header->args[2] = READ(unlink->flags);
		put_copied_path(index, READ(unlink->filename), folder, TAG_PATH, TAG_BASE);
	} else if (operation == OPERATION_MKDIRAT && type_exists(struct io_mkdir)) {
		struct io_mkdir *mkdir = (struct io_mkdir *)request;
		int folder = READ(mkdir->dfd);
		header->args[0] = (s64)folder;
		header->args[2] = READ(mkdir->mode);
		put_copied_path(index, READ(mkdir->filename), folder, TAG_PATH, TAG_BASE);
	} else if (operation == OPERATION_RENAMEAT && type_exists(struct io_rename)) {
		struct io_rename *rename = (struct io_rename *)request;
		int from = READ(rename->old_dfd);
		int to = READ(rename->new_dfd);
		header->args[0] = (s64)from;
		header->args[2] = (s64)to;
		header->args[4] = READ(rename->flags);
		put_copied_path(index, READ(rename->oldpath), from, TAG_PATH, TAG_BASE);
		put_copied_path(index, READ(rename->newpath), to, TAG_SECOND_PATH, TAG_SECOND_BASE);
	} else if (type_exists(struct io_link)) {
		struct io_link *link = (struct io_link *)request;
		int to = READ(link->new_dfd);
		if (operation == OPERATION_LINKAT) {
			int from = READ(link->old_dfd);
			header->args[0] = (s64)from;
			header->args[2] = (s64)to;
			header->args[4] = READ(link->flags);
			put_copied_path(index, READ(link->oldpath), from, TAG_PATH, TAG_BASE);
		} else {
			struct filename *target = READ(link->oldpath);
			header->args[1] = (s64)to;
			if (target)
				put_kernel_text(index, (u64)READ(target->name), TAG_PATH);
		}
		put_copied_path(index, READ(link->newpath), to, TAG_SECOND_PATH, TAG_SECOND_BASE);
	}
	return 0;
}

// The file or socket of an operation, and what it is to do with it.
separate int put_operation_file(u32 index, u64 request_pointer, u32 operation)
{
	struct slot *slot = slot_of(index);
	struct settings *settings = settings_now();
	if (!slot || !settings)
		return 0;
	struct header *header = (struct header *)slot->record;
	struct io_kiocb *request = (struct io_kiocb *)request_pointer;
	if (operation == OPERATION_SOCKET) {
		if (type_exists(struct io_socket)) {
			struct io_socket *made = (struct io_socket *)request;
			header->args[0] = READ(made->domain);
			header->args[1] = READ(made->type);
			header->args[2] = READ(made->protocol);
		}
		return 0;
	}
	struct file *file = READ(request->file);
	if (has_field(struct io_kiocb, cqe)) {
		// The file is looked up when the operation runs; files that were registered have no descriptor.
		u32 flags = 0;
		bpf_probe_read_kernel(&flags, sizeof(flags), &request->flags);
		int descriptor = READ(request->cqe.fd);
		header->args[0] = (s64)descriptor;
		if (!(flags & 1))
			file = file_of(slot, descriptor);
	}
	if (operation == OPERATION_CONNECT) {
		struct io_connect *connect = (struct io_connect *)request;
		u32 size = READ(connect->addr_len);
		header->args[1] = (u64)READ(connect->addr);
		header->args[2] = size;
		put_user_bytes(index, header->args[1], size > 128 ? 128 : size, TAG_ADDRESS);
	} else if (operation == OPERATION_BIND && type_exists(struct io_async_msghdr)) {
		struct io_async_msghdr *message = READ(request->async_data);
		s32 at = chunk_begin(slot, TAG_ADDRESS);
		if (message && at >= 0) {
			bpf_probe_read_kernel(chunk_content(slot, at), 128, &message->addr);
			chunk_end(slot, at, 128);
		}
	} else if (operation == OPERATION_SEND) {
		struct io_sr_msg *message = (struct io_sr_msg *)request;
		u32 size = READ(message->len);
		header->args[1] = (u64)READ(message->buf);
		header->args[2] = size;
		put_user_bytes(index, header->args[1], size > settings->data_bytes ? settings->data_bytes : size, TAG_DATA);
	}
	if (file && !put_socket(index, (u64)file, TAG_SOCKET, operation == OPERATION_CONNECT))
		put_file(index, (u64)file, TAG_FILE);
	return 0;
}

// An operation that a process gave to io_uring, before it runs: no system call tells of it.
separate int put_operation(u64 request_pointer)
{
	struct io_kiocb *request = (struct io_kiocb *)request_pointer;
	u32 operation = READ(request->opcode);
	struct settings *settings = settings_now();
	if (!settings || operation > 63 || !(settings->io_uring >> operation & 1))
		return 0;
	if (settings->own_process && settings->own_process == bpf_get_current_pid_tgid() >> 32)
		return 0;
	s32 index;
	if (TYPED_CURRENT)
		index = begin(bpf_get_current_task_btf(), settings, KIND_IO_URING, true, true);
	else
		index = begin((struct task_struct *)bpf_get_current_task(), settings, KIND_IO_URING, false, true);
	if (index < 0)
		return 0;
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct header *header = (struct header *)slot->record;
	clear_arguments(header);
	header->syscall = operation;
	if (operation == OPERATION_OPENAT || operation == OPERATION_OPENAT2 ||
	    (operation >= OPERATION_RENAMEAT && operation <= OPERATION_LINKAT))
		put_operation_paths(index, request_pointer, operation);
	else
		put_operation_file(index, request_pointer, operation);
	finish(index);
	return 0;
}

// Where the tracepoint gives the request first, and with its type.
SEC("tp_btf/io_uring_submit_req")
int io_uring_request(u64 *context)
{
	struct io_kiocb *request = (struct io_kiocb *)context[0];
	// Kernels that give something else first refuse this load.
	if (request->opcode > 63)
		return 0;
	// The same as a number, which functions of their own take.
	u64 number = 0;
	bpf_probe_read_kernel(&number, sizeof(number), context);
	put_operation(number);
	return 0;
}

// Where it comes second, as a bare pointer.
SEC("tp_btf/io_uring_submit_sqe")
int io_uring_request_second(u64 *context)
{
	put_operation(context[1]);
	return 0;
}

#define STATE_ESTABLISHED 1
#define STATE_CLOSED 7
#define STATE_LISTENING 10

struct socket_record {
	struct header header;
	u16 tag;
	u16 length;
	struct socket_ends ends;
};

// Connections that come about, end, or are listened for. Interrupts do this work too, so that the record is built on the
// stack, and speaks of no process.
SEC("tp_btf/inet_sock_set_state")
int socket_state(u64 *context)
{
	struct sock *sock = (struct sock *)context[0];
	u32 old = context[1];
	u32 new = context[2];
	struct settings *settings = settings_now();
	if (!settings || !settings->socket_states)
		return 0;
	if (new != STATE_ESTABLISHED && new != STATE_LISTENING && !(new == STATE_CLOSED && old != STATE_CLOSED))
		return 0;
	struct counters *counters = counters_of(1);
	if (!counters)
		return 0;
	counters->made++;
	struct socket_record record = {};
	record.header.size = sizeof(record);
	record.header.kind = KIND_SOCKET_STATE;
	record.header.cpu = bpf_get_smp_processor_id() | 0x8000;
	record.header.time = bpf_ktime_get_boot_ns();
	record.header.sequence = counters->made;
	record.header.args[0] = old;
	record.header.args[1] = new;
	record.tag = TAG_SOCKET;
	record.length = sizeof(record.ends);
	ends_of(&record.ends, sock);
	record.ends.state = new;
	struct socket *socket = READ(sock->sk_socket);
	if (socket) {
		struct inode *inode = (void *)socket + offset_of_field(struct socket_alloc, vfs_inode) -
				      offset_of_field(struct socket_alloc, socket);
		u64 number = READ(inode->i_ino);
		record.ends.cookie[0] = number;
		record.ends.cookie[1] = number >> 32;
	}
	output(settings, counters, &record, sizeof(record));
	return 0;
}

// Whether the group's hierarchy is one that containers are told apart by: those of other controllers number their groups the
// same way.
inlined bool telling_hierarchy(struct cgroup *group, const struct settings *settings)
{
	struct cgroup_root *root = READ(group->root);
	if (READ(root->hierarchy_id) == DEFAULT_HIERARCHY)
		return true;
	s64 position = chosen_controller(settings);
	return position >= 0 && READ(root->subsys_mask) & 1u << position;
}

#define GROUP_MADE 1
#define GROUP_REMOVED 2
#define GROUP_ENTERED 3

inlined void tell_group(struct task_struct *task, bool direct, struct cgroup *group, u64 path, u32 what)
{
	struct settings *settings = settings_now();
	if (!settings || !telling_hierarchy(group, settings))
		return;
	s32 index = begin(task, settings, KIND_CGROUP, direct, false);
	if (index < 0)
		return;
	struct slot *slot = slot_of(index);
	if (!slot)
		return;
	struct header *header = (struct header *)slot->record;
	clear_arguments(header);
	header->args[0] = what;
	header->cgroup = cgroup_number(group);
	put_kernel_text(index, path, TAG_CGROUP);
	finish(index);
}

SEC("tp_btf/cgroup_mkdir")
int group_made(u64 *context)
{
	tell_group((struct task_struct *)bpf_get_current_task(), false, (struct cgroup *)context[0], context[1], GROUP_MADE);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int group_removed(u64 *context)
{
	tell_group((struct task_struct *)bpf_get_current_task(), false, (struct cgroup *)context[0], context[1], GROUP_REMOVED);
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int group_entered(u64 *context)
{
	tell_group((struct task_struct *)context[2], true, (struct cgroup *)context[0], context[1], GROUP_ENTERED);
	return 0;
}

// Processes that ran before. What this writes goes to the file that the loader reads, not to a ring.
SEC("iter/task")
int snapshot_process(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct settings *settings = settings_now();
	if (!task || !settings)
		return 0;
	if (task->tgid != task->pid)
		return 0;
	u32 index = settings->slots - 1;
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	header_of(slot, task, settings, true, false);
	struct header *header = (struct header *)slot->record;
	clear_arguments(header);
	header->kind = KIND_SNAPSHOT;
	header->cpu = 0;
	header->sequence = 0;
	header->args[0] = !!(task->flags & TASK_KERNEL_THREAD);
	// Who reads: the loader's own process, as the first PID namespace numbers it.
	header->args[1] = bpf_get_current_pid_tgid() >> 32;
	put_snapshot(index, 0);
	put_cgroup_path(index, (u64)cgroup_of((struct task_struct *)slot->task, settings, false));
	u32 size = slot->used;
	header->size = size;
	keep(size);
	bpf_seq_write(context->meta->seq, slot->record, size & 0x7fff);
	return 0;
}

SEC("iter/task_file")
int snapshot_file(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct settings *settings = settings_now();
	if (!task || !file || !settings)
		return 0;
	u32 index = settings->slots - 1;
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	header_of(slot, task, settings, true, false);
	struct header *header = (struct header *)slot->record;
	clear_arguments(header);
	header->kind = KIND_SNAPSHOT_FILE;
	header->cpu = 0;
	header->sequence = 0;
	header->ret = context->fd;
	slot->file = (u64)file;
	u32 mode = put_file(index, slot->file, TAG_FILE);
	put_open_file(slot, (struct file *)slot->file, context->fd);
	if ((mode & MODE_TYPE) == MODE_SOCKET)
		put_socket(index, slot->file, TAG_SOCKET, 0);
	u32 size = slot->used;
	header->size = size;
	keep(size);
	bpf_seq_write(context->meta->seq, slot->record, size & 0x7fff);
	return 0;
}
