//! The vendor page that a service follows: incidents, maintenance, components, and when it was
//! read.

use crate::{
    Route,
    api::{
        self, ById, Component, FollowedComponent, GetVendor, Maintenance, MonitorInput, Problem,
        UpdateService, UpdateServiceInput, UpdateServiceVariables, Vendor, VendorIncident,
    },
    components::{
        AffectedComponents, LastRead, Link, ProblemBox, RowSkeletons, VendorIncidentNote,
        VendorMaintenanceNote, status_mark,
    },
    format,
    hooks::{QueryState, use_polling, use_query},
    store::{Entry, use_store},
};
use dioxus::prelude::*;

/// How often the data is refetched. Vendor pages are read once a minute, and only changes of status
/// are streamed.
const VENDOR_POLL_MS: u32 = 60_000;

/// Loads the data now, when the status changes, and from time to time.
fn use_vendor(entry: Entry) -> QueryState<Vendor> {
    let status = entry.current.read().as_ref().map(|current| current.status);
    let vendor = use_query((entry.id, status), |(id, _)| async move {
        let response = api::request::<GetVendor>(ById { id }).await?;
        response
            .service
            .ok_or_else(|| Problem::not_found("service"))
    });
    use_polling(vendor, VENDOR_POLL_MS);
    vendor
}

#[component]
pub(super) fn VendorSection(entry: Entry) -> Element {
    let query = use_vendor(entry);
    let vendor = query.data.read();
    let Some(vendor) = &*vendor else {
        return match &*query.problem.read() {
            Some(problem) => {
                rsx! { ProblemBox { problem: problem.clone(), onretry: move |()| query.refetch() } }
            }
            None => rsx! { RowSkeletons { rows: 4 } },
        };
    };
    rsx! {
        {render_incidents(&vendor.vendor_incidents)}
        {render_maintenances(&vendor.maintenances)}
        section { class: "card", "aria-label": "Components",
            h2 { "Components" }
            ul { class: "components",
                for component in &vendor.components {
                    if component.missing {
                        MissingComponent {
                            key: "{component.id}",
                            entry,
                            missing: component.clone(),
                            monitor_input: vendor.monitor_input.clone(),
                            followed: vendor.components.iter().map(|one| one.id.clone()).collect::<Vec<_>>(),
                            onchange: move |()| query.refetch(),
                        }
                    } else {
                        li { key: "{component.id}",
                            {status_mark(component.status, false)}
                            ComponentName { name: component.name.clone(), group: component.group_name.clone() }
                            span { class: "vendor-word {component.status.word()}", title: "Status on the vendor page: {component.vendor_status}",
                                {status_text(component)}
                            }
                        }
                    }
                }
            }
            if let Some(page) = &vendor.vendor_page {
                LastRead { at: page.last_read_at, stale: page.stale, failure: page.failure.clone() }
            }
        }
    }
}

fn render_incidents(incidents: &[VendorIncident]) -> Element {
    if incidents.is_empty() {
        return VNode::empty();
    }
    rsx! {
        section { class: "card notes", "aria-label": "The vendor's incidents",
            h2 { {format::count(incidents.len(), "active vendor incident")} }
            for incident in incidents.iter().cloned() {
                VendorIncidentNote { key: "{incident.id}", incident: incident.clone(), open: true,
                    AffectedComponents { components: incident.components, page_wide: incident.page_wide }
                }
            }
        }
    }
}

fn render_maintenances(maintenances: &[Maintenance]) -> Element {
    if maintenances.is_empty() {
        return VNode::empty();
    }
    rsx! {
        section { class: "card notes", "aria-label": "The vendor's maintenance",
            h2 { "Maintenance" }
            for maintenance in maintenances.iter().cloned() {
                VendorMaintenanceNote { key: "{maintenance.id}", maintenance: maintenance.clone(), open: true,
                    AffectedComponents { components: maintenance.components, page_wide: maintenance.page_wide }
                }
            }
        }
    }
}

/// Returns the vendor's own word for the status, or PulseCheck's if it has none.
fn status_text(component: &FollowedComponent) -> String {
    match format::vendor_word(&component.vendor_status) {
        word if word.is_empty() => component.status.word().to_owned(),
        word => word,
    }
}

#[component]
fn ComponentName(name: String, #[props(!optional)] group: Option<String>) -> Element {
    rsx! {
        span { class: "name",
            if let Some(group) = group {
                span { class: "dim", "{group} · " }
            }
            "{name}"
        }
    }
}

/// A component that is no longer on the vendor page, with those that may have replaced it.
#[component]
fn MissingComponent(
    entry: Entry,
    missing: FollowedComponent,
    /// What the API calls the kind of the service.
    monitor_input: String,
    followed: Vec<String>,
    onchange: EventHandler<()>,
) -> Element {
    let store = use_store();
    let mut saving = use_signal(|| false);
    let missing_id = missing.id.clone();
    let replace = use_callback(move |by: String| {
        let ids = followed.iter().map(|id| {
            if *id == missing_id {
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
            let variables = UpdateServiceVariables {
                id: entry.id,
                input,
            };
            match api::request::<UpdateService>(variables).await {
                Ok(response) => store.upsert(response.update_service),
                Err(problem) => store
                    .toasts
                    .problem("Could not follow the component", &problem),
            }
            saving.set(false);
            onchange.call(());
        });
    });
    rsx! {
        li { class: "gone",
            {status_mark(api::Status::Unknown, false)}
            ComponentName { name: missing.name.clone(), group: missing.group_name.clone() }
            span { class: "dim", "no longer on the vendor page" }
            span { class: "acts",
                for Component { id , name , group_name , .. } in missing.successors.iter().cloned() {
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
                Link { class: "button", to: Route::EditService { id: entry.id }, "Choose components" }
            }
        }
    }
}
