//! Threads that run checks, each with an event loop of its own.
//!
//! In a runtime with several threads each task that is spawned or woken wakes an idle thread, which
//! looks for work and mostly finds none. At a low load that costs more than the checks. A check
//! stays on its thread instead, and further threads are used only while there are many checks.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use tokio::runtime::{Builder, Handle};

/// Number of running tasks from which another thread is used.
const BUSY_TASKS: usize = 32;

/// The threads of this process. They never end: database connections that were opened on one of them
/// need its event loop, and others may use them after the worker has ended.
static THREADS: LazyLock<io::Result<CheckThreads>> = LazyLock::new(|| {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    CheckThreads::start(count)
});

/// A set of threads to run checks on.
#[derive(Debug)]
pub(crate) struct CheckThreads {
    threads: Vec<CheckThread>,
}

#[derive(Debug)]
struct CheckThread {
    handle: Handle,
    running: Arc<AtomicUsize>,
}

/// A thread to run one task on. The task counts as running until this is dropped.
#[derive(Debug)]
pub(crate) struct ThreadSlot {
    handle: Handle,
    running: Arc<AtomicUsize>,
}

impl CheckThreads {
    /// Returns the threads of this process, one for each processor. Starts them at the first call.
    ///
    /// # Errors
    /// If the system refuses a thread or an event loop.
    pub(crate) fn shared() -> anyhow::Result<&'static Self> {
        THREADS
            .as_ref()
            .map_err(|error| anyhow::anyhow!("failed to start the threads of the checks: {error}"))
    }

    fn start(count: usize) -> io::Result<Self> {
        let mut threads = Vec::new();
        for number in 0..count.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            std::thread::Builder::new()
                .name(format!("checks-{number}"))
                .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
            threads.push(CheckThread {
                handle,
                running: Arc::default(),
            });
        }
        Ok(Self { threads })
    }

    /// The first thread, which also runs what hands checks out and takes their results.
    pub(crate) fn first(&self) -> &Handle {
        &self.threads[0].handle
    }

    /// Takes a slot on the first thread that is not busy, or else on the one with the fewest tasks.
    pub(crate) fn take(&self) -> ThreadSlot {
        let running = |thread: &&CheckThread| thread.running.load(Relaxed);
        let thread = self
            .threads
            .iter()
            .find(|thread| running(thread) < BUSY_TASKS)
            .or_else(|| self.threads.iter().min_by_key(running))
            .expect("there is at least one thread");
        thread.running.fetch_add(1, Relaxed);
        ThreadSlot {
            handle: thread.handle.clone(),
            running: Arc::clone(&thread.running),
        }
    }
}

impl ThreadSlot {
    /// The thread's event loop.
    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for ThreadSlot {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_thread_is_used_only_while_the_first_is_busy() {
        let threads = CheckThreads::start(2).unwrap();
        let running = |index: usize| threads.threads[index].running.load(Relaxed);
        let mut slots: Vec<_> = (0..BUSY_TASKS).map(|_| threads.take()).collect();
        assert_eq!(running(0), BUSY_TASKS);
        assert_eq!(running(1), 0);
        slots.push(threads.take());
        assert_eq!(running(1), 1);
        slots.extend((0..3 * BUSY_TASKS - 1).map(|_| threads.take()));
        assert_eq!(running(0), 2 * BUSY_TASKS, "both have the same share");
        assert_eq!(running(1), 2 * BUSY_TASKS);
        drop(slots);
        assert_eq!(running(0), 0);
    }

    #[test]
    fn tasks_run_on_the_thread_that_was_taken() {
        let threads = CheckThreads::start(1).unwrap();
        let slot = threads.take();
        let (sender, receiver) = std::sync::mpsc::channel();
        slot.handle().spawn(async move {
            let name = std::thread::current().name().map(ToOwned::to_owned);
            let _ = sender.send(name);
        });
        assert_eq!(receiver.recv().unwrap().as_deref(), Some("checks-0"));
    }
}
