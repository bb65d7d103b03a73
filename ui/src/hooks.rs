//! Hooks that several pages share.

use crate::{
    api::{Problem, ProblemKind},
    browser,
    store::{Store, use_store},
};
use dioxus::prelude::*;
use std::pin::Pin;

/// The state of a query. The last data stays until newer data arrives.
pub(crate) struct QueryState<T: 'static> {
    pub data: Signal<Option<T>>,
    /// Why the last request failed; `None` after a success.
    pub problem: Signal<Option<Problem>>,
    generation: Signal<u32>,
}

impl<T> Clone for QueryState<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for QueryState<T> {}

impl<T> PartialEq for QueryState<T> {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl<T> QueryState<T> {
    /// Sends the query again.
    pub(crate) fn refetch(&self) {
        let mut generation = self.generation;
        generation += 1;
    }
}

/// Runs `fetch` now, whenever `key` changes, and when live updates may have been missed. A request
/// is aborted when its component is dropped or the next request starts.
pub(crate) fn use_query<K, T, F>(key: K, mut fetch: impl FnMut(K) -> F + 'static) -> QueryState<T>
where
    K: PartialEq + Clone + 'static,
    T: 'static,
    F: Future<Output = Result<T, Problem>> + 'static,
{
    let store = use_store();
    let query = QueryState {
        data: use_signal(|| None),
        problem: use_signal(|| None),
        generation: use_signal(|| 0),
    };
    let mut current_key = use_signal(|| key.clone());
    if *current_key.peek() != key {
        current_key.set(key);
    }
    use_boxed_resource(Box::new(move || {
        let _ = (
            store.connection.refetch_generation.read(),
            query.generation.read(),
        );
        let response = fetch(current_key.read().clone());
        Box::pin(async move { settle(store, query, response.await) })
    }));
    query
}

type StartFetch = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()>>>>;

/// Boxed, so that the resource is compiled once and not for every query.
fn use_boxed_resource(start: StartFetch) {
    use_resource(start);
}

fn settle<T>(store: Store, mut query: QueryState<T>, response: Result<T, Problem>) {
    match response {
        Ok(data) => {
            query.data.set(Some(data));
            query.problem.set(None);
        }
        Err(problem) => show_problem(store, query.problem, problem),
    }
}

fn show_problem(store: Store, mut shown: Signal<Option<Problem>>, problem: Problem) {
    if problem.kind == ProblemKind::SignedOut {
        store.session.end();
    } else {
        shown.set(Some(problem));
    }
}

/// Refetches `query` every `interval_ms`, for data that is not streamed.
pub(crate) fn use_polling<T>(query: QueryState<T>, interval_ms: u32) {
    use_future(move || async move {
        loop {
            browser::sleep(interval_ms).await;
            query.refetch();
        }
    });
}
