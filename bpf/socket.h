// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// Sockets: both ends, from the kernel's own object.
#ifndef HULLWARD_SOCKET_H
#define HULLWARD_SOCKET_H

#define FAMILY_UNIX 1
#define FAMILY_INET 2
#define FAMILY_INET6 10

inlined u16 swapped(u16 number)
{
	return number << 8 | number >> 8;
}

inlined void ends_of(struct socket_ends *ends, struct sock *sock)
{
	ends->family = READ(sock->__sk_common.skc_family);
	ends->type = READ(sock->sk_type);
	u16 protocol = READ(sock->sk_protocol);
	ends->protocol = protocol;
	ends->protocol_wide = protocol;
	ends->state = READ(sock->__sk_common.skc_state);
	if (ends->family == FAMILY_INET || ends->family == FAMILY_INET6) {
		struct inet_sock *inet = (struct inet_sock *)sock;
		ends->local_port = READ(sock->__sk_common.skc_num);
		ends->remote_port = swapped(READ(sock->__sk_common.skc_dport));
		if (ends->family == FAMILY_INET) {
			ends->local[0] = READ(sock->__sk_common.skc_rcv_saddr);
			if (!ends->local[0])
				ends->local[0] = READ(inet->inet_saddr);
			ends->remote[0] = READ(sock->__sk_common.skc_daddr);
		} else {
			bpf_probe_read_kernel(ends->local, sizeof(ends->local), &sock->__sk_common.skc_v6_rcv_saddr);
			bpf_probe_read_kernel(ends->remote, sizeof(ends->remote), &sock->__sk_common.skc_v6_daddr);
		}
	}
}

// The open file behind a descriptor of the current task, with as few calls of helpers as the kernel allows.
inlined struct file *current_file(s64 descriptor)
{
	if (!TYPED_CURRENT)
		return file_in((struct task_struct *)bpf_get_current_task(), descriptor);
	struct files_struct *files = bpf_get_current_task_btf()->files;
	if (!files)
		return 0;
	struct fdtable *table = files->fdt;
	if (!table || descriptor < 0 || (u64)descriptor >= table->max_fds)
		return 0;
	struct file *file = 0;
	bpf_probe_read_kernel(&file, sizeof(file), (void *)((u64)table->fd + descriptor * sizeof(void *)));
	return file;
}

// Whether a descriptor of the current task is a TCP socket.
inlined bool is_tcp(s32 descriptor)
{
	struct file *file = current_file(descriptor);
	if (!file)
		return false;
	struct inode *inode = READ(file->f_inode);
	if ((READ(inode->i_mode) & MODE_TYPE) != MODE_SOCKET)
		return false;
	struct socket *socket = READ(file->private_data);
	struct sock *sock = READ(socket->sk);
	if (!sock)
		return false;
	u16 family = READ(sock->__sk_common.skc_family);
	return (family == FAMILY_INET || family == FAMILY_INET6) && READ(sock->sk_protocol) == 6;
}

// The name of a Unix socket. Returns whether it has one.
inlined bool put_unix_name(struct slot *slot, struct unix_address *address)
{
	if (!address)
		return false;
	// The family comes first.
	s32 length = READ(address->len) - 2;
	if (length <= 0 || length > 108)
		return false;
	s32 at = chunk_begin(slot, TAG_UNIX_PATH);
	if (at < 0)
		return false;
	u32 size = length;
	keep(size);
	size &= 127;
	bpf_probe_read_kernel(chunk_content(slot, at), size, (void *)address + offset_of_field(struct unix_address, name) + 2);
	chunk_end(slot, at, size);
	return true;
}

// Both ends of the socket behind an open file. Returns the family, 0 when the file is no socket.
separate int put_socket(u32 index, u64 file_pointer, u32 tag, u32 role)
{
	struct slot *slot = slot_of(index);
	struct file *file = (struct file *)file_pointer;
	if (!slot || !file)
		return 0;
	struct inode *inode = READ(file->f_inode);
	if ((READ(inode->i_mode) & MODE_TYPE) != MODE_SOCKET)
		return 0;
	struct socket *socket = READ(file->private_data);
	if (!socket)
		return 0;
	struct sock *sock = READ(socket->sk);
	if (!sock)
		return 0;
	struct socket_ends ends = {};
	ends_of(&ends, sock);
	u64 number = READ(inode->i_ino);
	ends.cookie[0] = number;
	ends.cookie[1] = number >> 32;
	ends.role = role;
	put_bytes(slot, tag, &ends, sizeof(ends));
	if (ends.family == FAMILY_UNIX && tag == TAG_SOCKET) {
		struct unix_sock *own = (struct unix_sock *)sock;
		struct unix_sock *peer = (struct unix_sock *)READ(own->peer);
		if (!peer || !put_unix_name(slot, READ(peer->addr)))
			put_unix_name(slot, READ(own->addr));
	}
	return ends.family;
}

#endif
