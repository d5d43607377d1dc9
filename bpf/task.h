// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Tasks: identities, credentials, working folder, and the program that runs.
#ifndef HULLWARD_TASK_H
#define HULLWARD_TASK_H

#define TASK_KERNEL_THREAD 0x00200000

// The number of a process in its PID namespace of that level, 0 when it is not in it.
inlined u32 number_at(struct pid *pid, u32 level)
{
	int number = 0;
	if (!pid || READ(pid->level) < level)
		return 0;
	bpf_probe_read_kernel(&number, sizeof(number),
			      (void *)pid + offset_of_field(struct pid, numbers) + level * size_of_type(struct upid) +
				      offset_of_field(struct upid, nr));
	return number;
}

inlined struct pid *signal_pid(struct signal_struct *signal, u32 which)
{
	struct pid *pid = 0;
	bpf_probe_read_kernel(&pid, sizeof(pid), (void *)signal + offset_of_field(struct signal_struct, pids) + which * sizeof(void *));
	return pid;
}

separate int put_process(u32 index, u64 task_pointer, u32 flags)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct task_struct *task = (struct task_struct *)task_pointer;
	struct process process = {};
	struct task_struct *parent = READ(task->real_parent);
	struct task_struct *leader = READ(parent->group_leader);
	process.parent_start_time = READ(leader->start_boottime);
	process.real_parent_tid = READ(parent->pid);
	process.flags = flags;
	struct pid *pid = READ(task->thread_pid);
	u32 level = READ(pid->level);
	process.virtual_tid = number_at(pid, level);
	struct signal_struct *signal = READ(task->signal);
	u32 group = enumerator(enum pid_type, PIDTYPE_PGID);
	u32 session = enumerator(enum pid_type, PIDTYPE_SID);
	u32 process_type = enumerator(enum pid_type, PIDTYPE_TGID);
	process.virtual_pid = number_at(signal_pid(signal, process_type), level);
	struct pid *other = signal_pid(signal, group);
	process.process_group = number_at(other, 0);
	process.virtual_process_group = number_at(other, level);
	other = signal_pid(signal, session);
	process.session = number_at(other, 0);
	process.virtual_session = number_at(other, level);
	process.virtual_parent = number_at(signal_pid(READ(parent->signal), process_type), level);
	struct tty_struct *terminal = READ(signal->tty);
	if (terminal) {
		struct tty_driver *driver = READ(terminal->driver);
		u32 major = READ(driver->major);
		u32 minor = READ(driver->minor_start) + READ(terminal->index);
		process.terminal = (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
	}
	struct nsproxy *spaces = READ(task->nsproxy);
	if (spaces) {
		struct net *network = READ(spaces->net_ns);
		process.network_namespace = READ(network->ns.inum);
		struct ipc_namespace *ipc = READ(spaces->ipc_ns);
		process.ipc_namespace = READ(ipc->ns.inum);
		struct uts_namespace *uts = READ(spaces->uts_ns);
		process.uts_namespace = READ(uts->ns.inum);
		struct cgroup_namespace *groups_space = READ(spaces->cgroup_ns);
		process.cgroup_namespace = READ(groups_space->ns.inum);
	}
	put_bytes(slot, TAG_PROCESS, &process, sizeof(process));
	return 0;
}

inlined u64 capabilities_at(const void *from)
{
	u64 set = 0;
	bpf_probe_read_kernel(&set, sizeof(set), from);
	return set;
}

separate int put_credentials(u32 index, u64 task_pointer)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct task_struct *task = (struct task_struct *)task_pointer;
	const struct cred *cred = READ(task->cred);
	struct credentials out = {};
	out.uid = READ(cred->uid.val);
	out.effective_uid = READ(cred->euid.val);
	out.saved_uid = READ(cred->suid.val);
	out.filesystem_uid = READ(cred->fsuid.val);
	out.gid = READ(cred->gid.val);
	out.effective_gid = READ(cred->egid.val);
	out.saved_gid = READ(cred->sgid.val);
	out.filesystem_gid = READ(cred->fsgid.val);
	// Kernels without audit know no login.
	out.login_uid = has_field(struct task_struct, loginuid) ? READ(task->loginuid.val) : (u32)-1;
	struct user_namespace *space = READ(cred->user_ns);
	out.user_namespace = READ(space->ns.inum);
	out.inheritable = capabilities_at(&cred->cap_inheritable);
	out.permitted = capabilities_at(&cred->cap_permitted);
	out.effective = capabilities_at(&cred->cap_effective);
	out.bounding = capabilities_at(&cred->cap_bset);
	out.ambient = capabilities_at(&cred->cap_ambient);
	put_bytes(slot, TAG_CREDENTIALS, &out, sizeof(out));
	return 0;
}

inlined void put_comm(struct slot *slot, struct task_struct *task)
{
	s32 at = chunk_begin(slot, TAG_COMM);
	if (at < 0)
		return;
	bpf_probe_read_kernel(chunk_content(slot, at), 16, &task->comm);
	chunk_end(slot, at, 16);
}

inlined void put_working_folder(u32 index, struct task_struct *task)
{
	struct fs_struct *fs = READ(task->fs);
	if (fs)
		put_folder(index, (u64)READ(fs->pwd.mnt), (u64)READ(fs->pwd.dentry), TAG_WORKING_FOLDER);
}

inlined void put_executable(u32 index, struct task_struct *task)
{
	struct mm_struct *memory = READ(task->mm);
	if (memory)
		put_file(index, (u64)READ(memory->exe_file), TAG_EXECUTABLE);
}

// What did `clone` take? Told from what parent and child share.
inlined u32 clone_flags(struct task_struct *parent, struct task_struct *child)
{
	u32 flags = 0;
	if (READ(parent->mm) == READ(child->mm) && READ(child->mm))
		flags |= 0x00000100; // CLONE_VM
	if (READ(parent->fs) == READ(child->fs))
		flags |= 0x00000200; // CLONE_FS
	if (READ(parent->files) == READ(child->files))
		flags |= 0x00000400; // CLONE_FILES
	if (READ(child->vfork_done))
		flags |= 0x00004000; // CLONE_VFORK
	if (READ(parent->tgid) == READ(child->tgid))
		flags |= 0x00010000 | 0x00000800; // CLONE_THREAD and CLONE_SIGHAND
	struct nsproxy *old = READ(parent->nsproxy);
	struct nsproxy *new = READ(child->nsproxy);
	if (old != new && old && new) {
		if (READ(old->mnt_ns) != READ(new->mnt_ns))
			flags |= 0x00020000; // CLONE_NEWNS
		if (READ(old->cgroup_ns) != READ(new->cgroup_ns))
			flags |= 0x02000000; // CLONE_NEWCGROUP
		if (READ(old->uts_ns) != READ(new->uts_ns))
			flags |= 0x04000000; // CLONE_NEWUTS
		if (READ(old->ipc_ns) != READ(new->ipc_ns))
			flags |= 0x08000000; // CLONE_NEWIPC
		if (READ(old->net_ns) != READ(new->net_ns))
			flags |= 0x40000000; // CLONE_NEWNET
	}
	const struct cred *old_cred = READ(parent->cred);
	const struct cred *new_cred = READ(child->cred);
	if (READ(old_cred->user_ns) != READ(new_cred->user_ns))
		flags |= 0x10000000; // CLONE_NEWUSER
	struct pid *old_pid = READ(parent->thread_pid);
	struct pid *new_pid = READ(child->thread_pid);
	if (READ(old_pid->level) < READ(new_pid->level))
		flags |= 0x20000000; // CLONE_NEWPID
	return flags;
}

#endif
