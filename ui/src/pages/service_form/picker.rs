//! Chooses the components of a vendor page to follow: by group, by filter, with replacements for
//! missing ones.

use super::draft::Draft;
use super::page::{ComponentGroup, PageContent, group_components};
use crate::{
    api::FollowedComponent,
    components::{ExternalLink, Icon, icon, status_mark},
    format,
};
use dioxus::prelude::*;
use std::rc::Rc;

/// A shorter list has no filter.
const MIN_FOR_FILTER: usize = 8;
/// Maximum number of components that are rendered.
const MAX_RENDERED: usize = 600;

/// Called with ids, and whether to follow them.
type Choose = Callback<(Vec<String>, bool)>;

/// The page that was found, and its components.
#[component]
pub(super) fn Picker(
    draft: Signal<Draft>,
    found: ReadSignal<Rc<PageContent>>,
    /// Whether another page can be chosen.
    new: bool,
    #[props(!optional)] error: Option<String>,
) -> Element {
    let filter = use_signal(String::new);
    let page = found.read();
    let draft_now = draft.read();
    let chosen = &draft_now.page.chosen;
    let mut groups = group_components(&page.components, &filter.read());
    let matching: usize = groups.iter().map(|group| group.components.len()).sum();
    truncate(&mut groups);
    let total = page.components.len();
    let choose = use_callback(move |(ids, follow): (Vec<String>, bool)| {
        let mut draft = draft.write();
        draft.page.choose(&ids, follow);
        draft.propose();
    });
    rsx! {
        FoundPage { draft, found, new }
        fieldset { class: "picker", "aria-describedby": error.as_ref().map(|_| "picker-error"),
            legend { "Components to follow" span { class: "dim number", " · {chosen.len()} of {total} chosen" } }
            for missing in page.missing.iter().filter(|missing| chosen.contains(&missing.id)).cloned() {
                MissingComponent { key: "{missing.id}", draft, missing, onchoose: choose }
            }
            if total > MIN_FOR_FILTER {
                ComponentFilter { filter, no_match: matching == 0 }
            }
            div { class: "choices", tabindex: "-1",
                for (index , group) in groups.iter().enumerate() {
                    {render_group(index, group, groups.len() > 1, chosen, choose)}
                }
            }
            if matching > MAX_RENDERED {
                p { class: "dim", "The first {MAX_RENDERED} of {matching}. Filter to see the others." }
            }
            if let Some(error) = &error {
                p { id: "picker-error", class: "error", role: "alert", "{error}" }
            }
        }
    }
}

/// Limits the number of components that are rendered.
fn truncate(groups: &mut Vec<ComponentGroup<'_>>) {
    let mut remaining = MAX_RENDERED;
    for group in groups.iter_mut() {
        group.components.truncate(remaining);
        remaining -= group.components.len();
    }
    groups.retain(|group| !group.components.is_empty());
}

/// The name of the page, with a link to it and a button to choose another one.
#[component]
fn FoundPage(draft: Signal<Draft>, found: ReadSignal<Rc<PageContent>>, new: bool) -> Element {
    let page = found.read();
    let name = page.name.as_deref().unwrap_or("The vendor page");
    rsx! {
        div { class: "page-found",
            p {
                b { "{name}" }
                span { class: "dim",
                    if let Some(provider) = &page.provider { " · {provider}" }
                    " · " {format::count(page.components.len(), "component")}
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
                        // A URL that is left in the field would be searched at once.
                        draft.page.typed.clear();
                    },
                    "Change page"
                }
            }
        }
    }
}

/// A followed component that is no longer on the page, with the components that may replace it.
#[component]
fn MissingComponent(draft: Signal<Draft>, missing: FollowedComponent, onchoose: Choose) -> Element {
    let FollowedComponent {
        id,
        name,
        successors,
        ..
    } = missing;
    rsx! {
        div { class: "gone",
            p {
                b { "{name}" }
                " is no longer on the page. "
                if successors.is_empty() { "Choose another component instead." } else { "Follow instead:" }
            }
            div { class: "acts",
                for successor in successors {
                    button {
                        key: "{successor.id}",
                        class: "button",
                        r#type: "button",
                        onclick: {
                            let (missing, by) = (id.clone(), successor.id.clone());
                            move |_| draft.write().page.replace(&missing, &by)
                        },
                        if let Some(group) = &successor.group_name { "{group} · " }
                        "{successor.name}"
                    }
                }
                button {
                    class: "button",
                    r#type: "button",
                    onclick: {
                        let id = id.clone();
                        move |_| onchoose.call((vec![id.clone()], false))
                    },
                    "Stop following"
                }
            }
        }
    }
}

#[component]
fn ComponentFilter(filter: Signal<String>, no_match: bool) -> Element {
    rsx! {
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
                    // Enter would submit the form.
                    onkeydown: move |event| {
                        if event.key() == Key::Enter {
                            event.prevent_default();
                        }
                    },
                }
            }
            if no_match {
                span { class: "dim", role: "status", "No results." }
            }
        }
    }
}

fn render_group(
    index: usize,
    group: &ComponentGroup<'_>,
    has_others: bool,
    chosen: &[String],
    choose: Choose,
) -> Element {
    let ids: Vec<String> = group.components.iter().map(|one| one.id.clone()).collect();
    let all = ids.iter().all(|id| chosen.contains(id));
    let title = group.name.unwrap_or(if has_others {
        "Other components"
    } else {
        "Components"
    });
    rsx! {
        div { key: "{index}-{title}", class: "choice-group", role: "group", "aria-label": "{title}",
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
