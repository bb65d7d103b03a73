//! What the vendor says of what the service follows: incidents, maintenance, components, and how old that is.

use crate::{
    Route,
    api::{
        self, ById, Component, FollowedComponent, GetVendor, MonitorInput, Problem, UpdateService,
        UpdateServiceInput, UpdateServiceVariables, Vendor,
    },
    browser,
    components::{
        Go, MaintenanceNote, ProblemBox, ReadAt, RowSkeletons, Touches, VendorIncidentNote,
        status_mark,
    },
    format,
    hooks::use_asked,
    store::{Entry, use_store},
};
use dioxus::prelude::*;

/// How often it is asked for: a vendor's page is read once a minute, and only changes of status are streamed.
const AGAIN_AFTER_MS: u32 = 60_000;

/// Everything that the vendor says.
#[component]
pub(super) fn VendorSays(entry: Entry) -> Element {
    let id = entry.id;
    let status = entry.current.read().as_ref().map(|current| current.status);
    let asked = use_asked((id, status), |(id, _)| async move {
        let answer = api::request::<GetVendor>(ById { id }).await?;
        answer.service.ok_or_else(|| Problem::not_found("service"))
    });
    use_future(move || async move {
        loop {
            browser::sleep(AGAIN_AFTER_MS).await;
            asked.again();
        }
    });
    let vendor = asked.data.read();
    let Some(Vendor {
        monitor_input,
        vendor_page,
        components,
        vendor_incidents,
        maintenances,
    }) = &*vendor
    else {
        return match &*asked.problem.read() {
            Some(problem) => {
                rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| asked.again() } }
            }
            None => rsx! { RowSkeletons { rows: 4 } },
        };
    };
    rsx! {
        if !vendor_incidents.is_empty() {
            section { class: "card notes", "aria-label": "The vendor's incidents",
                h2 { {format::count(vendor_incidents.len(), "active incident")} " at the vendor" }
                for incident in vendor_incidents.iter().cloned() {
                    VendorIncidentNote { key: "{incident.id}", incident: incident.clone(), open: true,
                        Touches { components: incident.components }
                    }
                }
            }
        }
        if !maintenances.is_empty() {
            section { class: "card notes", "aria-label": "The vendor's maintenance",
                h2 { "Maintenance" }
                for maintenance in maintenances.iter().cloned() {
                    MaintenanceNote { key: "{maintenance.id}", maintenance: maintenance.clone(), open: true,
                        Touches { components: maintenance.components }
                    }
                }
            }
        }
        section { class: "card", "aria-label": "Components",
            h2 { "Components" }
            ul { class: "components",
                for component in components {
                    if component.missing {
                        Missing {
                            key: "{component.id}",
                            entry,
                            gone: component.clone(),
                            monitor_input: monitor_input.clone(),
                            followed: components.iter().map(|one| one.id.clone()).collect::<Vec<_>>(),
                            onchange: move |()| asked.again(),
                        }
                    } else {
                        li { key: "{component.id}",
                            {status_mark(component.status, false)}
                            Named { name: component.name.clone(), group: component.group_name.clone() }
                            span { class: "vendor-word {component.status.word()}", title: "The vendor says {component.vendor_status}",
                                {said(component)}
                            }
                        }
                    }
                }
            }
            if let Some(page) = vendor_page {
                ReadAt { at: page.last_read_at, stale: page.stale, failure: page.failure.clone() }
            }
        }
    }
}

/// The vendor's own word; where it has none, what PulseCheck makes of that.
fn said(component: &FollowedComponent) -> String {
    match format::vendor_word(&component.vendor_status) {
        word if word.is_empty() => component.status.word().to_owned(),
        word => word,
    }
}

#[component]
fn Named(name: String, #[props(!optional)] group: Option<String>) -> Element {
    rsx! {
        span { class: "name",
            if let Some(group) = group {
                span { class: "dim", "{group} · " }
            }
            "{name}"
        }
    }
}

/// A component that the page has no more, with what could be meant by it now.
#[component]
fn Missing(
    entry: Entry,
    gone: FollowedComponent,
    /// What the API calls the kind of the service.
    monitor_input: String,
    followed: Vec<String>,
    onchange: EventHandler<()>,
) -> Element {
    let store = use_store();
    let mut saving = use_signal(|| false);
    let lost = gone.id.clone();
    let replace = use_callback(move |by: String| {
        let ids = followed.iter();
        let ids = ids.map(|id| {
            if *id == lost {
                by.as_str()
            } else {
                id.as_str()
            }
        });
        let settings = [("componentIds".to_owned(), ids.collect())];
        let monitor = MonitorInput::new(&monitor_input, settings.into_iter().collect());
        spawn(async move {
            saving.set(true);
            let input = UpdateServiceInput {
                monitor: Some(monitor),
                ..Default::default()
            };
            match api::request::<UpdateService>(UpdateServiceVariables {
                id: entry.id,
                input,
            })
            .await
            {
                Ok(answer) => store.upsert(answer.update_service),
                Err(problem) => store.say_failed("Could not follow it", &problem),
            }
            saving.set(false);
            onchange.call(());
        });
    });
    rsx! {
        li { class: "gone",
            {status_mark(api::Status::Unknown, false)}
            Named { name: gone.name.clone(), group: gone.group_name.clone() }
            span { class: "dim", "no longer on the vendor's page" }
            span { class: "acts",
                for Component { id , name , group_name , .. } in gone.successors.iter().cloned() {
                    button {
                        key: "{id}",
                        class: "button",
                        r#type: "button",
                        disabled: saving(),
                        onclick: move |_| replace.call(id.clone()),
                        "Follow "
                        if let Some(group) = group_name { "{group} · " }
                        "{name} instead"
                    }
                }
                Go { class: "button", to: Route::EditService { id: entry.id }, "Choose again" }
            }
        }
    }
}
