// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Files as the kernel has them: their path through mounts, and the facts of their inode.
#ifndef HULLWARD_PATH_H
#define HULLWARD_PATH_H

#define MAXIMUM_STEPS 64

#define MAGIC_PIPE 0x50495045
#define MAGIC_SOCKET 0x534f434b
#define MAGIC_ANONYMOUS 0x09041934
#define MAGIC_TMPFS 0x01021994
#define MAGIC_OVERLAY 0x794c7630

#define MODE_TYPE 0170000
#define MODE_SOCKET 0140000

// Name and parent of a dentry, which lie side by side in every kernel whose structures are not shuffled.
struct step {
	struct dentry *parent;
	u32 hash;
	u32 length;
	const unsigned char *name;
};

inlined void step_of(struct step *step, const struct dentry *dentry)
{
	if (offset_of_field(struct dentry, d_name) == offset_of_field(struct dentry, d_parent) + sizeof(void *) &&
	    offset_of_field(struct qstr, name) == 8) {
		bpf_probe_read_kernel(step, sizeof(*step), &dentry->d_parent);
	} else {
		step->parent = READ(dentry->d_parent);
		step->length = READ(dentry->d_name.len);
		step->name = READ(dentry->d_name.name);
	}
}

// Where the paths of the record's task end.
inlined void find_root(struct slot *slot)
{
	if (slot->root_dentry)
		return;
	struct task_struct *task = (struct task_struct *)slot->task;
	struct fs_struct *fs = READ(task->fs);
	slot->root_mount = (u64)READ(fs->root.mnt);
	slot->root_dentry = (u64)READ(fs->root.dentry);
}

// Puts the path of (mount, dentry) together at the end of slot->path, from slot->path_at; flags go to slot->path_flags.
separate int build_path(u32 index, u64 mount_pointer, u64 dentry_pointer)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	find_root(slot);
	slot->walk_dentry = dentry_pointer;
	slot->walk_mount = mount_pointer;
	slot->walk_mount_root = (u64)READ(((struct vfsmount *)mount_pointer)->mnt_root);
	slot->path_at = PATH_BYTES;
	slot->path_flags = FILE_PATH_CUT;
	for (int count = 0; count < MAXIMUM_STEPS; count++) {
		struct dentry *dentry = (struct dentry *)slot->walk_dentry;
		if ((u64)dentry == slot->root_dentry && slot->walk_mount == slot->root_mount) {
			slot->path_flags = 0;
			break;
		}
		if ((u64)dentry == slot->walk_mount_root) {
			struct mount *mount = (void *)slot->walk_mount - offset_of_field(struct mount, mnt);
			struct mount *parent = READ(mount->mnt_parent);
			if (parent == mount || !parent) {
				slot->path_flags = 0;
				break;
			}
			slot->walk_dentry = (u64)READ(mount->mnt_mountpoint);
			struct vfsmount *vfs = (void *)parent + offset_of_field(struct mount, mnt);
			slot->walk_mount = (u64)vfs;
			slot->walk_mount_root = (u64)READ(vfs->mnt_root);
			continue;
		}
		struct step step = {};
		step_of(&step, dentry);
		if (step.parent == dentry || !step.parent) {
			slot->path_flags = 0;
			break;
		}
		u32 length = step.length & (NAME_BYTES - 1);
		u32 at = slot->path_at;
		if (at < length + 1)
			break;
		at -= length;
		bpf_probe_read_kernel(&slot->path[at & (PATH_BYTES - 1)], length, step.name);
		at--;
		slot->path[at & (PATH_BYTES - 1)] = '/';
		slot->path_at = at;
		slot->walk_dentry = (u64)step.parent;
	}
	if (slot->path_at == PATH_BYTES) {
		slot->path_at = PATH_BYTES - 1;
		slot->path[PATH_BYTES - 1] = '/';
	}
	return 0;
}

// Copies what is in slot->path to a chunk.
inlined void put_built(struct slot *slot, u16 tag)
{
	u32 from = slot->path_at & (PATH_BYTES - 1);
	u32 size = PATH_BYTES - from;
	s32 at = chunk_begin(slot, tag);
	if (at < 0)
		return;
	keep(size);
	if (size > PATH_BYTES)
		return;
	bpf_probe_read_kernel(chunk_content(slot, at), size, &slot->path[from]);
	chunk_end(slot, at, size);
}

// The path of a folder of the record's task, as `Base` and `WorkingFolder` hold it.
separate int put_folder(u32 index, u64 mount, u64 dentry, u32 tag)
{
	struct slot *slot = slot_of(index);
	if (!slot || !dentry)
		return 0;
	build_path(index, mount, dentry);
	put_built(slot, tag);
	return 0;
}

// The name of a file that no folder has: pipes, sockets, memfds, and what has only a descriptor.
separate int build_pseudo(u32 index, u64 dentry_pointer, u64 magic, u64 inode)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct dentry *dentry = (struct dentry *)dentry_pointer;
	u32 at = PATH_BYTES;
	if (magic == MAGIC_PIPE || magic == MAGIC_SOCKET) {
		at--;
		slot->path[at & (PATH_BYTES - 1)] = ']';
		for (int digit = 0; digit < 20; digit++) {
			at--;
			slot->path[at & (PATH_BYTES - 1)] = '0' + inode % 10;
			inode /= 10;
			if (!inode)
				break;
		}
		at -= magic == MAGIC_PIPE ? 6 : 8;
		u8 *to = &slot->path[at & (PATH_BYTES - 1)];
		if (magic == MAGIC_PIPE) {
			to[0] = 'p';
			to[1] = 'i';
			to[2] = 'p';
			to[3] = 'e';
			to[4] = ':';
			to[5] = '[';
		} else {
			to[0] = 's';
			to[1] = 'o';
			to[2] = 'c';
			to[3] = 'k';
			to[4] = 'e';
			to[5] = 't';
			to[6] = ':';
			to[7] = '[';
		}
	} else {
		struct step step = {};
		step_of(&step, dentry);
		u32 length = step.length & (NAME_BYTES - 1);
		at -= length;
		bpf_probe_read_kernel(&slot->path[at & (PATH_BYTES - 1)], length, step.name);
		if (magic == MAGIC_ANONYMOUS) {
			at -= 11;
			u8 *to = &slot->path[at & (PATH_BYTES - 1)];
			to[0] = 'a';
			to[1] = 'n';
			to[2] = 'o';
			to[3] = 'n';
			to[4] = '_';
			to[5] = 'i';
			to[6] = 'n';
			to[7] = 'o';
			to[8] = 'd';
			to[9] = 'e';
			to[10] = ':';
		} else if (magic == MAGIC_TMPFS && length > 6) {
			u8 *from = &slot->path[at & (PATH_BYTES - 1)];
			if (from[0] == 'm' && from[1] == 'e' && from[2] == 'm' && from[3] == 'f' && from[4] == 'd' && from[5] == ':')
				slot->path_flags |= FILE_MEMFD;
		}
	}
	slot->path_at = at;
	return 0;
}

// Whether an inode of an overlay has a file in the upper layer.
inlined u32 overlay_layer(struct inode *inode)
{
	void *at = inode;
	if (type_exists(struct ovl_inode))
		at += offset_of_field(struct ovl_inode, __upperdentry) - offset_of_field(struct ovl_inode, vfs_inode);
	else
		// The module's types are not known; the pointer has followed the inode in every release.
		at += size_of_type(struct inode);
	struct dentry *upper = 0;
	bpf_probe_read_kernel(&upper, sizeof(upper), at);
	if (upper && READ(upper->d_inode))
		return FILE_UPPER_LAYER;
	return FILE_LOWER_LAYER;
}

// A field of the inode that was copied to the slot.
#define COPIED(slot, pointer, field)                                                                                           \
	({                                                                                                                     \
		typeof(((struct inode *)0)->field) field_;                                                                     \
		u32 offset_ = offset_of_field(struct inode, field);                                                            \
		if (offset_ + sizeof(field_) <= INODE_BYTES)                                                                   \
			field_ = *(typeof(field_) *)((slot)->inode + offset_);                                                 \
		else                                                                                                           \
			field_ = READ((pointer)->field);                                                                       \
		field_;                                                                                                        \
	})

inlined void times_of(struct file_meta *meta, struct slot *slot, struct inode *inode)
{
	if (has_field(struct inode, i_ctime_sec)) {
		meta->change_time = COPIED(slot, inode, i_ctime_sec) * 1000000000 + COPIED(slot, inode, i_ctime_nsec);
		meta->modify_time = COPIED(slot, inode, i_mtime_sec) * 1000000000 + COPIED(slot, inode, i_mtime_nsec);
		return;
	}
	if (has_field(struct inode, __i_ctime))
		meta->change_time = READ(inode->__i_ctime.tv_sec) * 1000000000 + READ(inode->__i_ctime.tv_nsec);
	else
		meta->change_time = READ(inode->i_ctime.tv_sec) * 1000000000 + READ(inode->i_ctime.tv_nsec);
	if (has_field(struct inode, __i_mtime))
		meta->modify_time = READ(inode->__i_mtime.tv_sec) * 1000000000 + READ(inode->__i_mtime.tv_nsec);
	else
		meta->modify_time = READ(inode->i_mtime.tv_sec) * 1000000000 + READ(inode->i_mtime.tv_nsec);
}

// Whether the task may write to the file by its mode bits, owner, or being the superuser.
inlined bool may_write(struct task_struct *task, u32 mode, u32 owner, u32 group)
{
	const struct cred *cred = READ(task->cred);
	u32 user = READ(cred->fsuid.val);
	if (!user)
		return true;
	if (user == owner)
		return mode & 0200;
	if (READ(cred->fsgid.val) == group)
		return mode & 0020;
	return mode & 0002;
}

// The path and the facts of an open file: chunk `tag` and, in every such pair, the next tag. Returns its type and permission bits.
separate int put_file(u32 index, u64 pointer, u32 tag)
{
	struct slot *slot = slot_of(index);
	struct file *file = (struct file *)pointer;
	if (!slot || !file)
		return 0;
	struct inode *inode = READ(file->f_inode);
	struct dentry *dentry = READ(file->f_path.dentry);
	struct vfsmount *vfs = READ(file->f_path.mnt);
	if (!inode || !dentry)
		return 0;
	bpf_probe_read_kernel(slot->inode, INODE_BYTES, inode);
	struct super_block *super = COPIED(slot, inode, i_sb);
	struct file_meta meta = {};
	meta.inode = COPIED(slot, inode, i_ino);
	meta.mode = COPIED(slot, inode, i_mode);
	meta.owner = COPIED(slot, inode, i_uid.val);
	meta.device = READ(super->s_dev);
	meta.filesystem_magic = READ(super->s_magic);
	times_of(&meta, slot, inode);
	struct mount *mount = (void *)vfs - offset_of_field(struct mount, mnt);
	meta.mount = READ(mount->mnt_id);
	slot->path_flags = 0;
	struct dentry *parent = READ(dentry->d_parent);
	bool nameless = parent == dentry;
	if (nameless && (READ(vfs->mnt_root) != dentry || meta.filesystem_magic == MAGIC_PIPE || meta.filesystem_magic == MAGIC_SOCKET ||
			 meta.filesystem_magic == MAGIC_ANONYMOUS))
		build_pseudo(index, (u64)dentry, meta.filesystem_magic, meta.inode);
	else
		build_path(index, (u64)vfs, (u64)dentry);
	meta.flags = slot->path_flags;
	if (!COPIED(slot, inode, i_nlink) || (!nameless && !READ(dentry->d_hash.pprev)))
		meta.flags |= FILE_DELETED;
	if (meta.filesystem_magic == MAGIC_OVERLAY)
		meta.flags |= overlay_layer(inode);
	if (tag == TAG_EXECUTABLE &&
	    may_write((struct task_struct *)slot->task, meta.mode, meta.owner, COPIED(slot, inode, i_gid.val)))
		meta.flags |= FILE_WRITABLE;
	put_built(slot, tag);
	put_bytes(slot, tag + 1, &meta, sizeof(meta));
	return meta.mode;
}

// The open file behind a descriptor of a task.
inlined struct file *file_in(struct task_struct *task, s64 descriptor)
{
	if (descriptor < 0)
		return 0;
	struct files_struct *files = READ(task->files);
	struct fdtable *table = READ(files->fdt);
	if ((u64)descriptor >= READ(table->max_fds))
		return 0;
	struct file **files_there = READ(table->fd);
	struct file *file = 0;
	bpf_probe_read_kernel(&file, sizeof(file), files_there + descriptor);
	return file;
}

// The open file behind a descriptor of the record's task.
inlined struct file *file_of(struct slot *slot, s64 descriptor)
{
	return file_in((struct task_struct *)slot->task, descriptor);
}

#define AT_CURRENT_FOLDER (-100)

// The folder that a relative path starts from: that of the descriptor, or the working folder.
separate int put_base(u32 index, int descriptor, u32 tag)
{
	struct slot *slot = slot_of(index);
	if (!slot)
		return 0;
	struct vfsmount *vfs;
	struct dentry *dentry;
	if (descriptor == AT_CURRENT_FOLDER) {
		struct task_struct *task = (struct task_struct *)slot->task;
		struct fs_struct *fs = READ(task->fs);
		vfs = READ(fs->pwd.mnt);
		dentry = READ(fs->pwd.dentry);
	} else {
		struct file *file = file_of(slot, descriptor);
		if (!file)
			return 0;
		vfs = READ(file->f_path.mnt);
		dentry = READ(file->f_path.dentry);
	}
	if (!dentry)
		return 0;
	build_path(index, (u64)vfs, (u64)dentry);
	put_built(slot, tag);
	return 0;
}

#endif
