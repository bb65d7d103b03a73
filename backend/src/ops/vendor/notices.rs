//! Which of a vendor's incidents and maintenance touch what a service follows: by the ids of the components alone. The
//! worker stores notices with the components that they really touch, so what is linked to none concerns nobody.

use super::{Followed, Shown};
use crate::ops::{Ops, Result};
use chrono::{DateTime, Utc};
use domain::status_page::{Standing, standing};
use entity::{service, vendor_incident, vendor_maintenance};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

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
        let shown = self.shown(services).await?;
        let followed = super::join(self.chosen(&views).await?, &views, &shown, now);
        let pages: HashSet<Uuid> = views.values().map(|view| view.row.id).collect();
        let incidents = self.open_vendor_incidents(&pages).await?;
        let maintenances = self.maintenances_to_come(&pages).await?;
        let names: HashMap<Uuid, _> = shown.iter().map(|(page, list)| (*page, Arc::new(names(list)))).collect();
        let notices = services.iter().filter_map(|service| {
            let (view, follows) = (views.get(&service.id)?, followed.get(&service.id)?);
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
        Ok(notices.collect())
    }

    async fn open_vendor_incidents(
        &self,
        pages: &HashSet<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<Arc<vendor_incident::Model>>>> {
        let mut rows = vendor_incident::Entity::find()
            .filter(vendor_incident::Column::StatusPageId.is_in(pages.iter().copied()))
            .filter(vendor_incident::Column::ResolvedAt.is_null())
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

fn names(components: &[Shown]) -> HashMap<String, String> {
    components.iter().map(|one| (one.component_id.clone(), one.name.clone())).collect()
}

fn touches(linked: &serde_json::Value, follows: &[Followed]) -> bool {
    let linked = linked.as_array().map(Vec::as_slice).unwrap_or_default();
    let followed = |id: &str| follows.iter().any(|one| one.chosen.component_id == id);
    linked.iter().filter_map(serde_json::Value::as_str).any(followed)
}
