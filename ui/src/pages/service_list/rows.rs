//! The rows themselves: only those in sight exist.

use super::{
    bulk::BulkBar,
    tools::Tools,
    view::{LIST_ID, ListView, use_list_view},
};
use crate::{
    Route,
    api::Status,
    browser,
    components::{Empty, ServiceRow, Shape, icon, status_mark},
    format,
    list::{Group, Heading, Line, ListQuery, with_neighbours},
    pages::service_list::row_id,
    routes::use_route,
    store::{self, use_store},
};
use dioxus::{core::Runtime, prelude::*};
use uuid::Uuid;

/// The address follows the filter this long after the last key.
const ADDRESS_AFTER_MS: u32 = 300;
/// The days of what came into sight are asked for this long after the last scroll.
const DAYS_AFTER_MS: u32 = 150;

/// Filter, rows, and what can be done with the chosen ones.
#[component]
pub(super) fn Rows() -> Element {
    let store = use_store();
    let view = use_list_view();
    let set = use_query_in_address(view);
    use_sight(view);
    let shown: usize = view
        .groups
        .read()
        .iter()
        .map(|group| group.services.len())
        .sum();
    let total = store.listed.read().len();
    rsx! {
        Tools { shown, total, onchange: move |new| set.call(new) }
        if shown == 0 {
            Empty { title: "No service matches",
                p { "Nothing among {format::count(total, \"service\")} fits the filter." }
                button {
                    class: "button",
                    r#type: "button",
                    onclick: move |_| {
                        let kept = view.query.peek().clone();
                        set.call(ListQuery { text: String::new(), status: None, ..kept });
                    },
                    "Clear the filter"
                }
            }
        } else {
            Lines { view, shown }
        }
        BulkBar { view }
    }
}

/// Back, forward and links change the address; typing changes the filter. Each follows the other.
fn use_query_in_address(view: ListView) -> Callback<ListQuery> {
    let route = use_route();
    use_effect(use_reactive!(|(route,)| {
        if let Some(list) = route.list().filter(|list| *view.query.peek() != **list) {
            view.ask(list.clone());
        }
    }));
    let mut changed = use_signal(|| 0u32);
    use_callback(move |new: ListQuery| {
        view.ask(new);
        changed += 1;
        let mine = *changed.peek();
        spawn(async move {
            browser::sleep(ADDRESS_AFTER_MS).await;
            if *changed.peek() != mine {
                return;
            }
            let route = Route::here();
            if route.list().is_some_and(|list| *list != *view.query.peek()) {
                route.with_list(view.query.peek().clone()).open_instead();
            }
        });
    })
}

/// Keeps what is drawn around what is in sight.
fn use_sight(view: ListView) {
    let store = use_store();
    let route = use_route();
    use_hook(|| {
        let look = Runtime::wrap_closure(move |()| view.look());
        std::rc::Rc::new(browser::listen_sight(move || look(())))
    });
    // Whatever stands above the list moves it, and so does the pane that it is in.
    use_effect(use_reactive!(|(route,)| {
        let _ = (route, view.lines.read(), store.open.read());
        view.look();
    }));
    use_effect(move || view.keep_to(&view.groups.read()));
    // The days of what is in sight, once the scrolling pauses.
    let mut looked = use_hook(|| CopyValue::new(0u32));
    use_effect(move || {
        let (drawn, lines, _) = (
            view.drawn.read().clone(),
            view.lines.read().clone(),
            store.days_round.read(),
        );
        *looked.write() += 1;
        let mine = *looked.read();
        spawn(async move {
            browser::sleep(DAYS_AFTER_MS).await;
            if *looked.read() == mine {
                let drawn = drawn.start.min(lines.len())..drawn.end.min(lines.len());
                store::load_days(
                    store,
                    lines[drawn].iter().filter_map(Line::service).collect(),
                )
                .await;
            }
        });
    });
}

#[component]
fn Lines(view: ListView, shown: usize) -> Element {
    let route = use_route();
    let opened = match &route {
        Route::Service { id, .. } | Route::EditService { id } => Some(*id),
        _ => None,
    };
    let lines = view.lines.read();
    let count = lines.len();
    let kept = (*view.cursor.read()).and_then(|id| view.line_of(id));
    let drawn = with_neighbours(view.drawn.read().clone(), kept, count);
    use_awaited_focus(view);
    rsx! {
        RowsHead { view, shown }
        ul {
            id: LIST_ID,
            class: "rows",
            "aria-label": "Services",
            height: "calc(var(--row) * {count})",
            for (place , line) in drawn.into_iter().filter_map(|place| Some((place, lines.get(place)?.clone()))) {
                OneLine { key: "{key_of(&line)}", view, opened: opened.is_some() && opened == line.service(), line, place, count }
            }
        }
    }
}

/// Gives the focus to the row that waits for it: it is drawn by now, or its place has to come into sight first.
fn use_awaited_focus(mut view: ListView) {
    use_effect(move || {
        let _ = view.drawn.read();
        let Some(id) = *view.awaited.read() else {
            return;
        };
        let Some(line) = view.line_of(id) else {
            return view.awaited.set(None);
        };
        if browser::focus_if_there(&row_id(id))
            || !browser::bring_into_sight(LIST_ID, line, view.lines.peek().len())
        {
            view.awaited.set(None);
        } else {
            view.look();
        }
    });
}

fn key_of(line: &Line) -> String {
    match line {
        Line::Service { id, .. } => id.to_string(),
        Line::Head(heading) => format!(
            "in {}",
            heading.group.category.as_deref().unwrap_or_default()
        ),
    }
}

#[component]
fn OneLine(view: ListView, line: Line, place: usize, count: usize, opened: bool) -> Element {
    let store = use_store();
    match line {
        Line::Head(heading) => rsx! { GroupHead { view, heading, place } },
        Line::Service { id, first, last } => match store.entry(id) {
            Some(entry) => {
                rsx! { ServiceRow { entry, view, opened, edges: (first, last), line: (place, count) } }
            }
            None => VNode::empty(),
        },
    }
}

/// What the columns are, and the choice of all rows.
#[component]
fn RowsHead(view: ListView, shown: usize) -> Element {
    let all = move || -> Vec<Uuid> {
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
                    checked: view.chosen.read().len() == shown,
                    onchange: move |_| view.choose_all(&all()),
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

#[component]
fn GroupHead(view: ListView, heading: Heading, place: usize) -> Element {
    let Heading { group, folded } = heading;
    let name = group.category.clone().unwrap_or_default();
    let title = group
        .category
        .clone()
        .unwrap_or_else(|| "Uncategorised".to_owned());
    rsx! {
        li { class: "group-head", top: "calc(var(--row) * {place})",
            h2 {
                button {
                    class: "plain",
                    r#type: "button",
                    "aria-expanded": if folded { "false" } else { "true" },
                    onclick: move |_| view.fold(name.clone()),
                    {icon(Shape::Chevron)}
                    span { class: "title", "{title}" }
                    span { class: "dim number", "{group.services.len()}" }
                }
            }
            Counts { counts: group.counts.clone() }
            PickGroup { view, group, title }
        }
    }
}

/// How many are not up.
#[component]
fn Counts(counts: Vec<(Status, usize)>) -> Element {
    rsx! {
        span { class: "counts",
            for (status , number) in counts.into_iter().filter(|(status, _)| *status != Status::Up) {
                span { key: "{status.word()}", class: "badge {status.word()}",
                    {status_mark(status, false)}
                    span { class: "number", "{number} {status.word()}" }
                }
            }
        }
    }
}

#[component]
fn PickGroup(view: ListView, group: std::rc::Rc<Group>, title: String) -> Element {
    let chosen = view.chosen.read();
    let all = group.services.iter().all(|id| chosen.contains(id));
    rsx! {
        label { class: "pick",
            input {
                r#type: "checkbox",
                "aria-label": "Select all of {title}",
                checked: all,
                onchange: move |_| view.choose_all(&group.services),
            }
        }
    }
}
