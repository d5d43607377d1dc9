//! Ring buffers between the kernel and this process, read in place.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Bytes of the kernel's header of each entry.
const ENTRY_HEADER: u64 = 8;
/// The entry is still being written.
const BUSY: u32 = 1 << 31;
/// The entry was given up.
const DISCARDED: u32 = 1 << 30;

/// Memory shared with the kernel.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    #[allow(unsafe_code)]
    fn new(descriptor: &OwnedFd, length: usize, offset: usize, writable: bool) -> io::Result<Self> {
        let protection = if writable {
            libc::PROT_READ | libc::PROT_WRITE
        } else {
            libc::PROT_READ
        };
        let offset =
            libc::off_t::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory of ours.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                protection,
                libc::MAP_SHARED,
                descriptor.as_raw_fd(),
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this start and length, and nothing borrows from it any more.
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.length);
        }
    }
}

/// The reader's end of one ring buffer.
#[derive(Debug)]
pub(crate) struct Ring {
    descriptor: OwnedFd,
    /// One page: how far this process has read.
    consumer: Mapping,
    /// One page: how far the kernel has written; then the data. The kernel would map it twice in a row, so that no entry is
    /// split, but every page counts as resident as often as it is mapped.
    producer: Mapping,
    /// An entry that goes on at the start of the data, put together.
    split: Vec<u8>,
    page: usize,
    size: u64,
    position: u64,
}

// SAFETY: the mappings belong to this value alone; the kernel's side is reached through atomics.
#[allow(unsafe_code)]
unsafe impl Send for Ring {}

impl Ring {
    /// Maps a ring buffer of `size` bytes, a power of two.
    pub(crate) fn new(descriptor: OwnedFd, size: u32) -> io::Result<Self> {
        let page = page_size();
        let consumer = Mapping::new(&descriptor, page, 0, true)?;
        let producer = Mapping::new(&descriptor, page + size as usize, page, false)?;
        let mut ring = Self {
            descriptor,
            consumer,
            producer,
            split: Vec::new(),
            page,
            size: u64::from(size),
            position: 0,
        };
        ring.position = ring.consumer_position().load(Ordering::Acquire);
        Ok(ring)
    }

    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    #[allow(unsafe_code)]
    fn consumer_position(&self) -> &AtomicU64 {
        // SAFETY: the page begins with this number, aligned; the kernel reads it atomically.
        unsafe { self.consumer.start.cast::<AtomicU64>().as_ref() }
    }

    #[allow(unsafe_code)]
    fn producer_position(&self) -> u64 {
        // SAFETY: the page begins with this number, aligned; the kernel writes it atomically.
        unsafe { self.producer.start.cast::<AtomicU64>().as_ref() }.load(Ordering::Acquire)
    }

    /// Bytes that wait to be read, entries under way included.
    pub(crate) fn waiting(&self) -> u64 {
        self.producer_position().wrapping_sub(self.position)
    }

    /// The oldest entry that is complete, which [`Self::advance`] then passes.
    #[allow(unsafe_code)]
    pub(crate) fn peek(&mut self) -> Option<&[u8]> {
        loop {
            if self.waiting() < ENTRY_HEADER {
                return None;
            }
            let at = self.page + usize::try_from(self.position & (self.size - 1)).ok()?;
            // SAFETY: `at` is below page + size and, as they, a multiple of 8, so that the header ends within the mapping.
            let state =
                unsafe { self.producer.start.add(at).cast::<AtomicU32>().as_ref() }.load(Ordering::Acquire);
            if state & BUSY != 0 {
                return None;
            }
            let length = u64::from(state & !(BUSY | DISCARDED));
            if state & DISCARDED != 0 || length > self.size {
                self.skip(length.min(self.size));
                continue;
            }
            let length = usize::try_from(length).ok()?;
            let first = at + usize::try_from(ENTRY_HEADER).ok()?;
            let end = self.page + usize::try_from(self.size).ok()?;
            let there = length.min(end - first);
            // SAFETY: both parts lie within the mapping, the second since an entry is at most `size` bytes; the kernel does
            // not write to them before `publish` gives them back.
            let (head, tail) = unsafe {
                let part = |from: usize, length| {
                    std::slice::from_raw_parts(self.producer.start.add(from).as_ptr().cast_const(), length)
                };
                (part(first, there), part(self.page, length - there))
            };
            if tail.is_empty() {
                return Some(head);
            }
            self.split.clear();
            self.split.extend_from_slice(head);
            self.split.extend_from_slice(tail);
            return Some(&self.split);
        }
    }

    /// Passes the entry that [`Self::peek`] gave, of this many bytes.
    pub(crate) fn advance(&mut self, length: usize) {
        self.skip(u64::try_from(length).unwrap_or(u64::MAX));
    }

    fn skip(&mut self, length: u64) {
        self.position = self
            .position
            .wrapping_add(ENTRY_HEADER + length.next_multiple_of(8));
    }

    /// Gives what was passed back to the kernel.
    pub(crate) fn publish(&self) {
        self.consumer_position().store(self.position, Ordering::Release);
    }
}

/// Bytes of a memory page.
#[allow(unsafe_code)]
pub(crate) fn page_size() -> usize {
    // SAFETY: asks for a number.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}
