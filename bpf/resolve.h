// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Where paths lead that are acted on without a file being opened: noted at the kernel's own check of the path, when links
// are followed and nothing is done yet, and told with the call when it has succeeded.
//
// A call that succeeded has passed its check just before, so that what is noted is its own; what failed calls leave behind
// is never told. These programs are optional: kernels, and what they are locked down to, differ in whether they take them.
#ifndef HULLWARD_RESOLVE_H
#define HULLWARD_RESOLVE_H

#define RESOLVED_BYTES 1024

struct resolved {
	u32 kind;
	u16 length;
	u16 second_length;
	u8 text[RESOLVED_BYTES];
	u8 second_text[RESOLVED_BYTES];
};

// By thread. Taken from memory as needed: there are as many as threads that are at such a call, or failed at one.
struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, NO_PREALLOCATION);
	__type(key, u32);
	__type(value, struct resolved);
} resolutions SEC(".maps");

inlined void forget_resolved(u32 thread)
{
	bpf_map_delete_elem(&resolutions, &thread);
}

// Copies what is in slot->path; returns its length, 0 when it is too long to be told.
inlined u32 keep_built(struct slot *slot, u8 *text)
{
	u32 from = slot->path_at & (PATH_BYTES - 1);
	u32 size = PATH_BYTES - from;
	keep(size);
	if (size >= RESOLVED_BYTES || slot->path_flags & FILE_PATH_CUT)
		return 0;
	bpf_probe_read_kernel(text, size, &slot->path[from]);
	return size;
}

// Follows one or two paths: `mount` of each is a mount, or 0 where there is no such path.
separate int note_resolved(u64 mount, u64 dentry, u64 second_mount, u64 second_dentry, u32 kind)
{
	struct settings *settings = settings_now();
	u64 task = bpf_get_current_pid_tgid();
	u32 thread = task;
	if (!settings || !(settings->resolves >> (kind & 31) & 1) || settings->own_process == task >> 32)
		return 0;
	u32 index = settings->slots / 2 + bpf_get_smp_processor_id();
	struct slot *slot = slot_of(index);
	// Another thread was interrupted at this very place: this one's path stays as given.
	if (!slot || slot->busy) {
		forget_resolved(thread);
		return 0;
	}
	slot->busy = 1;
	slot->task = bpf_get_current_task();
	slot->root_dentry = 0;
	slot->root_mount = 0;
	struct resolved *resolved = (struct resolved *)slot->record;
	resolved->kind = kind;
	resolved->length = 0;
	resolved->second_length = 0;
	if (mount) {
		build_path(index, mount, dentry);
		resolved->length = keep_built(slot, resolved->text);
	}
	if (second_mount) {
		build_path(index, second_mount, second_dentry);
		resolved->second_length = keep_built(slot, resolved->second_text);
	}
	bpf_map_update_elem(&resolutions, &thread, resolved, 0);
	slot->busy = 0;
	return 0;
}

// What was noted for the call of the record.
separate int put_resolved(u32 index)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	u32 kind = slot->wanted.flags >> WANTED_RESOLVES_SHIFT & 15;
	if (!kind)
		return 0;
	struct header *header = (struct header *)slot->record;
	u32 thread = header->tid;
	struct resolved *resolved = bpf_map_lookup_elem(&resolutions, &thread);
	if (!resolved)
		return 0;
	if (header->ret >= 0 && resolved->kind == kind) {
		u32 length = resolved->length & (RESOLVED_BYTES - 1);
		s32 at = length ? chunk_begin(slot, TAG_RESOLVED) : -1;
		if (at >= 0) {
			bpf_probe_read_kernel(chunk_content(slot, at), length, resolved->text);
			chunk_end(slot, at, length);
		}
		length = resolved->second_length & (RESOLVED_BYTES - 1);
		at = length ? chunk_begin(slot, TAG_SECOND_RESOLVED) : -1;
		if (at >= 0) {
			bpf_probe_read_kernel(chunk_content(slot, at), length, resolved->second_text);
			chunk_end(slot, at, length);
		}
	}
	forget_resolved(thread);
	return 0;
}

// An argument of the function that a program is attached to, as a number: what functions of their own take.
inlined u64 argument_of(u64 *context, u32 which)
{
	u64 value = 0;
	bpf_probe_read_kernel(&value, sizeof(value), context + which);
	return value;
}

inlined u64 mount_of(u64 path)
{
	return (u64)READ(((struct path *)path)->mnt);
}

inlined u64 dentry_of(u64 path)
{
	return (u64)READ(((struct path *)path)->dentry);
}

// Checks that take a folder and what is, or will be, in it.
inlined void in_folder(u64 *context, u32 kind)
{
	note_resolved(mount_of(argument_of(context, 0)), argument_of(context, 1), 0, 0, kind);
}

// Checks that take a path.
inlined void by_path(u64 *context, u32 kind)
{
	u64 path = argument_of(context, 0);
	note_resolved(mount_of(path), dentry_of(path), 0, 0, kind);
}

// A program at one of the kernel's checks of paths.
#define AT_CHECK(program, check, act)                                                                                          \
	SEC("fentry/" check) int program(u64 *context)                                                                         \
	{                                                                                                                      \
		act;                                                                                                           \
		return 0;                                                                                                      \
	}

AT_CHECK(resolved_unlink, "security_path_unlink", in_folder(context, RESOLVES_REMOVAL))
AT_CHECK(resolved_rmdir, "security_path_rmdir", in_folder(context, RESOLVES_REMOVAL))
AT_CHECK(resolved_mkdir, "security_path_mkdir", in_folder(context, RESOLVES_FOLDER))
AT_CHECK(resolved_mknod, "security_path_mknod", in_folder(context, RESOLVES_NODE))
AT_CHECK(resolved_truncate, "security_path_truncate", by_path(context, RESOLVES_TRUNCATE))
AT_CHECK(resolved_chmod, "security_path_chmod", by_path(context, RESOLVES_MODE))
AT_CHECK(resolved_chown, "security_path_chown", by_path(context, RESOLVES_OWNER))
AT_CHECK(resolved_chroot, "security_path_chroot", by_path(context, RESOLVES_ROOT))

SEC("fentry/security_path_symlink")
int resolved_symlink(u64 *context)
{
	note_resolved(0, 0, mount_of(argument_of(context, 0)), argument_of(context, 1), RESOLVES_SYMLINK);
	return 0;
}

SEC("fentry/security_path_link")
int resolved_link(u64 *context)
{
	u64 mount = mount_of(argument_of(context, 1));
	note_resolved(mount, argument_of(context, 0), mount, argument_of(context, 2), RESOLVES_LINK);
	return 0;
}

SEC("fentry/security_path_rename")
int resolved_rename(u64 *context)
{
	note_resolved(mount_of(argument_of(context, 0)), argument_of(context, 1), mount_of(argument_of(context, 2)),
		      argument_of(context, 3), RESOLVES_RENAME);
	return 0;
}

// The folder that something is mounted on.
SEC("fentry/security_sb_mount")
int resolved_mount(u64 *context)
{
	u64 path = argument_of(context, 1);
	note_resolved(0, 0, mount_of(path), dentry_of(path), RESOLVES_MOUNT);
	return 0;
}

#endif
