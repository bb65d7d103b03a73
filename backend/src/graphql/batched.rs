//! A data loader that is made of a closure and whose batches run through a [`BatchQueue`].

use super::batch_queue::BatchQueue;
use crate::use_cases::{Error, Result};
use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

type Fetch<K, V> = Box<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>>> + Send + Sync>;

struct FetchLoader<K, V>(Fetch<K, V>);

impl<K, V> Loader<K> for FetchLoader<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    type Value = V;
    type Error = Error;

    async fn load(&self, keys: &[K]) -> Result<HashMap<K, V>> {
        (self.0)(keys.to_vec()).await
    }
}

/// Loads values of one kind by key, each key once per execution.
pub(super) struct Batched<K, V>(DataLoader<FetchLoader<K, V>, HashMapCache>);

impl<K, V> Batched<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Creates a loader; a key that `fetch` leaves out has no value.
    pub(super) fn new<F>(
        queue: &BatchQueue,
        fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<HashMap<K, V>>> + Send + 'static,
    {
        let queue = queue.clone();
        let loader = FetchLoader::<K, V>(Box::new(move |keys| Box::pin(fetch(keys))));
        let loader = DataLoader::with_cache(
            loader,
            move |batch| queue.push(batch),
            HashMapCache::default(),
        );
        // The queue decides when a batch is complete; neither time nor size does.
        Self(loader.delay(Duration::ZERO).max_batch_size(usize::MAX))
    }

    /// Loads the value of `key`, together with every other key that is asked for meanwhile.
    ///
    /// Boxed, because each resolver's future would otherwise be as large as this one.
    pub(super) fn load(&self, key: K) -> BoxFuture<'_, Result<Option<V>>> {
        Box::pin(self.0.load_one(key))
    }

    /// Loads the values of `keys`; those without a value are left out.
    pub(super) fn load_many(&self, keys: Vec<K>) -> BoxFuture<'_, Result<HashMap<K, V>>> {
        Box::pin(self.0.load_many(keys))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn counting_loader(queue: &BatchQueue, batches: &Arc<AtomicUsize>) -> Batched<u32, u32> {
        let batches = batches.clone();
        Batched::new(queue, move |keys: Vec<u32>| {
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

    #[tokio::test(flavor = "multi_thread")]
    async fn nested_lists_of_any_length_are_one_batch() {
        let (queue, batches) = (BatchQueue::default(), Arc::default());
        let loader = counting_loader(&queue, &batches);
        let outer =
            (0..100).map(|i| {
                let loader = &loader;
                async move {
                    futures::future::join_all((0..100).map(|k| loader.load(i * 100 + k))).await
                }
            });
        let loaded = queue.run(futures::future::join_all(outer)).await;
        let loaded: Vec<_> = loaded
            .into_iter()
            .flatten()
            .map(|value| value.unwrap())
            .collect();
        assert_eq!(loaded.len(), 10_000);
        assert_eq!(loaded[21], Some(42), "a key with a value");
        assert_eq!(loaded[29], None, "a key without one");
        assert_eq!(batches.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn dependent_keys_are_the_next_batch_and_known_keys_none() {
        let (queue, batches) = (BatchQueue::default(), Arc::default());
        let loader = counting_loader(&queue, &batches);
        let walk = (0..50).map(|i| {
            let loader = &loader;
            async move {
                let first = loader.load(i * 10).await.unwrap().unwrap();
                let dependent = loader.load(first + 1).await.unwrap();
                let known = loader.load(i * 10).await.unwrap();
                (dependent, known)
            }
        });
        let loaded = queue.run(futures::future::join_all(walk)).await;
        assert_eq!(loaded[3], (Some(122), Some(60)));
        assert_eq!(batches.load(Ordering::Relaxed), 2);
    }
}
