//! Vendors' incidents and maintenance that concern what a service follows: those that name one of its
//! components, matched by id, and those that name no component of the page and so concern all of it.

use super::page::{PageSource, PageView, ROW_LIMIT, known_at};
use crate::use_cases::{Error, Result, UseCases};
use chrono::{DateTime, Utc};
use domain::vendor_page::{Freshness, freshness};
use entity::sql::in_ids;
use entity::{service, vendor_incident, vendor_maintenance, vendor_page_component};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of open incidents of all pages; the newest are read.
const MAX_INCIDENTS: u64 = 2_000;

/// Maximum number of maintenances of all pages; the soonest are read.
const MAX_MAINTENANCES: u64 = 2_000;

/// Maximum number of components that are named; the others are shown by their ids.
const MAX_NAMED: usize = 5_000;

/// Maximum size of the notices of all services together, in bytes: vendors choose how much they
/// write, and each affected service gets a copy.
const MAX_BYTES: usize = 32 << 20;

/// The announcements that concern one service.
#[derive(Debug, Clone, Default)]
pub struct VendorAnnouncements {
    /// Unresolved incidents, newest first.
    pub incidents: Vec<Arc<vendor_incident::Model>>,
    /// Maintenance that is scheduled or in progress, soonest first.
    pub maintenances: Vec<Arc<vendor_maintenance::Model>>,
    /// The names of the page's components, by id.
    pub names: Arc<HashMap<String, String>>,
    /// When the service began to follow the page.
    since: DateTime<Utc>,
}

impl VendorAnnouncements {
    /// Returns when the service's owner could know of a change at `changed_at`.
    #[must_use]
    pub fn known_at(&self, changed_at: DateTime<Utc>) -> DateTime<Utc> {
        known_at(changed_at, self.since)
    }
}

impl UseCases {
    /// Returns the notices that affect what each service follows.
    ///
    /// # Errors
    /// When the database fails, or when they are too large for one response.
    pub async fn notices(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, VendorAnnouncements>> {
        let views = self.readable_pages(services).await?;
        let incidents = self.open_vendor_incidents(&pages_of(&views)).await?;
        let notices = self.affecting(&views, &incidents, now).await?;
        bounded(&notices, &incidents)?;
        Ok(notices)
    }

    /// Returns the maintenance that affects what each service follows, without incidents.
    ///
    /// # Errors
    /// When the database fails, or when the services follow too many components for one response.
    pub async fn maintenances(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, VendorAnnouncements>> {
        let views = self.readable_pages(services).await?;
        self.affecting(&views, &HashMap::new(), now).await
    }

    /// Returns the pages that were read since the service follows them: the owner must not see what was
    /// read for others before.
    async fn readable_pages(
        &self,
        services: &[Arc<service::Model>],
    ) -> Result<HashMap<Uuid, PageView>> {
        let mut views = self.pages(services).await?;
        views.retain(|_, view| matches!(view.source, PageSource::Stored));
        Ok(views)
    }

    async fn affecting(
        &self,
        views: &HashMap<Uuid, PageView>,
        incidents: &HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>,
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, VendorAnnouncements>> {
        let maintenances = self.maintenances_to_come(&pages_of(views)).await?;
        if incidents.is_empty() && maintenances.is_empty() {
            return Ok(HashMap::new());
        }
        let mut follows: HashMap<Uuid, HashSet<String>> = HashMap::new();
        for one in self.chosen(views).await? {
            follows
                .entry(one.service_id)
                .or_default()
                .insert(one.component_id);
        }
        let mut notices: HashMap<Uuid, VendorAnnouncements> = HashMap::new();
        for (service, view) in views {
            let Some(follows) = follows.get(service) else {
                continue;
            };
            let page = view.row.id;
            let own = incidents.get(&page).map(Vec::as_slice).unwrap_or_default();
            let incidents = own
                .iter()
                .filter(|one| affects(&one.component_ids, follows))
                .cloned()
                .collect();
            // Whether work on a page that is no longer read continued after its end is not known.
            let lost = freshness(Some(view.read_at), now) == Freshness::Lost;
            let over = |one: &vendor_maintenance::Model| {
                lost && one.scheduled_until.is_some_and(|end| end <= now)
            };
            let own = maintenances
                .get(&page)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let touching = own
                .iter()
                .filter(|one| affects(&one.component_ids, follows) && !over(one));
            let maintenances = touching.cloned().collect();
            notices.insert(
                *service,
                VendorAnnouncements {
                    incidents,
                    maintenances,
                    names: Arc::default(),
                    since: view.since,
                },
            );
        }
        let names = self.names(views, &notices).await?;
        for (service, of_service) in &mut notices {
            let names = views.get(service).and_then(|view| names.get(&view.row.id));
            of_service.names = names.cloned().unwrap_or_default();
        }
        Ok(notices)
    }

    /// Reads the names of the linked components, by page and id.
    async fn names(
        &self,
        views: &HashMap<Uuid, PageView>,
        notices: &HashMap<Uuid, VendorAnnouncements>,
    ) -> Result<HashMap<Uuid, Arc<HashMap<String, String>>>> {
        let (mut pages, mut linked) = (HashSet::new(), BTreeSet::new());
        for (service, of_service) in notices {
            let of_incidents = of_service.incidents.iter().map(|one| &one.component_ids);
            let of_maintenances = of_service.maintenances.iter().map(|one| &one.component_ids);
            linked.extend(of_incidents.chain(of_maintenances).flat_map(ids));
            if !of_service.incidents.is_empty() || !of_service.maintenances.is_empty() {
                pages.extend(views.get(service).map(|view| view.row.id));
            }
        }
        if linked.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<ComponentName> = vendor_page_component::Entity::find()
            .select_only()
            .column(vendor_page_component::Column::VendorPageId)
            .column(vendor_page_component::Column::ComponentId)
            .column(vendor_page_component::Column::Name)
            .filter(in_ids(
                &self.db,
                vendor_page_component::Column::VendorPageId,
                pages,
            ))
            .filter(
                vendor_page_component::Column::ComponentId
                    .is_in(linked.into_iter().take(MAX_NAMED)),
            )
            .limit(ROW_LIMIT)
            .into_model()
            .all(&self.db)
            .await?;
        let mut names: HashMap<Uuid, HashMap<String, String>> = HashMap::new();
        for row in rows {
            names
                .entry(row.vendor_page_id)
                .or_default()
                .insert(row.component_id, row.name);
        }
        Ok(names
            .into_iter()
            .map(|(page, names)| (page, Arc::new(names)))
            .collect())
    }

    async fn open_vendor_incidents(
        &self,
        pages: &HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>> {
        if pages.is_empty() {
            return Ok(HashMap::new());
        }
        let mut rows = vendor_incident::Entity::find()
            .filter(in_ids(
                &self.db,
                vendor_incident::Column::VendorPageId,
                pages.iter().copied(),
            ))
            .filter(vendor_incident::Column::ResolvedAt.is_null())
            .order_by_desc(vendor_incident::Column::StartedAt)
            .limit(MAX_INCIDENTS)
            .all(&self.db)
            .await?;
        rows.sort_by_cached_key(|row| (Reverse(row.started_at), row.incident_id.clone()));
        Ok(by_page(rows, |row| row.vendor_page_id))
    }

    async fn maintenances_to_come(
        &self,
        pages: &HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<Arc<vendor_maintenance::Model>>>> {
        if pages.is_empty() {
            return Ok(HashMap::new());
        }
        // Finished ones are deleted. Those without a time come last, wherever the database sorts NULL.
        let mut rows = vendor_maintenance::Entity::find()
            .filter(in_ids(
                &self.db,
                vendor_maintenance::Column::VendorPageId,
                pages.iter().copied(),
            ))
            .order_by_asc(vendor_maintenance::Column::ScheduledFor.is_null())
            .order_by_asc(vendor_maintenance::Column::ScheduledFor)
            .limit(MAX_MAINTENANCES)
            .all(&self.db)
            .await?;
        rows.sort_by_cached_key(|row| {
            (
                row.scheduled_for.is_none(),
                row.scheduled_for,
                row.maintenance_id.clone(),
            )
        });
        Ok(by_page(rows, |row| row.vendor_page_id))
    }
}

#[derive(FromQueryResult)]
struct ComponentName {
    vendor_page_id: Uuid,
    component_id: String,
    name: String,
}

fn pages_of(views: &HashMap<Uuid, PageView>) -> HashSet<Uuid> {
    views.values().map(|view| view.row.id).collect()
}

fn by_page<T>(rows: Vec<T>, page: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<Arc<T>>> {
    let mut by_page: HashMap<Uuid, Vec<Arc<T>>> = HashMap::new();
    for row in rows {
        by_page.entry(page(&row)).or_default().push(Arc::new(row));
    }
    by_page
}

fn ids(linked: &serde_json::Value) -> impl Iterator<Item = &str> {
    linked
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(serde_json::Value::as_str)
}

fn affects(linked: &serde_json::Value, follows: &HashSet<String>) -> bool {
    is_page_wide(linked) || ids(linked).any(|id| follows.contains(id))
}

/// Returns whether an announcement with these components concerns the page as a whole.
#[must_use]
pub fn is_page_wide(linked: &serde_json::Value) -> bool {
    ids(linked).next().is_none()
}

/// Rejects notices that are together too large for one response.
fn bounded(
    notices: &HashMap<Uuid, VendorAnnouncements>,
    incidents: &HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>,
) -> Result<()> {
    let weights: HashMap<*const vendor_incident::Model, usize> = incidents
        .values()
        .flatten()
        .map(|one| (Arc::as_ptr(one), incident_bytes(one)))
        .collect();
    let of_incident = |one: &Arc<vendor_incident::Model>| {
        weights.get(&Arc::as_ptr(one)).copied().unwrap_or_default()
    };
    let of_maintenance =
        |one: &Arc<vendor_maintenance::Model>| one.name.len() + linked_bytes(&one.component_ids);
    let total: usize = notices
        .values()
        .map(|of_service| {
            let incidents: usize = of_service.incidents.iter().map(of_incident).sum();
            incidents
                + of_service
                    .maintenances
                    .iter()
                    .map(of_maintenance)
                    .sum::<usize>()
        })
        .sum();
    if total <= MAX_BYTES {
        return Ok(());
    }
    let message = format!(
        "must be at most {} MiB for all services, got {}: request fewer services, with a filter or one by one",
        MAX_BYTES >> 20,
        total >> 20
    );
    Err(Error::field("vendorIncidents", message))
}

fn incident_bytes(incident: &vendor_incident::Model) -> usize {
    let updates = incident
        .updates
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let body = |update: &serde_json::Value| update["body"].as_str().map_or(0, str::len) + 100;
    incident.name.len()
        + linked_bytes(&incident.component_ids)
        + updates.iter().map(body).sum::<usize>()
}

/// Approximates the size of the names of linked components.
fn linked_bytes(ids: &serde_json::Value) -> usize {
    ids.as_array().map_or(0, |ids| ids.len() * 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn notices_are_bounded_for_all_services_together() {
        let incident = Arc::new(vendor_incident::Model {
            vendor_page_id: Uuid::nil(),
            incident_id: "i".into(),
            name: "I".into(),
            impact: String::new(),
            status: String::new(),
            started_at: None,
            resolved_at: None,
            url: None,
            component_ids: json!(["a"]),
            updates: json!([{ "body": "x".repeat(1 << 20) }, "no update"]),
            updated_at: DateTime::UNIX_EPOCH,
        });
        let incidents = HashMap::from([(Uuid::nil(), vec![Arc::clone(&incident)])]);
        let notices = |services: u128| -> HashMap<Uuid, VendorAnnouncements> {
            let one = VendorAnnouncements {
                incidents: vec![Arc::clone(&incident)],
                ..VendorAnnouncements::default()
            };
            (0..services)
                .map(|n| (Uuid::from_u128(n), one.clone()))
                .collect()
        };
        assert!(bounded(&notices(31), &incidents).is_ok());
        assert!(matches!(
            bounded(&notices(32), &incidents),
            Err(Error::BadInput(_))
        ));
    }
}
