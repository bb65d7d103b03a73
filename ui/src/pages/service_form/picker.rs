//! Choosing from what a vendor's page has: by group, by filter, and anew where something is gone.

use super::{
    Draft,
    page::{Found, groups},
};
use crate::{
    components::{ExternalLink, Icon, icon, status_mark},
    format,
};
use dioxus::prelude::*;
use std::rc::Rc;

/// A shorter list needs no filter.
const FEW: usize = 8;
/// So many are drawn at a time.
const MOST: usize = 600;

/// The page that was found, and its components.
#[component]
pub(super) fn Picker(
    draft: Signal<Draft>,
    found: ReadSignal<Rc<Found>>,
    /// Whether another page can be chosen.
    new: bool,
    #[props(!optional)] error: Option<String>,
) -> Element {
    let mut filter = use_signal(String::new);
    let page = found.read();
    let draft_now = draft.read();
    let chosen = &draft_now.page.chosen;
    let mut groups = groups(&page.components, &filter.read());
    let fitting: usize = groups.iter().map(|group| group.components.len()).sum();
    let mut room = MOST;
    for group in &mut groups {
        group.components.truncate(room);
        room -= group.components.len();
    }
    groups.retain(|group| !group.components.is_empty());
    let total = page.components.len();
    let choose = use_callback(move |(ids, follow): (Vec<String>, bool)| {
        let mut draft = draft.write();
        draft.page.choose(&ids, follow);
        draft.propose();
    });
    let name = page
        .name
        .clone()
        .unwrap_or_else(|| "The vendor page".to_owned());
    rsx! {
        div { class: "page-found",
            p {
                b { "{name}" }
                span { class: "dim",
                    if let Some(provider) = &page.provider { " · {provider}" }
                    " · " {format::count(total, "component")}
                }
            }
            if let Some(url) = &page.url {
                ExternalLink { to: url.clone(), label: "Open {name} in a new window", {icon(Icon::Out)} }
            }
            if new {
                button {
                    class: "button",
                    r#type: "button",
                    onclick: move |_| {
                        let mut draft = draft.write();
                        draft.page.found = None;
                        // What led here would be looked for at once.
                        draft.page.typed.clear();
                    },
                    "Another page"
                }
            }
        }
        fieldset { class: "picker", "aria-describedby": error.as_ref().map(|_| "picker-error"),
            legend { "Components to follow" span { class: "dim number", " · {chosen.len()} of {total} chosen" } }
            for gone in page.gone.iter().filter(|gone| chosen.contains(&gone.id)).cloned() {
                div { key: "{gone.id}", class: "gone",
                    p {
                        b { "{gone.name}" }
                        " is no longer on the page. "
                        if gone.successors.is_empty() { "Choose another component in its place." } else { "Follow in its place:" }
                    }
                    div { class: "acts",
                        for next in gone.successors.iter().cloned() {
                            button {
                                key: "{next.id}",
                                class: "button",
                                r#type: "button",
                                onclick: {
                                    let lost = gone.id.clone();
                                    move |_| draft.write().page.replace(&lost, &next.id)
                                },
                                if let Some(group) = &next.group_name { "{group} · " }
                                "{next.name}"
                            }
                        }
                        button {
                            class: "button",
                            r#type: "button",
                            onclick: {
                                let lost = gone.id.clone();
                                move |_| choose.call((vec![lost.clone()], false))
                            },
                            "Follow it no more"
                        }
                    }
                }
            }
            if total > FEW {
                div { class: "tools",
                    label { class: "filter",
                        {icon(Icon::Search)}
                        input {
                            r#type: "search",
                            "aria-label": "Filter components",
                            placeholder: "Filter by name or group",
                            autocomplete: "off",
                            value: "{filter}",
                            oninput: move |event| filter.set(event.value()),
                            onkeydown: move |event| {
                                if event.key() == Key::Enter {
                                    event.prevent_default();
                                }
                            },
                        }
                    }
                    if fitting == 0 {
                        span { class: "dim", role: "status", "None fits." }
                    }
                }
            }
            div { class: "choices", tabindex: "-1",
                for (number , group) in groups.iter().enumerate() {
                    {
                        let ids: Vec<String> = group.components.iter().map(|one| one.id.clone()).collect();
                        let all = ids.iter().all(|id| chosen.contains(id));
                        let title = group.name.unwrap_or(if groups.len() > 1 { "Without a group" } else { "Components" });
                        rsx! {
                            div { key: "{number}-{title}", class: "choice-group", role: "group", "aria-label": "{title}",
                                if ids.len() > 1 || group.name.is_some() {
                                    p { class: "choice-head",
                                        b { "{title}" }
                                        button {
                                            class: "plain",
                                            r#type: "button",
                                            "aria-label": if all { "Clear {title}" } else { "Select all in {title}" },
                                            onclick: move |_| choose.call((ids.clone(), !all)),
                                            {if all { "Clear" } else { "Select all" }}
                                        }
                                    }
                                }
                                for component in &group.components {
                                    label { key: "{component.id}", class: "choice",
                                        input {
                                            r#type: "checkbox",
                                            checked: chosen.contains(&component.id),
                                            onchange: {
                                                let id = component.id.clone();
                                                move |event: FormEvent| choose.call((vec![id.clone()], event.checked()))
                                            },
                                        }
                                        {status_mark(component.status, false)}
                                        span { class: "name", "{component.name}" }
                                        span { class: "dim", {format::vendor_word(&component.vendor_status)} }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            if fitting > MOST {
                p { class: "dim", "The first {MOST} of {fitting}: filter to see the others." }
            }
            if let Some(error) = &error {
                p { id: "picker-error", class: "error", role: "alert", "{error}" }
            }
        }
    }
}
