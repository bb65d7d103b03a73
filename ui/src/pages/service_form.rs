//! The form of a service, new or known: keeps what was typed, and shows errors where they belong.

mod draft;
mod page;
mod picker;
mod search;

use crate::{
    api::{self, CreateServiceVariables, GetLimits, MonitorKind, Problem, TestResult, TestService},
    components::{Field, PhaseBar, StatusBadge},
    format,
    hooks::use_asked,
    store::{Session, use_store},
};
use cynic::{MutationBuilder, QueryBuilder};
use dioxus::prelude::*;
use draft::ADVANCED;
pub(super) use draft::Draft;
pub(super) use page::PageDraft;
use picker::Picker;
use search::Search;

/// What can be added, and what it is called.
const KINDS: [(MonitorKind, &str); 2] =
    [(MonitorKind::Http, "An address of yours"), (MonitorKind::StatusPage, "A vendor's status page")];

/// The form. `onsave` gets the draft when it makes sense on its own.
#[component]
pub(super) fn ServiceForm(
    draft: Signal<Draft>,
    problem: Signal<Option<Problem>>,
    saving: bool,
    /// Whether it is a new service: only then it can be of another kind, or follow another page.
    #[props(default)]
    new: bool,
    /// The button that saves.
    action: String,
    onsave: EventHandler<Draft>,
    oncancel: EventHandler<()>,
) -> Element {
    let store = use_store();
    let limits = use_asked((), |()| async { api::request(GetLimits::build(())).await.map(|answer| answer.limits) });
    let least = limits.data.read().map_or(10, |limits| limits.min_interval_seconds);
    let mut tested = use_signal(|| None::<TestResult>);
    let mut testing = use_signal(|| false);
    let mut local = use_signal(Vec::<(&'static str, String)>::new);
    let mut advanced = use_signal(|| false);
    let error = move |name: &str| {
        let here = local.read().iter().find(|(field, _)| *field == name).map(|(_, message)| message.clone());
        here.or_else(|| problem.read().as_ref().and_then(|problem| problem.field(name)).map(str::to_owned))
    };
    let set = move |change: fn(&mut Draft, String)| move |value: String| change(&mut draft.write(), value);
    // Whatever is wrong inside must be seen.
    let inside_wrong = ADVANCED.iter().any(|name| error(name).is_some());
    let refused = move || {
        problem.read().as_ref().filter(|problem| problem.fields.is_empty()).map(|problem| problem.message.clone())
    };
    let categories = store.categories();

    let mut check = move || {
        let wrong = draft.peek().wrong();
        let fine = wrong.is_empty();
        local.set(wrong);
        problem.set(None);
        fine
    };
    let test = move |_| async move {
        if !check() {
            return;
        }
        testing.set(true);
        tested.set(None);
        match api::request(TestService::build(CreateServiceVariables { input: draft.peek().to_test() })).await {
            Ok(answer) => tested.set(Some(answer.test_service)),
            Err(refused) if refused.kind == api::ProblemKind::SignedOut => {
                let mut session = store.session;
                session.set(Session::SignedOut);
            }
            Err(refused) => problem.set(Some(refused)),
        }
        testing.set(false);
    };
    let typed = draft.read();
    let requests = typed.kind == MonitorKind::Http;
    // A page's addresses stand in no field of their own.
    let page_wrong = ["statusPageApiUrls", "userDefinedUrls"].into_iter().find_map(error);
    let general = refused().or_else(|| page_wrong.clone().filter(|_| !requests && typed.page.found.is_some()));
    rsx! {
        form {
            class: "form",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                if check() {
                    onsave.call(draft.peek().clone());
                }
            },
            if new {
                div { class: "segments", role: "group", "aria-label": "What to add",
                    for (kind , name) in KINDS {
                        button {
                            key: "{name}",
                            r#type: "button",
                            "aria-pressed": if typed.kind == kind { "true" } else { "false" },
                            onclick: move |_| {
                                let mut draft = draft.write();
                                draft.kind = kind;
                                draft.propose();
                                problem.set(None);
                                local.set(Vec::new());
                            },
                            {name}
                        }
                    }
                }
            }
            if requests {
                Field {
                    name: "url",
                    label: "Address",
                    value: typed.url.clone(),
                    error: error("url"),
                    kind: "text",
                    inputmode: "url",
                    placeholder: "https://example.com/health",
                    autofocus: true,
                    required: true,
                    oninput: move |value: String| {
                        let mut draft = draft.write();
                        draft.url = value;
                        draft.propose();
                        tested.set(None);
                    },
                }
            } else if let Some(found) = typed.page.found.clone() {
                Picker { draft, found, new, error: error("componentIds") }
            } else if new {
                Search { draft, missing: page_wrong }
            }
            Field {
                name: "name",
                label: "Name",
                value: typed.name.clone(),
                error: error("name"),
                required: true,
                maxlength: domain::service::MAX_NAME,
                oninput: set(|draft, value| {
                    draft.named = !value.is_empty();
                    draft.name = value;
                }),
            }
            Field {
                name: "category",
                label: "Category",
                value: typed.category.clone(),
                error: error("category"),
                hint: "Groups the list. Choose one or make one up.",
                options: categories,
                maxlength: domain::service::MAX_CATEGORY,
                oninput: set(|draft, value| draft.category = value),
            }
            if requests {
                details { class: "advanced", open: advanced() || inside_wrong,
                    summary {
                        onclick: move |event| {
                            event.prevent_default();
                            advanced.toggle();
                        },
                        "Interval, thresholds and more"
                    }
                    div { class: "columns",
                        Field {
                            name: "checkIntervalSeconds",
                            label: "Check every",
                            unit: "s",
                            inputmode: "numeric",
                            value: typed.interval.clone(),
                            error: error("checkIntervalSeconds"),
                            hint: "At least {format::interval(least)}.",
                            oninput: set(|draft, value| draft.interval = value),
                        }
                        Field {
                            name: "timeoutMs",
                            label: "Give up after",
                            unit: "ms",
                            inputmode: "numeric",
                            value: typed.timeout.clone(),
                            error: error("timeoutMs"),
                            oninput: set(|draft, value| draft.timeout = value),
                        }
                        Field {
                            name: "degradedThresholdMs",
                            label: "Degraded when slower than",
                            unit: "ms",
                            inputmode: "numeric",
                            value: typed.threshold.clone(),
                            error: error("degradedThresholdMs"),
                            oninput: set(|draft, value| draft.threshold = value),
                        }
                        Field {
                            name: "expectedStatus",
                            label: "Expected status codes",
                            value: typed.expected.clone(),
                            error: error("expectedStatus"),
                            hint: "Such as 200-299,301.",
                            oninput: set(|draft, value| draft.expected = value),
                        }
                        Field {
                            name: "confirmations",
                            label: "Failures in a row before it counts as down",
                            inputmode: "numeric",
                            value: typed.confirmations.clone(),
                            error: error("confirmations"),
                            oninput: set(|draft, value| draft.confirmations = value),
                        }
                        Field {
                            name: "statusPageUrl",
                            label: "Status page",
                            inputmode: "url",
                            placeholder: "https://status.example.com",
                            value: typed.status_page.clone(),
                            error: error("statusPageUrl"),
                            hint: "Linked from the list.",
                            oninput: set(|draft, value| draft.status_page = value),
                        }
                    }
                }
            } else {
                Field {
                    name: "statusPageUrl",
                    label: "Link to the status page",
                    inputmode: "url",
                    placeholder: "what the page says itself",
                    value: typed.status_page.clone(),
                    error: error("statusPageUrl"),
                    oninput: set(|draft, value| draft.status_page = value),
                }
            }
            div { class: "tested", role: "status",
                if testing() {
                    p { class: "dim", "Looking…" }
                } else if let Some(result) = &*tested.read() {
                    Tested { result: result.clone() }
                }
            }
            if let Some(general) = general {
                p { class: "error", role: "alert", "{general}" }
            }
            div { class: "actions",
                button { class: "button", r#type: "button", onclick: move |_| oncancel.call(()), "Cancel" }
                if requests {
                    button { class: "button", r#type: "button", disabled: testing(), onclick: test, "Test now" }
                }
                button { class: "button primary", r#type: "submit", disabled: saving, "{action}" }
            }
        }
    }
}

#[component]
fn Tested(result: TestResult) -> Element {
    rsx! {
        div { class: "state {result.status.word()}",
            StatusBadge { status: result.status }
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
