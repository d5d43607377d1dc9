// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Records: the memory that they are built in, their header and chunks, and how they are handed over or counted as lost.
#ifndef HULLWARD_RECORD_H
#define HULLWARD_RECORD_H

#define RECORD_BYTES (64 << 10)
// A chunk begins below this, and is at most as long as this.
#define CHUNK_LIMIT 0x7fff
#define PATH_BYTES 4096
#define NAME_BYTES 256
#define INODE_BYTES 192
// The largest text that is taken from user memory.
#define TEXT_BYTES 4096

// What one record is built in. There is one for each processor, then as many for paths that are followed while a call runs,
// then one for iterators. Maps of one value per processor
// would be the obvious thing, but cannot hold values of this size.
struct slot {
	u8 record[RECORD_BYTES];
	// Paths are put together here from their end.
	u8 path[PATH_BYTES + NAME_BYTES];
	// The first part of the inode that is looked at, where its facts are: one copy costs less than one for each of them.
	u8 inode[INODE_BYTES];
	u32 used;
	u32 busy;
	volatile u32 path_at;
	u32 path_flags;
	// Where a path has got to. Kept here rather than in registers, so that the verifier sees one state a step.
	volatile u64 walk_dentry;
	volatile u64 walk_mount;
	volatile u64 walk_mount_root;
	// Where paths end: the root folder of the task.
	u64 root_mount;
	u64 root_dentry;
	// Whose record it is. Read back from here, it is a number: what functions of their own take.
	volatile u64 task;
	volatile u64 file;
	struct wanted wanted;
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct settings);
} settings SEC(".maps");

// Two for each processor: work of processes, work of interrupts.
struct {
	__uint(type, MAP_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct counters);
} counters SEC(".maps");

struct ring {
	__uint(type, MAP_RING_BUFFER);
	__uint(max_entries, 1 << 16);
};
struct {
	__uint(type, MAP_ARRAY_OF_MAPS);
	__uint(max_entries, 16);
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps");

// Allowances of control groups.
struct bucket {
	u64 at;
	u64 tokens;
	u64 lost;
};
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct bucket);
} buckets SEC(".maps");

// Control groups whose path was told.
struct {
	__uint(type, MAP_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u32);
} groups SEC(".maps");

inlined struct slot *slot_of(u32 index)
{
	return bpf_map_lookup_elem(&slots, &index);
}

inlined struct settings *settings_now(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&settings, &zero);
}

inlined struct counters *counters_of(u32 lane)
{
	return bpf_map_lookup_elem(&counters, &lane);
}

inlined void count_loss(struct counters *counters, u32 cause)
{
	if (cause < LOSSES)
		counters->lost[cause]++;
}

// Starts a chunk; returns where, or a negative number when the record is full.
inlined s32 chunk_begin(struct slot *slot, u16 tag)
{
	u32 at = slot->used;
	if (at > CHUNK_LIMIT)
		return -1;
	at &= CHUNK_LIMIT;
	keep(at);
	*(volatile u16 *)&slot->record[at & CHUNK_LIMIT] = tag;
	return at & CHUNK_LIMIT;
}

#define chunk_content(slot, at) (&(slot)->record[((at) & CHUNK_LIMIT) + 4])

// Ends a chunk whose content is in place; what pads it is zero.
inlined void chunk_end(struct slot *slot, u32 at, u32 length)
{
	at &= CHUNK_LIMIT;
	length &= CHUNK_LIMIT;
	keep(at);
	keep(length);
	at &= CHUNK_LIMIT;
	length &= CHUNK_LIMIT;
	*(volatile u16 *)&slot->record[at + 2] = length;
	u32 end = at + 4 + length;
	slot->record[end] = 0;
	slot->record[end + 1] = 0;
	slot->record[end + 2] = 0;
	slot->used = (end + 3) & ~3u;
}

// A chunk with a structure of the programs' own.
inlined void put_bytes(struct slot *slot, u16 tag, const void *bytes, u32 size)
{
	s32 at = chunk_begin(slot, tag);
	if (at < 0)
		return;
	bpf_probe_read_kernel(chunk_content(slot, at), size, bytes);
	chunk_end(slot, at, size);
}

// A text of the kernel. Returns 1 when it starts with a slash, 2 when it does not, 0 when it cannot be read.
separate int put_kernel_text(u32 index, u64 text, u32 tag)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	s32 at = chunk_begin(slot, tag);
	if (at < 0)
		return 0;
	long length = bpf_probe_read_kernel_str(chunk_content(slot, at), TEXT_BYTES, (void *)text);
	if (length <= 0 || length > TEXT_BYTES)
		return 0;
	int absolute = *chunk_content(slot, at) == '/';
	chunk_end(slot, at, length);
	return absolute ? 1 : 2;
}

// A text of the process. Returns 1 when it starts with a slash, 2 when it does not, 0 when it cannot be read.
separate int put_user_text(u32 index, u64 text, u32 tag)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	s32 at = chunk_begin(slot, tag);
	if (at < 0)
		return 0;
	long length = bpf_probe_read_user_str(chunk_content(slot, at), TEXT_BYTES, (void *)text);
	if (length <= 0 || length > TEXT_BYTES)
		return 0;
	int absolute = *chunk_content(slot, at) == '/';
	chunk_end(slot, at, length);
	return absolute ? 1 : 2;
}

// Bytes of the process, at most `size`.
separate int put_user_bytes(u32 index, u64 from, u32 size, u32 tag)
{
	struct slot *slot = slot_of(index);
	if (!slot || !size)
		return 0;
	s32 at = chunk_begin(slot, tag);
	if (at < 0)
		return 0;
	if (size > 16384)
		size = 16384;
	if (bpf_probe_read_user(chunk_content(slot, at), size, (void *)from)) {
		// One page of several may be absent; the first is better than nothing.
		u32 first = 4096 - (from & 4095);
		if (first >= size)
			return 0;
		size = first;
		if (bpf_probe_read_user(chunk_content(slot, at), size & 0x1fff, (void *)from))
			return 0;
	}
	chunk_end(slot, at, size);
	return size;
}

// The place of the controller of version 1 which the loader has chosen among a set's controllers; negative when there is none.
inlined s64 chosen_controller(const struct settings *settings)
{
	u32 which = settings->controller;
	s64 position = -1;
#define CONTROLLER(number, name)                                                                                               \
	if (which == number && has_enumerator(enum cgroup_subsys_id, name))                                                    \
		position = enumerator(enum cgroup_subsys_id, name);
	CONTROLLER(CONTROLLER_MEMORY, memory_cgrp_id)
	CONTROLLER(CONTROLLER_PIDS, pids_cgrp_id)
	CONTROLLER(CONTROLLER_DEVICES, devices_cgrp_id)
	CONTROLLER(CONTROLLER_CPU, cpu_cgrp_id)
	CONTROLLER(CONTROLLER_FREEZER, freezer_cgrp_id)
	return position;
}

// The control group that says which container a task is in: that of the controller of version 1 which the loader has chosen,
// or where there is none, or the task is not in one of its groups, that of version 2.
inlined struct cgroup *cgroup_of(struct task_struct *task, const struct settings *settings, bool direct)
{
	struct css_set *set = direct ? task->cgroups : READ(task->cgroups);
	if (!set)
		return 0;
	s64 position = chosen_controller(settings);
	if (position >= 0) {
		struct cgroup_subsys_state *state = 0;
		u64 from = 0;
		bpf_probe_read_kernel(&from, sizeof(from), &task->cgroups);
		bpf_probe_read_kernel(&state, sizeof(state),
				      (void *)from + offset_of_field(struct css_set, subsys) + sizeof(void *) * position);
		if (state) {
			struct cgroup *group = READ(state->cgroup);
			if (group && READ(group->level) > 0)
				return group;
		}
	}
	return READ(set->dfl_cgrp);
}

// The hierarchy of version 2, as the kernel numbers it.
#define DEFAULT_HIERARCHY 0

// Each hierarchy counts its groups by itself: this tells the numbers of version 1 from those of version 2.
#define NUMBER_OF_VERSION_1 (1ull << 63)

inlined u64 cgroup_number(struct cgroup *group)
{
	if (!group)
		return 0;
	struct kernfs_node *node = READ(group->kn);
	struct cgroup_root *root = READ(group->root);
	u64 number = READ(node->id);
	return READ(root->hierarchy_id) == DEFAULT_HIERARCHY ? number : number | NUMBER_OF_VERSION_1;
}

// The header for what `task` does now.
inlined void header_of(struct slot *slot, struct task_struct *task, const struct settings *settings, bool direct, bool is_current)
{
	struct header *header = (struct header *)slot->record;
	header->time = bpf_ktime_get_boot_ns();
	header->tid = GET(direct, task->pid);
	header->tgid = GET(direct, task->tgid);
	header->abi = 0;
	struct task_struct *parent = GET(direct, task->real_parent);
	header->ppid = parent ? GET(direct, parent->tgid) : 0;
	const struct cred *cred = GET(direct, task->cred);
	if (cred) {
		header->uid = GET(direct, cred->euid.val);
		header->gid = GET(direct, cred->egid.val);
	}
	struct nsproxy *spaces = GET(direct, task->nsproxy);
	struct mnt_namespace *mounts = spaces ? GET(direct, spaces->mnt_ns) : 0;
	header->mount_namespace = mounts ? GET(direct, mounts->ns.inum) : 0;
	header->pid_namespace = 0;
	// As a number: the verifier of older kernels lets nothing variable be added to a pointer whose type it knows.
	struct pid *pid = READ(task->thread_pid);
	if (pid) {
		u32 level = READ(pid->level);
		struct pid_namespace *space = 0;
		bpf_probe_read_kernel(&space, sizeof(space),
				      (void *)pid + offset_of_field(struct pid, numbers) + level * size_of_type(struct upid) +
					      offset_of_field(struct upid, ns));
		header->pid_namespace = READ(space->ns.inum);
	}
	struct task_struct *leader = GET(direct, task->group_leader);
	header->start_time = leader ? GET(direct, leader->start_boottime) : 0;
	if (is_current && settings->unified)
		header->cgroup = bpf_get_current_cgroup_id();
	else
		header->cgroup = cgroup_number(cgroup_of(task, settings, direct));
	slot->task = (u64)task;
	slot->root_dentry = 0;
	slot->root_mount = 0;
	slot->used = sizeof(struct header);
}

inlined void clear_arguments(struct header *header)
{
	header->ret = 0;
	header->syscall = 0;
	header->args[0] = 0;
	header->args[1] = 0;
	header->args[2] = 0;
	header->args[3] = 0;
	header->args[4] = 0;
	header->args[5] = 0;
}

// The path of a control group below its hierarchy.
separate int put_cgroup_path(u32 index, u64 group)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct kernfs_node *node = READ(((struct cgroup *)group)->kn);
	u32 at = PATH_BYTES;
	for (int depth = 0; depth < 24; depth++) {
		struct kernfs_node *parent;
		if (has_field(struct kernfs_node, __parent))
			parent = READ(node->__parent);
		else
			parent = READ(node->parent);
		if (!parent)
			break;
		// The name is put where the longest one would fit, then moved: its length is not written down.
		long length = bpf_probe_read_kernel_str(&slot->path[PATH_BYTES], NAME_BYTES, READ(node->name));
		if (length <= 1 || length > NAME_BYTES || (u32)length > at)
			break;
		u32 size = length - 1;
		at -= size;
		bpf_probe_read_kernel(&slot->path[at & (PATH_BYTES - 1)], size & (NAME_BYTES - 1), &slot->path[PATH_BYTES]);
		at--;
		slot->path[at & (PATH_BYTES - 1)] = '/';
		node = parent;
	}
	if (at == PATH_BYTES) {
		at--;
		slot->path[PATH_BYTES - 1] = '/';
	}
	u32 size = PATH_BYTES - at;
	s32 to = chunk_begin(slot, TAG_CGROUP);
	if (to < 0 || size >= PATH_BYTES)
		return 0;
	keep(size);
	bpf_probe_read_kernel(chunk_content(slot, to), size & (PATH_BYTES - 1), &slot->path[at & (PATH_BYTES - 1)]);
	chunk_end(slot, to, size);
	return 1;
}

// Whether the control group has used up its allowance. Asked under pressure only.
inlined bool over_budget(u64 cgroup, u64 now, u64 budget)
{
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &cgroup);
	if (!bucket) {
		struct bucket first = {.at = now, .tokens = budget, .lost = 0};
		bpf_map_update_elem(&buckets, &cgroup, &first, 0);
		return false;
	}
	u64 passed = now - bucket->at;
	if ((s64)passed > 0) {
		if (passed > 1000000000)
			passed = 1000000000;
		u64 earned = passed * budget / 1000000000;
		if (earned) {
			u64 tokens = bucket->tokens + earned;
			bucket->tokens = tokens > budget ? budget : tokens;
			bucket->at = now;
		}
	}
	if (!bucket->tokens) {
		bucket->lost++;
		return true;
	}
	bucket->tokens--;
	return false;
}

inlined void *ring_now(const struct settings *settings)
{
	u32 rings_there = settings->rings;
	if (!rings_there)
		return 0;
	u32 which = bpf_get_smp_processor_id() % rings_there;
	return bpf_map_lookup_elem(&rings, &which);
}

// Hands the record over. Returns whether it arrived.
inlined bool output(const struct settings *settings, struct counters *counters, void *record, u32 size)
{
	void *ring = ring_now(settings);
	if (!ring) {
		count_loss(counters, LOSS_RING_FULL);
		return false;
	}
	u64 waiting = bpf_ringbuf_query(ring, RING_AVAILABLE_DATA);
	u64 wake = settings->wake_bytes;
	// Once when the limit is crossed; the reader looks by itself now and then.
	u64 flags = waiting < wake && waiting + size >= wake ? RING_FORCE_WAKEUP : RING_NO_WAKEUP;
	if (bpf_ringbuf_output(ring, record, size, flags)) {
		count_loss(counters, LOSS_RING_FULL);
		return false;
	}
	return true;
}

// Starts a record of the given kind for a task; returns the slot's index, or a negative number when there is none.
inlined s32 begin(struct task_struct *task, const struct settings *settings, u8 kind, bool direct, bool is_current)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct counters *counters = counters_of(0);
	struct slot *slot = slot_of(cpu);
	if (!counters)
		return -1;
	counters->made++;
	if (!slot || slot->busy) {
		count_loss(counters, LOSS_NESTED);
		return -1;
	}
	slot->busy = 1;
	header_of(slot, task, settings, direct, is_current);
	struct header *header = (struct header *)slot->record;
	header->kind = kind;
	header->cpu = cpu;
	header->sequence = counters->made;
	if (settings->budget) {
		void *ring = ring_now(settings);
		u64 limit = kind == KIND_SYSCALL || kind == KIND_IO_URING || kind == KIND_SOCKET_STATE
				    ? settings->pressure_bytes
				    : settings->high_pressure_bytes;
		if (ring && bpf_ringbuf_query(ring, RING_AVAILABLE_DATA) > limit &&
		    over_budget(header->cgroup, header->time, settings->budget)) {
			count_loss(counters, LOSS_BUDGET);
			slot->busy = 0;
			return -1;
		}
	}
	return cpu;
}

// Adds the path of the control group where it was not told yet, then hands the record over.
separate int finish(u32 index)
{
	struct slot *slot = slot_of(index);
	struct settings *settings = settings_now();
	struct counters *counters = counters_of(0);
	if (!slot || !settings || !counters)
		return 0;
	struct header *header = (struct header *)slot->record;
	u64 cgroup = header->cgroup;
	bool told = true;
	// A record of a control group says itself which.
	if (header->kind != KIND_CGROUP && counters->last_cgroup != cgroup && !bpf_map_lookup_elem(&groups, &cgroup)) {
		told = false;
		put_cgroup_path(index, (u64)cgroup_of((struct task_struct *)slot->task, settings, false));
	}
	u32 size = slot->used;
	header->size = size;
	if (size >= RECORD_BYTES) {
		count_loss(counters, LOSS_TOO_LARGE);
	} else {
		keep(size);
		if (output(settings, counters, slot->record, size & (RECORD_BYTES - 1))) {
			if (header->kind == KIND_CGROUP)
				told = false;
			else
				counters->last_cgroup = cgroup;
			if (!told) {
				u32 one = 1;
				bpf_map_update_elem(&groups, &cgroup, &one, 0);
			}
		}
	}
	slot->busy = 0;
	return 1;
}

#endif
