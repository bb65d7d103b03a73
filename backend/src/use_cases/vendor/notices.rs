//! Which of a vendor's incidents and maintenance touch what a service follows: by the ids of the components alone. The
//! worker stores notices with the components that they really touch, so what is linked to none concerns nobody.

use super::{ENOUGH_ROWS, PageView, Said, known_at};
use crate::use_cases::{Error, Ops, Result};
use chrono::{DateTime, Utc};
use domain::vendor_page::{Freshness, freshness};
use entity::sql::among;
use entity::{service, vendor_incident, vendor_maintenance, vendor_page_component};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// How many open incidents of all pages are read at a time, the newest first.
const MAX_INCIDENTS: u64 = 2_000;

/// The same of maintenance, the soonest first.
const MAX_MAINTENANCES: u64 = 2_000;

/// How many components notices are told the names of; the others are told by their ids.
const MAX_NAMED: usize = 5_000;

/// What the notices of all services together may weigh, in bytes of text: what vendors write is theirs to choose, and
/// each service that it touches gets it once.
const MAX_WEIGHT: usize = 32 << 20;

/// What the page of one service says that touches the followed components.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// Incidents that are not over, newest first.
    pub incidents: Vec<Arc<vendor_incident::Model>>,
    /// Maintenance that is scheduled or in progress, soonest first.
    pub maintenances: Vec<Arc<vendor_maintenance::Model>>,
    /// The page's names for its components, by their ids.
    pub names: Arc<HashMap<String, String>>,
    /// Since when the service follows the page.
    since: DateTime<Utc>,
}

impl Notices {
    /// When the followers that this is for came to know what changed at `changed_at` for all who follow the page.
    #[must_use]
    pub fn known_at(&self, changed_at: DateTime<Utc>) -> DateTime<Utc> {
        known_at(changed_at, self.since)
    }
}

impl Ops {
    /// The notices that touch what each service follows.
    ///
    /// # Errors
    /// When the database fails, or when they are too much for one answer.
    pub async fn notices(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Notices>> {
        let views = self.told(services).await?;
        let incidents = self.open_vendor_incidents(&pages_of(&views)).await?;
        let notices = self.touching(&views, &incidents, now).await?;
        bounded(&notices, &incidents)?;
        Ok(notices)
    }

    /// The maintenance that touches what each service follows, without incidents.
    ///
    /// # Errors
    /// When the database fails, or when the services follow more components than are told of at a time.
    pub async fn maintenances(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Notices>> {
        let views = self.told(services).await?;
        self.touching(&views, &HashMap::new(), now).await
    }

    /// The services whose page was read since they follow it: what others were told before is not for them.
    async fn told(&self, services: &[Arc<service::Model>]) -> Result<HashMap<Uuid, PageView>> {
        let mut views = self.pages(services).await?;
        views.retain(|_, view| matches!(view.said, Said::Stored));
        Ok(views)
    }

    async fn touching(
        &self,
        views: &HashMap<Uuid, PageView>,
        incidents: &HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>,
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Notices>> {
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
        let mut notices: HashMap<Uuid, Notices> = HashMap::new();
        for (service, view) in views {
            let Some(follows) = follows.get(service) else {
                continue;
            };
            let page = view.row.id;
            let own = incidents.get(&page).map(Vec::as_slice).unwrap_or_default();
            let incidents = own
                .iter()
                .filter(|one| touches(&one.component_ids, follows))
                .cloned()
                .collect();
            // Of a page that was not read lately nobody knows whether the work went on beyond its end.
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
                .filter(|one| touches(&one.component_ids, follows) && !over(one));
            let maintenances = touching.cloned().collect();
            notices.insert(
                *service,
                Notices {
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

    /// The names of what these are linked to, by page and id.
    async fn names(
        &self,
        views: &HashMap<Uuid, PageView>,
        notices: &HashMap<Uuid, Notices>,
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
        let rows: Vec<(Uuid, String, String)> = vendor_page_component::Entity::find()
            .select_only()
            .column(vendor_page_component::Column::VendorPageId)
            .column(vendor_page_component::Column::ComponentId)
            .column(vendor_page_component::Column::Name)
            .filter(among(
                &self.db,
                vendor_page_component::Column::VendorPageId,
                pages,
            ))
            .filter(
                vendor_page_component::Column::ComponentId
                    .is_in(linked.into_iter().take(MAX_NAMED)),
            )
            .limit(ENOUGH_ROWS)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut names: HashMap<Uuid, HashMap<String, String>> = HashMap::new();
        for (page, id, name) in rows {
            names.entry(page).or_default().insert(id, name);
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
            .filter(among(
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
        // Those that are over are not kept. What has no time comes last, whatever the database thinks of NULL.
        let mut rows = vendor_maintenance::Entity::find()
            .filter(among(
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

fn pages_of(views: &HashMap<Uuid, PageView>) -> HashSet<Uuid> {
    views.values().map(|view| view.row.id).collect()
}

fn by_page<T>(rows: Vec<T>, page: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<Arc<T>>> {
    let mut of_each: HashMap<Uuid, Vec<Arc<T>>> = HashMap::new();
    for row in rows {
        of_each.entry(page(&row)).or_default().push(Arc::new(row));
    }
    of_each
}

fn ids(linked: &serde_json::Value) -> impl Iterator<Item = &str> {
    linked
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(serde_json::Value::as_str)
}

fn touches(linked: &serde_json::Value, follows: &HashSet<String>) -> bool {
    ids(linked).any(|id| follows.contains(id))
}

/// Refuses what would come to more than one answer should hold.
fn bounded(
    notices: &HashMap<Uuid, Notices>,
    incidents: &HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>,
) -> Result<()> {
    let weights: HashMap<*const vendor_incident::Model, usize> = incidents
        .values()
        .flatten()
        .map(|one| (Arc::as_ptr(one), weight(one)))
        .collect();
    let of_incident = |one: &Arc<vendor_incident::Model>| {
        weights.get(&Arc::as_ptr(one)).copied().unwrap_or_default()
    };
    let of_maintenance =
        |one: &Arc<vendor_maintenance::Model>| one.name.len() + linked(&one.component_ids);
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
    if total <= MAX_WEIGHT {
        return Ok(());
    }
    let message = format!(
        "what vendors write about these services comes to {} MiB, at most {} are allowed at a time: ask for fewer \
         services, with a filter or one by one",
        total >> 20,
        MAX_WEIGHT >> 20
    );
    Err(Error::field("vendorIncidents", message))
}

fn weight(incident: &vendor_incident::Model) -> usize {
    let updates = incident
        .updates
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let body = |update: &serde_json::Value| update["body"].as_str().map_or(0, str::len) + 100;
    incident.name.len() + linked(&incident.component_ids) + updates.iter().map(body).sum::<usize>()
}

/// The names of what is linked, about.
fn linked(ids: &serde_json::Value) -> usize {
    ids.as_array().map_or(0, |ids| ids.len() * 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_vendors_write_is_bounded_for_all_services_together() {
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
        let notices = |services: u128| -> HashMap<Uuid, Notices> {
            let one = Notices {
                incidents: vec![Arc::clone(&incident)],
                ..Notices::default()
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
