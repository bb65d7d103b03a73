//! What a vendor's status page says about the components that services follow. Read only: the worker fills the tables.

use super::{Ops, Result};
use entity::{service, service_component, status_page_component, vendor_incident, vendor_maintenance};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// A component that a service follows: as it was chosen, and as its page shows it now.
#[derive(Debug, Clone)]
pub struct Followed {
    /// As it was chosen.
    pub chosen: service_component::Model,
    /// As the page shows it; `None` when it does not.
    pub shown: Option<status_page_component::Model>,
}

/// What the page of one service says that touches the followed components.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// Incidents that are not over.
    pub incidents: Vec<Arc<vendor_incident::Model>>,
    /// Maintenance that is scheduled or in progress.
    pub maintenances: Vec<Arc<vendor_maintenance::Model>>,
    /// The page's names for its components, by their ids.
    pub names: Arc<HashMap<String, String>>,
}

/// The vendor's words for maintenance that is over.
const OVER: [&str; 3] = ["completed", "cancelled", "canceled"];

impl Ops {
    /// The components that each service follows, in the order in which they were chosen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn followed(&self, services: &[Arc<service::Model>]) -> Result<HashMap<Uuid, Vec<Followed>>> {
        let pages: HashMap<Uuid, Uuid> =
            services.iter().filter_map(|service| Some((service.id, service.status_page_id?))).collect();
        if pages.is_empty() {
            return Ok(HashMap::new());
        }
        let chosen = service_component::Entity::find()
            .filter(service_component::Column::ServiceId.is_in(pages.keys().copied()))
            .order_by_asc(service_component::Column::Position)
            .all(&self.db)
            .await?;
        let mut shown = self.shown(pages.values()).await?;
        let mut of_each: HashMap<Uuid, Vec<Followed>> = HashMap::new();
        for chosen in chosen {
            let shown = pages.get(&chosen.service_id).and_then(|page| {
                shown.get_mut(page).and_then(|components| components.get(&chosen.component_id).cloned())
            });
            of_each.entry(chosen.service_id).or_default().push(Followed { chosen, shown });
        }
        Ok(of_each)
    }

    /// The notices that touch what each service follows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices(&self, services: &[Arc<service::Model>]) -> Result<HashMap<Uuid, Notices>> {
        let followed = self.followed(services).await?;
        let pages: HashSet<Uuid> = services.iter().filter_map(|service| service.status_page_id).collect();
        if pages.is_empty() {
            return Ok(HashMap::new());
        }
        let incidents = vendor_incident::Entity::find()
            .filter(vendor_incident::Column::StatusPageId.is_in(pages.iter().copied()))
            .filter(vendor_incident::Column::ResolvedAt.is_null())
            .order_by_desc(vendor_incident::Column::StartedAt)
            .all(&self.db)
            .await?;
        let maintenances = vendor_maintenance::Entity::find()
            .filter(vendor_maintenance::Column::StatusPageId.is_in(pages.iter().copied()))
            .filter(vendor_maintenance::Column::Status.is_not_in(OVER))
            .order_by_asc(vendor_maintenance::Column::ScheduledFor)
            .all(&self.db)
            .await?;
        let names: HashMap<Uuid, Arc<HashMap<String, String>>> = self
            .shown(pages.iter())
            .await?
            .into_iter()
            .map(|(page, components)| (page, Arc::new(components.into_iter().map(|(id, c)| (id, c.name)).collect())))
            .collect();
        let incidents: Vec<_> = incidents.into_iter().map(Arc::new).collect();
        let maintenances: Vec<_> = maintenances.into_iter().map(Arc::new).collect();
        let notices = services.iter().filter_map(|service| {
            let page = service.status_page_id?;
            let follows = followed.get(&service.id)?;
            let touched = |ids: &serde_json::Value| touches(ids, follows);
            let incidents =
                incidents.iter().filter(|i| i.status_page_id == page && touched(&i.component_ids)).cloned().collect();
            let maintenances =
                maintenances.iter().filter(|m| m.status_page_id == page && touched(&m.component_ids)).cloned();
            let names = names.get(&page).cloned().unwrap_or_default();
            Some((service.id, Notices { incidents, maintenances: maintenances.collect(), names }))
        });
        Ok(notices.collect())
    }

    async fn shown(
        &self,
        pages: impl Iterator<Item = &Uuid>,
    ) -> Result<HashMap<Uuid, HashMap<String, status_page_component::Model>>> {
        let pages: HashSet<Uuid> = pages.copied().collect();
        let rows = status_page_component::Entity::find()
            .filter(status_page_component::Column::StatusPageId.is_in(pages))
            .all(&self.db)
            .await?;
        let mut of_each: HashMap<Uuid, HashMap<String, _>> = HashMap::new();
        for row in rows {
            of_each.entry(row.status_page_id).or_default().insert(row.component_id.clone(), row);
        }
        Ok(of_each)
    }
}

/// A notice without components is about the whole page.
fn touches(ids: &serde_json::Value, follows: &[Followed]) -> bool {
    let ids = ids.as_array().map(Vec::as_slice).unwrap_or_default();
    let followed = |id: &serde_json::Value| follows.iter().any(|f| id.as_str() == Some(f.chosen.component_id.as_str()));
    ids.is_empty() || ids.iter().any(followed)
}
