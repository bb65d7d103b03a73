//! Loading in batches: what the fields of many objects need of one kind is fetched in one statement.
//!
//! A batch runs when no resolver of the request can go on without it: everything that could ask has asked by then. No
//! timer is involved, so the number of statements depends on the query alone, not on how many rows it meets or on how
//! busy the machine is.

use crate::use_cases::{Error, Result};
use futures::channel::oneshot;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use sea_orm::DbErr;
use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How often resolvers that only yielded are polled again before batches run even so.
const MAX_ROUNDS: usize = 4096;

type Batch = BoxFuture<'static, ()>;
type Fetch<K, V> = Box<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>>> + Send + Sync>;

/// The batches of one execution that wait for their turn.
#[derive(Clone, Default)]
pub(super) struct Queue(Arc<Mutex<Vec<Batch>>>);

impl Queue {
    fn push(&self, batch: Batch) {
        lock(&self.0).push(batch);
    }

    fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut *lock(&self.0))
    }

    /// Runs `execution` to its end, and each batch once nothing else can go on.
    pub(super) async fn drive<F: Future>(self, execution: F) -> F::Output {
        let mut execution = pin!(execution);
        let mut running = FuturesUnordered::new();
        std::future::poll_fn(move |context| {
            loop {
                for _ in 0..MAX_ROUNDS {
                    let round = Arc::new(Round {
                        outer: context.waker().clone(),
                        woken: AtomicBool::new(false),
                    });
                    let waker = Waker::from(round.clone());
                    if let Poll::Ready(output) =
                        execution.as_mut().poll(&mut Context::from_waker(&waker))
                    {
                        return Poll::Ready(output);
                    }
                    // Long lists yield now and then with work left; they have not asked for everything yet.
                    if !round.woken.swap(false, Ordering::AcqRel) {
                        break;
                    }
                }
                running.extend(self.take());
                match running.poll_next_unpin(context) {
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}

/// Notices when a future wakes itself while it is polled.
struct Round {
    outer: Waker,
    woken: AtomicBool,
}

impl Wake for Round {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.outer.wake_by_ref();
    }
}

/// Loads values of one kind by their keys, each key once an execution.
pub(super) struct Loader<K, V>(Arc<Shared<K, V>>);

struct Shared<K, V> {
    queue: Queue,
    fetch: Fetch<K, V>,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    known: HashMap<K, Option<V>>,
    awaited: HashMap<K, Vec<oneshot::Sender<Result<Option<V>>>>>,
    /// Who waits for all keys of the next batch.
    groups: Vec<oneshot::Sender<Result<()>>>,
    queued: bool,
}

impl<K, V> Loader<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A loader whose batches are made by `fetch`; a key that it leaves out has no value.
    pub(super) fn new<F>(queue: &Queue, fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<HashMap<K, V>>> + Send + 'static,
    {
        let state = State {
            known: HashMap::new(),
            awaited: HashMap::new(),
            groups: Vec::new(),
            queued: false,
        };
        let fetch: Fetch<K, V> = Box::new(move |keys| Box::pin(fetch(keys)));
        Self(Arc::new(Shared {
            queue: queue.clone(),
            fetch,
            state: Mutex::new(state),
        }))
    }

    /// The value of `key`, together with whatever else is asked for.
    pub(super) async fn load(&self, key: K) -> Result<Option<V>> {
        let answer = {
            let mut state = lock(&self.0.state);
            if let Some(known) = state.known.get(&key) {
                return Ok(known.clone());
            }
            let (sender, answer) = oneshot::channel();
            state.awaited.entry(key).or_default().push(sender);
            self.queue(&mut state);
            answer
        };
        answer.await.unwrap_or_else(|_| given_up())
    }

    /// What `take` makes of the value of each key, in their order; together with whatever else is asked for, as
    /// [`Loader::load`], but for many keys at the price of one.
    pub(super) async fn load_all<R>(
        &self,
        keys: &[K],
        mut take: impl FnMut(&K, Option<&V>) -> R,
    ) -> Result<Vec<R>> {
        let answer = {
            let mut state = lock(&self.0.state);
            let state = &mut *state;
            let mut unknown = false;
            for key in keys.iter().filter(|key| !state.known.contains_key(key)) {
                state.awaited.entry(key.clone()).or_default();
                unknown = true;
            }
            unknown.then(|| {
                let (sender, answer) = oneshot::channel();
                state.groups.push(sender);
                self.queue(state);
                answer
            })
        };
        if let Some(answer) = answer {
            answer.await.unwrap_or_else(|_| given_up())?;
        }
        let state = lock(&self.0.state);
        Ok(keys
            .iter()
            .map(|key| take(key, state.known.get(key).and_then(Option::as_ref)))
            .collect())
    }

    fn queue(&self, state: &mut State<K, V>) {
        if !std::mem::replace(&mut state.queued, true) {
            let shared = self.0.clone();
            self.0
                .queue
                .push(Box::pin(async move { shared.run().await }));
        }
    }
}

fn given_up<T>() -> Result<T> {
    Err(DbErr::Custom("a batch was given up".into()).into())
}

impl<K: Clone + Eq + Hash, V: Clone> Shared<K, V> {
    async fn run(&self) {
        let (awaited, groups) = {
            let mut state = lock(&self.state);
            state.queued = false;
            (
                std::mem::take(&mut state.awaited),
                std::mem::take(&mut state.groups),
            )
        };
        let fetched = (self.fetch)(awaited.keys().cloned().collect()).await;
        let mut state = lock(&self.state);
        for (key, waiting) in awaited {
            let answer: std::result::Result<Option<V>, Error> = match &fetched {
                Ok(values) => Ok(values.get(&key).cloned()),
                Err(error) => Err(error.clone()),
            };
            for sender in waiting {
                // Nobody waits any more where a sibling's error has ended the list.
                let _ = sender.send(answer.clone());
            }
            if let Ok(value) = answer {
                state.known.insert(key, value);
            }
        }
        for sender in groups {
            let _ = sender.send(fetched.as_ref().map(|_| ()).map_err(Error::clone));
        }
    }
}

/// What these locks guard is whole between any two statements, whoever panics.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn counting(queue: &Queue, batches: &Arc<AtomicUsize>) -> Loader<u32, u32> {
        let batches = batches.clone();
        Loader::new(queue, move |keys: Vec<u32>| {
            batches.fetch_add(1, Ordering::Relaxed);
            async move {
                Ok(keys
                    .into_iter()
                    .filter(|key| key % 10 != 9)
                    .map(|key| (key, key * 2))
                    .collect())
            }
        })
    }

    #[tokio::test]
    async fn lists_in_lists_of_any_length_are_one_batch() {
        let (queue, batches) = (Queue::default(), Arc::default());
        let loader = counting(&queue, &batches);
        let outer =
            (0..100).map(|i| {
                let loader = &loader;
                async move {
                    futures::future::join_all((0..100).map(|k| loader.load(i * 100 + k))).await
                }
            });
        let loaded = queue.drive(futures::future::join_all(outer)).await;
        let loaded: Vec<_> = loaded
            .into_iter()
            .flatten()
            .map(|value| value.unwrap())
            .collect();
        assert_eq!(loaded.len(), 10_000);
        assert_eq!((loaded[21], loaded[29]), (Some(42), None));
        assert_eq!(batches.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_follows_from_a_batch_is_the_next_batch_and_what_is_known_is_none() {
        let (queue, batches) = (Queue::default(), Arc::default());
        let loader = counting(&queue, &batches);
        let walk = (0..50).map(|i| {
            let loader = &loader;
            async move {
                let first = loader.load(i * 10).await.unwrap().unwrap();
                (
                    loader.load(first + 1).await.unwrap(),
                    loader.load(i * 10).await.unwrap(),
                )
            }
        });
        let loaded = queue.drive(futures::future::join_all(walk)).await;
        assert_eq!(loaded[3], (Some(122), Some(60)));
        assert_eq!(batches.load(Ordering::Relaxed), 2);
    }
}
