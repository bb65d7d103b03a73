//! Runs the batch of a data loader once every resolver of the request waits for one, so that all keys
//! are collected before.
//!
//! `DataLoader` would otherwise use a timer, and the number of SQL statements would depend on how
//! busy the machine is. Here it depends on the document alone.

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Maximum number of times resolvers that only yielded are polled again before batches run.
const MAX_POLL_ROUNDS: usize = 4096;

type Batch = BoxFuture<'static, ()>;

/// Batches of one execution that wait to be run.
#[derive(Clone, Default)]
pub(super) struct BatchQueue(Arc<Mutex<Vec<Batch>>>);

impl BatchQueue {
    /// Adds a batch; [`run`](Self::run) starts it.
    pub(super) fn push(&self, batch: Batch) {
        self.lock().push(batch);
    }

    fn take_all(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Batch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `execution` to its end, and starts queued batches whenever it cannot continue.
    pub(super) async fn run<F: Future>(self, execution: F) -> F::Output {
        let mut execution = pin!(execution);
        let mut running = FuturesUnordered::new();
        std::future::poll_fn(move |context| {
            loop {
                for _ in 0..MAX_POLL_ROUNDS {
                    let round = Arc::new(PollRound {
                        outer: context.waker().clone(),
                        woken: AtomicBool::new(false),
                    });
                    let waker = Waker::from(round.clone());
                    if let Poll::Ready(output) =
                        execution.as_mut().poll(&mut Context::from_waker(&waker))
                    {
                        return Poll::Ready(output);
                    }
                    // Long lists yield with work left: they have not asked for every key yet.
                    if !round.woken.swap(false, Ordering::AcqRel) {
                        break;
                    }
                }
                running.extend(self.take_all());
                match running.poll_next_unpin(context) {
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}

/// Records whether a future woke itself while it was polled.
struct PollRound {
    outer: Waker,
    woken: AtomicBool,
}

impl Wake for PollRound {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.outer.wake_by_ref();
    }
}
