//! The toolbar, the virtual list of rows, and the bar for selected services.

use super::{bulk_bar::BulkBar, group_header::GroupHeader, toolbar::Toolbar};
use crate::{
    Route, browser,
    components::{EmptyState, ServiceRow},
    format,
    list::{LIST_ID, ListQuery, ListView, VirtualRow, row_id, rows_to_render, use_list_view},
    router::use_route,
    store::{self, use_store},
};
use dioxus::{core::Runtime, prelude::*};
use uuid::Uuid;

/// The URL follows the filter this long after the last key.
const URL_DEBOUNCE_MS: u32 = 300;
/// The histories of visible rows are loaded this long after the last scroll.
const HISTORY_DEBOUNCE_MS: u32 = 150;

#[component]
pub(super) fn FilteredList() -> Element {
    let store = use_store();
    let view = use_list_view();
    let set_query = use_query_in_url(view);
    use_viewport(view);
    use_visible_histories(view);
    let shown: usize = view
        .groups
        .read()
        .iter()
        .map(|group| group.services.len())
        .sum();
    let total = store.services.listed.read().len();
    rsx! {
        Toolbar { shown, total, onchange: move |query| set_query.call(query) }
        if shown == 0 {
            EmptyState { title: "No services match your filter",
                p { "There are {format::count(total, \"service\")} in all." }
                button {
                    class: "button",
                    r#type: "button",
                    onclick: move |_| {
                        let query = view.query.peek().clone();
                        set_query.call(ListQuery { text: String::new(), status: None, ..query });
                    },
                    "Clear filter"
                }
            }
        } else {
            VirtualList { view, shown }
        }
        BulkBar { view }
    }
}

/// Keeps the query and the URL in step: navigation changes the query, and typing changes the URL,
/// debounced.
fn use_query_in_url(view: ListView) -> Callback<ListQuery> {
    let route = use_route();
    use_effect(use_reactive!(|(route,)| {
        if let Some(list) = route.list().filter(|list| *view.query.peek() != **list) {
            view.set_query(list.clone());
        }
    }));
    let mut changes = use_signal(|| 0u32);
    use_callback(move |query: ListQuery| {
        view.set_query(query);
        changes += 1;
        let change = *changes.peek();
        spawn(async move {
            browser::sleep(URL_DEBOUNCE_MS).await;
            if *changes.peek() != change {
                return;
            }
            let route = Route::current();
            if route.list().is_some_and(|list| *list != *view.query.peek()) {
                route.with_list(view.query.peek().clone()).replace();
            }
        });
    })
}

/// Renders the rows that become visible by scrolling, by resizing, or when something above the list
/// changes.
fn use_viewport(view: ListView) {
    let store = use_store();
    let route = use_route();
    use_hook(|| {
        let update = Runtime::wrap_closure(move |()| view.update_rendered());
        std::rc::Rc::new(browser::listen_viewport(move || update(())))
    });
    use_effect(use_reactive!(|(route,)| {
        let _ = (route, view.rows.read(), store.incidents.open.read());
        view.update_rendered();
    }));
    use_effect(move || view.deselect_hidden(&view.groups.read()));
}

/// Loads the histories of the rendered rows when scrolling pauses.
fn use_visible_histories(view: ListView) {
    let store = use_store();
    let mut changes = use_hook(|| CopyValue::new(0u32));
    use_effect(move || {
        let rendered = view.rendered.read().clone();
        let rows = view.rows.read().clone();
        let _ = store.histories.refetch_generation.read();
        *changes.write() += 1;
        let change = *changes.read();
        spawn(async move {
            browser::sleep(HISTORY_DEBOUNCE_MS).await;
            if *changes.read() == change {
                let range = rendered.start.min(rows.len())..rendered.end.min(rows.len());
                let ids: Vec<Uuid> = rows[range].iter().filter_map(VirtualRow::service).collect();
                store::load_histories(store, ids).await;
            }
        });
    });
}

#[component]
fn VirtualList(view: ListView, shown: usize) -> Element {
    let opened = use_route().opened_service();
    let rows = view.rows.read();
    let count = rows.len();
    let focused = (*view.cursor.read()).and_then(|id| view.row_index(id));
    let rendered = rows_to_render(view.rendered.read().clone(), focused, count);
    use_pending_focus(view);
    rsx! {
        ColumnHeaders { view, shown }
        ul {
            id: LIST_ID,
            class: "rows",
            "aria-label": "Services",
            height: "calc(var(--row) * {count})",
            for (index , row) in rendered.into_iter().filter_map(|index| Some((index, rows.get(index)?.clone()))) {
                Row { key: "{row_key(&row)}", view, opened: opened.is_some() && opened == row.service(), row, index, count }
            }
        }
    }
}

/// Focuses the row that waits for the focus: at once if it is rendered, else after scrolling to it.
fn use_pending_focus(mut view: ListView) {
    use_effect(move || {
        let _ = view.rendered.read();
        let Some(id) = *view.pending_focus.read() else {
            return;
        };
        let Some(index) = view.row_index(id) else {
            return view.pending_focus.set(None);
        };
        if browser::try_focus(&row_id(id))
            || !browser::scroll_to_row(LIST_ID, index, view.rows.peek().len())
        {
            view.pending_focus.set(None);
        } else {
            view.update_rendered();
        }
    });
}

fn row_key(row: &VirtualRow) -> String {
    match row {
        VirtualRow::Service { id, .. } => id.to_string(),
        VirtualRow::Heading(heading) => {
            format!(
                "in {}",
                heading.group.category.as_deref().unwrap_or_default()
            )
        }
    }
}

#[component]
fn Row(view: ListView, row: VirtualRow, index: usize, count: usize, opened: bool) -> Element {
    let store = use_store();
    match row {
        VirtualRow::Heading(heading) => rsx! { GroupHeader { view, heading, index } },
        VirtualRow::Service { id, first, last } => match store.services.entry(id) {
            Some(entry) => {
                rsx! { ServiceRow { entry, view, opened, edges: (first, last), position: (index, count) } }
            }
            None => VNode::empty(),
        },
    }
}

#[component]
fn ColumnHeaders(view: ListView, shown: usize) -> Element {
    let all_ids = move || -> Vec<Uuid> {
        view.groups
            .peek()
            .iter()
            .flat_map(|group| group.services.clone())
            .collect()
    };
    rsx! {
        div { class: "rows-head",
            label { class: "pick",
                input {
                    r#type: "checkbox",
                    "aria-label": "Select all",
                    checked: view.selected.read().len() == shown,
                    onchange: move |_| view.toggle_all(&all_ids()),
                }
            }
            span { "Status" }
            span { "Service" }
            span { class: "days", "Last 30 days" }
            span { class: "uptime number", "Uptime" }
            span { class: "latency number", "Response" }
            span { class: "checked number", "Checked" }
            span {}
        }
    }
}
