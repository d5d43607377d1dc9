//! Standard output behind a queue: who reads it slowly, or not at all, does not hold up detection.
//!
//! A queue that is full is waited for, but only so long in all as [`Patience`] says; after that what does not fit is dropped
//! and counted, until the reader has caught up.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What may wait, in bytes.
const CAPACITY: usize = 8 << 20;
/// What is written at once at most, unless one piece is longer.
const AT_ONCE: usize = 64 << 10;
/// How often a wait looks whether the program is to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a full queue is waited for.
#[derive(Debug, Clone)]
pub(crate) enum Patience {
    /// So long in all between two moments at which nothing waited: events come whether alerts go or not.
    Bounded(Duration),
    /// Until the program is to stop, and then so long: events of files can wait.
    UntilStopped(Arc<AtomicBool>, Duration),
}

/// What became of lines.
#[derive(Debug, Default)]
pub(crate) struct OutputFigures {
    /// Written.
    pub(crate) written: AtomicU64,
    /// Dropped because nobody read.
    pub(crate) dropped: AtomicU64,
    /// Bytes that wait.
    pub(crate) queued: AtomicU64,
}

/// Standard output; clones write to the same.
#[derive(Clone)]
pub(crate) struct StandardOutput {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Something is to be written, or room was made.
    changed: Condvar,
    capacity: usize,
    patience: Patience,
    figures: Arc<OutputFigures>,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    /// A piece is being written.
    is_writing: bool,
    /// How long it was waited since nothing waited last.
    waited: Duration,
    failure: Option<io::Error>,
    ends: bool,
}

impl State {
    fn is_idle(&self) -> bool {
        self.pieces.is_empty() && !self.is_writing
    }
}

impl StandardOutput {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(writer: Box<dyn Write + Send>, patience: Patience) -> io::Result<Self> {
        Self::with_capacity(writer, patience, CAPACITY)
    }

    fn with_capacity(writer: Box<dyn Write + Send>, patience: Patience, capacity: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            capacity,
            patience,
            figures: Arc::default(),
        });
        let written = Arc::clone(&shared);
        // Never joined: a write to a reader that hangs does not end.
        std::thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(move || written.write(writer))?;
        Ok(Self { shared })
    }

    /// What became of lines so far.
    pub(crate) fn figures(&self) -> &Arc<OutputFigures> {
        &self.shared.figures
    }

    /// Whether everything is written.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.lock().is_idle()
    }

    /// Puts whole lines in; says whether there was room.
    ///
    /// # Errors
    /// When standard output cannot be written to any more.
    pub(crate) fn put(&self, lines: &[u8]) -> io::Result<bool> {
        let shared = &*self.shared;
        if lines.is_empty() {
            return Ok(true);
        }
        let mut state = shared.lock();
        while state.failure.is_none()
            && !state.pieces.is_empty()
            && state.bytes.saturating_add(lines.len()) > shared.capacity
        {
            let left = match &shared.patience {
                Patience::UntilStopped(stop, _) if !stop.load(Ordering::Relaxed) => GLANCE,
                Patience::UntilStopped(_, all) | Patience::Bounded(all) => all.saturating_sub(state.waited),
            };
            if left.is_zero() {
                return Ok(false);
            }
            let start = Instant::now();
            state = shared
                .changed
                .wait_timeout(state, left.min(GLANCE))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            let counts = match &shared.patience {
                Patience::UntilStopped(stop, _) => stop.load(Ordering::Relaxed),
                Patience::Bounded(_) => true,
            };
            if counts {
                state.waited += start.elapsed();
            }
        }
        shared.check(&state)?;
        state.bytes += lines.len();
        state.pieces.push_back(lines.to_vec());
        shared.figures.queued.store(state.bytes as u64, Ordering::Relaxed);
        drop(state);
        shared.changed.notify_all();
        Ok(true)
    }

    /// As [`Self::put`], and counts what found no room.
    ///
    /// # Errors
    /// When standard output cannot be written to any more.
    pub(crate) fn put_or_drop(&self, lines: &[u8]) -> io::Result<()> {
        if !self.put(lines)? {
            self.shared.drop_lines(lines);
        }
        Ok(())
    }

    /// Whether it can still be written to.
    ///
    /// # Errors
    /// When not, with what a write said.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.shared.check(&self.shared.lock())
    }

    /// Waits until everything is written, as long as [`Patience`] says; what is left then is counted as dropped.
    ///
    /// # Errors
    /// When standard output could not be written to.
    pub(crate) fn finish(&self, patience: Duration) -> io::Result<()> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        let mut waited = Duration::ZERO;
        while state.failure.is_none() && !state.is_idle() {
            let ends = match &shared.patience {
                Patience::UntilStopped(stop, _) => stop.load(Ordering::Relaxed),
                Patience::Bounded(_) => true,
            };
            if ends && waited >= patience {
                break;
            }
            let start = Instant::now();
            state = shared
                .changed
                .wait_timeout(state, GLANCE)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if ends {
                waited += start.elapsed();
            }
        }
        state.ends = true;
        for piece in std::mem::take(&mut state.pieces) {
            shared.drop_lines(&piece);
        }
        state.bytes = 0;
        shared.figures.queued.store(0, Ordering::Relaxed);
        let outcome = shared.check(&state);
        drop(state);
        shared.changed.notify_all();
        outcome
    }
}

/// For destinations that write to standard output too: what finds no room is an error, which they count themselves.
impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.put(bytes)? {
            Ok(bytes.len())
        } else {
            Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                "whoever reads it does not keep up",
            ))
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[allow(clippy::unused_self, reason = "reads as a question to it")]
    fn check(&self, state: &State) -> io::Result<()> {
        match &state.failure {
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
            None => Ok(()),
        }
    }

    fn drop_lines(&self, lines: &[u8]) {
        self.figures.dropped.fetch_add(count(lines), Ordering::Relaxed);
    }

    fn write(&self, mut writer: Box<dyn Write + Send>) {
        let mut state = self.lock();
        loop {
            if state.pieces.is_empty() {
                if state.ends {
                    return;
                }
                state.waited = Duration::ZERO;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let mut piece = state.pieces.pop_front().unwrap_or_default();
            while let Some(next) = state.pieces.front()
                && piece.len() + next.len() <= AT_ONCE
            {
                piece.extend_from_slice(next);
                state.pieces.pop_front();
            }
            state.bytes = state.bytes.saturating_sub(piece.len());
            self.figures.queued.store(state.bytes as u64, Ordering::Relaxed);
            state.is_writing = true;
            drop(state);
            self.changed.notify_all();
            let written = writer.write_all(&piece).and_then(|()| writer.flush());
            state = self.lock();
            state.is_writing = false;
            match written {
                Ok(()) => {
                    self.figures.written.fetch_add(count(&piece), Ordering::Relaxed);
                }
                Err(error) => {
                    self.drop_lines(&piece);
                    for piece in std::mem::take(&mut state.pieces) {
                        self.drop_lines(&piece);
                    }
                    state.bytes = 0;
                    state.failure = Some(error);
                }
            }
            self.changed.notify_all();
            if state.failure.is_some() {
                return;
            }
        }
    }
}

/// Lines of a text.
fn count(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Writes once for each unit that the test hands out, and says what it wrote.
    struct Gate {
        open: Receiver<()>,
        wrote: Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.open
                .recv()
                .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            let _ = self.wrote.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (Sender<()>, Receiver<Vec<u8>>, Box<Gate>) {
        let (unit, open) = channel();
        let (wrote, written) = channel();
        (unit, written, Box::new(Gate { open, wrote }))
    }

    #[test]
    fn a_reader_that_hangs_costs_its_lines_and_is_waited_for_once() {
        let (unit, written, gate) = gate();
        let output =
            StandardOutput::with_capacity(gate, Patience::Bounded(Duration::from_millis(20)), 40).unwrap();
        let mut kept = 0;
        for _ in 0..10_000 {
            // Ten thousand waits of twenty milliseconds would be noticed.
            kept += u64::from(output.put(b"123456789\n").unwrap());
        }
        assert!((4..=8).contains(&kept), "{kept}");
        drop(written);
        // The reader comes back: what it missed is over, what comes now is written.
        for _ in 0..100 {
            unit.send(()).unwrap();
        }
        while !output.is_idle() {
            std::thread::yield_now();
        }
        assert!(output.put(b"again\n").unwrap());
        output.finish(Duration::from_secs(60)).unwrap();
        assert_eq!(output.figures().written.load(Ordering::Relaxed), kept + 1);
        assert_eq!(output.figures().dropped.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_left_at_the_end_is_counted() {
        let (unit, _written, gate) = gate();
        let mut output = StandardOutput::with_capacity(gate, Patience::Bounded(Duration::ZERO), 20).unwrap();
        assert!(output.put(b"on its way\n").unwrap());
        // What comes before the thread takes this would be taken with it.
        while !output.shared.lock().is_writing {
            std::thread::yield_now();
        }
        let mut put = 0;
        while output.put(b"123456789\n").unwrap() {
            put += 1;
        }
        assert!(put > 0);
        output.put_or_drop(b"dropped\n").unwrap();
        assert_eq!(
            output.write_all(b"x\n").unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        output.finish(Duration::from_millis(1)).unwrap();
        let dropped = output.figures().dropped.load(Ordering::Relaxed);
        assert_eq!(dropped, put + 1);
        drop(unit);
    }

    #[test]
    fn events_that_can_wait_do_until_the_program_is_to_stop() {
        let (unit, written, gate) = gate();
        let stop = Arc::new(AtomicBool::new(false));
        let patience = Patience::UntilStopped(Arc::clone(&stop), Duration::ZERO);
        let output = StandardOutput::with_capacity(gate, patience, 10).unwrap();
        let writer = output.clone();
        let writing = std::thread::spawn(move || {
            (0..50)
                .map(|_| u64::from(writer.put(b"123456789\n").unwrap()))
                .sum::<u64>()
        });
        for _ in 0..10 {
            unit.send(()).unwrap();
            written.recv().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        let put = writing.join().unwrap();
        assert!((10..50).contains(&put), "{put}");
    }

    #[test]
    fn a_reader_that_went_away_is_told() {
        let (unit, _written, gate) = gate();
        drop(unit);
        let output = StandardOutput::start(gate, Patience::Bounded(Duration::from_secs(60))).unwrap();
        output.put_or_drop(b"1\n").unwrap();
        assert_eq!(
            output.finish(Duration::from_secs(60)).unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
        assert_eq!(output.put(b"2\n").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(output.figures().dropped.load(Ordering::Relaxed), 1);
    }
}
