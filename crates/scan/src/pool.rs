//! Threads that run extractors beside the threads that read layers.

use crate::budget::Budget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// One piece of work. It must not outlive nothing but its own data.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Jobs that wait at most: each may hold a file of up to a MiB in memory, so this bounds memory too.
const QUEUE: usize = 24;

/// Where jobs are handed in.
pub(crate) struct Pool {
    sender: Mutex<Option<SyncSender<Job>>>,
    budget: Arc<Budget>,
}

impl Pool {
    /// What the jobs of the scan may keep in all.
    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Hands a job in; waits while the queue is full, which slows the readers down to what the extractors can take.
    pub(crate) fn run(&self, job: Job) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match sender {
            Some(sender) => {
                // The receiver lives as long as the pool; if it were gone, doing the work here is right as well.
                if let Err(returned) = sender.send(job) {
                    (returned.0)();
                }
            }
            None => job(),
        }
    }
}

/// Counts jobs of one layer that are not done yet.
#[derive(Clone, Default)]
pub(crate) struct Pending(Arc<(Mutex<usize>, Condvar)>);

impl Pending {
    /// One more job; done when the guard is dropped, also by a panic.
    pub(crate) fn begin(&self) -> PendingGuard {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        PendingGuard(self.clone())
    }

    /// Waits until no job is left.
    pub(crate) fn wait(&self) {
        let mut count = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while *count > 0 {
            count = self.0.1.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A job that is under way.
pub(crate) struct PendingGuard(Pending);

impl Drop for PendingGuard {
    fn drop(&mut self) {
        *self.0.0.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.0.1.notify_all();
    }
}

/// Runs `body` with `threads` workers; returns when it has returned and every job is done.
pub(crate) fn with_workers<T>(threads: usize, budget: &Arc<Budget>, body: impl FnOnce(&Pool) -> T) -> T {
    let (sender, receiver) = sync_channel::<Job>(QUEUE);
    let receiver = Mutex::new(receiver);
    let pool = Pool {
        sender: Mutex::new(Some(sender)),
        budget: Arc::clone(budget),
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| work(&receiver));
        }
        let result = body(&pool);
        *pool.sender.lock().unwrap_or_else(PoisonError::into_inner) = None;
        result
    })
}

fn work(receiver: &Mutex<Receiver<Job>>) {
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Extractors turn what is wrong into problems; one that panics all the same is reported by its collector and must
        // not take the other layers with it.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn all_jobs_are_done_when_it_returns_even_if_one_panics() {
        let done = Arc::new(AtomicUsize::new(0));
        with_workers(2, &Arc::new(Budget::new(1)), |pool| {
            let pending = Pending::default();
            for number in 0..100 {
                let done = Arc::clone(&done);
                let guard = pending.begin();
                pool.run(Box::new(move || {
                    let _guard = guard;
                    assert_ne!(number, 50, "this job panics on purpose");
                    done.fetch_add(1, Ordering::Relaxed);
                }));
            }
            pending.wait();
            assert_eq!(done.load(Ordering::Relaxed), 99);
        });
    }
}
