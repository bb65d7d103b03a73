//! What a vendor page says about the components that a service follows.

use super::scalar::Time;
use super::status::Status;
use super::vendor_page::{DiscoveredComponent, link};
use crate::use_cases::vendor::{Followed, Notices};
use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use entity::{vendor_incident, vendor_maintenance};
use serde_json::Value;

/// A component of a vendor page that a service follows.
#[derive(SimpleObject, Debug)]
pub(crate) struct FollowedComponent {
    /// The vendor's id.
    id: String,
    /// The vendor's name for it.
    name: String,
    /// The vendor's group.
    group_name: Option<String>,
    /// What the vendor's word means.
    status: Status,
    /// The vendor's own word.
    vendor_status: String,
    /// Whether the page no longer has it: choose again.
    missing: bool,
    /// When it is missing: components of the same name that are there now, the likeliest first. Choose one of them by
    /// `updateService` with its id in place of this one.
    successors: Vec<DiscoveredComponent>,
}

impl From<Followed> for FollowedComponent {
    fn from(
        Followed {
            chosen,
            shown,
            status,
            missing,
            successors,
        }: Followed,
    ) -> Self {
        let (name, group_name, vendor_status) = match shown {
            Some(shown) if !missing => (shown.name, shown.group_name, shown.vendor_status),
            _ => (chosen.name, chosen.group_name, String::new()),
        };
        let successors = successors.iter().map(DiscoveredComponent::from).collect();
        Self {
            id: chosen.component_id,
            name,
            group_name,
            status: status.into(),
            vendor_status,
            missing,
            successors,
        }
    }
}

/// An incident on a vendor page.
#[derive(SimpleObject, Debug)]
pub(crate) struct VendorIncident {
    /// The vendor's id.
    id: String,
    /// The vendor's title.
    name: String,
    /// The vendor's word for how bad it is.
    impact: String,
    /// The vendor's word for how far they are.
    status: String,
    /// When it began.
    started_at: Option<Time>,
    /// Its page for people.
    url: Option<String>,
    /// The names of the components that it touches.
    components: Vec<String>,
    /// What the vendor wrote, newest first.
    updates: Vec<VendorUpdate>,
}

/// What a vendor wrote about an incident.
#[derive(SimpleObject, Debug)]
pub(crate) struct VendorUpdate {
    /// When.
    at: Time,
    /// How far they were.
    status: String,
    /// What they wrote.
    body: String,
}

/// Maintenance announced on a vendor page.
#[derive(SimpleObject, Debug)]
pub(crate) struct Maintenance {
    /// The vendor's id.
    id: String,
    /// The vendor's title.
    name: String,
    /// The vendor's word for how far they are.
    status: String,
    /// When it is to begin.
    scheduled_for: Option<Time>,
    /// When it is to end.
    scheduled_until: Option<Time>,
    /// Its page for people.
    url: Option<String>,
    /// The names of the components that it touches.
    components: Vec<String>,
}

pub(super) fn incidents(notices: &Notices) -> Vec<VendorIncident> {
    let shown = |row: &vendor_incident::Model| VendorIncident {
        id: row.incident_id.clone(),
        name: row.name.clone(),
        impact: row.impact.clone(),
        status: row.status.clone(),
        started_at: row.started_at.map(Time),
        url: link(row.url.as_deref()),
        components: names(notices, &row.component_ids),
        updates: items(&row.updates)
            .iter()
            .filter_map(|one| {
                update(
                    one,
                    row.started_at
                        .unwrap_or_else(|| notices.known_at(row.updated_at)),
                )
            })
            .collect(),
    };
    notices.incidents.iter().map(|row| shown(row)).collect()
}

pub(super) fn maintenances(notices: &Notices) -> Vec<Maintenance> {
    let shown = |row: &vendor_maintenance::Model| Maintenance {
        id: row.maintenance_id.clone(),
        name: row.name.clone(),
        status: row.status.clone(),
        scheduled_for: row.scheduled_for.map(Time),
        scheduled_until: row.scheduled_until.map(Time),
        url: link(row.url.as_deref()),
        components: names(notices, &row.component_ids),
    };
    notices.maintenances.iter().map(|row| shown(row)).collect()
}

/// A component that the page no longer has is named by its id.
fn names(notices: &Notices, ids: &Value) -> Vec<String> {
    let ids = items(ids).iter().filter_map(Value::as_str);
    ids.map(|id| {
        notices
            .names
            .get(id)
            .cloned()
            .unwrap_or_else(|| id.to_owned())
    })
    .collect()
}

/// One without a time of its own is as old as what it is about.
fn update(update: &Value, began: DateTime<Utc>) -> Option<VendorUpdate> {
    let update = update.as_object()?;
    let text = |name: &str| {
        update
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let at = DateTime::parse_from_rfc3339(&text("at")).map_or(began, |at| at.to_utc());
    Some(VendorUpdate {
        at: at.into(),
        status: text("status"),
        body: text("body"),
    })
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}
