//! The checks of a service, newest first. New ones appear on top, older ones are loaded on demand.

use crate::{
    api::{self, Check, Current, ListChecks, ListChecksVariables, PageInfo, Problem},
    components::{CheckTable, ProblemBox, RowSkeletons},
    hooks::{QueryState, use_query},
    store::{Entry, Store, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

const PAGE_SIZE: i32 = 30;

type CheckPage = (Vec<Check>, PageInfo);

async fn load_page(id: Uuid, after: Option<String>) -> Result<CheckPage, Problem> {
    let variables = ListChecksVariables {
        id,
        first: PAGE_SIZE,
        after,
    };
    let response = api::request::<ListChecks>(variables).await?;
    let page = response
        .service
        .ok_or_else(|| Problem::not_found("service"))?
        .checks;
    let checks = page.edges.into_iter().map(|edge| edge.node).collect();
    Ok((checks, page.page_info))
}

/// The checks that were loaded or streamed so far.
#[derive(Clone, Copy)]
struct CheckList {
    service_id: Uuid,
    newest: QueryState<CheckPage>,
    /// Streamed since the newest page was loaded, newest first.
    streamed: Signal<Vec<Check>>,
    older: Signal<Vec<Check>>,
    /// Where the last of the older pages ends.
    older_end: Signal<Option<PageInfo>>,
    loading_older: Signal<bool>,
}

impl CheckList {
    fn use_list(entry: Entry) -> Self {
        let mut list = Self {
            service_id: entry.id,
            newest: use_query(entry.id, |id| load_page(id, None)),
            streamed: use_signal(Vec::new),
            older: use_signal(Vec::new),
            older_end: use_signal(|| None),
            loading_older: use_signal(|| false),
        };
        // A refetched first page contains the streamed checks, and paging starts again.
        use_effect(move || {
            if list.newest.data.read().is_some() {
                list.streamed.write().clear();
                list.older.write().clear();
                list.older_end.set(None);
            }
        });
        use_effect(move || {
            if let Some(current) = entry.current.read().clone() {
                list.add_streamed(current);
            }
        });
        list
    }

    fn add_streamed(mut self, current: Current) {
        let newest = self.newest.data.peek();
        let Some((newest, _)) = &*newest else {
            return;
        };
        let is_known = self
            .streamed
            .peek()
            .iter()
            .chain(newest)
            .any(|check| check.checked_at >= current.checked_at);
        if !is_known {
            let check = Check {
                slot: current.checked_at,
                checked_at: current.checked_at,
                status: current.status,
                status_code: current.status_code,
                response_time_ms: current.response_time_ms,
                message: current.message,
            };
            self.streamed.write().insert(0, check);
        }
    }

    fn all(&self) -> Vec<Check> {
        let newest = self.newest.data.read();
        let newest = newest.iter().flat_map(|(checks, _)| checks);
        self.streamed
            .read()
            .iter()
            .chain(newest)
            .chain(self.older.read().iter())
            .cloned()
            .collect()
    }

    /// Returns where the last loaded page ends.
    fn end(&self) -> Option<PageInfo> {
        let end = self.older_end.read().clone();
        end.or_else(|| {
            let newest = self.newest.data.read();
            newest.as_ref().map(|(_, info)| info.clone())
        })
    }

    async fn load_older(mut self, store: Store) {
        let Some(end) = self.end().filter(|end| end.has_next_page) else {
            return;
        };
        self.loading_older.set(true);
        match load_page(self.service_id, end.end_cursor).await {
            Ok((checks, info)) => {
                self.older.write().extend(checks);
                self.older_end.set(Some(info));
            }
            Err(problem) => store
                .toasts
                .problem("Could not load older checks", &problem),
        }
        self.loading_older.set(false);
    }
}

#[component]
pub(super) fn Checks(entry: Entry) -> Element {
    let store = use_store();
    let list = CheckList::use_list(entry);
    let newest = list.newest;
    let checks = list.all();
    rsx! {
        section { class: "card", "aria-label": "Recent checks",
            h2 { "Recent checks" }
            match (newest.data.read().is_some(), &*newest.problem.read()) {
                (false, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| newest.refetch() } },
                (false, None) => rsx! { RowSkeletons { rows: 5 } },
                (true, _) if checks.is_empty() => rsx! { p { class: "dim", "No checks yet." } },
                (true, _) => rsx! {
                    CheckTable { checks }
                    if list.end().is_some_and(|end| end.has_next_page) {
                        button { class: "button", r#type: "button", disabled: (list.loading_older)(), onclick: move |_| list.load_older(store), "Show older" }
                    }
                },
            }
        }
    }
}
