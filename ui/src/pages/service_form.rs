//! The form of a service, new or known: keeps what was typed, and shows errors where they belong.

mod draft;
mod page;
mod picker;
mod search;

use crate::{
    Route,
    api::{
        self, CreateService, CreateServiceVariables, FieldInfo, Limits, Problem, TestResult,
        TestService, UpdateService, UpdateServiceVariables,
    },
    components::{Field, PhaseBar, status_badge},
    format,
    store::use_store,
};
use dioxus::prelude::*;
pub(super) use draft::Draft;
use draft::Spec;
use picker::Picker;
use search::Search;
use uuid::Uuid;

/// The form: of a new service, or of the one with this id. Only a new one can be of another kind, or follow another page.
#[component]
pub(super) fn ServiceForm(
    draft: Signal<Draft>,
    limits: Limits,
    #[props(!optional)] id: Option<Uuid>,
) -> Element {
    let store = use_store();
    let mut problem = use_signal(|| None::<Problem>);
    let mut busy = use_signal(|| false);
    let mut tested = use_signal(|| None::<TestResult>);
    let mut local = use_signal(Vec::<(String, String)>::new);
    let mut advanced = use_signal(|| false);
    let error = move |name: &str| {
        let here = local
            .read()
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, message)| message.clone());
        here.or_else(|| {
            problem
                .read()
                .as_ref()
                .and_then(|problem| problem.field(name))
                .map(str::to_owned)
        })
    };
    let mut refuse = move |refused: Problem| {
        if refused.kind == api::ProblemKind::SignedOut {
            store.session.end();
        } else {
            problem.set(Some(refused));
        }
        busy.set(false);
    };
    let mut check = move || {
        let wrong = draft.peek().wrong();
        let fine = wrong.is_empty();
        local.set(wrong);
        problem.set(None);
        busy.set(fine);
        fine
    };
    let save = move || async move {
        if !check() {
            return;
        }
        let typed = draft.peek().clone();
        let saved = match id {
            Some(id) => {
                let change = UpdateServiceVariables {
                    id,
                    input: typed.to_update(),
                };
                api::request::<UpdateService>(change)
                    .await
                    .map(|answer| answer.update_service)
            }
            None => {
                let addition = CreateServiceVariables {
                    input: typed.to_create(),
                };
                api::request::<CreateService>(addition)
                    .await
                    .map(|answer| answer.create_service)
            }
        };
        match saved {
            Ok(service) => {
                let id = service.id;
                store.upsert(service);
                Route::service(id).open();
            }
            Err(refused) => refuse(refused),
        }
    };
    let test = move |_| async move {
        if !check() {
            return;
        }
        tested.set(None);
        match api::request::<TestService>(CreateServiceVariables {
            input: draft.peek().to_test(),
        })
        .await
        {
            Ok(answer) => {
                tested.set(Some(answer.test_service));
                busy.set(false);
            }
            Err(refused) => refuse(refused),
        }
    };
    let typed = draft.read();
    let requests = !typed.follows();
    let least = limits.min_interval_seconds;
    let setting = |info: FieldInfo, autofocus: bool| {
        let name = info.name.clone();
        let stored = typed.secrets_set.contains(&info.name);
        rsx! {
            Field {
                key: "{info.name}",
                name: info.name.clone(),
                label: info.label.clone(),
                kind: if info.secret { "password" } else { "text" },
                inputmode: inputmode(&info.field_type).map(str::to_owned),
                placeholder: if stored { Some("set; leave empty to keep it".to_owned()) } else { placeholder(&info.field_type).map(str::to_owned) },
                hint: info.help.clone().filter(|_| !autofocus),
                value: typed.setting(&info.name).to_owned(),
                error: error(&info.name),
                options: info.options.clone(),
                autofocus,
                oninput: move |value: String| {
                    draft.write().set_setting(&name, value);
                    tested.set(None);
                },
            }
        }
    };
    let (required, optional): (Vec<_>, Vec<_>) =
        typed.fields().into_iter().partition(|field| field.required);
    let field = |spec: &'static Spec| {
        let hint = match spec.name {
            "checkIntervalSeconds" => Some(format!("At least {}.", format::interval(least))),
            _ => spec.hint.map(str::to_owned),
        };
        rsx! {
            Field {
                key: "{spec.name}",
                name: spec.name,
                label: spec.label,
                unit: spec.unit.map(str::to_owned),
                inputmode: spec.inputmode.map(str::to_owned),
                placeholder: spec.placeholder.map(str::to_owned),
                hint,
                value: (spec.of)(&typed).clone(),
                error: error(spec.name),
                maxlength: spec.maxlength,
                options: (spec.name == "category").then(|| store.services.categories()),
                oninput: move |value: String| {
                    draft.write().set(spec, value);
                    tested.set(None);
                },
            }
        }
    };
    // Whatever is wrong inside must be seen.
    let inside_wrong = Spec::ADVANCED.iter().any(|spec| error(spec.name).is_some())
        || optional.iter().any(|field| error(&field.name).is_some());
    // A page's addresses stand in no field of their own.
    let page_wrong = ["apiUrls", "userDefinedUrls", "monitor"]
        .into_iter()
        .find_map(error);
    let general = match &*problem.read() {
        Some(problem) if problem.fields.is_empty() => Some(problem.message.clone()),
        _ => page_wrong
            .clone()
            .filter(|_| !requests && typed.page.found.is_some()),
    };
    rsx! {
        form {
            class: "form",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                save()
            },
            if id.is_none() {
                div { class: "segments", role: "group", "aria-label": "What to add",
                    for (place , kind) in typed.kinds.iter().enumerate() {
                        button {
                            key: "{kind.name}",
                            r#type: "button",
                            title: "{kind.description}",
                            "aria-pressed": if typed.kind == place { "true" } else { "false" },
                            onclick: move |_| {
                                if draft.peek().kind != place {
                                    draft.write().choose(place);
                                }
                                problem.set(None);
                                local.set(Vec::new());
                            },
                            {kind.name.clone()}
                        }
                    }
                }
            }
            if requests {
                for (place , info) in required.into_iter().enumerate() {
                    {setting(info, place == 0)}
                }
            } else if let Some(found) = typed.page.found.clone() {
                Picker { draft, found, new: id.is_none(), error: error("componentIds") }
            } else if id.is_none() {
                Search { draft, missing: page_wrong }
            }
            for spec in &Spec::NAMES {
                {field(spec)}
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
                        for info in optional {
                            {setting(info, false)}
                        }
                        for spec in &Spec::ADVANCED {
                            {field(spec)}
                        }
                    }
                }
            } else {
                {field(&Spec::LINK)}
            }
            div { class: "tested", role: "status",
                if busy() {
                    p { class: "dim", "One moment…" }
                } else if let Some(result) = &*tested.read() {
                    Tested { result: result.clone() }
                }
            }
            if let Some(general) = general {
                p { class: "error", role: "alert", {format::capitalise(&general)} }
            }
            div { class: "actions",
                button { class: "button", r#type: "button", onclick: move |_| id.map_or_else(Route::home, Route::service).open(), "Cancel" }
                if requests {
                    button { class: "button", r#type: "button", disabled: busy(), onclick: test, "Test now" }
                }
                button { class: "button primary", r#type: "submit", disabled: busy(),
                    if id.is_none() { "Add service" } else { "Save" }
                }
            }
        }
    }
}

/// The keyboard that a type of field is entered by.
fn inputmode(field_type: &str) -> Option<&'static str> {
    match field_type {
        "url" => Some("url"),
        "integer" | "port" | "seconds" => Some("numeric"),
        "number" => Some("decimal"),
        _ => None,
    }
}

/// An example of what goes into a type of field.
fn placeholder(field_type: &str) -> Option<&'static str> {
    match field_type {
        "url" => Some("https://example.com/health"),
        "host" => Some("example.com"),
        _ => None,
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
