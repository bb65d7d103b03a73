//! The list of services with the line of truth above it.

use crate::{
    Route,
    api::{MonitorKind, Status},
    browser,
    components::{Choice, Empty, Go, Icon, ProblemBox, RowSkeletons, ServiceRow, Shape, Since, StatusMark},
    format,
    list::{Group, ListQuery, Sort, arrange},
    pages::Prefill,
    shortcuts::FILTER_ID,
    store::{self, Loading, Summary, use_store},
};
use dioxus::{core::spawn_forever, prelude::*};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How many open incidents stand above the list.
const INCIDENTS: usize = 5;
/// The address follows the filter this long after the last key.
const ADDRESS_AFTER_MS: u32 = 300;

/// The list, however far it has come.
#[component]
pub fn ServiceList() -> Element {
    let store = use_store();
    let loading = store.loading.read();
    match &*loading {
        Loading::Waiting => rsx! {
            div { class: "page", RowSkeletons { rows: 10 } }
        },
        Loading::Failed(problem) => rsx! {
            div { class: "page",
                ProblemBox {
                    problem: problem.clone(),
                    onretry: move |()| {
                        spawn_forever(store::load(store));
                    },
                }
            }
        },
        Loading::Ready if store.listed.read().is_empty() => rsx! { FirstService {} },
        Loading::Ready => rsx! {
            div { class: "page list-page",
                Truth {}
                OpenIncidents {}
                Rows {}
            }
        },
    }
}

/// An invitation: the address can be typed right here.
#[component]
fn FirstService() -> Element {
    let mut url = use_signal(String::new);
    rsx! {
        div { class: "page",
            Empty { title: "Add your first service", alone: true,
                p { "Give PulseCheck an address. It looks at once, and then every 30 seconds." }
                form {
                    class: "first-address",
                    onsubmit: move |event| {
                        event.prevent_default();
                        Route::NewService { prefill: Prefill { url: url.peek().trim().to_owned() } }.open();
                    },
                    input {
                        r#type: "text",
                        inputmode: "url",
                        "aria-label": "Address",
                        placeholder: "https://example.com/health",
                        autocomplete: "off",
                        "autocapitalize": "off",
                        spellcheck: "false",
                        required: true,
                        value: "{url}",
                        oninput: move |event| url.set(event.value()),
                    }
                    button { class: "button primary", r#type: "submit", "Continue" }
                }
            }
        }
    }
}

/// The one line that most people come for.
#[component]
fn Truth() -> Element {
    let store = use_store();
    let listed = store.listed.read();
    let summary = Summary::of(listed.values());
    let percents = listed
        .iter()
        .filter(|(_, service)| !service.paused)
        .filter_map(|(id, _)| store.entry(*id)?.history.read().as_ref()?.uptime.percent);
    let (sum, count) = percents.fold((0.0, 0.0), |(sum, count), percent| (sum + percent, count + 1.0));
    let overall = (count > 0.0).then(|| sum / count);
    let worst = summary.worst();
    rsx! {
        header { class: "truth {worst.word()}",
            StatusMark { status: worst }
            h1 { "{summary.headline()}" }
            p { class: "overall",
                if let Some(percent) = overall {
                    b { class: "number", {format::percent(percent)} }
                    " over 30 days"
                }
            }
        }
    }
}

/// What is going on now.
#[component]
fn OpenIncidents() -> Element {
    let store = use_store();
    let open = store.open.read();
    let listed = store.listed.read();
    let mut incidents: Vec<_> = open.iter().filter_map(|(id, incident)| Some((listed.get(id)?, incident))).collect();
    incidents.sort_by_key(|(_, incident)| (std::cmp::Reverse(incident.kind.status().severity()), incident.started_at));
    if incidents.is_empty() {
        return VNode::empty();
    }
    let hidden = incidents.len().saturating_sub(INCIDENTS);
    rsx! {
        ul { class: "incidents-now", "aria-label": "Open incidents",
            for (service , incident) in incidents.into_iter().take(INCIDENTS) {
                li { key: "{incident.id}", class: incident.kind.status().word(),
                    StatusMark { status: incident.kind.status() }
                    Go { to: Route::Incident { id: incident.id }, class: "name", "{service.name}" }
                    span { class: "cause", {incident.cause.clone().unwrap_or_else(|| incident.kind.status().label().to_owned())} }
                    span { class: "number dim", "for " Since { from: incident.started_at, until: None } }
                }
            }
            if hidden > 0 {
                li { Go { to: Route::incidents(), class: "name", "{hidden} more" } }
            }
        }
    }
}

#[component]
fn Rows() -> Element {
    let store = use_store();
    let route = use_route::<Route>();
    let selected = match &route {
        Route::Service { id, .. } | Route::EditService { id } => Some(*id),
        _ => None,
    };
    let mut query = use_signal(|| route.list().cloned().unwrap_or_default());
    // Back, forward and links change the address; typing changes the filter. Each follows the other.
    use_effect(use_reactive!(|(route,)| {
        if let Some(list) = route.list().filter(|list| *query.peek() != **list) {
            query.set(list.clone());
        }
    }));
    let mut changed = use_signal(|| 0u32);
    let set = use_callback(move |new: ListQuery| {
        query.set(new);
        changed += 1;
        let mine = *changed.peek();
        spawn(async move {
            browser::sleep(ADDRESS_AFTER_MS).await;
            if *changed.peek() != mine {
                return;
            }
            let route = router().current::<Route>();
            if route.list().is_some_and(|list| *list != *query.peek()) {
                route.with_list(query.peek().clone()).open_instead();
            }
        });
    });

    let groups = use_memo(move || {
        let query = query.read();
        arrange(&store.listed.read(), &query, |id| {
            let entry = store.entry(id)?;
            match query.sort {
                // Peeked at: a list that rearranges itself with every measurement could not be read.
                Sort::Slowest => entry.current.peek().as_ref()?.response_time_ms.map(f64::from),
                Sort::Uptime => entry.history.peek().as_ref()?.uptime.percent,
                Sort::Name | Sort::Worst => None,
            }
        })
    });
    let mut collapsed = use_signal(remembered_collapsed);
    let toggle = use_callback(move |name: String| {
        let mut set = collapsed.write();
        if !set.remove(&name) {
            set.insert(name);
        }
        browser::remember("collapsed", Some(&set.iter().cloned().collect::<Vec<_>>().join("\n")));
    });
    let shown: usize = groups.read().iter().map(|group| group.services.len()).sum();
    let total = store.listed.read().len();
    rsx! {
        Tools { query, shown, total, onchange: move |new| set.call(new) }
        if shown == 0 {
            Empty { title: "No service matches",
                p { "Nothing among {format::count(total, \"service\")} fits the filter." }
                button {
                    class: "button",
                    r#type: "button",
                    onclick: move |_| {
                        let kept = query.peek().clone();
                        set.call(ListQuery { text: String::new(), status: None, ..kept });
                    },
                    "Clear the filter"
                }
            }
        } else {
            div { class: "rows-head", "aria-hidden": "true",
                span { "Status" }
                span { "Service" }
                span { class: "days", "Last 30 days" }
                span { class: "uptime number", "Uptime" }
                span { class: "latency number", "Response" }
                span { class: "checked number", "Checked" }
                span {}
            }
            for group in groups.read().iter().cloned() {
                GroupRows {
                    key: "{group.category:?}",
                    folded: collapsed.read().contains(group.category.as_deref().unwrap_or_default()) && !query.read().filters(),
                    headed: !query.read().flat,
                    group,
                    query,
                    selected,
                    ontoggle: move |name| toggle.call(name),
                }
            }
        }
    }
}

fn remembered_collapsed() -> BTreeSet<String> {
    browser::remembered("collapsed").map(|names| names.lines().map(str::to_owned).collect()).unwrap_or_default()
}

#[component]
fn GroupRows(
    group: Group,
    query: ReadSignal<ListQuery>,
    selected: Option<Uuid>,
    folded: bool,
    /// Whether it has a heading; a flat list has none.
    headed: bool,
    ontoggle: EventHandler<String>,
) -> Element {
    let store = use_store();
    let name = group.category.clone().unwrap_or_default();
    let title = group.category.clone().unwrap_or_else(|| "Uncategorised".to_owned());
    let count = group.services.len();
    rsx! {
        section { class: "group", "aria-label": "{title}",
            if headed {
                h2 { class: "group-head",
                    button {
                        class: "plain",
                        r#type: "button",
                        "aria-expanded": if folded { "false" } else { "true" },
                        onclick: move |_| ontoggle.call(name.clone()),
                        Icon { shape: Shape::Chevron }
                        span { class: "title", "{title}" }
                        span { class: "dim number", "{count}" }
                    }
                    span { class: "counts",
                        for (status , number) in group.counts.iter().filter(|(status, _)| *status != Status::Up) {
                            span { key: "{status.word()}", class: "badge {status.word()}",
                                StatusMark { status: *status }
                                span { class: "number", "{number} {status.word()}" }
                            }
                        }
                    }
                }
            }
            if !folded {
                ul { class: "rows",
                    for entry in group.services.iter().filter_map(|id| store.entry(*id)) {
                        ServiceRow { key: "{entry.id}", entry, query, selected: selected == Some(entry.id) }
                    }
                }
            }
        }
    }
}

/// Filter, order, groups.
#[component]
fn Tools(query: ReadSignal<ListQuery>, shown: usize, total: usize, onchange: EventHandler<ListQuery>) -> Element {
    let present = query.read();
    // Cloned out first: whoever is told may write what is being looked at here.
    let change = move |change: &mut dyn FnMut(&mut ListQuery)| {
        let mut changed = query.peek().clone();
        change(&mut changed);
        onchange.call(changed);
    };
    let statuses = std::iter::once((String::new(), "Any status".to_owned()))
        .chain(Status::WORST_FIRST.map(|status| (status.word().to_owned(), status.label().to_owned())))
        .collect::<Vec<_>>();
    let sorts: Vec<_> = Sort::ALL.map(|sort| (sort.key().to_owned(), sort.label().to_owned())).into();
    rsx! {
        div { class: "tools", role: "search",
            label { class: "filter",
                Icon { shape: Shape::Search }
                span { class: "unseen", "Filter services" }
                input {
                    id: FILTER_ID,
                    r#type: "search",
                    placeholder: "Filter   /",
                    autocomplete: "off",
                    value: "{present.text}",
                    oninput: move |event| change(&mut |query| query.text = event.value()),
                }
            }
            Choice {
                label: "Status",
                options: statuses,
                value: present.status.map_or("", Status::word).to_owned(),
                onchange: move |word: String| {
                    let status = Status::WORST_FIRST.into_iter().find(|status| status.word() == word);
                    change(&mut |query| query.status = status);
                },
            }
            Choice {
                label: "Order",
                options: sorts,
                value: present.sort.key().to_owned(),
                onchange: move |key: String| {
                    let sort = Sort::ALL.into_iter().find(|sort| sort.key() == key).unwrap_or_default();
                    change(&mut |query| query.sort = sort);
                },
            }
            label { class: "check",
                input {
                    r#type: "checkbox",
                    checked: !present.flat,
                    onchange: move |event| change(&mut |query| query.flat = !event.checked()),
                }
                "Groups"
            }
            span { class: "dim number shown", role: "status",
                if shown == total {
                    {format::count(total, "service")}
                } else {
                    "{shown} of {total}"
                }
            }
        }
    }
}

/// Whether PulseCheck itself requests something of such a service.
pub(crate) const fn is_requested(kind: MonitorKind) -> bool {
    matches!(kind, MonitorKind::Http)
}
