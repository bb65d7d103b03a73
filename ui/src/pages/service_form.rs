//! The form of a service, new or existing: keeps the input, and shows each error at its field.

mod draft;
mod field;
mod page;
mod picker;
mod search;
mod state;

use crate::{
    Route,
    api::{FieldInfo, Limits, TestResult},
    components::{PhaseBar, status_badge},
    format,
};
use dioxus::prelude::*;
pub(super) use draft::Draft;
use draft::TextField;
use field::{render_field, render_setting};
use picker::Picker;
use search::Search;
use state::{FormState, use_form};
use uuid::Uuid;

/// The form of a new service, or of the one with this id. An existing service keeps its kind and
/// its vendor page.
#[component]
pub(super) fn ServiceForm(
    draft: Signal<Draft>,
    limits: Limits,
    #[props(!optional)] id: Option<Uuid>,
) -> Element {
    let form = use_form(draft, id);
    let advanced = use_signal(|| false);
    let typed = draft.read();
    let follows = typed.follows();
    let min_interval = limits.min_interval_seconds;
    let (required, optional): (Vec<_>, Vec<_>) =
        typed.fields().into_iter().partition(|field| field.required);
    // The page's URLs are not entered into a field, so their errors are shown at the search, or
    // beside the buttons once a page was found.
    let page_error = ["apiUrls", "userDefinedUrls", "monitor"]
        .into_iter()
        .find_map(|name| form.error(name));
    let general = match &*form.problem.read() {
        Some(problem) if problem.fields.is_empty() => Some(problem.message.clone()),
        _ => page_error
            .clone()
            .filter(|_| follows && typed.page.found.is_some()),
    };
    rsx! {
        form {
            class: "form",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                form.save()
            },
            {id.is_none().then(|| render_kinds(form, &typed))}
            if !follows {
                for (index , info) in required.into_iter().enumerate() {
                    {render_setting(form, &typed, &info, index == 0)}
                }
            } else if let Some(found) = typed.page.found.clone() {
                Picker { draft, found, new: id.is_none(), error: form.error("componentIds") }
            } else if id.is_none() {
                Search { draft, missing: page_error }
            }
            for field in &TextField::NAMES {
                {render_field(form, &typed, field, min_interval)}
            }
            if follows {
                {render_field(form, &typed, &TextField::LINK, min_interval)}
            } else {
                {render_advanced(form, &typed, optional, min_interval, advanced)}
            }
            {render_result(form)}
            if let Some(general) = general {
                p { class: "error", role: "alert", {format::capitalise(&general)} }
            }
            {render_actions(form, follows)}
        }
    }
}

/// The buttons that choose the kind of a new service.
fn render_kinds(mut form: FormState, typed: &Draft) -> Element {
    rsx! {
        div { class: "segments", role: "group", "aria-label": "What to add",
            for (index , kind) in typed.kinds.iter().enumerate() {
                button {
                    key: "{kind.name}",
                    r#type: "button",
                    title: "{kind.description}",
                    "aria-pressed": if typed.kind == index { "true" } else { "false" },
                    onclick: move |_| form.choose_kind(index),
                    {kind.name.clone()}
                }
            }
        }
    }
}

/// Thresholds and optional settings, which are collapsed unless one of them is invalid.
fn render_advanced(
    form: FormState,
    typed: &Draft,
    optional: Vec<FieldInfo>,
    min_interval: i32,
    mut expanded: Signal<bool>,
) -> Element {
    let invalid = TextField::ADVANCED
        .iter()
        .map(|field| field.name)
        .chain(optional.iter().map(|info| info.name.as_str()))
        .any(|name| form.error(name).is_some());
    rsx! {
        details { class: "advanced", open: expanded() || invalid,
            summary {
                onclick: move |event| {
                    event.prevent_default();
                    expanded.toggle();
                },
                "Interval, thresholds and more"
            }
            div { class: "columns",
                for info in optional {
                    {render_setting(form, typed, &info, false)}
                }
                for field in &TextField::ADVANCED {
                    {render_field(form, typed, field, min_interval)}
                }
            }
        }
    }
}

/// The result of a test.
fn render_result(form: FormState) -> Element {
    rsx! {
        div { class: "tested", role: "status",
            if (form.busy)() {
                p { class: "dim", "One moment…" }
            } else if let Some(result) = &*form.tested.read() {
                Tested { result: result.clone() }
            }
        }
    }
}

fn render_actions(form: FormState, follows: bool) -> Element {
    let id = form.id;
    let busy = (form.busy)();
    rsx! {
        div { class: "actions",
            button { class: "button", r#type: "button", onclick: move |_| id.map_or_else(Route::home, Route::service).open(), "Cancel" }
            if !follows {
                button { class: "button", r#type: "button", disabled: busy, onclick: move |_| form.test(), "Test now" }
            }
            button { class: "button primary", r#type: "submit", disabled: busy,
                if id.is_none() { "Add service" } else { "Save" }
            }
        }
    }
}

#[component]
fn Tested(result: TestResult) -> Element {
    rsx! {
        div { class: "state {result.status.word()}",
            {status_badge(result.status, false)}
            if let Some(code) = result.status_code {
                span { class: "number", "answered {code}" }
            }
            if let Some(millis) = result.response_time_ms {
                span { class: "number", "in {format::response_time(f64::from(millis))}" }
            }
            if let Some(message) = &result.message {
                p { class: "message", "{message}" }
            }
        }
        if result.response_time_ms.is_some() {
            PhaseBar { phases: result.phases, total: result.response_time_ms }
        }
    }
}
