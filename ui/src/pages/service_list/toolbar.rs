//! The controls above the list: filter, order, grouping.

use crate::{
    api::Status,
    components::{Icon, Select, icon},
    format,
    list::{ListQuery, Sort, use_list_view},
    pages::shortcuts::FILTER_ID,
};
use dioxus::prelude::*;

#[component]
pub(super) fn Toolbar(shown: usize, total: usize, onchange: EventHandler<ListQuery>) -> Element {
    let view = use_list_view();
    let mut selecting = view.selecting;
    let query = view.query.read();
    // Cloned first, because the handler may write the signal.
    let change = move |change: &mut dyn FnMut(&mut ListQuery)| {
        let mut changed = view.query.peek().clone();
        change(&mut changed);
        onchange.call(changed);
    };
    let statuses = std::iter::once((String::new(), "Any status".to_owned()))
        .chain(
            Status::WORST_FIRST.map(|status| (status.word().to_owned(), status.label().to_owned())),
        )
        .collect::<Vec<_>>();
    let sorts: Vec<_> = Sort::ALL
        .map(|sort| (sort.key().to_owned(), sort.label().to_owned()))
        .into();
    rsx! {
        div { class: "tools", role: "search",
            label { class: "filter",
                {icon(Icon::Search)}
                span { class: "unseen", "Filter services" }
                input {
                    id: FILTER_ID,
                    r#type: "search",
                    placeholder: "Filter   /",
                    autocomplete: "off",
                    value: "{query.text}",
                    oninput: move |event| change(&mut |query| query.text = event.value()),
                }
            }
            Select {
                label: "Status",
                options: statuses,
                value: query.status.map_or("", Status::word).to_owned(),
                onchange: move |word: String| {
                    let status = Status::WORST_FIRST.into_iter().find(|status| status.word() == word);
                    change(&mut |query| query.status = status);
                },
            }
            Select {
                label: "Order",
                options: sorts,
                value: query.sort.key().to_owned(),
                onchange: move |key: String| {
                    let sort = Sort::ALL.into_iter().find(|sort| sort.key() == key).unwrap_or_default();
                    change(&mut |query| query.sort = sort);
                },
            }
            label { class: "check",
                input {
                    r#type: "checkbox",
                    checked: !query.flat,
                    onchange: move |event| change(&mut |query| query.flat = !event.checked()),
                }
                "Groups"
            }
            button {
                class: "button choose",
                r#type: "button",
                "aria-pressed": if selecting() { "true" } else { "false" },
                onclick: move |_| {
                    if !view.clear_selection() {
                        selecting.set(true);
                    }
                },
                if selecting() { "Cancel" } else { "Select" }
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
