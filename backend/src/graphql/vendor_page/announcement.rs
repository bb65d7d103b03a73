//! Incidents and maintenance that a vendor announces.

use super::link::safe_link;
use crate::graphql::scalar::Time;
use crate::use_cases::vendor::{VendorAnnouncements, is_page_wide};
use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use entity::{vendor_incident, vendor_maintenance};
use serde_json::Value;

/// An incident on a vendor page.
#[derive(SimpleObject, Debug)]
pub(crate) struct VendorIncident {
    /// The vendor's id.
    id: String,
    /// The vendor's title.
    name: String,
    /// The vendor's term for its impact.
    impact: String,
    /// The vendor's term for its progress.
    status: String,
    /// When it started.
    started_at: Option<Time>,
    /// URL of its page for people.
    url: Option<String>,
    /// Names of the affected components; empty if it concerns the page as a whole.
    components: Vec<String>,
    /// Whether it names no component of the page. It is then shown for every service that follows the
    /// page, and changes no status.
    page_wide: bool,
    /// Updates by the vendor, newest first.
    updates: Vec<VendorUpdate>,
}

/// A vendor's update about an incident.
#[derive(SimpleObject, Debug)]
pub(crate) struct VendorUpdate {
    /// When it was posted.
    at: Time,
    /// The vendor's term for the progress at that time.
    status: String,
    /// Text of the update.
    body: String,
}

/// Maintenance that a vendor page announces.
#[derive(SimpleObject, Debug)]
pub(crate) struct Maintenance {
    /// The vendor's id.
    id: String,
    /// The vendor's title.
    name: String,
    /// The vendor's term for its progress.
    status: String,
    /// Planned start.
    scheduled_for: Option<Time>,
    /// Planned end.
    scheduled_until: Option<Time>,
    /// URL of its page for people.
    url: Option<String>,
    /// Names of the affected components; empty if it concerns the page as a whole.
    components: Vec<String>,
    /// Whether it names no component of the page. It is then shown for every service that follows the
    /// page.
    page_wide: bool,
    /// Whether its window has ended although the vendor does not say that it is over. It is shown for
    /// 24 hours more if the vendor calls it scheduled, and for 7 days if it is in progress.
    overdue: bool,
}

/// Converts a vendor's incidents.
pub(in crate::graphql) fn incidents(notices: &VendorAnnouncements) -> Vec<VendorIncident> {
    let shown = |row: &vendor_incident::Model| VendorIncident {
        id: row.incident_id.clone(),
        name: row.name.clone(),
        impact: row.impact.clone(),
        status: row.status.clone(),
        started_at: row.started_at.map(Time),
        url: safe_link(row.url.as_deref()),
        components: component_names(notices, &row.component_ids),
        page_wide: is_page_wide(&row.component_ids),
        updates: items(&row.updates)
            .iter()
            .filter_map(|one| {
                parse_update(
                    one,
                    row.started_at
                        .unwrap_or_else(|| notices.known_at(row.updated_at)),
                )
            })
            .collect(),
    };
    notices.incidents.iter().map(|row| shown(row)).collect()
}

/// Converts a vendor's maintenance as it is at `now`.
pub(in crate::graphql) fn maintenances(
    notices: &VendorAnnouncements,
    now: DateTime<Utc>,
) -> Vec<Maintenance> {
    let shown = |row: &vendor_maintenance::Model| Maintenance {
        id: row.maintenance_id.clone(),
        name: row.name.clone(),
        status: row.status.clone(),
        scheduled_for: row.scheduled_for.map(Time),
        scheduled_until: row.scheduled_until.map(Time),
        url: safe_link(row.url.as_deref()),
        components: component_names(notices, &row.component_ids),
        page_wide: is_page_wide(&row.component_ids),
        overdue: row.scheduled_until.is_some_and(|until| until <= now),
    };
    notices.maintenances.iter().map(|row| shown(row)).collect()
}

/// Names of components; one that the page no longer has is named by its id.
fn component_names(notices: &VendorAnnouncements, ids: &Value) -> Vec<String> {
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

/// Reads an update; one without a time gets that of its incident.
fn parse_update(update: &Value, incident_started_at: DateTime<Utc>) -> Option<VendorUpdate> {
    let update = update.as_object()?;
    let text = |name: &str| {
        update
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let at =
        DateTime::parse_from_rfc3339(&text("at")).map_or(incident_started_at, |at| at.to_utc());
    Some(VendorUpdate {
        at: at.into(),
        status: text("status"),
        body: text("body"),
    })
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}
