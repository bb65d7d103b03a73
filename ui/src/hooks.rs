//! Logic that several pages share.

use crate::{
    api::{Problem, ProblemKind},
    store::{Session, Store, use_store},
};
use dioxus::prelude::*;
use std::pin::Pin;

/// What a page asked for: the data that came last stays until newer is there.
pub(crate) struct Asked<T: 'static> {
    /// The last answer.
    pub data: Signal<Option<T>>,
    /// Why the last attempt failed; `None` after a success.
    pub problem: Signal<Option<Problem>>,
    again: Signal<u32>,
}

impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Asked<T> {}

impl<T> PartialEq for Asked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl<T> Asked<T> {
    /// Asks once more.
    pub(crate) fn again(&self) {
        let mut again = self.again;
        again += 1;
    }
}

/// Asks by `ask` now, whenever `key` changes, and when updates may have been missed. An unanswered question is dropped with
/// its page or by the next one.
pub(crate) fn use_asked<K, T, F>(key: K, mut ask: impl FnMut(K) -> F + 'static) -> Asked<T>
where
    K: PartialEq + Clone + 'static,
    T: 'static,
    F: Future<Output = Result<T, Problem>> + 'static,
{
    let store = use_store();
    let asked = Asked {
        data: use_signal(|| None),
        problem: use_signal(|| None),
        again: use_signal(|| 0),
    };
    let mut known = use_signal(|| key.clone());
    if *known.peek() != key {
        known.set(key);
    }
    let begin: Begin = Box::new(move || {
        let _ = (store.epoch.read(), asked.again.read());
        let answer = ask(known.read().clone());
        Box::pin(async move { settle(store, asked, answer.await) })
    });
    use_answers(begin);
    asked
}

type Begin = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()>>>>;

/// The machinery behind every question: boxed, so that it is compiled once and not for each page.
fn use_answers(begin: Begin) {
    use_resource(begin);
}

fn settle<T>(mut store: Store, mut asked: Asked<T>, answer: Result<T, Problem>) {
    match answer {
        Ok(data) => {
            asked.data.set(Some(data));
            asked.problem.set(None);
        }
        Err(problem) if problem.kind == ProblemKind::SignedOut => {
            store.session.set(Session::SignedOut)
        }
        Err(problem) => asked.problem.set(Some(problem)),
    }
}
