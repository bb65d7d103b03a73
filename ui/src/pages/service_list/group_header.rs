//! The heading of a group of services.

use crate::{
    api::Status,
    components::{Icon, icon, status_mark},
    list::{Group, GroupHeading, ListView},
};
use dioxus::prelude::*;
use std::rc::Rc;

#[component]
pub(super) fn GroupHeader(view: ListView, heading: GroupHeading, index: usize) -> Element {
    let GroupHeading { group, collapsed } = heading;
    let category = group.category.clone().unwrap_or_default();
    let title = group
        .category
        .clone()
        .unwrap_or_else(|| "Uncategorised".to_owned());
    rsx! {
        li { class: "group-head", top: "calc(var(--row) * {index})",
            h2 {
                button {
                    class: "plain",
                    r#type: "button",
                    "aria-expanded": if collapsed { "false" } else { "true" },
                    onclick: move |_| view.toggle_group(category.clone()),
                    {icon(Icon::Chevron)}
                    span { class: "title", "{title}" }
                    span { class: "dim number", "{group.services.len()}" }
                }
            }
            StatusCounts { counts: group.counts.clone() }
            GroupCheckbox { view, group, title }
        }
    }
}

/// The number of services in each status but up.
#[component]
fn StatusCounts(counts: Vec<(Status, usize)>) -> Element {
    rsx! {
        span { class: "counts",
            for (status , count) in counts.into_iter().filter(|(status, _)| *status != Status::Up) {
                span { key: "{status.word()}", class: "badge {status.word()}",
                    {status_mark(status, false)}
                    span { class: "number", "{count} {status.word()}" }
                }
            }
        }
    }
}

#[component]
fn GroupCheckbox(view: ListView, group: Rc<Group>, title: String) -> Element {
    let selected = view.selected.read();
    let all = group.services.iter().all(|id| selected.contains(id));
    rsx! {
        label { class: "pick",
            input {
                r#type: "checkbox",
                "aria-label": "Select all of {title}",
                checked: all,
                onchange: move |_| view.toggle_all(&group.services),
            }
        }
    }
}
