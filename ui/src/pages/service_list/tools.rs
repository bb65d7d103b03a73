//! Filter, order, groups.

use super::view::use_list_view;
use crate::{
    api::Status,
    components::{Choice, Shape, icon},
    format,
    list::{ListQuery, Sort},
    shortcuts::FILTER_ID,
};
use dioxus::prelude::*;

/// The controls above the list.
#[component]
pub(super) fn Tools(shown: usize, total: usize, onchange: EventHandler<ListQuery>) -> Element {
    let view = use_list_view();
    let mut choosing = view.choosing;
    let present = view.query.read();
    // Cloned out first: whoever is told may write what is being looked at here.
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
                {icon(Shape::Search)}
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
            button {
                class: "button choose",
                r#type: "button",
                "aria-pressed": if choosing() { "true" } else { "false" },
                onclick: move |_| {
                    if !view.choose_none() {
                        choosing.set(true);
                    }
                },
                if choosing() { "Cancel" } else { "Select" }
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
