// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The helpers of the kernel that the programs call, and how maps and relocations are written down.
#ifndef HULLWARD_HELPERS_H
#define HULLWARD_HELPERS_H

#define SEC(name) __attribute__((section(name), used))
#define inlined static inline __attribute__((always_inline))
// Functions of their own: verified once each instead of at every call.
#define separate __attribute__((noinline))

#define __uint(name, value) int(*name)[value]
#define __type(name, value) value *name
#define __array(name, value) value *name[]

#define NO_PREALLOCATION 1

enum map_type {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PROGRAM_ARRAY = 3,
	MAP_PERCPU_ARRAY = 6,
	MAP_LRU_HASH = 9,
	MAP_ARRAY_OF_MAPS = 12,
	MAP_RING_BUFFER = 27,
};

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static u32 (*const bpf_get_smp_processor_id)(void) = (void *)8;
static long (*const bpf_tail_call)(void *context, void *programs, u32 index) = (void *)12;
static u64 (*const bpf_get_current_pid_tgid)(void) = (void *)14;
static u64 (*const bpf_get_current_task)(void) = (void *)35;
static u64 (*const bpf_get_current_cgroup_id)(void) = (void *)80;
static long (*const bpf_probe_read_user)(void *to, u32 size, const void *from) = (void *)112;
static long (*const bpf_probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*const bpf_probe_read_user_str)(void *to, u32 size, const void *from) = (void *)114;
static long (*const bpf_probe_read_kernel_str)(void *to, u32 size, const void *from) = (void *)115;
static u64 (*const bpf_ktime_get_boot_ns)(void) = (void *)125;
static long (*const bpf_seq_write)(struct seq_file *file, const void *data, u32 size) = (void *)127;
static long (*const bpf_ringbuf_output)(void *ring, void *data, u64 size, u64 flags) = (void *)130;
static u64 (*const bpf_ringbuf_query)(void *ring, u64 what) = (void *)134;
static struct task_struct *(*const bpf_get_current_task_btf)(void) = (void *)158;

#define RING_NO_WAKEUP 1
#define RING_FORCE_WAKEUP 2
#define RING_AVAILABLE_DATA 0

// Numbers that the loader fills in from the types of the running kernel.
#define offset_of_field(type, field) __builtin_preserve_field_info(((type *)0)->field, 0)
#define has_field(type, field) __builtin_preserve_field_info(((type *)0)->field, 2)
#define type_exists(type) __builtin_preserve_type_info(*(type *)0, 0)
#define size_of_type(type) __builtin_preserve_type_info(*(type *)0, 1)
#define has_enumerator(type, name) __builtin_preserve_enum_value(*(typeof(type) *)name, 0)
#define enumerator(type, name) __builtin_preserve_enum_value(*(typeof(type) *)name, 1)

// The value of a field behind a pointer that the verifier knows nothing of.
#define READ(field)                                                                                                            \
	({                                                                                                                     \
		typeof(field) value_;                                                                                          \
		bpf_probe_read_kernel((void *)&value_, sizeof(value_), &(field));                                                    \
		value_;                                                                                                        \
	})

// The value of a field: loaded where the verifier knows the type of the pointer, else as READ does.
#define GET(direct, field) ((direct) ? (field) : READ(field))

// Kernels before 5.11 give the current task as a bare number.
#define TYPED_CURRENT has_enumerator(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

// Keeps the compiler from dropping a bound that the verifier needs to see.
#define keep(value) asm volatile("" : "+r"(value))

#endif
