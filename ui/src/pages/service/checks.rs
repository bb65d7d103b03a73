//! The checks of a service, newest first; new ones appear on top, older ones on demand.

use crate::{
    api::{self, Check, ListChecks, ListChecksVariables, PageInfo, Problem},
    components::{CheckTable, ProblemBox, RowSkeletons},
    hooks::use_asked,
    store::{Entry, use_store},
};
use dioxus::prelude::*;
use uuid::Uuid;

const PAGE: i32 = 30;

async fn page(id: Uuid, after: Option<String>) -> Result<(Vec<Check>, PageInfo), Problem> {
    let answer = api::request::<ListChecks>(ListChecksVariables {
        id,
        first: PAGE,
        after,
    })
    .await?;
    let page = answer
        .service
        .ok_or_else(|| Problem::not_found("service"))?
        .checks;
    Ok((
        page.edges.into_iter().map(|edge| edge.node).collect(),
        page.page_info,
    ))
}

/// The table and the way to older ones.
#[component]
pub(super) fn Checks(entry: Entry) -> Element {
    let store = use_store();
    let newest = use_asked(entry.id, |id| page(id, None));
    let mut arrived = use_signal(Vec::<Check>::new);
    let mut older = use_signal(Vec::<Check>::new);
    let mut end = use_signal(|| None::<PageInfo>);
    let mut asking = use_signal(|| false);
    // What was asked for anew holds what arrived meanwhile, and begins the paging again.
    use_effect(move || {
        if newest.data.read().is_some() {
            arrived.write().clear();
            older.write().clear();
            end.set(None);
        }
    });
    use_effect(move || {
        let Some(current) = entry.current.read().clone() else {
            return;
        };
        let known = newest.data.peek().as_ref().is_some_and(|(checks, _)| {
            checks
                .iter()
                .any(|check| check.checked_at >= current.checked_at)
        }) || arrived
            .peek()
            .iter()
            .any(|check| check.checked_at >= current.checked_at);
        if !known && newest.data.peek().is_some() {
            arrived.write().insert(
                0,
                Check {
                    slot: current.checked_at,
                    checked_at: current.checked_at,
                    status: current.status,
                    status_code: current.status_code,
                    response_time_ms: current.response_time_ms,
                    message: current.message,
                },
            );
        }
    });
    let info = move || {
        end.read()
            .clone()
            .or_else(|| newest.data.read().as_ref().map(|(_, info)| info.clone()))
    };
    let checks: Vec<Check> = {
        let newest = newest.data.read();
        let newest = newest
            .as_ref()
            .map(|(checks, _)| checks.as_slice())
            .unwrap_or_default();
        arrived
            .read()
            .iter()
            .chain(newest)
            .chain(older.read().iter())
            .cloned()
            .collect()
    };
    let more = move |_| async move {
        let Some(PageInfo {
            has_next_page: true,
            end_cursor,
        }) = info()
        else {
            return;
        };
        asking.set(true);
        match page(entry.id, end_cursor).await {
            Ok((checks, info)) => {
                older.write().extend(checks);
                end.set(Some(info));
            }
            Err(problem) => store.say_failed("Could not load older checks", &problem),
        }
        asking.set(false);
    };
    rsx! {
        section { class: "card", "aria-label": "Recent checks",
            h2 { "Recent checks" }
            match (newest.data.read().is_some(), &*newest.problem.read()) {
                (false, Some(problem)) => rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| newest.again() } },
                (false, None) => rsx! { RowSkeletons { rows: 5 } },
                (true, _) if checks.is_empty() => rsx! { p { class: "dim", "None yet." } },
                (true, _) => rsx! {
                    CheckTable { checks }
                    if info().is_some_and(|info| info.has_next_page) {
                        button { class: "button", r#type: "button", disabled: asking(), onclick: more, "Show older" }
                    }
                },
            }
        }
    }
}
