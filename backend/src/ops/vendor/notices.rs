//! Which of a vendor's incidents and maintenance touch what a service follows: by the ids of the components alone. The
//! worker stores notices with the components that they really touch, so what is linked to none concerns nobody.

use super::Shown;
use crate::ops::{Error, Ops, Result};
use chrono::{DateTime, Utc};
use domain::status_page::{Standing, standing};
use entity::{service, vendor_incident, vendor_maintenance};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// How many open incidents of all pages are read at a time, the newest first.
const MAX_INCIDENTS: u64 = 2_000;

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
}

impl Ops {
    /// The notices that touch what each service follows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices(
        &self,
        services: &[Arc<service::Model>],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Notices>> {
        let views = self.pages(services).await?;
        if views.is_empty() {
            return Ok(HashMap::new());
        }
        let pages = super::pages_of(&views);
        let incidents = self.open_vendor_incidents(&pages).await?;
        let maintenances = self.maintenances_to_come(&pages).await?;
        if incidents.is_empty() && maintenances.is_empty() {
            return Ok(HashMap::new());
        }
        let mut follows: HashMap<Uuid, HashSet<String>> = HashMap::new();
        for one in self.chosen(&views).await? {
            follows.entry(one.service_id).or_default().insert(one.component_id);
        }
        let names = self.names(&incidents, &maintenances).await?;
        let notices = services.iter().filter_map(|service| {
            let (view, follows) = (views.get(&service.id)?, follows.get(&service.id)?);
            let page = view.row.id;
            let own = incidents.get(&page).map(Vec::as_slice).unwrap_or_default();
            let incidents = own.iter().filter(|one| touches(&one.component_ids, follows)).cloned().collect();
            // Of a page that was not read lately nobody knows whether the work went on beyond its end.
            let lost = standing(Some(view.read_at), now) == Standing::Lost;
            let over = |one: &vendor_maintenance::Model| lost && one.scheduled_until.is_some_and(|end| end <= now);
            let own = maintenances.get(&page).map(Vec::as_slice).unwrap_or_default();
            let touching = own.iter().filter(|one| touches(&one.component_ids, follows) && !over(one));
            let names = names.get(&page).cloned().unwrap_or_default();
            Some((service.id, Notices { incidents, maintenances: touching.cloned().collect(), names }))
        });
        let notices: HashMap<Uuid, Notices> = notices.collect();
        bounded(&notices, &incidents)?;
        Ok(notices)
    }

    /// The names of what is linked, by page and id.
    async fn names(
        &self,
        incidents: &HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>,
        maintenances: &HashMap<Uuid, Vec<Arc<vendor_maintenance::Model>>>,
    ) -> Result<HashMap<Uuid, Arc<HashMap<String, String>>>> {
        let of_incidents = incidents.values().flatten().map(|one| &one.component_ids);
        let of_maintenances = maintenances.values().flatten().map(|one| &one.component_ids);
        let ids: HashSet<&str> = of_incidents.chain(of_maintenances).flat_map(ids).collect();
        let pages = incidents.keys().chain(maintenances.keys()).copied().collect();
        let shown = self.shown(&pages, Some(&ids)).await?;
        let by_id = |list: Vec<Shown>| list.into_iter().map(|one| (one.component_id, one.name)).collect();
        Ok(shown.into_iter().map(|(page, list)| (page, Arc::new(by_id(list)))).collect())
    }

    async fn open_vendor_incidents(
        &self,
        pages: &HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>> {
        let mut rows = vendor_incident::Entity::find()
            .filter(vendor_incident::Column::StatusPageId.is_in(pages.iter().copied()))
            .filter(vendor_incident::Column::ResolvedAt.is_null())
            .order_by_desc(vendor_incident::Column::StartedAt)
            .limit(MAX_INCIDENTS)
            .all(&self.db)
            .await?;
        rows.sort_by_cached_key(|row| (Reverse(row.started_at), row.incident_id.clone()));
        Ok(by_page(rows, |row| row.status_page_id))
    }

    async fn maintenances_to_come(
        &self,
        pages: &HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<Arc<vendor_maintenance::Model>>>> {
        // Those that are over are not kept.
        let of_these = vendor_maintenance::Column::StatusPageId.is_in(pages.iter().copied());
        let mut rows = vendor_maintenance::Entity::find().filter(of_these).all(&self.db).await?;
        rows.sort_by_cached_key(|row| (row.scheduled_for.is_none(), row.scheduled_for, row.maintenance_id.clone()));
        Ok(by_page(rows, |row| row.status_page_id))
    }
}

fn by_page<T>(rows: Vec<T>, page: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<Arc<T>>> {
    let mut of_each: HashMap<Uuid, Vec<Arc<T>>> = HashMap::new();
    for row in rows {
        of_each.entry(page(&row)).or_default().push(Arc::new(row));
    }
    of_each
}

fn ids(linked: &serde_json::Value) -> impl Iterator<Item = &str> {
    linked.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(serde_json::Value::as_str)
}

fn touches(linked: &serde_json::Value, follows: &HashSet<String>) -> bool {
    ids(linked).any(|id| follows.contains(id))
}

/// Refuses what would come to more than one answer should hold.
fn bounded(
    notices: &HashMap<Uuid, Notices>,
    incidents: &HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>,
) -> Result<()> {
    let weights: HashMap<*const vendor_incident::Model, usize> =
        incidents.values().flatten().map(|one| (Arc::as_ptr(one), weight(one))).collect();
    let of_incident = |one: &Arc<vendor_incident::Model>| weights.get(&Arc::as_ptr(one)).copied().unwrap_or_default();
    let of_maintenance = |one: &Arc<vendor_maintenance::Model>| one.name.len() + linked(&one.component_ids);
    let total: usize = notices
        .values()
        .map(|of_service| {
            let incidents: usize = of_service.incidents.iter().map(of_incident).sum();
            incidents + of_service.maintenances.iter().map(of_maintenance).sum::<usize>()
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
    let updates = incident.updates.as_array().map(Vec::as_slice).unwrap_or_default();
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
            status_page_id: Uuid::nil(),
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
            let one = Notices { incidents: vec![Arc::clone(&incident)], ..Notices::default() };
            (0..services).map(|n| (Uuid::from_u128(n), one.clone())).collect()
        };
        assert!(bounded(&notices(31), &incidents).is_ok());
        assert!(matches!(bounded(&notices(32), &incidents), Err(Error::BadInput(_))));
    }
}
